"""A task without a mode is routed: cheap ones to simple mode; a router that fails never stops a task."""

from typing import Any

import pytest

from tests.support.teams import leads, plans, subtask
from tests.support.world import World
from theseus.contracts.task import Mode, TaskStatus


def routed(complexity: float, *, needs_tools: bool = False, mode: str = "simple") -> dict[str, Any]:
    answer = {"complexity": complexity, "needs_tools": needs_tools, "suggested_mode": mode}
    return {"when": {"system": "You assess a task"}, "reply": {"json": answer}}


async def test_a_simple_task_without_tools_is_a_router_call_and_one_answer(there: World) -> None:
    there.model.replace({"rules": [routed(0.1), {"reply": {"text": "4"}}]})
    result = await there.run("2+2?", workflow="TaskWorkflow")
    assert (result.mode, result.result, result.metadata.complexity) == (Mode.SIMPLE, "4", 0.1)
    assert len(there.model.requests) == 2
    assert "tools" not in there.model.requests[1].body


async def test_a_simple_task_that_needs_tools_gets_them(there: World) -> None:
    there.model.replace({"rules": [routed(0.2, needs_tools=True), {"reply": {"text": "4"}}]})
    await there.run("2+2?", workflow="TaskWorkflow")
    assert there.model.requests[1].body["tools"]


async def test_a_router_that_fails_means_simple_mode_and_degraded(there: World) -> None:
    there.model.replace(
        {"rules": [{"when": {"system": "You assess"}, "reply": {"text": "no json at all"}}, {"reply": {"text": "4"}}]}
    )
    result = await there.run("2+2?", workflow="TaskWorkflow")
    assert (result.status, result.mode, result.result) == (TaskStatus.DEGRADED, Mode.SIMPLE, "4")
    assert "router" in result.metadata.degraded[0]
    assert len(there.model.requests) == 3, "one repair turn, then the answer"


async def test_one_repair_turn_is_enough_for_a_router_that_slips_once(there: World) -> None:
    slip = {"when": {"system": "You assess", "turn": 0}, "reply": {"json": {"complexity": 7}}}
    there.model.replace({"rules": [slip, routed(0.1), {"reply": {"text": "4"}}]})
    result = await there.run("2+2?", workflow="TaskWorkflow")
    assert result.status is TaskStatus.COMPLETED
    assert "complexity" in there.model.requests[1].body["messages"][-1]["content"]


async def test_a_mode_that_the_caller_gives_is_not_routed(there: World) -> None:
    there.model.replace({"rules": [{"reply": {"text": "4"}}]})
    result = await there.run("2+2?", workflow="TaskWorkflow", mode="simple")
    assert (result.mode, len(there.model.requests)) == (Mode.SIMPLE, 1)


@pytest.mark.parametrize(
    ("complexity", "suggested", "mode"),
    [(0.5, "standard", Mode.STANDARD), (0.9, "complex", Mode.COMPLEX), (0.5, "supervisor", Mode.SUPERVISOR)],
)
async def test_the_router_chooses_among_all_modes(there: World, complexity: float, suggested: str, mode: Mode) -> None:
    finish = leads([{"kind": "finish", "answer": "by the lead"}])
    there.model.replace(
        {"rules": [routed(complexity, mode=suggested), *finish, plans(subtask("a")), {"reply": {"text": "alone"}}]}
    )
    result = await there.run("build a company", workflow="TaskWorkflow")
    assert (result.status, result.mode) == (TaskStatus.COMPLETED, mode)
    assert result.metadata.complexity == complexity


async def test_a_context_too_large_for_a_team_is_no_reason_to_fail_a_task_that_named_no_mode(there: World) -> None:
    there.model.replace({"rules": [routed(0.5, mode="standard"), {"reply": {"text": "alone"}}]})
    result = await there.run("x", workflow="TaskWorkflow", context={"notes": "y" * 40_000})
    assert (result.status, result.mode, result.result) == (TaskStatus.DEGRADED, Mode.SIMPLE, "alone")
    refused = await there.run("x", workflow="StandardWorkflow", context={"notes": "y" * 40_000})
    assert refused.error is not None and refused.error.field == "context"
