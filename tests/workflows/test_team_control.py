"""A team is held, let go, stopped and outlived as one task."""

import asyncio
import time
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import CancelledError
from temporalio.service import RPCError

from tests.support.teams import does, plans, subtask, synthesis
from tests.support.world import Handle, World, until
from theseus.contracts.control import ControlState
from theseus.contracts.task import TaskStatus
from theseus.workflows import team
from theseus.workflows.crew import Crew
from theseus.workflows.milestones import Milestones


async def started(there: World, *rules: dict[str, Any]) -> Handle:
    there.model.replace({"rules": list(rules)})
    return await there.start("the task", workflow="StandardWorkflow")


async def agents_at_work(there: World, count: int) -> bool:
    return sum(r.body["messages"][-1]["content"].startswith("do ") for r in there.model.requests) >= count


async def is_held(there: World, workflow_id: str) -> bool:
    state: ControlState = await there.client.get_workflow_handle(workflow_id).query(
        "control_state", result_type=ControlState
    )
    return state.is_paused


async def test_pause_reaches_running_agents_and_those_started_later(there: World) -> None:
    handle = await started(
        there,
        plans(subtask("a"), subtask("b"), subtask("c", "a")),
        does("a", latency=1.0),
        does("b", latency=1.0),
        does("c"),
        synthesis("all of it"),
    )
    await until(lambda: agents_at_work(there, 2))
    await handle.signal("pause", {"reason": "lunch"})
    await until(lambda: is_held(there, f"{handle.id}/agent/1"))
    await until(lambda: is_held(there, f"{handle.id}/agent/2"))
    await asyncio.sleep(2)
    asked = len(there.model.requests)
    assert asked == 3, "the planner and two agents whose calls were under way; nothing new while paused"
    await handle.signal("resume", {})
    result = await there.result(handle)
    assert (result.status, result.result) == (TaskStatus.COMPLETED, "all of it")


@pytest.mark.parametrize("by", ["signal", "temporal"])
async def test_cancel_closes_the_task_and_all_its_agents_within_three_seconds(there: World, by: str) -> None:
    hang = {"when": {"last_user": "^do"}, "fault": {"hang_after": 5}, "reply": {"text": "something long to say"}}
    handle = await started(there, plans(subtask("a"), subtask("b"), subtask("c")), hang)
    await until(lambda: agents_at_work(there, 3))
    began = time.monotonic()
    await (handle.signal("cancel", {"reason": "enough"}) if by == "signal" else handle.cancel())
    with pytest.raises(WorkflowFailureError) as info:
        await handle.result()
    assert time.monotonic() - began < 3
    assert isinstance(info.value.cause, CancelledError)
    for number in (1, 2, 3):
        child = await there.client.get_workflow_handle(f"{handle.id}/agent/{number}").describe()
        assert child.status is WorkflowExecutionStatus.CANCELED
    end = (await there.events(handle.id))[-1].event
    assert end.type == "STREAM_END"
    assert end.payload.usage.output_tokens > 0, "what the agents had spent until then is counted"


async def test_another_worker_finishes_a_team_whose_worker_is_gone(idle: World) -> None:
    there = idle
    async with there.worker():
        handle = await started(
            there,
            plans(subtask("a"), subtask("b", "a")),
            does("a", latency=0.5),
            does("b", latency=0.5),
            synthesis("all of it"),
        )
        await until(lambda: agents_at_work(there, 1))
    async with there.worker():
        result = await there.result(handle)
    assert (result.status, result.result) == (TaskStatus.COMPLETED, "all of it")


async def test_an_agent_ended_from_outside_is_a_part_that_failed(there: World) -> None:
    handle = await started(
        there, plans(subtask("a"), subtask("b")), does("a", latency=3.0), does("b"), synthesis("the rest")
    )
    await until(lambda: agents_at_work(there, 2))
    await there.client.get_workflow_handle(f"{handle.id}/agent/1").terminate()
    await until(lambda: agents_at_work(there, 3))
    await there.client.get_workflow_handle(f"{handle.id}/agent/3").terminate()
    result = await there.result(handle)
    assert result.status is TaskStatus.PARTIAL
    assert "do a (a: failed, the agent was ended from outside" in result.result


