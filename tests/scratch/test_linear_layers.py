"""scratch.nn.Linear, Softmax, CrossEntropyLoss and their kin do what torch's do, over all arguments."""

import copy
import inspect
import math
import pickle
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy
import pytest
import torch
import torch.nn.functional as torch_functional
from hypothesis import given
from hypothesis import strategies as st
from torch import nn as torch_nn

from scratch import functional, linear_layers, nn

pytestmark = [
    pytest.mark.filterwarnings("ignore:Initializing zero-element tensors"),
    pytest.mark.filterwarnings("ignore:size_average and reduce args will be deprecated"),
    pytest.mark.filterwarnings("ignore:Using a target size"),
    pytest.mark.filterwarnings("ignore:Implicit dimension choice"),
]


LEADING = st.sampled_from([(), (0,), (1,), (5,), (2, 3), (3, 0), (2, 1, 3)])
REDUCTIONS = ["none", "sum", "mean"]
INF = math.inf


def results(function: Callable[..., torch.Tensor], *leaves: torch.Tensor) -> list[torch.Tensor | None]:
    """Output and all first derivatives, for a gradient that differs from place to place."""
    leaves = tuple(leaf.detach().clone().requires_grad_() for leaf in leaves)
    output = function(*leaves)
    grad = torch.cos(torch.arange(output.numel(), dtype=torch.float64)).reshape(output.shape).to(output)
    return [output.detach(), *torch.autograd.grad(output, leaves, grad)]


def assert_same(ours: Any, theirs: Any, **tolerance: float) -> None:
    torch.testing.assert_close(ours, theirs, equal_nan=True, **tolerance)


# linear and Linear


@given(LEADING, st.integers(0, 4), st.integers(0, 4), st.booleans(), st.sampled_from([torch.float32, torch.float64]))
def test_linear_layer(leading: tuple[int, ...], sizes_in: int, sizes_out: int, bias: bool, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    ours = nn.Linear(sizes_in, sizes_out, bias, dtype=dtype)
    torch.manual_seed(0)
    theirs = torch_nn.Linear(sizes_in, sizes_out, bias, dtype=dtype)
    assert repr(ours) == repr(theirs)
    assert_same(ours.state_dict(), theirs.state_dict())  # the same first numbers from the same seed
    theirs.load_state_dict(ours.state_dict())
    assert_same(ours.state_dict(), theirs.state_dict(), rtol=0, atol=0)
    ours.load_state_dict(torch_nn.Linear(sizes_in, sizes_out, bias, dtype=dtype).state_dict())
    theirs.load_state_dict(ours.state_dict())

    x = torch.randn(*leading, sizes_in, dtype=dtype)
    names = [name for name, _ in theirs.named_parameters()]
    leaves = [parameter.detach() for parameter in theirs.parameters()]

    def run(layer: torch_nn.Module) -> list[torch.Tensor | None]:
        def call(x: torch.Tensor, *parameters: torch.Tensor) -> torch.Tensor:
            return torch.func.functional_call(layer, dict(zip(names, parameters, strict=True)), (x,))

        return results(call, x, *leaves)

    assert_same(run(ours), run(theirs))


@given(LEADING, st.integers(1, 4), st.sampled_from(["one axis", "(O)", "()", "(1)", "(1, O)"]))
def test_linear_function(leading: tuple[int, ...], sizes_in: int, kind: str) -> None:
    x = torch.randn(*leading, sizes_in)
    if kind == "(1, O)" and not leading:
        return  # torch drops the axis of one, which it does not document; ours refuses
    shapes = {"(O)": (3,), "()": (), "(1)": (1,), "(1, O)": (1, 3)}
    if kind == "one axis":
        leaves = [x, torch.randn(sizes_in)]
    else:
        leaves = [x, torch.randn(3, sizes_in), torch.randn(shapes[kind])]
    try:
        expected = results(torch_functional.linear, *leaves)
    except RuntimeError:
        assert kind == "one axis" and x.numel() == 0  # torch cannot do it; nothing to compare
        return
    assert_same(results(functional.linear, *leaves), expected)


@given(LEADING, st.integers(1, 4), st.integers(1, 4))
def test_the_rungs_and_the_gradient_by_hand(leading: tuple[int, ...], sizes_in: int, sizes_out: int) -> None:
    sizes = (*leading, sizes_in), (sizes_out, sizes_in), (sizes_out,)
    x, weight, bias = (torch.randn(size, dtype=torch.float64) for size in sizes)
    for bias_or_none in (None, bias):
        expected = torch_functional.linear(x, weight, bias_or_none)
        assert_same(linear_layers.linear_loops(x, weight, bias_or_none), expected)
        assert_same(linear_layers.linear_einsum(x, weight, bias_or_none), expected)
    assert_same(linear_layers.linear_loops(x.long(), weight), torch_functional.linear(x.long().double(), weight))
    output, *gradients = results(torch_functional.linear, x, weight, bias)
    grad = torch.cos(torch.arange(output.numel(), dtype=torch.float64)).reshape(output.shape)
    assert_same(list(linear_layers.linear_backward(grad, x, weight)), gradients)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.complex64, torch.int64], ids=str)
