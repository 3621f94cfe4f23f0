"""Records the first frame of every live demo, which stands wherever the demo is not alive.

    python tools/frames.py               record all of them
    python tools/frames.py merges slots  record these
    python tools/frames.py --check       say which recorded frames are not what the demos show

A frame is what Chromium has drawn, as HTML: pictures and fields of numbers become images inside
it. Chapters hold frames in their outputs, so run them again (`make notebooks`) when one changed.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from cliplab import demos  # noqa: E402
from cliplab.demos import site  # noqa: E402
from cliplab.demos.host import HERE  # noqa: E402
from tools.chromium import chromium  # noqa: E402
from tools.serve import serving  # noqa: E402

LOOK = {"viewport": {"width": 1000, "height": 900}, "reduced_motion": "reduce"}
# Canvases do not outlive their script, and what a reader typed is a property: both are written out.
FREEZE = """(live) => {
  for (const canvas of live.querySelectorAll("canvas")) {
    const image = document.createElement("img");
    const small = document.createElement("canvas"); // as large as it is shown, for a frame is small
    const shown = Math.min(1, canvas.clientWidth / canvas.width || 1);
    small.width = Math.round(canvas.width * shown);
    small.height = Math.round(canvas.height * shown);
    small.getContext("2d").drawImage(canvas, 0, 0, small.width, small.height);
    const ways = [canvas, small].flatMap((one) =>
      [one.toDataURL("image/png"), one.toDataURL("image/webp", 0.5)]);
    image.src = ways.reduce((a, b) => (b.length < a.length ? b : a));
    image.alt = canvas.getAttribute("aria-label") ?? "";
    if (!image.alt) image.setAttribute("role", "presentation"); // words beside it say what it shows
    image.className = canvas.className;
    image.style.cssText = canvas.style.cssText;
    image.width = canvas.clientWidth;
    canvas.replaceWith(image);
  }
  for (const link of live.querySelectorAll("a[href]")) { // which lead from this page
    if (new URL(link.href).origin === location.origin) link.removeAttribute("href");
  }
  for (const field of live.querySelectorAll("input, textarea, select")) {
    if (["checkbox", "radio"].includes(field.type)) field.toggleAttribute("checked", field.checked);
    else if (field.tagName === "TEXTAREA") field.textContent = field.value;
    else if (field.tagName === "SELECT") field.selectedOptions[0].setAttribute("selected", "");
    else field.setAttribute("value", field.value);
  }
  return live.innerHTML;
}"""


def write_harness(folder: Path, names: tuple[str, ...]) -> None:
    """A bare page per demo, NAME.html, with all that it needs beside it."""
    static = folder / "_static"
    site.write(static / "demos", ROOT / "_build" / "demos", names)
    shutil.copytree(ROOT / "book" / "assets" / "vendor" / "onnxruntime",
                    static / "vendor" / "onnxruntime", dirs_exist_ok=True)  # fmt: skip
    for name in names:
        (folder / f"{name}.html").write_text(
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>A demo</title>'
            '<link rel="stylesheet" href="_static/demos/demo.css">'
            '<script defer src="_static/demos/host.js"></script>'
            f'<body style="width: 760px">{demos.demo(name).place("", "")}</body></html>',
            encoding="utf-8",
        )


def record(page: Page, address: str, name: str) -> str:
    """What the demo shows first, on a page that was opened with LOOK."""
    page.goto(f"{address}/{name}.html")
    page.wait_for_selector(".cld[data-ready]", timeout=60_000)
    if page.get_attribute(".cld", "data-ready") != "live":
        raise RuntimeError(f"{name}: {page.text_content('.cld-still')}")
    frame = page.eval_on_selector(".cld > div", FREEZE)
    return frame.replace(' data-drawn="1"', "") + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="the demos to record; all by default")
    parser.add_argument("--check", action="store_true", help="write nothing, only compare")
    args = parser.parse_args()
    names, stale = tuple(args.names) or demos.NAMES, 0
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        write_harness(Path(folder), names)
        for name in names:
            with serving(Path(folder)) as address:
                page = browser.new_page(**LOOK)
                frame = record(page, address, name)
                page.close()
            path = HERE / name / "frame.html"
            same = path.is_file() and path.read_text(encoding="utf-8") == frame
            stale += not same
            if not args.check:
                path.write_text(frame, encoding="utf-8")
            print(f"{name}: {'unchanged' if same else 'differs' if args.check else 'recorded'}")
    return int(args.check and stale > 0)


if __name__ == "__main__":
    sys.exit(main())
