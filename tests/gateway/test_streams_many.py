"""200 readers on 20 tasks: each gets every event once and in order, also when it breaks off and comes back; and soon."""

import asyncio
import json
import random
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from tests.support.gateway import Gateway, gateway
from tests.support.servers import free_port, valkey
from tests.support.streams import delta, end, now, published, registered, soon
from tests.support.world import world
from theseus import worker
from theseus.activities.llm.scripted.server import ScriptedModel

TASKS, READERS, DELTAS = 20, 200, 20
PAUSE = 0.2
P95_MS = 150
TRIES = 3
"""A machine with other work says little about ours."""


@pytest_asyncio.fixture
async def crowded(temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path) -> AsyncGenerator[Gateway, None]:
    url = f"redis://127.0.0.1:{free_port()}/0"
    with valkey(tmp_path, int(url.rsplit(":", 1)[1].split("/")[0])):
        async with (
            world(temporal.client, model, tmp_path, work=False, redis_url=url) as made,
            worker.redis_stores(made.settings) as stores,
        ):
            made.stores = stores
            async with gateway(made, tmp_path) as door:
                yield door


@dataclass
class Reader:
    """Reads one task over a plain socket, which costs next to nothing beside what is measured."""

    url: str
    task: str
    leaves_after: int | None = None
    seqs: list[int] = field(default_factory=list[int])
    late_ms: list[float] = field(default_factory=list[float])
    last: str = ""
    is_done: bool = False

    async def run(self) -> None:
        """Until the task's end; breaks off once in the middle and comes back."""
        await self._once(self.leaves_after)
        if not self.is_done:
            await self._once(None)

    async def _once(self, most: int | None) -> None:
        place = urlsplit(self.url)
        coming, going = await asyncio.open_connection(place.hostname, place.port, limit=1 << 20)
        came_back = f"Last-Event-ID: {self.last}\r\n" if self.last else ""
        going.write(f"GET /api/v1/stream/sse?workflow_id={self.task} HTTP/1.1\r\nHost: x\r\n{came_back}\r\n".encode())
        taken = 0
        while not self.is_done and taken != most:
            line = await coming.readline()
            assert line, "closed before the end"
            if line.startswith(b"data: "):
                taken += 1
                self._take(json.loads(line[6:]))
        going.close()

    def _take(self, data: dict[str, Any]) -> None:
        self.seqs.append(data["seq"])
        self.last, self.is_done = data["stream_id"], data["type"] == "done"
        if not came_later(self):
            self.late_ms.append((now() - datetime.fromisoformat(data["timestamp"])).total_seconds() * 1000)


def came_later(reader: Reader) -> bool:
    """Whether the reader has to catch up first: what it missed meanwhile says nothing of the way."""
    return reader.leaves_after is not None and len(reader.seqs) > reader.leaves_after


async def told(door: Gateway, task: str, rng: random.Random) -> None:
    await asyncio.sleep(rng.random() * PAUSE)
    for n in range(DELTAS):
        await published(door, task, [delta(task, n, "some words ")])
        await asyncio.sleep(PAUSE)
    await published(door, task, [end(task)])


async def crowd(door: Gateway, seed: int) -> list[float]:
    """All readers on all tasks, to the end of each; gives how late each event came, in milliseconds, sorted."""
    rng = random.Random(seed)
    tasks = [await registered(door) for _ in range(TASKS)]
    leaves = [rng.randrange(5, DELTAS) if n % 4 == 0 else None for n in range(READERS)]
    readers = [Reader(door.url, tasks[n % TASKS], leaves[n]) for n in range(READERS)]
    reading = [asyncio.create_task(reader.run()) for reader in readers]
    while door.backend.streams.open < TASKS:
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.5)
    await soon(asyncio.gather(*(told(door, task, rng) for task in tasks)), 60)
    await soon(asyncio.gather(*reading), 60)
    for reader in readers:
        assert reader.seqs == list(range(1, DELTAS + 2))
    return sorted(ms for reader in readers for ms in reader.late_ms)


async def test_two_hundred_readers_get_every_event_once_in_order_and_soon(crowded: Gateway) -> None:
    found: list[float] = []
    for seed in range(TRIES):
        late = await crowd(crowded, seed)
        found.append(late[len(late) * 95 // 100])
        if found[-1] <= P95_MS:
            return
    raise AssertionError(f"an event comes later than {P95_MS} ms after it was told: p95 of each try {found}")


async def test_one_reader_of_redis_serves_all_who_watch_a_task(crowded: Gateway) -> None:
    task = await registered(crowded)
    readers = [asyncio.create_task(Reader(crowded.url, task).run()) for _ in range(30)]
    await asyncio.sleep(0.5)
    log: Any = crowded.backend.events
    clients = await log._client.client_list()
    assert sum(client["cmd"].startswith("xread") for client in clients) == 1
    await published(crowded, task, [end(task)])
    await soon(asyncio.gather(*readers))
