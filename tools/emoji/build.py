"""Make cliplab/assets/emoji from the packages in package.json: ``make emoji``.

    python tools/emoji/build.py NODE_MODULES OUT

One sheet of pictures for each art style, all in the order of concepts.json, so that the same cell
shows the same concept everywhere; a style that never drew a concept leaves its cell empty.
"""

import argparse
import io
import json
import random
import re
from pathlib import Path

import resvg_py
from PIL import Image

SIDE = 48  # pixels of a picture
COLUMNS = 40
QUALITY = {"quality": 80, "alpha_quality": 50, "method": 6}
HELD_OUT_CONCEPTS = 160
LEFT_OUT_GROUPS = {"component", "flags"}  # skin tones and hair; flags differ by name alone

STYLES = {
    # name: (package, what it is called, who drew it, license, where)
    "noto": ("@iconify-json/noto", "Noto Emoji", "Google", "Apache-2.0",
             "https://github.com/googlefonts/noto-emoji"),
    "noto_v1": ("@iconify-json/noto-v1", "Noto Emoji, the early “blobs”", "Google", "Apache-2.0",
                "https://github.com/googlefonts/noto-emoji"),
    "fluent_flat": ("@iconify-json/fluent-emoji-flat", "Fluent Emoji, flat", "Microsoft", "MIT",
                    "https://github.com/microsoft/fluentui-emoji"),
    "fluent_3d": ("@lobehub/fluent-emoji-3d", "Fluent Emoji, 3D", "Microsoft", "MIT",
                  "https://github.com/microsoft/fluentui-emoji"),
    "emojione": ("@iconify-json/emojione", "EmojiOne 2 (EmojiTwo)", "EmojiOne, EmojiTwo",
                 "CC-BY-4.0", "https://github.com/EmojiTwo/emojitwo"),
    "emojione_v1": ("@iconify-json/emojione-v1", "EmojiOne 1", "EmojiOne", "CC-BY-SA-4.0",
                    "https://github.com/joypixels/emojione-legacy"),
    "openmoji": ("@iconify-json/openmoji", "OpenMoji", "HfG Schwäbisch Gmünd, OpenMoji",
                 "CC-BY-SA-4.0", "https://github.com/hfg-gmuend/openmoji"),
    "fxemoji": ("@iconify-json/fxemoji", "Firefox OS Emoji", "Mozilla", "Apache-2.0",
                "https://github.com/mozilla/fxemoji"),
    "twemoji": ("@iconify-json/twemoji", "Twemoji", "Twitter and contributors", "CC-BY-4.0",
                "https://github.com/jdecked/twemoji"),
}  # fmt: skip
COMPLETE = ("noto", "twemoji", "openmoji", "fluent_flat")  # these drew every concept that is kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("packages", type=Path, help="the node_modules folder")
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)

    known = read_concepts(options.packages)
    art = {style: pictures(options.packages, style, known) for style in STYLES}
    concepts = [c for c in known if all(c["code"] in art[style] for style in COMPLETE)]
    for style in STYLES:
        sheet(concepts, art[style]).save(options.out / f"{style}.webp", **QUALITY)
    held_out = sorted(random.Random(0).sample(range(len(concepts)), HELD_OUT_CONCEPTS))
    data = {
        "side": SIDE,
        "columns": COLUMNS,
        "held_out_style": "twemoji",
        "held_out_concepts": held_out,
        "styles": {
            style: {
                "title": title,
                "author": author,
                "license": license,
                "source": url,
                "package": f"{package} {version(options.packages, package)}",
                "missing": [n for n, c in enumerate(concepts) if c["code"] not in art[style]],
            }
            for style, (package, title, author, license, url) in STYLES.items()
        },
        "concepts": concepts,
    }
    (options.out / "concepts.json").write_text(one_line_each(data), encoding="utf-8")
    drawn = sum(len(concepts) - len(about["missing"]) for about in data["styles"].values())
    print(f"{len(concepts)} concepts in {len(STYLES)} styles: {drawn} pictures.")


