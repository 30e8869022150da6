"""Agents at work for a task: each gets its share of the budget, a history of its own, and comes back with a report."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from theseus.contracts.agent import AgentReport, Assignment
from theseus.contracts.changes import Change
from theseus.contracts.control import SIGNAL_PAUSE, SIGNAL_RESUME, SIGNAL_TOLD, ControlReason, MessageToTask
from theseus.contracts.errors import Denied, ErrorType
from theseus.contracts.messages import Route
from theseus.contracts.plan import Subtask
from theseus.contracts.research import ResearchBrief
from theseus.contracts.task import Limits, Usage
from theseus.domain.budget import set_aside
from theseus.domain.combining import briefing
from theseus.workflows.children import Child, start_agent
from theseus.workflows.run import Run

BRIEFING_TOKENS = 8_000
"""So much of the results that an agent builds on goes into its input; several inputs are scheduled at once."""


def brief(run: Run, subtask: Subtask, inputs: Mapping[str, AgentReport], feedback: str = "") -> str:
    """What the agent of a subtask is told."""
    texts = {name: report.text for name, report in inputs.items()}
    return briefing(run.request, subtask.description, subtask.expected_output, texts, feedback, BRIEFING_TOKENS)


@dataclass(frozen=True)
class Errand:
    """What one agent is sent on: its subtask, what it is told, and at most how much of the budget it may spend."""

    subtask: Subtask
    text: str
    share: Limits
    avoid: tuple[Route, ...] = ()
    name: str = ""
    in_team: bool = False
    research: ResearchBrief | None = None


async def delegate(run: Run, errand: Errand, on_start: Callable[[str], None] = lambda _agent: None) -> AgentReport:
    """Has an agent do an errand. `on_start` is told its path.

    Raises:
        StepFailed: the agent was ended from outside.
        Denied: a person refused what it wanted to do.
        asyncio.CancelledError: the task or this agent was cancelled.
    """
    # nothing is awaited before the share is set aside: agents that start together must not count on the same money
    agent = run.crew.next_agent()
    known = len(run.control.said)
    errand.subtask.agent_id = agent
    grant = set_aside(errand.share)
    run.ledger = run.ledger.reserve(grant)
    report: AgentReport | None = None
    try:
        await run.control.checkpoint("agent.start")
        await run.milestones.flush()
        # it may have been held for long, and people may have spoken meanwhile
        child = await _start(run, replace(errand, text=run.with_said(errand.text, known)), agent)
        on_start(agent)
        run.show()
        report = await child.report()
    finally:
        told = run.crew.release(agent)
        run.approvals.forget(agent)
        left = report or told
        run.ledger = run.ledger.settle(grant, left.usage if left is not None else Usage())
        if left is not None:
            run.absorb(left)
    assert report is not None
    if report.error is not None and report.error.type is ErrorType.DENIED:
        raise Denied(report.error.message)
    return report


async def _start(run: Run, errand: Errand, agent: str) -> Child:
    was_paused, known = run.control.state.is_paused, len(run.control.said)
    assignment = Assignment(
        task=run.task,
        agent=agent,
        name=errand.name,
        subtask=errand.subtask.model_copy(deep=True),
        briefing=errand.text,
        facts=run.facts,
        limits=errand.share,
        deadline=run.deadline - run.time_reserved,
        is_paused=was_paused,
        in_team=errand.in_team,
        research=errand.research,
        is_read_only=run.is_read_only,
        avoid=errand.avoid,
    )
    subtask = errand.subtask
    summary = f"{errand.name or subtask.id} · {subtask.role}: {' '.join(subtask.description.split())}"
    child = await start_agent(assignment, workflow_id=f"{run.task.task_id}/{agent}", summary=summary)
    run.crew.adopt(agent, child)
    await _catch_up(run, child, was_paused=was_paused, known=known)
    return child


async def _catch_up(run: Run, child: Child, *, was_paused: bool, known: int) -> None:
    """Tells an agent what came while it was being started, and so was not handed on to it."""
    state, said = run.control.state, run.control.said[known:] if run.has(Change.TOLD_AT_START) else []
    if state.is_paused and not was_paused:
        await child.signal(SIGNAL_PAUSE, ControlReason(reason=state.pause_reason))
    elif was_paused and not state.is_paused and run.has(Change.LET_GO_AT_START):
        await child.signal(SIGNAL_RESUME, ControlReason())
    for number, text in enumerate(said, start=known):
        await child.signal(SIGNAL_TOLD, MessageToTask(message_id=f"said/{number}", text=text))
