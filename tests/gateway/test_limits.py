"""A key makes so many requests a minute, at whatever door of whatever gateway; every answer says how many are left."""

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import httpx
import openai
import pytest
import pytest_asyncio
from grpc.aio import AioRpcError
from shannon import AsyncShannonClient
from shannon import errors as shannon_errors
from temporalio.testing import WorkflowEnvironment
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.support.gateway import Gateway, Named, gateway, listening
from tests.support.rpc import wire
from tests.support.servers import free_port, valkey
from tests.support.world import world
from theseus.activities.llm.scripted.script import Script
from theseus.activities.llm.scripted.server import running
from theseus.config import Settings
from theseus.gateway import limits
from theseus.gateway.backend import Backend
from theseus.gateway.callers import Everybody
from theseus.stores.ports import RequestStore
from theseus.stores.redis import RedisRequests, connect_redis

MOST = 5
TASKS = "/api/v1/tasks"
FAMILIES = (
    *("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"),
    *("X-RateLimit-Limit-Minute", "X-RateLimit-Remaining-Minute"),
)


@dataclass
class Limited:
    """A gateway that lets a key make five requests a minute; each test has a key of its own."""

    backend: Backend
    url: str
    http: httpx.AsyncClient
    key: str

    async def use_up(self) -> None:
        """Makes all the requests that may be made."""
        for _ in range(MOST):
            assert (await self.http.get(TASKS)).status_code == 200


