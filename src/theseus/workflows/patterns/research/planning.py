"""The plan of a research: made, checked, mended when people want it otherwise, and never the reason to fail."""

from pydantic import JsonValue

from theseus.contracts.changes import Change
from theseus.contracts.errors import COSTS_A_PHASE, AnswerInvalid, DomainError
from theseus.contracts.messages import UserMessage
from theseus.contracts.research import ResearchDraft, ResearchPlan, Scope
from theseus.domain.conversation import Conversation
from theseus.domain.research.budget import PLANNING
from theseus.domain.research.planning import fallback, faults, trimmed
from theseus.domain.research.presets import Controls
from theseus.roles.researching import RESEARCH_PLANNER
from theseus.workflows.model_calls import ask_on
from theseus.workflows.patterns.research.quest import go_without
from theseus.workflows.run import Run


class Planner:
    """Makes a plan, and further versions of it from what people say."""

    def __init__(self, run: Run, controls: Controls, scope: Scope, recon: str) -> None:
        facts: dict[str, JsonValue] = {
            "most_questions": controls.questions,
            "scope": scope.model_dump(mode="json"),
            "recon": recon,
        }
        self._run = run
        self._most = controls.questions
        self._scope = scope
        self._last: ResearchDraft | None = None
        self._role = RESEARCH_PLANNER.of_tier(controls.write_tier)
        self._talk: Conversation = run.talk(RESEARCH_PLANNER, facts=facts | run.shared_facts())

    async def first(self) -> ResearchPlan:
        """The plan; of one question when no model can make one."""
        self._run.reserve = PLANNING
        self._run.enter("planning")
        self._talk.say(UserMessage(text=self._run.request))
        try:
            draft = await ask_on(self._run, self._talk, self._role, check=self._problem)
        except COSTS_A_PHASE as error:
            return self._cut(error) or self._alone(error)
        return ResearchPlan(idea=draft.idea, questions=draft.questions)

    async def again(self, plan: ResearchPlan, feedback: str) -> ResearchPlan:
        """The next version of a plan; the same questions when no model can make another."""
        self._last = None
        self._talk.say(
            UserMessage(
                text=f"A person reviewed the plan:\n{feedback}\nGive the whole plan again, changed accordingly."
            )
        )
        try:
            draft = await ask_on(self._run, self._talk, self._role, check=self._problem_of_change)
        except COSTS_A_PHASE as error:
            if self._run.has(Change.CHANGED_CUT) and (cut := self._cut(error)) is not None:
                return cut.model_copy(update={"version": plan.version + 1})
            self._run.note_degraded(f"the plan could not be changed as was wished ({error.message[:200]})")
            return plan.model_copy(update={"version": plan.version + 1})
        return ResearchPlan(idea=draft.idea, questions=draft.questions, version=plan.version + 1)

    def _problem(self, draft: ResearchDraft) -> str:
        self._last = draft
        return "; ".join(faults(draft, self._scope, self._most))

    def _problem_of_change(self, draft: ResearchDraft) -> str:
        """What is wrong with a plan as it was wished for: what it leaves out is the reviewer's to say."""
        problem = self._problem(draft)
        if not problem or not self._run.has(Change.REVIEWERS_CHOICE):
            return problem
        return "; ".join(faults(draft, self._scope.model_copy(update={"requirements": []}), self._most))

    def _cut(self, error: DomainError) -> ResearchPlan | None:
        """What is sound of the last plan that was given, where that is anything."""
        if not isinstance(error, AnswerInvalid) or self._last is None:
            return None
        plan = trimmed(self._last, self._most)
        if not plan.questions:
            return None
        self._run.note_degraded(f"the plan was cut to what is sound of it ({error.message[:200]})")
        return plan

    def _alone(self, error: DomainError) -> ResearchPlan:
        words = f"no research plan could be made ({error.message[:200]}); the query is the only question"
        go_without(self._run, error, words)
        return fallback(self._run.request)
