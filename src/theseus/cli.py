"""The command line: `theseus dev`, `worker`, `run`, `status`, `watch`, `approve` and the others."""

import asyncio
import errno
import io
import os
import sys
from collections.abc import Coroutine
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from pydantic import JsonValue
from temporalio.service import RPCError

from theseus.client import ClientError
from theseus.commands import library
from theseus.commands.archive import archive
from theseus.commands.dev import dev
from theseus.commands.keys import keys
from theseus.commands.memory import memory
from theseus.commands.options import ApprovalId, Feedback, Json, Reason, TaskId, Who
from theseus.commands.terminal import BAD_TASK, CANCELLED, CANNOT_START, CommandError, explained, say
from theseus.config import MOST_PORT, SettingsError, load
from theseus.contracts.control import SIGNAL_CANCEL, SIGNAL_PAUSE, SIGNAL_RESUME
from theseus.contracts.task import ModelTier

app = typer.Typer(
    name="theseus",
    help="Runs LLM-agent tasks as Temporal workflows: nothing is lost, and nothing is paid for twice.",
    epilog='Start with `theseus dev` in one terminal and `theseus run "What is ...?"` in another.',
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

SERVERS, TASKS, CARE = "Servers and workers", "Tasks", "Care"
app.add_typer(library.templates, name="templates", rich_help_panel=CARE)
app.add_typer(library.skills, name="skills", rich_help_panel=CARE)
app.add_typer(memory, rich_help_panel=CARE)
app.add_typer(keys, rich_help_panel=CARE)
app.command(rich_help_panel=SERVERS)(dev)
app.add_typer(archive, rich_help_panel=CARE)


class Modes(StrEnum):
    """Modes that a task may be started in by name."""

    SIMPLE = "simple"
    STANDARD = "standard"
    COMPLEX = "complex"
    SUPERVISOR = "supervisor"
    RESEARCH = "research"


@app.command(rich_help_panel=SERVERS)
def worker() -> None:
    """Run one worker, configured by the environment.

    It works for the Temporal, Redis and keys of the environment, until SIGTERM or Ctrl-C.
    """
    from theseus import worker as process

    raise typer.Exit(process.main())


@app.command("fake-model", rich_help_panel=SERVERS)
def fake_model(
    port: Annotated[int, typer.Option(min=0, max=MOST_PORT, help="Where it listens.")] = 8081,
    script: Annotated[Path | None, typer.Option(help="What it says (YAML or JSON); it echoes without one.")] = None,
    host: Annotated[str, typer.Option(help="The address it listens on.")] = "127.0.0.1",
    log: Annotated[Path | None, typer.Option(help="Appends every request to this file.")] = None,
) -> None:
    """Serve a scripted model for tests.

    It speaks OpenAI's and Anthropic's API, with latency and faults as the script says.
    """
    from theseus.activities.llm.scripted import script as scripts
    from theseus.activities.llm.scripted.server import serve

    try:
        asyncio.run(serve(scripts.load(script) if script else scripts.Script(), host=host, port=port, log=log))
    except (scripts.ScriptError, OSError) as error:
        raise CommandError(str(error), CANNOT_START) from error


@app.command(rich_help_panel=SERVERS)
def gateway(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=MOST_PORT)] = 8080,
    grpc_port: Annotated[
        int | None, typer.Option(min=1, max=MOST_PORT, help="Serves gRPC there, too, such as 50052.")
    ] = None,
) -> None:
    """The REST API, and gRPC, in front of the workers."""
    from theseus.commands import gateway as command

    asyncio.run(command.serve(load(), host, port, grpc_port))


