"""Standard mode: independent parts really run side by side, results go by id, and a part that failed is named."""

from pathlib import Path
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.testing import WorkflowEnvironment

from tests.support.teams import PLANNER, SYNTHESIZER, does, plans, subtask, synthesis
from tests.support.world import World, history, until, world
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.contracts.errors import ErrorType
from theseus.contracts.plan import SubtaskState
from theseus.contracts.task import TaskResult, TaskStatus


async def run(there: World, *rules: dict[str, Any], **keys: Any) -> TaskResult:
    there.model.replace({"rules": list(rules)})
    return await there.result(await there.start("the task", workflow="StandardWorkflow", **keys))


def asked(there: World, pattern: str) -> list[dict[str, Any]]:
    return [r.body for r in there.model.requests if pattern in r.body["messages"][0]["content"]]


def states(result: TaskResult) -> dict[str, SubtaskState]:
    assert result.metadata.plan is not None
    return {part.id: part.state for part in result.metadata.plan.subtasks}


async def test_two_independent_parts_are_two_agents_and_one_answer(there: World) -> None:
    result = await run(there, plans(subtask("a"), subtask("b")), does("a"), does("b"), synthesis())
    assert (result.status, result.result) == (TaskStatus.COMPLETED, "the whole answer")
    assert states(result) == {"a": "done", "b": "done"}
    assert [agent.agent_id for agent in result.metadata.agents] == ["agent/1", "agent/2"]
    material = asked(there, SYNTHESIZER)[0]["messages"][-1]["content"]
    assert "### Result of a\nresult of a" in material and "### Result of b\nresult of b" in material


async def test_the_breakdown_adds_up_to_the_usage_exactly(there: World) -> None:
    result = await run(there, plans(subtask("a"), subtask("b")), does("a"), does("b"), synthesis())
    rows = result.metadata.model_breakdown
    assert sum(row.tokens for row in rows) == result.usage.total_tokens
    assert sum(row.cost_microusd for row in rows) == result.usage.cost_microusd
    assert sum(row.executions for row in rows) == len(there.model.requests) == 4
    agents = sum(agent.usage.total_tokens for agent in result.metadata.agents)
    assert 0 < agents < result.usage.total_tokens


async def test_results_reach_dependents_by_id_as_soon_as_they_are_there(there: World) -> None:
    parts = [subtask("a"), subtask("slow"), subtask("c", "a"), subtask("d", "c", "slow")]
    result = await run(there, plans(*parts), does("a"), does("slow", latency=1.0), does("c"), does("d"), synthesis())
    assert result.status is TaskStatus.COMPLETED
    requests = {r.body["messages"][-1]["content"][:5].strip(): r for r in there.model.requests}
    assert requests["do c"].started_at < requests["do sl"].started_at + 0.9
    told = requests["do d"].body["messages"][-1]["content"]
    assert "### Result of c, done before\nresult of c" in told
    assert "### Result of slow, done before\nresult of slow" in told
    assert "Result of a," not in told


async def test_a_part_that_fails_for_good_is_named_and_the_rest_is_kept(there: World) -> None:
    broken = {"when": {"last_user": "^do b"}, "fault": {"status": 400}}
    result = await run(
        there, plans(*(subtask(n) for n in "abc"), subtask("d", "b")), broken, does("a"), does("c"), synthesis()
    )
    assert result.status is TaskStatus.PARTIAL
    assert states(result) == {"a": "done", "b": "failed", "c": "done", "d": "skipped"}
    assert "**Missing in this answer:**" in result.result
    assert "do b (b: failed" in result.result and "do d (d: skipped" in result.result
    assert "### Missing" in asked(there, SYNTHESIZER)[0]["messages"][-1]["content"]
    assert len([r for r in there.model.requests if r.body["messages"][-1]["content"].startswith("do b")]) == 2


async def test_a_dependent_that_can_do_without_runs_without(there: World) -> None:
    broken = {"when": {"last_user": "^do a"}, "fault": {"status": 400}}
    result = await run(
        there, plans(subtask("a"), subtask("b", "a", if_missing="optional")), broken, does("b"), synthesis()
    )
    assert states(result) == {"a": "failed", "b": "done"}
    assert result.status is TaskStatus.PARTIAL


