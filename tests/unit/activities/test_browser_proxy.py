"""The browser's proxy passes requests and tunnels on as they are, to checked addresses only, and outlasts bad neighbours."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from tests.support.browsing import Neighbour, neighbour
from theseus.activities.tools.browser import proxy as proxy_module
from theseus.activities.tools.browser.proxy import FilteringProxy
from theseus.activities.tools.egress import Egress

SHORT = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@asynccontextmanager
async def server(answer: bytes) -> AsyncGenerator[tuple[int, list[bytes]]]:
    """Answers everything with the same bytes and closes; keeps what it heard."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = await reader.readuntil(b"\r\n\r\n")
        if b"chunked" in said:
            said += await reader.readuntil(b"0\r\n\r\n")
        elif b"Content-Length" in said:
            said += await reader.readexactly(5)
        heard.append(said)
        writer.write(answer)
        await writer.drain()
        writer.close()

    made = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield made.sockets[0].getsockname()[1], heard
    made.close()


@pytest_asyncio.fixture
async def nowhere() -> AsyncGenerator[Neighbour]:
    async with neighbour() as made:
        yield made


@asynccontextmanager
async def proxy(*allow: str, egress: Egress | None = None) -> AsyncGenerator[FilteringProxy]:
    made = FilteringProxy(egress or Egress(allow))
    await made.open()
    yield made
    await made.close()


async def ask(through: FilteringProxy, request: bytes, *, more: bytes = b"") -> bytes:
    """All that is answered until the connection closes."""
    port = int(through.address.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    if more:
        await asyncio.sleep(0.2)
        writer.write(more)
    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    return answer


async def test_a_request_is_passed_on_without_what_was_meant_for_the_proxy() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Own: 1\r\n\r\nhi"
    async with server(answer) as (port, heard), proxy(f"127.0.0.1:{port}") as made:
        head = f"GET http://127.0.0.1:{port}/a%20b?c=1 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-Mine: 2\r\n"
        answer = await ask(made, f"{head}Proxy-Connection: keep-alive\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n") and answer.endswith(b"\r\n\r\nhi") and b"X-Own: 1" in answer
    assert heard[0].startswith(b"GET /a%20b?c=1 HTTP/1.1\r\n") and b"X-Mine: 2" in heard[0]
    assert b"Proxy-" not in heard[0]


@pytest.mark.parametrize(
    ("framing", "body"),
    [(b"Content-Length: 5\r\n", b"hello"), (b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n0\r\n\r\n")],
    ids=["length", "chunked"],
)
async def test_a_body_is_passed_on(framing: bytes, body: bytes) -> None:
    async with server(b"HTTP/1.1 204 No Content\r\n\r\n") as (port, heard), proxy(f"127.0.0.1:{port}") as made:
        head = f"POST http://127.0.0.1:{port}/ HTTP/1.1\r\nHost: h\r\n".encode() + framing
        answer = await ask(made, head + b"\r\n", more=body)
    assert answer.startswith(b"HTTP/1.1 204") and b"hello" in heard[0]


async def test_an_answer_without_a_length_ends_with_its_connection() -> None:
    async with server(b"HTTP/1.0 200 OK\r\n\r\nall there is") as (port, _), proxy(f"127.0.0.1:{port}") as made:
        answer = await ask(made, f"GET http://127.0.0.1:{port}/ HTTP/1.1\r\nHost: h\r\n\r\n".encode())
    assert b"all there is" in answer


async def test_a_second_request_on_a_connection_goes_nowhere(nowhere: Neighbour) -> None:
    async with server(SHORT) as (port, heard), proxy(f"127.0.0.1:{port}") as made:
        first = f"GET http://127.0.0.1:{port}/ HTTP/1.1\r\nHost: h\r\n\r\n"
        second = f"GET http://127.0.0.1:{nowhere.port}/ HTTP/1.1\r\nHost: h\r\n\r\n"
        answer = await ask(made, (first + second).encode())
    assert answer.count(b"HTTP/1.1") == 1 and len(heard) == 1 and nowhere.heard == []


async def test_a_tunnel_is_only_bytes() -> None:
    async with server(b"\x00\x01anything") as (port, heard), proxy(f"127.0.0.1:{port}") as made:
        head = f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: h\r\n\r\n".encode()
        answer = await ask(made, head + b"early", more=b" and late\r\n\r\n")
    assert answer.endswith(b"\r\n\r\n\x00\x01anything") and heard == [b"early and late\r\n\r\n"]


BAD = {
    "loopback": b"GET http://127.0.0.1:%d/ HTTP/1.1\r\nHost: h\r\n\r\n",
    "tunnel to loopback": b"CONNECT 127.0.0.1:%d HTTP/1.1\r\nHost: h\r\n\r\n",
    "tunnel by name": b"CONNECT localhost:%d HTTP/1.1\r\nHost: h\r\n\r\n",
    "tunnel to IPv6": b"CONNECT [::1]:%d HTTP/1.1\r\nHost: h\r\n\r\n",
    "tunnel with a user": b"CONNECT a@127.0.0.1:%d HTTP/1.1\r\nHost: h\r\n\r\n",
    "tunnel with a path": b"CONNECT 93.184.216.34:80/@127.0.0.1:%d HTTP/1.1\r\nHost: h\r\n\r\n",
    "only a path": b"GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n",
    "two hosts": b"GET http://127.0.0.1:%d\\@93.184.216.34/ HTTP/1.1\r\nHost: h\r\n\r\n",
    "no HTTP": b"\x16\x03\x01 127.0.0.1:%d \r\n\r\n",
    "a host that is the metadata's by name": b"GET http://169.254.169.254.:80/%d HTTP/1.1\r\nHost: h\r\n\r\n",
}


@pytest.mark.parametrize("case", BAD)
async def test_what_may_not_be_reached_or_understood_is_closed(case: str, nowhere: Neighbour) -> None:
    async with proxy() as made:
        answer = await ask(made, BAD[case] % nowhere.port)
    assert answer == b"" or answer.startswith((b"HTTP/1.1 403", b"HTTP/1.1 502"))
    assert nowhere.heard == []


async def test_the_address_that_was_checked_is_the_one_that_is_connected_to(nowhere: Neighbour) -> None:
    asked = 0

    async def resolve(host: str, port: int) -> Sequence[str]:
        nonlocal asked
        asked += 1
        return ["127.0.0.2"] if asked == 1 else ["127.0.0.1"]

    # allowed is an address where nobody listens; a second look-up would lead to the neighbour
    async with proxy(egress=Egress(["127.0.0.2"], resolve=resolve)) as made:
        answer = await ask(made, f"CONNECT turns.example:{nowhere.port} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
    assert asked == 1 and answer.startswith(b"HTTP/1.1 502") and nowhere.heard == []


async def test_more_than_it_can_take_is_turned_away_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy_module, "MAX_CONNECTIONS", 3)
    async with server(SHORT) as (port, _), proxy(f"127.0.0.1:{port}") as made:
        there = int(made.address.rpartition(":")[2])
        idle = [await asyncio.open_connection("127.0.0.1", there) for _ in range(3)]
        await asyncio.sleep(0.1)
        request = f"GET http://127.0.0.1:{port}/ HTTP/1.1\r\nHost: h\r\n\r\n".encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", there)
        assert await reader.read() == b""
        writer.close()
        for _, one in idle:
            one.close()
        await asyncio.sleep(0.1)
        assert (await ask(made, request)).endswith(b"hi")


async def test_closing_ends_what_is_under_way(nowhere: Neighbour) -> None:
    async with proxy() as made:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(made.address.rpartition(":")[2]))
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
