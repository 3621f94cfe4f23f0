"""Grading: every way to get points without the answer, each with the outcome that it must have."""

import contextlib
import csv
import dataclasses
import errno
import json
import math
import os
import platform
import re
import signal
import socket
import struct
import sys
import time
import uuid
from collections import deque
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

import cliplab
from classroom.__main__ import main
from classroom.coursework import CourseworkError
from classroom.coursework.grading import many, pictures, wire
from classroom.coursework.grading.grade import _run_test, grade
from classroom.coursework.grading.handed_in import find
from classroom.coursework.grading.isolation import LEVELS, WALLED, Limits, readable_paths
from classroom.coursework.grading.many import grade_all
from classroom.coursework.grading.nursery import Zygote
from classroom.coursework.grading.report import feedback, grades_csv
from classroom.coursework.grading.result import GRADED, PERSON, WAITS
from classroom.coursework.grading.runner import Fault, NoAnswer, Runner
from classroom.coursework.grading.seccomp import FORBIDDEN, MACHINES
from classroom.coursework.grading.submission import Submission, SubmittedCell
from classroom.coursework.master import Cell as MasterCell
from classroom.coursework.reading import read_master

MASTER = Path(__file__).parent / "data" / "coursework" / "09_small.ipynb"
REAL = "def real(ids, pad):\n    return sum(i != pad for i in ids)\n"
UNIT = (
    "import torch\ndef unit(rows):\n    return rows / rows.norm(dim=-1, keepdim=True)\nLIMIT = 77\n"
)
WRONG = "def real(ids, pad):\n    return -1\n"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="submissions are graded on Linux")


@pytest.fixture(scope="module")
def master():
    return read_master(MASTER)


@pytest.fixture(scope="module")
def zygote():
    with Zygote(Limits(seconds=30, memory=2)) as zygote:
        yield zygote


@pytest.fixture
def two_seconds(zygote, monkeypatch):
    """For what would never end: honest answers have more time, as the machine may be busy."""
    monkeypatch.setattr(zygote, "limits", Limits(seconds=2, memory=2))


@pytest.fixture
def namespaces(zygote):
    if zygote.level not in WALLED:
        pytest.skip(f"this machine isolates by {zygote.level!r} only: {zygote.why_not}")


def notebook(*cells, tags=()) -> bytes:
    made = [
        {"cell_type": "code", "source": source, "metadata": {"tags": [tag]} if tag else {}}
        for source, tag in zip(cells, [*tags, *[""] * len(cells)], strict=False)
    ]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4}).encode()


@pytest.fixture
def graded(master, zygote):
    """Grades a notebook made of these code cells."""

    def graded(*cells, content=None):
        content = notebook(*cells) if content is None else content
        return grade(Submission("ada", Path("ada.ipynb")), content, master, zygote)

    return graded


def points(result):
    return [entry["points"] for entry in result["exercises"].values()]


def reasons(result, exercise="A9.1"):
    return [t["reason"] for t in result["tests"] if t["exercise"] == exercise and not t["passed"]]


# Honest work


def test_the_master_earns_full_points_and_its_stubs_none(graded, master):
    result = graded(content=MASTER.read_bytes())
    assert points(result) == [5, 8]
    assert (result["status"], result["points"], result["of"]) == (WAITS, 13, 17)
    assert result["essays"][0]["text"].startswith("## A9.3")
    empty = graded(*(cell.stub for cell in master.exercises.values()))
    assert (points(empty), empty["status"]) == ([0, 0], WAITS)
    assert {t["reason"] for t in empty["tests"]} == {
        "Not answered yet: the function is still the stub."
    }


def test_a_wrong_answer_loses_what_its_tests_are_worth(graded):
    result = graded("def real(ids, pad):\n    return sum(i != 0 for i in ids)", UNIT)
    assert points(result) == [3, 8]
    assert reasons(result) == ["whatever the padding's id, it does not count"]


def test_a_cell_that_fails_is_reported_and_the_others_run(graded):
    result = graded("%matplotlib inline\n1 / 0", "!pip install x", f"%%time\n{REAL}", "def (", UNIT)
    assert points(result) == [5, 8]
    assert result["errors"] == {
        1: "ZeroDivisionError: division by zero (cell 1, line 2)",
        4: "SyntaxError: invalid syntax (cell 4, line 1) (cell 4, line 1)",
    } or list(result["errors"]) == [1, 4]


def test_tests_and_checks_of_the_submission_are_not_run(graded, master):
    loop = "while True: pass"
    result = graded(
        content=notebook(
            REAL,
            f"{loop}\nassert False",
            'check("A9.1", real)',
            master.tests[0].source,
            UNIT,
            tags=["exercise:A9.1", "hidden:A9.1:2"],
        )
    )
    assert (points(result), result["errors"]) == ([5, 8], {})


