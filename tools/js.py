"""Checks the JavaScript of the course: types and form.

    python tools/js.py           say what is wrong
    python tools/js.py --write   put the form in order first

Types stand in comments, and TypeScript reads them by jsconfig.json; Prettier knows the form.
"""

from __future__ import annotations

import argparse
import json
import sys

from node import ROOT, require_node, run

CONFIG = ROOT / "jsconfig.json"
WIDTH = 100


def own_files() -> list[str]:
    """The scripts and the types of the folders that jsconfig.json names."""
    folders = json.loads(CONFIG.read_text(encoding="utf-8"))["include"]
    patterns = [one if "*" in one else f"{one}/**/*.{kind}" for one in folders
                for kind in ("js", "d.ts")]  # fmt: skip
    found = {path for pattern in patterns for path in ROOT.glob(pattern)}
    return sorted(str(path.relative_to(ROOT)) for path in found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put the form in order first")
    options = parser.parse_args()
    require_node("the scripts are")
    form = "--write" if options.write else "--check"
    formed = run("prettier", "--log-level=warn", f"--print-width={WIDTH}", form, *own_files())
    typed = run("tsc", "--project", str(CONFIG))
    return formed or typed


if __name__ == "__main__":
    sys.exit(main())
