"""scratch.nn.Linear, Softmax, CrossEntropyLoss and their kin do what torch's do, over all arguments."""

import inspect
import math
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


def arguments(callable_: Any) -> list[tuple[str, Any]]:
    return [(p.name, p.default) for p in inspect.signature(callable_).parameters.values()]


X, W, CLASSES = torch.randn(2, 3), torch.randn(4, 3), torch.tensor([0, 2])
HALVES = torch.full((2, 3), 0.5)


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


def test_no_warning_without_a_reason() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        functional.cross_entropy(X, CLASSES, torch.ones(3), label_smoothing=0.1)
        functional.softmax(X, 1)
        functional.mse_loss(X, HALVES, weight=HALVES)
