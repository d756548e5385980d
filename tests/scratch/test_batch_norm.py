"""scratch.nn.BatchNorm1d, 2d, 3d and scratch.functional.batch_norm do what torch's do, over all arguments."""

import copy
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import nn as torch_nn

from scratch import nn


@dataclass
class Case:
    """A layer, its arguments, and an input that fits it."""

    name: str
    features: int
    options: dict[str, Any]
    shape: tuple[int, ...]


def twins(case: Case, dtype: torch.dtype = torch.float64) -> tuple[torch_nn.Module, torch_nn.Module]:
    """Our layer and torch's, with the same random parameters."""
    ours = getattr(nn, case.name)(case.features, **case.options, dtype=dtype)
    theirs = getattr(torch_nn, case.name)(case.features, **case.options, dtype=dtype)
    for parameter in theirs.parameters():
        torch_nn.init.normal_(parameter)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def results(layer: torch_nn.Module, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """Output, all first derivatives for a gradient that differs from place to place, and all buffers."""
    x = x.clone().requires_grad_()
    output = layer(x)
    grad = torch.cos(torch.arange(output.numel(), dtype=output.dtype)).reshape(output.shape)
    named = {"input": x, **dict(layer.named_parameters())}
    gradients = torch.autograd.grad(output, list(named.values()), grad)
    seen = {"output": output.detach(), **dict(zip(named, gradients, strict=True))}
    return seen | {f"buffer {name}": buffer.clone() for name, buffer in layer.named_buffers()}


@pytest.mark.parametrize("source", [nn, torch_nn], ids=["ours", "torch"])
def test_an_old_state_has_no_count(source: Any) -> None:
    layer = source.BatchNorm1d(3)
    layer(torch.randn(4, 3))
    old = {name: value for name, value in layer.state_dict().items() if name != "num_batches_tracked"}
    fresh = nn.BatchNorm1d(3)
    fresh.load_state_dict(old)
    assert fresh.num_batches_tracked == 0
    new = layer.state_dict()
    del new["num_batches_tracked"]
    with pytest.raises(RuntimeError, match="num_batches_tracked"):
        fresh.load_state_dict(new)


@pytest.mark.parametrize("vectors", ["same", "float32"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_dtypes(dtype: torch.dtype, vectors: str) -> None:
    case = Case("BatchNorm2d", 4, {}, (3, 4, 5, 5))
    ours, theirs = twins(case, dtype if vectors == "same" else torch.float32)
    eps = torch.finfo(dtype).eps
    for training in (True, False):
        x = torch.randn(case.shape).to(dtype)
        expected, got = results(theirs.train(training), x), results(ours.train(training), x)
        assert {k: v.dtype for k, v in got.items()} == {k: v.dtype for k, v in expected.items()}
        torch.testing.assert_close(got, expected, rtol=16 * eps, atol=16 * eps)


@pytest.mark.parametrize("mean", [0.0, 1e2, 1e4, 1e6])
def test_a_large_mean_in_float32(mean: float) -> None:
    torch.manual_seed(0)
    x = torch.randn(16, 8, 6, 6) + mean
    exact = torch_nn.BatchNorm2d(8, dtype=torch.float64)
    truth = results(exact, x.double())
    errors = []
    for layer in (nn.BatchNorm2d(8), torch_nn.BatchNorm2d(8)):
        seen = results(layer, x)
        errors.append(max((seen[k].double() - truth[k]).abs().max() / truth[k].abs().max() for k in truth))
    assert errors[0] <= 10 * errors[1]


@pytest.mark.parametrize("tracked", [True, False])
def test_tracking_switched_off_later(tracked: bool) -> None:
    ours, theirs = twins(Case("BatchNorm1d", 3, {"track_running_stats": True}, (4, 3)))
    x = torch.randn(4, 3, dtype=torch.float64) + 3
    for layer in (ours, theirs):
        layer.track_running_stats = tracked
    for mode in (True, False):
        torch.testing.assert_close(results(ours.train(mode), x), results(theirs.train(mode), x))


def test_reset() -> None:
    layer = nn.BatchNorm2d(3, momentum=None)
    fresh = copy.deepcopy(layer.state_dict())
    layer(torch.randn(2, 3, 4, 4) + 1)
    layer.reset_running_stats()
    torch.testing.assert_close(layer.state_dict(), fresh)
