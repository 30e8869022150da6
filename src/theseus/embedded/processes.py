"""Child processes of `theseus dev`: started in a group of their own, tied to their parent, ended as a group."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

TETHER = Path(__file__).with_name("tether.py")
LOOPBACK = "127.0.0.1"

Check = Callable[[], Awaitable[bool]]
"""Whether a server can be used now."""


class StartError(Exception):
    """Something cannot start; the message is one line that says what is wrong and what to do."""


class Child:
    """A running child process. Made by `start`."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path | None) -> None:
        self.name = name
        self.log = log
        self._process = process

    @classmethod
    async def start(cls, name: str, command: Sequence[str], env: Mapping[str, str], log: Path | None) -> "Child":
        """Starts `command` (an absolute path and its arguments).

        Args:
            name: what people call it.
            command: program and arguments.
            env: its whole environment.
            log: where its output goes, appended; the terminal's stderr without it.
        """
        tethered = [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), *command]
        with _output(log) as output:
            process = await asyncio.create_subprocess_exec(
                *tethered,
                env=dict(env),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        return cls(name, process, log)

    @property
    def pid(self) -> int:
        """Its process id, and its group's."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative when a signal ended it."""
        return self._process.returncode

    async def ended(self) -> int:
        """Waits for its end and gives the exit code."""
        return await self._process.wait()

    async def stop(self, grace_seconds: float) -> None:
        """Asks it to end, and kills its whole group when it does not within the grace or leaves something behind."""
        if self.exit_code is None:
            self._signal(signal.SIGTERM)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), grace_seconds)
        self._signal(signal.SIGKILL)
        await self._process.wait()

    def last_words(self) -> str:
        """The last line of its log, for an error message; empty when there is none."""
        if self.log is None or not self.log.exists():
            return ""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1].strip()[:300] if lines else ""

    def _signal(self, which: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, which)


@contextmanager
def _output(log: Path | None) -> Generator[IO[bytes] | int, None, None]:
    if log is None:
        yield sys.stderr.fileno()
        return
    with log.open("ab") as output:
        yield output


def choose_port(wanted: int, what: str, option: str) -> int:
    """The wanted loopback port, or a free one for 0.

    Raises:
        StartError: it is taken; names the option that changes it.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, wanted))
            return int(probe.getsockname()[1])
        except OSError as error:
            raise StartError(
                f"port {wanted} for {what} is taken ({error.strerror}): stop what listens there, "
                f"or choose another with {option} PORT ({option} 0 takes a free one)"
            ) from error


async def until_ready(child: Child, seconds: float, check: Check) -> None:
    """Waits until the check holds.

    Raises:
        StartError: the child ended, or it took too long.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    where = f"; its log is {child.log}" if child.log else ""
    while not await check():
        if child.exit_code is not None:
            said = child.last_words()
            raise StartError(f"{child.name} ended at once (exit {child.exit_code}){': ' + said if said else ''}{where}")
        if asyncio.get_running_loop().time() > deadline:
            raise StartError(f"{child.name} was not ready within {seconds:g} s{where}")
        await asyncio.sleep(0.05)


async def until_stopped(work: Coroutine[None, None, None], stop: asyncio.Event) -> None:
    """Works until the work is done or `stop` is set; then the work is cancelled. Its error is raised."""
    working, stopped = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([working, stopped], return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped.cancel()
        ended = working.done()
        working.cancel()
        await asyncio.wait([working])
    if ended:
        working.result()
