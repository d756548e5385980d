"""scratch.nn.BatchNorm1d, 2d, 3d and scratch.functional.batch_norm do what torch's do, over all arguments."""

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

LAYERS = {"BatchNorm1d": (2, 3), "BatchNorm2d": (4,), "BatchNorm3d": (5,)}
HAS_BIAS = "bias" in inspect.signature(torch_nn.BatchNorm1d).parameters


@dataclass
class Case:
    """A layer, its arguments, and an input that fits it."""

    name: str
    features: int
    options: dict[str, Any]
    shape: tuple[int, ...]


@st.composite
def cases(draw: st.DrawFn, least: int = 0) -> Case:
    name = draw(st.sampled_from(sorted(LAYERS)))
    axes = draw(st.sampled_from(LAYERS[name]))
    features = draw(st.integers(1, 4))
    batch = draw(st.integers(least, 5))
    spatial = [draw(st.integers(1, 4)) for _ in range(axes - 2)]
    if batch == 1 and all(size == 1 for size in spatial):
        batch = 2  # one value per channel has a test of its own
    options = {
        "eps": draw(st.sampled_from([1e-5, 1e-3, 0.5])),
        "momentum": draw(st.sampled_from([0.1, 0.9, 1.0, 0.0, None])),
        "affine": draw(st.booleans()),
        "track_running_stats": draw(st.booleans()),
    }
    if HAS_BIAS:
        options["bias"] = draw(st.booleans())
    return Case(name, features, options, (batch, features, *spatial))


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


@given(cases())
def test_ten_steps_then_evaluation(case: Case) -> None:
    ours, theirs = twins(case)
    for step in range(10):
        x = 2 * torch.randn(case.shape, dtype=torch.float64) + step
        torch.testing.assert_close(results(ours, x), results(theirs, x))
    torch.testing.assert_close(results(ours.eval(), x), results(theirs.eval(), x))


@given(cases(), st.booleans(), st.sets(st.sampled_from(["weight", "bias", "running"])))
def test_the_function_with_the_same_arguments(case: Case, training: bool, given: set[str]) -> None:
    x, vectors = torch.randn(case.shape), torch.rand(4, case.features) + 0.5
    weight = vectors[0] if "weight" in given else None
    bias = vectors[1] if "bias" in given else None
    running = "running" in given or not training
    seen = []
    for function in (functional.batch_norm, torch_functional.batch_norm):
        estimates = vectors[2:].clone().unbind() if running else (None, None)
        seen.append((function(x, *estimates, weight, bias, training, 0.3, 1e-3), estimates if running else ()))
    torch.testing.assert_close(*seen)


@given(cases())
def test_state_dict_goes_both_ways(case: Case) -> None:
    ours, theirs = twins(case)
    assert [(k, v.shape, v.dtype) for k, v in ours.state_dict().items()] == [
        (k, v.shape, v.dtype) for k, v in theirs.state_dict().items()
    ]
    assert ours.state_dict()._metadata == theirs.state_dict()._metadata
    for parameter in ours.parameters():
        torch_nn.init.normal_(parameter)
    theirs.load_state_dict(ours.state_dict())
    torch.testing.assert_close(theirs.state_dict(), ours.state_dict(), rtol=0, atol=0)


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


@given(cases())
def test_first_state_and_attributes(case: Case) -> None:
    ours = getattr(nn, case.name)(case.features, **case.options)
    theirs = getattr(torch_nn, case.name)(case.features, **case.options)
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict(), rtol=0, atol=0)
    assert [name for name, _ in ours.named_parameters()] == [name for name, _ in theirs.named_parameters()]
    for name in ("num_features", "eps", "momentum", "affine", "track_running_stats"):
        assert getattr(ours, name) == getattr(theirs, name), name
    if HAS_BIAS:
        assert repr(ours) == repr(theirs)


@settings(max_examples=15)
@given(cases(least=1), st.booleans())
def test_second_derivatives(case: Case, training: bool) -> None:
    x = torch.randn(case.shape, dtype=torch.float64, requires_grad=True)
    weight, bias = torch.randn(2, case.features, dtype=torch.float64).unbind()
    estimates = torch.randn(case.features).double(), torch.rand(case.features).double() + 0.5

    def layer(*tensors: torch.Tensor) -> torch.Tensor:
        running = (None, None) if training else estimates
        return functional.batch_norm(tensors[0], *running, *tensors[1:], training=training, eps=1e-2)

    leaves = (x, weight.clone().requires_grad_(), bias.clone().requires_grad_())
    assert torch.autograd.gradcheck(layer, leaves, fast_mode=True)
    assert torch.autograd.gradgradcheck(layer, leaves, fast_mode=True)


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


@pytest.mark.parametrize("name", ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "batch_norm"])
def test_signature(name: str) -> None:
    def arguments(callable_: Any) -> list[tuple[str, Any, Any]]:
        return [(p.name, p.default, p.kind) for p in inspect.signature(callable_).parameters.values()]

    pair = (functional, torch_functional) if name == "batch_norm" else (nn, torch_nn)
    ours, theirs = (arguments(getattr(place, name)) for place in pair)
    assert ours == theirs if HAS_BIAS else ours[: len(theirs)] == theirs


