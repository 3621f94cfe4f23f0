"""One's own pairs: folders and tar shards, whole and broken in every way that was thought of."""

import csv
import io
import itertools
import json
import os
import tarfile
import warnings
from itertools import islice

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from cliplab.training.data.folder import FolderPairs
from cliplab.training.data.pair import Pair
from cliplab.training.data.reading import (
    DataError,
    LeftOutWarning,
    PictureError,
    Problems,
    read_picture,
)
from cliplab.training.data.samples import write_shards
from cliplab.training.data.shapes import ShapePairs
from cliplab.training.data.shards import ShardPairs, expand_braces


def encoded(image=None, form="PNG", **how) -> bytes:
    out = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    (image or Image.fromarray(noise)).save(out, format=form, **how)
    return out.getvalue()


GOOD, JPEG = encoded(), encoded(form="JPEG")


def write_table(path, rows, separator=","):
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=separator).writerows(rows)


# --- pictures -----------------------------------------------------------------------------------


def test_every_mode_becomes_rgb_or_rgba():
    red = Image.new("RGB", (9, 7), (255, 0, 0))
    see_through = Image.new("RGBA", (9, 7), (255, 0, 0, 128))
    palette = see_through.quantize(4)
    for image, form, mode, pixel in (
        (red, "PNG", "RGB", (255, 0, 0)),
        (red.convert("CMYK"), "JPEG", "RGB", (254, 0, 0)),
        (red.convert("CMYK"), "TIFF", "RGB", (255, 0, 0)),
        (red.convert("P"), "PNG", "RGB", (255, 0, 0)),
        (red.convert("P"), "GIF", "RGB", (255, 0, 0)),
        (red.convert("L"), "PNG", "RGB", (76, 76, 76)),
        (Image.new("1", (9, 7), 1), "PNG", "RGB", (255, 255, 255)),
        (see_through, "PNG", "RGBA", (255, 0, 0, 128)),
        (see_through, "WEBP", "RGBA", (255, 0, 0, 128)),
        (palette, "PNG", "RGBA", (255, 0, 0, 128)),
        (see_through.convert("LA"), "PNG", "RGBA", (76, 76, 76, 128)),
    ):
        how = {"lossless": True} if form == "WEBP" else {}
        got = read_picture(io.BytesIO(encoded(image, form, **how)))
        assert (got.mode, got.size) == (mode, (9, 7)), (form, image.mode)
        assert np.abs(np.subtract(got.getpixel((4, 3)), pixel)).max() <= 2, (form, image.mode)
    see_through_by_color = encoded(red, transparency=(255, 0, 0))
    assert read_picture(io.BytesIO(see_through_by_color)).getpixel((0, 0)) == (255, 0, 0, 0)


def test_sixteen_bits_are_scaled_and_not_clipped():
    gray = np.array([[0, 256, 257, 32768, 65535]], dtype=np.uint16)
    got = read_picture(io.BytesIO(encoded(Image.fromarray(gray))))
    assert np.asarray(got)[0, :, 0].tolist() == [0, 1, 1, 128, 255]
    with pytest.raises(PictureError, match="32 bits, for which nobody has agreed what white is"):
        read_picture(io.BytesIO(encoded(Image.new("F", (4, 4)), "TIFF")))


