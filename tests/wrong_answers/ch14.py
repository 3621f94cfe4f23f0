"""Answers to the exercises of chapter 14, right ones and wrong ones."""

import torch
import torch.nn.functional as F


def rivals(N, parts, way):
    together = N // parts if way in ("accumulated", "alone") else N
    return together - 1


def cached(encode, x, loss_of, micro):
    with torch.no_grad():
        vectors = torch.cat([encode(part) for part in x.split(micro)])
    return passed_on(encode, x, loss_of, micro, vectors)


def passed_on(encode, x, loss_of, micro, vectors):
    vectors.requires_grad_()
    loss = loss_of(vectors)
    loss.backward()
    for part, gradient in zip(x.split(micro), vectors.grad.split(micro), strict=True):
        encode(part).backward(gradient)
    return loss.detach()


def by_autograd(encode, x, loss_of, micro):
    with torch.no_grad():
        vectors = torch.cat([encode(x[n : n + micro]) for n in range(0, len(x), micro)])
    vectors = vectors.detach().clone().requires_grad_()
    loss = loss_of(vectors)
    (gradient,) = torch.autograd.grad(loss, vectors)
    for n in range(0, len(x), micro):
        (encode(x[n : n + micro]) * gradient[n : n + micro]).sum().backward()
    return loss.item()


def all_at_once(encode, x, loss_of, micro):
    loss = loss_of(encode(x))
    loss.backward()
    return loss


def graph_of_all(encode, x, loss_of, micro):
    loss = loss_of(torch.cat([encode(part) for part in x.split(micro)]))
    loss.backward()
    return loss


def kept_twice(encode, x, loss_of, micro):
    vectors = torch.cat([encode(part) for part in x.split(micro)]).detach()
    return passed_on(encode, x, loss_of, micro, vectors)


def never_passed_on(encode, x, loss_of, micro):
    with torch.no_grad():
        vectors = torch.cat([encode(part) for part in x.split(micro)])
    return loss_of(vectors)


def passed_on_twice(encode, x, loss_of, micro):
    cached(encode, x, loss_of, micro)
    return cached(encode, x, loss_of, micro)


def sign_turned(encode, x, loss_of, micro):
    return cached(encode, x, lambda vectors: -loss_of(vectors), micro)


def taught(S, T):
    return ((S - T.mean(0)) ** 2).mean()


RIGHT = {
    "14.1": [rivals, lambda N, parts, way: N // (parts if way[0] == "a" else 1) - 1],
    "14.2": [cached, by_autograd],
    "14.3": [taught, lambda S, T: F.mse_loss(S, T.mean(0)), lambda S, T: taught(S, T).item()],
}

WRONG = {
    "14.1": [
        (lambda N, parts, way: rivals(N, parts, way) + 1, "right picture"),
        (lambda N, parts, way: N - 1, "loss of its own"),
        (lambda N, parts, way: rivals(N, parts, "alone" if way == "cached" else way), "GradCache"),
        (lambda N, parts, way: rivals(N, parts, way.replace("alone", "whole")), "gathers nothing"),
        (lambda N, parts, way: N // parts - 1, "nothing is cut"),
        (lambda N, parts, way: 2 * rivals(N, parts, way), "pictures and captions"),
    ],
    "14.2": [
        (all_at_once, "at once"),
        (graph_of_all, "encoded once"),
        (kept_twice, "under no_grad"),
        (never_passed_on, "no gradient"),
        (passed_on_twice, "twice the gradient"),
        (sign_turned, "values differ"),
    ],
    "14.3": [
        (lambda S, T: taught(S, T) * S.numel(), "added up"),
        (lambda S, T: taught(S, T) * S.shape[1], "sum over the pictures"),
        (lambda S, T: taught(S, T) * S.shape[0], "sum over the texts"),
        (lambda S, T: taught(S, T).sqrt(), "root"),
        (lambda S, T: (S - T.mean(0)).abs().mean(), "mean distance"),
        (lambda S, T: (S - T.mean(0)).mean(), "cancel"),
        (lambda S, T: ((S - T.sum(0)) ** 2).mean(), "target is their mean"),
        (lambda S, T: F.mse_loss(S.expand_as(T), T), "apart"),
        (lambda S, T: ((S - T) ** 2).mean((1, 2)), "one loss for each teacher"),
        (lambda S, T: ((S - T[0]) ** 2).mean(), "only the first"),
        (lambda S, T: (S - T.mean(0)) ** 2, "one number"),
        (lambda S, T: 0.5, "should be"),
    ],
}
