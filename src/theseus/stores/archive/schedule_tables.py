"""The table of schedules."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from theseus.stores.archive.tables import Document, Id, Moment, Table


class ScheduleTable(Table):
    """One row a schedule. What runs, Temporal knows; this says whose it is, and is brought up to what Temporal says."""

    __tablename__ = "schedules"
    __table_args__ = (
        Index(None, "tenant_id", "user_id", "created_at", "schedule_id"),
        Index(None, "tenant_id", "created_at", "schedule_id"),
    )

    schedule_id: Mapped[str] = mapped_column(Id, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Id)
    user_id: Mapped[str] = mapped_column(Id)
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str] = mapped_column(Text)
    cron_expression: Mapped[str] = mapped_column(String(128))
    timezone: Mapped[str] = mapped_column(String(64))
    task_query: Mapped[str] = mapped_column(Text)
    task_context: Mapped[dict[str, Any]] = mapped_column(Document)
    budget_microusd: Mapped[int] = mapped_column(BigInteger)
    timeout_seconds: Mapped[int]
    overlap: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)
    paused_at: Mapped[datetime | None] = mapped_column(Moment)
    pause_reason: Mapped[str] = mapped_column(Text)
    deleted_at: Mapped[datetime | None] = mapped_column(Moment)
