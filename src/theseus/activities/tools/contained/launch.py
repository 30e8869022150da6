"""The program that builds the walls and runs one command behind them; `box.py` starts it, with an empty environment.

It reads one JSON line of orders and keeps standard input as its lifeline: when that ends, all that it started ends. The
command's output goes to standard output, and one JSON line to standard error says how it ended, or why it was refused.

Three processes: this one waits; the first process of the new namespaces builds, watches and reaps, and when it ends the
kernel ends every other process there; the command runs without any right. Standard library only.
"""

import contextlib
import json
import os
import select
import signal
import sys
import time
from base64 import b64decode
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from theseus.activities.tools.contained import kernel, rooms
else:
    import kernel
    import rooms

TICK_SECONDS = 0.05
DISK_EVERY_SECONDS = 0.2

Orders = dict[str, Any]


def main() -> None:
    """Reads orders, runs the command, ends."""
    orders = _orders()
    try:
        if os.geteuid() == 0:
            rooms.hand_over(orders["folder"])
        _enter_namespaces()
        first = os.fork()
    except OSError as error:
        _refused(error)
    if first == 0:
        _first_process(orders)
    os.waitpid(first, 0)


def _orders() -> Orders:
    line = b""
    # no buffer may swallow what tells that the caller is gone
    while not line.endswith(b"\n"):
        part = os.read(0, 1 << 16)
        if not part:
            sys.exit(1)
        line += part
    return json.loads(line)


def _refused(error: OSError) -> NoReturn:
    _tell({"refused": error.strerror or str(error)})
    os._exit(1)


def _tell(report: dict[str, object]) -> None:
    os.write(2, json.dumps(report).encode() + b"\n")


def _enter_namespaces() -> None:
    """New namespaces for this process's children. Who is who in them is written by a child that is still outside."""
    made_out, made_in = os.pipe()
    mapper = os.fork()
    if mapper == 0:
        os.close(made_in)
        os.read(made_out, 1)
        try:
            rooms.write_identities(os.getppid())
        except OSError as error:
            _tell({"refused": f"identities cannot be mapped: {error.strerror}"})
            os._exit(1)
        os._exit(0)
    os.close(made_out)
    try:
        kernel.unshare(kernel.NEW_NAMESPACES)
    except OSError:
        os.kill(mapper, signal.SIGKILL)
        os.waitpid(mapper, 0)
        raise
    os.write(made_in, b"x")
    os.close(made_in)
    if os.waitstatus_to_exitcode(os.waitpid(mapper, 0)[1]) != 0:
        os._exit(1)


def _first_process(orders: Orders) -> NoReturn:
    try:
        kernel.die_with_parent()
        wake_out, wake_in = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_in, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _noticed)
        rooms.build(orders)
        command = _start(orders)
        report = _watch(orders, command, wake_out)
    except OSError as error:
        _refused(error)
    _tell(report)
    os._exit(0)


def _noticed(_number: int, _frame: object) -> None:
    """A child ended: the wake-up pipe tells the watch."""


def _start(orders: Orders) -> int:
    """Starts the command; gives its process id.

    Raises:
        OSError: it could not be started, or not without rights.
    """
    failed_out, failed_in = os.pipe2(os.O_CLOEXEC)
    command = os.fork()
    if command == 0:
        try:
            os.dup2(failed_in, 3)
            os.set_inheritable(3, False)
            rooms.give_up_rights(orders, b64decode(orders["filter"]))
            os.execve(orders["command"][0], orders["command"], orders["environment"])
        except (OSError, ValueError) as error:
            os.write(3, str(error).encode())
        os._exit(127)
    os.close(failed_in)
    with open(failed_out, "rb") as failed:
        why = failed.read().decode(errors="replace")
    if why:
        raise OSError(0, why)
    return command


def _watch(orders: Orders, command: int, wake: int) -> dict[str, object]:
    """Waits for the command and keeps it to its limits; afterwards nothing runs any more."""
    ends = time.monotonic() + orders["seconds"]
    look_at_disk = time.monotonic() + DISK_EVERY_SECONDS
    status: int | None = None
    broken: str | None = None
    while status is None and broken is None:
        ready, _, _ = select.select([0, wake], [], [], TICK_SECONDS)
        if wake in ready:
            os.read(wake, 4096)
        status = _reaped(command)
        now = time.monotonic()
        if 0 in ready:
            broken = "stopped"
        elif now > ends:
            broken = "time"
        elif rooms.memory_used() > orders["memory_bytes"]:
            broken = "memory"
        elif now > look_at_disk:
            look_at_disk = now + DISK_EVERY_SECONDS
            broken = rooms.disk_limit_passed(orders)
    left = _end_all()
    broken = None if status is not None else broken
    code = os.waitstatus_to_exitcode(status) if status is not None else None
    return {"code": code, "broken": broken, "left_running": left, "disk": rooms.disk_limit_passed(orders)}


def _reaped(command: int) -> int | None:
    """The status of the command when it has ended; buries whoever else has."""
    found: int | None = None
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            if pid == command:
                found = status
    return found


def _end_all() -> int:
    """Kills whatever still runs here; gives how many there were."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    count = 0
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
            count += 1
    return count


if __name__ == "__main__":
    main()
