"""THE DOOR: the only place where deterministic code reaches the world.

Timeouts, retries, activity names live here once. What fails for good raises StepFailed, what is cancelled CancelledError.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel
from temporalio import workflow
from temporalio.common import Priority, RetryPolicy, SearchAttributeKey, SearchAttributeUpdate
from temporalio.exceptions import ActivityError, CancelledError, FailureError, TimeoutError, TimeoutType

from theseus.activities.archive import ArchiveActivities
from theseus.activities.attachments import AttachmentActivities
from theseus.activities.events import EventActivities
from theseus.activities.library.activity import LibraryActivities
from theseus.activities.llm.activity import LLMActivities
from theseus.activities.memory import MemoryActivities
from theseus.activities.sessions import SessionActivities
from theseus.activities.tasks import TaskActivities
from theseus.activities.tools.activity import ToolActivities
from theseus.contracts.archive import TaskRecord
from theseus.contracts.attachments import StoreAttachments, StoredAttachments
from theseus.contracts.control import SCHEDULED_BY, SEARCH_ATTRIBUTES
from theseus.contracts.errors import ErrorType
from theseus.contracts.events import Event, EventBatch
from theseus.contracts.facts import Facts, FactsRequest
from theseus.contracts.memory import KeepRequest, Kept, Recalled, RecallRequest
from theseus.contracts.messages import LLMReply, LLMRequest, TranscriptPart
from theseus.contracts.session import LoadSession, SaveSummary, SessionKey, SessionView, Turn
from theseus.contracts.skill import LoadedSkill, LoadSkill
from theseus.contracts.template import LoadedTemplate, LoadTemplate, Rendered, RenderRequest
from theseus.contracts.tools import Effect, ToolFacts, ToolRequest, ToolResult
from theseus.workflows.failing import give_up, is_cancelled

Asked = TypeVar("Asked")
Told = TypeVar("Told")

HEARTBEAT = timedelta(seconds=10)
"""A worker that is silent for so long is given up, and its work goes to another."""
MODEL_CALL = timedelta(minutes=15)
STORE_CALL = timedelta(seconds=15)
ATTACHMENTS = timedelta(minutes=5)  # ten PDFs that are hard to read, and the wait for a reader
SHORT_CALL = timedelta(seconds=3)
ARCHIVING = timedelta(seconds=20)  # many that end at once wait for each other where it is one file
RENDERING = timedelta(minutes=5)
"""For all texts of one step; each of them may take a few seconds at most."""
TOOL_MARGIN = timedelta(seconds=15)
THERE = timedelta(seconds=5)
"""A call waits so long for one certain worker to take it."""
LAST_WORDS = timedelta(seconds=60)
"""How long a finished task waits for an event log that is down."""

_PATIENT = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(seconds=60),
    non_retryable_error_types=[ErrorType.PAYLOADS_TOO_LARGE],
)
_BRIEF = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_attempts=3)
_ONCE = RetryPolicy(maximum_attempts=1)
_SOME = RetryPolicy(initial_interval=timedelta(milliseconds=500), backoff_coefficient=2.0, maximum_attempts=4)
"""Attempts are counted, not the time: what waits for a worker to come back is not given up."""

_fairness_key: ContextVar[str | None] = ContextVar("fairness_key", default=None)


def now() -> datetime:
    """The workflow's clock."""
    return workflow.now()


def started_at() -> datetime:
    """When the task began, in whichever history."""
    return workflow.info().workflow_start_time


def schedule_id() -> str | None:
    """The schedule that started the task, if one did."""
    return workflow.info().typed_search_attributes.get(SearchAttributeKey.for_keyword(SCHEDULED_BY))


def fresh_id() -> str:
    """A new unique id, the same in every replay."""
    return str(workflow.uuid4())


def task_id() -> str:
    """The task's id: this workflow's."""
    return workflow.info().workflow_id


def queue_under(fairness_key: str | None) -> None:
    """Names whom the task works for: all activities that follow take turns with those of others."""
    _fairness_key.set(fairness_key)


def priority() -> Priority:
    """Under which name activities and children queue."""
    # what the start gave is inherited by all; a gateway that gave nothing gets it here
    if workflow.info().priority.fairness_key:
        return Priority.default
    return Priority(fairness_key=_fairness_key.get())


def show(markdown: str) -> None:
    """Puts text into the details of this workflow, where the Temporal UI shows it live. Costs no history."""
    workflow.set_current_details(markdown)


def label(values: Mapping[str, str | int | float]) -> None:
    """Writes search attributes; call it once a phase, each call is an event."""
    workflow.upsert_search_attributes([_attribute(name, value) for name, value in values.items()])


