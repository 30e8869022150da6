"""The gateway: submits a second and how long one takes, beside a client of Temporal that starts the same workflow itself."""

import asyncio
import contextlib
import os
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import httpx
from temporalio.client import Client

from benchmarks.rows import Row
from tests.support.servers import free_port

SUBMITS = 240
IN_FLIGHT = 10
LOTS = 4
"""Each side submits so many lots in turn, so that a busy machine is busy for both."""
NOBODY = "nobody"
"""The task queue: what tasks do after their start is not measured."""
TASK = {"query": "q", "mode": "simple", "context": {"role": "chat"}}


async def submits(client: Client, environ: Mapping[str, str]) -> list[Row]:
    """Throughput and the 95th percentile, ours as a multiple of bare ones."""
    async with serving(environ) as url, httpx.AsyncClient(base_url=url, timeout=60) as http:

        async def ours() -> None:
            (await http.post("/api/v1/tasks", json=TASK)).raise_for_status()

        async def bare() -> None:
            await client.start_workflow("SimpleWorkflow", TASK, id=f"bare-{uuid.uuid4()}", task_queue=NOBODY)

        await asyncio.gather(_timed(ours, IN_FLIGHT), _timed(bare, IN_FLIGHT))
        taken: dict[str, list[float]] = {"ours": [], "bare": []}
        seconds = {"ours": 0.0, "bare": 0.0}
        for _ in range(LOTS):
            for name, make in (("ours", ours), ("bare", bare)):
                began = time.perf_counter()
                taken[name] += await _timed(make, SUBMITS // LOTS)
                seconds[name] += time.perf_counter() - began
    late, floor = (sorted(each)[int(len(each) * 0.95)] for each in taken.values())
    rates = f"{SUBMITS / seconds['ours']:.0f} submits a second against {SUBMITS / seconds['bare']:.0f}"
    return [
        Row("submit by HTTP against a bare start, time of each", seconds["ours"] / seconds["bare"], 5, "x", rates),
        Row(
            "submit by HTTP, p95 against a bare start",
            late / floor,
            5,
            "x",
            f"{late * 1000:.0f} ms, {floor * 1000:.0f}",
        ),
    ]


async def _timed(make: Callable[[], Awaitable[None]], count: int) -> list[float]:
    room = asyncio.Semaphore(IN_FLIGHT)
    taken: list[float] = []

    async def one() -> None:
        async with room:
            began = time.perf_counter()
            await make()
            taken.append(time.perf_counter() - began)

    await asyncio.gather(*(one() for _ in range(count)))
    return taken


@asynccontextmanager
async def serving(environ: Mapping[str, str]) -> AsyncGenerator[str]:
    """The address of a gateway, in a process of its own, whose tasks nobody works on."""
    port = free_port()
    process = _spawned(port, environ)
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(base_url=url) as http:
            for _ in range(300):
                with contextlib.suppress(httpx.HTTPError):
                    if (await http.get("/health")).status_code == 200:
                        break
                await asyncio.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


def _spawned(port: int, environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    own = {"THESEUS_TASK_QUEUE": NOBODY, "GATEWAY_SKIP_AUTH": "1", "GATEWAY_RATE_LIMIT": "0"}
    command = [sys.executable, "-m", "theseus", "gateway", "--port", str(port)]
    return subprocess.Popen(command, env={**os.environ, **environ, **own}, stderr=subprocess.DEVNULL)
