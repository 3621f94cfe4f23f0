"""What a student's process can reach, and how it is kept from the rest (Linux).

Four levels; the grader takes the first that works on this machine and says which it was:

bubblewrap  as namespaces, and all of it inside a sandbox of bubblewrap, where that is installed
namespaces  a file system of its own that holds Python and cliplab, read-only, and a
            scratch folder; no network; no sight of other processes, and one kill ends all of its
            children
user        another user of this machine, without rights (where the grader is root and the system
            gives no namespaces, as in many containers)
limits      the instructor's own user

At every level memory, processor time, processes, open files and the size of files are limited, and
system calls that leave something behind or reach others are forbidden (`seccomp`).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import seccomp

LEVELS = {
    "bubblewrap": (
        "Students' code shares the kernel and the processor with this machine. It can read "
        "Python's installation and the source of cliplab, which are public, and not classroom, "
        "which has answers."
    ),
    "namespaces": (
        "Students' code shares the kernel and the processor with this machine. It can read "
        "Python's installation and the source of cliplab, which are public, and not classroom, "
        "which has answers. The wall is the course's own; where bubblewrap is installed, its "
        "sandbox stands around it."
    ),
    "user": (
        "Students' code runs as another user of this machine, without namespaces: it can read and "
        "write whatever every user may, and leave files behind. Close the folders of the masters "
        "and submissions to others (chmod 700)."
    ),
    "limits": (
        "Students' code runs as you do, without namespaces: it can read and change your files, the "
        "masters with their solutions and hidden tests included. Grade on a "
        "machine with user namespaces, or in a container made for it."
    ),
}
WALLED = ("bubblewrap", "namespaces")
SCHOOL = [Path(__file__).resolve().parents[2]]  # classroom, which has answers
PROCESSES = 64
SCRATCH_MB = 256
FIRST_USER, NOBODY = 60_000_000, 65534  # one user per process, far from those in use

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE = {"uts": 0x4000000, "ipc": 0x8000000, "pid": 0x20000000, "net": 0x40000000}
_CLONE_MOUNT, _CLONE_USER = 0x20000, 0x10000000
_BIND, _REC, _PRIVATE, _NOSUID, _NODEV = 0x1000, 0x4000, 1 << 18, 2, 4
_MOUNT_SETATTR, _AT_RECURSIVE, _READ_ONLY_NOSUID = 442, 0x8000, 1 | 2
_PDEATHSIG, _DUMPABLE, _DROP_BOUNDING, _SUBREAPER, _NO_NEW_PRIVILEGES = 1, 4, 24, 36, 38


@dataclass(frozen=True)
class Limits:
    """Of one submission. seconds: of the processor, for one call or cell; budget: for all of it.

    memory: GB of a student's processes together, and as much again of the process that grades.
    """

    seconds: float = 30.0
    memory: float = 4.0

    @property
    def budget(self) -> float:
        return 10 * self.seconds


def _do(function: str, *arguments: Any) -> None:
    """A call of the C library. Raises OSError with its reason."""
    ready = [a.encode() if isinstance(a, str) else a for a in arguments]
    if getattr(_libc, function)(*ready) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")


def _mount(
    source: str | None,
    target: str,
    kind: str | None = None,
    flags: int = 0,
    data: str | None = None,
) -> None:
    _do("mount", source, target, kind, ctypes.c_ulong(flags), data)


def die_with_parent() -> None:
    _do("prctl", _PDEATHSIG, 9, 0, 0, 0)


def adopt_orphans() -> None:
    """Makes this process the parent of every descendant whose own parent has gone."""
    _do("prctl", _SUBREAPER, 1, 0, 0, 0)


def leave_shared_namespaces() -> None:
    """The next child of this process lives in namespaces of its own, as their first process.

    The disk is still shared: see `enter_new_root`.
    """
    user, group = os.geteuid(), os.getegid()
    _do("unshare", sum(_CLONE.values()) | (_CLONE_USER if user else 0))
    if user:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def readable_paths() -> list[Path]:
    """What a student's process sees of this machine's disk: Python, the system's programs, cliplab.

    A folder on sys.path that is no site-packages is not among them: it may be a working copy of
    the course, which holds the masters. Of it cliplab alone is seen.
    """
    import cliplab

    system = ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/alternatives", "/etc/fonts"]
    system += ["/etc/ld.so.cache", "/etc/localtime"]
    packages = map(os.path.abspath, cliplab.__path__)
    python = [sys.prefix, sys.base_prefix, *packages]
    python += [p for p in sys.path if Path(p).name in ("site-packages", "dist-packages")]
    paths = sorted({Path(p) for p in system + python if Path(p).exists()})
    return [p for p in paths if not any(q in p.parents and not q.is_symlink() for q in paths)]


def bubblewrap(folder: str) -> list[str]:
    """The words that put a command into a sandbox in which nothing is but what students may read.

    folder: the one place that can be written.
    """
    words = ["bwrap", "--die-with-parent", "--unshare-pid", "--unshare-net", "--unshare-ipc"]
    words += ["--unshare-uts", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"]
    words += ["--cap-add", "ALL"] if os.geteuid() == 0 else []  # to build the wall inside
    for path in sorted({*readable_paths(), *SCHOOL}):  # the wall inside is made by the school
        words += ["--symlink", os.readlink(path)] if path.is_symlink() else ["--ro-bind", str(path)]
        words += [str(path)]
    return [*words, "--bind", folder, folder, "--chdir", "/", "--"]


def enter_new_root(at: str) -> None:
    """A file system of its own for this process, made on the folder `at`, with /scratch and /tmp.

    It must be the first process of new namespaces. Nothing that is not named here exists in it.
    """
    _do("unshare", _CLONE_MOUNT)  # not before: the keeper goes on seeing the machine
    _mount(None, "/", None, _REC | _PRIVATE)
    _mount("tmpfs", at, "tmpfs", _NOSUID | _NODEV, f"size={SCRATCH_MB}m,mode=755")
    root = Path(at)
    for path in readable_paths():
        inside = root / path.relative_to("/")
        inside.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():
            inside.symlink_to(os.readlink(path))
        else:
            inside.mkdir() if path.is_dir() else inside.touch()
            _bind(path, inside)
            attributes = (ctypes.c_uint64 * 4)(_READ_ONLY_NOSUID, 0, 0, 0)
            _do("syscall", _MOUNT_SETATTR, -1, str(inside), _AT_RECURSIVE, attributes, 32)
    for path in SCHOOL:  # where it is installed beside Python's other packages
        inside = root / path.relative_to("/")
        if inside.exists():
            _mount("tmpfs", str(inside), "tmpfs", _NOSUID | _NODEV | 1, "size=4k")
    (root / "dev").mkdir()
    for name in ("null", "zero", "full", "random", "urandom"):
        (root / "dev" / name).touch()
        _bind(f"/dev/{name}", root / "dev" / name)
    for name in ("scratch", "tmp", "dev/shm", "proc"):
        (root / name).mkdir(exist_ok=True)
        (root / name).chmod(0o1777)
    with contextlib.suppress(OSError):  # some containers forbid it: then there is no /proc at all
        _mount("proc", str(root / "proc"), "proc", _NOSUID | _NODEV)
    os.chdir(at)
    _do("pivot_root", ".", ".")
    _do("umount2", ".", 2)
    os.chdir("/scratch")


def _bind(path: Path | str, at: Path) -> None:
    _mount(str(path), str(at), None, _BIND | _REC)


def give_up_rights(level: str, folder: str) -> None:
    """No user rights, no way to regain any. Root becomes a user of this process alone."""
    if level == "namespaces":
        for capability in range(64):
            _libc.prctl(_DROP_BOUNDING, capability, 0, 0, 0)
    if os.geteuid() == 0 and level != "limits":
        os.setgroups([])
        for user in (FIRST_USER + int(os.environ["CLIPLAB_KEEPER"]), NOBODY):
            try:
                os.chown(folder, user, user)
                os.setresgid(user, user, user)
                os.setresuid(user, user, user)
                break
            except OSError:  # some containers know few users
                if user == NOBODY:
                    raise
        _do("prctl", _DUMPABLE, 1, 0, 0, 0)  # else /proc/self belongs to root
    if level == "namespaces":
        header, nothing = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
        _do("capset", header, nothing)
    _do("prctl", _NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    seccomp.forbid()


def limit(level: str, limits: Limits) -> None:
    """The limits that every process of a student carries, children included."""
    others = 0 if level != "limits" else _tasks_of(os.geteuid())
    Path("/proc/self/oom_score_adj").write_text("1000")  # if memory ends, it is their process first
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    address_space = pages * resource.getpagesize() + int(limits.memory * 2**30)
    for name, value in {
        "AS": address_space,
        "CPU": int(limits.budget) + 1,
        "NPROC": PROCESSES + others,
        "FSIZE": SCRATCH_MB << 20,
        "NOFILE": 256,
        "CORE": 0,
    }.items():
        number = getattr(resource, f"RLIMIT_{name}")
        most = resource.getrlimit(number)[1]
        value = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(number, (value, value))


def limit_memory(gigabytes: float) -> None:
    """This process gets so much more memory than it has now, and then a MemoryError."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + int(gigabytes * 2**30)
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


def memory_below(process: int, inherited: int = 0) -> int:
    """Bytes of memory of all descendants of a process, beyond what each inherited."""
    total = 0
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # it has just ended
            for child in map(int, children.read_text().split()):
                total += max(own_memory(child) - inherited, 0) + memory_below(child, inherited)
    return total


def own_memory(process: int) -> int:
    """Bytes that a process keeps in memory and in no file."""
    with contextlib.suppress(OSError):
        status = Path(f"/proc/{process}/status").read_text()
        found = re.findall(r"^Rss(?:Anon|Shmem):\s*(\d+) kB", status, re.M)
        return 1024 * sum(map(int, found))
    return 0


def _tasks_of(user: int) -> int:
    """How many threads of this user run now, since the system limits them all together."""
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has just ended
            if process.stat().st_uid == user:
                total += len(os.listdir(process / "task"))
    return total
