"""The page of mistakes: thirty rows, each with a cell that shows the mistake failing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

BOOK = Path(__file__).parents[2] / "book"
PAGE = (BOOK / "often_written_wrong.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\d+) \| (.+) \| (.+) \| \{ref\}`[^<`]+ <([a-z0-9-]+)>` \|$", PAGE, flags=re.MULTILINE)
CHAPTERS = {path: path.read_text(encoding="utf-8") for path in (BOOK / "chapters").glob("*.md")}


def test_there_are_thirty_with_a_claim_and_a_truth_each() -> None:
    assert [int(number) for number, *_ in ROWS] == list(range(1, 31))
    assert len({claim for _, claim, _, _ in ROWS}) == len({truth for _, _, truth, _ in ROWS}) == 30


@pytest.mark.parametrize("label", [label for *_, label in ROWS])
def test_a_row_leads_to_a_cell_that_shows_it(label: str) -> None:
    """The label stands before a paragraph; a cell before the next such paragraph asserts something."""
    (text,) = (text for text in CHAPTERS.values() if f"\n({label})=\n" in text)
    after = re.split(r"^(?:\([a-z0-9-]+\)=\n)*(?=\*\*|#+ )", text.partition(f"\n({label})=\n")[2], flags=re.MULTILINE)
    about = next(part for part in after if part.startswith("**"))
    cells = re.findall(r"^```\{code-cell\}\n(.*?)^```$", about, flags=re.MULTILINE | re.DOTALL)
    assert cells, f"no cell follows {label}"
    assert any(re.search(r"\bassert\b|assert_close|AssertionError", cell) for cell in cells)


def test_every_mistake_that_has_a_label_stands_on_the_page() -> None:
    labels = {
        label for text in CHAPTERS.values() for label in re.findall(r"^\((wrong-[a-z0-9-]+)\)=$", text, re.MULTILINE)
    }
    assert labels == {label for *_, label in ROWS}
