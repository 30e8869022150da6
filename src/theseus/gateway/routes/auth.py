"""/api/v1/auth: register, log in, stay logged in; one's own keys."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import AwareDatetime, Field, StringConstraints

from theseus.contracts.accounts import KeyWish, RoleOfUser
from theseus.gateway.backend import Backend, Behind
from theseus.gateway.bodies import Body, body_of, described
from theseus.gateway.callers import Caller, Calling
from theseus.gateway.limits import refused
from theseus.gateway.refusals import Refusal
from theseus.gateway.wire.auth import KeyAnswer, KeysAnswer, NewKeyAnswer, RevokedAnswer, TokensAnswer, UserAnswer

router = APIRouter(prefix="/api/v1/auth", tags=["auth"])

KeyId = Annotated[str, Path(max_length=128, pattern=r"^[A-Za-z0-9_.:@+-]+$")]
Email = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=254, pattern=r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+$")
]
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]*$")
]


class Registration(Body):
    """POST /api/v1/auth/register."""

    email: Email
    password: str = Field(min_length=10, max_length=200)
    username: Name | None = None
    full_name: Name | None = None


class Entry(Body):
    """POST /api/v1/auth/login."""

    email: Email
    password: str = Field(max_length=200)


class Renewal(Body):
    """POST /api/v1/auth/refresh."""

    refresh_token: str = Field(max_length=2000)


class KeyBody(Body):
    """POST /api/v1/auth/api-keys."""

    name: Name
    scopes: list[str] = Field(default=[], max_length=20)
    expires_at: AwareDatetime | None = None
    role: RoleOfUser = "user"


class KeyRenewal(Body):
    """POST /api/v1/auth/api-keys/refresh; without an id, the key of the request itself."""

    id: str | None = Field(default=None, max_length=128)


@router.post("/register", status_code=201, openapi_extra=described(Registration))
async def register(request: Request, backend: Behind) -> TokensAnswer:
    """Makes a user in a tenant of their own, and logs them in."""
    asks = await body_of(request, Registration)
    await _slowly(backend, f"register:{request.client.host if request.client else ''}")
    name = asks.full_name or asks.username or asks.email.partition("@")[0]
    return TokensAnswer.of(await backend.accounts.register(asks.email, asks.password, name))


@router.post("/login", openapi_extra=described(Entry))
async def log_in(request: Request, backend: Behind) -> TokensAnswer:
    """Tokens for an e-mail address and a password."""
    asks = await body_of(request, Entry)
    await _slowly(backend, f"login:{asks.email.lower()}")
    return TokensAnswer.of(await backend.accounts.log_in(asks.email, asks.password))


@router.post("/refresh", openapi_extra=described(Renewal))
async def refresh(request: Request, backend: Behind) -> TokensAnswer:
    """New tokens for a refresh token, which is then used up."""
    asks = await body_of(request, Renewal)
    return TokensAnswer.of(await backend.accounts.refresh(asks.refresh_token))


@router.get("/me", response_model_exclude_none=True)
async def me(backend: Behind, caller: Calling) -> UserAnswer:
    """Who calls."""
    return UserAnswer.of(caller, await backend.accounts.user(caller))


@router.get("/api-keys", response_model_exclude_none=True)
async def keys(backend: Behind, caller: Calling) -> KeysAnswer:
    """The caller's keys; an admin's tenant's."""
    caller.require("keys:read")
    now = datetime.now(UTC)
    return KeysAnswer(api_keys=[KeyAnswer.of(each, now) for each in await backend.accounts.keys(caller)])


@router.post("/api-keys", status_code=201, response_model_exclude_none=True, openapi_extra=described(KeyBody))
async def new_key(request: Request, backend: Behind, caller: Calling) -> NewKeyAnswer:
    """Makes a key, and tells it this once."""
    caller.require("keys:write")
    asks = await body_of(request, KeyBody)
    wish = KeyWish(name=asks.name, scopes=tuple(asks.scopes), expires_at=asks.expires_at, role=asks.role)
    return NewKeyAnswer.made(await backend.accounts.new_key(caller, wish), datetime.now(UTC))


@router.post("/api-keys/refresh", response_model_exclude_none=True, openapi_extra=described(KeyRenewal))
async def renew_key(request: Request, backend: Behind, caller: Calling) -> NewKeyAnswer:
    """Gives a key a new secret; the old one opens nothing any more."""
    return await _renewed(request, backend, caller)


@router.post("/refresh-key", response_model_exclude_none=True, include_in_schema=False)
async def renew_own_key(request: Request, backend: Behind, caller: Calling) -> NewKeyAnswer:
    """The same, by an older name."""
    return await _renewed(request, backend, caller)


@router.delete("/api-keys/{key_id}")
async def revoke_key(key_id: KeyId, backend: Behind, caller: Calling) -> RevokedAnswer:
    """Shuts a key."""
    caller.require("keys:write")
    await backend.accounts.revoke_key(caller, key_id)
    return RevokedAnswer()


async def _slowly(backend: Backend, what: str) -> None:
    """Lets nobody guess passwords, or make users, as fast as they can send."""
    allowance = await backend.attempts.drawn(what)
    if allowance is not None and not allowance.is_admitted:
        raise refused(allowance)


async def _renewed(request: Request, backend: Backend, caller: Caller) -> NewKeyAnswer:
    asks = await body_of(request, KeyRenewal)
    if asks.id is None and not caller.key_id.startswith("key-"):
        raise Refusal(400, "id: which key? the request itself came without one")
    if asks.id is not None and asks.id != caller.key_id:
        caller.require("keys:write")
    return NewKeyAnswer.made(await backend.accounts.renew_key(caller, asks.id or caller.key_id), datetime.now(UTC))
