"""Where the browsers of agents stand, on Redis: one value an agent."""

from datetime import timedelta

from redis.asyncio import Redis

from theseus.contracts.session import SessionKey
from theseus.contracts.stored import BrowserPlace
from theseus.stores.redis.connection import as_bytes, key_of, milliseconds, reaching
from theseus.stores.rules import decode, encode, owner_of


class RedisBrowsers:
    """Where browsers stand, forgotten `ttl` after the last touch."""

    def __init__(self, client: Redis, *, ttl: timedelta, prefix: str = "theseus") -> None:
        self._client = client
        self._ttl = milliseconds(ttl)
        self._prefix = prefix

    async def put(self, key: SessionKey, task_id: str, agent: str, place: BrowserPlace) -> None:
        """See `BrowserStore.put`."""
        with reaching(self._client):
            await self._client.set(self._key(key, task_id, agent), encode(place.model_dump_json()), px=self._ttl)

    async def get(self, key: SessionKey, task_id: str, agent: str) -> BrowserPlace | None:
        """See `BrowserStore.get`."""
        with reaching(self._client):
            kept = await self._client.getex(self._key(key, task_id, agent), px=self._ttl)
        return BrowserPlace.model_validate_json(decode(as_bytes(kept))) if kept is not None else None

    def _key(self, key: SessionKey, task_id: str, agent: str) -> str:
        return key_of(self._prefix, "browser", (*owner_of(key), task_id, agent))
