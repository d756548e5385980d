"""Shared by the tests of the grader: a reference that has run, and grading by it in this process."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader import batch, reference
from grader.batch import Plan
from grader.kernel import ORDINARY

from . import course

Graded = dict[str, dict[str, Any]]
Grade = Callable[[Mapping[str, str]], Graded]

SEED = 7


@pytest.fixture(scope="session")
def solutions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of solutions."""
    return course.write(tmp_path_factory.mktemp("solutions") / f"{course.NAME}.ipynb", course.solutions()).parent


@pytest.fixture(scope="session")
def plan(solutions: Path) -> Plan:
    """The reference, after it has run."""
    plan = Plan(reference.read(solutions / f"{course.NAME}.ipynb"), ORDINARY, SEED, timeout=2)
    return replace(plan, outputs=batch.reference_outputs(plan))


@pytest.fixture(scope="session")
def grade(plan: Plan) -> Grade:
    """Grade answers in this process; what was said of each task, by its name."""

    def run(answers: Mapping[str, str]) -> Graded:
        return {task["task"]: task for task in batch.grade(plan, answers)[0]}

    return run


def rows(out: Path) -> dict[str, dict[str, Any]]:
    """The lines of grades.jsonl, by learner."""
    lines = (out / "grades.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["learner"]: row for row in map(json.loads, lines)}
