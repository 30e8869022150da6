"""The system calls that a contained program may not make, as a filter for the kernel (classic BPF, seccomp mode 2).

Namespaces and read-only mounts do the containing. This takes away what would widen the kernel's surface or get around
a limit: sockets, new namespaces, mounts, tracing, keys, memory and disk that no limit counts, and files that run as
their owner.
"""

import errno
import struct
from collections.abc import Mapping

_LOAD, _EQUALS, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER_AT, _ARCH_AT, _ARGUMENTS_AT = 0, 4, 16
_X32 = 0x40000000
_NEW_NAMESPACES = 0x7E020080
"""Every CLONE_NEW* flag."""
_SET_ID_BITS = 0o6000
_CREATES = 0o100 | 0o20000000
"""O_CREAT, and the bit of its own of O_TMPFILE."""

_SAME_EVERYWHERE = {
    **{"io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428, "move_mount": 429},
    **{"fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "clone3": 435, "openat2": 437},
    **{"pidfd_getfd": 438, "mount_setattr": 442, "quotactl_fd": 443, "memfd_secret": 447, "fchmodat2": 452},
    **{"open_tree_attr": 467},
}
_X86_64 = _SAME_EVERYWHERE | {
    **{
        "open": 2,
        "mmap": 9,
        "shmget": 29,
        "socket": 41,
        "sendmsg": 46,
        "clone": 56,
        "semget": 64,
        "msgget": 68,
        "creat": 85,
        "chmod": 90,
    },
    **{"fchmod": 91, "ptrace": 101, "syslog": 103, "mknod": 133, "personality": 135, "modify_ldt": 154},
    **{"pivot_root": 155, "adjtimex": 159, "chroot": 161, "acct": 163, "settimeofday": 164, "mount": 165},
    **{"umount2": 166, "swapon": 167, "swapoff": 168, "reboot": 169, "sethostname": 170, "setdomainname": 171},
    **{"iopl": 172, "ioperm": 173, "init_module": 175, "delete_module": 176, "quotactl": 179, "nfsservctl": 180},
    **{"lookup_dcookie": 212, "clock_settime": 227, "mq_open": 240, "kexec_load": 246, "add_key": 248},
    **{"request_key": 249, "keyctl": 250, "migrate_pages": 256, "openat": 257, "mknodat": 259, "fchmodat": 268},
    **{"unshare": 272, "move_pages": 279, "perf_event_open": 298, "fanotify_init": 300, "name_to_handle_at": 303},
    **{"open_by_handle_at": 304, "clock_adjtime": 305, "setns": 308, "process_vm_readv": 310},
    **{"process_vm_writev": 311, "kcmp": 312, "finit_module": 313, "memfd_create": 319, "kexec_file_load": 320},
    **{"fallocate": 285, "sendmmsg": 307, "bpf": 321, "userfaultfd": 323},
}
_AARCH64 = _SAME_EVERYWHERE | {
    **{"lookup_dcookie": 18, "mknodat": 33, "umount2": 39, "mount": 40, "pivot_root": 41, "nfsservctl": 42},
    **{"chroot": 51, "fchmod": 52, "fchmodat": 53, "openat": 56, "quotactl": 60, "acct": 89, "personality": 92},
    **{"unshare": 97, "kexec_load": 104, "init_module": 105, "delete_module": 106, "clock_settime": 112},
    **{"syslog": 116, "ptrace": 117, "reboot": 142, "sethostname": 161, "setdomainname": 162, "settimeofday": 170},
    **{"adjtimex": 171, "mq_open": 180, "msgget": 186, "semget": 190, "shmget": 194, "socket": 198, "add_key": 217},
    **{"request_key": 218, "keyctl": 219, "clone": 220, "swapon": 224, "swapoff": 225, "migrate_pages": 238},
    **{"move_pages": 239, "perf_event_open": 241, "fanotify_init": 262, "name_to_handle_at": 264},
    **{"open_by_handle_at": 265, "clock_adjtime": 266, "setns": 268, "process_vm_readv": 270},
    **{"process_vm_writev": 271, "kcmp": 272, "finit_module": 273, "memfd_create": 279, "bpf": 280, "userfaultfd": 282},
    **{"fallocate": 47, "sendmsg": 211, "mmap": 222, "sendmmsg": 269, "kexec_file_load": 294},
}
MACHINES: Mapping[str, tuple[int, Mapping[str, int]]] = {
    "x86_64": (0xC000003E, _X86_64),
    "aarch64": (0xC00000B7, _AARCH64),
}
"""The processors whose calls are known: how the kernel calls each, and the numbers of its calls."""

_SAID_TO_BE_MISSING = ("clone3", "openat2")
"""Their flags are behind a pointer, which no filter can follow; libraries fall back to the calls whose flags are not."""
_MODE_ARGUMENT = {"chmod": 1, "fchmod": 1, "creat": 1, "mknod": 1, "fchmodat": 2, "fchmodat2": 2, "mknodat": 2}
_FLAGS_ARGUMENT = {"open": 1, "openat": 2}
_SHARED, _ANONYMOUS = 0x1, 0x20
"""Flags of mmap. Memory that is shared and no file stays when it is no longer seen in any process."""
_KEEP_SIZE = 0x1
"""Of fallocate: room on the disk that belongs to a file and is no part of its size."""
_LOOKED_AT = frozenset({"clone", "mmap", "fallocate", *_SAID_TO_BE_MISSING, *_MODE_ARGUMENT, *_FLAGS_ARGUMENT})


def program(machine: str) -> bytes:
    """The filter for a processor (`platform.machine()`), as the kernel takes it.

    Raises:
        ValueError: the numbers of that processor's system calls are not known here.
    """
    if machine not in MACHINES:
        raise ValueError(
            f"no filter of system calls for the processor {machine}: there is one for {', '.join(MACHINES)}"
        )
    arch, numbers = MACHINES[machine]
    made = _step(_LOAD, _ARCH_AT) + _step(_EQUALS, arch, 1, 0) + _step(_RETURN, _KILL) + _step(_LOAD, _NUMBER_AT)
    if machine == "x86_64":
        # the same calls by other numbers
        made += _step(_AT_LEAST, _X32, 0, 1) + _step(_RETURN, _KILL)
    for name, number in sorted(numbers.items()):
        made += _rule(name, number)
    return made + _step(_RETURN, _ALLOW)


def _rule(name: str, number: int) -> bytes:
    body = _body(name)
    return _step(_EQUALS, number, 0, len(body) // 8) + body


def _body(name: str) -> bytes:
    refuse, allow = _step(_RETURN, _ERRNO | errno.EPERM), _step(_RETURN, _ALLOW)
    if name in _SAID_TO_BE_MISSING:
        return _step(_RETURN, _ERRNO | errno.ENOSYS)
    if name not in _LOOKED_AT:
        return refuse
    if name == "clone":
        return _argument(0) + _step(_ANY_BIT, _NEW_NAMESPACES, 0, 1) + refuse + allow
    if name == "mmap":
        return _argument(3) + _step(_ANY_BIT, _SHARED, 0, 2) + _step(_ANY_BIT, _ANONYMOUS, 0, 1) + refuse + allow
    if name == "fallocate":
        unsupported = _step(_RETURN, _ERRNO | errno.EOPNOTSUPP)
        return _argument(1) + _step(_ANY_BIT, _KEEP_SIZE, 0, 1) + unsupported + allow
    if name in _MODE_ARGUMENT:
        return _argument(_MODE_ARGUMENT[name]) + _step(_ANY_BIT, _SET_ID_BITS, 0, 1) + refuse + allow
    flags = _FLAGS_ARGUMENT[name]
    created = _argument(flags) + _step(_ANY_BIT, _CREATES, 0, 3)
    return created + _argument(flags + 1) + _step(_ANY_BIT, _SET_ID_BITS, 0, 1) + refuse + allow


def _argument(place: int) -> bytes:
    """Loads the low half of an argument; both processors are little-endian."""
    return _step(_LOAD, _ARGUMENTS_AT + 8 * place)


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
