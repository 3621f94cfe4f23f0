"""Exercises that can be answered on a page: what is listed here, and the files that it takes.

Python itself is Pyodide (book/assets/vendor/pyodide). It has neither torch nor numpy, so only
exercises whose answers and checks are plain Python run there; `absent.py` lets their files be read.

    page.js          the field, the button and the verdict, where a page has such an exercise
    worker.js        Pyodide, started when the first answer is to be checked
    answer.py        in Pyodide: the learner's code, and the check
    absent.py        in Pyodide: stand-ins for torch and numpy
    regex_by_re.py   in Pyodide: a stand-in for regex
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import regex

HERE = Path(__file__).parent
ROOT = HERE.parent.parent  # the folder that holds both packages
TOKENIZER = "import cliplab\n\ntok = cliplab.CLIPTokenizer()"
# The exercises, and what earlier cells of their notebooks define that an answer may use.
PLAIN = {
    "01.1": "",
    "01.2": "",
    "02.1": "",
    "03.1": TOKENIZER,
    "03.2": "",
    "03.3": TOKENIZER,
    "03.4": "",
    "04.1": "",
    "05.4": "",
    "06.3": "",
    "07.3": "import math",
    "08.4": "",
    "09.3": "",
    "10.2": "",
    "12.1": "import math",
    "12.2": "import math",
    "12.3": "",
    "13.1": "import math",
    "13.3": "",
    "13.4": "",
    "14.1": "",
    "15.1": "import math",
    "15.2": "import math",
    "15.3": "import math",
    "16.1": "",
    "16.2": "import math",
    "16.3": "",
    "17.2": "",
    "17.3": "",
    "17.5": "",
    "A1.1": "from cliplab.tokenizer import BYTE_TO_CHAR",
    "A1.2": "",
    "A1.3": "",
    "A1.4": "",
    "A3.2": "",
    "A3.6": "",
}
LEFT_OUT = ("cliplab/demos", "cliplab/plots", "classroom/coursework", "classroom/miniature")
DATA = ("cliplab/assets/clip_bpe.json", "cliplab/assets/unicode.json")


def write(folder: Path) -> None:
    """Fill a folder with the scripts and with course.zip, from which the worker imports."""
    folder.mkdir(parents=True, exist_ok=True)
    for script in HERE.glob("*.js"):
        shutil.copy(script, folder)
    with zipfile.ZipFile(folder / "course.zip", "w") as archive:
        for name, content in files():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, 9)


def files() -> Iterator[tuple[str, bytes]]:
    """Names and contents of what Pyodide needs of the course, the same on every run."""
    for package in ("cliplab", "classroom"):
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith((*LEFT_OUT, "classroom/page")):
                yield name, path.read_bytes()
    for name in DATA:
        yield name, (ROOT / name).read_bytes()
    for source, name in (("answer", "answer"), ("absent", "absent"), ("regex_by_re", "regex")):
        yield f"{name}.py", (HERE / f"{source}.py").read_bytes()
    yield "characters.json", json.dumps(characters(), ensure_ascii=False).encode()


def characters() -> dict[str, str]:
    r"""Which characters \p{L}, \p{N} and \s are, each as what stands between brackets in `re`."""
    everything = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x110000)]))
    return {
        name: "".join(
            f"{re_escaped(run[0][0])}-{re_escaped(run[0][-1])}"
            for run in regex.finditer(f"{name}+", everything)
        )
        for name in (r"\p{L}", r"\p{N}", r"\s")
    }


def re_escaped(character: str) -> str:
    """A character as it may stand between brackets."""
    return f"\\U{ord(character):08x}"
