"""Rows: optimizers. The tensors of a case are the first values of the parameters."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import strategies as st

from tests.parity.case import Bad, Case, Maker, Row, makers

SHAPES = ((3, 2), (), (0, 4), (5,), (2,))


def numbers(*values: float) -> st.SearchStrategy[Any]:
    """A float, or the same in a tensor with or without an axis."""
    return st.sampled_from([form for value in values for form in (value, torch.tensor(value), torch.tensor([value]))])


def parameters(make: Maker) -> dict[str, torch.Tensor]:
    return {f"parameter {number}": make.normal(*shape) for number, shape in enumerate(SHAPES)}


@st.composite
def optimizers(draw: st.DrawFn, name: str) -> Case:
    chosen: dict[str, Any] = {"maximize": draw(st.booleans()), "lr": draw(numbers(0.0, 0.01, 0.1))}
    chosen["weight_decay"] = draw(st.sampled_from([0, 0.01, 0.3]))
    chosen["foreach"], chosen["fused"] = draw(
        st.sampled_from([(None, None), (False, None), (True, None), (None, True)])
    )
    if isinstance(chosen["lr"], torch.Tensor):  # one of them torch refuses, the other counts in float32
        chosen["foreach"] = chosen["fused"] = None
    chosen["differentiable"] = False
    if name == "SGD":
        chosen["momentum"] = draw(st.sampled_from([0, 0.5, 0.9]))
        chosen["nesterov"] = bool(chosen["momentum"]) and draw(st.booleans())
        chosen["dampening"] = 0 if chosen["nesterov"] else draw(st.sampled_from([0, 0.4, 1]))
    else:
        chosen["betas"] = draw(st.sampled_from([(0.9, 0.999), (0.0, 0.5), (0.5, 0.0)]))
        chosen["eps"] = draw(st.sampled_from([1e-8, 1e-2]))
        chosen["amsgrad"] = draw(st.booleans())
        chosen["capturable"] = False
        if name == "Adam":
            chosen["decoupled_weight_decay"] = draw(st.booleans())
    return Case(chosen, parameters(draw(makers)))


def refusals(refused: dict[str, dict[str, Any]]) -> dict[str, Bad]:
    def call(options: dict[str, Any]) -> Bad:
        return lambda kind: kind([torch.nn.Parameter(torch.ones(2))], **options)

    return {name: call(options) for name, options in refused.items()}


COMMON: dict[str, dict[str, Any]] = {
    "lr -1": {"lr": -1.0},
    "lr of two": {"lr": torch.ones(2)},
    "lr text": {"lr": "fast"},
    "weight_decay -1": {"weight_decay": -1},
    "fused and foreach": {"fused": True, "foreach": True},
    "fused and differentiable": {"fused": True, "differentiable": True},
}
OF: dict[str, dict[str, dict[str, Any]]] = {
    "SGD": {
        "momentum -1": {"momentum": -1},
        "nesterov alone": {"nesterov": True},
        "nesterov, dampened": {"nesterov": True, "momentum": 0.9, "dampening": 0.1},
    },
    "Adam": {
        "eps -1": {"eps": -1},
        "beta 1": {"betas": (1.0, 0.9)},
        "beta -1": {"betas": (0.9, -1.0)},
        "mixed betas": {"betas": (torch.tensor(0.9), 0.9)},
    },
}
GIVEN: dict[str, Bad] = {
    "a tensor": lambda kind: kind(torch.ones(2)),
    "no parameters": lambda kind: kind([]),
    "texts": lambda kind: kind(["weight"]),
    "no leaf": lambda kind: kind([torch.ones(2, requires_grad=True) * 2]),
    "twice in groups": lambda kind: (lambda p: kind([{"params": [p]}, {"params": [p]}]))(
        torch.nn.Parameter(torch.ones(2))
    ),
}
USUAL: dict[str, dict[str, Any]] = {
    "SGD": {"lr": 0.1, "momentum": 0.9, "dampening": 0.2, "weight_decay": 0.1},
    "Adam": {"lr": 0.1, "betas": (0.8, 0.9), "eps": 1e-4, "weight_decay": 0.1, "amsgrad": True},
    "AdamW": {"lr": 0.1, "betas": (0.8, 0.9), "eps": 1e-4, "weight_decay": 0.1},
}
ROWS = [
    Row(
        "optimizer",
        name,
        optimizers(name),
        Case(options, parameters(Maker(12))),
        refusals(COMMON | OF.get(name, OF["Adam"])) | GIVEN,
        batched=(),
    )
    for name, options in USUAL.items()
]
