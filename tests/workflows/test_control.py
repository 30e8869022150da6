"""Pause holds at the next checkpoint and loses nothing; cancel stops the model call in flight and closes the task at once."""

import asyncio
import time
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import CancelledError

from tests.support.world import Handle, World, until
from theseus.contracts.control import ControlState, Progress
from theseus.contracts.task import TaskStatus

SLOW = {"latency": 1.0, "reply": {"text": "slow answer"}}
HANGS: dict[str, Any] = {"reply": {"text": "this never ends" * 20}, "fault": {"hang_after": 30}}


async def state(handle: Handle) -> ControlState:
    return ControlState.model_validate(await handle.query("control_state"))


async def called(there: World, calls: int = 1) -> None:
    async def enough() -> bool:
        return len(there.model.requests) >= calls

    await until(enough)


async def types(there: World, handle: Handle) -> list[str]:
    return [e.event.type for e in await there.events(handle.id) if e.event.type != "LLM_PARTIAL"]


async def test_a_pause_during_a_call_keeps_its_result_and_holds_before_the_next(there: World) -> None:
    calculate = {"tool_calls": [{"name": "calculator", "arguments": {"expression": "1+1"}}]}
    there.model.replace(
        {"rules": [{"when": {"turn": 0}, "latency": 0.5, "reply": calculate}, {"reply": {"text": "two"}}]}
    )
    handle = await there.start("x")
    await called(there)
    await handle.signal("pause", {"reason": "lunch", "requested_by": "ada"})
    await handle.signal("pause")

    async def held() -> bool:
        return "WORKFLOW_PAUSED" in await types(there, handle)

    await until(held)
    seen = await state(handle)
    assert (seen.is_paused, seen.pause_reason, seen.paused_by, seen.checkpoint) == (True, "lunch", "ada", "tool.run")
    await asyncio.sleep(0.5)
    assert len(there.model.requests) == 1
    await handle.signal("resume")
    result = await there.result(handle)
    assert result.result == "two"
    assert len(there.model.requests) == 2, "the paused call's answer was kept"
    assert not (await state(handle)).is_paused
    control = [t for t in await types(there, handle) if t.startswith("WORKFLOW_")]
    assert control == [
        "WORKFLOW_STARTED",
        "WORKFLOW_PAUSING",
        "WORKFLOW_PAUSED",
        "WORKFLOW_RESUMED",
        "WORKFLOW_COMPLETED",
    ]


async def test_resume_comes_after_a_worker_restart(idle: World) -> None:
    there = idle
    there.model.replace({"rules": [SLOW]})
    async with there.worker():
        handle = await there.start("x", context={"role": "chat"})
        await handle.signal("pause")
        await asyncio.sleep(1)
    async with there.worker():
        assert (await state(handle)).is_paused
        await handle.signal("resume")
        assert (await there.result(handle)).result == "slow answer"
    assert len(there.model.requests) == 1


async def test_resuming_a_running_task_changes_nothing(there: World) -> None:
    there.model.replace({"rules": [SLOW]})
    handle = await there.start("x")
    await handle.signal("resume", {"reason": "why not"})
    await there.result(handle)
    assert [t for t in await types(there, handle) if t.startswith("WORKFLOW_")] == [
        "WORKFLOW_STARTED",
        "WORKFLOW_COMPLETED",
    ]


@pytest.mark.parametrize("way", ["signal", "temporal"])
async def test_cancel_during_a_hanging_stream(there: World, way: str) -> None:
    there.model.replace({"rules": [HANGS]})
    handle = await there.start("x", session_id=f"c-{way}", context={"role": "chat"})
    await called(there)
    await asyncio.sleep(0.5)
    asked = time.time()
    if way == "signal":
        await handle.signal("cancel", {"reason": "enough", "requested_by": "ada"})
    else:
        await handle.cancel()
    with pytest.raises(WorkflowFailureError) as info:
        await handle.result()
    closed = time.time()
    assert isinstance(info.value.cause, CancelledError)
    assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED
    assert closed - asked <= 3, "the task is closed within 3 s"

    async def gone() -> bool:
        return there.model.requests[0].client_closed_at is not None

    await until(gone, 2)
    connection_closed = there.model.requests[0].client_closed_at
    assert connection_closed is not None and connection_closed - asked <= 2, "the provider's connection within 2 s"
    seen = await types(there, handle)
    assert seen[-2:] == ["WORKFLOW_CANCELLED", "STREAM_END"]
    assert seen.count("STREAM_END") == 1
    progress = Progress.model_validate(await handle.query("progress"))
    assert progress.status is TaskStatus.CANCELLED
    assert progress.usage.total_tokens > 0, "what the cancelled call used is counted"
    if way == "signal":
        assert (await state(handle)).cancelled_by == "ada"


