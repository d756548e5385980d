"""The cells that are run: the reference's own, with the learner's answers in the place of the reference's.

In what order, and why:

1. As in the notebook: answers and checks. What a check says reaches the learner, so no kernel has seen the seed or a
   grade cell before the last check.
2. The grade cells of the tasks whose checks pass.
3. Where a check passes but the values differ, once more from the start: each answer and at once its grade cells, since
   a later answer may have taken a name that an earlier one needs.
4. Whatever is still not right, alone: the cells of the notebook and this one answer, since an earlier answer may have
   broken what this one needs. An answer that is right by itself is right. Names of Python's own that it has taken for
   variables are given back before the grade cells.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from typing import Any

from grader.reference import SEED, Reference
from grader.run import Step

# Runs before each grade cell. An answer may have changed what PyTorch does by default. The values of grade cells are
# in float64, so new tensors are as well: an answer that goes by the default still fits its inputs.
_STEADY = """\
def _steady():
    import os, random, sys, warnings
    warnings.simplefilter("ignore")
    random.seed(0)
    if torch := sys.modules.get("torch"):
        torch.set_default_device(None)
        torch.set_default_dtype(torch.{dtype})
        torch.set_grad_enabled(True)
        torch.manual_seed(0)
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")
_steady()
"""
# Empties the namespace. `%reset` does that too, but collects garbage as well, which takes longer than all the cells.
_EMPTY = """\
for _name in [name for name in globals() if name not in get_ipython().user_ns_hidden]:
    del globals()[_name]
"""
_RESET = Step("context", _EMPTY + _STEADY.format(dtype="float32"))
# An answer that calls a variable `list` or `range` may do so; the grade cells need Python's own.
_BUILTINS = """\
import builtins
for _name in dir(builtins):
    if not _name.startswith("_"):
        globals().pop(_name, None)
"""
# Tracebacks are not kept, and drawing them takes longer than most cells. And a kernel rests after each cell, a little.
_QUIET = Step(
    "context",
    """\
get_ipython().InteractiveTB.set_mode("Minimal")
get_ipython().kernel._execute_sleep = 0
""",
)

Outputs = Mapping[str, tuple[dict[str, Any], ...]]
"""What the reference's grade cells showed, by task."""


def _packed(source: str) -> str:
    """The same code in a string: IPython reads each cell several times, token by token, and a string is one token.

    Code that is not plain Python stays as it is, and so does an answer, whose author may ask for its source.
    """
    try:
        ast.parse(source)
    except SyntaxError:
        return source
    return f"exec({source!r})"


class Assembly:
    """The cells for some answers; `outputs` is None while those of the reference are being made."""

    def __init__(self, reference: Reference, answers: Mapping[str, str], seed: int, outputs: Outputs | None) -> None:
        self._reference = reference
        self._answers = answers
        self._seed = seed
        self._outputs = outputs

    def in_order(self, leave_out: Collection[str]) -> list[Step]:
        """All answers and checks as in the notebook, then all grade cells."""
        steps = [_QUIET, *self._notebook(leave_out, checks=True)]
        return steps + [self._grade(name) for name in self._answers if name not in leave_out]

    def again(self, names: Collection[str], leave_out: Collection[str]) -> list[Step]:
        """All answers in their order, and at once the grade cells of `names`."""
        steps = [_RESET]
        for step in self._notebook(leave_out, checks=False):
            steps.append(step)
            if step.role == "answer" and step.task in names:
                steps.append(self._grade(step.task))
        return steps

    def alone(self, name: str) -> list[Step]:
        """One answer, with its checks and grade cells."""
        others = [other for other in self._answers if other != name]
        return [_RESET, *self._notebook(others, checks=True), self._grade(name, _BUILTINS)]

    def _notebook(self, leave_out: Collection[str], *, checks: bool) -> list[Step]:
        steps = []
        for part in self._reference.parts:
            if part.kind == "context":
                steps.append(Step("context", part.source))
            elif part.task in self._answers and part.task not in leave_out:
                if part.kind == "answer":
                    steps.append(Step("answer", self._answers[part.task], part.task))
                elif checks:
                    steps.append(Step("check", _packed(part.source), part.task))
        return steps

    def _grade(self, name: str, first: str = "") -> Step:
        setup = SEED.sub(f"seed = {self._seed}", self._reference.grade_setup)
        before = _packed("\n\n".join([first, _STEADY.format(dtype="float64"), setup]))
        source = "\n\n".join([before, *self._reference.task(name).grades])
        return Step("grade", source, name, None if self._outputs is None else self._outputs[name])
