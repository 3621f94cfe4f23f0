"""The numbers of the demos are those of the package, in torch and in what pages run."""

import gzip
import importlib.util
import json
import shutil
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

import cliplab
from cliplab.demos import export as exporting
from cliplab.demos.graphs.clip import A_CAT, TWO_HEARTS, framed
from cliplab.demos.graphs.run import check, run
from cliplab.demos.graphs.weigh import METHODS
from cliplab.demos.register import all_graphs
from cliplab.demos.storing import rounded, split, store
from cliplab.weighting.methods import hide, spans_of

needs_onnx = pytest.mark.skipif(
    any(importlib.util.find_spec(tool) is None for tool in exporting.TOOLS),
    reason="exporting needs onnx, onnxscript and onnxruntime",
)
BOOKS = Path(__file__).parents[1] / "_build" / "demos"  # what `make book` has exported
CAPTIONS = ["a cat", "two red hearts and a dog", "sun", "woman firefighter, orange hat!"]


@pytest.fixture(scope="module")
def clip():
    return cliplab.load_clip("mini")


@pytest.fixture(scope="module")
def ids(clip):
    return cliplab.length_normalization(clip.tokenizer(CAPTIONS))


def numbers(**inputs):
    """Inputs as JavaScript sends them."""
    return {
        name: np.asarray(value, np.int32 if np.asarray(value).dtype.kind in "ib" else np.float32)
        for name, value in inputs.items()
    }


def close(a, b, within=1e-5):
    np.testing.assert_allclose(np.asarray(a), np.asarray(b), atol=within, rtol=within)


# Torch: what the kernel answers with


def test_the_examples_are_the_captions_they_say(clip):
    assert clip.tokenizer.content("a cat") == list(A_CAT)
    assert clip.tokenizer.content("two red hearts and a dog") == list(TWO_HEARTS)
    expected = cliplab.length_normalization(clip.tokenizer(["a cat", ""]))
    assert (framed(A_CAT, ()) == expected).all()


@pytest.mark.parametrize(("causal", "pad"), [(1, 0), (1, 1), (0, 1), (0, 0)])
def test_text_is_the_encoder_under_the_masks_that_are_on(clip, ids, causal, pad):
    seen = cliplab.mask_pad(ids, clip.tokenizer.eos_id) if pad else torch.ones_like(ids).bool()
    out = run("text", numbers(ids=ids, causal=causal, seen=seen))
    M = torch.ones(len(ids), 77, 77, dtype=torch.bool) & seen[:, None]
    M = M & cliplab.causal_mask(77) if causal else M
    with torch.no_grad():
        made = clip.text_model(ids, M, trace=True)
    hidden = torch.stack(made.hidden_states, dim=1)
    close(out["context"], made.context)
    close(out["vector"], F.normalize(made.text_embeds, dim=-1))
    close(out["moved"], (hidden - hidden[:1]).norm(dim=-1) / hidden[:1].norm(dim=-1))
    for n in range(4):
        for name, traced in [
            *(("scores", "S"), ("attention", "weights"), ("queries", "Q"), ("keys", "K"))
        ]:
            close(out[name][:, n], made.trace[f"encoder.layers.{n}.self_attn.{traced}"])
    product = np.einsum("bnhik,bnhjk->bnhij", out["queries"], out["keys"])
    close(out["scores"], product / 32**0.5, 1e-4)


def test_image_is_encode_image(clip):
    from PIL import Image

    drawn = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    expected = clip.encode_image([Image.fromarray(one) for one in drawn])
    close(run("image", {"pixels": drawn})["vector"], expected)


