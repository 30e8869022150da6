"""A call of the OpenAI API under way: its task is started, waited for, told, and stopped when the client leaves."""

import asyncio
import logging
import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import JsonValue
from temporalio.service import RPCError

from theseus.client import Handle, result_of
from theseus.contracts.archive import TaskRecord
from theseus.contracts.control import SIGNAL_CANCEL, ControlReason
from theseus.contracts.errors import ErrorType
from theseus.contracts.events import LLMPartial
from theseus.contracts.session import SessionKey, Turn
from theseus.contracts.task import TaskResult, TaskStatus
from theseus.domain.tokens import estimate
from theseus.gateway.callers import Caller
from theseus.gateway.openai.conversation import Talk
from theseus.gateway.openai.models import Served
from theseus.gateway.openai.request import Options
from theseus.gateway.openai.voice import Voice
from theseus.gateway.refusals import Refusal, body_of
from theseus.gateway.streams.hub import Streams
from theseus.gateway.streams.items import GatewayStopping, Item, Trouble
from theseus.gateway.streams.lines import PING
from theseus.gateway.streams.since import Since
from theseus.gateway.tasks import Tasks, checked
from theseus.gateway.wire.events import Frame
from theseus.gateway.wire.openai import LAST, Shape, broken
from theseus.stores.ports import SessionStore

_log = logging.getLogger("theseus.gateway")

NOT_AGAIN = {"X-Should-Retry": "false"}
"""OpenAI's clients send a request again when it fails: what a task has cost would be paid twice."""
BEAT = timedelta(seconds=10)
UNTOLD = frozenset({"LLM_PARTIAL", "LLM_OUTPUT", "LLM_PROMPT", "STREAM_END"})
"""Events that are the answer itself, or nothing to a reader of it."""
GONE = ControlReason(reason="the client closed the connection")


@dataclass(frozen=True)
class Call:
    """A task that answers a call."""

    record: TaskRecord
    handle: Handle
    served: Served

    @property
    def created(self) -> datetime:
        """When it was started."""
        return self.record.created_at

    @property
    def headers(self) -> dict[str, str]:
        """How to find the task again."""
        session = self.record.session_id
        return {"X-Workflow-ID": self.record.task_id, "X-Session-ID": session, "X-Shannon-Session-ID": session}


class Calls:
    """All calls.

    Args:
        tasks: starts them.
        sessions: what was said before a call's query.
        streams: what they tell.
    """

    def __init__(self, tasks: Tasks, sessions: SessionStore, streams: Streams) -> None:
        self._tasks = tasks
        self._sessions = sessions
        self._streams = streams
        self._leaving: set[asyncio.Task[None]] = set()

    async def start(self, talk: Talk, options: Options, served: Served, session: str | None, caller: Caller) -> Call:
        """Starts the task of a call.

        Args:
            talk: what is said.
            options: what the caller sets beside it.
            served: the model that is asked for.
            session: a conversation to go on with; what it has is not told again.
            caller: whose task it is.

        Raises:
            InvalidInput: a rule of tasks is broken; nothing was started.
            StoreDownError: what was said before could not be kept; nothing was started.
        """
        raw = task_of(talk, options, served)
        if session is None and talk.before:
            session = f"chat-{uuid.uuid4()}"
        raw |= {"session_id": session} if session is not None else {}
        if talk.before:
            key = checked(raw, "task").session
            owned = SessionKey(session_id=key.session_id, tenant_id=caller.tenant_id, user_id=caller.user_id)
            await self._recall(owned, talk.before)
        taken = await self._tasks.submit(raw, caller, trigger="openai")
        handle = await self._tasks.handle(taken.task_id, caller)
        return Call(await self._tasks.record(taken.task_id, caller), handle, served)

    async def answer(self, call: Call, gone: asyncio.Task[None]) -> TaskResult | None:
        """Waits for the answer; None when the client left before.

        Raises:
            Refusal: the task has no answer, or it cannot be waited for any more.
        """
        waiting = asyncio.create_task(result_of(call.handle))
        stopping = asyncio.create_task(self._streams.stopped.wait())
        try:
            await asyncio.wait([waiting, gone, stopping], return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                return _answered(_result(call, waiting))
            if gone.done():
                self.leave(call)
                return None
            raise Refusal(503, f"the gateway stops; {_where(call)}", NOT_AGAIN)
        finally:
            for task in (waiting, stopping):
                task.cancel()
            await asyncio.gather(waiting, stopping, return_exceptions=True)

    def leave(self, call: Call) -> None:
        """The client is gone: in this API it is the only way to stop, so the task is cancelled."""
        if self._streams.is_stopping:
            return
        leaving = asyncio.create_task(_cancel(call))
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)

    async def told(self, call: Call, shape: Shape) -> AsyncGenerator[bytes]:
        """The answer in chunks: its text as it is written, or when it is final, and what happens meanwhile.

        Raises:
            GatewayStopping: the process ends.
        """
        voice = Voice(is_live=call.served.is_live)
        yield shape.first()
        async with aclosing(self._streams.read(call.record, Since())) as told:
            async for items in told:
                if piece := _piece(shape, voice, items):
                    yield piece
                if any(isinstance(item, Trouble) for item in items):
                    break
        waiting = asyncio.create_task(result_of(call.handle))
        try:
            while not waiting.done():
                if self._streams.is_stopping:
                    raise GatewayStopping
                await asyncio.wait([waiting], timeout=BEAT.total_seconds())
                if not waiting.done():
                    yield PING
            result = _answered(_result(call, waiting))
            if rest := voice.close(result.result):
                yield shape.text(rest)
            yield shape.last(result)
        except Refusal as refusal:
            yield broken(body_of(refusal, "/v1/"))
        finally:
            waiting.cancel()
        yield LAST

    async def _recall(self, key: SessionKey, before: Sequence[tuple[str, str]]) -> None:
        """Gives a session that is new what was said before; one that has turns of its own knows it."""
        mark = f"{key.session_id}:before:"
        heads = (await self._sessions.load(key, 1)).heads
        known = await self._sessions.read(key, [head.seq for head in heads])
        if any(not message.task_id.startswith(mark) for message in known):
            return
        for place, (user, answer) in enumerate(before):
            turn = Turn(
                key=key,
                task_id=f"{mark}{place}",
                user_text=user,
                user_tokens=estimate(user),
                answer_text=answer,
                answer_tokens=estimate(answer),
            )
            await self._sessions.append(turn)


