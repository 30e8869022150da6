"""Accounts: users register, log in and stay logged in; keys are made, listed, renewed and revoked."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from theseus.contracts.accounts import SCOPES, KeyRecord, KeyWish, TokenRecord, UserRecord
from theseus.gateway.callers import Caller
from theseus.gateway.refusals import Refusal
from theseus.gateway.who.secrets import Passwords, digest, new_key, new_token, shown
from theseus.gateway.who.tokens import ACCESS, AccessTokens
from theseus.stores.archive.account_port import AccountArchive

REFRESH = timedelta(days=7)
MOST_KEYS = 100
"""Good keys that one user may have."""


@dataclass(frozen=True)
class LogIn:
    """What somebody gets who logs in; `expires_in` is of the access token, in seconds."""

    user: UserRecord
    access_token: str
    refresh_token: str
    expires_in: int


@dataclass(frozen=True)
class NewKey:
    """A key, the only time that it is seen, and what is kept of it."""

    secret: str
    record: KeyRecord


class Accounts:
    """Users and keys.

    Args:
        kept: where they are kept.
        tokens: None where no secret to sign them with is set; then nobody logs in, and keys alone open the gateway.
        is_open: whether anybody may register.
    """

    def __init__(self, kept: AccountArchive, tokens: AccessTokens | None, *, is_open: bool) -> None:
        self._kept = kept
        self._tokens = tokens
        self._is_open = is_open
        self._passwords = Passwords()

    async def register(self, email: str, password: str, name: str) -> LogIn:
        """Makes a user, who is the admin of a tenant of their own, and logs them in.

        Raises:
            Refusal: 403, nobody may, or no tokens can be made; 409, that address is taken.
        """
        self._signing()
        if not self._is_open:
            raise Refusal(
                403, "registration is off: whoever runs this gateway sets GATEWAY_REGISTRATION=1, or gives you a key"
            )
        user = UserRecord(
            user_id=f"user-{uuid.uuid4()}",
            tenant_id=f"tenant-{uuid.uuid4()}",
            email=email.lower(),
            name=name,
            password=await self._passwords.hashed(password),
            role="admin",
            created_at=datetime.now(UTC),
        )
        if not await self._kept.add_user(user):
            raise Refusal(409, "email: somebody has registered with it already")
        return await self._logged_in(user, uuid.uuid4().hex)

    async def log_in(self, email: str, password: str) -> LogIn:
        """Tokens for a user.

        Raises:
            Refusal: 401, no such user, or another password; which of them is not told.
        """
        self._signing()
        user = await self._kept.user_of(email.lower())
        if not await self._passwords.fits(password, user.password if user else None) or user is None:
            raise Refusal(401, "the e-mail address or the password is wrong")
        return await self._logged_in(user, uuid.uuid4().hex)

    async def refresh(self, token: str) -> LogIn:
        """New tokens for a refresh token, which is then used up. One that comes twice was stolen: its login ends.

        Raises:
            Refusal: 401.
        """
        self._signing()
        now = datetime.now(UTC)
        spent = await self._kept.spend_token(digest(token), now)
        if spent is not None and spent.used_at is not None:
            await self._kept.revoke_family(spent.family)
        if spent is None or spent.used_at is not None or spent.expires_at <= now:
            raise Refusal(401, "the refresh token is not, or no longer, good; log in again")
        user = await self._kept.user(spent.user_id)
        if user is None:
            raise Refusal(401, "the user is not there any more")
        return await self._logged_in(user, spent.family)

    async def user(self, caller: Caller) -> UserRecord | None:
        """Who calls, when they ever registered."""
        found = await self._kept.user(caller.user_id)
        return found if found is not None and found.tenant_id == caller.tenant_id else None

    async def new_key(self, caller: Caller, wish: KeyWish) -> NewKey:
        """Makes a key for the caller, which may do no more than the caller.

        Raises:
            Refusal: 400, a scope that is none; 403, one that the caller does not have; 409, too many keys.
        """
        unknown = [scope for scope in wish.scopes if scope not in SCOPES]
        if unknown:
            raise Refusal(400, f"scopes: {', '.join(unknown)}: there are {', '.join(SCOPES)}")
        if caller.scopes and not (wish.scopes and set(wish.scopes) <= caller.scopes):
            raise Refusal(403, f"scopes: a key gives no more than it has: {', '.join(sorted(caller.scopes))}")
        if wish.expires_at is not None and wish.expires_at <= datetime.now(UTC):
            raise Refusal(400, "expires_at: lies in the past")
        if wish.role == "admin" and not caller.is_admin:
            raise Refusal(403, "role: only an admin makes keys of an admin")
        secret = new_key()
        record = KeyRecord(
            key_id=f"key-{uuid.uuid4()}",
            tenant_id=caller.tenant_id,
            user_id=caller.user_id,
            name=wish.name,
            digest=digest(secret),
            shown=shown(secret),
            role=wish.role,
            scopes=wish.scopes,
            created_at=datetime.now(UTC),
            expires_at=wish.expires_at,
        )
        if not await self._kept.add_key(record, MOST_KEYS):
            raise Refusal(409, f"{MOST_KEYS} keys are the most that a user has; revoke some")
        return NewKey(secret, record)

    async def keys(self, caller: Caller) -> Sequence[KeyRecord]:
        """The caller's keys; all of the tenant for an admin."""
        return await self._kept.keys(caller.tenant_id, None if caller.is_admin else caller.user_id)

    async def renew_key(self, caller: Caller, key_id: str) -> NewKey:
        """Gives a key a new secret; the old one is shut.

        Raises:
            Refusal: 404, no good key of the caller has that id.
        """
        old = await self._own(caller, key_id)
        if not old.is_good(datetime.now(UTC)):
            raise Refusal(404, "API key not found")
        owner = Caller(old.user_id, old.tenant_id, caller.key_id, caller.is_admin, caller.scopes)
        new = await self.new_key(owner, _as(old))
        await self._kept.revoke_key(old.key_id, datetime.now(UTC))
        return new

    async def revoke_key(self, caller: Caller, key_id: str) -> KeyRecord:
        """Shuts a key; again, it changes nothing.

        Raises:
            Refusal: 404, none of the caller's has that id.
        """
        found = await self._own(caller, key_id)
        await self._kept.revoke_key(found.key_id, datetime.now(UTC))
        return found

    async def _own(self, caller: Caller, key_id: str) -> KeyRecord:
        found = await self._kept.key(key_id)
        if (
            found is None
            or found.tenant_id != caller.tenant_id
            or not (caller.is_admin or found.user_id == caller.user_id)
        ):
            raise Refusal(404, "API key not found")
        return found

    def _signing(self) -> AccessTokens:
        if self._tokens is None:
            raise Refusal(403, "nobody can log in: GATEWAY_JWT_SECRET is not set; use an API key")
        return self._tokens

    async def _logged_in(self, user: UserRecord, family: str) -> LogIn:
        token = new_token()
        until = datetime.now(UTC) + REFRESH
        await self._kept.add_token(
            TokenRecord(digest=digest(token), family=family, user_id=user.user_id, expires_at=until)
        )
        return LogIn(user, self._signing().made(user), token, int(ACCESS.total_seconds()))


def _as(old: KeyRecord) -> KeyWish:
    return KeyWish(name=old.name, scopes=old.scopes, expires_at=old.expires_at, role=old.role)
