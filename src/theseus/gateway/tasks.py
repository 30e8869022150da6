"""Tasks as callers see them: submitted, found, controlled. Starts workflows by name; knows whose a task is."""

import asyncio
import itertools
import json
import uuid
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue
from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
)
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

from theseus.client import Handle, is_unknown, result_of, start
from theseus.contracts.accepted import AcceptedTask
from theseus.contracts.archive import TaskRecord, Trigger
from theseus.contracts.control import (
    QUERY_CONTROL_STATE,
    QUERY_PROGRESS,
    TASK_WORKFLOW,
    WORKFLOW_OF_MODE,
    ControlState,
    Progress,
)
from theseus.contracts.errors import ErrorType, InvalidInput, TaskError
from theseus.contracts.task import Mode, TaskResult, TaskStatus
from theseus.domain.intake import Setting, accept
from theseus.gateway.asked import query_of
from theseus.gateway.callers import OPEN_TENANT, Caller
from theseus.gateway.refusals import Refusal
from theseus.gateway.runs import noticed
from theseus.gateway.told import logged
from theseus.roles.presets import PRESETS
from theseus.stores.archive.port import Archive, Ended, Page, TaskFilter
from theseus.stores.ports import EventLog

QUERY_TIMEOUT = timedelta(seconds=3)
STARTING = timedelta(minutes=1)
"""A task that Temporal does not know after so long was never started."""
AT_ONCE = 10
REPEATED = timedelta(hours=24)
"""How long a request that comes again with its idempotency key means the task that it made."""
_TASKS = uuid.UUID("6f1d3a52-7c0e-4b8e-9a45-2f0c1d7be913")
_WORKFLOWS = frozenset({TASK_WORKFLOW, *WORKFLOW_OF_MODE.values()})
"""The types of workflows that are tasks: all others in the namespace, agents of tasks among them, are nobody's here."""
_RUNNING = (WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.CONTINUED_AS_NEW)
_NO = (
    *(RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.FAILED_PRECONDITION),
    *(RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED, RPCStatusCode.UNIMPLEMENTED),
)
"""Answers by which Temporal itself refuses a start; after all others it may have taken it."""
CLOSING = timedelta(seconds=5)
"""How long a task that has told its end takes to close, at most."""
OURS = ("user_id", "tenant_id", "task_id")
"""Keys of a task that come with the caller and not in a request."""


@dataclass(frozen=True)
class Submitted:
    """A task that was taken; `is_new` is False when its id was used before."""

    task_id: str
    session_id: str
    created_at: datetime
    is_new: bool = True


@dataclass(frozen=True)
class Found:
    """A task, and where it stands while it runs, as far as a worker answers for it."""

    record: TaskRecord
    is_started: bool = True
    is_paused: bool = False
    progress: Progress | None = None


