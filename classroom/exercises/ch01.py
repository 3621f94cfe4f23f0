"""Checks for chapter 01, from a prompt to a picture."""

import torch

from classroom.exercises import Almost, exercise, expect, trying
from cliplab.text_encoder import CLIPTextConfig


@exercise("01.1", title="Are these ids valid?")
def valid(answer):
    call = trying(answer)
    prompt = [49406, 320, 2761, 1929, 49407]
    cases = [
        (prompt, 49408, 77, "a prompt need not fill all the slots"),
        ([49406, 0, 49407], 49408, 77, "ids start at 0, so 0 is one of them"),
        ([49406, 49408, 49407], 49408, 77, "with 49,408 entries the last id is 49407"),
        ([49406, -1, 49407], 49408, 77, "there are no negative ids"),
        ([60000, 320, 49407], 49408, 77, "look at every id, the first one included"),
        ([49406, 320, 60000], 49408, 77, "look at every id, the last one included"),
        (prompt + [49407] * 72, 49408, 77, "77 ids fit exactly, and an id may come twice"),
        (prompt + [49407] * 73, 49408, 77, "that is one more than fits"),
        ([], 49408, 77, "there has to be at least one id"),
        ([5, 6], 7, 2, "V and L are arguments: here the vocabulary has 7 entries"),
        ([5, 6], 6, 2, "V and L are arguments: here the vocabulary has 6 entries"),
        ([5, 6], 7, 1, "V and L are arguments: here only 1 id fits"),
    ]
    for ids, V, L, reason in cases:
        wanted = 1 <= len(ids) <= L and all(0 <= i < V for i in ids)
        shown = ids if len(ids) < 6 else f"{len(ids)} ids"
        expect(call(ids, V, L), wanted, f"for {shown}, V = {V} and L = {L}", hint=reason)
    return "{0, …, V − 1}, and at most L of them: that is what the encoder accepts."


@exercise("01.2", title="The shape of a context")
def context_shape(answer):
    call = trying(answer)
    prompts = ["a running dog", "a cat", "two owls at night", "rain", "a red bus in the fog"]
    configs = [
        CLIPTextConfig.sd15(),
        CLIPTextConfig.vit_b_32(),
        CLIPTextConfig(600, 16, 48, heads=4, layers=2, mlp_width=96),
    ]
    for c in configs:
        for B in (1, 2, 5):
            where = f"for {B} prompt{'s' if B > 1 else ''}, length {c.context_length} and width "
            where += f"{c.width}"
            most = max(len(prompt.split()) + 2 for prompt in prompts[:B])
            got = call(prompts[:B], c)
            got = list(got) if isinstance(got, (tuple, list)) or hasattr(got, "tolist") else got
            L, D = c.context_length, c.width
            mistakes = [
                ([L, D], "the batch axis is missing; one prompt has B = 1"),
                ([B, D, L], "the slots come before the width: [B, L, D]"),
                ([B, L, c.vocab_size], "the vocabulary decides what goes in, not what comes out"),
                ([B, L, c.mlp_width], "the MLP's width is inside a layer and does not come out"),
                ([B, L, c.head_width], "the heads are put side by side again before the output"),
                ([B, c.layers, L, D], "neither heads nor layers have an axis of their own"),
                ([B, most, D], "that is the number of ids before they are brought to one length"),
                ([B, 77, 768], "read the sizes from the configuration"),
                ([B, 77, D], "read the sizes from the configuration"),
                ([1, L, D], "there is one context for each prompt in the list"),
                ([len(prompts[0]), L, D], "that counts the characters of a prompt, not prompts"),
            ]
            hint = next((reason for shape, reason in mistakes if got == shape), "")
            expect(got, [B, L, D], where, hint=hint)
    return "[B, L, D]: vocabulary, heads, layers and MLP leave no trace in the shape."


@exercise("01.3", title="Negative first")
def guidance_context(answer):
    call = trying(answer)
    drawn = torch.Generator().manual_seed(13)
    for B in (1, 3):
        positive, negative = (torch.randn(B, 77, 768, generator=drawn) for _ in range(2))
        where = f"for two contexts of shape [{B}, 77, 768]"
        got, wanted = call(positive, negative), torch.cat([negative, positive])
        shape = list(getattr(got, "shape", []))
        hint = {
            (2, B, 77, 768): "that has a new axis; use cat, since the U-Net wants a longer batch",
            (B, 154, 768): "that puts the prompts one after the other in one long context",
            (B, 77, 1536): "that puts the two rows of each slot side by side",
            (B, 77, 768): "there should be twice as many contexts as before",
        }.get(tuple(shape), "")
        if shape == list(wanted.shape):
            interleaved = torch.stack([negative, positive], 1).flatten(0, 1)
            for order in (interleaved, torch.stack([positive, negative], 1).flatten(0, 1)):
                if B > 1 and torch.equal(got, order):
                    raise Almost(
                        f"{where} negative and positive take turns; first come all negative "
                        "contexts, then all positive ones."
                    )
            if torch.equal(got, torch.cat([positive, negative])):
                raise Almost(f"{where} the positive contexts come first; diffusers begins with "
                             "the negative ones.")  # fmt: skip
        expect(got, wanted, where, hint=hint)
    return "torch.cat([negative, positive]), the line that stands in diffusers' pipeline."
