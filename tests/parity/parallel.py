"""Rows: layers for several devices or processes, here with one of each; tests/scratch has them in company."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import assume
from hypothesis import strategies as st

from tests.parity.case import Case, Maker, Row, layers, makers
from tests.parity.normalization import FEATURES, batch_norms


@st.composite
def parallel(draw: st.DrawFn) -> Case:
    size = draw(st.integers(1, 4))
    options: dict[str, Any] = {
        "module": torch.nn.Linear(size, draw(st.integers(1, 4))),
        "device_ids": draw(st.sampled_from([None, None, []])),
        "output_device": None,
        "dim": draw(st.integers(0, 1)),
    }
    return Case(options, {"input": draw(makers).normal(draw(st.integers(1, 5)), draw(st.integers(1, 3)), size)})


@st.composite
def synchronized(draw: st.DrawFn) -> Case:
    case = draw(batch_norms((2, 3, 4, 5)))
    x = case.tensors["input"]
    assume(x.numel() != x.shape[1])  # one value per channel: both refuse, but torch counts the batch before
    return Case(case.options | {"process_group": None}, case.tensors)


WRONG: dict[str, dict[str, Any]] = {
    "one axis": {"input": (4,)},
    "channels": {"input": (2, 5, 3)},
    "one value": {"input": (1, 4, 1)},
}
make = Maker(13)
ROWS = [
    Row(
        "layer",
        "DataParallel",
        parallel(),
        Case({"module": torch.nn.Linear(3, 2)}, {"input": make.normal(4, 3)}),
        layers({"module": torch.nn.Linear(3, 2)}, (4, 3), {"channels": {"input": (4, 2)}}),
        examples=30,
    ),
    Row(
        "layer",
        "SyncBatchNorm",
        synchronized(),
        Case({"num_features": 4, "eps": 1e-3, "momentum": 0.3}, {"input": make.normal(5, 4, 3, 2)}),
        layers(
            {"num_features": 4},
            (5, 4, 3, 2),
            WRONG | FEATURES,
        ),
        exceptions={"compile": "it branches on how many values all ranks had together, which is a tensor"},
        examples=100,
    ),
]
