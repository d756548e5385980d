"""scratch.nn.Conv2d, ConvTranspose2d and their functions do what torch's do, over all arguments."""

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import nn as torch_nn

from scratch import nn

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")


@dataclass
class Case:
    """Arguments of one layer and an input that fits it."""

    name: str
    in_channels: int
    out_channels: int
    options: dict[str, Any]
    shape: tuple[int, ...]


def twins(case: Case, dtype: torch.dtype = torch.float64) -> tuple[torch_nn.Module, torch_nn.Module]:
    """Our layer and torch's, with torch's parameters."""
    ours, theirs = (
        getattr(package, case.name)(case.in_channels, case.out_channels, **case.options, dtype=dtype)
        for package in (nn, torch_nn)
    )
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def results(layer: torch_nn.Module, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """Output and all first derivatives, for a gradient that differs from place to place."""
    x = x.clone().requires_grad_()
    output = layer(x)
    grad = torch.cos(torch.arange(output.numel(), dtype=output.dtype)).reshape(output.shape)
    names, parameters = zip(*layer.named_parameters(), strict=True)
    gradients = torch.autograd.grad(output, (x, *parameters), grad)
    return {"output": output.detach(), **dict(zip(("input", *names), gradients, strict=True))}


SAMPLES = [
    Case("Conv2d", 4, 6, {"kernel_size": 3, "stride": 2, "padding": 1, "groups": 2}, (2, 4, 9, 10)),
    Case("Conv2d", 4, 8, {"kernel_size": (3, 5), "padding": "same", "groups": 4}, (2, 4, 9, 10)),
    Case("Conv2d", 4, 6, {"kernel_size": 3, "dilation": 2, "padding": 2}, (2, 4, 9, 10)),
    Case("ConvTranspose2d", 4, 6, {"kernel_size": 3, "stride": 2, "output_padding": 1, "groups": 2}, (2, 4, 5, 6)),
]
EACH_SAMPLE = pytest.mark.parametrize("case", SAMPLES, ids=lambda case: f"{case.name}-{case.options}")


@EACH_SAMPLE
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.complex64], ids=str)
def test_dtypes(case: Case, dtype: torch.dtype) -> None:
    ours, theirs = twins(case, dtype)
    x = torch.randn(case.shape, dtype=dtype)
    expected = theirs(x)
    assert ours(x).dtype == expected.dtype
    eps = torch.finfo(dtype).eps
    torch.testing.assert_close(ours(x), expected, rtol=8 * eps, atol=8 * eps)


@EACH_SAMPLE
def test_autocast_gives_the_dtype_that_torch_gives(case: Case) -> None:
    ours, theirs = twins(case, torch.float32)
    x = torch.randn(case.shape)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert ours(x).dtype == theirs(x).dtype == torch.bfloat16
        torch.testing.assert_close(ours(x), theirs(x), rtol=2e-2, atol=2e-2)
        assert ours.double()(x.double()).dtype == torch.float64


@EACH_SAMPLE
def test_compiles_to_one_graph(case: Case) -> None:
    ours, theirs = twins(case, torch.float32)
    x = torch.randn(case.shape)
    compiled = torch.compile(ours, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(results(compiled, x)["output"], results(theirs, x)["output"])


@EACH_SAMPLE
def test_layouts(case: Case) -> None:
    """The output is channels last where torch's is, and contiguous elsewhere."""
    ours, theirs = twins(case, torch.float32)
    x = torch.randn(case.shape)
    assert ours(x).stride() == theirs(x).stride()
    if case.name == "Conv2d":
        x = x.contiguous(memory_format=torch.channels_last)
        assert ours(x).is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(ours(x), theirs(x))


@EACH_SAMPLE
@pytest.mark.filterwarnings("ignore:There is a performance drop")
def test_vmap_and_the_meta_device(case: Case) -> None:
    ours, theirs = twins(case)
    x = torch.randn(3, *case.shape, dtype=torch.float64)
    torch.testing.assert_close(torch.func.vmap(ours)(x), torch.stack([theirs(part) for part in x]))
    there = ours.to("meta")(x[0].to("meta"))
    assert there.shape == theirs(x[0]).shape


@pytest.mark.parametrize("kernel_size", [2, 3])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_output_size(kernel_size: int, stride: int) -> None:
    options = {"kernel_size": kernel_size, "stride": stride, "padding": 1}
    ours, theirs = twins(Case("ConvTranspose2d", 2, 2, options, ()))
    x = torch.randn(1, 2, 4, 5, dtype=torch.float64)
    for h in range(1, 16):
        for size in ((h, 13), (13, h), (1, 2, h, h)):
            try:
                expected = theirs(x, output_size=size)
            except ValueError:
                with pytest.raises(ValueError):
                    ours(x, output_size=size)
            else:
                torch.testing.assert_close(ours(x, output_size=size), expected)
