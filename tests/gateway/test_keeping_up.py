"""What ended while nobody could keep it is kept without anybody asking for it, gently, and nothing is guessed."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from tests.gateway.test_archiving import ALL, kept, submitted
from tests.support.archived import task
from tests.support.gateway import Gateway, gateway
from tests.support.postgres import on_both
from tests.support.servers import free_port, valkey
from tests.support.world import until, world
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.contracts.archive import TaskRecord
from theseus.contracts.task import TaskStatus
from theseus.gateway import keeping_up
from theseus.gateway.backend import Backend
from theseus.gateway.callers import OPEN_TENANT, OPEN_USER
from theseus.gateway.tasks import Tasks
from theseus.stores.archive.opening import archive
from theseus.stores.archive.port import Archive, ArchiveDownError
from theseus.stores.ports import EventLog, StoreDownError


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """No task is too young to be looked at, and nobody rests."""
    monkeypatch.setattr(keeping_up, "YOUNG", timedelta())
    monkeypatch.setattr(keeping_up, "PAUSE", timedelta(seconds=0.01))
    monkeypatch.setattr(keeping_up, "REST", timedelta(seconds=0.05))


@pytest_asyncio.fixture
async def left(
    temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path, database: str
) -> AsyncGenerator[Gateway]:
    """A gateway with an archive, before a worker that has none."""
    async with (
        archive(database) as whole,
        world(temporal.client, model, tmp_path) as there,
        gateway(there, tmp_path, kept=whole) as door,
    ):
        yield door


@asynccontextmanager
async def keeping(*backends: Backend) -> AsyncGenerator[None]:
    """Gateways that keep up while the context is open."""
    async with AsyncExitStack() as stack:
        for backend in backends:
            await stack.enter_async_context(keeping_up.while_open(backend.tasks, backend.archive, backend.events))
        yield


async def ended(door: Gateway, **keys: object) -> str:
    """A task that has ended, and that nobody has kept."""
    task_id = await submitted(door, **keys)
    await asyncio.wait_for(door.world.client.get_workflow_handle(task_id).result(), 30)
    assert (record := await door.archive.task(task_id)) is not None and record.outcome is None
    return task_id


@on_both
async def test_what_its_worker_could_not_keep_is_kept_without_anybody_asking(left: Gateway) -> None:
    task_id = await ended(left, session_id="s-1")
    async with keeping(left.backend):
        record = await kept(left, task_id)
    assert record.outcome is not None and record.outcome.status is TaskStatus.COMPLETED
    assert record.outcome.usage.total_tokens > 0 and record.completed_at is not None
    types = [stored.event.type for stored in (await left.archive.events(task_id, ALL)).events]
    assert types[0] == "WORKFLOW_STARTED" and types[-1] == "STREAM_END"


async def test_several_side_by_side_keep_it_once(left: Gateway) -> None:
    ids = [await ended(left) for _ in range(3)]
    async with keeping(*[left.backend] * 3):
        for task_id in ids:
            await kept(left, task_id)
    for task_id in ids:
        told = (await left.archive.events(task_id, ALL)).events
        assert len({stored.stream_id for stored in told}) == len(told) > 2


async def test_what_runs_and_what_temporal_does_not_know_stay_as_they_are(left: Gateway) -> None:
    left.world.model.replace({"rules": [{"reply": {"text": "never ends"}, "fault": {"hang_after": 3}}]})
    running = await submitted(left)
    long_ago = datetime.now(UTC) - timedelta(days=1)
    unknown = task("task-elsewhere").model_copy(update={"created_at": long_ago})
    assert await left.archive.begin(unknown)
    looked: list[str] = []

    class Watched:
        def __getattr__(self, name: str) -> object:
            return getattr(left.archive, name)

        async def unended(self, *asked: object) -> list[TaskRecord]:
            found = await left.archive.unended(*asked)  # type: ignore[arg-type]
            looked.extend(each.task_id for each in found)
            return found

    async def often() -> bool:
        return looked.count(unknown.task_id) > 2 and looked.count(running) > 2

    async with keeping(replace(left.backend, archive=cast(Archive, Watched()))):
        await until(often)
    assert looked[:2] == [unknown.task_id, running], "the oldest first"
    assert await left.archive.task(unknown.task_id) == unknown, "this may be another namespace than that of the task"
    assert (record := await left.archive.task(running)) is not None and record.outcome is None
    await left.world.client.get_workflow_handle(running).signal("cancel", {"reason": "enough"})


@dataclass
class Flaky:
    """A store of which one question meets a fault the first times that it is asked."""

    real: object
    question: str
    fault: Exception
    times: int = 4

    def __getattr__(self, name: str) -> object:
        if name == self.question and self.times:
            self.times -= 1
            return self._fail
        return getattr(self.real, name)

    async def _fail(self, *_: object) -> None:
        raise self.fault


@pytest.mark.parametrize("what", ["the database", "Redis", "Temporal"])
async def test_what_is_away_is_one_line_and_is_waited_for(
    left: Gateway, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    task_id = await ended(left)
    kept_in, events, tasks = left.archive, left.backend.events, left.backend.tasks
    match what:
        case "the database":
            kept_in = cast(Archive, Flaky(kept_in, "unended", ArchiveDownError("away")))
        case "Redis":
            events = cast(EventLog, Flaky(events, "end", StoreDownError("away")))
        case _:
            tasks = cast(Tasks, Flaky(tasks, "as_it_stands", RPCError("away", RPCStatusCode.UNAVAILABLE, b"")))
    async with keeping_up.while_open(tasks, kept_in, events):
        await kept(left, task_id)
    (line,) = [each for each in caplog.records if each.name == "theseus.gateway"]
    assert "away" in line.getMessage() and not line.exc_info
    assert (await left.archive.events(task_id, ALL)).total > 0, "with its events: they could be read again"


async def test_one_that_cannot_be_read_holds_up_no_other(left: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    bad, good = [await ended(left) for _ in range(2)]
    tasks = left.backend.tasks
    usual = tasks.as_it_stands

    async def stands(record: TaskRecord) -> object:
        if record.task_id == bad:
            raise KeyError("a result of another shape")
        return await usual(record)

    tasks.as_it_stands = stands  # type: ignore[method-assign]
    async with keeping_up.while_open(tasks, left.archive, left.backend.events):
        await kept(left, good)
    assert (record := await left.archive.task(bad)) is not None and record.outcome is None
    assert bad in caplog.text


async def test_it_asks_little_and_stops_at_once(left: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping_up, "PAUSE", timedelta(seconds=0.2))
    for number in range(10):
        await left.archive.begin(task(f"task-{number}").model_copy(update={"created_at": datetime.now(UTC)}))
    asked: list[float] = []
    tasks = left.backend.tasks
    usual = tasks.as_it_stands

    async def stands(record: TaskRecord) -> object:
        asked.append(asyncio.get_running_loop().time())
        return await usual(record)

    tasks.as_it_stands = stands  # type: ignore[method-assign]
    began = asyncio.get_running_loop().time()
    async with keeping_up.while_open(tasks, left.archive, left.backend.events):
        await asyncio.sleep(1.1)
        assert 2 <= len(asked) <= 6
    assert asyncio.get_running_loop().time() - began < 1.5
    so_far = len(asked)
    await asyncio.sleep(0.3)
    assert len(asked) == so_far


async def test_what_began_a_moment_ago_is_left_to_its_worker(left: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping_up, "YOUNG", timedelta(minutes=1))
    task_id = await ended(left)
    async with keeping(left.backend):
        await asyncio.sleep(0.4)
    assert (record := await left.archive.task(task_id)) is not None and record.outcome is None


async def test_a_gateway_does_so_from_its_start_on(left: Gateway, tmp_path: Path) -> None:
    handle = await left.world.start(user_id=OPEN_USER)
    await left.world.result(handle)
    long_ago = datetime.now(UTC) - timedelta(days=1)
    begun = task(handle.id, tenant_id=OPEN_TENANT, user_id=OPEN_USER).model_copy(update={"created_at": long_ago})
    with valkey(tmp_path) as redis_url:
        own = {
            "TEMPORAL_ADDRESS": left.world.client.service_client.config.target_host,
            "THESEUS_DATA_DIR": str(tmp_path),
            "REDIS_URL": redis_url,
            "GATEWAY_SKIP_AUTH": "1",
        }
        command = (sys.executable, "-m", "theseus", "gateway", "--port", str(free_port()))
        await left.archive.begin(begun)
        process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **own})
        try:
            await kept(left, handle.id)
            process.terminate()
            assert await asyncio.wait_for(process.wait(), 12) == 0
        finally:
            if process.returncode is None:
                process.kill()
