"""Emoji, batches and augmentation: what a step sees is a function of the seed and the step."""

import numpy as np
import pytest
import torch
from PIL import Image

from cliplab.training import EmojiPairs, Mixture, Recipe, build_batches, sources, write_shards
from cliplab.training.augment import augmented, on_white, to_square
from cliplab.training.batches import Batch, Batches, MixedBatches, false_negative_mask, prefetch
from cliplab.training.data import ShapePairs


@pytest.fixture(scope="module")
def emoji():
    return {split: EmojiPairs(split) for split in ("train", "style", "concept")}


def test_the_splits_share_neither_style_nor_held_out_concepts(emoji):
    styles = {split: {pair.style.name for pair in pairs} for split, pairs in emoji.items()}
    assert styles["style"] == styles["concept"] == {"twemoji"}
    assert len(styles["train"]) == 8
    assert "twemoji" not in styles["train"]
    shown = {split: set(pairs.groups) for split, pairs in emoji.items()}
    assert shown["train"] == shown["style"]
    assert not shown["concept"] & shown["train"]
    assert len(shown["train"]) == len(emoji["style"]) == 1426
    assert len(emoji["concept"]) == 160
    labels = [pair.caption for split in ("style", "concept") for pair in emoji[split]]
    assert len(set(labels)) == 1586


def test_every_picture_is_there_and_says_whose_it_is(emoji):
    for pairs in emoji.values():
        for pair in pairs:
            assert pair.image.size == (48, 48)
            assert pair.image.getextrema()[3][1] > 100, f"{pair.name} is an empty cell"
            assert pair.style.license in (
                "Apache-2.0", "MIT", "CC-BY-4.0", "CC-BY-SA-4.0",
            )  # fmt: skip
            assert pair.style.author
            assert pair.style.title in pair.credit
            assert pair.style.license in pair.credit


def test_no_vendor_whose_art_may_not_be_shared(emoji):
    text = " ".join(str(style).lower() for style in emoji["train"].styles.values())
    assert "apple" not in text
    assert "facebook" not in text


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match="train, style, concept"):
        EmojiPairs("test")


def test_drawn_captions_are_words_of_the_concept(emoji):
    rng = np.random.default_rng(0)
    pair = emoji["train"][0]
    known = set(" ".join((pair.caption, *pair.concept.tags, pair.concept.subgroup)).split())
    drawn = {emoji["train"].draw(0, rng).caption for _ in range(40)}
    assert len(drawn) > 5
    assert set(" ".join(drawn).split()) <= known


def same(a, b):
    return torch.equal(a.images, b.images) and a.captions == b.captions and a.groups == b.groups


def test_a_step_is_the_same_whenever_it_is_asked_for(emoji):
    one = Batches(emoji["train"], 32, 48, views=2, seed=3)
    other = Batches(emoji["train"], 32, 48, views=2, seed=3)
    stream = other.starting_at(7)
    assert same(one.batch(7), next(stream))
    assert same(one.batch(8), next(stream))
    assert not same(one.batch(7), Batches(emoji["train"], 32, 48, views=2, seed=4).batch(7))


def test_views_of_one_thing_share_its_caption_and_differ_in_style(emoji):
    batch = Batches(emoji["train"], 64, 48, views=2).batch(0)
    assert batch.groups[::2] == batch.groups[1::2]
    assert batch.captions[::2] == batch.captions[1::2]
    assert len(set(batch.groups)) == 32
    different = (batch.images[::2] != batch.images[1::2]).flatten(1).any(1)
    assert different.float().mean() > 0.9
    assert false_negative_mask(batch.keys).sum() == 64 * 2


def test_an_epoch_meets_every_thing_once(emoji):
    batches = Batches(emoji["train"], 62, 48)
    assert batches.steps_per_epoch == 23
    seen = [group for step in range(23) for group in batches.batch(step).groups]
    assert len(set(seen)) == len(seen) == 1426


