"""GetTaskStatus, ListTasks, GetPendingApprovals, ListTemplates: what can be looked at."""

import asyncio
from dataclasses import replace

from google.protobuf.struct_pb2 import Struct
from pydantic import TypeAdapter
from pydantic_core import to_json

from theseus.contracts.control import PendingApproval
from theseus.gateway.approvals import waiting
from theseus.gateway.refusals import Refusal
from theseus.gateway.routes import tasks as rest
from theseus.gateway.rpc.call import Call, fitting, task_id_of
from theseus.gateway.rpc.protocol import orchestrator_pb2 as wire
from theseus.gateway.rpc.telling import line_summary, task, timestamp
from theseus.gateway.tasks import visible

DEFAULT_LIMIT = 20

_LIMIT: TypeAdapter[int] = TypeAdapter(rest.Limit)
_OFFSET: TypeAdapter[int] = TypeAdapter(rest.Offset)
_SESSION: TypeAdapter[str] = TypeAdapter(rest.SessionId)


async def status(asked: wire.GetTaskStatusRequest, call: Call) -> wire.GetTaskStatusResponse:
    """Where a task is, or how it ended."""
    call.caller.require("tasks:read")
    found = await call.backend.tasks.find(task_id_of("task_id", asked.task_id), call.caller)
    return task(found, with_agents=asked.include_details)


async def listed(asked: wire.ListTasksRequest, call: Call) -> wire.ListTasksResponse:
    """The caller's tasks, or those of a user that they may act for, the newest first."""
    caller = call.acting_for(asked.user_id)
    if asked.user_id:
        # one user's tasks are wanted, also by who may see all
        caller = replace(caller, is_admin=False)
    found = await rest.tasks(
        call.backend,
        caller,
        limit=fitting(_LIMIT, "limit", asked.limit or DEFAULT_LIMIT),
        offset=fitting(_OFFSET, "offset", asked.offset),
        status=_status(asked),
        session_id=fitting(_SESSION, "session_id", asked.session_id) or None,
    )
    return wire.ListTasksResponse(tasks=map(line_summary, found.tasks), total_count=found.total_count)


def _status(asked: wire.ListTasksRequest) -> str | None:
    number = asked.filter_status
    if not number:
        return None
    if number not in wire.TaskStatus.values():
        raise Refusal(400, f"filter_status: there is no status {number}")
    return wire.TaskStatus.Name(number)


async def approvals(asked: wire.GetPendingApprovalsRequest, call: Call) -> wire.GetPendingApprovalsResponse:
    """What tasks of the caller, or of a user that they may act for, wait for a yes to."""
    call.caller.require("tasks:read")
    caller = call.acting_for(asked.user_id)
    session_id = fitting(_SESSION, "session_id", asked.session_id) or None
    wanted = visible(replace(caller, is_admin=False) if asked.user_id else caller, session_id)
    found = await waiting(call.backend.tasks, wanted, caller)
    return wire.GetPendingApprovalsResponse(
        approvals=[_approval(each.task_id, each.query, pending) for each, pending in found]
    )


def _approval(task_id: str, query: str, pending: PendingApproval) -> wire.PendingApproval:
    facts = Struct()
    facts.update(pending.model_dump(mode="json", include={"kind", "agent_id", "deadline", "is_escalated"}))
    return wire.PendingApproval(
        approval_id=pending.approval_id,
        workflow_id=task_id,
        query=query,
        proposed_action=to_json(pending.action).decode(),
        reason=pending.reason,
        requested_at=timestamp(pending.requested_at),
        metadata=facts,
    )


async def listed_templates(asked: wire.ListTemplatesRequest, call: Call) -> wire.ListTemplatesResponse:
    """The templates that tasks may name."""
    del asked
    call.caller.require("tasks:read")
    found = await asyncio.to_thread(call.backend.offers.templates)
    return wire.ListTemplatesResponse(
        templates=[
            wire.TemplateSummary(
                name=each.template.name,
                version=each.template.version,
                key=f"{each.template.name}@{each.template.version}",
                content_hash=each.content_hash,
            )
            for each in found
        ]
    )
