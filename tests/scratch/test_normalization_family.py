"""scratch.nn's and scratch.functional's normalizations do what torch's do, over all arguments."""

import copy
import inspect
import pickle
from typing import Any

import pytest
import torch
import torch.nn.functional as torch_functional
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn as torch_nn

from scratch import functional, nn

INSTANCE = ("InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d")
CLASSES = ("LayerNorm", "RMSNorm", "GroupNorm", "LocalResponseNorm", *INSTANCE)
FUNCTIONS = ("layer_norm", "rms_norm", "group_norm", "instance_norm", "local_response_norm")

Case = tuple[str, dict[str, Any], tuple[int, ...]]  # class, arguments, shape of an input


@st.composite
def cases(draw: st.DrawFn) -> Case:
    name = draw(st.sampled_from(CLASSES))
    eps = draw(st.sampled_from([1e-5, 1e-2, 0.5]))
    batch = draw(st.sampled_from([0, 1, 3]))
    positions = tuple(draw(st.lists(st.integers(2, 4), min_size=1, max_size=3)))
    if name in ("LayerNorm", "RMSNorm"):
        shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)))
        forms: list[Any] = [shape, list(shape), torch.Size(shape)]
        options = {"normalized_shape": draw(st.sampled_from(forms + [shape[0]] * (len(shape) == 1))), "eps": eps}
        options["elementwise_affine"] = draw(st.booleans())
        if name == "LayerNorm":
            options["bias"] = draw(st.booleans())
        elif draw(st.booleans()):
            options["eps"] = None
        lead = draw(st.sampled_from([(), (batch,), (batch, 2)]))
        return name, options, (*lead, *shape)
    if name == "GroupNorm":
        groups, each = draw(st.integers(1, 3)), draw(st.integers(1, 3))
        options = {"num_groups": groups, "num_channels": groups * each, "eps": eps}
        options |= {"affine": draw(st.booleans()), "bias": draw(st.booleans())}
        return name, options, (batch, groups * each, *positions)
    if name == "LocalResponseNorm":
        options = {"size": draw(st.integers(1, 7)), "alpha": draw(st.sampled_from([1e-4, 0.5]))}
        options |= {"beta": draw(st.sampled_from([0.75, 2.0])), "k": draw(st.sampled_from([1.0, 3]))}
        return name, options, (batch, draw(st.integers(1, 5)), *positions)
    axes = int(name[-2])
    options = {"num_features": draw(st.integers(1, 4)), "eps": eps, "momentum": draw(st.sampled_from([0.1, 0.9, None]))}
    options |= {name: draw(st.booleans()) for name in ("affine", "track_running_stats", "bias")}
    lead = draw(st.sampled_from([(), (1,), (3,)]))
    return name, options, (*lead, options["num_features"], *draw(st.tuples(*[st.integers(2, 4)] * axes)))


def twins(case: Case, dtype: torch.dtype = torch.float64) -> tuple[torch_nn.Module, torch_nn.Module]:
    """Our layer and torch's, with the same random parameters."""
    name, options, _ = case
    theirs = getattr(torch_nn, name)(**options).to(dtype)
    for parameter in theirs.parameters():
        torch_nn.init.normal_(parameter)
    ours = getattr(nn, name)(**options).to(dtype)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def results(layer: torch_nn.Module, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """Output, first derivatives and buffers, for a gradient that differs from place to place."""
    x = x.clone().requires_grad_()
    output = layer(x)
    grad = torch.cos(torch.arange(output.numel(), dtype=output.dtype)).reshape(output.shape)
    leaves = {"input": x, **dict(layer.named_parameters())}
    gradients = torch.autograd.grad(output, list(leaves.values()), grad)
    buffers = {name: buffer.clone() for name, buffer in layer.named_buffers()}
    return {"output": output.detach(), **buffers, **dict(zip(leaves, gradients, strict=True))}


@given(cases())
def test_output_gradients_and_buffers_through_ten_steps_and_evaluation(case: Case) -> None:
    ours, theirs = twins(case)
    for _ in range(10):
        x = torch.randn(case[2], dtype=torch.float64) * 3 + 1
        torch.testing.assert_close(results(ours, x), results(theirs, x))
    torch.testing.assert_close(results(ours.eval(), x), results(theirs.eval(), x))


@given(cases())
def test_state_dict_repr_and_first_parameters(case: Case) -> None:
    name, options, _ = case
    ours, theirs = getattr(nn, name)(**options), getattr(torch_nn, name)(**options)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict(), rtol=0, atol=0)
    theirs.load_state_dict(ours.state_dict())
    for option in options.keys() - {"bias", "normalized_shape"}:
        assert getattr(ours, option) == getattr(theirs, option), option


