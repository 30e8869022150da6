"""What a step that failed means: the failure of an activity becomes one of ours."""

import asyncio
from typing import Any, NoReturn, cast

from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    FailureError,
    TimeoutError,
    TimeoutType,
)

from theseus.contracts.errors import ErrorType, StepFailed


def is_cancelled(error: FailureError) -> bool:
    """Whether a step ended because it was asked to stop."""
    return isinstance(error, CancelledError) or isinstance(error.cause, CancelledError)


def give_up(error: FailureError) -> NoReturn:
    """Raises what a step that failed for good means to a task.

    Raises:
        StepFailed: it failed, or nobody did it in time.
        asyncio.CancelledError: it was cancelled.
    """
    # a local activity that fails while its first try runs raises its own failure, not an ActivityError around it
    cause = error.cause if isinstance(error, ActivityError) else error
    name = error.activity_type if isinstance(error, ActivityError) else "local activity"
    if is_cancelled(error):
        raise asyncio.CancelledError from error
    if isinstance(cause, TimeoutError):
        cause = cause.__cause__ if isinstance(cause.__cause__, ApplicationError) else cause
    if isinstance(cause, ApplicationError):
        known = {str(name): name for name in ErrorType}
        details: list[Any] = list(cause.details)
        wasted = cast(dict[str, int], details[0]) if details and isinstance(details[0], dict) else None
        raise StepFailed(known.get(cause.type or "", ErrorType.INTERNAL), cause.message, wasted) from error
    if isinstance(cause, TimeoutError) and cause.type is TimeoutType.HEARTBEAT:
        raise StepFailed(ErrorType.UNREACHABLE, f"{name}: the worker went away") from error
    raise StepFailed(ErrorType.TIMED_OUT, f"{name}: no answer in time") from error
