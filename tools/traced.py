"""Which lines each test runs, and tests run in forked processes in which torch stands ready."""

from __future__ import annotations

import ast
import hashlib
import importlib
import json
import multiprocessing
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from mutations import ROOT

BUILD = ROOT / "_build" / "mutants"
CODE = [p for package in ("cliplab", "classroom") for p in sorted((ROOT / package).rglob("*.py"))]
# Their tests are of roofs, of trained weights, of documents: long, and about something else.
OTHERS = re.compile(
    r"architecture|commands|demos|equations|golden|mini|mutants|notation|notebooks|offline|plots|"
    r"quiz|repository|source"
)
READY = [  # nothing of ours, which is to be imported changed
    *("torch", "numpy", "PIL.Image", "safetensors.torch", "regex", "ftfy", "hypothesis"),
    *("nbformat", "IPython", "matplotlib.pyplot", "diffusers"),
    "transformers.models.clip.modeling_clip",
]

Tests = dict[str, dict[str, Any]]  # test → {"seconds": …, "lines": {path: [line, …]}}


def get_ready(tree: Path) -> None:
    """What every forked process inherits: where the course is, and the packages of others."""
    os.environ |= {
        **{"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
        **{"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "CI": "1"},  # CI: no dice in hypothesis
    }
    sys.dont_write_bytecode = True
    sys.path[0] = str(tree)
    for module in READY:
        importlib.import_module(module)
    importlib.import_module("torch").set_num_threads(1)  # a pool does not survive a fork
    os.chdir(tree)


def traced_tests(tree: Path) -> Tests:
    """All tests with what they run. All are traced when the code has changed, else what is new."""
    tests: Tests = {}
    code = fingerprint(CODE)
    for path in sorted((ROOT / "tests").glob("test_*.py")):
        if OTHERS.search(path.stem):
            continue
        stored = BUILD / f"{path.stem}.json"
        kept = json.loads(stored.read_text()) if stored.is_file() else {}
        if kept.get("code") != code:
            kept = {"code": code, "functions": {}, "tests": {}}
        functions = test_functions(path)
        new = {name for name, text in functions.items() if kept["functions"].get(name) != text}
        gone = kept["functions"].keys() - functions.keys() | new
        known = {t: was for t, was in kept["tests"].items() if function_of(t) not in gone}
        if new:
            names = [f"tests/{path.name}::{name}" for name in sorted(new)]
            traced, failed = in_a_fork(_trace, names, tree, limit=1200)
            print(f"{path.name}: {len(traced)} tests are traced", flush=True)
            if failed:
                print(f"  fail or are skipped unchanged: {', '.join(failed)}", flush=True)
            known |= traced
        stored.write_text(json.dumps({"code": code, "functions": functions, "tests": known}))
        tests |= known
    return tests


def test_functions(path: Path) -> dict[str, str]:
    """The functions of a file that are tests, with their code."""
    nodes = ast.parse(path.read_text(encoding="utf-8")).body
    functions = (node for node in nodes if isinstance(node, ast.FunctionDef))
    return {f.name: ast.unparse(f) for f in functions if f.name.startswith("test_")}


def function_of(test: str) -> str:
    return test.partition("::")[2].partition("[")[0]


def fingerprint(paths: Iterable[Path]) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def first_failure(names: list[str], limit: float) -> str:
    """The test that failed first, "import" where none could start, or "" where all passed."""
    failed: str = in_a_fork(_fail, names, limit=limit)
    return failed


def in_a_fork(work: Callable[..., None], *arguments: object, limit: float) -> Any:
    """What the work sends back from a process of its own; "time" or "death" where nothing comes."""
    here, there = multiprocessing.Pipe(duplex=False)
    pid = os.fork()
    if pid == 0:
        os.setsid()
        log = os.open(BUILD / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        try:
            work(*arguments, there)
        finally:
            os._exit(0)
    there.close()
    try:
        return here.recv() if here.poll(limit) else "time"
    except EOFError:
        return "death"
    finally:
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _pytest(arguments: list[str], plugin: object) -> int:
    quiet = ["-q", "-p", "no:cacheprovider", "-p", "no:playwright"]
    return int(pytest.main([*quiet, *arguments], plugins=[plugin]))


class _Tracing:
    """Tells coverage which test runs, and keeps how long it took and whether it passed."""

    def __init__(self, coverage: Any) -> None:
        self.coverage = coverage
        self.seconds: dict[str, float] = {}
        self.failed: set[str] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.coverage.switch_context(item.nodeid)
        started = time.perf_counter()
        done = yield
        self.seconds[item.nodeid] = time.perf_counter() - started
        self.coverage.switch_context("")
        return done

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.passed:  # skipped ones notice nothing either
            self.failed.add(report.nodeid)


def _trace(names: list[str], tree: Path, answer: Connection) -> None:
    from coverage import Coverage

    packages = [str(tree / package) for package in ("cliplab", "classroom")]
    coverage = Coverage(data_file=None, source=packages, config_file=False)
    coverage.start()
    tracing = _Tracing(coverage)
    _pytest(names, tracing)
    coverage.stop()
    traced: Tests = {
        test: {"seconds": seconds, "lines": {}}
        for test, seconds in tracing.seconds.items()
        if test not in tracing.failed
    }
    data = coverage.get_data()
    for path in data.measured_files():
        name = Path(path).relative_to(tree).as_posix()
        for line, contexts in data.contexts_by_lineno(path).items():
            for test in traced.keys() & contexts:
                traced[test]["lines"].setdefault(name, []).append(line)
    answer.send((traced, sorted(tracing.failed)))


class _Chosen:
    """Runs the tests that are named, in this order, and keeps which one failed first."""

    def __init__(self, names: list[str]) -> None:
        self.names, self.failed = names, ""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        there = {item.nodeid: item for item in items}
        items[:] = [there[name] for name in self.names if name in there]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed = self.failed or report.nodeid


def _fail(names: list[str], answer: Connection) -> None:
    chosen = _Chosen(names)
    files = list(dict.fromkeys(name.partition("::")[0] for name in names))
    code = _pytest(["-x", *files], chosen)
    answer.send(chosen.failed or ("" if code in (0, 5) else "import"))
