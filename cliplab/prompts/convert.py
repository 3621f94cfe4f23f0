r"""From one syntax to another, where the meaning can be kept.

A conversion keeps the tokens and their weights, not what a tool then does with them: the same
weights are a different picture in each tool. To have one tool's picture from another's prompt, name
its operation: ``encode_prompt(…, method=…)``.

    read     the prompt by the source's grammar: blocks (77 rows each) of fragments
    say      each fragment in the target's notation, and read that back
    compare  the whole with what was meant: the same tokens, weights equal to 1e-12 (to 1e-6 where
             a tool has floats of 32 bits)

So no rule for a bracket has to be trusted. What the target cannot say is refused, at its place.
"""

import math
import re
from decimal import Decimal
from functools import lru_cache

from ..checks import one_of
from .fragment import Fragment, PromptError, require_prompt, without_gc
from .register import TOOLS
from .tool import Tool, reads_as, tokenizer, weighted_tokens


@without_gc
def convert_prompt(prompt: str, source: str, target: str) -> str:
    """Say a prompt of one syntax in another: the same tokens, in order, with the same weights.

    source, target  "a1111", "comfyui", "compel", "sdcpp", "lecture" or "plain", as in
                    ``parse_prompt``; the source is read as its tool reads it, quirks included.
                    A1111's BREAK and Compel's ``.and()`` become one another.

    Raises PromptError, with the reason and the place in the source, for what the target cannot say:
    among them a negative weight in Compel, and the AND, schedules and `<lora:…>` of A1111. White
    space may change, for it means nothing to the encoder. Names of embeddings, and the comments of
    A1111 after a #, are taken for words. For ComfyUI the answer is what one types into its page:
    ``cliplab.prompts.comfyui.page`` makes of it what to send without. Warns PromptWarning where the
    page would rewrite a source. Errata E10, E13.
    """
    require_prompt(prompt)
    for syntax in (source, target):
        one_of("A syntax", syntax, TOOLS)
    return prompt if source == target else _converted(prompt, TOOLS[source], TOOLS[target])


def _converted(prompt: str, source: Tool, target: Tool) -> str:
    blocks = source.blocks(prompt)
    if len(blocks) > 1 and not target.says_blocks:
        message = f"Here a new block of 77 rows begins, and {target.title} has no way to say so."
        raise PromptError(message, prompt, blocks[1][0])
    for text, weight, start, _ in (f for _, fragments in blocks for f in fragments):
        if text.strip() and weight != 1 and (rule := target.refusal(weight)):
            message = f"{text.strip()[:40]!r} has the weight {weight:g}; {rule}."
            raise PromptError(message, prompt, start)
    wanted = weighted_tokens(blocks)
    precision = max(source.precision, target.precision)
    # As it comes, which nearly always will do; then with each fragment read back by itself; then
    # with an eye on what two of them are together, such as ":" and "0" at the end for A1111.
    for level in range(4):
        careful, spaced, guarded = level > 0, level > 1, level > 2
        said = [
            [_say(prompt, f, target, careful, precision) for f in fragments]
            for _, fragments in blocks
        ]
        parts = [
            _joined(prompt, fragments, pieces, spaced)
            for (_, fragments), pieces in zip(blocks, said, strict=True)
        ]
        if guarded:
            parts = [target.guard(part) for part in parts]
        converted = parts[0] if len(parts) == 1 else target.join_blocks(parts)
        if reads_as(converted, target, wanted, precision):
            return target.typed(converted)
    whole = f"Each fragment of this prompt can be said in {target.title}, but not the whole of it"
    message = f"{whole}{target.inescapable}. Convert it part by part."
    raise PromptError(message, prompt, blocks[0][0])


def _say(prompt: str, fragment: Fragment, target: Tool, careful: bool, precision: float) -> str:
    """One fragment in the target's notation, or a PromptError that says why there is none."""
    typed = prompt[fragment.start : fragment.end]
    said = _said(typed, fragment.text, fragment.weight, target, careful, precision)
    if said is None:
        message = (
            f"{fragment.text.strip()[:40]!r}, at weight {fragment.weight:g}, would read otherwise "
            f"in {target.title}, which has no escape for it{target.inescapable}."
        )
        raise PromptError(message, prompt, fragment.start)
    return said


@lru_cache(2**10)
def _said(
    typed: str, text: str, weight: float, target: Tool, careful: bool, precision: float
) -> str | None:
    """A text at a weight; careful: read back, guarded if it must be, and None if that fails too."""
    wanted = tokenizer().content(text)
    if not wanted:
        return " "
    # What was typed has the better spaces, where it is nothing but the text: Compel cuts at commas.
    same = typed != text and tokenizer().content(typed) == wanted
    plain = target.escape(typed if same else text)
    for candidate in dict.fromkeys([plain, target.guard(plain)]):
        said = candidate
        if weight != 1:
            said = target.weighted.format(text=candidate, weight=_number(weight, precision))
        if not careful or reads_as(said, target, [[(i, weight) for i in wanted]], precision):
            return said
    return None


def _number(weight: float, precision: float) -> str:
    """The shortest decimal that is surely this weight: 1.21 for 1.2100000000000002."""
    if not math.isfinite(weight):
        return str(weight)
    rounded = (f"{weight:.{digits}g}" for digits in range(1, 18))
    short = next(r for r in rounded if math.isclose(float(r), weight, rel_tol=precision / 10))
    return f"{Decimal(short):f}"


def _joined(prompt: str, fragments: list[Fragment], pieces: list[str], spaced: bool) -> str:
    """A block: its pieces with a space between where one was typed, or everywhere."""
    out: list[str] = []
    end = 0
    for fragment, piece in zip(fragments, pieces, strict=True):
        if out and not (out[-1][-1].isspace() or piece[0].isspace()):
            gap = prompt[end : fragment.start]
            out.append(" " if spaced or re.search(r"\s", gap) else "")
        out.append(piece)
        end = fragment.end
    return "".join(out).strip()
