"""A gateway that is told to stop does so within its time, whatever is still asked of it."""

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from temporalio.testing import WorkflowEnvironment

from tests.support.servers import free_port, valkey
from tests.support.world import until


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    with valkey(tmp_path) as url:
        yield url


async def test_neither_who_waits_for_a_task_nor_who_sends_slowly_holds_it(
    temporal: WorkflowEnvironment, tmp_path: Path, redis_url: str
) -> None:
    port = free_port()
    own = {
        "TEMPORAL_ADDRESS": temporal.client.service_client.config.target_host,
        "THESEUS_TASK_QUEUE": "nobody-works-here",
        "THESEUS_DATA_DIR": str(tmp_path),
        "THESEUS_SHUTDOWN_GRACE": "PT2S",
        "REDIS_URL": redis_url,
        "GATEWAY_SKIP_AUTH": "1",
    }
    command = (sys.executable, "-m", "theseus", "gateway", "--port", str(port))
    process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **own})
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:

            async def is_up() -> bool:
                try:
                    return (await http.get("/readiness")).status_code == 200
                except httpx.TransportError:
                    return False

            async def has_a_task() -> bool:
                return (await http.get("/api/v1/tasks")).json()["total_count"] == 1

            await until(is_up, 40)
            ask = {"model": "shannon-chat", "messages": [{"role": "user", "content": "hello"}]}
            waits = asyncio.create_task(http.post("/v1/chat/completions", json=ask))
            await until(has_a_task)
            assert not waits.done()
            _, slow = await asyncio.open_connection("127.0.0.1", port)
            slow.write(b"POST /api/v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{")
            await slow.drain()
            process.terminate()
            refused = await waits
            assert refused.status_code == 503 and "the task goes on" in refused.json()["error"]["message"]
            assert await asyncio.wait_for(process.wait(), 12) == 0
            slow.close()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
