"""Rows: pooling and dropout."""

from __future__ import annotations

import math
from typing import Any

import torch
from hypothesis import assume
from hypothesis import strategies as st

from tests.parity.case import Bad, Case, Maker, Row, batches, calls, layers, makers, one_or_all, several


@st.composite
def inputs(draw: st.DrawFn, axes: int) -> torch.Tensor:
    """Sometimes with ties, NaN and -infinity; sometimes without a batch or empty."""
    make = draw(makers)
    x = make.normal(*draw(batches), draw(st.integers(1, 2)), *[draw(st.integers(2, 12)) for _ in range(axes)])
    if draw(st.booleans()):
        x = x.round()
    for value in draw(st.sampled_from([(), (), (math.nan,), (-math.inf,), (math.nan, -math.inf)])):
        x[make.positive(*x.shape) < 0.7] = value
    return x


def reads_padding_alone(x: torch.Tensor, options: dict[str, Any], axes: int) -> bool:
    """Whether a dilated window has all its taps in the padding. torch's index is then outside of the input."""
    both = {name: (v,) * axes if isinstance(v, int) else v for name, v in options.items() if not isinstance(v, bool)}
    stride = both["stride"] or both["kernel_size"]
    windows = zip(x.shape[-axes:], both["kernel_size"], stride, both["padding"], both["dilation"], strict=True)
    for n, k, s, p, d in windows:
        starts = range(-p, n + p, s)
        if any(all(not 0 <= start + d * i < n for i in range(k)) for start in starts):
            return True
    return False