def test_linear_dtypes(dtype: torch.dtype) -> None:
    leaves = [(3 * torch.randn(*size)).to(dtype) for size in [(2, 5, 8), (4, 8), (4,)]]
    ours, theirs = functional.linear(*leaves), torch_functional.linear(*leaves)
    assert ours.dtype == theirs.dtype == dtype
    scale = theirs.abs().max().item()
    eps = 0.0 if dtype == torch.int64 else 4 * torch.finfo(dtype).eps
    assert_same(ours, theirs, rtol=eps, atol=eps * scale)


def test_autocast_gives_the_dtype_that_torch_gives() -> None:
    ours, theirs = nn.Linear(8, 4), torch_nn.Linear(8, 4)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(3, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        for value in (x, x.bfloat16()):
            assert ours(value).dtype == theirs(value).dtype == torch.bfloat16
            assert_same(ours(value), theirs(value), rtol=2e-2, atol=2e-2)


# relu and Flatten


@given(LEADING, st.booleans(), st.sampled_from([torch.float32, torch.float16, torch.int64, torch.uint8]))
def test_relu(shape: tuple[int, ...], inplace: bool, dtype: torch.dtype) -> None:
    x = (5 * torch.randn(shape)).abs().to(dtype) if dtype == torch.uint8 else (5 * torch.randn(shape)).to(dtype)
    own, other = x.clone(), x.clone()
    ours, theirs = nn.ReLU(inplace)(own), torch_nn.ReLU(inplace)(other)
    assert torch.equal(ours, theirs) and ours.dtype == theirs.dtype
    assert torch.equal(own, other) and (ours is own) == inplace
    assert torch.equal(functional.relu(x.clone(), inplace), theirs)


def test_relu_at_the_corners() -> None:
    x = torch.tensor([-INF, -1.0, -0.0, 0.0, 1.0, INF, math.nan])
    assert_same(results(functional.relu, x), results(torch_functional.relu, x))
    inner = results(lambda x: functional.relu(2 * x, inplace=True), x)
    assert_same(inner, results(lambda x: torch_functional.relu(2 * x, inplace=True), x))


@given(st.lists(st.integers(0, 3), max_size=4), st.integers(-5, 4), st.integers(-5, 4))
def test_flatten(shape: list[int], start: int, end: int) -> None:
    x = torch.randn(shape)
    ours, theirs = nn.Flatten(start, end), torch_nn.Flatten(start, end)
    assert repr(ours) == repr(theirs)
    try:
        expected = results(theirs, x)
    except (IndexError, RuntimeError) as error:
        with pytest.raises(type(error)):
            ours(x)
        return
    assert_same(results(ours, x), expected)


def test_flatten_gives_a_view_where_it_can() -> None:
    x = torch.randn(2, 3, 4)
    assert nn.Flatten()(x).data_ptr() == x.data_ptr()
    assert torch.equal(nn.Flatten()(x.transpose(1, 2)), torch_nn.Flatten()(x.transpose(1, 2)))


# softmax and log_softmax

SOFTMAXES = ["softmax", "log_softmax"]


@given(st.lists(st.integers(0, 4), max_size=4), st.data(), st.sampled_from(SOFTMAXES), st.sampled_from([1, 100, 1e30]))
def test_softmax(shape: list[int], data: st.DataObject, name: str, scale: float) -> None:
    axes = max(len(shape), 1)
    dim = data.draw(st.none() | st.integers(-axes, axes - 1))
    x = scale * torch.randn(shape, dtype=torch.float64)
    ours, theirs = getattr(functional, name), getattr(torch_functional, name)
    assert_same(results(lambda x: ours(x, dim), x), results(lambda x: theirs(x, dim), x))
    kind = {"softmax": "Softmax", "log_softmax": "LogSoftmax"}[name]
    assert repr(getattr(nn, kind)(dim)) == repr(getattr(torch_nn, kind)(dim))
    assert_same(results(getattr(nn, kind)(dim), x), results(getattr(torch_nn, kind)(dim), x))


@given(
    st.lists(st.sampled_from([-INF, -1.0, 0.0, 2.0, INF, math.nan]), min_size=1, max_size=4), st.sampled_from(SOFTMAXES)
)
def test_softmax_of_infinite_scores(scores: list[float], name: str) -> None:
    x = torch.tensor(scores, dtype=torch.float64)
    ours, theirs = getattr(functional, name), getattr(torch_functional, name)
    assert_same(results(lambda x: ours(x, 0), x), results(lambda x: theirs(x, 0), x))


DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16, torch.int64]


