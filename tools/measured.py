"""A table that a command measures, and a file in which it is stored for a page and for the tests.

    NO NAMES    all of it is measured and stored
    --check     all of it is measured, and compared with what is stored
    NAMES       these rows alone are measured, and printed

tools/pipelines.py and tools/weights_elsewhere.py say what is measured.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

MEASURED_WITH = ("diffusers", "transformers", "torch")


def command(
    description: str,
    stored: Path,
    table: str,
    names: Iterable[str],
    measure: Callable[[str], Any],
    **beside: Any,
) -> None:
    """Do what the command line says.

    stored   the file: {"versions": …, **beside, table: {name: what was measured}}
    measure  name → what is measured of it
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--check", action="store_true", help="compare with what is stored")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in names]:
        parser.error(f"There is no {unknown[0]}; there are {', '.join(names)}.")
    rows = {}
    for name in options.names or names:
        rows[name] = json.loads(json.dumps(measure(name)))  # as stored: with lists for tuples
        print(json.dumps(rows[name], ensure_ascii=False) if options.names else name, flush=True)
    if options.check:
        were = json.loads(stored.read_text(encoding="utf-8"))[table]
        changed = [name for name in rows if rows[name] != were.get(name)]
        sys.exit(f"Not as stored: {', '.join(changed)}." if changed else None)
    if not options.names:
        versions = {name: version(name) for name in MEASURED_WITH}
        text = json.dumps(
            {"versions": versions, **beside, table: rows}, indent=1, ensure_ascii=False
        )
        stored.write_text(text + "\n", encoding="utf-8")
