"""What workers offer, on Redis: a hash for each task queue, a field for each worker."""

from datetime import UTC, datetime

from redis.asyncio import Redis

from theseus.contracts.offers import Offer
from theseus.stores.redis.connection import as_bytes, key_of, milliseconds, reaching


class RedisOffers:
    """Offers, gone when nobody has renewed them."""

    def __init__(self, client: Redis, *, prefix: str = "theseus") -> None:
        self._client = client
        self._prefix = prefix

    async def put(self, queue: str, worker: str, offer: Offer) -> None:
        """See `OfferStore.put`."""
        key = key_of(self._prefix, "offers", (queue,))
        with reaching(self._client):
            known = await self._all(key)
            over = [name for name, kept in known.items() if kept.until <= datetime.now(UTC)]
            if over:
                await self._client.hdel(key, *over)
            await self._client.hset(key, worker, offer.model_dump_json())
            until = max([offer.until, *(kept.until for kept in known.values())])
            await self._client.pexpire(key, milliseconds(until - datetime.now(UTC)))

    async def withdraw(self, queue: str, worker: str) -> None:
        """See `OfferStore.withdraw`."""
        with reaching(self._client):
            await self._client.hdel(key_of(self._prefix, "offers", (queue,)), worker)

    async def of(self, queue: str) -> list[Offer]:
        """See `OfferStore.of`."""
        with reaching(self._client):
            found = await self._all(key_of(self._prefix, "offers", (queue,)))
        return [offer for _, offer in sorted(found.items()) if offer.until > datetime.now(UTC)]

    async def _all(self, key: str) -> dict[str, Offer]:
        kept: dict[bytes | str, bytes | str] = await self._client.hgetall(key)
        return {as_bytes(name).decode(): Offer.model_validate_json(as_bytes(value)) for name, value in kept.items()}
