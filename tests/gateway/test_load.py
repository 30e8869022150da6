"""500 submits with 50 at once: each is a task of its own, none is lost; a gateway that dies in between costs none."""

import asyncio
import os
import signal
import sys
import uuid
from pathlib import Path

import httpx
from temporalio.testing import WorkflowEnvironment

from tests.support.gateway import Gateway, gateway
from tests.support.servers import free_port
from tests.support.world import until, world
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.stores.archive.port import Ended, Page, TaskFilter

SUBMITS, AT_ONCE = 500, 50


async def submit(http: httpx.AsyncClient, room: asyncio.Semaphore, number: int, key: str = "") -> str:
    headers = {"Idempotency-Key": key} if key else {}
    async with room:
        body = {"query": f"task {number}", "mode": "simple", "context": {"role": "chat"}}
        answer = await http.post("/api/v1/tasks", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["task_id"]


async def known(door: Gateway) -> set[str]:
    found: set[str] = set()
    for offset in range(0, SUBMITS * 2, 100):
        page, _ = await door.archive.tasks(TaskFilter(tenant_id="", user_id=None), Page(100, offset))
        found |= {record.task_id for record in page}
    return found


async def burst(door: Gateway, count: int) -> set[str]:
    room = asyncio.Semaphore(AT_ONCE)
    async with httpx.AsyncClient(base_url=door.url, timeout=100) as http:
        taken = await asyncio.gather(*(submit(http, room, number) for number in range(count)))
    assert len(set(taken)) == count and await known(door) == set(taken)
    return set(taken)


async def test_five_hundred_submits_are_five_hundred_tasks(
    temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path
) -> None:
    async with world(temporal.client, model, tmp_path, work=False) as there, gateway(there, tmp_path) as door:
        taken = await burst(door, SUBMITS)
        ours = f"TaskQueue = '{there.settings.task_queue}'"

        async def all_started() -> bool:
            return {each.id async for each in there.client.list_workflows(ours)} == taken

        # the list of workflows is a moment behind
        await until(all_started, 60)


async def test_a_burst_of_tasks_is_answered_and_kept_to_the_last(door: Gateway) -> None:
    await burst(door, 100)

    async def all_answered() -> bool:
        answered = TaskFilter(tenant_id="", user_id=None, ended=Ended.ANSWERED)
        return (await door.archive.tasks(answered, Page(1)))[1] == 100

    await until(all_answered, 100)


async def test_a_gateway_that_is_killed_while_it_takes_tasks_doubles_and_loses_none(
    door: Gateway, tmp_path: Path
) -> None:
    port = free_port()
    own = {
        "TEMPORAL_ADDRESS": door.world.client.service_client.config.target_host,
        "THESEUS_TASK_QUEUE": door.world.settings.task_queue,
        "THESEUS_DATA_DIR": str(tmp_path),
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "GATEWAY_SKIP_AUTH": "1",
        "GATEWAY_RATE_LIMIT": "0",
    }
    keys = [uuid.uuid4().hex for _ in range(60)]
    room = asyncio.Semaphore(10)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:

        async def stubborn(number: int) -> str:
            """What a client does that has a key: it asks again until it is answered."""
            while True:
                try:
                    return await submit(http, room, number, keys[number])
                except httpx.TransportError:
                    await asyncio.sleep(0.1)

        async def started() -> asyncio.subprocess.Process:
            command = (sys.executable, "-m", "theseus", "gateway", "--port", str(port))
            return await asyncio.create_subprocess_exec(*command, env={**os.environ, **own})

        process = await started()
        submits = [asyncio.create_task(stubborn(number)) for number in range(len(keys))]

        async def is_in_the_middle() -> bool:
            return sum(each.done() for each in submits) > 5

        await until(is_in_the_middle, 60)
        process.send_signal(signal.SIGKILL)
        await process.wait()
        assert not all(each.done() for each in submits)
        process = await started()
        try:
            taken = await asyncio.wait_for(asyncio.gather(*submits), 60)
        finally:
            process.terminate()
            await process.wait()
    assert len(set(taken)) == len(keys) and await known(door) == set(taken)
