"""Who calls: the tenant, the user and what they may do. Every route asks for a `Caller`; health alone does not."""

from dataclasses import dataclass, field
from typing import Annotated, Protocol

from fastapi import Depends
from fastapi.openapi.models import APIKey, HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection

from theseus.gateway.limits import RequestLimit, refused
from theseus.gateway.refusals import Refusal

OPEN_TENANT = ""
"""No tenant, as tasks have it that name none."""
OPEN_USER = "dev"


@dataclass(frozen=True)
class Caller:
    """A user of a tenant; `key_id` is what requests are counted by, empty where they are not; scopes are words such as `tasks:write`."""

    user_id: str
    tenant_id: str
    key_id: str
    is_admin: bool = False
    scopes: frozenset[str] = field(default_factory=frozenset[str])

    def require(self, scope: str) -> None:
        """Refuses a caller whose key does not carry the scope; a key without any scope may do all.

        Raises:
            Refusal: 403.
        """
        if self.scopes and scope not in self.scopes:
            raise Refusal(403, f"this key may not do that: it has no scope {scope}")


class Authenticator(Protocol):
    """Tells who calls, from the headers of a request or a WebSocket."""

    async def caller(self, connection: HTTPConnection) -> Caller:
        """The caller.

        Raises:
            Refusal: 401, no credentials or none that are known.
        """
        ...


class Everybody:
    """Authentication is off (`GATEWAY_SKIP_AUTH=1`): whoever calls is the same user, whatever key they send."""

    async def caller(self, connection: HTTPConnection) -> Caller:
        """The one user."""
        del connection
        return Caller(user_id=OPEN_USER, tenant_id=OPEN_TENANT, key_id="", is_admin=True)


async def authenticated(connection: HTTPConnection) -> Caller:
    """Who calls; asked, and counted, once a request.

    Raises:
        Refusal: 401; 429, the key has made too many requests.
    """
    known: Caller | None = getattr(connection.state, "caller", None)
    if known is not None:
        return known
    authenticator: Authenticator = connection.app.state.backend.authenticator
    caller = await authenticator.caller(connection)
    limit: RequestLimit = connection.app.state.backend.limit
    allowance = await limit.drawn(caller.key_id)
    connection.state.allowance = allowance
    if allowance is not None and not allowance.is_admitted:
        raise refused(allowance)
    connection.state.caller = caller
    return caller


class _Way(SecurityBase):
    """How a key may come, for the API's document; whether it is one, the authenticator says."""

    def __init__(self, scheme_name: str, model: APIKey | HTTPBearer) -> None:
        self.scheme_name = scheme_name
        self.model = model

    async def __call__(self) -> None:
        """Nothing is asked here."""


_WORDS = "An API key, `sk_...`{}. Where authentication is off (`GATEWAY_SKIP_AUTH`), none is needed."
HEADER = _Way(
    "X-API-Key", APIKey.model_validate({"in": "header", "name": "X-API-Key", "description": _WORDS.format("")})
)
BEARER = _Way("Bearer", HTTPBearer(description=_WORDS.format(", or the access token of a login")))
QUERY = _Way(
    "api_key", APIKey.model_validate({"in": "query", "name": "api_key", "description": _WORDS.format("; streams only")})
)
"""For streams alone: a browser's `EventSource` sends no headers."""


async def _asking(
    connection: HTTPConnection, _header: Annotated[None, Depends(HEADER)], _bearer: Annotated[None, Depends(BEARER)]
) -> Caller:
    return await authenticated(connection)


Calling = Annotated[Caller, Depends(_asking)]
"""The parameter by which a route learns who calls it, and by which nobody without a key reaches it."""
