"""The demo of the 77 slots against the package's own tokenizer, masks and encoder."""

import functools
import re
import warnings

import pytest
import torch

import cliplab
from cliplab.demos.graphs.looks import Looks
from cliplab.demos.slots.graphs import Distance

from .demos import reveal, table

NEAR = 0.03  # of a distance, and of a share: the page's weights have 8 bits
MASKS = {"none": (0, 0), "PAD": (0, 1), "causal (SD 1.5)": (1, 0), "both (M)": (1, 1)}


@functools.cache
def clip():
    return cliplab.load_clip("mini").requires_grad_(False)


def ids_of(prompt):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cliplab.TruncationWarning)
        return cliplab.length_normalization([clip().tokenizer(prompt)])  # [1, 77]


def seen(prompt, mask):
    """The mask of that name, [77, 77]."""
    causal, pad = MASKS[mask]
    everything = torch.ones(77, 77, dtype=torch.bool)
    columns = cliplab.mask_pad(ids_of(prompt)[0], clip().tokenizer.eos_id)
    return (cliplab.causal_mask(77) if causal else everything) & (columns if pad else everything)


@functools.cache
def encoded(prompt, mask):
    return clip().text_model(ids_of(prompt), seen(prompt, mask)[None], trace=True)


@functools.cache
def moved(prompt, mask):
    """How far each row of the context lies from that under the causal mask alone, [77]."""
    now, usual = (encoded(prompt, one).context[0] for one in (mask, "causal (SD 1.5)"))
    return (now - usual).norm(dim=-1) / usual.norm(dim=-1)


def read(demo, pattern):
    """What the read-out says, once it says something like it."""
    demo.locator(".cld-read", has_text=re.compile(pattern)).wait_for()
    return demo.locator(".cld-read").text_content()


def press(demo, mask):
    demo.get_by_role("button", name=mask, exact=True).click()
    pressed = demo.get_by_role("group", name="Mask").locator("[aria-pressed=true]")
    pressed.and_(demo.get_by_role("button", name=mask, exact=True)).wait_for()


def looks(prompt, mask):
    """The weights of all layers and heads, [4, 4, 77, 77]."""
    trace = encoded(prompt, mask).trace
    return torch.stack([trace[f"encoder.layers.{n}.self_attn.weights"][0] for n in range(4)])


def test_graphs_measure_rows_and_average_heads():
    prompt, mask = "a running dog", "both (M)"
    now, usual = (encoded(prompt, one).context[0] for one in (mask, "causal (SD 1.5)"))
    (distance,) = Distance()(now, usual)
    assert torch.equal(distance == 0, torch.arange(77) <= 4)
    assert torch.allclose(distance, moved(prompt, mask), atol=1e-6)
    (mean,) = Looks()(looks(prompt, mask))
    assert torch.equal(mean > 0, seen(prompt, mask))
    assert torch.allclose(mean.sum(dim=-1), torch.ones(77))


def test_what_is_typed_fills_the_slots(live):
    demo = live("slots")
    demo.get_by_label("Your prompt").fill("two red hearts")
    demo.locator(".cld-slots-cell", has_text="hearts").wait_for()
    cells = demo.locator(".cld-slots-cell span").all_text_contents()
    assert cells == ["BOS", "two", "red", "hearts", "EOS", *["PAD"] * 72]
    rows = table(demo)
    assert [int(row[2]) for row in rows] == ids_of("two red hearts")[0].tolist()
    assert [row[3] for row in rows] == ["1"] * 5 + ["0"] * 72
    assert "3 tokens for 75 slots between BOS and EOS: 72 filled with PAD" in demo.inner_text()


def test_rows_move_as_in_python(live):
    prompt = "a red cat"
    demo = live("slots", state={"prompt": prompt, "row": 2})
    for mask in MASKS:
        press(demo, mask)
        allowed, expected = seen(prompt, mask), moved(prompt, mask)
        last = [int(row.nonzero().max()) for row in allowed]
        assert read(demo, "Row").startswith(f"Row 2 (red) sees slots 0–{last[2]}")
        rows = table(demo)
        assert [row[4] for row in rows] == [f"0–{at}" for at in last]
        shown = torch.tensor([float(row[5]) for row in rows])
        assert torch.equal(shown == 0, expected == 0)
        assert torch.allclose(shown, expected, atol=NEAR)