def test_a_step_draws_no_more_pairs_than_it_takes(emoji):
    """One more, which nobody would see, would move on the generator of all that is drawn after."""
    for source, views in ((emoji["train"], 2), (ShapePairs(64), 1)):
        batches = Batches(source, 24, 48, views=views)
        assert len(batches._indices(0, np.random.default_rng(0))) == 24


def test_the_parts_of_all_processes_make_up_the_whole(emoji):
    whole = Batches(emoji["train"], 24, 48, views=2).batch(5)
    parts = [Batches(emoji["train"], 24, 48, views=2, rank=r, world=3).batch(5) for r in range(3)]
    assert torch.equal(whole.images, torch.cat([part.images for part in parts]))
    assert whole.captions == [caption for part in parts for caption in part.captions]


def test_batches_that_cannot_be_are_refused(emoji):
    with pytest.raises(ValueError, match="split evenly into 2 views"):
        Batches(emoji["train"], 33, 48, views=2)
    with pytest.raises(ValueError, match="1,426"):
        Batches(emoji["train"], 2000, 48)
    with pytest.raises(ValueError, match="knows no groups"):
        Batches(ShapePairs(100), 10, 48, views=2)


def test_a_mixture_keeps_its_parts_apart(emoji):
    mixed = MixedBatches(Batches(emoji["train"], 12, 32), Batches(ShapePairs(50), 4, 32))
    batch = next(mixed.starting_at(2))
    assert batch.images.shape == (16, 4, 32, 32)
    assert [group[0] for group in batch.groups] == [0] * 12 + [1] * 4


def test_prefetched_batches_are_the_same_and_pass_errors_on():
    def numbers():
        yield from range(5)
        raise OSError("the disk is gone")

    made = prefetch(numbers())
    assert [next(made) for _ in range(5)] == list(range(5))
    with pytest.raises(OSError, match="the disk is gone"):
        next(made)


def test_pictures_are_fitted_and_put_on_white():
    wide = Image.new("RGBA", (40, 20), (255, 0, 0, 255))
    square = to_square(wide, 20)
    assert square.shape == (4, 20, 20)
    white = on_white(square[None])[0]
    assert torch.allclose(white[:, 0, 10], torch.ones(3))
    assert torch.allclose(white[:, 10, 10], torch.tensor([1.0, 0, 0]))


