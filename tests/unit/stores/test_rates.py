"""A bucket gives what flows into it and no more, to all workers together, in the order in which they asked."""

import asyncio
from datetime import timedelta
from itertools import pairwise
from typing import Protocol

import pytest

from theseus.contracts.rates import Admission, Draw
from theseus.stores.ports import RateStore

SECOND = timedelta(seconds=1)


class Kind(Protocol):
    def rates(self) -> RateStore: ...


def draw(amount: float = 1, per_second: float = 10, burst: float = 1, bucket: str = "requests") -> Draw:
    return Draw(bucket=bucket, per_second=per_second, burst=burst, amount=amount)


async def take(
    store: RateStore, call: str, *draws: Draw, soon: float = 0, patience: float = 60, provider: str = "p"
) -> Admission:
    return await store.take(
        provider, call, draws or [draw()], soon=timedelta(seconds=soon), patience=timedelta(seconds=patience)
    )


async def test_callers_are_told_one_turn_after_another(kind: Kind):
    store = kind.rates()
    turns = await asyncio.gather(*(take(store, f"c{number}", soon=60) for number in range(50)))
    assert {turn.state for turn in turns} == {"go"}
    waits = sorted(turn.wait.total_seconds() for turn in turns)
    assert waits[0] == 0
    assert waits[-1] == pytest.approx(4.9, abs=0.3)
    assert all(0.05 < later - sooner < 0.15 for sooner, later in pairwise(waits))


async def test_a_silence_fills_a_bucket_to_its_burst_and_no_further(kind: Kind):
    store = kind.rates()
    three = draw(burst=3)
    for _ in range(2):
        turns = [await take(store, f"c{number}", three, soon=60) for number in range(5)]
        assert [turn.wait == timedelta() for turn in turns] == [True, True, True, False, False]
        await asyncio.sleep(0.7)


async def test_a_place_in_the_line_is_kept_until_its_turn_comes(kind: Kind):
    store = kind.rates()
    await take(store, "first")
    second, third = await take(store, "second"), await take(store, "third")
    assert (second.state, third.state) == ("line", "line")
    assert second.wait < third.wait <= 0.21 * SECOND
    assert (await take(store, "third")).wait <= third.wait, "asking again moves nobody back"
    await asyncio.sleep(second.wait.total_seconds() + 0.02)
    assert (await take(store, "second")).state == "go"
    assert (await take(store, "third")).state == "line"
    assert (await take(store, "second")).wait > 0.1 * SECOND, "a place is good for one call"


async def test_whoever_cannot_wait_takes_no_place(kind: Kind):
    store = kind.rates()
    await take(store, "first", draw(10))
    refused = [await take(store, f"c{number}", patience=0.5) for number in range(5)]
    assert {turn.state for turn in refused} == {"none"}
    assert all(0.9 * SECOND < turn.wait < 1.05 * SECOND for turn in refused)


async def test_what_comes_back_brings_all_who_wait_nearer(kind: Kind):
    store = kind.rates()
    tokens = draw(100, per_second=100, burst=10, bucket="tokens")
    assert (await take(store, "first", tokens)).state == "go"
    assert (await take(store, "second", tokens)).wait == pytest.approx(SECOND, abs=0.1 * SECOND)
    far = (await take(store, "third", tokens)).wait
    await store.give_back("p", {"tokens": 90})
    assert (await take(store, "third", tokens)).wait == pytest.approx(far - 0.9 * SECOND, abs=0.15 * SECOND)
    await asyncio.sleep(0.1)
    assert (await take(store, "second", tokens)).state == "go"


async def test_who_waits_may_ask_for_less_and_all_behind_come_nearer(kind: Kind):
    store = kind.rates()
    large, small = (draw(amount, per_second=100, bucket="tokens") for amount in (500, 100))
    for call in ("first", "second", "third"):
        await take(store, call, large)
    before = (await take(store, "third", large)).wait
    await take(store, "second", small)
    assert (await take(store, "third", large)).wait == pytest.approx(before - 4 * SECOND, abs=0.2 * SECOND)


async def test_using_more_than_was_drawn_is_owed(kind: Kind):
    store = kind.rates()
    tokens = draw(10, per_second=100, burst=10, bucket="tokens")
    await take(store, "first", tokens)
    await store.give_back("p", {"tokens": -100})
    assert (await take(store, "second", tokens)).wait > SECOND


async def test_a_draw_larger_than_the_bucket_goes_when_it_is_full_and_is_paid_off_afterwards(kind: Kind):
    store = kind.rates()
    huge = draw(50, burst=5)
    assert (await take(store, "first", huge)).state == "go"
    assert (await take(store, "second", draw(burst=5))).wait == pytest.approx(4.6 * SECOND, abs=0.2 * SECOND)


async def test_a_call_waits_for_the_last_of_its_buckets_and_draws_from_all_or_none(kind: Kind):
    store = kind.rates()
    one, other = draw(bucket="one"), draw(5, bucket="other")
    await take(store, "first", other)
    assert (await take(store, "second", one, other, patience=0)).state == "none"
    assert (await take(store, "third", one)).state == "go", "the second drew nothing"
    assert (await take(store, "fourth", one, other)).wait == pytest.approx(0.5 * SECOND, abs=0.1 * SECOND)


async def test_providers_have_buckets_of_their_own(kind: Kind):
    store = kind.rates()
    await take(store, "first", draw(1000))
    assert (await take(store, "second", provider="q")).state == "go"