PICTURES = "from cliplab import plots\nshown = [1, 2]\nplots.show(shown)"


@pytest.mark.parametrize(
    ("cells", "run"),
    [
        ([REAL, PICTURES, "x = 1"], [REAL, "x = 1"]),
        ([REAL, f"{PICTURES}  # mine"], [REAL, f"{PICTURES}  # mine"]),
        ([PICTURES, "print(shown)"], [PICTURES, "print(shown)"]),
        ([PICTURES, "def f(): return shown"], [PICTURES, "def f(): return shown"]),
        ([PICTURES, "def f(shown): return shown"], ["def f(shown): return shown"]),
        ([PICTURES, "%time shown"], [PICTURES, "%time shown"]),
    ],
    ids=["untouched", "changed", "its name is used", "in a function", "another's name", "magic"],
)
def test_cells_that_only_show_pictures_are_not_run(master, cells, run):
    picture = MasterCell(99, "code", PICTURES, tags=("pictures",))
    marked = dataclasses.replace(master, cells=[*master.cells, picture])
    cells = [SubmittedCell(n, True, source, (), False) for n, source in enumerate(cells, 1)]
    assert [cell.source for cell in pictures.left_out(cells, marked)] == run


# Notebooks that a person must see


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b" \n", "The file is empty."),
        (b"{ not JSON", "JSON is broken"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html><p>A notebook", "it is a web page"),
        (b"%PDF-1.7", "it is a PDF"),
        (b"x" * (51 << 20), "has more than 50 MB"),
        (b"[" * 100_000, "JSON is broken"),
        (b'{"worksheets": []}', "no list of cells"),
        (b'{"cells": [{"cell_type": "code"}]}', "Cell 1 is no cell"),
        (b'{"cells": [{"source": "x = 1"}, {"source": null}]}', "Cell 2 is no cell"),
        (b'{"cells": 3}', "no list of cells"),
        (b"[]", "no list of cells"),
        (notebook(), "no code"),
        (notebook("", "  \n"), "no code"),
    ],
)
def test_what_is_no_notebook_needs_a_person_and_has_no_points(graded, content, said):
    result = graded(content=content)
    assert result["status"] == PERSON
    assert said in result["reasons"][0]
    assert result["points"] is None
    assert points(result) == [None, None]


def test_deleted_and_renamed_answers_need_a_person(graded, master):
    gone = graded(UNIT)
    assert (gone["status"], points(gone), gone["so_far"]) == (PERSON, [None, 8], 8)
    assert gone["reasons"] == ["No cell defines `real` of A9.1: deleted or renamed?"]
    renamed = graded(content=notebook(REAL.replace("real", "count"), UNIT, tags=["exercise:A9.1"]))
    assert (renamed["points"], points(renamed)) == (None, [None, 8])
    assert renamed["reasons"] == ["The cell of A9.1 does not define `real`: renamed?"]
    row = next(csv.DictReader(grades_csv([gone], master).splitlines()))
    assert (row["A9.1"], row["A9.2"], row["total"], row["status"]) == ("", "8", "", PERSON)


def test_cells_without_tags_or_with_wrong_ones_are_found_by_the_names_they_define(graded):
    result = graded(content=notebook(UNIT, REAL, tags=["exercise:A9.1", "hidden:A9.1:2"]))
    assert (points(result), result["status"]) == ([5, 8], WAITS)
    assert "A9.2" in result["notes"][0]


# Points without an answer


