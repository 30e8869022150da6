"""GET /api/v1/sessions, and what is about one of them: details, history, events, title, deletion."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from theseus.gateway.backend import Behind
from theseus.gateway.bodies import Body, body_of, described
from theseus.gateway.callers import Calling
from theseus.gateway.wire.sessions import HistoryAnswer, SessionAnswer, SessionsAnswer, TitleAnswer, TurnsAnswer
from theseus.stores.archive.port import Page

router = APIRouter(prefix="/api/v1/sessions", tags=["sessions"])

SessionId = Annotated[str, Path(max_length=128, pattern=r"^[A-Za-z0-9_.:@+-]+$")]
Limit = Annotated[int, Query(ge=1, le=100)]
Offset = Annotated[int, Query(ge=0, le=1_000_000_000)]


class Title(Body):
    """PATCH /api/v1/sessions/{id}."""

    title: str = Field(max_length=10_000)


@router.get("", response_model_exclude_none=True)
async def sessions(backend: Behind, caller: Calling, limit: Limit = 20, offset: Offset = 0) -> SessionsAnswer:
    """The caller's sessions, the last used first."""
    caller.require("sessions:read")
    records, total = await backend.conversations.page(caller, Page(limit, offset))
    now, lasts = datetime.now(UTC), backend.settings.session_ttl
    return SessionsAnswer(sessions=[SessionAnswer.of(record, lasts, now) for record in records], total_count=total)


@router.get("/{session_id}", response_model_exclude_none=True)
async def session(session_id: SessionId, backend: Behind, caller: Calling) -> SessionAnswer:
    """One session."""
    caller.require("sessions:read")
    record = await backend.conversations.get(session_id, caller)
    messages = await backend.conversations.messages(session_id, caller)
    return SessionAnswer.of(record, backend.settings.session_ttl, datetime.now(UTC), messages)


@router.get("/{session_id}/history", response_model_exclude_none=True)
async def history(
    session_id: SessionId,
    backend: Behind,
    caller: Calling,
    limit: Annotated[int, Query(ge=1, le=500)] = 500,
    offset: Offset = 0,
) -> HistoryAnswer:
    """A session's tasks, the oldest first."""
    caller.require("sessions:read")
    return HistoryAnswer.of(session_id, await backend.conversations.history(session_id, caller, Page(limit, offset)))


@router.get("/{session_id}/events", response_model_exclude_none=True)
async def events(
    session_id: SessionId, backend: Behind, caller: Calling, limit: Limit = 10, offset: Offset = 0
) -> TurnsAnswer:
    """A session's events, grouped by turn."""
    caller.require("sessions:read")
    return TurnsAnswer.of(session_id, await backend.conversations.told(session_id, caller, Page(limit, offset)))


@router.patch("/{session_id}", openapi_extra=described(Title))
async def rename(session_id: SessionId, request: Request, backend: Behind, caller: Calling) -> TitleAnswer:
    """Gives a session a title."""
    caller.require("sessions:write")
    body = await body_of(request, Title)
    return TitleAnswer(session_id=session_id, title=await backend.conversations.rename(session_id, caller, body.title))


@router.delete("/{session_id}", status_code=204)
async def delete(session_id: SessionId, backend: Behind, caller: Calling) -> Response:
    """Deletes a session; its tasks stay."""
    caller.require("sessions:write")
    await backend.conversations.delete(session_id, caller)
    return Response(status_code=204)
