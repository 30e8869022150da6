"""A task never spends past its limits by more than one call's output, and one that runs out still answers."""

from typing import Any

from tests.support.world import World
from theseus.contracts.task import TaskStatus

ENDLESS: list[dict[str, Any]] = [
    {"when": {"any_message": "budget is nearly spent"}, "reply": {"text": "what I found so far"}},
    {
        "reply": {
            "text": "thinking " * 40,
            "tool_calls": [{"name": "calculator", "arguments": {"expression": "{{turn}}+1"}}],
        }
    },
]


async def test_a_model_that_never_stops_ends_with_an_answer_within_the_limit(there: World) -> None:
    there.model.replace({"rules": ENDLESS})
    handle = await there.start("x", max_iterations=50, limits={"tokens": 20_000})
    result = await there.result(handle)
    assert result.status is TaskStatus.BUDGET_EXHAUSTED
    assert result.result == "what I found so far"
    assert result.usage.total_tokens <= 20_000
    types = [e.event.type for e in await there.events(handle.id)]
    assert types.count("BUDGET_THRESHOLD") <= 1
    assert types[-2:] == ["WORKFLOW_COMPLETED", "STREAM_END"]


async def test_money_is_a_limit_as_well(there: World) -> None:
    there.model.replace({"rules": ENDLESS})
    result = await there.run("x", max_iterations=50, model_override="gpt-5.1", limits={"cost_microusd": 60_000})
    assert result.status is TaskStatus.BUDGET_EXHAUSTED
    assert 0 < result.usage.cost_microusd <= 60_000


async def test_a_limit_too_small_for_any_call_fails_before_any_is_made(there: World) -> None:
    result = await there.run("x", limits={"tokens": 10})
    assert (result.status, there.model.requests) == (TaskStatus.FAILED, [])
    assert result.error is not None and result.error.type == "BudgetExhausted"
    assert "limits.tokens=10" in result.error.message


async def test_a_call_asks_the_provider_for_no_more_than_the_budget_grants(there: World) -> None:
    there.model.replace({"rules": [{"reply": {"text": "ok"}}]})
    await there.run("x", context={"role": "chat"}, limits={"tokens": 3_000})
    body = there.model.requests[0].body
    assert 0 < int(body.get("max_completion_tokens") or body["max_tokens"]) < 3_000