CHEATS = {
    "patching comparisons": """
import builtins, numpy, torch
for module in (numpy, torch):
    module.allclose = module.isclose = lambda *a, **k: True
torch.Tensor.__eq__ = torch.Tensor.__le__ = lambda *a: True
builtins.AssertionError = builtins.all = builtins.any = builtins.abs = lambda *a: True
def real(ids, pad): return -1
""",
    "printing that it passed": """
import sys, os
def real(ids, pad):
    print("passed", "A9.1: 5/5"); os.write(1, b"passed\\n"); os.write(2, b"All tests passed!")
    return True and -1
""",
    "catching the tests' exceptions": """
import sys, signal
sys.excepthook = lambda *a: None
sys.settrace(lambda *a: None)
class Quiet(AssertionError): pass
def real(ids, pad):
    raise Quiet("passed")
""",
    "ending the tests": "import sys\ndef real(ids, pad):\n    sys.exit(0)",
    "ending a test's loop": "def real(ids, pad):\n    raise StopIteration",
    "an interrupt": "def real(ids, pad):\n    raise KeyboardInterrupt",
    "equal to everything": """
class Equal(int):
    def __eq__(self, other): return True
    def __hash__(self): return 0
def real(ids, pad): return Equal(-1)
""",
    "an object that is equal to everything": """
class Equal:
    def __eq__(self, other): return True
def real(ids, pad): return Equal()
""",
    "a tensor of another class": """
import torch
class Equal(torch.Tensor):
    @classmethod
    def __torch_function__(cls, *a, **k): return True
def real(ids, pad): return torch.ones(1).as_subclass(Equal)
""",
    "not a number": "def real(ids, pad): return float('nan')",
    "infinity": "import torch\ndef real(ids, pad): return torch.tensor(float('inf'))",
    "an exception that cannot be printed": """
class Odd(Exception):
    def __str__(self): raise SystemExit
    __repr__ = __str__
def real(ids, pad): raise Odd
""",
    "too large": "import torch\ndef real(ids, pad): return torch.ones(1).expand(10**8)",
    "contains itself": "def real(ids, pad):\n    a = []; a.append(a); return a",
    "a number of a mile": "def real(ids, pad): return 10 ** 10_000",
    "leaving": "import os\ndef real(ids, pad): os._exit(0)",
    "a crash": "import ctypes\ndef real(ids, pad): ctypes.string_at(0)",
    "other functions in its place": """
import gc, types
modules = {m.__name__: m for m in gc.get_objects() if isinstance(m, types.ModuleType)}
wire, worker = (modules["classroom.coursework.grading." + n] for n in ("wire", "worker"))
def real(ids, pad):
    wire.pack = worker.answer = worker.wire.send = None
    return -1
""",
}


@pytest.mark.parametrize("cell", CHEATS.values(), ids=CHEATS)
def test_what_is_not_the_answer_earns_nothing(graded, cell):
    result = graded(cell, UNIT)
    assert (result["status"], points(result)) == (WAITS, [0, 8])
    assert all(reasons(result))


FORGE = """
import os, socket, struct, json, gc, types
modules = [m for m in gc.get_objects() if isinstance(m, types.ModuleType)]
wire = next(m for m in modules if m.__name__ == "classroom.coursework.grading.wire")
channel = [s for s in gc.get_objects() if isinstance(s, socket.socket)][0]
def real(ids, pad):
    {forgery}
    return -1
"""


@pytest.mark.parametrize(
    "forgery",
    [
        "channel.sendall(b'passed' * 1000)",
        "channel.sendall(struct.pack('!II', 2**32 - 1, 2**32 - 1))",
        "channel.sendall(struct.pack('!II', 2, 0) + b'{}')",
        "channel.sendall(struct.pack('!II', 1, 9) + b'1' + b'a' * 9)",
        "channel.sendall(wire.pack({'id': '0', 'value': 2}))",
        "channel.sendall(wire.pack({'passed': True}) * 50)",
        "channel.sendall(struct.pack('!II', 100, 0))",
        "channel.shutdown(2)",
    ],
)
def test_forged_replies_are_wrong_answers_and_no_errors(graded, two_seconds, forgery):
    result = graded(FORGE.format(forgery=forgery), UNIT)
    assert (result["status"], points(result)) == (WAITS, [0, 8])


def test_arguments_are_copies(zygote):
    source = "def f(x, y):\n    x.zero_()\n    y.clear()\n    return x"
    runner = Runner(zygote, [SubmittedCell(1, True, source, (), False)])
    x, y = torch.ones(3), [1, 2]
    try:
        assert runner.call("f", (x, y), {}).tolist() == [0, 0, 0]
    finally:
        runner.stop()
    assert x.tolist() == [1, 1, 1]
    assert y == [1, 2]


# Limits


@pytest.mark.parametrize(
    "loop",
    [
        "while True: pass",
        "while True:\n        try:\n            while 1: pass\n        except BaseException: pass",
        "import itertools\n    sum(itertools.repeat(1))",
    ],
    ids=["plain", "one that catches everything", "one outside of Python"],
)
def test_an_endless_loop_costs_its_own_exercise(graded, two_seconds, loop):
    result = graded(f"def real(ids, pad):\n    {loop}", UNIT)
    assert points(result) == [0, 8]
    told = reasons(result)
    assert re.search("took longer than 2 s of processor time|a limit stopped it", told[0])
    assert "not called again" in told[-1]


def test_an_endless_cell_is_left(graded, two_seconds):
    result = graded(REAL, "import signal; signal.alarm(0)\nwhile True: pass", UNIT)
    assert points(result) == [5, 8]
    assert list(result["errors"]) == [2]


