"""Who watches a task over SSE gets its events once, in order, on the reference's wire, and the stream ends with the task."""

import asyncio
import json
from datetime import timedelta

import httpx
import pytest

from tests.support.gateway import Gateway
from tests.support.streams import (
    answered,
    blocks,
    delta,
    end,
    output,
    paused,
    progress,
    published,
    read,
    registered,
    soon,
    told,
)
from theseus.contracts.events import Progressed, StoredEvent
from theseus.gateway.streams.endings import Endings
from theseus.gateway.streams.hub import Pace, Streams
from theseus.stores.memory_events import MemoryEvents
from theseus.stores.ports import EventLog


async def test_a_task_is_watched_from_its_first_event_to_its_last(door: Gateway) -> None:
    door.world.model.replace({"rules": [{"reply": {"text": "a haiku about code, " * 20}, "tokens_per_second": 400}]})
    task = (await door.http.post("/api/v1/tasks", json={"query": "write", "mode": "simple"})).json()["task_id"]
    found = await soon(read(door.http, task))
    assert found[0].comment == f"connected to {task}"
    events = told(found)
    assert [block.data["seq"] for block in events] == list(range(1, len(events) + 1))
    assert events[0].event == "WORKFLOW_STARTED"
    assert "".join(b.data["delta"] for b in events if b.event == "thread.message.delta") == "a haiku about code, " * 20
    assert events[-1].event == "done"
    assert (await door.http.get(f"/api/v1/tasks/{task}")).json()["status"] == "TASK_STATUS_COMPLETED"


async def test_names_and_payloads_are_those_that_clients_know(door: Gateway) -> None:
    task = await registered(door)
    fails = Progressed(type="ERROR_OCCURRED", workflow_id=task, timestamp=end(task).timestamp, key="e", message="no")
    await published(door, task, [delta(task, 0, "Hel"), output(task, "Hello"), paused(task), fails, end(task)])
    part, whole, held, error, last = told(await soon(read(door.http, task)))
    assert (part.event, part.data["type"]) == ("thread.message.delta", "LLM_PARTIAL")
    assert (part.data["delta"], part.data["message"], part.data["workflow_id"]) == ("Hel", "Hel", task)
    assert (whole.event, whole.data["type"]) == ("thread.message.completed", "LLM_OUTPUT")
    assert (whole.data["response"], whole.data["message"]) == ("Hello", "Hello")
    assert whole.data["metadata"]["tokens_used"] == 0
    assert (held.event, held.data["type"], held.data["checkpoint"]) == ("workflow.paused", "workflow.paused", "")
    assert (error.event, error.data["type"], error.data["message"]) == ("error", "ERROR_OCCURRED", "no")
    assert (last.event, last.data["type"], last.data["message"]) == ("done", "done", "[DONE]")
    assert all(block.id == block.data["stream_id"] for block in (part, whole, held, error, last))
    assert all(block.data["timestamp"].endswith("Z") for block in (part, whole, held, error, last))


async def test_no_text_can_split_a_line(door: Gateway) -> None:
    task = await registered(door)
    nasty = "a\u2028b\u0085c\x0bd\r\ne\ud83d\nfür 🙂"
    await published(door, task, [progress(task, 1, nasty), end(task)])
    answer = await soon(door.http.get("/api/v1/stream/sse", params={"workflow_id": task}))
    assert answer.content.isascii()
    lines = [line for line in answer.text.splitlines() if line.startswith("data:")]
    assert [json.loads(line[5:])["type"] for line in lines] == ["PROGRESS", "done"]
    assert json.loads(lines[0][5:])["message"] == nasty


async def test_a_reader_goes_on_after_the_event_it_saw_last(door: Gateway) -> None:
    task = await registered(door)
    await published(door, task, [*(progress(task, n) for n in range(1, 9)), end(task)])
    whole = told(await soon(read(door.http, task)))
    assert [b.id for b in told(await soon(read(door.http, task, last=whole[3].id)))] == [b.id for b in whole[4:]]
    assert [b.id for b in told(await soon(read(door.http, task, last="6")))] == [b.id for b in whole[6:]]
    url = f"/api/v1/stream/sse?workflow_id={task}&last_event_id={whole[6].id}"
    assert [b.id for b in told(await soon(read(door.http, task, url=url)))] == [b.id for b in whole[7:]]
    # the header is what a browser sends by itself when it comes back: it knows more than the address
    assert told(await soon(read(door.http, task, last=whole[1].id, url=url)))[0].id == whole[2].id


