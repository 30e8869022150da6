"""SubmitTask: the task that a message asks for, as REST's body has it, and its start."""

import math
from collections.abc import Mapping

from google.protobuf.json_format import MessageToDict
from pydantic import JsonValue

from theseus.contracts.errors import InvalidInput
from theseus.contracts.task import TaskContext, TaskInput
from theseus.gateway.callers import Caller
from theseus.gateway.once import fingerprint
from theseus.gateway.rpc.call import Call
from theseus.gateway.rpc.protocol import orchestrator_pb2 as wire
from theseus.gateway.rpc.protocol import shared_pb2 as shared
from theseus.gateway.rpc.telling import execution_mode

MOST_ID = 128
LIFTED = tuple(
    sorted(
        TaskInput.model_fields.keys()
        - TaskContext.model_fields.keys()
        - {"query", "context", "task_id", "session_id", "user_id", "tenant_id", "require_approval"}
    )
)
"""Keys of a task that the message has no field for: its context brings them."""

_LABELS = ("mode", "workflow")
_WORKFLOWS: Mapping[str, str] = {"dag": "complex"}
_MODES: Mapping[shared.ExecutionMode, str] = {
    shared.EXECUTION_MODE_SIMPLE: "simple",
    shared.EXECUTION_MODE_STANDARD: "standard",
    shared.EXECUTION_MODE_COMPLEX: "complex",
}


async def submit(asked: wire.SubmitTaskRequest, call: Call) -> wire.SubmitTaskResponse:
    """Starts a task; the same request with the same id names the task that it made."""
    call.caller.require("tasks:write")
    caller = call.acting_for(asked.metadata.user_id, asked.metadata.tenant_id)
    raw = task_of(asked)
    taken = await call.backend.tasks.submit(raw, caller, fingerprint=_fingerprint(asked, caller), trigger="grpc")
    call.metadata.update({"x-workflow-id": taken.task_id, "x-session-id": taken.session_id})
    return wire.SubmitTaskResponse(
        workflow_id=taken.task_id,
        task_id=taken.task_id,
        status=shared.STATUS_CODE_OK,
        decomposition=wire.TaskDecomposition(mode=execution_mode(raw.get("mode"))),
        message="Task submitted successfully" if taken.is_new else "Task was submitted before",
    )


def task_of(asked: wire.SubmitTaskRequest) -> dict[str, JsonValue]:
    """The task as JSON.

    Raises:
        InvalidInput: a field is set that has no effect, or cannot be told as JSON.
    """
    _refuse_without_effect(asked)
    context = _json(asked)
    raw: dict[str, JsonValue] = {name: context.pop(name) for name in LIFTED if name in context}
    raw |= {"query": asked.query, "context": context}
    if mode := _mode(asked):
        raw["mode"] = mode
    if asked.metadata.session_id:
        raw["session_id"] = asked.metadata.session_id
    if asked.metadata.max_agents:
        raw["max_concurrent_agents"] = asked.metadata.max_agents
    if asked.metadata.token_budget:
        raw["limits"] = _limits(raw.get("limits"), asked.metadata.token_budget)
    if asked.require_approval:
        raw["require_approval"] = True
    return raw


def _refuse_without_effect(asked: wire.SubmitTaskRequest) -> None:
    plan = asked.manual_decomposition
    if plan.agent_tasks or plan.dag.nodes or plan.dag.edges or plan.complexity_score:
        field = "manual_decomposition"
        raise InvalidInput(
            f"{field}: only its mode has an effect; tasks plan by themselves, and context.template runs a plan",
            field=field,
        )
    if asked.session_context.ByteSize():
        field = "session_context"
        raise InvalidInput(f"{field}: has no effect; metadata.session_id names the session to go on with", field=field)
    if unknown := sorted(set(asked.metadata.labels) - set(_LABELS)):
        field = f"metadata.labels.{unknown[0]}"
        raise InvalidInput(f"{field}: has no effect; known labels: {', '.join(_LABELS)}", field=field)


def _json(asked: wire.SubmitTaskRequest) -> dict[str, JsonValue]:
    try:
        return MessageToDict(asked.context)
    except ValueError as error:
        raise InvalidInput("context: holds a number that JSON has not, such as NaN", field="context") from error


def _mode(asked: wire.SubmitTaskRequest) -> str:
    labels = dict(asked.metadata.labels)
    if workflow := labels.get("workflow"):
        return _WORKFLOWS.get(workflow, workflow)
    if mode := labels.get("mode"):
        return mode
    number = asked.manual_decomposition.mode
    if number and number not in _MODES:
        raise InvalidInput(f"manual_decomposition.mode: there is no mode {number}", field="manual_decomposition.mode")
    return _MODES.get(number, "")


def _limits(given: JsonValue, token_budget: float) -> JsonValue:
    if not math.isfinite(token_budget):
        raise InvalidInput("metadata.token_budget: has to be a number of tokens", field="metadata.token_budget")
    return {**(given if isinstance(given, dict) else {}), "tokens": math.floor(token_budget)}


def _fingerprint(asked: wire.SubmitTaskRequest, caller: Caller) -> str | None:
    """What a request that comes again with its id is known by, as REST's Idempotency-Key is."""
    given = asked.metadata.task_id
    if not given:
        return None
    if len(given) > MOST_ID:
        raise InvalidInput(f"metadata.task_id: has at most {MOST_ID} characters", field="metadata.task_id")
    same = wire.SubmitTaskRequest()
    same.CopyFrom(asked)
    same.metadata.ClearField("created_at")
    return fingerprint(given, caller, "SubmitTask", same.SerializeToString(deterministic=True))
