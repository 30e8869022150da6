"""History grows with what is new, never with the conversation; losing the transcript store loses nothing."""

import itertools
from typing import Any

from temporalio.api.enums.v1 import EventType

from tests.support.world import World, history, until
from theseus.contracts.task import TaskStatus
from theseus.stores.memory import MemoryTranscripts


def forty_steps(before: int) -> dict[str, Any]:
    """Forty readings; `before` counts the answers that the session already holds."""
    call = {"name": "file_read", "arguments": {"path": "notes.txt", "offset": "{{turn}}"}}
    return {"rules": [{"when": {"turn": before + 40}, "reply": {"text": "done"}}, {"reply": {"tool_calls": [call]}}]}


async def write_notes(there: World) -> None:
    """A workspace file from which each step reads 4 KB."""
    call = {"name": "file_write", "arguments": {"path": "notes.txt", "content": "0123456789abcdef" * 256}}
    there.model.replace(
        {"rules": [{"when": {"turn": 0}, "reply": {"tool_calls": [call]}}, {"reply": {"text": "written"}}]}
    )
    assert (await there.run("write", session_id="s")).result == "written"


async def step_sizes(there: World, handle: Any) -> list[int]:
    """History bytes of each step: from one model call's scheduling to the next's."""
    sizes: list[int] = []
    for event in await history(handle):
        if (
            event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
            and event.activity_task_scheduled_event_attributes.activity_type.name == "llm.complete"
        ):
            sizes.append(0)
        if sizes:
            sizes[-1] += event.ByteSize()
    return sizes


async def test_forty_steps_cost_the_same_history_each_and_survive_the_loss_of_the_store(there: World) -> None:
    await write_notes(there)
    there.model.replace(forty_steps(before=1))
    handle = await there.start("read on", session_id="s", max_iterations=50)
    result = await there.result(handle)
    assert (result.status, result.result) == (TaskStatus.COMPLETED, "done"), result.error
    sizes = (await step_sizes(there, handle))[1:41]
    first, last = sum(sizes[:10]) / 10, sum(sizes[-11:-1]) / 10
    print(f"history bytes per step: first ten {first:.0f}, last ten {last:.0f}")
    assert abs(last - first) / first <= 0.10

    there.model.clear()
    there.model.replace(forty_steps(before=2))
    again = await there.start("read on", session_id="s", max_iterations=50)

    async def half_way() -> bool:
        return len(there.model.requests) >= 20

    await until(half_way)
    assert isinstance(there.stores.transcripts, MemoryTranscripts)
    there.stores.transcripts.clear()
    result = await there.result(again)
    assert result.result == "done"
    events = await history(again)
    restored = sum(
        event.activity_task_scheduled_event_attributes.activity_type.name == "transcript.restore" for event in events
    )
    assert restored > 0, "the conversation was given back"
    assert max(event.ByteSize() for event in events) <= 64 * 1024
    lengths = [len(request.body["messages"]) for request in there.model.requests]
    assert all(b >= a for a, b in itertools.pairwise(lengths)), "no call saw less than the one before"


async def test_many_large_observations_at_once_stay_out_of_the_history_events(there: World) -> None:
    await write_notes(there)
    calls = [{"name": "file_read", "arguments": {"path": "notes.txt", "offset": n}} for n in range(14)]
    there.model.replace(
        {"rules": [{"when": {"turn": 1}, "reply": {"tool_calls": calls}}, {"reply": {"text": "all read"}}]}
    )
    handle = await there.start("read all", session_id="s")
    assert (await there.result(handle)).result == "all read"
    assert max(event.ByteSize() for event in await history(handle)) <= 64 * 1024
    assert len([m for m in there.model.requests[-1].body["messages"] if m["role"] == "tool"]) == 14
