"""The schedule calls: what REST does of schedules, by REST's own bodies and answers."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import JsonValue, TypeAdapter

from theseus.gateway.refusals import Refusal
from theseus.gateway.routes import schedules as rest
from theseus.gateway.rpc.call import Call, body, fitting
from theseus.gateway.rpc.protocol import orchestrator_pb2 as wire
from theseus.gateway.schedules import Seen
from theseus.gateway.wire.schedules import ChangedSchedule, NewSchedule, PauseBody, ScheduleAnswer
from theseus.stores.archive.port import Page

_ID: TypeAdapter[str] = TypeAdapter(rest.ScheduleId)
_NUMBER: TypeAdapter[int] = TypeAdapter(rest.Number)
_SIZE: TypeAdapter[int] = TypeAdapter(rest.Size)


async def create(asked: wire.CreateScheduleRequest, call: Call) -> wire.CreateScheduleResponse:
    """Makes a schedule."""
    call.caller.require("schedules:write")
    wanted = body(NewSchedule, **_given(asked), task_context=dict(asked.task_context) or None)
    seen = await call.backend.schedules.create(wanted.fields(), call.caller)
    return wire.CreateScheduleResponse(
        schedule_id=seen.record.schedule_id, message="Schedule created", next_run_at=_next(seen)
    )


async def get(asked: wire.GetScheduleRequest, call: Call) -> wire.GetScheduleResponse:
    """One schedule."""
    call.caller.require("schedules:read")
    return wire.GetScheduleResponse(
        schedule=_told(await call.backend.schedules.get(_id(asked.schedule_id), call.caller))
    )


async def listed(asked: wire.ListSchedulesRequest, call: Call) -> wire.ListSchedulesResponse:
    """The caller's schedules, the newest first."""
    call.caller.require("schedules:read")
    size = fitting(_SIZE, "page_size", asked.page_size or 50)
    number = fitting(_NUMBER, "page", asked.page or 1)
    status = (asked.status or "ALL").upper()
    if status not in rest.STATUSES:
        raise Refusal(400, f"status: {asked.status[:50]!r} is none of {', '.join(rest.STATUSES)}")
    rows = Page(size, (number - 1) * size)
    found, total = await call.backend.schedules.page(call.caller, is_paused=rest.STATUSES[status], page=rows)
    return wire.ListSchedulesResponse(schedules=map(_told, found), total_count=total, page=number, page_size=size)


async def update(asked: wire.UpdateScheduleRequest, call: Call) -> wire.UpdateScheduleResponse:
    """Changes what is given."""
    call.caller.require("schedules:write")
    context = dict(asked.task_context) or None
    wanted = body(ChangedSchedule, **_given(asked), task_context=context, clear_task_context=asked.clear_task_context)
    seen = await call.backend.schedules.update(_id(asked.schedule_id), wanted.fields(), call.caller)
    return wire.UpdateScheduleResponse(success=True, message="Schedule updated", next_run_at=_next(seen))


async def delete(asked: wire.DeleteScheduleRequest, call: Call) -> wire.DeleteScheduleResponse:
    """Ends a schedule; its runs stay."""
    call.caller.require("schedules:write")
    await call.backend.schedules.delete(_id(asked.schedule_id), call.caller)
    return wire.DeleteScheduleResponse(success=True, message="Schedule deleted")


async def pause(asked: wire.PauseScheduleRequest, call: Call) -> wire.PauseScheduleResponse:
    """Holds a schedule."""
    call.caller.require("schedules:write")
    reason = body(PauseBody, reason=asked.reason).reason
    await call.backend.schedules.pause(_id(asked.schedule_id), reason, call.caller)
    return wire.PauseScheduleResponse(success=True, message="Schedule paused")


async def resume(asked: wire.ResumeScheduleRequest, call: Call) -> wire.ResumeScheduleResponse:
    """Lets a schedule that is held run again."""
    call.caller.require("schedules:write")
    reason = body(PauseBody, reason=asked.reason).reason
    seen = await call.backend.schedules.resume(_id(asked.schedule_id), reason, call.caller)
    return wire.ResumeScheduleResponse(success=True, message="Schedule resumed", next_run_at=_next(seen))


def _id(given: str) -> str:
    if not given:
        raise Refusal(400, "schedule_id: say which schedule is meant")
    return fitting(_ID, "schedule_id", given)


def _given(asked: wire.CreateScheduleRequest | wire.UpdateScheduleRequest) -> Mapping[str, Any]:
    """The fields that a message has, by REST's names; where presence is not told, what is empty is absent."""
    return {
        field.name: value
        for field, value in asked.ListFields()
        if field.name not in ("schedule_id", "task_context", "clear_task_context")
    }


def _told(seen: Seen) -> wire.ScheduleInfo:
    answer = ScheduleAnswer.of(seen)
    fields = answer.model_dump(include=set(wire.ScheduleInfo.DESCRIPTOR.fields_by_name) - {"task_context"})
    context = {name: _text(value) for name, value in answer.task_context.items()}
    return wire.ScheduleInfo(task_context=context, **{name: _rfc3339(value) for name, value in fields.items()})


def _next(seen: Seen) -> str:
    return seen.next_run.isoformat() if seen.next_run is not None else ""


def _rfc3339(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
