"""The one table from what goes wrong at a provider to a typed failure: retried or not, and after how long."""

import email.utils
import json
import math
import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import httpx2
from pydantic import JsonValue
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from theseus.activities.llm.provider import ProviderFaultError, StreamEndedEarlyError
from theseus.contracts.errors import ErrorType
from theseus.contracts.messages import Route
from theseus.contracts.task import Usage

WORDS = 500
"""Characters kept of what a provider said."""
LONGEST_WAIT = timedelta(hours=1)

_STATUS: dict[int, ErrorType] = {
    400: ErrorType.BAD_REQUEST,
    401: ErrorType.AUTH,
    402: ErrorType.AUTH,
    403: ErrorType.AUTH,
    404: ErrorType.NOT_FOUND,
    408: ErrorType.OVERLOADED,
    409: ErrorType.OVERLOADED,
    413: ErrorType.CONTEXT_TOO_LONG,
    422: ErrorType.BAD_REQUEST,
    425: ErrorType.OVERLOADED,
    429: ErrorType.RATE_LIMITED,
}
_RETRIED = frozenset(
    {
        ErrorType.RATE_LIMITED,
        ErrorType.OVERLOADED,
        ErrorType.UNREACHABLE,
        ErrorType.STREAM_CUT,
        ErrorType.GARBLED,
        ErrorType.STORE_DOWN,
    }
)
_STREAM_WORDS: dict[str, int] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "api_error": 500,
    "server_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_TOO_LONG = re.compile(r"context.?length|context window|prompt is too long|maximum context|too many tokens", re.I)
_POLICY = re.compile(r"content.?(policy|filter|management)|safety system|responsible ai", re.I)
_SECRET = re.compile(r"(?<![A-Za-z0-9])(sk[-_]|gsk_|xai-|AIza|key-)[A-Za-z0-9_\-*.]{4,}|Bearer\s+\S+", re.I)

_STATUS_FIRST = re.compile(r"^Error code: \d{3}(?: - |$)")
"""How SDKs begin: the status is said before."""

ProviderError = (
    ProviderFaultError,
    StreamEndedEarlyError,
    httpx2.HTTPError,
    httpx2.StreamError,
    json.JSONDecodeError,
    UnicodeDecodeError,
)
"""All that a model call raises for the world's faults."""


def failure(
    error: Exception,
    route: Route,
    secrets: Collection[str] = (),
    left: timedelta | None = None,
    wasted: Usage | None = None,
    key_variable: str | None = None,
) -> ApplicationError:
    """The typed failure of one model call. Its message has route, status and the provider's words, never a key.

    Args:
        error: what went wrong.
        route: where.
        secrets: keys that are configured; whatever their form, they are taken out.
        left: for how long the route may still be retried; None for ever.
        wasted: what this and earlier attempts spent; the first detail.
        key_variable: the name of the variable that the route's key comes from.
    """
    kind, status = _kind(error)
    where = f"{route}" + (f" answered {status}" if status else "")
    whose = f"; the key is that of {key_variable}, where the worker runs" if status == 401 and key_variable else ""
    delay = _retry_after(error) if kind in _RETRIED else None
    is_over = left is not None and (delay or timedelta()) >= left
    return ApplicationError(
        f"{where}: {_words(error, secrets)}{whose}",
        *((wasted.model_dump(),) if wasted is not None else ()),
        type=kind,
        non_retryable=kind not in _RETRIED or is_over,
        next_retry_delay=delay,
        category=(
            ApplicationErrorCategory.BENIGN if kind is ErrorType.RATE_LIMITED else ApplicationErrorCategory.UNSPECIFIED
        ),
    )


def given_up(error: ApplicationError, spent: Usage) -> ApplicationError:
    """The failure of a call whose attempts have spent what the budget has: another attempt would pass the limit."""
    if error.non_retryable:
        return error
    words = f"its failed attempts have spent {spent.total_tokens:,} tokens, and the budget has no more for another"
    return ApplicationError(
        f"{error.message}; {words}", spent.model_dump(), type=ErrorType.BUDGET_EXHAUSTED, non_retryable=True
    )


