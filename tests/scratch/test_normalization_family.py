"""scratch.nn's and scratch.functional's normalizations do what torch's do, over all arguments."""

import copy
from typing import Any

import pytest
import torch
from torch import nn as torch_nn

from scratch import nn

Case = tuple[str, dict[str, Any], tuple[int, ...]]  # class, arguments, shape of an input


def twins(case: Case, dtype: torch.dtype = torch.float64) -> tuple[torch_nn.Module, torch_nn.Module]:
    """Our layer and torch's, with the same random parameters."""
    name, options, _ = case
    theirs = getattr(torch_nn, name)(**options).to(dtype)
    for parameter in theirs.parameters():
        torch_nn.init.normal_(parameter)
    ours = getattr(nn, name)(**options).to(dtype)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


USUAL: dict[str, Case] = {
    "LayerNorm": ("LayerNorm", {"normalized_shape": (5, 7)}, (2, 4, 5, 7)),
    "RMSNorm": ("RMSNorm", {"normalized_shape": 7}, (2, 4, 5, 7)),
    "GroupNorm": ("GroupNorm", {"num_groups": 2, "num_channels": 4}, (2, 4, 5, 7)),
    "LocalResponseNorm": ("LocalResponseNorm", {"size": 3, "alpha": 0.1}, (2, 4, 5, 7)),
    "InstanceNorm2d": ("InstanceNorm2d", {"num_features": 4, "affine": True}, (2, 4, 5, 7)),
}


@pytest.mark.parametrize("name", ["LayerNorm", "GroupNorm", "InstanceNorm2d"])
def test_float32_parameters_beside_a_half_input(name: str) -> None:
    ours, theirs = twins(USUAL[name], torch.float32)
    x = torch.randn(USUAL[name][2]).bfloat16()
    torch.testing.assert_close(ours(x), theirs(x), rtol=0.02, atol=0.02)


@pytest.mark.parametrize("name", USUAL)
def test_a_large_mean_costs_no_more_than_four_times_torchs_error(name: str) -> None:
    """On average over inputs: a single one may be lucky, since the mean itself is rounded to 0.001."""
    ours, theirs = twins(USUAL[name], torch.float32)
    exact_layer = copy.deepcopy(theirs).double()
    errors = torch.zeros(2, dtype=torch.float64)
    for _ in range(100):
        x = torch.randn(USUAL[name][2]) + 1e4
        exact = exact_layer(x.double())
        for i, layer in enumerate((ours, theirs)):
            errors[i] += (layer(x).double() - exact).detach().abs().max() / exact.detach().abs().max()
    assert errors[0] <= 4 * errors[1]
