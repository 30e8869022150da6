"""Nobody holds a connection for long who asks for nothing, sends byte by byte, or takes no answer; streams last on."""

import asyncio
import json
import socket
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import connect

from tests.support.gateway import Gateway, listening
from tests.support.streams import end, published, read, registered
from theseus.gateway import connections

WHOLE = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "READING", timedelta(seconds=0.5))


async def opened(door: Gateway) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    place = urlsplit(door.url)
    return await asyncio.open_connection(place.hostname, place.port)


async def until_closed(coming: asyncio.StreamReader, drip: Callable[[], None]) -> bytes:
    """What came until the gateway closed the connection, though it was sent something all the time."""
    rest = asyncio.create_task(coming.read())
    for _ in range(40):
        await asyncio.wait([rest], timeout=0.1)
        if rest.done():
            return rest.result()
        drip()
    rest.cancel()
    raise AssertionError("it is waited for")


@pytest.mark.parametrize("begun", [b"", b"G", b"GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: "])
@pytest.mark.parametrize("is_dripping", [False, True])
async def test_who_sends_no_whole_request_is_left(door: Gateway, begun: bytes, is_dripping: bool) -> None:
    coming, going = await opened(door)
    going.write(begun)
    said = await until_closed(coming, lambda: going.write(b"x") if begun and is_dripping else None)
    assert said == b""
    going.close()


async def test_who_has_been_answered_is_no_better(door: Gateway) -> None:
    coming, going = await opened(door)
    going.write(WHOLE)
    assert b"200 OK" in await coming.readuntil(b"healthy")
    going.write(b"GET /health HTTP/1.1\r\nX-Slow: ")
    await until_closed(coming, lambda: going.write(b"x"))
    going.close()


async def test_who_sends_on_after_the_answer_is_left(door: Gateway) -> None:
    coming, going = await opened(door)
    going.write(b"GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
    assert b"200 OK" in await until_closed(coming, lambda: going.write(b"x"))
    going.close()


async def test_a_connection_is_kept_for_the_next_request(door: Gateway) -> None:
    coming, going = await opened(door)
    for _ in range(2):
        going.write(WHOLE)
        assert b"200 OK" in await asyncio.wait_for(coming.readuntil(b"}"), 5)
        await asyncio.sleep(0.8)
    assert not coming.at_eof()
    going.close()


async def test_streams_and_sockets_last_on(door: Gateway) -> None:
    task = await registered(door)
    told = asyncio.create_task(read(door.http, task))
    async with connect(f"{door.url.replace('http', 'ws', 1)}/api/v1/stream/ws?workflow_id={task}") as there:
        await asyncio.sleep(1.2)
        await published(door, task, [end(task)])
        assert json.loads(await asyncio.wait_for(there.recv(), 5))["type"] == "done"
    assert [block.event for block in await told if block.event] == ["done"]


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux counts it")
async def test_who_takes_nothing_of_an_answer_is_left(door: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "WRITING", timedelta(seconds=1))
    async with listening(door.backend) as address:
        place = urlsplit(address)
        with socket.socket() as greedy:
            greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            greedy.connect((place.hostname, place.port))
            greedy.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
            await asyncio.sleep(3)
            greedy.setblocking(False)
            with pytest.raises(ConnectionResetError):
                while await asyncio.wait_for(asyncio.get_running_loop().sock_recv(greedy, 1 << 20), 5):
                    pass


async def test_no_part_of_an_answer_is_held_back_for_the_next() -> None:
    made: asyncio.Future[asyncio.BaseTransport] = asyncio.get_running_loop().create_future()

    class Accepting(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            made.set_result(transport)

    for listener in connections.bound("127.0.0.1", 0):
        async with await asyncio.get_running_loop().create_server(Accepting, sock=listener):
            _, going = await asyncio.open_connection(*listener.getsockname())
            accepted: socket.socket = (await made).get_extra_info("socket")
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            going.close()
