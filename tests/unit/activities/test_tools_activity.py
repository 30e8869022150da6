"""tool.run: a call is told before and after, its failure is a value, and no output is too large for a history."""

import asyncio
import json
import time
import tracemalloc
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from pydantic import JsonValue
from temporalio.testing import ActivityEnvironment

from theseus.activities.inputs import InputDownError
from theseus.activities.tools.activity import HEAD_CHARS, INLINE_CHARS, TAIL_CHARS, ToolActivities
from theseus.activities.tools.artifacts import artifact_tools
from theseus.activities.tools.registry import Registry, ToolContext, ToolError, tool
from theseus.contracts.events import Event, StoredEvent
from theseus.contracts.messages import TaskRef, ToolCall
from theseus.contracts.session import SessionKey
from theseus.contracts.task import TaskContext
from theseus.contracts.tools import Effect, ToolRequest, ToolResult
from theseus.stores.memory import MemoryArtifacts
from theseus.stores.memory_events import MemoryEvents
from theseus.stores.ports import StoreDownError

KEY = SessionKey(session_id="s", user_id="ada")
MINUTE = timedelta(minutes=1)
GIVEN: dict[str, JsonValue] = {"role": "critic", "crm_id": 7, "prompt_params": {"profile_id": "p-1", "crm_id": 8}}


@tool(effect=Effect.READ, timeout=MINUTE)
async def repeat(text: str, times: int = 1) -> str:
    """Says a text again.

    Args:
        text: what to say
        times: how often
    """
    return text * times


@tool(effect=Effect.READ, timeout=MINUTE)
async def refuse() -> str:
    """Never works."""
    raise ToolError("This never works: do something else.")


@tool(effect=Effect.READ, timeout=timedelta(seconds=0.05))
async def slow() -> str:
    """Takes its time."""
    await asyncio.sleep(60)
    return ""


@tool(effect=Effect.READ, timeout=MINUTE)
async def facts(context: ToolContext) -> dict[str, JsonValue]:
    """Tells what it knows of its caller.

    Args:
        context: who asks
    """
    told = {key: context.get(key, "nothing") for key in ("crm_id", "profile_id", "role", "gone")}
    return {**told, "key": context.idempotency_key, "agent": context.agent}


class DownArtifacts(MemoryArtifacts):
    """An artifact store that cannot be reached."""

    async def put(self, key: SessionKey, text: str) -> str:
        raise StoreDownError("no route")


class DownEvents(MemoryEvents):
    """An event log that cannot be reached."""

    async def publish(self, task_id: str, events: Sequence[Event]) -> None:
        raise StoreDownError("no route")


class There:
    """The activity over stores in memory."""

    def __init__(self, artifacts: MemoryArtifacts, events: MemoryEvents) -> None:
        self.artifacts = artifacts
        self.events = events
        self.input: TaskContext | None = TaskContext.model_validate(GIVEN)
        registry = Registry([repeat, refuse, slow, facts, *artifact_tools(self.artifacts)])
        self.activities = ToolActivities(registry, self.artifacts, self.context, self.events)

    async def context(self, task_id: str) -> TaskContext:
        assert task_id == "task-1"
        if self.input is None:
            raise InputDownError("no route")
        return self.input

    async def run(
        self, name: str, arguments: str = "{}", *, agent: str = "", step: int = 3, **context: Any
    ) -> ToolResult:
        request = ToolRequest(
            ref=TaskRef(task_id="task-1", session=KEY, agent=agent),
            step=step,
            call=ToolCall(id="call-9", name=name, arguments=arguments),
            idempotency_key="task-1:3:call-9",
            **context,
        )
        return await ActivityEnvironment().run(self.activities.run, request)

    async def told(self) -> list[StoredEvent]:
        return [stored async for stored in self.events.read("task-1", follow=False)]


@pytest.fixture
def there() -> There:
    return There(MemoryArtifacts(), MemoryEvents())


