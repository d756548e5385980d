"""Every chapter has the sections that a reader expects, in their order, and code that fits the page."""

from pathlib import Path

import pytest

from derive.config import Book
from derive.source import read

ROOT = Path(__file__).parents[2]
BOOK = Book.load(ROOT)
COLUMNS = 88  # what a page of the site shows without scrolling

SECTIONS = [
    "Predict",
    "The idea",
    "Build it",
    "Compare with",
    "See it",
    "What it costs",
    "Often written wrong",
    "Exercises",
    "Summary",
    "Further reading",
]

CHAPTERS = [pytest.param(path, id=path.stem) for path in BOOK.chapters()]
PAGES = [pytest.param(path, id=f"{path.parent.name}/{path.stem}") for path in (*BOOK.chapters(), *BOOK.exercises())]


@pytest.mark.parametrize("path", CHAPTERS)
def test_a_chapter_has_its_sections_in_their_order(path: Path) -> None:
    titles = [heading.title for heading in read(BOOK, path).headings if heading.level == 2]
    assert len(titles) == len(SECTIONS), titles
    for title, section in zip(titles, SECTIONS, strict=True):
        assert title.startswith(section), f"{title!r} stands where {section!r} should"


@pytest.mark.parametrize("path", PAGES)
def test_code_fits_the_page(path: Path) -> None:
    source = read(BOOK, path)
    long = [line for cell in source.code for line in cell.source.split("\n") if len(line) > COLUMNS]
    assert not long, "\n".join(long)


@pytest.mark.parametrize("path", PAGES)
def test_a_chapter_and_its_exercises_come_together(path: Path) -> None:
    for folder in ("chapters", "exercises"):
        assert (ROOT / "book" / folder / path.name).is_file()
