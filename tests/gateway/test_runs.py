"""What a schedule starts is a task as any other: listed, streamed, kept, within the schedule's budget and time, and its owner's."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import ScheduleIntervalSpec, ScheduleSpec, ScheduleUpdate, ScheduleUpdateInput

from tests.gateway.test_schedules import ALL, made
from tests.gateway.test_sessions import got
from tests.support.gateway import Gateway, gateway, people
from tests.support.world import World, until

HANGS = {"rules": [{"reply": {"text": "never ends"}, "fault": {"hang_after": 3}}]}
SAYS = {"rules": [{"reply": {"text": "all is well"}}]}
SIMPLE: dict[str, Any] = {"task_context": {"role": "chat", "customer": 7}}


async def fired(door: Gateway, schedule_id: str) -> None:
    """Its time comes."""
    await door.world.client.get_schedule_handle(schedule_id).trigger()


async def runs(door: Gateway, schedule_id: str) -> list[dict[str, Any]]:
    return list((await got(door.http, f"{ALL}/{schedule_id}/runs"))["runs"])


async def has_runs(door: Gateway, schedule_id: str, *statuses: str) -> list[dict[str, Any]]:
    """Waits until its runs, the newest first, are as told."""
    seen: list[dict[str, Any]] = []

    async def are() -> bool:
        seen[:] = await runs(door, schedule_id)
        return [run["status"] for run in seen] == list(statuses)

    try:
        await until(are, 30)
    except AssertionError:
        pytest.fail(f"runs are {[run['status'] for run in seen]}, not {statuses}")
    return seen


async def test_when_its_time_comes_a_schedule_runs_and_its_run_is_a_task_as_any_other(door: Gateway) -> None:
    door.world.model.replace(SAYS)
    before = await made(door.http, **SIMPLE)
    schedule_id = before["schedule_id"]

    def every_second(now: ScheduleUpdateInput) -> ScheduleUpdate:
        # more often than the API lets anybody; all else is as the API made it
        now.description.schedule.spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(seconds=1))])
        return ScheduleUpdate(now.description.schedule)

    handle = door.world.client.get_schedule_handle(schedule_id)
    await handle.update(every_second)

    async def has_run_twice() -> bool:
        return [run["status"] for run in await runs(door, schedule_id)].count("COMPLETED") >= 2

    await until(has_run_twice, 30)
    await handle.pause()
    run = next(run for run in await runs(door, schedule_id) if run["status"] == "COMPLETED")
    task_id = run["task_id"]
    assert run["workflow_id"] == task_id and run["query"] == "What is new?" and run["result"] == "all is well"
    assert run["total_tokens"] > 0 and run["total_cost_usd"] > 0 and run["model_used"] and run["duration_ms"] >= 0
    times = [datetime.fromisoformat(run[name]) for name in ("triggered_at", "started_at", "completed_at")]
    assert times == sorted(times)
    told = await got(door.http, f"/api/v1/tasks/{task_id}")
    assert (told["status"], told["result"], told["context"]) == (
        "TASK_STATUS_COMPLETED",
        "all is well",
        SIMPLE["task_context"],
    )
    listed = {each["task_id"] for each in (await got(door.http, "/api/v1/tasks"))["tasks"]}
    assert listed >= {each["task_id"] for each in await runs(door, schedule_id)}
    events = await got(door.http, f"/api/v1/tasks/{task_id}/events")
    assert [event["type"] for event in events["events"]][-1] == "STREAM_END"
    stream = await door.http.get("/api/v1/stream/sse", params={"workflow_id": task_id})
    assert "all is well" in stream.text and "event: done" in stream.text
    record = await door.archive.task(task_id)
    assert record is not None and (record.trigger, record.schedule_id) == ("schedule", schedule_id)
    session = await got(door.http, f"/api/v1/sessions/{run['session_id']}/history")
    assert [each["task_id"] for each in session["tasks"]] == [task_id], "each run has a session of its own"
    sums = await got(door.http, f"{ALL}/{schedule_id}")
    assert sums["total_runs"] >= sums["successful_runs"] >= 2 and sums["failed_runs"] == 0 and sums["last_run_at"]


async def test_a_run_under_way_is_listed_found_streamed_and_ended_like_any_task(door: Gateway) -> None:
    door.world.model.replace(HANGS)
    schedule_id = (await made(door.http, **SIMPLE))["schedule_id"]
    await fired(door, schedule_id)
    seen: list[str] = []

    async def is_listed() -> bool:
        seen[:] = [each["task_id"] for each in (await got(door.http, "/api/v1/tasks?status=RUNNING"))["tasks"]]
        return bool(seen)

    await until(is_listed)
    (task_id,) = seen
    assert (await got(door.http, f"/api/v1/tasks/{task_id}"))["query"] == "What is new?"
    described = await door.world.client.get_workflow_handle(task_id).describe()
    assert await described.static_summary() == "What is new?"
    async with door.http.stream("GET", f"/api/v1/tasks/{task_id}/stream") as stream:
        async for line in stream.aiter_lines():
            if "WORKFLOW_STARTED" in line:
                break
        assert (await door.http.post(f"/api/v1/tasks/{task_id}/cancel", json={})).json()["success"]
    await has_runs(door, schedule_id, "CANCELLED")
    assert (await got(door.http, f"{ALL}/{schedule_id}"))["failed_runs"] == 1


async def test_the_budget_of_a_schedule_is_the_limit_of_its_runs(door: Gateway) -> None:
    call = {"name": "calculator", "arguments": {"expression": "{{turn}}+1"}}
    door.world.model.replace({"rules": [{"reply": {"text": "thinking " * 40, "tool_calls": [call]}}]})
    context = {"model_override": "gpt-5.1"}
    schedule_id = (await made(door.http, task_context=context, max_budget_per_run_usd=0.06))["schedule_id"]
    await fired(door, schedule_id)
    (run,) = await has_runs(door, schedule_id, "COMPLETED")
    told = await got(door.http, f"/api/v1/tasks/{run['task_id']}")
    assert told["metadata"]["status"] == "budget_exhausted" and 0 < run["total_cost_usd"] <= 0.06
    await door.http.put(f"{ALL}/{schedule_id}", json={"max_budget_per_run_usd": 0.000_001})
    await fired(door, schedule_id)
    newest, _ = await has_runs(door, schedule_id, "FAILED", "COMPLETED")
    assert newest["total_cost_usd"] == 0 and "limits.cost_microusd=1" in newest["error_message"]


async def test_the_timeout_of_a_schedule_ends_its_runs(door: Gateway) -> None:
    door.world.model.replace(HANGS)
    schedule_id = (await made(door.http, **SIMPLE, timeout_seconds=1))["schedule_id"]
    await fired(door, schedule_id)
    (run,) = await has_runs(door, schedule_id, "TIMEOUT")
    assert "1" in run["error_message"]


@pytest.mark.parametrize(
    ("policy", "first", "after"),
    [
        ("skip", ["RUNNING"], ["CANCELLED"]),
        ("buffer_one", ["RUNNING"], ["RUNNING", "CANCELLED"]),
        ("cancel_other", ["RUNNING", "CANCELLED"], ["CANCELLED", "CANCELLED"]),
        ("allow_all", ["RUNNING", "RUNNING"], ["RUNNING", "CANCELLED"]),
    ],
)
async def test_runs_that_meet_do_what_the_schedule_says(
    door: Gateway, policy: str, first: list[str], after: list[str]
) -> None:
    door.world.model.replace(HANGS)
    schedule_id = (await made(door.http, **SIMPLE, overlap_policy=policy))["schedule_id"]
    await fired(door, schedule_id)
    await has_runs(door, schedule_id, "RUNNING")
    # runs of one second would have one id
    await asyncio.sleep(1)
    await fired(door, schedule_id)

    async def is_taken() -> bool:
        told = (await door.world.client.get_schedule_handle(schedule_id).describe()).info
        return told.num_actions + told.num_actions_skipped_overlap == 2 or policy == "buffer_one"

    await until(is_taken)
    seen = await has_runs(door, schedule_id, *first)
    running = [run["task_id"] for run in seen if run["status"] == "RUNNING"]
    await door.http.post(f"/api/v1/tasks/{running[-1]}/cancel", json={})
    await has_runs(door, schedule_id, *after)
    for task_id in running:
        await door.http.post(f"/api/v1/tasks/{task_id}/cancel", json={})
    for run in await runs(door, schedule_id):
        await door.http.post(f"/api/v1/tasks/{run['task_id']}/cancel", json={})


async def test_runs_outlive_their_schedule(door: Gateway) -> None:
    door.world.model.replace(HANGS)
    schedule_id = (await made(door.http, **SIMPLE))["schedule_id"]
    await fired(door, schedule_id)
    (run,) = await has_runs(door, schedule_id, "RUNNING")
    await door.http.delete(f"{ALL}/{schedule_id}")
    assert (await door.http.get(f"{ALL}/{schedule_id}/runs")).status_code == 404
    listed = (await got(door.http, "/api/v1/tasks"))["tasks"]
    assert [(each["task_id"], each["status"]) for each in listed] == [(run["task_id"], "TASK_STATUS_RUNNING")]
    await door.http.post(f"/api/v1/tasks/{run['task_id']}/cancel", json={})


async def test_a_run_belongs_to_the_owner_of_its_schedule(door: Gateway) -> None:
    door.world.model.replace(SAYS)
    async with people(door, "acme/ann", "acme/bob", "evil/ann") as (ann, bob, foreign):
        schedule_id = (await made(ann, **SIMPLE))["schedule_id"]
        await fired(door, schedule_id)
        seen: list[str] = []

        async def has_ended() -> bool:
            told = (await got(ann, f"{ALL}/{schedule_id}/runs"))["runs"]
            seen[:] = [run["task_id"] for run in told if run["status"] == "COMPLETED"]
            return bool(seen)

        await until(has_ended)
        for other in (bob, foreign):
            for what in ("", "/events", "/timeline", "/control-state", "/stream"):
                assert (await other.get(f"/api/v1/tasks/{seen[0]}{what}")).status_code == 404, what
            assert (await got(other, "/api/v1/tasks"))["total_count"] == 0
        assert (await got(ann, "/api/v1/tasks"))["total_count"] == 1
        assert (await got(ann, "/api/v1/sessions"))["total_count"] == 1


async def test_where_workers_keep_nothing_runs_are_kept_when_they_are_looked_at(there: World, tmp_path: Path) -> None:
    there.model.replace(SAYS)
    async with gateway(there, tmp_path) as door:
        schedule_id = (await made(door.http, **SIMPLE))["schedule_id"]
        for _ in range(2):
            await fired(door, schedule_id)
            await asyncio.sleep(1)
        (_, oldest) = await has_runs(door, schedule_id, "COMPLETED", "COMPLETED")
        record = await door.archive.task(oldest["task_id"])
        assert record is not None and record.schedule_id == schedule_id and record.outcome is not None
        assert (await got(door.http, f"{ALL}/{schedule_id}"))["successful_runs"] == 2


async def test_runs_come_in_pages_the_newest_first(door: Gateway) -> None:
    door.world.model.replace(SAYS)
    schedule_id = (await made(door.http, **SIMPLE, overlap_policy="allow_all"))["schedule_id"]
    now = datetime.now(UTC)
    for _ in range(3):
        await fired(door, schedule_id)
        await asyncio.sleep(1)
    whole = await has_runs(door, schedule_id, *["COMPLETED"] * 3)
    assert [run["started_at"] for run in whole] == sorted((run["started_at"] for run in whole), reverse=True)
    assert datetime.fromisoformat(whole[-1]["triggered_at"]) >= now - timedelta(seconds=1)
    page = await got(door.http, f"{ALL}/{schedule_id}/runs?page=2&page_size=2")
    assert [run["task_id"] for run in page["runs"]] == [whole[2]["task_id"]]
    assert (page["total_count"], page["page"], page["page_size"]) == (3, 2, 2)
