"""The gate before a research begins: a plan that people want to see first is carried out when they say so."""

from datetime import timedelta

from theseus.contracts.control import ApprovalDecision, PendingApproval
from theseus.contracts.research import ResearchPlan
from theseus.domain.research.presets import Controls
from theseus.workflows.consent import agreed
from theseus.workflows.patterns.research.planning import Planner
from theseus.workflows.run import Run


async def reviewed(run: Run, controls: Controls, planner: Planner, plan: ResearchPlan) -> ResearchPlan:
    """The plan as it may be carried out.

    Raises:
        Denied: it was rejected.
        TimedOut: nobody answered in time.
    """
    if not controls.is_reviewed or run.reviews is None:
        return await _approved(run, plan)
    patience = timedelta(seconds=controls.review_seconds)
    run.question = "a review of the research plan"
    while True:
        run.enter(f"plan {plan.version} waits for a review")
        wish = await run.reviews.opinion(plan, patience)
        if not wish:
            break
        run.enter("the plan is changed")
        plan = await planner.again(plan, wish)
    run.question = ""
    return plan


async def _approved(run: Run, plan: ResearchPlan) -> ResearchPlan:
    """A task that asks for approval has it before anybody searches; who reviews a plan has approved it."""
    if run.task.require_approval:
        run.approvals.check = _unchanged
        await agreed(run, "plan", "the task asks for approval", plan.model_dump(mode="json"))
    return plan


def _unchanged(_pending: PendingApproval, decision: ApprovalDecision) -> str:
    if decision.modified_action is None:
        return ""
    return "the plan of a research is changed in words, by its review (context.review_plan: manual)"