@given(st.sampled_from(DTYPES), st.sampled_from(DTYPES[:4]), st.sampled_from(SOFTMAXES))
def test_softmax_in_a_wanted_dtype(given_dtype: torch.dtype, wanted: torch.dtype, name: str) -> None:
    x = (5 * torch.randn(3, 6)).to(given_dtype)
    ours = getattr(functional, name)(x, 1, dtype=wanted)
    theirs = getattr(torch_functional, name)(x, 1, dtype=wanted)
    assert ours.dtype == theirs.dtype == wanted
    eps = 4 * torch.finfo(wanted).eps
    assert_same(ours, theirs, rtol=eps, atol=eps)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.data())
def test_softmax_gradients_by_hand(shape: list[int], data: st.DataObject) -> None:
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = torch.randn(shape, dtype=torch.float64)
    grad = torch.cos(torch.arange(x.numel(), dtype=torch.float64)).reshape(shape)
    for name in SOFTMAXES:
        theirs = {"softmax": torch.softmax, "log_softmax": torch.log_softmax}[name]
        output, by_autograd = results(lambda x, theirs=theirs: theirs(x, dim), x)
        by_hand = getattr(linear_layers, f"{name}_backward")(grad, output, dim)
        assert_same(by_hand, by_autograd)


@pytest.mark.parametrize("name", SOFTMAXES)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 3, 4), (2, 3, 4, 2)], ids=str)
@pytest.mark.filterwarnings("default")
def test_softmax_without_an_axis_warns_as_torch_does(name: str, shape: tuple[int, ...]) -> None:
    x = torch.randn(shape)
    with pytest.warns(UserWarning) as caught:
        ours, theirs = getattr(functional, name)(x), getattr(torch_functional, name)(x)
    assert_same(ours, theirs)
    assert str(caught[0].message) == str(caught[1].message)
    assert caught[0].filename == caught[1].filename == __file__


# nll_loss and cross_entropy


@dataclass
class Case:
    """Arguments of cross_entropy."""

    input: torch.Tensor
    target: torch.Tensor
    options: dict[str, Any] = field(default_factory=dict)


@st.composite
def cases(draw: st.DrawFn, smooth: bool = True, plain: bool = False) -> Case:
    """`smooth`: also label smoothing and probabilities; `plain`: only inputs (N, C) with class numbers."""
    classes = draw(st.integers(1, 5))
    positions = () if plain else draw(st.sampled_from([None, (), (3,), (2, 1), (2, 3), (1, 2, 2), (0,)]))
    batch = draw(st.integers(0, 4))
    shape = (classes,) if positions is None else (batch, classes, *positions)
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**16)))
    x = draw(st.sampled_from([1.0, 200.0])) * torch.randn(shape, dtype=torch.float64, generator=generator)
    options: dict[str, Any] = {"reduction": draw(st.sampled_from(REDUCTIONS))}
    if draw(st.booleans()):
        options["weight"] = torch.rand(classes, dtype=torch.float64, generator=generator)
        if draw(st.booleans()):
            options["weight"][0] = 0.0
    if smooth:
        options["label_smoothing"] = draw(st.sampled_from([0.0, 0.1, 1.0, -0.5]))
    if smooth and not plain and draw(st.booleans()):
        return Case(x, torch.rand(shape, dtype=torch.float64, generator=generator), options)
    target_shape = () if positions is None else (batch, *positions)
    target = torch.randint(classes, target_shape, generator=generator)
    ignored = draw(st.sampled_from([None, -100, 0, -1, classes + 3]))
    if ignored is not None:
        options["ignore_index"] = ignored
        if draw(st.booleans()) and ignored not in range(classes):
            keep = torch.rand(target_shape, generator=generator) < draw(st.sampled_from([0.0, 0.5]))
            target = torch.where(keep, target, ignored)
    in_bytes = positions in (None, ()) and options.get("label_smoothing", 0.0) <= 0  # elsewhere torch refuses bytes
    if in_bytes and (target.numel() == 0 or int(target.min()) >= 0):
        target = target.to(draw(st.sampled_from([torch.int64, torch.uint8])))
    return Case(x, target, options)


@given(cases())
def test_cross_entropy(case: Case) -> None:
    ours = results(lambda x: functional.cross_entropy(x, case.target, **case.options), case.input)
    theirs = results(lambda x: torch_functional.cross_entropy(x, case.target, **case.options), case.input)
    assert_same(ours, theirs)
    loss, twin = nn.CrossEntropyLoss(**case.options), torch_nn.CrossEntropyLoss(**case.options)
    assert repr(loss) == repr(twin)
    assert_same(loss(case.input, case.target), twin(case.input, case.target))
    assert_same(loss.state_dict(), twin.state_dict())