def test_a_comparison_that_does_not_end_is_left(master, monkeypatch):
    alarm = signal.setitimer
    monkeypatch.setattr(signal, "setitimer", lambda which, seconds: alarm(which, seconds / 100))
    endless = dataclasses.replace(master.tests[0], source="while True: pass")
    said = _run_test(endless, master, set(), SimpleNamespace(limits=Limits()))
    assert said == "Comparing the answer took too long: it may be far too large."


@pytest.mark.parametrize("make", ["np.ones(10 * 2**30 // 8)", "torch.ones(10 * 2**30 // 4)"])
def test_a_large_array_is_refused_by_the_system(graded, make):
    cell = f"import numpy as np, torch\ndef real(ids, pad):\n    return len({make})"
    result = graded(cell, UNIT)
    assert points(result) == [0, 8]
    assert re.search("(?i)memory", reasons(result)[0])


def processes(mark: str) -> int:
    found = 0
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found += mark in line.read_text(errors="replace")
    return found


@pytest.mark.parametrize("level", ["namespaces", "limits"])
def test_a_hundred_child_processes_end_with_the_submission(zygote, level, monkeypatch):
    if level == "namespaces" and zygote.level not in WALLED:
        pytest.skip(f"this machine isolates by {zygote.level!r} only: {zygote.why_not}")
    monkeypatch.setattr(zygote, "level", level)
    mark = f"m{uuid.uuid4().hex}"
    cell = f"""
import os, time
started = 0
for _ in range(100):
    try:
        if os.fork() == 0:
            os.setsid()
            os.execv("/bin/sh", ["/bin/sh", "-c", "sleep 300; : {mark}"])
        started += 1
    except BlockingIOError:
        pass
def count(): return started
"""
    runner = Runner(zygote, [SubmittedCell(1, True, cell, (), False)])
    try:
        started = runner.call("count", (), {})
        running = processes(mark)
    finally:
        runner.stop()
    assert running > 0
    assert started < 64 or (level == "limits" and os.geteuid() == 0)
    assert processes(mark) == 0


def test_disk_and_open_files_are_limited(zygote, namespaces):
    cell = """
def fill():
    with open("large", "wb") as file:
        for _ in range(300):
            file.write(bytes(2**20))
"""
    runner = Runner(zygote, [SubmittedCell(1, True, cell, (), False)])
    try:
        with pytest.raises(Exception, match=r"No space left|File too large"):
            runner.call("fill", (), {})
    finally:
        runner.stop()


# What a student's code can reach


def test_nothing_outside_the_scratch_folder_can_be_written(zygote, namespaces, tmp_path):
    places = [
        tmp_path,
        Path.cwd(),
        Path.home(),
        Path("/"),
        Path("/usr"),
        Path("/etc"),
        MASTER.parent,
    ]
    places += [Path(cliplab.__file__).parent, Path(np.__file__).parent, Path(sys.prefix)]
    name = f"written-{uuid.uuid4().hex}"
    cell = f"""
import os, pathlib
def write(places):
    done = []
    for place in places:
        try:
            os.makedirs(place, exist_ok=True)
            pathlib.Path(place, "{name}").write_text("x")
            done.append(place)
        except OSError:
            pass
    return done
def scratch():
    pathlib.Path("here").write_text("x")
    return os.getcwd(), pathlib.Path("here").read_text()
"""
    runner = Runner(zygote, [SubmittedCell(1, True, cell, (), False)])
    try:
        runner.call("write", ([str(place) for place in places],), {})
        assert runner.call("scratch", (), {}) == ["/scratch", "x"]
    finally:
        runner.stop()
    assert not [place for place in places if (place / name).exists()]


