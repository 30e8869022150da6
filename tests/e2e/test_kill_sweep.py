"""A worker killed at any moment costs nothing: another finishes the task, with the same answer and one turn in the session."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from tests.support.servers import valkey
from tests.support.world import World, world
from theseus import worker
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.contracts.session import SessionKey
from theseus.contracts.task import TaskStatus

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

STEPS = 5
POINTS = 10


@pytest_asyncio.fixture
async def there(temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path) -> AsyncIterator[World]:
    async with world(temporal.client, model, tmp_path, work=False) as made:
        with valkey(tmp_path) as url:
            made.settings = made.settings.model_copy(update={"redis_url": url})
            async with worker.redis_stores(made.settings) as stores:
                made.stores = stores
                yield made


def start_worker(there: World) -> subprocess.Popen[bytes]:
    """A worker as users run it: a process of its own, configured by environment alone."""
    return subprocess.Popen(
        [sys.executable, "-m", "theseus.worker"],
        env={
            **os.environ,
            **there.environ,
            "TEMPORAL_ADDRESS": there.client.service_client.config.target_host,
            "REDIS_URL": there.settings.redis_url,
            "THESEUS_TASK_QUEUE": there.settings.task_queue,
            "THESEUS_DATA_DIR": str(there.settings.data_dir),
        },
        stderr=subprocess.DEVNULL,
    )


async def test_killed_at_ten_points_of_a_five_step_task(there: World) -> None:
    there.model.replace(
        {
            "rules": [
                {"when": {"turn": STEPS - 1}, "latency": 0.1, "reply": {"text": "the answer"}},
                {
                    "latency": 0.1,
                    "reply": {"tool_calls": [{"name": "calculator", "arguments": {"expression": "{{turn}}+1"}}]},
                },
            ]
        }
    )
    workers = [start_worker(there), start_worker(there)]
    try:
        await there.run("warm up")
        for point in range(POINTS):
            there.model.clear()
            handle = await there.start("go", session_id=f"s{point}")
            await asyncio.sleep(0.05 + point * 0.12)
            victim = workers.pop(0)
            victim.send_signal(signal.SIGKILL)
            victim.wait()
            workers.append(start_worker(there))
            began = time.monotonic()
            result = await there.result(handle)
            assert (result.status, result.result) == (TaskStatus.COMPLETED, "the answer"), point
            heads = (await there.stores.sessions.load(SessionKey(session_id=f"s{point}"), 10)).heads
            assert [head.role for head in heads] == ["user", "assistant"], point
            assert len(there.model.requests) <= STEPS + 1, "at most the call in flight is paid twice"
            types = [e.event.type for e in await there.events(handle.id)]
            assert types.count("STREAM_END") == 1 and types[-1] == "STREAM_END", point
            print(f"point {point}: {len(there.model.requests)} calls, {time.monotonic() - began:.1f} s after the kill")
    finally:
        for process in workers:
            process.kill()
            process.wait()
