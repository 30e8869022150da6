"""Whatever goes away while a task is watched, the task goes on, and who comes back with a place misses and doubles nothing."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from tests.support.gateway import Gateway, gateway
from tests.support.servers import free_port, valkey
from tests.support.streams import Block, answered, blocks, end, progress, published, read, registered, soon, told
from tests.support.world import World, until, world
from theseus import worker
from theseus.activities.llm.scripted.server import ScriptedModel

SLOW = {"rules": [{"reply": {"text": "one word after the other " * 24}, "tokens_per_second": 40}]}


@pytest_asyncio.fixture
async def redis_there(
    temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path
) -> AsyncGenerator[World, None]:
    """A world on a Redis that the test starts and stops."""
    url = f"redis://127.0.0.1:{free_port()}/0"
    async with (
        world(temporal.client, model, tmp_path, work=False, redis_url=url) as made,
        worker.redis_stores(made.settings) as stores,
    ):
        made.stores = stores
        yield made


def port(there: World) -> int:
    return int(there.settings.redis_url.rsplit(":", 1)[1].split("/")[0])


async def test_a_redis_that_goes_is_said_in_the_stream_and_the_task_goes_on(redis_there: World, tmp_path: Path) -> None:
    there = redis_there
    there.model.replace(SLOW)
    (tmp_path / "one").mkdir()
    async with there.worker(), gateway(there, tmp_path) as door:
        with valkey(tmp_path / "one", port(there)):
            task = (await door.http.post("/api/v1/tasks", json={"query": "w", "mode": "simple"})).json()["task_id"]
            watching = asyncio.create_task(read(door.http, task))

            async def is_written() -> bool:
                return len(there.model.requests) == 1

            await until(is_written)
            await asyncio.sleep(0.5)
        found = await soon(watching)
        assert found[-1].event == "error"
        assert (found[-1].data["type"], found[-1].id) == ("ERROR_OCCURRED", "")
        assert "the task itself is not touched" in found[-1].data["message"]
        again = told(await soon(read(door.http, task)))
        assert [block.event for block in again] == ["error"], "and so does who comes while it is away"
        with valkey(tmp_path / "one", port(there)):

            async def is_done() -> bool:
                return "COMPLETED" in (await door.http.get(f"/api/v1/tasks/{task}")).json()["status"]

            await until(is_done, 30)
            assert len(there.model.requests) == 1, "nothing was paid for twice"
            rest = told(await soon(read(door.http, task, last=told(found[:-1])[-1].id)))
            assert rest[-1].event == "done"


async def test_an_ended_task_is_told_of_while_redis_is_away(redis_there: World, tmp_path: Path) -> None:

    async with gateway(redis_there, tmp_path) as door:
        task = await registered(door, outcome=answered("kept"))
        found = told(await soon(read(door.http, task)))
        assert [block.event for block in found] == ["thread.message.completed", "WORKFLOW_COMPLETED", "done"]


@asynccontextmanager
async def process(there: World, folder: Path, at: int) -> AsyncGenerator[asyncio.subprocess.Process]:
    """`theseus gateway` as a process of its own."""
    own = {
        "TEMPORAL_ADDRESS": there.client.service_client.config.target_host,
        "REDIS_URL": there.settings.redis_url,
        "THESEUS_TASK_QUEUE": there.settings.task_queue,
        "THESEUS_DATA_DIR": str(folder),
        "GATEWAY_SKIP_AUTH": "1",
    }
    made = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "theseus", "gateway", "--port", str(at)), env={**os.environ, **own}
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{at}") as http:

            async def answers() -> bool:
                assert made.returncode is None
                try:
                    return (await http.get("/health")).status_code == 200
                except httpx.TransportError:
                    return False

            await until(answers, 30)
        yield made
    finally:
        if made.returncode is None:
            made.kill()
        await made.wait()


async def watched(http: httpx.AsyncClient, task: str, last: str, seen: list[Block]) -> None:
    """Adds what is told after `last`, until the end or until the connection breaks."""
    headers = {"Last-Event-ID": last} if last else {}
    watch: dict[str, Any] = {"params": {"workflow_id": task}, "headers": headers, "timeout": 30}
    async with http.stream("GET", "/api/v1/stream/sse", **watch) as answer:
        async for block in blocks(answer):
            seen += [block] if block.data else []


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_a_gateway_that_dies_in_the_middle_of_a_stream_loses_and_doubles_nothing(
    redis_there: World, tmp_path: Path, how: signal.Signals
) -> None:
    there, at = redis_there, free_port()
    there.model.replace(SLOW)
    seen: list[Block] = []
    with valkey(tmp_path, port(there)):
        async with there.worker(), httpx.AsyncClient(base_url=f"http://127.0.0.1:{at}", timeout=30) as http:
            async with process(there, tmp_path, at) as first:
                body = {"query": "write", "mode": "simple"}
                task = (await http.post("/api/v1/tasks", json=body)).json()["task_id"]
                watching = asyncio.create_task(watched(http, task, "", seen))

                async def is_in_the_middle() -> bool:
                    return sum(block.event == "thread.message.delta" for block in seen) > 3

                await until(is_in_the_middle)
                first.send_signal(how)
                with pytest.raises(httpx.RemoteProtocolError):
                    await soon(watching)
                await soon(first.wait(), 10)
            assert seen[-1].event != "done"
            async with process(there, tmp_path, at):
                await soon(watched(http, task, seen[-1].id, seen), 30)
            assert [block.data["seq"] for block in seen] == list(range(1, len(seen) + 1))
            assert seen[-1].event == "done"
            text = "".join(block.data["delta"] for block in seen if block.event == "thread.message.delta")
            assert text == SLOW["rules"][0]["reply"]["text"]  # pyright: ignore[reportArgumentType, reportIndexIssue, reportCallIssue]
            assert len(there.model.requests) == 1


async def test_a_gateway_that_stops_breaks_its_streams_off_so_that_clients_come_back(door: Gateway) -> None:
    task = await registered(door)
    seen: list[Block] = []
    watching = asyncio.create_task(watched(door.http, task, "", seen))
    await published(door, task, [progress(task, 1)])

    async def is_told() -> bool:
        return len(seen) == 1

    await until(is_told)
    door.backend.streams.stop()
    with pytest.raises(httpx.RemoteProtocolError):
        await soon(watching)
    await published(door, task, [end(task)])


async def test_an_answer_over_openais_api_comes_also_without_redis(redis_there: World, tmp_path: Path) -> None:
    there = redis_there
    there.model.replace(SLOW)
    (tmp_path / "one").mkdir()
    async with there.worker(), gateway(there, tmp_path) as door:
        body = {"messages": [{"role": "user", "content": "w"}], "stream": True}
        with valkey(tmp_path / "one", port(there)):
            calling = asyncio.create_task(door.http.post("/v1/chat/completions", json=body))

            async def is_written() -> bool:
                return len(there.model.requests) == 1

            await until(is_written)
            await asyncio.sleep(0.5)
        await asyncio.sleep(2)
        with valkey(tmp_path / "one", port(there)):
            answer = await soon(calling, 30)
        chunks = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")]
        told_text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)
        assert told_text == "one word after the other " * 24
        assert answer.text.endswith("data: [DONE]\n\n")
        assert len(there.model.requests) == 1


@pytest.mark.parametrize("stream", [True, False])
async def test_a_gateway_that_stops_leaves_the_tasks_of_its_calls_alone(door: Gateway, stream: bool) -> None:
    door.world.model.replace({"rules": [{"reply": {"text": "done"}, "latency": 1.5}]})
    body = {"messages": [{"role": "user", "content": "w"}], "stream": stream}
    calling = asyncio.create_task(door.http.post("/v1/chat/completions", json=body))

    async def is_asked() -> bool:
        return len(door.world.model.requests) == 1

    await until(is_asked)
    door.backend.streams.stop()
    if stream:
        with pytest.raises(httpx.RemoteProtocolError):
            await soon(calling)
    else:
        answer = await soon(calling)
        assert (answer.status_code, answer.headers["X-Should-Retry"]) == (503, "false")
        assert "the task goes on: GET /api/v1/tasks/task-" in answer.json()["error"]["message"]
    flows = door.world.client.list_workflows(f'TaskQueue = "{door.world.settings.task_queue}"')
    handle = door.world.client.get_workflow_handle((await anext(flows)).id)
    assert (await soon(handle.result()))["status"] == "completed"