@given(cases().filter(lambda case: case.target.is_floating_point() and case.input.numel() > 0))
def test_cross_entropy_is_differentiable_in_the_probabilities(case: Case) -> None:
    leaves = case.input, case.target
    ours = results(lambda x, t: functional.cross_entropy(x, t, **case.options), *leaves)
    assert_same(ours, results(lambda x, t: torch_functional.cross_entropy(x, t, **case.options), *leaves))


@given(cases(smooth=False))
def test_nll_loss(case: Case) -> None:
    ours = results(lambda x: functional.nll_loss(x, case.target, **case.options), case.input)
    assert_same(ours, results(lambda x: torch_functional.nll_loss(x, case.target, **case.options), case.input))


@given(st.sampled_from(REDUCTIONS), st.sampled_from([1, -100]))
def test_one_target_in_a_list_without_a_batch(reduction: str, target: int) -> None:
    x, targets = torch.randn(4), torch.tensor([target])  # torch fails here in its backward, and with label smoothing
    options: dict[str, Any] = {"reduction": reduction, "weight": torch.rand(4)}
    assert_same(functional.nll_loss(x, targets, **options), torch_functional.nll_loss(x, targets, **options))
    assert_same(functional.cross_entropy(x, targets, **options), torch_functional.cross_entropy(x, targets, **options))


@given(cases(plain=True))
def test_cross_entropy_loops(case: Case) -> None:
    case.options["label_smoothing"] = max(case.options["label_smoothing"], 0.0)
    ours = linear_layers.cross_entropy_loops(case.input, case.target, **case.options)
    assert_same(
        ours.double(), torch_functional.cross_entropy(case.input, case.target, **case.options), rtol=1e-5, atol=1e-5
    )


@given(cases(smooth=False, plain=True))
def test_cross_entropy_gradient_by_hand(case: Case) -> None:
    case.options["reduction"] = "mean"
    loss, by_autograd = results(lambda x: torch_functional.cross_entropy(x, case.target, **case.options), case.input)
    weightless = loss.isnan() and not (case.target == case.options.get("ignore_index", -100)).all()
    if not weightless:  # all weights of the targets are 0: 0 / 0, in which twins may differ
        del case.options["reduction"]
        by_hand = linear_layers.cross_entropy_backward(case.input, case.target, **case.options)
        assert_same(by_hand, by_autograd)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_dtypes(dtype: torch.dtype, smoothing: float) -> None:
    x, target = torch.randn(16, 8).to(dtype), torch.randint(8, (16,))
    ours = functional.cross_entropy(x, target, label_smoothing=smoothing)
    theirs = torch_functional.cross_entropy(x, target, label_smoothing=smoothing)
    assert ours.dtype == theirs.dtype == dtype
    eps = 4 * torch.finfo(dtype).eps
    assert_same(ours, theirs, rtol=eps, atol=eps)


def test_a_mean_over_many_numbers_in_half_precision() -> None:
    many = torch.full((70000,), 2.0, dtype=torch.float16)  # float16 ends at 65504
    assert functional.mse_loss(many, 0 * many) == torch_functional.mse_loss(many, 0 * many) == 4
    scores, wanted = torch.zeros(70000, 3).half(), torch.full((70000, 3), 1 / 3).half()
    assert functional.cross_entropy(scores, wanted) == torch_functional.cross_entropy(scores, wanted) == INF


# mse_loss


@given(
    st.sampled_from([((), ()), ((4,), (4,)), ((2, 3), (2, 3)), ((0, 3), (0, 3)), ((4,), (4, 1)), ((2, 3), (3,))]),
    st.sampled_from(REDUCTIONS),
    st.booleans(),
)
def test_mse_loss(shapes: tuple[tuple[int, ...], tuple[int, ...]], reduction: str, weighted: bool) -> None:
    leaves = [torch.randn(shape, dtype=torch.float64) for shape in shapes]
    options: dict[str, Any] = {"reduction": reduction}
    if not weighted:
        assert_same(results(nn.MSELoss(**options), *leaves), results(torch_nn.MSELoss(**options), *leaves))
    else:
        options["weight"] = torch.rand(shapes[0], dtype=torch.float64)
    ours = results(lambda x, t: functional.mse_loss(x, t, **options), *leaves)
    assert_same(ours, results(lambda x, t: torch_functional.mse_loss(x, t, **options), *leaves))


@pytest.mark.filterwarnings("default")
def test_mse_loss_warns_of_shapes_as_torch_does() -> None:
    with pytest.warns(UserWarning) as caught:
        functional.mse_loss(torch.ones(3), torch.ones(3, 1))
        torch_functional.mse_loss(torch.ones(3), torch.ones(3, 1))
    assert str(caught[0].message) == str(caught[1].message)
    assert caught[0].filename == caught[1].filename == __file__


@pytest.mark.parametrize("kinds", [(torch.bool, torch.float32), (torch.float32, torch.bool), (torch.int64, torch.half)])
def test_mse_loss_of_two_dtypes(kinds: tuple[torch.dtype, torch.dtype]) -> None:
    leaves = [torch.tensor([0.0, 1.0, 2.0]).to(kind) for kind in kinds]
    assert_same(functional.mse_loss(*leaves), torch_functional.mse_loss(*leaves))


