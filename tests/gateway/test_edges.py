"""At the edges of every request: other hosts' pages, slow bodies, a line in the log, counts, headers, ids."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
import structlog
from temporalio.testing import WorkflowEnvironment

from tests.support.gateway import Gateway, Troubled, gateway, listening
from tests.support.tenants import key_for
from tests.support.world import until, world
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.gateway import edges
from theseus.gateway.serving import authenticator
from theseus.stores.archive.opening import archive

ASKS = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}


@pytest_asyncio.fixture
async def listed(temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path) -> AsyncIterator[Gateway]:
    """A gateway with one host on its list."""
    origins = ("https://app.example",)
    async with (
        archive(f"sqlite:///{tmp_path / 'archive.db'}") as kept,
        world(temporal.client, model, tmp_path, archive=kept, work=False, cors_origins=origins) as there,
        gateway(there, tmp_path, authenticator=authenticator(there.settings, kept)) as made,
    ):
        yield made


async def test_pages_of_listed_hosts_may_call_without_a_key_for_the_question(listed: Gateway) -> None:
    wanted = "content-type,x-api-key,idempotency-key,traceparent,if-match,last-event-id"
    asked = {**ASKS, "Access-Control-Request-Headers": wanted}
    answer = await listed.http.options("/api/v1/tasks", headers=asked)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        assert method in answer.headers["Access-Control-Allow-Methods"]
    called = await listed.http.get("/api/v1/tasks", headers={"Origin": "https://app.example"})
    assert called.status_code == 401 and called.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "X-Workflow-ID" in called.headers["Access-Control-Expose-Headers"]


async def test_pages_of_other_hosts_may_not(listed: Gateway) -> None:
    answer = await listed.http.options("/api/v1/tasks", headers={**ASKS, "Origin": "https://evil.example"})
    assert answer.status_code == 400 and "Access-Control-Allow-Origin" not in answer.headers


async def test_by_default_no_page_may_unless_nobody_is_asked_for_a_key(door: Gateway) -> None:
    answer = await door.http.get("/health", headers={"Origin": "https://app.example"})
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert door.world.settings.model_copy(update={"skip_auth": True}).cors == ("*",)


@pytest.mark.parametrize("is_dripping", [False, True])
async def test_a_body_that_does_not_come_is_given_up(
    door: Gateway, monkeypatch: pytest.MonkeyPatch, is_dripping: bool
) -> None:
    monkeypatch.setattr(edges, "BODY_PATIENCE", timedelta(seconds=0.5))
    place = urlsplit(door.url)
    coming, going = await asyncio.open_connection(place.hostname, place.port)
    going.write(b"POST /api/v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    answer = asyncio.create_task(coming.read(1000))
    for _ in range(50):
        await asyncio.wait([answer], timeout=0.1)
        if answer.done():
            break
        if is_dripping:
            going.write(b" ")
    else:
        pytest.fail("whoever sends a byte now and then is waited for")
    assert b" 408 " in answer.result().split(b"\r\n")[0] and b'{"error":' in answer.result()
    going.close()


@pytest.mark.parametrize("path", ["/api/v1/tasks", "/api/v1/schedules", "/v1/chat/completions"])
async def test_who_leaves_before_the_body_is_whole_is_no_fault(
    door: Gateway, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    caplog.set_level(logging.INFO, logger="theseus.gateway")
    place = urlsplit(door.url)
    _, going = await asyncio.open_connection(place.hostname, place.port)
    going.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{".encode())
    await going.drain()
    going.close()

    async def is_told() -> bool:
        return any(f"POST {path} 499" in each.getMessage() for each in caplog.records)

    await until(is_told)
    assert not [each for each in caplog.records if each.levelno >= logging.WARNING]


async def test_each_request_has_a_line_without_its_query_and_with_its_task(
    door: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="theseus.gateway.access")
    task_id = (await door.http.post("/api/v1/tasks", json={"query": "x"})).json()["task_id"]
    await door.http.get(f"/api/v1/tasks/{task_id}?api_key=hunter2")
    await door.http.get("/health")
    lines = [each for each in caplog.records if each.name == "theseus.gateway.access"]
    assert [each.getMessage().rsplit(" in ", 1)[0] for each in lines] == [
        "POST /api/v1/tasks 200",
        f"GET /api/v1/tasks/{task_id} 200",
    ]
    assert [getattr(each, "task_id", "") for each in lines] == [task_id, task_id]
    assert "hunter2" not in caplog.text.replace(f"GET {door.url}/api/v1/tasks/{task_id}?api_key=hunter2", "")


async def test_requests_are_counted_by_route(listed: Gateway) -> None:
    key = await key_for(listed, "prometheus", "acme", scopes=("tasks:read",))
    await listed.http.get("/api/v1/tasks/nobody", headers=key)
    for made_up in ("/a", "/b"):
        await listed.http.get(made_up)
    assert (await listed.http.get("/metrics")).status_code == 401
    text = (await listed.http.get("/metrics", headers=key)).text
    assert 'theseus_gateway_requests_total{method="GET",route="/api/v1/tasks/{task_id}",status="404"} 1.0' in text
    assert 'theseus_gateway_requests_total{method="GET",route="none",status="404"} 2.0' in text
    assert "theseus_gateway_request_seconds_bucket" in text


async def test_every_answer_has_an_id_and_headers_that_keep_browsers_from_guessing(door: Gateway) -> None:
    for path in ("/health", "/nothing", "/api/v1/tasks/nobody", "/"):
        answer = await door.http.get(path, headers={"X-Request-ID": "mine-1"})
        assert answer.headers["X-Request-ID"] == "mine-1"
        assert answer.headers["X-Content-Type-Options"] == "nosniff" and answer.headers["X-Frame-Options"] == "DENY"
    bad = await door.http.get("/health", headers={"X-Request-ID": "x" * 200})
    assert bad.headers["X-Request-ID"] != "x" * 200


async def test_a_fault_is_told_counted_and_logged_under_the_id_of_its_request(door: Gateway) -> None:
    logged: list[tuple[str, object]] = []

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            logged.append((record.getMessage(), structlog.contextvars.get_contextvars().get("request_id")))

    listening_to = Listening(logging.ERROR)
    logging.getLogger().addHandler(listening_to)
    try:
        troubled = replace(door.backend, authenticator=Troubled(KeyError("secret")))
        async with listening(troubled) as address:
            answer = await door.http.get(f"{address}/api/v1/tasks", headers={"X-Request-ID": "mine-1"})
    finally:
        logging.getLogger().removeHandler(listening_to)
    assert answer.status_code == 500 and set(answer.json()) == {"error"} and "secret" not in answer.text
    assert answer.headers["X-Request-ID"] == "mine-1" and answer.headers["X-Content-Type-Options"] == "nosniff"
    assert logged == [("a request failed", "mine-1")], "one line, and it can be found"
    assert b'status="500"' in troubled.counts.text()


async def test_methods_that_people_make_up_are_no_labels(listed: Gateway) -> None:
    key = await key_for(listed, "prometheus", "acme")
    for made_up in ("BREW", "WHEN"):
        await listed.http.request(made_up, "/api/v1/tasks")
    text = (await listed.http.get("/metrics", headers=key)).text
    assert "BREW" not in text and "WHEN" not in text
    assert 'theseus_gateway_requests_total{method="other",route="/api/v1/tasks",status="405"} 2.0' in text


async def test_a_path_makes_no_lines_of_its_own(door: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="theseus.gateway.access")
    await door.http.get("/nothing%0A2026-01-01 [info] all is well")
    (line,) = [each.getMessage() for each in caplog.records if each.name == "theseus.gateway.access"]
    assert "\n" not in line and line.startswith("GET /nothing%0A2026-01-01")
