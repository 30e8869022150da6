"""A call costs what the card says, to the micro-dollar, and never more than its worst case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theseus.contracts.facts import ModelCard
from theseus.contracts.messages import Route
from theseus.contracts.task import ModelTier, Usage
from theseus.domain.pricing import cost_microusd, worst_case_microusd


def card(input_price: int = 0, output_price: int = 0, cached_price: int = 0, cache_write_price: int = 0) -> ModelCard:
    return ModelCard(
        route=Route(provider="p", model="m"),
        tier=ModelTier.SMALL,
        context_window_tokens=100_000,
        max_output_tokens=8_000,
        input_price=input_price,
        output_price=output_price,
        cached_price=cached_price,
        cache_write_price=cache_write_price,
    )


REAL = card(input_price=3_000_000, output_price=15_000_000, cached_price=300_000, cache_write_price=3_750_000)


@pytest.mark.parametrize(
    "usage, cost",
    [
        (Usage(), 0),
        (Usage(input_tokens=1_000_000), 3_000_000),
        (Usage(output_tokens=1_000), 15_000),
        (Usage(input_tokens=10_000, cached_tokens=8_000), 2_000 * 3 + 2_400),
        (Usage(input_tokens=10_000, cache_write_tokens=4_000), 6_000 * 3 + 15_000),
        (
            Usage(input_tokens=10_000, cached_tokens=5_000, cache_write_tokens=5_000, output_tokens=10),
            1_500 + 18_750 + 150,
        ),
    ],
)
def test_each_part_of_a_call_is_charged_at_its_own_price(usage: Usage, cost: int) -> None:
    assert cost_microusd(REAL, usage) == cost


@pytest.mark.parametrize("tokens, cost", [(1, 0), (4, 0), (5, 1), (14, 1), (15, 2)])
def test_half_a_microdollar_rounds_up(tokens: int, cost: int) -> None:
    assert cost_microusd(card(input_price=100_000), Usage(input_tokens=tokens)) == cost


def test_a_worst_case_rounds_up_and_takes_the_dearest_input_price() -> None:
    assert worst_case_microusd(card(input_price=100_000), 1, 0) == 1
    assert worst_case_microusd(REAL, 1_000, 100) == 3_750 + 1_500


def test_more_cached_tokens_than_input_never_lower_the_cost_below_the_cached_part() -> None:
    assert cost_microusd(REAL, Usage(input_tokens=100, cached_tokens=1_000)) == 300


def test_a_free_model_costs_nothing() -> None:
    assert cost_microusd(card(), Usage(input_tokens=10**9, output_tokens=10**9)) == 0


def test_very_large_numbers_stay_exact() -> None:
    huge = card(input_price=10**15)
    assert cost_microusd(huge, Usage(input_tokens=10**15 + 1)) == 10**24 + 10**9


prices = st.integers(0, 10**9)
tokens = st.integers(0, 10**8)


@given(st.builds(card, prices, prices, prices, prices), tokens, tokens, st.floats(0, 1), st.floats(0, 1))
def test_a_call_never_costs_more_than_its_worst_case(
    model: ModelCard, input_tokens: int, output_tokens: int, cached: float, written: float
) -> None:
    cached_tokens = int(input_tokens * cached)
    usage = Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cached_tokens=cached_tokens,
        cache_write_tokens=int((input_tokens - cached_tokens) * written),
    )
    assert 0 <= cost_microusd(model, usage) <= worst_case_microusd(model, input_tokens, output_tokens)


@given(st.builds(card, prices, prices, prices, prices), tokens, tokens)
def test_a_worst_case_grows_with_the_call(model: ModelCard, input_tokens: int, output_tokens: int) -> None:
    assert worst_case_microusd(model, input_tokens, output_tokens) <= worst_case_microusd(
        model, input_tokens + 1, output_tokens + 1
    )
