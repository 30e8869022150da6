"""The world fails in its own ways: what may be tried again is, what may not is not, and another model takes over."""

import time
from typing import Any

from temporalio.api.enums.v1 import EventType

from tests.support.world import World, history
from theseus.contracts.errors import ErrorType
from theseus.contracts.task import TaskStatus


def fault(**fields: Any) -> dict[str, Any]:
    return {"times": 1, "reply": {"text": "x" * 200}, "fault": fields}


async def test_a_429_waits_at_least_as_long_as_the_provider_says(there: World) -> None:
    there.model.replace({"rules": [fault(status=429, retry_after=3), {"reply": {"text": "ok"}}]})
    result = await there.run()
    assert (result.status, result.result) == (TaskStatus.COMPLETED, "ok")
    first, second = there.model.requests
    assert second.started_at - first.started_at >= 3


async def test_a_400_is_not_tried_again(there: World) -> None:
    there.model.replace({"rules": [{"fault": {"status": 400, "body": "bad things"}}]})
    result = await there.run()
    assert (result.status, len(there.model.requests)) == (TaskStatus.FAILED, 1)
    assert result.error is not None and result.error.type == "BadRequest"
    assert "bad things" in result.error.message


async def test_a_500_is_tried_again(there: World) -> None:
    there.model.replace({"rules": [fault(status=500), {"reply": {"text": "ok"}}]})
    assert (await there.run()).result == "ok"
    assert len(there.model.requests) == 2


async def test_a_cut_stream_shows_one_reset_and_the_text_once(there: World) -> None:
    text = "All of this text comes through exactly once, whatever happens to the wire."
    there.model.replace(
        {"rules": [{"times": 1, "reply": {"text": text}, "fault": {"cut_after": 20}}, {"reply": {"text": text}}]}
    )
    handle = await there.start("x")
    assert (await there.result(handle)).result == text
    shown = ""
    resets = 0
    for stored in await there.events(handle.id):
        event = stored.event
        if event.type == "LLM_PARTIAL":
            if event.payload.reset:
                shown, resets = "", resets + 1
            shown += event.message
    assert (shown, resets) == (text, 1)


async def test_garbage_from_a_provider_is_tried_again(there: World) -> None:
    there.model.replace({"rules": [fault(garbage=True), {"reply": {"text": "ok"}}]})
    assert (await there.run()).result == "ok"


async def test_when_one_provider_refuses_the_key_another_takes_over_and_it_is_recorded(idle: World) -> None:
    there = idle
    there.environ = {
        **there.environ,
        "ANTHROPIC_API_KEY": "test",
        "ANTHROPIC_BASE_URL": there.model.anthropic_url,
    }
    there.model.replace(
        {
            "rules": [
                {"when": {"provider": "anthropic"}, "fault": {"status": 401, "body": "no"}},
                {"reply": {"text": "ok"}},
            ]
        }
    )
    async with there.worker():
        result = await there.run(context={"role": "chat"})
        assert (result.result, result.provider) == ("ok", "openai")
        assert "anthropic" in result.metadata.failovers[0] and "Auth" in result.metadata.failovers[0]
        pinned = await there.run(context={"role": "chat"}, provider_override="anthropic")
        assert pinned.status is TaskStatus.FAILED, "a pinned provider is not left"
        assert pinned.error is not None and pinned.error.type == "Auth"


async def test_a_provider_that_is_down_is_retried_with_growing_waits_and_then_fails_the_task(idle: World) -> None:
    there = idle
    there.environ = {"OPENAI_API_KEY": "test", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
    async with there.worker():
        started = time.time()
        handle = await there.start("x", limits={"wall_clock_seconds": 9})
        result = await there.result(handle)
    assert result.status is TaskStatus.FAILED
    assert result.error is not None and result.error.type == "Unreachable"
    assert 3 <= time.time() - started <= 12
    begun = [e for e in await history(handle) if e.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED]
    assert begun[-1].activity_task_started_event_attributes.attempt >= 3


async def test_no_model_at_all_is_said_with_what_to_do(idle: World) -> None:
    there = idle
    there.environ = {}
    async with there.worker():
        result = await there.run()
    assert result.error is not None and result.error.type == "NoModel"
    assert "OPENAI_API_KEY" in result.error.message


async def test_a_call_whose_stream_is_cut_again_and_again_does_not_pass_the_limit(there: World) -> None:
    there.model.replace({"rules": [{"reply": {"text": "a" * 8000}, "fault": {"cut_after": 7000}}]})
    result = await there.run("x", context={"role": "chat"}, limits={"tokens": 4000, "wall_clock_seconds": 25})
    assert result.error is not None and result.error.type is ErrorType.BUDGET_EXHAUSTED
    assert 0 < result.usage.total_tokens <= 4000 + 2000, "the limit, and at most one call's output more"
