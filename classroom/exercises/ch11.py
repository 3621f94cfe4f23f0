"""Checks for chapter 11: from prompt to picture."""

import torch

from . import Almost, exercise, expect, random, trying, why


@exercise("11.1", title="One step back")
def step_back(answer):
    call = trying(answer)
    for shape, now, then in [((1, 4, 3, 3), 0.2, 0.35), ((2, 8, 2, 2), 0.7, 0.9)]:
        where = f"from ᾱ = {now} to {then}"
        z, eps = random(*shape, seed=shape[0]), random(*shape, seed=9)
        keep, add, keep_then, add_then = (x**0.5 for x in (now, 1 - now, then, 1 - then))
        clean = (z - add * eps) / keep
        wanted = keep_then * clean + add_then * eps
        reasons = [
            (clean, "this is the guess of the clean latent. Only the last step goes so far; put "
             "noise back, as much as belongs to the next ᾱ"),
            (keep_then * clean, "the noise of the next step is not put back: + √(1 − ᾱ′) ε̂"),
            (keep * clean + add * eps, "this comes out where it went in: put noise back by the "
             "next ᾱ, not by the one you come from"),
            (keep_then * (z - add * eps) + add_then * eps, "divide by √ᾱ to get the clean latent"),
            (then * ((z - (1 - now) * eps) / now) + (1 - then) * eps, "the square roots are "
             "missing: ᾱ is a share of variance"),
            (keep * (z - add_then * eps) / keep_then + add * eps, "the two ᾱ are swapped: this "
             "step makes the latent noisier"),
            (keep_then * z + add_then * eps, "take the noise out of z before you put less back"),
            (z - eps, "the noise in z is not ε̂ but √(1 − ᾱ) ε̂"),
        ]  # fmt: skip
        got = call(z, eps, now, then)
        expect(got, wanted, where, why(got, wanted, reasons))
    return "take all noise out, by the estimate, and put less of it back: that is DDIM."


@exercise("11.2", title="Classifier-free guidance")
def guided(answer):
    call = trying(answer, kept=["the estimate"])
    for B, g in [(1, 7.5), (3, 2.0), (2, 1.0)]:
        where = f"for {B} picture{'s' * (B > 1)} and g = {g:g}"
        both = random(2 * B, 4, 3, 3, seed=B)
        neg, pos = both.chunk(2)
        got = call(both, g)
        wanted = neg + g * (pos - neg)
        reasons = [
            (pos + g * (neg - pos), "the halves are swapped: the negatives come first, so this "
             "walks toward the negative prompt"),
            (pos + g * (pos - neg), "start from the negative's estimate. From the prompt's, g = 0 "
             "would mean no guidance, as the paper counts; diffusers counts from 1"),
            (g * (pos - neg), "this is the way alone: it starts at the negative's estimate"),
            (neg + g * pos, "the way is the difference of the two estimates, not the prompt's"),
            (g * pos - neg, "at g = 1 the negative must drop out, and here it does not"),
            (g * pos, "the negative has no part in this"),
            (pos, "this is g = 1: no guidance"),
            (both[::2] + g * (both[1::2] - both[::2]), "the batch is all negatives, then all "
             "prompts; you take them in turns"),
            (torch.cat([wanted, wanted]), "give one estimate for each picture, not two"),
        ]  # fmt: skip
        expect(got, wanted, where, why(got, wanted, reasons))
    return "at g = 1 the negative drops out, and beyond it the difference is stretched."


@exercise("11.3", title="Noise from seeds")
def noise(answer):
    call = trying(answer)
    for seeds, shape in [([0, 1, 2], (4, 2, 3)), ([7, 7], (4, 8, 8)), ([12], (8, 1, 5))]:
        where = f"for the seeds {seeds} and the shape {shape}"
        torch.manual_seed(41)
        before = torch.get_rng_state()
        got = call(seeds, shape)
        touched = not torch.equal(before, torch.get_rng_state())
        torch.set_rng_state(before)
        B, first = len(seeds), torch.Generator().manual_seed(seeds[0])
        wanted = torch.stack([random(*shape, seed=seed) for seed in seeds])  # [B, C, h, w]
        total = torch.Generator().manual_seed(sum(seeds))
        even = [torch.rand(shape, generator=torch.Generator().manual_seed(s)) for s in seeds]
        reasons = [
            (torch.randn((B, *shape), generator=first), "one generator draws for the whole batch, "
             "so a picture depends on its place in it: give each its own"),
            (torch.randn((B, *shape), generator=total), "one generator draws for the whole batch: "
             "give each picture its own"),
            (random(*shape, seed=seeds[0]).expand(B, *shape), "all pictures get the first seed's "
             "noise"),
            (torch.stack(even), "this is drawn evenly from 0 to 1; noise is normal: torch.randn"),
            (torch.cat([random(*shape, seed=s) for s in seeds]), "the pictures run into one "
             "another along the channels: stack them, [B, C, h, w]"),
        ]  # fmt: skip
        expect(got, wanted, where, why(got, wanted, reasons))
        if touched:
            raise Almost(
                "the noise is right, but torch's global generator has moved: whoever draws from it "
                "next gets other numbers. Use torch.Generator().manual_seed(seed)."
            )
    return "a picture depends on its own seed alone, in any batch, on any machine."
