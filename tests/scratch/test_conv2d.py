"""scratch.nn.Conv2d, ConvTranspose2d and their functions do what torch's do, over all arguments."""

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

    name: str
    in_channels: int
    out_channels: int
    options: dict[str, Any]
    shape: tuple[int, ...]


def maybe_int(draw: st.DrawFn, numbers: tuple[int, int]) -> int | tuple[int, int]:
    """A pair, or one int where both are equal and the draw says so."""
    return numbers[0] if numbers[0] == numbers[1] and draw(st.booleans()) else numbers


@st.composite
def cases(draw: st.DrawFn) -> Case:
    def two(low: int, high: int) -> tuple[int, int]:
        if draw(st.booleans()):
            return (draw(st.integers(low, high)),) * 2
        return draw(st.integers(low, high)), draw(st.integers(low, high))

    groups = draw(st.integers(1, 3))
    kernel_size, dilation = two(1, 4), two(1, 3)
    padding = draw(st.sampled_from(["same", "valid"])) if draw(st.booleans()) else two(0, 3)
    stride = (1, 1) if padding == "same" else two(1, 3)
    # large enough for the kernel, and for a mirror as wide as 'same' makes it
    size = [
        draw(st.integers(max(d * (k - 1) + 1, 5), d * (k - 1) + 7)) for k, d in zip(kernel_size, dilation, strict=True)
    ]
    in_channels = groups * draw(st.integers(1, 2))
    options = {
        "kernel_size": maybe_int(draw, kernel_size),
        "stride": maybe_int(draw, stride),
        "padding": padding if isinstance(padding, str) else maybe_int(draw, padding),
        "dilation": maybe_int(draw, dilation),
        "groups": groups,
        "bias": draw(st.booleans()),
        "padding_mode": draw(st.sampled_from(["zeros", "reflect", "replicate", "circular"])),
    }
    batch = draw(st.sampled_from([(), (0,), (1,), (2,)]))
    return Case("Conv2d", in_channels, groups * draw(st.integers(1, 2)), options, (*batch, in_channels, *size))


