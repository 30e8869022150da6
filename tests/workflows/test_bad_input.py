"""Bad input is refused before any model call, closes the workflow as Failed with a typed error, and leaves the session alone."""

import uuid
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from tests.support.world import World, activities_of, history
from theseus.contracts.session import SessionKey
from theseus.contracts.task import TaskStatus


@pytest.mark.parametrize(
    ("keys", "type_", "field"),
    [
        ({"query": ""}, "InvalidInput", "query"),
        ({"query": "x" * 10_001}, "InvalidInput", "query"),
        ({"mode": "fast"}, "InvalidInput", "mode"),
        ({"model_tier": "huge"}, "InvalidInput", "model_tier"),
        ({"max_iterations": 99}, "InvalidInput", "max_iterations"),
        ({"surprise": 1}, "InvalidInput", "surprise"),
        ({"context": {"template": "a", "template_name": "a"}}, "InvalidInput", "context.template_name"),
        ({"context": {"template": "a", "disable_ai": True}, "model_tier": "small"}, "InvalidInput", "model_tier"),
        ({"model_override": "no-such-model"}, "InvalidInput", "model_override"),
        ({"provider_override": "no-such-provider"}, "InvalidInput", "provider_override"),
        ({"workflow": "TemplateWorkflow"}, "InvalidInput", "context.template"),
    ],
)
async def test_what_breaks_a_rule_fails_with_its_field_named(
    there: World, keys: dict[str, Any], type_: str, field: str
) -> None:
    keys = {"query": "x", "session_id": "s-1", **keys}
    handle = await there.start(**keys)
    with pytest.raises(WorkflowFailureError) as info:
        await handle.result()
    cause = info.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.type == type_
    assert field in str(cause)
    result = await there.result(handle)
    assert result.error is not None and result.error.field == field
    assert there.model.requests == []
    assert activities_of(await history(handle)) == []
    assert (await there.stores.sessions.load(SessionKey(session_id="s-1"), 10)).heads == ()
    assert [e.event.type for e in await there.events(handle.id)] == ["WORKFLOW_FAILED", "STREAM_END"]


@pytest.mark.parametrize("raw", [None, "hello", 5, ["x"]])
async def test_input_of_another_shape_fails_the_task_not_the_worker(there: World, raw: Any) -> None:
    handle = await there.client.start_workflow(
        "SimpleWorkflow", raw, id=f"shape-{raw!s}", task_queue=there.settings.task_queue
    )
    result = await there.result(handle)
    assert result.error is not None and result.error.type == "InvalidInput"


async def test_a_start_without_any_input_fails_the_same_way(there: World) -> None:
    handle = await there.client.start_workflow("SimpleWorkflow", id="no-input", task_queue=there.settings.task_queue)
    result = await there.result(handle)
    assert result.error is not None and "query" in result.error.message


async def test_more_than_a_mebibyte_is_refused(there: World) -> None:
    result = await there.run("x", context={"blob": "y" * 1_100_000})
    assert result.error is not None and "1,048,576" in result.error.message


async def test_a_failed_task_is_closed_as_failed(there: World) -> None:
    handle = await there.start("")
    await there.result(handle)
    assert (await handle.describe()).status is WorkflowExecutionStatus.FAILED


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b'\xef\xbb\xbf{"query": "with a mark"}', id="a byte order mark is no fault"),
        pytest.param(b'{"query": "my private question', id="half a document"),
        pytest.param(b"\xff\xfe{}", id="another encoding"),
        pytest.param(
            b'{"query": "x", "context": {"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}", id="nested too deeply"
        ),
        pytest.param(b'{"query": "private \\ud800"}', id="half a character"),
        pytest.param(b'{"query": "x", "limits": {"tokens": ' + b"9" * 5000 + b"}}", id="a number of 5000 digits"),
    ],
)
async def test_bytes_that_no_converter_reads_fail_the_task_with_its_stream_ended_and_nothing_quoted(
    there: World, data: bytes
) -> None:
    handle = await there.client.start_workflow(
        "SimpleWorkflow",
        RawValue(Payload(metadata={"encoding": b"json/plain"}, data=data)),
        id=f"odd-{uuid.uuid4()}",
        task_queue=there.settings.task_queue,
    )
    result = await there.result(handle)
    if b"with a mark" in data:
        assert result.status is TaskStatus.COMPLETED
        return
    assert result.error is not None and result.error.type == "InvalidInput"
    assert "private" not in result.error.message
    assert [stored.event.type for stored in await there.events(handle.id)][-1] == "STREAM_END"