@settings(max_examples=25)
@given(cases().filter(lambda case: 0 not in case[2] and torch.Size(case[2]).numel() < 60))
def test_second_derivatives(case: Case) -> None:
    ours, _ = twins(case)
    x = torch.randn(case[2], dtype=torch.float64, requires_grad=True)
    names = [name for name, _ in ours.named_parameters()]
    buffers = dict(ours.named_buffers())

    def layer(x: torch.Tensor, *parameters: torch.Tensor) -> torch.Tensor:
        state = {name: buffer.clone() for name, buffer in buffers.items()}
        return torch.func.functional_call(ours, {**state, **dict(zip(names, parameters, strict=True))}, (x,))

    parameters = [parameter.detach().requires_grad_() for parameter in ours.parameters()]
    assert torch.autograd.gradcheck(layer, (x, *parameters), fast_mode=True)
    assert torch.autograd.gradgradcheck(layer, (x, *parameters), fast_mode=True)


USUAL: dict[str, Case] = {
    "LayerNorm": ("LayerNorm", {"normalized_shape": (5, 7)}, (2, 4, 5, 7)),
    "RMSNorm": ("RMSNorm", {"normalized_shape": 7}, (2, 4, 5, 7)),
    "GroupNorm": ("GroupNorm", {"num_groups": 2, "num_channels": 4}, (2, 4, 5, 7)),
    "LocalResponseNorm": ("LocalResponseNorm", {"size": 3, "alpha": 0.1}, (2, 4, 5, 7)),
    "InstanceNorm2d": ("InstanceNorm2d", {"num_features": 4, "affine": True}, (2, 4, 5, 7)),
}


@pytest.mark.parametrize("name", USUAL)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_dtypes(name: str, dtype: torch.dtype) -> None:
    ours, theirs = twins(USUAL[name], dtype)
    x = torch.randn(USUAL[name][2]).to(dtype)
    if name == "LocalResponseNorm" and dtype != torch.float32:
        assert ours(x).dtype == dtype  # torch has no such kernel on the CPU
        return
    eps = torch.finfo(dtype).eps
    torch.testing.assert_close(ours(x), theirs(x), rtol=4 * eps, atol=4 * eps)


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


@pytest.mark.parametrize("name", USUAL)
def test_inputs_that_are_not_contiguous(name: str) -> None:
    ours, theirs = twins(USUAL[name])
    x = torch.randn(2, 4, 14, 5, dtype=torch.float64).transpose(2, 3)[..., ::2]
    torch.testing.assert_close(results(ours, x), results(theirs, x))


@pytest.mark.parametrize("name", [*CLASSES, *FUNCTIONS])
def test_signatures(name: str) -> None:
    def arguments(callable_: Any) -> list[tuple[Any, ...]]:
        return [(p.name, p.default, p.kind) for p in inspect.signature(callable_).parameters.values()]

    ours, theirs = (nn, torch_nn) if name in CLASSES else (functional, torch_functional)
    assert arguments(getattr(ours, name)) == arguments(getattr(theirs, name))


