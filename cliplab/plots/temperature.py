"""Softmax under a temperature that moves: the one figure that plays.

It is HTML and CSS without a script, so it plays on a page, in JupyterLab and on Colab. The style
sheet itself is the softmax. It knows the cosines c of a row and one number that moves, s = ln(1/τ),
and makes each bar exp(c eˢ) / Σ exp(c eˢ) wide. Nothing moves before a reader chooses "Play", and
"Play" is not offered to those whose system asks for less motion.
"""

import math
from hashlib import sha256
from html import escape

import numpy as np

from .data import array, printable
from .figure import Figure, Table
from .theme import WIDEST

SWEEP = 12  # seconds from the largest temperature to the smallest
BARS = """
.clt{max-width:700px;margin:0 auto;transition:--clt-s .7s}
.clt fieldset{display:none;border:0;margin:0 0 .6em;padding:0}
.clt legend{float:none;margin:0;padding:0;font-size:1em;font-weight:600}
.clt label{display:inline-flex;align-items:center;gap:.35em;min-height:32px;margin:0 .9em 0 0}
.clt input{margin:0;width:18px;height:18px;accent-color:var(--cliplab-accent,#2b7bba)}
.clt-q{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,300px),1fr));gap:1em 2em;
margin-top:.8em}
.clt-r{display:grid;grid-template-columns:6.4em 2.9em 1fr 3.2em;font-size:14px;line-height:26px}
.clt-r>*{text-align:right}
.clt-r>:first-child{text-align:left}
.clt-r i{height:18px;margin:4px 0 4px 8px;border-left:1px solid}
.clt-r s{display:block;height:100%;background:var(--cliplab-accent,#2b7bba)}
.clt-r b{font-weight:inherit}
.clt-o{font-weight:700}
.clt-o s{background:var(--cliplab-green,#0c8f6c)}
.clt-t{height:14px;margin:4px 7px 0;border-bottom:1px solid}
.clt-t b{display:block;width:14px;height:14px;border-radius:50%;transform:translateX(-7px);
background:var(--cliplab-warm,#d55e00)}
.clt-e{display:flex;justify-content:space-between;font-size:14px}
"""
MOVES = """
@property --clt-s{syntax:"<number>";inherits:true;initial-value:0}
@property --clt-n{syntax:"<integer>";inherits:false;initial-value:0}
@supports (width:calc(1px*exp(0))) and selector(:has(a)){
.clt fieldset{display:block}
.clt-r{--e:exp(var(--c)*exp(var(--clt-s)))}
.clt-r s{width:calc(100%*var(--e)/(var(--z)))!important}
.clt-r b{--clt-n:calc(100*var(--e)/(var(--z)));counter-reset:clt var(--clt-n)}
.clt-r b span{display:none}
.clt-r b::after{content:counter(clt)" %"}
.clt:has(.clt-m input:checked){animation:clt SWEEPs linear infinite alternate}
.clt:has(.clt-m [value=pause]:checked){animation-play-state:paused}
}
@media (prefers-reduced-motion:reduce){
.clt{transition:none;animation:none!important}
.clt .clt-m{display:none}
}
@media print{
.clt fieldset{display:none}
}
"""


class Moving(Figure):
    """A figure that is drawn by the page: HTML with its own style, and words as every figure's."""

    def __init__(self, drawing):
        super().__init__(WIDEST, WIDEST)
        self.drawing = drawing

    def svg(self):
        """The drawing, as an element for a page."""
        return self.drawing

    def savefig(self, fname, **options):
        raise TypeError(
            "This figure moves, so no file holds it: show it on a page or in a notebook."
        )


