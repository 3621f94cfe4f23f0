"""How soon the demos are alive, how soon they answer, and what they fetch, in Chromium.

    python benchmarks/demos.py [NAMES]

Each demo on a bare page of its own, from a server on this machine, with an empty cache: seconds to
the first live picture, bytes over the wire, and milliseconds from a key press to the drawn answer
(the median and the longest of ten; for the two that paint, one new picture).
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from cliplab import demos  # noqa: E402
from tools import frames  # noqa: E402
from tools.chromium import chromium  # noqa: E402
from tools.serve import serving  # noqa: E402

# Types into a field of a demo; resolves when the demo has drawn what was typed.
TYPE = """([name, value]) => new Promise((done) => {
  const demo = document.querySelector(`.cld[data-demo="${name}"] .cld-demo`);
  const field = demo.querySelector("textarea, input.cld-text, input[type=text]");
  const before = Number(demo.dataset.drawn);
  const start = performance.now();
  new MutationObserver((_, watch) => {
    if (Number(demo.dataset.drawn) <= before) return;
    watch.disconnect();
    requestAnimationFrame(() => done(performance.now() - start));
  }).observe(demo, { attributes: true, attributeFilter: ["data-drawn"] });
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.dispatchEvent(new Event("change", { bubbles: true }));
})"""


def measure(browser, address: str, name: str) -> str:
    """One line of the report."""
    page = browser.new_page(viewport={"width": 1000, "height": 900}, reduced_motion="reduce")
    sizes = []
    page.on("requestfinished", lambda r: sizes.append(r.sizes()["responseBodySize"]))
    start = time.perf_counter()
    page.goto(f"{address}/{name}.html")
    page.wait_for_selector(".cld[data-ready=live]", timeout=60_000)
    ready = time.perf_counter() - start
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(3000)
    paints = "paint_step" in demos.live(name).graphs
    words = ["a red cat"] if paints else [f"a red cat {'x' * n}" for n in range(10)]
    spent = [page.evaluate(TYPE, [name, text]) for text in words]
    page.close()
    answer = f"{statistics.median(spent):7.0f} {max(spent):8.0f}"
    return f"{name:11}{ready:8.2f} {sum(sizes) / 1e6:10.2f} {answer}"


def main() -> None:
    names = tuple(sys.argv[1:]) or demos.NAMES
    print(f"{'demo':11}{'ready s':>8} {'fetched MB':>10} {'ms':>7} {'longest':>8}")
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        frames.write_harness(Path(folder), names)
        with serving(Path(folder)) as address:
            for name in names:
                print(measure(browser, address, name), flush=True)


if __name__ == "__main__":
    main()
