"""`theseus approve`, `deny`, `say`: what a person answers to a running task."""

import json
import uuid

from pydantic import BaseModel, JsonValue
from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from theseus.client import Handle, is_unknown, status_of
from theseus.commands.patience import PATIENCE
from theseus.commands.terminal import CANNOT_START, CommandError, client, out
from theseus.contracts.control import (
    QUERY_PENDING_APPROVALS,
    UPDATE_DECIDE_APPROVAL,
    UPDATE_SEND_MESSAGE,
    ApprovalDecision,
    MessageToTask,
    PendingApproval,
    UpdateReceipt,
)


async def decide(task_id: str, approval_id: str, *, approved: bool, feedback: str, who: str, change: str | None) -> int:
    """Approves or denies what a task waits for; without an id, the only thing that it waits for."""
    handle: Handle = (await client()).get_workflow_handle(task_id)
    wanted = approval_id or await _only_one(handle)
    decision = ApprovalDecision(
        approval_id=wanted,
        approved=approved,
        feedback=feedback,
        approved_by=who,
        modified_action=_parsed(change) if change is not None else None,
    )
    receipt = await update(handle, UPDATE_DECIDE_APPROVAL, decision)
    out(f"{wanted} {receipt.detail}")
    return 0


async def say_to(task_id: str, text: str, who: str) -> int:
    """Sends words to the agent, or the lead, of a running task."""
    handle: Handle = (await client()).get_workflow_handle(task_id)
    message = MessageToTask(message_id=str(uuid.uuid4()), text=text, sent_by=who)
    receipt = await update(handle, UPDATE_SEND_MESSAGE, message)
    out(f"{task_id} {receipt.detail}")
    return 0


async def _only_one(handle: Handle) -> str:
    try:
        pending = await handle.query(QUERY_PENDING_APPROVALS, result_type=list[PendingApproval])
    except RPCError as error:
        raise await gone(error, handle) from error
    if len(pending) == 1:
        return pending[0].approval_id
    if not pending:
        raise CommandError(f"task {handle.id} waits for no approval")
    rows = "\n".join(f"  {each.approval_id}: {each.reason}" for each in pending)
    raise CommandError(f"task {handle.id} waits for several approvals; name one:\n{rows}", CANNOT_START)


async def update(handle: Handle, name: str, payload: BaseModel) -> UpdateReceipt:
    """Asks a running task for something.

    Raises:
        CommandError: it refused, in its own words, or has ended.
        UnknownTaskError: there is no such task.
    """
    try:
        return await handle.execute_update(name, payload, result_type=UpdateReceipt)
    except WorkflowUpdateFailedError as error:
        cause = error.cause
        raise CommandError(cause.message if isinstance(cause, ApplicationError) else str(cause)) from error
    except WorkflowUpdateRPCTimeoutOrCancelledError as error:
        raise CommandError(
            f"task {handle.id} gave no answer within {PATIENCE.total_seconds():g} s, and it may have been taken; "
            f"see `theseus status {handle.id}`, and `theseus doctor`"
        ) from error
    except RPCError as error:
        raise await gone(error, handle) from error


async def gone(error: RPCError, handle: Handle) -> CommandError | RPCError:
    """The error for people when nothing can be asked of a task because it has ended; any other error as it is.

    Raises:
        UnknownTaskError: there is no such task.
    """
    if not is_unknown(error):
        return error
    status = await status_of(handle)
    ended = status.name.lower().replace("_", " ") if status else "closed"
    return CommandError(f"task {handle.id} has ended ({ended}); nothing can be asked of it any more")


def _parsed(change: str) -> JsonValue:
    try:
        return json.loads(change)
    except ValueError as error:
        raise CommandError(f"--change: not JSON: {error}", CANNOT_START) from error