def _attribute(name: str, value: str | int | float) -> SearchAttributeUpdate[Any]:
    match SEARCH_ATTRIBUTES[name]:
        case "Int":
            return SearchAttributeKey.for_int(name).value_set(int(value))
        case "Double":
            return SearchAttributeKey.for_float(name).value_set(float(value))
        case _:
            return SearchAttributeKey.for_keyword(name).value_set(str(value))


async def load_facts(request: FactsRequest) -> Facts:
    """What this worker knows: models, tools, attributes."""
    return await _known_here(TaskActivities.facts, request, "models and tools of this worker")


async def load_template(request: LoadTemplate) -> LoadedTemplate:
    """The template as it is now; it is recorded, so that later changes of its files do not reach this task."""
    return await _known_here(LibraryActivities.load, request, f"template {request.name}")


async def load_skill(request: LoadSkill) -> LoadedSkill:
    """The skill as it is now; it is recorded, as a template is."""
    return await _known_here(LibraryActivities.load_skill, request, f"skill {request.name}")


async def render(request: RenderRequest) -> Rendered:
    """Texts, filled in; what cannot be rendered is told by id."""
    summary = f"render {', '.join(text.id for text in request.texts)}"[:120]
    return await _known_here(LibraryActivities.render, request, summary, timeout=RENDERING, policy=_BRIEF)


async def cancel_this_task(reason: str) -> None:
    """Asks the server to cancel this workflow, and returns when the request is here."""
    asked = asyncio.create_task(
        workflow.execute_activity_method(
            TaskActivities.cancel,
            reason,
            start_to_close_timeout=STORE_CALL,
            retry_policy=_PATIENT,
            summary="ask the server to cancel",
            priority=priority(),
        )
    )
    try:
        await asyncio.shield(asked)
        await workflow.wait_condition(lambda: workflow.cancellation_reason() is not None)
    except asyncio.CancelledError:
        if workflow.cancellation_reason() is None:
            raise


def has_patch(name: str) -> bool:
    """Whether this task runs, or began, on code that has the named change; costs a history event where it is true."""
    return workflow.patched(name)


def is_history_long() -> bool:
    """Whether the server suggests that this workflow continues as new."""
    return workflow.info().is_continue_as_new_suggested()


def is_continued() -> bool:
    """Whether this run goes on for an earlier one of the same workflow."""
    return workflow.info().continued_run_id is not None


def is_agent_of_a_task() -> bool:
    """Whether another workflow started this one."""
    return workflow.info().parent is not None


def continue_as_new(*arguments: BaseModel) -> NoReturn:
    """Ends this run and goes on in a new one of the same workflow, with these arguments."""
    workflow.continue_as_new(args=list(arguments))


def is_cancel_requested() -> bool:
    """Whether the server has asked this workflow to cancel."""
    return workflow.cancellation_reason() is not None


async def publish(events: Sequence[Event]) -> bool:
    """Sends milestones to the event log, briefly tried; False when it is down."""
    try:
        await workflow.execute_local_activity_method(
            EventActivities.publish,
            EventBatch(events=list(events)),
            schedule_to_close_timeout=SHORT_CALL,
            retry_policy=_BRIEF,
            summary=", ".join(event.type for event in events)[:120],
        )
    except FailureError as error:
        if is_cancelled(error):
            raise asyncio.CancelledError from error
        return False
    return True


async def publish_last(events: Sequence[Event]) -> bool:
    """Sends a finished task's last milestones, waiting a while for an event log that is down."""
    if await publish(events):
        return True
    try:
        await workflow.execute_activity_method(
            EventActivities.publish,
            EventBatch(events=list(events)),
            start_to_close_timeout=STORE_CALL,
            schedule_to_close_timeout=LAST_WORDS,
            retry_policy=_PATIENT,
            summary="last events, the event log is down",
            priority=priority(),
        )
    except ActivityError:
        workflow.logger.warning("the last events of the task could not be published")
        return False
    return True


async def archive(record: TaskRecord) -> None:
    """Keeps an ended task, if it can: a gateway that asks for it later finds its end in Temporal."""
    try:
        await workflow.execute_local_activity_method(
            ArchiveActivities.keep,
            record,
            schedule_to_close_timeout=ARCHIVING,
            retry_policy=_BRIEF,
            summary="the task, for good",
        )
    except FailureError as error:
        workflow.logger.warning("the task was not archived: %s", error)


async def load_session(key: SessionKey, last: int) -> SessionView:
    """Heads of the session's last messages; waits while the store is down."""
    return await _asked(SessionActivities.load, LoadSession(key=key, last=last), f"last {last} messages", _Terms())


async def store_attachments(request: StoreAttachments) -> StoredAttachments:
    """Keeps what came with the task; waits while the store is down."""
    store = AttachmentActivities.store
    return await _asked(store, request, "attachments", _Terms(timeout=ATTACHMENTS, heartbeat=HEARTBEAT))