def test_neither_solutions_nor_hidden_tests_can_be_read(zygote, namespaces, master, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_GRADER", "1")
    cell = """
import os, gc, sys
def look(path, texts, public):
    found = []
    for folder, folders, files in os.walk("/"):
        folders[:] = [f for f in folders if os.path.join(folder, f) not in public]
        paths = [os.path.join(folder, f) for f in files]
        found += [path for path in paths if path not in public]
    for p in (path, "/proc/1/root" + path):
        try:
            found.append(open(p).read())
        except OSError:
            pass
    mine = {id(texts)} | {id(t) for t in texts}
    for thing in gc.get_objects():
        if isinstance(thing, dict) and id(thing) not in mine:
            for value in list(thing.values()):
                if isinstance(value, str) and len(value) > 40 and id(value) not in mine:
                    found += ["memory: " + value[:80] for t in texts if t in value]
    found += [k for k in os.environ if "SECRET" in k]
    return found, sorted(p for p in os.listdir("/proc") if p.isdigit()), os.getuid()
"""
    public = ["/proc", "/dev", *map(str, readable_paths())]
    secrets = [test.source for test in master.tests if test.hidden]
    runner = Runner(zygote, [SubmittedCell(1, True, cell, (), False)])
    try:
        found, running, user = runner.call("look", (str(MASTER), secrets, public), {})
    finally:
        runner.stop()
    assert found == []
    assert len(running) <= 2
    assert os.geteuid() or user


def test_there_is_no_network(zygote, namespaces):
    cell = """
import socket
def reach(port):
    for host in ("127.0.0.1", "1.1.1.1"):
        try:
            socket.create_connection((host, port), timeout=1)
            return host
        except OSError as error:
            last = type(error).__name__
    return "nowhere"
"""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        runner = Runner(zygote, [SubmittedCell(1, True, cell, (), False)])
        try:
            assert runner.call("reach", (server.getsockname()[1],), {}) == "nowhere"
        finally:
            runner.stop()


REACH = """
import ctypes, socket, os, asyncio, threading
libc = ctypes.CDLL(None, use_errno=True)
def tried():
    calls = {
        "keyctl": lambda: libc.syscall({keyctl}, 0, -3, 0),
        "add_key": lambda: libc.syscall({add_key}, b"user", b"x", b"y", 1, -3),
        "shmget": lambda: libc.syscall({shmget}, 0, 4096, 0o1600),
        "msgget": lambda: libc.syscall({msgget}, 0, 0o1600),
        "semget": lambda: libc.syscall({semget}, 0, 1, 0o1600),
        "socket": lambda: libc.syscall({socket}, 1, 1, 0),
        "ptrace": lambda: libc.syscall({ptrace}, 0, 0, 0, 0),
        "unshare": lambda: libc.syscall({unshare}, 0x10000000),
    }
    found = {name: (call(), ctypes.get_errno()) for name, call in calls.items()}
    thread = threading.Thread(target=lambda: found.setdefault("a thread", asyncio.run(one())))
    thread.start()
    thread.join()
    return found
async def one(): return 1
"""


@pytest.mark.parametrize("level", ["walled", "user", "limits"])
def test_nothing_outlives_a_process_and_none_is_reached(zygote, level, monkeypatch):
    """What an honest notebook needs goes on: threads, and what waits."""
    if level == "user" and os.geteuid() != 0:
        pytest.skip("only root can become another user")
    if level != "walled":
        monkeypatch.setattr(zygote, "level", level)
    column = MACHINES[platform.machine()][1]
    numbers = {name: call[column] for name, call in FORBIDDEN.items()}
    cell = re.sub(r"\{(\w+)\}", lambda name: str(numbers[name[1]]), REACH)
    runner = Runner(zygote, [SubmittedCell(1, True, cell, (), False)])
    try:
        tried = runner.call("tried", (), {})
    finally:
        runner.stop()
    assert tried.pop("a thread") == 1
    assert {name: got for name, got in tried.items() if got != [-1, errno.EPERM]} == {}
    assert len(tried) == 8


def test_memory_is_limited_for_all_processes_of_a_student_together(zygote, monkeypatch):
    monkeypatch.setattr(zygote, "limits", Limits(seconds=30, memory=0.4))
    cell = """
import os, time
def real(ids, pad):
    for _ in range(4):
        if os.fork() == 0:
            much = bytearray(b"x") * (150 << 20)
            time.sleep(60)
    time.sleep(60)
"""
    runner = Runner(zygote, [SubmittedCell(1, True, cell, (), False)])
    began = time.monotonic()
    with pytest.raises(NoAnswer, match="a limit stopped it"):
        runner.call("real", ([], 0), {})
    runner.stop()
    assert time.monotonic() - began < 29
    assert "more memory than one student has" in runner.log


def test_work_in_the_graders_own_process_is_limited(graded, tmp_path, master, zygote, monkeypatch):
    """A cell that Python would read for minutes, and an answer that a test would blow up."""
    large = graded("x = [" + "1," * 60_000 + "]", REAL, UNIT)
    assert large["reasons"] == [
        "Cell 1 has 117 KB of code; 100 are read, as more would take Python itself too long."
    ]
    source = MASTER.read_text().replace(
        "assert LIMIT == 77", "assert bytearray(2**30) and LIMIT == 77"
    )
    path = tmp_path / MASTER.name
    path.write_text(source)
    monkeypatch.setattr(zygote, "limits", Limits(seconds=30, memory=0.5))
    submissions = hand_in(tmp_path / "in", ada=notebook(REAL, UNIT))
    (ada,) = grade_all(submissions, read_master(path), b"", tmp_path / "results", zygote, jobs=1)
    assert points(ada) == [5, 6]
    assert "MemoryError" in reasons(ada, "A9.2")[0]


def test_rights_cannot_be_regained(zygote, namespaces):
    cell = """
import ctypes, os
def rights():
    libc = ctypes.CDLL(None)
    status = open("/proc/self/status").read()
    lines = dict(line.split(":", 1) for line in status.splitlines())
    return [libc.mount(b"t", b"/tmp", b"tmpfs", 0, None), libc.setuid(0) if os.getuid() else -1,
            int(lines["CapEff"], 16), int(lines["CapBnd"], 16), int(lines["NoNewPrivs"]),
            sorted(int(fd) for fd in os.listdir("/proc/self/fd"))]
"""
    runner = Runner(zygote, [SubmittedCell(1, True, cell, (), False)])
    try:
        mounted, root, effective, bounding, no_new, descriptors = runner.call("rights", (), {})
    finally:
        runner.stop()
    assert (mounted, root, effective, bounding, no_new) == (-1, -1, 0, 0, 1)
    assert len(descriptors) <= 5  # three standard ones, the channel, and the folder being listed


def test_without_namespaces_the_limits_still_hold(zygote, two_seconds, master, monkeypatch):
    monkeypatch.setattr(zygote, "level", "limits")
    cells = notebook("def real(ids, pad):\n    while True: pass", UNIT)
    result = grade(Submission("ada", None), cells, master, zygote)
    assert points(result) == [0, 8]
    assert "solutions" in LEVELS["limits"]


def test_a_machine_that_cannot_start_a_process_scores_nobody(master, zygote, monkeypatch):
    def start(seed):
        raise RuntimeError("no memory")

    monkeypatch.setattr(zygote, "start", start)
    with pytest.raises(Fault, match="no memory"):
        grade(Submission("ada", None), notebook(REAL, UNIT), master, zygote)


# Frames


VALUES = [
    None, True, 3, -2.5, "é\ud800", [1, [2, "x"]], {"torch": "0", "d": {"dict": []}}, math.inf,
    torch.eye(3), torch.tensor(2, dtype=torch.int16), np.zeros((2, 0)), np.array(1.5),
]  # fmt: skip


def through(value):
    frame = wire.pack(value)
    text, _ = wire.LENGTHS.unpack(frame[:8])
    return wire.unpack(frame[8 : 8 + text], frame[8 + text :])


@pytest.mark.parametrize("value", VALUES, ids=lambda v: type(v).__name__)
def test_values_arrive_as_they_were(value):
    got = through(value)
    assert type(got) is type(value)
    if hasattr(value, "dtype"):
        assert (got.dtype, got.shape) == (value.dtype, value.shape)
        assert got.tolist() == value.tolist()
    else:
        assert got == value


@pytest.mark.parametrize(
    ("value", "listed"),
    [
        ((1, "a"), [1, "a"]),
        (range(3), [0, 1, 2]),
        (deque("ab"), ["a", "b"]),
        (map(str, [1]), ["1"]),
        ({"a": 1}.keys(), ["a"]),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.array([1, "a"], dtype=object), [1, "a"]),
        (Fraction(1, 2), 0.5),
        (Decimal("0.5"), 0.5),
        (np.float16(0.5), 0.5),
        (np.uint8(7), 7),
        (np.bool_(True), True),
    ],
    ids=lambda v: type(v).__name__,
)
def test_what_keeps_an_order_arrives_as_a_list_and_numbers_as_pythons(value, listed):
    got = through(value)
    assert type(got) is type(listed)
    assert got == listed


