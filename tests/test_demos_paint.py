"""The graphs that paint: run one after another, they give the pictures of cliplab.generate."""

import copy
import hashlib

import numpy as np
import pytest
import torch

pytest.importorskip("diffusers")

import cliplab
from cliplab.demos.data.noise import SEEDS, noise
from cliplab.demos.graphs.paint import PAINT, STEPS, schedule
from cliplab.demos.graphs.weigh import METHODS, WEIGH
from cliplab.pipeline.painting import words_of
from cliplab.weighting import PromptEncoder


@pytest.fixture(scope="module")
def pipe():
    return cliplab.load_pipeline("mini")


@pytest.fixture(scope="module")
def graphs():
    return {name: graph.build().eval() for name, graph in {**PAINT, **WEIGH}.items()}


@pytest.fixture(scope="module")
def drawn():
    """The noise as a page has it: [16, C, h, w]."""
    shape = PAINT["paint_step"].inputs["latents"].shape[1:]
    return np.frombuffer(noise(), "<f4").reshape(SEEDS, *shape)


def play(pipe, run, drawn, prompt, *, negative="", seed=0, method="from_empty", guidance=3.0):
    """What a page does: latents after every step, maps of every step, pixels of every picture.

    run(name, inputs): a graph's outputs, from inputs as numpy arrays. The tokens and weights are
    Python's; the page's are held to them elsewhere.
    """
    encoder = PromptEncoder(pipe.tokenizer, pipe.text_encoder, "a1111", "ignore")
    read = [encoder(text) for text in (negative, prompt)]
    ids = torch.stack([*(c.ids for c in read), encoder("").ids]).int()
    made, _ = run("paint_text", {"ids": ids.numpy()})
    factors, contexts = np.ones(77, np.float32), made[:2]
    if method == "attention":
        factors = read[1].weights.float().numpy()
    else:
        weights = [c.weights.float().numpy() for c in read]
        common = {"empty": made[2], "down": np.ones(1, np.float32)}
        weighed = [
            run("weigh", {"plain": C, "masked": C[None], "weights": w, **common})[0]
            for C, w in zip(contexts, weights, strict=True)
        ]
        contexts = np.stack(weighed)[:, METHODS.index(method)]
    latents, maps = [drawn[seed][None]], []
    for step in range(STEPS):
        inputs = {"latents": latents[-1], "step": np.array(step, np.int32), "context": contexts}
        inputs |= {"guidance": np.array(guidance, np.float32), "factors": factors}
        following, seen = run("paint_step", inputs)
        latents.append(following)
        maps.append(seen)
    (pixels,) = run("paint_decode", {"latents": np.concatenate(latents)})
    return np.concatenate(latents), np.stack(maps), pixels


@pytest.fixture(scope="module")
def plainly(graphs):
    """Run a graph as a torch module."""

    @torch.no_grad()
    def run(name, inputs):
        inputs = {key: torch.as_tensor(np.array(value)) for key, value in inputs.items()}
        return [out.numpy() for out in graphs[name](**inputs)]

    return run


def distance(pixels, image) -> int:
    return int(np.abs(pixels.astype(int) - np.asarray(image).astype(int)).max())


# The same pictures --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "how"),
    [
        ("a small red circle on a black background", {}),
        ("a (red:1.6) circle", {"seed": 3, "method": "scale"}),
        ("a large (blue:0.4) star on white", {"seed": 5, "method": "restore_mean"}),
        ("a purple cross", {"seed": 9, "negative": "a (small:1.3) star", "guidance": 6.0}),
        ("a red ring", {"seed": 1, "guidance": 1.0, "negative": "green"}),
    ],
)
def test_it_paints_what_generate_paints(pipe, plainly, drawn, prompt, how):
    how = {"guidance": 3.0, "method": "from_empty"} | how
    want = cliplab.generate(pipe, prompt, progress=False, **how)
    latents, _, pixels = play(pipe, plainly, drawn, prompt, **how)
    assert latents == pytest.approx(torch.cat(want.latents).numpy(), abs=1e-4)
    assert pixels.shape == (STEPS + 1, *np.asarray(want.images[0]).shape)
    assert distance(pixels[-1], want.images[0]) <= 1


@pytest.mark.parametrize("method", ["from_empty", "attention"])
def test_it_sees_what_generate_sees(pipe, plainly, drawn, method):
    """Pictures and word maps; a word that is several tokens is the sum of their maps."""
    how = {"seed": 15, "guidance": 3.0, "method": method}
    prompt = "a [green] square left of a (zebra:1.7)"
    want = cliplab.generate(pipe, prompt, progress=False, **how)
    latents, maps, pixels = play(pipe, plainly, drawn, prompt, **how)
    assert latents == pytest.approx(torch.cat(want.latents).numpy(), abs=1e-4)
    assert distance(pixels[-1], want.images[0]) <= 1
    words = words_of(want.contexts[0])
    assert len(words[-1][1]) > 1
    mean = maps.mean(axis=0)  # [L, h, w]
    for (word, rows), (same, map_) in zip(words, want.word_maps[0], strict=True):
        assert word == same
        assert mean[rows].sum(axis=0) == pytest.approx(map_.numpy(), abs=1e-5), word


