"""What CONTRIBUTING.md says of a new chapter is so: how it starts, its sections, and what it may not leave out."""

import re
import textwrap
from pathlib import Path

from derive import lessons
from derive.config import Book
from derive.source import read
from tests.repo.test_pages import COLUMNS, SECTIONS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ABOUT = TEXT.partition("## Add a chapter")[2].partition("\n## ")[0]


def test_the_beginning_of_a_chapter_is_one_that_derive_reads(tmp_path: Path) -> None:
    found = re.search(r"^   ````markdown\n(.*?)^   ````$", TEXT, re.MULTILINE | re.DOTALL)
    assert found
    (tmp_path / "_config.yml").write_bytes((ROOT / "_config.yml").read_bytes())
    chapters, exercises = tmp_path / "book" / "chapters", tmp_path / "book" / "exercises"
    chapters.mkdir(parents=True)
    exercises.mkdir()
    (tmp_path / "book" / "setup.py").write_text("import torch\n", encoding="utf-8")
    (exercises / "19_swish.md").write_text("", encoding="utf-8")
    path = chapters / "19_swish.md"
    path.write_text(textwrap.dedent(found[1]), encoding="utf-8")

    book = Book.load(tmp_path)
    assert [heading.title for heading in read(book, path).headings] == ["Swish", "Predict"]
    (lesson,) = lessons.read(book)
    assert (lesson.minutes, lesson.needs) == (40, ("03_linear_layers",))


def test_it_names_the_sections_and_the_width_of_code() -> None:
    listed = re.search(r"in this order: (.+?)\.\s+One equation", ABOUT, re.DOTALL)
    assert listed
    named = " ".join(listed[1].split()).replace(" `torch.nn`", "").split(", ")
    assert named == SECTIONS
    assert f"has {COLUMNS} characters at most" in ABOUT


def test_it_names_every_file_that_a_test_wants_for_a_new_chapter() -> None:
    for name in (
        "_toc.yml",
        "book/index.md",
        "book/teaching.md",
        "book/api.md",
        "tests/exercises/alternatives/19_swish.py",
    ):
        assert f"`{name}`" in ABOUT, name
