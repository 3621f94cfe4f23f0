"""Fetches Pyodide from npm and writes what the pages serve of it to book/assets/vendor/pyodide.

    python tools/pyodide.py      needs Node's npm and a network

The standard library loses what a page cannot use or an exercise does not need (servers, mail,
windows, tests, other alphabets' encodings), and is compressed anew: 1 MB in the place of 2.5.
"""

from __future__ import annotations

import gzip
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "book" / "assets" / "vendor" / "pyodide"
VERSION = "314.0.7"
# Of the standard library: whole packages and modules that are left out …
WITHOUT = """
    _aix_support _android_support _apple_support _osx_support _pyrepl _pyio _sysconfigdata
    __hello__ __phello__ antigravity asyncore bdb cgi cmd code compileall configparser cProfile
    ctypes curses dbm doctest email ensurepip filecmp fileinput ftplib getopt getpass html.parser
    http idlelib imaplib lzma mailbox mimetypes modulefinder multiprocessing netrc
    nturl2path optparse pdb pickletools plistlib poplib profile pstats pty py_compile pyclbr pydoc
    pydoc_data quopri rlcompleter sched secrets shelve smtplib socketserver sqlite3 ssl symtable
    tabnanny this timeit tkinter trace tracemalloc tty turtle turtledemo unittest uuid venv
    wave webbrowser wsgiref xml xmlrpc zipapp zoneinfo
"""
# … and of the encodings all but these.
ENCODINGS = "__init__ aliases ascii cp437 idna latin_1 raw_unicode_escape unicode_escape utf_8"


def fetched(folder: Path) -> Path:
    """The npm package, unpacked; npm holds it to the registry's checksum."""
    command = ["npm", "pack", "--silent", f"pyodide@{VERSION}"]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    shutil.unpack_archive(folder / f"pyodide-{VERSION}.tgz", folder)
    return folder / "package"


def is_kept(name: str) -> bool:
    """Whether a file of the standard library goes to the pages."""
    module = name.removesuffix("/").removesuffix(".py").replace("/", ".")
    if module.startswith("encodings."):
        return module.removeprefix("encodings.") in ENCODINGS.split()
    return not any(module == one or module.startswith(f"{one}.") for one in WITHOUT.split())


def trimmed(path: Path) -> list[tuple[str, bytes]]:
    """Names and contents of what is kept of the standard library's archive."""
    with zipfile.ZipFile(path) as archive:
        return [(name, archive.read(name)) for name in archive.namelist() if is_kept(name)]


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        package = fetched(Path(folder))
        for name in ("pyodide.mjs", "pyodide.asm.mjs"):
            shutil.copy(package / name, OUT)
        wasm = (package / "pyodide.asm.wasm").read_bytes()
        (OUT / "pyodide.asm.wasm.gz").write_bytes(gzip.compress(wasm, 9, mtime=0))
        with zipfile.ZipFile(OUT / "python_stdlib.zip", "w") as out:
            for name, content in trimmed(package / "python_stdlib.zip"):
                out.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, 9)  # no date
    for path in sorted(OUT.iterdir()):
        print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
