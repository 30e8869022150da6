"""How the stores speak to Redis: the client, the names of keys, and one error for a server that cannot be used."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import quote

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig

from theseus.stores.ports import StoreDownError
from theseus.stores.rules import encode

CONNECT_TIMEOUT = timedelta(seconds=5)
ANSWER_TIMEOUT = timedelta(seconds=5)
MAX_CONNECTIONS = 1000
"""Each reader that waits for events holds one."""

_DOWN = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.OutOfMemoryError,
    exceptions.ReadOnlyError,
    exceptions.ClusterDownError,
    exceptions.MasterDownError,
    exceptions.TryAgainError,
    exceptions.InvalidResponse,
    OSError,
)
_DOWN_CODES = ("MISCONF", "NOREPLICAS", "BUSY", "LOADING", "DB index", "NOAUTH", "WRONGPASS", "NOPERM")


def connect_redis(url: str) -> Redis:
    """A client for `redis://`, `rediss://` or `unix://`; it connects when first used. Close it with `aclose()`.

    The client itself retries nothing: a command whose answer was lost may have been done, and who asked for it knows
    whether it may be repeated.

    Raises:
        ValueError: the URL is none of these.
    """
    return Redis.from_url(  # pyright: ignore[reportUnknownMemberType] - its keyword arguments have no types
        url,
        socket_connect_timeout=CONNECT_TIMEOUT.total_seconds(),
        socket_timeout=ANSWER_TIMEOUT.total_seconds(),
        retry=Retry(NoBackoff(), 0),
        max_connections=MAX_CONNECTIONS,
        # with them on, the pool hands out connections that the server has closed
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
    )


@contextmanager
def reaching(client: Redis) -> Generator[None, None, None]:
    """Turns every error of transport, and every refusal that will pass, into `StoreDownError`."""
    try:
        yield
    except _DOWN as error:
        raise _down(client, error) from error
    except exceptions.ResponseError as error:
        if not str(error).startswith(_DOWN_CODES):
            raise
        raise _down(client, error) from error


def key_of(prefix: str, kind: str, ids: tuple[str, ...]) -> str:
    """The start of a key. No id can pass for another's (all but letters, digits and `_.-~` is escaped).

    What stands in braces decides a key's slot in a cluster, so all keys with the same ids share one.
    """
    path = "/".join((kind, *(quote(encode(part), safe="") for part in ids)))
    return f"{prefix}:{{{path}}}"


def milliseconds(ttl: timedelta) -> int:
    """A time to live as Redis counts it, at least 1."""
    return max(1, round(ttl.total_seconds() * 1000))


def as_bytes(value: bytes | str) -> bytes:
    """An answer's bytes, also from a client that decodes."""
    return encode(value) if isinstance(value, str) else value


def _down(client: Redis, error: Exception) -> StoreDownError:
    about = client.get_connection_kwargs()
    where = about.get("path") or f"{about.get('host', 'localhost')}:{about.get('port', 6379)}"
    said = str(error) or type(error).__name__
    return StoreDownError(f"Redis at {where} cannot be used now ({said}); see that it runs and that REDIS_URL is right")
