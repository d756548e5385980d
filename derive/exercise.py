"""An exercise page: its tasks, what a learner gets, and the solutions."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

from derive import notebook, source
from derive.config import Book
from derive.errors import Problems
from derive.labels import Index
from derive.notebook import Draft
from derive.source import Cell, Source

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
POINTS = 10
MUTANTS = 3

_STATED = re.compile(r"Difficulty .*· (\d+) points?\s*")
_MARKER = re.compile(rf"(\s*)({BEGIN}|{END})\s*")


@dataclass(frozen=True)
class Mutant:
    """A wrong answer, and some words of the message that it must meet."""

    says: str
    source: str
    line: int


@dataclass
class Task:
    """One task: the answer, what a learner starts from, and what tells whether an answer is right."""

    name: str
    title: str
    line: int
    """Where the answer stands."""
    answer: str
    stub: str
    points: int = 0
    checks: list[str] = field(default_factory=list)
    grades: list[str] = field(default_factory=list)
    mutants: list[Mutant] = field(default_factory=list)


@dataclass(frozen=True)
class Exercise:
    """An exercise page without a mistake in its tasks."""

    source: Source
    tasks: list[Task]
    setup: str
    grade_setup: str


def read(path: Path, text: str | None = None) -> Exercise:
    """Read the exercise page at `path`, or `text` in its place; raise `SourceError` for what is wrong with it."""
    page = source.read(Book.around(path), path, text)
    problems = Problems(page.name)
    for cell in page.code:
        _check_options(cell, problems)

    tasks: dict[str, Task] = {}
    for cell in page.code:
        if cell.role == "answer" and cell.task:
            if cell.task in tasks:
                problems.add(cell.line, f"duplicate task {cell.task}: it has an answer at line {tasks[cell.task].line}")
                continue
            title = next((heading.title for heading in reversed(page.headings) if heading.line < cell.line), page.title)
            tasks[cell.task] = Task(cell.task, title, cell.line, cell.source, _stub(cell, problems))

    set_ups = []
    unanswered: set[str] = set()
    for cell in page.code:
        if _is_grade_setup(cell):
            set_ups.append(cell)
        elif cell.task and cell.role and cell.role != "answer":
            if cell.task in tasks:
                _add(tasks[cell.task], cell)
            elif cell.task not in unanswered:
                unanswered.add(cell.task)
                problems.add(cell.line, f"the task {cell.task} has no answer: add a cell with :tags: [answer]")

    _check_tasks(tasks, page, problems)
    _check_stated_points(page, problems)
    _check_grade_setup(set_ups, page, problems)
    problems.raise_any()
    return Exercise(page, list(tasks.values()), page.code[0].source, set_ups[0].source)


def _is_grade_setup(cell: Cell) -> bool:
    return cell.role == "grade" and cell.task is None and cell.load is not None


def _check_options(cell: Cell, problems: Problems) -> None:
    """Note the options of a cell that do not go with its part in a task."""
    roles = [tag for tag in cell.tags if tag in source.TASK_TAGS]
    if len(roles) > 1:
        problems.add(cell.line, f"a cell is one of answer, check, grade and mutant, not {' and '.join(roles)}")
    if "export" in cell.tags:
        problems.add(cell.line, "exercises export nothing: the tag export is for chapters")
    if cell.role and cell.task is None and not _is_grade_setup(cell):
        problems.add(cell.line, f"this {cell.role} has no task: add :task: and its name")
    if cell.task and not cell.role:
        problems.add(cell.line, "a cell with a task is one of answer, check, grade and mutant: add the tag")
    if cell.role == "check" and cell.points is None:
        problems.add(cell.line, "this check has no points: add :points:")
    if cell.role != "check" and cell.points is not None:
        problems.add(cell.line, "points are for checks")
    if cell.role == "mutant" and cell.says is None:
        problems.add(cell.line, "this mutant has no says: add words of the message that it must meet")
    if cell.role != "mutant" and cell.says is not None:
        problems.add(cell.line, "says is for mutants")
    if cell.role != "answer" and cell.forbids:
        problems.add(cell.line, "forbids is for answers")
    if cell.role != "answer":
        for number, line in enumerate(cell.source.split("\n"), cell.body_line):
            if _MARKER.fullmatch(line):
                problems.add(number, f"{line.strip()} is for answers: add :tags: [answer]")


def _add(task: Task, cell: Cell) -> None:
    if cell.role == "check":
        task.checks.append(cell.source)
        task.points += cell.points or 0
    elif cell.role == "grade":
        task.grades.append(cell.source)
    else:
        task.mutants.append(Mutant(cell.says or "", cell.source, cell.line))


def _check_tasks(tasks: dict[str, Task], page: Source, problems: Problems) -> None:
    for task in tasks.values():
        if not task.checks:
            problems.add(task.line, f"the task {task.name} has no check: add a cell with :tags: [check]")
        if not task.grades:
            problems.add(task.line, f"the task {task.name} has no grade: add a cell with :tags: [grade]")
        if len(task.mutants) < MUTANTS:
            problems.add(task.line, f"the task {task.name} has {len(task.mutants)} mutants: it needs {MUTANTS} or more")
    points = [cell.points or 0 for cell in page.code if cell.role == "check"]
    if sum(points) != POINTS:
        last = next((cell.line for cell in reversed(page.code) if cell.role == "check"), 1)
        total = " + ".join(map(str, points)) or "0"
        problems.add(last, f"the points of a page add to {POINTS}, not {total} = {sum(points)}")


def _check_stated_points(page: Source, problems: Problems) -> None:
    """Compare the points in the line under a task's heading with those of the checks in its section."""
    lines = page.text.split("\n")
    for number, line in enumerate(lines, 1):
        stated = _STATED.fullmatch(line)
        if stated is None:
            continue
        level = next((heading.level for heading in reversed(page.headings) if heading.line < number), 1)
        after = (heading.line for heading in page.headings if heading.line > number and heading.level <= level)
        section = range(number, next(after, len(lines) + 1))
        points = sum(cell.points or 0 for cell in page.code if cell.role == "check" and cell.line in section)
        if points != int(stated[1]):
            problems.add(number, f"the points of this task's checks add to {points}, not {stated[1]}")


