"""All streams of this process: who watches a task gets its events once and in order, at their own speed."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from temporalio.service import RPCError

from theseus.client import ClientError
from theseus.contracts.archive import TaskRecord
from theseus.contracts.events import StoredEvent
from theseus.gateway.streams.endings import Endings, last_words
from theseus.gateway.streams.since import Since
from theseus.gateway.streams.tail import Tail
from theseus.gateway.wire.events import Frame
from theseus.stores.archive.port import ArchiveDownError
from theseus.stores.ports import EventLog, StoreDownError
from theseus.stores.rules import just_before, position

_log = logging.getLogger("theseus.gateway")
END = "STREAM_END"


@dataclass(frozen=True)
class Pace:
    """How often a reader hears that its connection lives, and how often a task that tells nothing is asked after."""

    heartbeat: timedelta = timedelta(seconds=10)
    first_look: timedelta = timedelta(seconds=1)
    look_again: timedelta = timedelta(seconds=10)


class GatewayStopping(Exception):
    """This process ends; the reader has to come back and go on where it was."""


class Ping:
    """Nothing to tell, and the stream goes on."""


@dataclass(frozen=True)
class Remark:
    """What people who look at the stream may want to know."""

    text: str


@dataclass(frozen=True)
class Trouble:
    """The stream cannot go on, and the task is none the worse for it; the last item."""

    message: str


Item = Frame | Ping | Remark | Trouble


@dataclass
class _Shared:
    tail: Tail
    work: list[asyncio.Task[None]]
    readers: int = 0


@dataclass
class _Reader:
    """One who watches: what they have seen, and when they last heard something."""

    since: Since
    types: Collection[str]
    last_seq: int | None
    due: float = 0.0
    place: tuple[int, int] = field(default=(0, 0))

    def wants(self, frame: Frame) -> bool:
        return not self.types or frame.type in self.types or frame.type == END

    def take(self, stored: StoredEvent) -> int:
        """Notes an event; how many before it are not kept any more."""
        missing = 0 if self.last_seq is None else stored.seq - self.last_seq - 1
        self.place, self.last_seq = position(stored.stream_id), stored.seq
        return max(missing, 0)


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
        self._stopping = False

    @property
    def is_stopping(self) -> bool:
        """Whether this process is about to end."""
        return self._stopping

    @property
    def open(self) -> int:
        """How many tasks are followed now."""
        return len(self._shared)

    def stop(self) -> None:
        """Every reader gets a GatewayStopping now, or when it comes."""
        self._stopping = True
        for shared in self._shared.values():
            shared.tail.give_up("")

    async def read(self, record: TaskRecord, since: Since, types: Collection[str] = ()) -> AsyncGenerator[Item]:
        """A task's events after those that were seen, until its end.

        Args:
            record: the task; that it is the caller's was made sure of.
            since: what was seen.
            types: those to tell, by our names; empty: all. The end is always told.

        Raises:
            GatewayStopping: the process ends.
        """
        if record.outcome is not None and not await self._is_kept(record.task_id):
            async for item in self._told_from_archive(record, since, types):
                yield item
            return
        reader = _Reader(since, types, since.numbered, place=since.place)
        async with self._tail(record, since) as tail, aclosing(self._live(record.task_id, tail, reader)) as items:
            async for item in items:
                yield item

    async def _live(self, task_id: str, tail: Tail, reader: _Reader) -> AsyncGenerator[Item]:
        beat = self._pace.heartbeat.total_seconds()
        clock = asyncio.get_running_loop().time
        reader.due = clock() + beat
        try:
            async with aclosing(self._frames(task_id, tail, reader)) as items:
                async for item in items:
                    is_told = not isinstance(item, Frame) or reader.wants(item)
                    if is_told or clock() >= reader.due:
                        yield item if is_told else Ping()
                        reader.due = clock() + beat
        except (StoreDownError, ValueError) as error:
            # a ValueError is an event that this version of ours cannot read
            yield _unreadable(task_id, str(error))

    async def _frames(self, task_id: str, tail: Tail, reader: _Reader) -> AsyncGenerator[Item]:
        clock = asyncio.get_running_loop().time
        number = tail.number_after(reader.place)
        while True:
            if self._stopping:
                raise GatewayStopping
            if number is None or number < tail.first:
                async with aclosing(self._catch_up(task_id, tail, reader)) as missed:
                    async for item in missed:
                        yield item
                number = tail.number_after(reader.place)
                # what lies between was trimmed: the log itself does not have it any more
                number = tail.first if number is None else number
            elif number < tail.came:
                for item in _taken(tail.frame(number), reader):
                    yield item
                number += 1
            elif tail.is_silent:
                for item in self._last(task_id, tail):
                    yield item
                return
            elif not await tail.news(number, reader.due - clock()):
                yield Ping()

    async def _catch_up(self, task_id: str, tail: Tail, reader: _Reader) -> AsyncGenerator[Item]:
        """From the log itself, up to what the tail has at hand."""
        start = f"{reader.place[0]}-{reader.place[1]}"
        async for stored in self._events.read(task_id, start, follow=False):
            for item in _taken(Frame(stored), reader):
                yield item
            if reader.place >= tail.before:
                return

    def _last(self, task_id: str, tail: Tail) -> list[Item]:
        """What is said when nothing more comes."""
        if self._stopping:
            raise GatewayStopping
        if tail.orphan is not None:
            return [Frame(stored) for stored in last_words(tail.orphan)]
        return [_unreadable(task_id, tail.problem)] if tail.problem is not None else []

    async def _told_from_archive(
        self, record: TaskRecord, since: Since, types: Collection[str]
    ) -> AsyncGenerator[Item]:
        yield Remark("this task has ended: its events are told from the archive, without pieces of text")
        reader = _Reader(since, types, None)
        try:
            async for stored in self._endings.kept(record):
                frame = Frame(stored)
                if not since.has(stored) and reader.wants(frame):
                    yield frame
        except ArchiveDownError as error:
            _log.warning("a stream was cut: %s", error)
            yield Trouble("the archive cannot be read now; try again in a moment")

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
            shared = _Shared(tail, [asyncio.create_task(tail.follow()), asyncio.create_task(self._watch(record, tail))])
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


def _unreadable(task_id: str, problem: str | None) -> Trouble:
    _log.warning("the stream of %s was cut: %s", task_id, problem)
    return Trouble(
        f"the task's events cannot be read now; the task itself is not touched: ask GET /api/v1/tasks/{task_id}, "
        "or come back with the last event's id"
    )


def _taken(frame: Frame, reader: _Reader) -> list[Item]:
    if reader.since.has(frame.stored):
        return []
    missing = reader.take(frame.stored)
    told: list[Item] = [Remark(f"{missing} earlier events are not kept any more")] if missing else []
    return [*told, frame]
