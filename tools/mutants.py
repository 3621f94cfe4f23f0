"""Changes the library and the grader in small ways, one at a time, and sees which test notices.

    python tools/mutants.py                                 a draw, the same for the same seed
    python tools/mutants.py --seed 2 --per-room 20          another, and a larger one
    python tools/mutants.py --only cliplab/masks.py:108     all changes of one line

Nothing is changed here: the tree is copied, and the copy is changed. What each test runs is traced
first, once a file of tests, and kept in _build/mutants. A mutant then meets the tests that run its
line, quickest first, for as long as SOON says; if it lives, the other tests of these files. If it
outlives them, it gets a test, or tests/mutants.toml says why none can notice: then it is not tried
again, and neither is one whose test and code are as they were.

Tests of pages and notebooks are left out, and so are mutants that could end processes or delete
files: see `DANGEROUS` and `LEFT_OUT`. Still, run it where nothing is lost: in a container, or
under `unshare --pid --fork --mount-proc --kill-child`.
"""

from __future__ import annotations

import argparse
import compileall
import hashlib
import importlib.metadata
import json
import platform
import py_compile
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from mutations import ROOT, Mutant, draw, mutants_of, room_of
from traced import (
    BUILD,
    CODE,
    Tests,
    fingerprint,
    first_failure,
    function_of,
    get_ready,
    test_functions,
    traced_tests,
)

REPORT, KNOWN = ROOT / "tests" / "mutants.md", ROOT / "tests" / "mutants.toml"
SOON, LATER = 20.0, 40.0  # seconds of tests that run a mutant's line, and of what is beside them

Result = dict[str, Any]  # the fields of a mutant, the test that noticed, the seconds


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--per-room", type=int, default=7, metavar="N")
    parser.add_argument("--only", metavar="FILE:LINE", help="no report is written")
    options = parser.parse_args()
    BUILD.mkdir(parents=True, exist_ok=True)
    known = tomllib.loads(KNOWN.read_text(encoding="utf-8"))["mutant"]
    if options.only:
        path = options.only.rpartition(":")[0]
        every = mutants_of(path, (ROOT / path).read_bytes())
        results = all_tried([mutant for mutant in every if mutant.place == options.only], [])
    else:
        results = all_tried(draw(options.seed, options.per_room), known)
        REPORT.write_text(report(results, known, options), encoding="utf-8")
    living = sum(not result["noticed"] for result in results)
    print(f"{len(results)} mutants: {len(results) - living} are noticed, {living} live")
    return 0


def copy_of_tree(tree: Path) -> Path:
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.check_output(listed, cwd=ROOT, text=True).splitlines()
    for name in names:
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tree / name)
    by_content = py_compile.PycInvalidationMode.CHECKED_HASH  # a mutant may be as long, and as old
    compileall.compile_dir(tree, quiet=2, invalidation_mode=by_content)
    return tree


def all_tried(mutants: list[Mutant], known: list[dict[str, str]]) -> list[Result]:
    """The result of each mutant: as it was, where that holds, else of a trial."""
    results = {mutant: result for mutant in mutants if (result := settled(mutant, known))}
    if len(results) < len(mutants):
        with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
            tree = copy_of_tree(Path(folder) / "tree")
            get_ready(tree)
            tests = traced_tests(tree)
            for mutant in mutants:
                if mutant not in results:
                    results[mutant] = tried(mutant, tests, tree)
    return [results[mutant] for mutant in mutants]


def settled(mutant: Mutant, known: list[dict[str, str]]) -> Result | None:
    stored = stored_in(mutant)
    result = json.loads(stored.read_text()) if stored.is_file() else {}
    if result.get("noticed") and result["key"] == key_of(result["noticed"]):
        return result
    explained = [(one["path"], one["change"]) for one in known if "reason" in one]
    if (mutant.path, mutant.change) in explained:
        return {**asdict(mutant), "noticed": "", "seconds": result.get("seconds", 0)}
    return None


def tried(mutant: Mutant, tests: Tests, tree: Path) -> Result:
    """The mutant, which test noticed it ("" if none did), and how long that took."""
    path, started = tree / mutant.path, time.perf_counter()
    source = path.read_bytes()
    path.write_bytes(mutant.applied(source))
    noticed = ""
    for names in filter(None, meetings(mutant, tests)):
        expected = sum(tests[name]["seconds"] for name in names)
        noticed = first_failure(names, limit=60 + 5 * expected)
        if noticed:
            break
    path.write_bytes(source)
    seconds = time.perf_counter() - started
    print(f"{mutant.place} · {mutant.change} · {noticed or 'LIVES'} · {seconds:.0f} s", flush=True)
    result = {**asdict(mutant), "noticed": noticed, "seconds": seconds, "key": key_of(noticed)}
    stored_in(mutant).write_text(json.dumps(result))
    return result


