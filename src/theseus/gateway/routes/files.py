"""Files of a session's workspace, and what is remembered of the caller as a file."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from theseus.gateway.backend import Behind
from theseus.gateway.callers import Calling
from theseus.gateway.files import MOST_ENTRIES
from theseus.gateway.routes.sessions import SessionId
from theseus.gateway.wire.files import FileAnswer, FilesAnswer, as_attachment

router = APIRouter(prefix="/api/v1", tags=["files"])

Folder = Annotated[str, Query(max_length=10_000)]
Raw = Annotated[bool, Query(description="The bytes themselves, to be saved and never to be shown.")]


@router.get("/sessions/{session_id}/files")
async def session_files(session_id: SessionId, backend: Behind, caller: Calling, path: Folder = "") -> FilesAnswer:
    """What is in a folder of a session's workspace."""
    caller.require("sessions:read")
    return FilesAnswer.of(path, await backend.files.page(session_id, path, caller), MOST_ENTRIES)


@router.get("/sessions/{session_id}/files/{path:path}", response_model=FileAnswer)
async def session_file(
    session_id: SessionId, path: str, backend: Behind, caller: Calling, download: Raw = False
) -> FileAnswer | Response:
    """One file of a session's workspace."""
    caller.require("sessions:read")
    data = await backend.files.read(session_id, path, caller)
    if not download:
        return FileAnswer.of(path, data)
    # whatever an agent wrote, no browser may take it for a page of ours
    return Response(data, media_type="application/octet-stream", headers=as_attachment(path))


@router.get("/memory/files")
async def memory_files(backend: Behind, caller: Calling) -> FilesAnswer:
    """What is remembered of the caller, as files."""
    caller.require("sessions:read")
    return FilesAnswer.of("", await backend.files.memory_page(caller), MOST_ENTRIES)


@router.get("/memory/files/{path:path}")
async def memory_file(path: str, backend: Behind, caller: Calling) -> FileAnswer:
    """One of these files."""
    caller.require("sessions:read")
    return FileAnswer.of(path, await backend.files.memory_read(path, caller))
