"""LayerNorm and QuickGELU as people write them: what chapter 5 and assignment 2 both look for."""

import torch
import torch.nn.functional as F


def norm(x, gamma, beta, eps, axis=-1, correction=0, outside=False, power=0.5):
    """LayerNorm, and its misreadings; `outside`: eps is added to the root."""
    var = x.var(axis, keepdim=True, correction=correction)
    divisor = var.sqrt() + eps if outside else (var + eps) ** power
    return gamma * (x - x.mean(axis, keepdim=True)) / divisor + beta


def misread_norms(x, gamma, beta, eps) -> list[tuple]:
    """What each misreading gives for rows x [..., L, D], and the reason."""
    return [
        (norm(x, gamma, beta, eps, correction=1), "the variance divides by D, not by D − 1"),
        (norm(x, gamma, beta, eps, outside=True), "eps belongs inside the root"),
        (
            norm(x, gamma, beta, eps, axis=-2),
            "each row has its own mean and variance, along the last axis; yours is the wrong axis",
        ),
        (norm(x, 1, 0, eps), "gamma and beta are not used"),
        (norm(x, gamma, 0, eps), "beta is not added"),
        (norm(x, gamma, beta, eps, power=1), "divide by the root of the variance"),
        (norm(x, gamma, beta, 1e-5), "eps is not used as it is given"),
        (norm(x, gamma, beta, 0), "eps is missing, and a constant row became 0/0"),
    ]


def misread_quick_gelus(u) -> list[tuple]:
    """What each misreading gives for numbers u of any shape, and the reason."""
    exp = torch.exp(1.702 * u)
    return [
        (F.gelu(u, approximate="tanh"), "that is GELU by its tanh formula, not by a sigmoid"),
        (F.silu(u), "the sigmoid takes 1.702 u; without the factor this is SiLU"),
        (torch.sigmoid(1.702 * u), "the factor u in front of the sigmoid is missing"),
        (1.702 * F.silu(u), "1.702 stands inside the sigmoid, not in front of it"),
        (F.silu(1.702 * u), "1.702 stands inside the sigmoid alone"),
        (u * torch.sigmoid(-1.702 * u), "the exponent is −1.702 u; yours has the other sign"),
        (u * exp / (1 + exp), "exp overflows at u = 100: use torch.sigmoid, or 1 / (1 + exp(−x))"),
    ]
