"""A research goes on while that brings something and is allowed, and says why it stopped."""

from dataclasses import replace

import pytest

from theseus.contracts.research import FacetRow
from theseus.contracts.task import Limits, Usage
from theseus.domain.budget import Ledger
from theseus.domain.research.budget import GATHER_PERCENT, Purse
from theseus.domain.research.coverage import Gain
from theseus.domain.research.stopping import MOST_CALLS, MOST_FRUITLESS, ResearcherWatch, Standing, why_stop

OPEN = FacetRow(question="q", facet="f", text="t")
DONE = FacetRow(question="q", facet="f", text="t", domains=("x.org",))
MUCH, LITTLE = Gain(5, 3, 60), Gain(1, 0, 4)
GOING = Standing(rows=[OPEN], rounds=2, most_rounds=5, gains=[MUCH, MUCH])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, ""),
        ({"rows": [DONE]}, "all that must be established"),
        ({"rounds": 5}, "the most rounds"),
        ({"gains": [MUCH, LITTLE]}, "little that is new"),
        ({"gains": [LITTLE], "rounds": 1}, ""),
        ({"gains": [MUCH, LITTLE], "failed_rounds": 1}, ""),
        ({"failed_rounds": 2}, "researchers failed"),
        ({"gather_percent": 75}, "nearly spent"),
        ({"seconds_left": 9.0, "seconds_needed": 10.0}, "time left"),
        ({"rows": [DONE], "rounds": 0}, ""),
    ],
)
def test_each_reason_stops_and_nothing_else_does(change: dict[str, object], why: str) -> None:
    said = why_stop(replace(GOING, **change))
    assert why in said and bool(said) == bool(why)


def test_a_researcher_has_so_many_calls() -> None:
    watch = ResearcherWatch(5)
    assert (watch.saw(2, 1), watch.saw(2, 1), watch.saw(1, 1)) == ("", "", "calls")
    assert ResearcherWatch(1000).saw(MOST_CALLS, 1) == "calls"
    assert ResearcherWatch(5, calls=4).saw(1, 0) == "calls"


def test_turns_that_bring_nothing_end_the_search_unless_one_brings_something() -> None:
    watch = ResearcherWatch(30)
    assert [watch.saw(1, 0) for _ in range(MOST_FRUITLESS)] == [""] * MOST_FRUITLESS
    assert watch.saw(1, 1) == "" and watch.fruitless == 0
    assert [watch.saw(4, 0) for _ in range(MOST_FRUITLESS + 1)][-1] == "fruitless"


def test_what_is_left_is_told() -> None:
    watch = ResearcherWatch(12)
    watch.saw(5, 1)
    assert watch.line(12_345, 250_000).startswith("[Left: 7 tool calls, 12,345 tokens, 0.25 USD.")


def test_researchers_share_the_gathering_part_by_weight_and_never_more() -> None:
    ledger = Ledger(Limits(tokens=100_000, cost_microusd=1_000_000, wall_clock_seconds=60))
    first = Purse.of(ledger, Usage()).share(1, 4)
    assert (first.tokens, first.cost_microusd) == (100_000 * GATHER_PERCENT // 400, 1_000_000 * GATHER_PERCENT // 400)
    under_way = replace(ledger, reserved_tokens=first.tokens, reserved_microusd=first.cost_microusd)
    rest = Purse.of(under_way, Usage()).share(3, 3)
    assert first.tokens + rest.tokens == 60_000
    spent = Usage(input_tokens=45_000, total_tokens=45_000, cost_microusd=10)
    assert Purse.of(ledger, spent).percent == 75
