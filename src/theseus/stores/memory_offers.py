"""What workers offer, in the memory of one process."""

from datetime import UTC, datetime

from theseus.contracts.offers import Offer


class MemoryOffers:
    """Offers, gone when nobody has renewed them."""

    def __init__(self) -> None:
        self._offers: dict[tuple[str, str], Offer] = {}

    async def put(self, queue: str, worker: str, offer: Offer) -> None:
        """See `OfferStore.put`."""
        self._offers[queue, worker] = offer

    async def withdraw(self, queue: str, worker: str) -> None:
        """See `OfferStore.withdraw`."""
        self._offers.pop((queue, worker), None)

    async def of(self, queue: str) -> list[Offer]:
        """See `OfferStore.of`."""
        now = datetime.now(UTC)
        return [offer for (at, _), offer in sorted(self._offers.items()) if at == queue and offer.until > now]
