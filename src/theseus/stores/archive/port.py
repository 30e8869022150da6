"""The port of the archive, and what its lists can be asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from theseus.contracts.archive import ArchivedEvents, TaskRecord
from theseus.contracts.events import StoredEvent


class ArchiveDownError(Exception):
    """The database cannot be reached now; the call may be tried again."""


class Ended(StrEnum):
    """Groups of ends that lists are filtered by; OPEN are the tasks whose end is not known."""

    OPEN = "open"
    ANSWERED = "answered"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"


@dataclass(frozen=True)
class TaskFilter:
    """Which tasks: of one tenant, of one user (None: of all its users), of a session, with an end."""

    tenant_id: str
    user_id: str | None = None
    session_id: str | None = None
    ended: Ended | None = None
    schedule_id: str | None = None


@dataclass(frozen=True)
class Page:
    """So many rows after the first `offset`."""

    limit: int
    offset: int = 0


class Archive(Protocol):
    """Tasks and their events. Every method raises ArchiveDownError when the database is away."""

    async def begin(self, record: TaskRecord) -> bool:
        """Keeps a task that is about to start; False, and nothing changed, when its id is there."""
        ...

    async def withdraw(self, task_id: str) -> None:
        """Forgets a task that did not start after all; one that has ended stays."""
        ...

    async def end(self, record: TaskRecord, events: Sequence[StoredEvent]) -> None:
        """Keeps how a task ended, its usage and its events; done again, it changes nothing.

        What `begin` kept of how it was started stays.
        """
        ...

    async def task(self, task_id: str) -> TaskRecord | None:
        """One task; None when it is not there. Whose it is, the caller has to look at."""
        ...

    async def tasks(self, wanted: TaskFilter, page: Page) -> tuple[list[TaskRecord], int]:
        """Tasks, the newest first, and how many there are in all."""
        ...

    async def events(self, task_id: str, page: Page) -> ArchivedEvents:
        """A task's events in their order."""
        ...
