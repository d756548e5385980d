"""scratch.nn.Conv1d and scratch.functional.conv1d do what torch's do, over all arguments."""

import copy
import inspect
import pickle
from dataclasses import dataclass
from typing import Any

import pytest
import torch
import torch.nn.functional as torch_functional
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn as torch_nn

from scratch import functional, nn

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")


@dataclass
class Case:
    """Arguments of one layer and an input that fits it."""

    in_channels: int
    out_channels: int
    options: dict[str, Any]
    shape: tuple[int, ...]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    groups = draw(st.integers(1, 3))
    kernel_size = draw(st.integers(1, 5))
    dilation = draw(st.integers(1, 3))
    padding = draw(st.sampled_from(["same", "valid"]) | st.integers(0, 3))
    stride = 1 if padding == "same" else draw(st.integers(1, 4))
    span = dilation * (kernel_size - 1) + 1
    length = draw(
        st.integers(max(span, 7), span + 9)
    )  # long enough for the kernel, and for a mirror as wide as 'same' makes it
    batch = draw(st.sampled_from([(), (0,), (1,), (3,)]))
    in_channels = groups * draw(st.integers(1, 2))
    options = {
        "kernel_size": draw(st.sampled_from([kernel_size, (kernel_size,)])),
        "stride": draw(st.sampled_from([stride, (stride,)])),
        "padding": padding if isinstance(padding, str) else draw(st.sampled_from([padding, (padding,)])),
        "dilation": draw(st.sampled_from([dilation, (dilation,)])),
        "groups": groups,
        "bias": draw(st.booleans()),
        "padding_mode": draw(st.sampled_from(["zeros", "reflect", "replicate", "circular"])),
    }
    return Case(in_channels, groups * draw(st.integers(1, 3)), options, (*batch, in_channels, length))


def twins(case: Case, dtype: torch.dtype = torch.float64) -> tuple[torch_nn.Module, torch_nn.Module]:
    """Our layer and torch's, with torch's parameters."""
    ours = nn.Conv1d(case.in_channels, case.out_channels, **case.options, dtype=dtype)
    theirs = torch_nn.Conv1d(case.in_channels, case.out_channels, **case.options, dtype=dtype)
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


@given(cases())
def test_output_and_gradients(case: Case) -> None:
    ours, theirs = twins(case)
    x = torch.randn(case.shape, dtype=torch.float64)
    torch.testing.assert_close(results(ours, x), results(theirs, x))


@given(cases())
def test_the_function_with_the_same_arguments(case: Case) -> None:
    options = {name: case.options[name] for name in ("stride", "padding", "dilation", "groups")}
    theirs = torch_nn.Conv1d(case.in_channels, case.out_channels, **case.options)
    x = torch.randn(case.shape)
    torch.testing.assert_close(
        functional.conv1d(x, theirs.weight, theirs.bias, **options),
        torch_functional.conv1d(x, theirs.weight, theirs.bias, **options),
    )


@given(cases())
def test_state_dict_goes_both_ways(case: Case) -> None:
    ours = nn.Conv1d(case.in_channels, case.out_channels, **case.options)
    theirs = torch_nn.Conv1d(case.in_channels, case.out_channels, **case.options)
    assert [(k, v.shape) for k, v in ours.state_dict().items()] == [
        (k, v.shape) for k, v in theirs.state_dict().items()
    ]
    theirs.load_state_dict(ours.state_dict())
    torch.testing.assert_close(theirs.state_dict(), ours.state_dict(), rtol=0, atol=0)
    fresh = torch_nn.Conv1d(case.in_channels, case.out_channels, **case.options)
    ours.load_state_dict(fresh.state_dict())
    torch.testing.assert_close(ours.state_dict(), fresh.state_dict(), rtol=0, atol=0)


