"""SDXL's two text encoders: the same words, twice, side by side."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..text_encoder import CLIPTextModel


@dataclass(repr=False)
class SDXLOutput:
    """What comes out of the pair.

    context [B, L, D_1 + D_2]: 768 + 1,280 in SDXL; what the U-Net's cross-attention reads.
    pooled [B, E]: of the second encoder, projected; the U-Net adds it to its time embedding.
    """

    context: Tensor
    pooled: Tensor

    def __repr__(self) -> str:
        return f"SDXLOutput(context {list(self.context.shape)}, pooled {list(self.pooled.shape)})"


class SDXLTextEncoders(nn.Module):
    """Two CLIPs: the last hidden state but one of each, without the final norm, side by side.

    first, second  encoders of one context_length, such as CLIP ViT-L/14's and, with GELU and a
                   text projection, OpenCLIP ViT-bigG/14's

    Raises ValueError for a second encoder that has no projection, and for two lengths.
    Source: Podell et al. 2023, §2.1; diffusers 0.42.1, StableDiffusionXLPipeline.encode_prompt.
    """

    def __init__(self, first: CLIPTextModel, second: CLIPTextModel):
        super().__init__()
        if not second.config.projection:
            raise ValueError(
                "The second encoder has no text projection, which SDXL's pooled row goes through. "
                "Set projection in its configuration; or are the two the wrong way round?"
            )
        lengths = [encoder.config.context_length for encoder in (first, second)]
        if lengths[0] != lengths[1]:
            raise ValueError(
                f"The rows of two encoders of {lengths[0]} and {lengths[1]} positions do not fit "
                "side by side."
            )
        self.text_encoder, self.text_encoder_2 = first, second

    def forward(self, ids, ids_2, clip_skip: int = 0) -> SDXLOutput:
        """Encode B prompts of L tokens; without a mask, as SDXL runs.

        ids: integers [B, L] for the first encoder, padded with EOS (49407).
        ids_2: the same prompts for the second, which was trained with padding 0, the id of "!".
        clip_skip: leave out as many more layers; the pooled row stays.
        Raises ValueError for two shapes, or where no layer would be left.
        """
        outs = [self.text_encoder(ids), self.text_encoder_2(ids_2)]
        states = [out.hidden_states for out in outs]
        most = min(map(len, states)) - 2
        if not 0 <= clip_skip <= most:
            raise ValueError(f"clip_skip counts layers to leave out: 0 to {most}, not {clip_skip}.")
        rows = [state[-2 - clip_skip] for state in states]  # [B, L, D_1], [B, L, D_2]
        if rows[0].shape[:2] != rows[1].shape[:2]:
            shapes = " and ".join(str(list(H.shape[:2])) for H in rows)
            raise ValueError(f"ids and ids_2 hold the same prompts, at one length; not {shapes}.")
        return SDXLOutput(torch.cat(rows, dim=-1), outs[1].text_embeds)
