"""A WebSocket tells what SSE tells, ends by itself with the task, and refuses as HTTP does."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from tests.support.gateway import Gateway
from tests.support.streams import delta, end, output, progress, published, read, registered, soon, told
from tests.support.world import until
from theseus.gateway.streams import sending


async def frames(door: Gateway, query: str) -> list[dict[str, Any]]:
    async with connect(f"{door.url.replace('http', 'ws', 1)}/api/v1/stream/ws?{query}") as socket:
        return [json.loads(message) async for message in socket]


async def test_a_socket_tells_what_an_event_stream_tells_and_closes_at_the_end(door: Gateway) -> None:
    task = await registered(door)
    watching = asyncio.create_task(frames(door, f"workflow_id={task}"))
    await published(door, task, [progress(task, 1, "a\u2028b"), delta(task, 0), output(task, "x")])
    await asyncio.sleep(0.05)
    await published(door, task, [end(task)])
    found = await soon(watching)
    assert found == [block.data for block in told(await soon(read(door.http, task)))]
    assert found[-1]["type"] == "done"


async def test_a_socket_goes_on_where_it_was_and_tells_what_is_wanted(door: Gateway) -> None:
    task = await registered(door)
    await published(door, task, [progress(task, 1), output(task, "x"), progress(task, 2), end(task)])
    whole = await soon(frames(door, f"workflow_id={task}"))
    assert await soon(frames(door, f"workflow_id={task}&last_event_id={whole[1]['stream_id']}")) == whole[2:]
    assert await soon(frames(door, f"workflow_id={task}&types=LLM_OUTPUT")) == [whole[1], whole[3]]
    assert await soon(frames(door, f"workflow_id={task}&last_event_id={whole[3]['stream_id']}")) == []


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("workflow_id=task-nowhere", 404, "Task not found"),
        ("", 400, "workflow_id"),
        ("workflow_id=a&last_event_id=soon", 400, "last_event_id"),
    ],
)
async def test_a_socket_is_refused_before_it_opens(door: Gateway, query: str, status: int, words: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await soon(frames(door, query))
    answer = refused.value.response
    assert answer.status_code == status
    assert words in json.loads(answer.body or b"")["error"]


async def test_what_a_client_says_on_a_socket_disturbs_nothing(door: Gateway) -> None:
    task = await registered(door)
    async with connect(f"{door.url.replace('http', 'ws', 1)}/api/v1/stream/ws?workflow_id={task}") as socket:
        await socket.send("hello")
        await socket.send(b"\x00")
        await published(door, task, [end(task)])
        assert json.loads(await soon(socket.recv()))["type"] == "done"


async def test_a_client_that_leaves_its_socket_leaves_nothing_behind(door: Gateway) -> None:
    task = await registered(door)
    async with connect(f"{door.url.replace('http', 'ws', 1)}/api/v1/stream/ws?workflow_id={task}"):
        for _ in range(100):
            await asyncio.sleep(0.01)
            if door.backend.streams.open:
                break
        assert door.backend.streams.open == 1
    for _ in range(100):
        await asyncio.sleep(0.02)
        if not door.backend.streams.open:
            break
    assert door.backend.streams.open == 0


async def test_a_gateway_that_stops_says_so_on_its_sockets(door: Gateway) -> None:
    task = await registered(door)
    watching = asyncio.create_task(frames(door, f"workflow_id={task}"))
    await asyncio.sleep(0.2)
    door.backend.streams.stop()
    with pytest.raises(ConnectionClosedError) as closed:
        await soon(watching)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1012


@pytest.mark.parametrize("path", ["/api/v1/stream/ws", "/api/v1/stream/sse"])
async def test_a_reader_that_takes_nothing_is_left(door: Gateway, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr(sending, "STALLED", timedelta(seconds=1))
    monkeypatch.setattr(sending, "LOOK", timedelta(seconds=0.2))
    task = await registered(door)
    await published(door, task, [progress(task, n, "x" * 4_000) for n in range(4_000)])
    host, _, port = door.url.removeprefix("http://").partition(":")
    _, writer = await asyncio.open_connection(host, int(port), limit=1_024)
    upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    more = f"{upgrade}Sec-WebSocket-Version: 13\r\n" if path.endswith("ws") else ""
    writer.write(f"GET {path}?workflow_id={task} HTTP/1.1\r\nHost: here\r\n{more}\r\n".encode())

    async def is_followed() -> bool:
        return door.backend.streams.open == 1

    async def is_left() -> bool:
        return door.backend.streams.open == 0

    try:
        await until(is_followed)
        await until(is_left)
        assert door.backend.streams.open == 0
    finally:
        writer.transport.abort()
