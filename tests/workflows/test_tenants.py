"""No tenant waits for all that another has queued; and a model without room is left for one that has it."""

import asyncio
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.testing import WorkflowEnvironment

from tests.support.world import Handle, World, history, world
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.client import start
from theseus.contracts.task import TaskStatus

MODELS = """
providers:
  - {name: openai, kind: openai, base_url_variable: OPENAI_BASE_URL, key_variable: OPENAI_API_KEY}
models:
  - {provider: openai, model: first, tiers: [small], priority: 1, context_window_tokens: 8000, max_output_tokens: 1000, rate_limits: {requests_per_minute: 1}}
  - {provider: openai, model: second, tiers: [small], priority: 2, context_window_tokens: 8000, max_output_tokens: 1000}
"""


async def submit(there: World, tenant: str) -> Handle:
    """Starts a task as the command line does."""
    task: dict[str, Any] = {"query": f"of {tenant}", "tenant_id": tenant, "mode": "simple", "context": {"role": "chat"}}
    return (await start(there.client, there.settings.task_queue, f"task-{uuid.uuid4()}", task)).handle


async def keys_of(handle: Handle) -> list[tuple[str, str]]:
    """Activities of a task with the fairness keys that their commands carried."""
    events = [event.activity_task_scheduled_event_attributes for event in await history(handle)]
    return [(event.activity_type.name, event.priority.fairness_key) for event in events if event.activity_id]


async def test_five_tasks_behind_sixty_of_another_tenant_start_in_the_first_half(
    temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path
) -> None:
    model.replace({"rules": [{"latency": 0.1, "reply": {"text": "ok"}}]})
    async with world(temporal.client, model, tmp_path, work=False, max_activities=2) as there:
        handles = [await submit(there, "A") for _ in range(60)]
        handles += [await submit(there, "B") for _ in range(5)]
        async with there.worker():
            await asyncio.gather(*(there.result(handle) for handle in handles))
    order = [str(request.body["messages"][-1]["content"]) for request in model.requests]
    assert Counter(order) == {"of A": 60, "of B": 5}
    places = [place for place, text in enumerate(order) if text == "of B"]
    print(places)
    assert places[-1] < len(order) / 2, places


async def test_activities_inherit_the_tenant_that_the_start_gave(there: World) -> None:
    handle = await submit(there, "acme")
    await there.result(handle)
    assert {key for _, key in await keys_of(handle)} == {""}, "the server hands it down; histories stay small"
    assert (await handle.describe()).raw_description.workflow_execution_info.priority.fairness_key == "acme"


@pytest.mark.parametrize(("tenant", "key"), [("acme", "acme"), (None, "")])
async def test_activities_of_a_task_that_a_foreign_gateway_started_carry_its_tenant(
    there: World, tenant: str | None, key: str
) -> None:
    there.model.replace(
        {
            "rules": [
                {
                    "when": {"turn": 0},
                    "reply": {"tool_calls": [{"name": "calculator", "arguments": {"expression": "1"}}]},
                },
                {"reply": {"text": "ok"}},
            ]
        }
    )
    handle = await there.start(session_id="s", **({"tenant_id": tenant} if tenant else {}))
    await there.result(handle)
    names = ["session.load", "llm.complete", "tool.run", "llm.complete", "session.append"]
    assert await keys_of(handle) == [(name, key) for name in names]


async def test_the_cancel_of_a_task_carries_its_tenant_too(there: World) -> None:
    there.model.replace({"rules": [{"fault": {"hang": True}}]})
    handle = await there.start(tenant_id="t" * 100)
    await asyncio.sleep(0.5)
    await handle.signal("cancel", {"reason": "enough"})
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    keys = await keys_of(handle)
    assert [name for name, _ in keys] == ["llm.complete", "task.cancel"]
    assert len({key for _, key in keys}) == 1 and len(keys[0][1]) == 64, "a long tenant's key fits"


async def test_a_model_without_room_in_time_is_left_for_another(
    temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path
) -> None:
    models = tmp_path / "models.yaml"
    models.write_text(MODELS)
    model.replace({"rules": [{"reply": {"text": "ok"}}]})
    async with world(temporal.client, model, tmp_path, models_file=models) as there:
        results = [await there.run(context={"role": "chat"}) for _ in range(2)]
    assert [result.status for result in results] == [TaskStatus.COMPLETED] * 2
    assert [result.model_used for result in results] == ["first", "second"]
    assert "RateLimited" in results[1].metadata.failovers[0]
    assert [request.model for request in model.requests] == ["first", "second"], "nobody was asked in vain"
