"""The review of a research plan: people see it, say what they think, and it is changed until they approve or reject it."""

from datetime import timedelta
from typing import Any

from temporalio import workflow

from theseus.contracts.control import (
    QUERY_REVIEW_STATE,
    UPDATE_REVIEW_PLAN,
    ReviewDecision,
    ReviewRemark,
    ReviewState,
    UpdateReceipt,
)
from theseus.contracts.errors import Denied, TimedOut
from theseus.contracts.events import AnyFacts, Progressed
from theseus.contracts.research import ResearchPlan
from theseus.workflows import steps
from theseus.workflows.control import refused, valid
from theseus.workflows.milestones import Milestones

MOST_ROUNDS = 10
"""So many times a plan is changed by what people say."""


class Reviews:
    """Built in a workflow's constructor: it registers the query and the Update of a plan's review."""

    def __init__(self, milestones: Milestones) -> None:
        self._milestones = milestones
        self._state = ReviewState()
        self._made: dict[int, ReviewDecision] = {}
        workflow.set_query_handler(QUERY_REVIEW_STATE, lambda: self._state)
        workflow.set_update_handler(UPDATE_REVIEW_PLAN, self._decide, validator=self._check)

    @property
    def is_waiting(self) -> bool:
        """Whether a plan waits for a person."""
        return self._state.status == "waiting"

    @property
    def memory(self) -> ReviewState:
        """What the next run of this workflow still tells of the review."""
        return self._state

    def remember(self, memory: ReviewState) -> None:
        """A review that an earlier run of this workflow had."""
        self._state = memory

    def close(self) -> None:
        """The task has ended: a plan that nobody decided on waits no more."""
        if self._state.status in ("waiting", "replanning"):
            self._state = ReviewState(remarks=self._state.remarks)

    async def opinion(self, plan: ResearchPlan, patience: timedelta) -> str:
        """Shows a version of a plan and waits for what people say of it: words to change it by, or "" to carry it out.

        Raises:
            Denied: they reject it.
            TimedOut: nobody answered in time.
        """
        rounds_left = self._state.rounds_left if self._state.plan is not None else MOST_ROUNDS
        # each version has the whole time: what its making took is not the reader's
        deadline = steps.now() + patience
        self._state = self._state.model_copy(
            update={
                "status": "waiting",
                "version": plan.version,
                "plan": plan,
                "deadline": deadline,
                "rounds_left": rounds_left,
            }
        )
        kind = "RESEARCH_PLAN_READY" if plan.version == 1 else "RESEARCH_PLAN_UPDATED"
        self._tell(kind, plan.idea, {"version": plan.version, "plan": plan.model_dump(mode="json")})
        await self._milestones.flush()
        try:
            await workflow.wait_condition(
                lambda: plan.version in self._made,
                timeout=max(deadline - steps.now(), timedelta()),
                timeout_summary=f"review of the plan, version {plan.version}",
            )
        except TimeoutError as error:
            self._state = self._state.model_copy(update={"status": "timed_out"})
            seconds = patience.total_seconds()
            raise TimedOut(
                f"nobody reviewed the research plan within {seconds:g} s (context.review_timeout)"
            ) from error
        return self._opinion(self._made[plan.version])

    def _opinion(self, decision: ReviewDecision) -> str:
        if decision.action == "reject":
            raise Denied(f"the research plan was rejected{_by(decision)}: {decision.message or 'no reason was given'}")
        if decision.action == "approve":
            self._tell("RESEARCH_PLAN_APPROVED", decision.message, {"version": self._state.version})
            return ""
        return decision.message

    def _check(self, payload: Any = None) -> None:
        decision = valid(ReviewDecision, payload)
        version = decision.expected_version or self._state.version
        if version in self._made and self._made[version] == decision:
            return
        if self._state.status == "none":
            raise refused("NoReview", "no plan of this task waits for a review")
        if version != self._state.version:
            words = f"the plan is at version {self._state.version} now, not {version}: look at it again (query review_state)"
            raise refused("StaleVersion", words)
        if self._state.status == "replanning":
            raise refused("NoReview", f"version {version} is being changed: wait for the next one (query review_state)")
        if not self.is_waiting:
            raise refused("NoReview", f"the plan's review is over: it is {self._state.status}")
        if decision.action == "feedback" and not decision.message.strip():
            raise refused("InvalidUpdate", "message: say what to change in the plan")
        if decision.action == "feedback" and not self._state.rounds_left:
            raise refused("NoRoundsLeft", f"the plan was changed {MOST_ROUNDS} times: approve or reject it")

    async def _decide(self, payload: Any = None) -> UpdateReceipt:
        decision = ReviewDecision.model_validate(payload)
        version = decision.expected_version or self._state.version
        if version in self._made:
            return UpdateReceipt(accepted=True, detail="received before")
        self._made[version] = decision
        remark = ReviewRemark(version=version, message=decision.message, reviewed_by=decision.reviewed_by)
        status = {"approve": "approved", "reject": "rejected", "feedback": "replanning"}[decision.action]
        self._state = self._state.model_copy(
            update={
                "status": status,
                "remarks": [*self._state.remarks, remark],
                "rounds_left": self._state.rounds_left - (decision.action == "feedback"),
            }
        )
        facts = {"action": decision.action, "version": version, "reviewed_by": decision.reviewed_by}
        self._tell("REVIEW_USER_FEEDBACK", decision.message[:500], facts)
        return UpdateReceipt(accepted=True, detail=f"version {version}: {status}")

    def _tell(self, kind: str, words: str, facts: dict[str, Any]) -> None:
        self._milestones.tell(Progressed, type=kind, message=words, payload=AnyFacts.model_validate(facts))


def _by(decision: ReviewDecision) -> str:
    return f" by {decision.reviewed_by}" if decision.reviewed_by else ""