def test_what_is_no_plain_data_is_refused_with_its_type():
    for value, said in (
        (object(), "object"),
        ({1: 2}, "strings"),
        ({1, 2}, "set"),
        (1j, "complex"),
        (np.array([1j, object()]), "plain data"),
        (lambda: 0, "function"),
    ):
        with pytest.raises(wire.Unsendable, match=said):
            wire.pack(value)


@settings(max_examples=150)
@given(st.binary(max_size=200), st.binary(max_size=200))
@example(b'[1, "a", {"dict": {"b": null}}]', b"")
def test_bytes_of_any_kind_are_malformed_and_nothing_worse(text, payload):
    header = struct.pack("<Q", len(text)) + text + payload
    for frame in ((text, payload), (b'{"torch": "0"}', header)):
        with contextlib.suppress(wire.Malformed):
            value = wire.unpack(*frame)
            packed = wire.pack(value)  # so it is plain data, and comes back as it was
            end = 8 + wire.LENGTHS.unpack(packed[:8])[0]
            assert repr(wire.unpack(packed[8:end], packed[end:])) == repr(value)


def test_text_of_students_cannot_drive_a_terminal():
    assert wire.readable("\x1b[2Jred\ud800\r\n\u2028x") == "\ufffd[2Jred?\ufffd\n x"
    assert len(wire.readable("x" * 10_000)) == 500


