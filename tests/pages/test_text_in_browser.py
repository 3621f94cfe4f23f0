"""The demos' tokenizer and prompt grammars, in Chromium: all golden vectors, and their speed."""

import pytest

from cliplab.demos.register import all_data
from tools import golden
from tools.serve import serving

from .conftest import ROOT

RUN = """async (texts) => {
    const { differences } = await import("/tests/pages/text_cases.js");
    const golden = await (await fetch("/tests/data/golden_text.json")).json();
    const vocabularies = {};
    for (const [name, text] of Object.entries(texts)) vocabularies[name] = JSON.parse(text);
    return differences(golden, vocabularies, (file) => import(`/cliplab/demos/lib/${file}`));
}"""
TIME = """async (text) => {
    const { createTokenizer } = await import("/cliplab/demos/lib/bpe.js");
    const data = JSON.parse(text);
    const fastest = (runs, work) => {
        let best = Infinity;
        for (let run = 0; run < runs; run++) {
            const start = performance.now();
            work();
            best = Math.min(best, performance.now() - start);
        }
        return best;
    };
    const yardstick = fastest(20, () => {
        let x = 1;
        for (let i = 0; i < 1_000_000; i++) x = (Math.imul(x, 31) + i) | 0;
        globalThis.kept = x;
    });
    const tokenizer = createTokenizer(data);
    const prompt = "a photograph of an astronaut riding a horse on the moon, ".repeat(6);
    return {
        build: fastest(20, () => createTokenizer(data)) / yardstick,
        tokenize: fastest(200, () => tokenizer.tokenize(prompt)) / yardstick,
        long: fastest(3, () => tokenizer.tokenize("qxzvjkwp".repeat(1000))) / yardstick,
    };
}"""


@pytest.fixture(scope="module")
def sources():
    """The address of a server of the repository's own folder: no built site is needed."""

    with serving(ROOT) as address:
        yield address


@pytest.fixture(scope="module")
def page(new_context, sources):
    page = new_context().new_page()
    page.goto(f"{sources}/cliplab/demos/lib/")
    yield page
    page.close()


def test_javascript_gives_what_python_gives(page):
    texts = {name: all_data()[name]().decode() for name in golden.VOCABULARIES}
    found = page.evaluate(RUN, texts)
    assert not found, f"{len(found)} golden vectors differ; the first: {found[0]}"


def test_it_is_quick(page):
    """In the time of a million steps of a plain loop, about 1 ms."""
    took = page.evaluate(TIME, all_data()["clip_vocabulary"]().decode())
    assert took["build"] < 150, took
    assert took["tokenize"] < 1, took
    assert took["long"] < 1500, took  # 8,000 letters without a space
