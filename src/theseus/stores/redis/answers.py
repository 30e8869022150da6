"""Answers to requests that may come again, on Redis: a lease and an answer, two keys in one slot."""

from datetime import timedelta

from redis.asyncio import Redis

from theseus.contracts.answers import Claim, KeptAnswer
from theseus.stores.redis.connection import as_bytes, key_of, milliseconds, reaching
from theseus.stores.rules import decode, encode

_CLAIM = """
local answer = redis.call('GET', KEYS[1])
if answer then return answer end
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return 1
"""
_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""


class RedisAnswers:
    """Answers, forgotten `ttl` after they were given."""

    def __init__(self, client: Redis, *, ttl: timedelta = timedelta(hours=24), prefix: str = "theseus") -> None:
        self._client = client
        self._ttl = milliseconds(ttl)
        self._prefix = prefix
        self._claim = client.register_script(_CLAIM)
        self._release = client.register_script(_RELEASE)

    async def claim(self, request: str, holder: str, *, lease: timedelta) -> Claim:
        """See `AnswerStore.claim`."""
        with reaching(self._client):
            said = await self._claim(keys=self._keys(request), args=[holder, milliseconds(lease)])
        if isinstance(said, int):
            return Claim(state="mine" if said else "busy")
        return Claim(state="answered", answer=KeptAnswer.model_validate_json(decode(as_bytes(said))))

    async def keep(self, request: str, holder: str, answer: KeptAnswer) -> None:
        """See `AnswerStore.keep`."""
        kept = encode(answer.model_dump_json())
        with reaching(self._client):
            await self._client.set(self._keys(request)[0], kept, px=self._ttl, nx=True)
        await self.release(request, holder)

    async def release(self, request: str, holder: str) -> None:
        """See `AnswerStore.release`."""
        with reaching(self._client):
            await self._release(keys=self._keys(request)[1:], args=[holder])

    def _keys(self, request: str) -> list[str]:
        answer = key_of(self._prefix, "idempotency", (request,))
        return [answer, f"{answer}:lease"]