async def test_who_comes_back_at_the_very_end_is_let_go_at_once(door: Gateway) -> None:
    task = await registered(door)
    await published(door, task, [progress(task, 1), end(task)])
    last = told(await soon(read(door.http, task)))[-1].id
    for place in (last, "2", "99"):
        assert told(await soon(read(door.http, task, last=place), 3)) == []


async def test_a_place_that_is_none_is_refused(door: Gateway) -> None:
    task = await registered(door)
    answer = await door.http.get("/api/v1/stream/sse", params={"workflow_id": task, "last_event_id": "yesterday"})
    assert answer.status_code == 400 and "last_event_id" in answer.json()["error"]


async def test_a_place_that_nobody_has_seen_keeps_no_other_reader_waiting(door: Gateway) -> None:
    task = await registered(door)
    watch = {"workflow_id": task}
    lost = asyncio.create_task(read(door.http, task, last="99999999999999-0"))
    while not door.backend.streams.open:
        await asyncio.sleep(0.01)
    async with door.http.stream("GET", "/api/v1/stream/sse", params=watch) as answer:
        coming = blocks(answer)
        await anext(coming)
        await asyncio.sleep(0.2)
        await published(door, task, [progress(task, 1)])
        assert (await soon(anext(coming), 3)).event == "PROGRESS"
        await published(door, task, [end(task)])
        assert (await soon(anext(coming), 3)).event == "done"
    assert told(await soon(lost)) == []


@pytest.mark.parametrize(
    ("types", "names"),
    [
        ("LLM_OUTPUT", ["thread.message.completed", "done"]),
        ("LLM_OUTPUT,PROGRESS", ["PROGRESS", "thread.message.completed", "done"]),
        ("workflow.paused", ["workflow.paused", "done"]),
        ("NO_SUCH_TYPE", ["done"]),
        ("", ["PROGRESS", "thread.message.completed", "workflow.paused", "done"]),
    ],
)
async def test_types_are_told_apart_and_the_end_is_always_told(door: Gateway, types: str, names: list[str]) -> None:
    task = await registered(door)
    await published(door, task, [progress(task, 1), output(task, "x"), paused(task), end(task)])
    assert [b.event for b in told(await soon(read(door.http, task, types=types)))] == names


@pytest.mark.parametrize("url", ["/api/v1/stream/sse?workflow_id=task-nowhere", "/api/v1/tasks/task-nowhere/stream"])
async def test_an_unknown_task_is_not_found_at_once(door: Gateway, url: str) -> None:
    answer = await soon(door.http.get(url), 3)
    assert (answer.status_code, answer.json()) == (404, {"error": "Task not found"})


@pytest.mark.parametrize("url", ["/api/v1/stream/sse", "/api/v1/stream/sse?workflow_id=a%20b"])
async def test_a_stream_of_no_task_is_refused(door: Gateway, url: str) -> None:
    answer = await door.http.get(url)
    assert answer.status_code == 400 and "workflow_id" in answer.json()["error"]


async def test_a_task_is_submitted_and_watched_in_one(door: Gateway) -> None:
    answer = await door.http.post("/api/v1/tasks/stream", json={"query": "hello"})
    body = answer.json()
    assert answer.status_code == 201
    assert body["workflow_id"] == body["task_id"] == answer.headers["X-Workflow-ID"]
    assert answer.headers["X-Session-ID"]
    assert answer.headers["Link"] == f'<{body["stream_url"]}>; rel="stream"'
    assert told(await soon(read(door.http, "", url=body["stream_url"])))[-1].event == "done"
    own = await soon(read(door.http, "", url=f"/api/v1/tasks/{body['task_id']}/stream"))
    assert told(own)[-1].event == "done"


async def test_a_submit_to_watch_is_checked_as_any_other(door: Gateway) -> None:
    answer = await door.http.post("/api/v1/tasks/stream", json={"query": ""})
    assert (answer.status_code, answer.json()) == (400, {"error": "Query is required"})


