"""Pause, resume, cancel, control state; approvals; the review of a research plan; words to the agents at work."""

import re
import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Response

from theseus.contracts.control import (
    SIGNAL_CANCEL,
    SIGNAL_PAUSE,
    SIGNAL_RESUME,
    ApprovalDecision,
    ControlReason,
    MessageToTask,
    ReviewDecision,
)
from theseus.gateway import steering
from theseus.gateway.backend import Backend, Behind
from theseus.gateway.bodies import described, reading
from theseus.gateway.callers import Caller, Calling
from theseus.gateway.once import Once
from theseus.gateway.refusals import Refusal
from theseus.gateway.routes.tasks import TaskId
from theseus.gateway.wire.steering import (
    ControlAnswer,
    DecisionBody,
    Done,
    MessageBody,
    ReviewAnswer,
    ReviewBody,
    Why,
)

router = APIRouter(prefix="/api/v1", tags=["steering"], route_class=Once)
Reason = Annotated[Why, Depends(reading(Why))]
_VERSION = re.compile(r"[1-9][0-9]{0,8}")


@router.post("/tasks/{task_id}/pause", status_code=202, openapi_extra=described(Why))
async def pause(task_id: TaskId, backend: Behind, caller: Calling, why: Reason) -> Done:
    """Holds a task at its next checkpoint."""
    return await _signalled(SIGNAL_PAUSE, task_id, backend, caller, why)


@router.post("/tasks/{task_id}/resume", status_code=202, openapi_extra=described(Why))
async def resume(task_id: TaskId, backend: Behind, caller: Calling, why: Reason) -> Done:
    """Lets a task that is held go on."""
    return await _signalled(SIGNAL_RESUME, task_id, backend, caller, why)


@router.post("/tasks/{task_id}/cancel", status_code=202, openapi_extra=described(Why))
async def cancel(task_id: TaskId, backend: Behind, caller: Calling, why: Reason) -> Done:
    """Ends a task, also in the middle of a model call."""
    return await _signalled(SIGNAL_CANCEL, task_id, backend, caller, why)


@router.get("/tasks/{task_id}/control-state")
async def control_state(task_id: TaskId, backend: Behind, caller: Calling) -> ControlAnswer:
    """Whether a task is held or cancelled."""
    caller.require("tasks:read")
    return ControlAnswer.of(await steering.control_state(await backend.tasks.handle(task_id, caller)))


@router.post("/approvals/decision", openapi_extra=described(DecisionBody))
async def decide(
    body: Annotated[DecisionBody, Depends(reading(DecisionBody))], backend: Behind, caller: Calling
) -> Done:
    """Says yes or no to what a task waits for."""
    caller.require("tasks:write")
    if body.approved_by not in (None, caller.user_id) and not caller.is_admin:
        raise Refusal(403, f"approved_by: {body.approved_by!r} is not the user of this key; leave it out")
    decision = ApprovalDecision(
        approval_id=body.approval_id,
        approved=body.approved,
        feedback=body.feedback or "",
        modified_action=body.modified_action,
        approved_by=body.approved_by or caller.user_id,
    )
    receipt = await steering.decide(await backend.tasks.handle(body.workflow_id, caller), decision)
    return Done(success=receipt.accepted, message=receipt.detail, task_id=body.workflow_id)


@router.get("/tasks/{task_id}/review")
async def review(task_id: TaskId, response: Response, backend: Behind, caller: Calling) -> ReviewAnswer:
    """The research plan that waits for a person."""
    caller.require("tasks:read")
    found = await backend.tasks.find(task_id, caller)
    state = await steering.review_state(await backend.tasks.handle(task_id, caller))
    response.headers["ETag"] = f'"{state.version}"'
    return ReviewAnswer.of(state, found.record.query)


@router.post("/tasks/{task_id}/review", openapi_extra=described(ReviewBody))
async def decide_review(
    task_id: TaskId,
    body: Annotated[ReviewBody, Depends(reading(ReviewBody))],
    backend: Behind,
    caller: Calling,
    if_match: Annotated[str | None, Header()] = None,
) -> ReviewAnswer:
    """Approves the plan, rejects it, or says what is to be different; with If-Match, only of that version."""
    caller.require("tasks:write")
    handle = await backend.tasks.handle(task_id, caller)
    decision = ReviewDecision(
        action=body.action,
        message=body.message or "",
        expected_version=_version(if_match),
        reviewed_by=caller.user_id,
    )
    receipt = await steering.review(handle, decision)
    state = await steering.review_state(handle)
    return ReviewAnswer.of(state).model_copy(update={"message": receipt.detail})


@router.post("/swarm/{task_id}/message", openapi_extra=described(MessageBody))
async def say(
    task_id: TaskId, body: Annotated[MessageBody, Depends(reading(MessageBody))], backend: Behind, caller: Calling
) -> Done:
    """Gives words to the agent, or the lead, at work."""
    caller.require("tasks:write")
    message = MessageToTask(message_id=body.message_id or str(uuid.uuid4()), text=body.message, sent_by=caller.user_id)
    receipt = await steering.say(await backend.tasks.handle(task_id, caller), message)
    return Done(success=receipt.accepted, message=receipt.detail or "sent", task_id=task_id)


async def _signalled(name: str, task_id: str, backend: Backend, caller: Caller, why: Why) -> Done:
    caller.require("tasks:write")
    handle = await backend.tasks.handle(task_id, caller)
    reason = ControlReason(reason=why.reason or "", requested_by=caller.user_id)
    is_sent = await steering.signal(handle, name, reason)
    return Done(success=is_sent, message=f"{name} was sent" if is_sent else "the task has ended", task_id=task_id)


def _version(tag: str | None) -> int | None:
    if tag is None or tag.strip() == "*":
        return None
    bare = tag.strip().removeprefix("W/").strip('"')
    if not _VERSION.fullmatch(bare):
        raise Refusal(400, f"If-Match: {tag[:100]!r} is not the version of a plan, such as 1")
    return int(bare)
