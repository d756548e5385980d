"""Rows: linear layers, activations and losses."""

from __future__ import annotations

from typing import Any

import numpy
import torch
from hypothesis import strategies as st

from tests.parity.case import Case, Maker, Row, calls, layers, makers, sizes

X, W, CLASSES = Maker(0).normal(2, 3).float(), Maker(1).normal(4, 3).float(), torch.tensor([0, 2])
HALVES = torch.full((2, 3), 0.5)
LEADING = st.sampled_from([(5,), (2, 3), (2, 1, 3), (4,), (), (1,), (3, 2), (0,), (3, 0)])
REDUCTIONS = st.sampled_from(["none", "sum", "mean"])
OLD = st.sampled_from([None, None, None, True, False])
"""For size_average and reduce, which are deprecated."""


@st.composite
def linear_layers(draw: st.DrawFn) -> Case:
    sizes = {name: draw(st.sampled_from([3, 2, 4, 1, 5, 2, 3, 0])) for name in ("in_features", "out_features")}
    x = draw(makers).normal(*draw(LEADING), sizes["in_features"])
    return Case(sizes | {"bias": draw(st.booleans())}, {"input": x})


@st.composite
def linear_functions(draw: st.DrawFn) -> Case:
    make, size = draw(makers), draw(st.integers(1, 4))
    leading = draw(LEADING)
    tensors = {"input": make.normal(*leading, size)}
    shapes = {"(O)": (3,), "()": (), "(1)": (1,), "(1, O)": (1, 3)}
    kinds = ["one axis", "no bias", "(O)", "()", "(1)", "(1, O)"]
    kind = draw(st.sampled_from(kinds))
    if kind == "(1, O)" and not leading:
        kind = "(O)"  # torch drops the axis of one, which it does not document; ours refuses
    if kind == "one axis" and not tensors["input"].numel():
        kind = "no bias"  # torch cannot do it, although it could
    tensors["weight"] = make.normal(size) if kind == "one axis" else make.normal(3, size)
    return Case({}, tensors | ({"bias": make.normal(*shapes[kind])} if kind in shapes else {}))


@st.composite
def rectified(draw: st.DrawFn) -> Case:
    x = draw(makers).normal(*draw(LEADING))
    if draw(st.booleans()):
        x = x.round()
    return Case({"inplace": draw(st.booleans())}, {"input": x})


@st.composite
def flattened(draw: st.DrawFn) -> Case:
    shape = draw(st.lists(sizes, max_size=4))
    axes = max(len(shape), 1)
    ends = sorted(draw(st.tuples(st.integers(0, axes - 1), st.integers(0, axes - 1))))
    start, end = (axis - axes if draw(st.booleans()) else axis for axis in ends)
    return Case({"start_dim": start, "end_dim": end}, {"input": draw(makers).normal(*shape)})


@st.composite
def softmaxes(draw: st.DrawFn, function: bool = False) -> Case:
    shape = draw(st.lists(sizes, max_size=4))
    axes = max(len(shape), 1)
    options: dict[str, Any] = {"dim": draw(st.none() | st.integers(-axes, axes - 1))}
    if function:
        options["dtype"] = draw(st.sampled_from([None, None, torch.float64, torch.float32, torch.bfloat16]))
        options["_stacklevel"] = draw(st.integers(2, 5))
    x = draw(st.sampled_from([1, 100, 1e30])) * draw(makers).normal(*shape)
    if options.get("dtype") in (torch.float32, torch.bfloat16):
        x = x.clamp(-9, 9).long()  # no gradient, which would be in float64 and only as good as this dtype
    return Case(options, {"input": x})


