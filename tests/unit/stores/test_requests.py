"""In no window of time, wherever it begins, are more requests of a key let in than may be, and none fewer."""

import asyncio
from datetime import timedelta

from tests.unit.stores.conftest import Kind
from theseus.stores.ports import RequestStore

MINUTE = timedelta(minutes=1)


async def test_of_many_at_once_as_many_go_as_may(kind: Kind) -> None:
    store = kind.requests()
    # what Redis counts, all gateways share
    other = store if kind.client is None else kind.requests()
    said = await asyncio.gather(*((store, other)[n % 2].admit("k", most=20, window=MINUTE) for n in range(50)))
    assert [each.is_admitted for each in said].count(True) == 20
    assert sorted(each.left for each in said if each.is_admitted) == list(range(20))
    assert all(each.left == 0 and each.most == 20 for each in said if not each.is_admitted)
    assert all(MINUTE - timedelta(seconds=10) < each.next_in <= MINUTE for each in said)
    assert (await store.admit("another", most=20, window=MINUTE)).left == 19


async def test_the_window_slides_and_a_refused_request_does_not_count(kind: Kind) -> None:
    store, window = kind.requests(), timedelta(seconds=0.6)

    async def goes(store: RequestStore) -> bool:
        return (await store.admit("k", most=2, window=window)).is_admitted

    assert await goes(store)
    await asyncio.sleep(0.3)
    assert await goes(store)
    refused = await store.admit("k", most=2, window=window)
    assert not refused.is_admitted and timedelta() < refused.next_in <= timedelta(seconds=0.3)
    await asyncio.sleep(refused.next_in.total_seconds() + 0.01)
    assert await goes(store), "the first has left the window, the second has not"
    assert not await goes(store)


async def test_a_limit_that_was_lowered_says_when_there_is_room(kind: Kind) -> None:
    store, window = kind.requests(), timedelta(seconds=10)
    for _ in range(4):
        await store.admit("k", most=5, window=window)
        await asyncio.sleep(0.05)
    lowered = await store.admit("k", most=2, window=window)
    assert not lowered.is_admitted and lowered.left == 0
    assert lowered.next_in > timedelta(seconds=9.89), "when the third of four is gone, not the first"


async def test_nothing_is_kept_of_a_key_that_asks_no_more(kind: Kind) -> None:
    store = kind.requests()
    for n in range(50):
        await store.admit(f"k{n}", most=2, window=timedelta(milliseconds=100))
    await asyncio.sleep(0.2)
    await store.admit("last", most=2, window=MINUTE)
    if kind.client is not None:
        assert len(await kind.client.keys(f"{kind.prefix}:*")) == 1
    else:
        assert list(vars(store)["_leave"]) == ["last"]
