"""Sessions in the archive. A session is there from its first task on; what it shows is summed over its tasks."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from theseus.contracts.archive import SessionRecord, TaskRecord
from theseus.contracts.events import StoredEvent
from theseus.contracts.session import SessionKey
from theseus.contracts.task import Mode
from theseus.stores.archive.database import Database
from theseus.stores.archive.port import Ended, Page, SessionDeletedError
from theseus.stores.archive.rows import STATUSES, record_of
from theseus.stores.archive.session_tables import SessionTable
from theseus.stores.archive.tables import EventTable, TaskTable


async def open_session(session: AsyncSession, database: Database, record: TaskRecord) -> None:
    """Makes the session of a task that begins, in the task's own transaction.

    Raises:
        SessionDeletedError: it was deleted.
    """
    if await touch_session(session, database, record) is not None:
        raise SessionDeletedError(f"session {record.session_id} was deleted")


async def touch_session(session: AsyncSession, database: Database, record: TaskRecord) -> datetime | None:
    """Notes that the session of a task was used, a deleted one too; gives when it was deleted."""
    if not record.session_id:
        return None
    used = record.completed_at or record.created_at
    new = database.insert(SessionTable).values(
        **{name: getattr(record, name) for name in ("tenant_id", "user_id", "session_id", "created_at")},
        title="",
        updated_at=used,
    )
    later = case((SessionTable.updated_at < used, used), else_=SessionTable.updated_at)
    touched = new.on_conflict_do_update(
        index_elements=["tenant_id", "user_id", "session_id"], set_={"updated_at": later}
    )
    deleted_at: datetime | None = await session.scalar(touched.returning(SessionTable.deleted_at))
    return deleted_at


async def close_empty(session: AsyncSession, key: SessionKey) -> None:
    """Forgets a session that has no tasks, as its only one did not start after all."""
    tasks = exists().where(*_tasks_of(key.tenant_id, key.user_id, [key.session_id]))
    await session.execute(delete(SessionTable).where(*_is(key), ~tasks))


class SqlSessions:
    """Implements the port `SessionArchive`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, tenant_id: str, user_id: str, page: Page) -> tuple[list[SessionRecord], int]:
        """See the port."""
        theirs = (SessionTable.tenant_id == tenant_id, SessionTable.user_id == user_id)
        wanted = (*theirs, SessionTable.deleted_at.is_(None))
        last_used = (SessionTable.updated_at.desc(), SessionTable.session_id)
        rows = select(SessionTable).where(*wanted).order_by(*last_used).limit(page.limit).offset(page.offset)
        async with self._database.transaction() as session:
            total = await session.scalar(select(func.count()).select_from(SessionTable).where(*wanted))
            found = list(await session.scalars(rows))
            return await _summed(session, found), total or 0

    async def get(self, key: SessionKey) -> SessionRecord | None:
        """See the port."""
        async with self._database.transaction() as session:
            row = await session.get(SessionTable, (key.tenant_id, key.user_id, key.session_id))
            return (await _summed(session, [row]))[0] if row is not None else None

    async def rename(self, key: SessionKey, title: str) -> None:
        """See the port."""
        async with self._database.transaction() as session:
            await session.execute(update(SessionTable).where(*_is(key)).values(title=title))

    async def delete(self, key: SessionKey, at: datetime) -> None:
        """See the port."""
        left = (*_is(key), SessionTable.deleted_at.is_(None))
        async with self._database.transaction() as session:
            await session.execute(update(SessionTable).where(*left).values(deleted_at=at))

    async def turns(self, key: SessionKey, page: Page) -> tuple[list[TaskRecord], int]:
        """See the port."""
        mine = _tasks_of(key.tenant_id, key.user_id, [key.session_id])
        oldest = (TaskTable.created_at, TaskTable.task_id)
        rows = select(TaskTable).where(*mine).order_by(*oldest).limit(page.limit).offset(page.offset)
        async with self._database.transaction() as session:
            total = await session.scalar(select(func.count()).select_from(TaskTable).where(*mine))
            return [record_of(row) for row in await session.scalars(rows)], total or 0

    async def events(self, task_ids: Sequence[str], most: int) -> Mapping[str, list[StoredEvent]] | None:
        """See the port."""
        theirs = EventTable.task_id.in_(task_ids)
        rows = select(EventTable.task_id, EventTable.body).where(theirs).order_by(EventTable.task_id, EventTable.place)
        told: dict[str, list[StoredEvent]] = {task_id: [] for task_id in task_ids}
        async with self._database.transaction() as session:
            found = (await session.execute(rows.limit(most + 1))).all()
        if len(found) > most:
            return None
        for task_id, body in found:
            told[task_id].append(StoredEvent.model_validate(body))
        return told


