"""scratch.functional.pad and the fifteen padding layers do what torch's do, over all arguments."""

import copy
import inspect
import pickle
from dataclasses import dataclass
from typing import Any

import pytest
import torch
import torch.nn.functional as torch_functional
from hypothesis import given
from hypothesis import strategies as st
from torch import nn as torch_nn

from scratch import functional, nn
from scratch.padding import pad_axis, pad_backward, pad_loops, sides_of_axes, source_index

MODES = ["constant", "reflect", "replicate", "circular"]
FAMILIES = ["Zero", "Constant", "Reflection", "Replication", "Circular"]
LAYERS = [f"{family}Pad{axes}d" for family in FAMILIES for axes in (1, 2, 3)]


@dataclass
class Case:
    """Arguments of `pad` and the shape of an input that fits them."""

    shape: tuple[int, ...]
    pad: tuple[int, ...]
    mode: str
    value: float | None


@st.composite
def cases(draw: st.DrawFn, modes: tuple[str, ...] = tuple(MODES)) -> Case:
    mode = draw(st.sampled_from(modes))
    axes = draw(st.integers(1, 3))
    lengths = [draw(st.integers(1, 5)) for _ in range(axes)]
    sides: list[int] = []
    for length in reversed(lengths):
        crop = draw(st.integers(0, length - 1))  # in all, so that at least one sample is left
        left_crop = draw(st.integers(0, crop))
        kept = length - crop
        widest = {"constant": 4, "replicate": 6, "reflect": length - 1, "circular": kept}[mode]
        left = -left_crop if left_crop else draw(st.integers(0, widest))
        right = left_crop - crop if crop - left_crop else draw(st.integers(0, widest))
        sides += [left, right]
    if mode == "constant":
        front: tuple[int, ...] = draw(st.sampled_from([(), (2,), (0,), (2, 3), (1, 2, 2)]))
        value = draw(st.sampled_from([None, 0, 1.5, -2]))
        return Case((*front, *lengths), tuple(sides), mode, value)
    front = draw(st.sampled_from([(2,), (0, 2), (1, 1), (3, 2)]))
    if front[0] == 0 and mode == "circular":
        front = (1, 2)
    return Case((*front, *lengths), tuple(sides), mode, draw(st.sampled_from([None, 0, 0.0])))


@given(cases())
def test_the_gradient_by_hand(case: Case) -> None:
    x = torch.randn(case.shape, dtype=torch.float64, requires_grad=True)
    output = torch_functional.pad(x, case.pad, case.mode, case.value)
    grad = torch.randn_like(output)
    (expected,) = torch.autograd.grad(output, x, grad)
    torch.testing.assert_close(pad_backward(grad, x.shape, case.pad, case.mode), expected)


@given(cases(modes=("constant", "reflect", "replicate", "circular")).filter(lambda case: min(case.pad) >= 0))
def test_the_rungs_agree(case: Case) -> None:
    x = torch.randn(case.shape)
    value = case.value or 0.0
    for axis, left, right in sides_of_axes(case.pad, x.dim()):
        by_loops = pad_loops(x.movedim(axis, -1), left, right, case.mode, value).movedim(-1, axis)
        assert torch.equal(pad_axis(x, axis, left, right, case.mode, value), by_loops)


@pytest.mark.parametrize("mode", MODES)
def test_the_index_stays_in_the_row(mode: str) -> None:
    for length in range(1, 6):
        for left in range(length):
            for right in range(length):
                index = source_index(length, left, right, mode)
                assert len(index) == left + length + right
                assert index.max() < length and index.min() >= (-1 if mode == "constant" else 0)
                assert index[left : left + length].tolist() == list(range(length))


@pytest.mark.parametrize("mode", MODES)
def test_the_input_is_left_alone_and_never_returned(mode: str) -> None:
    x = torch.randn(2, 3, 5)
    before = x.clone()
    for sides in [(1, 2), (0, 0), (-1, 0)]:
        output = functional.pad(x, sides, mode)
        output.fill_(7)
        assert torch.equal(x, before)


@pytest.mark.parametrize("name", LAYERS)
def test_signature_attributes_and_state_dict(name: str) -> None:
    ours, theirs = getattr(nn, name), getattr(torch_nn, name)

    def arguments(callable_: Any) -> list[tuple[str, Any]]:
        return [(p.name, p.default) for p in inspect.signature(callable_).parameters.values()]

    assert arguments(ours) == arguments(theirs)
    value = (2.5,) if name.startswith("Constant") else ()
    axes = int(name[-2])
    for padding in (1, -1, list(range(2 * axes)), tuple(range(2 * axes)), (1, 2)):
        ours_made, theirs_made = ours(padding, *value), theirs(padding, *value)
        assert repr(ours_made) == repr(theirs_made)
        assert ours_made.padding == theirs_made.padding
        assert getattr(ours_made, "value", None) == getattr(theirs_made, "value", None)
        assert not ours_made.state_dict() and not list(ours_made.parameters())
        ours_made.load_state_dict(theirs_made.state_dict())
    assert issubclass(ours, nn.Module)


