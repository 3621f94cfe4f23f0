"""What training sees is what use sees; and captions of one picture do not compete."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from cliplab import load_clip, save_clip
from cliplab.training import (
    FolderPairs,
    Mixture,
    Pair,
    Pairs,
    ShapePairs,
    ShardPairs,
    build_batches,
    evaluate,
    read_picture,
    train,
    write_shards,
)
from cliplab.training.augment import as_seen_by, on_white
from cliplab.training.batches import Batches, MixedBatches, false_negative_mask
from tests.tiny_training import recipe, tiny

SHAPES = [(192, 64), (48, 160), (64, 48), (96, 64), (160, 90), (33, 32), (7, 300), (40, 40)]


def camera_picture(size: tuple[int, int], orientation: int = 1) -> Image.Image:
    """A picture with something in every corner, and the orientation that a camera notes."""
    x, y = np.meshgrid(np.linspace(0, 1, size[0]), np.linspace(0, 1, size[1]))
    pixels = np.stack([x, y, (x * 9 + y * 5) % 1], axis=-1)
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    Image.fromarray((255 * pixels).astype(np.uint8)).save(file, "PNG", exif=exif)
    file.seek(0)
    return Image.open(file)


@pytest.mark.parametrize("resize_mode", ["longest", "shortest", "squash"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_trained_model_sees_pictures_as_training_did(resize_mode, orientation, tmp_path):
    """…of every shape, upright and on white; and so does the model that is opened again."""
    pictures = [camera_picture(size, orientation) for size in SHAPES]

    class Photos(Pairs):
        def __len__(self):
            return len(pictures)

        def pair(self, index):
            file = io.BytesIO()
            pictures[index].save(file, "PNG", exif=pictures[index].getexif())
            return Pair(read_picture(file), f"picture {index}")

    clip = tiny()
    assert clip.preprocess.resize_mode == "shortest"  # before it is trained
    how = recipe(steps=1, batch_size=8, augment=0, resize_mode=resize_mode)
    batches = build_batches(Mixture((Photos(), 1)), how, 32)
    train(clip, batches, how, device="cpu", progress=False)
    save_clip(clip, tmp_path)
    again = load_clip(tmp_path)
    assert again.preprocess == clip.preprocess
    batch = next(batches.starting_at(0))
    seen = as_seen_by(clip, on_white(batch.images))
    order = [int(caption.split()[1]) for caption in batch.captions]
    used = torch.stack([again.preprocess(pictures[i]) for i in order])
    assert (seen - used).abs().max() < 1e-5
    with torch.no_grad():
        v = clip.encode_pixels(seen)
    assert torch.allclose(again.encode_image([pictures[i] for i in order]), v, atol=1e-5)


def test_recipe_and_batches_make_squares_in_one_way():
    batches = Batches(ShapePairs(20), 8, 32, resize_mode="shortest")
    with pytest.raises(ValueError, match="by resize_mode 'longest', and the batches by 'shortest'"):
        train(tiny(), batches, recipe(), device="cpu", progress=False)
    with pytest.raises(ValueError, match=r"have one resize_mode, not \['longest', 'shortest'\]"):
        MixedBatches(batches, Batches(ShapePairs(20), 8, 32))
    with pytest.raises(ValueError, match="resize_mode is one of shortest, longest, squash; not"):
        recipe(resize_mode="fit")


def test_captions_of_one_picture_are_a_group_in_a_batch(tmp_path):
    """…from a folder and from shards, where a picture is written once for each caption."""
    for n in range(6):
        Image.new("RGB", (9, 9), (40 * n, 9, 9)).save(tmp_path / f"{n}.png")
    (tmp_path / "copy of 5.png").write_bytes((tmp_path / "5.png").read_bytes())
    rows = [f"{name}.png,{text} of {name}" for name in (*range(5), "copy of 5", 5) for text in "ab"]
    (tmp_path / "m.csv").write_text("\n".join(["image,caption", *rows[:-1]]))
    folder = FolderPairs(tmp_path)
    write_shards(folder, tmp_path / "shards", pairs_per_shard=5)
    for source in (folder, ShardPairs(tmp_path / "shards")):
        made = build_batches(Mixture((source, 1)), recipe(batch_size=13), 16)
        for step in (0, 1, 2):
            batch = next(made.starting_at(step))
            assert len(set(batch.captions)) == 13, "an epoch visits every caption"
            same = false_negative_mask(batch.keys)
            thing = [caption.split()[-1] for caption in batch.captions]
            assert same.tolist() == [[one == other for other in thing] for one in thing]


def test_a_source_of_one_picture_leaves_nothing_to_tell_apart(tmp_path):
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    (tmp_path / "a.txt").write_text("one\ntwo\nthree\n")
    with pytest.raises(ValueError, match="All 3 pairs show the same picture: there is nothing to"):
        Batches(FolderPairs(tmp_path), 2, 16)


def test_evaluation_knows_the_group_of_a_picture(tmp_path):
    """A caption of two of a picture finds it, whatever the other one is."""
    Image.new("RGB", (9, 9), "red").save(tmp_path / "a.png")
    Image.new("RGB", (9, 9), "blue").save(tmp_path / "b.png")
    for name in "ab":
        (tmp_path / f"{name}.txt").write_text(f"one {name}\nanother {name}\n")
    pairs = FolderPairs(tmp_path)

    class Perfect:
        def encode_text(self, texts):
            return torch.eye(2)[["ab".index(text[-1]) for text in texts]]

        def encode_image(self, images):
            return torch.eye(2)[[int(image.getpixel((0, 0))[2] > 0) for image in images]]

    found = evaluate(Perfect(), pairs)
    assert found.text_to_image[1] == found.image_to_text[1] == 1