async def test_nobody_brought_anything_is_a_failure_never_an_answer(there: World) -> None:
    broken = {"when": {"last_user": "^do"}, "fault": {"status": 400}}
    result = await run(there, plans(subtask("a"), subtask("b")), broken, synthesis())
    assert result.status is TaskStatus.FAILED and result.error is not None
    assert result.error.type == "BadRequest" and "no agent brought a result" in result.error.message
    assert result.result == ""


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        pytest.param([subtask("a", "b"), subtask("b", "a")], "circle", id="a circle"),
        pytest.param([subtask("a", "zzz")], "not in the plan", id="an unknown dependency"),
        pytest.param([], "0 subtasks", id="no subtasks"),
        pytest.param([subtask(f"s{n}") for n in range(13)], "13 subtasks", id="too many"),
        pytest.param([subtask("a", role="wizard")], "wizard", id="an unknown role"),
        pytest.param([subtask("a", tools=["teleport"])], "teleport", id="an unknown tool"),
        pytest.param([subtask("a"), subtask("a")], "more than once", id="an id twice"),
    ],
)
async def test_a_plan_that_is_wrong_twice_becomes_one_agent(
    there: World, plan: list[dict[str, Any]], told: str
) -> None:
    result = await run(there, plans(*plan), {"reply": {"text": "alone"}}, context={})
    assert (result.status, result.result) == (TaskStatus.DEGRADED, "alone")
    planner = asked(there, PLANNER)
    assert len(planner) == 2 and told in planner[1]["messages"][-1]["content"]


async def test_a_planner_that_is_down_costs_the_plan_not_the_task(there: World) -> None:
    result = await run(there, plans(fault={"status": 400}), {"reply": {"text": "alone"}})
    assert (result.status, result.result) == (TaskStatus.DEGRADED, "alone")
    assert "no plan could be made" in result.metadata.degraded[0]


async def test_a_plan_of_one_part_has_no_child_and_no_synthesis(there: World) -> None:
    there.model.replace({"rules": [plans(subtask("a")), does("a", "just this")]})
    handle = await there.start("the task", workflow="StandardWorkflow")
    assert (await there.result(handle)).result == "just this"
    kinds = [event.event_type for event in await history(handle)]
    assert EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED not in kinds
    assert len(there.model.requests) == 2


async def test_a_role_of_the_caller_needs_no_plan(there: World) -> None:
    result = await run(there, {"reply": {"text": "by the writer"}}, context={"role": "writer"})
    assert (result.status, result.result) == (TaskStatus.COMPLETED, "by the writer")
    assert len(there.model.requests) == 1


async def test_no_more_agents_than_asked_work_at_the_same_time(there: World) -> None:
    names = "abcde"
    rules = [plans(*(subtask(n) for n in names)), *(does(n, latency=0.3) for n in names), synthesis()]
    await run(there, *rules, max_concurrent_agents=2)
    spans = [
        (r.started_at, r.ended_at or 0)
        for r in there.model.requests
        if r.body["messages"][-1]["content"].startswith("do ")
    ]
    assert len(spans) == 5
    assert max(sum(start <= at < end for start, end in spans) for at, _ in spans) == 2


async def test_each_event_has_one_place_and_the_stream_ends_once(there: World) -> None:
    there.model.replace({"rules": [plans(subtask("a"), subtask("b")), does("a"), does("b"), synthesis()]})
    handle = await there.start("the task", workflow="StandardWorkflow")
    await there.result(handle)
    events = [stored.event for stored in await there.events(handle.id)]
    assert [e.type for e in events].count("STREAM_END") == 1 and events[-1].type == "STREAM_END"
    started = [e.agent_id for e in events if e.type == "AGENT_STARTED"]
    done = [e.agent_id for e in events if e.type == "AGENT_COMPLETED"]
    assert sorted(started) == sorted(done) == ["agent/1", "agent/2"]
    keys = [e.key for e in events if e.key is not None]
    assert len(keys) == len(set(keys))


TWO_MODELS = """
providers:
  - {name: openai, kind: openai, base_url_variable: OPENAI_BASE_URL, key_variable: OPENAI_API_KEY}
models:
  - {provider: openai, model: first, tiers: [small, medium, large], priority: 1, context_window_tokens: 80000,
     max_output_tokens: 1000}
  - {provider: openai, model: second, tiers: [small, medium, large], priority: 2, context_window_tokens: 80000,
     max_output_tokens: 1000}
"""