async def test_a_call_is_told_before_and_after_under_keys_that_a_retry_repeats(there: There) -> None:
    for _ in range(2):
        result = await there.run("repeat", '{"text": "ho"}', agent="agent/2")
        expected = ToolResult(call_id="call-9", name="repeat", text="ho", size_bytes=2)
        assert result == expected.model_copy(update={"duration_ms": result.duration_ms})
    invoked, observed = [stored.event for stored in await there.told()]
    assert invoked.type == "TOOL_INVOKED"
    assert observed.type == "TOOL_OBSERVATION"
    assert (invoked.key, observed.key) == ("agent/2:3:invoked", "agent/2:3:observed")
    assert (invoked.workflow_id, invoked.agent_id) == ("task-1", "agent/2")
    assert (invoked.payload.tool, invoked.payload.call_id, invoked.payload.params) == (
        "repeat",
        "call-9",
        {"text": "ho"},
    )
    assert (observed.message, observed.payload.success, observed.payload.artifact_id) == ("ho", True, None)
    assert 0 <= observed.payload.duration_ms < 5000


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("refuse", "{}", "This never works: do something else."),
        ("slow", "{}", "slow did not finish within 0.05 s"),
        ("repeat", "{", "Invalid JSON"),
        ("nonsense", "{}", "There is no tool 'nonsense'"),
    ],
)
async def test_a_call_that_fails_is_a_result_and_a_tool_error_event(
    there: There, name: str, arguments: str, text: str
) -> None:
    result = await there.run(name, arguments)
    assert result.is_error
    assert text in result.text
    assert [stored.event.type for stored in await there.told()] == ["TOOL_INVOKED", "TOOL_ERROR"]


async def test_long_parameters_and_results_are_cut_in_events(there: There) -> None:
    await there.run("repeat", '{"text": "' + "x" * 9000 + '"}')
    invoked, observed = [stored.event for stored in await there.told()]
    assert invoked.type == "TOOL_INVOKED"
    assert isinstance(invoked.payload.params, str)
    assert len(invoked.payload.params) == 2000
    assert len(observed.message) == 2000


@pytest.mark.parametrize("arguments", ["not json", '{"text": "\\ud800"}', "[" * 1000, '{"text": NaN}'])
async def test_parameters_that_are_no_json_are_told_as_they_are(there: There, arguments: str) -> None:
    await there.run("repeat", arguments)
    invoked, _ = [stored.event for stored in await there.told()]
    assert json.loads(invoked.model_dump_json())["payload"]["params"] is not None


async def test_output_at_the_bound_is_whole_and_one_more_character_is_cut(there: There) -> None:
    whole = await there.run("repeat", f'{{"text": "x", "times": {INLINE_CHARS}}}')
    assert (len(whole.text), whole.artifact_id) == (INLINE_CHARS, None)
    cut = await there.run("repeat", f'{{"text": "x", "times": {INLINE_CHARS + 1}}}')
    assert cut.artifact_id
    assert len(cut.text) < HEAD_CHARS + TAIL_CHARS + 300


async def test_a_cut_output_says_how_much_is_missing_and_read_artifact_gives_exactly_that(there: There) -> None:
    text = "".join(f"{n:05}," for n in range(4000))
    result = await there.run("repeat", f'{{"text": "{text}"}}')
    assert result.size_bytes == len(text)
    assert result.text.startswith(text[:HEAD_CHARS])
    assert result.text.endswith(text[-TAIL_CHARS:])
    note = result.text[HEAD_CHARS:-TAIL_CHARS].strip()
    assert note == (
        f"[18000 of 24000 characters are left out here: read them with read_artifact, "
        f'artifact_id "{result.artifact_id}", from offset {HEAD_CHARS}]'
    )
    page = await there.run(
        "read_artifact", f'{{"artifact_id": "{result.artifact_id}", "offset": {HEAD_CHARS}, "limit": 11000}}', step=4
    )
    assert page.artifact_id is None, "a page of the largest size is shown whole"
    assert page.text.partition("\n")[2] == text[HEAD_CHARS : HEAD_CHARS + 11_000]


async def test_thirty_megabytes_of_output_take_little_time_and_memory(there: There) -> None:
    arguments = '{"text": "planks\\u00e4", "times": 4300000}'
    tracemalloc.start()
    began = time.monotonic()
    result = await there.run("repeat", arguments)
    took = time.monotonic() - began
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert result.size_bytes == 34_400_000
    assert result.artifact_id
    assert len(result.model_dump_json()) < 20_000
    assert took < 5
    assert peak < 4 * result.size_bytes


