"""The gate before a research begins: a plan that people want to see first is carried out when they say so."""

from datetime import timedelta

from theseus.contracts.research import ResearchPlan
from theseus.domain.research.presets import Controls
from theseus.workflows.patterns.research.planning import Planner
from theseus.workflows.run import Run


async def reviewed(run: Run, controls: Controls, planner: Planner, plan: ResearchPlan) -> ResearchPlan:
    """The plan as it may be carried out.

    Raises:
        Denied: it was rejected.
        TimedOut: nobody answered in time.
    """
    if not controls.is_reviewed or run.reviews is None:
        return plan
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
