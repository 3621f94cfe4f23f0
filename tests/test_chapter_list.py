"""What the landing page says of a chapter is what stands in the chapter's first cell."""

import json

import pytest
import yaml

from book._ext import chapter_list

BEGINNING = "A text encoder sees no letters.\nIt sees ids."


def chapter(folder, *cells):
    """The chapter that has these cells of text."""
    (folder / "chapters").mkdir()
    notebook = {"cells": [{"cell_type": "markdown", "source": [text]} for text in cells]}
    (folder / "chapters" / "03_tokens.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    return chapter_list.read(folder, "chapters/03_tokens")


@pytest.mark.parametrize("line", ["{}", "*{}*", "_{}_"])
def test_time_and_needs_are_read(tmp_path, line):
    said = line.format("About 25 minutes. You need chapters 1 and 2.")
    read = chapter(tmp_path, f"# 3 · From text\n\n{said}\n\n{BEGINNING}\n\nAfter this chapter")
    assert read.title == "3 · From text"
    assert read.number == "3"
    assert (read.minutes, read.needs) == (25, "You need chapters 1 and 2.")
    assert read.beginning == "A text encoder sees no letters. It sees ids."


def test_a_time_alone_is_enough(tmp_path):
    read = chapter(tmp_path, f"# 3 · From text\n\nAbout 10 minutes.\n\n{BEGINNING}")
    assert (read.minutes, read.needs) == (10, "")


def test_a_time_that_is_not_said_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"needs a line such as “About 25 minutes\.” below"):
        chapter(tmp_path, f"# 3 · From text\n\n{BEGINNING}")


def test_the_list_follows_the_contents():
    toc = yaml.safe_load((chapter_list.ROOT / "_toc.yml").read_text(encoding="utf-8"))
    files = [one["file"] for part in toc["parts"] for one in part["chapters"]]
    found = chapter_list.chapters()
    assert [one.docname for one in found] == [one for one in files if one.startswith("chapters/")]
    for one in found:
        assert one.docname.startswith(f"chapters/{int(one.number):02}_")
        assert 10 <= one.minutes <= 45, one.docname
        assert len(one.beginning) > 40, one.docname
