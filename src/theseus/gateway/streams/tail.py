"""One reader of a task's events for all who watch the task from this process; it keeps the last ones at hand."""

import asyncio
import logging
from collections import deque
from datetime import timedelta

from theseus.contracts.archive import TaskRecord
from theseus.gateway.wire.events import Frame
from theseus.stores.ports import EventLog, StoreDownError
from theseus.stores.rules import position

_log = logging.getLogger("theseus.gateway")

MOST_FRAMES = 1_000
MOST_CHARS = 2_000_000
"""So much is kept at hand, in characters of messages; who is further behind reads the log itself."""
FRAME_CHARS = 500
"""What an event takes beside its message, about."""


class Tail:
    """Follows a task from a place on. Frames are numbered by their coming, from 0.

    Args:
        events: the log.
        task_id: the task.
        start: the place after which it begins.
    """

    def __init__(self, events: EventLog, task_id: str, start: tuple[int, int]) -> None:
        self._events = events
        self._task_id = task_id
        self._kept: deque[Frame] = deque()
        self._chars = 0
        self._news = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.came = 0
        self.before = start
        self.heard_at = self._loop.time()
        self.is_over = False
        self.problem: str | None = None
        self.orphan: TaskRecord | None = None
        self.is_stopping = False

    @property
    def first(self) -> int:
        """The number of the first frame that is at hand."""
        return self.came - len(self._kept)

    @property
    def is_silent(self) -> bool:
        """Whether nothing more will come."""
        return self.is_over or self.is_stopping or self.problem is not None or self.orphan is not None

    async def follow(self) -> None:
        """Reads until the task's end, or until the log cannot be read."""
        start = f"{self.before[0]}-{self.before[1]}"
        try:
            async for stored in self._events.read(self._task_id, start):
                self._add(Frame(stored))
            self.is_over = True
        except (StoreDownError, ValueError) as error:
            # a ValueError is an event that this version of ours cannot read
            self.give_up(str(error))
        finally:
            self._tell()

    def abandon(self, record: TaskRecord) -> None:
        """The task has ended, and its log never told it: nothing more comes."""
        self.orphan = record
        self._tell()

    def give_up(self, problem: str) -> None:
        """Nothing more comes, for this reason."""
        _log.warning("the stream of %s was cut: %s", self._task_id, problem)
        self.problem = problem
        self._tell()

    def frame(self, number: int) -> Frame:
        """A frame that is at hand."""
        return self._kept[number - self.first]

    def number_after(self, place: tuple[int, int]) -> int | None:
        """The number of the first frame after a place; None when some between them are not at hand any more."""
        if place < self.before:
            return None
        low, high = 0, len(self._kept)
        while low < high:
            middle = (low + high) // 2
            if position(self._kept[middle].stored.stream_id) <= place:
                low = middle + 1
            else:
                high = middle
        return self.first + low

    def stop(self) -> None:
        """Nothing more comes from this process."""
        self.is_stopping = True
        self._tell()

    async def news(self) -> None:
        """Waits for the next frame, for the end, or for a pulse."""
        await self._news.wait()

    async def pulse(self, every: timedelta) -> None:
        """Wakes all readers so often, so that each can look at the clock: one timer for all of them."""
        while not self.is_silent:
            await asyncio.sleep(every.total_seconds())
            self._tell()

    def _add(self, frame: Frame) -> None:
        self._kept.append(frame)
        self._chars += _chars(frame)
        self.came += 1
        self.heard_at = self._loop.time()
        while len(self._kept) > MOST_FRAMES or (self._chars > MOST_CHARS and len(self._kept) > 1):
            gone = self._kept.popleft()
            self._chars -= _chars(gone)
            self.before = position(gone.stored.stream_id)
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


def _chars(frame: Frame) -> int:
    return len(frame.stored.event.message) + FRAME_CHARS
