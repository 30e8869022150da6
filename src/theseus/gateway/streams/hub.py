"""All streams of this process: who watches a task gets its events once and in order, at their own speed."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from temporalio.service import RPCError

from theseus.client import ClientError
from theseus.contracts.archive import TaskRecord
from theseus.gateway.streams.endings import Endings
from theseus.gateway.streams.items import GatewayStopping, Item, Remark, unreadable
from theseus.gateway.streams.reader import Reader
from theseus.gateway.streams.since import Since
from theseus.gateway.streams.tail import Tail
from theseus.gateway.wire.events import Frame
from theseus.stores.archive.port import ArchiveDownError
from theseus.stores.ports import EventLog, StoreDownError
from theseus.stores.rules import just_before, position

_log = logging.getLogger("theseus.gateway")


@dataclass(frozen=True)
class Pace:
    """How often a reader hears that its connection lives, and how often a task that tells nothing is asked after."""

    heartbeat: timedelta = timedelta(seconds=10)
    first_look: timedelta = timedelta(seconds=1)
    look_again: timedelta = timedelta(seconds=10)


@dataclass
class _Shared:
    tail: Tail
    work: list[asyncio.Task[None]]
    readers: int = 0


class Streams:
    """The streams of all tasks.

    Args:
        events: the log.
        endings: what is known of tasks beside it.
        pace: how often what is said and asked.
    """

    def __init__(self, events: EventLog, endings: Endings, pace: Pace | None = None) -> None:
        self._events = events
        self._endings = endings
        self._pace = pace or Pace()
        self._shared: dict[str, _Shared] = {}
        self.stopped = asyncio.Event()

    @property
    def is_stopping(self) -> bool:
        """Whether this process is about to end."""
        return self.stopped.is_set()

    @property
    def open(self) -> int:
        """How many tasks are followed now."""
        return len(self._shared)

    def stop(self) -> None:
        """Every reader gets a GatewayStopping now, or when it comes."""
        self.stopped.set()
        for shared in self._shared.values():
            shared.tail.stop()

    async def read(self, record: TaskRecord, since: Since, types: Collection[str] = ()) -> AsyncGenerator[list[Item]]:
        """A task's events after those that were seen, until its end, as many at once as there are.

        Args:
            record: the task; that it is the caller's was made sure of.
            since: what was seen.
            types: those to tell, by our names; empty: all. The end is always told.

        Raises:
            GatewayStopping: the process ends.
        """
        if self.is_stopping:
            raise GatewayStopping
        reader = Reader(self._events, record.task_id, since, types)
        if record.outcome is not None and not await self._is_kept(record.task_id):
            async for items in self._told_from_archive(record, reader):
                yield items
            return
        async with self._tail(record, since) as tail, aclosing(reader.items(tail, self._pace.heartbeat)) as told:
            async for items in told:
                yield items

    async def _told_from_archive(self, record: TaskRecord, reader: Reader) -> AsyncGenerator[list[Item]]:
        yield [Remark("this task has ended: its events are told from the archive, without pieces of text")]
        try:
            async for stored in self._endings.kept(record):
                frame = Frame(stored)
                if not reader.has(stored) and reader.wants(frame):
                    yield [frame]
        except ArchiveDownError as error:
            _log.warning("a reader of %s was left: %s", record.task_id, error)
            yield [unreadable(record.task_id)]

    async def _is_kept(self, task_id: str) -> bool:
        """Whether the log still has anything of a task that ended."""
        try:
            if await self._events.end(task_id) is not None:
                return True
            async for _ in self._events.read(task_id, follow=False):
                return True
        except (StoreDownError, ValueError):
            return False
        return False

    @asynccontextmanager
    async def _tail(self, record: TaskRecord, since: Since) -> AsyncGenerator[Tail]:
        start = since.place if await self._holds(record.task_id, since.place) else (0, 0)
        shared = self._shared.get(record.task_id)
        if shared is None or shared.tail.problem is not None:
            tail = Tail(self._events, record.task_id, start)
            work = (tail.follow(), tail.pulse(self._pace.heartbeat / 10), self._watch(record, tail))
            shared = _Shared(tail, [asyncio.create_task(each) for each in work])
            self._shared[record.task_id] = shared
        shared.readers += 1
        try:
            yield shared.tail
        finally:
            shared.readers -= 1
            if not shared.readers:
                if self._shared.get(record.task_id) is shared:
                    del self._shared[record.task_id]
                for task in shared.work:
                    task.cancel()

    async def _holds(self, task_id: str, place: tuple[int, int]) -> bool:
        """Whether an event has this place: all would wait in vain behind one that is still to come."""
        if place == (0, 0) or task_id in self._shared:
            return False
        try:
            async for stored in self._events.read(task_id, just_before(place), follow=False):
                return position(stored.stream_id) == place
        except (StoreDownError, ValueError):
            return False
        return False

    async def _watch(self, record: TaskRecord, tail: Tail) -> None:
        """Asks after a task that tells nothing: one that was terminated, or lost Redis, never tells its end."""
        clock = asyncio.get_running_loop().time
        wait = self._pace.first_look.total_seconds()
        while not tail.is_silent:
            await asyncio.sleep(wait)
            if tail.is_silent or clock() - tail.heard_at < wait:
                continue
            wait = self._pace.look_again.total_seconds()
            try:
                ended = await self._endings.of(record)
            except ClientError as error:
                tail.give_up(str(error))
                return
            except (RPCError, ArchiveDownError) as error:
                _log.warning("whether %s has ended could not be asked: %s", record.task_id, error)
                continue
            if ended is not None:
                # its last events were told before it ended, and may be on their way still
                await asyncio.sleep(self._pace.first_look.total_seconds())
                if not tail.is_silent:
                    tail.abandon(ended)
                return
