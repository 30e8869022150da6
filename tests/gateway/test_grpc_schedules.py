"""Schedules over gRPC are REST's schedules: made, told, changed, held, deleted, refused by the same rules."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.support.gateway import Gateway
from tests.support.rpc import Wire, wire

DAILY: dict[str, Any] = {
    "name": "daily",
    "cron_expression": "0 9 * * *",
    "timezone": "Europe/Copenhagen",
    "task_query": "Write the report",
    "task_context": {"role": "writer"},
    "max_budget_per_run_usd": 0.5,
    "timeout_seconds": 600,
}


@pytest_asyncio.fixture
async def rpc(door: Gateway) -> AsyncIterator[Wire]:
    async with wire(door.backend) as made:
        yield made


async def test_a_schedule_is_the_same_over_both(rpc: Wire, door: Gateway) -> None:
    made = await rpc.call("CreateSchedule", **DAILY)
    assert made.schedule_id and made.next_run_at
    told = (await rpc.call("GetSchedule", schedule_id=made.schedule_id)).schedule
    rest = (await door.http.get(f"/api/v1/schedules/{made.schedule_id}")).json()
    assert dict(told.task_context) == rest["task_context"] == {"role": "writer"}
    for name in (
        "name",
        "cron_expression",
        "timezone",
        "task_query",
        "max_budget_per_run_usd",
        "timeout_seconds",
        "status",
    ):
        assert getattr(told, name) == rest[name] == DAILY.get(name, "ACTIVE")
    listed = await rpc.call("ListSchedules")
    assert [each.schedule_id for each in listed.schedules] == [made.schedule_id]
    assert (listed.total_count, listed.page, listed.page_size) == (1, 1, 50)


async def test_what_is_given_changes_and_what_is_absent_stays(rpc: Wire, door: Gateway) -> None:
    made = await rpc.call("CreateSchedule", **DAILY)
    changed = await rpc.call("UpdateSchedule", schedule_id=made.schedule_id, name="weekly", clear_task_context=True)
    assert changed.success and changed.next_run_at == made.next_run_at
    rest = (await door.http.get(f"/api/v1/schedules/{made.schedule_id}")).json()
    assert (rest["name"], rest["task_context"], rest["task_query"]) == ("weekly", {}, DAILY["task_query"])


async def test_a_schedule_is_held_goes_on_and_is_deleted(rpc: Wire) -> None:
    made = await rpc.call("CreateSchedule", **DAILY)
    assert (await rpc.call("PauseSchedule", schedule_id=made.schedule_id, reason="holidays")).success
    assert (await rpc.call("GetSchedule", schedule_id=made.schedule_id)).schedule.status == "PAUSED"
    assert [each.name for each in (await rpc.call("ListSchedules", status="paused")).schedules] == ["daily"]
    assert (await rpc.call("ResumeSchedule", schedule_id=made.schedule_id)).next_run_at
    assert (await rpc.call("DeleteSchedule", schedule_id=made.schedule_id)).success
    assert (await rpc.refused("GetSchedule", schedule_id=made.schedule_id))[0] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("method", "asked", "code", "word"),
    [
        ("CreateSchedule", {**DAILY, "cron_expression": "61 * * * *"}, "INVALID_ARGUMENT", "cron"),
        ("CreateSchedule", {**DAILY, "timezone": "Moon/Base"}, "INVALID_ARGUMENT", "timezone"),
        ("CreateSchedule", {**DAILY, "max_budget_per_run_usd": -1}, "INVALID_ARGUMENT", "max_budget_per_run_usd"),
        ("CreateSchedule", {"name": "x"}, "INVALID_ARGUMENT", "cron_expression"),
        ("CreateSchedule", {**DAILY, "task_query": "a\0b"}, "INVALID_ARGUMENT", "task_query"),
        ("CreateSchedule", {**DAILY, "task_context": {"a": "\0"}}, "INVALID_ARGUMENT", "task_context.a"),
        ("ListSchedules", {"status": "SLEEPING"}, "INVALID_ARGUMENT", "status"),
        ("ListSchedules", {"page_size": 101}, "INVALID_ARGUMENT", "page_size"),
        ("GetSchedule", {}, "INVALID_ARGUMENT", "schedule_id"),
        ("UpdateSchedule", {"schedule_id": "nobody", "name": "x"}, "NOT_FOUND", "chedule"),
        ("DeleteSchedule", {"schedule_id": "nobody"}, "NOT_FOUND", "chedule"),
    ],
)
async def test_what_rest_refuses_is_refused(
    rpc: Wire, method: str, asked: dict[str, Any], code: str, word: str
) -> None:
    said, words = await rpc.refused(method, **asked)
    assert said == code and word in words