# what concerns them all


@pytest.mark.parametrize("kind", [numpy.int64, numpy.int8, torch.tensor])
def test_whole_numbers_of_other_kinds(kind: Callable[[int], Any]) -> None:
    assert repr(nn.Linear(kind(3), kind(2))) == repr(torch_nn.Linear(kind(3), kind(2)))
    assert_same(functional.softmax(X, kind(1)), torch_functional.softmax(X, kind(1)))
    assert_same(functional.log_softmax(X, kind(0)), torch_functional.log_softmax(X, kind(0)))
    assert_same(nn.Flatten(kind(1), kind(-1))(W[None]), torch_nn.Flatten(kind(1), kind(-1))(W[None]))
    for name in ("cross_entropy", "nll_loss"):
        ours = getattr(functional, name)(X, CLASSES, ignore_index=kind(0))
        assert_same(ours, getattr(torch_functional, name)(X, CLASSES, ignore_index=kind(0)))


@pytest.mark.parametrize("kind", [numpy.float32, torch.tensor, int])
def test_label_smoothing_of_other_kinds(kind: Callable[[float], Any]) -> None:
    ours = functional.cross_entropy(X, CLASSES, label_smoothing=kind(0.25))
    assert_same(ours, torch_functional.cross_entropy(X, CLASSES, label_smoothing=kind(0.25)))


@pytest.mark.parametrize(
    "call",
    [
        lambda nn, F: nn.Linear(3, 2, device="meta")(X.to("meta")),
        lambda nn, F: F.softmax(X.to("meta"), 1),
        lambda nn, F: F.cross_entropy(X.to("meta"), CLASSES.to("meta"), label_smoothing=0.1),
        lambda nn, F: F.nll_loss(X.to("meta"), CLASSES.to("meta")),
        lambda nn, F: F.mse_loss(X.to("meta"), X.to("meta")),
    ],
)
def test_tensors_without_numbers(call: Callable[[Any, Any], torch.Tensor]) -> None:
    ours, theirs = call(nn, functional), call(torch_nn, torch_functional)
    assert ours.is_meta and ours.shape == theirs.shape and ours.dtype == theirs.dtype


def test_the_differences_that_the_chapter_admits() -> None:
    """If one of these goes away, the chapter should say so."""
    vmap, compiled = torch.vmap, torch.compile(functional.cross_entropy, fullgraph=True, backend="eager")
    assert vmap(torch_functional.cross_entropy)(X[None], CLASSES[None]).shape == (1,)
    with pytest.raises(RuntimeError):
        vmap(functional.cross_entropy)(X[None], CLASSES[None])
    with pytest.raises(Exception, match="Data-dependent branching"):
        compiled(X, CLASSES)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert functional.cross_entropy(X.bfloat16(), CLASSES).dtype == torch.bfloat16
        assert torch_functional.cross_entropy(X.bfloat16(), CLASSES).dtype == torch.float32
    assert vmap(functional.cross_entropy)(X[None], HALVES[None]).shape == (1,)  # probabilities need no look


@pytest.mark.parametrize("size_average", [None, True, False])
@pytest.mark.parametrize("reduce", [None, True, False])
def test_the_deprecated_arguments(size_average: bool | None, reduce: bool | None) -> None:
    x, target = torch.randn(4, 3), torch.tensor([0, 2, 1, 2])
    options: dict[str, Any] = {"size_average": size_average, "reduce": reduce, "reduction": "sum"}
    for name, arguments in {"cross_entropy": (x, target), "nll_loss": (x, target), "mse_loss": (x, 2 * x)}.items():
        ours = getattr(functional, name)(*arguments, **options)
        assert_same(ours, getattr(torch_functional, name)(*arguments, **options))
    for name in ("CrossEntropyLoss", "MSELoss"):
        assert getattr(nn, name)(**options).reduction == getattr(torch_nn, name)(**options).reduction


DIFFERENTIABLE: dict[str, tuple[Callable[..., torch.Tensor], list[tuple[int, ...]]]] = {
    "linear": (functional.linear, [(2, 3, 4), (5, 4), (5,)]),
    "relu": (functional.relu, [(3, 4)]),
    "softmax": (lambda x: functional.softmax(x, 1), [(3, 4)]),
    "log_softmax": (lambda x: functional.log_softmax(x, 0), [(3, 4)]),
    "nll_loss": (lambda x: functional.nll_loss(x, torch.tensor([0, 2, 1])), [(3, 4)]),
    "cross_entropy": (
        lambda x: functional.cross_entropy(x, torch.tensor([0, -100, 1]), label_smoothing=0.1),
        [(3, 4)],
    ),
    "cross_entropy of probabilities": (functional.cross_entropy, [(3, 4, 2), (3, 4, 2)]),
    "mse_loss": (functional.mse_loss, [(3, 4), (3, 4)]),
    "weighted mse_loss": (lambda x, t, w: functional.mse_loss(x, t, weight=w), [(3, 4)] * 3),
}


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_first_and_second_derivatives(name: str) -> None:
    function, shapes = DIFFERENTIABLE[name]
    generator = torch.Generator().manual_seed(0)
    leaves = [torch.rand(shape, dtype=torch.float64, generator=generator).add(0.1).requires_grad_() for shape in shapes]
    assert torch.autograd.gradcheck(function, leaves)
    assert torch.autograd.gradgradcheck(function, leaves)


