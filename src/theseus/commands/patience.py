"""How long a command waits for Temporal: no call of it goes on in silence, but the wait for a task's end."""

from datetime import timedelta
from typing import Any

from temporalio.client import (
    DescribeWorkflowInput,
    FetchWorkflowHistoryEventsInput,
    Interceptor,
    OutboundInterceptor,
    QueryWorkflowInput,
    SignalWorkflowInput,
    StartWorkflowInput,
    StartWorkflowUpdateInput,
    WorkflowExecutionDescription,
    WorkflowHandle,
    WorkflowHistoryEventAsyncIterator,
    WorkflowUpdateHandle,
)

PATIENCE = timedelta(seconds=10)
"""How long Temporal may take to let a command in, and for each call whose own time is not said."""


class Patient(Interceptor):
    """Gives every call of a client a time, after which it fails with an RPCError."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        """See the SDK."""
        return _Timed(next)


class _Timed(OutboundInterceptor):
    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        input.rpc_timeout = input.rpc_timeout or PATIENCE
        return await super().start_workflow(input)

    async def describe_workflow(self, input: DescribeWorkflowInput) -> WorkflowExecutionDescription:
        input.rpc_timeout = input.rpc_timeout or PATIENCE
        return await super().describe_workflow(input)

    def fetch_workflow_history_events(
        self, input: FetchWorkflowHistoryEventsInput
    ) -> WorkflowHistoryEventAsyncIterator:
        if not input.wait_new_event:
            input.rpc_timeout = input.rpc_timeout or PATIENCE
        return super().fetch_workflow_history_events(input)

    async def query_workflow(self, input: QueryWorkflowInput) -> Any:
        input.rpc_timeout = input.rpc_timeout or PATIENCE
        return await super().query_workflow(input)

    async def signal_workflow(self, input: SignalWorkflowInput) -> None:
        input.rpc_timeout = input.rpc_timeout or PATIENCE
        await super().signal_workflow(input)

    async def start_workflow_update(self, input: StartWorkflowUpdateInput) -> WorkflowUpdateHandle[Any]:
        input.rpc_timeout = input.rpc_timeout or PATIENCE
        return await super().start_workflow_update(input)
