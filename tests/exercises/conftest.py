"""Shared by the tests of the exercises: run a task's cells on any answer."""

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from derive.exercise import Exercise, Task, read

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "book" / "exercises").glob("*.md"))
EXERCISES: dict[str, Exercise] = {path.stem: read(path) for path in SOURCES}


@dataclass
class Outcome:
    """What the cells of one task said of one answer."""

    check: BaseException | None  # what the check raised, None when it passed
    grade: str | BaseException  # what the grade cells showed, or what they raised


def judge(exercise: Exercise, task: Task, answer: str) -> Outcome:
    """Run `answer` in the place of the task's own, after the cells before it that belong to no task."""
    before = [cell.source for cell in exercise.source.code if cell.role is None and cell.line < task.line]

    def run(cells: list[str]) -> str:
        namespace: dict[str, Any] = {"__name__": "__main__"}
        with contextlib.redirect_stdout(io.StringIO()), patch("IPython.display.display") as display:
            for source in [*before, answer, *cells]:
                exec(compile(source, f"<{task.name}>", "exec"), namespace)
        return "\n".join(call.args[0]["text/x-grade"] for call in display.call_args_list)

    def attempt(cells: list[str]) -> str | BaseException:
        try:
            return run(cells)
        except Exception as error:  # whatever a wrong answer raises is the outcome
            return error

    checked = attempt(task.checks)
    graded = attempt([exercise.grade_setup, *task.grades])
    return Outcome(checked if isinstance(checked, BaseException) else None, graded)


@pytest.fixture(scope="session")
def references() -> dict[tuple[str, str], Outcome]:
    """The outcome of our own answer to every task."""
    return {
        (stem, task.name): judge(exercise, task, task.answer)
        for stem, exercise in EXERCISES.items()
        for task in exercise.tasks
    }
