"""Checks for chapter 09, the VAE: a Gaussian's sample, its KL, and the sizes of latents."""

import math

import torch

from cliplab.vae import DiagonalGaussian, latent_sizes

from . import exercise, expect, same, trying, why


@exercise("09.1", title="A sample, and the clamp")
def sample(answer):
    call = trying(answer)
    draw = torch.Generator().manual_seed(91)
    calm = torch.randn(2, 6, 4, 5, generator=draw)
    wild = torch.cat([0 * calm[:, :3], 40 * calm[:, 3:]], dim=1)  # ln σ² from below −30 to above 20
    for parameters, where in [(calm, "for small numbers"), (wild, "for ln σ² beyond the clamp")]:
        eps = torch.randn(2, 3, 4, 5, generator=draw)
        mean, logvar = parameters.chunk(2, dim=1)
        kept = logvar.clamp(-30, 20)
        std = torch.exp(kept / 2)
        wanted = mean + std * eps
        got = call(parameters, eps)
        even, odd = parameters[:, ::2], parameters[:, 1::2]
        mistakes = [
            (mean + torch.exp(kept) * eps, "that multiplies ε by σ²; the root, σ, is exp(½ ln σ²)"),
            (mean + torch.exp(logvar) * eps, "that multiplies ε by σ²; take σ, and clamp"),
            (mean + kept * eps, "the second half is ln σ², and ε wants σ = exp(½ ln σ²)"),
            (mean + logvar * eps, "the second half is ln σ², and ε wants σ = exp(½ ln σ²)"),
            (mean + kept.abs().sqrt() * eps, "the second half is ln σ², not σ²"),
            (kept + torch.exp(mean / 2) * eps, "the halves are swapped: the means stand first"),
            (logvar + torch.exp(mean.clamp(-30, 20) / 2) * eps, "the halves are swapped: the means "
             "stand first"),
            (even + torch.exp(odd.clamp(-30, 20) / 2) * eps, "the channels are not interleaved: "
             "first all means, then all ln σ²"),
            (mean + eps, "σ is missing"),
            (mean, "that is the mode; a sample adds σ ε"),
            (std * eps, "the mean is missing"),
            (mean + torch.exp(logvar / 2) * eps, "ln σ² is clamped to [−30, 20] before exp"),
            (mean + torch.exp(logvar.clamp(max=20) / 2) * eps, "the clamp has a lower end as well, "
             "−30"),
            (mean + torch.exp(logvar.clamp(min=-30) / 2) * eps, "the clamp has an upper end as "
             "well, 20"),
            (mean + torch.exp((logvar / 2).clamp(-30, 20)) * eps, "the clamp is on ln σ², before "
             "it is halved"),
            (mean + torch.exp(logvar / 2).clamp(-30, 20) * eps, "the clamp is on ln σ², not on σ"),
        ]  # fmt: skip
        # σ goes from e⁻¹⁵ to e¹⁰, so all is compared in units of it.
        mistakes = [(w / std, why) for w, why in mistakes if not same(w / std, wanted / std)]
        fits = getattr(got, "shape", None) == wanted.shape
        reason = next((why for w, why in mistakes if fits and same(got / std, w)), "")
        expect(got / std if fits else got, wanted / std if fits else wanted, where, reason)
    return "one number from the mean, one from the noise, and σ never 0 nor infinite."


@exercise("09.2", title="KL to the standard normal")
def kl(answer):
    call = trying(answer)
    draw = torch.Generator().manual_seed(92)
    mean = torch.randn(3, 2, 4, 4, generator=draw)
    logvar = torch.randn(3, 2, 4, 4, generator=draw) - 1
    var, std = logvar.exp(), (logvar / 2).exp()
    terms = (mean**2 + var - 1 - logvar) / 2
    wanted = DiagonalGaussian(torch.cat([mean, logvar], dim=1)).kl()
    backward = ((1 + mean**2) / var - 1 + logvar) / 2  # KL(N(0, 1) ‖ q)
    mistakes = [
        (terms.sum(), "one number for each picture, [B]: the batch axis stays"),
        (terms.mean(), "sum over C, h, w, and keep the batch axis"),
        (terms.mean(dim=(1, 2, 3)), "the numbers of one latent are independent, so their KLs add "
         "up: sum, not mean"),
        (terms.sum(dim=1), "sum over C, h and w, all three"),
        (terms, "sum over C, h and w"),
        (2 * wanted, "the factor ½ is missing"),
        (-wanted, "the sign: KL is never negative"),
        (((mean**2 + std - 1 - logvar) / 2).sum(dim=(1, 2, 3)), "that has σ where σ² belongs; σ² = "
         "exp(ln σ²)"),
        (((mean**2 + logvar - 1 - var) / 2).sum(dim=(1, 2, 3)), "σ² and ln σ² are exchanged"),
        (((mean**2 + var - 1 + logvar) / 2).sum(dim=(1, 2, 3)), "ln σ² is subtracted"),
        (((mean**2 + var - logvar) / 2).sum(dim=(1, 2, 3)), "the −1 is missing: at μ = 0, σ = 1 "
         "the KL is 0"),
        (((mean + var - 1 - logvar) / 2).sum(dim=(1, 2, 3)), "μ is squared"),
        (((var - 1 - logvar) / 2).sum(dim=(1, 2, 3)), "μ² is missing"),
        (backward.sum(dim=(1, 2, 3)), "that is the KL the other way round, from the standard "
         "normal to this Gaussian"),
        (wanted / math.log(2), "that is in bits; nats are asked for"),
    ]  # fmt: skip
    got = call(mean, logvar)
    reason = why(got, wanted, mistakes)
    expect(got, wanted, "for [3, 2, 4, 4]", reason, tolerance=1e-3)
    zero = torch.zeros(2, 1, 3, 3)
    expect(call(zero, zero), torch.zeros(2), "at μ = 0, ln σ² = 0")
    return "0 for the standard normal itself, and more for whatever is known about a picture."


@exercise("09.3", title="The size that comes back")
def round_trip(answer):
    call = trying(answer)
    for side, halvings in [(298, 3), (300, 3), (512, 3), (31, 3), (100, 2), (33, 4), (5, 0)]:
        sides = latent_sizes(side, halvings)
        wanted = [sides[halvings], sides[-1]]
        got = call(side, halvings)
        got = got.tolist() if hasattr(got, "tolist") else got
        got = list(got) if isinstance(got, (tuple, list)) else got
        up = side
        for _ in range(halvings):
            up = -(-up // 2)
        latent, factor = wanted[0], 2**halvings
        mistakes = [
            ([round(side / factor), round(side / factor) * factor], "each halving rounds down"),
            ([up, up * factor], "an odd side is rounded down; yours is rounded up, as a padding "
             "on both sides would do"),
            ([latent, side], "the decoder doubles, and knows nothing of what was rounded away"),
            (wanted[::-1], "the latent's side comes first, then the decoded one"),
            ([side // 8, side // 8 * 8], "the number of halvings is an argument, not always 3"),
            (latent, "two numbers are asked for, the latent's side and the decoded one"),
            (wanted[1], "two numbers are asked for, the latent's side and the decoded one"),
        ]  # fmt: skip
        reason = why(got, wanted, mistakes)
        if isinstance(got, list) and any(isinstance(n, float) and n % 1 for n in got):
            reason = reason or "sides are whole numbers: each halving rounds down"
        expect(got, wanted, f"for a side of {side} and {halvings} halvings", reason)
    return "what the encoder rounds away, the decoder cannot bring back."