def stored_in(mutant: Mutant) -> Path:
    return BUILD / f"{hashlib.sha256(repr(mutant).encode()).hexdigest()[:16]}.mutant.json"


def key_of(noticed: str) -> str:
    """What a result holds for: the code as it is, and the test that noticed."""
    file = ROOT / noticed.partition("::")[0]
    test = test_functions(file).get(function_of(noticed), "") if file.is_file() else ""
    return fingerprint(CODE) + hashlib.sha256(test.encode()).hexdigest()


def meetings(mutant: Mutant, tests: Tests) -> list[list[str]]:
    """Lists of tests, one after the other: those that run the line, first of the file that has most
    of them; then what else is in their files.

    A line that runs when its module is imported, or in a process that a test starts, belongs to no
    test: then it is those that run anything of the module, or of its folder.
    """
    folder = mutant.path.rpartition("/")[0] + "/"
    runs: list[Callable[[dict[str, list[int]]], bool]] = [
        lambda lines: mutant.line in lines.get(mutant.path, ()),
        lambda lines: mutant.path in lines,
        lambda lines: any(path.startswith(folder) for path in lines),
    ]
    near = next(filter(None, ([t for t in tests if run(tests[t]["lines"])] for run in runs)), [])
    files = Counter(map(file_of, near)).most_common()
    first = [test for test in near if file_of(test) == files[0][0]]
    others = [test for test in near if test not in set(first)]
    rest = [test for test in tests if file_of(test) in dict(files) and test not in set(near)]

    def quickest(names: list[str], until: float) -> list[str]:
        kept, total = [], 0.0
        for name in sorted(names, key=lambda name: tests[name]["seconds"]):
            total += tests[name]["seconds"]
            if total > until and kept:
                break
            kept.append(name)
        return kept

    return [quickest(first, SOON), quickest(others, SOON), quickest(rest, LATER)]


def file_of(test: str) -> str:
    return test.partition("::")[0]


def report(results: list[Result], known: list[dict[str, str]], options: argparse.Namespace) -> str:
    reasons = {(one["path"], one["change"]): one["reason"] for one in known if "reason" in one}
    living = [one for one in results if not one["noticed"]]
    because = [reasons.get((one["path"], one["change"]), "**not explained**") for one in living]
    rooms = Counter(room_of(one["path"]) for one in results)
    deaf = Counter(room_of(one["path"]) for one in living)
    head = subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, text=True)
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("torch", "pytest")]
    by_room = ((f"`{room}`", number, deaf[room]) for room, number in rooms.items())
    lives = ((place(one), code(one), why) for one, why in zip(living, because, strict=True))
    mended = ((one["path"], code(one), f"`{one['test']}`") for one in known if "test" in one)
    every = (
        (place(one), one["kind"], code(one), f"`{one['noticed']}`", round(one["seconds"]))
        for one in results
    )
    return f"""# Mutants

Written by `python tools/mutants.py --seed {options.seed} --per-room {options.per_room}` on
{date.today():%B %d, %Y}, at commit {head.strip()}, with Python {platform.python_version()},
{" and ".join(versions)}.

Each mutant is one small change to the code, and a test should notice it. Of {len(results)} mutants
{len(results) - len(living)} are noticed and {len(living)} live. Of those that live,
{len(because) - because.count("**not explained**")} are explained in `tests/mutants.toml`.

{table(("room", "mutants", "live"), by_room)}

## Those that live

{table(("where", "change", "why"), lives)}

## Those that lived until a test was written

{table(("where", "change", "test"), mended)}

## All

{table(("where", "kind", "change", "noticed by", "seconds"), every)}
"""


def table(heads: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    cells = [[str(cell).replace("|", r"\|") for cell in row] for row in rows]
    lines = [heads, ["---"] * len(heads), *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def place(result: Result) -> str:
    return f"{result['path']}:{result['line']}"


def code(result: Result) -> str:
    """The change as code of Markdown, cut where it is long."""
    text = result["change"]
    text = text if len(text) <= 160 else f"{text[:80]} … {text[-80:]}"
    fence = "``" if "`" in text else "`"
    return f"{fence} {text} {fence}" if "`" in text else f"`{text}`"


if __name__ == "__main__":
    sys.exit(main())
