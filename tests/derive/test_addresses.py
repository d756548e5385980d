"""derive keeps the few files in step that repeat an address: the README, the citation, and the cell that installs."""

from __future__ import annotations

import pytest

from derive import addresses, lessons
from derive.errors import SourceError
from derive.notebook import Draft, Result, Stored

from .conftest import FRONT_MATTER, SETUP, TASK, Folder

README = """# Ours

<!-- derived: address -->
old
<!-- end -->

By hand.

<!-- derived: chapters -->
<!-- end -->

The end.
"""
OPENING = """# Adding

At the end of this chapter you will have
written `add`.

You need [counting](01_counting.md) and [numbers](02_numbers.md#all); see [the glossary](../glossary.md).
"""


def with_chapter(folder: Folder, front_matter: str, opening: str) -> Folder:
    folder.write("book/chapters/04_adding.md", f"{front_matter}\n{opening}\n{SETUP}\n[later](05_later.md)\n")
    return folder


@pytest.fixture
def course(folder: Folder) -> Folder:
    """A book of one chapter, with its exercises and a README."""
    folder.exercise(TASK.replace("Write `double`.", "Difficulty ●●○ · 25 minutes · 10 points\n\nWrite `double`."))
    folder.write("README.md", README)
    return with_chapter(folder, FRONT_MATTER.replace("kernelspec:", "minutes: 90\nkernelspec:"), OPENING)


def test_a_lesson_is_what_the_pages_say_before_their_first_cell(course: Folder) -> None:
    (lesson,) = lessons.read(course.book)
    assert (lesson.number, lesson.title, lesson.goal) == (4, "Adding", "written `add`.")
    assert lesson.needs == ("01_counting", "02_numbers")
    assert (lesson.minutes, lesson.exercise_minutes, lesson.tasks, lesson.points) == (90, 25, 1, 10)


def test_a_chapter_that_does_not_say_what_a_lesson_needs(course: Folder) -> None:
    with_chapter(course, FRONT_MATTER, "# Adding\n\nNo promise.\n")
    with pytest.raises(SourceError) as caught:
        lessons.read(course.book)
    first, second = str(caught.value).split("\n")
    assert first.startswith("book/chapters/04_adding.md:1: front matter must have minutes")
    assert second.startswith("book/chapters/04_adding.md:8: before the first cell stands a paragraph that starts with")


def test_a_chapter_without_exercises_is_no_lesson(course: Folder) -> None:
    (course.root / "book/exercises/04_adding.md").unlink()
    with pytest.raises(SourceError, match=r"has no exercises: book/exercises/04_adding\.md is missing"):
        lessons.read(course.book)


def test_the_readme_is_written_between_its_marks_and_nowhere_else(course: Folder) -> None:
    text = addresses.files(course.book)["README.md"]
    assert "old" not in text
    assert text.startswith(
        "# Ours\n\n<!-- derived: address -->\n**Read it:** <https://people.github.io/course/>\n<!-- end -->\n\nBy hand."
    )
    assert text.endswith("<!-- end -->\n\nThe end.\n")
    colab = "https://colab.research.google.com/github/people/course/blob/main"
    page = "https://people.github.io/course/book/chapters/04_adding.html"
    assert (
        f"\n| 4 | [Adding]({page}) | [Colab]({colab}/notebooks/04_adding.ipynb) | 90 "
        f"| [1 task]({colab}/exercises/04_adding.ipynb) | 25 |\n"
    ) in text
    course.write("README.md", text)
    assert addresses.files(course.book)["README.md"] == text


def test_a_mark_that_is_not_known(course: Folder) -> None:
    course.write("README.md", README.replace("derived: chapters", "derived: capters"))
    run = course.derive("--check")
    assert run.code == 1
    assert "README.md:9: there is no block capters: name one of address, chapters" in run.err


def test_the_citation_and_the_cell_that_installs(folder: Folder) -> None:
    folder.write("CITATION.cff", "title: Ours\nrepository-code: here\nurl: there\n")
    folder.write("book/install.py", 'REPOSITORY = "https://github.com/others/course"\nprint(REPOSITORY)\n')
    assert addresses.files(folder.book) == {
        "CITATION.cff": "title: Ours\nrepository-code: https://github.com/people/course\n"
        "url: https://people.github.io/course/\n",
        "book/install.py": 'REPOSITORY = "https://github.com/people/course"\nprint(REPOSITORY)\n',
    }


def test_check_says_what_is_out_of_step_and_derive_mends_it(folder: Folder) -> None:
    folder.write("CITATION.cff", "url: there\n")
    run = folder.derive("--check")
    assert run.code == 1
    assert "CITATION.cff is out of date with _config.yml and the chapters\n" in run.out
    assert folder.derive().code == 0
    assert folder.read("CITATION.cff") == "url: https://people.github.io/course/\n"
    assert folder.derive("--check").code == 0


def test_another_address_is_no_reason_to_run_a_cell() -> None:
    def same(old: str, new: str) -> bool:
        return Stored(old, (), Result(1)).is_same(Draft("code", new, "id"))

    assert same('REPOSITORY = "a"\nprint(1)', 'REPOSITORY = "b"\nprint(1)')
    assert not same('REPOSITORY = "a"\nprint(1)', 'REPOSITORY = "b"\nprint(2)')
    assert not same('name = "a"', 'name = "b"')
