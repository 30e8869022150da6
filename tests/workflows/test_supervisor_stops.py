"""Whatever a supervised team is at, its end comes when it is asked for: by cancel, by the lead, by the clock, by a no."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import CancelledError
from temporalio.testing import WorkflowEnvironment

from tests.support.teams import (
    LEAD,
    assign,
    decides,
    does,
    finish,
    leads,
    plans,
    recruit,
    retire,
    subtask,
    synthesis,
    works,
    writes,
)
from tests.support.temporal import dev_server
from tests.support.world import Handle, World, history, until, world
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.contracts.control import PendingApproval
from theseus.contracts.task import TaskStatus
from theseus.workflows import agent, lifecycle

SOON = 3.0
WRITE = {"name": "file_write", "arguments": {"path": "a.txt", "content": "hello"}}


async def start(there: World, *rules: dict[str, Any], **keys: Any) -> Handle:
    there.model.replace({"rules": list(rules)})
    return await there.start("the task", workflow="SupervisorWorkflow", **keys)


async def lead_calls(there: World) -> int:
    return sum(LEAD in request.body["messages"][0]["content"] for request in there.model.requests)


async def seconds_to_cancel(handle: Handle) -> float:
    began = time.monotonic()
    await handle.cancel()
    with pytest.raises(WorkflowFailureError) as info:
        await asyncio.wait_for(handle.result(), 30)
    assert isinstance(info.value.cause, CancelledError)
    return time.monotonic() - began


@pytest.mark.parametrize("delay", [0.02, 0.05, 0.1])
async def test_cancel_while_an_agent_is_retired_closes_the_task_at_once(there: World, delay: float) -> None:
    decisions = leads([recruit("ann"), recruit("bob"), assign("ann"), assign("bob")], [retire("ann")])
    hangs = {"when": {"last_user": "^work of ann"}, "fault": {"hang": True}}
    handle = await start(there, *decisions, hangs, works("bob", latency=0.2), decides(finish("so"), latency=8))

    async def has_decided_to_retire() -> bool:
        calls = [request for request in there.model.requests if LEAD in request.body["messages"][0]["content"]]
        return len(calls) >= 2 and calls[1].ended_at is not None

    await until(has_decided_to_retire)
    await asyncio.sleep(delay)
    assert await seconds_to_cancel(handle) < SOON


async def test_cancel_while_agents_write_to_each_other_closes_the_task_at_once(there: World) -> None:
    rules = [
        *leads([recruit("ann", "generalist"), recruit("bob", "generalist"), assign("ann"), assign("bob")]),
        {"when": {"last_user": "^work of ann"}, "reply": writes("bob", *(str(n) for n in range(14)))},
        {"when": {"any_message": "work of"}, "latency": 20, "reply": {"text": "late"}},
        decides(finish("so"), latency=20),
    ]
    handle = await start(there, *rules, max_iterations=20)

    async def is_delivering() -> bool:
        events = await history(handle)
        return any(e.HasField("signal_external_workflow_execution_initiated_event_attributes") for e in events)

    await until(is_delivering)
    assert await seconds_to_cancel(handle) < SOON


@pytest.mark.parametrize("seconds", [0.25, 0.3, 0.35])
async def test_a_lead_that_finishes_while_agents_write_to_each_other_is_obeyed(there: World, seconds: float) -> None:
    rules = [
        *leads(
            [
                recruit("ann", "generalist"),
                recruit("bob", "generalist"),
                recruit("cid"),
                assign("ann"),
                assign("bob"),
                assign("cid"),
            ]
        ),
        works("cid", latency=seconds),
        decides(finish("so")),
        {"when": {"any_message": "^work of ann"}, "reply": writes("bob", *(["hi {{turn}}"] * 8))},
        {"when": {"any_message": "^work of bob"}, "latency": 20, "reply": {"text": "late"}},
    ]
    handle = await start(there, *rules, max_iterations=40)
    result = await asyncio.wait_for(there.result(handle), 15)
    assert result.result == "so"


async def test_a_no_while_the_lead_finishes_closes_the_task_as_denied(
    temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"approval_tools": ("file_write",), "approval_timeout": "60"}
    async with world(temporal.client, model, tmp_path, **settings) as there:
        handle = await start(
            there,
            *leads([recruit("ann", "developer"), recruit("bob"), assign("ann"), assign("bob")]),
            {"when": {"last_user": "^work of ann", "turn": 0}, "reply": {"tool_calls": [WRITE]}},
            works("bob", latency=0.5),
            decides(finish("all written"), latency=2),
        )

        async def lead_decides() -> bool:
            return await lead_calls(there) >= 2

        await until(lead_decides)
        pending = await handle.query("pending_approvals", result_type=list[PendingApproval])
        decision = {"approval_id": pending[0].approval_id, "approved": False, "approved_by": "eve"}
        await handle.execute_update("decide_approval", decision)
        assert (await there.result(handle)).status is TaskStatus.DENIED


@pytest_asyncio.fixture
async def short(model: ScriptedModel, tmp_path: Path) -> AsyncIterator[World]:
    """A server that suggests to continue as new after a few events instead of after thousands."""
    flag = "limit.historyCount.suggestContinueAsNew=60"
    async with dev_server("--dynamic-config-value", flag) as env, world(env.client, model, tmp_path) as made:
        yield made


def slow_breath(monkeypatch: pytest.MonkeyPatch, owner: type[Any]) -> list[bool]:
    """Makes the moment before a new history last a second; the list tells when it has come."""
    reached: list[bool] = []
    real = owner._pause_for_breath

    async def slow(self: Any) -> None:
        reached.append(True)
        await asyncio.sleep(1)
        await real(self)

    monkeypatch.setattr(owner, "_pause_for_breath", slow)
    return reached


@pytest.mark.parametrize("by", ["temporal", "signal"])
async def test_cancel_in_the_moment_before_a_new_history_is_obeyed(
    short: World, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    reached = slow_breath(monkeypatch, lifecycle.Lifecycle)
    turns = [[assign("ann", f"work {turn}")] for turn in range(14)]
    turns[0].insert(0, recruit("ann"))
    handle = await start(short, *leads(*turns), decides(finish("ran to its end")), {"reply": {"text": "found"}})

    async def has_come() -> bool:
        return bool(reached)

    await until(has_come)
    await asyncio.sleep(0.3)
    current = short.client.get_workflow_handle(handle.id)
    await (current.cancel() if by == "temporal" else current.signal("cancel", {"reason": "enough"}))
    with pytest.raises(WorkflowFailureError) as info:
        await asyncio.wait_for(handle.result(), 30)
    assert isinstance(info.value.cause, CancelledError)
    types = [stored.event.type for stored in await short.events(handle.id)]
    assert types.count("STREAM_END") == 1 and types[-1] == "STREAM_END"


async def test_an_agent_cancelled_in_the_moment_before_its_new_history_stops(
    short: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = slow_breath(monkeypatch, agent.Agent)
    counts = [
        {
            "when": {"last_user": "do a", "turn": turn},
            "latency": 0.1,
            "reply": {"tool_calls": [{"name": "calculator", "arguments": {"expression": f"{turn}+0"}}]},
        }
        for turn in range(40)
    ]
    short.model.replace(
        {"rules": [plans(subtask("a", role="generalist"), subtask("b")), *counts, does("b"), synthesis()]}
    )
    handle = await short.start("the task", workflow="StandardWorkflow", max_iterations=50)

    async def has_come() -> bool:
        return bool(reached)

    await until(has_come, seconds=30)
    await asyncio.sleep(0.3)
    assert await seconds_to_cancel(handle) < SOON
