"""A task whose start Temporal took, but did not answer, is neither lost nor paid twice; one that it did not take leaves nothing."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from temporalio.client import (
    Client,
    DescribeWorkflowInput,
    Interceptor,
    OutboundInterceptor,
    StartWorkflowInput,
    WorkflowExecutionDescription,
    WorkflowHandle,
)
from temporalio.service import RPCError, RPCStatusCode

from tests.support.gateway import Gateway, listening
from tests.support.postgres import on_both
from theseus.gateway import tasks
from theseus.gateway.callers import OPEN_TENANT
from theseus.stores.archive.port import Page, TaskFilter

ALL = TaskFilter(OPEN_TENANT)
LOST = RPCError("timed out", RPCStatusCode.DEADLINE_EXCEEDED, b"")


class Losing(Interceptor):
    """A way to Temporal on which starts, or the answers to them, are lost, and maybe questions, too."""

    def __init__(self, *, is_taken: bool, is_silent: bool) -> None:
        super().__init__()
        self.is_taken, self.is_silent = is_taken, is_silent

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return _Lossy(next, self)


class _Lossy(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, how: Losing) -> None:
        super().__init__(next)
        self._how = how

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        if self._how.is_taken:
            await super().start_workflow(input)
        raise LOST

    async def describe_workflow(self, input: DescribeWorkflowInput) -> WorkflowExecutionDescription:
        if self._how.is_silent:
            raise LOST
        return await super().describe_workflow(input)


@asynccontextmanager
async def losing(door: Gateway, **how: bool) -> AsyncGenerator[httpx.AsyncClient]:
    """The same gateway by that way."""
    config = door.world.client.config()
    config["interceptors"] = [Losing(**how)]
    async with (
        listening(replace(door.backend, temporal=Client(**config))) as url,
        httpx.AsyncClient(base_url=url, timeout=30) as http,
    ):
        yield http


async def listed(door: Gateway) -> list[dict[str, Any]]:
    return (await door.http.get("/api/v1/tasks")).json()["tasks"]


@on_both
async def test_a_task_that_was_taken_is_submitted_whatever_became_of_the_answer(door: Gateway) -> None:
    async with losing(door, is_taken=True, is_silent=False) as http:
        answer = await http.post("/api/v1/tasks", json={"query": "hello", "mode": "simple"})
    assert answer.status_code == 200, answer.text
    assert [each["task_id"] for each in await listed(door)] == [answer.json()["task_id"]]
    assert (await door.world.client.get_workflow_handle(answer.json()["task_id"]).result())["status"] == "completed"


async def test_a_task_that_was_not_taken_leaves_nothing(door: Gateway) -> None:
    async with losing(door, is_taken=False, is_silent=False) as http:
        answer = await http.post("/api/v1/tasks", json={"query": "hello", "session_id": "s-1"})
    assert answer.status_code == 503
    assert await listed(door) == [] and (await door.http.get("/api/v1/sessions/s-1")).status_code == 404


@pytest.mark.parametrize("is_taken", [True, False])
async def test_a_task_of_which_nobody_can_say_is_kept_and_tells_what_became_of_it(
    door: Gateway, monkeypatch: pytest.MonkeyPatch, is_taken: bool
) -> None:
    async with losing(door, is_taken=is_taken, is_silent=True) as http:
        answer = await http.post("/api/v1/tasks", json={"query": "hello", "mode": "simple"})
    assert answer.status_code == 503
    monkeypatch.setattr(tasks, "STARTING", timedelta())
    (record,), total = await door.archive.tasks(ALL, Page(10))
    assert total == 1 and datetime.now(UTC) - record.created_at < timedelta(minutes=1)
    if is_taken:
        await door.world.client.get_workflow_handle(record.task_id).result()
    (told,) = await listed(door)
    assert told["status"] == ("TASK_STATUS_COMPLETED" if is_taken else "TASK_STATUS_FAILED")
