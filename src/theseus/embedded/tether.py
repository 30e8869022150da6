"""Becomes another program that dies with the process which started it. Run as a file: `tether.py PARENT COMMAND...`.

On Linux the kernel kills it even when its parent was killed outright; elsewhere it only becomes the program.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    """Ties this process to `parent`, then becomes `command`."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
        # the parent may have died before it was asked for
        if os.getppid() != parent:
            raise SystemExit(1)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