@app.command(rich_help_panel=TASKS)
def run(  # noqa: PLR0913 - one parameter an option
    query: Annotated[str | None, typer.Argument(metavar="QUERY", help="What to do, in natural language.")] = None,
    mode: Annotated[Modes | None, typer.Option(help="How to work on it; a router decides without it.")] = None,
    session: Annotated[str | None, typer.Option(help="The conversation to go on with; a new one without it.")] = None,
    user: Annotated[str | None, typer.Option(help="Whose session it is.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Whose user it is.")] = None,
    context: Annotated[str | None, typer.Option(metavar="JSON", help='Such as {"role": "writer"}.')] = None,
    given: Annotated[
        str | None, typer.Option("--input", metavar="FILE", help="A whole task input as JSON; - is stdin.")
    ] = None,
    task_id: Annotated[str | None, typer.Option(help="Starting one id twice is one task.")] = None,
    tier: Annotated[ModelTier | None, typer.Option(help="How large a model.")] = None,
    max_iterations: Annotated[int | None, typer.Option(help="Model turns at most.")] = None,
    tools: Annotated[
        str | None, typer.Option(metavar="NAMES", help="The tools it may use, as in a,b_*; all without.")
    ] = None,
    limit_tokens: Annotated[int | None, typer.Option(help="Input plus output tokens at most.")] = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Print the task's id and end.")] = False,
    as_json: Json = False,
) -> None:
    """Run a task and print its answer.

    Progress goes to stderr, the answer to stdout. Ctrl-C leaves the task running.

    Exit codes: 0 there is an answer, 1 failed, denied or timed out, 2 it could not be started, 130 cancelled or left.
    """
    from theseus.commands.run import Asked, run_task, task_of

    keys: dict[str, JsonValue] = {
        "query": query,
        "mode": mode,
        "session_id": session,
        "user_id": user,
        "tenant_id": tenant,
        "model_tier": tier,
        "max_iterations": max_iterations,
        "tools": [name for name in tools.split(",") if name] if tools is not None else None,
        "limits": {"tokens": limit_tokens} if limit_tokens is not None else None,
    }
    _end(run_task(load(), task_of(given, context, keys), Asked(task_id, no_wait, as_json)))


@app.command(rich_help_panel=TASKS)
def status(task_id: TaskId, as_json: Json = False) -> None:
    """Show where a task is, or how it ended."""
    from theseus.commands.control import show_status

    _end(show_status(load(), task_id, as_json=as_json))


@app.command(rich_help_panel=TASKS)
def watch(
    task_id: TaskId,
    after: Annotated[str, typer.Option("--from", metavar="ID", help="Go on after this event id.")] = "0",
    as_json: Json = False,
) -> None:
    """Print a task's events until its end.

    Each starts with the id to go on from with --from. --json: one event a line.
    """
    from theseus.commands.control import watch as follow

    _end(follow(load(), task_id, after, as_json=as_json))


@app.command(rich_help_panel=TASKS)
def pause(task_id: TaskId, reason: Reason = "") -> None:
    """Hold a task at its next checkpoint.

    A call under way finishes, and its result is kept.
    """
    _signal(task_id, SIGNAL_PAUSE, reason, "is held at its next checkpoint")


@app.command(rich_help_panel=TASKS)
def resume(task_id: TaskId, reason: Reason = "") -> None:
    """Let a paused task go on."""
    _signal(task_id, SIGNAL_RESUME, reason, "goes on")


@app.command(rich_help_panel=TASKS)
def cancel(task_id: TaskId, reason: Reason = "") -> None:
    """End a task, also in the middle of a model call."""
    _signal(task_id, SIGNAL_CANCEL, reason, "is being cancelled")


@app.command(rich_help_panel=TASKS)
def approve(
    task_id: TaskId,
    approval_id: ApprovalId = "",
    feedback: Feedback = "",
    who: Who = "cli",
    change: Annotated[
        str | None, typer.Option("--change", metavar="JSON", help="Approve this plan, or these arguments, instead.")
    ] = None,
) -> None:
    """Say yes to what a task waits for.

    `theseus status` shows that it waits; without APPROVAL_ID the only thing that it waits for is meant.
    """
    from theseus.commands.deciding import decide

    _end(decide(task_id, approval_id, approved=True, feedback=feedback, who=who, change=change))


@app.command(rich_help_panel=TASKS)
def deny(task_id: TaskId, approval_id: ApprovalId = "", feedback: Feedback = "", who: Who = "cli") -> None:
    """Say no to what a task waits for.

    The task is closed as denied.
    """
    from theseus.commands.deciding import decide

    _end(decide(task_id, approval_id, approved=False, feedback=feedback, who=who, change=None))


