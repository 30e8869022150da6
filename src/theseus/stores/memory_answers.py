"""Answers to requests that may come again, in the memory of one process."""

import time
from datetime import timedelta

from theseus.contracts.answers import Claim, KeptAnswer
from theseus.stores.kept import Kept

DAY = timedelta(hours=24)


class MemoryAnswers:
    """Answers, forgotten `ttl` after they were given."""

    def __init__(self, ttl: timedelta = DAY) -> None:
        self._answers: Kept[KeptAnswer] = Kept(ttl)
        self._leases: dict[str, tuple[str, float]] = {}

    async def claim(self, request: str, holder: str, *, lease: timedelta) -> Claim:
        """See `AnswerStore.claim`."""
        if (answer := self._answers.get((request,), touch=False)) is not None:
            return Claim(state="answered", answer=answer)
        now = time.monotonic()
        self._leases = {name: held for name, held in self._leases.items() if held[1] > now}
        if self._leases.get(request, (holder, now))[0] != holder:
            return Claim(state="busy")
        self._leases[request] = (holder, now + lease.total_seconds())
        return Claim(state="mine")

    async def keep(self, request: str, holder: str, answer: KeptAnswer) -> None:
        """See `AnswerStore.keep`."""
        if self._answers.get((request,), touch=False) is None:
            self._answers.put((request,), answer)
        await self.release(request, holder)

    async def release(self, request: str, holder: str) -> None:
        """See `AnswerStore.release`."""
        if self._leases.get(request, ("", 0.0))[0] == holder:
            del self._leases[request]
