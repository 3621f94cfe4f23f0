"""The live demos as Python objects: their state, their module, what they display and answer."""

import json
import re
from collections import Counter
from html import unescape

import numpy as np
import pytest
import traitlets

import cliplab
from cliplab import demos
from cliplab.demos.bundle import bundle, modules
from cliplab.demos.host import HERE, respond
from cliplab.demos.register import all_data, all_graphs

every_demo = pytest.mark.parametrize("name", demos.NAMES)


@every_demo
def test_its_module_imports_nothing_and_exports_one_thing(name):
    """What anywidget loads from text: no import that leads nowhere, one default export."""
    text = bundle(HERE / name / "demo.js")
    assert re.findall(r"^import ", text, re.MULTILINE) == []
    assert re.findall(r"^export \w+", text, re.MULTILINE) == ["export default"]


@every_demo
def test_its_module_holds_all_files_of_its_folder(name):
    """However many there are: what no other file imports would never be loaded."""
    assert {*(HERE / name).rglob("*.js")} <= {*modules(HERE / name / "demo.js")}


def test_every_shared_file_is_used():
    used = {path for name in demos.NAMES for path in modules(HERE / name / "demo.js")}
    assert {*(HERE / "lib").rglob("*.js")} <= used


@every_demo
def test_names_at_the_top_of_its_modules_differ(name):
    """They share one scope once the files are put together, and keep their names when imported."""
    names = Counter()
    for path in modules(HERE / name / "demo.js"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"^import \{[^}]* as ", text, re.MULTILINE), path.name
        kinds = r"(?:async )?(?:function\*?|const|let|class)"
        names.update(re.findall(rf"^(?:export )?{kinds} (\w+)", text, re.MULTILINE))
    assert [one for one, times in names.items() if times > 1] == []


@every_demo
def test_its_scripts_keep_the_house_rules(name):
    """Text stays text, and nothing is asked of another host."""
    for path in [*modules(HERE / name / "demo.js"), *(HERE / "page").glob("*.js")]:
        text = path.read_text(encoding="utf-8")
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert word not in text, f"{path.name} uses {word}"
        hosts = re.findall(r"https?://(?!localhost|www\.w3\.org)", text)
        assert hosts == [], f"{path.name} names another host"


@every_demo
def test_it_declares_what_its_scripts_ask_for(name):
    """No graph or data that it lacks, none that it never needs."""
    text, live = bundle(HERE / name / "demo.js"), demos.live(name)
    assert {*re.findall(r"\.run\(\s*\"(\w+)\"", text)} == {*live.graphs}
    assert {*re.findall(r"\bask\.(?:load|json)\(\"(\w+)\"", text)} == {*live.data}
    assert live.budget > 0
    for everyone, own in ((all_graphs(), live.graphs), (all_data(), live.data)):
        assert all(everyone[one] is what for one, what in own.items())  # one name, one thing


def test_the_playground_shows_all_in_order():
    text = (HERE.parents[1] / "book" / "playground.md").read_text(encoding="utf-8")
    assert tuple(re.findall(r"^```\{live-demo\} (\w+)", text, re.MULTILINE)) == demos.NAMES


@every_demo
def test_it_shows_itself_everywhere(name):
    """A widget for a notebook, HTML with the recorded frame for a page, a line for a terminal."""
    live = cliplab.demo(name)
    data, _ = live._repr_mimebundle_()
    assert set(data) == {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"}
    assert data["text/plain"].startswith(f"demo('{name}', ")
    html = data["text/html"]
    place = re.search(rf'<div class="cld" data-demo="{name}" data-fields="([^"]*)" '
                      r'data-state="([^"]*)">', html)  # fmt: skip
    assert json.loads(unescape(place[1])) == live.fields()
    assert json.loads(unescape(place[2])) == live.state
    assert 'class="cld-frame" inert><section class="cld-demo"' in html
    assert "<script" not in html
    assert " id=" not in re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    assert len(html) < 90_000


def test_its_state_is_a_python_object():
    live = cliplab.demo("merges", text="two words")
    assert live.state == {"text": "two words", "word": 1, "step": 99}
    seen = []
    live.observe(lambda change: seen.append(change.new), "word")
    live.word = 0
    assert seen == [0]
    assert repr(live) == "demo('merges', text='two words', word=0, step=99)"
    assert "needs a page with JavaScript" in live.html()  # no frame was recorded of this state


@pytest.mark.parametrize(
    ("state", "error", "words"),
    [
        ({"text": "x" * 401}, traitlets.TraitError, "text has 401 characters; .* at most 400"),
        ({"word": -1}, traitlets.TraitError, "word"),
        ({"word": "one"}, traitlets.TraitError, "word"),
        ({"words": 1}, TypeError, "has no 'words'. Its state is: text, word, step"),
    ],
)
def test_what_does_not_fit_is_refused(state, error, words):
    with pytest.raises(error, match=words):
        cliplab.demo("merges", **state)


def test_an_unknown_demo_is_refused():
    with pytest.raises(ValueError, match=r"no demo 'merge'\. There are: journey, merges"):
        cliplab.demo("merge")


def ask(live, message, buffers=()):
    """What the kernel sends back to a front end's message."""
    sent = []
    live.send = lambda content, buffers=None: sent.append((content, buffers))
    live._answer(live, message, list(buffers))
    return sent[0]


def test_the_kernel_answers_with_data():
    reply, buffers = ask(cliplab.demo("merges"), {"id": 7, "load": "clip_vocabulary"})
    assert reply["id"] == 7
    assert reply["outputs"]["bytes"] == {"type": "uint8", "shape": (len(buffers[0]),)}
    tok = cliplab.CLIPTokenizer()
    first = [tok.vocabulary[side] for side in tok.merges[0]]
    assert json.loads(bytes(buffers[0]))["merges"][:2] == first


def test_the_kernel_answers_with_a_graph():
    texts = np.eye(2, 128, dtype=np.float32)
    message = {"id": 1, "run": "similarity", "outputs": ["cosine"], "inputs": {
        "texts": {"type": "float32", "shape": [2, 128]},
        "images": {"type": "float32", "shape": [2, 128]},
        "scale": {"type": "float32", "shape": []},
    }}  # fmt: skip
    scale = np.float32(2).tobytes()
    reply, buffers = ask(cliplab.demo("merges"), message, [texts.tobytes(), texts.tobytes(), scale])
    assert reply["outputs"] == {"cosine": {"type": "float32", "shape": (2, 2)}}
    np.testing.assert_array_equal(np.frombuffer(buffers[0], np.float32), np.eye(2).ravel())


@pytest.mark.parametrize(
    ("message", "words"),
    [({"load": "secrets"}, "no data 'secrets'"), ({"run": "secrets", "inputs": {}}, "secrets")],
)
def test_what_the_kernel_does_not_have_is_said(message, words):
    reply, *_ = ask(cliplab.demo("merges"), {"id": 1, **message})
    assert words in reply["error"]
    with pytest.raises(ValueError, match=words):
        respond(message, [])
