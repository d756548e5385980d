"""The reference: a notebook of solutions, read for its tasks and for what grading needs to know of them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from grader.errors import Unreadable, UsageError
from grader.notebook import Cell, parse

SEED = re.compile(r"^seed = 0$", re.M)

_DETAILS = re.compile(r"<details>\s*<summary>(.*?)</summary>(.*?)</details>", re.S)
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*$", re.M)


@dataclass(frozen=True)
class Hint:
    """A hint of a task: the question that it is folded under, and its text."""

    title: str
    text: str


@dataclass(frozen=True)
class Task:
    """What is asked, what it is worth, and what tells whether an answer is right."""

    name: str
    title: str
    prose: str
    hints: tuple[Hint, ...]
    points: float
    answer: str
    checks: tuple[str, ...]
    grades: tuple[str, ...]
    forbids: tuple[str, ...]


@dataclass(frozen=True)
class Part:
    """A cell that is run in the order of the notebook: one that belongs to no task, an answer or a check."""

    kind: Literal["context", "answer", "check"]
    source: str
    task: str = ""


@dataclass(frozen=True)
class Reference:
    """A notebook of solutions."""

    name: str
    sha256: str
    tasks: tuple[Task, ...]
    parts: tuple[Part, ...]
    grade_setup: str

    @property
    def max_points(self) -> float:
        """The points of all tasks."""
        return sum(task.points for task in self.tasks)

    def task(self, name: str) -> Task:
        """The task of that name."""
        return next(task for task in self.tasks if task.name == name)


def read(path: Path) -> Reference:
    """Read a notebook of solutions; raise `UsageError` for one that cannot be graded by."""
    try:
        data = path.read_bytes()
        cells = parse(data)
    except OSError as error:
        raise UsageError(f"the reference {path} cannot be read: {error.strerror}") from None
    except Unreadable as error:
        raise UsageError(f"the reference {path} cannot be read: {error}") from None
    return build(path.stem, hashlib.sha256(data).hexdigest(), cells)


def build(name: str, sha256: str, cells: list[Cell]) -> Reference:
    """The reference that these cells make."""
    setups = [cell.source for cell in cells if "grade" in cell.tags and not cell.task]
    if len(setups) != 1 or len(SEED.findall(setups[0])) != 1:
        raise UsageError(
            f"the reference {name} is no notebook of solutions: it needs one cell tagged `grade` without a task, "
            "with the line `seed = 0`. Name a notebook in solutions/ with --reference"
        )
    tasks, parts = [], []
    prose: list[str] = []
    for cell in cells:
        if cell.kind == "markdown":
            prose = [*([] if _HEADING.search(_DETAILS.sub("", cell.source)) else prose), cell.source]
        elif cell.kind != "code" or "grade" in cell.tags:
            continue
        elif cell.task and "answer" in cell.tags:
            tasks.append(_task(name, cell, prose, cells))
            parts.append(Part("answer", cell.source, cell.task))
            prose = []
        elif cell.task and "check" in cell.tags:
            parts.append(Part("check", cell.source, cell.task))
        else:
            parts.append(Part("context", cell.source))
            prose.append(f"```python\n{cell.source}\n```")
    if not tasks:
        raise UsageError(f"the reference {name} has no task: no cell is tagged `answer`")
    return Reference(name, sha256, tuple(tasks), tuple(parts), setups[0])


def _task(name: str, answer: Cell, before: list[str], cells: list[Cell]) -> Task:
    """The task of an answer cell. `before` is its section so far: prose, and code in fences."""
    checks = [cell for cell in cells if cell.task == answer.task and "check" in cell.tags]
    grades = [cell for cell in cells if cell.task == answer.task and "grade" in cell.tags]
    for what, found in (("check", checks), ("grade", grades)):
        if not found:
            raise UsageError(f"the reference {name} cannot be graded by: the task {answer.task} has no {what} cell")
    whole = "\n\n".join(before)
    text = _DETAILS.sub("", whole)
    title, start = answer.task, 0
    if before and not before[0].startswith("```"):  # in code, what looks like a heading is a comment
        for heading in _HEADING.finditer(_DETAILS.sub("", before[0])):
            title, start = heading[1], heading.end()
    forbids = (answer.metadata or {}).get("forbids") or []
    return Task(
        name=answer.task,
        title=title,
        prose=re.sub(r"\n{3,}", "\n\n", text[start:]).strip(),
        hints=tuple(Hint(summary.strip(), body.strip()) for summary, body in _DETAILS.findall(whole)),
        points=sum((cell.metadata or {}).get("points", 0) for cell in checks),
        answer=answer.source,
        checks=tuple(cell.source for cell in checks),
        grades=tuple(cell.source for cell in grades),
        forbids=tuple(map(str, forbids)),
    )
