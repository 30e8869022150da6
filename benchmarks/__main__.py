"""`make bench`: every figure in one run, as a ratio where the machine matters; exit 1 when a goal is missed."""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from temporalio.client import Client, WorkflowFailureError

from benchmarks.quota import quota
from benchmarks.readers import readers
from benchmarks.rows import CALL_SECONDS, Row, bare, latencies, start
from benchmarks.streamer import streaming
from benchmarks.submits import submits
from benchmarks.teams import fan_out
from benchmarks.templates import rendering
from tests.support.servers import valkey
from tests.support.temporal import dev_server
from theseus.activities.llm.scripted.script import Script
from theseus.activities.llm.scripted.server import ScriptedModel, running
from theseus.config import Settings
from theseus.stores.redis import RedisEvents, connect_redis

RUNS = 60
HELD = 300
IN_FLIGHT = 8
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """CPU time that the process has used."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def rss_kib(process: subprocess.Popen[bytes]) -> int:
    """Resident memory of the process."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


def spawn(kind: str, environ: dict[str, str]) -> subprocess.Popen[bytes]:
    """A worker process."""
    return subprocess.Popen([sys.executable, "-m", "benchmarks.worker", kind], env={**os.environ, **environ})


async def overhead(client: Client, model: ScriptedModel) -> list[Row]:
    """Latency of a simple task against a bare workflow with as many activities that take as long."""
    model.replace({"rules": [{"latency": CALL_SECONDS, "reply": {"text": "ok"}}]})
    pairs: list[tuple[float, float]] = []
    await latencies(lambda: start(client), 5)
    await latencies(lambda: bare(client, [CALL_SECONDS, 0.0], 3), 5)
    for _ in range(RUNS // 4):
        ours = await latencies(lambda: start(client), 2)
        plain = await latencies(lambda: bare(client, [CALL_SECONDS, 0.0], 3), 2)
        pairs += zip(ours, plain, strict=True)
    ours, plain = (statistics.median(side) for side in zip(*pairs, strict=True))
    text = f"{ours * 1000:.0f} ms against {plain * 1000:.0f} ms, the model's {CALL_SECONDS * 1000:.0f} ms in both"
    return [Row("task latency against bare Temporal", ours / plain, 1.15, "x", text)]


async def cpu(
    client: Client, model: ScriptedModel, process: subprocess.Popen[bytes], plain: subprocess.Popen[bytes]
) -> list[Row]:
    """Worker CPU per activity, ours and bare."""
    model.replace({"rules": [{"reply": {"text": "ok"}}]})
    figures: list[float] = []
    for worker, make in ((process, lambda: start(client)), (plain, lambda: bare(client, [0.0, 0.0], 3))):
        before = cpu_seconds(worker)
        for _ in range(RUNS // IN_FLIGHT):
            handles = await asyncio.gather(*(make() for _ in range(IN_FLIGHT)))
            await asyncio.gather(*(handle.result() for handle in handles))
        tasks = RUNS // IN_FLIGHT * IN_FLIGHT
        # three local activities and two activities a task
        figures.append((cpu_seconds(worker) - before) / tasks / 5 * 1000)
    ours, floor = figures
    return [Row("worker CPU per activity against bare", ours / floor, 2, "x", f"{ours:.1f} ms against {floor:.1f} ms")]


async def economy(client: Client, model: ScriptedModel) -> list[Row]:
    """Events and bytes: of a simple task, and per turn of a task with tools."""
    model.replace({"rules": [{"reply": {"text": "ok"}}]})
    handle, plain = await start(client), await bare(client, [0.0, 0.0], 3)
    await handle.result()
    await plain.result()
    ours, floor = await _events(handle), await _events(plain)
    calls = {"tool_calls": [{"name": "calculator", "arguments": {"expression": "{{turn}}+1"}}]}
    model.replace({"rules": [{"when": {"turn": 20}, "reply": {"text": "ok"}}, {"reply": calls}]})
    turns = await start(client, role="generalist", max_iterations=50)
    await turns.result()
    events = await _events(turns)
    first = await _events_of_turns(events)
    per_events = statistics.mean(count for count, _ in first)
    per_bytes = statistics.mean(size for _, size in first)
    return [
        Row("history events of a simple task", len(ours), 30, "", f"bare {len(floor)}"),
        Row(
            "history bytes of a simple task",
            sum(e.ByteSize() for e in ours),
            8192,
            "B",
            f"bare {sum(e.ByteSize() for e in floor)} B",
        ),
        Row("events of a turn with one tool call", per_events, 13, "", "two activities are 12"),
        Row("bytes of a turn with one tool call", per_bytes, 3072, "B", "a model call and a tool call"),
    ]


async def _events(handle: Any) -> list[Any]:
    return list((await handle.fetch_history()).events)


async def _events_of_turns(events: list[Any]) -> list[tuple[int, int]]:
    turns: list[tuple[int, int]] = []
    for event in events:
        scheduled = event.activity_task_scheduled_event_attributes.activity_type.name
        if scheduled == "llm.complete":
            turns.append((0, 0))
        if turns:
            turns[-1] = (turns[-1][0] + 1, turns[-1][1] + event.ByteSize())
    return turns[1:-1]


async def cancelling(client: Client, model: ScriptedModel, runs: int = 20) -> list[Row]:
    """From the signal to the closed task, with a stream that hangs."""
    model.replace({"rules": [{"reply": {"text": "never ends " * 20}, "fault": {"hang_after": 20}}]})
    taken: list[float] = []
    for _ in range(runs):
        before = len(model.requests)
        handle = await start(client)
        while len(model.requests) == before:
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)
        began = time.perf_counter()
        await handle.signal("cancel", {"reason": "bench"})
        try:
            await handle.result()
        except WorkflowFailureError:
            taken.append(time.perf_counter() - began)
    return [Row(f"cancel to closed, worst of {runs}", max(taken), 1.5, "s", f"median {statistics.median(taken):.2f} s")]


async def tokens(client: Client, redis: Redis, count: int = 200) -> list[Row]:
    """From the provider's socket to a reader of the event stream."""
    settings = Settings()
    events = RedisEvents(redis, ttl=settings.event_ttl, cap=settings.event_cap)
    handle = await start(client)
    late: list[float] = []
    async for stored in events.read(handle.id):
        if stored.event.type == "LLM_PARTIAL":
            now = time.time()
            late += [now - float(word) for word in stored.event.message.split()]
    late.sort()
    p95 = late[int(len(late) * 0.95)]
    return [
        Row(
            "token to reader, p95",
            p95 * 1000,
            150,
            "ms",
            f"median {statistics.median(late) * 1000:.0f} ms, {len(late)} of {count}",
        )
    ]


async def idle(
    client: Client, model: ScriptedModel, process: subprocess.Popen[bytes], plain: subprocess.Popen[bytes]
) -> list[Row]:
    """Worker memory per task that waits in its cache, and per bare workflow with as many activities."""
    model.replace({"rules": [{"latency": 3, "reply": {"text": "ok"}}]})

    async def held() -> Any:
        task = await start(client)
        await task.signal("pause")
        return task

    async def bare_held() -> Any:
        return await client.start_workflow(
            "BareWorkflow", args=[[0.0], 4, True], id=f"bare-{uuid.uuid4()}", task_queue="bare"
        )

    ours, theirs = await _grown(process, held), await _grown(plain, bare_held)
    text = f"{ours:.0f} KiB against {theirs:.0f} KiB, by {HELD} tasks more in the cache"
    return [Row("worker memory per held task, bare = 1", ours / theirs, 2, "x", text)]


async def _grown(process: subprocess.Popen[bytes], make: Callable[[], Awaitable[Any]]) -> float:
    # a first lot warms the process up; what the next ones add is theirs
    sizes: list[int] = []
    lots: list[Any] = []
    for size in (HELD // 3, HELD):
        lots += [await make() for _ in range(size)]
        await asyncio.sleep(12)
        sizes.append(rss_kib(process))
    await asyncio.gather(*(handle.terminate() for handle in lots))
    return max(sizes[1] - sizes[0], 1) / HELD


@asynccontextmanager
async def _processes(
    environ: dict[str, str],
) -> AsyncGenerator[tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]], None]:
    workers = (spawn("theseus", environ), spawn("bare", environ))
    try:
        yield workers
    finally:
        for worker in workers:
            worker.terminate()
            worker.wait()


