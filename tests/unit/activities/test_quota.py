"""A model call takes what it may use from the quota before it goes, and puts back what it did not use, however it ends."""

import asyncio
import dataclasses
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.testing import ActivityEnvironment

from tests.support.servers import free_port
from theseus.activities.llm.catalogue import Catalogue
from theseus.activities.llm.provider import Call
from theseus.activities.llm.quota import LONGEST_LINE, Quota
from theseus.contracts.messages import Route, UserMessage
from theseus.contracts.rates import Load
from theseus.contracts.task import Usage
from theseus.domain.rates import draws
from theseus.stores.memory import MemoryRates
from theseus.stores.ports import RateStore, StoreDownError
from theseus.stores.redis import RedisRates, connect_redis

MODELS = """
providers:
  - {name: p, kind: openai, base_url: "http://p", rate_limits: {requests_per_minute: 600, output_tokens_per_minute: 60000}}
  - {name: anthropic, kind: anthropic, base_url: "http://a", rate_limits: {input_tokens_per_minute: 600}}
  - {name: free, kind: openai, base_url: "http://f"}
models:
  - {provider: p, model: m, tiers: [small], priority: 1, context_window_tokens: 8000, max_output_tokens: 4000}
  - {provider: p, model: slow, tiers: [small], priority: 1, context_window_tokens: 8000, max_output_tokens: 4000, rate_limits: {requests_per_minute: 6}}
"""


class Bench:
    """A quota, and what is left in its buckets."""

    def __init__(self, folder: Path, rates: RateStore) -> None:
        file = folder / "models.yaml"
        file.write_text(MODELS)
        self.catalogue = Catalogue.load(file, {})
        self.rates = rates
        self.quota = Quota(self.catalogue, rates)

    def call(self, model: str = "m", provider: str = "p", output_tokens: int = 1000) -> Call:
        entry = self.catalogue.entry(Route(provider=provider, model=model))
        return Call(model=entry, system="be", messages=[UserMessage(text="x" * 9)], max_output_tokens=output_tokens)

    async def wait(self, load: Load, model: str = "m", provider: str = "p") -> float:
        """Seconds until this much could be drawn; draws nothing."""
        drawn = draws(self.catalogue.rate_limits(Route(provider=provider, model=model)), load)
        never = timedelta(seconds=-1)
        return (await self.rates.take(provider, "probe", drawn, soon=never, patience=never)).wait.total_seconds()

    async def run(
        self, call: Call, work: Any = None, *, number: int = 0, left: timedelta = timedelta(hours=2)
    ) -> float:
        """Makes a call; gives the seconds that it waited."""

        async def once() -> float:
            began = time.monotonic()
            async with self.quota.share(call) as share:
                waited = time.monotonic() - began
                if work is not None:
                    await work(share)
            return waited

        env = ActivityEnvironment()
        times = {"scheduled_time": datetime.now(UTC), "schedule_to_close_timeout": left}
        env.info = dataclasses.replace(env.info, activity_id=str(number), **times)
        return await env.run(once)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, MemoryRates())


def using(usage: Usage) -> Any:
    async def work(share: Any) -> None:
        share.answering()
        share.settle(usage)

    return work


async def test_a_call_without_limits_draws_nothing(tmp_path: Path) -> None:
    rates = MemoryRates()
    bench = Bench(tmp_path, rates)
    assert [await bench.run(bench.call(provider="free")) < 0.05 for _ in range(5)] == [True] * 5


async def test_a_near_turn_is_waited_out_and_calls_go_one_after_another(bench: Bench) -> None:
    waits = await asyncio.gather(*(bench.run(bench.call(output_tokens=1), number=n) for n in range(6)))
    assert sorted(waits)[-1] == pytest.approx(5 / 9.5, abs=0.15)


async def test_what_was_not_used_comes_back(bench: Bench) -> None:
    full = Load(output_tokens=14_000)
    await bench.run(bench.call(output_tokens=50_000), using(Usage(output_tokens=200)))
    assert await bench.wait(full) < 0.1
    await bench.run(bench.call(output_tokens=200), using(Usage(output_tokens=14_000)), number=1)
    assert await bench.wait(full) > 10


async def test_a_call_draws_what_calls_of_its_route_have_used_of_what_they_might(bench: Bench) -> None:
    drawn: list[int] = []

    async def work(share: Any) -> None:
        drawn.append(share.drawn.output_tokens)
        share.settle(Usage(output_tokens=10))

    for number in range(20):
        await bench.run(bench.call(output_tokens=1000), work, number=number)
    assert drawn[0] == 250
    assert drawn == sorted(drawn, reverse=True)
    assert 10 <= drawn[-1] <= 20