@st.composite
def maxima(draw: st.DrawFn, axes: int) -> Case:
    x, size = draw(inputs(axes)), several(draw, axes, 1, 4)
    options: dict[str, Any] = {
        "kernel_size": one_or_all(draw, size),
        "stride": draw(st.none() | st.just(one_or_all(draw, several(draw, axes, 1, 5)))),
        "padding": one_or_all(draw, tuple(draw(st.integers(0, k // 2)) for k in size)),
        "dilation": one_or_all(draw, several(draw, axes, 1, 3)),
        "return_indices": draw(st.booleans()),
        "ceil_mode": draw(st.booleans()),
    }
    assume(not reads_padding_alone(x, options, axes))
    return Case(options, {"input": x})


@st.composite
def means(draw: st.DrawFn, axes: int) -> Case:
    x, size = draw(inputs(axes)), several(draw, axes, 1, 5)
    options: dict[str, Any] = {
        "kernel_size": one_or_all(draw, size),
        "stride": draw(st.none() | st.just(one_or_all(draw, several(draw, axes, 1, 5)))),
        "padding": one_or_all(draw, tuple(draw(st.integers(0, k // 2)) for k in size)),
        "ceil_mode": draw(st.booleans()),
        "count_include_pad": draw(st.booleans()),
    }
    if axes == 2:
        options["divisor_override"] = draw(st.sampled_from([None, None, 1, 3, -2]))
    return Case(options, {"input": x})


@st.composite
def mean_functions(draw: st.DrawFn, axes: int) -> Case:
    """torch's built-in functions take no None where a layer does: the argument is left out."""
    case = draw(means(axes))
    return Case({name: value for name, value in case.options.items() if value is not None}, case.tensors)


@st.composite
def adaptive(draw: st.DrawFn) -> Case:
    sizes = st.none() | st.integers(1, 15)  # torch has no derivative of nothing
    output_size = draw(
        st.tuples(sizes, sizes) | st.lists(st.integers(1, 9), min_size=2, max_size=2) | st.integers(1, 15)
    )
    return Case({"output_size": output_size}, {"input": draw(inputs(2))})


@st.composite
def dropouts(draw: st.DrawFn, axes: int | None, function: bool = False) -> Case:
    shapes = {
        None: [(5,), (3, 4), (2, 3, 4), (2, 3, 4, 5), (6, 2), (), (0, 3, 4, 5)],
        1: [(3, 4), (2, 3, 4), (5, 2, 3), (4, 6), (0, 3, 4), (2, 3, 0)],
        2: [(3, 4), (2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (2, 3, 0, 5), (2, 3, 4, 5, 6)],
    }
    options: dict[str, Any] = {"p": draw(st.sampled_from([0, 0.1, 0.5, 0.9, 1])), "inplace": draw(st.booleans())}
    if function:
        options["training"] = draw(st.booleans())
    return Case(options, {"input": draw(makers).normal(*draw(st.sampled_from(shapes[axes])))})


WINDOWS: dict[str, dict[str, Any]] = {
    "kernel_size 0": {"kernel_size": 0},
    "kernel_size -1": {"kernel_size": -1},
    "kernel_size 20": {"kernel_size": 20},
    "kernel_size 2.0": {"kernel_size": 2.0},
    "kernel_size '2'": {"kernel_size": "2"},
    "kernel_size True": {"kernel_size": True},
    "kernel_size None": {"kernel_size": None},
    "kernel_size ()": {"kernel_size": ()},
    "kernel_size of three": {"kernel_size": (2, 2, 2)},
    "kernel_size holds a float": {"kernel_size": (2, 2.5)},
    "stride 0": {"kernel_size": 3, "stride": 0},
    "stride -1": {"kernel_size": 3, "stride": -1},
    "stride 1.5": {"stride": 1.5},
    "stride False": {"stride": False},
    "padding 2 of 3": {"kernel_size": 3, "padding": 2},
    "padding -1": {"kernel_size": 3, "padding": -1},
    "padding ()": {"kernel_size": 3, "padding": ()},
    "ceil_mode 1": {"ceil_mode": 1},
    "ceil_mode None": {"ceil_mode": None},
    "no axes": {"input": ()},
    "one axis": {"input": (9,)},
    "too many axes": {"input": (2, 3, 4, 5, 6)},
    "no channels": {"input": (2, 0, 9, 9)},
}
DILATION: dict[str, dict[str, Any]] = {"dilation 0": {"kernel_size": 3, "dilation": 0}}
DILATION |= {"padding 2 of 3, dilated": {"kernel_size": 3, "dilation": 2, "padding": 2}}
COUNT = {"count_include_pad 1": {"kernel_size": 2, "count_include_pad": 1}}
SIZES: dict[str, dict[str, Any]] = {
    repr(size): {"output_size": size} for size in (-1, None, 2.0, True, "2", (), (1, 2, 3))
}
SIZES |= {"no pixels": {"output_size": 2, "input": (2, 3, 0, 4)}, "two axes": {"output_size": 2, "input": (3, 9)}}


def functions(options: dict[str, Any], shape: tuple[int, ...], refused: dict[str, dict[str, Any]]) -> dict[str, Bad]:
    """The same refusals of the function: options by name behind the input."""

    def call(replaced: dict[str, Any]) -> Bad:
        given = options | {name: value for name, value in replaced.items() if name != "input"}
        return lambda function: function(torch.ones(replaced.get("input", shape)), **given)

    return {name: call(replaced) for name, replaced in refused.items()}


ones = torch.ones(2, 3, 9)
DROP: dict[str, tuple[Any, ...]] = {f"p {p!r}": (ones, p) for p in (-0.1, 1.1, None, "half", math.nan)}
DROP |= {f"training {value}": (ones, 0.5, value) for value in (1, None)}
DROP |= {"list": ([1.0],), "int64": (ones.long(), 0.5)}
DROP |= {"a leaf in place": (torch.ones(2, 3, 9, requires_grad=True), 0.5, True, True)}
DROP |= {"an expanded one in place": (torch.ones(2, 3, 1).expand(2, 3, 9), 0.5, True, True)}
P = {f"p {p!r}": {"p": p} for p in (-0.1, 1.1, "half", None)}

make = Maker(11)
SHAPES = {1: (3, 2, 9), 2: (3, 2, 8, 9)}
MAX: dict[str, Any] = {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 2, "return_indices": True}
MEAN: dict[str, Any] = {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}
ROWS: list[Row] = []
for axes in (1, 2):
    given = {"input": make.normal(*SHAPES[axes])}
    for kind, refusals, name in (("layer", layers, f"MaxPool{axes}d"), ("function", functions, f"max_pool{axes}d")):
        bad = refusals({"kernel_size": 2}, SHAPES[axes], WINDOWS | DILATION)
        ROWS.append(Row(kind, name, maxima(axes), Case(MAX, given), bad, examples=120))
    bad = layers({"kernel_size": 2}, SHAPES[axes], WINDOWS | COUNT)
    ROWS.append(Row("layer", f"AvgPool{axes}d", means(axes), Case(MEAN, given), bad, examples=120))
    bad = functions({"kernel_size": 2}, SHAPES[axes], WINDOWS | COUNT)
    ROWS.append(Row("function", f"avg_pool{axes}d", mean_functions(axes), Case(MEAN, given), bad, examples=120))
for kind, refusals, name in (("layer", layers, "AdaptiveAvgPool2d"), ("function", functions, "adaptive_avg_pool2d")):
    case = Case({"output_size": (3, 5)}, {"input": make.normal(*SHAPES[2])})
    ROWS.append(Row(kind, name, adaptive(), case, refusals({}, SHAPES[2], SIZES)))
for suffix, number in (("", None), ("1d", 1), ("2d", 2)):
    case = Case({"p": 0.4}, {"input": make.normal(*SHAPES[2 if number == 2 else 1])})
    ROWS.append(Row("layer", f"Dropout{suffix}", dropouts(number), case, layers({}, (2, 3, 9), P), random=True))
    strategy = dropouts(number, function=True)
    ROWS.append(Row("function", f"dropout{suffix}", strategy, case, calls(DROP), random=True))