def _is(key: SessionKey) -> tuple[ColumnElement[bool], ...]:
    return (
        SessionTable.tenant_id == key.tenant_id,
        SessionTable.user_id == key.user_id,
        SessionTable.session_id == key.session_id,
    )


def _tasks_of(tenant_id: str, user_id: str, session_ids: Sequence[str]) -> tuple[ColumnElement[bool], ...]:
    return (
        TaskTable.tenant_id == tenant_id,
        TaskTable.user_id == user_id,
        TaskTable.session_id.in_(session_ids),
    )


def count_of(ends: Iterable[Ended]) -> ColumnElement[int]:
    """How many tasks ended so."""
    statuses = [status for end in ends for status in STATUSES[end]]
    return func.coalesce(func.sum(case((TaskTable.status.in_(statuses), 1), else_=0)), 0)


async def _summed(session: AsyncSession, rows: Sequence[SessionTable]) -> list[SessionRecord]:
    """Sessions of one user with their sums."""
    if not rows:
        return []
    tasks = _tasks_of(rows[0].tenant_id, rows[0].user_id, [row.session_id for row in rows])
    sums = select(
        TaskTable.session_id,
        func.count().label("tasks"),
        count_of([Ended.ANSWERED]).label("answered"),
        count_of([Ended.FAILED, Ended.TIMED_OUT]).label("failed"),
        func.sum(TaskTable.total_tokens).label("total_tokens"),
        func.sum(TaskTable.cost_microusd).label("cost_microusd"),
        func.max(case((TaskTable.mode == Mode.RESEARCH, 1), else_=0)).label("is_research"),
    )
    found: dict[str, dict[str, Any]] = {row.session_id: {} for row in rows}
    for summed in (await session.execute(sums.where(*tasks).group_by(TaskTable.session_id))).mappings():
        found[summed["session_id"]] |= dict(summed)
    for ended in (await session.execute(_ends(tasks))).mappings():
        found[ended["session_id"]] |= _first_or_latest(ended)
    own = ("session_id", "tenant_id", "user_id", "title", "created_at", "updated_at", "deleted_at")
    return [
        SessionRecord.model_validate({name: getattr(row, name) for name in own} | found[row.session_id]) for row in rows
    ]


def _ends(tasks: Sequence[ColumnElement[bool]]) -> Any:
    """The first and the last task of each session."""
    columns = (TaskTable.session_id, TaskTable.task_id, TaskTable.query, TaskTable.mode, TaskTable.status)
    first = _numbered(TaskTable.created_at, TaskTable.task_id).label("first")
    last = _numbered(TaskTable.created_at.desc(), TaskTable.task_id.desc()).label("last")
    ranked = select(*columns, first, last).where(*tasks).subquery()
    return select(ranked).where((ranked.c.first == 1) | (ranked.c.last == 1))


def _numbered(*order: Any) -> ColumnElement[int]:
    return func.row_number().over(partition_by=TaskTable.session_id, order_by=order)


def _first_or_latest(task: Mapping[Any, Any]) -> dict[str, Any]:
    latest = {"latest_task_id": task["task_id"], "latest_query": task["query"], "latest_status": task["status"]}
    return ({"first_mode": task["mode"]} if task["first"] == 1 else {}) | (latest if task["last"] == 1 else {})