CLASS_NAMES = ["Linear", "ReLU", "Flatten", "Softmax", "LogSoftmax", "CrossEntropyLoss", "MSELoss"]


@pytest.mark.parametrize("name", CLASS_NAMES)
def test_signature_of_a_class(name: str) -> None:
    assert arguments(getattr(nn, name)) == arguments(getattr(torch_nn, name))


@pytest.mark.parametrize("name", ["relu", "softmax", "log_softmax", "nll_loss", "cross_entropy", "mse_loss"])
def test_signature_of_a_function(name: str) -> None:
    assert arguments(getattr(functional, name)) == arguments(getattr(torch_functional, name))


def arguments(callable_: Any) -> list[tuple[str, Any]]:
    return [(p.name, p.default) for p in inspect.signature(callable_).parameters.values()]


X, W, CLASSES = torch.randn(2, 3), torch.randn(4, 3), torch.tensor([0, 2])
HALVES = torch.full((2, 3), 0.5)

REFUSED: dict[str, tuple[str, tuple[Any, ...], dict[str, Any]]] = {
    "linear: input is a list": ("linear", ([1.0, 2.0, 3.0], W), {}),
    "linear: bias is a list": ("linear", (X, W, [1.0] * 4), {}),
    "linear: input of no axis": ("linear", (torch.tensor(1.0), W), {}),
    "linear: weight of no axis": ("linear", (X, torch.tensor(1.0)), {}),
    "linear: weight of three axes": ("linear", (X, W[None]), {}),
    "linear: features differ": ("linear", (X[:, :2], W), {}),
    "linear: features differ, one axis": ("linear", (X[0, :2], W), {}),
    "linear: bias too short": ("linear", (X, W, torch.ones(3)), {}),
    "linear: bias of too many axes": ("linear", (X, W, torch.ones(5, 2, 4)), {}),
    "linear: bias and a weight of one axis": ("linear", (X, W[0], torch.tensor(1.0)), {}),
    "linear: input of another dtype": ("linear", (X.double(), W), {}),
    "linear: bias of another dtype": ("linear", (X, W, torch.ones(4).double()), {}),
    "linear: bool": ("linear", (X > 0, W > 0), {}),
    "relu: list": ("relu", ([1.0],), {}),
    "relu: bool": ("relu", (X > 0,), {}),
    "relu: complex": ("relu", (X.cfloat(),), {}),
    "relu: a parameter in place": ("relu", (torch.nn.Parameter(X.clone()), True), {}),
    "softmax: list": ("softmax", ([1.0], 0), {}),
    "softmax: dim=2": ("softmax", (X, 2), {}),
    "softmax: dim=-3": ("softmax", (X, -3), {}),
    "softmax: dim=1 of a number": ("softmax", (torch.tensor(1.0), 1), {}),
    "softmax: dim=1.0": ("softmax", (X, 1.0), {}),
    "softmax: dim=True": ("softmax", (X, True), {}),
    "softmax: dim=(0, 1)": ("softmax", (X, (0, 1)), {}),
    "softmax: dim is a bool tensor": ("softmax", (X, torch.tensor(True)), {}),
    "softmax: dim has an axis": ("softmax", (X, torch.tensor([1])), {}),
    "softmax: dim is numpy's bool": ("softmax", (X, numpy.bool_(True)), {}),
    "softmax: dtype is text": ("softmax", (X, 0), {"dtype": "float32"}),
    "softmax: whole numbers": ("softmax", (CLASSES, 0), {}),
    "softmax: into whole numbers": ("softmax", (X, 0), {"dtype": torch.int64}),
    "softmax: complex": ("softmax", (X.cfloat(), 0), {}),
    "log_softmax: dim=2": ("log_softmax", (X, 2), {}),
    "log_softmax: dim='last'": ("log_softmax", (X, "last"), {}),
    "log_softmax: bool": ("log_softmax", (X > 0, 0), {}),
    "nll_loss: input of no axis": ("nll_loss", (torch.tensor(1.0), torch.tensor(0)), {}),
    "cross_entropy: input of no axis": ("cross_entropy", (torch.tensor(1.0), torch.tensor([0])), {}),
    "cross_entropy: two numbers": ("cross_entropy", (torch.tensor(1.0), torch.tensor(0)), {}),
    "cross_entropy: probabilities of other classes": ("cross_entropy", (X, torch.ones(2, 4)), {}),
    "cross_entropy: one row of probabilities": ("cross_entropy", (X, torch.ones(1, 3)), {}),
    "cross_entropy: whole numbers, (N, C)": ("cross_entropy", (X, HALVES.long()), {}),
    "cross_entropy: probabilities, ignore_index=0": ("cross_entropy", (X, HALVES), {"ignore_index": 0}),
    "cross_entropy: probabilities, two weights": ("cross_entropy", (X, HALVES), {"weight": torch.ones(2)}),
    "cross_entropy: probabilities, weight (N, C)": ("cross_entropy", (X, HALVES), {"weight": HALVES}),
    "cross_entropy: label_smoothing=1.1": ("cross_entropy", (X, CLASSES), {"label_smoothing": 1.1}),
    "cross_entropy: label_smoothing=None": ("cross_entropy", (X, CLASSES), {"label_smoothing": None}),
    "cross_entropy: label_smoothing='a'": ("cross_entropy", (X, CLASSES), {"label_smoothing": "a"}),
    "mse_loss: list": ("mse_loss", ([1.0], torch.ones(1)), {}),
    "mse_loss: target is a number": ("mse_loss", (torch.ones(1), 1.0), {}),
    "mse_loss: shapes differ": ("mse_loss", (torch.ones(3), torch.ones(4)), {}),
    "mse_loss: whole numbers": ("mse_loss", (CLASSES, CLASSES), {}),
    "mse_loss: bool": ("mse_loss", (X > 0, X > 0), {}),
    "mse_loss: complex": ("mse_loss", (X.cfloat(), X.cfloat()), {}),
    "mse_loss: reduction='avg'": ("mse_loss", (X, X), {"reduction": "avg"}),
    "mse_loss: reduction=None": ("mse_loss", (X, X), {"reduction": None}),
    "mse_loss: weighted, reduction='avg'": ("mse_loss", (X, X), {"reduction": "avg", "weight": HALVES}),
    "mse_loss: weight of another shape": ("mse_loss", (X, X), {"weight": torch.ones(3)}),
}
for _name in ("nll_loss", "cross_entropy"):
    REFUSED |= {
        f"{_name}: input is a list": (_name, ([[1.0, 2.0]], CLASSES[:1]), {}),
        f"{_name}: target is a list": (_name, (X, [0, 2]), {}),
        f"{_name}: weight is a list": (_name, (X, CLASSES, [1.0] * 3), {}),
        f"{_name}: target 3": (_name, (X, torch.tensor([0, 3])), {}),
        f"{_name}: target 3, unreduced": (_name, (X, torch.tensor([0, 3])), {"reduction": "none"}),
        f"{_name}: target 3 without a batch": (_name, (X[0], torch.tensor(3)), {}),
        f"{_name}: target 3 at a position": (_name, (torch.ones(2, 3, 2), torch.full((2, 2), 3)), {}),
        f"{_name}: target -1": (_name, (X, torch.tensor([0, -1])), {}),
        f"{_name}: no classes": (_name, (X[:, :0], CLASSES), {}),
        f"{_name}: target float": (_name, (X, CLASSES.float()), {}),
        f"{_name}: target int32": (_name, (X, CLASSES.int()), {}),
        f"{_name}: target uint8 with positions": (_name, (X[None], torch.zeros(1, 3).byte()), {}),
        f"{_name}: target bool": (_name, (X, CLASSES.bool()), {}),
        f"{_name}: fewer targets": (_name, (X, CLASSES[:1]), {}),
        f"{_name}: one target for a batch": (_name, (X, torch.tensor(0)), {}),
        f"{_name}: two targets, no batch": (_name, (X[0], CLASSES), {}),
        f"{_name}: target (1, 1), no batch": (_name, (X[0], CLASSES[:1, None]), {}),
        f"{_name}: target (N, 1)": (_name, (X, CLASSES[:, None]), {}),
        f"{_name}: other positions": (_name, (torch.ones(2, 3, 4), torch.zeros(2, 5).long()), {}),
        f"{_name}: no positions": (_name, (torch.ones(2, 3, 4), CLASSES), {}),
        f"{_name}: other positions of two axes": (_name, (torch.ones(2, 3, 4, 2), torch.zeros(2, 4, 3).long()), {}),
        f"{_name}: other batch with positions": (_name, (torch.ones(2, 3, 4), torch.zeros(3, 4).long()), {}),
        f"{_name}: two weights": (_name, (X, CLASSES), {"weight": torch.ones(2)}),
        f"{_name}: weight (1, C)": (_name, (X, CLASSES), {"weight": torch.ones(1, 3)}),
        f"{_name}: weight of no axis": (_name, (X, CLASSES), {"weight": torch.tensor(1.0)}),
        f"{_name}: weight float64": (_name, (X, CLASSES), {"weight": torch.ones(3).double()}),
        f"{_name}: weight that is learned": (_name, (X, CLASSES), {"weight": torch.ones(3, requires_grad=True)}),
        f"{_name}: reduction='avg'": (_name, (X, CLASSES), {"reduction": "avg"}),
        f"{_name}: reduction=None": (_name, (X, CLASSES), {"reduction": None}),
        f"{_name}: ignore_index=1.5": (_name, (X, CLASSES), {"ignore_index": 1.5}),
        f"{_name}: ignore_index=True": (_name, (X, CLASSES), {"ignore_index": True}),
        f"{_name}: ignore_index=None": (_name, (X, CLASSES), {"ignore_index": None}),
        f"{_name}: whole numbers": (_name, (X.long(), CLASSES), {}),
        f"{_name}: complex": (_name, (X.cfloat(), CLASSES), {}),
    }


