"""The tables of users, API keys and refresh tokens."""

from datetime import datetime

from sqlalchemy import JSON, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from theseus.stores.archive.tables import Id, Moment, Table

Digest = String(64)


class UserTable(Table):
    """One row a user."""

    __tablename__ = "users"

    user_id: Mapped[str] = mapped_column(Id, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Id)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    password: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(Moment)


class KeyTable(Table):
    """One row an API key; the key itself is nowhere."""

    __tablename__ = "api_keys"
    __table_args__ = (Index(None, "tenant_id", "user_id", "created_at"),)

    key_id: Mapped[str] = mapped_column(Id, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Id)
    user_id: Mapped[str] = mapped_column(Id)
    name: Mapped[str] = mapped_column(String(100))
    digest: Mapped[str] = mapped_column(Digest, unique=True)
    shown: Mapped[str] = mapped_column(String(32))
    role: Mapped[str] = mapped_column(String(16))
    scopes: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)
    last_used_at: Mapped[datetime | None] = mapped_column(Moment)


class TokenTable(Table):
    """One row a refresh token; the token itself is nowhere."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (Index(None, "family"), Index(None, "expires_at"))

    digest: Mapped[str] = mapped_column(Digest, primary_key=True)
    family: Mapped[str] = mapped_column(Id)
    user_id: Mapped[str] = mapped_column(Id)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)