def test_a_pad_mask_moves_nothing_up_to_eos(live):
    demo = live("slots")
    reveal(demo, "hide the padding")
    assert "exactly 0" in read(demo, r"^Row 4 \(EOS\)")
    assert "rows 0–4 are the same to the last bit, and rows 5–76 moved by" in demo.inner_text()
    assert torch.equal(moved("a running dog", "both (M)") == 0, torch.arange(77) <= 4)


def test_the_dragon_falls_off(live):
    demo = live("slots")
    reveal(demo, "the dragon comes last")
    demo.locator(".cld-slots-lost s", has_text="dragon").wait_for()
    assert "did not move: exactly 0" in read(demo, r"^Row 76 \(EOS\) sees slots 0–76\.")
    prompt = demo.get_by_label("Your prompt").input_value()
    for tokenizer in (clip().tokenizer, cliplab.CLIPTokenizer()):
        ids = tokenizer(prompt)
        with pytest.warns(cliplab.TruncationWarning):
            cut = cliplab.length_normalization(ids)
        assert tokenizer.tokens(ids)[-2] == "dragon</w>"
        assert tokenizer.content("dragon")[0] not in cut.tolist()
    lost = clip().tokenizer.tokens(clip().tokenizer(prompt))[76:-1]
    lost = [token.removesuffix("</w>") for token in lost]
    assert len(lost) == 12
    assert demo.locator(".cld-slots-lost s").all_text_contents() == lost
    assert "all 77 rows are the same to the last bit" in demo.inner_text()
    assert [row[1] for row in table(demo)[77:]] == lost
    demo.get_by_label("Your prompt").fill(prompt + " in red")
    demo.locator(".cld-slots-lost s", has_text="red").wait_for()
    assert "89 tokens for 75 slots between BOS and EOS: 14 fell off" in demo.inner_text()


def test_without_a_mask_every_row_moves(live):
    demo = live("slots")
    reveal(demo, "no mask")
    read(demo, r"^Row 0 \(BOS\) sees slots 0–76\. Its context moved by [\d.]+\.")
    assert "no row is the same" in demo.inner_text()
    assert (moved("a running dog", "none") > 0).all()
    first = [encoded(p, "causal (SD 1.5)").context[0, 0] for p in ("a running dog", "a red cat")]
    assert torch.equal(*first)  # what the question says of BOS


def test_the_keys_walk_over_slots_and_cells(live):
    demo = live("slots")
    strip = demo.get_by_role("application", name="77 slots")
    strip.press("ArrowLeft")
    read(demo, r"^Row 2 \(running\) sees slots 0–2, as in SD 1\.5\.$")
    strip.press("ArrowDown")
    read(demo, r"^Row 13 \(PAD\)")
    field = demo.get_by_role("application", name="Rows that look")
    field.press("Home")
    said = read(demo, r"^Row 13 .* slot 0 \(BOS\)\.$")
    weight = looks("a running dog", "causal (SD 1.5)").mean(dim=(0, 1))[13, 0].item()
    assert int(re.search(r"gives (\d+) %", said)[1]) / 100 == pytest.approx(weight, abs=NEAR)
    field.press("End")
    read(demo, r"Slot 76 \(PAD\) is hidden from it\.$")


def test_the_mouse_looks_and_a_click_chooses(live):
    demo = live("slots")
    dog, cell = r"^Row 3 \(dog\) sees", demo.locator(".cld-slots-cell").nth(40)
    cell.hover()
    read(demo, r"^Row 40 \(PAD\)")
    demo.get_by_label("Your prompt").hover()
    read(demo, dog)
    cell.click()
    demo.get_by_label("Your prompt").hover()
    read(demo, r"^Row 40 \(PAD\)")
