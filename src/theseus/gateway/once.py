"""Requests with an `Idempotency-Key`: done once, however often and wherever they come in; the same answer for a day.

The answer is kept in Redis. Without Redis a task is still one task: its id is made of the request's fingerprint.
"""

import asyncio
import hashlib
import logging
import re
import uuid
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.responses import StreamingResponse

from theseus.contracts.answers import Claim, KeptAnswer
from theseus.gateway.callers import Caller, authenticated
from theseus.gateway.refusals import Refusal
from theseus.stores.ports import AnswerStore, StoreDownError

_log = logging.getLogger("theseus.gateway")

HEADER = "Idempotency-Key"
ECHO = "X-Idempotency-Key"
CACHED = "X-Idempotency-Cached"
LEASE = timedelta(seconds=30)
PATIENCE = timedelta(seconds=20)
LOOKS = timedelta(milliseconds=50)
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS = ("content-type", "x-workflow-id", "x-session-id", "link", "location")

Handle = Callable[[Request], Coroutine[Any, Any, Response]]


class Once(APIRoute):
    """A route whose POST requests are done once for each key, caller, path and body."""

    def get_route_handler(self) -> Handle:
        """The usual handler, behind the look for an earlier answer."""
        usual = super().get_route_handler()

        async def handle(request: Request) -> Response:
            key = request.headers.get(HEADER)
            if request.method != "POST" or key is None:
                return await usual(request)
            if not _KEY.fullmatch(key):
                raise Refusal(400, f"{HEADER}: 1 to 255 visible ASCII characters are accepted")
            caller = await authenticated(request)
            request.state.fingerprint = fingerprint(key, caller, request.url.path, await request.body())
            return await _once(request, key, usual)

        return handle


def fingerprint(key: str, caller: Caller, path: str, body: bytes) -> str:
    """What makes two requests the same, as 64 hexadecimal digits."""
    parts = [part.encode() for part in (key, caller.tenant_id, caller.user_id, path)]
    whole = b"".join(len(part).to_bytes(8, "big") + part for part in (*parts, body))
    return hashlib.sha256(whole).hexdigest()


def fingerprint_of(request: Request) -> str | None:
    """The fingerprint of a request that came with a key."""
    return getattr(request.state, "fingerprint", None)


async def _once(request: Request, key: str, usual: Handle) -> Response:
    answers: AnswerStore = request.app.state.backend.answers
    name, holder = request.state.fingerprint, uuid.uuid4().hex
    try:
        claim = await _claimed(answers, name, holder)
    except StoreDownError as error:
        _log.warning("the answer to an idempotency key is neither looked for nor kept: %s", error)
        return await usual(request)
    if claim.answer is not None:
        headers = {**claim.answer.headers, CACHED: "true", ECHO: key}
        return Response(claim.answer.body, claim.answer.status, headers)
    async with _held(answers, name, holder):
        response = await usual(request)
        if response.status_code // 100 == 2 and not isinstance(response, StreamingResponse):
            with suppress(StoreDownError):
                await answers.keep(name, holder, _kept(response))
    return response


async def _claimed(answers: AnswerStore, name: str, holder: str) -> Claim:
    for _ in range(PATIENCE // LOOKS):
        claim = await answers.claim(name, holder, lease=LEASE)
        if claim.state != "busy":
            return claim
        await asyncio.sleep(LOOKS.total_seconds())
    words = f"a request with this {HEADER} is still being answered; try again in a moment"
    raise Refusal(409, words, {"Retry-After": "5"})


@asynccontextmanager
async def _held(answers: AnswerStore, name: str, holder: str) -> AsyncGenerator[None]:
    """Keeps the claim while the request is done, and gives it up however that ends."""

    async def renew() -> None:
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            with suppress(StoreDownError):
                await answers.claim(name, holder, lease=LEASE)

    renewing = asyncio.create_task(renew())
    try:
        yield
    finally:
        renewing.cancel()
        with suppress(StoreDownError):
            await answers.release(name, holder)


def _kept(response: Response) -> KeptAnswer:
    headers = {name: value for name, value in response.headers.items() if name in _KEPT_HEADERS}
    return KeptAnswer(status=response.status_code, headers=headers, body=bytes(response.body).decode())
