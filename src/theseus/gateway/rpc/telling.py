"""What we know of tasks, as the messages of the protocol tell it; made from REST's answers where there is one."""

from collections.abc import Mapping
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from theseus.contracts.plan import Plan, SubtaskState
from theseus.contracts.task import AgentRecord
from theseus.gateway.rpc.protocol import orchestrator_pb2 as wire
from theseus.gateway.rpc.protocol import shared_pb2 as shared
from theseus.gateway.tasks import Found
from theseus.gateway.wire.tasks import STATUS_OF, TaskAnswer, TaskLine, UsageAnswer

MOST_INT32 = 2**31 - 1

_MODES: Mapping[object, shared.ExecutionMode] = {
    "simple": shared.EXECUTION_MODE_SIMPLE,
    "standard": shared.EXECUTION_MODE_STANDARD,
    "complex": shared.EXECUTION_MODE_COMPLEX,
    "supervisor": shared.EXECUTION_MODE_COMPLEX,
    "research": shared.EXECUTION_MODE_COMPLEX,
    "template": shared.EXECUTION_MODE_COMPLEX,
}
_OVER = (SubtaskState.DONE, SubtaskState.FAILED, SubtaskState.SKIPPED)
_STATE_OF: Mapping[SubtaskState, wire.TaskStatus] = {
    SubtaskState.PENDING: wire.TASK_STATUS_QUEUED,
    SubtaskState.RUNNING: wire.TASK_STATUS_RUNNING,
    SubtaskState.DONE: wire.TASK_STATUS_COMPLETED,
    SubtaskState.FAILED: wire.TASK_STATUS_FAILED,
    SubtaskState.SKIPPED: wire.TASK_STATUS_CANCELLED,
}


def execution_mode(mode: object) -> shared.ExecutionMode:
    """The mode, as far as the wire tells them apart; that of nothing is UNSPECIFIED."""
    return _MODES.get(mode, shared.EXECUTION_MODE_UNSPECIFIED)


def timestamp(at: datetime | None) -> Timestamp | None:
    """A time; None stays absent."""
    if at is None:
        return None
    told = Timestamp()
    told.FromDatetime(at)
    return told


def token_usage(usage: UsageAnswer, model: str = "", provider: str = "") -> shared.TokenUsage:
    """Tokens and US dollars."""
    return shared.TokenUsage(
        prompt_tokens=min(usage.prompt_tokens, MOST_INT32),
        completion_tokens=min(usage.completion_tokens, MOST_INT32),
        total_tokens=min(usage.total_tokens, MOST_INT32),
        cost_usd=usage.cost_usd,
        model=model,
        provider=provider,
    )


def task(found: Found, *, with_agents: bool) -> wire.GetTaskStatusResponse:
    """Where a task is, or how it ended."""
    answer = TaskAnswer.of(found)
    return wire.GetTaskStatusResponse(
        task_id=answer.task_id,
        status=answer.status,
        progress=_progress(found, answer),
        result=answer.result or "",
        metrics=_metrics(found, answer),
        agent_statuses=_agents(found) if with_agents else (),
        error_message=answer.error or "",
    )


def summary(found: Found) -> wire.TaskSummary:
    """One task of a list."""
    return line_summary(TaskLine.of(found))


def line_summary(line: TaskLine) -> wire.TaskSummary:
    """One task of a list of REST."""
    return wire.TaskSummary(
        task_id=line.task_id,
        query=line.query,
        status=line.status,
        mode=execution_mode(line.mode),
        created_at=timestamp(line.created_at),
        completed_at=timestamp(line.completed_at),
        total_token_usage=token_usage(line.total_token_usage),
    )


def _progress(found: Found, answer: TaskAnswer) -> float:
    if answer.status == "TASK_STATUS_COMPLETED":
        return 1.0
    plan = _plan(found)
    if plan is None or not plan.subtasks:
        return 0.0
    return sum(each.state in _OVER for each in plan.subtasks) / len(plan.subtasks)


def _metrics(found: Found, answer: TaskAnswer) -> shared.ExecutionMetrics:
    took = answer.completed_at - answer.created_at if answer.completed_at is not None else None
    usage = token_usage(answer.usage, answer.model_used or "", answer.provider or "") if answer.usage else None
    return shared.ExecutionMetrics(
        latency_ms=round(took.total_seconds() * 1000) if took is not None else 0,
        token_usage=usage,
        agents_used=len(_names(found)),
        mode=execution_mode(answer.mode),
    )


def _plan(found: Found) -> Plan | None:
    if found.record.outcome is not None:
        return found.record.outcome.metadata.plan
    return found.progress.plan if found.progress is not None else None


def _names(found: Found) -> list[str]:
    if found.record.outcome is not None:
        return [agent.agent_id for agent in found.record.outcome.metadata.agents]
    return found.progress.agents if found.progress is not None else []


def _agents(found: Found) -> list[wire.AgentTaskStatus]:
    """Those that worked, each with what it cost; while the task runs, those of its plan."""
    plan = _plan(found)
    parts = {each.agent_id: each for each in plan.subtasks if each.agent_id} if plan is not None else {}
    if found.record.outcome is None:
        return [
            wire.AgentTaskStatus(agent_id=name, task_id=part.id, status=_STATE_OF[part.state])
            for name, part in parts.items()
        ]
    return [
        _agent(agent, parts[agent.agent_id].id if agent.agent_id in parts else "")
        for agent in found.record.outcome.metadata.agents
    ]


def _agent(agent: AgentRecord, part: str) -> wire.AgentTaskStatus:
    return wire.AgentTaskStatus(
        agent_id=agent.agent_id,
        task_id=part,
        status=STATUS_OF[agent.status],
        token_usage=token_usage(UsageAnswer.of(agent.usage)),
    )
