"""The tables of the archive. Migrations (`migrations/`) bring a database to this shape."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Index, MetaData, String, TypeDecorator, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from theseus.stores.archive.kept_text import Words

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
}


class Moment(TypeDecorator[datetime]):
    """An aware time, in UTC; SQLite itself keeps no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database: UTC, without the zone where the database has none."""
        if value is None:
            return None
        utc = value.astimezone(UTC)
        return utc if dialect.name == "postgresql" else utc.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database: aware."""
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo is not None else value.replace(tzinfo=UTC)


Document = JSON().with_variant(JSONB(), "postgresql")
Id = String(128)
_OPEN = text("status is null")


class Table(DeclarativeBase):
    """Base of all tables."""

    metadata = MetaData(naming_convention=_NAMES)


class TaskTable(Table):
    """One row a task. What lists show and are filtered by has columns of its own; `outcome` is the whole TaskResult."""

    __tablename__ = "tasks"
    __table_args__ = (
        Index(None, "tenant_id", "user_id", "created_at", "task_id", "status"),
        Index(None, "tenant_id", "created_at", "task_id", "status"),
        Index(None, "session_id", "created_at"),
        Index(None, "schedule_id", "created_at"),
        Index("ix_tasks_open", "created_at", "task_id", sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    task_id: Mapped[str] = mapped_column(Id, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Id)
    user_id: Mapped[str] = mapped_column(Id)
    session_id: Mapped[str] = mapped_column(Id)
    query: Mapped[str] = mapped_column(Words)
    context: Mapped[dict[str, Any]] = mapped_column(Document)
    mode: Mapped[str | None] = mapped_column(String(16))
    trigger: Mapped[str] = mapped_column(String(16))
    schedule_id: Mapped[str | None] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(Moment)
    completed_at: Mapped[datetime | None] = mapped_column(Moment)
    status: Mapped[str | None] = mapped_column(String(24), doc="TaskStatus; null while the end is not known")
    total_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    cost_microusd: Mapped[int] = mapped_column(BigInteger, default=0)
    outcome: Mapped[dict[str, Any] | None] = mapped_column(Document)


class UsageTable(Table):
    """What one model cost one task, and what one agent did: a row each, `agent_id` or `model` empty."""

    __tablename__ = "token_usage"

    task_id: Mapped[str] = mapped_column(Id, primary_key=True)
    agent_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    provider: Mapped[str] = mapped_column(String(64), primary_key=True)
    model: Mapped[str] = mapped_column(String(200), primary_key=True)
    executions: Mapped[int]
    total_tokens: Mapped[int] = mapped_column(BigInteger)
    cost_microusd: Mapped[int] = mapped_column(BigInteger)


class EventTable(Table):
    """One row an event, token deltas left out; `place` counts from 1 in the stream's order."""

    __tablename__ = "events"

    task_id: Mapped[str] = mapped_column(Id, primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    stream_id: Mapped[str] = mapped_column(String(64))
    type: Mapped[str] = mapped_column(String(64))
    body: Mapped[dict[str, Any]] = mapped_column(Document)
