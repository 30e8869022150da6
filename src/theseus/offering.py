"""A worker tells what it offers, again and again, for gateways that list it."""

import asyncio
import logging
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

from theseus.activities.tools.registry import Registry
from theseus.contracts.offers import Offer
from theseus.stores.ports import OfferStore, StoreDownError

_log = logging.getLogger("theseus.worker")

EVERY = timedelta(seconds=30)
LASTS = timedelta(seconds=100)


@asynccontextmanager
async def offering(offers: OfferStore, queue: str, registry: Registry) -> AsyncGenerator[None]:
    """Offers the tools of a worker on its task queue while the context is open; servers of tools come and go."""
    worker = uuid.uuid4().hex
    telling = asyncio.create_task(_tell(offers, queue, worker, registry))
    try:
        yield
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        with suppress(StoreDownError):
            await offers.withdraw(queue, worker)


async def _tell(offers: OfferStore, queue: str, worker: str, registry: Registry) -> None:
    while True:
        offer = Offer(tools=tuple(registry.specs(registry.names)), until=datetime.now(UTC) + LASTS)
        try:
            await offers.put(queue, worker, offer)
        except StoreDownError as error:
            _log.debug("what this worker offers is not told now: %s", error)
        await asyncio.sleep(EVERY.total_seconds())