def test_the_cameras_orientation_is_applied_and_an_animation_gives_its_first_frame():
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90° to the right
    image = Image.new("RGB", (16, 8), (0, 0, 255))
    image.paste((255, 0, 0), (0, 0, 8, 8))
    got = read_picture(io.BytesIO(encoded(image, "PNG", exif=exif)))
    assert got.size == (8, 16)
    assert got.getpixel((4, 2)) == (255, 0, 0), "left has become up"
    frames = [Image.new("RGB", (8, 8), c) for c in ("red", "blue")]
    for form in ("GIF", "WEBP", "PNG"):
        how = {"save_all": True, "append_images": frames[1:]}
        got = read_picture(io.BytesIO(encoded(frames[0], form, **how)))
        assert got.getpixel((4, 4))[0] > 200, form


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
@pytest.mark.filterwarnings("ignore:.*EXIF|Truncated|Tag data")
def test_malformed_exif_is_no_reason_to_lose_a_picture(form):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    whole = exif.tobytes()
    counts_too_many = whole[:14] + b"\xff\xff" + whole[16:]
    image = Image.new("RGB", (16, 8), (0, 0, 255))
    for malformed in (b"Exif\0\0", b"\1\2", b"Exif\0\0no TIFF at all", whole[:20], whole[:-4]):
        assert read_picture(io.BytesIO(encoded(image, form, exif=malformed))).size == (16, 8)
    got = read_picture(io.BytesIO(encoded(image, form, exif=counts_too_many)))
    assert got.size == (8, 16), "the orientation can still be read"


def test_sixteen_bits_are_known_by_the_file_where_pillow_calls_them_32(monkeypatch):
    """As Pillow 10.1 does, the oldest that is allowed."""
    gray = np.array([[0, 257, 65535]], dtype=np.uint16)
    load = PngImageFile.load

    def as_before(self):
        loaded = load(self)
        if self.mode == "I;16":
            self.im, self._mode = self.im.convert("I"), "I"
        return loaded

    monkeypatch.setattr(PngImageFile, "load", as_before)
    file = io.BytesIO(encoded(Image.fromarray(gray)))
    assert np.asarray(read_picture(file))[0, :, 0].tolist() == [0, 1, 255]


def test_a_picture_that_claims_too_many_pixels_is_not_decoded():
    bomb = io.BytesIO()
    Image.new("1", (9000, 9000)).save(bomb, format="PNG")
    with pytest.raises(PictureError, match="81,000,000 pixels, and at most 64,000,000 are read"):
        read_picture(bomb)
    bomb = io.BytesIO()
    Image.new("1", (20000, 20000)).save(bomb, format="PNG")
    with pytest.raises(PictureError, match="it claims more than 178,956,970 pixels"):
        read_picture(bomb)


