"""Redis may go and come back while a task runs: sessions wait for it, the rest goes on without, nothing is lost."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from tests.support.servers import free_port, valkey
from tests.support.world import World, until, world
from theseus import worker
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.contracts.session import SessionKey
from theseus.contracts.task import TaskStatus

pytestmark = pytest.mark.e2e

STEPS = 4
TALK = {
    "rules": [
        {"when": {"turn": STEPS}, "latency": 0.3, "reply": {"text": "the answer"}},
        {"latency": 0.3, "reply": {"tool_calls": [{"name": "calculator", "arguments": {"expression": "{{turn}}+1"}}]}},
    ]
}


@pytest_asyncio.fixture
async def there(temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path) -> AsyncGenerator[World, None]:
    url = f"redis://127.0.0.1:{free_port()}/0"
    async with world(temporal.client, model, tmp_path, work=False, redis_url=url) as made:
        made.model.replace(TALK)
        async with worker.redis_stores(made.settings) as stores:
            made.stores = stores
            yield made


def port(there: World) -> int:
    return int(there.settings.redis_url.rsplit(":", 1)[1].split("/")[0])


async def test_redis_goes_in_the_middle_and_comes_back_empty(there: World, tmp_path: Path) -> None:
    async with there.worker():
        (tmp_path / "one").mkdir()
        (tmp_path / "two").mkdir()
        with valkey(tmp_path / "one", port(there)):
            handle = await there.start("go", session_id="s")

            async def half_way() -> bool:
                return len(there.model.requests) >= 2

            await until(half_way)
        await asyncio.sleep(3)
        assert len(there.model.requests) > 2, "the task goes on without"
        with valkey(tmp_path / "two", port(there)):
            result = await there.result(handle)
            assert (result.status, result.result) == (TaskStatus.COMPLETED, "the answer")
            heads = (await there.stores.sessions.load(SessionKey(session_id="s"), 10)).heads
            assert [head.role for head in heads] == ["user", "assistant"]
            types = [e.event.type for e in await there.events(handle.id)]
            assert types.count("STREAM_END") == 1 and types[-1] == "STREAM_END"
            assert len(there.model.requests) == STEPS + 1, "nothing was paid for twice"


async def test_a_task_that_needs_its_session_waits_for_redis(there: World, tmp_path: Path) -> None:
    async with there.worker():
        handle = await there.start("go", session_id="s")
        await asyncio.sleep(2)
        assert there.model.requests == []
        with valkey(tmp_path, port(there)):
            assert (await there.result(handle)).result == "the answer"
