"""Rows: padding."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import strategies as st

from tests.parity.case import Case, Maker, Row, calls, layers, makers

FAMILIES = {"Zero": "constant", "Constant": "constant", "Reflection": "reflect", "Replication": "replicate"}
FAMILIES |= {"Circular": "circular"}


@st.composite
def paddings(draw: st.DrawFn, mode: str, axes: int) -> tuple[torch.Tensor, tuple[int, ...]]:
    """An input, and sides that the mode allows, some of which crop; at least one sample is left."""
    lengths = [draw(st.integers(1, 5)) for _ in range(axes)]
    sides: list[int] = []
    for length in reversed(lengths):
        crop = draw(st.integers(0, length - 1))
        left_crop = draw(st.integers(0, crop))
        widest = {"constant": 4, "replicate": 6, "reflect": length - 1, "circular": length - crop}[mode]
        sides.append(-left_crop if left_crop else draw(st.integers(0, widest)))
        sides.append(left_crop - crop if crop - left_crop else draw(st.integers(0, widest)))
    fronts: list[tuple[int, ...]] = [(2,), (1, 1), (3, 2)]
    fronts += {"constant": [(), (0,), (1, 2, 2)], "circular": []}.get(mode, [(0, 2)])
    return draw(makers).normal(*draw(st.sampled_from(fronts)), *lengths), tuple(sides)


@st.composite
def pad_layers(draw: st.DrawFn, family: str, axes: int) -> Case:
    x, sides = draw(paddings(FAMILIES[family], axes))
    forms: list[Any] = [sides, list(sides)]
    if FAMILIES[family] in ("constant", "replicate"):
        forms.append(draw(st.integers(0, 3)))
    options: dict[str, Any] = {"padding": draw(st.sampled_from(forms))}
    if family == "Constant":
        options["value"] = draw(st.sampled_from([0, 1.5, -2]))
    return Case(options, {"input": x})


@st.composite
def pad_functions(draw: st.DrawFn) -> Case:
    mode = draw(st.sampled_from(["constant", "reflect", "replicate", "circular"]))
    x, sides = draw(paddings(mode, draw(st.integers(1, 3))))
    options = {"pad": sides, "mode": mode, "value": draw(st.sampled_from([None, 0, 0.0]))}
    if mode == "constant":
        options["value"] = draw(st.sampled_from([None, 0, 1.5, -2]))
    return Case(options, {"input": x})


ROW, IMAGE = torch.ones(2, 3, 4), torch.ones(2, 3, 4, 5)
REFUSED: dict[str, tuple[Any, ...]] = {
    "input is a list": ([1.0], (1, 1)),
    "input is None": (None, (1, 1)),
    "pad is an int": (ROW, 1),
    "pad is a str": (ROW, "ab"),
    "pad is None": (ROW, None),
    "pad is a tensor": (ROW, torch.tensor([1, 1])),
    "pad is a range": (ROW, range(2)),
    "pad holds a float": (ROW, (1.0, 1)),
    "pad holds a float behind": (ROW, (1, 1.0)),
    "pad holds a bool": (ROW, (True, 1)),
    "pad holds pairs": (ROW, ((1, 1),)),
    "pad holds a tensor of floats": (ROW, (torch.tensor(1.0), 1)),
    "one side": (ROW, (1,)),
    "three sides": (ROW, (1, 1, 1)),
    "too many axes": (ROW, (1,) * 8),
    "too many axes of a mirror": (ROW, (1,) * 8, "reflect"),
    "a number has no axes": (torch.tensor(1.0), (1, 1)),
    "mode 'zeros'": (ROW, (1, 1), "zeros"),
    "mode 'mirror', three sides": (ROW, (1, 1, 1), "mirror"),
    "mode None": (ROW, (1, 1), None),
    "value is a str": (ROW, (1, 1), "constant", "1"),
    "value is complex": (ROW, (1, 1), "constant", 1j),
    "value is a list": (ROW, (1, 1), "constant", [1.0]),
    "value is a tensor of one axis": (ROW, (1, 1), "constant", torch.ones(1)),
    "value asks for a gradient": (ROW, (1, 1), "constant", torch.tensor(1.0, requires_grad=True)),
    "value too large": (ROW, (1, 1), "constant", 1e40),
    "value nan for ints": (ROW.int(), (1, 1), "constant", float("nan")),
    "value with reflect": (ROW, (1, 1), "reflect", 1.0),
    "value with replicate": (ROW, (1, 1), "replicate", 1),
    "value with circular": (ROW, (1, 1), "circular", float("nan")),
    "no sides, reflect": (ROW, (), "reflect"),
    "lone row": (torch.ones(4), (1, 1), "reflect"),
    "channels and a row, two axes": (torch.ones(3, 4), (1,) * 4, "replicate"),
    "an image, one axis": (IMAGE, (1, 1), "circular"),
    "an image, four axes": (IMAGE, (1,) * 8, "circular"),
    "six axes": (torch.ones(1, 1, 1, 2, 2, 2), (1,) * 6, "reflect"),
    "mirror too wide, left": (ROW, (4, 0), "reflect"),
    "mirror too wide, right": (ROW, (0, 4), "reflect"),
    "mirror too wide after a crop": (ROW, (-1, 4), "reflect"),
    "mirror too wide, height": (IMAGE, (0, 0, 0, 4), "reflect"),
    "ring too small": (ROW, (5, 0), "circular"),
    "nothing left of a mirror": (ROW, (-2, -2), "reflect"),
    "nothing left of a replication": (ROW, (-4, 0), "replicate"),
    "more cropped than there is": (ROW, (-3, -2)),
    "more cropped than there is, put back": (ROW, (-5, 6)),
    "more cropped than there is, ring": (ROW, (-3, -2), "circular"),
    "no channels, reflect": (torch.ones(2, 0, 4), (1, 1), "reflect"),
    "no samples, replicate": (torch.ones(2, 3, 0), (1, 1), "replicate"),
    "no samples, circular": (torch.ones(2, 3, 0), (1, 1), "circular"),
    "unbatched and empty": (torch.ones(0, 3, 4), (1,) * 4, "reflect"),
}
CROPPED: dict[str, Any] = {"cropped": {"padding": -3}, "text": {"padding": "ab"}, "floats": {"padding": 1.5}}
TOO_WIDE: dict[str, dict[str, Any]] = {
    "Reflection": {"too wide": {"padding": 5}},
    "Circular": {"too wide": {"padding": 6}, "axes": {"input": (5,)}},
}

make = Maker(10)


def row(family: str, axes: int) -> Row:
    value: dict[str, Any] = {"value": 1.5} if family == "Constant" else {}
    shape = (2, 3, 5, 4, 5)[: axes + 2]
    return Row(
        "layer",
        f"{family}Pad{axes}d",
        pad_layers(family, axes),
        Case({"padding": (2, 1, 0, 3, 1, 2)[: 2 * axes]} | value, {"input": make.normal(*shape)}),
        layers({"padding": 1} | value, shape, CROPPED | TOO_WIDE.get(family, {})),
        examples=40,
    )


ROWS = [
    *(row(family, axes) for family in FAMILIES for axes in (1, 2, 3)),
    Row(
        "function",
        "pad",
        pad_functions(),
        Case({"pad": (1, 2, 0, 1), "mode": "reflect"}, {"input": make.normal(2, 3, 4, 5)}),
        calls(REFUSED),
        examples=200,
    ),
]
