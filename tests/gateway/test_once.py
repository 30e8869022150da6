"""A request that comes again with its `Idempotency-Key` is the same request: one task, one answer."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.support.gateway import Gateway, gateway
from theseus.contracts.answers import Claim, KeptAnswer
from theseus.gateway import once
from theseus.gateway.callers import OPEN_TENANT, OPEN_USER, Caller
from theseus.stores.archive.port import Page, TaskFilter
from theseus.stores.memory_answers import MemoryAnswers
from theseus.stores.ports import AnswerStore, StoreDownError

ALL = (TaskFilter(tenant_id="", user_id=None), Page(100))
TASK = {"query": "Analyze Q4 sales"}


async def submit(door: Gateway, key: str, body: dict[str, str] = TASK, path: str = "/api/v1/tasks") -> httpx.Response:
    return await door.http.post(path, json=body, headers={"Idempotency-Key": key})


async def made(door: Gateway) -> int:
    return (await door.archive.tasks(*ALL))[1]


class Away(MemoryAnswers):
    """A Redis that does not answer."""

    async def claim(self, request: str, holder: str, *, lease: timedelta) -> Claim:
        raise StoreDownError("Redis cannot be used now")


@pytest_asyncio.fixture
async def without_redis(door: Gateway, tmp_path: Path) -> AsyncGenerator[Gateway]:
    async with gateway(door.world, tmp_path, kept=door.archive, answers=Away()) as other:
        yield other


@pytest.mark.parametrize("path", ["/api/v1/tasks", "/api/v1/tasks/stream"])
async def test_the_same_request_gets_the_same_answer_word_for_word(door: Gateway, path: str) -> None:
    before = await made(door)
    first = await submit(door, "k-1", path=path)
    again = await submit(door, "k-1", path=path)
    assert again.content == first.content and again.status_code == first.status_code
    for name in ("X-Workflow-ID", "X-Session-ID", "Link", "Content-Type"):
        assert again.headers.get(name) == first.headers.get(name)
    assert "X-Idempotency-Cached" not in first.headers
    assert again.headers["X-Idempotency-Cached"] == "true" and again.headers["X-Idempotency-Key"] == "k-1"
    assert await made(door) == before + 1


async def test_another_body_key_or_path_is_another_request(door: Gateway) -> None:
    answers = [
        await submit(door, "k-2"),
        await submit(door, "k-2", {"query": "Something else"}),
        await submit(door, "k-3"),
        await submit(door, "k-2", path="/api/v1/tasks/stream"),
    ]
    assert len({answer.json()["task_id"] for answer in answers}) == 4


async def test_fifty_at_once_make_one_task(door: Gateway) -> None:
    before = await made(door)
    answers = await asyncio.gather(*(submit(door, "at-once") for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert sum("X-Idempotency-Cached" not in answer.headers for answer in answers) == 1
    assert await made(door) == before + 1


async def test_without_redis_fifty_at_once_are_still_one_task(without_redis: Gateway) -> None:
    before = await made(without_redis)
    answers = await asyncio.gather(*(submit(without_redis, "no-redis") for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["X-Session-ID"] for answer in answers}) == 1
    assert await made(without_redis) == before + 1


async def test_a_gateway_that_died_before_it_kept_the_answer_costs_no_second_task(
    door: Gateway, without_redis: Gateway
) -> None:
    lost = await submit(without_redis, "died")
    again = await submit(door, "died")
    assert again.json() == lost.json() and again.headers["X-Session-ID"] == lost.headers["X-Session-ID"]


async def test_what_fails_in_the_middle_is_not_done_a_second_time(
    door: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[object] = []

    async def fails(*args: object, **_: object) -> None:
        tries.append(args)
        raise StoreDownError("Redis cannot be used now")

    monkeypatch.setattr(type(door.backend.tasks), "submit", fails)
    assert (await submit(door, "fails")).status_code == 503
    assert len(tries) == 1


async def test_after_a_day_the_key_makes_a_new_task(without_redis: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await submit(without_redis, "old")
    monkeypatch.setattr("theseus.gateway.tasks.REPEATED", timedelta(0))
    second = await submit(without_redis, "old")
    assert first.json()["task_id"] != second.json()["task_id"]


async def test_what_was_refused_may_be_tried_again(door: Gateway) -> None:
    for _ in range(2):
        refused = await submit(door, "refused", {"query": ""})
        assert refused.status_code == 400 and "X-Idempotency-Cached" not in refused.headers


async def test_a_request_that_another_gateway_holds_is_refused_when_that_takes_too_long(
    door: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(once, "PATIENCE", timedelta(seconds=0.2))
    answers: AnswerStore = door.backend.answers
    caller = Caller(user_id=OPEN_USER, tenant_id=OPEN_TENANT, key_id="open")
    body = httpx.Request("POST", "http://x", json=TASK).content
    name = once.fingerprint("held", caller, "/api/v1/tasks", body)
    await answers.claim(name, "another", lease=timedelta(minutes=1))
    refused = await submit(door, "held")
    assert refused.status_code == 409 and "still being answered" in refused.json()["error"]
    await answers.keep(name, "another", KeptAnswer(status=200, headers={"content-type": "application/json"}, body="{}"))
    assert (await submit(door, "held")).json() == {}


@pytest.mark.parametrize("key", ["", "x" * 256, "with space", "\x7f"])
async def test_a_key_that_is_none_is_refused(door: Gateway, key: str) -> None:
    refused = await submit(door, key)
    assert refused.status_code == 400 and "Idempotency-Key" in refused.json()["error"]
