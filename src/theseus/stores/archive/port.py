"""The port of the archive, and what its lists can be asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from theseus.contracts.archive import ArchivedEvents, RunSums, SessionRecord, TaskRecord
from theseus.contracts.events import StoredEvent
from theseus.contracts.schedule import ScheduleRecord
from theseus.contracts.session import SessionKey
from theseus.stores.archive.account_port import AccountArchive


class ArchiveDownError(Exception):
    """The database cannot be reached now; the call may be tried again."""


class UnfitArchiveError(ValueError):
    """No address of a database that we know, or one that a newer Theseus has changed: we would not know what we write."""


class SessionDeletedError(Exception):
    """The session of a task was deleted: it takes no new ones."""


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


class SessionArchive(Protocol):
    """Sessions: each is there from its first task on, and what it shows is summed over its tasks."""

    async def page(self, tenant_id: str, user_id: str, page: Page) -> tuple[list[SessionRecord], int]:
        """A user's sessions that are not deleted, the last used first, and how many there are in all."""
        ...

    async def get(self, key: SessionKey) -> SessionRecord | None:
        """One session, also a deleted one; None when there never was one."""
        ...

    async def rename(self, key: SessionKey, title: str) -> None:
        """Gives a session a title."""
        ...

    async def delete(self, key: SessionKey, at: datetime) -> None:
        """Marks a session as deleted; the first mark stays."""
        ...

    async def turns(self, key: SessionKey, page: Page) -> tuple[list[TaskRecord], int]:
        """A session's tasks, the oldest first, and how many there are in all."""
        ...

    async def events(self, task_ids: Sequence[str], most: int) -> Mapping[str, list[StoredEvent]] | None:
        """The events of these tasks, in their order; None when there are more than `most` in all."""
        ...


class ScheduleArchive(Protocol):
    """Schedules, as far as Temporal does not keep them: whose they are, and what lists are filtered by."""

    async def add(self, record: ScheduleRecord, most: int) -> bool:
        """Keeps a new schedule; False, and nothing is kept, when its user has `most` already."""
        ...

    async def define(self, record: ScheduleRecord) -> None:
        """Keeps another definition, and since when; what else is known of the schedule stays."""
        ...

    async def hold(self, schedule_id: str, at: datetime | None, reason: str) -> None:
        """Keeps since when a schedule is held and why, or (None) that it is not; its definition stays."""
        ...

    async def delete(self, schedule_id: str, at: datetime) -> None:
        """Marks a schedule as deleted; the first mark stays."""
        ...

    async def withdraw(self, schedule_id: str) -> None:
        """Forgets a schedule that was not made after all."""
        ...

    async def get(self, schedule_id: str) -> ScheduleRecord | None:
        """One schedule, also a deleted one. Whose it is, the caller has to look at."""
        ...

    async def page(
        self, tenant_id: str, user_id: str | None, *, is_paused: bool | None, page: Page
    ) -> tuple[list[ScheduleRecord], int]:
        """Schedules that are not deleted, of a user or (None) of the whole tenant, the newest first, and how many in all."""
        ...

    async def sums(self, schedule_ids: Sequence[str]) -> Mapping[str, RunSums]:
        """What the runs of these schedules came to; a schedule without runs is left out."""
        ...


class Archive(Protocol):
    """Tasks and their events. Every method raises ArchiveDownError when the database is away."""

    @property
    def sessions(self) -> SessionArchive:
        """The sessions of the tasks."""
        ...

    @property
    def schedules(self) -> ScheduleArchive:
        """What starts tasks by itself."""
        ...

    @property
    def accounts(self) -> AccountArchive:
        """Who may use the gateway."""
        ...

    async def begin(self, record: TaskRecord) -> bool:
        """Keeps a task that is about to start, and its session; False, and the task unchanged, when its id is there.

        Raises:
            SessionDeletedError: its session was deleted; nothing is kept.
        """
        ...

    async def withdraw(self, task_id: str) -> None:
        """Forgets a task that did not start after all, and its session if it was the only one; one that has ended stays."""
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

    async def unended(self, since: datetime, until: datetime, after: TaskRecord | None, most: int) -> list[TaskRecord]:
        """Tasks of all tenants that began within that time and whose end is not known: the oldest, or those `after` one."""
        ...

    async def events(self, task_id: str, page: Page) -> ArchivedEvents:
        """A task's events in their order."""
        ...
