"""Submissions for the attacks, made of a real exercise: right, wrong, unsolved, and wrong unless an attack succeeds."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from derive.exercise import read
from grader.kernel import GRADE_TYPE

ROOT = Path(__file__).parents[2]
STEM = "04_convolution_1d"
REFERENCE = ROOT / "solutions" / f"{STEM}.ipynb"

_EXERCISE = read(ROOT / "book" / "exercises" / f"{STEM}.md")
POINTS: dict[str, int] = {task.name: task.points for task in _EXERCISE.tasks}
TASKS: tuple[str, ...] = tuple(POINTS)
FIRST = TASKS[0]
RIGHT: dict[str, str] = {task.name: task.answer for task in _EXERCISE.tasks}
WRONG: dict[str, str] = {task.name: task.mutants[0].source for task in _EXERCISE.tasks}
GRADE_SOURCES: list[str] = [source for task in _EXERCISE.tasks for source in task.grades]


def unsolved() -> NotebookNode:
    """The notebook as a learner gets it."""
    return _read(ROOT / "exercises" / f"{STEM}.ipynb")


def solutions() -> NotebookNode:
    """Our own solutions, with the grade cells and what they show for the seed that everyone knows."""
    return _read(REFERENCE)


def _read(path: Path) -> NotebookNode:
    notebook: NotebookNode = nbformat.read(path, as_version=4)
    return notebook


def cell(notebook: NotebookNode, kind: str, task: str) -> NotebookNode:
    """The cell of one task: its `answer` or its `check`."""
    (found,) = [cell for cell in notebook.cells if cell.get("id") == f"{kind}-{task}"]
    assert isinstance(found, NotebookNode)
    return found


def shown(task: str) -> str:
    """What the grade cell of a task shows in our own solutions, for the seed that everyone knows."""
    values: list[str] = [output.data[GRADE_TYPE] for output in cell(solutions(), "grade", task).outputs]
    return "\n".join(values)


def cells(notebook: NotebookNode, kind: str) -> list[NotebookNode]:
    """The cells of one kind, of all tasks."""
    return [cell for cell in notebook.cells if cell.get("id", "").startswith(f"{kind}-")]


def answered(answers: Mapping[str, str]) -> NotebookNode:
    """The unsolved notebook with these answers, by task."""
    notebook = unsolved()
    for task, source in answers.items():
        cell(notebook, "answer", task).source = source
    return notebook


def right(**changed: str) -> NotebookNode:
    """Every answer right, but for those that are given."""
    return answered(RIGHT | changed)


def wrong(first: str = "", **changed: str) -> NotebookNode:
    """Every answer wrong; the cell of the first one begins with `first`, the attack. Any point is undeserved."""
    answers = WRONG | changed
    return answered(answers | {FIRST: f"{first}\n{answers[FIRST]}"})


def gated(attack: str) -> NotebookNode:
    """Every answer wrong unless the attack sets `broke`, as it does when it got what it must not get.

    So the points tell whether the sandbox held, and nothing has to be written where a sandboxed process cannot write.
    """
    start = f"broke = False\ntry:\n    exec({attack!r}, globals())\nexcept Exception:\n    pass\n"
    answers = {task: f"exec({RIGHT[task]!r} if broke else {WRONG[task]!r}, globals())" for task in TASKS}
    return answered(answers | {FIRST: start + answers[FIRST]})


def with_cell_before(notebook: NotebookNode, task: str, source: str, **options: Any) -> NotebookNode:
    """The notebook with a code cell of the learner's own before the answer to `task`."""
    notebook = copy.deepcopy(notebook)
    position = notebook.cells.index(cell(notebook, "answer", task))
    notebook.cells.insert(position, nbformat.v4.new_code_cell(source, **options))
    return notebook
