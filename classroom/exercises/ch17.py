"""Checks for chapter 17: from two CLIPs to a language model."""

from . import Almost, exercise, expect, random, same, trying, why

BOS, EOS = 49406, 49407


@exercise("17.1", title="Side by side")
def side_by_side(answer):
    call = trying(answer)
    for layers, layers_2, slots in [(3, 3, 5), (2, 5, 7)]:
        states = [random(slots, 4, seed=n) for n in range(layers + 1)]
        states_2 = [random(slots, 6, seed=50 + n) for n in range(layers_2 + 1)]
        got, where = call(states, states_2), f"for encoders of {layers} and {layers_2} layers"
        wanted = beside(states[-2], states_2[-2])
        if same(got, beside(states[-1], states_2[-1])):
            raise Almost(f"{where} these are the last states; SDXL leaves one layer out of each.")
        if same(got, beside(states_2[-2], states[-2])):
            raise Almost(f"{where} the second encoder stands on the left: the first comes first.")
        if layers != layers_2 and same(got, beside(states[1], states_2[1])):
            raise Almost(f"{where} the second state is not the last but one: count from the end.")
        expect(got, wanted, where, "the last state but one of each, joined on the width")
    return "the rows stay as many as they were, and the widths add up."


def beside(left, right):
    import torch

    return torch.cat([left, right], dim=-1)


@exercise("17.2", title="The pooled row")
def pooled_row(answer):
    call = trying(answer)
    cases = [
        ("for 'a dog' with padding", [BOS, 320, 1929, EOS, EOS, EOS], 2, 3),
        ("for 'a dog' with padding", [BOS, 320, 1929, EOS, EOS, EOS], EOS, 3),
        ("for 'a dog' padded with 0", [BOS, 320, 1929, EOS, 0, 0], 2, 3),
        ("with a learned word in row 2", [BOS, 320, 49408, 1929, EOS, EOS], 2, 2),
        ("with a learned word in row 2", [BOS, 320, 49408, 1929, EOS, EOS], EOS, 4),
        ("with two learned words", [BOS, 49409, 49408, EOS, EOS], 2, 1),
        ("in a small vocabulary, whose EOS is 99,", [98, 7, 2, 99, 99], 99, 3),
        ("in a small vocabulary, with a 2 in it,", [98, 7, 2, 99, 99], 2, 3),
    ]
    for where, ids, rule, wanted in cases:
        got = call(ids, rule)
        where = f"{where} and eos_token_id = {rule},"
        last = len(ids) - 1 - ids[::-1].index(max(ids))
        reasons = [
            (max(ids), "that is an id; the number of its row is asked for"),
            (ids.index(max(ids)), "the rule asks for the first row with that id, not the largest"),
            (last, "several rows hold that id, and the first of them counts"),
            (ids.index(2) if 2 in ids else None, "2 is no id here but the name of a rule"),
            (ids.index(EOS) if EOS in ids else None, "with 2 the largest id is pooled, EOS or not"),
        ]
        expect(got, wanted, where, why(got, wanted, reasons))
    return "one rule looks for an id, the other for the largest one."


@exercise("17.3", title="Which state is it?")
def state_taken(answer):
    call = trying(answer)
    for name, index, layers, clip in [
        ("SDXL's first encoder", -2, 12, True),
        ("SDXL's second encoder", -2, 32, True),
        ("Stable Cascade", -1, 32, True),
        ("Qwen-Image", -1, 28, False),
        ("Z-Image", -2, 36, False),
        ("Flux.2", 30, 40, False),
        ("the last state by its number", 36, 36, False),
        ("the embeddings", 0, 12, True),
    ]:
        where = f"for {name}, index {index} of {layers} layers,"
        got = call(index, layers, clip)
        if not isinstance(got, (tuple, list)) or len(got) != 2:
            raise Almost(f"{where} two things are asked for: (layers, whether it is normed).")
        n = index if index >= 0 else layers + 1 + index
        ran, normed = got
        reasons = [
            (n - 1, "state 0 has gone through no layer: there are layers + 1 states"),
            (index, "a negative index counts from the end"),
        ]
        expect(ran, n, f"{where} the layers", why(ran, n, reasons))
        wanted = n == layers and not clip
        hint = (
            "CLIP's text encoders keep every state before the norm"
            if clip
            else "the norm is in the last state of such a model, and in no other"
        )
        expect(bool(normed), wanted, f"{where} the norm", hint)
    return "the same index means a normed state in one model and a bare one in another."


@exercise("17.4", title="SD 3's context")
def sd3_context(answer):
    import torch

    call = trying(answer)
    for rows, rows_3, width in [(4, 3, 12), (5, 7, 10), (3, 3, 20)]:
        first, second = random(rows, 4, seed=1), random(rows, 6, seed=2)
        t5 = random(rows_3, width, seed=3)
        where = f"for rows of 4 and 6 numbers and a T5 of width {width}"
        clip = beside(first, second)
        wanted = torch.cat([torch.nn.functional.pad(clip, (0, width - 10)), t5])
        got = call(first, second, t5)
        if width > 10 and same(
            got, torch.cat([torch.nn.functional.pad(clip, (width - 10, 0)), t5])
        ):
            raise Almost(
                f"{where} the zeros stand on the left; they fill CLIP's rows up at the end."
            )
        if same(got, torch.cat([t5, torch.nn.functional.pad(clip, (0, width - 10))])):
            raise Almost(f"{where} T5's rows stand above CLIP's; they come below.")
        expect(got, wanted, where, "CLIP's rows with zeros up to T5's width, then T5's rows below")
    return "77 rows of CLIPs and 256 of T5 are 333 rows of one width."


@exercise("17.5", title="What is left of a long prompt")
def rows_left(answer):
    call = trying(answer)
    for n, longest in [
        (2, 512),
        (507, 512),
        (508, 512),
        (511, 512),
        (512, 512),
        (900, 512),
        (9, 9),
    ]:
        where = f"for {n} tokens and at most {longest} rows"
        got = call(n, longest)
        wanted = (min(n, longest), min(5, max(0, longest - n)))
        reasons = [
            ((n, 5), f"that is more than {longest} rows"),
            ((min(n, longest - 5), 5), "the 5 stand last, and what stands last is cut first"),
            (
                (min(n, longest), longest - n),
                "there are 5 of them, and there cannot be fewer than 0",
            ),
            (
                (max(0, min(n, longest - 34)), wanted[1]),
                "the 34 are dropped before rows are counted",
            ),
            (wanted[::-1], "the rows of the prompt are named first"),
        ]
        got = tuple(got) if isinstance(got, list) else got
        expect(got, wanted, where, why(got, wanted, reasons))
    return "from 508 tokens on, the rows that have seen the whole prompt are the first to go."
