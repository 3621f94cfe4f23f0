"""Writes the archive for a room without network: site, notebooks, assignments, and a wheel.

    python tools/offline.py                  what `make offline` does
    python tools/offline.py --packages       all packages too, for this system and this Python
    python tools/offline.py --site FOLDER    a book that was built elsewhere

The same sources give the same bytes. Nothing is written unless the whole of it, the inside of the
wheel included, is proved to hold no solution and no hidden test of the assignments.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path

import cliplab
from classroom.coursework import CourseworkError
from classroom.coursework.proof import prove
from classroom.coursework.reading import read_master
from classroom.coursework.release import MASTERS, release

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("cliplab", "classroom")  # both in one wheel
BESIDE = ("requirements.txt", "constraints.txt", "LICENSE", "LICENSE-TEXT")
LEFT = shutil.ignore_patterns("__pycache__", ".*")
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip file can name
README = """\
Text Encoders for Image Generation, cliplab {version}: the course without a network

site/        the book
chapters/    its notebooks
coursework/  the assignments, as students get them
wheel/       the packages cliplab and classroom. The weights are in it: a miniature CLIP and a
             miniature Stable Diffusion. So are the emoji, the vocabulary and the word vectors.

READ
Open site/index.html in any browser. The live demos want pages that are served:

    python -m http.server -d site

then http://localhost:8000

INSTALL
Each machine needs Python 3.11 to 3.14. All commands run in this folder. On Windows write
.venv\\Scripts\\ in place of .venv/bin/.

1. If there is no folder wheels/ here, fill it once, on a machine with a network that has the
   same system and the same Python, and copy it here:

    python -m pip download -d wheels -c constraints.txt -r requirements.txt {wheel}

2. On each machine, with no network:

    python -m venv .venv
    .venv/bin/pip install --no-index -f wheels -f wheel -r requirements.txt cliplab

START
    .venv/bin/jupyter trust chapters/*.ipynb
    .venv/bin/jupyter lab

and open a notebook in chapters/ or coursework/. The first command lets JupyterLab draw the figures
that are stored in the notebooks.

WHAT NEEDS A NETWORK
Only the real Stable Diffusion 1.5, load_text_encoder("sd15") and load_pipeline("sd15"): no
notebook runs it, and once fetched it needs no network either.
"""


def build(site: Path, out: Path, packages: bool = False) -> tuple[Path, str]:
    """The archive's path, and the sentence that says what was proved of it.

    site: the built book. out: the folder for the archive. packages: with everything that pip would
    fetch. Raises CourseworkError; then an archive that was there before is as it was.
    """
    if not (site / "index.html").is_file():
        raise CourseworkError(f"There is no book in {site}. Build it first: make book.")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".offline-", dir=out) as scratch:
        folder = Path(scratch) / "course"
        release("student", folder / "coursework")
        shutil.copytree(site, folder / "site", ignore=LEFT)
        shutil.copytree(ROOT / "chapters", folder / "chapters", ignore=LEFT)
        wheel = build_wheel(Path(scratch) / "source", folder / "wheel")
        for name in BESIDE:
            shutil.copy(ROOT / name, folder)
        readme = README.format(version=cliplab.__version__, wheel=f"wheel/{wheel.name}")
        (folder / "README.txt").write_text(readme, encoding="utf-8")
        proved = prove(folder, map(read_master, sorted(MASTERS.glob("*.ipynb"))), public())
        kind = ""
        if packages:
            kind = f"-{sysconfig.get_platform()}-py{sysconfig.get_python_version()}"
            download(folder, wheel)
        archive = out / f"cliplab-course-{cliplab.__version__}{kind}.zip"
        part = Path(scratch) / archive.name
        write_zip(folder, part)
        os.replace(part, archive)
    return archive, proved


def public() -> list[Path]:
    """What everybody may read: a line of a solution that chapters or the packages show, too."""
    code = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return sorted([*(ROOT / "chapters").glob("*.ipynb"), *code])


def build_wheel(source: Path, to: Path) -> Path:
    """The packages' wheel, built from a clean copy: an old build folder would get into it."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, source / package, ignore=LEFT)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    # The environment's own setuptools, which torch requires, so that this needs no network.
    pip("wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w", to, source)
    (wheel,) = to.glob("cliplab-*.whl")
    with zipfile.ZipFile(wheel) as opened:
        lacking = package_files(source) - set(opened.namelist())
    if lacking:
        raise CourseworkError(
            f"The wheel lacks {', '.join(sorted(lacking))}. Name them in pyproject.toml, under "
            "[tool.setuptools.package-data]."
        )
    return wheel


def package_files(root: Path) -> set[str]:
    """Names of all files of the packages under that folder, "cliplab/…" and "classroom/…"."""
    paths = [path for package in PACKAGES for path in (root / package).rglob("*")]
    found = (path.relative_to(root) for path in paths if path.is_file())
    return {path.as_posix() for path in found if "__pycache__" not in path.parts}


def download(folder: Path, wheel: Path) -> None:
    """All that the course needs from the package index → the folder wheels/."""
    wheels = folder / "wheels"
    needed = ["-c", folder / "constraints.txt", "-r", folder / "requirements.txt"]
    pip("download", "-d", wheels, "--only-binary", ":all:", *needed, wheel)
    (wheels / wheel.name).unlink()  # it has a folder of its own


def pip(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "pip", *map(str, arguments), "--quiet"]
    calm = os.environ | {"SOURCE_DATE_EPOCH": "315532800", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(command, env=calm, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise CourseworkError(
            f"pip {arguments[0]} did not work, and nothing was written. It says:\n"
            f"{done.stderr.strip()}"
        )


def write_zip(folder: Path, to: Path) -> None:
    """The folder as a zip file whose bytes depend on the files' names and contents alone."""
    with zipfile.ZipFile(to, "w") as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            info = zipfile.ZipInfo(path.relative_to(folder).as_posix(), LONG_AGO)
            info.external_attr = 0o644 << 16
            info.file_size = path.stat().st_size  # for a package above 4 GB
            if path.suffix != ".whl":
                info.compress_type = zipfile.ZIP_DEFLATED
            with path.open("rb") as read, archive.open(info, "w") as write:
                shutil.copyfileobj(read, write)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--site", type=Path, default=ROOT / "_build/html", metavar="FOLDER", help="the built book")
    add("--out", type=Path, default=ROOT / "_build", metavar="FOLDER", help="where it goes")
    add("--packages", action="store_true", help="with all packages, which needs a network")
    options = parser.parse_args()
    try:
        archive, proved = build(options.site, options.out, options.packages)
    except (CourseworkError, OSError) as error:
        sys.exit(str(error))
    print(f"{archive}: {archive.stat().st_size / 1e6:.0f} MB.\n{proved}")


if __name__ == "__main__":
    main()
