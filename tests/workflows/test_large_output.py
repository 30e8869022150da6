"""However much a tool gives, no history event grows past 64 KB, and the model can page through all of it."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from temporalio.testing import WorkflowEnvironment

from tests.support.wire import serving
from tests.support.world import World, history, world
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.contracts.task import TaskStatus

LINE = "0123456789abcdef" * 4 + "\n"
WHOLE = LINE * (30 * 1024 * 1024 // len(LINE))


async def page(_: Request) -> Response:
    return PlainTextResponse(WHOLE)


@pytest_asyncio.fixture
async def there(temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path) -> AsyncGenerator[World, None]:
    async with (
        serving(Starlette(routes=[Route("/big.txt", page)])) as url,
        world(
            temporal.client,
            model,
            tmp_path,
            fetch_allow=(url.removeprefix("http://"),),
            fetch_max_bytes=40 * 1024 * 1024,
        ) as made,
    ):
        made.started.append(url)
        yield made


async def test_thirty_megabytes_are_cut_at_the_edge_and_paged(there: World) -> None:
    fetch = {"name": "web_fetch", "arguments": {"url": f"{there.started[0]}/big.txt"}}
    there.model.replace(
        {"rules": [{"when": {"turn": 0}, "reply": {"tool_calls": [fetch]}}, {"reply": {"text": "seen"}}]}
    )
    handle = await there.start("read it")
    result = await there.result(handle)
    assert (result.status, result.result) == (TaskStatus.COMPLETED, "seen")
    assert max(event.ByteSize() for event in await history(handle)) <= 64 * 1024
    seen = there.model.requests[-1].body["messages"][-1]["content"]
    assert len(seen) < 12_000 and "read_artifact" in seen

    observed = next(e.event for e in await there.events(handle.id) if e.event.type == "TOOL_OBSERVATION")
    artifact = observed.payload.artifact_id
    assert artifact is not None
    more = {"name": "read_artifact", "arguments": {"artifact_id": artifact, "offset": 20_000_000, "limit": 5_000}}
    there.model.replace(
        {"rules": [{"when": {"has_tool_result": True}, "reply": {"text": "paged"}}, {"reply": {"tool_calls": [more]}}]}
    )
    assert result.session_id is not None
    paged = await there.run("go on", session_id=result.session_id)
    assert paged.result == "paged"
    text = there.model.requests[-1].body["messages"][-1]["content"]
    assert LINE in text, json.dumps(text)[:200]
