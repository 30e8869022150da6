"""What needs a person's yes waits for it, visibly and not for ever; a no closes the task as denied."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from tests.support.teams import does, finish, leads, plans, subtask, synthesis
from tests.support.temporal import time_skipping
from tests.support.world import Handle, World, until, world
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.client import start
from theseus.contracts.control import PendingApproval
from theseus.contracts.task import TaskStatus

WRITE = {"name": "file_write", "arguments": {"path": "a.txt", "content": "hello"}}


@pytest_asyncio.fixture
async def guarded(temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path) -> AsyncIterator[World]:
    """A worker on which file_write has to be approved, within two seconds."""
    settings: dict[str, Any] = {"approval_tools": ("file_write",), "approval_timeout": "2"}
    async with world(temporal.client, model, tmp_path, **settings) as made:
        yield made


async def pending(handle: Handle) -> list[PendingApproval]:
    return await handle.query("pending_approvals", result_type=list[PendingApproval])


async def one_pending(handle: Handle) -> PendingApproval:
    async def there_is_one() -> bool:
        return len(await pending(handle)) == 1

    await until(there_is_one)
    return (await pending(handle))[0]


async def decide(handle: Handle, approval_id: str, approved: bool, **more: Any) -> dict[str, Any]:
    decision = {"approval_id": approval_id, "approved": approved, "approved_by": "eve", **more}
    receipt: dict[str, Any] = await handle.execute_update("decide_approval", decision)
    return receipt


async def refusal(handle: Handle, decision: dict[str, Any]) -> ApplicationError:
    with pytest.raises(WorkflowUpdateFailedError) as info:
        await handle.execute_update("decide_approval", decision)
    assert isinstance(info.value.cause, ApplicationError)
    return info.value.cause


async def test_a_task_that_asks_for_approval_waits_and_goes_on(there: World) -> None:
    there.model.replace({"rules": [plans(subtask("a"), subtask("b")), does("a"), does("b"), synthesis("so")]})
    handle = await there.start("the task", workflow="StandardWorkflow", require_approval=True)
    asked = await one_pending(handle)
    assert asked.kind == "task" and len(there.model.requests) == 1
    assert isinstance(asked.action, dict) and "do a" in str(asked.action["subtasks"])
    assert (await decide(handle, asked.approval_id, True))["accepted"]
    result = await there.result(handle)
    assert (result.status, result.result) == (TaskStatus.COMPLETED, "so")
    kinds = [stored.event.type for stored in await there.events(handle.id)]
    assert kinds.index("APPROVAL_REQUESTED") < kinds.index("APPROVAL_DECISION")


@pytest.mark.parametrize("workflow", ["SimpleWorkflow", "StandardWorkflow", "ComplexWorkflow", "SupervisorWorkflow"])
async def test_a_no_closes_any_task_as_denied_with_the_reason(there: World, workflow: str) -> None:
    there.model.replace({"rules": [plans(subtask("a"), subtask("b")), {"reply": {"text": "never said"}}]})
    handle = await there.start("the task", workflow=workflow, require_approval=True)
    asked = await one_pending(handle)
    await decide(handle, asked.approval_id, False, feedback="too expensive")
    result = await there.result(handle)
    assert result.status is TaskStatus.DENIED and result.error is not None
    assert result.error.type == "Denied"
    assert "eve" in result.error.message and "too expensive" in result.error.message


async def test_a_plan_can_be_changed_while_it_is_approved(there: World) -> None:
    there.model.replace({"rules": [plans(subtask("a"), subtask("b")), does("a"), does("c", "only c")]})
    handle = await there.start("the task", workflow="StandardWorkflow", require_approval=True)
    asked = await one_pending(handle)
    wrong = {"approval_id": asked.approval_id, "approved": True, "modified_action": [subtask("x", "nowhere")]}
    assert "not in the plan" in (await refusal(handle, wrong)).message
    await decide(handle, asked.approval_id, True, modified_action=[subtask("c")])
    assert (await there.result(handle)).result == "only c"


async def test_a_tool_that_writes_waits_for_a_yes_also_in_an_agent(guarded: World) -> None:
    there = guarded
    writes = {"when": {"last_user": "^do a", "turn": 0}, "reply": {"tool_calls": [WRITE]}}
    rules = [plans(subtask("a", role="developer"), subtask("b")), writes, does("b"), synthesis("written")]
    there.model.replace({"rules": [*rules, {"reply": {"text": "done"}}]})
    handle = await there.start("the task", workflow="StandardWorkflow")
    asked = await one_pending(handle)
    assert (asked.kind, asked.agent_id) == ("tool", "agent/1")
    await decide(handle, asked.approval_id, True)
    result = await there.result(handle)
    assert (result.status, result.result) == (TaskStatus.COMPLETED, "written")


async def test_arguments_can_be_changed_while_they_are_approved(guarded: World) -> None:
    there = guarded
    there.model.replace(
        {"rules": [{"when": {"turn": 0}, "reply": {"tool_calls": [WRITE]}}, {"reply": {"text": "done"}}]}
    )
    handle = await there.start("write", context={"role": "developer"})
    asked = await one_pending(handle)
    await decide(handle, asked.approval_id, True, modified_action={"path": "b.txt", "content": "other"})
    await there.result(handle)
    told = there.model.requests[1].body["messages"][-1]["content"]
    assert "b.txt" in told


async def test_silence_until_the_deadline_means_no(guarded: World) -> None:
    there = guarded
    there.model.replace({"rules": [{"reply": {"tool_calls": [WRITE]}}]})
    handle = await there.start("write", context={"role": "developer"})
    asked = await one_pending(handle)
    result = await there.result(handle)
    assert result.status is TaskStatus.DENIED and result.error is not None
    assert "nobody decided" in result.error.message
    kinds = [stored.event.type for stored in await there.events(handle.id)]
    assert kinds.count("WAITING") == 2, "reminders"
    assert asked.approval_id


async def test_a_decision_that_is_unknown_late_or_other_is_refused_and_the_same_again_is_not(there: World) -> None:
    there.model.replace({"rules": [{"reply": {"text": "done"}, "latency": 1.0}]})
    handle = await there.start("x", require_approval=True)
    asked = await one_pending(handle)
    unknown = await refusal(handle, {"approval_id": "nonsense", "approved": True})
    assert unknown.type == "UnknownApproval" and asked.approval_id in unknown.message
    assert (await refusal(handle, {"approved": True})).type == "InvalidUpdate"
    await decide(handle, asked.approval_id, True)
    assert (await decide(handle, asked.approval_id, True))["detail"] == "received before"
    late = await refusal(handle, {"approval_id": asked.approval_id, "approved": False})
    assert late.type == "LateDecision" and "by eve" in late.message
    assert (await there.result(handle)).status is TaskStatus.COMPLETED


@pytest.mark.parametrize(("policy", "status"), [("approve_reads", "completed"), ("escalate", "denied")])
async def test_the_policy_says_what_silence_means(
    temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path, policy: str, status: str
) -> None:
    settings: dict[str, Any] = {"approval_timeout": "1", "approval_policy": policy}
    async with world(temporal.client, model, tmp_path, **settings) as there:
        model.replace({"rules": [{"when": {"turn": 0}, "reply": {"tool_calls": [WRITE]}}, {"reply": {"text": "so"}}]})
        handle = await there.start("x", context={"role": "developer"}, require_approval=True)
        result = await there.result(handle)
        assert result.status == status
        if policy == "approve_reads":
            assert "file_write" not in str(model.requests[0].body["tools"]), "no tool that writes was offered"
        else:
            messages = [stored.event.message for stored in await there.events(handle.id)]
            assert any("escalated" in message for message in messages)


async def test_waiting_for_a_person_costs_no_wall_clock(there: World) -> None:
    there.model.replace({"rules": [{"reply": {"text": "so"}}]})
    handle = await there.start("x", require_approval=True, limits={"wall_clock_seconds": 1.5})
    asked = await one_pending(handle)
    await asyncio.sleep(2.5)
    await decide(handle, asked.approval_id, True)
    assert (await there.result(handle)).status is TaskStatus.COMPLETED


async def test_a_wait_of_thirty_days_outlasts_its_workers(model: ScriptedModel, tmp_path: Path) -> None:
    model.replace({"rules": [{"reply": {"text": "so"}}]})
    # nothing cached: that server's clock stands still while a query waits for a worker that is gone
    settings: dict[str, Any] = {"approval_timeout": timedelta(days=31), "max_cached_workflows": 0}
    async with time_skipping() as env, world(env.client, model, tmp_path, work=False, **settings) as there:
        task: dict[str, Any] = {"query": "q", "mode": "simple", "require_approval": True}
        async with there.worker():
            handle = (await start(there.client, there.settings.task_queue, "held", task)).handle
            asked = await one_pending(handle)
            assert asked.deadline - asked.requested_at == timedelta(days=31)
        # reminders wake the task now and then, so somebody has to be there for the clock to go on
        async with there.worker():
            assert await one_pending(handle) == asked
            await env.sleep(timedelta(days=30))
        async with there.worker():
            assert (await decide(handle, asked.approval_id, True))["accepted"]
            result = await there.result(handle)
    assert (result.status, result.result) == (TaskStatus.COMPLETED, "so")


async def test_silence_about_a_tool_may_mean_that_reading_goes_on(
    temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"approval_timeout": "1", "approval_policy": "approve_reads"}
    async with world(temporal.client, model, tmp_path, approval_tools=("file_write",), **settings) as there:
        again = {"name": "file_write", "arguments": {"path": "b.txt", "content": "again"}}
        model.replace(
            {
                "rules": [
                    {"when": {"turn": 0}, "reply": {"tool_calls": [WRITE]}},
                    {"when": {"turn": 1}, "reply": {"tool_calls": [again]}},
                    {"reply": {"text": "only read"}},
                ]
            }
        )
        result = await there.run("x", context={"role": "developer"})
    assert (result.status, result.result) == (TaskStatus.COMPLETED, "only read")
    said = [message["content"] for message in model.requests[-1].body["messages"] if message["role"] == "tool"]
    assert "Nobody approved it in time" in said[0] and "Only tools that read" in said[1]
    assert not list(tmp_path.rglob("*.txt"))


async def test_a_changed_action_is_what_simple_mode_does(there: World) -> None:
    there.model.replace({"rules": [{"reply": {"text": "so"}}]})
    handle = await there.start("the task", require_approval=True, context={"role": "developer"})
    asked = await one_pending(handle)
    changed = [subtask("x", description="only the harmless half", role="chat", tools=[])]
    await decide(handle, asked.approval_id, True, modified_action=changed)
    result = await there.result(handle)
    assert result.metadata.agents[0].role == "chat"
    request = there.model.requests[0].body
    assert "tools" not in request and request["messages"][-1]["content"] == "only the harmless half"


async def test_a_changed_action_is_what_the_lead_is_told(there: World) -> None:
    there.model.replace({"rules": leads([finish("so")])})
    handle = await there.start("the task", workflow="SupervisorWorkflow", require_approval=True)
    asked = await one_pending(handle)
    changed = [subtask("x", description="only the harmless half")]
    await decide(handle, asked.approval_id, True, modified_action=changed)
    await there.result(handle)
    assert there.model.requests[0].body["messages"][-1]["content"].startswith("only the harmless half")
