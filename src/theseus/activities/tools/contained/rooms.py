"""What a contained command finds around itself, and what is taken from it. Part of the program `launch`.

A root folder of its own with the system's programs (read-only), its workspace (the one thing that it can keep files in),
a small /tmp that vanishes, a few harmless devices, and its own processes. Standard library only.
"""

import contextlib
import os
import resource
import socket
import stat
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from theseus.activities.tools.contained import kernel
else:
    import kernel

WORKSPACE = "/workspace"
INSIDE = 1000
"""User and group of the command, as it sees itself."""
OUTSIDE = 60_813
"""Who that is on the machine when the worker is root; else it is the worker's own user. Nobody has this id by default."""
MAX_DEPTH = 64
"""Folders within folders of a workspace."""

_BASE = "/tmp"
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_OF_ETC = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime")
# as zero is seen full, which reads the same: memory that is shared by way of the other is counted nowhere
_DEVICES = {"null": "null", "zero": "full", "full": "full", "random": "random", "urandom": "urandom"}
_LINKS = {"dev/fd": "/proc/self/fd", "dev/stdin": "/proc/self/fd/0", "dev/stdout": "/proc/self/fd/1"} | {
    "dev/stderr": "/proc/self/fd/2"
}
_FILES = {
    "etc/passwd": f"agent:x:{INSIDE}:{INSIDE}::{WORKSPACE}:/bin/bash\n",
    "etc/group": f"agent:x:{INSIDE}:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    "etc/hosts": "127.0.0.1 localhost\n",
}
_SHOWN = kernel.READ_ONLY | kernel.NOSUID | kernel.NODEV
_MAPS_BYTES = 1 << 20
_PAGE = os.sysconf("SC_PAGESIZE")

Orders = dict[str, Any]


def hand_over(folder: str) -> None:
    """Gives a workspace and all that is in it to the user that the command runs as.

    Raises:
        OSError: it is not there, or may not be given away.
    """
    here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fchown(here, OUTSIDE, OUTSIDE)
        for name, inside, _ in _entries(here):
            with contextlib.suppress(FileNotFoundError):
                if os.stat(name, dir_fd=inside, follow_symlinks=False).st_uid != OUTSIDE:
                    os.chown(name, OUTSIDE, OUTSIDE, dir_fd=inside, follow_symlinks=False)
    finally:
        os.close(here)


def write_identities(process: int) -> None:
    """Says who the users and groups of a new user namespace are outside of it."""
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        # the first process builds as root; the command is somebody who owns nothing on this machine
        users = groups = f"0 0 1\n{INSIDE} {OUTSIDE} 1\n"
    else:
        users, groups = f"{INSIDE} {user} 1\n", f"{INSIDE} {group} 1\n"
        _write(f"/proc/{process}/setgroups", "deny")
    _write(f"/proc/{process}/uid_map", users)
    _write(f"/proc/{process}/gid_map", groups)


def build(orders: Orders) -> None:
    """Makes the root folder and moves into it.

    Raises:
        OSError: the kernel does not permit a part of it.
    """
    os.umask(0o022)
    kernel.mount(None, "/", kernel.RECURSIVE | kernel.PRIVATE)
    # taken before anything is covered: the workspace may be below the folder where the new root is built
    workspace = kernel.copy_of_mount(orders["folder"], kernel.NOSUID | kernel.NODEV, whole=False)
    system = {path: kernel.copy_of_mount(path, _SHOWN) for path in (*_SYSTEM, *_OF_ETC) if _is_real(path)}
    links = {path: os.readlink(path) for path in _SYSTEM if os.path.islink(path)}
    devices = {
        name: kernel.copy_of_mount(f"/dev/{real}", kernel.READ_ONLY | kernel.NOSUID | kernel.NOEXEC, whole=False)
        for name, real in _DEVICES.items()
    }
    kernel.mount("tmpfs", _BASE, kernel.NOSUID | kernel.NODEV, "size=1m,mode=0755")
    os.chdir(_BASE)
    for name in ("dev", "etc", "proc", "tmp", WORKSPACE[1:]):
        os.mkdir(name, 0o755)
    for path, tree in system.items():
        _attach(tree, path[1:])
    for path, target in links.items():
        os.symlink(target, path[1:])
    for name, tree in devices.items():
        _attach(tree, f"dev/{name}")
    _attach(workspace, WORKSPACE[1:])
    _furnish(orders)
    kernel.become_root_folder()
    kernel.mount(None, "/", kernel.REMOUNT | kernel.BIND | _SHOWN)


def _furnish(orders: Orders) -> None:
    for name, target in _LINKS.items():
        os.symlink(target, name)
    for name, text in _FILES.items():
        _write(name, text, make=True)
    size = orders["scratch_bytes"]
    kernel.mount("tmpfs", "tmp", kernel.NOSUID | kernel.NODEV, f"size={size},nr_inodes=4096,mode=1777")
    kernel.mount("proc", "proc", kernel.NOSUID | kernel.NODEV | kernel.NOEXEC, "hidepid=2,subset=pid")
    socket.sethostname("box")


