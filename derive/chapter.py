"""A chapter: what it may hold beyond what every page may, and its notebook."""

from __future__ import annotations

from pathlib import Path

from derive import notebook, source
from derive.config import Book
from derive.errors import Problems
from derive.labels import Index
from derive.notebook import Draft
from derive.source import Source


def read(book: Book, path: Path) -> Source:
    """Read a chapter; raise `SourceError` for what is wrong with it."""
    chapter = source.read(book, path)
    problems = Problems(chapter.name)
    for cell in chapter.code:
        if cell.role or cell.task or cell.points or cell.says:
            problems.add(cell.line, "a chapter has no tasks: answer, check, grade and mutant cells are for exercises")
    problems.raise_any()
    return chapter


def target(path: Path) -> str:
    """The path of the notebook that the chapter at `path` becomes."""
    return f"notebooks/{path.stem}.ipynb"


def draft(chapter: Source, index: Index) -> list[Draft]:
    """The chapter's notebook before it runs."""
    exercises = (
        "Exercises",
        f"exercises/{chapter.path.stem}.ipynb",
        chapter.path.parents[1] / "exercises" / chapter.path.name,
    )
    prose = notebook.prose(chapter, index)
    drafts = [notebook.header(chapter, target(chapter.path), exercises)]
    for cell in chapter.cells:
        if cell.kind == "code":
            drafts.append(notebook.code(chapter, cell))
        elif cell.position in prose:
            drafts.append(prose[cell.position])
    return drafts
