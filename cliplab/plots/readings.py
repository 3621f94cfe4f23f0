"""What stands between a prompt and the denoiser, pipeline by pipeline: for a diagram.

Which states and rows are taken was measured with diffusers 0.42.1 (`book/pipelines.json`), and a
test holds each of these to it. Widths are those of the released models, as diffusers' denoisers
have them for their defaults.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Encoder:
    """A text encoder: which of its states are taken, and whether its pooled row is.

    states  as transformers numbers them: "[-2]"; none where only the pooled row is taken
    normed  whether the final norm has been applied to them
    pooled  the width of the pooled row, 0 where none is taken
    """

    name: str
    width: int
    states: tuple[str, ...] = ()
    normed: bool = False
    pooled: int = 0


@dataclass(frozen=True)
class Rows:
    """Rows of the context: how many, and what stands side by side in them.

    cells          for each the number of the encoder and of its state; None for zeros
    before, after  what is said of rows of the same state that nobody reads
    """

    count: str
    cells: tuple[tuple[int, int] | None, ...]
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Reading:
    """How a pipeline reads a prompt.

    frame     what the encoders read, one line each
    context   the rows, from top to bottom
    width     numbers in a row of the context
    denoiser  the network that paints, and what it is told of padding
    """

    title: str
    frame: tuple[str, ...]
    encoders: tuple[Encoder, ...]
    context: tuple[Rows, ...]
    width: int
    denoiser: tuple[str, str]


CLIP_L = Encoder("CLIP-L", 768, ("[-2]",))
CLIP_G = Encoder("CLIP-bigG", 1280, ("[-2]",), pooled=1280)
T5 = Encoder("T5-XXL", 4096, ("[-1]",), normed=True)
FRAMED = "BOS, the prompt, EOS, padding: 77 ids"

READINGS = {
    "sd15": Reading(
        "Stable Diffusion 1.5", (FRAMED,), (Encoder("CLIP-L", 768, ("last",), normed=True),),
        (Rows("77 rows", ((0, 0),)),), 768, ("U-Net", "reads all 77 rows"),
    ),
    "sdxl": Reading(
        "SDXL", (FRAMED + ",", "for each, filled up with EOS and with “!”"), (CLIP_L, CLIP_G),
        (Rows("77 rows", ((0, 0), (1, 0))),), 2048,
        ("U-Net", "reads all 77 rows, and the pooled row"),
    ),
    "sd3": Reading(
        "Stable Diffusion 3", (FRAMED + ";", "T5: the prompt, EOS, padding: 256 ids"),
        (Encoder("CLIP-L", 768, ("[-2]",), pooled=768), CLIP_G, T5),
        (Rows("77 rows", ((0, 0), (1, 0), None)), Rows("256 rows", ((2, 0),))), 4096,
        ("transformer", "reads all 333 rows, and the pooled row"),
    ),
    "flux": Reading(
        "Flux.1", (FRAMED + ";", "T5: the prompt, EOS, padding: 512 ids"),
        (Encoder("CLIP-L", 768, pooled=768), T5), (Rows("512 rows", ((1, 0),)),), 4096,
        ("transformer", "reads all 512 rows, and the pooled row"),
    ),
    "flux2": Reading(
        "Flux.2", ("a system message, the prompt in the user’s turn,", "padding: 512 ids"),
        (Encoder("Mistral 3", 5120, ("[10]", "[20]", "[30]")),),
        (Rows("512 rows", ((0, 0), (0, 1), (0, 2))),), 15360, ("transformer", "gets no mask"),
    ),
    "qwen_image": Reading(
        "Qwen-Image", ("a system message, the prompt in the user’s turn,", "“assistant”"),
        (Encoder("Qwen2.5-VL", 3584, ("[-1]",), normed=True),),
        (Rows("the prompt’s rows and 5", ((0, 0),), before="the first 34 rows: dropped"),), 3584,
        ("transformer", "gets a mask where prompts differ in length"),
    ),
    "z_image": Reading(
        "Z-Image", ("the prompt in the user’s turn, “assistant”,", "padding: 512 ids"),
        (Encoder("Qwen3", 2560, ("[-2]",)),),
        (Rows("rows of template and prompt", ((0, 0),), after="rows of padding: dropped"),), 2560,
        ("transformer", "gets a list: to each prompt its own length"),
    ),
}  # fmt: skip