def test_zero_padding_is_a_constant_padding() -> None:
    for axes in (1, 2, 3):
        assert issubclass(getattr(nn, f"ZeroPad{axes}d"), getattr(nn, f"ConstantPad{axes}d"))


DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16, torch.complex64, torch.int64, torch.uint8]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_dtypes(dtype: torch.dtype, mode: str) -> None:
    x = torch.arange(24).reshape(1, 4, 6).to(dtype)
    ours, theirs = functional.pad(x, (2, -1, 1, 3), mode), torch_functional.pad(x, (2, -1, 1, 3), mode)
    assert ours.dtype == theirs.dtype == dtype
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize("value", [None, 0, 1, 1.9, True, torch.tensor(2.0)], ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.int32, torch.bool], ids=str)
def test_values(dtype: torch.dtype, value: Any) -> None:
    x = torch.ones(2, 3).to(dtype)
    ours, theirs = functional.pad(x, (1, 2), value=value), torch_functional.pad(x, (1, 2), value=value)
    assert torch.equal(ours, theirs)


ROW, IMAGE = torch.ones(2, 3, 4), torch.ones(2, 3, 4, 5)


def test_odd_inputs_that_torch_takes() -> None:
    for arguments in [
        (torch.tensor(1.0), ()),
        (ROW, ()),
        (ROW, [1, 2]),
        (ROW, [torch.tensor(1), 2]),
        (ROW, torch.Size([1, 2])),
        (torch.ones(2, 3, 0), (1, 1)),
        (torch.ones(2, 0, 4), (1, 1, 1, 1)),
        (torch.ones(0, 3, 4), (1, 1), "reflect"),
        (torch.ones(0, 3, 4), (1, 1), "replicate"),
        (torch.ones(0, 3, 4), (1, 1), "circular"),
        (torch.ones(2, 0, 4), (1, 1), "circular"),
        (ROW, (-2, -2)),
        (ROW, (-2, -2), "circular"),
        (ROW, (-4, 4), "replicate"),
    ]:
        assert torch.equal(functional.pad(*arguments), torch_functional.pad(*arguments))


@pytest.mark.parametrize("name", [name for name in LAYERS if name.startswith("Circular")])
def test_circular_layers_count_the_axes(name: str) -> None:
    for dim in range(1, 7):
        x = torch.ones((2,) * dim)
        try:
            expected: Any = getattr(torch_nn, name)(1)(x).shape
        except ValueError:
            with pytest.raises(ValueError):
                getattr(nn, name)(1)(x)
        else:
            assert getattr(nn, name)(1)(x).shape == expected


@pytest.mark.parametrize("sides", [(-2, 3), (-4, 1), (3, -2), (-1, 4), (-3, 3)], ids=str)
def test_a_cropped_ring_is_walked_round_at_most_once(sides: tuple[int, int]) -> None:
    """Here torch returns memory that was never written, pytorch/pytorch#176254, or raises another error."""
    with pytest.raises(RuntimeError, match="walked round at most once"):
        functional.pad(ROW, sides, "circular")


def test_constant_pads_need_a_value() -> None:
    for axes in (1, 2, 3):
        with pytest.raises(TypeError):
            getattr(nn, f"ConstantPad{axes}d")(1)


def test_copies_pickles_and_a_place_in_a_network() -> None:
    layer = torch_nn.Sequential(nn.ReflectionPad2d((1, 2, 0, 1)), torch_nn.Conv2d(3, 2, 3))
    x = torch.randn(2, 3, 5, 6)
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(twin(x), layer(x))
    theirs = torch_nn.Sequential(torch_nn.ReflectionPad2d((1, 2, 0, 1)), torch_nn.Conv2d(3, 2, 3))
    theirs.load_state_dict(layer.state_dict())
    torch.testing.assert_close(layer(x), theirs(x))


def outcome(function: Any, *arguments: Any) -> Any:
    """What a call returns, or the type of what it raises."""
    try:
        return function(*arguments)
    except Exception as error:
        return type(error)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_all_pairs_of_sides(length: int, mode: str) -> None:
    """From more than all cropped to more than any mode allows, on both sides."""
    x = torch.randn(2, 1, length)
    for left in range(-length - 2, length + 4):
        for right in range(-length - 2, length + 4):
            kept = length + min(left, 0) + min(right, 0)
            if mode == "circular" and (min(left, right) < 0 < max(left, right)) and max(left, right) > kept:
                continue  # see test_a_cropped_ring_is_walked_round_at_most_once
            ours = outcome(functional.pad, x, (left, right), mode)
            theirs = outcome(torch_functional.pad, x, (left, right), mode)
            if isinstance(theirs, torch.Tensor):
                assert isinstance(ours, torch.Tensor) and torch.equal(ours, theirs), (left, right)
            else:
                assert ours == theirs, (left, right)


@pytest.mark.parametrize("mode", MODES)
def test_under_vmap(mode: str) -> None:
    x = torch.randn(3, 2, 4, 5)
    ours = torch.func.vmap(lambda row: functional.pad(row, (1, -1, 2, 0), mode))(x)
    assert torch.equal(ours, torch_functional.pad(x, (1, -1, 2, 0), mode))
