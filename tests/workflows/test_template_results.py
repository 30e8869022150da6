"""What the nodes of a template brought is told as it is: too much, nothing, cut, or by the last of the budget."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from tests.support.teams import assign, does, finish, leads, recruit
from tests.support.templates import agent, text, tool, write
from tests.support.world import World, until, world
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.activities.tools.registry import tool as tool_of
from theseus.contracts.task import TaskResult, TaskStatus
from theseus.contracts.tools import Effect


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
    """A worker that finds templates in `folder`."""
    async with world(temporal.client, model, tmp_path, templates=(str(folder),)) as made:
        yield made


async def run(there: World, query: str = "the task", **keys: Any) -> TaskResult:
    context = {"template": "t", **keys.pop("context", {})}
    return await there.run(query, workflow="TemplateWorkflow", context=context, **keys)


async def test_texts_that_are_more_than_a_history_takes_at_once_are_failed_nodes_and_stop_no_task(
    shelf: World, folder: Path
) -> None:
    nodes = [text(f"n{number}", "{{ 'x' * 40000 }}") for number in range(90)]
    write(folder, {"name": "t", "nodes": nodes, "output": "{{ results.values() | list | length }} texts"})
    result = await run(shelf, context={"disable_ai": True})
    assert result.status is TaskStatus.PARTIAL, result.error
    assert 20 <= int(result.result.split()[0]) < 90
    assert result.metadata.plan is not None
    assert "bytes together" in next(part.note for part in result.metadata.plan.subtasks if part.state == "failed")


async def test_large_texts_that_follow_each_other_at_once_are_more_than_one_message_to_the_server(
    shelf: World, folder: Path
) -> None:
    """A failed text makes those after it a step of their own, and the results of all such steps go out together."""
    nodes: list[dict[str, Any]] = []
    for layer in range(4):
        before = [f"f{layer - 1}"] if layer else []
        nodes.append(text(f"f{layer}", "{{ params.nope }}", *before, if_missing="optional"))
        nodes += [
            text(f"n{layer}_{number}", "{{ 'x' * 45000 }}", f"f{layer}", if_missing="optional") for number in range(22)
        ]
    write(folder, {"name": "t", "nodes": nodes, "output": "{{ results.values() | list | length }} texts"})
    result = await run(shelf, context={"disable_ai": True})
    assert (result.status, result.result) == (TaskStatus.PARTIAL, "88 texts"), result.error


async def test_a_prompt_that_comes_to_nothing_fails_its_node_and_no_other(shelf: World, folder: Path) -> None:
    each = {"id": "each", "type": "dag", "parallel_by": "{{ params.things }}", "each": {"prompt": "{{ item }}"}}
    nodes = [each, agent("empty", "{{ params.nothing }}"), agent("a")]
    write(folder, {"name": "t", "nodes": nodes, "output": "{{ results.a }}"})
    shelf.model.replace({"rules": [does("a")]})
    result = await run(shelf, context={"prompt_params": {"things": ["one", " "], "nothing": "\n"}})
    assert (result.status, result.result) == (TaskStatus.PARTIAL, "result of a"), result.error
    assert len(shelf.model.requests) == 1
    assert result.metadata.plan is not None
    notes = {part.id: part.note for part in result.metadata.plan.subtasks}
    assert "the prompt of item_2 cannot be rendered: it is empty" in notes["each"]
    assert notes["empty"] == "its text cannot be rendered: it is empty"


@pytest.mark.parametrize("role", ["ads_research", "financial_news"])
async def test_a_node_whose_role_no_adapter_serves_is_refused_before_any_call(
    shelf: World, folder: Path, role: str
) -> None:
    write(folder, {"name": "t", "nodes": [agent("a"), {**agent("b"), "role": role}]})
    result = await run(shelf)
    assert result.error is not None and result.error.field == "context.template"
    assert f"nodes.1.role: {role}" in result.error.message and "adapter" in result.error.message
    assert not shelf.model.requests


async def test_a_node_whose_role_lacks_what_it_needs_degrades_the_task(shelf: World, folder: Path) -> None:
    nodes = [{**agent("a"), "role": "browser_use"}, {**agent("b"), "role": "browser_use"}]
    write(folder, {"name": "t", "nodes": nodes})
    result = await run(shelf, tools=["calculator"])
    assert result.status is TaskStatus.DEGRADED
    assert [why for why in result.metadata.degraded if "role browser_use: there is no browser_navigate" in why] == [
        result.metadata.degraded[0]
    ]


async def test_an_answer_from_an_agent_that_ran_out_says_so(shelf: World, folder: Path) -> None:
    node = {**agent("a", budget_max=4000), "role": "generalist", "tools": ["calculator"]}
    write(folder, {"name": "t", "nodes": [node]})
    call = {"name": "calculator", "arguments": {"expression": "6*7"}}
    usage = {"input": 900, "output": 300}
    closing = {"when": {"last_user": "budget is nearly spent"}, "reply": {"text": "as far as I got"}}
    shelf.model.replace({"rules": [closing, {"reply": {"tool_calls": [call], "text": "on it"}, "usage": usage}]})
    result = await run(shelf)
    assert (result.status, result.result) == (TaskStatus.BUDGET_EXHAUSTED, "as far as I got"), result.error


@tool_of(effect=Effect.READ, timeout=timedelta(seconds=5))
def all_rows() -> str:
    """Gives all rows."""
    return "row\n" * 5000


async def test_a_tool_s_result_that_was_cut_degrades_the_task(
    temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path, folder: Path
) -> None:
    write(folder, {"name": "t", "nodes": [tool("look", "all_rows", {})]})
    async with world(temporal.client, model, tmp_path, work=False, templates=(str(folder),)) as there:
        there.tools = [all_rows]
        async with there.worker():
            result = await run(there, context={"disable_ai": True})
    assert result.status is TaskStatus.DEGRADED and len(result.result) < 10_000
    assert "look" in result.metadata.degraded[0] and "left out" in result.metadata.degraded[0]


async def test_texts_see_what_came_with_the_task_by_its_artifact(shelf: World, folder: Path) -> None:
    first = "task.attachments[0]"
    look = tool("look", "read_artifact", {"artifact_id": f"{{{{ {first}.artifact_id }}}}"})
    write(folder, {"name": "t", "nodes": [look], "output": f"{{{{ {first}.name }}}}: {{{{ results.look }}}}"})
    attached = [{"name": "sales.csv", "media_type": "text/csv", "text": "month,sales\n2025-01,111\n"}]
    result = await run(shelf, context={"disable_ai": True, "attachments": attached})
    assert result.status is TaskStatus.COMPLETED, result.error
    assert result.result.startswith("sales.csv: ") and "2025-01,111" in result.result


async def test_a_template_whose_output_is_blank_says_so(shelf: World, folder: Path) -> None:
    write(folder, {"name": "t", "nodes": [text("a", "A")], "output": "{% if params.x %}x{% endif %}"})
    result = await run(shelf, context={"prompt_params": {"x": False}})
    assert result.error is not None and result.error.type == "TemplateInvalid"
    assert "its output is blank" in result.error.message


async def test_an_agent_that_takes_over_from_a_tool_is_told_what_the_tool_said(shelf: World, folder: Path) -> None:
    node = tool("sum", "calculator", {"expression": "2 +"}, on_fail={"escalate_to": "simple"})
    write(folder, {"name": "t", "nodes": [node]})
    shelf.model.replace({"rules": [{"reply": {"text": "4"}}]})
    result = await run(shelf)
    assert (result.status, result.result) == (TaskStatus.DEGRADED, "4")
    told = str(shelf.model.requests[0].body["messages"][-1]["content"])
    assert "calculator: " in told and "do not call it again" in told
    assert result.metadata.plan is not None and result.metadata.plan.subtasks[0].note == ""


async def test_a_team_that_takes_over_has_no_more_tools_than_the_node_names(shelf: World, folder: Path) -> None:
    on_fail = {"escalate_to": "supervisor"}
    node = {**agent("a", on_fail=on_fail), "role": "generalist", "tools": ["calculator"]}
    write(folder, {"name": "t", "nodes": [node]})
    fails: dict[str, Any] = {"when": {"last_user": "^do a"}, "reply": {}, "fault": {"status": 400}}
    lead = leads([recruit("ann", "generalist"), assign("ann", "do it")], [finish("well led")])
    shelf.model.replace({"rules": [*lead, does("it", "done"), fails]})
    result = await run(shelf)
    assert (result.status, result.result) == (TaskStatus.DEGRADED, "well led"), result.error
    [ann] = [
        each.body
        for each in shelf.model.requests
        if "do it" in str(each.body["messages"][-1]) and each.body.get("tools")
    ]
    assert {each["function"]["name"] for each in ann["tools"]} == {"calculator", "send_message", "read_artifact"}


@pytest.mark.parametrize("kind", ["simple", "dag", "supervisor"])
async def test_an_escalation_reaches_better_models_though_the_task_asks_for_small_ones(
    shelf: World, folder: Path, kind: str
) -> None:
    own: dict[str, Any] = {"tasks": [{"id": "x", "prompt": "do x"}]} if kind == "dag" else {"prompt": "do x"}
    node = {"id": "a", "type": kind, **own, "on_fail": {"escalate_to": "large"}}
    write(folder, {"name": "t", "nodes": [node]})
    large = {"model": "^gpt-5.1"}
    lead = [{**rule, "when": {**rule["when"], **large}} for rule in leads([finish("at last")])]
    fails: dict[str, Any] = {"reply": {}, "fault": {"status": 400}}
    shelf.model.replace({"rules": [*lead, {"when": large, "reply": {"text": "at last"}}, fails]})
    result = await run(shelf, model_tier="small")
    assert (result.status, result.result) == (TaskStatus.DEGRADED, "at last"), result.error
    assert not shelf.model.requests[0].model.startswith("gpt-5.1"), "the task's own wish came first"


@pytest.mark.parametrize("kind", ["simple", "dag"])
async def test_what_people_say_while_no_agent_is_at_work_reaches_those_that_start_later(
    shelf: World, folder: Path, kind: str
) -> None:
    own: dict[str, Any] = {"tasks": [{"id": "x", "prompt": "do x"}]} if kind == "dag" else {"prompt": "do x"}
    later = {"id": "later", "type": kind, "depends_on": ["gate"], **own}
    write(folder, {"name": "t", "nodes": [text("gate", "open", require_approval=True), later]})
    handle = await shelf.start("q", workflow="TemplateWorkflow", context={"template": "t"})
    found: list[dict[str, Any]] = []

    async def asks() -> bool:
        found[:] = await handle.query("pending_approvals")
        return bool(found)

    await until(asks)
    said = await handle.execute_update("send_message", {"message_id": "m-1", "text": "mind the gap"})
    assert said["accepted"]
    await handle.execute_update("decide_approval", {"approval_id": found[0]["approval_id"], "approved": True})
    assert (await shelf.result(handle)).status is TaskStatus.COMPLETED
    assert "mind the gap" in str(shelf.model.requests[0].body["messages"])