def read_concepts(packages: Path) -> list[dict]:
    """Every emoji with a name, in Unicode's order: code, characters, label, tags, categories."""
    folder = packages / "emojibase-data" / "en"
    said = json.loads((folder / "messages.json").read_text(encoding="utf-8"))
    groups = {group["order"]: group for group in said["groups"]}
    subgroups = {group["order"]: group["message"] for group in said["subgroups"]}
    return [
        {
            "code": squeezed_code(one["hexcode"]),
            "emoji": one["emoji"],
            "label": one["label"].replace("’", "'").replace("“", "").replace("”", ""),
            "tags": one.get("tags", []),
            "group": groups[one["group"]]["message"],
            "subgroup": subgroups[one["subgroup"]],
        }
        for one in sorted(
            json.loads((folder / "data.json").read_text(encoding="utf-8")),
            key=lambda one: one.get("order", 0),
        )
        if "group" in one and groups[one["group"]]["key"] not in LEFT_OUT_GROUPS
    ]


def pictures(packages: Path, style: str, concepts: list[dict]) -> dict[str, Image.Image]:
    """Code → picture, for the concepts that this style drew."""
    folder = packages / STYLES[style][0]
    if style == "fluent_3d":  # the one package of pixels
        files = {squeezed_code(path.stem): path for path in (folder / "assets").glob("*.webp")}
        return {
            c["code"]: Image.open(files[c["code"]]).convert("RGBA").resize((SIDE, SIDE))
            for c in concepts
            if c["code"] in files
        }
    icons = json.loads((folder / "icons.json").read_text(encoding="utf-8"))
    names = names_by_code(packages, folder, icons, concepts)
    return {code: rasterize(icons, name) for code, name in names.items()}


def names_by_code(packages: Path, folder: Path, icons: dict, concepts: list[dict]) -> dict:
    """Code → icon name: by the package's own list, or else by Unicode's or Twemoji's name."""
    by_code = read_codes(folder)
    if by_code:
        return {c["code"]: by_code[c["code"]] for c in concepts if c["code"] in by_code}
    twemoji = read_codes(packages / STYLES["twemoji"][0])
    by_name = {letters(name): name for name in [*icons.get("aliases", {}), *icons["icons"]]}
    found = {
        c["code"]: by_name.get(letters(c["label"]))
        or by_name.get(letters(twemoji.get(c["code"], "?")))
        for c in concepts
    }
    return {code: name for code, name in found.items() if name}


def read_codes(folder: Path) -> dict[str, str]:
    codes = json.loads((folder / "chars.json").read_text(encoding="utf-8"))
    return {squeezed_code(code): name for code, name in codes.items()}


def squeezed_code(code: str) -> str:
    """Packages differ in the invisible characters: variation selectors and joiners are left out."""
    return "-".join(part for part in code.lower().split("-") if part not in ("fe0f", "200d"))


def letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def rasterize(icons: dict, name: str) -> Image.Image:
    """Drawn at twice the size and averaged down, which is kinder to thin lines."""
    while name not in icons["icons"]:
        name = icons["aliases"][name]["parent"]
    icon = icons["icons"][name]
    box = [icon.get(key, icons.get(key, 0)) for key in ("left", "top", "width", "height")]
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{" ".join(map(str, box))}">{icon["body"]}</svg>'
    )
    png = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=2 * SIDE, height=2 * SIDE))
    drawn = Image.open(io.BytesIO(png)).convert("RGBA")
    square = Image.new("RGBA", (2 * SIDE, 2 * SIDE))
    square.paste(drawn, ((2 * SIDE - drawn.width) // 2, (2 * SIDE - drawn.height) // 2))
    return square.resize((SIDE, SIDE), Image.Resampling.BOX)


def sheet(concepts: list[dict], art: dict[str, Image.Image]) -> Image.Image:
    rows = -(-len(concepts) // COLUMNS)
    whole = Image.new("RGBA", (COLUMNS * SIDE, rows * SIDE))
    for n, concept in enumerate(concepts):
        if concept["code"] in art:
            whole.paste(art[concept["code"]], (n % COLUMNS * SIDE, n // COLUMNS * SIDE))
    return whole


def version(packages: Path, package: str) -> str:
    return json.loads((packages / package / "package.json").read_text(encoding="utf-8"))["version"]


def one_line_each(data: dict) -> str:
    """JSON with one concept on a line, so that a change shows as the lines that changed."""
    head = json.dumps({**data, "concepts": []}, ensure_ascii=False, indent=1)
    head = re.sub(r"\[[\d,\s]+\]", lambda m: re.sub(r"\s+", " ", m[0]), head)
    lines = ",\n".join(json.dumps(concept, ensure_ascii=False) for concept in data["concepts"])
    return head.replace('"concepts": []', f'"concepts": [\n{lines}\n]') + "\n"


if __name__ == "__main__":
    main()
