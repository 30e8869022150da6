"""Pause, resume, cancel and their state; approvals, reviews, words: by the functions of REST's routes."""

import json
from collections.abc import Awaitable, Callable

from fastapi import Response
from pydantic import JsonValue

from theseus.gateway.backend import Backend
from theseus.gateway.callers import Caller
from theseus.gateway.refusals import Refusal
from theseus.gateway.routes import steering as rest
from theseus.gateway.rpc.call import Call, body, task_id_of
from theseus.gateway.rpc.protocol import orchestrator_pb2 as wire
from theseus.gateway.wire.steering import DecisionBody, Done, MessageBody, ReviewBody, Why

Route = Callable[[str, Backend, Caller, Why], Awaitable[Done]]
Asked = wire.PauseTaskRequest | wire.ResumeTaskRequest | wire.CancelTaskRequest


async def pause(asked: wire.PauseTaskRequest, call: Call) -> wire.PauseTaskResponse:
    """Holds a task at its next checkpoint."""
    done = await _sent(rest.pause, asked, call)
    return wire.PauseTaskResponse(success=done.success, message=done.message)


async def resume(asked: wire.ResumeTaskRequest, call: Call) -> wire.ResumeTaskResponse:
    """Lets a task that is held go on."""
    done = await _sent(rest.resume, asked, call)
    return wire.ResumeTaskResponse(success=done.success, message=done.message)


async def cancel(asked: wire.CancelTaskRequest, call: Call) -> wire.CancelTaskResponse:
    """Ends a task."""
    done = await _sent(rest.cancel, asked, call)
    return wire.CancelTaskResponse(success=done.success, message=done.message)


async def control_state(asked: wire.GetControlStateRequest, call: Call) -> wire.GetControlStateResponse:
    """Whether a task is held or cancelled."""
    task_id = task_id_of("task_id", asked.task_id)
    told = await rest.control_state(task_id, call.backend, call.caller)
    said = told.model_dump(mode="json", exclude={"checkpoint"})
    return wire.GetControlStateResponse(**said)


async def approve(asked: wire.ApproveTaskRequest, call: Call) -> wire.ApproveTaskResponse:
    """Says yes or no to what a task waits for."""
    said = body(
        DecisionBody,
        approval_id=asked.approval_id,
        workflow_id=task_id_of("workflow_id", asked.workflow_id),
        run_id=asked.run_id or None,
        approved=asked.approved,
        feedback=asked.feedback or None,
        modified_action=_changed(asked.modified_action),
        approved_by=asked.approved_by or None,
    )
    done = await rest.decide(said, call.backend, call.caller)
    return wire.ApproveTaskResponse(success=done.success, message=done.message)


def _changed(given: str) -> JsonValue:
    if not given:
        return None
    try:
        return json.loads(given)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "modified_action: has to be JSON: the plan, or the arguments, as it is to be") from error


async def review(asked: wire.SubmitReviewDecisionRequest, call: Call) -> wire.SubmitReviewDecisionResponse:
    """Approves or rejects a research plan; with `final_plan`, only the one that says so."""
    task_id = task_id_of("workflow_id", asked.workflow_id)
    if asked.conversation:
        raise Refusal(400, "conversation: has no effect; the task keeps what was said of its plan")
    caller = call.acting_for(asked.approved_by)
    said = body(ReviewBody, action="approve" if asked.approved else "reject", message=asked.research_brief or None)
    version = await _version(asked, task_id, call) if asked.final_plan else None
    told = await rest.decide_review(task_id, said, call.backend, caller, version)
    return wire.SubmitReviewDecisionResponse(success=True, message=told.message)


async def _version(asked: wire.SubmitReviewDecisionRequest, task_id: str, call: Call) -> str:
    shown = await rest.review(task_id, Response(), call.backend, call.caller)
    if asked.final_plan.strip() != shown.current_plan.strip():
        words = f"final_plan: is not the plan that waits, which is at version {shown.version}; look at it again"
        raise Refusal(409, words)
    return str(shown.version)


async def say(asked: wire.SendSwarmMessageRequest, call: Call) -> wire.SendSwarmMessageResponse:
    """Gives words to the agent, or the lead, at work."""
    task_id = task_id_of("workflow_id", asked.workflow_id)
    done = await rest.say(task_id, body(MessageBody, message=asked.message), call.backend, call.caller)
    return wire.SendSwarmMessageResponse(success=done.success, status=done.message)


async def _sent(route: Route, asked: Asked, call: Call) -> Done:
    why = body(Why, reason=asked.reason or None)
    return await route(task_id_of("task_id", asked.task_id), call.backend, call.caller, why)
