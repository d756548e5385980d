"""The few files outside of the derived folders that repeat an address of `_config.yml`. derive keeps them in step.

Of the README it writes what stands between `<!-- derived: name -->` and `<!-- end -->`; of CITATION.cff two lines; and
of `book/install.py`, a cell that runs where no `_config.yml` is, one line.
"""

from __future__ import annotations

import re

from derive import chapter, exercise, lessons
from derive.config import Book
from derive.errors import SourceError
from derive.lessons import Lesson
from derive.notebook import INSTALLED_FROM

README, CITATION, INSTALL = "README.md", "CITATION.cff", "book/install.py"

_BLOCK = re.compile(r"(?<=<!-- derived: )(\w+) -->\n.*?(?=<!-- end -->)", re.DOTALL)


def files(book: Book) -> dict[str, str]:
    """The text that each of these files has to have; those that are not there are left out."""
    texts = {name: book.read(book.root / name) for name in (README, CITATION, INSTALL) if (book.root / name).is_file()}
    if README in texts:
        texts[README] = _readme(book, texts[README])
    if CITATION in texts:
        text = re.sub(r"^repository-code: .*$", f"repository-code: {book.repository}", texts[CITATION], flags=re.M)
        texts[CITATION] = re.sub(r"^url: .*$", f"url: {book.site}", text, flags=re.M)
    if INSTALL in texts:
        texts[INSTALL] = INSTALLED_FROM.sub(f'REPOSITORY = "{book.repository}"', texts[INSTALL])
    return texts


def _readme(book: Book, text: str) -> str:
    blocks = {"address": _address, "chapters": _chapters}

    def written(block: re.Match[str]) -> str:
        name = block[1]
        if name not in blocks:
            line = text.count("\n", 0, block.start()) + 1
            raise SourceError(README, line, f"there is no block {name}: name one of {', '.join(blocks)}")
        return f"{name} -->\n{blocks[name](book)}\n"

    return _BLOCK.sub(written, text)


def _address(book: Book) -> str:
    return f"**Read it:** <{book.site}>"


def _chapters(book: Book) -> str:
    """A table of the chapters: where to read and to run each, and how long it takes."""
    rows = ["| | Chapter | Run it | Minutes | Exercises | Minutes |", "|--:|---|---|--:|---|--:|"]
    found = lessons.read(book)
    rows += [_row(book, lesson) for lesson in found]
    hours = sum(lesson.minutes for lesson in found) / 60, sum(lesson.exercise_minutes for lesson in found) / 60
    return "\n".join([*rows, f"| | Together | | {hours[0]:.0f} hours | | {hours[1]:.0f} hours |"])


def _row(book: Book, lesson: Lesson) -> str:
    path = book.root / "book" / "chapters" / f"{lesson.slug}.md"
    run, practise = book.colab(chapter.target(path)), book.colab(exercise.target(path))
    return (
        f"| {lesson.number} | [{lesson.title}]({book.page(path)}) | [Colab]({run}) | {lesson.minutes} "
        f"| [{lesson.tasks} task{'s' * (lesson.tasks > 1)}]({practise}) | {lesson.exercise_minutes} |"
    )