@st.composite
def classifications(draw: st.DrawFn, smooth: bool = True) -> Case:
    """For cross_entropy; without `smooth` for nll_loss, which has no label smoothing and takes no probabilities."""
    make, classes = draw(makers), draw(st.integers(1, 5))
    positions = draw(st.sampled_from([(), (3,), None, (2, 3), (), (2, 1), (3,), (1, 2, 2), (0,)]))
    batch = draw(sizes)
    shape = (classes,) if positions is None else (batch, classes, *positions)
    x = draw(st.sampled_from([1.0, 200.0])) * make.normal(*shape)
    options: dict[str, Any] = {
        "reduction": draw(REDUCTIONS),
        "size_average": draw(OLD),
        "reduce": draw(OLD),
        "weight": draw(st.sampled_from([None, make.positive(classes) - 0.5])),
        "ignore_index": draw(st.sampled_from([-100, 0, -1, classes + 3])),
    }
    if options["weight"] is not None and draw(st.booleans()):
        options["weight"][0] = 0.0
    if smooth:
        options["label_smoothing"] = draw(st.sampled_from([0.0, 0.1, 1.0, -0.5]))
        if draw(st.booleans()):
            options["ignore_index"] = -100
            return Case(options, {"input": x, "target": make.positive(*shape) - 0.5})
    target = make.whole(classes, *(() if positions is None else (batch, *positions)))
    if options["ignore_index"] not in range(classes) and draw(st.booleans()):
        keep = make.positive(*target.shape) < draw(st.sampled_from([0.5, 1.0]))
        target = torch.where(keep, target, options["ignore_index"])
    in_bytes = positions in (None, ()) and options.get("label_smoothing", 0.0) <= 0  # elsewhere torch refuses bytes
    if in_bytes and (target.numel() == 0 or int(target.min()) >= 0):
        target = target.to(draw(st.sampled_from([torch.int64, torch.uint8])))
    return Case(options, {"input": x, "target": target})


@st.composite
def differences(draw: st.DrawFn, weighted: bool = False) -> Case:
    make = draw(makers)
    shape = draw(LEADING)
    options = {"reduction": draw(REDUCTIONS), "size_average": draw(OLD), "reduce": draw(OLD)}
    tensors = {"input": make.normal(*shape), "target": make.normal(*shape)}
    if len(shape) > 1 and draw(st.booleans()):
        tensors["target"] = make.normal(*shape[1:])  # broadcast, with a warning
    if weighted and draw(st.booleans()):
        tensors["weight"] = make.positive(*shape)
    return Case(options, tensors)


REFUSED: dict[str, dict[str, tuple[Any, ...]]] = {
    "linear": {
        "input is a list": ([1.0, 2.0, 3.0], W),
        "bias is a list": (X, W, [1.0] * 4),
        "input of no axis": (torch.tensor(1.0), W),
        "weight of no axis": (X, torch.tensor(1.0)),
        "weight of three axes": (X, W[None]),
        "features differ": (X[:, :2], W),
        "features differ, one axis": (X[0, :2], W),
        "bias too short": (X, W, torch.ones(3)),
        "bias of too many axes": (X, W, torch.ones(5, 2, 4)),
        "bias and a weight of one axis": (X, W[0], torch.tensor(1.0)),
        "input of another dtype": (X.double(), W),
        "bias of another dtype": (X, W, torch.ones(4).double()),
        "bool": (X > 0, W > 0),
    },
    "relu": {
        "list": ([1.0],),
        "bool": (X > 0,),
        "complex": (X.to(torch.complex64),),
        "a parameter in place": (torch.nn.Parameter(X.clone()), True),
    },
    "softmax": {
        "list": ([1.0], 0),
        "dim=2": (X, 2),
        "dim=-3": (X, -3),
        "dim=1 of a number": (torch.tensor(1.0), 1),
        "dim=1.0": (X, 1.0),
        "dim=True": (X, True),
        "dim=(0, 1)": (X, (0, 1)),
        "dim is a bool tensor": (X, torch.tensor(True)),
        "dim has an axis": (X, torch.tensor([1])),
        "dim is numpy's bool": (X, numpy.bool_(True)),
        "dtype is text": (X, 0, 3, "float32"),
        "whole numbers": (CLASSES, 0),
        "into whole numbers": (X, 0, 3, torch.int64),
        "complex": (X.to(torch.complex64), 0),
    },
    "log_softmax": {
        "list": ([1.0], 0),
        "dim=2": (X, 2),
        "dim='last'": (X, "last"),
        "bool": (X > 0, 0),
    },
    "mse_loss": {
        "list": ([1.0], torch.ones(1)),
        "target is a number": (torch.ones(1), 1.0),
        "shapes differ": (torch.ones(3), torch.ones(4)),
        "whole numbers": (CLASSES, CLASSES),
        "bool": (X > 0, X > 0),
        "complex": (X.to(torch.complex64), X.to(torch.complex64)),
        "reduction='avg'": (X, X, None, None, "avg"),
        "reduction=None": (X, X, None, None, None),
        "weighted, reduction='avg'": (X, X, None, None, "avg", HALVES),
        "weight of another shape": (X, X, None, None, "mean", torch.ones(3)),
    },
}