async def measure() -> list[Row]:
    """All rows."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name, valkey(Path(name)) as url:
        async with dev_server() as env, running(Script()) as model:
            client = env.client
            base = {
                "TEMPORAL_ADDRESS": client.service_client.config.target_host,
                "REDIS_URL": url,
                "THESEUS_DATA_DIR": name,
                "OPENAI_API_KEY": "bench",
            }
            async with _processes({**base, "OPENAI_BASE_URL": model.base_url}) as (ours, plain):
                rows += await overhead(client, model)
                rows += await cpu(client, model, ours, plain)
                rows += await economy(client, model)
                rows += await cancelling(client, model)
                rows += await fan_out(client, model)
                rows += await rendering(client)
                rows += await idle(client, model, ours, plain)
            async with streaming(200, 50) as stream_url, _processes({**base, "OPENAI_BASE_URL": stream_url}):
                redis = connect_redis(Settings(redis_url=url).redis_url)
                rows += await tokens(client, redis)
            rows += await readers(redis, base)
            await redis.aclose()
            rows += await submits(client, base)
            rows += await quota(client, model, {**base, "OPENAI_BASE_URL": model.base_url}, Path(name))
    return rows


def main() -> int:
    """Prints the rows; 1 when a goal is missed."""
    rows = asyncio.run(measure())
    for row in rows:
        goal = "" if row.goal is None else f"goal {row.goal:g}"
        mark = "ok  " if row.is_met else "MISS"
        print(f"{mark} {row.name:<40} {row.value:>9.2f} {row.unit:<4} {goal:<10} {row.note}")
    return 0 if all(row.is_met for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
