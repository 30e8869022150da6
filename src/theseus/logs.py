"""Logging: structlog over the standard library, one line an event, with the ids of what runs. Never a prompt, never a key."""

import asyncio
import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, cast

import structlog
from temporalio import activity, workflow
from temporalio.exceptions import ApplicationError

from theseus.config import Settings
from theseus.contracts.errors import ErrorType

_SECRET = re.compile(
    # a key begins where a word does: the ids of tasks hold the letters of one, too
    r"((?<![A-Za-z0-9])(?:sk[-_]|rt_)[A-Za-z0-9_-]{8,}|Bearer\s+[A-Za-z0-9._~+/-]{8,}=*|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
    r"|(?:(?<=apikey=)|(?<=api_key=)|(?<=api-key=)|(?<=[?&]key=)|(?<=token=)|(?<=secret=)|(?<=password=))[^\s&'\"]{6,})",
    re.IGNORECASE,
)
_WORDED = frozenset(ErrorType) - {ErrorType.INTERNAL}
_NOISY = (
    "httpx2",
    "httpcore2",
    "openai",
    "anthropic",
    "mcp",
    "asyncio",
    "urllib3",
    "trafilatura",
    "pypdf",
    "htmldate",
    "alembic",
)

Line = MutableMapping[str, Any]


def set_up(settings: Settings) -> None:
    """Sends all logs of the process to stderr, as the settings ask."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(allow=()),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_ids,
        briefly,
        structlog.processors.format_exc_info,
        scrub,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    # every line has the ids as fields of its own
    activity.logger.activity_info_on_message = workflow.logger.workflow_info_on_message = False
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def add_ids(_logger: object, _name: str, line: Line) -> Line:
    """Adds task, workflow and run id when a task is at work, so that its lines can be found by any of them."""
    if activity.in_activity():
        info = activity.info()
        line.update(
            {
                "task_id": info.workflow_id,
                "workflow_id": info.workflow_id,
                "run_id": info.workflow_run_id,
                "activity": info.activity_type,
                "attempt": info.attempt,
            }
        )
    elif workflow.in_workflow():
        info = workflow.info()
        line.update({"task_id": info.workflow_id, "workflow_id": info.workflow_id, "run_id": info.run_id})
    return line


def briefly(_logger: object, _name: str, line: Line) -> Line:
    """A failure of ours, or a step that is broken off, is told by what was wrong, and not by where in the code it was met."""
    given: object = line.get("exc_info")
    error = cast("tuple[object, ...]", given)[1] if isinstance(given, tuple) else given
    if isinstance(error, ApplicationError) and error.type in _WORDED:
        del line["exc_info"]
        line["event"] = f"{line['event']}: {error}"
    elif isinstance(error, asyncio.CancelledError) and activity.in_activity():
        del line["exc_info"]
        line["event"] = f"{line['event']}: {_broken_off()}"
    return line


def _broken_off() -> str:
    """Why the activity at work was broken off."""
    details, limit = activity.cancellation_details(), activity.info().start_to_close_timeout
    if details is not None and details.timed_out:
        return f"it was not done within {limit.total_seconds():g} s" if limit else "its time was over"
    return "the worker stops" if details is not None and details.worker_shutdown else "it was cancelled"


def scrub(_logger: object, _name: str, line: Line) -> Line:
    """Takes out what looks like a key, wherever it came from."""
    for name, value in line.items():
        if isinstance(value, str):
            line[name] = _SECRET.sub("[key]", value)
    return line