def refused_classes(*target: Any) -> tuple[Any, ...]:
    """The arguments up to `ignore_index`, without a weight."""
    return (*target, None, None)


NLL: dict[str, tuple[Any, ...]] = {
    "input is a list": ([[1.0, 2.0]], CLASSES[:1]),
    "target is a list": (X, [0, 2]),
    "weight is a list": (X, CLASSES, [1.0] * 3),
    "target 3": (X, torch.tensor([0, 3])),
    "target 3, unreduced": (X, torch.tensor([0, 3]), None, None, -100, None, "none"),
    "target 3 without a batch": (X[0], torch.tensor(3)),
    "target 3 at a position": (torch.ones(2, 3, 2), torch.full((2, 2), 3)),
    "target -1": (X, torch.tensor([0, -1])),
    "no classes": (X[:, :0], CLASSES),
    "target float": (X, CLASSES.float()),
    "target int32": (X, CLASSES.int()),
    "target uint8 with positions": (X[None], torch.zeros(1, 3).byte()),
    "target bool": (X, CLASSES.bool()),
    "fewer targets": (X, CLASSES[:1]),
    "one target for a batch": (X, torch.tensor(0)),
    "two targets, no batch": (X[0], CLASSES),
    "target (1, 1), no batch": (X[0], CLASSES[:1, None]),
    "target (N, 1)": (X, CLASSES[:, None]),
    "other positions": (torch.ones(2, 3, 4), torch.zeros(2, 5).long()),
    "no positions": (torch.ones(2, 3, 4), CLASSES),
    "other positions of two axes": (torch.ones(2, 3, 4, 2), torch.zeros(2, 4, 3).long()),
    "other batch with positions": (torch.ones(2, 3, 4), torch.zeros(3, 4).long()),
    "two weights": (X, CLASSES, torch.ones(2)),
    "weight (1, C)": (X, CLASSES, torch.ones(1, 3)),
    "weight of no axis": (X, CLASSES, torch.tensor(1.0)),
    "weight float64": (X, CLASSES, torch.ones(3).double()),
    "weight that is learned": (X, CLASSES, torch.ones(3, requires_grad=True)),
    "reduction='avg'": (X, CLASSES, None, None, -100, None, "avg"),
    "reduction=None": (X, CLASSES, None, None, -100, None, None),
    "ignore_index=1.5": (X, CLASSES, None, None, 1.5),
    "ignore_index=True": (X, CLASSES, None, None, True),
    "ignore_index=None": (X, CLASSES, None, None, None),
    "whole numbers": (X.long(), CLASSES),
    "complex": (X.to(torch.complex64), CLASSES),
    "input of no axis": (torch.tensor(1.0), torch.tensor([0])),
}
ENTROPY: dict[str, tuple[Any, ...]] = NLL | {
    "two numbers": (torch.tensor(1.0), torch.tensor(0)),
    "probabilities of other classes": (X, torch.ones(2, 4)),
    "one row of probabilities": (X, torch.ones(1, 3)),
    "whole numbers, (N, C)": (X, HALVES.long()),
    "probabilities, ignore_index=0": (X, HALVES, None, None, 0),
    "probabilities, two weights": (X, HALVES, torch.ones(2)),
    "probabilities, weight (N, C)": (X, HALVES, HALVES),
    "label_smoothing=1.1": (X, CLASSES, None, None, -100, None, "mean", 1.1),
    "label_smoothing=None": (X, CLASSES, None, None, -100, None, "mean", None),
    "label_smoothing='a'": (X, CLASSES, None, None, -100, None, "mean", "a"),
}