def test_augmentation_follows_its_generator_and_stays_in_range(emoji):
    images = Batches(emoji["train"], 16, 48).batch(0).images
    one, two = (augmented(images, torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(one, two)
    assert one.min() >= 0
    assert one.max() <= 1
    assert not torch.equal(one, augmented(images, torch.Generator().manual_seed(2)))


def test_the_stronger_the_augmentation_the_further_from_the_picture(emoji):
    images = Batches(emoji["train"], 16, 48).batch(0).images

    def off(strength: float) -> float:
        varied = augmented(images, torch.Generator().manual_seed(1), strength=strength)
        return (varied - on_white(images)).abs().mean().item()

    assert off(0) < 1e-6
    assert off(0.02) < off(0.3) < off(1)


def test_augmentation_mixes_the_colors_of_a_picture():
    """By TINT: a color is multiplied by a matrix, where SHADE only adds to it."""

    def middles(gray: int, strength: float) -> torch.Tensor:
        images = torch.full((64, 4, 8, 8), gray, dtype=torch.uint8)
        images[:, 3] = 255
        return augmented(images, torch.Generator().manual_seed(0), strength=strength)[:, :, 4, 4]

    def mixed(strength: float) -> torch.Tensor:
        """Rows of the tint, summed: a shade is in both pictures and falls out. [64, 3]"""
        return (middles(128, strength) - middles(77, strength)) * 255 / 51

    assert 0.2 < mixed(1.0).std() < 0.32  # √3 · 0.15 = 0.26
    assert torch.allclose(mixed(0.0), torch.ones(64, 3), atol=1e-4)


def test_a_caption_fits_all_pictures_of_its_words_and_of_its_thing():
    def mask(captions: list[str], things: list[int]) -> torch.Tensor | None:
        images = torch.zeros(3, 4, 2, 2, dtype=torch.uint8)
        return false_negative_mask(Batch(images, captions, things).keys)

    assert mask(["a", "b", "c"], [1, 2, 3]) is None
    by_words = mask(["a", "b", "a"], [1, 2, 3])
    by_thing = mask(["a", "b", "c"], [1, 2, 2])
    eye = torch.eye(3, dtype=torch.bool)
    assert (by_words ^ eye).nonzero().tolist() == [[0, 2], [2, 0]]
    assert (by_thing ^ eye).nonzero().tolist() == [[1, 2], [2, 1]]


def test_many_processes_see_the_pictures_that_one_sees(emoji):
    """Two sources, two processes, each picture turned and tinted as in the batch of one."""

    def made(rank: int, world: int):
        parts = {"seed": 2, "rank": rank, "world": world}
        mixed = MixedBatches(
            Batches(emoji["train"], 12, 32, views=2, **parts),
            Batches(ShapePairs(50), 4, 32, **parts),
        )
        batch = next(mixed.starting_at(3))
        generator = torch.Generator().manual_seed(7)
        return batch, augmented(batch.images, generator, batch.rows, 16)

    whole, pictures = made(0, 1)
    assert whole.rows.tolist() == list(range(16))
    seen = [made(rank, 2) for rank in (0, 1)]
    rows = torch.cat([batch.rows for batch, _ in seen])
    assert sorted(rows.tolist()) == list(range(16))
    for n, row in enumerate(rows.tolist()):
        batch, its = seen[n // 8]
        assert torch.equal(its[n % 8], pictures[row])
        assert batch.captions[n % 8] == whole.captions[row]
    keys = torch.cat([batch.keys for batch, _ in seen])
    assert torch.equal(false_negative_mask(keys), false_negative_mask(whole.keys)[rows][:, rows])


def test_shards_are_divided_among_processes(tmp_path):
    write_shards(ShapePairs(24, size=32), tmp_path / "x", pairs_per_shard=6)
    data = sources(str(tmp_path / "x" / "pairs-{000000..000003}.tar"))
    how = Recipe(steps=1, batch_size=8)
    of = [next(build_batches(data, how, 32, rank, 2).starting_at(0)) for rank in (0, 1)]
    assert [batch.rows.tolist() for batch in of] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert len({picture.numpy().tobytes() for batch in of for picture in batch.images}) == 8
    with pytest.raises(ValueError, match="do not split evenly among 2 processes"):
        build_batches(data, Recipe(steps=1, batch_size=9), 32, 0, 2)


def test_a_folder_of_a_sources_name_does_not_take_its_place(tmp_path, monkeypatch):
    """…so that a run goes on with the same data wherever it is resumed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shapes").mkdir()
    (source,) = sources("shapes").sources
    assert isinstance(source, ShapePairs)


def test_folders_of_shards_in_a_list(tmp_path, monkeypatch):
    """…with a ~, and with what systems leave among them."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in "ab":
        write_shards(ShapePairs(2, size=8), tmp_path / name, pairs_per_shard=1)
    (tmp_path / "a" / "._pairs-000000.tar").write_bytes(b"what macOS leaves")
    (shard, *_) = sorted((tmp_path / "b").glob("*.tar"))
    shard.rename(shard.with_suffix(".TAR"))
    (source,) = sources("~/a::~/b").sources
    assert len(source.shards) == 4
    assert source.shards[0].name == "pairs-000000.tar"


def test_sources_without_groups_have_one_view_of_each():
    data = Mixture((ShapePairs(20, size=32), 1))
    batch = build_batches(data, Recipe(steps=1, batch_size=8, views=2), 32).batch(0)
    assert len(batch.images) == 8
