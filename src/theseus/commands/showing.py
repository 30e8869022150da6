"""Events and results as lines for people."""

import json
from collections.abc import Sequence

from pydantic import JsonValue

from theseus.client import Retried
from theseus.contracts.control import ControlState, PendingApproval, Progress
from theseus.contracts.events import (
    FINAL_OUTPUT,
    AgentEvent,
    BudgetThreshold,
    Event,
    LLMOutput,
    LLMPartial,
    LLMPrompt,
    Progressed,
    StreamEnd,
    ToolInvoked,
    ToolObservation,
    WorkflowCompleted,
    WorkflowControl,
    WorkflowFailed,
    WorkflowStarted,
)
from theseus.contracts.task import TaskResult, Usage

SHOWN_CHARS = 160
PROPOSED_CHARS = 2_000


def line_of(event: Event, *, answer: bool = False) -> str | None:
    """One line for an event; None for those that tell a person nothing. `answer` shows the answer's text too."""
    match event:
        case LLMPartial() | LLMPrompt() | WorkflowCompleted():
            return None
        case LLMOutput(agent_id=agent) if agent == FINAL_OUTPUT:
            return f"  {event.message}" if answer else None
        case LLMOutput():
            return f"  model  {event.payload.provider}/{event.payload.model_used}: {spent(event.payload.usage)}"
        case ToolInvoked():
            params = json.dumps(event.payload.params, ensure_ascii=False)
            return f"  tool   {event.payload.tool} {cut(params)}"
        case ToolObservation():
            verb = "gave" if event.payload.success else "failed:"
            return f"  tool   {event.payload.tool} {verb} {cut(event.message)} ({event.payload.duration_ms} ms)"
        case WorkflowStarted():
            return "  started"
        case StreamEnd():
            return f"  {event.payload.status}, {spent(event.payload.usage)}"
        case WorkflowControl() | WorkflowFailed() | AgentEvent() | BudgetThreshold() | Progressed():
            words = event.type.removeprefix("WORKFLOW_").replace("_", " ").lower()
            return f"  {words}{': ' + cut(event.message) if event.message else ''}"


def spent(usage: Usage) -> str:
    """Tokens and money in words."""
    cached = f", {usage.cached_tokens:,} cached" if usage.cached_tokens else ""
    return f"{usage.total_tokens:,} tokens ({usage.input_tokens:,} in, {usage.output_tokens:,} out{cached}), {money(usage)}"


def money(usage: Usage) -> str:
    """The cost in US dollars; four digits after the first that is not zero would be too many."""
    return f"${usage.cost_microusd / 1e6:.6f}".rstrip("0").rstrip(".") if usage.cost_microusd else "$0"


def ending(result: TaskResult) -> str:
    """How a task ended, for the terminal."""
    model = f", {result.provider}/{result.model_used}" if result.model_used else ""
    session = f", session {result.session_id}" if result.session_id else ""
    why = f": {result.error.message}" if result.error else ""
    return f"{result.status}{why} - {spent(result.usage)}{model}{session}"


def state_lines(
    task_id: str,
    progress: Progress,
    control: ControlState,
    pending: Sequence[PendingApproval],
    failing: Sequence[Retried] = (),
) -> list[str]:
    """A running task, for the terminal, with what is tried again and what waits for a person's yes."""
    held = f"paused at {control.checkpoint or 'its next checkpoint'}" if control.is_paused else "running"
    rows = {
        "task": task_id,
        "status": held + (f" ({control.pause_reason})" if control.pause_reason else ""),
        "mode": str(progress.mode or "not chosen yet"),
        "phase": progress.phase,
        "waits for": progress.waiting_for,
        "agents": ", ".join(progress.agents),
        "spent": f"{spent(progress.usage)}; limits {progress.budget.tokens:,} tokens, ${progress.budget.cost_microusd / 1e6:g}",
    }
    again = [
        f"{'retrying':<10} {_of_agent(task_id, each)}{each.step}, attempt {each.attempt}: {cut(each.why)}"
        for each in failing
    ]
    asked = [
        line
        for each in pending
        for line in (
            f"{'approve':<10} {each.approval_id}: {each.reason}, until {each.deadline:%Y-%m-%d %H:%M:%S} UTC",
            f"{'':<10} {cut(json.dumps(_proposed(each.action), ensure_ascii=False), PROPOSED_CHARS)}",
        )
    ]
    return [*(f"{name:<10} {value}" for name, value in rows.items() if value), *again, *asked]


def _proposed(action: JsonValue) -> JsonValue:
    """A tool's arguments are the text that the model wrote: where that is JSON, it is shown as `--change` takes it."""
    match action:
        case {"arguments": str() as written}:
            try:
                return {**action, "arguments": json.loads(written)}
            except ValueError:
                return action
        case _:
            return action


def _of_agent(task_id: str, step: Retried) -> str:
    return "" if step.workflow_id == task_id else f"{step.workflow_id.removeprefix(f'{task_id}/')}: "


def cut(text: str, chars: int = SHOWN_CHARS) -> str:
    """The head of a text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= chars else f"{line[: chars - 1]}…"
