"""The archive on SQLite or PostgreSQL."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, delete, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from theseus.contracts.archive import ArchivedEvents, TaskRecord
from theseus.contracts.events import StoredEvent
from theseus.contracts.session import SessionKey
from theseus.stores.archive.account_port import AccountArchive
from theseus.stores.archive.accounts import SqlAccounts
from theseus.stores.archive.database import Database
from theseus.stores.archive.port import Ended, Page, ScheduleArchive, SessionArchive, TaskFilter
from theseus.stores.archive.rows import STATUSES, record_of
from theseus.stores.archive.schedules import SqlSchedules
from theseus.stores.archive.sessions import SqlSessions, close_empty, open_session, touch_session
from theseus.stores.archive.tables import EventTable, Table, TaskTable, UsageTable

NOT_KEPT = frozenset({"LLM_PARTIAL", "LLM_PROMPT"})
"""Events that only those who watch need."""

_FROM_START = ("tenant_id", "user_id", "session_id", "query", "context", "trigger", "schedule_id", "created_at")


class SqlArchive:
    """Implements the port `Archive`.

    Args:
        engine: of SQLAlchemy, asynchronous.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._database = Database(engine)
        self.sessions: SessionArchive = SqlSessions(self._database)
        self.schedules: ScheduleArchive = SqlSchedules(self._database)
        self.accounts: AccountArchive = SqlAccounts(self._database)

    async def prepare(self) -> None:
        """Brings the database to the shape of today; what is asked of the archive does so, too, where it was not done.

        Raises:
            ArchiveDownError: it is away.
            UnfitArchiveError: a newer Theseus has changed it.
        """
        await self._database.prepare()

    async def begin(self, record: TaskRecord) -> bool:
        """See the port."""
        async with self._transaction() as session:
            new = self._insert(TaskTable).values(_row(record)).on_conflict_do_nothing()
            made = await session.execute(new.returning(TaskTable.task_id))
            if made.scalar_one_or_none() is None:
                return False
            await open_session(session, self._database, record)
            return True

    async def withdraw(self, task_id: str) -> None:
        """See the port."""
        async with self._transaction() as session:
            gone = delete(TaskTable).where(TaskTable.task_id == task_id, TaskTable.status.is_(None))
            whose = (TaskTable.tenant_id, TaskTable.user_id, TaskTable.session_id)
            for tenant_id, user_id, session_id in await session.execute(gone.returning(*whose)):
                await close_empty(session, SessionKey(session_id=session_id, tenant_id=tenant_id, user_id=user_id))

    async def end(self, record: TaskRecord, events: Sequence[StoredEvent]) -> None:
        """See the port."""
        row = _row(record)
        changed = {name: value for name, value in row.items() if name not in ("task_id", *_FROM_START)}
        # of a run of a schedule, who noticed it may not have known the session yet
        changed["session_id"] = case((TaskTable.session_id == "", record.session_id), else_=TaskTable.session_id)
        async with self._transaction() as session:
            await touch_session(session, self._database, record)
            await session.execute(
                self._insert(TaskTable).values(row).on_conflict_do_update(index_elements=["task_id"], set_=changed)
            )
            for table, rows in ((UsageTable, _usage(record)), (EventTable, _events(record.task_id, events))):
                if rows:
                    await session.execute(self._insert(table).on_conflict_do_nothing(), rows)

    async def task(self, task_id: str) -> TaskRecord | None:
        """See the port."""
        async with self._transaction() as session:
            found = await session.get(TaskTable, task_id)
            return None if found is None else record_of(found)

    async def tasks(self, wanted: TaskFilter, page: Page) -> tuple[list[TaskRecord], int]:
        """See the port."""
        conditions = _conditions(wanted)
        newest = (TaskTable.created_at.desc(), TaskTable.task_id.desc())
        # what is passed over is passed over in the index: outcomes are large, and only those of the page are read
        ids = select(TaskTable.task_id).where(*conditions).order_by(*newest).limit(page.limit).offset(page.offset)
        rows = select(TaskTable).where(TaskTable.task_id.in_(ids)).order_by(*newest)
        async with self._transaction() as session:
            total = await session.scalar(select(func.count()).select_from(TaskTable).where(*conditions))
            return [record_of(row) for row in await session.scalars(rows)], total or 0

    async def unended(self, since: datetime, until: datetime, after: TaskRecord | None, most: int) -> list[TaskRecord]:
        """See the port."""
        place = (TaskTable.created_at, TaskTable.task_id)
        wanted = [TaskTable.status.is_(None), TaskTable.created_at >= since, TaskTable.created_at <= until]
        if after is not None:
            wanted.append(tuple_(*place) > tuple_(after.created_at, after.task_id))
        async with self._transaction() as session:
            found = await session.scalars(select(TaskTable).where(*wanted).order_by(*place).limit(most))
            return [record_of(row) for row in found]

    async def events(self, task_id: str, page: Page) -> ArchivedEvents:
        """See the port."""
        mine = EventTable.task_id == task_id
        rows = select(EventTable.body).where(mine).order_by(EventTable.place)
        async with self._transaction() as session:
            total = await session.scalar(select(func.count()).select_from(EventTable).where(mine))
            found = await session.scalars(rows.limit(page.limit).offset(page.offset))
            return ArchivedEvents(events=[StoredEvent.model_validate(body) for body in found], total=total or 0)

    @asynccontextmanager
    async def _transaction(self) -> AsyncGenerator[AsyncSession]:
        async with self._database.transaction() as session:
            yield session

    def _insert(self, table: type[Table]) -> Any:
        return self._database.insert(table)


