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
def cut(texts: list[1], size: int = 2) -> 3:
    """Says 4."""
    if not texts:
        raise ValueError(f"no {texts[5]}")
    self.kept = sorted(texts, key=len)
    return texts[: size + 1] if size < 6 and texts else None
'''
CHANGES = {
    ("constant", "2 → (3)"),
    ("constant", "2 → (1)"),
    ("boolean", "not texts → (texts)"),
    ("boolean", "not texts → (not (not texts))"),
    ("error", 'f"no {texts[5]}" → ""'),
    ("statement", 'raise ValueError(f"no {texts[5]}") → pass'),
    ("statement", "self.kept = sorted(texts, key=len) → pass"),
    ("default", "sorted(texts, key=len) → sorted(texts)"),
    ("return", "return texts[: size + 1] if size < 6 and texts else None → return None"),
    ("slice", "size + 1 → size + 1 + 1"),
    ("arithmetic", "size + 1 → (size - 1)"),
    ("constant", "1 → (2)"),
    ("constant", "1 → (0)"),
    ("boolean", "size < 6 and texts → (not (size < 6 and texts))"),
    ("boolean", "size < 6 and texts → (size < 6 or texts)"),
    ("comparison", "size < 6 → (size <= 6)"),
    ("constant", "6 → (7)"),
    ("constant", "6 → (5)"),
}


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
        changed = mutant.applied(CODE.encode())
        compile(changed, "cut.py", "exec")
        assert changed == CODE.replace(mutant.before, mutant.after).encode() or (
            mutant.before in ("1", "2", "6", "size + 1")
        )


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
