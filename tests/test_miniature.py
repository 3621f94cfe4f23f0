"""How the miniature Stable Diffusion is trained: scenes, judge, captions, whitening, a run."""

import random
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

pytest.importorskip("diffusers")

from classroom.miniature import naming, study, text, unet, vae
from classroom.miniature.__main__ import main
from classroom.miniature.focus import focus, watch
from classroom.miniature.judge import judge
from classroom.miniature.muon import muon, orthogonal
from classroom.miniature.pool import Pool, boxes, inside
from classroom.miniature.scenes import (
    ALONE,
    BESIDE,
    PALE,
    SIZES,
    Drawn,
    S,
    draw_scene,
    importance,
    pictures,
    render,
)
from classroom.miniature.scores import right, right_named, share
from classroom.miniature.things import STYLES, THINGS, TINTS, concepts, styles
from classroom.miniature.words import BLANK, STRETCH, TELL, mix, shown, with_stranger, words
from cliplab.training import Stopped, TrainingError, fit
from cliplab.training.data.emoji import catalogue
from cliplab.training.data.scenes import HELD_OUT, Scene, Thing, parse
from cliplab.training.data.scenes import SIZES as GRAMMAR

SCENES = [draw_scene(f"test {i}", objects=1 + i % 2) for i in range(240)]
NAMED = [draw_scene(f"named {i}", objects=1 + i % 2, named=None) for i in range(240)]
CAPTIONS = [scene.caption for scene in (*SCENES, *NAMED)]


def test_scenes_are_the_same_everywhere_and_never_of_a_held_out_pair():
    assert draw_scene("a", 1).caption == draw_scene("a", 1).caption
    assert draw_scene("a", 1) != draw_scene("b", 1)
    for scene in SCENES:
        assert parse(scene.caption).caption == scene.caption
        for thing in scene.things:
            assert (thing.color, thing.shape) not in HELD_OUT
            assert 0 <= thing.pale < PALE
            assert SIZES[thing.size][0] <= thing.radius <= SIZES[thing.size][1]


def test_sizes_and_grounds_are_in_balance():
    sizes = [thing.size for scene in SCENES for thing in scene.things]
    assert all(abs(sizes.count(size) / len(sizes) - 1 / 3) < 0.08 for size in SIZES)
    white = sum(scene.background == "white" for scene in SCENES)
    assert abs(white / len(SCENES) - 1 / 2) < 0.1
    # `place` fits two things of the grammar's largest size; ours may not be larger.
    assert SIZES["large"][1] <= GRAMMAR["large"][1]