async def append_turn(turn: Turn, *, patience: timedelta) -> None:
    """Adds the turn to the session, once; waits for at most `patience` while the store is down."""
    await _asked(SessionActivities.append, turn, "the turn and its answer", _Terms(within=patience))


async def save_summary(save: SaveSummary) -> None:
    """Keeps a session's summary; a failure costs only the next turn a summary call."""
    try:
        await workflow.execute_activity_method(
            SessionActivities.save_summary,
            save,
            summary=f"summary of {save.summary.tokens} tokens",
            priority=priority(),
            start_to_close_timeout=STORE_CALL,
            schedule_to_close_timeout=LAST_WORDS,
            retry_policy=_PATIENT,
        )
    except ActivityError as error:
        if isinstance(error.cause, CancelledError):
            raise asyncio.CancelledError from error
        workflow.logger.warning("the session's summary was not kept; the next turn makes it anew")


async def recall_facts(request: RecallRequest) -> Recalled:
    """What is known of the task's user; a store that is down is not waited for."""
    summary = f"facts about the user, {request.room_tokens} tokens at most"
    return await _asked(MemoryActivities.recall, request, summary, _Terms(_BRIEF))


async def keep_facts(request: KeepRequest) -> Kept:
    """Adds a task's notes to its user's memory, once; a store that is down is tried for some seconds."""
    return await _asked(MemoryActivities.keep, request, f"{len(request.notes)} facts about the user", _Terms(_SOME))


async def complete(request: LLMRequest, *, patience: timedelta, summary: str) -> LLMReply:
    """One model call on one route, retried with growing waits for at most `patience`."""
    try:
        return await workflow.execute_activity_method(
            LLMActivities.complete,
            request,
            start_to_close_timeout=MODEL_CALL,
            schedule_to_close_timeout=patience,
            heartbeat_timeout=HEARTBEAT,
            retry_policy=_PATIENT,
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            summary=summary,
            priority=priority(),
        )
    except ActivityError as error:
        give_up(error)


async def restore(parts: Sequence[TranscriptPart]) -> bool:
    """Gives the transcript store back what it lost, part by part; False at once when it is down."""
    for part in parts:
        try:
            await workflow.execute_activity_method(
                LLMActivities.restore,
                part,
                start_to_close_timeout=STORE_CALL,
                retry_policy=_ONCE,
                summary=f"transcript part {part.part + 1} of {part.parts}",
                priority=priority(),
            )
        except ActivityError as error:
            if isinstance(error.cause, CancelledError):
                raise asyncio.CancelledError from error
            return False
    return True


async def run_tool(request: ToolRequest, facts: ToolFacts, *, summary: str, queue: str = "") -> ToolResult:
    """One tool call. What reads or may be repeated is tried again when its worker dies; a write runs once.

    `queue` is that of the worker which had better make it; when that is gone, any other does.
    """
    try:
        return await workflow.execute_activity_method(
            ToolActivities.run,
            request,
            task_queue=queue or None,
            schedule_to_start_timeout=THERE if queue else None,
            start_to_close_timeout=facts.timeout + TOOL_MARGIN,
            heartbeat_timeout=HEARTBEAT,
            retry_policy=_ONCE if facts.effect is Effect.WRITE else _BRIEF,
            summary=summary,
            priority=priority(),
        )
    except ActivityError as error:
        if queue and isinstance(error.cause, TimeoutError) and error.cause.type is TimeoutType.SCHEDULE_TO_START:
            # nobody took it, so it may be made elsewhere, whatever it does
            return await run_tool(request, facts, summary=summary)
        give_up(error)


async def _known_here(
    method: Callable[[Any, Asked], Awaitable[Told]],
    request: Asked,
    summary: str,
    *,
    timeout: timedelta = STORE_CALL,
    policy: RetryPolicy = _PATIENT,
) -> Told:
    """One question to the worker that runs this workflow."""
    try:
        return await workflow.execute_local_activity_method(
            method, request, start_to_close_timeout=timeout, retry_policy=policy, summary=summary
        )
    except FailureError as error:
        give_up(error)


@dataclass(frozen=True)
class _Terms:
    """How a store is asked: how often, how long each time, and how long in all."""

    retries: RetryPolicy = field(default_factory=lambda: _PATIENT)
    timeout: timedelta = STORE_CALL
    within: timedelta | None = None
    heartbeat: timedelta | None = None


async def _asked(method: Callable[[Any, Asked], Awaitable[Told]], request: Asked, summary: str, terms: _Terms) -> Told:
    """One question to a store."""
    try:
        return await workflow.execute_activity_method(
            method,
            request,
            start_to_close_timeout=terms.timeout,
            schedule_to_close_timeout=terms.within,
            heartbeat_timeout=terms.heartbeat,
            retry_policy=terms.retries,
            summary=summary,
            priority=priority(),
        )
    except ActivityError as error:
        give_up(error)