def _check_grade_setup(set_ups: list[Cell], page: Source, problems: Problems) -> None:
    for cell in set_ups[1:]:
        problems.add(cell.line, f"there is one grade set-up cell: that of line {set_ups[0].line}")
    first = next((cell for cell in page.code if cell.role == "grade"), None)
    if not set_ups or first is not set_ups[0]:
        line = first.line if first else 1
        problems.add(line, "before the first grade cell stands the grade set-up: :load: ../grade.py and :tags: [grade]")


def _stub(cell: Cell, problems: Problems) -> str:
    """The answer without its solutions."""
    lines: list[str] = []
    begin: tuple[int, str] | None = None  # the line and the indentation of a solution that has begun
    found = False
    for number, line in enumerate(cell.source.split("\n"), cell.body_line):
        marker = _MARKER.fullmatch(line)
        if marker is None:
            if begin is None:
                lines.append(line)
            continue
        found = True
        indent, kind = marker.groups()
        if kind == BEGIN:
            if begin is not None:
                problems.add(number, f"{BEGIN} inside a solution: the one of line {begin[0]} has no {END}")
            begin = number, indent
            lines.append(f"{indent}# YOUR CODE HERE")
            if indent:
                lines.append(f'{indent}raise NotImplementedError("{cell.task}: put your answer here")')
        elif begin is None:
            problems.add(number, f"{END} without {BEGIN} before it")
        else:
            if indent != begin[1]:
                problems.add(number, f"{END} must be indented as its {BEGIN} in line {begin[0]}")
            begin = None
    if begin is not None:
        problems.add(begin[0], f"{BEGIN} without {END} behind it")
    if not found:
        problems.add(
            cell.line, f"this answer has no markers: put {BEGIN} and {END} around what the learner is to write"
        )
    return "\n".join(lines)


def solutions_target(path: Path) -> str:
    """The path of the solutions of the exercise page at `path`."""
    return f"solutions/{path.stem}.ipynb"


def target(path: Path) -> str:
    """The path of what the learners of the exercise page at `path` get."""
    return f"exercises/{path.stem}.ipynb"


def drafts(exercise: Exercise, index: Index) -> tuple[list[Draft], list[Draft]]:
    """What a learner gets, with the answers to be written; and the solutions, before they run. Neither has mutants."""
    page = exercise.source
    chapter = ("Chapter", f"notebooks/{page.path.stem}.ipynb", page.path.parents[1] / "chapters" / page.path.name)
    prose = notebook.prose(page, index)
    stubs = {task.name: task.stub for task in exercise.tasks}
    learner = [notebook.header(page, target(page.path), chapter)]
    header = notebook.header(page, solutions_target(page.path), chapter)
    solutions = [replace(header, metadata={"tags": ["header"]})]  # it leads to the answers: nbgrader is to leave it out
    seen: Counter[tuple[str, str]] = Counter()
    for cell in page.cells:
        if cell.kind == "markdown":
            both = [prose[cell.position]] if cell.position in prose else []
            learner += both
            solutions += both
        elif cell.role is None:
            learner.append(notebook.code(page, cell))
            solutions.append(learner[-1])
        elif cell.task is None:
            solutions.append(notebook.code(page, cell))
        elif cell.role != "mutant":
            seen[cell.role, cell.task] += 1
            solutions.append(_task_cell(page, cell, seen[cell.role, cell.task]))
            if cell.role == "answer":
                learner.append(replace(solutions[-1], source=stubs[cell.task]))
            elif cell.role == "check":
                learner.append(solutions[-1])
    return learner, solutions


def _task_cell(page: Source, cell: Cell, number: int) -> Draft:
    """A cell of a task, under a name that does not change when others move, with what nbgrader wants to know."""
    assert cell.role is not None and cell.task is not None
    again = f"-{number}" if number > 1 else ""
    metadata: dict[str, object] = {"task": cell.task}
    nbgrader = {"schema_version": 3, "task": False}
    if cell.role == "answer":
        if cell.forbids:
            metadata["forbids"] = list(cell.forbids)
        metadata["nbgrader"] = nbgrader | {"grade": False, "solution": True, "locked": False, "grade_id": cell.task}
    elif cell.role == "check":
        metadata["points"] = cell.points
        grade_id = f"check_{cell.task}{again.replace('-', '_')}"
        locked = {"grade": True, "solution": False, "locked": True, "points": cell.points, "grade_id": grade_id}
        metadata["nbgrader"] = nbgrader | locked
    return notebook.code(page, cell, id=f"{cell.role}-{cell.task}{again}", **metadata)
