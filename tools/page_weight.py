"""What the pages of a built site send in scripts, styles and fonts: bytes over the wire, by page.

    python tools/page_weight.py                  of the book in _build/html
    python tools/page_weight.py --site FOLDER    of a book that was built elsewhere

Scripts and styles count as gzip makes them, which is how hosts send them; fonts are packed already.
What live demos fetch does not count: each has a budget of its own. tests/data/page_weight.json has
what this command said of the commit that it names, and no page may send more than LIGHT of that.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.chromium import chromium  # noqa: E402
from tools.serve import serving  # noqa: E402

LIGHT = 0.6
PATIENCE = 300_000  # ms; a guard against hangs
BEFORE = ROOT / "tests" / "data" / "page_weight.json"
PACKED = (".woff", ".woff2")
DEMOS = ("_static/demos/", "_static/vendor/onnxruntime/")
FETCHED = """async () => {
  await window.MathJax?.startup?.promise;
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  await document.fonts.ready;
  return performance.getEntriesByType("resource").map((one) => one.name);
}"""


def weight(browser: Browser, address: str, site: Path, name: str) -> int:
    """Bytes of the scripts, styles and fonts that a page fetches for a reader who is new here."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(f"{address}/{name}.html")
    sent = fetched(page, address, site)
    context.close()
    return sent


def fetched(page: Page, address: str, site: Path) -> int:
    """Bytes of the scripts, styles and fonts that an open page has asked for."""
    paths = {
        unquote(urlsplit(url.removeprefix(f"{address}/")).path) for url in page.evaluate(FETCHED)
    }
    return sum(size(site / path) for path in paths if not path.startswith(DEMOS))


def size(path: Path) -> int:
    if path.suffix in PACKED:
        return path.stat().st_size
    return len(gzip.compress(path.read_bytes())) if path.suffix in (".js", ".css") else 0


def allowed(name: str, formulas: bool) -> float:
    """The most that a page may send. One that is new is measured by the lightest of its kind."""
    before = json.loads(BEFORE.read_text(encoding="utf-8"))["bytes"]
    kind = [size for page, size in before.items() if page.startswith("chapters/") or not formulas]
    return LIGHT * before.get(name, min(kind))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = ROOT / "_build/html"
    parser.add_argument("--site", type=Path, default=default, metavar="FOLDER", help="the book")
    site = parser.parse_args().site
    files = [path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts]
    pages = [path for path in files if "stylesheet" in path.read_text(encoding="utf-8")]
    sizes = {}
    with serving(site) as address, chromium() as browser:
        for path in pages:
            name = path.relative_to(site).with_suffix("").as_posix()
            sizes[name] = weight(browser, address, site, name)
    print(json.dumps(sizes, indent=2))


if __name__ == "__main__":
    main()
