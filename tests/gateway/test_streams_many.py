"""200 readers on 20 tasks: each gets every event once and in order, also when it breaks off and comes back.

How soon an event comes to its reader is a figure of `make bench`.
"""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from tests.support.crowd import DELTAS, READERS, TASKS, Reader, crowd
from tests.support.gateway import Gateway, gateway
from tests.support.servers import free_port, valkey
from tests.support.streams import end, published, registered, soon
from tests.support.world import world
from theseus import worker
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.gateway import serving
from theseus.stores.ports import EventLog
from theseus.stores.redis import connection


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


async def test_two_hundred_readers_get_every_event_once_and_in_order(crowded: Gateway) -> None:
    tasks = [await registered(crowded) for _ in range(TASKS)]
    readers = await crowd(crowded.url, crowded.world.stores.events, tasks)
    assert len(readers) == READERS and sum(reader.leaves_after is not None for reader in readers) == READERS // 4
    for reader in readers:
        assert reader.seqs == list(range(1, DELTAS + 2))


async def test_one_reader_of_redis_serves_all_who_watch_a_task(crowded: Gateway) -> None:
    task = await registered(crowded)
    readers = [asyncio.create_task(Reader(crowded.url, task).run()) for _ in range(30)]
    await asyncio.sleep(0.5)
    log: Any = crowded.backend.events
    clients = await log._client.client_list()
    assert sum(client["cmd"].startswith("xread") for client in clients) == 1
    await published(crowded, task, [end(task)])
    await soon(asyncio.gather(*readers))


async def watch(task_id: str, events: EventLog) -> None:
    async for _ in events.read(task_id):
        pass


async def test_however_many_tasks_are_watched_all_else_reaches_redis(
    crowded: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MAX_CONNECTIONS", 3)
    monkeypatch.setenv("TEMPORAL_ADDRESS", crowded.world.client.service_client.config.target_host)
    async with serving.backend(crowded.world.settings) as there:
        watching = [asyncio.create_task(watch(f"t-{n}", there.events)) for n in range(3)]
        await asyncio.sleep(0.5)
        assert (await there.requests.admit("key", most=1, window=timedelta(minutes=1))).is_admitted
        assert not any(each.done() for each in watching)
        for each in watching:
            each.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
