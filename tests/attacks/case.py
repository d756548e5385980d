"""What a case of the suite is: a submission, the score that it deserves, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Template

from nbformat import NotebookNode

from tests.attacks.submissions import TASKS

PASSED = frozenset({"passed"})
LOST = frozenset({"failed", "error"})
TIMEOUT = frozenset({"timeout"})
CRASHED = frozenset({"crashed"})
MISSING = frozenset({"missing"})
ANY_LOST = LOST | TIMEOUT | CRASHED | MISSING
"""For attacks on the kernel itself: how exactly it ends is not ours to say, only that it earns nothing."""

Statuses = Mapping[str, frozenset[str]]


def every(statuses: frozenset[str], **others: frozenset[str]) -> Statuses:
    """These statuses for every task, but for those that are named."""
    return dict.fromkeys(TASKS, statuses) | others


NOTHING = every(LOST)
FULL_MARKS = every(PASSED)


@dataclass(frozen=True)
class Case:
    """One submission, what it deserves for each task, and why."""

    name: str
    notebook: NotebookNode
    deserves: Statuses
    why: str
    says: str = ""
    """Words that stand in the message of each task that is lost, where it matters what the learner is told."""
    slow: bool = False
    """It runs into a limit of time, so it is graded with a short one."""
    learner: str = ""
    """The name of the learner's folder, where that is the attack."""

    @property
    def folder(self) -> str:
        return self.learner or self.name


def filled(notebook: NotebookNode, words: Mapping[str, object]) -> NotebookNode:
    """The notebook with `$word` replaced in every cell: ports and files are known only when the batch runs."""
    for cell in notebook.cells:
        if any(f"${word}" in cell.source for word in words):
            cell.source = Template(cell.source).safe_substitute(words)
    return notebook