async def test_an_ended_task_whose_stream_is_gone_is_told_from_the_archive(door: Gateway) -> None:
    task = await registered(door)
    record = await door.archive.task(task)
    assert record is not None
    ended = record.model_copy(update={"outcome": answered("all of it").model_copy(update={"task_id": task})})
    kept = [StoredEvent(stream_id=f"{n}-0", seq=n, event=progress(task, n)) for n in range(1, 4)]
    await door.archive.end(ended, kept)
    whole = told(await soon(read(door.http, task), 3))
    names = ["PROGRESS", "PROGRESS", "PROGRESS", "thread.message.completed", "WORKFLOW_COMPLETED", "done"]
    assert [b.event for b in whole] == names
    assert whole[3].data["response"] == "all of it"
    assert [b.event for b in told(await soon(read(door.http, task, last="2-0"), 3))] == names[2:]


async def test_a_task_that_ended_without_telling_is_told_of_all_the_same(door: Gateway) -> None:
    door.world.model.replace({"rules": [{"reply": {"text": "late"}, "latency": 60}]})
    task = (await door.http.post("/api/v1/tasks", json={"query": "wait", "mode": "simple"})).json()["task_id"]
    reader = asyncio.create_task(read(door.http, task))
    await asyncio.sleep(0.5)
    await door.world.client.get_workflow_handle(task).terminate("by hand")
    found = told(await soon(reader))
    assert [b.event for b in found[-2:]] == ["WORKFLOW_FAILED", "done"]
    assert found[-1].data["status"] == "failed"


async def test_what_was_trimmed_is_said_and_the_rest_is_told(door: Gateway) -> None:
    log = MemoryEvents(cap=5)
    task = await registered(door)
    door.backend.__dict__["streams"] = _streams(door, log)
    await log.publish(task, [*(progress(task, n) for n in range(1, 20)), end(task)])
    found = await soon(read(door.http, task))
    assert found[1].comment == "15 earlier events are not kept any more"
    assert [b.data["seq"] for b in told(found)] == [16, 17, 18, 19, 20]


async def test_a_quiet_stream_says_that_it_lives_also_when_nothing_of_it_is_wanted(door: Gateway) -> None:
    door.backend.__dict__["streams"] = _streams(door, door.world.stores.events, beat=0.1)
    task = await registered(door)
    quiet = asyncio.create_task(read(door.http, task))
    choosy = asyncio.create_task(read(door.http, task, types="LLM_OUTPUT"))
    for n in range(20):
        await published(door, task, [progress(task, n)] if n > 9 else [])
        await asyncio.sleep(0.05)
    await published(door, task, [end(task)])
    for found in (await soon(quiet), await soon(choosy)):
        assert 2 <= [block.comment for block in found].count("ping") <= 15


async def test_a_reader_that_is_far_behind_misses_nothing(door: Gateway) -> None:
    task = await registered(door)
    reader = asyncio.create_task(read(door.http, task))
    async with door.http.stream("GET", "/api/v1/stream/sse", params={"workflow_id": task}) as slow:
        coming = blocks(slow)
        await anext(coming)
        for start in range(0, 6_000, 500):
            await published(door, task, [progress(task, n, "x" * 400) for n in range(start, start + 500)])
            await asyncio.sleep(0.02)
        await published(door, task, [end(task)])
        found = [block async for block in coming]
    for one in (told(found), told(await soon(reader, 30))):
        assert [block.data["seq"] for block in one] == list(range(1, 6_002))


async def test_a_reader_that_goes_leaves_nothing_behind(door: Gateway) -> None:
    task = await registered(door)
    watch = {"workflow_id": task}
    async with (
        httpx.AsyncClient(base_url=door.url) as http,
        http.stream("GET", "/api/v1/stream/sse", params=watch) as it,
    ):
        await anext(blocks(it))
        assert door.backend.streams.open == 1
    for _ in range(100):
        await asyncio.sleep(0.02)
        if not door.backend.streams.open:
            break
    assert door.backend.streams.open == 0


def _streams(door: Gateway, log: EventLog, beat: float = 10) -> Streams:
    pace = Pace(heartbeat=timedelta(seconds=beat))
    return Streams(log, Endings(door.backend.temporal, door.archive), pace)
