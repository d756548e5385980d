"""What scratch exports is held to torch, line by line of the contract, for every row of the table."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.parity import lines
from tests.parity.case import Row
from tests.parity.contract import LINES
from tests.parity.table import ROWS


def each(*names: str) -> Callable[[Any], Any]:
    """Run a test for each row that these lines concern, except for the rows that have a reason not to meet them."""
    chosen = [
        (name, row)
        for name in names
        for row in ROWS.values()
        if LINES[name].concerns(row) and name not in row.exceptions
    ]
    return pytest.mark.parametrize(("line", "row"), chosen, ids=[row.id for _, row in chosen])


def test_every_exported_name_has_its_row() -> None:
    exported = {
        f"{place}.{name}"
        for place in ("nn", "functional", "optim")
        for name in importlib.import_module(f"scratch.{place}").__all__
    }
    assert exported == ROWS.keys()


@each("values")
def test_output_gradients_and_buffers(line: str, row: Row, device: str) -> None:
    LINES[line].run(row, device)


@each("second")
def test_second_derivatives(line: str, row: Row, device: str) -> None:
    LINES[line].run(row, device)


@each("gradcheck")
def test_gradcheck_and_gradgradcheck(line: str, row: Row, device: str) -> None:
    LINES[line].run(row, device)


@each("precision", "steps in half precision")
def test_errors_in_float32_and_half_precision(line: str, row: Row, device: str) -> None:
    LINES[line].run(row, device)


@each("batching")
def test_unbatched_and_empty_batches(line: str, row: Row, device: str) -> None:
    LINES[line].run(row, device)


@each("layouts")
def test_layouts_in_memory(line: str, row: Row, device: str) -> None:
    LINES[line].run(row, device)


@each("masks")
def test_what_is_dropped_at_random(line: str, row: Row, device: str) -> None:
    LINES[line].run(row, device)


@each("state")
def test_state_dict(line: str, row: Row) -> None:
    LINES[line].run(row)


@each("initialisation")
def test_initialisation(line: str, row: Row) -> None:
    LINES[line].run(row)


@each("repr", "repr of optimizers")
def test_repr(line: str, row: Row) -> None:
    LINES[line].run(row)


@each("signature", "signature of optimizers")
def test_signature(line: str, row: Row) -> None:
    LINES[line].run(row)


@each("copies", "copies of optimizers")
def test_copies_and_pickles(line: str, row: Row) -> None:
    LINES[line].run(row)


@each("compile")
def test_compiles_to_one_graph(line: str, row: Row, device: str) -> None:
    LINES[line].run(row, device)


@each("steps")
def test_parameters_and_state_after_steps(line: str, row: Row, device: str) -> None:
    LINES[line].run(row, device)


@each("groups")
def test_parameter_groups(line: str, row: Row, device: str) -> None:
    LINES[line].run(row, device)


@each("loading")
def test_state_of_optimizers_goes_both_ways(line: str, row: Row, device: str) -> None:
    LINES[line].run(row, device)


@each("schedulers")
def test_schedulers(line: str, row: Row, device: str) -> None:
    LINES[line].run(row, device)


REFUSALS = [(row, name) for row in ROWS.values() for name in row.bad]


@pytest.mark.parametrize(("row", "name"), REFUSALS, ids=[f"{row.id}: {name}" for row, name in REFUSALS])
def test_the_same_error_for_the_same_bad_argument(row: Row, name: str) -> None:
    if f"refusal: {name}" not in row.exceptions:
        lines.refusal(row, name)


EXCEPTIONS = [(row, line) for row in ROWS.values() for line in row.exceptions if line in LINES]


@pytest.mark.parametrize(("row", "line"), EXCEPTIONS, ids=[f"{row.id}: {line}" for row, line in EXCEPTIONS])
def test_exceptions_are_still_needed(row: Row, line: str) -> None:
    """Take an exception away when this fails: the row meets the line now."""
    with pytest.raises(Exception):  # noqa: B017
        LINES[line].run(row)