@given(cases())
def test_repr_and_first_parameters(case: Case) -> None:
    torch.manual_seed(0)
    ours = nn.Conv1d(case.in_channels, case.out_channels, **case.options)
    torch.manual_seed(0)
    theirs = torch_nn.Conv1d(case.in_channels, case.out_channels, **case.options)
    assert repr(ours) == repr(theirs)
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())
    for name in (
        "in_channels",
        "out_channels",
        "kernel_size",
        "stride",
        "padding",
        "dilation",
        "groups",
        "padding_mode",
    ):
        assert getattr(ours, name) == getattr(theirs, name), name


@settings(max_examples=15)
@given(cases().filter(lambda case: 0 not in case.shape))
def test_second_derivatives(case: Case) -> None:
    ours, _ = twins(case)
    x = torch.randn(case.shape, dtype=torch.float64, requires_grad=True)

    def layer(x: torch.Tensor, *parameters: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(ours, dict(zip(dict(ours.named_parameters()), parameters, strict=True)), (x,))

    parameters = tuple(parameter.detach().requires_grad_() for parameter in ours.parameters())
    assert torch.autograd.gradcheck(layer, (x, *parameters), fast_mode=True)
    assert torch.autograd.gradgradcheck(layer, (x, *parameters), fast_mode=True)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.complex64], ids=str)
def test_dtypes(dtype: torch.dtype) -> None:
    case = Case(4, 6, {"kernel_size": 3, "stride": 2, "padding": 1, "groups": 2}, (2, 4, 20))
    ours, theirs = twins(case, dtype)
    x = torch.randn(case.shape, dtype=dtype)
    expected = theirs(x)
    assert ours(x).dtype == expected.dtype
    eps = torch.finfo(dtype).eps
    torch.testing.assert_close(ours(x), expected, rtol=8 * eps, atol=8 * eps)


@pytest.mark.parametrize("function_or_class", ["Conv1d"])
def test_signature(function_or_class: str) -> None:
    def arguments(callable_: Any) -> list[tuple[str, Any]]:
        return [(p.name, p.default) for p in inspect.signature(callable_).parameters.values()]

    assert arguments(getattr(nn, function_or_class)) == arguments(getattr(torch_nn, function_or_class))


REFUSED_BY_THE_FUNCTION: dict[str, tuple[Any, ...]] = {
    "input is a list": ([1.0], torch.ones(6, 4, 3)),
    "input without channels": (torch.ones(10), torch.ones(6, 4, 3)),
    "input of four axes": (torch.ones(1, 2, 4, 10), torch.ones(6, 4, 3)),
    "weight of two axes": (torch.ones(2, 4, 10), torch.ones(6, 3)),
    "no output channels": (torch.ones(2, 4, 10), torch.ones(0, 4, 3)),
    "channels differ": (torch.ones(2, 3, 10), torch.ones(6, 4, 3)),
    "channels differ by groups": (torch.ones(2, 4, 10), torch.ones(6, 4, 3), None, 1, 0, 1, 2),
    "groups do not divide": (torch.ones(2, 8, 10), torch.ones(5, 4, 3), None, 1, 0, 1, 2),
    "kernel too long": (torch.ones(2, 4, 2), torch.ones(6, 4, 3)),
    "bias too short": (torch.ones(2, 4, 10), torch.ones(6, 4, 3), torch.ones(5)),
    "bias of two axes": (torch.ones(2, 4, 10), torch.ones(6, 4, 3), torch.ones(6, 1)),
    "bias of another dtype": (torch.ones(2, 4, 10), torch.ones(6, 4, 3), torch.ones(6).double()),
    "weight of another dtype": (torch.ones(2, 4, 10).double(), torch.ones(6, 4, 3)),
    "stride 0": (torch.ones(2, 4, 10), torch.ones(6, 4, 3), None, 0),
    "stride 1.5": (torch.ones(2, 4, 10), torch.ones(6, 4, 3), None, 1.5),
    "stride of two numbers": (torch.ones(2, 4, 10), torch.ones(6, 4, 3), None, (1, 2)),
    "padding -1": (torch.ones(2, 4, 10), torch.ones(6, 4, 3), None, 1, -1),
    "padding 'full'": (torch.ones(2, 4, 10), torch.ones(6, 4, 3), None, 1, "full"),
    "'same' with a stride": (torch.ones(2, 4, 10), torch.ones(6, 4, 3), None, 2, "same"),
    "dilation 0": (torch.ones(2, 4, 10), torch.ones(6, 4, 3), None, 1, 0, 0),
    "groups 0": (torch.ones(2, 4, 10), torch.ones(6, 4, 3), None, 1, 0, 1, 0),
    "groups -1": (torch.ones(2, 4, 10), torch.ones(6, 4, 3), None, 1, 0, 1, -1),
}


