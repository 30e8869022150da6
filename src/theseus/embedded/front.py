"""The gateway of `theseus dev`: open to whoever reaches the loopback, unless the environment says otherwise."""

import importlib.util
import secrets
import sys
from collections.abc import Mapping

import httpx2

_LIBRARIES = ("fastapi", "sqlalchemy", "uvicorn", "grpc", "jwt")


def is_installed() -> bool:
    """Whether the gateway's libraries are there."""
    return all(importlib.util.find_spec(name) is not None for name in _LIBRARIES)


def command(port: int) -> list[str]:
    """Serves REST on a port of the loopback."""
    return [sys.executable, "-m", "theseus.cli", "gateway", "--port", str(port)]


def environment(workers: Mapping[str, str], ui_url: str) -> dict[str, str]:
    """The gateway's: that of the workers, with nobody asked who they are, and anybody free to try to register."""
    own = {"GATEWAY_SKIP_AUTH": "1", "GATEWAY_REGISTRATION": "1", "GATEWAY_JWT_SECRET": secrets.token_urlsafe(48)}
    return {**own, "THESEUS_TEMPORAL_UI": ui_url, **workers}


async def answers(url: str) -> bool:
    """Whether it takes requests."""
    async with httpx2.AsyncClient(trust_env=False, timeout=2) as client:
        try:
            return (await client.get(f"{url}/health")).is_success
        except httpx2.HTTPError:
            return False