@given(st.integers(1, 7), st.integers(1, 7), st.floats(1, 100), st.integers(0, 99))
@settings(max_examples=30)
def test_similarity_is_what_the_loss_is_made_of(N, M, scale, seed):
    drawn = torch.randn(N + M, 128, generator=torch.Generator().manual_seed(seed))
    u, v = F.normalize(drawn[:N], dim=-1), F.normalize(drawn[N:], dim=-1)
    out = run("similarity", numbers(texts=2 * u, images=v, scale=scale))
    close(out["cosine"], v @ u.T)
    S = cliplab.similarity_matrix(u, v, 1 / scale)
    close(out["by_row"], S.T.softmax(1))
    close(out["by_column"], S.T.softmax(0))
    assert out["losses"].shape == (min(N, M),)
    close(out["loss"], out["losses"].mean())
    if N == M:
        close(out["loss"], cliplab.clip_loss(u, v, 1 / scale))


# Weights

PROMPTS = {
    "a1111": [
        *("a cat", "a (red:1.3) cat", "((a)) [cat]", "(red:0) hearts", "a (cat:-1) and a dog"),
        *(
            "fire(fight:1.5)er woman",
            "(two red hearts:8) and a (dog:0.25)",
            "",
            "[[[sun]]] (x:1.1)",
        ),
        *("(a:1.1)(b:0.9)(c:1.2)(d:0.8) sun", "(red:0.001) (blue:0) cat", "(woman:-3) in a hat"),
    ],
    "comfyui": ["a (red:1.3) cat", "((heart)) (dog:0)", "(sun:-2) and (moon:5)", "uni(cor:0.5)n"],
    "compel": [
        *(
            "a cat",
            "a red+ cat",
            "a (red)1.3 cat--",
            "(red)0 hearts and a dog",
            "cat- dog-- sun---",
        ),
        *("((a dog)0.5 and a cat)0.5", "(two red hearts)3 and (a dog)0.2", "(all of it)0.6"),
        "fire (fighter)0.3 woman, (orange)1.8 hat!",
    ],
}
OF_ROWS = ("contexts", "moved", "cosine")


def context_of(ids, seen):
    """The rows that "text" gives, seen through these columns."""
    rows = numbers(ids=np.asarray(ids)[None], causal=1, seen=np.asarray(seen)[None])
    return run("text", rows)["context"][0]


def inputs_of_weigh(encoder, fragments):
    """What JavaScript has to send for each chunk of a prompt, as the docstring of weigh.py says."""
    cut = encoder.encoder.chunks_of(fragments)
    every = torch.ones(len(cut), 77, dtype=torch.bool)
    spans = spans_of(cut)
    lighter = [k for k in spans if fragments[k].weight < 1]
    rows = [hide(every, *spans[k], whole_chunks=True) for k in lighter]  # each [N, L]
    for n, chunk in enumerate(cut):
        ids = [token.id for token in chunk]
        plain = context_of(ids, every[n])
        yield numbers(
            plain=plain,
            empty=context_of(framed(())[0], every[n]),
            masked=[context_of(ids, row[n]) for row in rows] or [plain],
            weights=[float(token.weight) for token in chunk],
            down=[float(fragments[k].weight) for k in lighter] or [1.0],
        )


@pytest.fixture(scope="module")
def encoders(clip):
    """Python's way to a context, by syntax and method."""
    ways = [(syntax, method) for syntax in PROMPTS for method in ("ignore", *METHODS)]
    return {way: cliplab.PromptEncoder(clip.tokenizer, clip.text_model, *way) for way in ways}


@pytest.mark.parametrize("syntax", PROMPTS)
def test_weigh_is_encode_prompt(encoders, syntax):
    assert sum(map(len, PROMPTS.values())) >= 20
    for prompt in PROMPTS[syntax]:
        check_weighing(encoders, syntax, prompt)


@pytest.mark.parametrize("syntax", PROMPTS)
def test_weigh_goes_through_a_long_prompt_chunk_by_chunk(encoders, syntax):
    """With a lighter fragment in the first chunk only, and one that crosses the cut."""
    first, second = (")0.7", ")0.4") if syntax == "compel" else (":0.7)", ":0.4)")
    light = "(the sun and the moon, " + "a blue dog and " * 6 + "hat" + second
    prompt = "(two hearts" + first + " " + "a red cat, " * 15 + light
    assert check_weighing(encoders, syntax, prompt) == 2


