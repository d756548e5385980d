"""Unfold and Fold do what torch's do, over all arguments; the rungs do what torch's convolution does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
import torch.nn.functional as torch_functional
from hypothesis import given, settings
from hypothesis import strategies as st

from scratch import fast_convolution, functional

RUNGS: dict[str, Callable[..., torch.Tensor]] = {
    name: getattr(fast_convolution, f"conv2d_{name}")
    for name in ("loops", "windows", "shift_and_add", "long_row", "winograd", "fft", "fast")
}


@dataclass
class Case:
    """Arguments of `unfold` and an input that fits them."""

    options: dict[str, Any]
    shape: tuple[int, ...]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    def numbers(low: int, high: int) -> Any:
        one = st.integers(low, high)
        return draw(one | st.tuples(one, one) | st.lists(one, min_size=2, max_size=2))

    options = {
        "kernel_size": numbers(1, 4),
        "dilation": numbers(1, 3),
        "padding": numbers(0, 3),
        "stride": numbers(1, 4),
    }
    pairs = {name: (value, value) if isinstance(value, int) else value for name, value in options.items()}
    spans = [d * (k - 1) + 1 - 2 * p for k, d, p in zip(*list(pairs.values())[:3], strict=True)]
    size = [draw(st.integers(max(1, span), max(1, span) + 6)) for span in spans]
    batch = draw(st.sampled_from([(), (0,), (1,), (2,)]))
    return Case(options, (*batch, draw(st.integers(1, 3)), *size))


@given(cases())
def test_fold_is_the_adjoint_of_unfold(case: Case) -> None:
    x = torch.randn(case.shape, dtype=torch.float64)
    columns = functional.unfold(x, **case.options)
    q = torch.randn_like(columns)
    back = functional.fold(q, case.shape[-2:], **case.options)
    torch.testing.assert_close((columns * q).sum(), (x * back).sum())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.complex64, torch.bool], ids=str)
def test_dtypes(dtype: torch.dtype) -> None:
    x = torch.randn(2, 3, 6, 5).to(dtype)
    expected = torch_functional.unfold(x, 3, padding=1)
    ours = functional.unfold(x, 3, padding=1)
    assert ours.dtype == dtype and torch.equal(ours, expected)
    back, their_back = (f.fold(expected, (6, 5), 3, padding=1) for f in (functional, torch_functional))
    assert back.dtype == their_back.dtype
    torch.testing.assert_close(back, their_back, rtol=2e-2, atol=4e-2)


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    kernel, padding = draw(st.tuples(st.integers(1, 4), st.integers(1, 5))), draw(st.integers(0, 3))
    size = [draw(st.integers(max(1, k - 2 * padding), max(1, k - 2 * padding) + 4)) for k in kernel]
    N, C_in, C_out = draw(st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4)))
    return (N, C_in, *size), (C_out, C_in, *kernel), padding


@pytest.mark.parametrize("name", RUNGS)
@settings(max_examples=25)
@given(convolutions(), st.booleans(), st.sampled_from([2, 4]))
def test_rungs(name: str, case: tuple[tuple[int, ...], tuple[int, ...], int], with_bias: bool, outputs: int) -> None:
    size, kernel, padding = case
    options: dict[str, Any] = {}
    if name == "winograd":
        kernel, padding, options = (*kernel[:2], 3, 3), padding + 1, {"outputs": outputs}
    shapes = [size, kernel, kernel[:1]] if with_bias else [size, kernel]
    leaves = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    ours, theirs = RUNGS[name](*leaves, padding=padding, **options), torch_functional.conv2d(*leaves, padding=padding)
    torch.testing.assert_close(ours, theirs)
    if name != "loops":
        grad = torch.randn_like(theirs)
        torch.testing.assert_close(*(torch.autograd.grad(output, leaves, grad) for output in (ours, theirs)))


def test_many_channels_take_winograd() -> None:
    x, weight = torch.randn(1, 128, 5, 6), torch.randn(128, 128, 3, 3) / 34
    assert torch.equal(fast_convolution.conv2d_fast(x, weight), fast_convolution.conv2d_winograd(x, weight))
    with pytest.raises(ValueError, match="weight"):
        fast_convolution.conv2d_winograd(x, torch.randn(1, 128, 2, 3))


@pytest.mark.parametrize("name", [name for name in RUNGS if name != "loops"])
def test_unusual_inputs(name: str) -> None:
    weight = torch.randn(4, 3, 3, 3)
    for x in (
        torch.randn(2, 6, 5, 3).permute(0, 3, 1, 2),
        torch.randn(2, 3, 6, 10)[..., ::2],
        torch.randn(1, 3, 6, 5).expand(4, 3, 6, 5),
    ):
        expected = torch_functional.conv2d(x, weight, padding=1)
        torch.testing.assert_close(RUNGS[name](x, weight, padding=1), expected, rtol=1e-4, atol=1e-4)
    half = RUNGS[name](x.bfloat16(), weight.bfloat16(), padding=1)
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.float(), expected, rtol=0.1, atol=0.2)
