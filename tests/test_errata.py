"""The errata: each of them sorted into one kind, and told once."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "book/errata.md").read_text()
GLANCE, ONE_BY_ONE = PAGE.split("## One by one\n")
KINDS = ["The source's mistake", "Lost in extraction", "The library differs", "Right after all"]
ALL = list(range(1, 56))


def test_every_erratum_is_sorted_into_one_kind():
    assert re.findall(r"^### (.+)$", GLANCE, flags=re.M) == KINDS
    assert sorted(int(n) for n in re.findall(r"^\| \{ref\}`E(\d+) ", GLANCE, flags=re.M)) == ALL


def test_every_erratum_is_told_once_and_in_order():
    assert [int(n) for n in re.findall(r"^### E(\d+): ", ONE_BY_ONE, flags=re.M)] == ALL


def test_the_landing_page_counts_the_mistakes_as_the_page_does():
    mistakes = GLANCE.split(f"### {KINDS[0]}\n")[1].split("\n### ")[0].count("| {ref}`E")
    (told,) = re.findall(
        r"sorted by kind: (\d+)\s+are mistakes", (ROOT / "book/intro.md").read_text()
    )
    assert int(told) == mistakes


def test_a_loss_of_extraction_is_called_one():
    lost = GLANCE.split(f"### {KINDS[1]}\n")[1].split("\n### ")[0]
    for number in re.findall(r"`E(\d+) ", lost):
        entry = ONE_BY_ONE.split(f"### E{number}: ")[1].split("\n(erratum-")[0]
        assert "as extracted from the slides" in entry, f"E{number}"
