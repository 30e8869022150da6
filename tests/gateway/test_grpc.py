"""What REST does of tasks, gRPC does, by the same rules: submitted, looked at, steered, approved, listed, refused."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio

from tests.gateway.test_steering import ENDLESS
from tests.support.gateway import Gateway, gateway
from tests.support.rpc import Wire, wire
from tests.support.studies import outlines, question, scopes, writes
from tests.support.studies import plans as research_plan
from tests.support.teams import does, plans, subtask, synthesis
from tests.support.world import World, until
from theseus.contracts.archive import TaskRecord
from theseus.gateway.rpc.protocol import orchestrator_pb2 as protocol
from theseus.gateway.rpc.protocol import shared_pb2 as shared
from theseus.stores.archive.port import Archive


@pytest_asyncio.fixture
async def rpc(door: Gateway) -> AsyncIterator[Wire]:
    """gRPC in front of the same world as `door`."""
    async with wire(door.backend) as made:
        yield made


async def submit(rpc: Wire, query: str = "steer me", mode: str = "simple", **metadata: Any) -> str:
    answer = await rpc.call("SubmitTask", query=query, metadata={"labels": {"mode": mode}, **metadata})
    return str(answer.task_id)


async def is_at(rpc: Wire, task_id: str, status: str) -> Any:
    async def there() -> bool:
        return told(await rpc.call("GetTaskStatus", task_id=task_id)) == status

    await until(there)
    return await rpc.call("GetTaskStatus", task_id=task_id, include_details=True)


def told(answer: Any) -> str:
    return protocol.TaskStatus.Name(answer.status).removeprefix("TASK_STATUS_")


async def test_a_task_is_submitted_runs_and_its_result_is_told(rpc: Wire, door: Gateway) -> None:
    door.world.model.replace({"rules": [{"reply": {"text": "Paris."}}]})
    call = rpc.start(
        "SubmitTask",
        query="What is the capital of France?",
        metadata={"user_id": "dev", "session_id": "s-1", "labels": {"mode": "simple"}},
    )
    answer = await call
    beside = dict(await call.initial_metadata())
    assert answer.task_id == answer.workflow_id == beside["x-workflow-id"]
    assert beside["x-session-id"] == "s-1" and beside["x-request-id"]
    assert answer.status == shared.STATUS_CODE_OK
    assert answer.decomposition.mode == shared.EXECUTION_MODE_SIMPLE
    ended = await is_at(rpc, answer.task_id, "COMPLETED")
    assert (ended.task_id, ended.result, ended.progress) == (answer.task_id, "Paris.", 1.0)
    metrics = ended.metrics
    assert metrics.latency_ms > 0 and metrics.mode == shared.EXECUTION_MODE_SIMPLE
    assert metrics.token_usage.total_tokens > 0 and metrics.token_usage.model and metrics.token_usage.provider
    seen = (await door.http.get(f"/api/v1/tasks/{answer.task_id}")).json()
    assert (seen["result"], seen["session_id"]) == ("Paris.", "s-1"), "REST tells the same task"
    record = await door.archive.task(answer.task_id)
    assert record is not None and record.trigger == "grpc"


async def test_every_key_of_a_task_arrives(rpc: Wire, door: Gateway) -> None:
    door.world.model.replace(ENDLESS)
    answer = await rpc.call(
        "SubmitTask",
        query="hello",
        require_approval=True,
        metadata={"max_agents": 3, "token_budget": 5000.0, "session_id": "s-9", "user_id": "ann"},
        manual_decomposition={"mode": shared.EXECUTION_MODE_COMPLEX},
        context={
            "max_iterations": 4,
            "model_tier": "small",
            "history_window_size": 20,
            "tools": ["calculator"],
            "n": 0.5,
        },
    )
    handle = door.world.client.get_workflow_handle(answer.task_id)
    [event] = [event async for event in handle.fetch_history_events(page_size=1)][:1]
    [payload] = event.workflow_execution_started_event_attributes.input.payloads
    assert json.loads(payload.data) == {
        "query": "hello",
        "mode": "complex",
        "session_id": "s-9",
        "user_id": "ann",
        "max_concurrent_agents": 3,
        "max_iterations": 4,
        "tools": ["calculator"],
        "limits": {"tokens": 5000},
        "require_approval": True,
        "context": {"model_tier": "small", "history_window_size": 20, "n": 0.5},
    }
    await rpc.call("CancelTask", task_id=answer.task_id)


async def test_one_id_makes_one_task(rpc: Wire) -> None:
    asked: dict[str, Any] = {"query": "hello", "metadata": {"task_id": "mine", "labels": {"mode": "simple"}}}
    calls = [rpc.start("SubmitTask", **asked) for _ in range(10)]
    ids = {(await call).task_id for call in calls}
    sessions = {dict(await call.initial_metadata())["x-session-id"] for call in calls}
    assert len(ids) == 1 and len(sessions) == 1
    later = await rpc.call("SubmitTask", query="hello", metadata={**asked["metadata"], "created_at": {"seconds": 9}})
    assert later.task_id in ids and "before" in later.message
    other = await rpc.call("SubmitTask", query="something else", metadata={"task_id": "mine"})
    assert other.task_id not in ids, "as with REST's keys, another request is another task"
    somebody = await rpc.call("SubmitTask", query="hello", metadata={"task_id": "mine", "user_id": "ann"})
    assert somebody.task_id not in ids, "an id is its user's own"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Query is required"),
        ({"query": "x" * 10_001}, "query"),
        ({"query": "x", "metadata": {"labels": {"mode": "quick"}}}, "mode"),
        ({"query": "x", "metadata": {"labels": {"priority": "high"}}}, "metadata.labels.priority"),
        ({"query": "x", "metadata": {"session_id": "a b"}}, "session_id"),
        ({"query": "x", "metadata": {"max_agents": 21}}, "max_concurrent_agents"),
        ({"query": "x", "metadata": {"token_budget": -1.0}}, "limits.tokens"),
        ({"query": "x", "metadata": {"token_budget": float("nan")}}, "metadata.token_budget"),
        ({"query": "x", "metadata": {"task_id": "i" * 129}}, "metadata.task_id"),
        ({"query": "x", "context": {"role": "nobody"}}, "context.role"),
        ({"query": "x", "context": {"n": float("inf")}}, "context"),
        ({"query": "x", "context": {"limits": "many"}}, "limits"),
        ({"query": "x", "manual_decomposition": {"agent_tasks": [{"task_id": "a"}]}}, "manual_decomposition"),
        ({"query": "x", "manual_decomposition": {"mode": 9}}, "manual_decomposition.mode"),
        ({"query": "x", "session_context": {"history": [{"role": "user"}]}}, "session_context"),
    ],
)
async def test_bad_input_is_refused_with_its_reason(rpc: Wire, fields: dict[str, Any], words: str) -> None:
    code, said = await rpc.refused("SubmitTask", **fields)
    assert code == "INVALID_ARGUMENT" and words in said


async def test_a_task_is_held_goes_on_and_is_ended(rpc: Wire, door: Gateway) -> None:
    door.world.model.replace(ENDLESS)
    task_id = await submit(rpc)
    held = await rpc.call("PauseTask", task_id=task_id, reason="lunch")
    assert held.success and held.message
    await is_at(rpc, task_id, "PAUSED")
    state = await rpc.call("GetControlState", task_id=task_id)
    assert state.is_paused and state.pause_reason == "lunch" and state.paused_at and state.paused_by == "dev"
    assert (await rpc.call("ResumeTask", task_id=task_id)).success
    await is_at(rpc, task_id, "RUNNING")
    state = await rpc.call("GetControlState", task_id=task_id)
    assert (state.is_paused, state.paused_at) == (False, "")
    assert (await rpc.call("CancelTask", task_id=task_id, reason="enough")).success
    await is_at(rpc, task_id, "CANCELLED")
    again = await rpc.call("CancelTask", task_id=task_id)
    assert not again.success and "ended" in again.message
    for what in ("PauseTask", "ResumeTask"):
        code, words = await rpc.refused(what, task_id=task_id)
        assert code == "FAILED_PRECONDITION" and "has ended" in words
    assert (await rpc.refused("PauseTask", task_id=task_id, reason="x" * 1001))[0] == "INVALID_ARGUMENT"


async def test_a_plan_that_waits_is_found_and_approved_once(rpc: Wire, door: Gateway) -> None:
    door.world.model.replace({"rules": [plans(subtask("a")), does("a"), synthesis("so")]})
    answer = await rpc.call(
        "SubmitTask",
        query="plan it",
        require_approval=True,
        metadata={"session_id": "s-3", "labels": {"workflow": "dag"}},
    )
    waiting: list[Any] = []

    async def waits() -> bool:
        waiting[:] = (await rpc.call("GetPendingApprovals")).approvals
        return bool(waiting)

    await until(waits)
    [pending] = waiting
    assert (pending.workflow_id, pending.query) == (answer.task_id, "plan it")
    assert pending.requested_at.seconds and pending.metadata["kind"] == "task"
    assert json.loads(pending.proposed_action)["subtasks"]
    for fields, count in (({"session_id": "s-3"}, 1), ({"session_id": "s-4"}, 0), ({"user_id": "ann"}, 0)):
        assert len((await rpc.call("GetPendingApprovals", **fields)).approvals) == count, fields
    decision = {"approval_id": pending.approval_id, "workflow_id": answer.task_id, "approved": True}
    assert (await rpc.refused("ApproveTask", **{**decision, "approval_id": "other"}))[0] == "NOT_FOUND"
    assert (await rpc.refused("ApproveTask", **{**decision, "approval_id": ""}))[0] == "INVALID_ARGUMENT"
    code, words = await rpc.refused("ApproveTask", **decision, modified_action="{")
    assert code == "INVALID_ARGUMENT" and "JSON" in words
    assert (await rpc.refused("ApproveTask", **decision, modified_action='["\\ud800"]'))[0] == "INVALID_ARGUMENT"
    done = await rpc.call("ApproveTask", **decision, feedback="fine", run_id="any", approved_by="ann")
    assert done.success and done.message
    ended = await is_at(rpc, answer.task_id, "COMPLETED")
    assert [each.status for each in ended.agent_statuses] == [protocol.TASK_STATUS_COMPLETED]
    assert ended.agent_statuses[0].task_id == "a" and ended.agent_statuses[0].token_usage.total_tokens
    assert ended.metrics.agents_used == 1
    assert not (await rpc.call("GetPendingApprovals")).approvals
    late = await rpc.refused("ApproveTask", **{**decision, "approved": False})
    assert late[0] in ("NOT_FOUND", "FAILED_PRECONDITION")


async def test_tasks_whose_workers_are_away_hold_nobody_up_who_asks_for_approvals(idle: World, tmp_path: Path) -> None:
    async with gateway(idle, tmp_path) as door, wire(door.backend) as rpc:
        made = [await submit(rpc) for _ in range(3)]
        assert not (await asyncio.wait_for(rpc.call("GetPendingApprovals"), 8)).approvals
        for task_id in made:
            await idle.client.get_workflow_handle(task_id).terminate()


@pytest.mark.parametrize("approved", [True, False])
async def test_a_research_plan_is_decided_as_it_was_shown(rpc: Wire, door: Gateway, approved: bool) -> None:
    rules = [scopes("bridge"), research_plan(question("bridge", "length")), outlines(), writes("## Nothing\n")]
    door.world.model.replace({"rules": rules})
    answer = await rpc.call(
        "SubmitTask",
        query="What of Varn?",
        context={"force_research": True, "review_plan": "manual", "research_strategy": "quick"},
    )
    shown: dict[str, Any] = {}

    async def waits() -> bool:
        seen = await door.http.get(f"/api/v1/tasks/{answer.task_id}/review")
        shown.update(seen.json())
        return seen.status_code == 200

    await until(waits)
    decision = {"workflow_id": answer.task_id, "approved": approved}
    stale = await rpc.refused("SubmitReviewDecision", **decision, final_plan="another plan")
    assert stale[0] == "FAILED_PRECONDITION" and "version 1" in stale[1]
    rounds = await rpc.refused("SubmitReviewDecision", **decision, conversation="[]")
    assert rounds[0] == "INVALID_ARGUMENT" and "conversation" in rounds[1]
    done = await rpc.call(
        "SubmitReviewDecision", **decision, final_plan=shown["current_plan"], approved_by="ann", research_brief="go"
    )
    assert done.success
    assert done.message == f"version 1: {'approved' if approved else 'rejected'}"
    state = (await door.http.get(f"/api/v1/tasks/{answer.task_id}/review")).json()
    assert [(each["role"], each["message"]) for each in state["rounds"]] == [("ann", "go")]
    await rpc.call("CancelTask", task_id=answer.task_id)


async def test_words_reach_the_agent_at_work(rpc: Wire, door: Gateway) -> None:
    door.world.model.replace(ENDLESS)
    task_id = await submit(rpc)

    async def heard() -> bool:
        try:
            return bool((await rpc.call("SendSwarmMessage", workflow_id=task_id, message="be brief")).success)
        except grpc.aio.AioRpcError:
            return False

    await until(heard)
    assert (await rpc.refused("SendSwarmMessage", workflow_id=task_id))[0] == "INVALID_ARGUMENT"
    await rpc.call("CancelTask", task_id=task_id)


async def test_tasks_are_listed_by_end_session_and_user(rpc: Wire, door: Gateway) -> None:
    first = await submit(rpc, session_id="s-1")
    await is_at(rpc, first, "COMPLETED")
    door.world.model.replace({"rules": [{"reply": {}, "fault": {"status": 400}}]})
    second = await submit(rpc, session_id="s-2", user_id="ann")
    failed = await is_at(rpc, second, "FAILED")
    assert failed.error_message and not failed.result
    listed = await rpc.call("ListTasks")
    assert [each.task_id for each in listed.tasks] == [second, first] and listed.total_count == 2
    newest, oldest = listed.tasks
    assert (told(newest), told(oldest)) == ("FAILED", "COMPLETED")
    assert oldest.query == "steer me" and oldest.mode == shared.EXECUTION_MODE_SIMPLE
    assert oldest.total_token_usage.total_tokens and oldest.completed_at.seconds >= oldest.created_at.seconds > 0
    for fields, wanted in (
        ({"filter_status": protocol.TASK_STATUS_COMPLETED}, [first]),
        ({"filter_status": protocol.TASK_STATUS_RUNNING}, []),
        ({"session_id": "s-2"}, [second]),
        ({"user_id": "ann"}, [second]),
        ({"user_id": "dev"}, [first]),
        ({"limit": 1, "offset": 1}, [first]),
    ):
        found = await rpc.call("ListTasks", **fields)
        assert [each.task_id for each in found.tasks] == wanted, fields
    for bad in ({"limit": 101}, {"limit": -1}, {"offset": -1}, {"filter_status": 99}, {"session_id": "s" * 129}):
        code, words = await rpc.refused("ListTasks", **bad)
        assert code == "INVALID_ARGUMENT" and next(iter(bad)) in words


async def test_a_session_is_told_with_its_last_tasks(rpc: Wire) -> None:
    ids = [await submit(rpc, "first", session_id="s-1"), await submit(rpc, "second", session_id="s-1")]
    await submit(rpc, session_id="s-2")
    for task_id in ids:
        await is_at(rpc, task_id, "COMPLETED")
    told = await rpc.call("GetSessionContext", session_id="s-1")
    assert told.session_id == "s-1"
    assert [each.task_id for each in told.recent_tasks] == ids[::-1]
    assert told.context["task_count"] == 2 and told.context["latest_task_query"] == "second"
    assert told.context["created_at"]
    spent = sum(each.total_token_usage.total_tokens for each in told.recent_tasks)
    assert told.session_token_usage.total_tokens == spent > 0
    assert await rpc.refused("GetSessionContext", session_id="s-9") == ("NOT_FOUND", "Session not found")
    for bad in ("", "a b", "s" * 129):
        code, words = await rpc.refused("GetSessionContext", session_id=bad)
        assert code == "INVALID_ARGUMENT" and "session_id" in words


async def test_templates_are_listed_as_tasks_name_them(rpc: Wire) -> None:
    listed = {each.name: each for each in (await rpc.call("ListTemplates")).templates}
    simple = listed["simple_analysis"]
    assert simple.key == f"simple_analysis@{simple.version}" and len(simple.content_hash) == 64


IDS = {
    "GetTaskStatus": "task_id",
    "CancelTask": "task_id",
    "PauseTask": "task_id",
    "ResumeTask": "task_id",
    "GetControlState": "task_id",
    "ApproveTask": "workflow_id",
    "SubmitReviewDecision": "workflow_id",
    "SendSwarmMessage": "workflow_id",
}


@pytest.mark.parametrize("method", IDS)
async def test_an_id_that_is_none_is_refused(rpc: Wire, method: str) -> None:
    more = {"ApproveTask": {"approval_id": "a"}, "SendSwarmMessage": {"message": "hello"}}.get(method, {})
    assert await rpc.refused(method, **more, **{IDS[method]: "task-nowhere"}) == ("NOT_FOUND", "Task not found")
    for bad in ("", "a b", "../x", "i" * 129):
        code, words = await rpc.refused(method, **more, **{IDS[method]: bad})
        assert code == "INVALID_ARGUMENT" and IDS[method] in words


class Slow:
    """An archive that takes its time over a new task, until it is told to go on."""

    def __init__(self, kept: Archive) -> None:
        self._kept = kept
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()

    async def begin(self, record: TaskRecord) -> bool:
        self.begun.set()
        await self.go_on.wait()
        return await self._kept.begin(record)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kept, name)


@pytest.mark.parametrize("how", ["leaves", "deadline"])
async def test_a_submit_whose_client_leaves_is_not_left_half_done(door: Gateway, how: str) -> None:
    slow = Slow(door.archive)
    kept: Any = slow
    async with wire(replace(door.backend, archive=kept)) as rpc:
        asked: dict[str, Any] = {"query": "hello", "metadata": {"labels": {"mode": "simple"}}}
        call = rpc.start("SubmitTask", timeout=1 if how == "deadline" else None, **asked)
        left = asyncio.ensure_future(call.code())
        await slow.begun.wait()
        if how == "leaves":
            call.cancel()
        assert (await left).name == ("CANCELLED" if how == "leaves" else "DEADLINE_EXCEEDED")
        slow.go_on.set()

        async def runs() -> bool:
            return [told(each) for each in (await rpc.call("ListTasks")).tasks] == ["COMPLETED"]

        await until(runs)


async def test_a_server_that_stops_finishes_what_clients_that_are_gone_have_begun(door: Gateway) -> None:
    slow = Slow(door.archive)
    kept: Any = slow
    async with wire(replace(door.backend, archive=kept)) as rpc:
        call = rpc.start("SubmitTask", query="hello", metadata={"labels": {"mode": "simple"}})
        left = asyncio.ensure_future(call.code())
        await slow.begun.wait()
        call.cancel()
        await left
        asyncio.get_running_loop().call_later(0.5, slow.go_on.set)
    listed = (await door.http.get("/api/v1/tasks")).json()
    assert listed["total_count"] == 1 and listed["tasks"][0]["status"] != "TASK_STATUS_QUEUED"
