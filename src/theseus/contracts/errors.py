"""The names of all errors that cross a boundary, and the family of errors that are ours."""

from collections.abc import Mapping
from enum import StrEnum

from pydantic import BaseModel, JsonValue


class ErrorType(StrEnum):
    """The `type` of every failure of ours that shows up in Temporal; a gateway maps it to its own codes."""

    INVALID_INPUT = "InvalidInput"
    BUDGET_EXHAUSTED = "BudgetExhausted"
    TIMED_OUT = "TimedOut"
    DENIED = "Denied"
    ANSWER_INVALID = "AnswerInvalid"
    NO_MODEL = "NoModel"
    NO_ADAPTER = "NoAdapter"
    TEMPLATE_INVALID = "TemplateInvalid"
    TOOL_FAILED = "ToolFailed"
    INTERNAL = "Internal"
    # the world's, made in activities/failures.py
    BAD_REQUEST = "BadRequest"
    AUTH = "Auth"
    NOT_FOUND = "NotFound"
    CONTEXT_TOO_LONG = "ContextTooLong"
    CONTENT_POLICY = "ContentPolicy"
    RATE_LIMITED = "RateLimited"
    OVERLOADED = "Overloaded"
    UNREACHABLE = "Unreachable"
    STREAM_CUT = "StreamCut"
    GARBLED = "Garbled"
    STORE_DOWN = "StoreDown"
    TRANSCRIPT_MISSING = "TranscriptMissing"
    # Temporal's own word, never retried
    PAYLOADS_TOO_LARGE = "PayloadsTooLarge"


FAILOVER: frozenset[ErrorType] = frozenset(
    {
        ErrorType.AUTH,
        ErrorType.NOT_FOUND,
        ErrorType.CONTEXT_TOO_LONG,
        ErrorType.RATE_LIMITED,
        ErrorType.OVERLOADED,
        ErrorType.UNREACHABLE,
        ErrorType.STREAM_CUT,
        ErrorType.GARBLED,
        ErrorType.TIMED_OUT,
    }
)
"""Failures of one model route after which another route may do better."""


class TaskError(BaseModel):
    """Why a task did not complete: a type for programs, a message for people."""

    type: ErrorType
    message: str
    field: str | None = None
    details: dict[str, JsonValue] = {}


class DomainError(Exception):
    """An error of ours: it fails the task, not the workflow task."""

    type: ErrorType = ErrorType.INTERNAL

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class InvalidInput(DomainError):
    """The task's input breaks a rule; `field` names where."""

    type = ErrorType.INVALID_INPUT


class BudgetExhausted(DomainError):
    """The next call would pass a limit."""

    type = ErrorType.BUDGET_EXHAUSTED


class TimedOut(DomainError):
    """The task's wall-clock limit passed."""

    type = ErrorType.TIMED_OUT


class Denied(DomainError):
    """A person said no, or nobody answered in time."""

    type = ErrorType.DENIED


class AnswerInvalid(DomainError):
    """A model did not give the asked structure, even after one repair."""

    type = ErrorType.ANSWER_INVALID


class StepFailed(DomainError):
    """A step into the world failed for good: its retries are spent, or there was no point in any.

    `wasted` is what its attempts spent nevertheless, by the names of `Usage`.
    """

    def __init__(self, error_type: ErrorType, message: str, wasted: Mapping[str, int] | None = None) -> None:
        super().__init__(message)
        self.type = error_type
        self.wasted: Mapping[str, int] = wasted or {}


class NoModel(DomainError):
    """No model can take the call: none configured, an unknown name, or all routes failed."""

    type = ErrorType.NO_MODEL


class NoAdapter(DomainError):
    """The task's role works with tools of a vendor, and no adapter brings any of them."""

    type = ErrorType.NO_ADAPTER


COSTS_A_PHASE = (StepFailed, AnswerInvalid, BudgetExhausted, TimedOut, NoModel)
"""What may go wrong with the model calls of a phase that others can do without; what people decide is none of it."""