async def test_cancel_while_paused(there: World) -> None:
    handle = await there.start("x")
    await handle.signal("pause")
    await asyncio.sleep(0.3)
    await handle.signal("cancel")
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED
    assert (await types(there, handle))[-1] == "STREAM_END"


async def test_cancel_before_any_worker_took_the_task(idle: World) -> None:
    handle = await idle.start("x")
    await handle.cancel()
    async with idle.worker():
        with pytest.raises(WorkflowFailureError):
            await asyncio.wait_for(handle.result(), 10)
    assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED
    assert (await types(idle, handle))[-1:] == ["STREAM_END"]


async def test_signals_of_any_shape_mean_what_their_name_says(there: World) -> None:
    there.model.replace({"rules": [SLOW]})
    handle = await there.start("x")
    for payload in ("words", 7, ["a"], {"reason": 5}, None):
        await handle.signal("pause", payload)
        await handle.signal("resume", payload)
    assert (await there.result(handle)).status is TaskStatus.COMPLETED


async def test_a_message_reaches_the_agent_before_its_next_call_and_only_once(there: World) -> None:
    there.model.replace(
        {"rules": [{"when": {"turn": 0}, "latency": 0.7, "reply": {"text": "first"}}, {"reply": {"text": "second"}}]}
    )
    handle = await there.start("x", context={"role": "chat"})
    await called(there)
    message = {"message_id": "m1", "text": "one more thing"}
    for _ in range(2):
        assert (await handle.execute_update("send_message", message))["accepted"]
    assert (await there.result(handle)).result == "second"
    said = [m["content"] for m in there.model.requests[1].body["messages"]]
    assert said.count("one more thing") == 1


@pytest.mark.parametrize(
    ("update", "payload", "word"),
    [
        ("send_message", {"message_id": "m", "text": ""}, "text"),
        ("send_message", "hello", "payload"),
        ("decide_approval", {"approval_id": "a7", "approved": True}, "a7"),
        ("decide_approval", {"approved": True}, "approval_id"),
        ("review_plan", {"action": "approve"}, "review"),
        ("review_plan", {"action": "dance"}, "action"),
    ],
)
async def test_an_update_that_fits_nothing_is_refused_with_a_reason(
    there: World, update: str, payload: Any, word: str
) -> None:
    there.model.replace({"rules": [SLOW]})
    handle = await there.start("x")
    with pytest.raises(WorkflowUpdateFailedError) as info:
        await handle.execute_update(update, payload)
    assert word in str(info.value.cause)
    assert (await there.result(handle)).status is TaskStatus.COMPLETED


async def test_the_wall_clock_limit_closes_the_task_as_timed_out(there: World) -> None:
    there.model.replace({"rules": [HANGS]})
    started = time.time()
    handle = await there.start("x", limits={"wall_clock_seconds": 2})
    result = await there.result(handle)
    assert result.status is TaskStatus.TIMED_OUT
    assert result.error is not None and "limits.wall_clock_seconds=2" in result.error.message
    assert time.time() - started < 8
    assert (await types(there, handle))[-2:] == ["WORKFLOW_FAILED", "STREAM_END"]


async def test_time_spent_paused_does_not_count(there: World) -> None:
    there.model.replace({"rules": [SLOW]})
    handle = await there.start("x", limits={"wall_clock_seconds": 3})
    await handle.signal("pause")
    await asyncio.sleep(4)
    await handle.signal("resume")
    assert (await there.result(handle)).status is TaskStatus.COMPLETED
