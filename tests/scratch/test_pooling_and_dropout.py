"""The pooling and dropout layers of `scratch` do what torch's do, over all arguments."""

import copy
import math
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as torch_functional
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn as torch_nn

from scratch import functional, nn, pooling_and_dropout

pytestmark = pytest.mark.filterwarnings("ignore:dropout2d")


MAX = ["max_pool1d", "max_pool2d"]
AVERAGE = ["avg_pool1d", "avg_pool2d"]
POOLS = [*MAX, *AVERAGE, "adaptive_avg_pool2d"]
DROPOUTS = ["dropout", "dropout1d", "dropout2d"]


def outcome(function: Callable[..., Any], x: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
    """Outputs and the gradient of the input; or the type of the error."""
    x = x.detach().clone()
    if x.is_floating_point():
        x.requires_grad_()
    try:
        outputs = function(x, *args, **kwargs)
    except Exception as error:  # whatever is raised is the outcome
        return type(error)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    seen = [output.detach() for output in outputs]
    if outputs[0].requires_grad and outputs[0].numel():
        grad = torch.cos(torch.arange(outputs[0].numel(), dtype=torch.float64)).reshape(outputs[0].shape).to(x)
        seen += torch.autograd.grad(outputs[0], x, grad)
    return seen


def assert_alike(name: str, x: torch.Tensor, *args: Any, **kwargs: Any) -> None:
    ours = outcome(getattr(functional, name), x, *args, **kwargs)
    theirs = outcome(getattr(torch_functional, name), x, *args, **kwargs)
    if isinstance(theirs, type) or isinstance(ours, type):
        assert ours == theirs, (name, list(x.shape), args, kwargs)
    else:
        torch.testing.assert_close(ours, theirs, equal_nan=True)


@st.composite
def inputs(draw: st.DrawFn, axes: int) -> torch.Tensor:
    """Numbers in float64, sometimes with ties, NaN and -infinity; sometimes without a batch or empty."""
    lengths = [draw(st.integers(1, 11)) for _ in range(axes)]
    shape = (*draw(st.sampled_from([(), (0,), (1,), (2,)])), draw(st.integers(1, 2)), *lengths)
    generator = torch.Generator().manual_seed(draw(st.integers(0, 10**6)))
    x = torch.randn(shape, dtype=torch.float64, generator=generator)
    if draw(st.booleans()):
        x = x.round()
    for value in draw(st.sets(st.sampled_from([math.nan, -math.inf]))):
        x[torch.rand(shape, generator=generator) < 0.2] = value
    if draw(st.booleans()):
        x = x.transpose(-1, -2).contiguous().transpose(-1, -2)
    return x


@given(inputs(1), st.integers(1, 4), st.integers(1, 4), st.booleans(), st.booleans())
def test_the_loops(x: torch.Tensor, size: int, stride: int, ceil_mode: bool, count_include_pad: bool) -> None:
    assume(x.dim() == 3)
    options = size, stride, size // 2
    try:
        expected = torch_functional.max_pool1d(x, *options, 1, ceil_mode, True)
    except RuntimeError:
        return
    ours = pooling_and_dropout.max_pool1d_loops(x, *options, 1, ceil_mode)
    torch.testing.assert_close(ours, expected, equal_nan=True)
    torch.testing.assert_close(
        pooling_and_dropout.avg_pool1d_loops(x, *options, ceil_mode, count_include_pad),
        torch_functional.avg_pool1d(x, *options, ceil_mode, count_include_pad),
        equal_nan=True,
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.int64], ids=str)
@pytest.mark.parametrize("name", POOLS)
def test_dtypes(name: str, dtype: torch.dtype) -> None:
    x = (5 * torch.randn((2, 3, 20) if name.endswith("1d") else (2, 3, 12, 13))).to(dtype)
    options = (5, 3, 2) if "adaptive" not in name else (5,)
    if dtype == torch.int64 and name == "max_pool1d":
        options = (*options, 1, False, True)  # torch refuses integers without the indices, on a CPU alone
    ours = outcome(lambda x: getattr(functional, name)(x, *options), x.detach())
    theirs = outcome(lambda x: getattr(torch_functional, name)(x, *options), x.detach())
    if isinstance(theirs, type):
        assert ours == theirs
    else:
        torch.testing.assert_close(ours[:1], theirs[:1])


