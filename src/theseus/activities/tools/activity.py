"""The activity that runs a tool call: tells of it, keeps its timeout, and cuts what is too long for a history."""

import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from pydantic import JsonValue
from pydantic_core import from_json
from temporalio import activity

from theseus.activities.heartbeat import heartbeating
from theseus.activities.tools.registry import Outcome, Registry, ToolContext, ToolError
from theseus.contracts.events import Event, ToolCallFacts, ToolInvoked
from theseus.contracts.messages import Head
from theseus.contracts.session import SessionKey
from theseus.contracts.tools import ToolRequest, ToolResult
from theseus.domain.telling import observed, shown_arguments
from theseus.domain.transcript import unfold
from theseus.stores.ports import ArtifactStore, EventLog, StoreDownError, TranscriptStore

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
        transcripts: has the facts that the caller gave the task.
        events: is told when a call starts and ends; a log that is down is no reason not to run it.
    """

    def __init__(
        self, registry: Registry, artifacts: ArtifactStore, transcripts: TranscriptStore, events: EventLog
    ) -> None:
        self._registry = registry
        self._artifacts = artifacts
        self._transcripts = transcripts
        self._events = events

    @activity.defn(name="tool.run")
    async def run(self, request: ToolRequest) -> ToolResult:
        """Runs one call. A tool that fails, or does not exist, is a result with `is_error`, never a failed activity."""
        async with heartbeating():
            await self._tell(_invoked(request))
            began = time.monotonic()
            outcome = await self._registry.run(request.call, self._context(request))
            result = await self._cut(request, outcome)
            result = result.model_copy(update={"duration_ms": round((time.monotonic() - began) * 1000)})
            told = await self._tell(observed(request, result, _sound(outcome.text), datetime.now(UTC)))
            return result if told else result.model_copy(update={"untold": True})

    def _context(self, request: ToolRequest) -> ToolContext:
        return ToolContext(
            session=request.ref.session,
            task_id=request.ref.task_id,
            idempotency_key=request.idempotency_key,
            agent=request.ref.agent,
            research=request.research,
            read_facts=self._facts_of(request),
        )

    def _facts_of(self, request: ToolRequest) -> Callable[[], Awaitable[dict[str, JsonValue]]]:
        async def read() -> dict[str, JsonValue]:
            if request.given is not None:
                return request.given
            try:
                nodes = await self._transcripts.get(f"{request.ref.task_id}:{request.ref.agent}")
            except StoreDownError as error:
                raise ToolError(
                    "What the task was given cannot be read now. Try again, or go on without it."
                ) from error
            found = unfold(nodes, request.head)
            return context_of(found[0]) if found is not None else {}

        return read

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


def context_of(head: Head) -> dict[str, JsonValue]:
    """What a tool may know of the facts of a conversation: what the task's caller gave, without system prompts.

    Unknown keys of the caller's context are there by their names, and `prompt_params` under its own.
    """
    given = head.facts.get("context")
    params = head.facts.get("prompt_params")
    context = dict(given) if isinstance(given, dict) else {}
    if isinstance(params, dict):
        context["prompt_params"] = params
    return context


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
