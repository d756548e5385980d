"""Rows: convolutions, their transposes, and windows as columns."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import strategies as st

from tests.parity.case import Case, Maker, Row, batches, calls, layers, makers, one_or_all, several

MODES = st.sampled_from(["zeros", "reflect", "replicate", "circular"])


@st.composite
def convolutions(draw: st.DrawFn, axes: int) -> Case:
    groups = draw(st.integers(1, 3))
    kernel_size, dilation = several(draw, axes, 1, 4), several(draw, axes, 1, 3)
    words = draw(st.sampled_from(["same", "valid", None, None]))
    stride = (1,) * axes if words == "same" else several(draw, axes, 1, 3)
    # large enough for the kernel, and for a mirror as wide as 'same' makes it
    spans = [d * (k - 1) + 1 for k, d in zip(kernel_size, dilation, strict=True)]
    size = [draw(st.integers(max(span, 5), span + 6)) for span in spans]
    options: dict[str, Any] = {
        "in_channels": groups * draw(st.integers(1, 2)),
        "out_channels": groups * draw(st.integers(1, 2)),
        "kernel_size": one_or_all(draw, kernel_size),
        "stride": one_or_all(draw, stride),
        "padding": words or one_or_all(draw, several(draw, axes, 0, 3)),
        "dilation": one_or_all(draw, dilation),
        "groups": groups,
        "bias": draw(st.booleans()),
        "padding_mode": draw(MODES),
    }
    return Case(options, {"input": draw(makers).normal(*draw(batches), options["in_channels"], *size)})


@st.composite
def transposed(draw: st.DrawFn) -> Case:
    groups = draw(st.integers(1, 3))
    kernel_size, stride, dilation = several(draw, 2, 1, 4), several(draw, 2, 1, 3), several(draw, 2, 1, 3)
    size = [draw(st.integers(2, 6)) for _ in range(2)]
    full = [(n - 1) * s + d * (k - 1) + 1 for n, s, d, k in zip(size, stride, dilation, kernel_size, strict=True)]
    options: dict[str, Any] = {
        "in_channels": groups * draw(st.integers(1, 2)),
        "out_channels": groups * draw(st.integers(1, 2)),
        "kernel_size": one_or_all(draw, kernel_size),
        "stride": one_or_all(draw, stride),
        "padding": one_or_all(draw, tuple(draw(st.integers(0, min(2, (n - 1) // 2))) for n in full)),
        "output_padding": one_or_all(
            draw, tuple(draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation, strict=True))
        ),
        "groups": groups,
        "bias": draw(st.booleans()),
        "dilation": one_or_all(draw, dilation),
        "padding_mode": "zeros",
    }
    return Case(options, {"input": draw(makers).normal(*draw(batches), options["in_channels"], *size)})


@st.composite
def as_function(draw: st.DrawFn, cases: st.SearchStrategy[Case], axes: int, twice: bool) -> Case:
    """The function's arguments from those of the layer. `twice`: the weight of a transpose."""
    case = draw(cases)
    make, options = draw(makers), dict(case.options)
    first, second = options.pop("out_channels"), options.pop("in_channels")
    kernel_size = options.pop("kernel_size")
    kernel_size = (kernel_size,) * axes if isinstance(kernel_size, int) else kernel_size
    bias = make.normal(first) if options.pop("bias") else None
    options.pop("padding_mode")
    if twice:
        first, second = second, first
    tensors = case.tensors | {"weight": make.normal(first, second // options["groups"], *kernel_size)}
    return Case(options, tensors | ({} if bias is None else {"bias": bias}))


@st.composite
def unfoldings(draw: st.DrawFn) -> Case:
    kernel_size, dilation = several(draw, 2, 1, 3), several(draw, 2, 1, 3)
    padding, stride = several(draw, 2, 0, 2), several(draw, 2, 1, 3)
    size = [
        draw(st.integers(max(1, d * (k - 1) + 1 - 2 * p), d * (k - 1) + 5))
        for k, d, p in zip(kernel_size, dilation, padding, strict=True)
    ]
    named = {"kernel_size": kernel_size, "dilation": dilation, "padding": padding, "stride": stride}
    options = {name: one_or_all(draw, value) for name, value in named.items()}
    return Case(options, {"input": draw(makers).normal(*draw(batches), draw(st.integers(1, 3)), *size)})


@st.composite
def foldings(draw: st.DrawFn) -> Case:
    case = draw(unfoldings())
    size = tuple(case.tensors["input"].shape[-2:])
    columns = torch.nn.functional.unfold(case.tensors["input"], **case.options)
    return Case({"output_size": one_or_all(draw, size)} | case.options, {"input": torch.cos(columns + 1)})


L, K = torch.ones(2, 4, 10), torch.ones(6, 4, 3)
CONV1D: dict[str, tuple[Any, ...]] = {
    "input is a list": ([1.0], K),
    "input without channels": (torch.ones(10), K),
    "input of four axes": (torch.ones(1, 2, 4, 10), K),
    "weight of two axes": (L, torch.ones(6, 3)),
    "no output channels": (L, torch.ones(0, 4, 3)),
    "channels differ": (torch.ones(2, 3, 10), K),
    "channels differ by groups": (L, K, None, 1, 0, 1, 2),
    "groups do not divide": (torch.ones(2, 8, 10), torch.ones(5, 4, 3), None, 1, 0, 1, 2),
    "kernel too long": (torch.ones(2, 4, 2), K),
    "bias too short": (L, K, torch.ones(5)),
    "bias of two axes": (L, K, torch.ones(6, 1)),
    "bias of another dtype": (L, K, torch.ones(6).double()),
    "weight of another dtype": (L.double(), K),
    "stride 0": (L, K, None, 0),
    "stride 1.5": (L, K, None, 1.5),
    "stride of two numbers": (L, K, None, (1, 2)),
    "padding -1": (L, K, None, 1, -1),
    "padding 'full'": (L, K, None, 1, "full"),
    "'same' with a stride": (L, K, None, 2, "same"),
    "dilation 0": (L, K, None, 1, 0, 0),
    "groups 0": (L, K, None, 1, 0, 1, 0),
    "groups -1": (L, K, None, 1, 0, 1, -1),
}
X, W = torch.ones(2, 4, 8, 9), torch.ones(6, 4, 3, 3)
CONV2D: dict[str, tuple[Any, ...]] = {
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
TRANSPOSED: dict[str, tuple[Any, ...]] = {
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
P, Q = torch.ones(2, 3, 6, 5), torch.ones(2, 12, 20)
UNFOLD: dict[str, tuple[Any, ...]] = {
    "a list": ([1.0], 2),
    "a number": (torch.tensor(1.0), 2),
    "one axis": (torch.ones(4), 2),
    "two axes": (torch.ones(4, 5), 2),
    "five axes": (P[None], 2),
    "no channels": (P[:, :0], 2),
    "no channels, no batch": (P[0, :0], 2),
    "no rows": (P[:, :, :0], 2, 1, 3),
    "integers": (P.long(), 2),
    "kernel 0": (P, 0),
    "kernel -1": (P, -1),
    "kernel of one": (P, (2,)),
    "kernel of three": (P, (2, 2, 2)),
    "kernel of none": (P, ()),
    "kernel 1.5": (P, 1.5),
    "kernel (2.0, 2.0)": (P, (2.0, 2.0)),
    "kernel True": (P, True),
    "kernel '2'": (P, "2"),
    "kernel None": (P, None),
    "stride 0": (P, 2, 1, 0, 0),
    "stride -1": (P, 2, 1, 0, -1),
    "dilation 0": (P, 2, 0),
    "padding -1": (P, 2, 1, -1),
    "padding 'same'": (P, 2, 1, "same"),
    "too large": (P, 7),
    "too wide": (P, (1, 6)),
}
FOLD: dict[str, tuple[Any, ...]] = {
    "a list": ([1.0], (6, 5), 2),
    "one axis": (Q[0, 0], (6, 5), 2),
    "four axes": (Q[None], (6, 5), 2),
    "other size": (Q, (6, 6), 2),
    "size 0": (Q, (0, 5), 2),
    "size 0 with padding": (torch.ones(1, 4, 3), (0, 1), 2, 1, 1),
    "size of one": (Q, (6,), 2),
    "size of three": (Q, (6, 5, 1), 2),
    "size 1.5": (Q, 1.5, 2),
    "rows": (Q[:, :11], (6, 5), 2),
    "no rows": (Q[:, :0], (6, 5), 2),
    "no windows": (Q[..., :0], (6, 5), 2),
    "stride 0": (Q, (6, 5), 2, 1, 0, 0),
    "dilation 0": (Q, (6, 5), 2, 0),
    "kernel 0": (Q, (6, 5), 0),
    "padding -1": (Q, (6, 5), 2, 1, -1),
    "integers": (Q.long(), (6, 5), 2),
}

SIZES = {"in_channels": 4, "out_channels": 6, "kernel_size": 3}
MADE: dict[str, dict[str, Any]] = {
    "groups 0": {"groups": 0},
    "groups do not divide in_channels": {"groups": 3},
    "groups do not divide out_channels": {"groups": 4},
    "padding 'full'": {"padding": "full"},
    "padding_mode 'mirror'": {"padding_mode": "mirror"},
    "'same' with a stride": {"padding": "same", "stride": 2},
    "stride 0": {"stride": 0},
    "padding -1": {"padding": -1},
}
AXES = "torch raises NotImplementedError out of its own padding, a kind of the RuntimeError of ours"
make = Maker(8)
ONE = Case(
    SIZES | {"stride": 2, "padding": 1, "dilation": 2, "groups": 2, "padding_mode": "reflect"},
    {"input": make.normal(3, 4, 11)},
)
TWO = Case(
    SIZES | {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 2), "dilation": (1, 2), "groups": 2},
    {"input": make.normal(3, 4, 7, 8)},
)
BACK = Case(
    SIZES | {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0), "output_padding": (1, 0), "groups": 2},
    {"input": make.normal(3, 4, 5, 6)},
)
ROWS = [
    Row(
        "layer",
        "Conv1d",
        convolutions(1),
        ONE,
        layers(
            SIZES,
            (2, 4, 10),
            MADE
            | {
                "mirror too wide": {"padding": 10, "padding_mode": "reflect"},
                "ring too small": {"padding": 11, "padding_mode": "circular"},
                "no channels": {"padding": 1, "padding_mode": "reflect", "input": (10,)},
                "four axes": {"padding": 1, "padding_mode": "replicate", "input": (1, 2, 4, 10)},
            },
        ),
        exceptions={
            "refusal: no channels": AXES,
            "refusal: four axes": AXES,
            "attribute: transposed": "ours cannot be transposed, and does not say so",
            "attribute: output_padding": "ours cannot be transposed, and does not say so",
        },
        examples=150,
    ),
    Row(
        "layer",
        "Conv2d",
        convolutions(2),
        TWO,
        layers(
            SIZES,
            (2, 4, 8, 9),
            MADE
            | {
                "mirror too wide": {"padding": 8, "padding_mode": "reflect"},
                "ring too small": {"padding": (9, 1), "padding_mode": "circular"},
                "two axes": {"padding": 1, "padding_mode": "reflect", "input": (8, 9)},
                "five axes": {"padding": 1, "padding_mode": "replicate", "input": (1, 1, 4, 8, 9)},
                "stride of three": {"stride": (1, 2, 3)},
            },
        ),
        exceptions={"refusal: two axes": AXES, "refusal: five axes": AXES},
        examples=150,
    ),
    Row(
        "layer",
        "ConvTranspose2d",
        transposed(),
        BACK,
        layers(
            SIZES,
            (2, 4, 8, 9),
            {
                "groups": {"groups": 3},
                "padding_mode": {"padding_mode": "reflect"},
                "output_padding": {"output_padding": 1},
                "channels": {"input": (2, 3, 8, 9)},
            },
        ),
        examples=150,
    ),
    Row(
        "function",
        "conv1d",
        as_function(convolutions(1), 1, False),
        Case(
            {"stride": 2, "padding": 1, "dilation": 2, "groups": 2},
            {"input": make.normal(3, 4, 11), "weight": make.normal(6, 2, 3), "bias": make.normal(6)},
        ),
        calls(CONV1D),
        examples=120,
    ),
    Row(
        "function",
        "conv2d",
        as_function(convolutions(2), 2, False),
        Case(
            {"stride": (2, 1), "padding": (1, 2), "dilation": 2, "groups": 2},
            {"input": make.normal(3, 4, 7, 8), "weight": make.normal(6, 2, 3, 2), "bias": make.normal(6)},
        ),
        calls(CONV2D),
        examples=120,
    ),
    Row(
        "function",
        "conv_transpose2d",
        as_function(transposed(), 2, True),
        Case(
            {"stride": (2, 1), "padding": (1, 0), "output_padding": (1, 0), "groups": 2},
            {"input": make.normal(3, 4, 5, 6), "weight": make.normal(4, 3, 3, 2), "bias": make.normal(6)},
        ),
        calls(TRANSPOSED),
        examples=120,
    ),
    *(
        Row(
            kind,
            name,
            unfoldings(),
            Case(
                {"kernel_size": (2, 3), "dilation": (2, 1), "padding": (1, 0), "stride": 2},
                {"input": make.normal(3, 2, 6, 7)},
            ),
            bad,
        )
        for kind, name, bad in (
            (
                "layer",
                "Unfold",
                layers({"kernel_size": 2}, (2, 3, 6, 5), {"0": {"kernel_size": 0}, "7": {"kernel_size": 7}}),
            ),
            ("function", "unfold", calls(UNFOLD)),
        )
    ),
    *(
        Row(
            kind,
            name,
            foldings(),
            Case(
                {"output_size": (5, 4), "kernel_size": (2, 3), "padding": (1, 0), "stride": (2, 1)},
                {"input": make.normal(3, 12, 6)},
            ),
            bad,
        )
        for kind, name, bad in (
            (
                "layer",
                "Fold",
                layers(
                    {"output_size": 5, "kernel_size": 2},
                    (2, 12, 16),
                    {"0": {"kernel_size": 0}, "15": {"input": (2, 12, 15)}},
                ),
            ),
            ("function", "fold", calls(FOLD)),
        )
    ),
]