def _conditions(wanted: TaskFilter) -> list[ColumnElement[bool]]:
    conditions = [TaskTable.tenant_id == wanted.tenant_id]
    if wanted.user_id is not None:
        conditions.append(TaskTable.user_id == wanted.user_id)
    if wanted.session_id is not None:
        conditions.append(TaskTable.session_id == wanted.session_id)
    if wanted.schedule_id is not None:
        conditions.append(TaskTable.schedule_id == wanted.schedule_id)
    if wanted.ended is Ended.OPEN:
        conditions.append(TaskTable.status.is_(None))
    elif wanted.ended is not None:
        conditions.append(TaskTable.status.in_(STATUSES[wanted.ended]))
    return conditions


def _row(record: TaskRecord) -> dict[str, Any]:
    ended = record.outcome
    return {
        **record.model_dump(exclude={"mode", "outcome", "context"}),
        "context": record.model_dump(mode="json", include={"context"})["context"],
        "mode": record.mode,
        "status": ended.status if ended is not None else None,
        "total_tokens": ended.usage.total_tokens if ended is not None else 0,
        "cost_microusd": ended.usage.cost_microusd if ended is not None else 0,
        "outcome": ended.model_dump(mode="json") if ended is not None else None,
    }


def _usage(record: TaskRecord) -> list[dict[str, Any]]:
    if record.outcome is None:
        return []
    known = record.outcome.metadata
    base = {"task_id": record.task_id}
    models = [
        {
            **base,
            "agent_id": "",
            "provider": use.provider,
            "model": use.model,
            "executions": use.executions,
            "total_tokens": use.tokens,
            "cost_microusd": use.cost_microusd,
        }
        for use in known.model_breakdown
    ]
    agents = {
        agent.agent_id: {
            **base,
            "agent_id": agent.agent_id,
            "provider": "",
            "model": "",
            "executions": agent.turns,
            "total_tokens": agent.usage.total_tokens,
            "cost_microusd": agent.usage.cost_microusd,
        }
        for agent in known.agents
    }
    return [*models, *agents.values()]


def _events(task_id: str, events: Sequence[StoredEvent]) -> list[dict[str, Any]]:
    kept = [stored for stored in events if stored.event.type not in NOT_KEPT]
    return [
        {
            "task_id": task_id,
            "place": stored.seq,
            "stream_id": stored.stream_id,
            "type": stored.event.type,
            "body": stored.model_dump(mode="json"),
        }
        for stored in kept
    ]
