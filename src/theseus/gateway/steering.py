"""What people ask of a running task: hold, go on, end, a yes or no, another plan, a word. Signals, queries and Updates by name."""

import asyncio
from datetime import timedelta
from typing import TypeVar

from pydantic import BaseModel
from temporalio.client import (
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from theseus.client import Handle, is_unknown
from theseus.contracts.control import (
    QUERY_CONTROL_STATE,
    QUERY_PENDING_APPROVALS,
    QUERY_REVIEW_STATE,
    SIGNAL_CANCEL,
    UPDATE_DECIDE_APPROVAL,
    UPDATE_REVIEW_PLAN,
    UPDATE_SEND_MESSAGE,
    ApprovalDecision,
    ControlReason,
    ControlState,
    MessageToTask,
    PendingApproval,
    ReviewDecision,
    ReviewState,
    UpdateReceipt,
)
from theseus.gateway.refusals import Refusal

PATIENCE = timedelta(seconds=15)
"""How long a worker may take to answer for a task, in all: the client itself tries again."""
NOBODY_THERE = "no worker answers for this task now; try again in a moment"
TASK_ENDED = "task_ended"
_CONFLICTS = frozenset({"StaleVersion", "NoReview", "NoRoundsLeft", "LateDecision", "TaskClosing"})
_UNKNOWN = frozenset({"UnknownApproval"})
_UNANSWERED = (
    *(RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED),
    *(RPCStatusCode.FAILED_PRECONDITION, RPCStatusCode.RESOURCE_EXHAUSTED),
)
"""How Temporal says that no worker took a query: in time, ever, or while others wait already."""

Answer = TypeVar("Answer")


async def signal(handle: Handle, name: str, reason: ControlReason) -> bool:
    """Sends a control signal; False when the task has ended, which a cancel takes for done.

    Raises:
        Refusal: 400, a task that has ended cannot be held or go on.
    """
    try:
        await handle.signal(name, reason)
    except RPCError as error:
        if not is_unknown(error):
            raise
        if name == SIGNAL_CANCEL:
            return False
        words = f"task {handle.id} has ended; it cannot be asked to {name}"
        raise Refusal(400, words, code=TASK_ENDED) from error
    return True


async def control_state(handle: Handle) -> ControlState:
    """Whether a task is held or cancelled, by whom and why."""
    return await _asked(handle, QUERY_CONTROL_STATE, ControlState)


async def review_state(handle: Handle) -> ReviewState:
    """The research plan that waits for a person.

    Raises:
        Refusal: 404, there is none.
    """
    state = await _asked(handle, QUERY_REVIEW_STATE, ReviewState)
    if state.plan is None:
        raise Refusal(404, "no plan of this task waits for a review")
    return state


async def pending_approvals(handle: Handle) -> list[PendingApproval]:
    """What a task waits for a person's yes to."""
    return await _asked(handle, QUERY_PENDING_APPROVALS, list[PendingApproval])


async def decide(handle: Handle, decision: ApprovalDecision) -> UpdateReceipt:
    """Says yes or no.

    Raises:
        Refusal: 404, nothing of that id waits; 409, it was decided otherwise; 400, it cannot be changed like that.
    """
    return await _updated(handle, UPDATE_DECIDE_APPROVAL, decision)


async def review(handle: Handle, decision: ReviewDecision) -> UpdateReceipt:
    """Approves, rejects or comments on a research plan.

    Raises:
        Refusal: 409, the plan has another version by now, or its review is over.
    """
    return await _updated(handle, UPDATE_REVIEW_PLAN, decision)


async def say(handle: Handle, message: MessageToTask) -> UpdateReceipt:
    """Gives words to the agent, or the lead, at work.

    Raises:
        Refusal: 400, nobody there can hear them.
    """
    return await _updated(handle, UPDATE_SEND_MESSAGE, message)


def forgotten(task_id: str) -> Refusal:
    """Of a task that is kept, what Temporal alone could tell: it has forgotten it, or is about to start it."""
    words = (
        f"Temporal has nothing of task {task_id}: it forgets tasks some time after their end, or this one is about to"
    )
    return Refusal(404, f"{words} start; GET /api/v1/tasks/{task_id} tells what is kept of it")


async def _asked(handle: Handle, query: str, shape: type[Answer]) -> Answer:
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            return await handle.query(query, result_type=shape, rpc_timeout=PATIENCE)
    except TimeoutError as error:
        raise Refusal(503, NOBODY_THERE) from error
    except (WorkflowQueryFailedError, WorkflowQueryRejectedError) as error:
        raise Refusal(502, f"task {handle.id} does not answer: {error}") from error
    except RPCError as error:
        if error.status in _UNANSWERED:
            raise Refusal(503, NOBODY_THERE) from error
        if is_unknown(error):
            raise forgotten(handle.id) from error
        raise


async def _updated(handle: Handle, name: str, payload: BaseModel) -> UpdateReceipt:
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            return await handle.execute_update(name, payload, result_type=UpdateReceipt, rpc_timeout=PATIENCE)
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError) as error:
        raise Refusal(503, NOBODY_THERE) from error
    except WorkflowUpdateFailedError as error:
        cause = error.cause
        if not isinstance(cause, ApplicationError):
            raise Refusal(409, "the task ended before it could answer") from error
        status = 409 if cause.type in _CONFLICTS else 404 if cause.type in _UNKNOWN else 400
        raise Refusal(status, cause.message) from error
    except RPCError as error:
        if is_unknown(error):
            raise Refusal(409, f"task {handle.id} has ended: it waits for nothing any more") from error
        raise
