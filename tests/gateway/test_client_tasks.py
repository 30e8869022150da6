"""The published client of the reference, unmodified, does all that it can: tasks, control, sessions, schedules, lists."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio
from shannon import AsyncShannonClient, TaskStatusEnum
from shannon import errors as shannon_errors

from tests.gateway.test_steering import ENDLESS
from tests.support.gateway import Gateway
from tests.support.world import until


@pytest_asyncio.fixture
async def client(door: Gateway) -> AsyncGenerator[AsyncShannonClient]:
    door.world.model.replace({"rules": [{"reply": {"text": "Paris."}}]})
    async with AsyncShannonClient(base_url=door.url, api_key="sk_test_123456") as made:
        yield made


async def test_a_task_from_submit_to_result(client: AsyncShannonClient) -> None:
    handle = await client.submit_task(
        "What is the capital of France?",
        mode="simple",
        session_id="s-1",
        idempotency_key="k-1",
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )
    again = await client.submit_task(
        "What is the capital of France?", mode="simple", session_id="s-1", idempotency_key="k-1"
    )
    assert again.task_id == handle.task_id and handle.session_id == "s-1"
    status = await client.wait(handle.task_id, timeout=30, poll_interval=0.1)
    assert status.status is TaskStatusEnum.COMPLETED and status.result == "Paris."
    assert status.query == "What is the capital of France?" and status.usage and status.created_at
    (listed,), total = await client.list_tasks(session_id="s-1", status="COMPLETED")
    assert total == 1 and listed.task_id == handle.task_id and listed.total_token_usage is not None
    events = await client.get_task_events(handle.task_id)
    assert [event.seq for event in events] == sorted(event.seq for event in events) and events
    assert (await client.get_task_timeline(handle.task_id))["events"]


async def test_a_task_is_steered(client: AsyncShannonClient, door: Gateway) -> None:
    door.world.model.replace(ENDLESS)
    task = (await client.submit_task("steer me", mode="simple")).task_id
    assert await client.pause_task(task, "lunch")

    async def is_paused() -> bool:
        state = await client.get_control_state(task)
        return state.is_paused and state.pause_reason == "lunch"

    await until(is_paused)
    assert (await client.get_status(task)).status is TaskStatusEnum.PAUSED
    assert await client.resume_task(task) and await client.cancel(task, "enough")
    ended = await client.wait(task, timeout=30, poll_interval=0.1)
    assert ended.status is TaskStatusEnum.CANCELLED


async def test_a_session_is_read_titled_and_deleted(client: AsyncShannonClient) -> None:
    for query in ("one", "two"):
        task = await client.submit_task(query, mode="simple", session_id="chat")
        await client.wait(task.task_id, timeout=30, poll_interval=0.1)
    sessions, total = await client.list_sessions()
    assert total == 1 and (sessions[0].session_id, sessions[0].message_count) == ("chat", 2)
    assert (await client.get_session("chat")).user_id
    history = await client.get_session_history("chat")
    assert [(item.query, item.result) for item in history] == [("one", "Paris."), ("two", "Paris.")]
    turns, count = await client.get_session_events("chat")
    assert count == 2 and [turn.user_query for turn in turns] == ["one", "two"] and turns[0].events
    assert await client.update_session_title("chat", "Capitals")
    assert (await client.list_sessions())[0][0].title == "Capitals"
    assert await client.list_session_files("chat") == []
    assert await client.delete_session("chat")
    with pytest.raises(shannon_errors.ShannonError):
        await client.get_session("chat")


async def test_a_schedule_is_made_changed_held_and_deleted(client: AsyncShannonClient) -> None:
    made: dict[str, Any] = await client.create_schedule(
        "daily", "0 9 * * *", "Write the report", timezone="Europe/Copenhagen", max_budget_per_run_usd=0.5
    )
    schedule_id: str = made["schedule_id"]
    schedules, total = await client.list_schedules()
    assert total == 1 and schedules[0].name == "daily"
    await client.update_schedule(schedule_id, name="weekly", cron_expression="0 9 * * 1")
    found = await client.get_schedule(schedule_id)
    assert (found.name, found.cron_expression, found.timezone) == ("weekly", "0 9 * * 1", "Europe/Copenhagen")
    assert await client.pause_schedule(schedule_id, "holidays") and await client.resume_schedule(schedule_id)
    assert await client.get_schedule_runs(schedule_id) == ([], 0)
    assert await client.delete_schedule(schedule_id)


async def test_skills_and_tools_are_listed(client: AsyncShannonClient) -> None:
    assert "code-review" in {skill.name for skill in await client.list_skills()}
    assert "review" in ((await client.get_skill("code-review")).content or "").lower()

    async def are_told() -> bool:
        return bool(await client.list_tools())

    await until(are_told)
    assert (await client.get_tool("calculator")).name == "calculator"


async def test_refusals_are_the_clients_errors(client: AsyncShannonClient) -> None:
    with pytest.raises(shannon_errors.TaskNotFoundError):
        await client.get_status("task-nowhere")
    with pytest.raises(shannon_errors.ShannonError, match="Query is required"):
        await client.submit_task("")
    with pytest.raises(shannon_errors.SessionNotFoundError):
        await client.get_session("nowhere")
