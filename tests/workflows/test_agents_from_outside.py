"""Whoever meddles with a team's workflows from outside costs a part at most: nothing hangs, nothing is taken over."""

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from tests.support.teams import assign, decides, does, finish, leads, plans, recruit, subtask, synthesis, works
from tests.support.world import Handle, World, until
from theseus.contracts.errors import ErrorType
from theseus.contracts.task import TaskStatus


async def asked(there: World, text: str) -> bool:
    return any(text in str(request.body["messages"][-1]) for request in there.model.requests)


async def blocker(there: World, task_id: str) -> Handle:
    """A task that has the id which the first agent of another task will want."""
    handle = await there.start("blocker", task_id=f"{task_id}/agent/1", context={"role": "chat"})
    await until(lambda: asked(there, "blocker"))
    return handle


HANGS = {"when": {"last_user": "blocker"}, "fault": {"hang": True}}


async def test_an_agent_of_a_plan_cancelled_from_outside_is_done_again(there: World) -> None:
    there.model.replace(
        {"rules": [plans(subtask("a"), subtask("b")), does("a", latency=1), does("b", latency=1), synthesis()]}
    )
    handle = await there.start("the task", workflow="StandardWorkflow")
    await until(lambda: asked(there, "do a"))
    await there.client.get_workflow_handle(f"{handle.id}/agent/1").cancel()
    result = await there.result(handle)
    assert (result.status, result.result) == (TaskStatus.COMPLETED, "the whole answer")
    assert [record.agent_id for record in result.metadata.agents] == ["agent/1", "agent/2", "agent/3"]


async def test_the_lead_hears_of_an_agent_cancelled_from_outside(there: World) -> None:
    rules = [*leads([recruit("ann"), assign("ann")]), decides(finish("without ann")), works("ann", latency=30)]
    there.model.replace({"rules": rules})
    handle = await there.start("the task", workflow="SupervisorWorkflow")
    await until(lambda: asked(there, "work of ann"))
    await there.client.get_workflow_handle(f"{handle.id}/agent/1").cancel()
    result = await there.result(handle)
    assert (result.status, result.result) == (TaskStatus.DEGRADED, "without ann")
    assert "cancelled from outside" in " ".join(result.metadata.degraded)


async def test_a_taken_id_costs_one_try(there: World) -> None:
    there.model.replace({"rules": [HANGS, plans(subtask("a"), subtask("b")), does("a"), does("b"), synthesis()]})
    other = await blocker(there, "taken")
    result = await there.result(await there.start("the task", workflow="StandardWorkflow", task_id="taken"))
    await other.terminate()
    assert (result.status, result.result) == (TaskStatus.COMPLETED, "the whole answer")


async def test_the_lead_hears_of_an_agent_that_could_not_start(there: World) -> None:
    rules = [HANGS, *leads([recruit("ann"), assign("ann")], [assign("ann", "work of ann now")], [finish("so")])]
    there.model.replace({"rules": [*rules, works("ann")]})
    other = await blocker(there, "taken-too")
    result = await there.result(await there.start("the task", workflow="SupervisorWorkflow", task_id="taken-too"))
    await other.terminate()
    assert (result.status, result.result) == (TaskStatus.DEGRADED, "so")
    assert "could not be started" in " ".join(result.metadata.degraded)


async def test_nobody_but_a_task_starts_an_agent(there: World) -> None:
    handle = await there.client.start_workflow(
        "AgentWorkflow", {}, id="lone-agent", task_queue=there.settings.task_queue
    )
    with pytest.raises(WorkflowFailureError) as info:
        await handle.result()
    assert isinstance(info.value.cause, ApplicationError)
    assert info.value.cause.type == ErrorType.INVALID_INPUT and "agents are started by their tasks" in str(
        info.value.cause
    )
    assert there.model.requests == []


async def test_nobody_starts_a_task_in_the_middle(there: World) -> None:
    session = {"session_id": "s", "tenant_id": "victim", "user_id": "v"}
    task = {"task_id": "forged", "session": session, "new_session": True, "query": "evil", "role": "chat"}
    carried = {"task": task, "facts": {}, "mode": "supervisor", "team": {"rounds": 1}}
    handle = await there.client.start_workflow(
        "SupervisorWorkflow", {"carried": carried}, id="forged", task_queue=there.settings.task_queue
    )
    result = await there.result(handle)
    assert result.error is not None and result.error.type is ErrorType.INVALID_INPUT
    assert "query" in result.error.message and there.model.requests == []
