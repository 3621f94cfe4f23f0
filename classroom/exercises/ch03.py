"""Checks for chapter 03, from text to tokens."""

import functools
import random

from classroom.exercises import Almost, exercise, expect, plain, trying, why
from cliplab.tokenizer import CLIPTokenizer
from cliplab.tokenizer.bpe import replace_pair

WORDS = ["a", "dachshund", "chiaroscuro", "bokeh", "café", "1920x1080", "it’s", "dog,", "steampunk"]
BOS, EOS = 49406, 49407


@functools.cache
def tokenizer() -> CLIPTokenizer:
    return CLIPTokenizer()


@exercise("03.1", title="How much room is left?")
def free_slots(answer):
    call, count = trying(answer), lambda text: len(tokenizer().content(text))
    drawn = random.Random(31)
    texts = ["a running dog", "", *(" ".join(drawn.choices(WORDS, k=k)) for k in (3, 8, 12))]
    for text in texts:
        got, wanted, content = call(text), 75 - count(text), count(text)
        mistakes = {
            75 - content - 2: "BOS and EOS have slots of their own; the 75 do not include them.",
            77 - content: "77 includes BOS and EOS; content may take 75.",
            75 - len(text.split()): "that counts words, and a word can be several tokens.",
            75 - len(text): "that counts characters, and a token can be several characters.",
            content: "that is how many are taken; how many are free?",
        }
        expect(got, wanted, f"for {text!r}", why(got, wanted, mistakes.items()))
    full = "a running dog " * 40
    if call(full) == 75 - count(full):
        raise Almost("a prompt of 120 tokens cannot leave a negative number of slots; it leaves 0.")
    expect(call(full), 0, "for a prompt of 120 tokens")
    return "75 slots between BOS and EOS, less the content tokens, and never below 0."


@exercise("03.2", title="One merge")
def merge_pair(answer):
    call = trying(answer)
    drawn = random.Random(32)
    cases = [
        (["d", "o", "g</w>"], ("d", "o")),
        (["b", "a", "n", "a", "n", "a</w>"], ("a", "n")),
        (["a", "a", "a", "h</w>"], ("a", "a")),
        (["ab", "b", "a", "b</w>"], ("b", "b")),
        (["c", "a", "t</w>"], ("x", "y")),
        (["h", "o", "w", "l</w>"], ("w", "l</w>")),
    ]
    cases += [(drawn.choices(["a", "b", "ab"], k=9), ("a", "b")) for _ in range(4)]
    for symbols, pair in cases:
        wanted, new = replace_pair(symbols, pair, "".join(pair)), "".join(pair)
        got = plain(call(symbols, pair))
        where = f"for {symbols} and {pair}"
        mistakes = [
            (_first_only(symbols, pair), "That merges the first place only; merge everywhere."),
            (
                replace_pair(symbols[::-1], pair[::-1], new)[::-1],
                "Merges go from left to right: of three a's, the first two are joined.",
            ),
            (
                " ".join(symbols).replace(" ".join(pair), new).split(),
                "Compare whole symbols: the end of a longer symbol does not count as one.",
            ),
            (
                _overlapping(symbols, pair),
                "A symbol can be merged once only, so pairs may not overlap.",
            ),
            (wanted[:-1], "The last symbol is missing."),
            (symbols, "Nothing was merged."),
        ]
        if reason := why(got, wanted, mistakes):
            raise Almost(f"{where} the answer is {got}. {reason}")
        expect(got, wanted, where)
    return "That is replace_pair, the one step that BPE repeats."


@exercise("03.3", title="The word that costs most")
def costliest_word(answer):
    call, cost = trying(answer), lambda word: len(tokenizer().content(word))
    drawn = random.Random(33)
    prompts = ["an unbelievably blurry bokeh", "dachshund in chiaroscuro", "a smirking octopus"]
    prompts += ["a gryphon made of bokeh"]  # two words cost the same
    prompts += [" ".join(drawn.sample(WORDS, k=5)) for _ in range(4)]
    for prompt in prompts:
        words, got = prompt.split(), call(prompt)
        wanted, most = max(words, key=cost), cost(max(words, key=cost))
        mistakes = {
            most: "that is the number of tokens; the word itself is asked for.",
            max(words, key=len): "that is the word with the most letters, not the most tokens.",
            min(words, key=cost): "that is the word with the fewest tokens.",
            max(
                words[::-1], key=cost
            ): "where two words cost the same, the first one is asked for.",
        }
        expect(got, wanted, f"for {prompt!r}", why(got, wanted, mistakes.items()))
    return "Length in letters says little: what was frequent in the training text is cheap."


@exercise("03.4", title="Length normalization")
def normalize(answer):
    call = trying(answer)
    drawn = random.Random(34)
    sizes = [(3, 77), (120, 77), (75, 77), (76, 77), (77, 77), (0, 77), (3, 6), (9, 6)]
    for content, length in sizes:
        s = [drawn.randrange(320, 49000) for _ in range(content)]
        ids = [BOS, *s, EOS]
        got = list(plain(call(ids, length)))
        if got and isinstance(got[0], list):
            raise Almost("one row of ids is asked for; this is a list of rows.")
        where = f"for {content} content tokens and length {length}"
        if len(got) != length:
            raise Almost(
                f"{where} the answer has {len(got)} ids, and should have {length}. "
                + ("Pad it on the right." if len(got) < length else _too_long(ids, length))
            )
        if content + 2 > length and got == ids[:length]:
            raise Almost(f"{where} EOS is lost: the cut took it. The last id must be {EOS}.")
        if content >= length and got == s[:length]:
            raise Almost(f"{where} BOS and EOS are gone: all {length} slots hold content tokens.")
        if EOS not in got:
            raise Almost(f"{where} there is no EOS ({EOS}) in the answer.")
        if got[0] != BOS:
            raise Almost(
                f"{where} the first id is {got[0]}; BOS ({BOS}) must stay in front. "
                "Pad and cut on the right."
            )
        if got == ids + [0] * (length - len(ids)) and len(ids) < length:
            raise Almost(f"{where} the padding is 0, OpenAI's; in Stable Diffusion 1.5 PAD is EOS.")
        wanted = ([*ids[: length - 1], EOS] + [EOS] * length)[:length]
        expect(got, wanted, where, hint="BOS, then content, then EOS, then EOS again to the end")
    return "That is eq. 7 with PAD = EOS: at most 75 content tokens, and EOS always there."


def _first_only(symbols, pair):
    for i in range(len(symbols) - 1):
        if (symbols[i], symbols[i + 1]) == pair:
            return [*symbols[:i], "".join(pair), *symbols[i + 2 :]]
    return symbols


def _overlapping(symbols, pair):
    """Every pair written once more, as if a symbol could be in two of them."""
    hits = [i for i in range(len(symbols) - 1) if (symbols[i], symbols[i + 1]) == pair]
    return [
        "".join(pair) if i in hits else symbol
        for i, symbol in enumerate(symbols)
        if i in hits or i - 1 not in hits
    ]


def _too_long(ids, length):
    return f"Cut before EOS is added: {length - 1} ids and then EOS." if len(ids) > length else ""