def give_up_rights(orders: Orders, program: bytes) -> None:
    """Makes this process, which is about to become the command, one that may do nothing but compute in its workspace.

    Raises:
        OSError: the kernel does not take a right away.
    """
    os.setsid()
    _write("/proc/self/oom_score_adj", "1000")
    nothing = os.open("/dev/null", os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(1, 2)
    # 3 tells why the command could not be started, and closes when it is
    os.closerange(4, 1 << 16)
    os.chdir(WORKSPACE)
    os.umask(0o077)
    os.nice(5)
    for limit, value in _limits(orders).items():
        resource.setrlimit(limit, (value, value))
    kernel.drop_capabilities()
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(INSIDE, INSIDE, INSIDE)
        os.setresuid(INSIDE, INSIDE, INSIDE)
    kernel.clear_capabilities()
    kernel.filter_calls(program)


def _limits(orders: Orders) -> dict[int, int]:
    return {
        resource.RLIMIT_AS: orders["process_bytes"],
        resource.RLIMIT_FSIZE: orders["file_bytes"],
        resource.RLIMIT_NPROC: orders["processes"],
        resource.RLIMIT_NOFILE: 256,
        resource.RLIMIT_CPU: int(orders["seconds"]) + 1,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }


def memory_used() -> int:
    """Bytes that all processes but the first hold in memory, those that they share counted more than once."""
    pages = 0
    for name in os.listdir("/proc"):
        if name.isdecimal() and name != "1":
            with contextlib.suppress(OSError, IndexError, ValueError), open(f"/proc/{name}/statm", "rb") as about:
                pages += int(about.read().split()[1])
    return pages * _PAGE


def disk_limit_passed(orders: Orders) -> str | None:
    """Which limit of the workspace is passed: "disk" (bytes), "files" (how many) or "depth"; None when none is."""
    count = 0
    here = os.open(WORKSPACE, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        size = _held_bytes(orders["file_bytes"])
        for name, inside, depth in _entries(here):
            count += 1
            with contextlib.suppress(FileNotFoundError):
                about = os.stat(name, dir_fd=inside, follow_symlinks=False)
                size += about.st_size if stat.S_ISREG(about.st_mode) else 0
            passed = {
                "disk": size > orders["workspace_bytes"],
                "files": count > orders["workspace_files"],
                "depth": depth >= MAX_DEPTH,
            }
            if any(passed.values()):
                # at once: who makes files could make them for as long as they are counted
                return next(name for name, is_so in passed.items() if is_so)
    finally:
        os.close(here)
    return "disk" if size > orders["workspace_bytes"] else None


def _held_bytes(file_bytes: int) -> int:
    """Bytes of the workspace's files that have no name any more and are on the disk as long as a process has them."""
    device = os.stat(WORKSPACE).st_dev
    found: dict[int, int] = {}
    for process in os.listdir("/proc"):
        if process.isdecimal() and process != "1":
            with contextlib.suppress(OSError):
                found |= {number: file_bytes for number in _mapped(process) if number not in found}
                for about in _opened(process):
                    if stat.S_ISREG(about.st_mode) and about.st_nlink == 0 and about.st_dev == device:
                        found[about.st_ino] = about.st_size
    return sum(found.values())


def _opened(process: str) -> Iterator[os.stat_result]:
    for name in os.listdir(f"/proc/{process}/fd"):
        with contextlib.suppress(OSError):
            yield os.stat(f"/proc/{process}/fd/{name}")


def _mapped(process: str) -> Iterator[int]:
    """The numbers of removed files of the workspace that a process sees in its memory; their sizes nobody tells."""
    with open(f"/proc/{process}/maps", "rb") as maps:
        for line in maps.read(_MAPS_BYTES).splitlines():
            parts = line.split(maxsplit=5)
            if len(parts) == 6 and parts[5].startswith(f"{WORKSPACE}/".encode()) and parts[5].endswith(b" (deleted)"):
                yield int(parts[4])


def _entries(folder: int) -> Iterator[tuple[str, int, int]]:
    """Every file and folder: its name, the open folder that it is in, how deep that is. Follows no link."""
    for path, folders, files, here in os.fwalk(".", dir_fd=folder, follow_symlinks=False):
        depth = path.count("/")
        for name in (*folders, *files):
            yield name, here, depth
        if depth >= MAX_DEPTH:
            folders.clear()


def _is_real(path: str) -> bool:
    return os.path.exists(path) and not os.path.islink(path)


def _attach(tree: int, target: str) -> None:
    if stat.S_ISDIR(os.fstat(tree).st_mode):
        os.makedirs(target, 0o755, exist_ok=True)
    else:
        _write(target, "", make=True)
    kernel.attach(tree, target)


def _write(path: str, text: str, *, make: bool = False) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CLOEXEC | (os.O_CREAT if make else 0), 0o644)
    try:
        os.write(file, text.encode())
    finally:
        os.close(file)
