"""The trace of a request goes with its task: into the history, its children, its activities and their log lines."""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import structlog
from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import HistoryEvent

from tests.support.gateway import Gateway, gateway
from tests.support.teams import LEAD, assign, does, finish, leads, plans, recruit, subtask, synthesis
from tests.support.temporal import dev_server
from tests.support.world import history, world
from theseus import tracing
from theseus.activities.llm.scripted.server import ScriptedModel

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
BEGINS = ("workflow_execution_started", "activity_task_scheduled", "start_child_workflow_execution_initiated")


def headers_of(events: Iterable[HistoryEvent]) -> list[tuple[str, str]]:
    """Which event begins something, and the header that goes with it."""
    found: list[tuple[str, str]] = []
    for event in events:
        kind = event.WhichOneof("attributes") or ""
        if kind.removesuffix("_event_attributes") in BEGINS:
            fields = getattr(event, kind).header.fields
            found.append((kind, fields[tracing.HEADER].data.decode() if tracing.HEADER in fields else ""))
    return found


async def run(door: Gateway, headers: dict[str, str], **task: Any) -> str:
    answer = await door.http.post("/api/v1/tasks", json={"query": "Two things", **task}, headers=headers)
    task_id = answer.json()["task_id"]
    await door.world.client.get_workflow_handle(task_id).result()
    return task_id


async def test_a_trace_reaches_all_that_a_task_starts(door: Gateway) -> None:
    door.world.model.replace({"rules": [plans(subtask("a"), subtask("b")), does("a"), does("b"), synthesis("so")]})
    task_id = await run(door, {"traceparent": PARENT}, mode="standard")
    client = door.world.client
    begun = headers_of(await history(client.get_workflow_handle(task_id)))
    children = [event async for event in client.list_workflows(f"ParentWorkflowId = '{task_id}'")]
    for child in children:
        begun += headers_of(await history(client.get_workflow_handle(child.id)))
    assert len(children) == 2 and {kind for kind, _ in begun} == {f"{kind}_event_attributes" for kind in BEGINS}
    assert {header for _, header in begun} == {f'{{"traceparent":"{PARENT}"}}'}


async def test_a_trace_goes_on_in_a_new_history(model: ScriptedModel, tmp_path: Path) -> None:
    many = [recruit("ann"), assign("ann", "work 0")]
    last = {"when": {"system": LEAD}, "reply": {"json": {"thought": "", "actions": [finish("done")]}}}
    work = {"when": {"last_user": "^work"}, "reply": {"text": "found"}}
    model.replace({"rules": [*leads(many, *([assign("ann", f"work {n}")] for n in range(1, 12))), last, work]})
    suggests = ("--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=40")
    async with (
        dev_server(*suggests) as env,
        world(env.client, model, tmp_path) as there,
        gateway(there, tmp_path) as door,
    ):
        task_id = await run(door, {"traceparent": PARENT}, mode="supervisor")
        handle = env.client.get_workflow_handle(task_id)
        begun = headers_of(await history(handle))
        assert (await handle.describe()).run_id != (await first_run(env.client, task_id)), "it never went on anew"
    assert begun and all(header for _, header in begun)


async def first_run(client: Any, task_id: str) -> str:
    runs = [each async for each in client.list_workflows(f"WorkflowId = '{task_id}'")]
    return min(runs, key=lambda each: each.start_time).run_id


async def test_log_lines_of_requests_and_activities_say_the_trace(
    door: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[str] = set()

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said = structlog.contextvars.get_contextvars()
            seen.add(f"{record.name} {said.get('trace_id')}")

    class Deaf:
        async def publish(self, *_: object, **__: object) -> int:
            logging.getLogger("test.activity").warning("in an activity")
            return 0

    listening = Listening()
    logging.getLogger().addHandler(listening)
    monkeypatch.setattr(type(door.world.stores.events), "publish", Deaf.publish)
    try:
        await run(door, {"traceparent": PARENT}, mode="simple")
        assert f"test.activity {TRACE}" in seen
        await run(door, {}, mode="simple")
        assert "test.activity None" in seen
    finally:
        logging.getLogger().removeHandler(listening)


@pytest.mark.parametrize(
    "given", ["", "nonsense", PARENT.upper(), f"{PARENT}-more", f"00-{'0' * 32}-00f067aa0ba902b7-01", f"ff{PARENT[2:]}"]
)
async def test_what_is_no_trace_is_left_out_and_costs_nothing(door: Gateway, given: str) -> None:
    task_id = await run(door, {"traceparent": given}, mode="simple")
    begun = headers_of(await history(door.world.client.get_workflow_handle(task_id)))
    assert begun and {header for _, header in begun} == {""}


@pytest.mark.parametrize(
    "data", [b"\xff", b'"a word"', b'{"traceparent": 5}', b"[1]", b"null", b'{"traceparent": null}']
)
def test_a_header_that_others_wrote_wrongly_is_no_trace(data: bytes) -> None:
    payload = Payload(metadata={"encoding": b"json/plain"}, data=data)
    assert tracing.found({tracing.HEADER: payload}) is None
