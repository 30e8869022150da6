"""The way of every call: who calls, the function, the answer or the refusal. Calls that change something are finished."""

import asyncio
import logging
from datetime import timedelta
from typing import Any

import structlog
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from theseus.gateway.backend import Backend
from theseus.gateway.callers import authenticated
from theseus.gateway.edges import request_id_of
from theseus.gateway.refusals import Refusal, noted
from theseus.gateway.rpc.call import Call, Context, connection, metadata_of
from theseus.gateway.rpc.methods import SERVICE, Method
from theseus.gateway.rpc.statuses import status_of, trailers_of, words_of

_log = logging.getLogger("theseus.gateway")


class Answers:
    """Answers calls.

    Args:
        backend: the world behind them.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._at_work: set[asyncio.Task[Message]] = set()

    async def answer(self, known: MethodDescriptor, method: Method, request: bytes, context: Context) -> Message:
        """Answers one call, or ends it with the status of its refusal."""
        request_id = request_id_of(metadata_of(context).get("x-request-id", ""))
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                answer, metadata = await self._answered(known, method, request, context)
            except Exception as error:  # noqa: BLE001 - the boundary: whatever it was leaves as a status
                refusal = noted(error)
            else:
                await context.send_initial_metadata((*metadata.items(), ("x-request-id", request_id)))
                return answer
            trailers = trailers_of(refusal) | {"x-request-id": request_id}
            await context.abort(status_of(refusal), words_of(refusal), tuple(trailers.items()))

    async def _answered(
        self, known: MethodDescriptor, method: Method, request: bytes, context: Context
    ) -> tuple[Message, dict[str, str]]:
        came = connection(f"/{SERVICE.full_name}/{known.name}", context, self._backend)
        call = Call(self._backend, await authenticated(came))
        asked = _parsed(known, request)
        if not method.changes:
            return await method.run(asked, call), call.metadata
        # a client that leaves, or whose deadline passes, cancels the call: what it began is not left half-done
        work = asyncio.ensure_future(method.run(asked, call))
        self._at_work.add(work)
        work.add_done_callback(self._at_work.discard)
        try:
            return await asyncio.shield(work), call.metadata
        except asyncio.CancelledError:
            work.add_done_callback(_told_nobody)
            raise

    async def finish(self, grace: timedelta) -> None:
        """Waits for what clients that are gone have begun, so long at most."""
        if self._at_work:
            _, late = await asyncio.wait(self._at_work, timeout=grace.total_seconds())
            if late:
                _log.warning("%d calls were not finished within %g s", len(late), grace.total_seconds())


def _parsed(known: MethodDescriptor, request: bytes) -> Message:
    try:
        return GetMessageClass(known.input_type).FromString(request)
    except DecodeError as error:
        raise Refusal(400, f"the request is no {known.input_type.name}") from error


def _told_nobody(work: asyncio.Task[Any]) -> None:
    if not work.cancelled() and (error := work.exception()) is not None:
        refusal = noted(error) if isinstance(error, Exception) else Refusal(500, str(error))
        _log.info("a call whose client is gone was refused: %s", refusal.message)
