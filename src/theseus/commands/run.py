"""`theseus run`: makes the input of a task, starts it, shows it, prints its answer."""

import asyncio
import json
import signal
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from pydantic import JsonValue, TypeAdapter, ValidationError

from theseus.client import GOOD, Handle, start
from theseus.commands.following import follow, stopped
from theseus.commands.showing import ending, line_of
from theseus.commands.terminal import BAD_TASK, CANCELLED, CommandError, client, out, say
from theseus.config import Settings
from theseus.contracts.control import SIGNAL_CANCEL, ControlReason
from theseus.contracts.events import StoredEvent
from theseus.contracts.task import Mode, TaskResult, TaskStatus

_OBJECT: TypeAdapter[dict[str, JsonValue]] = TypeAdapter(dict[str, JsonValue])


@dataclass(frozen=True)
class Asked:
    """How to run: under which id, whether to wait, and whether a program reads the answer."""

    task_id: str | None
    no_wait: bool
    as_json: bool


def task_of(given: str | None, context: str | None, keys: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The task's input: a JSON file (`-`: stdin), with what the options say on top.

    Raises:
        CommandError: a part is not a JSON object, or there is no query.
    """
    task = dict(_object(_text(given), given)) if given is not None else {}
    task |= {name: value for name, value in keys.items() if value is not None}
    if context is not None:
        before = task.get("context")
        task["context"] = (before if isinstance(before, dict) else {}) | _object(context, "--context")
    mode = task.get("mode")
    if mode == Mode.RESEARCH:
        # research and templates are asked for in the context; `mode` names only the other four
        del task["mode"]
        before = task.get("context")
        task["context"] = {**(before if isinstance(before, dict) else {}), "force_research": True}
    if "query" not in task:
        raise CommandError('no query: theseus run "What is ...?", or --input FILE with one', 2)
    return task


async def run_task(settings: Settings, task: dict[str, JsonValue], asked: Asked) -> int:
    """Starts the task, or joins the one of this id, and gives the exit code."""
    temporal = await client()
    named = asked.task_id or task.get("task_id")
    task_id = named if isinstance(named, str) else f"task-{uuid.uuid4()}"
    started = await start(temporal, settings.task_queue, task_id, task)
    say(f"{task_id}{'' if started.is_new else ' (started before: no new task)'}")
    if asked.no_wait:
        out(json.dumps({"task_id": task_id}) if asked.as_json else task_id)
        return 0
    result = await _until_end_or_interrupt(settings, started.handle)
    if result is None:
        return CANCELLED
    say(ending(result))
    if asked.as_json:
        out(result.model_dump_json())
    elif result.result:
        out(result.result)
    return exit_code(result)


def exit_code(result: TaskResult) -> int:
    """0 with an answer, 130 cancelled, 1 for any other end."""
    if result.status in GOOD:
        return 0
    return CANCELLED if result.status is TaskStatus.CANCELLED else BAD_TASK


def show(stored: StoredEvent) -> None:
    """Live progress, on stderr."""
    if (line := line_of(stored.event)) is not None:
        say(line)


async def _until_end_or_interrupt(settings: Settings, handle: Handle) -> TaskResult | None:
    interrupted = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, interrupted.set)
    following = asyncio.create_task(follow(settings, handle, show))
    waiting = asyncio.create_task(interrupted.wait())
    await asyncio.wait([following, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    loop.remove_signal_handler(signal.SIGINT)
    if following.done():
        return following.result()
    await stopped(following)
    await _leave(handle)
    return None


async def _leave(handle: Handle) -> None:
    """The task is Temporal's, not this terminal's: it goes on unless the person says otherwise."""
    stop = False
    if sys.stdin.isatty() and sys.stderr.isatty():
        try:
            stop = not typer.confirm("\nLeave the task running?", default=True, err=True)
        except typer.Abort:
            stop = False
    if stop:
        await handle.signal(SIGNAL_CANCEL, ControlReason(reason="cancelled from the terminal", requested_by="cli"))
        say(f"{handle.id} is being cancelled")
        return
    say(
        f"{handle.id} goes on without this terminal; watch it: theseus watch {handle.id}; end it: theseus cancel {handle.id}"
    )


def _text(given: str) -> str:
    if given == "-":
        return sys.stdin.read()
    try:
        return Path(given).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"--input {given}: cannot be read ({error})", 2) from error


def _object(text: str, name: str | None) -> dict[str, Any]:
    try:
        return _OBJECT.validate_json(text)
    except ValidationError as error:
        said = error.errors(include_url=False)[0]["msg"]
        raise CommandError(f"{name}: not a JSON object ({said})", 2) from error