def task_of(talk: Talk, options: Options, served: Served) -> dict[str, JsonValue]:
    """A conversation as the input of a task.

    Raises:
        Refusal: 400, the same thing is said twice.
    """
    context: dict[str, JsonValue] = {**served.context, **options.context}
    own: dict[str, JsonValue] = {
        "system_prompt": talk.system,
        "attachments": list(talk.attachments),
        "role": options.role,
    }
    for name, value in own.items():
        if not value:
            continue
        if name in options.context:
            place = f"shannon_options.context.{name}"
            raise Refusal(400, f"{place}: the request says this elsewhere, too; leave one of them out", param=place)
        context[name] = value
    task: dict[str, JsonValue] = {"query": talk.query, **served.task, "context": context}
    if options.research_strategy is not None:
        task["research_strategy"] = options.research_strategy.value
    if options.model_tier is not None:
        task["model_tier"] = options.model_tier.value
    return task


def _piece(shape: Shape, voice: Voice, items: Sequence[Item]) -> bytes:
    """What a batch of a stream is in chunks; a ping where it is nothing."""
    frames = [item for item in items if isinstance(item, Frame)]
    text = "".join(voice.hear(frame.stored.event) for frame in frames if isinstance(frame.stored.event, LLMPartial))
    happened = [frame for frame in frames if frame.type not in UNTOLD]
    pieces = [shape.text(text)] if text else []
    pieces += [shape.events(happened)] if happened else []
    return b"".join(pieces) or (b"" if frames else PING)


def _result(call: Call, waiting: asyncio.Task[TaskResult]) -> TaskResult:
    try:
        return waiting.result()
    except RPCError as error:
        _log.warning("%s could not be waited for: %s", call.record.task_id, error)
        raise Refusal(503, f"Temporal does not answer; {_where(call)}", NOT_AGAIN) from error


def _answered(result: TaskResult) -> TaskResult:
    """A result that has an answer.

    Raises:
        Refusal: it has none; sending the request again would only cost again.
    """
    if result.status in (TaskStatus.COMPLETED, TaskStatus.PARTIAL, TaskStatus.DEGRADED, TaskStatus.BUDGET_EXHAUSTED):
        return result
    message = f"task {result.task_id}: {result.error.message if result.error else 'it was cancelled'}"
    kind = result.error.type if result.error else ""
    field = result.error.field if result.error else None
    match result.status, kind:
        case TaskStatus.CANCELLED, _:
            raise Refusal(409, message, NOT_AGAIN, code="task_cancelled")
        case TaskStatus.DENIED, _:
            raise Refusal(403, message, NOT_AGAIN, code="task_denied")
        case TaskStatus.TIMED_OUT, _:
            raise Refusal(504, message, NOT_AGAIN, code="task_timed_out")
        case _, ErrorType.INVALID_INPUT | ErrorType.CONTEXT_TOO_LONG:
            raise Refusal(400, message, NOT_AGAIN, code=str(kind), param=field)
        case _, ErrorType.CONTENT_POLICY:
            raise Refusal(400, message, NOT_AGAIN, code="content_policy_violation")
        case _:
            raise Refusal(500, message, NOT_AGAIN, code=str(kind) or "task_failed")


def _where(call: Call) -> str:
    return f"the task goes on: GET /api/v1/tasks/{call.record.task_id}"


async def _cancel(call: Call) -> None:
    try:
        await call.handle.signal(SIGNAL_CANCEL, GONE)
    except RPCError as error:
        _log.info("%s was not cancelled after its client left: %s", call.record.task_id, error.message)
