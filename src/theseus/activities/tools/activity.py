"""The activity that runs a tool call: tells of it, keeps its timeout, and cuts what is too long for a history."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from pydantic import JsonValue
from pydantic_core import from_json
from temporalio import activity

from theseus.activities.heartbeat import heartbeating
from theseus.activities.inputs import InputDownError
from theseus.activities.tools.registry import Outcome, Registry, ToolContext
from theseus.contracts.events import Event, ToolCallFacts, ToolInvoked
from theseus.contracts.session import SessionKey
from theseus.contracts.task import TaskContext
from theseus.contracts.tools import ToolRequest, ToolResult
from theseus.domain.shared import values_of
from theseus.domain.telling import observed, shown_arguments
from theseus.stores.ports import ArtifactStore, EventLog, StoreDownError

_log = logging.getLogger("theseus.tools")

INLINE_CHARS = 12_000
"""Longer text is cut to its head and tail."""
HEAD_CHARS = 4_000
TAIL_CHARS = 2_000
SHOWN_CHARS = 2_000
"""So much of parameters and results goes into events."""


class ToolActivities:
    """Tool calls of workflows.

    Args:
        registry: the tools.
        artifacts: keeps what is too long to be shown.
        context: gives the context of a task from its input, by the task's id.
        events: is told when a call starts and ends; a log that is down is no reason not to run it.
    """

    def __init__(
        self,
        registry: Registry,
        artifacts: ArtifactStore,
        context: Callable[[str], Awaitable[TaskContext]],
        events: EventLog,
    ) -> None:
        self._registry = registry
        self._artifacts = artifacts
        self._context = context
        self._events = events

    @activity.defn(name="tool.run")
    async def run(self, request: ToolRequest) -> ToolResult:
        """Runs one call. A tool that fails, or does not exist, is a result with `is_error`, never a failed activity."""
        async with heartbeating():
            await self._tell(_invoked(request))
            began = time.monotonic()
            outcome = await self._called(request)
            result = await self._cut(request, outcome)
            result = result.model_copy(update={"duration_ms": round((time.monotonic() - began) * 1000)})
            told = await self._tell(observed(request, result, _sound(outcome.text), datetime.now(UTC)))
            return result if told else result.model_copy(update={"untold": True})

    async def _called(self, request: ToolRequest) -> Outcome:
        try:
            given = await self._given(request)
        except InputDownError as error:
            _log.warning("a tool was not run: %s", error)
            return Outcome("It was not run: what the task was given cannot be read now. Try again.", is_error=True)
        context = ToolContext(
            session=request.ref.session,
            task_id=request.ref.task_id,
            idempotency_key=request.idempotency_key,
            agent=request.ref.agent,
            research=request.research,
            given=given,
        )
        return await self._registry.run(request.call, context)

    async def _given(self, request: ToolRequest) -> Mapping[str, JsonValue]:
        if not request.is_context_in_input:
            return request.context
        return {**values_of(await self._context(request.ref.task_id)), **request.context}

    async def _cut(self, request: ToolRequest, outcome: Outcome) -> ToolResult:
        text = _sound(outcome.text)
        made = ToolResult(
            call_id=request.call.id,
            name=request.call.name,
            text=text if len(text) <= INLINE_CHARS else "",
            is_error=outcome.is_error,
            size_bytes=len(text.encode()),
            cards=outcome.cards,
            queue=outcome.queue,
        )
        if made.text or not text:
            return made
        artifact_id, where = await self._keep(request.ref.session, text)
        return made.model_copy(update={"artifact_id": artifact_id, "text": _head_and_tail(text, where)})

    async def _keep(self, key: SessionKey, text: str) -> tuple[str | None, str]:
        """The artifact's id, if it could be kept, and what the model is told of the part that it does not see."""
        try:
            artifact_id = await self._artifacts.put(key, text)
        except StoreDownError as error:
            _log.warning("a tool's output could not be kept: %s", error)
            return None, "they are lost, because the store of long texts cannot be reached now"
        except ValueError as error:
            return None, f"they are lost: {error}"
        return artifact_id, f'read them with read_artifact, artifact_id "{artifact_id}", from offset {HEAD_CHARS}'

    async def _tell(self, event: Event) -> bool:
        try:
            await self._events.publish(event.workflow_id, [event])
        except StoreDownError as error:
            _log.warning("%s of task %s could not be told: %s", event.type, event.workflow_id, error)
            return False
        return True


def _head_and_tail(text: str, where: str) -> str:
    left_out = len(text) - HEAD_CHARS - TAIL_CHARS
    note = f"[{left_out} of {len(text)} characters are left out here: {where}]"
    return f"{text[:HEAD_CHARS]}\n\n{note}\n\n{text[-TAIL_CHARS:]}"


def _sound(text: str) -> str:
    """The text without lone surrogates, which no JSON and no store can carry."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="replace").decode()
    return text


def _invoked(request: ToolRequest) -> ToolInvoked:
    call = request.call
    return ToolInvoked(
        workflow_id=request.ref.task_id,
        agent_id=request.ref.agent,
        message=call.name,
        timestamp=datetime.now(UTC),
        key=f"{request.ref.agent}:{request.step}:invoked",
        payload=ToolCallFacts(tool=call.name, call_id=call.id, params=_shown(shown_arguments(call))),
    )


def _shown(arguments: str) -> JsonValue:
    if len(arguments) > SHOWN_CHARS:
        return arguments[:SHOWN_CHARS]
    try:
        # unlike the standard library's, this reader refuses lone surrogates, which no event log can carry
        return from_json(arguments)
    except ValueError:
        return arguments
