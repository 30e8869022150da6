"""The door to other workflows: agents are started, signalled and awaited here, and nowhere else."""

from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ValidationError
from temporalio import workflow
from temporalio.exceptions import ApplicationError, CancelledError, ChildWorkflowError, FailureError

from theseus.contracts.agent import AgentReport, Assignment
from theseus.contracts.control import AGENT_WORKFLOW
from theseus.contracts.errors import ErrorType, StepFailed
from theseus.workflows import steps
from theseus.workflows.together import give_way

LONGEST = timedelta(days=90)
"""An agent ends with its task; this bounds one whose task was terminated without asking its children."""


class Child:
    """One agent under way."""

    def __init__(self, handle: workflow.ChildWorkflowHandle[Any, Any]) -> None:
        self._handle = handle

    async def report(self) -> AgentReport:
        """What the agent came back with, its failure included.

        Raises:
            StepFailed: somebody other than its task ended it, and it left no report.
            asyncio.CancelledError: its task stopped it.
        """
        try:
            return await self._handle
        except ChildWorkflowError as error:
            give_way()
            if isinstance(error.cause, CancelledError):
                raise StepFailed(ErrorType.INTERNAL, "the agent was cancelled from outside") from error
            left = _left_behind(error.cause)
            if left is None:
                raise StepFailed(ErrorType.INTERNAL, f"the agent was ended from outside ({error.cause})") from error
            return left

    async def signal(self, name: str, payload: BaseModel) -> bool:
        """Signals the agent; False when it is over."""
        return await _delivered(self._handle.signal(name, payload))


async def start_agent(assignment: Assignment, *, workflow_id: str, summary: str) -> Child:
    """Starts an agent with a history of its own, which ends when its task does.

    Raises:
        StepFailed: another workflow has its id.
    """
    try:
        handle = await workflow.start_child_workflow(
            AGENT_WORKFLOW,
            assignment,
            id=workflow_id,
            result_type=AgentReport,
            cancellation_type=workflow.ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
            parent_close_policy=workflow.ParentClosePolicy.REQUEST_CANCEL,
            execution_timeout=LONGEST,
            priority=steps.priority(),
            static_summary=summary[:200],
        )
    except FailureError as error:
        give_way()
        raise StepFailed(ErrorType.INTERNAL, f"the agent {workflow_id} could not be started: {error}") from error
    return Child(handle)


async def signal_parent(name: str, payload: BaseModel) -> bool:
    """Signals the task that started this agent; False when there is none any more."""
    parent = workflow.info().parent
    if parent is None:
        return False
    return await _delivered(workflow.get_external_workflow_handle(parent.workflow_id).signal(name, payload))


async def _delivered(signal: Awaitable[None]) -> bool:
    try:
        await signal
    except FailureError:
        return False
    finally:
        give_way()
    return True


def _left_behind(cause: BaseException | None) -> AgentReport | None:
    if not isinstance(cause, ApplicationError) or not cause.details:
        return None
    try:
        return AgentReport.model_validate(cause.details[0])
    except ValidationError:
        return None
