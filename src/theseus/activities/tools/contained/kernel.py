"""The calls of the Linux kernel that Python has no functions for. Imports nothing of ours: `launch` runs by itself."""

import ctypes
import os
import struct

NEW_NAMESPACES = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
"""Mounts, control groups, host name, System V IPC, users, processes, network."""

NOSUID, NODEV, NOEXEC, READ_ONLY = 0x2, 0x4, 0x8, 0x1
REMOUNT, BIND, RECURSIVE, PRIVATE = 0x20, 0x1000, 0x4000, 0x40000

_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR = 428, 429, 442
_HERE, _EMPTY_PATH, _AT_RECURSIVE, _CLONE, _CLOSE_ON_EXEC = -100, 0x1000, 0x8000, 0x1, 0o2000000
_FROM_EMPTY_PATH = 0x4
_DETACH = 0x2
_CAPABILITY_VERSION = 0x20080522
_CAPABILITIES = 64
_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 1, 22, 24, 38
_FILTER = 2

_libc = ctypes.CDLL(None, use_errno=True)


def unshare(flags: int) -> None:
    """Gives this process namespaces of its own."""
    _checked(_libc.unshare(flags), "namespaces cannot be made")


def mount(kind: str | None, target: str, flags: int, options: str = "") -> None:
    """Mounts a file system of a kind, or changes what is mounted when there is none.

    Raises:
        OSError: the kernel refuses; so for all functions here.
    """
    name = kind.encode() if kind else None
    done = _libc.mount(name, target.encode(), name, ctypes.c_ulong(flags), options.encode() or None)
    _checked(done, f"{kind or 'a mount'} cannot be mounted at {target}")


def copy_of_mount(path: str, attributes: int, *, whole: bool = True) -> int:
    """A mount of a folder or file that is nowhere yet, with these attributes; `whole` takes what is mounted in it."""
    flags = _CLONE | _CLOSE_ON_EXEC | (_AT_RECURSIVE if whole else 0)
    tree = _libc.syscall(_OPEN_TREE, _HERE, path.encode(), ctypes.c_uint(flags))
    _checked(tree, f"{path} cannot be shown")
    wanted = struct.pack("=QQQQ", attributes, 0, 0, 0)
    under = _EMPTY_PATH | (_AT_RECURSIVE if whole else 0)
    done = _libc.syscall(_MOUNT_SETATTR, tree, b"", ctypes.c_uint(under), wanted, ctypes.c_size_t(len(wanted)))
    _checked(done, f"{path} cannot be shown with fewer rights")
    return int(tree)


def attach(tree: int, target: str) -> None:
    """Puts such a mount in its place."""
    done = _libc.syscall(_MOVE_MOUNT, tree, b"", _HERE, target.encode(), ctypes.c_uint(_FROM_EMPTY_PATH))
    _checked(done, f"{target} cannot be mounted")
    os.close(tree)


def become_root_folder() -> None:
    """Makes the current folder, a mount, the root, and lets go of the old one with all that is in it."""
    _checked(_libc.pivot_root(b".", b"."), "the root folder cannot be changed")
    _checked(_libc.umount2(b".", _DETACH), "the old root folder cannot be left")
    os.chdir("/")


def die_with_parent() -> None:
    """The kernel kills this process when its parent ends."""
    _prctl(_PR_SET_PDEATHSIG, 9)


def drop_capabilities() -> None:
    """Gives up every capability for good, also those that a program with an owner's rights would bring."""
    for one in range(_CAPABILITIES):
        if _libc.prctl(_PR_CAPBSET_DROP, one, 0, 0, 0) != 0:
            break
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def clear_capabilities() -> None:
    """Takes away what the process still has of them."""
    header = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
    _checked(_libc.capset(header, bytes(24)), "capabilities cannot be given up")


def filter_calls(program: bytes) -> None:
    """Refuses system calls from here on, also for all children; see `seccomp.program`."""
    code = ctypes.create_string_buffer(program, len(program))
    length = len(program) // 8
    given = ctypes.create_string_buffer(struct.pack("@HP", length, ctypes.addressof(code)))
    _prctl(_PR_SET_SECCOMP, _FILTER, ctypes.addressof(given))


def _prctl(option: int, value: int, third: int = 0) -> None:
    done = _libc.prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(third), 0, 0)
    _checked(done, f"the kernel refuses prctl {option}")


def _checked(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