class Tasks:
    """What the gateway does with tasks.

    Args:
        temporal: the Temporal that runs them.
        archive: where they are kept for good.
        events: what they tell.
        task_queue: what the workers poll.
        providers: of models, by name, whether or not the workers have a key for them.
    """

    def __init__(
        self, temporal: Client, archive: Archive, events: EventLog, task_queue: str, providers: Collection[str]
    ) -> None:
        self._providers = providers
        self._temporal = temporal
        self._archive = archive
        self._events = events
        self._task_queue = task_queue

    async def submit(
        self, raw: JsonValue, caller: Caller, *, fingerprint: str | None = None, trigger: Trigger = "api"
    ) -> Submitted:
        """Checks a task by the rules that its workflow checks it by, keeps it, starts it.

        Args:
            raw: the request's body, as JSON.
            caller: whose task it is.
            fingerprint: of a request that may come again: within a day it means the task that it made.
            trigger: what it is started by.

        Raises:
            InvalidInput: a rule is broken.
            ArchiveDownError: nothing was started.
            RPCError: Temporal did not take it, and nothing is left of it; or nobody can say whether it did, and it is kept.
        """
        task_id = f"task-{uuid.uuid4()}" if fingerprint is None else await self._id_of(fingerprint)
        task = owned(raw, caller)
        accepted = self.accepted(task, task_id)
        record = TaskRecord(
            task_id=task_id,
            tenant_id=caller.tenant_id,
            user_id=caller.user_id,
            session_id=accepted.session.session_id,
            query=accepted.query,
            context=_context(raw),
            mode=accepted.mode,
            trigger=trigger,
            created_at=datetime.now(UTC),
        )
        is_new = await self._archive.begin(record)
        record = record if is_new else await self._archive.task(task_id) or record
        try:
            await start(self._temporal, self._task_queue, task_id, {**task, "session_id": record.session_id})
        except Exception as error:
            # whatever it was, a task that does not run is not kept
            if not is_new or not await self._runs_after_all(task_id, error):
                raise
        return Submitted(task_id, record.session_id, record.created_at, is_new)

    async def _runs_after_all(self, task_id: str, error: Exception) -> bool:
        """Whether a task runs though its start failed: only the answer may have been lost.

        One that does not is forgotten. Where nobody can say, its row stays and tells of it: rather too much than a task
        that runs unseen.
        """
        if isinstance(error, RPCError) and error.status not in _NO:
            try:
                async with asyncio.timeout(QUERY_TIMEOUT.total_seconds()):
                    if await _described(self._temporal.get_workflow_handle(task_id)) is not None:
                        return True
            except (RPCError, TimeoutError):
                return False
        await self._archive.withdraw(task_id)
        return False

    def accepted(self, task: dict[str, JsonValue], task_id: str) -> AcceptedTask:
        """A task by the rules of its workflow, and of the models that there are.

        Raises:
            InvalidInput: a rule is broken.
        """
        found = checked(task, task_id)
        if found.provider_override is not None and found.provider_override not in self._providers:
            field = "provider_override" if task.get("provider_override") is not None else "context.provider_override"
            known = ", ".join(sorted(self._providers))
            words = f"{field}: there is no provider {found.provider_override!r}; known: {known}"
            raise InvalidInput(words, field=field)
        return found

    async def _id_of(self, fingerprint: str) -> str:
        for edition in itertools.count():
            task_id = f"task-{uuid.uuid5(_TASKS, f'{fingerprint}/{edition}')}"
            known = await self._archive.task(task_id)
            if known is None or known.created_at > datetime.now(UTC) - REPEATED:
                return task_id
        raise AssertionError("there is always a next number")

    async def find(self, task_id: str, caller: Caller) -> Found:
        """A task of the caller, as the archive and Temporal know it.

        Raises:
            Refusal: 404, there is none, or it is somebody else's.
        """
        record = await self._archive.task(task_id)
        if record is not None and record.outcome is not None:
            return Found(_own(record, caller))
        handle: Handle = self._temporal.get_workflow_handle(task_id)
        seen = await _described(handle)
        if seen is None:
            if record is None:
                raise _missing()
            return _not_started(_own(record, caller))
        record = record or await noticed(self._archive, seen)
        found = Found(_own(record or _seen(seen), caller))
        if record is None:
            asked = found.record.model_copy(update={"query": await query_of(self._temporal, seen)})
            found = Found(asked)
        if seen.status in _RUNNING:
            found = await _under_way(found, handle)
            if found.progress is None or found.progress.status is None:
                return found
        return await self._ended(found, handle, seen.close_time)

    async def _ended(self, found: Found, handle: Handle, closed: datetime | None) -> Found:
        try:
            async with asyncio.timeout(CLOSING.total_seconds()):
                outcome = await result_of(handle)
        except TimeoutError:
            return found
        # its worker may have kept it meanwhile, and knew more: of one that was cancelled Temporal keeps no result
        kept = await self._archive.task(found.record.task_id)
        if kept is not None and kept.outcome is not None:
            return Found(kept)
        completed = closed or (await handle.describe()).close_time
        session_id = found.record.session_id or outcome.session_id or ""
        changed = {"outcome": outcome, "completed_at": completed, "session_id": session_id}
        record = found.record.model_copy(update=changed)
        # a worker that keeps no tasks, or could not, has left this to us
        await self._archive.end(record, await logged(record.task_id, self._events))
        return Found(record)

    async def listed(self, wanted: TaskFilter, page: Page) -> tuple[list[Found], int]:
        """Tasks, the newest first, and how many there are; those whose end is not known are looked at in Temporal."""
        records, total = await self._archive.tasks(wanted, page)
        room = asyncio.Semaphore(AT_ONCE)

        async def looked_at(record: TaskRecord) -> Found:
            async with room:
                return await self.as_it_stands(record)

        return list(await asyncio.gather(*map(looked_at, records))), total

    async def as_it_stands(self, record: TaskRecord) -> Found:
        """A task as Temporal knows it now; one that has ended is kept so."""
        if record.outcome is not None:
            return Found(record)
        handle: Handle = self._temporal.get_workflow_handle(record.task_id)
        seen = await _described(handle)
        if seen is None:
            return _not_started(record)
        if seen.status in _RUNNING:
            return Found(record)
        return await self._ended(Found(record), handle, seen.close_time)

    async def handle(self, task_id: str, caller: Caller) -> Handle:
        """The workflow of a task of the caller, to signal and to query.

        Raises:
            Refusal: 404, there is none, or it is somebody else's.
        """
        await self.record(task_id, caller)
        return self._temporal.get_workflow_handle(task_id)

    async def record(self, task_id: str, caller: Caller) -> TaskRecord:
        """A task of the caller, with its outcome where the archive knows it.

        Raises:
            Refusal: 404, there is none, or it is somebody else's.
        """
        record = await self._archive.task(task_id)
        if record is None:
            seen = await _described(self._temporal.get_workflow_handle(task_id))
            if seen is None:
                raise _missing()
            record = await noticed(self._archive, seen) or _seen(seen)
        return _own(record, caller)