def test_maps_are_those_of_watch_attention(pipe, graphs):
    """The mean of all layers, in which no factor is."""
    inputs = dict(PAINT["paint_step"].inputs)
    with torch.no_grad():
        _, maps = graphs["paint_step"](**inputs)
    pipe.scheduler.set_timesteps(STEPS)
    time = pipe.scheduler.timesteps[inputs["step"]]
    factors = torch.stack([torch.ones(77), inputs["factors"]])
    with torch.no_grad(), cliplab.watch_attention(pipe.unet, factors, guided=False) as watch:
        pipe.unet(inputs["latents"].repeat(2, 1, 1, 1), time, inputs["context"])
    want = cliplab.region_maps(watch.maps)[1]
    torch.testing.assert_close(maps, want, atol=1e-5, rtol=0)
    assert maps.sum(0).sub(1).abs().max() < 1e-5


# Each graph ---------------------------------------------------------------------------------------


def test_the_context_and_the_attention_are_the_pipelines(pipe, graphs):
    ids = pipe.tokenizer(["a red circle", "", "a zebra"], padding="max_length").input_ids
    with torch.no_grad():
        made, attention = graphs["paint_text"](torch.tensor(ids).int())
        encoder = copy.deepcopy(pipe.text_encoder)
        encoder.set_attn_implementation("eager")  # the only one that tells its attention
        want = encoder(torch.tensor(ids), output_attentions=True)
    torch.testing.assert_close(made, want.last_hidden_state, atol=1e-5, rtol=0)
    each = torch.stack(want.attentions, dim=1)  # [B, N, H, L, L]
    torch.testing.assert_close(attention, each, atol=1e-5, rtol=0)


def test_pixels_are_rounded_as_the_pipeline_does(pipe, graphs):
    z = PAINT["paint_decode"].inputs["latents"]
    with torch.no_grad():
        (pixels,) = graphs["paint_decode"](z)
    assert pixels.dtype == torch.uint8
    for mine, image in zip(pixels.numpy(), cliplab.vae.decode(pipe.vae, z), strict=True):
        assert distance(mine, image) <= 1


def test_the_noise_is_that_of_generate(pipe, drawn):
    assert len({hashlib.sha256(one.tobytes()).digest() for one in drawn}) == SEEDS
    for seed in (0, 7, SEEDS - 1):
        painting = cliplab.generate(pipe, "", seed=seed, steps=1, guidance=1, progress=False)
        assert np.array_equal(painting.latents[0][0].numpy(), drawn[seed])


def test_a_schedule_that_is_not_linear_is_refused():
    from diffusers import DDIMScheduler, EulerDiscreteScheduler

    for scheduler in (DDIMScheduler(clip_sample=True), EulerDiscreteScheduler()):
        with pytest.raises(ValueError, match="clips nothing"):
            schedule(scheduler)


@pytest.mark.parametrize("name", PAINT)
def test_a_graph_is_what_it_says(graphs, name):
    """As many outputs as names, which an ONNX file wants to differ from the inputs' names."""
    graph = PAINT[name]
    with torch.no_grad():
        outs = graphs[name](**graph.inputs)
    assert len(outs) == len(graph.outputs) == len(set(graph.outputs) - set(graph.inputs))
    assert {out.dtype for out in outs} <= {torch.float32, torch.uint8}
    assert all(path.is_file() for path in graph.weights)


# In onnxruntime -----------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore")
def test_the_export_paints_the_same_picture(pipe, graphs, plainly, drawn, tmp_path):
    pytest.importorskip("onnxscript")
    onnxruntime = pytest.importorskip("onnxruntime")
    graph, path = PAINT["paint_step"], tmp_path / "paint_step.onnx"
    program = torch.onnx.export(
        graphs["paint_step"].requires_grad_(False),
        kwargs=dict(graph.inputs),
        output_names=list(graph.outputs),
        dynamo=True,
        optimize=False,  # a fifth of the time; onnxruntime does it again
        verbose=False,
    )
    program.save(path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options)

    def run(name, inputs):
        return session.run(None, inputs) if name == "paint_step" else plainly(name, inputs)

    prompt, how = "a (yellow:1.5) triangle on a black background", {"seed": 2, "negative": "red"}
    want = play(pipe, plainly, drawn, prompt, **how)
    latents, maps, pixels = play(pipe, run, drawn, prompt, **how)
    assert latents == pytest.approx(want[0], abs=1e-3)
    assert maps == pytest.approx(want[1], abs=1e-4)
    assert distance(pixels, want[2]) <= 2
