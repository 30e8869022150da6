"""POST and GET /api/v1/schedules, and what is about one of them: details, change, deletion, pause, resume, runs."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from theseus.gateway.backend import Behind
from theseus.gateway.bodies import body_of, described
from theseus.gateway.callers import Calling
from theseus.gateway.once import Once
from theseus.gateway.refusals import Refusal
from theseus.gateway.wire.schedules import (
    ChangedSchedule,
    NewSchedule,
    PauseBody,
    RunAnswer,
    RunsAnswer,
    ScheduleAnswer,
    SchedulesAnswer,
)
from theseus.stores.archive.port import Page

router = APIRouter(prefix="/api/v1/schedules", tags=["schedules"], route_class=Once)

ScheduleId = Annotated[str, Path(max_length=128, pattern=r"^[A-Za-z0-9_.:@+-]+$")]
Number = Annotated[int, Query(ge=1, le=1_000_000)]
Size = Annotated[int, Query(ge=1, le=100)]
STATUSES = {"ALL": None, "ACTIVE": False, "PAUSED": True}


@router.post("", status_code=201, openapi_extra=described(NewSchedule))
async def create(request: Request, backend: Behind, caller: Calling) -> ScheduleAnswer:
    """Makes a schedule."""
    caller.require("schedules:write")
    body = await body_of(request, NewSchedule)
    return ScheduleAnswer.of(await backend.schedules.create(body.fields(), caller))


@router.get("")
async def schedules(
    backend: Behind,
    caller: Calling,
    page: Number = 1,
    page_size: Size = 50,
    status: Annotated[str, Query(description=f"One of {', '.join(STATUSES)}.")] = "ALL",
) -> SchedulesAnswer:
    """The caller's schedules, the newest first."""
    caller.require("schedules:read")
    if status.upper() not in STATUSES:
        raise Refusal(400, f"status: {status[:50]!r} is none of {', '.join(STATUSES)}")
    rows = Page(page_size, (page - 1) * page_size)
    found, total = await backend.schedules.page(caller, is_paused=STATUSES[status.upper()], page=rows)
    shown = [ScheduleAnswer.of(seen) for seen in found]
    return SchedulesAnswer(schedules=shown, total_count=total, page=page, page_size=page_size)


@router.get("/{schedule_id}")
async def schedule(schedule_id: ScheduleId, backend: Behind, caller: Calling) -> ScheduleAnswer:
    """One schedule."""
    caller.require("schedules:read")
    return ScheduleAnswer.of(await backend.schedules.get(schedule_id, caller))


@router.put("/{schedule_id}", openapi_extra=described(ChangedSchedule))
async def update(schedule_id: ScheduleId, request: Request, backend: Behind, caller: Calling) -> ScheduleAnswer:
    """Changes what is given."""
    caller.require("schedules:write")
    body = await body_of(request, ChangedSchedule)
    return ScheduleAnswer.of(await backend.schedules.update(schedule_id, body.fields(), caller))


@router.delete("/{schedule_id}", status_code=204)
async def delete(schedule_id: ScheduleId, backend: Behind, caller: Calling) -> Response:
    """Ends a schedule; its runs stay."""
    caller.require("schedules:write")
    await backend.schedules.delete(schedule_id, caller)
    return Response(status_code=204)


@router.post("/{schedule_id}/pause", openapi_extra=described(PauseBody))
async def pause(schedule_id: ScheduleId, request: Request, backend: Behind, caller: Calling) -> ScheduleAnswer:
    """Holds a schedule."""
    caller.require("schedules:write")
    body = await body_of(request, PauseBody)
    return ScheduleAnswer.of(await backend.schedules.pause(schedule_id, body.reason, caller))


@router.post("/{schedule_id}/resume", openapi_extra=described(PauseBody))
async def resume(schedule_id: ScheduleId, request: Request, backend: Behind, caller: Calling) -> ScheduleAnswer:
    """Lets a schedule that is held run again."""
    caller.require("schedules:write")
    body = await body_of(request, PauseBody)
    return ScheduleAnswer.of(await backend.schedules.resume(schedule_id, body.reason, caller))


@router.get("/{schedule_id}/runs", response_model_exclude_none=True)
async def runs(
    schedule_id: ScheduleId, backend: Behind, caller: Calling, page: Number = 1, page_size: Size = 20
) -> RunsAnswer:
    """The tasks that a schedule started, the newest first."""
    caller.require("schedules:read")
    found, total = await backend.schedules.runs(schedule_id, Page(page_size, (page - 1) * page_size), caller)
    shown = [RunAnswer.of(each) for each in found]
    return RunsAnswer(runs=shown, total_count=total, page=page, page_size=page_size)
