"""Right stays right: which cell answers, what hangs on one that failed, what a person is told."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import classroom
from classroom import clock
from classroom.coursework.grading import remarks
from classroom.coursework.grading.cells import Cells
from classroom.coursework.grading.isolation import WALLED, Limits
from classroom.coursework.grading.nursery import Zygote
from classroom.coursework.grading.runner import NoAnswer, Runner
from classroom.coursework.grading.student import StudentError
from classroom.coursework.grading.submission import SubmittedCell
from classroom.coursework.grading.watch import Use
from classroom.coursework.reading import read_master

MASTER = Path(__file__).parent / "data" / "coursework" / "09_small.ipynb"
STUB = 'def real(ids, pad):\n    """How many."""\n    raise NotImplementedError("exercise A9.1")'
REAL = "def real(ids, pad):\n    return sum(i != pad for i in ids)"
UNIT = "def unit(rows):\n    return rows"


@pytest.fixture(scope="module")
def master():
    return read_master(MASTER)


def ran(master, *sources, tags=()):
    """Cells that have run in this process: the cells, their namespace, and what answers."""
    padded = [*tags, *[""] * len(sources)]
    made = [
        SubmittedCell(n, True, source, (tag,) if tag else (), False)
        for n, (source, tag) in enumerate(zip(sources, padded, strict=False), 1)
    ]
    cells = Cells({"__name__": "__main__"})
    takes = remarks.arguments_of(master)
    replies = {cell.number: cells.run(cell.source, cell.number, takes) for cell in made}
    defined = {number: reply["defined"] for number, reply in replies.items()}
    return made, cells, remarks.answering(master, made, defined), replies


# Which cell answers


@pytest.mark.parametrize(
    ("sources", "tags", "cell"),
    [
        ([STUB, REAL], ["exercise:A9.1"], 2),  # in a new cell below the stub
        ([REAL, STUB], ["exercise:A9.1"], 1),  # the stub again, copied below
        ([WRONG := REAL.replace("!=", "=="), REAL], [], 2),  # the last of two
        ([REAL, "real = 7"], [], 1),  # a name reused
        ([REAL, "def real(a, b, c):\n    return 3"], [], 1),
        ([REAL, "import torch\nreal = torch.ones(3)"], [], 1),
        ([REAL, f"{WRONG}\n{UNIT}"], ["exercise:A9.1", "exercise:A9.2"], 1),
        ([STUB, f"{REAL}\n{UNIT}"], ["exercise:A9.1", "exercise:A9.2"], 2),
        (["real = 7"], [], 1),  # nothing else is there
        (["from operator import sub as real"], [], 1),
        (["real = lambda ids, pad=0: 2"], [], 1),
        (["class Real:\n    def __call__(self, ids, pad): return 2\nreal = Real()"], [], 1),
        (["if True:\n    def real(*ids): return 2"], [], 1),
    ],
)
def test_the_last_cell_that_defines_an_answer_answers(master, sources, tags, cell):
    _, _, answers, _ = ran(master, *sources, tags=tags)
    assert answers["real"] == cell


def test_a_function_sees_the_names_as_its_cell_left_them(master):
    helper = "def helper(a, b):\n    return a != b\n"
    uses = "def real(ids, pad):\n    return sum(helper(i, pad) for i in ids)"
    sources = [helper + uses, f"def helper(x):\n    return 9\n{UNIT}", "sum = 5"]
    _, cells, answers, _ = ran(master, *sources)
    for _ in range(2):
        assert cells.value("real", answers["real"])([5, 6, 0], 0) == 2
        cells.value("unit", answers["unit"])
        assert cells.namespace["helper"](1) == 9
    assert "sum" in cells.end


def test_what_a_function_changes_stays_with_its_cell(master):
    counting = "n = 0\ndef real(ids, pad):\n    global n\n    n += 1\n    return n"
    _, cells, answers, _ = ran(master, counting, f"n = 50\n{UNIT}")
    assert [cells.value("real", answers["real"])(1, 2) for _ in range(2)] == [1, 2]
    cells.value("unit", answers["unit"])
    assert cells.namespace["n"] == 50
    assert cells.value("real", answers["real"])(1, 2) == 3


def test_a_helper_below_its_answer_is_found_with_a_remark(master):
    made, cells, answers, _ = ran(
        master, "def real(ids, pad):\n    return later(ids)", "def later(ids):\n    return 2"
    )
    assert cells.value("real", answers["real"])([1], 0) == 2
    assert remarks.of_late_helpers(answers, made) == [
        "`real` in cell 1 uses `later`, which cell 2 defines below it."
    ]


# Cells that fail


def test_a_statement_that_fails_takes_along_what_needs_it_alone(master):
    made, cells, answers, replies = ran(
        master,
        f"import no_such_package as nsp\nimport math\nshare = nsp.load()\n{REAL}",
        "scale = share + 1",
        f"def unit(rows):\n    return scale * rows\n{'LIMIT = 77'}",
    )
    assert cells.value("real", answers["real"])([5, 6, 0], 0) == 2
    assert replies[1]["lost"] == ["nsp", "share"]
    assert len(replies[1]["errors"]) == 2
    errors = {n: f"{type(r['errors'][0]).__name__}: {r['errors'][0]}" for n, r in replies.items()
              if r["errors"]}  # fmt: skip
    lost = {number: set(reply["lost"]) for number, reply in replies.items()}
    first, second = remarks.of_failures(master, made, answers, errors, lost)
    assert "there is no package no_such_package here; there are" in first
    assert "numpy" in first
    assert "torch" in first
    assert first.endswith("A9.2 (8 points) hangs on it.")
    assert second.startswith("Cell 2 failed (NameError: ")


def test_a_failure_that_nothing_needs_costs_nothing_and_says_so(master):
    made, _, answers, replies = ran(master, "1 / 0", REAL)
    (note,) = remarks.of_failures(master, made, answers, {1: "ZeroDivisionError"}, {1: set()})
    assert note == "Cell 1 failed (ZeroDivisionError). No points hang on it."
    assert replies[1]["lost"] == []


def test_await_futures_and_magics_work_at_the_top(master):
    source = """from __future__ import annotations