@app.command(rich_help_panel=TASKS)
def review(
    task_id: TaskId,
    approve: Annotated[bool, typer.Option("--approve", help="Let the plan be carried out.")] = False,
    reject: Annotated[bool, typer.Option("--reject", help="Close the task as denied.")] = False,
    feedback: Annotated[str, typer.Option("--feedback", metavar="TEXT", help="What to change in the plan.")] = "",
    version: Annotated[
        int | None, typer.Option("--version", min=1, help="Only if the plan is still at this version.")
    ] = None,
    who: Who = "cli",
) -> None:
    """Show a research plan that waits, or answer it.

    Without an option the plan is shown, with its version and what was said about it so far.
    """
    from theseus.commands.reviewing import review_plan, show_plan

    given = [
        name for name, is_given in (("approve", approve), ("reject", reject), ("feedback", bool(feedback))) if is_given
    ]
    if not given:
        _end(show_plan(task_id))
    if len(given) > 1 and given != ["reject", "feedback"]:
        raise typer.BadParameter(f"choose one of --{', --'.join(given)}")
    _end(review_plan(task_id, given[0], feedback, version, who))


@app.command("say", rich_help_panel=TASKS)
def say_to_task(
    task_id: TaskId, text: Annotated[str, typer.Argument(metavar="TEXT", help="Your words.")], who: Who = "cli"
) -> None:
    """Send words to the agents of a running task.

    In supervisor mode the lead hears them: so its questions are answered.
    """
    from theseus.commands.deciding import say_to

    _end(say_to(task_id, text, who))


@app.command(rich_help_panel=CARE)
def replay(
    task_or_file: Annotated[str, typer.Argument(metavar="TASK_ID|FILE", help="A task, or a history as JSON.")],
) -> None:
    """Run a history through today's code; exit 1 if unfit.

    No model or tool is called and nothing is changed.
    """
    from theseus.commands.replaying import replay as check

    _end(check(task_or_file))


@app.command(rich_help_panel=CARE)
def doctor(
    fix: Annotated[bool, typer.Option("--fix", help="Register missing search attributes.")] = False,
    as_json: Json = False,
) -> None:
    """Find what is wrong and say what to do.

    Looks at Temporal, its namespace and search attributes, Redis, models and workers.
    """
    from theseus.doctor import doctor as look

    _end(look(load(), fix=fix, as_json=as_json))


def _signal(task_id: str, name: str, reason: str, done: str) -> None:
    from theseus.commands.control import send

    _end(send(task_id, name, reason, done))


def _end(work: Coroutine[None, None, int]) -> None:
    raise typer.Exit(asyncio.run(work))


def main() -> None:
    """The console script. Every expected error is one line on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    code = _outcome()
    with suppress(OSError):
        sys.stdout.flush()
    sys.stderr.flush()
    # the threads of Temporal's SDK may crash an interpreter that shuts down in the usual way
    os._exit(code)


def _outcome() -> int:
    try:
        _refuse_unreadable(sys.argv[1:])
        app()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BrokenPipeError:
        return BAD_TASK
    except KeyboardInterrupt:
        return CANCELLED
    except (CommandError, ClientError, SettingsError, RPCError, OSError) as error:
        known = _known(error)
        say(f"theseus: {known}")
        return known.exit_code
    return 0


def _refuse_unreadable(arguments: list[str]) -> None:
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError as error:
            shown = argument.encode(errors="replace").decode()
            raise CommandError(f"{shown!r} is not UTF-8: check the terminal's locale", CANNOT_START) from error


def _known(error: CommandError | ClientError | SettingsError | RPCError | OSError) -> CommandError:
    if isinstance(error, CommandError):
        return error
    if isinstance(error, RPCError):
        return explained(error)
    is_bad_task = isinstance(error, ClientError) or _is_full(error)
    return CommandError(str(error), BAD_TASK if is_bad_task else CANNOT_START)


def _is_full(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno == errno.ENOSPC


if __name__ == "__main__":
    main()