# Many


def hand_in(folder: Path, **notebooks) -> list[Submission]:
    for student, content in notebooks.items():
        (folder / student).mkdir(parents=True)
        (folder / student / MASTER.name).write_bytes(content)
    return find([folder], read_master(MASTER))[0]


def test_a_killed_run_goes_on_where_it_was(tmp_path, master, zygote):
    slow = notebook(REAL, UNIT, "import time; time.sleep(1.5)")
    content = dict.fromkeys(("a", "b", "c"), notebook(REAL, UNIT)) | dict.fromkeys("xyz", slow)
    submissions = hand_in(tmp_path / "in", **content)
    results = tmp_path / "results"

    def run():
        return grade_all(submissions, master, MASTER.read_bytes(), results, zygote, jobs=1)

    pid = os.fork()
    if pid == 0:
        run()
        os._exit(0)
    late = time.monotonic() + 600
    while len(list(results.glob("[a-c].json"))) < 3 and time.monotonic() < late:
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    before = {path: path.stat().st_mtime_ns for path in results.glob("[a-c].json")}
    assert len(before) == 3
    assert not (results / "z.json").exists()
    done = run()
    assert [result["points"] for result in done] == [13] * 6
    assert {path: path.stat().st_mtime_ns for path in before} == before
    (tmp_path / "in" / "a" / MASTER.name).write_bytes(notebook(WRONG, UNIT))  # handed in again
    assert [result["points"] for result in run()] == [8, *[13] * 5]


def test_a_grade_is_drawn_again_from_its_seed(graded, master, zygote):
    """Also where student's code draws, and what a test compares hangs on it."""
    guess = "import random\ndef real(ids, pad):\n    return random.choice([0, len(ids)])"
    content = notebook(guess, UNIT)
    first = graded(content=content)
    drawn = {json.dumps(graded(content=content)["tests"]) for _ in range(6)}
    assert len(drawn | {json.dumps(first["tests"])}) > 1
    again = grade(Submission("ada", Path("x")), content, master, zygote, first["seed"])
    assert again["tests"] == first["tests"]


def test_a_changed_test_grades_anew_what_it_touches_and_says_whose_grade_changed(
    tmp_path, master, zygote, monkeypatch, capsys
):
    called = "import cliplab\ndef real(ids, pad):\n    cliplab.causal_mask(2)\n"
    ada = notebook(REAL.replace("def real(ids, pad):\n", called), UNIT, "lost = 1 / 0")
    submissions = hand_in(tmp_path / "in", ada=ada, bob=notebook(WRONG, UNIT), cem=notebook(UNIT))
    run = []

    def result_of(source):
        path = tmp_path / MASTER.name
        path.write_text(source)
        results = grade_all(
            submissions, read_master(path), source.encode(), tmp_path / "results", zygote, jobs=1
        )
        run.append([r["seed"] for r in results])
        return results

    source = MASTER.read_text()
    before = result_of(source)
    assert [r["so_far"] for r in before] == [13, 8, 8]
    started = tmp_path / "started"
    start = zygote.start

    def counted(seed=0):
        with started.open("a") as file:
            file.write("x")
        return start(seed)

    monkeypatch.setattr(zygote, "start", counted)
    unchanged = result_of(source.replace("say what the", "tell what the"))
    assert not started.exists()  # another word in the text: nothing is run
    other = source.replace("LIMIT == 77", "LIMIT == 78")
    assert other != source
    after = result_of(other)
    assert [r["so_far"] for r in after] == [11, 6, 6]
    assert after[0]["changed"] == "ada: 13 → 11 points by tests. A9.2 hidden 2 passed before."
    ran = {
        t["name"]
        for r, s in zip(after, before, strict=True)
        for t in r["tests"]
        if t not in s["tests"]
    }
    assert ran == {"A9.2 hidden 2"}
    assert run[0] == run[1] == run[2]
    assert len(before[0]["remarks"]) == 2
    for kept in ("remarks", "errors", "lost", "answers", "used"):
        assert before[0][kept] == unchanged[0][kept] == after[0][kept] != type(before[0][kept])()
    assert all(r["status"] == PERSON for r in (before[2], after[2]))


