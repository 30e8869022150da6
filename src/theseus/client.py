"""A task seen from outside: started by name, found by id, its result whatever its end."""

import asyncio
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypedDict

from pydantic import JsonValue, ValidationError
from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure
from temporalio.client import (
    Client,
    ScheduleActionStartWorkflow,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
)
from temporalio.common import Priority, SearchAttributeKey, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, CancelledError, FailureError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from theseus.contracts.control import TASK_WORKFLOW, WORKFLOW_OF_MODE
from theseus.contracts.errors import ErrorType, TaskError
from theseus.contracts.task import MAX_INPUT_BYTES, Limits, Mode, TaskResult, TaskStatus, Usage
from theseus.domain.fairness import fairness_key
from theseus.tracing import carrying

Handle = WorkflowHandle[Any, Any]
HELD = timedelta(days=60)
"""How long people may hold a task in all, by a pause or an approval that waits, before Temporal itself ends it."""
_BEFORE_MODE = ("template", "template_name", "force_research")
"""Keys of a context that say how a task is worked on, whatever its mode; that is for what goes on without them."""
SUMMARY_CHARS = 200
SUMMARY_BYTES = 400

GOOD = frozenset({TaskStatus.COMPLETED, TaskStatus.PARTIAL, TaskStatus.DEGRADED, TaskStatus.BUDGET_EXHAUSTED})


class ClientError(Exception):
    """What was asked of a task from outside cannot be; the message says why."""


class UnknownTaskError(ClientError):
    """There is no task of that id."""


class InputTooLargeError(ClientError):
    """The input of a task is larger than is accepted."""


class ForeignWorkflowError(ClientError):
    """A workflow of that id is there, and it is not a task of ours."""


@dataclass(frozen=True)
class Retried:
    """A step that failed and is tried again: in which workflow, which attempt is next or under way, and why the last one failed."""

    workflow_id: str
    step: str
    attempt: int
    why: str


@dataclass(frozen=True)
class Started:
    """A task that runs, and whether it was there before."""

    handle: Handle
    is_new: bool


async def start(client: Client, task_queue: str, task_id: str, task: dict[str, JsonValue]) -> Started:
    """Starts a task, in the trace of the current request; an id that was used before names its task.

    Raises:
        InputTooLargeError: the input is too large.
    """
    _check_size(task)
    try:
        handle = await carrying(client).start_workflow(
            workflow_of(task),
            task,
            id=task_id,
            task_queue=task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            **_terms(task),
        )
    except WorkflowAlreadyStartedError:
        return Started(client.get_workflow_handle(task_id), is_new=False)
    return Started(handle, is_new=True)


def scheduled(task_queue: str, task_id: str, task: dict[str, JsonValue]) -> ScheduleActionStartWorkflow:
    """What a schedule does to start a task; the id of each run is `task_id` and its time, which Temporal appends.

    Raises:
        InputTooLargeError: the input is too large.
    """
    _check_size(task)
    return ScheduleActionStartWorkflow(workflow_of(task), task, id=task_id, task_queue=task_queue, **_terms(task))


def workflow_of(task: dict[str, JsonValue]) -> str:
    """The workflow type for a task input; what says no mode, or asks for more than one in its context, is routed."""
    mode, context = task.get("mode"), task.get("context")
    if isinstance(context, dict) and any(context.get(name) for name in _BEFORE_MODE):
        return TASK_WORKFLOW
    return WORKFLOW_OF_MODE[Mode(mode)] if mode in list(Mode) else TASK_WORKFLOW


async def result_of(handle: Handle) -> TaskResult:
    """Waits for the task's end; whatever it was, it is a TaskResult.

    Raises:
        ForeignWorkflowError: the workflow is not a task.
    """
    try:
        return TaskResult.model_validate(await handle.result())
    except WorkflowFailureError as error:
        if isinstance(error.cause, CancelledError):
            return await _cancelled(handle)
        return _failed(handle.id, error.cause)
    except ValidationError as error:
        raise ForeignWorkflowError(f"{handle.id} is not a task of Theseus: its result has another shape") from error


