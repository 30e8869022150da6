"""A research under way: its plan, what was found so far, and what is to be looked for next."""

from collections.abc import Sequence

from theseus.contracts.agent import MOST_CARRIED_BYTES
from theseus.contracts.errors import BudgetExhausted, DomainError
from theseus.contracts.research import Card, Contradiction, FacetRow, FollowUp, ResearchPlan, ResearchState, Scope
from theseus.domain.research.contradictions import contradictions
from theseus.domain.research.coverage import Gain, covered_percent, matrix
from theseus.domain.research.presets import Controls
from theseus.workflows.run import Run


def go_without(run: Run, error: DomainError, words: str) -> None:
    """Notes that a phase failed, and what stands in for it; a budget that is spent is the task's status, too."""
    run.note_degraded(words)
    if isinstance(error, BudgetExhausted):
        run.failures.append(error.type)


class Quest:
    """What the phases of one research hand on. The evidence itself is the run's."""

    def __init__(self, run: Run, controls: Controls, scope: Scope, plan: ResearchPlan) -> None:
        self.controls = controls
        self.scope = scope
        self.plan = plan
        self.rounds = 0
        self.todo: list[FollowUp] = []
        self.digests: dict[str, str] = {}
        self.gains: list[Gain] = []
        self.failed_rounds = 0
        self.stopped = ""
        self._run = run

    @property
    def cards(self) -> list[Card]:
        """All evidence, in the order in which it came."""
        return list(self._run.evidence.values())

    def rows(self) -> list[FacetRow]:
        """How far each facet is established."""
        return matrix(self.plan, self.cards)

    def contradictions(self, rows: Sequence[FacetRow]) -> list[Contradiction]:
        """Where the evidence contradicts itself."""
        return contradictions(rows, self.cards)

    def show(self, phase: str) -> None:
        """Says in the Temporal UI where the research stands."""
        covered = covered_percent(self.rows())
        self._run.enter(f"{phase} · evidence {len(self._run.evidence)} · coverage {covered} %")

    def state(self) -> ResearchState | None:
        """What the next history of this research needs; None where it is too much: the rest is done in this one."""
        state = ResearchState(
            scope=self.scope,
            plan=self.plan,
            rounds=self.rounds,
            todo=tuple(self.todo),
            digests=self.digests,
            gains=tuple((each.cards, each.domains, each.percent) for each in self.gains),
            failed_rounds=self.failed_rounds,
            cards=tuple(self.cards),
        )
        return state if len(state.model_dump_json().encode()) <= MOST_CARRIED_BYTES else None

    @staticmethod
    def resumed(run: Run, controls: Controls, state: ResearchState) -> "Quest":
        """The research that an earlier history began."""
        quest = Quest(run, controls, state.scope, state.plan)
        quest.rounds, quest.todo, quest.failed_rounds = state.rounds, list(state.todo), state.failed_rounds
        quest.digests, quest.gains = dict(state.digests), [Gain(*each) for each in state.gains]
        run.note(state.cards)
        return quest