@pytest.mark.parametrize("arguments", REFUSED_BY_THE_FUNCTION.values(), ids=REFUSED_BY_THE_FUNCTION.keys())
def test_the_function_refuses_as_torch_does(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(Exception) as theirs:
        torch_functional.conv1d(*arguments)
    with pytest.raises(theirs.type):
        functional.conv1d(*arguments)


REFUSED_BY_THE_CLASS: dict[str, dict[str, Any]] = {
    "groups 0": {"groups": 0},
    "groups do not divide in_channels": {"groups": 3},
    "groups do not divide out_channels": {"groups": 4},
    "padding 'full'": {"padding": "full"},
    "'same' with a stride": {"padding": "same", "stride": 2},
    "padding_mode 'mirror'": {"padding_mode": "mirror"},
}


@pytest.mark.parametrize("options", REFUSED_BY_THE_CLASS.values(), ids=REFUSED_BY_THE_CLASS.keys())
def test_the_class_refuses_as_torch_does(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError) as theirs:
        torch_nn.Conv1d(4, 6, 3, **options)
    with pytest.raises(theirs.type):
        nn.Conv1d(4, 6, 3, **options)


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({"padding": 10, "padding_mode": "reflect"}, (2, 4, 10)),
        ({"padding": 11, "padding_mode": "circular"}, (2, 4, 10)),
        ({"padding": 1, "padding_mode": "reflect"}, (10,)),
        ({"padding": 1, "padding_mode": "replicate"}, (1, 2, 4, 10)),
        ({"stride": 0}, (2, 4, 10)),
        ({"padding": -1}, (2, 4, 10)),
    ],
    ids=str,
)
def test_the_layer_refuses_an_input_as_torch_does(options: dict[str, Any], shape: tuple[int, ...]) -> None:
    ours, theirs = nn.Conv1d(4, 6, 3, **options), torch_nn.Conv1d(4, 6, 3, **options)
    with pytest.raises(RuntimeError):
        theirs(torch.ones(shape))
    with pytest.raises(RuntimeError):
        ours(torch.ones(shape))


def test_copies_and_pickles() -> None:
    layer = nn.Conv1d(4, 6, 3, padding="same", padding_mode="reflect")
    x = torch.randn(2, 4, 10)
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(twin(x), layer(x))


def test_autocast_gives_the_dtype_that_torch_gives() -> None:
    ours, theirs = twins(Case(4, 6, {"kernel_size": 3}, (2, 4, 10)), torch.float32)
    x = torch.randn(2, 4, 10)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert ours(x).dtype == theirs(x).dtype == torch.bfloat16
        torch.testing.assert_close(ours(x), theirs(x), rtol=2e-2, atol=2e-2)


def test_names_that_the_course_has_not_built_come_from_torch() -> None:
    assert nn.Module is torch_nn.Module
    assert "Conv1d" in nn.__all__ and "Module" not in nn.__all__
    assert functional.embedding_bag is torch_functional.embedding_bag
    with pytest.raises(AttributeError, match="NoSuchLayer"):
        nn.NoSuchLayer  # noqa: B018