def test_formats_that_run_programs_are_not_opened():
    with pytest.raises(PictureError, match="it is not one of BMP, GIF, JPEG, PNG, TIFF, WEBP"):
        read_picture(io.BytesIO(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n"))


@given(st.data())
def test_damaged_bytes_give_a_picture_or_one_kind_of_error(data):
    source = data.draw(st.sampled_from([GOOD, JPEG, encoded(form="WEBP"), encoded(form="TIFF")]))
    damaged = bytearray(source[: data.draw(st.integers(0, len(source)))])
    for _ in range(data.draw(st.integers(0, 5))):
        if damaged:
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    outcomes = []
    for small in (False, True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                outcomes.append(read_picture(io.BytesIO(damaged), small).mode)
            except PictureError:
                outcomes.append(None)
    assert outcomes[0] == outcomes[1], "what passes at a glance can be read"


# --- folders ------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    """A folder with two good pictures, sub/c.jpg among them, and a truncated one."""
    home = tmp_path / "home"
    (home / "sub").mkdir(parents=True)
    (home / "a.png").write_bytes(GOOD)
    (home / "sub" / "c.jpg").write_bytes(JPEG)
    (home / "half.jpg").write_bytes(JPEG[: len(JPEG) // 2])
    (tmp_path / "outside.png").write_bytes(GOOD)
    return home


@pytest.mark.parametrize(
    ("name", "image", "caption", "separator"),
    [
        ("t.csv", "filepath", "title", "\t"),  # open_clip's own
        ("t.csv", "file_name", "text", ","),  # Hugging Face's imagefolder
        ("t.tsv", "image", "caption", "\t"),
        ("t.csv", "image", "caption", ";"),
    ],
)
def test_a_table_beside_the_pictures(folder, name, image, caption, separator):
    rows = [["a red, red thing", 1, "a.png"], [" two\nlines ", 2, "sub/c.jpg"]]
    write_table(folder / name, [[caption, "id", image], *rows], separator)
    pairs = FolderPairs(folder)
    assert [(p.name, p.caption, p.image.size) for p in pairs] == [
        ("a.png", "a red, red thing", (60, 40)),
        ("sub/c.jpg", "two\nlines", (60, 40)),
    ]
    assert pairs[-1].image.mode == "RGB"
    assert pairs.report() == "2 pairs; nothing left out."
    assert pairs.problems == []


def test_jsonl(folder):
    lines = [{"file_name": "a.png", "text": "one"}, {"id": 1, "file_name": "a.png", "text": "two"}]
    text = "\n".join(map(json.dumps, lines)) + "\n\n"
    (folder / "metadata.jsonl").write_text("\ufeff" + text, encoding="utf-8")
    assert [p.caption for p in FolderPairs(folder)] == ["one", "two"]


def test_everything_that_can_be_wrong_with_a_row_is_counted_and_named(folder):
    os.symlink(folder.parent / "outside.png", folder / "link.png")
    os.symlink(folder / "loop.png", folder / "loop.png")
    (folder / "text.png").write_text("no picture")
    (folder / "empty.png").write_bytes(b"")
    rows = [
        ["image", "caption"],
        ["a.png", "good"],  # row 2
        ["sub/c.jpg", "good"],
        ["half.jpg", "half"],
        ["text.png", "text"],
        ["empty.png", "empty"],
        ["nowhere.png", "none"],  # 7
        ["sub", "a folder"],
        ["../outside.png", "out"],
        [str(folder.parent / "outside.png"), "out"],
        ["link.png", "out"],
        ["loop.png", "loop"],  # 12
        ["a.png", ""],
        ["a.png", " \n"],
        ["", "no name"],
        ["a.png", "good "],
        ["a.png"],  # 17
        [],
        ["a.png", "x", "y"],
        [str(folder / "a.png"), "a full path inside"],  # 20
    ]
    write_table(folder / "t.csv", rows)
    with pytest.warns(LeftOutWarning) as said:
        pairs = FolderPairs(folder)
    assert said[0].filename == __file__
    out = folder.parent / "outside.png"
    report = (
        "3 pairs; 15 left out: 2 rows cannot be read (row 17 (line 18), row 19 (line 20)), "
        "3 pictures cannot be read (half.jpg, text.png, empty.png), "
        "3 pictures are missing (nowhere.png, sub, loop.png), "
        f"3 paths lead out of the folder (../outside.png, {out}, link.png), "
        "2 captions are empty (row 13, row 14), 1 row names no picture (row 15 (line 16)), "
        "1 pair is a repetition (row 16 (line 17))."
    )
    assert pairs.report() == str(said[0].message) == report
    assert [row for row, _ in pairs.problems] == [*range(4, 18), 19]
    what = dict(pairs.problems)
    assert what[4].startswith("half.jpg cannot be read: image file is truncated")
    assert what[5] == "text.png cannot be read: it is not one of BMP, GIF, JPEG, PNG, TIFF, WEBP"
    assert what[7] == "there is no file 'nowhere.png'"
    assert what[9] == "../outside.png leads out of the folder"
    assert what[13] == "the caption is empty"
    assert what[16] == "the pair repeats that of row 2"
    assert what[17] == "row 17 (line 18) has 1 cells and the header 2"
    assert [p.name for p in pairs] == ["a.png", "sub/c.jpg", str(folder / "a.png")]

    with pytest.raises(DataError) as error:
        FolderPairs(folder, on_bad="raise")
    assert str(error.value) == f't.csv: {report} Mend the table, or say on_bad="skip".'


def test_everything_that_can_be_wrong_with_a_line_of_json(folder):
    lines = [
        '{"image": "a.png", "caption": "good"}',
        '{"image": "a.png", "caption": null}',
        '{"image": "a.png"}',
        '{"image": "a.png", "caption": 7}',
        '{"caption": "good"}',
        '{"image": ["a.png"], "caption": "good"}',
        '{"image": "a.png", "caption": "cut',
        "[1, 2]",
        "[" * 100_000,
        '{"image": "a\\u0000.png", "caption": "good"}',
    ]
    (folder / "t.jsonl").write_text("\n".join(lines), encoding="utf-8")
    with pytest.warns(LeftOutWarning):
        pairs = FolderPairs(folder)
    assert pairs.report() == (
        "1 pair; 9 left out: 3 rows cannot be read (row 7, row 8, row 9), "
        "2 captions are empty (row 2, row 3), 1 caption cannot be read (row 4), "
        "2 rows name no picture (row 5, row 6), 1 picture is missing (a\0.png)."
    )
    assert dict(pairs.problems)[4] == "the caption is no text: 7"
    assert dict(pairs.problems)[8] == "row 8 is no JSON object on one line"


def test_columns_are_found_or_the_error_lists_them(folder):
    def refuse(words, **names):
        with pytest.raises(DataError) as error:
            FolderPairs(folder, **names)
        assert str(error.value) == words

    write_table(folder / "t.csv", [["picture", "title", "text"], ["a.png", "one", "two"]])
    refuse(
        "No column is named as images usually are (filepath, file_name, filename, file, path, "
        "image, image_path, image_name, image_file, img, img_path). The table's columns are "
        "picture, title, text. Say which one: image_column=…"
    )
    refuse(
        "Several columns may hold the captions: title, text. Say which one: caption_column=…",
        image_column="picture",
    )
    refuse("There is no column 'foto'. The table's columns are picture, title, text.",
           image_column="foto")  # fmt: skip
    pairs = FolderPairs(folder, image_column="picture", caption_column="text")
    assert pairs[0].caption == "two"
    write_table(folder / "t.csv", [["image", "caption", "image"], ["a.png", "one", "two"]])
    refuse("Two columns are named 'image': rename one.")
    (folder / "t.csv").write_text("")
    with pytest.raises(DataError, match="The table is empty"):
        FolderPairs(folder)


def test_tables_and_folders_that_are_not_there(folder):
    def refuse(words, path=folder, **names):
        with pytest.raises(DataError, match=words):
            FolderPairs(path, **names)

    refuse("nowhere does not exist: give the folder that holds the pictures", folder / "nowhere")
    refuse("a.png is no folder: give the folder", folder / "a.png")
    refuse("holds 3 pictures and no captions. Put a CSV, TSV or JSONL beside the pictures")
    refuse("There is no table .*x.csv", table="x.csv")
    refuse("a.png is none of the tables read here: .csv, .tsv, .jsonl", table="a.png")
    write_table(folder / "a.csv", [["image", "caption"], ["a.png", "one"]])
    write_table(folder / "b.csv", [["image", "caption"], ["nowhere.png", "one"]])
    refuse("holds several tables: a.csv, b.csv. Say which one: table=…")
    assert len(FolderPairs(folder, table="a.csv")) == 1
    assert len(FolderPairs(folder, table=folder / "a.csv")) == 1
    refuse("b.csv gives no pair: 0 pairs; 1 left out: 1 picture is missing", table="b.csv")
    (folder / "b.csv").write_bytes("image,caption\na.png,Käfer".encode("latin-1"))
    refuse(r"b.csv is not UTF-8 text \(byte 21\): save it as UTF-8", table="b.csv")
    (folder / "b.csv").write_text('image,caption\na.png,"never closed\n')
    with pytest.raises(DataError, match=r"b.csv gives no pair: .* 1 row cannot be read \(row 2\)"):
        FolderPairs(folder, table="b.csv")
    with pytest.raises(ValueError, match=r"on_bad is one of skip, raise; not \'stop\'"):
        FolderPairs(folder, table="a.csv", on_bad="stop")


def test_numbers_stay_when_a_picture_is_broken_later(folder):
    write_table(folder / "t.csv", [["image", "caption"], ["a.png", "one"], ["sub/c.jpg", "two"]])
    pairs = FolderPairs(folder)
    (folder / "a.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"a.png could be read when the folder was opened and now"):
        pairs[0]
    assert pairs[1].caption == "two"


def test_a_report_of_many_names_the_first():
    problems = Problems("skip")
    for i in range(2000):
        problems.add("empty", i, f"row {i}", "the caption is empty")
    assert problems.report(1234) == (
        "1,234 pairs; 2,000 left out: 2,000 captions are empty "
        "(row 0, row 1, row 2, row 3, row 4, row 5, row 6, row 7 and 1,992 more)."
    )


# --- shards -------------------------------------------------------------------------------------


def tar_of(path, members, mode="w", **how):
    with tarfile.open(path, mode, **how) as tar:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """Seven shards of a few small pairs each."""
    folder = tmp_path_factory.mktemp("data") / "shards"
    write_shards(ShapePairs(40, size=8), folder, pairs_per_shard=6)
    return str(folder / "pairs-{000000..000006}.tar")


def names(stream):
    return [pair.name for pair in stream]


def test_round_trip(shards):
    read = ShardPairs(shards, seed=None)
    for pair, was in itertools.zip_longest(read, ShapePairs(40, size=8)):
        assert pair.caption == was.caption
        assert pair.image.tobytes() == was.image.tobytes()
    assert read.report() == "40 pairs; nothing left out."


@given(epoch=st.integers(0, 3), skip=st.integers(0, 40), buffer=st.sampled_from([1, 5, 100]))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_stream_goes_on_where_it_was_stopped(shards, epoch, skip, buffer):
    source = ShardPairs(shards, seed=7, buffer=buffer)
    whole = names(source.stream(epoch))
    assert sorted(whole) == sorted(names(ShardPairs(shards, seed=None)))
    assert names(islice(source.starting_at(40 * epoch + skip), 40 - skip)) == whole[skip:]


@pytest.mark.parametrize("start", [0, 1, 39, 40, 43, 95])
def test_epoch_follows_epoch_from_any_pair_on(shards, start):
    source = ShardPairs(shards, seed=7)
    whole = [name for epoch in range(4) for name in names(source.stream(epoch))]
    assert names(itertools.islice(source.starting_at(start), 60)) == whole[start : start + 60]


def test_the_order_changes_with_seed_and_epoch_only(shards):
    def order(seed=1, epoch=0, **how):
        return names(ShardPairs(shards, seed=seed, **how).stream(epoch))

    assert order() == order()
    assert len({tuple(order(s, e)) for s in (None, 0, 1) for e in (0, 1)}) == 5
    assert order(buffer=1) != sorted(order(buffer=1)), "shards are shuffled without a buffer too"
    both = [ShardPairs(shards), ShardPairs(shards)]
    assert next(both[0].starting_at(41)).name == names(both[1].stream(1))[1]


@pytest.mark.parametrize("world", [1, 2, 3, 7])
def test_workers_read_each_pair_once(shards, world):
    for seed, epoch in ((None, 0), (0, 0), (0, 1)):
        workers = [ShardPairs(shards, seed=seed, rank=r, world=world) for r in range(world)]
        read = [name for worker in workers for name in names(worker.stream(epoch))]
        assert sorted(read) == sorted(names(ShardPairs(shards)))


def test_what_shards_refuse_at_once(shards, tmp_path):
    with pytest.raises(DataError, match="7 shards cannot be divided among 8 workers: each needs"):
        ShardPairs(shards, world=8)
    with pytest.raises(DataError, match=r"2 of 2 shards do not exist, the first being .*x-1.tar"):
        ShardPairs(tmp_path / "x-{1..2}.tar")
    first = expand_braces(shards)[0]
    with pytest.raises(DataError, match="A shard is named twice"):
        ShardPairs([first, first])
    for wrong in ({"rank": 1}, {"buffer": 0}, {"rank": -1}):
        with pytest.raises(ValueError, match="buffer is at least 1 and rank from 0 to world - 1"):
            ShardPairs(shards, **wrong)


def test_members_are_grouped_as_webdataset_does(tmp_path):
    members = [
        ("__meta__", b"{}"),
        ("__index__/x.txt", b"no"),
        ("README", b"no"),
        (".hidden.txt", b"no"),
        ("a/1.JPG", JPEG),
        ("a/1.txt", b"one"),
        ("a/1.seg.png", GOOD),
        ("a/1.cls", b"3"),
        ("b/1.json", b'{"caption": "two", "text": "no"}'),
        ("b/1.webp", encoded(form="WEBP")),
        ("b.c/1.jpeg", JPEG),
        ("b.c/1.json", b'{"text": "three"}'),
        ("x.json", b'{"caption": "no"}'),
        ("x.txt", " four ü\n".encode()),
        ("x.png", GOOD),
    ]
    for mode in ("w", "w:gz"):
        shard = tar_of(tmp_path / "s.tar", members, mode, format=tarfile.PAX_FORMAT)
        pairs = ShardPairs([shard], seed=None, on_bad="raise")
        assert [(p.name, p.caption) for p in pairs] == [
            ("a/1", "one"), ("b/1", "two"), ("b.c/1", "three"), ("x", "four ü"),
        ]  # fmt: skip


def test_everything_that_can_be_wrong_with_a_sample_is_counted_and_named(tmp_path):
    members = [
        ("00.png", GOOD), ("00.txt", b"good"),
        ("01.png", GOOD),
        ("02.txt", b"no picture"), ("02.cls", b"1"),
        ("03.jpg", JPEG[:900]), ("03.txt", b"half"),
        ("04.png", GOOD), ("04.txt", b" "),
        ("05.png", GOOD), ("05.txt", b"\xff\xfe"),
        ("06.png", GOOD), ("06.json", b"{"),
        ("07.png", GOOD), ("07.json", b"[]"),
        ("08.png", GOOD), ("08.json", b'{"caption": 3}'),
        ("09.png", GOOD), ("09.PNG", GOOD), ("09.txt", b"two"),
        ("10.png", GOOD), ("10.txt", b"good"),
    ]  # fmt: skip
    pairs = ShardPairs([tar_of(tmp_path / "s.tar", members)], seed=None)
    with pytest.warns(LeftOutWarning) as said:
        assert names(pairs) == ["00", "10"]
    assert (
        str(said[0].message)
        == pairs.report()
        == (
            "2 pairs; 9 left out: 5 captions cannot be read (s.tar: 01, s.tar: 05, s.tar: 06, "
            "s.tar: 07, s.tar: 08), 1 picture is missing (s.tar: 02), 1 picture cannot be read "
            "(s.tar: 03), 1 caption is empty (s.tar: 04), 1 sample cannot be read (s.tar: 09)."
        )
    )
    what = dict(pairs.problems)
    assert what["s.tar: 01"] == "there is no caption, neither txt nor json"
    assert what["s.tar: 02"] == "no picture, only txt, cls"
    assert what["s.tar: 03"].startswith("the picture cannot be read: ")
    assert what["s.tar: 05"] == "the caption is not UTF-8 text"
    assert what["s.tar: 06"] == "its json is broken"
    assert what["s.tar: 08"] == "its json has no text in caption, text, captions"
    assert what["s.tar: 09"] == "there are two members .png"
    with pytest.warns(LeftOutWarning, match="2 pairs; 9 left out"):
        assert names(islice(pairs.starting_at(1), 2)) == ["10", "00"]

    refusing = iter(ShardPairs([tmp_path / "s.tar"], seed=None, on_bad="raise"))
    assert next(refusing).name == "00"
    with pytest.raises(DataError) as error:
        next(refusing)
    assert str(error.value) == (
        's.tar: 01: there is no caption, neither txt nor json. Mend it, or say on_bad="skip".'
    )


def test_a_shard_that_breaks_off_anywhere_is_noticed(tmp_path):
    members = [(f"{i}.{end}", c) for i in range(3) for end, c in (("png", GOOD), ("txt", b"good"))]
    whole = tar_of(tmp_path / "whole.tar", members).read_bytes()
    content = 3 * (512 + (len(GOOD) + 511) // 512 * 512 + 1024)
    cut = tmp_path / "cut.tar"
    for length in (*range(0, content, 512), 700, content - 1, content):
        cut.write_bytes(whole[:length])
        pairs = ShardPairs([tmp_path / "whole.tar", cut], seed=None)
        with pytest.warns(LeftOutWarning, match=r"1 left out: 1 shard breaks off \(cut.tar\)"):
            assert names(pairs)[:3] == ["0", "1", "2"]
        assert pairs.problems[0][1].startswith("it breaks off after ")


def test_a_damaged_header_in_the_middle_and_files_that_are_no_tar(tmp_path):
    members = [(f"{i}.{end}", c) for i in range(3) for end, c in (("txt", b"good"), ("png", GOOD))]
    shard = tar_of(tmp_path / "s.tar", members)
    content = bytearray(shard.read_bytes())
    header = content.index(b"1.txt")
    content[header : header + 512] = b"x" * 512
    shard.write_bytes(content)
    pairs = ShardPairs([shard], seed=None, on_bad="raise")
    with pytest.raises(DataError, match=r"s.tar: it breaks off after 0 samples: .*Mend it"):
        names(pairs)
    for junk in (b"", b"no tar at all" * 100, b"\x1f\x8b junk"):
        shard.write_bytes(junk)
        with pytest.raises(DataError, match="The shards give no pair: 0 pairs; 1 left out: 1"):
            names(ShardPairs([shard]))
    packed = tar_of(tmp_path / "s.tar.gz", members, "w:gz")
    packed.write_bytes(packed.read_bytes()[:-400])
    with pytest.raises(DataError, match="it breaks off after"):
        names(ShardPairs([packed], on_bad="raise", seed=None))


def test_nothing_is_written_to_the_disk(tmp_path):
    evil = tar_of(tmp_path / "s.tar", [("../../evil.png", GOOD), ("../../evil.txt", b"caption")])
    before = sorted(tmp_path.parent.rglob("*"))
    assert names(ShardPairs([evil])) == ["../../evil"]
    assert sorted(tmp_path.parent.rglob("*")) == before


def test_shards_appear_when_all_are_complete(tmp_path):
    def broken():
        yield from ShapePairs(5, size=8)
        raise RuntimeError("the power failed")

    out = tmp_path / "out"
    with pytest.raises(RuntimeError):
        write_shards(broken(), out, pairs_per_shard=2)
    assert list(tmp_path.iterdir()) == []
    out.mkdir()
    transparent = Pair(Image.new("RGBA", (4, 4), (1, 2, 3, 4)), "see-through")
    (path,) = write_shards([transparent], out, name="train")
    assert path.name == "train-000000.tar"
    assert next(iter(ShardPairs([path]))).image.getpixel((0, 0)) == (1, 2, 3, 4)
    with pytest.raises(DataError, match="exists and is not empty: give a new folder"):
        write_shards([transparent], out)
    with pytest.raises(DataError, match="There are no pairs to write"):
        write_shards([], tmp_path / "none")
    with pytest.raises(ValueError, match="pairs_per_shard is a whole number of at least 1; not 0"):
        write_shards([transparent], tmp_path / "none", pairs_per_shard=0)
    one, two = (write_shards(ShapePairs(5, size=8), tmp_path / n, 3) for n in ("one", "two"))
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in two]


@pytest.mark.parametrize(
    ("pattern", "expanded"),
    [
        ("a.tar", ["a.tar"]),
        ("t-{008..010}.tar", ["t-008.tar", "t-009.tar", "t-010.tar"]),
        ("t-{9..11}", ["t-9", "t-10", "t-11"]),
        ("{2..0}", ["2", "1", "0"]),
        ("{a,b}-{0..1}", ["a-0", "a-1", "b-0", "b-1"]),
        ("{a}", ["{a}"]),
    ],
)
def test_braces(pattern, expanded):
    assert expand_braces(pattern) == expanded