ones = torch.ones
REFUSED: dict[str, tuple[str, tuple[Any, ...]]] = {
    "layer, a list": ("layer_norm", ([1.0], (1,))),
    "layer, another axis": ("layer_norm", (ones(2, 5), (4,))),
    "layer, too many axes": ("layer_norm", (ones(5), (3, 5))),
    "layer, an int": ("layer_norm", (ones(2, 5), 5)),
    "layer, no axes": ("layer_norm", (ones(2, 5), ())),
    "layer, weight": ("layer_norm", (ones(2, 5), (5,), ones(4))),
    "layer, bias": ("layer_norm", (ones(2, 5), (5,), None, ones(4))),
    "layer, dtype": ("layer_norm", (ones(2, 5).double(), (5,), ones(5))),
    "layer, narrow weight": ("layer_norm", (ones(2, 5), (5,), ones(5).bfloat16())),
    "layer, integers": ("layer_norm", (ones(2, 5).long(), (5,))),
    "layer, eps None": ("layer_norm", (ones(2, 5), (5,), None, None, None)),
    "rms, a list": ("rms_norm", ([1.0], (1,))),
    "rms, another axis": ("rms_norm", (ones(2, 5), (4,))),
    "rms, an int": ("rms_norm", (ones(2, 5), 5)),
    "rms, no axes": ("rms_norm", (ones(2, 5), ())),
    "rms, weight": ("rms_norm", (ones(2, 5), (5,), ones(4))),
    "rms, integers": ("rms_norm", (ones(2, 5).long(), (5,))),
    "group, does not divide": ("group_norm", (ones(2, 4, 3), 3)),
    "group, zero": ("group_norm", (ones(2, 4, 3), 0)),
    "group, negative": ("group_norm", (ones(2, 4, 3), -1)),
    "group, float": ("group_norm", (ones(2, 4, 3), 1.0)),
    "group, bool": ("group_norm", (ones(2, 4, 3), True)),
    "group, one axis": ("group_norm", (ones(4), 1)),
    "group, one value": ("group_norm", (ones(1, 4, 1), 4)),
    "group, no positions": ("group_norm", (ones(2, 4, 0), 2)),
    "group, weight": ("group_norm", (ones(2, 4, 3), 2, ones(3))),
    "group, bias of two axes": ("group_norm", (ones(2, 4, 3), 2, None, ones(4, 1))),
    "group, dtype": ("group_norm", (ones(2, 4, 3).double(), 2, ones(4))),
    "instance, one position": ("instance_norm", (ones(2, 4, 1),)),
    "instance, no positions": ("instance_norm", (ones(2, 4),)),
    "instance, no estimates": ("instance_norm", (ones(2, 4, 3), None, None, None, None, False)),
    "instance, only a mean": ("instance_norm", (ones(2, 4, 3), ones(4))),
    "instance, only a variance": ("instance_norm", (ones(2, 4, 3), None, ones(4))),
    "instance, short estimates": ("instance_norm", (ones(2, 4, 3), ones(3), ones(3))),
    "instance, weight": ("instance_norm", (ones(2, 4, 3), None, None, ones(3))),
    "instance, dtype": ("instance_norm", (ones(2, 4, 3).double(), None, None, ones(4))),
    "response, two axes": ("local_response_norm", (ones(2, 4), 2)),
    "response, size 0": ("local_response_norm", (ones(2, 4, 3), 0)),
    "response, size 2.0": ("local_response_norm", (ones(2, 4, 3), 2.0)),
}