def is_unknown(error: RPCError) -> bool:
    """Whether Temporal does not know the workflow or schedule that is asked for, or it has ended.

    A namespace that is not there is no such answer: nobody can say then.
    """
    if error.status is not RPCStatusCode.NOT_FOUND:
        return False
    return not any(detail.Is(NamespaceNotFoundFailure.DESCRIPTOR) for detail in error.grpc_status.details)


async def status_of(handle: Handle) -> WorkflowExecutionStatus | None:
    """The task's state in Temporal.

    Raises:
        UnknownTaskError: there is no such task.
    """
    try:
        return (await handle.describe()).status
    except RPCError as error:
        if is_unknown(error):
            raise UnknownTaskError(f"there is no task {handle.id}") from error
        raise


async def retried(client: Client, task_id: str) -> list[Retried]:
    """What a running task, or an agent of it, tries again now."""
    told = (await client.get_workflow_handle(task_id).describe()).raw_description
    agents = [client.get_workflow_handle(child.workflow_id).describe() for child in told.pending_children]
    # an agent may end meanwhile; then it tries nothing any more
    others = [
        each.raw_description
        for each in await asyncio.gather(*agents, return_exceptions=True)
        if not isinstance(each, BaseException)
    ]
    return [
        Retried(
            each.workflow_execution_info.execution.workflow_id,
            step.activity_type.name,
            step.attempt,
            step.last_failure.message,
        )
        for each in (told, *others)
        for step in each.pending_activities
        if step.HasField("last_failure")
    ]


async def _cancelled(handle: Handle) -> TaskResult:
    # Temporal keeps no result of a cancelled workflow; its search attributes say what it cost
    labels = (await handle.describe()).typed_search_attributes
    mode = labels.get(SearchAttributeKey.for_keyword("TaskMode"))
    usage = Usage(
        total_tokens=labels.get(SearchAttributeKey.for_int("TaskTokens")) or 0,
        cost_microusd=round((labels.get(SearchAttributeKey.for_float("TaskCostUsd")) or 0) * 1e6),
    )
    return TaskResult(
        task_id=handle.id,
        status=TaskStatus.CANCELLED,
        session_id=labels.get(SearchAttributeKey.for_keyword("TaskSession")),
        mode=Mode(mode) if mode else None,
        usage=usage,
    )


def _failed(task_id: str, cause: BaseException | None) -> TaskResult:
    if isinstance(cause, ApplicationError) and cause.details:
        try:
            return TaskResult.model_validate(cause.details[0])
        except ValidationError:
            pass
    # not an end of ours: terminated by hand, timed out by the server, or failed outside our code
    said = cause.message if isinstance(cause, FailureError) else str(cause)
    error = TaskError(type=ErrorType.INTERNAL, message=said or type(cause).__name__)
    return TaskResult(task_id=task_id, status=TaskStatus.FAILED, error=error)


class _Terms(TypedDict):
    """What goes along with a task, however it is started."""

    static_summary: str | None
    priority: Priority
    execution_timeout: timedelta


def _terms(task: dict[str, JsonValue]) -> _Terms:
    return _Terms(
        static_summary=_summary(task),
        priority=Priority(fairness_key=fairness_key(task)),
        execution_timeout=_wall_clock(task) + HELD,
    )


def _check_size(task: dict[str, JsonValue]) -> None:
    size = len(json.dumps(task, ensure_ascii=False).encode(errors="replace"))
    if size > MAX_INPUT_BYTES:
        raise InputTooLargeError(f"the task input is {size:,} bytes; at most {MAX_INPUT_BYTES:,} are accepted")


def _summary(task: dict[str, JsonValue]) -> str | None:
    query = task.get("query")
    lines = query.strip().splitlines() if isinstance(query, str) else []
    if not lines:
        return None
    return lines[0][:SUMMARY_CHARS].encode(errors="replace")[:SUMMARY_BYTES].decode(errors="ignore")


def _wall_clock(task: dict[str, JsonValue]) -> timedelta:
    # an input that breaks a rule is refused inside the workflow, which has to start for that
    try:
        limits = Limits.model_validate(task.get("limits") or {})
    except ValidationError:
        limits = Limits()
    return timedelta(seconds=limits.wall_clock_seconds)