def softmax_by_temperature(cosines, captions, names, taus, start, title=None, source=None):
    """Bars of the softmax of a caption's cosines with pictures, while the temperature falls.

    cosines: [N, M], of N captions (a block of bars each) and M pictures; names: of the pictures,
    where a caption's own name is its own picture. taus: temperatures to choose from, any order;
    start: the one of them that is shown first. ValueError where these do not fit together.
    Source: Lecture eqs 61 and 62.
    """
    c, taus = array(cosines).astype(float).round(4), sorted(map(float, taus), reverse=True)
    captions, names = [str(x) for x in captions], [str(x) for x in names]
    if c.shape != (len(captions), len(names)) or start not in taus or not taus[-1] > 0:
        raise ValueError(
            f"Give a row of {len(names)} cosines, one for each name, for each of the "
            f"{len(captions)} captions, and temperatures above 0 with {start} among them; got "
            f"cosines {list(c.shape)} and temperatures {taus}."
        )
    shares = {tau: _softmax(c / tau) for tau in taus}
    blocks = "".join(
        _block(caption, names, row, share)
        for caption, row, share in zip(captions, c, shares[start], strict=True)
    )
    alt = _alt(captions, names, shares)
    rows = [
        (caption, name, c[i, j], *(f"{shares[tau][i, j]:.1%}" for tau in taus))
        for i, caption in enumerate(captions)
        for j, name in enumerate(names)
    ]
    columns = ("caption", "picture", "cosine", *(f"τ = {tau:g}" for tau in taus))
    table = Table(columns, rows, "Each picture's share of a caption's softmax")
    drawing = (
        f'<style>{_style(taus, start)}</style><div class="clt">{_controls(taus, start, alt)}'
        f'<div role="img" aria-label="{escape(alt)}"><div class="clt-t"><b></b></div>'
        f'<div class="clt-e"><span>τ = {taus[0]:g}</span>'
        f'<span>τ = {taus[-1]:g}</span></div><div class="clt-q">{blocks}</div></div></div>'
    )
    return Moving(drawing).described(alt, table, title, source)


def _softmax(scores):
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def _block(caption, names, cosines, shares):
    """A caption and its bars; --z is Σ exp(c eˢ) over them."""
    z = " + ".join(f"exp({v}*exp(var(--clt-s)))" for v in cosines)
    bars = "".join(
        f'<div class="clt-r{" clt-o" * (name == caption)}" style="--c:{v}">'
        f"<span>{escape(printable(name))}</span><span>{f'{v:.2f}'.replace('-', '−')}</span>"
        f'<i><s style="width:{100 * share:.1f}%"></s></i><b><span>{100 * share:.0f} %</span></b>'
        "</div>"
        for name, v, share in zip(names, cosines, shares, strict=True)
    )
    return f'<div style="--z:{z}"><div>Caption: “{escape(printable(caption))}”</div>{bars}</div>'


def _controls(taus, start, alt):
    """One group of radio buttons: Play, Pause, and a temperature to stay at."""
    group = f"clt-{sha256(alt.encode()).hexdigest()[:8]}"  # other figures have groups of their own
    moves = ' class="clt-m"'
    choices = [("play", "Play", moves), ("pause", "Pause", moves)]
    choices += [(f"{tau:g}", f"{tau:g}", "") for tau in taus]
    inputs = ""
    for value, text, kind in choices:
        checked = ' checked=""' if value == f"{start:g}" else ""
        inputs += (
            f'<label{kind}><input type="radio" name="{group}" value="{value}" '
            f'autocomplete="off"{checked}/>{text}</label>'
        )
    return f"<fieldset><legend>Temperature τ</legend>{inputs}</fieldset>"


def _style(taus, start):
    """The style sheet with s = ln(1/τ) of these temperatures."""
    s = {tau: f"{-math.log(tau):.4f}" for tau in taus}
    first, last = s[taus[0]], s[taus[-1]]
    chosen = "".join(f'.clt:has([value="{tau:g}"]:checked){{--clt-s:{s[tau]}}}' for tau in taus)
    parts = (
        f"{BARS}.clt{{--clt-s:{s[start]}}}{chosen}{MOVES.replace('SWEEP', str(SWEEP))}",
        f"@keyframes clt{{from{{--clt-s:{first}}}to{{--clt-s:{last}}}}}",
        f".clt-t b{{margin-left:calc(100%*(var(--clt-s) - {first})/({last} - {first}))}}",
    )
    return "".join(parts).replace("\n", "")


def _alt(captions, names, shares):
    said = []
    for i, caption in enumerate(captions):
        best = int(next(iter(shares.values()))[i].argmax())  # the same at every temperature
        told = ", ".join(f"{share[i, best]:.0%} at τ = {tau:g}" for tau, share in shares.items())
        said.append(f"The caption “{caption}” gives most to {names[best]}: {told}.")
    return f"The softmax of {len(names)} cosines at falling temperatures. {' '.join(said)}"
