"""Schedules in the archive, and the sums of their runs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update

from theseus.contracts.archive import RunSums
from theseus.contracts.schedule import ScheduleDefinition, ScheduleRecord
from theseus.stores.archive.database import Database
from theseus.stores.archive.port import Ended, Page
from theseus.stores.archive.schedule_tables import ScheduleTable
from theseus.stores.archive.sessions import count_of
from theseus.stores.archive.tables import TaskTable


class _FullError(Exception):
    """The user has as many schedules as may be."""


class SqlSchedules:
    """Implements the port `ScheduleArchive`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, record: ScheduleRecord, most: int) -> bool:
        """See the port."""
        theirs = _of(record.tenant_id, record.user_id)
        try:
            async with self._database.transaction() as session:
                # so that two at once cannot both be the last
                await self._database.one_at_a_time(session, f"schedules {record.tenant_id} {record.user_id}")
                await session.execute(self._database.insert(ScheduleTable).values(_row(record)))
                count = await session.scalar(select(func.count()).select_from(ScheduleTable).where(*theirs))
                if (count or 0) > most:
                    raise _FullError
        except _FullError:
            return False
        return True

    async def define(self, record: ScheduleRecord) -> None:
        """See the port."""
        own = set(ScheduleRecord.model_fields) - {"updated_at"}
        changed = {name: value for name, value in _row(record).items() if name not in own}
        await self._change(record.schedule_id, **changed)

    async def hold(self, schedule_id: str, at: datetime | None, reason: str) -> None:
        """See the port."""
        await self._change(schedule_id, paused_at=at, pause_reason=reason)

    async def delete(self, schedule_id: str, at: datetime) -> None:
        """See the port."""
        await self._change(schedule_id, ScheduleTable.deleted_at.is_(None), deleted_at=at)

    async def withdraw(self, schedule_id: str) -> None:
        """See the port."""
        async with self._database.transaction() as session:
            await session.execute(delete(ScheduleTable).where(ScheduleTable.schedule_id == schedule_id))

    async def get(self, schedule_id: str) -> ScheduleRecord | None:
        """See the port."""
        async with self._database.transaction() as session:
            found = await session.get(ScheduleTable, schedule_id)
            return _record(found) if found is not None else None

    async def page(
        self, tenant_id: str, user_id: str | None, *, is_paused: bool | None, page: Page
    ) -> tuple[list[ScheduleRecord], int]:
        """See the port."""
        wanted = _of(tenant_id, user_id)
        if is_paused is not None:
            wanted.append(ScheduleTable.paused_at.is_not(None) if is_paused else ScheduleTable.paused_at.is_(None))
        newest = (ScheduleTable.created_at.desc(), ScheduleTable.schedule_id)
        rows = select(ScheduleTable).where(*wanted).order_by(*newest).limit(page.limit).offset(page.offset)
        async with self._database.transaction() as session:
            total = await session.scalar(select(func.count()).select_from(ScheduleTable).where(*wanted))
            return [_record(row) for row in await session.scalars(rows)], total or 0

    async def sums(self, schedule_ids: Sequence[str]) -> Mapping[str, RunSums]:
        """See the port."""
        rows = select(
            TaskTable.schedule_id,
            func.count().label("runs"),
            count_of([Ended.ANSWERED]).label("answered"),
            count_of([Ended.FAILED, Ended.TIMED_OUT, Ended.CANCELLED]).label("failed"),
            func.max(TaskTable.created_at).label("last_at"),
        )
        mine = rows.where(TaskTable.schedule_id.in_(schedule_ids)).group_by(TaskTable.schedule_id)
        async with self._database.transaction() as session:
            found = (await session.execute(mine)).mappings()
            return {row["schedule_id"]: RunSums.model_validate(dict(row)) for row in found}

    async def _change(self, schedule_id: str, *conditions: ColumnElement[bool], **values: Any) -> None:
        this = update(ScheduleTable).where(ScheduleTable.schedule_id == schedule_id, *conditions)
        async with self._database.transaction() as session:
            await session.execute(this.values(values))


def _of(tenant_id: str, user_id: str | None) -> list[ColumnElement[bool]]:
    conditions = [ScheduleTable.tenant_id == tenant_id, ScheduleTable.deleted_at.is_(None)]
    return [*conditions, ScheduleTable.user_id == user_id] if user_id is not None else conditions


def _row(record: ScheduleRecord) -> dict[str, Any]:
    return {
        **record.model_dump(exclude={"definition"}),
        **record.definition.model_dump(),
        "task_context": record.definition.model_dump(mode="json")["task_context"],
    }


def _record(row: ScheduleTable) -> ScheduleRecord:
    own = {name: getattr(row, name) for name in ScheduleRecord.model_fields if name != "definition"}
    defined = {name: getattr(row, name) for name in ScheduleDefinition.model_fields}
    return ScheduleRecord.model_validate(own | {"definition": defined})
