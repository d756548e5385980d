"""What a row of the table is made of, and how its inputs are drawn."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from hypothesis import strategies as st

Tensors = dict[str, torch.Tensor]
Bad = Callable[[Any], Any]
"""Given a class or a function, calls it in a way that it must refuse."""

PLACES = {"layer": "nn", "loss": "nn", "function": "functional", "optimizer": "optim"}
TORCH = {"nn": torch.nn, "functional": torch.nn.functional, "optim": torch.optim}


@dataclass(frozen=True)
class Case:
    """Options by name, and tensors in the order in which they are given: in float64 or whole numbers, on the CPU."""

    options: dict[str, Any]
    tensors: Tensors


@dataclass(frozen=True)
class Row:
    """One name that `scratch` exports, and everything that the lines of the contract need to know of it."""

    kind: str
    """layer, loss, function or optimizer."""
    name: str
    cases: st.SearchStrategy[Case]
    """Over all arguments."""
    usual: Case
    """A case with some options away from their defaults, for the lines that look at one case."""
    bad: Mapping[str, Bad] = field(default_factory=dict)
    """Calls that torch refuses."""
    constants: tuple[str, ...] = ()
    """Tensors without a gradient: estimates, and weights that are not learned."""
    exceptions: Mapping[str, str] = field(default_factory=dict)
    """Lines of the contract that this row does not meet, or `line: variant`, with the reason."""
    reference: Callable[..., Any] | None = None
    """The twin, where torch has none."""
    batched: tuple[str, ...] = ("input",)
    """Tensors whose first axis is the batch; none where there is no such axis."""
    examples: int = 60
    """How many cases the main line tries."""
    random: bool = False

    @property
    def place(self) -> str:
        return PLACES[self.kind]

    @property
    def id(self) -> str:
        return f"{self.place}.{self.name}"

    def ours(self) -> Any:
        """Looked up at each call: mutants stand in the module for a while."""
        return getattr(importlib.import_module(f"scratch.{self.place}"), self.name)

    def theirs(self) -> Any:
        return self.reference or getattr(TORCH[self.place], self.name)


class Maker:
    """Draws tensors, all from one seed."""

    def __init__(self, seed: int) -> None:
        self.generator = torch.Generator().manual_seed(seed)

    def normal(self, *shape: int) -> torch.Tensor:
        return torch.randn(shape, dtype=torch.float64, generator=self.generator)

    def positive(self, *shape: int) -> torch.Tensor:
        return torch.rand(shape, dtype=torch.float64, generator=self.generator) + 0.5

    def whole(self, below: int, *shape: int) -> torch.Tensor:
        return torch.randint(below, shape, generator=self.generator)


makers = st.builds(Maker, st.integers(0, 2**16))
sizes = st.sampled_from([3, 2, 1, 3, 2, 3, 2, 0])
"""Of a batch: seldom empty, which leaves little to compare."""
batches = st.sampled_from([(2,), (), (3,), (1,), (2,), (3,), (2,), (0,)])


def one_or_all(draw: st.DrawFn, numbers: tuple[int, ...]) -> int | tuple[int, ...] | list[int]:
    """The numbers as a tuple or a list, or one int where all are equal and the draw says so."""
    if len(set(numbers)) == 1 and draw(st.booleans()):
        return numbers[0]
    return list(numbers) if draw(st.booleans()) else numbers


def several(draw: st.DrawFn, axes: int, low: int, high: int) -> tuple[int, ...]:
    """As many ints as axes, more often equal ones than chance would have it."""
    if draw(st.booleans()):
        return (draw(st.integers(low, high)),) * axes
    return tuple(draw(st.integers(low, high)) for _ in range(axes))


def calls(refused: Mapping[str, tuple[Any, ...]]) -> dict[str, Bad]:
    """Calls of a function, from their positional arguments."""

    def call(arguments: tuple[Any, ...]) -> Bad:
        return lambda function: function(*arguments)

    return {name: call(arguments) for name, arguments in refused.items()}


def layers(options: dict[str, Any], shape: tuple[int, ...], refused: Mapping[str, dict[str, Any]]) -> dict[str, Bad]:
    """Layers made with some options replaced and called on ones; `input` replaces the shape of these."""

    def call(replaced: dict[str, Any]) -> Bad:
        given = options | {name: value for name, value in replaced.items() if name != "input"}
        return lambda kind: kind(**given)(torch.ones(replaced.get("input", shape)))

    return {name: call(replaced) for name, replaced in refused.items()}
