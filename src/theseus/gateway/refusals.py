"""How a request is refused: one exception, and one table from what went wrong to a status and `{"error": "..."}`."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from temporalio.service import RPCError, RPCStatusCode

from theseus.client import ForeignWorkflowError, InputTooLargeError, UnknownTaskError, is_unknown
from theseus.contracts.errors import InvalidInput
from theseus.stores.archive.port import ArchiveDownError, SessionDeletedError
from theseus.stores.ports import StoreDownError

_log = logging.getLogger("theseus.gateway")

_AWAY = (
    *(RPCStatusCode.UNAVAILABLE, RPCStatusCode.RESOURCE_EXHAUSTED),
    # the client's own timeout comes as CANCELLED
    *(RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED),
)


class Refusal(Exception):
    """A request that is not done: an HTTP status, a sentence for people, and headers.

    `code` and `param`, a word for programs and the name of what is wrong, are told where OpenAI's clients read them.
    """

    def __init__(
        self,
        status: int,
        message: str,
        headers: dict[str, str] | None = None,
        *,
        code: str | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers
        self.code = code
        self.param = param


def refusal_of(error: Exception) -> Refusal:
    """What an error means to a caller. Nothing of what an unknown one says is passed on."""
    match error:
        case Refusal():
            return error
        case InvalidInput():
            return Refusal(400, error.message, param=error.field)
        case InputTooLargeError():
            return Refusal(413, str(error))
        case UnknownTaskError() | ForeignWorkflowError():
            return Refusal(404, "Task not found")
        case SessionDeletedError():
            return Refusal(404, "Session not found: it was deleted and takes no new tasks; leave session_id out")
        case RPCError() if is_unknown(error):
            return Refusal(404, "Task not found")
        case RPCError() if error.status in _AWAY:
            return Refusal(503, "Temporal does not answer; try again in a moment", {"Retry-After": "5"})
        case RPCError():
            return Refusal(502, "Temporal refused the request; the gateway's log says why")
        case ArchiveDownError() | StoreDownError():
            what = "the database" if isinstance(error, ArchiveDownError) else "Redis"
            return Refusal(503, f"{what} does not answer; try again in a moment", {"Retry-After": "5"})
        case _:
            return Refusal(500, "internal error; the gateway's log says more under this request's id")


_KNOWN = (
    *(Refusal, InvalidInput, InputTooLargeError, UnknownTaskError, ForeignWorkflowError, RPCError),
    *(ArchiveDownError, StoreDownError, SessionDeletedError),
)


def noted(error: Exception) -> Refusal:
    """What an error means to a caller; the log says what it was where that is not told."""
    refusal = refusal_of(error)
    if not isinstance(error, _KNOWN):
        _log.error("a request failed", exc_info=error)
    elif refusal.status >= 500:
        _log.warning("%s: %s", type(error).__name__, error)
    return refusal


OPENAI = "/v1/"
_OPENAI_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_OPENAI_CODES = {401: "invalid_api_key", 429: "rate_limit_exceeded"}


def body_of(refusal: Refusal, path: str) -> dict[str, Any]:
    """A refusal as JSON: `{"error": "..."}`, and what OpenAI's clients read where they call."""
    if not path.startswith(OPENAI):
        later = (refusal.headers or {}).get("Retry-After") if refusal.status == 429 else None
        return {"error": refusal.message} | ({"retry_after": int(later)} if later else {})
    usual = "server_error" if refusal.status >= 500 else "invalid_request_error"
    kind = _OPENAI_TYPES.get(refusal.status, usual)
    code = refusal.code or _OPENAI_CODES.get(refusal.status)
    return {"error": {"message": refusal.message, "type": kind, "param": refusal.param, "code": code}}


class ErrorAnswer(BaseModel):
    """How everything is refused."""

    error: str
    retry_after: int | None = None


class OpenAIError(BaseModel):
    """What was wrong, as OpenAI's clients read it."""

    message: str
    type: str
    param: str | None
    code: str | None


class OpenAIErrorAnswer(BaseModel):
    """How what is for OpenAI's clients is refused."""

    error: OpenAIError


def described(prefix: str) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI is to say of refusals of routes under a prefix."""
    model = OpenAIErrorAnswer if f"{prefix}/".startswith(OPENAI) else ErrorAnswer
    # also where what is not refused is no JSON
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}
    return {
        "4XX": {"model": model, "content": content, "description": "refused"},
        "5XX": {"model": model, "content": content, "description": "cannot be done now"},
    }


def answer(refusal: Refusal, path: str) -> JSONResponse:
    """A refusal on the wire."""
    return JSONResponse(body_of(refusal, path), refusal.status, headers=refusal.headers)


def install(app: FastAPI) -> None:
    """Every error that is known leaves by this table, those of the framework too; others are met by `edges.Faults`."""

    async def known(request: Request, error: Exception) -> JSONResponse:
        return answer(noted(error), request.url.path)

    async def framework(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        return answer(Refusal(error.status_code, str(error.detail), dict(error.headers or {})), request.url.path)

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError | WebSocketRequestValidationError)
        return answer(Refusal(400, "; ".join(_sentence(item) for item in error.errors())[:500]), request.url.path)

    for kind in _KNOWN:
        app.add_exception_handler(kind, known)
    app.add_exception_handler(HTTPException, framework)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(WebSocketRequestValidationError, invalid)


def _sentence(item: Any) -> str:
    place = ".".join(str(part) for part in item["loc"][1:]) or "request body"
    return f"{place}: {item['msg']}"