%matplotlib inline
import asyncio
async def double(x: not_defined) -> int:
    return 2 * x
four = await double(2)
async for_nothing""".replace("async for_nothing", "total = [await double(i) for i in range(3)]")
    get = "def get_ipython():\n    class Shell:\n        def __getattr__(self, name):\n"
    get += "            return lambda *a: None\n    return Shell()"
    with ThreadPoolExecutor(1) as thread:  # in this one, the page tests' event loop may be running
        told = thread.submit(ran, master, get, source, "more = await double(four)")
        _, cells, _, replies = told.result()
    assert [reply["errors"] for reply in replies.values()] == [[], [], []]
    names = [cells.namespace[name] for name in ("four", "total", "more")]
    assert names == [4, [0, 2, 4], 8]


# Time, and what is used


WATCHED = """
import itertools, time
from collections import deque
from classroom.coursework.grading import watch

for slow in (lambda: deque((x for x in itertools.count()), maxlen=0), lambda: time.sleep(20)):
    try:
        with watch.Watch(0.2):
            slow()
    except watch.TooSlow:
        print("too slow")
with watch.Watch(0.5) as watched:
    watch.queued = lambda: 1e6  # as if it had waited for a processor
    time.sleep(1.5)
print(watched.worked < 0.5)
"""


def test_processor_time_is_what_counts_and_waiting_for_anything_else():
    """In a process of its own, which ends where its time is up and nothing hears of it."""
    run = [sys.executable, "-c", WATCHED]
    done = subprocess.run(run, capture_output=True, text=True, timeout=600)
    assert done.stdout.split("\n") == ["too slow", "too slow", "True", ""], done.stderr


def test_what_is_called_of_cliplab_is_seen():
    import cliplab
    from cliplab import CLIPTokenizer

    with Use() as use:
        cliplab.causal_mask(3)
        CLIPTokenizer()("a dog")
        len("a dog")
    assert "cliplab.masks.causal_mask" in use.names
    assert any("CLIPTokenizer" in name for name in use.names)
    assert not any("bpe" in name for name in use.names)  # cliplab's own calls
    with Use() as use:
        sorted([3, 1])
    assert use.names == set()


def test_the_use_is_told(master):
    (note,) = remarks.of_use({"real": {"cliplab.masks.causal_mask"}, "unit": set()}, master)
    assert note.startswith("A9.1: `real` calls cliplab.masks.causal_mask.")


# In a process of its own


@pytest.mark.skipif(sys.platform != "linux", reason="submissions are graded on Linux")
def test_a_process_has_no_classroom_and_colab_does_nothing_and_time_is_told(master):
    source = f"""
from google.colab import drive, files
from google import colab
drive.mount("/content"); colab.files.upload()
for name in files.upload(): print(files.upload()[name].decode())
with colab.output.temporary(): print(len(files.upload()))
from classroom import check, quiz
from classroom.exercises.a1.tokens import merged
check("A1.1", merged)
import os, cliplab, google.colab, sys
def real(ids, pad):
    here = [path for path in pad if os.path.exists(path)]
    return [merged([1], dict()) is None, here, "classroom.exercises.compare" in sys.modules]
def works(n):
    cliplab.causal_mask(3)
    return sum(range(n))
{UNIT}"""
    with Zygote(Limits(seconds=2, memory=2)) as zygote:
        cell = SubmittedCell(1, True, source, (), False)
        runner = Runner(zygote, [cell], {"works": 1})
        try:
            with pytest.raises(StudentError, match="plain data") as refused:
                runner.get("merged")
            assert refused.value.kind == "Unsendable"
            assert runner.errors == {}
            if zygote.level in WALLED:
                assert runner.call("real", ([], [*classroom.__path__]), {}) == [False, [], False]
            before, left = clock.processor_seconds(), runner.left
            runner.call("works", (3_000_000,), {})
            assert clock.processor_seconds() - before > 0.01
            assert runner.left < left
            assert runner.used["works"] == {"cliplab.masks.causal_mask"}
            assert runner.used["real"] == set()
            runner.left = 0
            runner.stop()
            with pytest.raises(NoAnswer, match="used up"):
                runner.call("works", (1,), {})
        finally:
            runner.stop()