X, ZEROS, ONES = torch.randn(6, 4, 3), torch.zeros(4), torch.ones(4)
REFUSED_BY_THE_FUNCTION: dict[str, tuple[Any, ...]] = {
    "no estimates": (X, None, None),
    "no running_var": (X, ZEROS, None),
    "no running_var in training": (X, ZEROS, None, None, None, True),
    "no running_mean in training": (X, None, ONES, None, None, True),
    "running_mean too long": (X, torch.zeros(5), ONES),
    "running_var too short": (X, ZEROS, torch.ones(3)),
    "weight too long": (X, ZEROS, ONES, torch.ones(5)),
    "bias too long": (X, ZEROS, ONES, None, torch.ones(5)),
    "input of one axis": (X[0, 0], ZEROS, ONES),
    "input of no axis": (torch.tensor(1.0), ZEROS, ONES),
    "input is a list": ([1.0], ZEROS, ONES),
    "weight is a list": (X, ZEROS, ONES, [1.0] * 4),
    "integers": (X.long(), ZEROS, ONES),
    "integers in training": (X.long(), ZEROS, ONES, None, None, True),
    "complex": (X + 0j, ZEROS, ONES),
    "float64 and float32": (X.double(), ZEROS, ONES),
    "float64 and float32 weight": (X.double(), ZEROS.double(), ONES.double(), ONES),
    "float32 and bfloat16": (X, ZEROS.bfloat16(), ONES.bfloat16()),
    "bfloat16 with both": (X.bfloat16(), ZEROS, ONES, ONES.bfloat16(), ZEROS.bfloat16()),
    "float32 and float64 bias": (X, ZEROS, ONES, ONES, ZEROS.double()),
    "one value per channel": (X[:1, :, 0], ZEROS, ONES, None, None, True),
    "one value per channel, three axes": (X[:1, :, :1], ZEROS, ONES, None, None, True),
    "momentum None": (X, ZEROS, ONES, None, None, True, None),
    "momentum 'a'": (X, ZEROS, ONES, None, None, True, "a"),
    "training 1": (X, ZEROS, ONES, None, None, 1),
    "training None": (X, ZEROS, ONES, None, None, None),
    "eps 'a'": (X, ZEROS, ONES, None, None, False, 0.1, "a"),
    "eps 0 in training": (X, ZEROS, ONES, None, None, True, 0.1, 0.0),
    "eps -1": (X, ZEROS, ONES, None, None, False, 0.1, -1.0),
}


@pytest.mark.parametrize("arguments", REFUSED_BY_THE_FUNCTION.values(), ids=REFUSED_BY_THE_FUNCTION.keys())
def test_the_function_refuses_as_torch_does(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(Exception) as theirs:
        torch_functional.batch_norm(*arguments)
    with pytest.raises(theirs.type):
        functional.batch_norm(*arguments)
    assert not ZEROS.any(), "the estimates of a refused call moved"


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("BatchNorm1d", (1, 4)),
        ("BatchNorm1d", (4,)),
        ("BatchNorm1d", (2, 4, 1, 1)),
        ("BatchNorm2d", (2, 4, 3)),
        ("BatchNorm2d", (1, 4, 1, 1)),
        ("BatchNorm3d", (2, 4, 3, 3)),
        ("BatchNorm3d", (2, 5, 3, 3, 3)),
    ],
)
def test_the_layer_refuses_an_input_as_torch_does(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(Exception) as theirs:
        getattr(torch_nn, name)(4)(torch.ones(shape))
    with pytest.raises(theirs.type, match=str(theirs.value)[:20] if "more than 1" in str(theirs.value) else None):
        getattr(nn, name)(4)(torch.ones(shape))


@pytest.mark.parametrize("features", [-1, 2.5, "a"])
def test_the_class_refuses_as_torch_does(features: Any) -> None:
    with pytest.raises(Exception) as theirs:
        torch_nn.BatchNorm1d(features)
    with pytest.raises(theirs.type):
        nn.BatchNorm1d(features)


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


def test_memory_layouts() -> None:
    ours, theirs = twins(Case("BatchNorm2d", 4, {}, (3, 4, 5, 6)))
    whole = torch.randn(6, 4, 5, 6, dtype=torch.float64)
    layouts = {
        "channels last": whole[:3].to(memory_format=torch.channels_last),
        "every second sample": whole[::2],
        "axes swapped": whole.transpose(2, 3),
        "one sample, expanded": whole[:1].expand(3, -1, -1, -1),
    }
    for x in layouts.values():
        torch.testing.assert_close(results(ours, x), results(theirs, x))


def test_copies_and_pickles() -> None:
    layer = nn.BatchNorm1d(4)
    x = torch.randn(6, 4)
    layer(x)
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(twin.eval()(x), layer.eval()(x))