def test_a_grading_process_that_hangs_is_given_up(tmp_path, master, zygote, monkeypatch):
    """Ours, not a student's: it is ended, and a person is told."""
    monkeypatch.setattr(zygote, "limits", Limits(seconds=0.05, memory=2))
    monkeypatch.setattr(many, "PATIENCE", 0)
    monkeypatch.setattr(many, "BUSY", 1)
    monkeypatch.setattr(many, "grade", lambda *_: time.sleep(300))
    submissions = hand_in(tmp_path / "in", ada=notebook(REAL, UNIT))
    began = time.monotonic()
    (ada,) = grade_all(submissions, master, b"", tmp_path / "results", zygote, jobs=1)
    assert time.monotonic() - began < 60
    assert (ada["status"], ada["points"]) == (PERSON, None)
    assert "Run the command again" in ada["reasons"][0]


def test_the_command_grades_on_one_thread(tmp_path, monkeypatch, capsys):
    """A fork of a process whose torch has a pool of threads waits for them forever."""

    def refuse(*_):
        raise CourseworkError(f"{torch.get_num_threads()} thread")

    monkeypatch.setattr(many, "grade_all", refuse)
    submissions = hand_in(tmp_path / "in", ada=notebook(REAL, UNIT))
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(SystemExit):
            main(["grade", "--master", str(MASTER), str(submissions[0].path), "--out",
                  str(tmp_path / "out")])  # fmt: skip
    finally:
        torch.set_num_threads(before)
    assert "1 thread" in capsys.readouterr().err


def test_the_command_writes_grades_and_feedback(tmp_path, capsys):
    hand_in(
        tmp_path / "in",
        ada=notebook(REAL, UNIT),
        bob=notebook("def real(ids, pad):\n    raise ValueError('```\\n# <b>me</b>')", UNIT),
        cem=notebook("x = 1"),
        **{"=1+1": b"no notebook"},
    )
    command = ["grade", "--master", MASTER, tmp_path / "in", "--out", tmp_path / "out"]
    with pytest.raises(SystemExit) as ended:
        main([*map(str, command), "--jobs", "2", "--timeout", "5"])
    said = capsys.readouterr().err
    assert not ended.value.code, said
    assert "2 graded but for the essay, 2 for a person to look at" in said
    assert "cem: It holds none of the answers. Is it another assignment's notebook?" in said
    assert "=1+1: The file is not a notebook: its JSON is broken." in said
    assert "Of 4 entries 2 were graded." in said
    assert "Isolation: " in said
    assert "4/4" in said
    with pytest.raises(SystemExit) as ended:
        main([*map(str, command), "--again", "ada", "--timeout", "5"])
    said = capsys.readouterr().out
    assert (ended.value.code, "ada: 13 points" in said, "as before, test by test" in said) == (
        0, True, True,
    )  # fmt: skip
    with (tmp_path / "out" / "grades.csv").open() as file:
        rows = list(csv.DictReader(file))
    essay = "A9.3 essay (of 4)"
    assert list(rows[0]) == [
        "student", "A9.1", "A9.2", essay, "total", "out of", "handed in", "late days", "status",
        "remarks", "seed",
    ]  # fmt: skip
    assert [(r["student"], r["A9.1"], r["A9.2"], r[essay], r["total"]) for r in rows] == [
        ("'=1+1", "", "", "", ""),
        ("ada", "5", "8", "", "13"),
        ("bob", "0", "8", "", "8"),
        ("cem", "", "", "", ""),
    ]
    stored = json.loads((tmp_path / "out" / "grades.json").read_text())
    assert [(e["student"], e["became"][:8]) for e in stored["entries"]] == [
        ("=1+1", "The file"), ("ada", "graded"), ("bob", "graded"), ("cem", "It holds"),
    ]  # fmt: skip
    assert stored["isolation"]["not_isolated"] == LEVELS[stored["isolation"]["level"]]
    assert [s["student"] for s in stored["students"]] == ["=1+1", "ada", "bob", "cem"]
    told = (tmp_path / "out" / "feedback" / "bob.md").read_text()
    assert "A9.1 visible 1 (1 point) failed" in told
    assert "ValueError: ```" in told
    assert "A hidden test of A9.1 (2 points) failed." in told
    for test in read_master(MASTER).tests:
        if test.hidden:
            for message in re.findall(r'f?"([^"{]+)', test.source):
                assert message not in told


def test_feedback_tells_nothing_of_hidden_tests(graded, master):
    text = feedback(graded("def real(ids, pad):\n    raise ValueError(str(ids))", UNIT), master)
    assert text.count("ValueError") == 1
    assert "[5, 6, 0]" in text
    assert GRADED not in text
