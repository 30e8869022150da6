"""A task that is submitted over HTTP runs, and is told about as the REST API's clients expect."""

import uuid

import pytest
from temporalio.common import SearchAttributeKey

from tests.support.gateway import Gateway
from tests.support.postgres import on_both
from tests.support.world import until
from theseus.client import start
from theseus.contracts.task import TaskStatus

pytestmark = on_both


async def test_a_task_is_submitted_runs_and_is_told_about(door: Gateway) -> None:
    answer = await door.http.post("/api/v1/tasks", json={"query": "What is the capital of France?"})
    assert answer.status_code == 200
    task_id = answer.json()["task_id"]
    assert answer.headers["X-Workflow-ID"] == task_id
    assert answer.headers["X-Session-ID"]

    async def ended() -> bool:
        return (await door.http.get(f"/api/v1/tasks/{task_id}")).json()["status"] == "TASK_STATUS_COMPLETED"

    await until(ended)
    told = (await door.http.get(f"/api/v1/tasks/{task_id}")).json()
    assert told["query"] == "What is the capital of France?"
    assert told["result"] and told["usage"]["total_tokens"] > 0


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{}", "Query is required"),
        (b'{"query": ', "Invalid request body: it must be one JSON object"),
        (b'{"query":\n nonsense}', "line 2, column 2"),
        (b'{"query": "\xff"}', "byte 11"),
        (b'{"query": "x", "context": {"a": NaN}}', "NaN"),
        (b'{"query": "x", "context": {"a": 1e400}}', "1e400"),
        (b'{"query": "x", "mode": "quick"}', "mode"),
        (
            b'{"query": "x", "provider_override": "acme"}',
            "provider_override: there is no provider 'acme'; known: anthropic",
        ),
        (b'{"query": "x", "context": {"provider_override": "acme"}}', "context.provider_override"),
        (b'{"query": "x", "context": {"disable_ai": true, "template": "t"}, "model_tier": "small"}', "disable_ai"),
    ],
)
async def test_bad_input_is_refused_with_its_reason(door: Gateway, body: bytes, words: str) -> None:
    answer = await door.http.post("/api/v1/tasks", content=body)
    assert answer.status_code == 400
    assert words in answer.json()["error"]


@pytest.mark.parametrize(
    ("context", "status", "mode"),
    [
        ({"template": "no_such"}, TaskStatus.DEGRADED, "simple"),
        ({"template_name": "weekly_briefing", "prompt_params": {"week": "2025-W44"}}, TaskStatus.COMPLETED, "template"),
    ],
)
async def test_a_mode_beside_a_template_is_how_the_task_goes_on_without_it(
    door: Gateway, context: dict[str, object], status: TaskStatus, mode: str
) -> None:
    answer = await door.http.post("/api/v1/tasks", json={"query": "hello", "mode": "simple", "context": context})
    assert answer.status_code == 200, answer.text
    world = door.world
    handle = world.client.get_workflow_handle(answer.json()["task_id"])
    result = await world.result(handle)
    assert (result.status, result.mode) == (status, mode), result.error
    labels = (await handle.describe()).typed_search_attributes
    assert labels.get(SearchAttributeKey.for_keyword("TaskMode")) == mode


async def test_a_key_that_is_null_is_as_one_that_is_not_there(door: Gateway) -> None:
    keys = ("session_id", "context", "limits", "mode", "model_tier", "tools", "max_iterations")
    answer = await door.http.post("/api/v1/tasks", json={"query": "x"} | dict.fromkeys(keys))
    assert answer.status_code == 200, answer.text
    refused = await door.http.post("/api/v1/tasks", json={"query": None})
    assert refused.json() == {"error": "Query is required"}


async def test_what_is_nested_too_deeply_is_refused_and_nothing_is_kept(door: Gateway) -> None:
    bodies = {
        "/api/v1/tasks": '{"query": "x", "mode": "simple", "context": {"a": %s}}',
        "/api/v1/schedules": '{"name": "n", "cron_expression": "0 0 1 * *", "task_query": "x", "task_context": {"a": %s}}',
        "/api/v1/approvals/decision": '{"approval_id": "a", "workflow_id": "w", "approved": true, "modified_action": %s}',
        "/v1/chat/completions": '{"messages": [{"role": "user", "content": "x"}], "shannon_options": {"context": {"a": %s}}}',
    }
    for path, body in bodies.items():
        for depth in (100, 200, 254, 255, 256, 600, *range(880, 960), 100_000):
            answer = await door.http.post(path, content=body % ("[" * depth + "]" * depth))
            assert answer.status_code == 400 and "nested too deep" in answer.text, (path, depth, answer.text)
    assert (await door.http.get("/api/v1/tasks")).json()["total_count"] == 0
    assert (await door.http.get("/api/v1/schedules")).json()["total_count"] == 0


async def test_a_task_may_remember_as_its_user_comes_with_the_key(door: Gateway) -> None:
    answer = await door.http.post("/api/v1/tasks", json={"query": "x", "mode": "simple", "context": {"memory": True}})
    assert answer.status_code == 200, answer.text


async def test_an_unknown_task_is_not_found(door: Gateway) -> None:
    answer = await door.http.get("/api/v1/tasks/task-nowhere")
    assert (answer.status_code, answer.json()) == (404, {"error": "Task not found"})


async def test_what_no_session_can_be_is_refused(door: Gateway) -> None:
    answer = await door.http.get("/api/v1/tasks", params={"session_id": "\x00"})
    assert answer.status_code == 400 and "session_id" in answer.json()["error"], answer.text


async def test_a_workflow_that_is_no_task_is_not_there(door: Gateway) -> None:
    client = door.world.client
    other = await client.start_workflow("Payroll", id=f"payroll-{uuid.uuid4()}", task_queue="nobody")
    path = f"/api/v1/tasks/{other.id}"
    for method, what in (("GET", ""), ("GET", "/timeline"), ("POST", "/pause"), ("POST", "/cancel")):
        answer = await door.http.request(method, f"{path}{what}")
        assert (answer.status_code, answer.json()) == (404, {"error": "Task not found"}), what
    assert len([event async for event in other.fetch_history_events()]) == 2, "it has not noticed"
    await other.terminate()


async def test_a_task_that_came_another_way_tells_its_query_while_it_runs(door: Gateway) -> None:
    query = "What is the capital\nof France?"
    other = await start(door.world.client, "nobody", f"task-{uuid.uuid4()}", {"query": query})
    try:
        told = (await door.http.get(f"/api/v1/tasks/{other.handle.id}")).json()
        assert (told["status"], told["query"]) == ("TASK_STATUS_RUNNING", query)
    finally:
        await other.handle.terminate()
