"""Paths of tasks that came with attachments, or whose role binds a team."""

import base64
from collections.abc import Awaitable, Callable
from typing import Any

from tests.support.teams import assign, finish, leads, recruit, works
from tests.support.world import Handle, World

FILES: list[dict[str, Any]] = [
    {"name": "sales.csv", "media_type": "text/csv", "text": "month,sales\n2025-01,111\n"},
    {
        "name": "cat.png",
        "media_type": "image/png",
        "data": base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(64)).decode(),
    },
]


async def attached(there: World) -> Handle:
    read = {"name": "read_artifact", "arguments": {"artifact_id": "0" * 32}}
    there.model.replace({"rules": [{"when": {"turn": 0}, "reply": {"tool_calls": [read]}}, {"reply": {"text": "so"}}]})
    return await _ended(
        there, await there.start("look", context={"role": "writer", "tone": "dry", "attachments": FILES})
    )


async def refused(there: World) -> Handle:
    lost = {"name": "a", "media_type": "text/csv", "artifact_id": "0" * 32}
    return await _ended(there, await there.start("look", context={"attachments": [lost]}))


async def bound(there: World) -> Handle:
    rules = [
        *leads([recruit("ann", "writer")], [recruit("bob", "critic"), assign("bob")], [finish("so")]),
        works("bob"),
    ]
    there.model.replace({"rules": rules})
    context = {"role": "critic", "attachments": FILES}
    return await _ended(there, await there.start("look", workflow="SupervisorWorkflow", context=context))


async def _ended(there: World, handle: Handle) -> Handle:
    await there.result(handle)
    return handle


PATHS: dict[str, Callable[[World], Awaitable[Handle]]] = {
    "simple-attachments": attached,
    "simple-attachment-refused": refused,
    "supervisor-of-one-role": bound,
}
