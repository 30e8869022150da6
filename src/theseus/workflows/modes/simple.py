"""Simple mode: one agent, one history."""

from theseus.contracts.events import AgentEvent, AnyFacts
from theseus.contracts.messages import UserMessage
from theseus.contracts.task import AgentRecord, TaskStatus
from theseus.domain.planning import single
from theseus.workflows.answer import Answer, Outcome
from theseus.workflows.consent import consent
from theseus.workflows.patterns.react import react
from theseus.workflows.run import Run
from theseus.workflows.skilled import of_skill, skill_used
from theseus.workflows.strategies import role_of, tools_of

AGENT = "agent"


async def simple(run: Run) -> Answer:
    """The role's agent answers: in one call without tools, by ReAct with them."""
    plan = await consent(run, of_skill(run, single(run.task.query, run.task.role, run.complexity or 0.0)), most=1)
    role, tools = role_of(plan.subtasks[0]), tools_of(run, plan.subtasks[0])
    run.agents.append(f"{role.name}: at work")
    run.milestones.tell(
        AgentEvent,
        type="AGENT_STARTED",
        agent_id=AGENT,
        payload=AnyFacts.model_validate({"role": role.name, "tools": list(tools)}),
    )
    run.enter("thinking")
    talk = run.talk(role)
    talk.say(UserMessage(text=run.request))
    outcome = await react(run, talk, role, tools, run.task.max_iterations)
    run.agents[-1] = f"{role.name}: done, turns: {outcome.turns}"
    run.milestones.tell(
        AgentEvent, type="AGENT_COMPLETED", agent_id=AGENT, payload=AnyFacts.model_validate({"role": role.name})
    )
    return _answer(run, role.name, outcome)


def _answer(run: Run, role: str, outcome: Outcome) -> Answer:
    if outcome.stop_reason in ("max_iterations", "loop") and outcome.tool_calls:
        run.note_degraded(f"the agent was stopped: {outcome.stop_reason} after {outcome.turns} turns")
    if outcome.compiled:
        run.note_degraded("the model gave no final words; the answer is what was found before")
    exhausted = outcome.stop_reason == "budget"
    if outcome.cut_short and not exhausted:
        run.note_degraded("the answer was cut at the output limit of its model call")
    record = AgentRecord(
        agent_id=AGENT,
        role=role,
        status=TaskStatus.BUDGET_EXHAUSTED if exhausted else TaskStatus.COMPLETED,
        turns=outcome.turns,
        tool_calls=outcome.tool_calls,
        usage=run.ledger.spent,
    )
    return Answer(
        text=outcome.text,
        stop_reason=outcome.stop_reason,
        budget_exhausted=exhausted,
        metadata={"agents": [record.model_dump(mode="json")], **skill_used(run)},
    )
