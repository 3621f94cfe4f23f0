"""From matplotlib's SVG to a small one that stands inside a page and takes on its colors.

Matplotlib writes a document of its own: fixed colors, one group per artist, a style sheet that
would reach the whole page, ids that two figures would share. Here each part of the figure becomes
a bare `<svg>`: ink in `currentColor`, real text, ids made from a hash of the content, numbers to a
tenth of a pixel. The same figure gives the same bytes.
"""

import base64
import hashlib
import io
import re
import warnings
from collections import defaultdict
from itertools import groupby
from xml.etree import ElementTree

import matplotlib
import numpy as np
from PIL import Image

from .theme import CSS, RC

HREF = "{http://www.w3.org/1999/xlink}href"
MONO = "ui-monospace,SFMono-Regular,Menlo,Consolas,monospace"
GRID = "stroke:currentColor;stroke-opacity:0.15;stroke-width:0.6"  # as plots.curves draws one
NO_METADATA = dict.fromkeys(["Date", "Creator", "Format", "Type"])


def inline_svgs(figure, larger=1):
    """Each part of the figure as an `<svg>` string, shown `larger` than it is where it fits."""
    written = io.StringIO()
    with matplotlib.rc_context(RC), warnings.catch_warnings():
        # The reader's browser brings its own fonts: what DejaVu lacks is no matter here.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(written, format="svg", transparent=True, metadata=NO_METADATA)
    definitions, leaves = [], defaultdict(list)
    _flatten(ElementTree.fromstring(written.getvalue()), definitions, leaves)
    return _shared([_svg(part, definitions, leaves[part.number], larger) for part in figure.parts])


def _shared(svgs):
    """A hatching is long: parts after the first that has one refer to it there."""
    first, shared = {}, []
    for svg in svgs:
        for mark, body in re.findall(r'<pattern id="([^"]+)"(.*?)</pattern>', svg):
            if first.setdefault(body, mark) != mark:
                svg = svg.replace(f'<pattern id="{mark}"{body}</pattern>', "")
                svg = svg.replace(f"url(#{mark})", f"url(#{first[body]})")
        shared.append(svg.replace("<defs></defs>", ""))
    return shared


def _svg(part, definitions, leaves, larger):
    """What is drawn in one part, and the definitions that it refers to."""
    named = " ".join(f"{leaf.get('href', '')} {leaf.get('style', '')} " for leaf in leaves)
    mine = [d for d in definitions if re.search(rf"#{d.get('id')}\b", named)]
    _without_repetition(mine, leaves)
    body = _grouped(leaves)
    if mine:
        body.insert(0, ElementTree.Element("defs"))
        body[0].extend(_cleaned(child) for child in mine)
    box = (part.x, part.y, part.width, part.height)
    root = ElementTree.Element(
        "svg",
        {
            "aria-hidden": "true",  # the figure says what its parts show
            "viewBox": " ".join(f"{n:g}" for n in box),
            "style": f"display:block;width:100%;max-width:{larger * part.width:.0f}px;height:auto",
        },
    )
    root.extend(body)
    _own_ids(root)
    return ElementTree.tostring(root, encoding="unicode").replace(" />", "/>")


def _flatten(element, definitions, leaves, part=0):
    """Take the groups apart; keep what is drawn in each part, and definitions for all of them."""
    for child in element:
        tag = child.tag.partition("}")[2]
        if tag == "defs":
            definitions += [d for d in child if not d.tag.endswith("style")]
        elif tag == "g":
            if child.get("transform"):
                raise ValueError(
                    "This figure holds math text ($…$), which a page cannot set in "
                    "its own font. Write it in plain characters (10⁻³, √K, xₜ)."
                )
            axes = re.fullmatch(r"part (\d+)", child.get("id", ""))
            _flatten(child, definitions, leaves, int(axes[1]) if axes else part)
        else:
            clean = _cleaned(child)
            if clean.get("style") != "fill:none":  # an invisible background
                leaves[part].append(clean)


def _cleaned(element):
    """A copy without namespaces, with short numbers and the theme's colors."""
    clean = ElementTree.Element(element.tag.partition("}")[2])
    clean.text = (element.text or "").strip("\n") or None
    # Matplotlib stores a picture upside down and turns it over as it draws it.
    over = clean.tag == "image" and element.get("transform", "").startswith("scale(1 -1)")
    smooth = clean.tag == "image" and element.get("id") == "smooth"
    for name, value in element.items():
        if name == "style":
            value = "" if smooth else _style(value)
        elif name == "d":
            value = _path(value)
        elif over and name in ("transform", "y"):
            value = _rounded(str(-float(value)), 1) if name == "y" else ""
        elif name == "transform":
            value = _rounded(value, 4)
            if value.startswith("rotate(-0"):
                continue
        elif name == HREF:
            name, value = "href", _palette(value, over) if value.startswith("data:") else value
        elif name == "id" and clean.tag == "image":
            continue
        else:
            value = _rounded(value, 1)
        if value:
            clean.set(name, value)
    clean.extend(_cleaned(child) for child in element)
    return clean


