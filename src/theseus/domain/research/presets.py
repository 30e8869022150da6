"""How deep a research goes: the presets, and what a task's own controls make of them."""

from dataclasses import dataclass

from theseus.contracts.accepted import AcceptedTask
from theseus.contracts.task import ModelTier, ResearchStrategy

LONGEST_REVIEW_SECONDS = 900
DEFAULT_ROUNDS = 3
"""Rounds of a task that says neither a number nor a strategy, and the least of one that asks for the loop."""
LEAST_WORDS, MOST_WORDS = 200, 6000

_LENGTH = {"concise": 0.5, "comprehensive": 1.5}


@dataclass(frozen=True)
class Preset:
    """One depth: researchers at the same time, rounds, tool calls of one researcher, sub-questions, who writes."""

    agents: int
    rounds: int
    calls: int
    questions: int
    recon_searches: int
    verifies: bool
    tier: ModelTier
    write_tier: ModelTier


PRESETS: dict[ResearchStrategy, Preset] = {
    ResearchStrategy.QUICK: Preset(3, 1, 8, 3, 1, False, ModelTier.SMALL, ModelTier.MEDIUM),
    ResearchStrategy.STANDARD: Preset(4, 2, 12, 5, 2, True, ModelTier.SMALL, ModelTier.LARGE),
    ResearchStrategy.DEEP: Preset(5, 3, 12, 8, 3, True, ModelTier.MEDIUM, ModelTier.LARGE),
    ResearchStrategy.ACADEMIC: Preset(6, 5, 16, 8, 3, True, ModelTier.MEDIUM, ModelTier.LARGE),
}


@dataclass(frozen=True)
class Controls:
    """What one research does: its preset, with what its task wants otherwise."""

    agents: int
    rounds: int
    calls: int
    questions: int
    recon_searches: int
    verifies: bool
    cites: bool
    gives_facts: bool
    tier: ModelTier
    write_tier: ModelTier
    length: float
    is_reviewed: bool
    review_seconds: int

    def words(self, wanted: int) -> int:
        """The length of the report, for a scope that wants so many words."""
        return max(LEAST_WORDS, min(int(wanted * self.length), MOST_WORDS))


def says_no_rounds(task: AcceptedTask) -> bool:
    """Whether neither a strategy nor a control of the task says how many rounds it has."""
    context = task.context
    wishes = (task.research_strategy, context.iterative_research_enabled, context.iterative_max_iterations)
    return all(wish is None for wish in wishes)


def settled(task: AcceptedTask, *, default_rounds: int = DEFAULT_ROUNDS) -> Controls:
    """The controls of a task: its strategy's preset (the standard one's, without), then each control that it sets itself."""
    context = task.context
    preset = PRESETS[task.research_strategy or ResearchStrategy.STANDARD]
    verifies = preset.verifies if task.enable_verification is None else task.enable_verification
    return Controls(
        agents=task.max_concurrent_agents if task.asks_for_agents else preset.agents,
        rounds=default_rounds if says_no_rounds(task) else _rounds(task, preset),
        calls=preset.calls,
        questions=preset.questions,
        recon_searches=preset.recon_searches,
        verifies=verifies,
        cites=context.enable_citations is not False,
        gives_facts=bool(context.enable_fact_extraction),
        tier=task.model_tier or preset.tier,
        write_tier=task.model_tier or preset.write_tier,
        length=_LENGTH.get(context.synthesis_style or "", 1.0),
        is_reviewed=context.review_plan == "manual" or bool(context.require_review),
        review_seconds=min(context.review_timeout or LONGEST_REVIEW_SECONDS, LONGEST_REVIEW_SECONDS),
    )


def _rounds(task: AcceptedTask, preset: Preset) -> int:
    wanted = task.context.iterative_research_enabled
    if wanted is False:
        return 1
    if task.context.iterative_max_iterations is not None:
        return task.context.iterative_max_iterations
    return max(preset.rounds, DEFAULT_ROUNDS) if wanted else preset.rounds
