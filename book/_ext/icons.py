"""The theme's icons cut down to those that the site shows.

The theme brings all of Font Awesome: 300 kB over the wire for a dozen icons. When the pages are
written, its style sheet keeps the rules of the icons that a page or a script names, and its fonts
keep the glyphs of these rules and of the theme's own styles.
"""

import re
import shutil
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

NAME = re.compile(r"\bfa[bsr]?(?:-[a-z0-9-]+)?\b")  # fab, fa-solid, fa-moon
NESTED = re.compile(r"@(?:-webkit-)?(?:keyframes|media)[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")
RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
# An icon in a style sheet: the escape \f0a5, or the character itself.
ICON = re.compile(r"\\([ef][0-9a-f]{3})|([\ue000-\uf8ff])")
FACE = re.compile(r"src:url\(\.\./webfonts/([a-z0-9-]+)\.woff2\)[^;}]*")


def cut_down(app, exception):
    """Write the smaller style sheet and fonts in the place of the theme's."""
    if exception is not None or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    (sheet,) = static.glob("vendor/fontawesome/*/css/all.min.css")
    home = sheet.parent.parent
    naming = [*Path(app.outdir).rglob("*.html"), *static.glob("scripts/*.js")]
    names = {name for path in naming for name in NAME.findall(path.read_text(encoding="utf-8"))}
    style = kept_rules(sheet.read_text(encoding="utf-8"), names)
    styles = [style, *(path.read_text(encoding="utf-8") for path in static.glob("styles/*.css"))]
    icons = {ord(raw or chr(int(code, 16))) for css in styles for code, raw in ICON.findall(css)}
    left = {path.stem for path in home.glob("webfonts/*.ttf") if write_font(path, icons)}
    sheet.write_text(kept_faces(style, left), encoding="utf-8")
    for path in [*home.glob("webfonts/*.ttf"), *home.glob("webfonts/*.woff2")]:
        path.unlink()
    shutil.rmtree(home / "js")


def kept_rules(css, names):
    """The style sheet without animations, and without the selectors of other icons."""
    licensed, _, css = css.partition("*/")
    rules = []
    for selectors, body in RULE.findall(NESTED.sub("", css)):
        kept = [one for one in selectors.split(",") if set(NAME.findall(one)) <= names]
        if kept:
            rules.append(f"{','.join(kept)}{{{body}}}\n")
    return f"{licensed}*/\n{''.join(rules)}"


def write_font(path, icons):
    """Write a font of these icons beside a whole one; False if it has none of them."""
    font = TTFont(path, recalcTimestamp=False)
    icons = icons.intersection(font.getBestCmap())
    if icons:
        cutter = subset.Subsetter(subset.Options(layout_features=[], notdef_outline=False))
        cutter.populate(unicodes=icons)
        cutter.subset(font)
        font.flavor = "woff"
        font.save(path.with_suffix(".woff"))
    return bool(icons)


def kept_faces(css, left):
    """The style sheet with the faces whose fonts are left, each at its new file."""

    def face(rule):
        font = FACE.search(rule[2])
        if font is None:
            return rule[0]
        if font[1] not in left:
            return ""
        return rule[0].replace(font[0], f'src:url(../webfonts/{font[1]}.woff) format("woff")')

    return RULE.sub(face, css)


def setup(app):
    app.connect("build-finished", cut_down)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
