"""Says at once what a machine lacks for `make`, and what to do about it.

    python3 tools/doctor.py python     is this Python new enough, and can it make environments?
    python3 tools/doctor.py browser    is there a Chromium for the page tests? (prints its path)

Standard library alone, and no syntax newer than Python 3.6: an old Python must be able to say that
it is too old.
"""

import importlib.util
import os
import shutil
import subprocess
import sys

OLDEST, NEWEST = (3, 11), (3, 14)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC_BROWSERS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


def dotted(version):
    return ".".join(str(part) for part in version[:2])


def python_problem(version, modules, others):
    """What is wrong with a Python of that version that has these modules; None if nothing.

    `others` are commands of suitable Pythons that stand beside it.
    """
    here = dotted(version)
    if not OLDEST <= tuple(version[:2]) <= NEWEST:
        said = f"This is Python {here}; the course needs {dotted(OLDEST)} to {dotted(NEWEST)}."
        if others:
            return f"{said} {others[0]} is here as well: run `make PYTHON={others[0]} …`."
        return f"{said} Install one of these and run `make PYTHON=python{dotted(OLDEST)} …`."
    for name in ("venv", "ensurepip"):
        if name not in modules:
            return (
                f"This Python {here} has no {name} module, which makes environments. On Debian and"
                f" Ubuntu run `apt-get install python{here}-venv` (as root) and try again."
            )
    return None


def suitable_pythons():
    """Commands of Pythons on the PATH whose version the course accepts, newest first."""
    names = [f"python3.{minor}" for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
    return [name for name in names if shutil.which(name) and runs(name)]


def runs(name):
    """Whether the command really starts: a version manager leaves names that lead nowhere."""
    return subprocess.call([name, "-c", ""], stderr=subprocess.DEVNULL) == 0


def check_python():
    modules = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name)]
    return python_problem(sys.version_info, modules, suitable_pythons())


def browser():
    """Path of a Chromium or Chrome; None if there is none. CHROMIUM overrides the search."""
    if os.environ.get("CHROMIUM"):
        return shutil.which(os.environ["CHROMIUM"])
    found = [path for path in map(shutil.which, BROWSERS + MAC_BROWSERS) if path]
    return found[0] if found else None


def install_browser():
    """Installs Debian's Chromium where that can be done without asking: as root, with apt-get."""
    if os.environ.get("CHROMIUM") or not shutil.which("apt-get") or os.geteuid() != 0:
        return
    print("The page tests need Chromium: installing it with apt-get.", file=sys.stderr)
    quiet = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
    for command in (["apt-get", "update", "-qq"], install):
        subprocess.call(command, env=quiet, stdin=subprocess.DEVNULL, stdout=sys.stderr)


def check_browser():
    if not browser():
        install_browser()
    path = browser()
    if path:
        print(path)
        return None
    if os.environ.get("CHROMIUM"):
        return "CHROMIUM is set to {}, and no such program is there.".format(os.environ["CHROMIUM"])
    return (
        "The page tests need Chromium, and there is none here. Debian: `sudo apt-get install"
        " chromium`; elsewhere install Chromium or Chrome, and set CHROMIUM to its path if it is"
        " not found. To leave the page tests out, run `CLIPLAB_SKIP_BROWSER=1 make test`."
    )


def main():
    checks = {"python": check_python, "browser": check_browser}
    if len(sys.argv) != 2 or sys.argv[1] not in checks:
        return "Say which: python tools/doctor.py " + " | ".join(sorted(checks))
    return checks[sys.argv[1]]()


if __name__ == "__main__":
    sys.exit(main())
