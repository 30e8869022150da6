"""Where Temporal does not have the gateway's namespace, that is said: no task is called unknown for it, and none is taken."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest_asyncio
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from tests.support.gateway import Gateway, listening
from tests.support.servers import free_port
from theseus.runtime import DATA_CONVERTER
from theseus.stores.archive.port import Page, TaskFilter


@pytest_asyncio.fixture
async def lost(door: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    """The same gateway on a namespace that is not there."""
    address = door.world.client.service_client.config.target_host
    nowhere = await Client.connect(address, namespace="nowhere", data_converter=DATA_CONVERTER)
    async with (
        listening(replace(door.backend, temporal=nowhere)) as url,
        httpx.AsyncClient(base_url=url, timeout=60) as http,
    ):
        yield http


async def test_it_is_not_ready_and_says_why(lost: httpx.AsyncClient) -> None:
    answer = await lost.get("/readiness")
    assert answer.status_code == 503 and "namespace nowhere" in answer.json()["checks"]["temporal"]


async def test_nothing_is_called_unknown_and_nothing_is_kept(lost: httpx.AsyncClient, door: Gateway) -> None:
    asked = [
        lost.post("/api/v1/tasks", json={"query": "hello"}),
        lost.post("/api/v1/schedules", json={"name": "n", "cron_expression": "0 0 1 * *", "task_query": "hello"}),
        lost.get("/api/v1/tasks/task-1"),
        lost.post("/api/v1/tasks/task-1/pause"),
        lost.get("/api/v1/tasks/task-1/timeline"),
    ]
    for answer in await asyncio.gather(*asked):
        assert answer.status_code == 502 and "Temporal" in answer.json()["error"], answer.text
    assert (await door.archive.tasks(TaskFilter(tenant_id=""), Page(10)))[1] == 0


async def test_one_that_starts_so_ends_with_one_line(temporal: WorkflowEnvironment, tmp_path: Path) -> None:
    own = {
        "TEMPORAL_ADDRESS": temporal.client.service_client.config.target_host,
        "TEMPORAL_NAMESPACE": "nowhere",
        "THESEUS_DATA_DIR": str(tmp_path),
        "GATEWAY_SKIP_AUTH": "1",
    }
    command = (sys.executable, "-m", "theseus", "gateway", "--port", str(free_port()))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **own}, stdout=pipe, stderr=pipe)
    _, said = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode not in (0, None)
    assert "namespace nowhere" in said.decode() and "Traceback" not in said.decode()
