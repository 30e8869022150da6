"""Who may use the gateway: users, their API keys, the tokens by which a login goes on. Inner contract."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from theseus.contracts.task import Id

RoleOfUser = Literal["admin", "user"]
"""An admin sees and steers all tasks of the tenant, a user their own."""

SCOPES = (
    *("tasks:read", "tasks:write", "sessions:read", "sessions:write"),
    *("schedules:read", "schedules:write", "keys:read", "keys:write"),
)
"""What an API key may be limited to; one without scopes may do all that its user may."""


class UserRecord(BaseModel):
    """Somebody who logs in; `password` is an Argon2 hash."""

    model_config = ConfigDict(frozen=True)

    user_id: Id
    tenant_id: Id
    email: str
    name: str
    password: str
    role: RoleOfUser = "user"
    created_at: datetime


class KeyRecord(BaseModel):
    """An API key: its hash, and enough of it for people to know it again; `user_id` owns what it starts."""

    model_config = ConfigDict(frozen=True)

    key_id: Id
    tenant_id: str
    user_id: Id
    name: str
    digest: str
    shown: str
    role: RoleOfUser = "user"
    scopes: tuple[str, ...] = ()
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def is_good(self, now: datetime) -> bool:
        """Whether it still opens anything."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class KeyWish(BaseModel):
    """What a new key is to be."""

    model_config = ConfigDict(frozen=True)

    name: str
    scopes: tuple[str, ...] = ()
    expires_at: datetime | None = None
    role: RoleOfUser = "user"


class TokenRecord(BaseModel):
    """A refresh token, by its hash; each is good for one use, and all that came of one login are a family."""

    model_config = ConfigDict(frozen=True)

    digest: str
    family: str
    user_id: Id
    expires_at: datetime
    used_at: datetime | None = None
