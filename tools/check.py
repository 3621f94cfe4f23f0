"""The quick checks, one after another: what failed, and what to do about it.

    python tools/check.py

Each is a command of its own, and says file and line. All of them run, whichever fails.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHECKS = {
    # name: (command, what to do)
    "rules": (["-m", "ruff", "check", "--quiet", "."], "ruff check --fix . mends many of these."),
    "form": (["-m", "ruff", "format", "--check", "--quiet", "."], "ruff format . mends this."),
    "types": (["-m", "mypy"], "Say the type, or mend the call: pyproject.toml has the rules."),
    "scripts": (["tools/js.py"], "python tools/js.py --write mends the form; types are yours."),
    "spelling": (["tools/spelling.py"], "A new term of the course goes into tools/words.txt."),
    "links": (["tools/links.py"], "Name a file that is there, and a heading as its page has it."),
}


def main() -> int:
    failed = {}
    for name, (command, advice) in CHECKS.items():
        began = time.perf_counter()
        status = subprocess.run([sys.executable, *command], cwd=ROOT).returncode
        print(f"{name:8}  {time.perf_counter() - began:5.1f} s", flush=True)
        if status:
            failed[name] = advice
    for name, advice in failed.items():
        print(f"The check of {name} has failed (see above). {advice}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