def test_a_window_in_the_padding_alone_has_no_maximum() -> None:
    x = torch.ones(1, 1, 2, requires_grad=True)
    output, index = functional.max_pool1d(x, 2, 1, 1, 3, return_indices=True)
    assert output.item() == -math.inf and index.item() == 0
    output.sum().backward()
    assert x.grad is not None and not x.grad.any()


# dropout


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("inplace", [False, True])
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("p", [0, 0.1, 0.5, 0.9, 1])
@pytest.mark.parametrize("name", DROPOUTS)
def test_dropout_bit_for_bit(name: str, p: float, training: bool, inplace: bool, dtype: torch.dtype) -> None:
    shapes = [(), (5,), (0,), (3, 4), (2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (2, 3, 0, 5), (2, 3, 4, 5, 6)]
    layouts = [torch.randn(shape).to(dtype) for shape in shapes]
    layouts += [torch.randn(4, 3, 2, 5).to(dtype).permute(2, 1, 3, 0), torch.randn(2, 3, 8).to(dtype)[..., ::2]]
    for x in layouts:
        seen = []
        for module in (functional, torch_functional):
            own = x.clone()
            torch.manual_seed(7)
            try:
                output = getattr(module, name)(own, p, training, inplace)
            except Exception as error:  # whatever is raised is the outcome
                seen.append(type(error))
                continue
            seen.append([output, own, torch.get_rng_state()])
            assert output is own or not inplace
        if isinstance(seen[1], type) or isinstance(seen[0], type):
            assert seen[0] == seen[1], x.shape
        else:
            torch.testing.assert_close(seen[0], seen[1], rtol=0, atol=0)


@pytest.mark.parametrize("shape", [(4, 5), (3, 4, 5), (2, 3, 4, 5, 6)])
def test_dropout2d_warns_where_torch_warns(shape: tuple[int, ...]) -> None:
    for module in (functional, torch_functional):
        with pytest.warns(UserWarning, match="dropout2d"):
            module.dropout2d(torch.ones(shape))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        functional.dropout2d(torch.ones(2, 3, 4, 5))


# names, signatures, refusals


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("MaxPool1d", {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 2, "ceil_mode": True}),
        ("MaxPool2d", {"kernel_size": (3, 2), "padding": (1, 0), "return_indices": True}),
        ("AvgPool1d", {"kernel_size": 3, "padding": 1, "count_include_pad": False}),
        ("AvgPool1d", {"kernel_size": [3], "stride": (2,)}),
        ("AvgPool2d", {"kernel_size": (3, 2), "stride": 2, "divisor_override": 5}),
        ("AdaptiveAvgPool2d", {"output_size": (3, None)}),
        ("Dropout", {"p": 0.2}),
        ("Dropout1d", {"p": 0, "inplace": True}),
        ("Dropout2d", {"p": 1}),
    ],
)
def test_layers(name: str, options: dict[str, Any]) -> None:
    ours, theirs = getattr(nn, name)(**options), getattr(torch_nn, name)(**options)
    assert repr(ours) == repr(theirs)
    assert {k: v for k, v in vars(ours).items() if not k.startswith("_")} == {
        k: v for k, v in vars(theirs).items() if not k.startswith("_")
    }
    assert not ours.state_dict() and not theirs.state_dict()
    x = torch.randn((2, 3, 9) if name.endswith("1d") else (2, 3, 8, 9))
    for training in (True, False):
        for twin in (ours, copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
            torch.manual_seed(0)
            mine = twin.train(training)(x.clone())
            torch.manual_seed(0)
            torch.testing.assert_close(mine, theirs.train(training)(x.clone()), rtol=1e-6, atol=1e-6)


WINDOWS: list[dict[str, Any]] = [
    {"kernel_size": 0},
    {"kernel_size": -1},
    {"kernel_size": 20},
    {"kernel_size": 2.0},
    {"kernel_size": "2"},
    {"kernel_size": True},
    {"kernel_size": None},
    {"kernel_size": ()},
    {"kernel_size": (2,)},
    {"kernel_size": (2, 2)},
    {"kernel_size": (2, 2, 2)},
    {"kernel_size": (2, 2.5)},
    {"kernel_size": 3, "stride": 0},
    {"kernel_size": 3, "stride": -1},
    {"kernel_size": 2, "stride": 1.5},
    {"kernel_size": 2, "stride": False},
    {"kernel_size": 2, "stride": ()},
    {"kernel_size": 2, "stride": [2]},
    {"kernel_size": 3, "padding": 2},
    {"kernel_size": 3, "padding": -1},
    {"kernel_size": 3, "padding": ()},
    {"kernel_size": 3, "padding": (1,)},
    {"kernel_size": 2, "ceil_mode": 1},
    {"kernel_size": 2, "ceil_mode": None},
]
MORE: dict[str, list[dict[str, Any]]] = {
    "max": [{"kernel_size": 3, "dilation": 0}, {"kernel_size": 3, "dilation": 2, "padding": 2}],
    "avg": [{"kernel_size": 2, "count_include_pad": 1}],
}
SHAPES = [(), (9,), (3, 9), (0, 3, 9), (2, 0, 9), (2, 3, 0), (2, 3, 8, 9), (0, 3, 8, 9), (2, 0, 8, 9), (2, 3, 4, 5, 6)]


@pytest.mark.parametrize("name", [*MAX, *AVERAGE])
def test_the_functions_refuse_arguments_as_torch_does(name: str) -> None:
    x = torch.ones((2, 3, 9) if name.endswith("1d") else (2, 3, 8, 9))
    for options in [*WINDOWS, *MORE[name[:3]]]:
        assert_alike(name, x, **options)


@pytest.mark.parametrize("divisor", [0, -2, 1.5, True, "2"])
def test_divisor_override(divisor: Any) -> None:
    assert_alike("avg_pool2d", torch.ones(2, 3, 8, 9), 2, divisor_override=divisor)


@pytest.mark.parametrize("name", POOLS)
def test_the_functions_refuse_inputs_as_torch_does(name: str) -> None:
    for shape in SHAPES:
        assert_alike(name, torch.ones(shape), 2)
    for dtype in (torch.bool, torch.complex64):
        assert_alike(name, torch.ones((2, 3, 9) if name.endswith("1d") else (2, 3, 8, 9)).to(dtype), 2)
    for module in (functional, torch_functional):
        with pytest.raises(AttributeError if "adaptive" in name else TypeError):
            getattr(module, name)([1.0], 2)


@pytest.mark.parametrize("size", [-1, None, 2.0, True, "2", (), (5,), (1, 2, 3), (0, 2), [3, 4], 100])
def test_output_size(size: Any) -> None:
    assert_alike("adaptive_avg_pool2d", torch.ones(2, 3, 8, 9), size)


@pytest.mark.parametrize("name", DROPOUTS)
def test_dropout_refuses_as_torch_does(name: str) -> None:
    x = torch.ones(2, 3, 9)
    refused: list[dict[str, Any]] = [{"p": p} for p in (-0.1, 1.1, None, "half", math.nan)]
    refused += [{"training": 1}, {"training": None}]
    for options in refused:
        assert_alike(name, x, **options)
    for dtype in (torch.int64, torch.bool):
        for p in (0.0, 0.5, 1.0):
            assert_alike(name, x.to(dtype), p)
    leaf = torch.ones(2, 3, 9, requires_grad=True)
    for module in (functional, torch_functional):
        with pytest.raises(RuntimeError):
            getattr(module, name)(leaf, inplace=True)
        with pytest.raises(RuntimeError):
            getattr(module, name)(torch.ones(2, 3, 1).expand(2, 3, 9), inplace=True)
