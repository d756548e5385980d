"""The lines of the contract find every one of a fixed set of wrong versions of scratch."""

from __future__ import annotations

import pytest

from tests.parity import lines
from tests.parity.case import Row
from tests.parity.contract import LINES
from tests.parity.mutants import MUTANTS, Mutant, standing_in
from tests.parity.table import ROWS

EXAMPLES = 120
"""At most so many drawn cases for each line: enough here, and quick."""
SKIPPED = ("gradcheck", "compile")  # slow, and the other lines find them all


def held_to_the_contract(row: Row) -> None:
    for name, line in LINES.items():
        if line.concerns(row) and name not in (*SKIPPED, *row.exceptions):
            line.run(row, most=EXAMPLES)
    for name in row.bad:
        if f"refusal: {name}" not in row.exceptions:
            lines.refusal(row, name)


@pytest.mark.parametrize("mutant", MUTANTS, ids=[f"{mutant.row}: {mutant.says}" for mutant in MUTANTS])
def test_a_mutant_is_killed(mutant: Mutant) -> None:
    with standing_in(mutant.module, mutant.old, mutant.new), pytest.raises(Exception):  # noqa: B017
        held_to_the_contract(ROWS[mutant.row])


@pytest.mark.parametrize("module", sorted({mutant.module for mutant in MUTANTS}))
def test_an_unedited_copy_lives(module: str) -> None:
    row = next(mutant.row for mutant in MUTANTS if mutant.module == module)
    with standing_in(module, *["Derived by `make notebooks`"] * 2):
        held_to_the_contract(ROWS[row])


def test_a_text_that_is_gone_is_told() -> None:
    with pytest.raises(LookupError, match="renew this mutant"), standing_in("padding", "no such text", ""):
        pass