@st.composite
def transposed_cases(draw: st.DrawFn) -> Case:
    groups = draw(st.integers(1, 3))
    per_axis = []
    for _ in range(2):
        stride, dilation, kernel_size = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 4))
        length = draw(st.integers(2, 6))
        full = (length - 1) * stride + dilation * (kernel_size - 1) + 1
        padding = draw(st.integers(0, min(2, (full - 1) // 2)))
        extra = draw(st.integers(0, max(stride, dilation) - 1))
        per_axis.append((kernel_size, stride, padding, dilation, extra, length))
    kernel_size, stride, padding, dilation, extra, size = zip(*per_axis, strict=True)
    in_channels = groups * draw(st.integers(1, 2))
    options = {
        "kernel_size": maybe_int(draw, kernel_size),
        "stride": maybe_int(draw, stride),
        "padding": maybe_int(draw, padding),
        "dilation": maybe_int(draw, dilation),
        "output_padding": maybe_int(draw, extra),
        "groups": groups,
        "bias": draw(st.booleans()),
    }
    batch = draw(st.sampled_from([(), (0,), (1,), (2,)]))
    return Case("ConvTranspose2d", in_channels, groups * draw(st.integers(1, 2)), options, (*batch, in_channels, *size))


BOTH = st.one_of(cases(), transposed_cases())


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


@given(BOTH)
def test_output_and_gradients(case: Case) -> None:
    ours, theirs = twins(case)
    x = torch.randn(case.shape, dtype=torch.float64)
    torch.testing.assert_close(results(ours, x), results(theirs, x))


@given(BOTH)
def test_the_function_with_the_same_arguments(case: Case) -> None:
    options = {k: v for k, v in case.options.items() if k not in ("kernel_size", "bias", "padding_mode")}
    theirs = getattr(torch_nn, case.name)(case.in_channels, case.out_channels, **case.options, dtype=torch.float64)
    x = torch.randn(case.shape, dtype=torch.float64)
    name = {"Conv2d": "conv2d", "ConvTranspose2d": "conv_transpose2d"}[case.name]
    torch.testing.assert_close(
        getattr(functional, name)(x, theirs.weight, theirs.bias, **options),
        getattr(torch_functional, name)(x, theirs.weight, theirs.bias, **options),
    )


@given(BOTH)
def test_state_dict_repr_attributes_and_first_parameters(case: Case) -> None:
    made = []
    for package in (nn, torch_nn):
        torch.manual_seed(0)
        made.append(getattr(package, case.name)(case.in_channels, case.out_channels, **case.options))
    ours, theirs = made
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())
    theirs.load_state_dict(ours.state_dict())
    torch.testing.assert_close(theirs.state_dict(), ours.state_dict(), rtol=0, atol=0)
    options = [name for name in case.options if name != "bias"]
    for name in ("in_channels", "out_channels", "transposed", "output_padding", "padding_mode", *options):
        assert getattr(ours, name) == getattr(theirs, name), name


@settings(max_examples=12)
@given(BOTH.filter(lambda case: 0 not in case.shape))
def test_second_derivatives(case: Case) -> None:
    ours, _ = twins(case)
    x = torch.randn(case.shape, dtype=torch.float64, requires_grad=True)

    def layer(x: torch.Tensor, *parameters: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(ours, dict(zip(dict(ours.named_parameters()), parameters, strict=True)), (x,))

    parameters = tuple(parameter.detach().requires_grad_() for parameter in ours.parameters())
    assert torch.autograd.gradcheck(layer, (x, *parameters), fast_mode=True)
    assert torch.autograd.gradgradcheck(layer, (x, *parameters), fast_mode=True)


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


@EACH_SAMPLE
def test_copies_and_pickles(case: Case) -> None:
    layer, _ = twins(case)
    x = torch.randn(case.shape, dtype=torch.float64)
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(twin(x), layer(x))


@pytest.mark.parametrize("name", ["Conv2d", "ConvTranspose2d"])
def test_signatures_of_the_classes(name: str) -> None:
    def arguments(callable_: Any) -> list[tuple[str, Any]]:
        return [(p.name, p.default) for p in inspect.signature(callable_).parameters.values()]

    ours, theirs = getattr(nn, name), getattr(torch_nn, name)
    assert arguments(ours) == arguments(theirs)
    assert arguments(ours.forward) == arguments(theirs.forward)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("conv2d", "(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1)"),
        ("conv_transpose2d", "(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1)"),
    ],
)
def test_signatures_of_the_functions(name: str, expected: str) -> None:
    """torch's are built in and cannot be inspected: these are what its documentation says."""
    assert str(inspect.signature(getattr(functional, name))) == expected
    assert getattr(torch_functional, name).__doc__.startswith(f"\n{name}{expected}")


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


X, W = torch.ones(2, 4, 8, 9), torch.ones(6, 4, 3, 3)
REFUSED_BY_CONV2D: dict[str, tuple[Any, ...]] = {
    "input is a list": ([1.0], W),
    "weight is a list": (X, [1.0]),
    "bias is a number": (X, W, 1.0),
    "input of two axes": (torch.ones(8, 9), W),
    "input of five axes": (torch.ones(1, 1, 4, 8, 9), W),
    "input without rows": (torch.ones(2, 4, 0, 9), W),
    "weight of three axes": (X, torch.ones(6, 4, 3)),
    "no output channels": (X, torch.ones(0, 4, 3, 3)),
    "kernel without columns": (X, torch.ones(6, 4, 3, 0)),
    "channels differ": (torch.ones(2, 3, 8, 9), W),
    "channels differ by groups": (X, W, None, 1, 0, 1, 2),
    "groups do not divide": (torch.ones(2, 8, 8, 9), torch.ones(5, 4, 3, 3), None, 1, 0, 1, 2),
    "kernel too high": (torch.ones(2, 4, 2, 9), W),
    "kernel too wide, empty batch": (torch.ones(0, 4, 8, 2), W),
    "bias too short": (X, W, torch.ones(5)),
    "bias of two axes": (X, W, torch.ones(6, 1)),
    "bias of another dtype": (X, W, torch.ones(6).double()),
    "input of another dtype": (X.double(), W),
    "stride 0": (X, W, None, 0),
    "stride (1, 0)": (X, W, None, (1, 0)),
    "stride 1.5": (X, W, None, 1.5),
    "stride True": (X, W, None, True),
    "stride None": (X, W, None, None),
    "stride of three": (X, W, None, (1, 2, 3)),
    "padding -1": (X, W, None, 1, -1),
    "padding (1, -1)": (X, W, None, 1, (1, -1)),
    "padding 'full'": (X, W, None, 1, "full"),
    "padding of three": (X, W, None, 1, (1, 1, 1)),
    "'same' with a stride": (X, W, None, (1, 2), "same"),
    "dilation 0": (X, W, None, 1, 0, 0),
    "groups 0": (X, W, None, 1, 0, 1, 0),
    "groups -1": (X, W, None, 1, 0, 1, -1),
    "groups 1.0": (X, W, None, 1, 0, 1, 1.0),
}
B = torch.ones(4, 6, 3, 3)
REFUSED_BY_TRANSPOSE: dict[str, tuple[Any, ...]] = {
    "input is a list": ([1.0], B),
    "input of two axes": (torch.ones(8, 9), B),
    "input without rows": (torch.ones(2, 4, 0, 9), B),
    "channels differ": (torch.ones(2, 3, 8, 9), B),
    "groups do not divide": (X, B, None, 1, 0, 0, 3),
    "bias as long as the input": (X, B, torch.ones(4)),
    "bias of another dtype": (X, B, torch.ones(6).double()),
    "input of another dtype": (X.double(), B),
    "kernel without rows": (X, torch.ones(4, 6, 0, 3)),
    "stride 0": (X, B, None, 0),
    "stride of three": (X, B, None, (1, 2, 3)),
    "padding 'same'": (X, B, None, 1, "same"),
    "padding -1": (X, B, None, 1, -1),
    "padding removes all and more": (X, B, None, 1, 6),
    "output_padding -1": (X, B, None, 2, 0, -1),
    "output_padding as large as the stride": (X, B, None, 2, 0, 2),
    "output_padding on one axis": (X, B, None, (2, 1), 0, (1, 1)),
    "output_padding 0.5": (X, B, None, 1, 0, 0.5),
}
CALLS = [("conv2d", name, arguments) for name, arguments in REFUSED_BY_CONV2D.items()]
CALLS += [("conv_transpose2d", name, arguments) for name, arguments in REFUSED_BY_TRANSPOSE.items()]


@pytest.mark.parametrize(("function", "name", "arguments"), CALLS, ids=[f"{call[0]}-{call[1]}" for call in CALLS])
def test_the_functions_refuse_as_torch_does(function: str, name: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(Exception) as theirs:
        getattr(torch_functional, function)(*arguments)
    with pytest.raises(theirs.type):
        getattr(functional, function)(*arguments)


REFUSED_BY_THE_CLASSES: dict[str, tuple[str, dict[str, Any]]] = {
    "groups 0": ("Conv2d", {"groups": 0}),
    "groups do not divide in_channels": ("Conv2d", {"groups": 3}),
    "groups do not divide out_channels": ("Conv2d", {"groups": 4}),
    "padding 'full'": ("Conv2d", {"padding": "full"}),
    "'same' with a stride": ("Conv2d", {"padding": "same", "stride": (1, 2)}),
    "padding_mode 'mirror'": ("Conv2d", {"padding_mode": "mirror"}),
    "transposed groups": ("ConvTranspose2d", {"groups": 3}),
    "transposed padding_mode": ("ConvTranspose2d", {"padding_mode": "reflect"}),
}


@pytest.mark.parametrize(("name", "options"), REFUSED_BY_THE_CLASSES.values(), ids=REFUSED_BY_THE_CLASSES.keys())
def test_the_classes_refuse_as_torch_does(name: str, options: dict[str, Any]) -> None:
    for package in (torch_nn, nn):
        with pytest.raises(ValueError):
            getattr(package, name)(4, 6, 3, **options)


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({"padding": 8, "padding_mode": "reflect"}, (2, 4, 8, 9)),
        ({"padding": (9, 1), "padding_mode": "circular"}, (2, 4, 8, 9)),
        ({"padding": 1, "padding_mode": "reflect"}, (8, 9)),
        ({"padding": 1, "padding_mode": "replicate"}, (1, 1, 4, 8, 9)),
        ({"stride": 0}, (2, 4, 8, 9)),
        ({"padding": -1}, (2, 4, 8, 9)),
        ({"stride": (1, 2, 3)}, (2, 4, 8, 9)),
    ],
    ids=str,
)
def test_the_layer_refuses_an_input_as_torch_does(options: dict[str, Any], shape: tuple[int, ...]) -> None:
    for package in (torch_nn, nn):
        with pytest.raises(RuntimeError):
            package.Conv2d(4, 6, 3, **options)(torch.ones(shape))
