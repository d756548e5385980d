"""scratch.tensors_and_devices.StridedTensor does what torch.Tensor does, through any chain of views, gradients too."""

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from scratch.tensors_and_devices import (
    Layout,
    StridedTensor,
    address,
    addresses,
    broadcast_shapes,
    contiguous_strides,
    is_contiguous,
    read_loops,
    round_mantissa,
    storage_gradient,
    view_strides,
)

ERRORS = (IndexError, RuntimeError, TypeError, ValueError)
SMALL = 300  # more entries than this are not expanded further

sizes = st.integers(0, 3) | st.just(1)
shapes = st.lists(sizes, max_size=4).map(tuple)
steps = st.integers(0, 5)


@st.composite
def indices(draw: st.DrawFn, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """An index with one item or fewer for most axes; a few are out of range, or of a bad step."""
    ends = st.none() | st.integers(-5, 5)
    slices = st.builds(slice, ends, ends, st.sampled_from([None, None, 1, 2, 3, 0, -1]))
    items: list[Any] = []
    for _ in range(draw(st.integers(0, len(shape) + draw(st.booleans())))):
        items.append(draw(slices | st.integers(-3, 2) | st.just(slice(None))))
        if draw(st.integers(0, 4)) == 0:
            items.append(None)
    if draw(st.booleans()):
        items.insert(draw(st.integers(0, len(items))), ...)
    return tuple(items)


@st.composite
def new_sizes(draw: st.DrawFn, count: int) -> tuple[int, ...]:
    """A shape with `count` entries, or nearly."""
    found = [1] * draw(st.integers(1, 4))
    for factor in (2, 3, 5, 7):
        while count and count % factor == 0:
            count //= factor
            found[draw(st.integers(0, len(found) - 1))] *= factor
    if count == 0:
        found[draw(st.integers(0, len(found) - 1))] = 0
    if draw(st.integers(0, 3)) == 0:
        found[draw(st.integers(0, len(found) - 1))] = draw(st.sampled_from([-1, -1, -2, 1, 4]))
    return tuple(found)


@dataclass
class Step:
    """One operation and its arguments."""

    name: str
    arguments: tuple[Any, ...] = field(default_factory=tuple)

    def on(self, tensor: Any) -> Any:
        """What it gives, or the type of the error that it raises."""
        try:
            return getattr(tensor, self.name)(*self.arguments)
        except ERRORS as error:
            return type(error)


VIEWS = ["__getitem__", "expand", "permute", "squeeze", "transpose", "unsqueeze", "view"]
EVERY = [*VIEWS, "as_strided", "contiguous", "reshape"]


@st.composite
def operations(draw: st.DrawFn, shape: tuple[int, ...], names: list[str]) -> Step:
    name, dims = draw(st.sampled_from(names)), len(shape)
    dim = st.integers(-dims - 2, dims + 1)
    if name == "__getitem__":
        return Step(name, (draw(indices(shape)),))
    if name == "expand":
        wanted = [draw(st.sampled_from([3, 1, -1, 0])) if size == 1 else size for size in shape]
        if wanted and draw(st.integers(0, 5)) == 0:
            wanted[draw(st.integers(0, dims - 1))] = draw(st.sampled_from([-2, 2, -1]))
        wanted = draw(st.sampled_from([[], [], [2], [1], [2, 1], [-1]])) + wanted
        return Step(name, (tuple(wanted),))
    if name == "permute":
        order = draw(st.permutations(range(dims)))
        order = [axis - dims * draw(st.booleans()) for axis in order]
        if order and draw(st.integers(0, 5)) == 0:
            order[-1] = draw(dim)
        if draw(st.integers(0, 9)) == 0:
            order.append(0)
        return Step(name, (tuple(order),))
    if name == "squeeze":
        return Step(name, draw(st.sampled_from([(), (draw(dim),), ((draw(dim), draw(dim)),), ((),)])))
    if name == "transpose":
        return Step(name, (draw(dim), draw(dim)))
    if name == "unsqueeze":
        return Step(name, (draw(dim),))
    if name == "as_strided":
        axes = draw(st.integers(0, 3))
        size = tuple(draw(st.integers(0, 3)) for _ in range(axes))
        stride = tuple(draw(st.integers(-1 if draw(st.integers(0, 9)) == 0 else 0, 4)) for _ in range(axes))
        if draw(st.integers(0, 9)) == 0:
            stride = stride[1:]
        return Step(name, (size, stride, draw(st.sampled_from([None, 0, 2, 7, -1]))))
    if name == "contiguous":
        return Step(name)
    return Step(name, (draw(new_sizes(math.prod(shape))),))


def rule(tensor: Any) -> tuple[Any, ...]:
    return tuple(tensor.shape), tensor.stride(), tensor.storage_offset()


def run(data: st.DataObject, ours: Any, theirs: Any, names: list[str], most: int = 6) -> tuple[Any, Any]:
    """A random chain on both, which must agree after every operation; the last results."""
    for _ in range(data.draw(st.integers(0, most))):
        step = data.draw(operations(tuple(theirs.shape), names))
        if step.name == "expand" and theirs.numel() > SMALL:
            continue
        if step.name == "expand" and {0, -2} <= set(step.arguments[0]):
            continue  # torch accepts the negative size when another is 0, and returns a tensor of that shape
        expected, got = step.on(theirs), step.on(ours)
        if isinstance(expected, type):
            assert got is expected, step
            continue
        assert not isinstance(got, type), (step, got)
        assert rule(got) == rule(expected), step
        assert got.tolist() == expected.tolist(), step
        assert (got.is_contiguous(), got.dim(), got.numel()) == (
            expected.is_contiguous(),
            expected.dim(),
            expected.numel(),
        )
        ours, theirs = got, expected
    return ours, theirs


@given(st.data(), shapes)
def test_any_chain_of_operations(data: st.DataObject, shape: tuple[int, ...]) -> None:
    theirs = torch.arange(math.prod(shape)).view(shape)
    run(data, StridedTensor.from_torch(theirs.clone()), theirs, EVERY)


@given(st.data(), shapes)
def test_writing_reaches_the_same_places(data: st.DataObject, shape: tuple[int, ...]) -> None:
    memory = torch.arange(math.prod(shape))
    twin = memory.clone()
    ours, theirs = run(data, StridedTensor.from_torch(twin).view(shape or (1,)), memory.view(shape or (1,)), VIEWS, 3)
    index = data.draw(indices(tuple(theirs.shape)))
    target = Step("__getitem__", (index,)).on(theirs)
    size = () if isinstance(target, type) else tuple(target.shape)
    size = tuple(data.draw(st.sampled_from([n, n, 1])) for n in size)
    size = data.draw(st.sampled_from([size, (1, *size), size[1:], (2, *size)]))
    numbers = torch.arange(100, 100 + math.prod(size)).view(size)
    value = data.draw(st.sampled_from([-1, numbers, numbers.float(), "a word", None]))
    step = Step("__setitem__", (index, value))
    assert step.on(ours) == step.on(theirs)
    assert twin.tolist() == memory.tolist()


def test_a_write_of_our_own_tensor_and_of_a_view_of_itself() -> None:
    memory, theirs = torch.arange(6), torch.arange(6)
    ours = StridedTensor(memory)
    ours[1:] = ours[:-1]
    theirs[1:] = theirs[:-1].clone()
    assert ours.tolist() == theirs.tolist() == memory.tolist()


@given(st.data())
def test_the_gradient_of_any_chain_of_views(data: st.DataObject) -> None:
    leaf = torch.randn(24, dtype=torch.float64, requires_grad=True)
    start, ours = leaf.view(2, 3, 4), StridedTensor(leaf.detach()).view(2, 3, 4)
    if data.draw(st.booleans()):
        windows = (3, 2, 4), (data.draw(steps), data.draw(steps), 1), data.draw(steps)
        start, ours = leaf.as_strided(*windows), ours.as_strided(*windows)
    ours, theirs = run(data, ours, start, VIEWS)
    grad = torch.cos(torch.arange(theirs.numel(), dtype=torch.float64)).reshape(theirs.shape)
    (expected,) = torch.autograd.grad(theirs, leaf, grad)
    torch.testing.assert_close(storage_gradient(grad, ours.layout, 24), expected)


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    shape = draw(st.lists(st.integers(0, 3), max_size=3).map(tuple))
    return Layout(shape, tuple(draw(steps) for _ in shape), draw(st.integers(0, 4)))


@given(layouts())
def test_loops_addresses_and_torch_read_the_same(layout: Layout) -> None:
    storage = torch.arange(100, 140)
    expected = storage.as_strided(*layout).flatten().tolist()
    assert read_loops(storage.tolist(), *layout) == expected
    assert storage[addresses(layout)].tolist() == expected
    if 0 not in layout.shape:
        last = [size - 1 for size in layout.shape]
        assert storage[address(last, layout.strides, layout.offset)].item() == expected[-1]


@given(layouts())
def test_gradcheck(layout: Layout) -> None:
    class Read(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, storage: torch.Tensor) -> torch.Tensor:
            return storage[addresses(layout)].reshape(layout.shape)

        @staticmethod
        def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:
            return storage_gradient(grad, layout, 35)

    assume(0 not in layout.shape)
    storage = torch.randn(35, dtype=torch.float64, requires_grad=True)
    apply: Callable[[torch.Tensor], torch.Tensor] = Read.apply
    assert torch.autograd.gradcheck(lambda s: apply(s) ** 2, storage)
    if math.prod(layout.shape) < 5:
        assert torch.autograd.gradgradcheck(lambda s: apply(s) ** 2, storage)


@given(st.data(), layouts())
def test_a_view_is_found_exactly_when_torch_finds_one(data: st.DataObject, layout: Layout) -> None:
    tensor = torch.arange(40).as_strided(*layout)
    shape = data.draw(new_sizes(tensor.numel()))
    assume(all(size >= 0 for size in shape) and math.prod(shape) == tensor.numel())
    try:
        expected = tensor.view(shape).stride()
    except RuntimeError:
        expected = None
    assert view_strides(layout.shape, layout.strides, shape) == expected
    assert is_contiguous(layout) == tensor.is_contiguous()
    assert contiguous_strides(shape) == torch.empty(shape).stride()


@given(st.lists(shapes | st.integers(-1, 3) | st.lists(st.integers(-1, 3), max_size=3).map(tuple), max_size=4))
def test_broadcast_shapes(several: list[Any]) -> None:
    def outcome(function: Callable[..., Any]) -> Any:
        try:
            return tuple(function(*several))
        except ERRORS as error:
            return type(error)

    ours, theirs = outcome(broadcast_shapes), outcome(torch.broadcast_shapes)
    if isinstance(ours, type) and isinstance(theirs, type):
        return  # a negative size beside shapes that do not fit: which of the two is said first may differ
    assert ours == theirs


@given(shapes, shapes)
def test_arithmetic_broadcasts(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    left, right = torch.randn(a), torch.randn(b)
    for name in ("__add__", "__mul__", "__sub__"):
        expected = Step(name, (right,)).on(left)
        got = Step(name, (StridedTensor.from_torch(right),)).on(StridedTensor.from_torch(left))
        if isinstance(expected, type):
            assert got is expected
        else:
            assert got.shape == expected.shape
            assert got.tolist() == expected.tolist()


DTYPES = [torch.bool, torch.uint8, torch.int32, torch.int64, torch.float32, torch.float64, torch.complex64]
OPERATIONS = [operator.add, operator.sub, operator.mul, operator.eq, operator.ne]


@given(
    st.sampled_from(OPERATIONS),
    shapes,
    shapes,
    st.sampled_from(DTYPES),
    st.sampled_from([*DTYPES, True, 3, -2.5, 1j, "a word"]),
    st.booleans(),
)
def test_the_dtype_of_arithmetic(
    operation: Callable[..., Any], a: tuple[int, ...], b: tuple[int, ...], dtype: Any, other: Any, turned: bool
) -> None:
    """With numbers and with tensors that have no axes, too, which count for less."""
    left = torch.arange(math.prod(a)).view(a).to(dtype)
    right = torch.arange(math.prod(b)).view(b).to(other) if isinstance(other, torch.dtype) else other
    ours = (
        StridedTensor.from_torch(left),
        (StridedTensor.from_torch(right) if isinstance(right, torch.Tensor) else right),
    )

    def outcome(*pair: Any) -> Any:
        try:
            return operation(*(pair[::-1] if turned else pair))
        except ERRORS as error:
            return type(error)

    expected, got = outcome(left, right), outcome(*ours)
    if expected is NotImplementedError and left.dtype == torch.bool:
        assert got in (
            NotImplementedError,
            RuntimeError,
        )  # a difference of truth values, whose shapes may not fit either
        return
    if not isinstance(expected, torch.Tensor):
        assert got is expected
        return
    assert (got.shape, got.storage.dtype) == (tuple(expected.shape), expected.dtype)
    assert got.tolist() == expected.tolist()
    assert got.is_contiguous()


def test_a_torch_tensor_as_the_other_one() -> None:
    x = torch.arange(4.0)
    assert (StridedTensor(x) + torch.ones(2, 1)).tolist() == (x + torch.ones(2, 1)).tolist()


@given(shapes)
def test_what_python_asks_of_a_container(shape: tuple[int, ...]) -> None:
    theirs = torch.arange(math.prod(shape)).view(shape) / 10
    ours = StridedTensor.from_torch(theirs)
    for ask in (len, bool, *(lambda t, n=n: n in t for n in (0, 0.1, 0.3, 9, "a word", None))):
        results = []
        for tensor in (ours, theirs):
            try:
                results.append(ask(tensor))
            except ERRORS as error:
                results.append(type(error))
        assert results[0] == results[1]
    if shape:
        assert [part.tolist() for part in ours] == [part.tolist() for part in theirs]
    else:
        with pytest.raises(TypeError):
            iter(ours)
    assert len({ours, ours}) == 1  # by identity, as torch's


@pytest.mark.parametrize(
    "dtype", [torch.bool, torch.uint8, torch.int64, torch.bfloat16, torch.float64, torch.complex64]
)
def test_every_dtype_is_read_bit_for_bit(dtype: torch.dtype) -> None:
    theirs = torch.randn(4, 5).to(dtype).t()[1:, ::2]
    assert StridedTensor.from_torch(theirs).tolist() == theirs.tolist()


@pytest.mark.parametrize(
    "step",
    [
        Step("view"),
        Step("view", (2.5, 2)),
        Step("view", ("a",)),
        Step("reshape", (2.0,)),
        Step("permute", (0, 1, 2.0)),
        Step("expand", (2, 3, 4.0)),
        Step("transpose", (0, 1.0)),
        Step("unsqueeze", (1.0,)),
        Step("squeeze", (1.0,)),
        Step("transpose", (True, 0)),
        Step("unsqueeze", (True,)),
        Step("squeeze", (True,)),
        Step("squeeze", ((True,),)),
        Step("squeeze", (None,)),
        Step("view", (True, 24)),
        Step("permute", (True, 0, 2)),
        Step("as_strided", ((2.0,), (1,))),
        Step("as_strided", ((2,), (1.0,))),
        Step("as_strided", ((2,), (1,), 1.0)),
        Step("as_strided", ((2,), (1,), True)),
        Step("as_strided", (2, 1)),
        Step("__getitem__", (1.5,)),
        Step("__getitem__", ((0, 0, 0, 0),)),
        Step("__getitem__", (slice(None, None, -1),)),
        Step("__getitem__", (slice(1, 2.5),)),
        Step("as_strided", ((2,), (24,))),
        Step("as_strided", ((2,), (1, 1))),
        Step("as_strided", ((-1,), (1,))),
    ],
    ids=str,
)
def test_bad_arguments_raise_what_torch_raises(step: Step) -> None:
    theirs = torch.arange(24.0).view(2, 3, 4)
    expected = step.on(theirs)
    assert isinstance(expected, type)
    assert step.on(StridedTensor.from_torch(theirs)) is expected


@pytest.mark.parametrize("index", [True, [0, 1], torch.tensor([0]), (..., ...)])
def test_what_torch_takes_and_this_class_says_that_it_does_not(index: Any) -> None:
    tensor = torch.arange(24).view(2, 3, 4)
    assert isinstance(tensor[index if not isinstance(index, list) else (index,)], torch.Tensor)
    with pytest.raises((TypeError, IndexError)):
        StridedTensor.from_torch(tensor)[index]


@given(st.floats(-60000, 60000, width=32).filter(lambda x: abs(x) > 1e-3))
def test_rounding_the_mantissa_is_rounding_to_the_format(number: float) -> None:
    x = torch.tensor([number, -number])
    assert torch.equal(round_mantissa(x, 7), x.bfloat16().float())
    assert torch.equal(round_mantissa(x, 10), x.half().float())
    assert torch.equal(round_mantissa(x, 23), x)
    assert torch.equal(round_mantissa(x.double(), 23), x.double())


def test_a_tie_goes_to_the_even_neighbour() -> None:
    ties = 1 + torch.tensor([1.0, 3.0, 5.0]) / 2**8
    assert round_mantissa(ties, 7).tolist() == [1, 1 + 4 / 2**8, 1 + 4 / 2**8]
