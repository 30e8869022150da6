"""Answers about users and keys."""

from datetime import datetime

from pydantic import BaseModel

from theseus.contracts.accounts import KeyRecord, UserRecord
from theseus.gateway.callers import Caller
from theseus.gateway.who.accounts import LogIn, NewKey


class UserAnswer(BaseModel):
    """Somebody; `email` and `name` are of those who registered."""

    user_id: str
    tenant_id: str
    role: str
    scopes: list[str]
    email: str | None = None
    name: str | None = None
    username: str | None = None
    created_at: datetime | None = None

    @classmethod
    def of(cls, caller: Caller, user: UserRecord | None) -> "UserAnswer":
        """From who calls, and what is known of them."""
        return cls(
            user_id=caller.user_id,
            tenant_id=caller.tenant_id,
            role="admin" if caller.is_admin else "user",
            scopes=sorted(caller.scopes),
            email=user.email if user else None,
            name=user.name if user else None,
            username=user.name if user else None,
            created_at=user.created_at if user else None,
        )


class TokensAnswer(BaseModel):
    """A login: the access token is good for `expires_in` seconds, the refresh token for one use."""

    user_id: str
    tenant_id: str
    access_token: str
    refresh_token: str
    token_type: str = "Bearer"
    expires_in: int

    @classmethod
    def of(cls, made: LogIn) -> "TokensAnswer":
        """From a login."""
        return cls(
            user_id=made.user.user_id,
            tenant_id=made.user.tenant_id,
            access_token=made.access_token,
            refresh_token=made.refresh_token,
            expires_in=made.expires_in,
        )


class KeyAnswer(BaseModel):
    """What is known of a key; `key_prefix` is how it begins."""

    id: str
    name: str
    key_prefix: str
    user_id: str
    role: str
    scopes: list[str]
    is_active: bool
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    @classmethod
    def of(cls, record: KeyRecord, now: datetime) -> "KeyAnswer":
        """From the archive's."""
        shared = ("name", "user_id", "role", "created_at", "expires_at", "revoked_at", "last_used_at")
        return cls(
            **{name: getattr(record, name) for name in shared},
            id=record.key_id,
            key_prefix=record.shown,
            scopes=list(record.scopes),
            is_active=record.is_good(now),
        )


class KeysAnswer(BaseModel):
    """Keys, the newest first."""

    api_keys: list[KeyAnswer]


class NewKeyAnswer(KeyAnswer):
    """A key, the only time that it is told."""

    key: str
    api_key: str

    @classmethod
    def made(cls, new: NewKey, now: datetime) -> "NewKeyAnswer":
        """From a key just made."""
        return cls(**KeyAnswer.of(new.record, now).model_dump(), key=new.secret, api_key=new.secret)


class RevokedAnswer(BaseModel):
    """A key that opens nothing any more."""

    success: bool = True
    message: str = "API key revoked"
