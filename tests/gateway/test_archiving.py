"""A task that has ended is kept for good by its worker; whatever happens to the archive, the task is not lost for it."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.support.gateway import Gateway, gateway, listening
from tests.support.postgres import on_both
from tests.support.world import World, until, world
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.contracts.archive import TaskRecord
from theseus.contracts.events import StoredEvent
from theseus.contracts.task import TaskStatus
from theseus.stores.archive.opening import archive
from theseus.stores.archive.port import Archive, ArchiveDownError, Page

ALL = Page(1000)


async def submitted(door: Gateway, **keys: object) -> str:
    answer = await door.http.post("/api/v1/tasks", json={"query": "hello", "mode": "simple", **keys})
    assert answer.status_code == 200, answer.text
    task_id: str = answer.json()["task_id"]
    return task_id


async def kept(door: Gateway, task_id: str) -> TaskRecord:
    async def is_there() -> bool:
        record = await door.archive.task(task_id)
        return record is not None and record.outcome is not None

    await until(is_there)
    record = await door.archive.task(task_id)
    assert record is not None
    return record


@on_both
async def test_an_ended_task_its_usage_and_its_events_are_kept_by_the_worker(door: Gateway) -> None:
    task_id = await submitted(door, session_id="s-1", context={"customer": 7})
    record = await kept(door, task_id)
    assert record.outcome is not None and record.outcome.status is TaskStatus.COMPLETED
    assert (record.query, record.session_id, record.trigger) == ("hello", "s-1", "api")
    assert record.context == {"customer": 7} and record.completed_at is not None
    told = (await door.archive.events(task_id, ALL)).events
    types = [stored.event.type for stored in told]
    assert types[0] == "WORKFLOW_STARTED" and types[-1] == "STREAM_END" and "LLM_PARTIAL" not in types
    log = {stored.stream_id: stored.event for stored in await door.world.events(task_id)}
    assert all(log[stored.stream_id] == stored.event for stored in told), "with the places that readers resume from"


@pytest.mark.parametrize("end", ["failed", "cancelled"])
async def test_whatever_the_end_it_is_kept(door: Gateway, end: str) -> None:
    fault = {"status": 400} if end == "failed" else {"hang_after": 3}
    door.world.model.replace({"rules": [{"reply": {"text": "never ends"}, "fault": fault}]})
    task_id = await submitted(door)
    if end == "cancelled":

        async def asked() -> bool:
            return bool(door.world.model.requests)

        await until(asked)
        await door.world.client.get_workflow_handle(task_id).signal("cancel", {"reason": "enough"})
    record = await kept(door, task_id)
    assert record.outcome is not None and record.outcome.status == end


@on_both
async def test_a_task_that_came_another_way_is_kept_and_found_too(door: Gateway) -> None:
    handle = await door.world.start("by another way")
    record = await kept(door, handle.id)
    assert (record.query, record.trigger) == ("by another way", "other")
    assert (await door.http.get(f"/api/v1/tasks/{handle.id}")).json()["query"] == "by another way"


async def test_an_archive_that_is_away_costs_no_task_and_is_told_later(
    temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path
) -> None:
    async with archive(f"sqlite:///{tmp_path / 'archive.db'}") as whole:

        class Away:
            """The archive, as a worker sees it that cannot reach it."""

            async def end(self, record: TaskRecord, events: list[StoredEvent]) -> None:
                raise ArchiveDownError("the archive does not answer")

        away = cast(Archive, Away())
        async with (
            world(temporal.client, model, tmp_path, archive=away) as there,
            gateway(there, tmp_path, kept=whole) as door,
        ):
            task_id = await submitted(door)
            result = await asyncio.wait_for(there.client.get_workflow_handle(task_id).result(), 30)
            assert result["status"] == "completed"
            assert (record := await whole.task(task_id)) is not None and record.outcome is None
            told = (await door.http.get(f"/api/v1/tasks/{task_id}")).json()
            assert told["status"] == "TASK_STATUS_COMPLETED"
            assert (record := await whole.task(task_id)) is not None and record.outcome is not None, (
                "mended by the read"
            )
            types = [stored.event.type for stored in (await whole.events(task_id, ALL)).events]
            assert types[0] == "WORKFLOW_STARTED" and types[-1] == "STREAM_END" and "LLM_PARTIAL" not in types


async def test_who_has_read_the_end_of_the_events_finds_the_end_of_the_task(door: Gateway) -> None:
    for _ in range(5):
        task_id = await submitted(door)
        async for stored in door.world.stores.events.read(task_id):
            if stored.event.type == "STREAM_END":
                break
        assert (await door.http.get(f"/api/v1/tasks/{task_id}")).json()["status"] == "TASK_STATUS_COMPLETED"


async def test_a_worker_without_an_archive_takes_no_step_for_it(there: World) -> None:
    handle = await there.start()
    await there.result(handle)
    history = await handle.fetch_history()
    assert "task.archive" not in str(history.events)


@on_both
async def test_keeping_twice_changes_nothing_and_the_start_stays_as_it_was(door: Gateway) -> None:
    task_id = await submitted(door)
    record = await kept(door, task_id)
    events = await door.archive.events(task_id, ALL)
    other = record.model_copy(update={"query": "other", "created_at": datetime(2020, 1, 1, tzinfo=UTC)})
    await door.archive.end(other, events.events)
    assert await door.archive.task(task_id) == record
    assert await door.archive.events(task_id, ALL) == events


async def test_who_asks_while_a_task_ends_takes_nothing_from_what_its_worker_kept(door: Gateway) -> None:
    door.world.model.replace({"rules": [{"reply": {"text": "never ends"}, "fault": {"hang_after": 3}}]})
    task_id = await submitted(door)

    async def asked() -> bool:
        return bool(door.world.model.requests)

    await until(asked)
    before = await door.archive.task(task_id)
    await door.world.client.get_workflow_handle(task_id).signal("cancel", {"reason": "enough"})
    record = await kept(door, task_id)
    assert before is not None and record.outcome is not None and record.outcome.metadata.model_breakdown

    class Earlier:
        """The archive, as who looks a moment before the worker keeps the task sees it."""

        looks = 0

        def __getattr__(self, name: str) -> object:
            return getattr(door.archive, name)

        async def task(self, task_id: str) -> TaskRecord | None:
            self.looks += 1
            return before if self.looks == 1 else await door.archive.task(task_id)

    async with listening(replace(door.backend, archive=cast(Archive, Earlier()))) as address:
        told = (await door.http.get(f"{address}/api/v1/tasks/{task_id}")).json()
    assert told["status"] == "TASK_STATUS_CANCELLED" and told["metadata"]["model_breakdown"]
    assert await door.archive.task(task_id) == record
