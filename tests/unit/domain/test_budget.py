"""Spending never passes a limit by more than one call's output, and what runs out can still answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theseus.contracts.errors import BudgetExhausted
from theseus.contracts.facts import ModelCard
from theseus.contracts.messages import Route
from theseus.contracts.task import Limits, ModelTier, Usage
from theseus.domain.budget import LEAST_OUTPUT_TOKENS, Grant, Ledger
from theseus.domain.pricing import cost_microusd, worst_case_microusd


def card(price: int = 1_000_000) -> ModelCard:
    return ModelCard(
        route=Route(provider="p", model="m"),
        tier=ModelTier.SMALL,
        context_window_tokens=100_000,
        max_output_tokens=8_000,
        input_price=price,
        output_price=4 * price,
        cached_price=price // 10,
        cache_write_price=price,
    )


@given(
    tokens=st.integers(1, 200_000),
    money=st.integers(1, 500_000),
    price=st.sampled_from([0, 50_000, 1_000_000, 15_000_000]),
    first_input=st.integers(1, 5_000),
    observation=st.integers(0, 3_000),
)
def test_a_loop_that_never_stops_stays_within_both_limits_and_closes(
    tokens: int, money: int, price: int, first_input: int, observation: int
) -> None:
    limits = Limits(tokens=tokens, cost_microusd=money)
    ledger, model, size, calls = Ledger(limits), card(price), first_input, 0
    while calls < 500:
        try:
            grant = ledger.grant(model, size, 4096, closing=False)
        except BudgetExhausted:
            break
        reserved = ledger.reserve(grant)
        used = Usage(input_tokens=size, output_tokens=grant.output_tokens, total_tokens=size + grant.output_tokens)
        ledger = reserved.settle(grant, used.model_copy(update={"cost_microusd": cost_microusd(model, used)}))
        size += grant.output_tokens + min(observation, 200)
        calls += 1
    assert ledger.spent.total_tokens <= limits.tokens
    assert ledger.spent.cost_microusd <= limits.cost_microusd
    assert (ledger.reserved_tokens, ledger.reserved_microusd) == (0, 0)
    if calls:
        closing = ledger.grant(model, size, 1024, closing=True)
        assert closing.output_tokens >= 32
        assert closing.tokens <= ledger.free_tokens


def test_a_grant_shrinks_to_what_fits() -> None:
    ledger = Ledger(Limits(tokens=10_000))
    assert ledger.grant(card(), 1_000, 8_000, closing=False).output_tokens == (10_000 - 2_000 - 1_024) // 2
    assert ledger.grant(card(), 1_000, 8_000, closing=True).output_tokens == 8_000


def test_no_call_is_granted_when_not_even_a_short_answer_fits() -> None:
    with pytest.raises(BudgetExhausted, match=r"limits\.tokens=500"):
        Ledger(Limits(tokens=500)).grant(card(), 600, 100, closing=True)


def test_money_binds_as_tokens_do() -> None:
    model = card(price=10_000_000)
    ledger = Ledger(Limits(cost_microusd=30_000))
    with pytest.raises(BudgetExhausted):
        ledger.grant(model, 3_000, 4_096, closing=False)
    grant = ledger.grant(model, 1_000, 4_096, closing=True)
    assert worst_case_microusd(model, 1_000, grant.output_tokens) <= 30_000


def test_calls_side_by_side_cannot_be_granted_the_same_money() -> None:
    ledger = Ledger(Limits(tokens=20_000))
    grants: list[Grant] = []
    for _ in range(50):
        try:
            grant = ledger.grant(card(), 500, 2_000, closing=False)
        except BudgetExhausted:
            break
        grants.append(grant)
        ledger = ledger.reserve(grant)
    assert sum(grant.tokens for grant in grants) <= 20_000
    assert all(grant.output_tokens >= LEAST_OUTPUT_TOKENS for grant in grants)
