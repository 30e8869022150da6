"""Artifacts on Redis: one hash each, the text in numbered slices of so many characters, so that a page reads only its own.

The field `chars` is written last: an artifact without it is not there yet.
"""

import asyncio
from datetime import timedelta

from redis.asyncio import Redis
from redis.typing import FieldT

from theseus.contracts.session import SessionKey
from theseus.contracts.stored import ArtifactPage
from theseus.stores.redis.connection import as_bytes, key_of, milliseconds, reaching
from theseus.stores.rules import artifact_id, check_page, decode, encode, owner_of

SLICE_CHARS = 16_384
_SLICES_PER_CALL = 64


class RedisArtifacts:
    """Large texts, forgotten `ttl` after the last touch."""

    def __init__(self, client: Redis, *, ttl: timedelta, prefix: str = "theseus") -> None:
        self._client = client
        self._ttl = milliseconds(ttl)
        self._prefix = prefix

    async def put(self, key: SessionKey, text: str) -> str:
        """See `ArtifactStore.put`; a ValueError when the text is too large."""
        made = await asyncio.to_thread(artifact_id, text)
        name = self._key(key, made)
        step = SLICE_CHARS * _SLICES_PER_CALL
        with reaching(self._client):
            if await self._chars(name) is None:
                for start in range(0, len(text), step):
                    await self._write(name, _slices(text, start, start + step))
                await self._write(name, {"chars": str(len(text)).encode()})
        return made

    async def page(self, key: SessionKey, artifact_id: str, offset: int, limit: int) -> ArtifactPage | None:
        """See `ArtifactStore.page`; a ValueError when offset or limit cannot be."""
        check_page(offset, limit)
        name = self._key(key, artifact_id)
        with reaching(self._client):
            chars = await self._chars(name)
            if chars is None:
                return None
            end = min(offset + limit, chars)
            text = await self._read(name, offset, end)
        if text is None:
            return None
        return ArtifactPage(text=text, offset=offset, total_chars=chars, next_offset=end if end < chars else None)

    async def _chars(self, name: str) -> int | None:
        async with self._client.pipeline(transaction=True) as batch:
            batch.hget(name, "chars")
            batch.pexpire(name, self._ttl)
            chars, _ = await batch.execute()
        return int(chars) if chars is not None else None

    async def _write(self, name: str, fields: dict[FieldT, bytes]) -> None:
        async with self._client.pipeline(transaction=True) as batch:
            batch.hset(name, mapping=fields)
            batch.pexpire(name, self._ttl)
            await batch.execute()

    async def _read(self, name: str, offset: int, end: int) -> str | None:
        if offset >= end:
            return ""
        first = offset // SLICE_CHARS
        found: list[str] = []
        for kept in await self._client.hmget(name, [str(n) for n in range(first, (end - 1) // SLICE_CHARS + 1)]):
            if kept is None:
                return None
            found.append(decode(as_bytes(kept)))
        shift = first * SLICE_CHARS
        return "".join(found)[offset - shift : end - shift]

    def _key(self, key: SessionKey, artifact_id: str) -> str:
        return key_of(self._prefix, "artifact", (*owner_of(key), artifact_id))


def _slices(text: str, start: int, end: int) -> dict[FieldT, bytes]:
    return {
        str(place // SLICE_CHARS): encode(text[place : place + SLICE_CHARS])
        for place in range(start, min(end, len(text)), SLICE_CHARS)
    }