def unexpected(error: Exception, route: Route, wasted: Usage) -> ApplicationError:
    """The failure for an error that nothing expected: not retried, and without the error's words, which may be anything."""
    return ApplicationError(
        f"{route}: the call failed in a way that nothing expected ({type(error).__name__}); the worker's log has it",
        wasted.model_dump(),
        type=ErrorType.INTERNAL,
        non_retryable=True,
    )


def no_room(route: Route, wait: timedelta, ask_again: timedelta, *, is_over: bool) -> ApplicationError:
    """The typed failure of a call that our own rate limits hold back: `wait` is what is told, `ask_again` what is done.

    `is_over` says that the turn would come too late: another route is tried.
    """
    return ApplicationError(
        f"{route}: our share of the provider's rate limit is taken; there is room in about {wait.total_seconds():.0f} s",
        type=ErrorType.RATE_LIMITED,
        non_retryable=is_over,
        next_retry_delay=_bounded(ask_again.total_seconds()),
        category=ApplicationErrorCategory.BENIGN,
    )


def _kind(error: Exception) -> tuple[ErrorType, int | None]:
    if isinstance(error, ProviderFaultError):
        if not error.reached:
            return ErrorType.UNREACHABLE, None
        status = error.status if error.status is not None and error.status >= 400 else _stream_status(error.body)
        return (_of_status(status, str(error)), status) if status is not None else (ErrorType.GARBLED, None)
    if isinstance(error, StreamEndedEarlyError | httpx2.RemoteProtocolError | httpx2.ReadError | httpx2.ReadTimeout):
        return ErrorType.STREAM_CUT, None
    if isinstance(error, httpx2.TransportError):
        return ErrorType.UNREACHABLE, None
    return ErrorType.GARBLED, None


def _of_status(status: int, words: str) -> ErrorType:
    if status in (400, 413, 422) and _TOO_LONG.search(words):
        return ErrorType.CONTEXT_TOO_LONG
    if status in (400, 403, 422) and _POLICY.search(words):
        return ErrorType.CONTENT_POLICY
    if status in _STATUS:
        return _STATUS[status]
    return ErrorType.OVERLOADED if status >= 500 else ErrorType.BAD_REQUEST


def _stream_status(body: JsonValue) -> int | None:
    """The status that an error inside a stream stands for; the response itself began with 200."""
    inner = body.get("error", body) if isinstance(body, dict) else None
    if not isinstance(inner, dict):
        return None
    words = [word for name in ("type", "code") if isinstance(word := inner.get(name), str)]
    return next((_STREAM_WORDS[word] for word in words if word in _STREAM_WORDS), 500)


def _retry_after(error: Exception) -> timedelta | None:
    if not isinstance(error, ProviderFaultError):
        return None
    headers = error.headers
    if (text := headers.get("retry-after-ms")) is not None and (wait := _number(text)) is not None:
        return _bounded(wait / 1000)
    text = headers.get("retry-after")
    if text is None:
        return None
    if (wait := _number(text)) is not None:
        return _bounded(wait)
    try:
        at = email.utils.parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return _bounded((at - datetime.now(UTC)).total_seconds())


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return None if math.isnan(number) else number


def _bounded(seconds: float) -> timedelta | None:
    return timedelta(seconds=min(seconds, LONGEST_WAIT.total_seconds())) if seconds > 0 else None


def _words(error: Exception, secrets: Collection[str]) -> str:
    said = _STATUS_FIRST.sub("", str(error)) or type(error).__name__
    for secret in secrets:
        said = said.replace(secret, "[key]")
    return _SECRET.sub("[key]", " ".join(said.split()))[:WORDS]
