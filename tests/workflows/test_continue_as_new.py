"""A long run goes on in a new history as the same task: same answer, same totals, one stream."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio
from temporalio.api.enums.v1 import EventType

from tests.support.teams import LEAD, does, plans, subtask, synthesis
from tests.support.temporal import dev_server
from tests.support.world import World, world
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.contracts.task import TaskStatus

SUGGESTED_AT = 60


@pytest_asyncio.fixture
async def short(model: ScriptedModel, tmp_path: Path) -> AsyncIterator[World]:
    """A server that suggests to continue as new after a few events instead of after thousands."""
    flag = f"limit.historyCount.suggestContinueAsNew={SUGGESTED_AT}"
    async with dev_server("--dynamic-config-value", flag) as env, world(env.client, model, tmp_path) as made:
        yield made


async def test_a_supervised_task_of_many_events_crosses_into_new_histories(short: World) -> None:
    there = short
    rounds = 20
    decisions: list[dict[str, Any]] = []
    for turn in range(rounds):
        actions: list[dict[str, Any]] = [{"kind": "assign", "agent": "ann", "task": f"work {turn}"}]
        if turn == 0:
            actions.insert(0, {"kind": "recruit", "name": "ann", "role": "chat"})
        if turn == rounds - 1:
            actions = [{"kind": "finish", "answer": "after many rounds"}]
        decisions.append(
            {"when": {"system": LEAD, "turn": turn}, "reply": {"json": {"thought": "", "actions": actions}}}
        )
    there.model.replace({"rules": [*decisions, {"when": {"last_user": "^work"}, "reply": {"text": "found"}}]})
    handle = await there.start("the task", workflow="SupervisorWorkflow")
    result = await there.result(handle)
    assert (result.status, result.result) == (TaskStatus.COMPLETED, "after many rounds")
    assert result.metadata.plan is not None and len(result.metadata.plan.subtasks) == rounds - 1
    assert len(result.metadata.agents) == rounds - 1
    rows = result.metadata.model_breakdown
    assert sum(row.executions for row in rows) == len(there.model.requests)
    assert sum(row.tokens for row in rows) == result.usage.total_tokens
    first = await there.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id).fetch_history()
    assert first.events[-1].event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
    types = [stored.event.type for stored in await there.events(handle.id)]
    assert types.count("STREAM_END") == types.count("WORKFLOW_STARTED") == 1 and types[-1] == "STREAM_END"
    keys = [stored.event.key for stored in await there.events(handle.id) if stored.event.key]
    assert len(keys) == len(set(keys)) and types.count("LEAD_DECISION") == rounds


async def test_an_agent_of_many_turns_goes_on_with_all_it_has_seen(short: World) -> None:
    there = short
    turns = 14
    calls = [
        {
            "when": {"last_user": "do a", "turn": turn},
            "reply": {"tool_calls": [{"name": "calculator", "arguments": {"expression": f"{turn}+0"}}]},
        }
        for turn in range(turns)
    ]
    there.model.replace(
        {
            "rules": [
                plans(subtask("a", role="generalist"), subtask("b")),
                *calls,
                does("a", "counted"),
                does("b"),
                synthesis("so"),
            ]
        }
    )
    handle = await there.start("the task", workflow="StandardWorkflow", max_iterations=30)
    result = await there.result(handle)
    assert (result.status, result.result) == (TaskStatus.COMPLETED, "so")
    agent = next(record for record in result.metadata.agents if record.agent_id == "agent/1")
    assert (agent.turns, agent.tool_calls) == (turns + 1, turns)
    assert sum(row.tokens for row in result.metadata.model_breakdown) == result.usage.total_tokens
    last = [r.body["messages"] for r in there.model.requests if "do a" in str(r.body["messages"])][-1]
    assert sum(message["role"] == "tool" for message in last) >= turns
    child = there.client.get_workflow_handle(f"{handle.id}/agent/1")
    described = await child.describe()
    assert described.raw_description.workflow_execution_info.first_run_id != described.run_id
