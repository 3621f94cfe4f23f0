"""The tool that changes the code in small ways, and what is written of the changes that lived."""

import random
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
KNOWN = tomllib.loads((ROOT / "tests" / "mutants.toml").read_text(encoding="utf-8"))["mutant"]
CODE = '''
@cached(1)
def cut(texts: list[1], n: int = 2) -> 3:
    """Says 4."""
    if not texts:
        raise ValueError(f"no {texts[5]}")
    self.kept = sorted(texts, key=len)
    return texts[: n + 1] if n < 6 and texts else None
'''
CHANGES = {
    ("constant", "def cut(texts: list[1], n: int = ‹2 → (3)›) -> 3:"),
    ("constant", "def cut(texts: list[1], n: int = ‹2 → (1)›) -> 3:"),
    ("boolean", "if ‹not texts → (texts)›:"),
    ("boolean", "if ‹not texts → (not (not texts))›:"),
    ("error", 'raise ValueError(‹f"no {texts[5]}" → ""›)'),
    ("statement", '‹raise ValueError(f"no {texts[5]}") → pass›'),
    ("statement", "‹self.kept = sorted(texts, key=len) → pass›"),
    ("default", "self.kept = ‹sorted(texts, key=len) → sorted(texts)›"),
    ("return", "‹return texts[: n + 1] if n < 6 and texts else None → return None›"),
    ("slice", "return texts[: ‹n + 1 → n + 1 + 1›] if n < 6 and texts else None"),
    ("arithmetic", "return texts[: ‹n + 1 → (n - 1)›] if n < 6 and texts else None"),
    ("constant", "return texts[: n + ‹1 → (2)›] if n < 6 and texts else None"),
    ("constant", "return texts[: n + ‹1 → (0)›] if n < 6 and texts else None"),
    ("boolean", "return texts[: n + 1] if ‹n < 6 and texts → (not (n < 6 and texts))› else None"),
    ("boolean", "return texts[: n + 1] if ‹n < 6 and texts → (n < 6 or texts)› else None"),
    ("comparison", "return texts[: n + 1] if ‹n < 6 → (n <= 6)› and texts else None"),
    ("constant", "return texts[: n + 1] if n < ‹6 → (7)› and texts else None"),
    ("constant", "return texts[: n + 1] if n < ‹6 → (5)› and texts else None"),
}  # fmt: skip


@pytest.fixture
def mutations(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import mutations

    yield mutations
    del sys.modules["mutations"]


def test_each_kind_of_change(mutations):
    found = mutations.mutants_of("cut.py", CODE.encode())
    assert {(mutant.kind, mutant.change) for mutant in found} == CHANGES
    assert len(found) == len(CHANGES)
    for mutant in found:
        whole, (before, after) = (
            mutant.change,
            mutant.change.split("‹")[1].split("›")[0].split(" → "),
        )
        was, now = (whole.replace(f"‹{before} → {after}›", text) for text in (before, after))
        assert mutant.applied(CODE.encode()).decode() == CODE.replace(was, now)


def test_what_could_harm_the_machine_is_left_alone(mutations):
    code = b"if pid > 1:\n    os.kill(pid, 9)\n    shutil.rmtree(folder)\n"
    assert {mutant.line for mutant in mutations.mutants_of("end.py", code)} == {1}


def test_a_draw_is_the_same_for_the_same_seed_and_has_all_kinds(mutations):
    every = mutations.mutants_of("cut.py", CODE.encode())
    drawn = mutations.spread(every, 4, random.Random(5))
    assert drawn == mutations.spread(every, 4, random.Random(5))
    assert len({mutant.kind for mutant in drawn}) == len({mutant.line for mutant in drawn}) == 4


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known["path"])
def test_what_is_written_of_a_change_is_of_code_that_exists(known, mutations):
    source = (ROOT / known["path"]).read_bytes()
    assert known["change"] in {m.change for m in mutations.mutants_of(known["path"], source)}
    assert ("reason" in known) != ("test" in known)
    if "test" in known:
        file, _, name = known["test"].partition("::")
        assert f"def {name.partition('[')[0]}(" in (ROOT / file).read_text(encoding="utf-8")
