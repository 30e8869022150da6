"""A template runs as it is written down: each node once, independent ones at the same time, no model but where one is named."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from tests.support.teams import assign, does, finish, leads, recruit
from tests.support.templates import agent, text, tool, write
from tests.support.world import Handle, World, until, world
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.contracts.task import TaskResult, TaskStatus

SEEDS_EXAMPLE = """
{
  "query": "Generate weekly research briefing",
  "session_id": "research-session-456",
  "context": {
    "template": "research_summary",
    "template_version": "1.0.0",
    "disable_ai": true,
    "prompt_params": {
      "week": "2025-W44"
    }
  }
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a test's templates are."""
    made = tmp_path / "own templates"
    made.mkdir()
    return made


@pytest_asyncio.fixture
async def shelf(
    temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path, folder: Path
) -> AsyncIterator[World]:
    """A worker that finds templates in `folder`, and may have to ask a person, for two seconds."""
    settings: dict[str, Any] = {"templates": (str(folder),), "approval_timeout": "5"}
    async with world(temporal.client, model, tmp_path, **settings) as made:
        yield made


async def run(there: World, template: str, query: str = "the task", **keys: Any) -> TaskResult:
    context = {"template": template, **keys.pop("context", {})}
    return await there.run(query, workflow="TemplateWorkflow", context=context, **keys)


def states(result: TaskResult) -> dict[str, str]:
    assert result.metadata.plan is not None
    return {part.id: str(part.state) for part in result.metadata.plan.subtasks}


async def test_the_seeds_example_completes_without_any_model(there: World) -> None:
    example = json.loads(SEEDS_EXAMPLE)
    result = await there.run(example.pop("query"), workflow="TaskWorkflow", **example)
    assert (result.status, result.usage.total_tokens) == (TaskStatus.COMPLETED, 0)
    assert result.result.startswith("# Generate weekly research briefing") and "2025-W44" in result.result
    assert not there.model.requests and result.mode == "template" and result.session_id == "research-session-456"


async def test_without_any_provider_a_template_of_texts_still_runs(idle: World) -> None:
    idle.environ = {}
    async with idle.worker():
        for more in ({"disable_ai": True}, {}, {"memory": True}):
            result = await run(idle, "research_summary", context=more, user_id="ada")
            assert result.status is TaskStatus.COMPLETED, result.error
        for name in ("simple_analysis", "no_such"):
            refused = await run(idle, name)
            assert refused.error is not None and refused.error.type == "NoModel", name


async def test_texts_see_parameters_the_task_its_context_and_earlier_results(shelf: World, folder: Path) -> None:
    nodes = [
        text("one", "{{ params.a }} {{ task.query }}"),
        text("two", "<{{ results.one }}> {{ context.team }}", "one"),
    ]
    write(folder, {"name": "t", "parameters": {"a": {}}, "nodes": nodes, "output": "{{ results.two }}!"})
    result = await run(shelf, "t", context={"prompt_params": {"a": "A"}, "team": "blue"})
    assert (result.status, result.result) == (TaskStatus.COMPLETED, "<A the task> blue!")
    assert result.metadata.model_dump()["template"]["version"] == "1.0.0"


async def test_independent_nodes_run_at_the_same_time(shelf: World, folder: Path) -> None:
    write(folder, {"name": "t", "nodes": [agent("a"), agent("b")], "output": "{{ results.a }} {{ results.b }}"})
    shelf.model.replace({"rules": [does("a", latency=1.0), does("b", latency=1.0)]})
    began = time.monotonic()
    result = await run(shelf, "t")
    assert result.result == "result of a result of b"
    calls = shelf.model.requests
    assert abs(calls[0].started_at - calls[1].started_at) < 0.7, "the second does not wait for the first"
    assert time.monotonic() - began < 10


async def test_a_tool_node_calls_its_tool_with_values_of_their_own_type(shelf: World, folder: Path) -> None:
    arguments = {"path": "notes/{{ params.name }}.txt", "content": "{{ params.rows | length }} rows"}
    nodes = [tool("save", "file_write", arguments), tool("look", "file_read", {"path": "notes/x.txt"}, "save")]
    write(folder, {"name": "t", "nodes": nodes, "output": "{{ results.look }}"})
    result = await run(shelf, "t", context={"prompt_params": {"name": "x", "rows": [1, 2]}, "disable_ai": True})
    assert result.status is TaskStatus.COMPLETED and "2 rows" in result.result
    assert result.usage.total_tokens == 0


async def test_a_failed_node_is_retried_then_done_cheaper_then_stronger(shelf: World, folder: Path) -> None:
    on_fail = {"retry": 1, "degrade_to": "simple", "escalate_to": "large"}
    node = {**agent("a", on_fail=on_fail), "type": "cognitive", "strategy": "reflection"}
    write(folder, {"name": "t", "nodes": [node]})
    fails: dict[str, Any] = {"fault": {"status": 400}}
    shelf.model.replace(
        {"rules": [{"when": {"model": "gpt-5.1"}, "reply": {"text": "at last"}}, {"reply": {}, **fails}]}
    )
    result = await run(shelf, "t")
    assert (result.status, result.result) == (TaskStatus.DEGRADED, "at last")
    assert "escalated to large" in " ".join(result.metadata.degraded)
    assert result.metadata.plan is not None and result.metadata.plan.subtasks[0].attempts == 4


async def test_a_retry_that_helps_does_not_degrade_the_task(shelf: World, folder: Path) -> None:
    write(folder, {"name": "t", "nodes": [agent("a", on_fail={"retry": 1})]})
    shelf.model.replace({"rules": [does("a", fault={"status": 400}, times=1), does("a", "well")]})
    result = await run(shelf, "t")
    assert (result.status, result.result) == (TaskStatus.COMPLETED, "well")


async def test_a_cheaper_way_that_helps_degrades_the_task(shelf: World, folder: Path) -> None:
    tasks = [{"id": "x", "prompt": "do x"}, {"id": "y", "prompt": "do y"}]
    node = {"id": "n", "type": "dag", "tasks": tasks, "on_fail": {"degrade_to": "simple"}}
    write(folder, {"name": "t", "nodes": [node]})
    shelf.model.replace(
        {
            "rules": [
                {"when": {"last_user": "do x\n\ndo y"}, "reply": {"text": "both"}},
                {"fault": {"status": 400}, "reply": {}},
            ]
        }
    )
    result = await run(shelf, "t")
    assert (result.status, result.result) == (TaskStatus.DEGRADED, "both")
    assert "degraded to simple" in " ".join(result.metadata.degraded)


async def test_a_failed_tool_is_left_to_an_agent_that_has_it(shelf: World, folder: Path) -> None:
    node = tool("sum", "calculator", {"expression": "2 +"}, on_fail={"escalate_to": "simple"})
    write(folder, {"name": "t", "nodes": [node]})
    call = {"name": "calculator", "arguments": {"expression": "2 + 2"}}
    shelf.model.replace(
        {"rules": [{"when": {"turn": 0}, "reply": {"tool_calls": [call]}}, {"reply": {"text": "{{tool_result}}"}}]}
    )
    result = await run(shelf, "t")
    assert (result.status, result.result) == (TaskStatus.DEGRADED, "4")


async def test_a_text_stands_for_what_failed(shelf: World, folder: Path) -> None:
    node = tool("sum", "calculator", {"expression": "2 +"}, on_fail={"text": "no sum of {{ params.what }}"})
    write(folder, {"name": "t", "nodes": [node, text("end", "so: {{ results.sum }}", "sum")]})
    result = await run(shelf, "t", context={"prompt_params": {"what": "it"}, "disable_ai": True})
    assert (result.status, result.result) == (TaskStatus.DEGRADED, "so: no sum of it")


async def test_what_needs_a_failed_node_is_skipped_and_the_rest_is_the_answer(shelf: World, folder: Path) -> None:
    nodes = [
        tool("bad", "calculator", {"expression": "2 +"}),
        text("needs", "{{ results.bad }}", "bad"),
        text("may", "{{ results.bad | default('nothing') }}", "bad", if_missing="optional"),
        text("other", "good"),
    ]
    write(folder, {"name": "t", "nodes": nodes, "output": "{{ results.other }}, {{ results.may }}"})
    result = await run(shelf, "t")
    assert result.status is TaskStatus.PARTIAL and result.result.startswith("good, nothing")
    assert states(result) == {"bad": "failed", "needs": "skipped", "may": "done", "other": "done"}


async def test_a_template_of_which_nothing_worked_fails_with_the_reason(shelf: World, folder: Path) -> None:
    write(folder, {"name": "t", "nodes": [tool("bad", "calculator", {"expression": "2 +"})]})
    result = await run(shelf, "t")
    assert result.status is TaskStatus.FAILED and result.error is not None
    assert result.error.type == "ToolFailed" and "bad" in result.error.message


async def test_one_agent_for_each_item_of_a_list(shelf: World, folder: Path) -> None:
    each = {"prompt": "do {{ item }} as {{ index }}", "role": "chat"}
    node = {"id": "n", "type": "dag", "parallel_by": "{{ params.cities }}", "each": each}
    write(folder, {"name": "t", "nodes": [node]})
    shelf.model.replace({"rules": [does("Rome", "R"), does("Oslo", "O")]})
    result = await run(shelf, "t", context={"prompt_params": {"cities": ["Rome", "Oslo"]}})
    assert result.status is TaskStatus.COMPLETED and result.result.index("R") < result.result.index("O")
    assert sorted(request.body["messages"][-1]["content"] for request in shelf.model.requests) == [
        "do Oslo as 2",
        "do Rome as 1",
    ]


@pytest.mark.parametrize("cities", [[], "Rome", list(range(21))])
async def test_what_is_no_list_for_agents_fails_the_node_before_any_of_them(
    shelf: World, folder: Path, cities: Any
) -> None:
    node = {"id": "n", "type": "dag", "parallel_by": "{{ params.cities }}", "each": {"prompt": "do {{ item }}"}}
    write(folder, {"name": "t", "nodes": [node]})
    result = await run(shelf, "t", context={"prompt_params": {"cities": cities}})
    assert result.status is TaskStatus.FAILED and not shelf.model.requests
    assert result.error is not None and "parallel_by" in result.error.message


async def test_a_supervisor_node_leads_a_team_within_the_template(shelf: World, folder: Path) -> None:
    team = {"id": "team", "type": "supervisor", "prompt": "lead this: {{ params.what }}"}
    write(folder, {"name": "t", "nodes": [team, text("end", "<{{ results.team }}>", "team")]})
    rules = [*leads([recruit("ann"), assign("ann", "do it")], [finish("well led")]), does("it", "done")]
    shelf.model.replace({"rules": rules})
    result = await run(shelf, "t", context={"prompt_params": {"what": "W"}})
    assert (result.status, result.result) == (TaskStatus.COMPLETED, "<well led>")
    assert "lead this: W" in shelf.model.requests[0].body["messages"][-1]["content"]
    assert result.usage.total_tokens > 0 and result.metadata.agents


async def test_a_small_budget_takes_a_node_down_the_ladder(shelf: World, folder: Path) -> None:
    node = {**agent("a", budget_max=2000), "type": "cognitive", "strategy": "tree_of_thoughts"}
    write(folder, {"name": "t", "nodes": [node]})
    shelf.model.replace({"rules": [does("a", "cheap")]})
    result = await run(shelf, "t")
    assert (result.status, result.result) == (TaskStatus.DEGRADED, "cheap")
    assert "tree_of_thoughts became react" in " ".join(result.metadata.degraded)
    assert result.usage.total_tokens <= 2000


async def one_pending(handle: Handle) -> dict[str, Any]:
    found: list[dict[str, Any]] = []

    async def there_is_one() -> bool:
        found[:] = await handle.query("pending_approvals")
        return len(found) == 1

    await until(there_is_one)
    return found[0]


async def test_a_node_waits_for_a_person_and_what_comes_before_it_does_not(shelf: World, folder: Path) -> None:
    write(
        folder,
        {"name": "t", "nodes": [text("a", "A"), text("b", "B after {{ results.a }}", "a", require_approval=True)]},
    )
    handle = await shelf.start("q", workflow="TemplateWorkflow", context={"template": "t"})
    asked = await one_pending(handle)
    assert asked["action"]["node"] == "b"
    decision = {"approval_id": asked["approval_id"], "approved": True}
    with pytest.raises(Exception, match="Workflow update failed") as refused:
        await handle.execute_update("decide_approval", {**decision, "modified_action": {"node": "c"}})
    assert "cannot be changed" in str(refused.value.__cause__)
    await handle.execute_update("decide_approval", decision)
    assert (await shelf.result(handle)).result == "B after A"


@pytest.mark.parametrize("asks", ["template", "task"])
async def test_a_no_to_a_template_closes_the_task_as_denied(shelf: World, folder: Path, asks: str) -> None:
    defaults = {"require_approval": asks == "template"}
    write(folder, {"name": "t", "defaults": defaults, "nodes": [text("a", "A")]})
    handle = await shelf.start(
        "q", workflow="TemplateWorkflow", context={"template": "t"}, require_approval=asks == "task"
    )
    asked = await one_pending(handle)
    await handle.execute_update("decide_approval", {"approval_id": asked["approval_id"], "approved": False})
    assert (await shelf.result(handle)).status is TaskStatus.DENIED


async def test_editing_a_template_does_not_reach_a_task_under_way(shelf: World, folder: Path) -> None:
    made = {"name": "t", "nodes": [agent("a"), text("end", "first edition", "a")], "output": "{{ results.end }}"}
    write(folder, made)
    shelf.model.replace({"rules": [does("a", latency=2.0)]})
    handle = await shelf.start("q", workflow="TemplateWorkflow", context={"template": "t"})

    async def has_begun() -> bool:
        return bool(shelf.model.requests)

    await until(has_begun)
    write(folder, {**made, "nodes": [agent("a"), text("end", "second edition", "a")]})
    assert (await shelf.result(handle)).result == "first edition"
    assert (await run(shelf, "t")).result == "second edition", "the next task has it"


async def test_an_unknown_template_is_refused_without_ai_and_done_without_it_else(there: World) -> None:
    there.model.replace({"rules": [{"reply": {"text": "by a model"}}]})
    refused = await run(there, "no_such", context={"disable_ai": True})
    assert refused.status is TaskStatus.FAILED and refused.error is not None
    assert refused.error.type == "InvalidInput" and "research_summary" in refused.error.message
    done = await run(there, "no_such", mode="simple")
    assert (done.status, done.result, done.mode) == (TaskStatus.DEGRADED, "by a model", "simple")
    assert "no_such" in done.metadata.degraded[0]


async def test_where_templates_are_to_be_kept_to_an_unknown_one_is_refused(
    temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path
) -> None:
    async with world(temporal.client, model, tmp_path, template_fallback=False) as strict:
        refused = await run(strict, "no_such")
    assert refused.error is not None and refused.error.field == "context.template" and not model.requests


async def test_a_template_that_needs_a_model_is_refused_without_ai_naming_the_nodes(shelf: World, folder: Path) -> None:
    write(folder, {"name": "t", "nodes": [agent("writes"), text("a", "A")]})
    result = await run(shelf, "t", context={"disable_ai": True})
    assert result.error is not None and "writes" in result.error.message
    assert result.error.field == "context.disable_ai" and not shelf.model.requests


async def test_pause_holds_a_template_before_its_next_node(shelf: World, folder: Path) -> None:
    write(folder, {"name": "t", "nodes": [agent("a"), agent("b", None, "a")]})
    shelf.model.replace({"rules": [does("a", latency=1.0), does("b", "last")]})
    handle = await shelf.start("q", workflow="TemplateWorkflow", context={"template": "t"})

    async def has_begun() -> bool:
        return bool(shelf.model.requests)

    await until(has_begun)
    await handle.signal("pause", {"reason": "look"})
    await asyncio.sleep(2)
    assert len(shelf.model.requests) == 1 and (await handle.query("control_state"))["is_paused"]
    await handle.signal("resume", {})
    assert (await shelf.result(handle)).result == "last"


async def test_a_cancel_ends_all_nodes_at_work(shelf: World, folder: Path) -> None:
    write(folder, {"name": "t", "nodes": [agent("a"), agent("b")]})
    shelf.model.replace({"rules": [{"fault": {"hang": True}, "reply": {}}]})
    handle = await shelf.start("q", workflow="TemplateWorkflow", context={"template": "t"})

    async def both_began() -> bool:
        return len(shelf.model.requests) == 2

    await until(both_began)
    began = time.monotonic()
    await handle.signal("cancel", {"reason": "enough"})
    with pytest.raises(Exception, match="Workflow execution failed"):
        await handle.result()
    assert time.monotonic() - began < 5
    assert all(request.client_closed_at for request in shelf.model.requests)


async def test_the_shipped_templates_run(there: World) -> None:
    there.model.replace({"rules": [{"reply": {"text": "what a model says"}}]})
    params = {"market": "tea", "things": ["a", "b"], "week": "2025-W44"}
    for name in ("simple_analysis", "market_analysis", "parallel_example", "weekly_briefing", "research_summary"):
        result = await run(there, name, context={"prompt_params": params})
        assert result.status in (TaskStatus.COMPLETED, TaskStatus.DEGRADED), (name, result.error)
        assert result.result, name


async def test_the_shipped_playbook_plans_what_a_person_approved(there: World) -> None:
    there.model.replace({"rules": [{"reply": {"text": "what a model says"}}]})
    context = {"template": "market_analysis_playbook", "prompt_params": {"market": "tea"}}
    handle = await there.start("q", workflow="TemplateWorkflow", context=context)
    asked = await one_pending(handle)
    assert asked["action"]["node"] == "plan" and "ninety days" in asked["action"]["starts_with"]["prompt"]
    await handle.execute_update("decide_approval", {"approval_id": asked["approval_id"], "approved": True})
    result = await there.result(handle)
    assert "# The first ninety days\n\nwhat a model says" in result.result, result.error


async def test_a_template_with_a_tool_that_the_task_may_not_use_is_refused(there: World) -> None:
    result = await run(there, "parallel_example", context={"prompt_params": {"things": ["a"]}}, tools=["file_read"])
    assert result.error is not None and result.error.field == "tools" and "calculator" in result.error.message
    assert not there.model.requests