async def test_a_model_that_never_stops_calling_tools_ends_with_the_budget(there: World) -> None:
    call = {"name": "calculator", "arguments": {"expression": "{{call}}+1"}}
    rules = [
        plans(subtask("a", role="generalist"), subtask("b", role="generalist")),
        synthesis("what there is"),
        {
            "when": {"last_user": "budget is nearly spent|No turns are left", "tool_choice": "none"},
            "reply": {"text": "as far as I came"},
        },
        {"reply": {"tool_calls": [call]}, "usage": {"input": 1000, "output": 100}},
    ]
    there.model.replace({"rules": rules})
    limit = 30_000
    handle = await there.start("the task", workflow="StandardWorkflow", limits={"tokens": limit}, max_iterations=50)
    result = await there.result(handle)
    assert result.status is TaskStatus.BUDGET_EXHAUSTED
    assert result.result
    assert result.usage.total_tokens <= limit + 8192


def slow_starts(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Temporal takes its time to start an agent."""
    start = team.start_agent

    async def slowly(*arguments: Any, **named: Any) -> Any:
        child = await start(*arguments, **named)
        await asyncio.sleep(seconds)
        return child

    monkeypatch.setattr(team, "start_agent", slowly)


async def held_before_agents_start(there: World, handle: Handle) -> None:
    async def is_held_there() -> bool:
        state: ControlState = await handle.query("control_state", result_type=ControlState)
        return state.is_paused and state.checkpoint == "agent.start"

    async def is_planning() -> bool:
        return bool(there.model.requests)

    await until(is_planning)
    await handle.signal("pause", {})
    await until(is_held_there)


@pytest.mark.parametrize("when", ["before it is started", "while it is being started"])
async def test_what_people_say_reaches_an_agent_that_is_about_to_start(
    there: World, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    slow_starts(monkeypatch, 2.0)
    answers = {"when": {"any_message": "^do [ab]"}, "reply": {"text": "done"}, "latency": 4.0}
    plan = plans(subtask("a"), subtask("b"), latency=1.0)
    handle = await started(there, plan, synthesis("all of it"), answers)
    await held_before_agents_start(there, handle)
    if when == "while it is being started":
        await handle.signal("resume", {})
    await handle.execute_update("send_message", {"message_id": "m", "text": "in French, please"})
    await handle.signal("resume", {})
    assert (await there.result(handle)).result == "all of it"
    agents = [r.body["messages"] for r in there.model.requests if r.body["messages"][1]["content"].startswith("do ")]
    for name in ("do a", "do b"):
        last = [messages for messages in agents if messages[1]["content"].startswith(name)][-1]
        assert str(last).count("in French, please") == 1


async def test_an_agent_that_was_let_go_while_it_was_being_started_goes_on(
    there: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow_starts(monkeypatch, 4.0)
    flush, next_agent = Milestones.flush, Crew.next_agent
    due: list[str] = []

    def told(crew: Crew) -> str:
        due.append(next_agent(crew))
        return due[-1]

    async def slowly(milestones: Milestones) -> None:
        await flush(milestones)
        if due:
            await asyncio.sleep(2)

    async def is_due() -> bool:
        return bool(due)

    async def is_held_from_its_start() -> bool:
        try:
            return await is_held(there, f"{handle.id}/agent/1")
        except RPCError:
            return False

    monkeypatch.setattr(Milestones, "flush", slowly)
    monkeypatch.setattr(Crew, "next_agent", told)
    handle = await started(there, plans(subtask("a"), subtask("b", "a")), does("a"), does("b"), synthesis("all of it"))
    await until(is_due)
    await handle.signal("pause", {})
    await until(is_held_from_its_start)
    await handle.signal("resume", {})
    assert (await asyncio.wait_for(there.result(handle), 60)).result == "all of it"
