"""Pause, resume, cancel, reviews and messages: what people may ask of a running task.

Built in a workflow's constructor, it registers its own signal, query and Update handlers.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from temporalio import workflow
from temporalio.exceptions import ApplicationError

from theseus.contracts import control as names
from theseus.contracts.control import (
    ControlMemory,
    ControlReason,
    ControlState,
    MessageToTask,
    Progress,
    UpdateReceipt,
)
from theseus.contracts.events import PausedFacts, WorkflowControl
from theseus.workflows import steps
from theseus.workflows.milestones import Milestones
from theseus.workflows.together import give_way

Forward = Callable[[str, BaseModel], Awaitable[None]]


async def _to_nobody(_name: str, _payload: BaseModel) -> None:
    return


class Hearing(StrEnum):
    """Who reads what people say to the task: its one agent or lead, all agents at work, or nobody any more."""

    ONE = "one"
    AGENTS = "agents"
    NOBODY = "nobody"


class Control:
    """The control state of one task."""

    def __init__(self, milestones: Milestones, progress: Callable[[], Progress]) -> None:
        self.state = ControlState()
        self.is_open = True
        self.hears = Hearing.ONE
        self.said: list[str] = []
        self._milestones = milestones
        self._inbox: list[MessageToTask] = []
        self._received: set[str] = set()
        self._held_since: datetime | None = None
        self._on_change: Callable[[], None] = lambda: None
        self._forward: Forward = _to_nobody
        workflow.set_signal_handler(names.SIGNAL_PAUSE, self._pause)
        workflow.set_signal_handler(names.SIGNAL_RESUME, self._resume)
        workflow.set_signal_handler(names.SIGNAL_CANCEL, self._cancel)
        workflow.set_query_handler(names.QUERY_CONTROL_STATE, lambda: self.state)
        workflow.set_query_handler(names.QUERY_PROGRESS, progress)
        workflow.set_update_handler(names.UPDATE_SEND_MESSAGE, self._message, validator=self._check_message)
        workflow.set_signal_handler(names.SIGNAL_TOLD, self._told)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Calls `listener` whenever the task is held or goes on."""
        self._on_change = listener

    def forward_to(self, forward: Forward) -> None:
        """Hands pauses and resumes on to whoever works for this task."""
        self._forward = forward

    def hold(self) -> None:
        """This agent starts while its task is paused."""
        self.state = self.state.model_copy(update={"is_paused": True, "paused_at": steps.now()})

    async def checkpoint(self, name: str) -> None:
        """Passes, or holds while the task is paused; stops what was asked to stop."""
        give_way()
        self.state = self.state.model_copy(update={"checkpoint": name})
        if not self.state.is_paused:
            return
        if self._held_since != self.state.paused_at:
            # several calls of one reply are held at the same place: it is told once
            self._held_since = self.state.paused_at
            self._tell("WORKFLOW_PAUSED", self.state.pause_reason, self.state.paused_by)
        self._on_change()
        await self._milestones.flush()
        await workflow.wait_condition(lambda: not self.state.is_paused)
        self._on_change()

    def memory(self) -> ControlMemory:
        """What the next run of this workflow has to know."""
        return ControlMemory(
            state=self.state,
            inbox=tuple(self._inbox),
            received=tuple(sorted(self._received)),
            said=tuple(self.said),
        )

    def remember(self, memory: ControlMemory) -> None:
        """Goes on where an earlier run of this workflow stopped."""
        self.state = memory.state
        self._inbox = list(memory.inbox)
        self._received = set(memory.received)
        self.said = list(memory.said)

    async def cancelled(self) -> None:
        """Returns when the signal `cancel` came."""
        await workflow.wait_condition(lambda: self.state.is_cancelled)

    def close(self) -> None:
        """The task, or the agent, has ended: nothing holds it any more, and nothing can be asked of it."""
        self.is_open = False
        self.state = self.state.model_copy(update={"is_paused": False, "paused_at": None})

    def tell_all(self) -> None:
        """From now on messages are for all agents; what was said before any was at work is for all of them too."""
        self.hears = Hearing.AGENTS
        self.said += [message.text for message in self.take_messages()]

    def tell_nobody(self) -> None:
        """From now on nobody reads messages any more: they are refused."""
        self.hears = Hearing.NOBODY

    def take_messages(self) -> list[MessageToTask]:
        """What people said since the last call."""
        taken, self._inbox = self._inbox, []
        return taken

    @property
    def has_messages(self) -> bool:
        """Whether someone said something that no agent has seen."""
        return bool(self._inbox)

    async def _pause(self, payload: Any = None) -> None:
        if self.state.is_paused or self.state.is_cancelled or not self.is_open:
            return
        reason = _reason(payload)
        self.state = self.state.model_copy(
            update={
                "is_paused": True,
                "paused_at": steps.now(),
                "pause_reason": reason.reason,
                "paused_by": reason.requested_by,
            }
        )
        self._tell("WORKFLOW_PAUSING", reason.reason, reason.requested_by)
        self._on_change()
        await self._forward(names.SIGNAL_PAUSE, reason)
        await self._milestones.flush()

    async def _resume(self, payload: Any = None) -> None:
        if not self.state.is_paused or not self.is_open:
            return
        reason = _reason(payload)
        self.state = self.state.model_copy(
            update={"is_paused": False, "paused_at": None, "pause_reason": "", "paused_by": ""}
        )
        self._tell("WORKFLOW_RESUMED", reason.reason, reason.requested_by)
        self._on_change()
        await self._forward(names.SIGNAL_RESUME, reason)
        await self._milestones.flush()

    async def _cancel(self, payload: Any = None) -> None:
        if self.state.is_cancelled or not self.is_open:
            return
        reason = _reason(payload)
        self.state = self.state.model_copy(
            update={"is_cancelled": True, "cancel_reason": reason.reason, "cancelled_by": reason.requested_by}
        )
        self._tell("WORKFLOW_CANCELLING", reason.reason, reason.requested_by)
        await self._milestones.flush()

    def _check_message(self, payload: Any = None) -> None:
        message = valid(MessageToTask, payload)
        if message.message_id in self._received:
            return
        if not self.is_open or self.hears is Hearing.NOBODY:
            raise refused("TaskClosing", "nobody reads it any more: the task gives its answer; send a new task")

    async def _message(self, payload: Any = None) -> UpdateReceipt:
        message = MessageToTask.model_validate(payload)
        if message.message_id in self._received:
            return UpdateReceipt(accepted=True, detail="received before")
        self._received.add(message.message_id)
        if self.hears is Hearing.AGENTS:
            self.said.append(message.text)
            await self._forward(names.SIGNAL_TOLD, message)
            return UpdateReceipt(accepted=True, detail="the agents read it before their next model calls")
        self._inbox.append(message)
        return UpdateReceipt(accepted=True, detail="the agent reads it before its next model call")

    def _told(self, payload: Any = None) -> None:
        message = told_as(MessageToTask, payload)
        if message is not None and message.message_id not in self._received:
            self._received.add(message.message_id)
            self._inbox.append(message)

    def _tell(self, kind: str, reason: str, requested_by: str) -> None:
        facts = PausedFacts(checkpoint=self.state.checkpoint, reason=reason, requested_by=requested_by)
        self._milestones.tell(WorkflowControl, type=kind, message=reason, payload=facts)


Shape = TypeVar("Shape", bound=BaseModel)


def told_as(shape: type[Shape], payload: Any) -> Shape | None:
    """A signal between a task and its agents; None, and a line in the log, for one that has not come from either."""
    try:
        return shape.model_validate(payload)
    except ValidationError:
        workflow.logger.warning("a signal that is no %s was dropped", shape.__name__)
        return None


def _reason(payload: Any) -> ControlReason:
    # any gateway sends signals, in any shape; what cannot be read still means what the signal's name says
    try:
        return ControlReason.model_validate(payload or {})
    except ValidationError:
        return ControlReason(reason=str(payload)[:500])


def valid(kind: type[Shape], payload: Any) -> Shape:
    """The payload of an Update.

    Raises:
        ApplicationError: it does not fit, in words for whoever sent it.
    """
    try:
        return kind.model_validate(payload)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'payload'}: {e['msg']}" for e in error.errors())
        raise refused("InvalidUpdate", problems) from error


def refused(kind: str, message: str) -> ApplicationError:
    """Why an Update is not accepted."""
    return ApplicationError(message, type=kind, non_retryable=True)
