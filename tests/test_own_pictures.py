"""The page on pictures of one's own: each row of its tables is made, read, and compared."""

import json
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from PIL import Image

from cliplab.train import main
from cliplab.training import FolderPairs, LeftOutWarning, ShardPairs, sources
from tests.test_data_own import encoded, tar_of

PAGE = (Path(__file__).parents[1] / "book" / "own_pictures.md").read_text(encoding="utf-8")
PAIRS = {"a.png": ["a cat", "a black cat, asleep"], "b.png": ["a dog"]}
ROWS = [(name, caption) for name, captions in PAIRS.items() for caption in captions]
LINES = [{"file_name": name, "text": captions} for name, captions in PAIRS.items()]


def table_of(heading: str) -> dict[str, str]:
    """The two columns of the table under a heading."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.*?) \| (.*?) \|$", section, re.MULTILINE)[1:]
    return dict(rows)


def pictures(folder: Path, names=PAIRS) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for n, name in enumerate(names):
        Image.new("RGB", (9, 6), (80 * n, 90, 200 - 60 * n)).save(folder / name)


def table(text: str, name: str = "captions.csv", encoding: str = "utf-8"):
    """A maker of a folder with pictures and a table."""

    def make(folder: Path) -> None:
        pictures(folder)
        (folder / name).write_bytes(text.encode(encoding))

    return make


def csv_of(separator: str = ",", header: str = "file_name,caption", quote: str = '"') -> str:
    rows = (f"{name}{separator}{quote}{caption}{quote}" for name, caption in ROWS)
    return "\r\n".join([header.replace(",", separator)] * bool(header) + list(rows))


def json_of(said: object, name: str):
    return table(json.dumps(said), name)


def lines_of(records: list[dict], name: str = "metadata.jsonl"):
    return table("\n".join(map(json.dumps, records)), name)


def coco(folder: Path) -> None:
    pictures(folder / "val2017")
    (folder / "annotations").mkdir()
    images = [{"id": n, "file_name": name} for n, name in enumerate(PAIRS)]
    said = [{"image_id": list(PAIRS).index(name), "caption": text} for name, text in ROWS]
    for name, annotations in (("captions", said), ("instances", [{"image_id": 0, "bbox": []}])):
        document = {"info": {}, "images": images, "annotations": annotations}
        (folder / "annotations" / f"{name}_val2017.json").write_text(json.dumps(document))


def flickr8k(folder: Path) -> None:
    pictures(folder / "Images")
    rows = [
        f"{name}#{n}\t{caption}"
        for name, captions in PAIRS.items()
        for n, caption in enumerate(captions)
    ]
    (folder / "Flickr8k.token.txt").write_text("\n".join(rows))
    (folder / "Flickr_8k.trainImages.txt").write_text("\n".join(PAIRS))


def flickr8k_of_kaggle(folder: Path) -> None:
    pictures(folder / "Images")
    (folder / "captions.txt").write_text(csv_of(header="image,caption"))


def flickr30k(folder: Path) -> None:
    pictures(folder / "flickr30k_images")
    rows = [f"{name}| {n}| {caption}" for n, (name, caption) in enumerate(ROWS)]
    (folder / "results.csv").write_text("\n".join(["image_name| comment_number| comment", *rows]))


def texts_beside(folder: Path) -> None:
    pictures(folder / "10_pets")
    (folder / "10_pets" / "a.txt").write_text("\n".join(PAIRS["a.png"]) + "\n\n")
    (folder / "10_pets" / "b.caption").write_text("\ufeffa dog\r\n")
    (folder / "README.txt").write_text("Pets, from a holiday.")


def texts_elsewhere(folder: Path) -> None:
    pictures(folder / "images")
    for name, captions in PAIRS.items():
        text = folder / "text_c10" / f"{name[0]}.txt"
        text.parent.mkdir(exist_ok=True)
        text.write_text("\n".join(captions))


def json_beside(folder: Path) -> None:
    pictures(folder)
    (folder / "a.json").write_text(json.dumps({"captions": PAIRS["a.png"], "url": "none"}))
    (folder / "b.json").write_text("\ufeff" + json.dumps({"caption": "a dog", "width": 9}))


def from_another_machine(folder: Path) -> None:
    pictures(folder / "pets")
    home = os.environ["HOME"] = str(folder.parent)
    names = [
        f"C:\\Users\\me\\{folder.name}\\pets\\a.png",
        f"~/{folder.name}/pets/a.png",
        f"{home}/{folder.name}/pets/b.png",
    ]
    rows = [f'{name},"{caption}"' for name, (_, caption) in zip(names, ROWS, strict=True)]
    (folder / "m.csv").write_text("\n".join(["path,title", *rows]))


def among_others(folder: Path) -> None:
    table(csv_of())(folder)
    for name in (".~lock.captions.csv#", "~$captions.csv", "._captions.csv", ".old.csv"):
        (folder / name).write_text("file_name,caption\nnowhere.png,x\n")
    (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (folder / "Thumbs.db").write_bytes(b"\xd0\xcf")
    (folder / "log.jsonl").write_text('{"kind": "step", "step": 0, "loss": 2.0}\n')
    (folder / "snapshot.safetensors").write_bytes(b"")
    (folder / "__MACOSX").mkdir()
    (folder / "__MACOSX" / "captions.csv").write_text(csv_of())


def samples() -> list[tuple[str, bytes]]:
    captions = {"txt": b"a dog", "json": json.dumps({"caption": PAIRS["a.png"]}).encode()}
    return [
        ("0.png", encoded(Image.new("RGB", (9, 6)))),
        ("0.json", captions["json"]),
        ("1.png", encoded(Image.new("RGB", (9, 6), "red"))),
        ("1.txt", captions["txt"]),
    ]


def shards(folder: Path) -> None:
    folder.mkdir(parents=True)
    members = samples()
    for n in (0, 1):
        tar_of(folder / f"s-00{n}.tar", members[2 * n : 2 * n + 2])


LOOSE = 'file_name\tcaption\na.png\t"black" cat\na.png\ta cat of 9"\nb.png\t5" of "dog"'
OVER_LINES = 'file_name,caption\na.png,"a cat\n on a mat, asleep"\na.png,a cat\nb.png,"dogs,\n\n2"'
READ = {  # kind: a maker of its folder, or several; or one with what the data is called
    "CSV with commas": table(csv_of()),
    "CSV of Excel, with semicolons": table("\ufeff" + csv_of(";", quote="") + "\r\n;\r\n"),
    "CSV that begins with `sep=;`": table("sep=;\r\n" + csv_of(";", "image,title")),
    "text with tabs in UTF-16": table(csv_of("\t", "Image,Title"), encoding="utf-16"),
    "TSV with loose quotes": table(LOOSE, "captions.tsv"),
    "CSV with captions over several lines": table(OVER_LINES),
    "CSV without a header": table(csv_of(header="")),
    "columns `Image` and `Caption `": [
        table(csv_of(header="Image,Caption ")),
        table(csv_of("\t", " FILE-NAME,TEXT")),
    ],
    "JSONL with a list of captions": [
        lines_of(LINES),
        lines_of([{"img": n, "captions": said} for n, said in PAIRS.items()], "m.ndjson"),
    ],
    "JSON with file names as keys": [
        json_of(PAIRS, "captions.json"),
        json_of({name: {"caption": said, "tags": "pet"} for name, said in PAIRS.items()}, "m.json"),
    ],
    "JSON with a list of objects": [
        json_of(LINES, "captions.json"),
        json_of({"info": {}, "data": LINES}, "captions.json"),
        lines_of(LINES, "metadata.json"),
        table(json.dumps(LINES, indent=2), "captions.jsonl"),
    ],
    "COCO's captions": coco,
    "Karpathy's splits": json_of(
        {
            "dataset": "flickr8k",
            "images": [
                {"filename": name, "sentences": [{"raw": text} for text in captions]}
                for name, captions in PAIRS.items()
            ],
        },
        "dataset_flickr8k.json",
    ),
    "Flickr8k's captions": [flickr8k, flickr8k_of_kaggle],
    "Flickr30k's captions": flickr30k,
    "texts beside pictures": texts_beside,
    "texts in another folder": texts_elsewhere,
    "JSON beside pictures": json_beside,
    "metadata of a Hugging Face image folder": [
        table(csv_of(header="file_name,text"), "metadata.csv"),
        lines_of([{"file_name": name, "text": text} for name, text in ROWS]),
    ],
    "paths from another machine": from_another_machine,
    "a table, named instead of its folder": (table(csv_of()), "captions.csv"),
    "lock files, `.DS_Store`, a run's own log": among_others,
    "a folder of shards": shards,
    "shards by a pattern": [
        (shards, "s-{000..001}.tar"),
        (shards, "s-*.tar"),
        (shards, "s-000.tar::FOLDER/s-001.tar"),
    ],
}
OTHER_CAPTIONS = {
    "TSV with loose quotes": ['"black" cat', 'a cat of 9"', '5" of "dog"'],
    "CSV with captions over several lines": ["a cat\n on a mat, asleep", "a cat", "dogs,\n\n2"],
}


@pytest.mark.parametrize("kind", READ)
def test_what_the_page_says_is_read(kind, tmp_path, monkeypatch):
    assert kind in table_of("What is read")
    monkeypatch.setenv("HOME", str(tmp_path))
    some = READ[kind] if isinstance(READ[kind], list) else [READ[kind]]
    for n, one in enumerate(some):
        make, name = one if isinstance(one, tuple) else (one, "")
        folder = tmp_path / str(n) / "my photos"
        make(folder)
        (pairs,) = sources(str(folder / name).replace("FOLDER", str(folder))).sources
        with warnings.catch_warnings(action="error"):
            found = list(pairs)
        wanted = OTHER_CAPTIONS.get(kind, [caption for _, caption in ROWS])
        if isinstance(pairs, ShardPairs):  # in the order of a seed
            assert sorted(pair.caption for pair in found) == sorted(wanted)
            groups = [pair.group for pair in sorted(found, key=lambda p: wanted.index(p.caption))]
        else:
            assert [pair.caption for pair in found] == wanted
            groups = pairs.groups
        assert groups[0] == groups[1] != groups[2], "two captions of one picture, one of another"
        assert pairs.report() == "3 pairs; nothing left out."


def with_row(row: str, header: str = "file_name,caption"):
    """A table whose second row is wrong, and the three that are read."""
    return table("\n".join([header, row, *csv_of(header="").splitlines()]))


def copies(folder: Path) -> None:
    with_row("z.png,a cat")(folder)
    pictures(folder / "i", ["z.png"])
    pictures(folder / "j", ["z.png"])


def no_text(folder: Path) -> None:
    texts_beside(folder)
    pictures(folder, ["z.png"])


def broken(content: bytes):
    def make(folder: Path) -> None:
        with_row("z.png,a cat")(folder)
        (folder / "z.png").write_bytes(content)

    return make


def line_twice(folder: Path) -> None:
    texts_beside(folder)
    with (folder / "10_pets" / "a.txt").open("a") as text:
        text.write(PAIRS["a.png"][0])


LEFT_OUT = {
    "a quote that is never closed": [
        with_row('b.png,"an old poster'),
        table('caption,file_name\n"old,b.png\n' + "\n".join(f'"{c}",{n}' for n, c in ROWS)),
        table('image,text\nb,"old\n' + "\n".join(f'{n[0]},"{c}"' for n, c in ROWS)),
    ],
    "too many cells in a row": [with_row("b.png,a dog, running"), with_row("b.png,a,dog")],
    "quotes inside of quotes, and commas": [
        with_row('b.png,"a" dog, too'),
        with_row('b.png,"a \\"big\\" dog", too'),
    ],
    "a line that is no JSON": table(
        "\n".join([json.dumps(LINES[0]), '{"file_name": "b.png",', json.dumps(LINES[1])]), "m.jsonl"
    ),
    "no file of that name": with_row("z.png,a cat"),
    "a file outside the folder": [with_row("../z.png,a cat"), with_row("/etc/z.png,a cat")],
    "a file in several folders inside": copies,
    "an empty caption": [with_row("b.png,"), with_row('b.png," "')],
    "a caption that is a number": lines_of([{"file_name": "b.png", "text": 7}, *LINES]),
    "a row that repeats another": table(csv_of() + "\r\na.png, a cat "),
    "a line of a text that repeats another": line_twice,
    "a picture without a text beside it": no_text,
    "an empty file, or half a picture": [broken(b""), broken(encoded(form="JPEG")[:600])],
    "a picture of 32 bits": broken(encoded(Image.new("F", (4, 4)), "TIFF")),
}


@pytest.mark.parametrize("kind", LEFT_OUT)
def test_what_the_page_says_is_left_out(kind, tmp_path):
    words = table_of("What is left out, and named")[kind].strip("`")
    for n, make in enumerate(
        LEFT_OUT[kind] if isinstance(LEFT_OUT[kind], list) else [LEFT_OUT[kind]]
    ):
        folder = tmp_path / str(n) / "photos"
        make(folder)
        with pytest.warns(LeftOutWarning):
            pairs = FolderPairs(folder)
        assert [what for _, what in pairs.problems if words in what]
        assert sorted(pairs.captions()) == sorted(caption for _, caption in ROWS)
        assert len(pairs.problems) == 1


def two_tables(folder: Path) -> None:
    table(csv_of(), "train.csv")(folder)
    table(csv_of(), "val.csv")(folder)


def table_and_texts(folder: Path) -> None:
    table(csv_of())(folder)
    (folder / "a.txt").write_text("a cat")


def classes(folder: Path) -> None:
    pictures(folder / "cat", ["1.png", "2.png"])
    pictures(folder / "dog", ["1.jpg"])


def boxes(folder: Path) -> None:
    texts_elsewhere(folder)
    for text in (folder / "text_c10").iterdir():
        text.write_text("0 0.5 0.5 0.25 0.25\n1 0.1 0.5 0.2 0.1\n")


def holding(name: str):
    def make(folder: Path) -> None:
        pictures(folder)
        (folder / name).write_bytes(b"PK")

    return make


def two_kinds(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in ("train-000.tar", "val-000.tar"):
        tar_of(folder / name, samples())


REFUSED = {
    "two tables": two_tables,
    "a table and texts beside pictures": table_and_texts,
    "two columns of captions": table("file_name,text,caption\na.png,a cat,a pet"),
    "no column of captions": [table("file_name,species\na.png,cat"), table("1,a.png,a cat")],
    "a table that is not in UTF-8": table("file_name,caption\na.png,Käfer", encoding="latin-1"),
    "folders named as classes": classes,
    "texts beside pictures that have no letters": boxes,
    "pictures alone": lambda folder: pictures(folder, ["1.png", "2.png", "3.png"]),
    "Parquet": holding("train.parquet"),
    "a spreadsheet": holding("captions.xlsx"),
    "an archive": holding("photos.zip"),
    "shards of two kinds": two_kinds,
    "an address": (table(csv_of()), "s3://bucket/s-{000..009}.tar"),
    "a batch of one": (table(csv_of()), "PLACE --batch-size 1"),
}


def refused(capsys, words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(words.split())
    assert ended.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("kind", REFUSED)
def test_what_the_page_says_is_refused(kind, tmp_path, capsys):
    words = table_of("What is refused, and what to do")[kind].strip("`")
    for n, one in enumerate(REFUSED[kind] if isinstance(REFUSED[kind], list) else [REFUSED[kind]]):
        make, data = one if isinstance(one, tuple) else (one, "PLACE")
        folder = tmp_path / str(n) / "photos"
        make(folder)
        data = data.replace("PLACE", str(folder))
        assert words in refused(capsys, f"--data {data} --out {tmp_path / 'run'}")


def test_every_row_of_the_page_is_tried():
    assert table_of("What is read").keys() == READ.keys()
    assert table_of("What is left out, and named").keys() == LEFT_OUT.keys()
    assert table_of("What is refused, and what to do").keys() == REFUSED.keys()


def test_the_line_for_class_folders_does_what_it_says(tmp_path, capsys):
    folder = tmp_path / "photos"
    classes(folder)
    said = refused(capsys, f"--data {folder} --out {tmp_path / 'run'}")
    line = said[said.index("python -c") :].strip()
    subprocess.run(line.replace("python", sys.executable, 1), shell=True, cwd=folder, check=True)
    assert FolderPairs(folder).captions() == ["a picture of a cat"] * 2 + ["a picture of a dog"]
