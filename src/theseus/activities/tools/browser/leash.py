"""Runs a browser of which nothing outlives its worker, and ends it when it takes too much memory.

Run as a file, in the place of the browser: `leash.py ORDERS ARGUMENTS...`; needs nothing but the standard library.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
PIPES = (3, 4)
"""Through these the browser is spoken to."""
REFUSAL = "leash: "
"""So begins why the browser is not started."""
LOOK = 1.0
"""Seconds between two looks at the memory."""
_PROFILE = "--user-data-dir="


def main(orders: dict[str, object], arguments: list[str]) -> int:
    """Runs the browser until it ends, or who started it does; gives its exit code.

    Args:
        orders: `worker` (process id), `browser` (path), `user` (id to become, 0 for none), `memory_bytes`.
        arguments: of the browser.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    # what the browser leaves behind becomes a child of this process, so that it is found
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    others = [_watched(int(str(orders["worker"]))), _watched(os.getppid())]
    user = int(str(orders["user"]))
    profile = next((text.removeprefix(_PROFILE) for text in arguments if text.startswith(_PROFILE)), "/tmp")
    try:
        if user:
            os.chown(profile, user, user)
        process = subprocess.Popen(
            [str(orders["browser"]), *arguments],
            pass_fds=PIPES,
            env={"HOME": profile, "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"},
            # nothing but a system call or two: there are no other threads
            preexec_fn=lambda: _become(libc, user),
        )
    except OSError as error:
        raise SystemExit(
            f"{REFUSAL}{orders['browser']} cannot be run as user {user or os.getuid()}: {error.strerror}"
        ) from None
    for pipe in PIPES:
        os.close(pipe)
    try:
        return _wait(process, others, int(str(orders["memory_bytes"])))
    finally:
        end_all()


def _watched(process: int) -> int:
    try:
        return os.pidfd_open(process)
    except ProcessLookupError:
        raise SystemExit(1) from None


def _become(libc: ctypes.CDLL, user: int) -> None:
    if user:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    # after the user, who changes takes it back
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _wait(process: "subprocess.Popen[bytes]", others: list[int], memory_bytes: int) -> int:
    own = os.pidfd_open(process.pid)
    poll = select.poll()
    for descriptor in (own, *others):
        poll.register(descriptor, select.POLLIN)
    while True:
        ended = {descriptor for descriptor, _ in poll.poll(LOOK * 1000)}
        if own in ended:
            return process.wait()
        if ended:
            return 1
        if used(below(os.getpid())) > memory_bytes:
            sys.stderr.write(f"the browser used more than {memory_bytes >> 20} MiB of memory and was ended\n")
            return 1
        _reap(process.pid)


def _reap(browser: int) -> None:
    """Lets go of what the browser left behind and has ended since."""
    for child in below(os.getpid(), deep=False):
        if child != browser:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child, os.WNOHANG)


def end_all() -> None:
    """Ends every process below this one."""
    until = time.monotonic() + 5
    while (left := below(os.getpid())) and time.monotonic() < until:
        for process in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.02)


def below(top: int, *, deep: bool = True) -> list[int]:
    """The processes that a process started, and with `deep` all that those started."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError, ValueError):
            # the name, in brackets, may hold anything
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(folder.name))
    found = list(children.get(top, []))
    for process in found if deep else ():
        found.extend(children.get(process, []))
    return found


def used(processes: list[int]) -> int:
    """Bytes of memory that these processes do not share with others."""
    total = 0
    for process in processes:
        with contextlib.suppress(OSError, IndexError, ValueError):
            _, resident, shared = Path(f"/proc/{process}/statm").read_text().split()[:3]
            total += (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")
    return total


if __name__ == "__main__":
    raise SystemExit(main(json.loads(sys.argv[1]), sys.argv[2:]))
