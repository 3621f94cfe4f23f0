"""Checks the JavaScript of the course: types and form.

    python tools/js.py           say what is wrong
    python tools/js.py --write   put the form in order first

Types stand in comments, and TypeScript reads them by jsconfig.json; Prettier knows the form. Both
come from the npm client, into _build/js, the first time. Nothing that is published needs them.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "_build" / "js"
PACKAGES = {"typescript": "7.0.2", "prettier": "3.10.1"}
CONFIG = ROOT / "jsconfig.json"
WIDTH = 100


def installed(name: str) -> str | None:
    """The version of a package in _build/js; None if it is not there."""
    about = FOLDER / "node_modules" / name / "package.json"
    return json.loads(about.read_text(encoding="utf-8"))["version"] if about.is_file() else None


def install() -> None:
    """Put the packages into _build/js, unless these very versions are there."""
    if all(installed(name) == version for name, version in PACKAGES.items()):
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    packages = [f"{name}@{version}" for name, version in PACKAGES.items()]
    quiet = ["--silent", "--no-audit", "--no-fund", "--no-save", "--no-package-lock"]
    subprocess.run(["npm", "install", *quiet, "--prefix", str(FOLDER), *packages], check=True)


def own_files() -> list[str]:
    """The scripts and the types of the folders that jsconfig.json names."""
    folders = json.loads(CONFIG.read_text(encoding="utf-8"))["include"]
    patterns = [one if "*" in one else f"{one}/**/*.{kind}" for one in folders
                for kind in ("js", "d.ts")]  # fmt: skip
    found = {path for pattern in patterns for path in ROOT.glob(pattern)}
    return sorted(str(path.relative_to(ROOT)) for path in found)


def run(name: str, *arguments: str) -> int:
    """Run a program of _build/js in the repository's folder; gives its exit status."""
    program = FOLDER / "node_modules" / ".bin" / name
    return subprocess.run([str(program), *arguments], cwd=ROOT).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put the form in order first")
    options = parser.parse_args()
    if not (shutil.which("node") and shutil.which("npm")):
        print("There is no Node here, so nothing was checked: install Node 20 or newer.")
        return 1
    install()
    form = "--write" if options.write else "--check"
    formed = run("prettier", "--log-level=warn", f"--print-width={WIDTH}", form, *own_files())
    typed = run("tsc", "--project", str(CONFIG))
    return formed or typed


if __name__ == "__main__":
    sys.exit(main())
