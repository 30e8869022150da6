"""Every line says which task it belongs to, and no line holds a key."""

import asyncio
import io
import json
import logging
from collections.abc import Generator

import pytest
import structlog
from temporalio import activity
from temporalio.activity import ActivityCancellationDetails
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from theseus import logs
from theseus.config import Settings


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Generator[io.StringIO, None, None]:
    root = logging.getLogger()
    handlers, level, stream = list(root.handlers), root.level, io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    logs.set_up(Settings(log_format="json"))
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)


async def test_a_line_of_an_activity_has_its_task_workflow_and_run(written: io.StringIO) -> None:
    @activity.defn
    async def speaks() -> None:
        logging.getLogger("theseus.some").warning("hello %s", "there")

    env = ActivityEnvironment()
    await env.run(speaks)
    line = json.loads(written.getvalue())
    assert line["event"] == "hello there"
    assert line["task_id"] == line["workflow_id"] == env.info.workflow_id
    assert (line["run_id"], line["level"]) == (env.info.workflow_run_id, "warning")


@pytest.mark.parametrize(
    "secret",
    [
        "sk-abcdefgh12345678",
        "sk_abcdefgh12345678abcdefgh12345678abcdefgh123",
        "rt_abcdefgh12345678abcdefgh12345678abcdefgh123",
        "Bearer abcdefghij.klmnop",
        "redis://user:pa55word@host:6379/0",
        "https://vendor.example/news?symbol=A&apikey=pa55word",
        "https://vendor.example/news?key=pa55word&since=now",
        "no right with access_token=pa55word",
    ],
)
def test_a_key_never_gets_into_a_line(written: io.StringIO, secret: str) -> None:
    try:
        raise RuntimeError(f"refused: {secret}")
    except RuntimeError:
        logging.getLogger("theseus.some").exception("it failed with %s", secret)
    text = written.getvalue()
    assert "[key]" in text
    for part in ("abcdefgh", "pa55word"):
        assert part not in text


def test_the_id_of_a_task_is_no_key(written: io.StringIO) -> None:
    task_id = "task-3f2b8c1e-7a4d-4e0f-9b6a-1c5d2e8f7a90"
    with structlog.contextvars.bound_contextvars(task_id=task_id):
        logging.getLogger("theseus.some").warning("%s was started", task_id)
    line = json.loads(written.getvalue())
    assert (line["event"], line["task_id"]) == (f"{task_id} was started", task_id)


def test_a_failure_that_says_itself_what_was_wrong_is_one_line(written: io.StringIO) -> None:
    for error in (ApplicationError("Redis is away", type="StoreDown"), ApplicationError("a bug", type="Internal")):
        try:
            raise error from KeyError("deep down")
        except ApplicationError:
            logging.getLogger("theseus.some").warning("it failed", exc_info=True)
    brief, whole = map(json.loads, written.getvalue().splitlines())
    assert brief["event"] == "it failed: StoreDown: Redis is away" and "exception" not in brief
    assert "deep down" in whole["exception"]


@pytest.mark.parametrize(
    ("details", "why"),
    [
        (ActivityCancellationDetails(timed_out=True), "it was not done within 1 s"),
        (ActivityCancellationDetails(worker_shutdown=True), "the worker stops"),
        (ActivityCancellationDetails(not_found=True), "it was cancelled"),
    ],
)
async def test_an_activity_that_is_broken_off_is_one_line_with_the_reason(
    written: io.StringIO, details: ActivityCancellationDetails, why: str
) -> None:
    begun = asyncio.Event()

    @activity.defn
    async def waits() -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            logging.getLogger("temporalio.activity").warning("Completing activity as failed", exc_info=True)

    env = ActivityEnvironment()
    running = asyncio.ensure_future(env.run(waits))
    await begun.wait()
    env.cancel(cancellation_details=details)
    await running
    line = json.loads(written.getvalue())
    assert line["event"] == f"Completing activity as failed: {why}" and "exception" not in line
