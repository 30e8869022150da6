"""One who watches a task: what they have seen, what they want, and when they last heard something."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from datetime import timedelta

from theseus.contracts.events import StoredEvent
from theseus.gateway.streams.endings import last_words
from theseus.gateway.streams.items import GatewayStopping, Item, Ping, Remark, unreadable
from theseus.gateway.streams.since import Since
from theseus.gateway.streams.tail import Tail
from theseus.gateway.wire.events import Frame
from theseus.stores.ports import EventLog, StoreDownError
from theseus.stores.rules import position

_log = logging.getLogger("theseus.gateway")

END = "STREAM_END"
AT_ONCE = 100
"""So many events are told at once, where so many wait."""


class Reader:
    """A reader of one task.

    Args:
        events: the log, for what is not at hand.
        task_id: the task.
        since: what was seen before.
        types: the events to tell, by our names; empty: all. The end is always told.
    """

    def __init__(self, events: EventLog, task_id: str, since: Since, types: Collection[str]) -> None:
        self._events = events
        self._task_id = task_id
        self._since = since
        self._types = types
        self._place = since.place
        self._last_seq = since.numbered

    def wants(self, item: Item) -> bool:
        """Whether this is told to them."""
        return not isinstance(item, Frame) or not self._types or item.type in self._types or item.type == END

    def has(self, stored: StoredEvent) -> bool:
        """Whether they have seen it before."""
        return self._since.has(stored)

    async def items(self, tail: Tail, heartbeat: timedelta) -> AsyncGenerator[list[Item]]:
        """All that they want, as it comes, with a ping where nothing was told for so long."""
        clock = asyncio.get_running_loop().time
        told_at = clock()
        try:
            async with aclosing(self._all(tail)) as batches:
                async for batch in batches:
                    wanted = [item for item in batch if self.wants(item)]
                    if not wanted and clock() - told_at < heartbeat.total_seconds():
                        continue
                    yield wanted or [Ping()]
                    told_at = clock()
        except (StoreDownError, ValueError) as error:
            # a ValueError is an event that this version of ours cannot read
            _log.warning("a reader of %s was left: %s", self._task_id, error)
            yield [unreadable(self._task_id)]

    async def _all(self, tail: Tail) -> AsyncGenerator[list[Item]]:
        number = tail.number_after(self._place)
        while True:
            if number is None or number < tail.first:
                async with aclosing(self._catch_up(tail)) as missed:
                    async for batch in missed:
                        yield batch
                number = tail.number_after(self._place)
                # what lies between was trimmed: the log itself does not have it any more
                number = tail.first if number is None else number
            elif number < tail.came:
                until = min(tail.came, number + AT_ONCE)
                yield [item for at in range(number, until) for item in self._taken(tail.frame(at))]
                number = until
            elif tail.is_silent:
                yield self._last(tail)
                return
            else:
                await tail.news()
                # nothing, where it was only the pulse: who is told so looks at the clock
                yield []

    async def _catch_up(self, tail: Tail) -> AsyncGenerator[list[Item]]:
        """From the log itself, up to what the tail has at hand."""
        start = f"{self._place[0]}-{self._place[1]}"
        async for stored in self._events.read(self._task_id, start, follow=False):
            yield self._taken(Frame(stored))
            if self._place >= tail.before:
                return

    def _taken(self, frame: Frame) -> list[Item]:
        """An event that came, and before it how many are not kept any more."""
        place = position(frame.stored.stream_id)
        if place <= self._place or self.has(frame.stored):
            return []
        missing = 0 if self._last_seq is None else frame.stored.seq - self._last_seq - 1
        self._place, self._last_seq = place, frame.stored.seq
        return [Remark(f"{missing} earlier events are not kept any more"), frame] if missing > 0 else [frame]

    def _last(self, tail: Tail) -> list[Item]:
        """What is said when nothing more comes."""
        if tail.is_stopping:
            raise GatewayStopping
        if tail.orphan is not None:
            return [Frame(stored) for stored in last_words(tail.orphan)]
        return [unreadable(self._task_id)] if tail.problem is not None else []
