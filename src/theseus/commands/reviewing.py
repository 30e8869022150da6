"""`theseus review`: the plan of a research that waits for a person, and what the person says of it."""

from temporalio.service import RPCError

from theseus.client import Handle
from theseus.commands.deciding import gone, update
from theseus.commands.terminal import client, out
from theseus.contracts.control import QUERY_REVIEW_STATE, UPDATE_REVIEW_PLAN, ReviewDecision, ReviewState


async def show_plan(task_id: str) -> int:
    """Prints the plan, its version and what was said about it."""
    handle: Handle = (await client()).get_workflow_handle(task_id)
    try:
        state = await handle.query(QUERY_REVIEW_STATE, result_type=ReviewState)
    except RPCError as error:
        raise await gone(error, handle) from error
    for line in lines(task_id, state):
        out(line)
    return 0


async def review_plan(task_id: str, action: str, message: str, version: int | None, who: str) -> int:
    """Approves, rejects or comments on the plan."""
    handle: Handle = (await client()).get_workflow_handle(task_id)
    decision = ReviewDecision(action=action, message=message, expected_version=version, reviewed_by=who)
    receipt = await update(handle, UPDATE_REVIEW_PLAN, decision)
    out(f"{task_id} {receipt.detail}")
    return 0


def lines(task_id: str, state: ReviewState) -> list[str]:
    """What the terminal shows of a review."""
    if state.plan is None:
        return [f"task {task_id} has no plan that waits for a review"]
    until = f", until {state.deadline:%Y-%m-%d %H:%M:%S} UTC" if state.deadline and state.status == "waiting" else ""
    found = [f"plan {state.version}: {state.status}{until}"]
    if state.plan.idea:
        found.append(f"  {state.plan.idea}")
    for question in state.plan.questions:
        after = f" (after {', '.join(question.depends_on)})" if question.depends_on else ""
        found.append(f"  {question.id}: {question.question}{after}")
        found += [
            f"    - {facet.text}{'' if facet.must else ' (nice to have)'}"
            + (f", from {facet.domains} independent websites" if facet.domains > 1 else "")
            for facet in question.facets
        ]
    found += [
        f"  said of {each.version} by {each.reviewed_by or 'someone'}: {each.message}"
        for each in state.remarks
        if each.message
    ]
    return found