async def test_an_output_too_large_to_keep_is_cut_and_says_so(there: There) -> None:
    result = await there.run("repeat", '{"text": "x", "times": 70000000}')
    assert result.artifact_id is None
    assert "are left out here: they are lost: an artifact holds at most" in result.text


async def test_a_lost_artifact_store_leaves_head_and_tail_and_says_that_the_rest_is_lost() -> None:
    there = There(DownArtifacts(), MemoryEvents())
    result = await there.run("repeat", '{"text": "x", "times": 20000}')
    assert (result.is_error, result.artifact_id, result.size_bytes) == (False, None, 20_000)
    assert "[14000 of 20000 characters are left out here: they are lost" in result.text


async def test_a_lost_event_log_is_no_reason_not_to_run_the_tool(caplog: pytest.LogCaptureFixture) -> None:
    there = There(MemoryArtifacts(), DownEvents())
    assert (await there.run("repeat", '{"text": "ho"}')).text == "ho"
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert "TOOL_INVOKED of task task-1 could not be told" in caplog.text


@pytest.mark.parametrize("how", [{"context": GIVEN}, {"is_context_in_input": True}])
async def test_a_tool_reads_what_the_caller_gave_by_key_and_then_by_prompt_parameter(
    there: There, how: dict[str, Any]
) -> None:
    result = await there.run("facts", agent="agent/2", **how)
    told = {"crm_id": 7, "profile_id": "p-1", "role": "critic", "gone": "nothing"}
    assert json.loads(result.text) == {**told, "key": "task-1:3:call-9", "agent": "agent/2"}


async def test_a_task_without_context_gives_its_tools_none(there: There) -> None:
    assert json.loads((await there.run("facts")).text)["crm_id"] == "nothing"


async def test_a_tool_is_not_run_without_the_context_that_its_task_was_given(there: There) -> None:
    there.input = None
    result = await there.run("facts", is_context_in_input=True)
    assert result.is_error and "cannot be read now" in result.text


def test_a_request_without_context_is_no_larger_for_it() -> None:
    request = ToolRequest(
        ref=TaskRef(task_id="t", session=KEY),
        step=1,
        call=ToolCall(id="c", name="n", arguments="{}"),
        idempotency_key="k",
    )
    assert "context" not in request.model_dump_json()


async def test_text_that_no_history_can_carry_is_made_sound(there: There) -> None:
    @tool(effect=Effect.READ, timeout=MINUTE)
    def broken() -> str:
        """Gives half a character."""
        return "a\ud800b"

    there.activities = ToolActivities(Registry([broken]), there.artifacts, there.context, there.events)
    result = await there.run("broken")
    assert result.text == "a?b"
    assert [stored.event.message for stored in await there.told()] == ["broken", "a?b"]


async def test_the_activity_beats_while_a_tool_runs(there: There) -> None:
    @tool(effect=Effect.READ, timeout=MINUTE)
    async def waits() -> str:
        """Waits."""
        await asyncio.sleep(1.2)
        return "done"

    beats: list[Any] = []
    environment = ActivityEnvironment()
    environment.on_heartbeat = lambda *details: beats.append(details)
    activities = ToolActivities(Registry([waits]), there.artifacts, there.context, there.events)
    request = ToolRequest(
        ref=TaskRef(task_id="task-1", session=KEY),
        step=1,
        call=ToolCall(id="c", name="waits", arguments=""),
        idempotency_key="k",
    )
    assert (await environment.run(activities.run, request)).text == "done"
    assert len(beats) >= 2


async def test_a_cancelled_activity_stops_its_tool(there: There) -> None:
    stopped = asyncio.Event()

    @tool(effect=Effect.READ, timeout=MINUTE)
    async def endless() -> str:
        """Never ends."""
        try:
            await asyncio.sleep(60)
        finally:
            stopped.set()
        return ""

    there.activities = ToolActivities(Registry([endless]), there.artifacts, there.context, there.events)
    running = asyncio.create_task(there.run("endless"))
    await asyncio.sleep(0.05)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert stopped.is_set()
