"""Answers to the exercises of chapter 11, right ones and wrong ones."""

import torch


def guided(both, g):
    neg, pos = both.chunk(2)
    return neg + g * (pos - neg)


def guided_in_a_loop(both, g):
    B = len(both) // 2
    return torch.stack([(1 - g) * both[i] + g * both[B + i] for i in range(B)])


def halves(both):
    return both.chunk(2)


def in_place(both, g):
    neg, pos = both.chunk(2)
    return neg.add_(g * (pos - neg))


def in_turns(both, g):
    return both[::2] + g * (both[1::2] - both[::2])


def toward(both, g):
    neg, pos = halves(both)
    return pos + g * (neg - pos)


def from_prompt(both, g):
    neg, pos = halves(both)
    return pos + g * (pos - neg)


def way_alone(both, g):
    neg, pos = halves(both)
    return g * (pos - neg)


def no_difference(both, g):
    neg, pos = halves(both)
    return neg + g * pos


def clean(z, eps, now):
    return (z - (1 - now) ** 0.5 * eps) / now**0.5


def step_back(z, eps, now, then):
    return then**0.5 * clean(z, eps, now) + (1 - then) ** 0.5 * eps


def step_by_ratio(z, eps, now, then):
    ratio = (then / now) ** 0.5
    return ratio * z + ((1 - then) ** 0.5 - ratio * (1 - now) ** 0.5) * eps


def step_by_diffusers(z, eps, now, then):
    """The stock scheduler, its table of ᾱ replaced by the two that are asked for."""
    from diffusers import DDIMScheduler

    scheduler = DDIMScheduler(num_train_timesteps=2, clip_sample=False, set_alpha_to_one=False)
    scheduler.alphas_cumprod = torch.tensor([then, now], dtype=torch.float64)
    scheduler.set_timesteps(2)
    return scheduler.step(eps, 1, z).prev_sample.float()


def without_roots(z, eps, now, then):
    return then * (z - (1 - now) * eps) / now + (1 - then) * eps


def noise(seeds, shape):
    return torch.stack(
        [torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    )


def noise_by_cat(seeds, shape):
    draws = [torch.Generator().manual_seed(seed) for seed in seeds]
    return torch.cat([torch.randn((1, *shape), generator=draw) for draw in draws])


def noise_in_numpy(seeds, shape):
    return noise(seeds, shape).numpy()


def one_generator(seeds, shape):
    draw = torch.Generator().manual_seed(seeds[0])
    return torch.randn((len(seeds), *shape), generator=draw)


def by_global_seed(seeds, shape):
    rows = []
    for seed in seeds:
        torch.manual_seed(seed)
        rows.append(torch.randn(shape))
    return torch.stack(rows)


def first_for_all(seeds, shape):
    return noise(seeds[:1] * len(seeds), shape)


def even(seeds, shape):
    draws = [torch.Generator().manual_seed(seed) for seed in seeds]
    return torch.stack([torch.rand(shape, generator=draw) for draw in draws])


def until_none_is_left(end):
    """Takes each seed off the list that was given."""

    def answer(seeds, shape):
        rows = []
        while seeds:
            draw = torch.Generator().manual_seed(seeds.pop(end))
            rows.append(torch.randn(shape, generator=draw))
        return torch.stack(rows)

    return answer


def largest_first(seeds, shape):
    seeds.sort(reverse=True)
    return noise(seeds, shape)


RIGHT = {
    "11.1": [step_back, step_by_ratio, step_by_diffusers],
    "11.2": [guided, guided_in_a_loop, lambda both, g: torch.lerp(*both.chunk(2), g)],
    "11.3": [noise, noise_by_cat, noise_in_numpy, until_none_is_left(0)],
}

WRONG = {
    "11.1": [
        (lambda z, eps, now, then: clean(z, eps, now), "put noise back"),
        (lambda z, eps, now, then: then**0.5 * clean(z, eps, now), "not put back"),
        (lambda z, eps, now, then: step_back(z, eps, now, now), "where it went in"),
        (lambda z, eps, now, then: step_back(z, eps, then, now), "swapped"),
        (without_roots, "square roots"),
        (lambda z, eps, now, then: z - eps, "not ε̂"),
        (lambda z, eps, now, then: then**0.5 * z + (1 - then) ** 0.5 * eps, "out of z"),
        (
            lambda z, eps, now, then: (
                step_back(now**0.5 * z, now**0.5 * eps, now, then)
                + (1 - now**0.5) * (1 - then) ** 0.5 * eps
            ),
            "divide by",
        ),
    ],
    "11.2": [
        (toward, "swapped"),
        (from_prompt, "start from the negative"),
        (way_alone, "way alone"),
        (no_difference, "difference"),
        (lambda both, g: g * halves(both)[1] - halves(both)[0], "drop out"),
        (lambda both, g: g * halves(both)[1], "no part"),
        (lambda both, g: halves(both)[1], "no guidance"),
        (lambda both, g: torch.cat([guided(both, g)] * 2), "not two"),
        (in_place, "changed in place"),
        (lambda both, g: guided(both, g).mean(0), "shape"),
    ],
    "11.3": [
        (one_generator, "whole batch"),
        (by_global_seed, "global generator"),
        (first_for_all, "first seed"),
        (even, "normal"),
        (lambda seeds, shape: torch.cat([*noise(seeds, shape)]), "stack"),
        (lambda seeds, shape: noise(seeds, shape)[0], "shape"),
        (lambda seeds, shape: torch.randn(len(seeds), *shape), "differ"),
        (until_none_is_left(-1), "differ"),
        (largest_first, "differ"),
    ],
}
