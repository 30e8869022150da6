"""A caller's trace goes with its task: from the request into the workflow, its children and activities, and every log line.

The header is the one that Temporal's OpenTelemetry interceptors write, so that the trace of a gateway in any language that
uses them is found, too. Without such a header nothing is added to a history.
"""

import re
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, NoReturn

import structlog
from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, OutboundInterceptor, StartWorkflowInput, WorkflowHandle
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.converter import DataConverter
from temporalio.worker import (
    ActivityInboundInterceptor,
    ContinueAsNewInput,
    ExecuteActivityInput,
    Interceptor,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

HEADER = "_tracer-data"
TRACEPARENT = "traceparent"
MOST_HEADER_BYTES = 4096
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_CONVERTER = DataConverter.default.payload_converter

current: ContextVar[str | None] = ContextVar("traceparent", default=None)
"""The `traceparent` of the request that is answered."""

Headers = Mapping[str, Payload]


def traceparent(value: str | None) -> str | None:
    """A W3C trace context's `traceparent`, when it is one."""
    return value if value is not None and _TRACEPARENT.fullmatch(value) else None


def trace_id(value: str) -> str:
    """The trace that a `traceparent` belongs to, 32 hexadecimal digits."""
    return value.split("-")[1]


def carrying(client: Client) -> Client:
    """A client that gives the trace of the current request to what it starts."""
    trace = current.get()
    if trace is None:
        return client
    config = client.config()
    config["interceptors"] = [*config["interceptors"], _Giving(trace)]
    return Client(**config)


class Tracing(Interceptor):
    """Passes the trace of a task on to all that it does, and tells it to the log."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """See the SDK."""
        return _Activity(next)

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        """See the SDK."""
        del input
        return _Workflow


class _Giving(ClientInterceptor):
    def __init__(self, trace: str) -> None:
        super().__init__()
        self.trace = trace

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return _Start(next, self.trace)


class _Start(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, trace: str) -> None:
        super().__init__(next)
        self._trace = trace

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        made = _CONVERTER.to_payloads([{TRACEPARENT: self._trace}])[0]
        input.headers = {**input.headers, HEADER: made}
        return await super().start_workflow(input)


class _Activity(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        trace = found(input.headers)
        if trace is None:
            return await super().execute_activity(input)
        with structlog.contextvars.bound_contextvars(trace_id=trace_id(trace)):
            return await super().execute_activity(input)


class _Workflow(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_PassingOn(outbound))


class _PassingOn(WorkflowOutboundInterceptor):
    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
        input.headers = _with_ours(input.headers)
        return super().start_activity(input)

    def start_local_activity(self, input: StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
        input.headers = _with_ours(input.headers)
        return super().start_local_activity(input)

    async def start_child_workflow(self, input: StartChildWorkflowInput) -> workflow.ChildWorkflowHandle[Any, Any]:
        input.headers = _with_ours(input.headers)
        return await super().start_child_workflow(input)

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        input.headers = _with_ours(input.headers)
        super().continue_as_new(input)


def _with_ours(headers: Headers) -> Headers:
    ours = workflow.info().headers.get(HEADER)
    return headers if ours is None or ours.ByteSize() > MOST_HEADER_BYTES else {**headers, HEADER: ours}


def found(headers: Headers) -> str | None:
    """The `traceparent` in a header that anybody may have written."""
    payload = headers.get(HEADER)
    if payload is None or payload.ByteSize() > MOST_HEADER_BYTES:
        return None
    try:
        (carrier,) = _CONVERTER.from_payloads([payload], [dict[str, str]])
    except (RuntimeError, ValueError, KeyError, TypeError):
        return None
    return traceparent(carrier.get(TRACEPARENT))
