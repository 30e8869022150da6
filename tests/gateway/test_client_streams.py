"""The published client of the reference, unmodified, streams: SSE, WebSocket, chat completions; and the seeds' own examples."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from shannon import AsyncShannonClient, EventType
from shannon import errors as shannon_errors

from tests.support.gateway import Gateway
from tests.support.streams import end, output, paused, progress, published, registered, soon

HAIKU = {"rules": [{"reply": {"text": "code flows like water "}, "tokens_per_second": 100}]}


@pytest_asyncio.fixture
async def client(door: Gateway) -> AsyncGenerator[AsyncShannonClient]:
    door.world.model.replace(HAIKU)
    async with AsyncShannonClient(base_url=door.url, api_key="sk_test_123456") as made:
        yield made


async def test_a_task_is_submitted_and_its_stream_is_read(client: AsyncShannonClient) -> None:
    handle, url = await client.submit_and_stream("Write a haiku about coding", mode="simple")
    assert url == f"/api/v1/stream/sse?workflow_id={handle.workflow_id}"
    events = [event async for event in client.stream(handle.workflow_id)]
    assert events[0].type == EventType.WORKFLOW_STARTED
    assert "".join(e.message for e in events if e.type == EventType.LLM_PARTIAL) == "code flows like water "
    assert [e.message for e in events if e.agent_id == "final_output"] == ["code flows like water "]
    assert (events[-1].type, events[-1].message) == (EventType.STREAM_END, "[DONE]")
    assert [event.seq for event in events] == list(range(1, len(events) + 1))


async def test_a_stream_is_filtered_and_gone_on_with(door: Gateway, client: AsyncShannonClient) -> None:
    task = await registered(door)
    await published(door, task, [progress(task, 1), output(task, "x"), progress(task, 2), end(task)])
    wanted = [event.type async for event in client.stream(task, types=[EventType.LLM_OUTPUT])]
    assert wanted == ["LLM_OUTPUT", "done"]
    whole = [event async for event in client.stream(task)]
    assert [e.id async for e in client.stream(task, last_event_id=whole[1].id)] == [e.id for e in whole[2:]]
    assert [e async for e in client.stream(task, last_event_id=whole[-1].id)] == []
    assert [e.id async for e in client.stream_ws(task, last_event_id=whole[0].id)] == [e.id for e in whole[1:]]


async def test_a_socket_ends_by_itself(client: AsyncShannonClient) -> None:
    handle = await client.submit_task("Write a haiku about coding", mode="simple")
    found = [event async for event in client.stream_ws(handle.workflow_id)]
    assert found[-1].type == EventType.STREAM_END
    assert [e.seq for e in found] == [e.seq async for e in client.stream(handle.workflow_id)]


async def test_a_stream_of_an_unknown_task_ends_at_once(client: AsyncShannonClient) -> None:
    async def all_of_it() -> list[Any]:
        return [event async for event in client.stream("task-nowhere")]

    assert await soon(all_of_it(), 3) == []


async def test_a_task_is_paused_in_the_clients_words(door: Gateway, client: AsyncShannonClient) -> None:

    task = await registered(door)
    await published(door, task, [paused(task), end(task)])
    assert [e.type async for e in client.stream(task)] == [EventType.WORKFLOW_PAUSED, EventType.STREAM_END]


async def test_chat_completions_whole_and_streamed(client: AsyncShannonClient) -> None:
    talk: list[Any] = [{"role": "user", "content": "Write a haiku"}]
    answer = await client.create_chat_completion(talk, model="shannon-chat", temperature=0.3, session_id="s-1")
    assert answer.choices[0].message is not None
    assert answer.choices[0].message.content == "code flows like water "
    assert answer.usage is not None and answer.usage.total_tokens > 0
    chunks = [c async for c in client.stream_chat_completion(talk, model="shannon-chat", include_usage=True)]
    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    assert "".join((delta.content or "") for delta in deltas if delta) == "code flows like water "
    assert chunks[-1].usage is not None and chunks[-1].usage.total_tokens > 0
    assert "WORKFLOW_COMPLETED" in [event.type for chunk in chunks for event in chunk.shannon_events]


async def test_completions_and_models(client: AsyncShannonClient) -> None:
    whole = await client.create_completion({"model": "theseus-chat", "prompt": "Write"})
    assert whole["choices"][0]["text"] == "code flows like water "
    parts = [c async for c in client.stream_completion({"model": "theseus-chat", "prompt": "Write"})]
    assert "".join(c["choices"][0]["text"] for c in parts) == "code flows like water "
    assert "theseus-chat" in [model.id for model in await client.list_openai_models()]
    assert (await client.get_openai_model("shannon-chat")).description
    with pytest.raises(shannon_errors.ShannonError, match="does not exist"):
        await client.get_openai_model("gpt-99")
    with pytest.raises(shannon_errors.ValidationError, match="n: a task cannot do this"):
        await client.create_chat_completion([{"role": "user", "content": "x"}], n=2)


SYNC_EXAMPLE = """
from shannon import EventType, ShannonClient
client = ShannonClient(base_url="http://localhost:8080", api_key="sk_test_123456")
handle = client.submit_task("Write a haiku about coding")
for event in client.stream(handle.workflow_id, types=[EventType.LLM_OUTPUT]):
    print(event.type, event.message)