@pytest.mark.parametrize(("name", "positional", "named"), REFUSED.values(), ids=REFUSED.keys())
def test_a_function_refuses_as_torch_does(name: str, positional: tuple[Any, ...], named: dict[str, Any]) -> None:
    with pytest.raises(Exception) as theirs:
        getattr(torch_functional, name)(*positional, **named)
    with pytest.raises(theirs.type) as ours:
        getattr(functional, name)(*positional, **named)
    assert ours.type is theirs.type


REFUSED_BY_A_CLASS: dict[str, Callable[[Any], Any]] = {
    "Linear: sizes are floats": lambda nn: nn.Linear(2.0, 3),
    "Linear: sizes are text": lambda nn: nn.Linear(2, "3"),
    "Linear: negative": lambda nn: nn.Linear(-1, 3),
    "Linear: whole numbers": lambda nn: nn.Linear(2, 3, dtype=torch.int64),
    "Linear: another size": lambda nn: nn.Linear(2, 3)(torch.ones(4, 3)),
    "Softmax: numpy's int": lambda nn: nn.Softmax(numpy.int64(1)),
    "Softmax: 1.0": lambda nn: nn.Softmax(1.0),
    "Softmax: True": lambda nn: nn.Softmax(True),
    "LogSoftmax: text": lambda nn: nn.LogSoftmax("last"),
    "Flatten: float": lambda nn: nn.Flatten(0.0)(torch.ones(2, 3)),
    "Flatten: one axis": lambda nn: nn.Flatten()(torch.ones(3)),
    "Flatten: no axis": lambda nn: nn.Flatten()(torch.tensor(1.0)),
    "Flatten: the wrong way round": lambda nn: nn.Flatten(2, 1)(torch.ones(2, 3, 4)),
    "Flatten: list": lambda nn: nn.Flatten()([1.0]),
    "MSELoss: reduction": lambda nn: nn.MSELoss(reduction="avg")(X, X),
    "CrossEntropyLoss: reduction": lambda nn: nn.CrossEntropyLoss(reduction="avg")(X, CLASSES),
    "CrossEntropyLoss: weight is a list": lambda nn: nn.CrossEntropyLoss([1.0, 2.0, 3.0]),
    "CrossEntropyLoss: label_smoothing": lambda nn: nn.CrossEntropyLoss(label_smoothing=2.0)(X, CLASSES),
}


