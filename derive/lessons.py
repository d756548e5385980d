"""What the course asks of a learner, chapter by chapter: what the pages themselves say before their first cell."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from derive.config import Book
from derive.errors import Problems, SourceError
from derive.source import minutes_of_tasks

GOAL = "At the end of this chapter you will have "

_MINUTES = re.compile(r"^minutes: (\d+)$", re.MULTILINE)
_NEEDED = re.compile(r"\]\((\d\d_\w+)\.md(?:#[\w-]+)?\)")
_POINTS = re.compile(r"^Difficulty .*· (\d+) points?$", re.MULTILINE)


@dataclass(frozen=True)
class Lesson:
    """A chapter and its exercises."""

    slug: str
    title: str
    goal: str
    """What a reader will have built, in MyST: the paragraph that begins as every chapter does, after these words."""
    needs: tuple[str, ...]
    """The chapters that it rests on, by slug, in reading order: those that its opening links to."""
    minutes: int
    """To read the chapter and to run it."""
    exercise_minutes: int
    """To do all tasks."""
    tasks: int
    points: int

    @property
    def number(self) -> int:
        """The chapter's place in the reading order."""
        return int(self.slug[:2])


def read(book: Book) -> list[Lesson]:
    """Every chapter, in reading order; raise `SourceError` where one does not say what is needed."""
    return [_read(book, path) for path in book.chapters()]


def _read(book: Book, path: Path) -> Lesson:
    name = book.relative(path)
    exercise = path.parents[1] / "exercises" / path.name
    if not exercise.is_file():
        raise SourceError(name, 1, f"this chapter has no exercises: {book.relative(exercise)} is missing")
    opening = book.read(path).partition("\n```{code-cell}")[0]
    lines = opening.split("\n")
    title = next((line for line in lines if line.startswith("# ")), lines[0])

    problems = Problems(name)
    paragraphs = (" ".join(part.split()) for part in opening.split("\n\n"))
    goal = next((part for part in paragraphs if part.startswith(GOAL)), "")
    if not goal:
        problems.add(lines.index(title) + 1, f"before the first cell stands a paragraph that starts with: {GOAL}...")
    minutes = _MINUTES.search(opening)
    if minutes is None:
        problems.add(1, "front matter must have minutes, as in minutes: 90")
    problems.raise_any()
    assert minutes is not None, "else there was a problem"

    practice = book.read(exercise)
    points = _POINTS.findall(practice)
    return Lesson(
        slug=path.stem,
        title=title.removeprefix("# "),
        goal=goal.removeprefix(GOAL),
        needs=tuple(sorted(set(_NEEDED.findall(opening)) - {path.stem})),
        minutes=int(minutes[1]),
        exercise_minutes=minutes_of_tasks(practice) or 0,
        tasks=len(points),
        points=sum(map(int, points)),
    )