def check_weighing(encoders, syntax, prompt) -> int:
    """Hold the graph to all methods; the number of chunks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cliplab.PromptWarning)
        fragments = cliplab.parse_prompt(prompt, syntax)
        plain = encoders[syntax, "ignore"](prompt).tensor
        expected = [encoders[syntax, method](prompt).tensor for method in METHODS]
    chunks = list(inputs_of_weigh(encoders[syntax, "ignore"], fragments))
    parts = [run("weigh", inputs) for inputs in chunks]
    found = {name: np.concatenate([p[name] for p in parts], axis=1) for name in OF_ROWS}
    close(np.concatenate([inputs["plain"] for inputs in chunks]), plain)
    for n, C in enumerate(expected):
        size = max(1.0, float(C.abs().max()))  # weights of 8 make numbers that are larger
        close(found["contexts"][n] / size, C / size)
        close(found["moved"][n], (C - plain).norm(dim=-1) / plain.norm(dim=-1), 1e-4)
        close(found["cosine"][n], F.cosine_similarity(C, plain, dim=-1), 1e-4)
    return len(chunks)


def test_weights_of_one_move_nothing_at_all():
    example = {key: tensor.numpy() for key, tensor in all_graphs()["weigh"].inputs.items()}
    for plain in (example["plain"], 0 * example["plain"]):  # whose mean is 0: not NaN
        none = numbers(
            plain=plain, empty=example["empty"], masked=[plain], weights=np.ones(77), down=[1.0]
        )
        assert (run("weigh", none)["contexts"] == plain).all()
    out = run("weigh", none | numbers(plain=plain + 1, masked=[plain + 1]))
    assert (out["moved"] == 0).all()


# What is refused


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("tekst", {}, "There is no graph 'tekst'"),
        ("text", {"seen": None}, "takes ids, causal, seen; it was given ids, causal"),
        ("text", {"more": np.zeros(1)}, "it was given ids, causal, seen, more"),
        ("text", {"ids": np.zeros((2, 77), np.int64)}, "is int32 [B, 77]; it was given int64"),
        ("text", {"ids": np.zeros((2, 76), np.int32)}, "it was given int32 [2, 76]"),
        ("text", {"ids": np.zeros(77, np.int32)}, "it was given int32 [77]"),
        ("text", {"ids": np.zeros((0, 77), np.int32)}, "it was given int32 [0, 77]"),
        ("text", {"ids": np.full((2, 77), 7000, np.int32)}, "Id 7000 is not in the table"),
        ("text", {"ids": np.zeros((2, 77), np.int32)}, "has no EOS token"),
        ("weigh", {"down": np.ones(3, np.float32)}, "(here K = 2)"),
    ],
)
def test_wrong_inputs_are_refused_in_a_sentence(name, change, says):
    example = all_graphs().get(name, all_graphs()["text"]).inputs
    inputs = {key: tensor.numpy() for key, tensor in example.items()} | change
    inputs = {key: array for key, array in inputs.items() if array is not None}
    with pytest.raises(ValueError, match=r".+\.") as error:
        run(name, inputs)
    assert says in str(error.value)


def test_examples_fit_their_graphs_and_dynamic_sizes_are_above_one():
    for name, graph in all_graphs().items():
        check(name, graph, {key: tensor.numpy() for key, tensor in graph.inputs.items()})
        for key, axes in graph.dynamic.items():
            for axis in axes:  # of 1, an export would make a fixed size
                assert graph.inputs[key].shape[axis] > 1, (name, key)


# Storing


@given(st.integers(-30_000, 30_000), st.integers(-200, 200))
def test_whole_numbers_are_split_into_bytes_and_put_together(large, small):
    parts = split(np.array([[large, small, 0]]))
    assert all(part.dtype == np.int8 for part, _ in parts)
    assert sum(part.astype(int) * int(size) for part, size in parts).tolist() == [[large, small, 0]]
    assert len(parts) == (1 if {large, small} <= {*range(-128, 128)} else 2)


def test_rounding_leaves_the_module_and_small_weights_alone(clip):
    layer = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.Linear(64, 8))
    before = {key: tensor.clone() for key, tensor in layer.state_dict().items()}
    for precision, most in (("fp16", 2e-4), ("int8", 2e-3)):
        small, _ = rounded(layer, precision)
        for key, tensor in small.state_dict().items():
            far = (tensor - before[key]).abs().max()
            assert (0 < far < most) if key == "0.weight" else far == 0
            assert (layer.state_dict()[key] == before[key]).all()
    with pytest.raises(ValueError, match="int8 or fp16, not 'int4'"):
        rounded(layer, "int4")


# ONNX: what pages run


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The exports of two graphs and their manifest.

    The text encoder takes long. It is the book's, where that was made from what there is now.
    """
    out, said = tmp_path_factory.mktemp("demos"), []
    (out / "graphs").mkdir()
    for file in ("manifest.json", "graphs/text.onnx.gz"):
        if (BOOKS / file).is_file():
            shutil.copy(BOOKS / file, out / file)
    exporting.export(out, ["similarity", "text"], say=said.append)
    made = [line.partition(":")[0].rpartition("/")[2] for line in said]
    assert made in (["similarity.onnx.gz"], ["similarity.onnx.gz", "text.onnx.gz"])
    return out


