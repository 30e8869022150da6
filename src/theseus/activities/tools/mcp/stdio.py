"""An MCP server as a child process: messages by line within a bound, its stderr as log lines, and a sure end.

The MCP library has a transport of this kind, but it takes lines of any length and hands stderr through as it is.
"""

import asyncio
import contextlib
import logging
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

from theseus.activities.tools.mcp.file import Program

_log = logging.getLogger("theseus.tools.mcp")

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
GARBAGE_LINES = 100
"""A server that says more lines than these which are no messages is given up."""
LOGGED_LINES = 500
"""So many lines of one process's stderr are logged."""
LINE_CHARS = 1_000
GRACE = 2.0
"""Seconds that a server has to end by itself, and again after SIGTERM."""
_POLL = 0.02

Said = Callable[[str], None]
Streams = tuple[MemoryObjectReceiveStream[SessionMessage | Exception], MemoryObjectSendStream[SessionMessage]]
"""What the server says, and what is said to it."""


@asynccontextmanager
async def child(program: Program, said: Said, ended: Said) -> AsyncGenerator[Streams]:
    """Runs a server while the context is open; neither it nor a process of its group outlives the context.

    Args:
        program: what to run.
        said: is told each line of its stderr, and what it says that is no message.
        ended: is told in words why no more will come.

    Raises:
        OSError: it cannot be started.
    """
    process = await asyncio.create_subprocess_exec(
        program.command,
        *program.args,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env=dict(program.env),
        cwd=program.cwd,
        limit=MAX_MESSAGE_BYTES,
        start_new_session=True,
    )
    heard, read = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    write, to_say = anyio.create_memory_object_stream[SessionMessage](0)
    works = [
        asyncio.create_task(_hear(process, heard, said, ended)),
        asyncio.create_task(_say(process, to_say)),
        asyncio.create_task(_log_stderr(process, said)),
    ]
    try:
        yield read, write
    finally:
        await _surely(_stop(process, works))
        for stream in (heard, read, write, to_say):
            stream.close()


async def _hear(
    process: Process, heard: MemoryObjectSendStream[SessionMessage | Exception], said: Said, ended: Said
) -> None:
    assert process.stdout is not None
    garbage = 0
    why = "it ended"
    async with heard:
        while garbage < GARBAGE_LINES:
            try:
                line = await process.stdout.readuntil(b"\n")
            except asyncio.LimitOverrunError:
                why = f"it sent a message of more than {MAX_MESSAGE_BYTES} bytes"
                break
            except (asyncio.IncompleteReadError, OSError):
                why = await _how_it_ended(process)
                break
            if not line.strip():
                continue
            try:
                message = jsonrpc_message_adapter.validate_json(line, by_name=False)
            except ValueError:
                garbage += 1
                said(f"no message: {line[: 2 * LINE_CHARS].decode(errors='replace').rstrip()}")
                continue
            try:
                await heard.send(SessionMessage(message))
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                return
        else:
            why = f"it sent {GARBAGE_LINES} lines that are no messages"
        ended(why)


async def _how_it_ended(process: Process) -> str:
    code = process.returncode if await _is_over(process, 0.5) else None
    return "it closed its output" if code is None else f"its process ended with exit code {code}"


async def _say(process: Process, to_say: MemoryObjectReceiveStream[SessionMessage]) -> None:
    assert process.stdin is not None
    async with to_say:
        async for message in to_say:
            text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
            process.stdin.write(text.encode(errors="replace") + b"\n")
            try:
                await process.stdin.drain()
            except OSError:
                return


async def _log_stderr(process: Process, said: Said) -> None:
    assert process.stderr is not None
    left = b""
    lines = 0
    while part := await process.stderr.read(8192):
        *whole, left = (left + part).split(b"\n")
        # a line without an end is taken in pieces, so that it cannot fill the memory
        if len(left) > 8 * LINE_CHARS:
            whole, left = [*whole, left], b""
        for line in whole:
            if lines == LOGGED_LINES:
                said("says more than is logged; the rest of its stderr is dropped")
            elif lines < LOGGED_LINES and line.strip():
                said(line.decode(errors="replace").rstrip())
            lines += 1
    if left.strip() and lines < LOGGED_LINES:
        said(left.decode(errors="replace").rstrip())


async def _stop(process: Process, works: list[asyncio.Task[None]]) -> None:
    """Ends the process and its group: end of input, then SIGTERM, then SIGKILL."""
    if process.stdin is not None:
        process.stdin.close()
    if not await _is_over(process, GRACE):
        _signal_group(process, signal.SIGTERM)
        await _is_over(process, GRACE)
    # also when it ended by itself: what it started may still run
    _signal_group(process, signal.SIGKILL)
    if not await _is_over(process, GRACE):
        _log.warning("process %d is still there after SIGKILL", process.pid)
    for work in works:
        work.cancel()
    for result in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(result, Exception):
            _log.warning("the pipes of process %d failed: %s", process.pid, type(result).__name__)
    # a process that left the group may hold the pipes open; only the transport closes our ends of them
    transport: Any = getattr(process, "_transport", None)
    if transport is not None:
        transport.close()


def _signal_group(process: Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


async def _is_over(process: Process, seconds: float) -> bool:
    """Whether it ended within so many seconds. `wait()` would wait for whoever holds its pipes, too."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while process.returncode is None:  # noqa: ASYNC110 - there is no event of the process's end alone
                await asyncio.sleep(_POLL)
    return process.returncode is not None


async def _surely(work: Coroutine[Any, Any, None]) -> None:
    """Finishes `work` though the task is cancelled meanwhile, and is cancelled then."""
    task = asyncio.create_task(work)
    cancelled: asyncio.CancelledError | None = None
    # a scope of anyio that is cancelled would cancel again and again
    with anyio.CancelScope(shield=True):
        while not task.done():
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError as error:
                cancelled = error
    task.result()
    if cancelled is not None:
        raise cancelled