def owned(raw: JsonValue, caller: Caller) -> dict[str, JsonValue]:
    """A request's task with its owner in it, and without keys that are null.

    Raises:
        InvalidInput: it is no object, or names an owner itself.
    """
    if not isinstance(raw, dict):
        raise InvalidInput('the task must be one JSON object such as {"query": "..."}')
    for name in OURS:
        if raw.get(name) is not None:
            raise InvalidInput(f"{name}: comes with the key of the request; leave it out", field=name)
    # clients of many languages send null for what is not given
    task = {name: value for name, value in raw.items() if name not in OURS and value is not None}
    return task | whose(caller.tenant_id, caller.user_id)


def whose(tenant_id: str, user_id: str) -> dict[str, JsonValue]:
    """The keys of a task that say who owns it."""
    return {"user_id": user_id, "tenant_id": tenant_id} if tenant_id else {"user_id": user_id}


def checked(raw: JsonValue, task_id: str) -> AcceptedTask:
    """A request's task by the rules of the workflow itself.

    Raises:
        InvalidInput: a rule is broken.
    """
    query = raw.get("query") if isinstance(raw, dict) else ""
    if query is None or query == "":
        raise InvalidInput("Query is required", field="query")
    return accept(raw, Setting(task_id, None, str(uuid.uuid5(_TASKS, task_id)), PRESETS))


def visible(caller: Caller, session_id: str | None, ended: Ended | None = None) -> TaskFilter:
    """The tasks that a caller may see: their own, or all of their tenant."""
    return TaskFilter(
        tenant_id=caller.tenant_id,
        user_id=None if caller.is_admin else caller.user_id,
        session_id=session_id,
        ended=ended,
    )


async def _described(handle: Handle) -> WorkflowExecutionDescription | None:
    """What Temporal knows of a task; None where it knows none of that id."""
    try:
        seen = await handle.describe()
    except RPCError as error:
        if is_unknown(error):
            return None
        raise
    return seen if seen.workflow_type in _WORKFLOWS else None


def _not_started(record: TaskRecord) -> Found:
    """A task that is kept, and that Temporal does not know: it is about to start, or its gateway died just before."""
    if datetime.now(UTC) - record.created_at < STARTING:
        return Found(record, is_started=False)
    words = "the task was never started, or Temporal has forgotten it; submit it again"
    error = TaskError(type=ErrorType.INTERNAL, message=words)
    lost = TaskResult(task_id=record.task_id, status=TaskStatus.FAILED, error=error)
    return Found(record.model_copy(update={"outcome": lost}))


def _own(record: TaskRecord, caller: Caller) -> TaskRecord:
    is_theirs = record.user_id == caller.user_id or caller.is_admin
    if record.tenant_id != caller.tenant_id or not is_theirs:
        raise _missing()
    return record


def _missing() -> Refusal:
    return Refusal(404, "Task not found")


def _seen(seen: WorkflowExecutionDescription) -> TaskRecord:
    """A task that did not come through a gateway of ours, by what Temporal shows of it."""
    labels = seen.typed_search_attributes
    mode = labels.get(SearchAttributeKey.for_keyword("TaskMode"))
    return TaskRecord(
        task_id=seen.id,
        tenant_id=labels.get(SearchAttributeKey.for_keyword("TaskTenant")) or OPEN_TENANT,
        user_id=labels.get(SearchAttributeKey.for_keyword("TaskUser")) or "",
        session_id=labels.get(SearchAttributeKey.for_keyword("TaskSession")) or "",
        query="",
        mode=Mode(mode) if mode in list(Mode) else None,
        created_at=seen.start_time,
    )


async def _under_way(found: Found, handle: Handle) -> Found:
    """Where a running task stands; while no worker answers for it, nothing more than that it runs is known."""
    try:
        progress, state = await asyncio.gather(
            handle.query(QUERY_PROGRESS, result_type=Progress, rpc_timeout=QUERY_TIMEOUT),
            handle.query(QUERY_CONTROL_STATE, result_type=ControlState, rpc_timeout=QUERY_TIMEOUT),
        )
    except (RPCError, WorkflowQueryFailedError, WorkflowQueryRejectedError):
        return found
    return replace(found, is_paused=state.is_paused, progress=progress)


def _context(raw: JsonValue) -> dict[str, JsonValue]:
    given = raw.get("context") if isinstance(raw, dict) else None
    shown = {name: value for name, value in given.items() if name != "attachments"} if isinstance(given, dict) else {}
    return json.loads(json.dumps(shown))