def test_a_pale_color_has_white_in_it():
    scene = Scene((Thing("large", "red", "square", pale=0.5, radius=0.2),))
    assert render(scene)[S // 2, S // 2].tolist() == [239, 144, 147]


def test_pictures_go_from_minus_one_to_one_and_things_count_more():
    x = pictures(SCENES[:8])
    assert x.shape == (8, 3, S, S)
    assert x.min() >= -1
    assert x.max() <= 1
    weight = importance(x, [scene.background for scene in SCENES[:8]])
    assert weight.shape == (8, 1, S, S)
    assert weight[0, 0, 0, 0] == 1
    assert weight.max() == 4


# Things with names --------------------------------------------------------------------------------


def test_things_are_drawn_in_styles_that_may_be_trained_on_and_are_no_held_out_concepts():
    about = catalogue()
    assert len(THINGS) >= 24
    assert {"dog", "cat", "tree", "house", "boat", "heart"} <= set(THINGS)
    assert not set(concepts().values()) & set(about["held_out_concepts"])
    assert about["held_out_style"] not in STYLES
    for style in STYLES:
        assert "SA" not in about["styles"][style].license
    assert all(len(set(styles(name))) == 2 for name in THINGS)
    missing = about["missing"]
    assert not [(n, s) for n in THINGS for s in styles(n) if concepts()[n] in missing[s]]


def test_no_color_and_no_name_is_twice_in_a_scene_and_nothing_has_its_grounds_color():
    for scene in NAMED:
        told = [t.color for t in scene.things if t.color]
        told += [t.shape for t in scene.things if isinstance(t, Drawn)]
        assert len(set(told)) == len(told)
        assert scene.background not in {t.color for t in scene.things}
        for thing in scene.things:
            sizes = SIZES
            if isinstance(thing, Drawn):
                sizes = ALONE if len(scene.things) == 1 else BESIDE
                assert thing.style in styles(thing.shape)
            assert sizes[thing.size][0] <= thing.radius <= sizes[thing.size][1]


@pytest.mark.parametrize("named", [0, 1, 2])
def test_as_many_things_have_names_as_was_asked(named):
    scenes = [draw_scene(f"many {i}", 2, named=named) for i in range(20)]
    for scene in scenes:
        assert sum(isinstance(thing, Drawn) for thing in scene.things) == named
    firsts = {isinstance(scene.things[0], Drawn) for scene in scenes}
    assert len(firsts) == (2 if named == 1 else 1)


def test_two_of_the_largest_fit_beside_each_other():
    assert 4 * BESIDE["large"][1] + 0.09 <= 1  # two margins of 0.02 and a gap of 0.05


def test_a_thing_is_drawn_inside_its_radius_and_in_its_color():
    for color in ("", *TINTS):
        thing = Drawn("", color, "fish", x=0.4, y=0.55, radius=0.3, style="noto")
        scene = Scene((thing,), background="gray")
        differs = np.abs(render(scene).astype(int) - 136).max(-1) > 3
        rows, columns = np.flatnonzero(differs.any(1)), np.flatnonzero(differs.any(0))
        assert abs((columns[0] + columns[-1] + 1) / 2 / S - 0.4) < 0.02
        assert abs((rows[0] + rows[-1] + 1) / 2 / S - 0.55) < 0.02
        longest = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
        assert abs(longest / S - 0.6) < 0.04
        if color:
            assert naming.tint(render(scene)[differs]) == color


# The judge ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("objects", [1, 2])
def test_the_judge_knows_real_pictures(objects):
    scenes = [scene for scene in SCENES if len(scene.things) == objects]
    found = share([right(scene, judge(render(scene))) for scene in scenes])
    assert min(found.values()) >= 0.98


def test_the_judge_sees_what_is_there_not_what_was_asked():
    (thing,) = SCENES[0].things
    picture = render(SCENES[0])
    for other in (
        replace(thing, color="cyan" if thing.color != "cyan" else "red"),
        replace(thing, shape="circle" if thing.shape != "circle" else "star"),
    ):
        assert not right(replace(SCENES[0], things=(other,)), judge(picture))["both"]


def test_the_judge_measures_place_and_size():
    thing = Thing("large", "blue", "ring", x=0.4, y=0.6, radius=0.21)
    (found,) = judge(render(Scene((thing,), background="gray"))).things
    assert (found.color, found.shape, found.size) == ("blue", "ring", "large")
    assert abs(found.x - 0.4) < 0.02
    assert abs(found.y - 0.6) < 0.02
    assert abs(found.radius - 0.21) < 0.02
    assert found.overlap > 0.9


def test_relations_are_looked_at():
    scene = parse("a red circle above a blue square")
    picture = render(scene)
    assert right(scene, judge(picture))["relation"]
    below = replace(scene, relation="below")
    assert right(below, judge(picture))["both"]
    assert not right(below, judge(picture))["relation"]


@pytest.mark.parametrize("value", [0, 128, 255])
def test_the_judge_finds_nothing_on_an_empty_picture(value):
    seen = judge(np.full((S, S, 3), value, dtype=np.uint8))
    assert seen.things == ()


def test_the_judge_survives_noise():
    noise = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    for picture in noise:
        things = judge(picture).things
        areas = [thing.area for thing in things]
        assert len(areas) > 10
        assert areas == sorted(areas, reverse=True)
        assert all(0 < thing.x < 1 and 0 < thing.y < 1 for thing in things)


def test_the_judge_of_names_finds_things_their_colors_and_places():
    dog = Drawn("", "", "dog", x=0.3, y=0.5, radius=0.2, style="noto")
    tree = Drawn("", "purple", "tree", x=0.75, y=0.5, radius=0.19, style="fluent_flat")
    star = Thing("large", "red", "star", x=0.75, y=0.5, radius=0.2)
    for second in (tree, star):
        scene = Scene((dog, second), "left of", "gray")
        ((ground, parts),) = naming.look(render(scene)[None])
        assert set(right_named(scene, ground, parts).values()) == {True}
        other = replace(scene, relation="right of")
        assert right_named(other, ground, parts)["both"]
        assert not right_named(other, ground, parts)["relation"]
        for wrong in (
            replace(dog, shape="cat"),
            replace(dog, color="blue"),
            Thing("", "red", "circle"),
        ):
            lie = replace(scene, things=(wrong, second))
            assert not right_named(lie, ground, parts)["both"]
        assert not right_named(replace(scene, things=(dog, dog)), ground, parts)["name"]


@pytest.mark.parametrize(("named", "least"), [(1, 0.88), (2, 0.8)])
def test_the_judge_of_names_knows_real_pictures(named, least):
    scenes = [draw_scene(f"judge {i}", named, named=named) for i in range(80)]
    seen = naming.look(np.stack([render(scene) for scene in scenes]))
    found = share([right_named(s, *x) for s, x in zip(scenes, seen, strict=True)])
    assert found["background"] == 1
    assert found["both"] >= least


@pytest.mark.parametrize("value", [0, 128, 255])
def test_there_is_no_name_for_nothing(value):
    ((_, parts),) = naming.look(np.full((1, S, S, 3), value, dtype=np.uint8))
    assert parts == []


# Captions whose rows are true ---------------------------------------------------------------------


def test_words_and_slots_make_up_the_caption():
    for scene in (*SCENES, *NAMED):
        assert " ".join(word for word, _ in words(scene)) == scene.caption


def test_a_lie_differs_in_told_words_only_and_blanks_are_told():
    draw = random.Random(0).random
    for scene in (*SCENES, *NAMED):
        mixed = mix(scene, draw)
        assert len(mixed.true) == len(mixed.lie)
        assert mixed.blank <= mixed.told
        for place, (true, lie) in enumerate(zip(mixed.true, mixed.lie, strict=True)):
            assert place in mixed.told or true == lie or {true, lie} == {"a", "an"}


def test_words_that_are_told_are_shown_in_their_things():
    scene = parse("a large red circle above a blue ring")
    assert shown(scene, scene.caption, len) == {1: 0, 2: 0, 3: 0, 6: 1, 7: 1}
    assert shown(scene, "a large red happy circle above", len) == {1: 0, 2: 0, 8: 0}
    assert shown(scene, "", len) == {}
    draw = random.Random(4).random
    for scene in NAMED:
        mixed = mix(scene, draw)
        for place, thing in shown(scene, mixed, len).items():
            assert place in mixed.told - mixed.blank
            assert mixed.true[place] in scene.things[thing].words.split()


def test_a_stranger_says_nothing_and_takes_no_words_place():
    draw = random.Random(5).random
    for scene in NAMED:
        known, heard = scene.caption.split(), with_stranger(scene.caption, draw).split()
        (place,) = (i for i in range(len(heard)) if heard[:i] + heard[i + 1 :] == known)
        assert heard[place] not in known
        before, after = (shown(scene, " ".join(said), lambda _: 3) for said in (known, heard))
        assert after == {i + 3 * (i >= place): thing for i, thing in before.items()}


def test_rows_of_sizes_are_not_lengthened():
    draw = random.Random(3).random
    mixed = [mix(scene, draw) for scene in SCENES for _ in range(3)]
    long = [(m.true[place], times) for m in mixed for place, times in m.long]
    assert long
    assert all(1 <= times <= 1 + STRETCH for _, times in long)
    assert not {"small", "large"} & {word for word, _ in long}
    assert all(place in m.told - m.blank for m in mixed for place, _ in m.long)


def test_shares_of_told_and_blank_words():
    draw, scene = random.Random(1).random, parse("a large red circle above a small blue ring")
    mixed = [mix(scene, draw) for _ in range(3000)]
    place = mixed[0].true.index("red")
    told = sum(place in m.told for m in mixed) / len(mixed)
    blank = sum(place in m.blank for m in mixed) / len(mixed)
    assert abs(blank - BLANK) < 0.03
    assert abs(told - (BLANK + (1 - BLANK) * TELL)) < 0.04
    # What the lie says of a told word has nothing to do with the truth.
    right = [m.lie[place] == "red" for m in mixed if place in m.told]
    assert abs(sum(right) / len(right) - 1 / 8) < 0.04


def test_every_word_of_the_grammar_is_one_token():
    tokenizer = text.build_tokenizer()
    for caption in CAPTIONS:
        assert len(tokenizer.content(caption)) == len(caption.split())
    assert tokenizer.content("zebra")  # bytes spell what it does not know


def test_told_rows_are_the_true_sentences_and_blank_rows_the_empty_prompts():
    tokenizer = text.build_tokenizer()
    torch.manual_seed(0)
    encoder = text.build_encoder(tokenizer).eval()
    draw = random.Random(2).random
    mixed = [mix(scene, draw) for scene in SCENES[:12]]
    captions = [*mixed, "a red circle", ""]
    with torch.no_grad():
        made = text.mixed_contexts(encoder, tokenizer, captions, 20)

        def encoded(sentence):
            return encoder(text.ids_of(tokenizer, [sentence], 20)).last_hidden_state[0]

        empty = encoded("")
        for row, m in zip(made, mixed, strict=False):
            true, lie = encoded(" ".join(m.true)), encoded(" ".join(m.lie))
            longer = dict(m.long)
            for place in range(len(m.true)):
                source = empty if place in m.blank else true if place in m.told else lie
                row_of_it = empty[1 + place].lerp(source[1 + place], longer.get(place, 1.0))
                torch.testing.assert_close(row[1 + place], row_of_it, atol=1e-4, rtol=0)
            torch.testing.assert_close(row[len(m.true) + 1 :], lie[len(m.true) + 1 :],
                                       atol=2e-5, rtol=0)  # fmt: skip
        torch.testing.assert_close(made[-2], encoded("a red circle"), atol=2e-5, rtol=0)
        torch.testing.assert_close(made[-1], empty, atol=2e-5, rtol=0)


# Attention, pools, steps --------------------------------------------------------------------------


def test_a_box_is_where_its_thing_is():
    scene = Scene((Thing("", "red", "circle", x=0.25, y=0.75, radius=0.2),))
    box = boxes([scene])
    there = inside(box, 8)
    assert there.shape == (1, 2, 8, 8)
    assert not there[0, 1].any()
    rows, columns = there[0, 0].any(1).nonzero(), there[0, 0].any(0).nonzero()
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (4, 7, 0, 3)


def test_attention_inside_costs_nothing_and_outside_all_of_the_signal():
    box = boxes([Scene((Thing("", "red", "circle", x=0.25, y=0.25, radius=0.2),))])
    there = inside(box, 4)[0, 0].flatten().float()
    A = torch.zeros(1, 16, 5)
    A[0, :, 1], A[0, :, 2], A[0, :, 3] = there, 1 - there, 1.0
    signal = torch.tensor([0.5])
    assert focus([A], box, [{1: 0}], signal).item() == pytest.approx(0, abs=1e-8)
    assert focus([A], box, [{2: 0}], signal).item() == pytest.approx(0.5, abs=1e-4)
    even = 1 - there.mean()
    found = focus([A, A], box, [{3: 0}], signal).item()
    assert found == pytest.approx(0.5 * even.item() ** 2, abs=1e-4)
    assert focus([A], box, [{}], signal) == 0
    A = torch.zeros(1, 16, 5, requires_grad=True)  # nothing looks at the word: no 0 / 0
    focus([A], box, [{1: 0}], signal).backward()
    assert A.grad.isfinite().all()


def test_watched_attention_paints_as_diffusers_own():
    torch.manual_seed(0)
    painter = unet.Painter(text.build_tokenizer())
    z, context = torch.randn(2, 8, 16, 16), torch.randn(2, 9, text.D)
    with torch.no_grad():
        before = painter.unet(z, torch.tensor([10, 900]), context).sample
        maps = watch(painter.unet)
        after = painter.unet(z, torch.tensor([10, 900]), context).sample
    torch.testing.assert_close(after, before, atol=1e-5, rtol=1e-4)
    assert {A.shape for A in maps} == {(2, 64, 9), (2, 16, 9)}
    for A in maps:
        torch.testing.assert_close(A.sum(-1), torch.ones(A.shape[:2]))


def test_muon_turns_matrices_and_leaves_the_rest_to_adamw():
    torch.manual_seed(0)
    singular = torch.linalg.svdvals(orthogonal(torch.randn(12, 40)))
    assert singular.min() > 0.6
    assert singular.max() < 1.3
    net = torch.nn.ModuleDict({"conv": torch.nn.Conv2d(8, 16, 3), "outer": torch.nn.Linear(4, 4)})
    optimizer = muon(net, lr=0.1, weight_decay=0.0, outer=("outer",))
    before = [p.detach().clone() for p in net.parameters()]
    for p in net.parameters():
        p.grad = torch.randn_like(p)
    optimizer.step()
    steps = [now - then for now, then in zip(net.parameters(), before, strict=True)]
    assert steps[0].square().mean().sqrt().item() == pytest.approx(0.1 * 0.2, rel=1e-3)
    rows = steps[0].flatten(1).square().mean(1)
    torch.testing.assert_close(rows, rows.mean().expand(16), rtol=1e-3, atol=0)
    for step in steps[1:]:  # the first step of AdamW is the learning rate, whatever the gradient
        torch.testing.assert_close(step.abs(), torch.full_like(step, 0.1), rtol=1e-3, atol=0)


# The two runs -------------------------------------------------------------------------------------

SMALL = vae.Recipe(steps=4, decoder_steps=2, batch_size=4)


@pytest.fixture(scope="module")
def coder():
    task = vae.VAETask(SMALL)
    for n in range(task.steps):
        task.step(n)
    return task.model.average.eval()


def test_whitening_leaves_pictures_as_they_were_and_latents_even():
    torch.manual_seed(0)
    from diffusers import AutoencoderKL

    coder = AutoencoderKL(**vae.SHAPE).eval()
    x = pictures([draw_scene(f"whiten {i}", 1 + i % 2, named=None) for i in range(96)])
    with torch.no_grad():
        before = coder.decode(coder.encode(x).latent_dist.mode()).sample
        vae.whiten(coder)
        posterior = coder.encode(x).latent_dist
        after = coder.decode(posterior.mode()).sample
    torch.testing.assert_close(after, before, atol=1e-3, rtol=0)
    z = posterior.mode().permute(1, 0, 2, 3).flatten(1)
    torch.testing.assert_close(torch.cov(z), torch.eye(8), atol=0.3, rtol=0)
    assert z.mean(1).abs().max() < 0.2


def test_a_pool_holds_what_its_step_says_however_it_came_there(coder):
    def scene(i):
        return draw_scene(f"pool {i}", 1)

    walked, jumped = (Pool(coder, scene, blocks=3, renew=2) for _ in range(2))
    for n in range(9):
        walked.at(n)
    jumped.at(8)
    assert walked.scenes == jumped.scenes
    assert torch.equal(walked.z, jumped.z)
    assert set(walked.scenes) == {scene(i) for i in range(4 * 64, 7 * 64)}
    assert walked.z.shape[1:] == (8, 16, 16)


def test_a_killed_run_resumed_ends_as_one_that_was_not(tmp_path):
    whole, parts = vae.VAETask(SMALL), vae.VAETask(SMALL)
    fit(whole, tmp_path / "whole", progress=False)
    parts.steps = 3  # as if it had been killed; then across the whitening
    fit(parts, tmp_path / "parts", progress=False)
    again = vae.VAETask(SMALL)
    log = fit(again, tmp_path / "parts", resume=True, progress=False)
    assert [record["step"] for record in log.steps] == list(range(6))
    for a, b in zip(whole.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_unet_learns_and_resumes(coder, tmp_path):
    recipe = unet.Recipe(steps=6, batch_size=4, blocks=1, renew=2, warmup=2, alone=0.5)
    whole = unet.UNetTask(recipe, coder, {})
    log = fit(whole, tmp_path / "whole", progress=False)
    assert all(np.isfinite(log["loss"]))
    parts = unet.UNetTask(recipe, coder, {})
    parts.steps = 4
    fit(parts, tmp_path / "parts", progress=False)
    again = unet.UNetTask(recipe, coder, {})
    fit(again, tmp_path / "parts", resume=True, progress=False)
    for a, b in zip(whole.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(a, b)


def test_the_learning_rate_rises_holds_and_falls(coder):
    task = unet.UNetTask(unet.Recipe(steps=100, blocks=1, warmup=10, stable=0.4), coder, {})
    rates = [task.lr(n) for n in range(100)]
    assert rates[0] == pytest.approx(5e-4)
    assert rates[9] == rates[39] == 5e-3
    assert rates[40:] == sorted(rates[40:], reverse=True)
    assert rates[-1] < 1e-5


def test_what_ends_a_run_is_said_in_a_sentence(tmp_path, capsys):
    out = str(tmp_path / "run")
    steps = ["--steps", "2", "--decoder-steps", "1"]
    small = [*steps, "--batch-size", "2", "--threads", "1", "--quiet"]
    main(["vae", "--out", out, *small])
    assert "The autoencoder" in capsys.readouterr().out
    for arguments, said in (
        (["vae", "--out", out, *small], "holds a run"),
        (
            ["vae", "--out", out, "--resume", *small[2:], "--steps", "3"],
            "another recipe: steps is 2 there and 3 here.",
        ),
        (["vae", "--out", str(tmp_path / "no"), "--resume"], "no run to go on with"),
        (["unet", "--vae", str(tmp_path), "--out", out], "no autoencoder"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2
        assert said in capsys.readouterr().err


def test_from_two_commands_to_a_stock_pipeline(tmp_path, transformers_tokenizer):
    from classroom.miniature.folder import load_pipeline_folder
    from classroom.miniature.scores import paint

    one, two = str(tmp_path / "vae"), str(tmp_path / "unet")
    small = ["--steps", "1", "--batch-size", "2", "--quiet"]
    main(["vae", "--out", one, "--decoder-steps", "1", *small])
    # What lies in the folder is replaced, an earlier vocabulary's tokenizer.json among it.
    transformers_tokenizer.save_pretrained(tmp_path / "unet" / "pipeline" / "tokenizer")
    main(["unet", "--vae", one, "--out", two, "--blocks", "1", *small])
    pipe = load_pipeline_folder(tmp_path / "unet" / "pipeline")
    painted = paint(pipe, ["a red circle", "a blue square"], guidance=2.0, steps=2)
    assert painted.shape == (2, S, S, 3)
    assert pipe.tokenizer("a red circle").input_ids[1:-1] == text.build_tokenizer().content(
        "a red circle"
    )


def test_both_judges_score_the_same_pictures_in_every_set(monkeypatch):
    """With real pictures in place of painted ones: each set is right, or nearly."""
    from classroom.miniature import scores

    sets = {name: (4, *rest) for name, (_, *rest) in scores.SETS.items()}
    monkeypatch.setattr(scores, "SETS", sets)
    monkeypatch.setattr(scores, "NAMED", {n: (4, *r) for n, (_, *r) in scores.NAMED.items()})
    asked = [scene for name in sets for scene in scores.asked(name)]
    asked += [scene for name in scores.NAMED for scene in scores.asked_named(name)]
    left = iter(asked)
    drawn = []

    def paint(pipe, prompts, *_):
        drawn.extend(prompts)
        return np.stack([render(next(left)) for _ in prompts])

    monkeypatch.setattr(scores, "paint", paint)
    found = scores.scores(None, 1.0, 8)
    assert drawn == [scene.caption for scene in asked]
    for name in sets:
        assert found[name]["both"] == found[name][scores.SECOND]["both"] == 1
    for name in scores.NAMED:
        assert {"name", "both"} < found[name].keys()
        assert 0.5 <= found[name][scores.SECOND]["both"] <= 1


def test_stopping_saves(tmp_path, monkeypatch):
    task = vae.VAETask(SMALL)
    step = task.step

    def stopped(n):
        if n == 1:
            import os
            import signal

            os.kill(os.getpid(), signal.SIGINT)
        return step(n)

    task.step = stopped
    with pytest.raises(Stopped, match="after step 2 of 6"):
        fit(task, tmp_path, progress=False)
    fit(vae.VAETask(SMALL), tmp_path, resume=True, progress=False)


def test_a_loss_that_is_not_finite_ends_the_run(tmp_path):
    task = vae.VAETask(SMALL)
    task.step = lambda n: {"loss": float("nan")}
    with pytest.raises(TrainingError, match="not a finite number"):
        fit(task, tmp_path, progress=False)


# The study ----------------------------------------------------------------------------------------


def test_the_study_asks_at_least_200_prompts_of_pairs_that_were_trained():
    cases = list(study.cases())
    assert len(cases) >= 200
    for case in cases:
        plain = case.prompt(1).replace("(", "").replace(":1)", "")
        assert (case.color, case.shape) not in HELD_OUT
        if case.kind == "thing":
            assert plain.split()[1:] == [case.shape]
            assert case.shape in THINGS
        else:
            parse(plain)


def test_a_thing_is_measured_by_its_name():
    dog, cat = (study.Case("thing", f"a ({name}:{{w}})", "", name) for name in ("dog", "cat"))
    scene = Scene((Drawn("", "", "dog", radius=0.3, style=styles("dog")[0]),))
    right, wrong = study.measures([dog, cat], np.stack([render(scene)] * 2))
    assert (right["present"], wrong["present"]) == (1.0, 0.0)
    assert right["area"] == wrong["area"] > 400


def test_monotone_says_up_to_which_weight():
    weights = [0.0, 0.5, 1.0, 1.5, 2.0]
    curves = {"present": [0.1, 0.5, 0.9, 0.9, 0.4], "area": [9, 7, 5, 4, 3]}
    assert study.holds(curves, "present", weights) == 1.5
    assert study.holds(curves, "-area", weights) == 2.0
    assert study.holds(curves, "area", weights) == 0.0


def test_the_command_says_how_it_is_used():
    told = subprocess.run(
        [sys.executable, "-m", "classroom.miniature", "--help"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "unet --vae" in told.stdout