@pytest.mark.parametrize(("name", "arguments"), REFUSED.values(), ids=REFUSED.keys())
def test_the_functions_refuse_as_torchs_do(name: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(Exception) as theirs:
        getattr(torch_functional, name)(*arguments)
    with pytest.raises(theirs.type):
        getattr(functional, name)(*arguments)


REFUSED_BY_CLASSES: dict[str, tuple[str, dict[str, Any], tuple[int, ...]]] = {
    "group, does not divide": ("GroupNorm", {"num_groups": 3, "num_channels": 4}, (2, 4, 3)),
    "group, zero": ("GroupNorm", {"num_groups": 0, "num_channels": 4}, (2, 4, 3)),
    "group, other channels": ("GroupNorm", {"num_groups": 2, "num_channels": 4}, (2, 6, 3)),
    "instance 1d, four axes": ("InstanceNorm1d", {"num_features": 4}, (2, 4, 3, 3)),
    "instance 2d, two axes": ("InstanceNorm2d", {"num_features": 4}, (2, 4)),
    "instance 3d, three axes": ("InstanceNorm3d", {"num_features": 4}, (2, 4, 3)),
    "instance, one position": ("InstanceNorm2d", {"num_features": 4}, (2, 4, 1, 1)),
    "instance, other channels": ("InstanceNorm2d", {"num_features": 3, "affine": True}, (2, 4, 3, 3)),
    "layer, another shape": ("LayerNorm", {"normalized_shape": (3, 4)}, (2, 4, 3)),
    "layer, a float": ("LayerNorm", {"normalized_shape": 5.0}, (2, 5)),
}


@pytest.mark.parametrize(("name", "options", "size"), REFUSED_BY_CLASSES.values(), ids=REFUSED_BY_CLASSES.keys())
def test_the_classes_refuse_as_torchs_do(name: str, options: dict[str, Any], size: tuple[int, ...]) -> None:
    with pytest.raises(Exception) as theirs:
        getattr(torch_nn, name)(**options)(torch.ones(size))
    with pytest.raises(theirs.type):
        getattr(nn, name)(**options)(torch.ones(size))


def test_switch_norm_is_a_mixture_of_the_three() -> None:
    x = torch.randn(3, 4, 5, 2, dtype=torch.float64) * 2 + 1
    layer = nn.SwitchNorm2d(4).double()
    for parameter in layer.parameters():
        torch_nn.init.normal_(parameter)
    a, b = layer.mean_weight.softmax(0), layer.var_weight.softmax(0)
    sets = [(2, 3), (1, 2, 3), (0, 2, 3)]
    mean = sum(w * x.mean(axes, keepdim=True) for w, axes in zip(a, sets, strict=True))
    var = sum(w * x.var(axes, correction=0, keepdim=True) for w, axes in zip(b, sets, strict=True))
    normal = (x - mean) / (var + 1e-5).sqrt()
    torch.testing.assert_close(layer(x), normal * layer.weight.view(-1, 1, 1) + layer.bias.view(-1, 1, 1))
    assert torch.autograd.gradcheck(layer, x.clone().requires_grad_(), fast_mode=True)


def test_switch_norm_remembers_and_evaluates() -> None:
    layer = nn.SwitchNorm2d(4, momentum=0.25)
    x = torch.randn(3, 4, 5, 2) + 2
    layer(x)
    torch.testing.assert_close(layer.running_mean, 0.25 * x.mean((0, 2, 3)))
    torch.testing.assert_close(layer.running_var, 0.75 + 0.25 * x.var((0, 2, 3), correction=0))
    layer.eval()
    torch.testing.assert_close(layer(x)[:1], layer(x[:1]))
    assert layer.num_batches_tracked == 1
    assert list(layer.state_dict())[-3:] == ["running_mean", "running_var", "num_batches_tracked"]
    for wrong in (torch.ones(3, 4, 5), torch.ones(3, 5, 2, 2)):
        with pytest.raises(ValueError, match="must be"):
            layer(wrong)


@pytest.mark.parametrize("name", USUAL)
def test_copies_and_pickles(name: str) -> None:
    ours, _ = twins(USUAL[name])
    x = torch.randn(USUAL[name][2], dtype=torch.float64)
    for twin in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        assert torch.equal(twin(x), ours(x))
