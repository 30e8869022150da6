"""Events of tasks in the memory of one process; passes the test-suite of `stores/redis/events.py`."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from theseus.contracts.events import Event, StoredEvent
from theseus.stores.kept import Kept
from theseus.stores.rules import position


@dataclass
class _Stream:
    events: list[StoredEvent] = field(default_factory=list[StoredEvent])
    keys: set[str] = field(default_factory=set[str])
    last_seq: int = 0
    end: tuple[int, int] | None = None

    def add(self, event: Event) -> None:
        if self.end is not None or (event.key and event.key in self.keys):
            return
        if event.key:
            self.keys.add(event.key)
        self.last_seq += 1
        self.events.append(StoredEvent(stream_id=f"{self.last_seq}-0", seq=self.last_seq, event=event))
        if event.type == "STREAM_END":
            self.end = (self.last_seq, 0)

    def after(self, place: tuple[int, int]) -> list[StoredEvent]:
        return self.events[max(0, place[0] - self.events[0].seq + 1) :] if self.events else []


class MemoryEvents:
    """Events of tasks, forgotten `ttl` after the last one; each task keeps its last `cap`."""

    def __init__(self, ttl: timedelta = timedelta(hours=24), cap: int = 20_000) -> None:
        self._kept: Kept[_Stream] = Kept(ttl)
        self._cap = cap
        self._news = asyncio.Event()

    async def publish(self, task_id: str, events: Sequence[Event]) -> None:
        """See `EventLog.publish`; what comes after a STREAM_END is left out."""
        stream = self._kept.get_or((task_id,), _Stream)
        for event in events:
            stream.add(event)
        del stream.events[: -self._cap]
        self._news.set()
        self._news = asyncio.Event()

    async def read(self, task_id: str, after: str = "0", *, follow: bool = True) -> AsyncIterator[StoredEvent]:
        """See `EventLog.read`; a ValueError when `after` is no stream id."""
        place = position(after)
        while True:
            news = self._news
            stream = self._kept.get((task_id,), touch=False) or _Stream()
            for stored in stream.after(place):
                place = position(stored.stream_id)
                yield stored
            if not follow or (stream.end is not None and place >= stream.end):
                return
            await news.wait()

    async def end(self, task_id: str) -> str | None:
        """See `EventLog.end`."""
        stream = self._kept.get((task_id,), touch=False)
        return f"{stream.end[0]}-0" if stream is not None and stream.end is not None else None
