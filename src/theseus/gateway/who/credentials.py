"""The authenticator of a gateway that asks who calls: API keys and access tokens."""

import re
from datetime import UTC, datetime, timedelta

from starlette.requests import HTTPConnection

from theseus.gateway.callers import Caller
from theseus.gateway.refusals import Refusal
from theseus.gateway.who.secrets import KEY_PREFIX, digest
from theseus.gateway.who.tokens import AccessTokens
from theseus.stores.archive.account_port import AccountArchive

NOTED_EVERY = timedelta(minutes=1)
_STREAMS = re.compile(r"/api/v1/(stream/[a-z]+|tasks/[^/]+/stream)")
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="theseus"'}


class Credentials:
    """Knows callers by `X-API-Key`, by `Authorization: Bearer` with a key or an access token, and streams by `?api_key=`.

    Args:
        kept: where keys are kept.
        tokens: reads access tokens; None where there are none.
    """

    def __init__(self, kept: AccountArchive, tokens: AccessTokens | None) -> None:
        self._kept = kept
        self._tokens = tokens

    async def caller(self, connection: HTTPConnection) -> Caller:
        """See `Authenticator.caller`."""
        secret = _secret(connection)
        caller = await self.known(secret) if secret else None
        if caller is None:
            raise Refusal(401, "Unauthorized", _CHALLENGE)
        return caller

    async def known(self, secret: str) -> Caller | None:
        """Whose secret it is; None when it is nobody's, or no longer good."""
        if not secret.startswith(KEY_PREFIX):
            return self._tokens.caller(secret) if self._tokens is not None else None
        key, now = await self._kept.key_of(digest(secret)), datetime.now(UTC)
        if key is None or not key.is_good(now):
            return None
        if key.last_used_at is None or now - key.last_used_at > NOTED_EVERY:
            await self._kept.touch_key(key.key_id, now)
        return Caller(key.user_id, key.tenant_id, key.key_id, key.role == "admin", frozenset(key.scopes))


def _secret(connection: HTTPConnection) -> str:
    if given := connection.headers.get("X-API-Key", "").strip():
        return given
    scheme, _, given = connection.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and given.strip():
        return given.strip()
    # a browser's EventSource and WebSocket send no headers of their own; addresses are written into logs, so only these
    if _STREAMS.fullmatch(connection.url.path):
        return connection.query_params.get("api_key", "") or connection.query_params.get("token", "")
    return ""
