"""Programs of the npm registry that check scripts and spelling, in exact versions.

They are put into _build/node the first time that one is needed. Nothing that is published needs
them, so a machine without Node is told so and goes on; CI is not let go on.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "_build" / "node"
PACKAGES = {"typescript": "7.0.2", "prettier": "3.10.1", "cspell": "9.8.0"}


def require_node(what: str) -> None:
    """End the program where there is no Node: with a sentence, and in CI as a failure.

    what: what is not checked then, as the sentence names it.
    """
    if not (shutil.which("node") and shutil.which("npm")):
        print(f"There is no Node here, so {what} not checked: install Node 20 or newer.")
        sys.exit(1 if "CI" in os.environ else 0)


def installed(name: str) -> str | None:
    """The version of a package in _build/node; None if it is not there."""
    about = FOLDER / "node_modules" / name / "package.json"
    return json.loads(about.read_text(encoding="utf-8"))["version"] if about.is_file() else None


def install() -> None:
    """Put the packages into _build/node, unless these very versions are there."""
    if all(installed(name) == version for name, version in PACKAGES.items()):
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    packages = [f"{name}@{version}" for name, version in PACKAGES.items()]
    quiet = ["--silent", "--no-audit", "--no-fund", "--no-save", "--no-package-lock"]
    subprocess.run(["npm", "install", *quiet, "--prefix", str(FOLDER), *packages], check=True)


def run(program: str, *arguments: str) -> int:
    """Run a program of these packages in the repository's folder; gives its exit status."""
    install()
    path = FOLDER / "node_modules" / ".bin" / program
    return subprocess.run([str(path), *arguments], cwd=ROOT).returncode