async def test_a_part_that_failed_is_done_again_by_another_model(
    temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path
) -> None:
    models = tmp_path / "models.yaml"
    models.write_text(TWO_MODELS)
    refused = {"when": {"last_user": "^do b", "model": "first"}, "fault": {"status": 400}}
    model.replace({"rules": [plans(subtask("a"), subtask("b")), does("a"), refused, does("b"), synthesis()]})
    async with world(temporal.client, model, tmp_path, models_file=models) as there:
        result = await there.result(await there.start("the task", workflow="StandardWorkflow"))
    assert result.status is TaskStatus.COMPLETED
    assert [r.model for r in model.requests if r.body["messages"][-1]["content"].startswith("do b")] == [
        "first",
        "second",
    ]


async def test_what_people_say_while_the_plan_is_made_reaches_all_agents_and_the_answer(there: World) -> None:
    there.model.replace({"rules": [plans(subtask("a"), subtask("b"), latency=1.0), does("a"), does("b"), synthesis()]})
    handle = await there.start("the task", workflow="StandardWorkflow")

    async def is_planning() -> bool:
        return bool(there.model.requests)

    await until(is_planning)
    receipt = await handle.execute_update("send_message", {"message_id": "1", "text": "in French please"})
    assert receipt["accepted"] and (await there.result(handle)).status is TaskStatus.COMPLETED
    heard = ["in French please" in str(request.body["messages"]) for request in there.model.requests]
    assert heard == [False, True, True, True]


async def test_an_agent_that_fails_leaves_behind_what_it_had_found(there: World) -> None:
    sum_of = {"name": "calculator", "arguments": {"expression": "6*7"}}
    rules = [
        plans(subtask("a", role="generalist"), subtask("b")),
        {"when": {"last_user": "^do a", "turn": 0}, "reply": {"text": "FIRST FIND", "tool_calls": [sum_of]}},
        {"when": {"any_message": "^do a"}, "fault": {"status": 400}},
    ]
    there.model.replace({"rules": [*rules, does("b"), synthesis("half of it")]})
    result = await there.result(await there.start("the task", workflow="StandardWorkflow"))
    assert result.status is TaskStatus.PARTIAL and "FIRST FIND" in result.model_dump_json()
    there.model.replace({"rules": [*rules, {"when": {"last_user": "^do b"}, "fault": {"status": 400}}]})
    result = await there.result(await there.start("the task", workflow="StandardWorkflow"))
    assert result.status is TaskStatus.FAILED and "FIRST FIND" in result.model_dump_json()


async def test_a_part_that_was_cut_at_the_output_limit_is_not_silently_whole(there: World) -> None:
    cut = {"when": {"last_user": "^do a"}, "reply": {"text": "half a sen", "finish_reason": "length"}}
    there.model.replace({"rules": [plans(subtask("a"), subtask("b")), cut, does("b"), synthesis("so")]})
    result = await there.result(await there.start("the task", workflow="StandardWorkflow"))
    assert result.status is TaskStatus.DEGRADED and "output limit" in result.metadata.degraded[0]


async def test_the_only_part_of_a_plan_that_fails_is_shown_as_failed(there: World) -> None:
    there.model.replace({"rules": [plans(subtask("a")), {"when": {"last_user": "^do a"}, "fault": {"status": 400}}]})
    result = await there.result(await there.start("the task", workflow="StandardWorkflow"))
    assert result.metadata.plan is not None and result.metadata.plan.subtasks[0].state is SubtaskState.FAILED


@pytest.mark.parametrize("tokens", [2500, 4000])
async def test_a_budget_too_small_for_the_parts_says_so(there: World, tokens: int) -> None:
    planner = plans(*(subtask(name) for name in "abcde"), usage={"input": 1500, "output": 300})
    there.model.replace({"rules": [planner, *(does(name) for name in "abcde"), synthesis()]})
    result = await there.result(await there.start("the task", workflow="StandardWorkflow", limits={"tokens": tokens}))
    assert result.status in (TaskStatus.FAILED, TaskStatus.BUDGET_EXHAUSTED)
    assert result.error is None or result.error.type is ErrorType.BUDGET_EXHAUSTED
