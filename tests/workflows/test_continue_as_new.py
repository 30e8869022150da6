"""A long run goes on in a new history as the same task: same answer, same totals, one stream."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import EventType

from tests.support.memory import ADA, fact, note, noting
from tests.support.teams import (
    LEAD,
    WAIT,
    Action,
    assign,
    decides,
    does,
    finish,
    leads,
    plans,
    recruit,
    subtask,
    synthesis,
)
from tests.support.templates import tool, write
from tests.support.temporal import dev_server
from tests.support.world import Handle, World, until, world
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.contracts.control import Progress
from theseus.contracts.memory import Change, Kind
from theseus.contracts.task import TaskStatus
from theseus.workflows import carrying

SUGGESTED_AT = 60
FLAG = "--dynamic-config-value"


@asynccontextmanager
async def impatient(model: ScriptedModel, folder: Path, *flags: str, **settings: Any) -> AsyncGenerator[World, None]:
    """A server that suggests to continue as new after a few events instead of after thousands."""
    suggests = f"limit.historyCount.suggestContinueAsNew={SUGGESTED_AT}"
    named = [part for flag in (suggests, *flags) for part in (FLAG, flag)]
    async with dev_server(*named) as env, world(env.client, model, folder, **settings) as there:
        yield there


@pytest_asyncio.fixture
async def short(model: ScriptedModel, tmp_path: Path) -> AsyncIterator[World]:
    async with impatient(model, tmp_path) as made:
        yield made


async def test_what_is_known_of_a_user_crosses_into_new_histories_and_is_looked_up_once(short: World) -> None:
    there = short
    home = fact("The user lives in Aarhus.", kind=Kind.PERSON)
    await there.stores.memory.revise(ADA, (), lambda _: Change(add=(home,)))
    decisions = leads([recruit("ann"), assign("ann", "work 0")], *([assign("ann", f"work {n}")] for n in range(1, 19)))
    tea = note("The user drinks tea.", "I drink tea")
    last = {"when": {"system": LEAD}, "reply": {"json": {"thought": "", "actions": [finish("done")]}}}
    there.model.replace(
        {"rules": [noting(tea), *decisions, last, {"when": {"last_user": "^work"}, "reply": {"text": "found"}}]}
    )
    keys: dict[str, Any] = {"user_id": "ada", "tenant_id": "acme", "context": {"memory": True}}
    handle = await there.start("I drink tea", workflow="SupervisorWorkflow", **keys)
    result = await there.result(handle)
    assert result.result == "done" and result.metadata.memory is not None
    assert (result.metadata.memory.recalled, len(result.metadata.memory.kept)) == ([home.id], 1)
    assert (await handle.describe()).run_id != handle.first_execution_run_id, "it went on in a new history"
    prompts = [str(request.body["messages"][0]["content"]) for request in there.model.requests]
    assert len(prompts) > 30 and all(home.text in prompt for prompt in prompts)


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


async def test_a_template_of_many_nodes_goes_on_with_their_results(model: ScriptedModel, tmp_path: Path) -> None:
    count = 14
    nodes: list[dict[str, Any]] = [tool("n0", "calculator", {"expression": "1"})]
    for at in range(1, count):
        nodes.append(tool(f"n{at}", "calculator", {"expression": f"{{{{ results.n{at - 1} }}}} + 1"}, f"n{at - 1}"))
    write(tmp_path / "templates", {"name": "long", "nodes": nodes, "output": f"{{{{ results.n{count - 1} }}}}"})
    async with impatient(model, tmp_path, templates=(str(tmp_path / "templates"),)) as there:
        context = {"template": "long", "disable_ai": True}
        handle = await there.start("count", workflow="TemplateWorkflow", context=context)
        result = await there.result(handle)
        assert (result.status, result.result) == (TaskStatus.COMPLETED, str(count))
        first = await there.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id).fetch_history()
        assert first.events[-1].event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
        kinds = [stored.event.type for stored in await there.events(handle.id)]
        assert kinds.count("TOOL_OBSERVATION") == count, "no node ran twice"
        assert kinds.count("STREAM_END") == kinds.count("WORKFLOW_STARTED") == 1
        assert result.metadata.plan is not None and {str(p.state) for p in result.metadata.plan.subtasks} == {"done"}


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


def rounds_of_ann(count: int, *first: Action) -> list[dict[str, Any]]:
    turns = [[assign("ann", f"work {turn}")] for turn in range(count)]
    turns[0][:0] = first
    return leads(*turns)


async def crossed(there: World, handle: Handle) -> None:
    first = await there.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id).fetch_history()
    assert first.events[-1].event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW


async def test_what_silence_allowed_stays_allowed_and_no_more(model: ScriptedModel, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"approval_timeout": "1", "approval_policy": "approve_reads"}
    async with impatient(model, tmp_path, **settings) as there:
        lead = [*rounds_of_ann(12, recruit("ann", "developer")), decides(finish("so"))]
        model.replace({"rules": [*lead, {"reply": {"text": "found"}}]})
        handle = await there.start("the task", workflow="SupervisorWorkflow", require_approval=True)
        assert (await there.result(handle)).status is TaskStatus.COMPLETED
        await crossed(there, handle)
    asked = [r for r in model.requests if LEAD not in r.body["messages"][0]["content"]]
    assert len(asked) >= 11 and not any("file_write" in str(request.body.get("tools")) for request in asked)


async def test_an_open_question_stays_open(model: ScriptedModel, tmp_path: Path) -> None:
    async with impatient(model, tmp_path, approval_timeout="60") as there:
        question = {"kind": "ask_human", "question": "which colour?"}
        hears = {"when": {"system": LEAD, "last_user": "eve says: blue"}, "reply": {"json": {"actions": [finish("b")]}}}
        lead = [*rounds_of_ann(8, question, recruit("ann")), hears, decides(WAIT)]
        model.replace({"rules": [*lead, {"reply": {"text": "found"}}]})
        handle = await there.start("the task", workflow="SupervisorWorkflow")
        current = there.client.get_workflow_handle(handle.id)

        async def has_crossed_and_waits() -> bool:
            progress: Progress = await current.query("progress", result_type=Progress)
            calls = sum(LEAD in r.body["messages"][0]["content"] for r in model.requests)
            return calls >= 9 and "which colour?" in progress.waiting_for

        await until(has_crossed_and_waits, seconds=30)
        await current.execute_update("send_message", {"message_id": "1", "text": "blue", "sent_by": "eve"})
        assert (await there.result(handle)).result == "b"
        await crossed(there, handle)


async def test_a_memory_too_large_for_a_payload_is_cut_and_the_task_goes_on(
    model: ScriptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrying, "MOST_CARRIED_BYTES", 30_000)
    limits = ("limit.blobSize.error=90000", "limit.blobSize.warn=80000")
    async with impatient(model, tmp_path, *limits) as there:
        lead = [*rounds_of_ann(14, recruit("ann")), decides(finish("ran to its end"))]
        model.replace({"rules": [*lead, {"reply": {"text": "w" * 10_000}}]})
        handle = await there.start("the task", workflow="SupervisorWorkflow")
        assert (await there.result(handle)).result == "ran to its end"
        await crossed(there, handle)
