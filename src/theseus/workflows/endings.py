"""How a task ends: its result, its last events, its search attributes."""

from collections.abc import Iterable

from pydantic import JsonValue

from theseus.contracts.agent import AgentReport
from theseus.contracts.archive import TaskRecord
from theseus.contracts.control import ControlState
from theseus.contracts.errors import DomainError, ErrorType, TaskError
from theseus.contracts.events import (
    FINAL_OUTPUT,
    EndFacts,
    FailureFacts,
    LLMOutput,
    OutputFacts,
    PausedFacts,
    StreamEnd,
    WorkflowCompleted,
    WorkflowControl,
    WorkflowFailed,
)
from theseus.contracts.task import MemoryUse, ModelUse, TaskMetadata, TaskResult, TaskStatus
from theseus.domain.parsing import response_of
from theseus.workflows import steps
from theseus.workflows.answer import Answer
from theseus.workflows.milestones import Milestones
from theseus.workflows.run import Run

SHOWN_CHARS = 10_000
AT_WORK = ": at work"


def rest(run: Run, result: TaskResult, state: ControlState) -> None:
    """Shows people how a task has ended: nobody is at work for it, and it waits for nothing any more."""
    for each in (run, *run.parts):
        each.question = ""
        each.agents = [agent.replace(AT_WORK, ": stopped") for agent in each.agents]
    if result.error is not None:
        run.ending = f"{result.error.type}: {result.error.message}"
    elif result.status is TaskStatus.CANCELLED:
        run.ending = ": ".join(part for part in (f"by {state.cancelled_by or 'someone'}", state.cancel_reason) if part)
    run.enter(str(result.status))


def result(run: Run, answer: Answer) -> TaskResult:
    """The result of a task that has an answer."""
    if answer.budget_exhausted:
        status = TaskStatus.BUDGET_EXHAUSTED
    elif answer.gaps:
        status = TaskStatus.PARTIAL
    else:
        status = TaskStatus.DEGRADED if run.degraded else TaskStatus.COMPLETED
    made = _base(run.task.task_id, run, status)
    more: dict[str, JsonValue] = {"stop_reason": answer.stop_reason}
    if answer.gaps and (found := _left_behind(run)):
        more["found"] = found
    metadata = TaskMetadata.model_validate(made.metadata.model_dump() | more | answer.metadata)
    return made.model_copy(update={"result": answer.text, "response": response_of(answer.text), "metadata": metadata})


def failure(task_id: str, run: Run | None, error: DomainError) -> TaskResult:
    """The result of a task that has none: it says why, and keeps what was spent."""
    status = TaskStatus.TIMED_OUT if error.type is ErrorType.TIMED_OUT else TaskStatus.FAILED
    status = TaskStatus.DENIED if error.type is ErrorType.DENIED else status
    made = _base(task_id, run, status)
    if run is not None and (found := _found(run)):
        kept = TaskMetadata.model_validate(made.metadata.model_dump() | {"found": found})
        made = made.model_copy(update={"metadata": kept})
    return made.model_copy(update={"error": TaskError(type=error.type, message=error.message, field=error.field)})


def cancellation(task_id: str, run: Run | None) -> TaskResult:
    """The result of a cancelled task, for its last events: Temporal keeps none."""
    return _base(task_id, run, TaskStatus.CANCELLED)


def tell_completed(milestones: Milestones, result: TaskResult) -> None:
    """The answer, and that it was the last."""
    output = OutputFacts(
        usage=result.usage,
        model_used=result.model_used or "",
        provider=result.provider or "",
        text_cut=len(result.result) > SHOWN_CHARS,
    )
    milestones.tell(LLMOutput, agent_id=FINAL_OUTPUT, message=result.result[:SHOWN_CHARS], payload=output)
    milestones.tell(WorkflowCompleted, message=str(result.status), payload=_end(result))
    milestones.tell(StreamEnd, payload=_end(result))


def tell_failed(milestones: Milestones, result: TaskResult) -> None:
    """Why there is no answer."""
    error = result.error
    facts = FailureFacts(error_type=error.type if error else ErrorType.INTERNAL, field=error.field if error else None)
    milestones.tell(WorkflowFailed, message=error.message if error else "", payload=facts)
    milestones.tell(StreamEnd, payload=_end(result))


