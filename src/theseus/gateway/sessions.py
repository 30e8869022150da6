"""Sessions as their users see them: listed, titled, deleted, their turns. Knows whose a session is."""

import asyncio
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from temporalio.service import RPCError

from theseus.contracts.archive import SessionRecord, TaskRecord
from theseus.contracts.errors import InvalidInput
from theseus.contracts.events import StoredEvent
from theseus.contracts.session import SessionKey
from theseus.gateway.callers import Caller
from theseus.gateway.refusals import Refusal
from theseus.gateway.tasks import Found, Tasks
from theseus.gateway.told import logged
from theseus.stores.archive.port import Archive, Page
from theseus.stores.ports import EventLog, SessionStore, StoreDownError

MOST_TITLE_CHARS = 60
MOST_EVENTS = 5000
"""So many events one answer may hold."""
MOST_ASKED = 20
"""So many tasks of one answer, the newest, are asked after in Temporal where the archive does not know their end."""


@dataclass(frozen=True)
class Turns:
    """A page of a session's tasks, the oldest first; `first` counts from 1, `total` is how many there are in all."""

    found: list[Found]
    first: int
    total: int
    events: Mapping[str, list[StoredEvent]]


@dataclass(frozen=True)
class Sessions:
    """What the gateway does with sessions.

    Args:
        archive: keeps them and their tasks.
        store: holds what the next task of a session will remember.
        events: of tasks that are not archived yet.
        tasks: how tasks are found.
    """

    archive: Archive
    store: SessionStore
    events: EventLog
    tasks: Tasks

    async def page(self, caller: Caller, page: Page) -> tuple[list[SessionRecord], int]:
        """The caller's sessions, the last used first, and how many there are."""
        return await self.archive.sessions.page(caller.tenant_id, caller.user_id, page)

    async def get(self, session_id: str, caller: Caller) -> SessionRecord:
        """A session of the caller.

        Raises:
            Refusal: 404, there is none, it was deleted, or it is somebody else's.
        """
        record = await self._known(session_id, caller)
        if record.deleted_at is not None:
            raise _missing()
        return record

    async def messages(self, session_id: str, caller: Caller) -> int | None:
        """How many messages of the session the next task of it can see; None while nobody can tell."""
        try:
            return len((await self.store.load(key_of(session_id, caller), MOST_EVENTS)).heads)
        except StoreDownError:
            return None

    async def rename(self, session_id: str, caller: Caller, title: str) -> str:
        """Gives a session a title; gives it as it is kept, without control characters.

        Raises:
            Refusal: 404, as for `get`.
            InvalidInput: it is empty or too long.
        """
        await self.get(session_id, caller)
        kept = "".join(letter for letter in title if unicodedata.category(letter) != "Cc").strip()
        if not 1 <= len(kept) <= MOST_TITLE_CHARS:
            raise InvalidInput(f"title: has to have 1 to {MOST_TITLE_CHARS} characters", field="title")
        await self.archive.sessions.rename(key_of(session_id, caller), kept)
        return kept

    async def delete(self, session_id: str, caller: Caller) -> None:
        """Deletes a session: it is not found any more and takes no new tasks. Its tasks stay; once more, it does nothing.

        Raises:
            Refusal: 404, there never was one.
        """
        await self._known(session_id, caller)
        await self.archive.sessions.delete(key_of(session_id, caller), datetime.now(UTC))

    async def history(self, session_id: str, caller: Caller, page: Page) -> Turns:
        """The session's tasks, the oldest first.

        Raises:
            Refusal: 404, as for `get`.
        """
        await self.get(session_id, caller)
        records, total = await self.archive.sessions.turns(key_of(session_id, caller), page)
        return Turns(await brought_up(self.tasks, records, caller), page.offset + 1, total, {})

    async def told(self, session_id: str, caller: Caller, page: Page) -> Turns:
        """The session's tasks, the oldest first, with their events; pieces of text and prompts are left out.

        Raises:
            Refusal: 404, as for `get`; 413, the events are too many for one answer.
        """
        turns = await self.history(session_id, caller, page)
        ids = [found.record.task_id for found in turns.found]
        kept = await self.archive.sessions.events(ids, MOST_EVENTS)
        if kept is None:
            raise _too_many()
        told = {task_id: events or await logged(task_id, self.events) for task_id, events in kept.items()}
        if sum(map(len, told.values())) > MOST_EVENTS:
            raise _too_many()
        return replace(turns, events=told)

    async def _known(self, session_id: str, caller: Caller) -> SessionRecord:
        record = await self.archive.sessions.get(key_of(session_id, caller))
        if record is None:
            raise _missing()
        return record


async def brought_up(tasks: Tasks, records: list[TaskRecord], caller: Caller) -> list[Found]:
    """Tasks as they stand now: those whose end the archive does not know are asked after, the newest of them."""
    newest = sorted((r for r in records if r.outcome is None), key=lambda r: r.created_at)[-MOST_ASKED:]
    asked = await asyncio.gather(*(_now(tasks, record, caller) for record in newest))
    known = {found.record.task_id: found for found in asked}
    return [known.get(record.task_id, Found(record)) for record in records]


async def _now(tasks: Tasks, record: TaskRecord, caller: Caller) -> Found:
    try:
        return await tasks.find(record.task_id, caller)
    except RPCError:
        return Found(record)


def key_of(session_id: str, caller: Caller) -> SessionKey:
    """A session of the caller: the same id of another user is another session."""
    return SessionKey(session_id=session_id, tenant_id=caller.tenant_id, user_id=caller.user_id)


def _missing() -> Refusal:
    return Refusal(404, "Session not found")


def _too_many() -> Refusal:
    return Refusal(413, f"these turns have more than {MOST_EVENTS:,} events: ask for fewer with limit and offset")