def session(out, name):
    import onnxruntime

    packed = (out / "graphs" / f"{name}.onnx.gz").read_bytes()
    return onnxruntime.InferenceSession(gzip.decompress(packed))


@needs_onnx
def test_text_in_a_page_is_text_in_the_kernel_but_for_rounding(files, ids):
    page = session(files, "text")
    names = all_graphs()["text"].outputs
    for B in (1, 4):
        for causal, pad in ((1, 0), (0, 1)):
            seen = cliplab.mask_pad(ids[:B], ids[0, -1]) if pad else np.ones((B, 77), int)
            inputs = numbers(ids=ids[:B], causal=causal, seen=seen)
            out = dict(zip(names, page.run(None, inputs), strict=True))
            same = run("text", inputs)
            assert {key: array.shape for key, array in out.items()} == {
                key: array.shape for key, array in same.items()
            }
            close(out["attention"].sum(-1), np.ones((B, 4, 4, 77)))
            assert np.abs(out["attention"] - same["attention"]).max() < 0.03
            assert (out["vector"] * same["vector"]).sum(-1).min() > 0.999
            close(out["vector"] @ same["vector"].T, same["vector"] @ same["vector"].T, 0.01)


@needs_onnx
def test_similarity_in_a_page_takes_any_numbers_of_captions_and_pictures(files):
    page = session(files, "similarity")
    drawn = np.random.default_rng(0).normal(size=(12, 128)).astype(np.float32)
    for N, M in ((1, 1), (1, 6), (6, 1), (3, 7), (6, 6)):
        inputs = numbers(texts=drawn[:N], images=drawn[-M:], scale=30.0)
        same = run("similarity", inputs)
        for key, out in zip(
            all_graphs()["similarity"].outputs, page.run(None, inputs), strict=True
        ):
            assert out.shape == same[key].shape
            close(out, same[key], 1e-4)


