"""What workers offer is there while they tell it, and gone when they stop."""

import asyncio
from datetime import UTC, datetime, timedelta

from tests.unit.stores.conftest import Kind
from theseus.contracts.offers import Offer
from theseus.contracts.tools import Effect, ToolSpec

SPEC = ToolSpec(name="t", description="ü", parameters={}, effect=Effect.READ, timeout=timedelta(seconds=1))


def offer(seconds: float) -> Offer:
    return Offer(tools=(SPEC,), until=datetime.now(UTC) + timedelta(seconds=seconds))


async def test_what_workers_of_a_queue_tell_is_found(kind: Kind) -> None:
    store = kind.offers()
    one, two = offer(60), offer(70)
    await store.put("q", "a", offer(30))
    await store.put("q", "a", one)
    await store.put("q", "b", two)
    await store.put("other", "c", offer(60))
    assert await store.of("q") == [one, two]


async def test_a_worker_that_stops_or_falls_silent_offers_nothing(kind: Kind) -> None:
    store = kind.offers()
    await store.put("q", "silent", offer(0.05))
    await asyncio.sleep(0.1)
    kept = offer(60)
    await store.put("q", "stays", kept)
    await store.put("q", "stops", offer(60))
    await store.withdraw("q", "stops")
    await store.withdraw("q", "nobody")
    assert await store.of("q") == [kept]
    assert await store.of("unknown") == []