def tell_cancelled(milestones: Milestones, result: TaskResult, state: ControlState) -> None:
    """Who stopped the task, and where."""
    facts = PausedFacts(checkpoint=state.checkpoint, reason=state.cancel_reason, requested_by=state.cancelled_by)
    milestones.tell(WorkflowControl, type="WORKFLOW_CANCELLED", message=state.cancel_reason, payload=facts)
    milestones.tell(StreamEnd, payload=_end(result))


def record(run: Run, result: TaskResult) -> TaskRecord:
    """What is kept of the task for good; how it was started, a gateway knows better."""
    task = run.task
    return TaskRecord(
        task_id=task.task_id,
        tenant_id=task.session.tenant_id,
        user_id=task.session.user_id,
        session_id=task.session.session_id,
        query=task.query,
        context=task.context.model_dump(mode="json", exclude_defaults=True, exclude={"attachments"}),
        mode=run.mode,
        trigger="schedule" if steps.schedule_id() else "other",
        schedule_id=steps.schedule_id(),
        created_at=steps.started_at(),
        completed_at=steps.now(),
        outcome=result,
    )


def attributes(result: TaskResult) -> dict[str, str | int | float]:
    """The search attributes of a finished task."""
    return {
        "TaskStatus": str(result.status),
        "TaskTokens": result.usage.total_tokens,
        "TaskCostUsd": result.usage.cost_microusd / 1e6,
    }


def _base(task_id: str, run: Run | None, status: TaskStatus) -> TaskResult:
    if run is None:
        return TaskResult(task_id=task_id, status=status)
    metadata = TaskMetadata(
        model_breakdown=_breakdown(run),
        degraded=run.degraded,
        failovers=run.failovers,
        complexity=run.complexity,
        agents=run.records(),
        plan=run.plan,
        window=_window(run),
        memory=_memory(run),
    )
    return TaskResult(
        task_id=task_id,
        status=status,
        session_id=run.task.session.session_id,
        mode=run.mode,
        usage=run.ledger.spent,
        model_used=run.last_route.model if run.last_route else None,
        provider=run.last_route.provider if run.last_route else None,
        metadata=metadata,
    )


def _found(run: Run) -> str:
    """What the task had found when it failed."""
    return "\n\n".join(text for text in [*_texts(run.reports), run.found()] if text)[:SHOWN_CHARS]


def _left_behind(run: Run) -> str:
    """What the agents that failed had found: their parts are missing in the answer."""
    return "\n\n".join(_texts(report for report in run.reports if not report.is_usable))[:SHOWN_CHARS]


def _texts(reports: Iterable[AgentReport]) -> list[str]:
    return [f"## {report.agent}\n{report.text}" for report in reports if report.text.strip()]


def _breakdown(run: Run) -> list[ModelUse]:
    cost, tokens = run.ledger.spent.cost_microusd, run.ledger.spent.total_tokens
    return [
        ModelUse(
            model=route.model,
            provider=route.provider,
            executions=use.calls,
            tokens=use.usage.total_tokens,
            cost_microusd=use.usage.cost_microusd,
            percentage=(
                100 * use.usage.cost_microusd // cost if cost else 100 * use.usage.total_tokens // max(tokens, 1)
            ),
        )
        for route, use in run.routes.items()
    ]


def _window(run: Run) -> dict[str, JsonValue] | None:
    if run.window is None:
        return None
    return {
        "messages": len(run.window.before) + len(run.window.after),
        "summarised": bool(run.window.summary),
        "tokens": run.window_tokens,
    }


def _end(result: TaskResult) -> EndFacts:
    return EndFacts(status=str(result.status), usage=result.usage)


def _memory(run: Run) -> MemoryUse | None:
    """What the task used of its user's memory and added to it; None for a task without memory."""
    recalled = run.facts.recalled
    if recalled is None:
        return None
    problems = [problem for problem in (recalled.problem, run.memory_problem) if problem]
    return MemoryUse(
        recalled=[fact.id for fact in recalled.facts], kept=list(run.kept), problem="; ".join(problems) or None
    )