@pytest.mark.parametrize("call", REFUSED_BY_A_CLASS.values(), ids=REFUSED_BY_A_CLASS.keys())
def test_a_class_refuses_as_torch_does(call: Callable[[Any], Any]) -> None:
    with pytest.raises(Exception) as theirs:
        call(torch_nn)
    with pytest.raises(theirs.type) as ours:
        call(nn)
    assert ours.type is theirs.type


@pytest.mark.parametrize(
    "call", [lambda nn: nn.MSELoss(reduction="avg"), lambda nn: nn.CrossEntropyLoss(reduction="avg")]
)
def test_a_loss_looks_at_its_reduction_when_called(call: Callable[[Any], Any]) -> None:
    assert call(nn).reduction == call(torch_nn).reduction == "avg"


def test_copies_and_pickles() -> None:
    network = torch_nn.Sequential(nn.Flatten(), nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 3), nn.LogSoftmax(1))
    loss = nn.CrossEntropyLoss(torch.rand(3), label_smoothing=0.1)
    x = torch.randn(2, 3, 2)
    for make in (copy.deepcopy, lambda module: pickle.loads(pickle.dumps(module))):
        assert torch.equal(make(network)(x), network(x))
        assert torch.equal(make(loss)(network(x), CLASSES), loss(network(x), CLASSES))


def test_no_warning_without_a_reason() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        functional.cross_entropy(X, CLASSES, torch.ones(3), label_smoothing=0.1)
        functional.softmax(X, 1)
        functional.mse_loss(X, HALVES, weight=HALVES)