make = Maker(7)
LOOKS = "class numbers are checked before they are used, which torch.compile cannot follow: it depends on the data"
PROMOTES = "it asks torch.result_type, which torch.compile cannot trace"
SCORES = {"input": make.normal(5, 4), "target": torch.tensor([3, 0, -100, 2, 1])}
WEIGHTED = {"weight": make.positive(4), "label_smoothing": 0.1}
ROWS = [
    Row(
        "layer",
        "Linear",
        linear_layers(),
        Case({"in_features": 5, "out_features": 3}, {"input": make.normal(4, 2, 5)}),
        layers(
            {"in_features": 2, "out_features": 3},
            (4, 2),
            {
                "sizes are floats": {"in_features": 2.0},
                "sizes are text": {"out_features": "3"},
                "negative": {"in_features": -1},
                "whole numbers": {"dtype": torch.int64},
                "another size": {"input": (4, 3)},
            },
        ),
    ),
    Row("layer", "ReLU", rectified(), Case({"inplace": True}, {"input": make.normal(4, 3)})),
    Row(
        "layer",
        "Flatten",
        flattened(),
        Case({"start_dim": 1, "end_dim": 2}, {"input": make.normal(4, 3, 2, 5)}),
        layers(
            {},
            (2, 3),
            {
                "float": {"start_dim": 0.0},
                "one axis": {"input": (3,)},
                "no axis": {"input": ()},
                "the wrong way round": {"start_dim": 2, "end_dim": 1, "input": (2, 3, 4)},
            },
        ),
    ),
    *(
        Row(
            "layer",
            name,
            softmaxes(),
            Case({"dim": -1}, {"input": make.normal(4, 5)}),
            layers(
                {},
                (2, 3),
                {
                    "numpy's int": {"dim": numpy.int64(1)},
                    "1.0": {"dim": 1.0},
                    "True": {"dim": True},
                    "text": {"dim": "last"},
                    "no such axis": {"dim": 2},
                },
            ),
        )
        for name in ("Softmax", "LogSoftmax")
    ),
    Row(
        "loss",
        "CrossEntropyLoss",
        classifications(),
        Case(WEIGHTED, SCORES),
        {
            "reduction": lambda kind: kind(reduction="avg")(X, CLASSES),
            "weight is a list": lambda kind: kind([1.0, 2.0, 3.0]),
            "label_smoothing": lambda kind: kind(label_smoothing=2.0)(X, CLASSES),
            "fewer targets": lambda kind: kind()(X, CLASSES[:1]),
            "target 3": lambda kind: kind()(X, torch.tensor([0, 3])),
        },
        exceptions={"compile": LOOKS},
        batched=("input", "target"),
        examples=120,
    ),
    Row(
        "loss",
        "MSELoss",
        differences(),
        Case({"reduction": "mean"}, {"input": make.normal(4, 3), "target": make.normal(4, 3)}),
        {
            "reduction": lambda kind: kind(reduction="avg")(X, X),
            "whole numbers": lambda kind: kind()(CLASSES, CLASSES),
            "shapes": lambda kind: kind()(torch.ones(3), torch.ones(4)),
        },
        exceptions={"compile": PROMOTES},
        batched=("input", "target"),
    ),
    Row(
        "function",
        "linear",
        linear_functions(),
        Case({}, {"input": make.normal(4, 2, 5), "weight": make.normal(3, 5), "bias": make.normal(3)}),
        calls(REFUSED["linear"]),
    ),
    Row(
        "function", "relu", rectified(), Case({"inplace": False}, {"input": make.normal(4, 3)}), calls(REFUSED["relu"])
    ),
    *(
        Row(
            "function",
            name,
            softmaxes(function=True),
            Case({"dim": 1}, {"input": make.normal(4, 5, 2)}),
            calls(REFUSED[name]),
        )
        for name in ("softmax", "log_softmax")
    ),
    Row(
        "function",
        "cross_entropy",
        classifications(),
        Case(WEIGHTED, SCORES),
        calls(ENTROPY),
        exceptions={"compile": LOOKS},
        batched=("input", "target"),
        examples=120,
    ),
    Row(
        "function",
        "nll_loss",
        classifications(smooth=False),
        Case({"weight": make.positive(4), "reduction": "sum"}, SCORES),
        calls(NLL),
        exceptions={"compile": LOOKS},
        batched=("input", "target"),
    ),
    Row(
        "function",
        "mse_loss",
        differences(weighted=True),
        Case({}, {"input": make.normal(4, 3), "target": make.normal(4, 3), "weight": make.positive(4, 3)}),
        calls(REFUSED["mse_loss"]),
        exceptions={"compile": PROMOTES},
        batched=("input", "target", "weight"),
    ),
]
