"""An environment for nbgrader and otter, beside the course's own, which it borrows torch from.

The graders pin other versions of Jupyter's parts than the course does, so they get their own. What
they do not have is looked for in the course's environment, which stands last on the path: nothing
as large as torch is installed twice.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "_build" / "graders"
VENV = BUILD / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def make() -> None:
    """Make it, unless it stands ready for these versions and this Python."""
    made_for = f"{sys.prefix}\n{REQUIREMENTS.read_text()}"
    ready = VENV / ".ready"
    if ready.is_file() and ready.read_text() == made_for:
        return
    print(f"Making an environment for the graders in {VENV.relative_to(ROOT)}.", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
    pip = [BIN / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", REQUIREMENTS], check=True)
    paths = [str(ROOT), sysconfig.get_path("purelib")]
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    own = subprocess.check_output([BIN / "python", "-c", ask], text=True).strip()
    (Path(own) / "course.pth").write_text("\n".join(paths) + "\n")
    ready.write_text(made_for)


def run(*command: object, folder: Path) -> str:
    """Run a command of the environment in a folder; what it printed, or RuntimeError with that."""
    program, *arguments = map(str, command)
    done = subprocess.run(
        [str(BIN / program), *arguments],
        cwd=folder,
        env={
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"{program} {' '.join(arguments)}\n{done.stdout[-3000:]}")
    return done.stdout
