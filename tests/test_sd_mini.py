"""The miniature Stable Diffusion that is shipped: whole, small, as good as its card says."""

import hashlib
import json
import time
from importlib import resources

import numpy as np
import pytest
import torch

pytest.importorskip("diffusers")

import itertools

from classroom.miniature.folder import load_pipeline_folder
from classroom.miniature.guided import guided_study
from classroom.miniature.judge import judge
from classroom.miniature.scores import (
    SECOND,
    SEED,
    asked,
    paint,
    reconstruction_of_shapes,
    right,
    share,
)
from classroom.miniature.second.ceilings import through, validate
from classroom.miniature.study import METHODS, cases, means
from cliplab.plots.study import study_curves
from cliplab.training.data.scenes import parse

FOLDER = resources.files("cliplab") / "assets" / "sd-mini"
CARD = json.loads((FOLDER / "scores.json").read_text(encoding="utf-8"))
STUDY = json.loads((FOLDER / "study.json").read_text(encoding="utf-8"))
GUIDED = json.loads((FOLDER / "guided.json").read_text(encoding="utf-8"))
BEST = json.loads((FOLDER / "generation.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def pipe():
    return load_pipeline_folder(FOLDER)


def test_the_files_are_those_whose_scores_are_stated():
    for file, stated in CARD["sha256"].items():
        assert hashlib.sha256((FOLDER / file).read_bytes()).hexdigest() == stated, file
    assert STUDY["sha256"] == GUIDED["sha256"] == CARD["sha256"]


def test_it_is_small_and_in_half_precision():
    files = [path for path in FOLDER.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 12e6
    assert not [path for path in files if path.suffix in (".bin", ".pt", ".ckpt", ".pkl")]
    for file in CARD["sha256"]:
        header = (FOLDER / file).read_bytes()[:400].decode(errors="replace")
        assert '"dtype":"F16"' in header


def test_stock_diffusers_opens_it_without_our_code():
    from diffusers import StableDiffusionPipeline

    pipe = StableDiffusionPipeline.from_pretrained(FOLDER).to(torch.float32)
    assert pipe.safety_checker is None
    assert not pipe.config.requires_safety_checker
    assert pipe.text_encoder.config.max_position_embeddings == 77
    assert pipe.tokenizer.model_max_length == 77
    assert pipe.tokenizer.pad_token == "<|endoftext|>"
    assert pipe.scheduler.config.prediction_type == "v_prediction"
    image = pipe("a red circle", num_inference_steps=2, output_type="np").images[0]
    assert image.shape == (64, 64, 3)
    assert np.isfinite(image).all()


def test_our_tokenizer_reads_its_folder_alike(pipe):
    from cliplab.tokenizer import CLIPTokenizer

    ours = CLIPTokenizer.load(FOLDER / "tokenizer")
    for caption in ("a small red circle on a black background", "an orange ring left of zebras"):
        assert ours(caption) == pipe.tokenizer(caption).input_ids


@pytest.mark.parametrize(("name", "key"), [("one", "both"), ("two", "both")])
def test_a_sample_scores_as_stated(pipe, name, key):
    """The first 50 prompts of a set: their share may differ from the whole's by chance alone."""
    scenes = asked(name)[:50]
    painted = paint(pipe, [scene.caption for scene in scenes], BEST["guidance"], BEST["steps"])
    found = share([right(s, judge(p)) for s, p in zip(scenes, painted, strict=True)])[key]
    stated = CARD["scores"][name][key]
    assert abs(found - stated) < 3 * (stated * (1 - stated) / 50) ** 0.5 + 0.02


def test_the_autoencoder_is_as_stated(pipe):
    stated = CARD["scores"]["reconstruction"]
    found = reconstruction_of_shapes(pipe.vae, 100)
    assert found["real"]["both"] >= 0.98
    assert found["psnr"] == pytest.approx(stated["psnr"], abs=1)
    assert found["decoded"]["both"] == pytest.approx(stated["decoded"]["both"], abs=0.1)
    second = validate("two shapes", 50, seen_through=through(pipe.vae)).shares()["both"]
    assert second == pytest.approx(stated[SECOND]["two shapes"]["decoded"]["both"], abs=0.1)


def test_latents_are_even(pipe):
    assert pipe.vae.config.scaling_factor == 1
    from classroom.miniature.scenes import draw_scene, pictures

    scenes = [draw_scene(f"even {i}", objects=1 + i % 2) for i in range(64)]
    x = pictures(scenes)
    with torch.no_grad():
        z = pipe.vae.encode(x).latent_dist.mode()
    assert (z.std((0, 2, 3)) - 1).abs().max() < 0.35
    assert z.mean().abs() < 0.2


def test_a_picture_takes_a_moment(pipe):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        paint(pipe, ["a red circle"], BEST["guidance"], steps=2)
        began = time.process_time()
        paint(pipe, ["a red circle"], BEST["guidance"], BEST["steps"])
        assert time.process_time() - began < 1.5
    finally:
        torch.set_num_threads(threads)


# Weights ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["from_empty", "compel"])
@pytest.mark.parametrize("kind", ["color", "large"])
def test_weights_act_monotonically_on_a_sample(pipe, kind, method):
    """12 prompts of all colors: more of the named attribute at weight 1 than at 0.5 than at 0."""
    some = [case for case in cases(36) if case.kind == kind][::3]
    key = "present" if kind == "color" else "area"
    how = method, BEST["guidance"], BEST["steps"], 40_000
    y = [means(pipe, some, w, *how)[key] for w in (0, 0.5, 1, 1.5)]
    assert y[0] < y[2]
    assert all(later >= earlier - 0.1 * max(y) for earlier, later in itertools.pairwise(y))


def test_the_study_covers_what_it_says():
    assert STUDY["prompts"] >= 200
    assert STUDY["weights"][0] == 0
    assert STUDY["weights"][-1] == 2
    for kind, methods in STUDY["effects"].items():
        assert tuple(methods) == METHODS
        for found in methods.values():
            assert all(len(values) == len(STUDY["weights"]) for values in found.values()), kind


@pytest.mark.parametrize("method", ["from_empty", "compel"])
def test_the_study_finds_color_and_size_words_monotone_up_to_one_and_a_half(method):
    monotone = STUDY["monotone"]
    for measure in ("present", "excess", "area"):
        assert monotone["color"][method][measure] >= 1.5
    assert monotone["large"][method]["area"] >= 1.5
    assert monotone["small"][method]["-area"] >= 1.5


def test_the_figure_of_the_study_says_its_numbers():
    figure = study_curves(STUDY, "large", "area")
    assert "from_empty" in figure.alt
    assert len(figure.table.rows) == len(STUDY["weights"])
    with pytest.raises(ValueError, match="no kind"):
        study_curves(STUDY, "taste")
    with pytest.raises(ValueError, match="no 'other'"):
        study_curves(STUDY, "color", "other")


def test_prompts_of_the_scores_are_of_the_grammar():
    assert SEED == 20_000
    for name in ("one", "one_held_out", "two", "two_held_out"):
        for scene in asked(name)[:20]:
            assert parse(scene.caption).caption == scene.caption
            assert any(t.held_out for t in scene.things) == name.endswith("held_out")


# Guidance and negatives ---------------------------------------------------------------------------


def test_guidance_and_negatives_act_on_a_sample_as_stated(pipe):
    """9 of the 36 prompts, without guidance and with much: negatives turn the size around."""
    found = guided_study(pipe, 9, (1.0, 4.0))["effects"]
    area = found["area"]
    assert area["none"][0] == area["a small one"][0] == area["a large one"][0]
    assert area["a large one"][1] < area["none"][1] < area["a small one"][1]
    assert found["second"]["the second thing"][0] == found["second"]["none"][0]


def test_the_study_of_guidance_begins_where_negatives_have_no_say():
    assert GUIDED["guidance"][0] == 1
    assert GUIDED["prompts"] >= 36
    for what in ("area", "second"):
        assert len({values[0] for values in GUIDED["effects"][what].values()}) == 1
        for values in GUIDED["effects"][what].values():
            assert len(values) == len(GUIDED["guidance"])
