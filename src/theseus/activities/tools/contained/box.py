"""Runs one command behind walls that the kernel keeps up, or refuses to; the walls are built by the program `launch`.

The command has no network, no file but the system's programs and its workspace, no environment, no process but its own,
and no right. What cannot be had of that on a machine is a reason not to run, never one to run without it.
"""

import asyncio
import contextlib
import json
import platform
import shutil
import sys
import tempfile
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from theseus.activities.tools.contained import seccomp

AT_ONCE = 4
"""Boxes of one worker at the same time; the rest wait for their turn."""
SLACK = timedelta(seconds=5)
"""So much longer than its limit a box may take to start and to end, before it is ended from outside."""
ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/workspace",
    "TMPDIR": "/tmp",
    "LANG": "C.UTF-8",
    "USER": "agent",
}

Broken = Literal["time", "memory", "output", "disk", "files", "depth"]
"""Limits: of time, memory, output; bytes, number and nesting of the files in the workspace."""


class ContainmentError(Exception):
    """A command cannot be contained here, so it was not run; the message says what is missing."""


@dataclass(frozen=True)
class Limits:
    """What a command may use. `seconds` is the time from its start; memory and disk are those of all its processes."""

    seconds: float = 30.0
    memory_bytes: int = 1 << 30
    process_bytes: int = 1 << 30
    processes: int = 64
    output_bytes: int = 1 << 20
    file_bytes: int = 64 << 20
    scratch_bytes: int = 64 << 20
    workspace_bytes: int = 100 << 20
    workspace_files: int = 10_000


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    `code` is its exit code (below 0: the signal that ended it), None when it was ended for a limit, which `broken` names.
    `left_running` processes were ended with it. `over` is a limit of the workspace that is passed now.
    """

    output: bytes
    code: int | None
    broken: Broken | None = None
    left_running: int = 0
    over: Broken | None = None


class _Report(BaseModel):
    model_config = ConfigDict(frozen=True)

    refused: str | None = None
    code: int | None = None
    broken: Literal["time", "memory", "disk", "files", "depth", "stopped"] | None = None
    left_running: int = 0
    disk: Literal["disk", "files", "depth"] | None = None


class Box:
    """Runs commands one by one behind walls, a few at the same time."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def run(self, command: Sequence[str], folder: Path, limits: Limits) -> Ended:
        """Runs a command (a program by its absolute path, and its arguments) with a folder as its /workspace.

        When this is cancelled, the command and all that it started are gone before it returns.

        Raises:
            ContainmentError: it cannot be contained; nothing was run.
        """
        async with self._turns:
            process = await _launched()
            try:
                async with asyncio.timeout(limits.seconds + SLACK.total_seconds()):
                    return await _ended(process, _orders(command, folder, limits), limits.output_bytes)
            except TimeoutError:
                return Ended(b"", None, "time")
            finally:
                await _gone(process)

    async def prove(self) -> None:
        """Runs a harmless command, so that a worker knows at its start whether it can.

        Raises:
            ContainmentError: it cannot; the message says why.
        """
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="theseus-box-"))
        try:
            ended = await self.run(["/bin/bash", "-c", "echo kept"], folder, Limits(seconds=10))
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        if (ended.code, ended.output) != (0, b"kept\n"):
            raise ContainmentError(f"a first command did not run as it should: {ended.code} {ended.output[:200]!r}")


async def _launched() -> asyncio.subprocess.Process:
    if sys.platform != "linux":
        raise ContainmentError(f"commands can be contained on Linux only, not on {sys.platform}")
    return await asyncio.create_subprocess_exec(
        sys.executable,
        # no environment, no installed packages; its own folder is the only one that it imports from
        *("-E", "-s", "-S"),
        str(Path(__file__).with_name("launch.py")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={},
        cwd="/",
        start_new_session=True,
    )


def _orders(command: Sequence[str], folder: Path, limits: Limits) -> bytes:
    try:
        calls = seccomp.program(platform.machine())
    except ValueError as error:
        raise ContainmentError(str(error)) from error
    orders = {
        **asdict(limits),
        "command": list(command),
        "folder": str(folder.absolute()),
        "environment": ENVIRONMENT,
        "filter": b64encode(calls).decode(),
    }
    return json.dumps(orders).encode() + b"\n"


async def _ended(process: asyncio.subprocess.Process, orders: bytes, most: int) -> Ended:
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    with contextlib.suppress(ConnectionError):
        process.stdin.write(orders)
        await process.stdin.drain()
    output, cut = await _read(process.stdout, most)
    if cut:
        # its lifeline: all that runs there ends with it
        process.stdin.close()
        await _emptied(process.stdout)
    told = await process.stderr.read()
    try:
        report = _Report.model_validate_json(told)
    except ValidationError as error:
        raise ContainmentError(
            f"the program that contains commands failed: {told.decode(errors='replace')[-500:]}"
        ) from error
    if report.refused is not None:
        raise ContainmentError(f"this machine does not permit to contain commands: {report.refused}")
    if cut:
        return Ended(output, None, "output", over=report.disk)
    broken = "time" if report.broken == "stopped" else report.broken
    return Ended(output, report.code, broken, report.left_running, report.disk)


async def _read(stream: asyncio.StreamReader, most: int) -> tuple[bytes, bool]:
    """All of it, or as much as may be; and whether there was more."""
    found = bytearray()
    while part := await stream.read(1 << 16):
        found += part
        if len(found) > most:
            return bytes(found[:most]), True
    return bytes(found), False


async def _gone(process: asyncio.subprocess.Process) -> None:
    """Returns when the process and all that it started have ended: until then one of them holds its output open."""
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    process.stdin.close()
    try:
        async with asyncio.timeout(SLACK.total_seconds()):
            await asyncio.gather(_emptied(process.stdout), _emptied(process.stderr), process.wait())
    except TimeoutError:
        # the kernel ends all others with it
        process.kill()
        await asyncio.gather(_emptied(process.stdout), _emptied(process.stderr), process.wait())


async def _emptied(stream: asyncio.StreamReader) -> None:
    while await stream.read(1 << 16):
        pass
