"""Ask transformers' tokenizer what it knows of Unicode: cliplab/assets/unicode.json.

    python tools/unicode_tables.py          # half a minute; after an upgrade of tokenizers

Run it with the oldest Python that the package supports, 3.11: the table of lower case holds what
``str.lower`` of that Python does not do as the tool does.
"""

import json
import unicodedata
from collections.abc import Iterable
from pathlib import Path

import tokenizers
from tokenizers import Regex, normalizers

TARGET = Path(__file__).parent.parent / "cliplab" / "assets" / "unicode.json"
CHARACTERS = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def matching(pattern: str) -> set[str]:
    """The characters that the tool's regular expressions match."""
    left = normalizers.Replace(Regex(pattern), "").normalize_str("".join(CHARACTERS))
    return set(CHARACTERS) - set(left)


def in_normal_forms() -> set[str]:
    """Those that NFC composes, takes apart or moves. All others stand between them for good."""
    nfc, nfd = normalizers.NFC().normalize_str, normalizers.NFD().normalize_str
    taken_apart = {char for char in CHARACTERS if nfd(char) != char}
    parts = {part for char in taken_apart for part in nfd(char)}
    # Behind a mark of the highest class or before one of the lowest, any other mark moves.
    highest, lowest = "x\u0345", "\u0334"
    moved = {
        char
        for char in CHARACTERS
        if nfc(highest + char) != highest + char or nfc(f"x{char}{lowest}") != f"x{char}{lowest}"
    }
    return taken_apart | parts | moved


def lower_case() -> dict[str, str]:
    """What ``str.lower`` does not do as the tool does, after another letter (final sigma)."""
    lower = normalizers.Lowercase().normalize_str
    return {char: lower(char) for char in CHARACTERS if ("a" + char).lower() != "a" + lower(char)}


def ranges(characters: Iterable[str]) -> list[str]:
    """Code points in hexadecimal, "41-5a 61-7a aa …", in lines of a page's width."""
    runs: list[list[int]] = []
    for code in sorted(map(ord, characters)):
        if runs and runs[-1][1] == code - 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    lines = [""]
    for first, last in runs:
        text = f"{first:x}" if first == last else f"{first:x}-{last:x}"
        if len(lines[-1]) + len(text) > 90:
            lines.append("")
        lines[-1] = f"{lines[-1]} {text}".strip()
    return lines


def main() -> None:
    said = {
        "source": f"tokenizers {tokenizers.__version__}, beside the lower case of Python's "
        f"Unicode {unicodedata.unidata_version}",
        "letters": ranges(matching(r"\p{L}")),
        "numbers": ranges(matching(r"\p{N}")),
        "normal forms": ranges(in_normal_forms()),
        "lower case": lower_case(),
    }
    TARGET.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