@pytest.mark.parametrize(("answered", "owed"), [(False, False), (True, True)])
async def test_a_call_that_failed_pays_tokens_only_if_the_model_had_begun(
    bench: Bench, answered: bool, owed: bool
) -> None:
    async def fail(share: Any) -> None:
        if answered:
            share.answering()
        raise ApplicationError("no")

    with pytest.raises(ApplicationError):
        await bench.run(bench.call(output_tokens=50_000), fail)
    assert (await bench.wait(Load(output_tokens=14_000)) > 10) is owed
    assert await bench.wait(Load(requests=1)) > 0.05, "the request itself was made"


async def test_a_call_cancelled_while_it_waits_leaves_nothing_behind(bench: Bench) -> None:
    await bench.run(bench.call(output_tokens=14_000), using(Usage(output_tokens=14_000)))
    before = await bench.wait(Load(requests=1, output_tokens=2000))
    waiting = asyncio.create_task(bench.run(bench.call(output_tokens=1000), number=1))
    await asyncio.sleep(0.1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await bench.wait(Load(requests=1, output_tokens=2000)) < before


async def test_a_far_turn_is_a_rate_limit_that_is_tried_again_when_it_comes(bench: Bench) -> None:
    told: list[float] = []
    await bench.run(bench.call("slow"))
    for number in range(1, 4):
        with pytest.raises(ApplicationError, match=r"p/slow.*rate limit") as caught:
            await bench.run(bench.call("slow"), number=number)
        error = caught.value
        assert (error.type, error.non_retryable) == ("RateLimited", False)
        assert error.category is ApplicationErrorCategory.BENIGN
        assert error.next_retry_delay is not None
        told.append(error.next_retry_delay.total_seconds())
    assert told == pytest.approx([10.5 / 3, 21 / 3, 31.5 / 3], abs=0.5)


async def test_a_line_that_is_too_long_spreads_those_who_come_again(bench: Bench) -> None:
    await bench.run(bench.call("slow"))
    delays: list[timedelta] = []
    for number in range(1, 25):
        with pytest.raises(ApplicationError) as caught:
            await bench.run(bench.call("slow"), number=number)
        delays.append(caught.value.next_retry_delay or timedelta())
    assert len(set(delays)) == len(delays)
    assert max(delays) < LONGEST_LINE


async def test_a_turn_that_cannot_be_in_time_is_left_to_another_route(bench: Bench) -> None:
    await bench.run(bench.call("slow"))
    before = await bench.wait(Load(requests=1), "slow")
    with pytest.raises(ApplicationError) as caught:
        await bench.run(bench.call("slow"), number=1, left=timedelta(seconds=8))
    delay = caught.value.next_retry_delay
    assert delay is not None and delay > timedelta(seconds=8), "longer than what is left: the step fails at once"
    assert await bench.wait(Load(requests=1), "slow") <= before, "it takes no place from others"


async def test_a_call_larger_than_a_whole_minute_goes_and_delays_the_next(bench: Bench) -> None:
    assert await bench.run(bench.call(output_tokens=100_000), using(Usage(output_tokens=100_000))) < 0.1
    assert await bench.wait(Load(output_tokens=1)) > 60


@pytest.mark.parametrize(("provider", "is_free"), [("anthropic", True), ("p", False)])
async def test_cached_tokens_count_where_the_provider_counts_them(bench: Bench, provider: str, is_free: bool) -> None:
    seen: list[Load] = []

    async def work(share: Any) -> None:
        share.settle(Usage(input_tokens=100, cached_tokens=90, output_tokens=5))
        seen.append(share.used)

    await bench.run(bench.call(provider=provider), work)
    assert seen[0].input_tokens == (10 if is_free else 100)


async def test_without_redis_the_limit_is_not_kept_and_the_call_goes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client = connect_redis(f"redis://127.0.0.1:{free_port()}/0")
    bench = Bench(tmp_path, RedisRates(client))
    for number in range(3):
        assert await bench.run(bench.call("slow"), using(Usage()), number=number) < 1
    assert "the rate limit of p/slow is not kept" in caplog.text
    await client.aclose()


class Lost(MemoryRates):
    """Goes down after the draw."""

    async def give_back(self, provider: str, amounts: Mapping[str, float]) -> None:
        raise StoreDownError("gone")


async def test_a_redis_that_goes_down_meanwhile_costs_no_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(tmp_path, Lost())
    await bench.run(bench.call(), using(Usage()))
    assert "was not put back" in caplog.text
