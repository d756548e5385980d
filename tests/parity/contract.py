"""The contract: its lines by name, and how one is run for a row of the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings

from tests.parity import lines, stepping
from tests.parity.case import Case, Row

LAYERS = ("layer", "loss")
CALLED = (*LAYERS, "function")
OPTIMIZERS = ("optimizer",)


@dataclass(frozen=True)
class Line:
    """One line of the contract."""

    check: Callable[[Row, Case, str], Any]
    kinds: tuple[str, ...]
    examples: int | None = 0
    """How many drawn cases it tries beside the usual one; None leaves it to the row."""
    everywhere: bool = True
    """On every device; the others do not compute."""
    shrinks: bool = True

    @property
    def says(self) -> str:
        """What the line asks, in words."""
        return (self.check.__doc__ or "").strip()

    def concerns(self, row: Row) -> bool:
        return row.kind in self.kinds and (row.random or self.check is not lines.masks)

    def run(
        self,
        row: Row,
        device: str = "cpu",
        most: int | None = None,
        tell: Callable[[Case, Any], None] = lambda case, result: None,
    ) -> None:
        """Try the usual case, then drawn ones: the same on every run, at most as many as said."""
        tell(row.usual, self.check(row, row.usual, device))
        wanted = row.examples if self.examples is None else self.examples
        examples = wanted if most is None else min(wanted, most)
        if not examples:
            return
        phases = [Phase.generate, Phase.shrink] if self.shrinks and most is None else [Phase.generate]

        @settings(
            max_examples=examples,
            derandomize=True,
            database=None,
            deadline=None,
            phases=phases,
            suppress_health_check=list(HealthCheck),
        )
        @given(row.cases)
        def attempt(case: Case) -> None:
            tell(case, self.check(row, case, device))

        attempt()


LINES: dict[str, Line] = {
    "values": Line(lines.values, CALLED, None),
    "second": Line(lines.second, CALLED, 15),
    "gradcheck": Line(lines.gradcheck, CALLED, 6, shrinks=False),
    "precision": Line(lines.precision, CALLED),
    "batching": Line(lines.batching, CALLED),
    "layouts": Line(lines.layouts, CALLED),
    "masks": Line(lines.masks, CALLED),
    "state": Line(lines.state, LAYERS, 15, everywhere=False),
    "initialisation": Line(lines.initialisation, LAYERS, 15, everywhere=False),
    "repr": Line(lines.represented, LAYERS, 30, everywhere=False),
    "signature": Line(lines.signature, CALLED, everywhere=False),
    "copies": Line(lines.copies, CALLED),
    "compile": Line(lines.compiled, CALLED),
    "steps": Line(stepping.values, OPTIMIZERS, None),
    "groups": Line(stepping.groups, OPTIMIZERS, 15),
    "loading": Line(stepping.state, OPTIMIZERS, 30),
    "schedulers": Line(stepping.schedulers, OPTIMIZERS),
    "steps in half precision": Line(stepping.precision, OPTIMIZERS),
    "copies of optimizers": Line(stepping.copies, OPTIMIZERS, 5, everywhere=False),
    "repr of optimizers": Line(stepping.represented, OPTIMIZERS, 15, everywhere=False),
    "signature of optimizers": Line(stepping.signature, OPTIMIZERS, everywhere=False),
}
