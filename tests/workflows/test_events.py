"""Every path of a task ends in exactly one STREAM_END, and no prompt or key gets into what is told or searched."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.common import SearchAttributePair, TypedSearchAttributes

from tests.support.world import World, history
from theseus.contracts.events import StoredEvent

BUDGET: list[dict[str, Any]] = [
    {"when": {"any_message": "budget is nearly"}, "reply": {"text": "so far"}},
    {
        "reply": {
            "text": "thinking " * 40,
            "tool_calls": [{"name": "calculator", "arguments": {"expression": "{{turn}}+1"}}],
        }
    },
]


async def ended(there: World, path: str) -> str:
    """Runs one path to its end, and gives the task's id."""
    scripts: dict[str, list[dict[str, Any]]] = {
        "completed": [{"reply": {"text": "done"}}],
        "failed": [{"fault": {"status": 400}}],
        "cancelled": [{"reply": {"text": "x" * 200}, "fault": {"hang_after": 30}}],
        "budget": BUDGET,
        "refused": [],
        "timed_out": [{"fault": {"hang": True}}],
    }
    there.model.replace({"rules": scripts[path]})
    keys: dict[str, Any] = {
        "budget": {"max_iterations": 50, "limits": {"tokens": 20_000}},
        "refused": {"mode": "fast"},
        "timed_out": {"limits": {"wall_clock_seconds": 1}},
    }.get(path, {})
    handle = await there.start("go", **keys)
    if path == "cancelled":
        await asyncio.sleep(0.7)
        await handle.signal("cancel")
    try:
        await handle.result()
    except WorkflowFailureError:
        assert path not in ("completed", "budget")
    return handle.id


@pytest.mark.parametrize("path", ["completed", "failed", "cancelled", "budget", "refused", "timed_out"])
async def test_a_stream_ends_once_and_can_be_resumed_anywhere(there: World, path: str) -> None:
    task_id = await ended(there, path)
    whole = [event async for event in there.stores.events.read(task_id)]
    types = [stored.event.type for stored in whole]
    assert types[-1] == "STREAM_END" and types.count("STREAM_END") == 1
    assert [stored.seq for stored in whole] == list(range(1, len(whole) + 1))
    for place, stored in enumerate(whole):
        rest: list[StoredEvent] = [event async for event in there.stores.events.read(task_id, stored.stream_id)]
        assert rest == whole[place + 1 :]


async def test_the_order_of_a_task_with_a_tool_reads_as_it_happened(there: World) -> None:
    call = {"name": "calculator", "arguments": {"expression": "1+1"}}
    there.model.replace({"rules": [{"when": {"turn": 0}, "reply": {"tool_calls": [call]}}, {"reply": {"text": "two"}}]})
    handle = await there.start("go")
    await handle.result()
    types = [e.event.type for e in await there.events(handle.id) if e.event.type != "LLM_PARTIAL"]
    assert types == [
        "WORKFLOW_STARTED",
        "AGENT_STARTED",
        "LLM_OUTPUT",
        "TOOL_INVOKED",
        "TOOL_OBSERVATION",
        "LLM_OUTPUT",
        "AGENT_COMPLETED",
        "LLM_OUTPUT",
        "WORKFLOW_COMPLETED",
        "STREAM_END",
    ]


def named(found: TypedSearchAttributes) -> dict[str, Any]:
    """Values by name; the SDK leaves the type of a pair's value open."""
    return {pair.key.name: pair.value for pair in cast(Sequence[SearchAttributePair[Any]], found.search_attributes)}


async def test_operators_see_what_runs_and_never_a_prompt_in_what_is_not_encrypted(there: World) -> None:
    handle = await there.start("the secret question", user_id="ada", tenant_id="acme", session_id="s-9")
    await handle.result()
    found = (await handle.describe()).typed_search_attributes
    values: dict[str, Any] = {name: value for name, value in named(found).items() if name.startswith("Task")}
    assert values["TaskStatus"] == "completed" and values["TaskMode"] == "simple"
    assert (values["TaskTenant"], values["TaskUser"], values["TaskSession"]) == ("acme", "ada", "s-9")
    assert values["TaskTokens"] > 0 and values["TaskCostUsd"] > 0
    assert "secret" not in str(values)
    scheduled = [e for e in await history(handle) if e.HasField("activity_task_scheduled_event_attributes")]
    assert scheduled and all(event.user_metadata.HasField("summary") for event in scheduled)
