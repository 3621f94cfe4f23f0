"""System calls that a student's process may not make, at every level of isolation.

They are those that leave something behind when the process has ended (keyrings, System V's shared
memory, queues and semaphores), that reach other machines and other processes (sockets, tracing), or
that open doors of the kernel which no answer needs. Each fails with "Operation not permitted". The
filter is handed down to children, and nothing can take it off (seccomp(2), man pages 5).
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct

# By name: the numbers on x86-64 and on ARM64.
FORBIDDEN = {
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "shmget": (29, 194),
    "shmctl": (31, 195),
    "shmat": (30, 196),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    "socket": (41, 198),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "open_by_handle_at": (304, 265),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
}
CLONE, CLONE3, NEW_USER = (56, 220), (435, 435), 0x10000000
MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}  # AUDIT_ARCH, column above
OTHER_NUMBERS = 0x40000000  # from here on x86-64 has another table of calls
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, FAIL = 0x7FFF0000, 0x00050000
NUMBER, MACHINE, FIRST_ARGUMENT = 0, 4, 16  # where they stand in what a filter reads


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def program() -> bytes:
    """The filter for this machine. Raises OSError where the numbers of its calls are not known."""
    try:
        machine, column = MACHINES[platform.machine()]
    except KeyError:
        known = " and ".join(MACHINES)
        raise OSError(errno.ENOSYS, f"system calls are known on {known}") from None
    refused = _step(RETURN, FAIL | errno.EPERM)
    lines = [
        _step(LOAD, MACHINE) + _step(EQUAL, machine, 1, 0) + refused,
        _step(LOAD, NUMBER) + _step(AT_LEAST, OTHER_NUMBERS, 0, 1) + refused,
    ]
    lines += [_step(EQUAL, call[column], 0, 1) + refused for call in FORBIDDEN.values()]
    # clone3 keeps its flags where no filter sees them: where it is missing, clone is taken.
    lines += [_step(EQUAL, CLONE3[column], 0, 1) + _step(RETURN, FAIL | errno.ENOSYS)]
    lines += [_step(EQUAL, CLONE[column], 0, 3) + _step(LOAD, FIRST_ARGUMENT)]
    lines += [_step(ANY_BIT, NEW_USER, 0, 1) + refused, _step(RETURN, ALLOW)]
    return b"".join(lines)


def _step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("=HBBI", code, then, otherwise, value)


def forbid() -> None:
    """From here on this process and its children live under the filter. Raises OSError.

    It must have given up the right to gain rights.
    """
    made = program()
    libc = ctypes.CDLL(None, use_errno=True)
    holder = _Program(len(made) // 8, made)
    set_seccomp, with_filter = 22, 2
    if libc.prctl(set_seccomp, with_filter, ctypes.byref(holder), 0, 0) < 0:
        number = ctypes.get_errno()
        raise OSError(number, "the kernel takes no filter of system calls")