def _style(style):
    kept = []
    for name, value in re.findall(r"([\w-]+): ?([^;]+)", style):
        value = CSS.get(value.strip(), value.strip())
        if name == "font-family":
            if "Mono" not in value:  # the others inherit the root's family
                continue
            value = MONO
        if (name, value) in {("fill", "currentColor"), ("stroke-linejoin", "round")}:
            continue  # what the drawing says already
        kept.append(f"{name}:{_rounded(value, 3)}")
    return ";".join(kept)


def _path(data):
    """Path data to a tenth of a pixel, straight lines along an axis as H and V."""
    out, here = [], (None, None)
    for command, numbers in re.findall(r"([A-Za-z])([^A-Za-z]*)", data):
        values = [_rounded(n, 1) for n in numbers.split()]
        if command == "L" and values[1] == here[1]:
            out.append("H" + values[0])
        elif command == "L" and values[0] == here[0]:
            out.append("V" + values[1])
        else:
            out.append(command + " ".join(values))
        here = tuple(values[-2:]) if values else (None, None)
    return "".join(out)


def _rounded(text, digits):
    return re.sub(r"-?\d+\.\d+(e-?\d+)?", lambda m: f"{round(float(m[0]), digits) + 0:g}", text)


def _palette(data, over):
    """The embedded PNG again, in fewer bytes: with a palette, or as lossless WebP; turned over if
    it stands on its head."""
    pixels = np.array(Image.open(io.BytesIO(base64.b64decode(data.partition(",")[2]))))
    pixels = pixels[::-1] if over else pixels
    colors, index = np.unique(pixels.reshape(-1, 4), axis=0, return_inverse=True)
    small = Image.fromarray(index.reshape(pixels.shape[:2]).astype(np.uint8), "P")
    small.putpalette(colors[:, :3].tobytes())
    png, webp = io.BytesIO(), io.BytesIO()
    small.save(png, "PNG", optimize=True, transparency=colors[:, 3].tobytes())
    Image.fromarray(pixels).save(webp, "WEBP", lossless=True, quality=100, method=6)
    kind, best = min(("png", png), ("webp", webp), key=lambda one: len(one[1].getvalue()))
    return f"data:image/{kind};base64," + base64.b64encode(best.getvalue()).decode()


def _without_repetition(definitions, leaves):
    """A mark has the style of its definition already; a tick is written out as its line."""
    ticks = []
    for mark in list(definitions):
        style = _style(mark.get("style", ""))
        tick = re.fullmatch(r"M0 0([HV])(\S+)", _path(mark.get("d", "")))
        if tick:
            definitions.remove(mark)
        for leaf in leaves:
            if leaf.get("href") != f"#{mark.get('id')}":
                continue
            if tick:
                line = f"M{leaf.get('x')} {leaf.get('y')}{tick[1].lower()}{tick[2]}"
                leaf.tag, leaf.attrib = "path", {"d": line, "style": leaf.get("style", style)}
                ticks.append(leaf)
            elif leaf.get("style") == style:
                leaf.attrib.pop("style", None)
    _join(leaves, [leaf for leaf in leaves if GRID in leaf.get("style", "") or leaf in ticks])


def _join(leaves, lines):
    """Put all lines of one style into the first of them, one path."""
    first = {}
    for line in lines:
        path = first.setdefault(line.get("style"), line)
        if path is not line:
            path.set("d", path.get("d") + line.get("d"))
            leaves.remove(line)


def _grouped(leaves):
    """Neighbors with one style share a group that carries it."""
    body = []
    for style, run in groupby(leaves, lambda leaf: leaf.get("style")):
        run = list(run)
        if len(run) == 1 or style is None:
            body += run
            continue
        body.append(ElementTree.Element("g", style=style))
        for leaf in run:
            del leaf.attrib["style"]
            body[-1].append(leaf)
    return body


def _own_ids(root):
    """Ids that no other figure has: a hash of this one's content, and a number."""
    mark = hashlib.sha256(ElementTree.tostring(root)).hexdigest()[:8]
    new = {e.get("id"): f"c{mark}-{n}" for n, e in enumerate(root.iterfind(".//*[@id]"))}
    for element in root.iter():
        if "id" in element.attrib:
            element.set("id", new[element.get("id")])
        for name in ("href", "style"):
            if "#" in element.get(name, ""):
                element.set(
                    name, re.sub(r"(?<=#)[hm]\w+", lambda m: new.get(m[0], m[0]), element.get(name))
                )