client.close()
"""


async def test_the_client_without_async_streams_too(door: Gateway) -> None:
    door.world.model.replace(HAIKU)
    script = SYNC_EXAMPLE.replace("http://localhost:8080", door.url)
    ran = await soon(asyncio.to_thread(subprocess.run, [sys.executable, "-c", script], capture_output=True, text=True))
    assert ran.stdout.splitlines()[-2:] == ["LLM_OUTPUT code flows like water ", "done [DONE]"], ran.stderr


async def test_the_quickstarts_streaming_example(door: Gateway) -> None:
    def example() -> list[str]:
        printed: list[str] = []
        # Submit task
        response = httpx.post(
            f"{door.url}/api/v1/tasks",
            headers={"X-API-Key": "sk_test_123456"},
            json={"query": "Write a haiku about coding"},
        )
        task_id = response.json()["task_id"]
        # Stream events
        with httpx.stream(
            "GET",
            f"{door.url}/api/v1/tasks/{task_id}/stream",
            headers={"X-API-Key": "sk_test_123456"},
        ) as stream:
            for line in stream.iter_lines():
                if line.startswith("data: "):
                    event_data = line[6:]  # Remove "data: " prefix
                    printed.append(event_data)
        return printed

    found = await soon(asyncio.to_thread(example))
    assert json.loads(found[0])["type"] == "WORKFLOW_STARTED" and json.loads(found[-1])["type"] == "done"


async def test_the_references_streaming_example(door: Gateway) -> None:
    task_id = (await door.http.post("/api/v1/tasks", json={"query": "Write"})).json()["task_id"]

    def example() -> list[str]:
        printed: list[str] = []
        with httpx.stream(
            "GET",
            f"{door.url}/api/v1/stream/sse?workflow_id={task_id}",
            headers={"X-API-Key": "sk_test_123456"},
        ) as response:
            for line in response.iter_lines():
                if line.startswith("data:"):
                    event = json.loads(line[5:])
                    printed.append(event["type"])
        return printed

    found = await soon(asyncio.to_thread(example))
    assert found[0] == "WORKFLOW_STARTED" and found[-1] == "done"


QUICK_EXAMPLE = """\
#!/bin/bash
API_KEY="sk_test_123456"
BASE="http://localhost:8080/api/v1"

# Submit task
RESPONSE=$(curl -s -X POST "$BASE/tasks" \\
  -H "X-API-Key: $API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"query": "What is 2+2?"}')

TASK_ID=$(echo $RESPONSE | jq -r '.task_id')
echo "Task: $TASK_ID"

# Get status
curl -s "$BASE/tasks/$TASK_ID" -H "X-API-Key: $API_KEY" | jq

# Stream events
curl -N "$BASE/stream/sse?workflow_id=$TASK_ID" -H "X-API-Key: $API_KEY"
"""


async def test_the_references_shell_example(door: Gateway) -> None:
    script = QUICK_EXAMPLE.replace("http://localhost:8080", door.url)
    ran = await soon(asyncio.to_thread(subprocess.run, ["bash", "-c", script], capture_output=True, text=True))
    assert ran.stdout.startswith("Task: task-")
    assert '"status": "TASK_STATUS_' in ran.stdout
    assert "event: WORKFLOW_STARTED\n" in ran.stdout and "event: done\n" in ran.stdout
