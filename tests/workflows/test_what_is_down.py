"""What is down or odd delays a task, and is told; it never loses a task, pays twice in silence, or holds it for ever."""

import asyncio
import json
import time
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError

from tests.support.world import World, until
from theseus.contracts.task import TaskStatus
from theseus.stores.ports import StoreDownError
from theseus.workflows import model_calls, steps

TOOL = {"name": "calculator", "arguments": {"expression": "6*7"}}


class Refusing:
    """Makes one method of a store refuse for as long as it is down."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, store: object, method: str) -> None:
        self.is_down = True
        self._real = getattr(store, method)
        monkeypatch.setattr(store, method, self._call)

    async def _call(self, *args: Any, **keys: Any) -> Any:
        if self.is_down:
            raise StoreDownError("connection refused")
        return await self._real(*args, **keys)


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "LAST_WORDS", timedelta(seconds=2))


async def test_an_event_log_that_refuses_from_start_to_end_costs_no_answer(
    there: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    Refusing(monkeypatch, there.stores.events, "publish")
    there.model.replace({"rules": [{"when": {"turn": 0}, "reply": {"tool_calls": [TOOL]}}, {"reply": {"text": "42"}}]})
    result = await there.run("compute")
    assert (result.status, result.result) == (TaskStatus.COMPLETED, "42")


async def test_events_of_the_time_when_the_log_was_away_are_told_when_it_is_back(
    there: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Refusing(monkeypatch, there.stores.events, "publish")
    rules = [
        {"when": {"turn": 0}, "reply": {"text": "let me see", "tool_calls": [TOOL]}},
        {"reply": {"text": "42"}, "latency": 1.5},
    ]
    there.model.replace({"rules": rules})
    handle = await there.start("compute")

    async def second_call() -> bool:
        return len(there.model.requests) == 2

    await until(second_call)
    log.is_down = False
    await there.result(handle)
    types = [stored.event.type for stored in await there.events(handle.id)]
    assert types.count("LLM_OUTPUT") == 3, "two calls and the answer"
    assert "WORKFLOW_STARTED" in types and "TOOL_OBSERVATION" in types
    assert types[-1] == "STREAM_END"


@pytest.mark.parametrize("by", ["signal", "temporal"])
async def test_a_task_is_paused_and_cancelled_though_the_event_log_refuses(
    there: World, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    Refusing(monkeypatch, there.stores.events, "publish")
    there.model.replace({"rules": [{"reply": {"text": "so"}, "latency": 1.0}]})
    handle = await there.start("x")
    await handle.signal("pause", {})
    await asyncio.sleep(2.5)
    assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
    await (handle.signal("cancel", {}) if by == "signal" else handle.cancel())
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED


@pytest.mark.parametrize("by", ["signal", "temporal"])
async def test_a_task_whose_answer_cannot_be_saved_can_still_be_cancelled(
    there: World, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    Refusing(monkeypatch, there.stores.sessions, "append")
    there.model.replace({"rules": [{"reply": {"text": "so"}}]})
    handle = await there.start("x")

    async def saving() -> bool:
        return (await handle.query("progress"))["phase"] == "saving"

    await until(saving)
    await (handle.signal("cancel", {}) if by == "signal" else handle.cancel())
    with pytest.raises(WorkflowFailureError):
        await asyncio.wait_for(handle.result(), 10)
    assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED


async def test_no_key_of_whatever_form_is_in_the_history(there: World) -> None:
    words = f"Incorrect API key provided: test-key-0123 and sk-abcdefgh12345678 {'x' * 3000}"
    there.model.replace({"rules": [{"fault": {"status": 401, "body": words}}]})
    object.__setattr__(there, "environ", {**there.environ, "OPENAI_API_KEY": "test-key-0123"})
    handle = await there.start("x")
    await there.result(handle)
    history = (await handle.fetch_history()).to_json()
    assert "Incorrect API key" in history
    assert "sk-abcdefgh" not in history and "x" * 1000 not in history


async def test_what_a_cut_attempt_spent_is_charged(there: World) -> None:
    cut = {"reply": {"text": "a" * 8000}, "fault": {"cut_after": 7000}, "times": 1}
    there.model.replace({"rules": [cut, {"reply": {"text": "ok"}}]})
    result = await there.run("x", context={"role": "chat"})
    assert result.result == "ok"
    assert result.usage.output_tokens > 1000
    assert sum(row.tokens for row in result.metadata.model_breakdown) == result.usage.total_tokens


async def test_a_call_that_works_may_take_longer_than_a_route_may_fail(
    there: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_calls, "ROUTE_PATIENCE", timedelta(seconds=1))
    there.model.replace({"rules": [{"reply": {"text": "word " * 40}, "tokens_per_second": 20}]})
    result = await there.run("x", context={"role": "chat"})
    assert result.status is TaskStatus.COMPLETED
    assert len(there.model.requests) == 1


async def test_an_answer_that_nothing_expects_is_asked_for_once_not_for_an_hour(
    there: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from theseus.activities.llm import activity

    def broken(*_: Any) -> Any:
        raise AttributeError("sk-never-shown: 'NoneType' object has no attribute 'content'")

    monkeypatch.setattr(activity, "sound_message", broken)
    there.model.replace({"rules": [{"reply": {"text": "so"}}]})
    began = time.monotonic()
    handle = await there.start("x", context={"role": "chat"})
    result = await there.result(handle)
    assert result.status is TaskStatus.FAILED and result.error is not None
    assert result.error.type == "Internal" and "AttributeError" in result.error.message
    assert time.monotonic() - began < 10
    assert "never-shown" not in (await handle.fetch_history()).to_json()


async def test_a_signal_that_is_no_message_is_dropped(there: World) -> None:
    there.model.replace({"rules": [{"reply": {"text": "so"}, "latency": 0.5}]})
    handle = await there.start("x", context={"role": "chat"})
    for name in ("told", "agent_says", "agent_stopped", "agent_asks"):
        await handle.signal(name, "nonsense")
    assert (await there.result(handle)).status is TaskStatus.COMPLETED


async def test_what_was_found_is_kept_when_a_task_fails(there: World) -> None:
    rules = [{"when": {"turn": 0}, "reply": {"text": "first find", "tool_calls": [TOOL]}}, {"fault": {"status": 400}}]
    there.model.replace({"rules": rules})
    result = await there.run("compute")
    assert result.status is TaskStatus.FAILED and result.result == ""
    found = json.loads(result.metadata.model_dump_json())["found"]
    assert "first find" in found


async def test_a_message_that_nobody_would_read_is_refused(there: World) -> None:
    there.model.replace({"rules": [{"reply": {"text": "so"}, "latency": 1.0}]})
    handle = await there.start("x", max_iterations=1)

    async def asked() -> bool:
        return len(there.model.requests) == 1

    await until(asked)
    with pytest.raises(Exception, match="Workflow update failed"):
        await handle.execute_update("send_message", {"message_id": "1", "text": "wait"})
    assert (await there.result(handle)).status is TaskStatus.COMPLETED
