"""The port of accounts: users, API keys, refresh tokens. Secrets come in as hashes only."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from theseus.contracts.accounts import KeyRecord, TokenRecord, UserRecord


class AccountArchive(Protocol):
    """Who may use the gateway. Every method raises ArchiveDownError when the database is away."""

    async def add_user(self, user: UserRecord) -> bool:
        """Keeps a new user; False, and nothing is kept, when somebody has that e-mail address."""
        ...

    async def user(self, user_id: str) -> UserRecord | None:
        """One user."""
        ...

    async def user_of(self, email: str) -> UserRecord | None:
        """The user with that e-mail address, in lower case."""
        ...

    async def add_key(self, key: KeyRecord, most: int) -> bool:
        """Keeps a new key; False, and nothing is kept, when its user has `most` good ones already."""
        ...

    async def key(self, key_id: str) -> KeyRecord | None:
        """One key, by its id."""
        ...

    async def key_of(self, digest: str) -> KeyRecord | None:
        """One key, by its hash."""
        ...

    async def keys(self, tenant_id: str | None = None, user_id: str | None = None) -> Sequence[KeyRecord]:
        """Keys of a user, of a tenant, or all; the newest first."""
        ...

    async def revoke_key(self, key_id: str, at: datetime) -> None:
        """Shuts a key; the first time stays."""
        ...

    async def touch_key(self, key_id: str, at: datetime) -> None:
        """Notes that a key was used."""
        ...

    async def add_token(self, token: TokenRecord) -> None:
        """Keeps a refresh token, and forgets those that are over."""
        ...

    async def spend_token(self, digest: str, at: datetime) -> TokenRecord | None:
        """Marks a token as used and gives it as it was before; None when there is none of that hash."""
        ...

    async def revoke_family(self, family: str) -> None:
        """Forgets all tokens of one login."""
        ...
