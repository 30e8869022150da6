"""What people ask of a running task over HTTP reaches it, once, and what cannot be is refused in words."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.archived import Broken, ended, task
from tests.support.gateway import Gateway, gateway, listening
from tests.support.studies import outlines, question, scopes, writes
from tests.support.studies import plans as research_plan
from tests.support.teams import does, plans, subtask, synthesis
from tests.support.world import World, until
from theseus.gateway import steering
from theseus.gateway.callers import OPEN_TENANT, OPEN_USER
from theseus.stores.ports import StoreDownError

CALL = {"name": "calculator", "arguments": {"expression": "{{turn}}+1"}}
ENDLESS = {"rules": [{"reply": {"tool_calls": [CALL], "text": "on it"}, "latency": 0.2}]}


async def submit(door: Gateway, **keys: Any) -> str:
    answer = await door.http.post("/api/v1/tasks", json={"query": "steer me", "mode": "simple", **keys})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["task_id"])


async def get(door: Gateway, path: str) -> dict[str, Any]:
    answer = await door.http.get(path)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def is_at(door: Gateway, task_id: str, status: str) -> None:
    async def there() -> bool:
        return (await get(door, f"/api/v1/tasks/{task_id}"))["status"] == f"TASK_STATUS_{status}"

    await until(there)


async def test_a_task_is_held_goes_on_and_is_ended(door: Gateway) -> None:
    door.world.model.replace(ENDLESS)
    task_id = await submit(door)
    path = f"/api/v1/tasks/{task_id}"
    held = await door.http.post(f"{path}/pause", json={"reason": "lunch"})
    assert (held.status_code, held.json()["success"]) == (202, True)
    await is_at(door, task_id, "PAUSED")
    state = await get(door, f"{path}/control-state")
    assert state["is_paused"] and state["pause_reason"] == "lunch" and state["paused_at"]
    assert (await door.http.post(f"{path}/resume")).status_code == 202, "a body is not needed"
    await is_at(door, task_id, "RUNNING")
    state = await get(door, f"{path}/control-state")
    assert (state["is_paused"], state["paused_at"]) == (False, "")
    assert (await door.http.post(f"{path}/cancel", json={})).json()["success"]
    await is_at(door, task_id, "CANCELLED")
    again = await door.http.post(f"{path}/cancel", json={})
    assert (again.status_code, again.json()["success"]) == (202, False)
    for what in ("pause", "resume"):
        refused = await door.http.post(f"{path}/{what}", json={})
        assert refused.status_code == 400 and "has ended" in refused.json()["error"]


async def test_where_a_running_task_stands_is_told(door: Gateway) -> None:
    door.world.model.replace(ENDLESS)
    task_id = await submit(door)

    async def spends() -> bool:
        return bool((await get(door, f"/api/v1/tasks/{task_id}")).get("usage", {}).get("total_tokens"))

    await until(spends)
    told = await get(door, f"/api/v1/tasks/{task_id}")
    assert told["metadata"]["progress"]["phase"]
    await door.http.post(f"/api/v1/tasks/{task_id}/cancel")


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", None])
async def test_a_body_is_read_whatever_the_client_calls_it(door: Gateway, kind: str | None) -> None:
    door.world.model.replace(ENDLESS)
    task_id = await submit(door)
    path, own = f"/api/v1/tasks/{task_id}", {"Content-Type": kind} if kind else {}
    held = await door.http.post(f"{path}/pause", content=b'{"reason": "lunch"}', headers=own)
    assert held.status_code == 202, held.text
    await is_at(door, task_id, "PAUSED")
    assert (await get(door, f"{path}/control-state"))["pause_reason"] == "lunch"
    asked = ({"approval_id": "a", "workflow_id": task_id, "approved": True}, {"action": "approve"}, {"message": "hi"})
    places = ("/api/v1/approvals/decision", f"{path}/review", f"/api/v1/swarm/{task_id}/message")
    for place, body, status in zip(places, asked, (404, 409, 200), strict=True):
        answer = await door.http.post(place, content=json.dumps(body), headers=own)
        assert answer.status_code == status, answer.text
    assert (await door.http.post(f"{path}/resume", content=b" null ", headers=own)).status_code == 202
    broken = await door.http.post(f"{path}/cancel", content=b'{"reason": ', headers=own)
    assert broken.status_code == 400 and "it is not JSON" in broken.json()["error"]
    assert (await door.http.post(f"{path}/cancel", headers=own)).status_code == 202


@pytest.mark.parametrize("changed", ['{"a": "\\ud800"}', '{"\\ud800": 1}', '{"a": NaN}', "[1e999]"])
async def test_a_changed_action_that_would_not_arrive_as_it_is_is_refused(door: Gateway, changed: str) -> None:
    task_id = await submit(door)
    body = f'{{"approval_id": "a", "workflow_id": "{task_id}", "approved": true, "modified_action": {changed}}}'
    answer = await door.http.post("/api/v1/approvals/decision", content=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"].startswith("modified_action")


@pytest.mark.parametrize("approved", [True, False])
async def test_a_plan_is_approved_or_denied_once(door: Gateway, approved: bool) -> None:
    door.world.model.replace({"rules": [plans(subtask("a")), does("a"), synthesis("so")]})
    task_id = await submit(door, mode="standard", require_approval=True)
    asked: list[dict[str, Any]] = []

    async def waits() -> bool:
        told = (await get(door, f"/api/v1/tasks/{task_id}/events"))["events"]
        asked[:] = [each for each in told if each["type"] == "APPROVAL_REQUESTED"]
        return bool(asked)

    await until(waits)
    decision = {"approval_id": asked[0]["payload"]["approval_id"], "workflow_id": task_id, "approved": approved}
    unknown = await door.http.post("/api/v1/approvals/decision", json={**decision, "approval_id": "other"})
    assert unknown.status_code == 404 and "pending" in unknown.json()["error"]
    done = await door.http.post("/api/v1/approvals/decision", json={**decision, "feedback": "because"})
    assert (done.status_code, done.json()["success"]) == (200, True)
    await is_at(door, task_id, "COMPLETED" if approved else "FAILED")
    late = await door.http.post("/api/v1/approvals/decision", json={**decision, "approved": not approved})
    assert late.status_code in (404, 409), late.text


async def test_a_research_plan_is_seen_changed_and_approved_by_its_version(door: Gateway) -> None:
    rules = [scopes("bridge"), research_plan(question("bridge", "length")), outlines(), writes("## Nothing\n")]
    door.world.model.replace({"rules": rules})
    context = {"force_research": True, "review_plan": "manual", "research_strategy": "quick"}
    answer = await door.http.post("/api/v1/tasks", json={"query": "What of Varn?", "context": context})
    path = f"/api/v1/tasks/{answer.json()['task_id']}/review"

    async def waits() -> bool:
        return (await door.http.get(path)).status_code == 200

    await until(waits)
    seen = await door.http.get(path)
    plan = seen.json()
    assert (plan["status"], plan["version"], seen.headers["ETag"]) == ("reviewing", 1, '"1"')
    assert "ask about bridge" in plan["current_plan"] and plan["query"] == "What of Varn?"
    stale = await door.http.post(path, json={"action": "approve"}, headers={"If-Match": "7"})
    assert stale.status_code == 409 and "version 1" in stale.json()["error"]
    said = await door.http.post(
        path, json={"action": "feedback", "message": "ask the mayor"}, headers={"If-Match": '"1"'}
    )
    assert said.status_code == 200, said.text

    async def is_new() -> bool:
        return (await get(door, path))["version"] == 2

    await until(is_new)
    assert (await get(door, path))["rounds"][0]["message"] == "ask the mayor"
    done = await door.http.post(path, json={"action": "approve"}, headers={"If-Match": "2"})
    assert (done.status_code, done.json()["status"]) == (200, "approved")
    bad = await door.http.post(path, json={"action": "perhaps"})
    assert bad.status_code == 400 and "action" in bad.json()["error"]


@pytest.mark.parametrize("tag", ["9" * 5_000, "9" * 10, "0", "-1", '"1", "2"', "soon"])
async def test_a_version_that_no_plan_has_is_refused(door: Gateway, tag: str) -> None:
    task_id = await submit(door)
    path = f"/api/v1/tasks/{task_id}/review"
    answer = await door.http.post(path, json={"action": "approve"}, headers={"If-Match": tag})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"].startswith("If-Match: ") and len(answer.text) < 300


async def test_tasks_are_listed_by_end_and_session_the_newest_first(door: Gateway) -> None:
    first = await submit(door, session_id="s-1")
    await is_at(door, first, "COMPLETED")
    door.world.model.replace({"rules": [{"reply": {}, "fault": {"status": 400}}]})
    second = await submit(door, session_id="s-2")
    await is_at(door, second, "FAILED")
    door.world.model.replace(ENDLESS)
    third = await submit(door)
    listed = await get(door, "/api/v1/tasks")
    assert [each["task_id"] for each in listed["tasks"]] == [third, second, first] and listed["total_count"] == 3
    assert all(each["query"] == "steer me" and each["created_at"] for each in listed["tasks"])
    for query, wanted in (
        ("status=COMPLETED", [first]),
        ("status=failed", [second]),
        ("status=TASK_STATUS_RUNNING", [third]),
        ("session_id=s-2", [second]),
        ("limit=1&offset=1", [second]),
    ):
        found = await get(door, f"/api/v1/tasks?{query}")
        assert [each["task_id"] for each in found["tasks"]] == wanted, query
    for query in ("limit=0", "limit=101", "offset=-1", "status=GONE", "limit=x"):
        answer = await door.http.get(f"/api/v1/tasks?{query}")
        assert answer.status_code == 400 and answer.json()["error"], query
    await door.http.post(f"/api/v1/tasks/{third}/cancel")


async def test_events_and_the_timeline_are_told_in_their_order(door: Gateway) -> None:
    task_id = await submit(door)
    await is_at(door, task_id, "COMPLETED")
    told = await get(door, f"/api/v1/tasks/{task_id}/events?limit=200")
    types = [each["type"] for each in told["events"]]
    assert types[0] == "WORKFLOW_STARTED" and types[-1] == "STREAM_END" and told["count"] == len(types)
    assert "LLM_PARTIAL" not in types
    part = await get(door, f"/api/v1/tasks/{task_id}/events?limit=2&offset=1")
    assert [each["type"] for each in part["events"]] == types[1:3]
    line = await get(door, f"/api/v1/tasks/{task_id}/timeline")
    steps = [each["type"] for each in line["events"]]
    assert steps[0] == "WF_WORKFLOW_EXECUTION_STARTED" and steps[-1] == "WF_WORKFLOW_EXECUTION_COMPLETED"
    assert any(each["message"] == "llm.complete" for each in line["events"])
    full = await get(door, f"/api/v1/tasks/{task_id}/timeline?mode=full")
    assert len(full["events"]) > len(steps)


async def test_what_no_worker_is_there_to_answer_is_asked_to_be_tried_again(
    idle: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steering, "PATIENCE", timedelta(seconds=1))
    async with gateway(idle, tmp_path) as door:
        task_id = await submit(door)
        decision = {"approval_id": "a", "workflow_id": task_id, "approved": True}
        answers = await asyncio.gather(
            door.http.get(f"/api/v1/tasks/{task_id}/control-state"),
            door.http.post("/api/v1/approvals/decision", json=decision),
            door.http.post(f"/api/v1/tasks/{task_id}/review", json={"action": "approve"}),
            door.http.post(f"/api/v1/swarm/{task_id}/message", json={"message": "hello"}),
        )
        assert [(each.status_code, each.json()["error"][:17]) for each in answers] == [(503, "no worker answers")] * 4
        await idle.client.get_workflow_handle(task_id).terminate()


@pytest.mark.parametrize("path", ["", "/events", "/timeline", "/control-state", "/review"])
async def test_what_is_asked_of_an_unknown_task_is_not_found(door: Gateway, path: str) -> None:
    answer = await door.http.get(f"/api/v1/tasks/task-nowhere{path}")
    assert (answer.status_code, answer.json()) == (404, {"error": "Task not found"})
    for what in ("pause", "resume", "cancel"):
        assert (await door.http.post(f"/api/v1/tasks/task-nowhere/{what}")).status_code == 404


@pytest.mark.parametrize("fault", [StoreDownError("Redis is away"), ValueError("a type of a later version")])
async def test_events_that_cannot_be_read_cost_a_list_only_themselves(
    idle: World, tmp_path: Path, fault: Exception
) -> None:
    async with gateway(idle, tmp_path) as door:
        task_id = await submit(door, session_id="s-1")
        async with listening(replace(door.backend, events=Broken(fault))) as address:
            told = (await door.http.get(f"{address}/api/v1/tasks/{task_id}/events")).json()
            turns = (await door.http.get(f"{address}/api/v1/sessions/s-1/events")).json()["turns"]
        assert [each["seq"] for each in told["events"]] == [each["seq"] for each in turns[0]["events"]] == [1, 2]
        await idle.client.get_workflow_handle(task_id).terminate()


@pytest.mark.parametrize("what", ["control-state", "timeline", "review"])
async def test_what_temporal_has_forgotten_of_a_task_that_is_kept_is_said(door: Gateway, what: str) -> None:
    record = ended(task("task-of-last-year", tenant_id=OPEN_TENANT, user_id=OPEN_USER))
    await door.archive.end(record, ())
    assert (await door.http.get(f"/api/v1/tasks/{record.task_id}")).status_code == 200
    answer = await door.http.get(f"/api/v1/tasks/{record.task_id}/{what}")
    assert answer.status_code == 404 and "Temporal has nothing of task" in answer.json()["error"], answer.text
    assert (await door.http.get(f"/api/v1/tasks/nobody/{what}")).json() == {"error": "Task not found"}
