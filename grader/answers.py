"""Finds the learner's answers: of a submission, nothing is taken but the text of its answer cells."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Mapping, Sequence

from grader.notebook import Cell
from grader.reference import Reference, Task

_SOLUTION = re.compile(r"^[ \t]*### BEGIN SOLUTION.*?### END SOLUTION[^\n]*\n?", re.S | re.M)
_STUB_LINE = re.compile(r"\s*(#.*|raise NotImplementedError\(.*\))?\s*")


def find(reference: Reference, cells: Sequence[Cell]) -> dict[str, str]:
    """The learner's answer to each task that has one; a task left as it was handed out has none.

    A cell is known by its id, or else by its metadata, or else by the names that it defines, or else by standing
    before the task's check. Of several answers to a task the last counts that is not empty.
    """
    code = [cell for cell in cells if cell.kind == "code"]
    checks = {_bare(source): task.name for task in reference.tasks for source in task.checks}
    own = {_bare(part.source) for part in reference.parts if part.kind == "context"} | set(checks)
    free = [cell for cell in code if _bare(cell.source) not in own]
    found: dict[str, str] = {}
    for task in reference.tasks:
        candidates = (
            [cell for cell in free if cell.id == f"answer-{task.name}"]
            + [cell for cell in free if cell.task == task.name and cell.is_solution]
            or [cell for cell in free if _binds(cell.source) & _binds(task.answer)]
            or _before_check(code, task.name, checks, free)
        )
        written = [cell for cell in code if cell in candidates and not is_stub(cell.source, task)]
        if written:
            found[task.name] = written[-1].source
    return found


def is_stub(source: str, task: Task) -> bool:
    """Whether nothing has been added to what learners are handed out: the answer without its solution."""
    handed_out = _SOLUTION.sub("", task.answer)
    return not _lines(source) or _lines(source) == _lines(handed_out)


def _lines(source: str) -> list[str]:
    return [line.strip() for line in source.split("\n") if not _STUB_LINE.fullmatch(line)]


def _bare(source: str) -> str:
    return "".join(source.split())


def _before_check(code: Sequence[Cell], task: str, checks: Mapping[str, str], free: Sequence[Cell]) -> list[Cell]:
    return [
        cell for cell, after in itertools.pairwise(code) if checks.get(_bare(after.source)) == task and cell in free
    ]


def _binds(source: str) -> set[str]:
    """The names that a cell defines."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    found = set()
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            found.add(statement.name)
        elif isinstance(statement, ast.Assign):
            found |= {target.id for target in statement.targets if isinstance(target, ast.Name)}
    return found