@pytest_asyncio.fixture(scope="module")
async def behind(temporal: WorkflowEnvironment, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    folder: Path = tmp_path_factory.mktemp("limits")
    async with (
        running(Script()) as model,
        world(temporal.client, model, folder, work=False, rate_limit=MOST) as there,
        gateway(there, folder, authenticator=Named()) as door,
    ):
        yield door


@asynccontextmanager
async def limited_at(backend: Backend, key: str = "") -> AsyncGenerator[Limited]:
    key = key or f"acme/ada-{uuid.uuid4()}"
    async with (
        listening(backend) as url,
        httpx.AsyncClient(base_url=url, headers={"X-API-Key": key}, timeout=30) as http,
    ):
        yield Limited(backend, url, http, key)


@pytest_asyncio.fixture
async def limited(behind: Gateway) -> AsyncIterator[Limited]:
    async with limited_at(behind.backend) as made:
        yield made


async def test_every_answer_says_what_is_left_and_the_one_too_many_when_to_come_back(limited: Limited) -> None:
    paths = (TASKS, "/api/v1/tasks/none", "/api/v1/sessions", "/v1/models", "/api/v1/tasks?limit=x")
    for n, path in enumerate(paths):
        answer = await limited.http.get(path)
        assert [answer.headers.get(name) for name in FAMILIES[:2]] == ["5", f"{4 - n}"], path
        assert [answer.headers.get(name) for name in FAMILIES[3:]] == ["5", f"{4 - n}"], path
        assert 0 < int(answer.headers["X-RateLimit-Reset"]) - time.time() <= 61
    refused = await limited.http.post(TASKS, json={"query": "x"})
    later = int(refused.headers["Retry-After"])
    assert (refused.status_code, refused.json()) == (429, {"error": "Rate limit exceeded", "retry_after": later})
    assert [refused.headers[name] for name in FAMILIES[:2]] == ["5", "0"] and 0 < later <= 60
    assert abs(int(refused.headers["X-RateLimit-Reset"]) - time.time() - later) <= 2


async def test_a_key_is_limited_alone_and_what_needs_no_key_is_not(limited: Limited) -> None:
    await limited.use_up()
    assert (await limited.http.get(TASKS)).status_code == 429
    assert (await limited.http.get(TASKS, headers={"X-API-Key": f"{limited.key}-2"})).status_code == 200
    for path in ("/health", "/readiness", "/"):
        answer = await limited.http.get(path)
        assert answer.status_code == 200 and not set(FAMILIES) & set(answer.headers), path
    nobody = await limited.http.get(TASKS, headers={"X-API-Key": ""})
    assert nobody.status_code == 401 and "X-RateLimit-Limit" not in nobody.headers


async def test_all_doors_of_all_gateways_count_together(limited: Limited) -> None:
    beside = (("x-api-key", limited.key),)
    async with wire(limited.backend) as rpc, limited_at(replace(limited.backend), limited.key) as other:
        await rpc.call("ListTasks", beside=beside)
        assert (await other.http.get(TASKS)).headers["X-RateLimit-Remaining"] == "3"
        for each in (limited, other, limited):
            assert (await each.http.get(TASKS)).status_code == 200
        assert (await other.http.get(TASKS)).status_code == 429
        with pytest.raises(AioRpcError) as refused:
            await rpc.call("ListTasks", beside=beside)
    assert refused.value.code().name == "RESOURCE_EXHAUSTED"
    assert refused.value.details() == "Rate limit exceeded"
    assert 0 < int(dict(refused.value.trailing_metadata() or ())["retry-after"]) <= 60


async def test_streams_are_refused_before_they_begin(limited: Limited) -> None:
    await limited.use_up()
    assert (await limited.http.get("/api/v1/stream/sse?workflow_id=x")).status_code == 429
    address = f"{limited.url.replace('http', 'ws', 1)}/api/v1/stream/ws?workflow_id=x"
    with pytest.raises(InvalidStatus) as refused:
        async with connect(address, additional_headers={"X-API-Key": limited.key}):
            pass
    answer = refused.value.response
    assert (
        answer.status_code == 429 and answer.headers["X-RateLimit-Remaining"] == "0" and answer.headers["Retry-After"]
    )


async def test_clients_that_exist_know_the_refusal(limited: Limited) -> None:
    await limited.use_up()
    async with AsyncShannonClient(base_url=limited.url, api_key=limited.key) as client:
        with pytest.raises(shannon_errors.RateLimitError, match="Rate limit exceeded"):
            await client.list_tasks()
    bearer = {"X-API-Key": limited.key}
    client = openai.AsyncOpenAI(base_url=f"{limited.url}/v1", api_key="x", max_retries=0, default_headers=bearer)
    with pytest.raises(openai.RateLimitError) as refused:
        await client.models.list()
    assert (refused.value.code, refused.value.type) == ("rate_limit_exceeded", "rate_limit_error")
    await client.close()


async def test_who_is_let_in_again_does_not_wait_for_the_whole_minute(
    behind: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WINDOW", timedelta(seconds=1))
    async with limited_at(behind.backend) as limited:
        await limited.use_up()
        assert (await limited.http.get(TASKS)).headers["Retry-After"] == "1"
        await asyncio.sleep(1)
        assert (await limited.http.get(TASKS)).status_code == 200


@pytest.mark.parametrize("how", ["no limit", "no keys"])
async def test_where_nothing_is_limited_nothing_is_told(behind: Gateway, how: str) -> None:
    backend = replace(behind.backend, authenticator=Everybody())
    if how == "no limit":
        backend = replace(behind.backend, settings=behind.backend.settings.model_copy(update={"rate_limit": 0}))
    async with limited_at(backend) as limited:
        for _ in range(MOST + 2):
            answer = await limited.http.get(TASKS)
            assert answer.status_code == 200 and "X-RateLimit-Limit" not in answer.headers


def test_sixty_a_minute_unless_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GATEWAY_RATE_LIMIT", raising=False)
    assert Settings().rate_limit == 60
    monkeypatch.setenv("GATEWAY_RATE_LIMIT", "7")
    assert Settings().rate_limit == 7


async def test_without_redis_requests_go_on_and_it_is_said_once(
    behind: Gateway, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ASKED_AGAIN", timedelta())
    caplog.set_level(logging.INFO, "theseus.gateway")
    port = free_port()
    client = connect_redis(f"redis://127.0.0.1:{port}/0")
    counts: RequestStore = RedisRequests(client)
    try:
        async with limited_at(replace(behind.backend, requests=counts)) as limited:
            for _ in range(MOST + 2):
                answer = await limited.http.get(TASKS)
                assert answer.status_code == 200 and "X-RateLimit-Limit" not in answer.headers
            with valkey(tmp_path, port):
                await limited.use_up()
                assert (await limited.http.get(TASKS)).status_code == 429
            assert (await limited.http.get(TASKS)).status_code == 200
    finally:
        await client.aclose()
    said = [each.getMessage() for each in caplog.records if "limited" in each.getMessage()]
    assert [each.partition(" now")[0].partition(":")[0] for each in said] == [
        "requests are not limited",
        "requests are limited again",
        "requests are not limited",
    ], said


async def test_a_redis_that_is_down_is_left_alone_for_a_while(behind: Gateway) -> None:
    client = connect_redis(f"redis://127.0.0.1:{free_port()}/0")
    asked: list[str] = []

    class Counted(RedisRequests):
        async def admit(self, key: str, *, most: int, window: timedelta):
            asked.append(key)
            return await super().admit(key, most=most, window=window)

    async with limited_at(replace(behind.backend, requests=Counted(client))) as limited:
        for _ in range(3):
            assert (await limited.http.get(TASKS)).status_code == 200
    await client.aclose()
    assert len(asked) == 1
