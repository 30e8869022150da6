"""The table of sessions."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from theseus.stores.archive.tables import Id, Moment, Table


class SessionTable(Table):
    """One row a session of a user, made with its first task; `updated_at` is when its last task began or ended."""

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "tenant_id", "user_id", "updated_at", "session_id"),)

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    user_id: Mapped[str] = mapped_column(Id, primary_key=True)
    session_id: Mapped[str] = mapped_column(Id, primary_key=True)
    title: Mapped[str] = mapped_column(String(60), default="")
    created_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)
    deleted_at: Mapped[datetime | None] = mapped_column(Moment)
