"""What a task wants of its research wins over its strategy; what it does not say, the strategy does."""

from dataclasses import replace
from typing import Any

import pytest

from theseus.contracts.task import ModelTier
from theseus.domain.intake import Setting, accept
from theseus.domain.research.presets import Controls, settled


def controls(top: dict[str, Any] | None = None, **context: Any) -> Controls:
    setting = Setting("t", None, "s", ("generalist",))
    raw = {"query": "x", "context": {"force_research": True, **context}, **(top or {})}
    return settled(accept(raw, setting))


@pytest.mark.parametrize(
    ("strategy", "agents", "rounds", "verifies"),
    [("quick", 3, 1, False), ("standard", 4, 2, True), ("deep", 5, 3, True), ("academic", 6, 5, True)],
)
def test_each_strategy_has_its_depth(strategy: str, agents: int, rounds: int, verifies: bool) -> None:
    made = controls(research_strategy=strategy)
    assert (made.agents, made.rounds, made.verifies) == (agents, rounds, verifies)
    assert controls({"research_strategy": strategy}) == made, "at the top, too"


def test_without_a_word_it_is_standard_with_three_rounds() -> None:
    assert controls() == replace(controls(research_strategy="standard"), rounds=3)


@pytest.mark.parametrize(
    ("context", "rounds"),
    [
        ({"iterative_research_enabled": False}, 1),
        ({"iterative_research_enabled": False, "iterative_max_iterations": 4}, 1),
        ({"iterative_max_iterations": 5}, 5),
        ({"iterative_max_iterations": 1, "research_strategy": "academic"}, 1),
        ({"iterative_research_enabled": True}, 3),
        ({"iterative_research_enabled": True, "research_strategy": "academic"}, 5),
    ],
)
def test_rounds_are_as_wanted(context: dict[str, Any], rounds: int) -> None:
    assert controls(**context).rounds == rounds


def test_every_other_control_has_its_effect() -> None:
    assert controls({"max_concurrent_agents": 9}).agents == 9
    assert controls({"enable_verification": False}).verifies is False
    assert controls(research_strategy="quick", enable_verification=True).verifies is True
    assert controls(model_tier="large").tier is controls(model_tier="large").write_tier is ModelTier.LARGE
    assert (controls().cites, controls(enable_citations=False).cites) == (True, False)
    assert (controls().gives_facts, controls(enable_fact_extraction=True).gives_facts) == (False, True)
    assert (controls().is_reviewed, controls(require_review=True).is_reviewed) == (False, True)
    assert (controls().review_seconds, controls(review_plan="manual", review_timeout=5).review_seconds) == (900, 5)


def test_the_style_sets_the_length_within_bounds() -> None:
    assert (controls(synthesis_style="concise").words(1000), controls().words(1000)) == (500, 1000)
    assert controls(synthesis_style="comprehensive").words(1000) == 1500
    assert controls(synthesis_style="concise").words(100) == 200
    assert controls(synthesis_style="comprehensive").words(6000) == 6000
