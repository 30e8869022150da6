"""Secrets that are given out once: made at random, kept as hashes. Passwords, which people choose, as Argon2."""

import asyncio
import hashlib
import secrets
import string

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

KEY_PREFIX = "sk_"
TOKEN_PREFIX = "rt_"
SHOWN_CHARS = 10
AT_ONCE = 4
"""Each password that is looked at takes 64 MiB and a core for a while."""
_LETTERS = string.ascii_letters + string.digits
_CHARS = 43
_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash("a password that nobody has")


def new_key() -> str:
    """A key of 256 random bits."""
    return KEY_PREFIX + _random()


def new_token() -> str:
    """A refresh token of 256 random bits."""
    return TOKEN_PREFIX + _random()


def digest(secret: str) -> str:
    """What is kept of a random secret; it has too many bits to be guessed, so that a fast hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


def shown(key: str) -> str:
    """Enough of a key for people to know it again."""
    return f"{key[:SHOWN_CHARS]}…"


class Passwords:
    """Hashes passwords, a few at a time, beside the event loop."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(AT_ONCE)

    async def hashed(self, password: str) -> str:
        """What is kept of a password."""
        async with self._room:
            return await asyncio.to_thread(_HASHER.hash, password)

    async def fits(self, password: str, kept: str | None) -> bool:
        """Whether it is the password; takes as long when there is none to compare it with."""
        async with self._room:
            return await asyncio.to_thread(_fits, password, kept if kept is not None else _NOBODY) and kept is not None


def _fits(password: str, kept: str) -> bool:
    try:
        return _HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


def _random() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_CHARS))
