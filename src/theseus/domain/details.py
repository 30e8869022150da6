"""The live details of a task, as people read them in the Temporal UI."""

from collections.abc import Mapping, Sequence

from theseus.contracts.control import ControlState
from theseus.contracts.plan import Plan, SubtaskState
from theseus.contracts.task import Limits, Usage

_MARKS = {
    SubtaskState.PENDING: "·",
    SubtaskState.RUNNING: "▶",
    SubtaskState.DONE: "✔",
    SubtaskState.FAILED: "✘",
    SubtaskState.SKIPPED: "-",
}


def details(heading: str, state: ControlState, why: str, spent: Usage, limits: Limits, *more: Sequence[str]) -> str:
    """Markdown: where the task stands, what it waits for or why it ended, what it has spent, and further lists of lines."""
    parts = [f"**{heading}**"]
    if state.is_paused:
        parts.append(f"**Paused**{_because(state.pause_reason, state.paused_by)}: held at `{state.checkpoint}`")
    if why:
        parts.append(why)
    lines = [
        f"tokens {spent.total_tokens:,} of {limits.tokens:,}",
        f"cost {spent.cost_microusd / 1e6:.6f} of {limits.cost_microusd / 1e6:.2f} USD",
        *(line for group in more for line in group),
    ]
    parts.append("\n".join(f"- {line}" for line in lines))
    return "\n\n".join(parts)


def ticked(plan: Plan | None) -> list[str]:
    """A plan's parts with their states; none for a plan of one."""
    if plan is None or len(plan.subtasks) == 1:
        return []
    return [
        f"{_MARKS[s.state]} **{s.id}** ({s.role}"
        + (f", after {', '.join(s.depends_on)}" if s.depends_on else "")
        + (f", {s.agent_id}" if s.agent_id else "")
        + (f": {s.note}" if s.note else "")
        + ")"
        for s in plan.subtasks
    ]


def spending(calls: Mapping[str, int], tokens: Mapping[str, int]) -> list[str]:
    """A line for each route: how often it was called and what it took."""
    return [f"{route}: {count} call{'s' * (count != 1)}, {tokens[route]:,} tokens" for route, count in calls.items()]


def _because(reason: str, who: str) -> str:
    parts = ([f"by {who}"] if who else []) + ([f"({reason})"] if reason else [])
    return " " + " ".join(parts) if parts else ""
