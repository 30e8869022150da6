"""From the work of agents to a mode's answer: of one agent in the task's own history, or of a team."""

from collections.abc import Mapping

from theseus.contracts.agent import AgentReport
from theseus.contracts.errors import DomainError, ErrorType, StepFailed
from theseus.contracts.plan import Plan, SubtaskState
from theseus.contracts.task import AgentRecord, TaskStatus
from theseus.domain.combining import with_gaps
from theseus.domain.planning import gaps
from theseus.workflows.answer import Answer, Outcome
from theseus.workflows.run import Run
from theseus.workflows.strategies import work_on

ALONE = "agent"


async def alone(run: Run, plan: Plan) -> Answer:
    """The only subtask of a plan, worked on in the task's own history."""
    subtask = plan.subtasks[0]
    subtask.state, subtask.agent_id = SubtaskState.RUNNING, ALONE
    run.agents.append(f"{subtask.role}: at work")
    run.enter("working")
    try:
        worked = await work_on(run, subtask, subtask.description, window=True)
    except DomainError as error:
        subtask.state, subtask.note = SubtaskState.FAILED, error.message[:200]
        raise
    subtask.state = SubtaskState.DONE
    run.agents[-1] = f"{subtask.role}: done, turns: {worked.outcome.turns}"
    outcome = worked.outcome
    if outcome.stop_reason in ("max_iterations", "loop"):
        run.note_degraded(f"the agent was stopped: {outcome.stop_reason} after {outcome.turns} turns")
    if outcome.cut_short and outcome.stop_reason != "budget":
        run.note_degraded("the answer was cut at the output limit of its model call")
    record = AgentRecord(
        agent_id=ALONE,
        role=subtask.role,
        status=TaskStatus.BUDGET_EXHAUSTED if outcome.stop_reason == "budget" else TaskStatus.COMPLETED,
        turns=outcome.turns,
        tool_calls=outcome.tool_calls,
        usage=run.ledger.spent,
    )
    return Answer(
        text=outcome.text,
        stop_reason=outcome.stop_reason,
        budget_exhausted=outcome.stop_reason == "budget",
        metadata={"agents": [record.model_dump(mode="json")], "plan": plan.model_dump(mode="json")},
    )


def of_team(run: Run, plan: Plan, results: Mapping[str, AgentReport], outcome: Outcome) -> Answer:
    """The answer of a team: it names what is missing, and tells each agent's part.

    Raises:
        StepFailed: nobody brought a result.
    """
    missing = gaps(plan)
    if not results:
        raise StepFailed(reason_of(run), f"no agent brought a result: {'; '.join(missing)}"[:2000])
    exhausted = outcome.stop_reason == "budget" or ran_out(run)
    if outcome.cut_short and not exhausted:
        run.note_degraded("the answer was cut at the output limit of its model call")
    return Answer(
        text=with_gaps(outcome.text, missing),
        stop_reason="budget" if exhausted else outcome.stop_reason,
        budget_exhausted=exhausted,
        gaps=missing,
        metadata={
            "agents": [record.model_dump(mode="json") for record in run.records()],
            "plan": plan.model_dump(mode="json"),
        },
    )


def ran_out(run: Run) -> bool:
    """Whether an agent of the task was stopped by its budget, or could not begin for want of it."""
    spent = any(report.status is TaskStatus.BUDGET_EXHAUSTED for report in run.reports)
    return spent or ErrorType.BUDGET_EXHAUSTED in run.failures


def texts(results: Mapping[str, AgentReport]) -> dict[str, str]:
    """What the agents wrote, by subtask."""
    return {name: report.text for name, report in results.items()}


def reason_of(run: Run) -> ErrorType:
    """The kind of failure of the parts, where they agree."""
    kinds = run.failures
    return kinds[0] if kinds and all(kind is kinds[0] for kind in kinds) else ErrorType.INTERNAL