@needs_onnx
def test_a_file_says_what_it_was_made_from_and_nothing_of_this_machine(files):
    import onnx

    manifest = json.loads((files / "manifest.json").read_text())
    packed = (files / "graphs" / "text.onnx.gz").read_bytes()
    entry = manifest["graphs"]["text"]
    assert entry["bytes"] == len(packed) < 1_600_000
    assert entry["sha256"] == exporting.digest(packed)
    assert entry["difference"] <= entry["tolerance"]
    assert entry["inputs"]["ids"] == {"type": "int32", "shape": ["B", 77]}
    content = gzip.decompress(packed)
    model = onnx.load_from_string(content)
    onnx.checker.check_model(model, full_check=True)
    said = {prop.key: prop.value for prop in model.metadata_props}
    assert said["cliplab"] == manifest["cliplab"] == cliplab.__version__
    (path,) = all_graphs()["text"].weights
    assert json.loads(said["weights"]) == entry["weights"]
    assert entry["weights"] == {
        "assets/clip-mini/model.safetensors": exporting.digest(path.read_bytes())
    }
    assert model.ir_version <= 10
    assert all(o.domain == "" and o.version <= 20 for o in model.opset_import)
    assert str(exporting.PACKAGE).encode() not in content
    assert b"stack_trace" not in content


@needs_onnx
def test_what_is_up_to_date_is_not_made_again(files, monkeypatch):
    made_from = json.loads((files / "manifest.json").read_text())["graphs"]["text"]["made_from"]
    monkeypatch.setattr(exporting, "fingerprint", lambda: made_from)
    monkeypatch.setattr(exporting, "onnx_file", lambda name, graph: (b"made again", {}))
    said = []

    def again():
        said.clear()
        exporting.export(files, ["similarity", "text"], say=said.append)
        return len(said)

    assert again() == 0
    file = files / "graphs" / "similarity.onnx.gz"
    file.write_bytes(file.read_bytes()[:-1])
    assert again() == 1
    assert gzip.decompress(file.read_bytes()) == b"made again"
    monkeypatch.setattr(exporting, "fingerprint", lambda: "of other code, or other weights")
    assert again() == 2


@needs_onnx
def test_weights_that_the_export_turned_around_are_stored_in_bytes():
    from onnx import TensorProto, helper, numpy_helper
    from onnx.reference import ReferenceEvaluator

    layer = torch.nn.Linear(40, 30, bias=False)
    for precision in ("fp16", "int8"):
        small, steps = rounded(layer, precision)
        turned = small.weight.detach().numpy().T.copy()
        model = helper.make_model(
            helper.make_graph(
                [helper.make_node("MatMul", ["x", "W"], ["y"])],
                "one",
                [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 40])],
                [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 30])],
                [numpy_helper.from_array(turned, "W")],
            ),
            opset_imports=[helper.make_opsetid("", 18)],
        )
        store(model, precision, steps)
        kinds = {numpy_helper.to_array(one).dtype for one in model.graph.initializer}
        assert kinds <= {np.dtype("float16"), np.dtype("int8"), np.dtype("float32")}
        assert sum(len(one.raw_data) for one in model.graph.initializer) <= 2 * turned.size + 8 * 30
        x = np.eye(40, dtype=np.float32)[:1]
        close(ReferenceEvaluator(model).run(None, {"x": x})[0], x @ turned, 1e-7)


def test_an_unknown_name_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        exporting.main([str(tmp_path), "tekst"])
    assert stopped.value.code == 2
    assert "There is no 'tekst'; there are paint_text, paint_step" in capsys.readouterr().err


def test_without_the_tools_the_command_that_installs_them_is_named(tmp_path, monkeypatch, capsys):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "onnx" else find(name)
    )
    monkeypatch.delitem(sys.modules, "onnx", raising=False)
    with pytest.raises(SystemExit):
        exporting.main([str(tmp_path), "similarity"])
    assert "onnx, which is not installed here: pip install onnx." in capsys.readouterr().err


@needs_onnx
def test_an_export_that_is_too_far_from_torch_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "compare", lambda *_: (float("nan"), {}))
    monkeypatch.setattr(exporting, "exported", lambda *_: __import__("onnx").ModelProto())
    with pytest.raises(exporting.ExportError, match="differs from torch by nan"):
        exporting.export(tmp_path, ["similarity"])
    assert not list(tmp_path.rglob("*.onnx.gz"))
