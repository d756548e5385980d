"""From a learner's answers to a status, points and a message for each task."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from grader import forbidden
from grader.assemble import Assembly, Outputs
from grader.errors import UsageError
from grader.kernel import Kernel, KernelFailed
from grader.reference import Reference, Task
from grader.run import Result, Runner, Step, Wanted
from grader.spare import Spare

Status = Literal["passed", "failed", "error", "timeout", "crashed", "missing"]

LONGEST_MESSAGE = 2000

_MEMORY = "memory"  # in Python's MemoryError as in what PyTorch says when it cannot have more
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_UNDEFINED = re.compile(r"name '(\w+)' is not defined")
_PLACE = re.compile(r"\(\d+\.py, line (\d+)\)")

_OTHER_INPUTS = (
    "The check passes, but on other inputs the answer does not give what it should. Does it hold for every input that "
    "the task allows, or only for those of the check?"
)
_SAID_NOTHING = "The check does not hold for this answer."
_MISSING = "There is no answer yet. It belongs into the cell that was handed out for it, which must stay a code cell."
_CRASHED = "The answer ended the process that ran it: by its own doing, or because it needed too much memory."
_ASKED = "The answer asks for input, and nobody is there to give it while it is graded."
_TOO_MUCH = "The answer asks for more memory than it may have."


@dataclass(frozen=True)
class TaskScore:
    """How one task was answered."""

    task: str
    points: float
    max_points: float
    status: Status
    message: str = ""
    hint: str = ""

    def row(self) -> dict[str, Any]:
        """As it stands in grades.jsonl."""
        return asdict(self)


@dataclass
class _Verdict:
    status: Status
    message: str = ""


class Grader:
    """Grades by one reference in one process."""

    def __init__(self, reference: Reference, kernels: Spare, seed: int, timeout: float, runner: Runner) -> None:
        self._reference = reference
        self._kernels = kernels
        self._seed = seed
        self._timeout = timeout
        self._runner = runner

    def outputs(self) -> Outputs:
        """What the reference's own answers show for the seed; raise `UsageError` where they cannot be graded by."""
        answers = {task.name: task.answer for task in self._reference.tasks}
        assembly = Assembly(self._reference, answers, self._seed, None)
        shown: dict[str, tuple[dict[str, Any], ...]] = {}
        kernel = self._kernels.take()
        try:
            steps = assembly.in_order([])
            for step, result in self._run(kernel, steps, lambda step, _: True):
                if result.ending != "passed":
                    where = f"the {step.role} of the task {step.task}" if step.task else "a cell without a task"
                    raise UsageError(
                        f"the reference {self._reference.name} does not pass itself: {where} ends with "
                        f"{result.ending} {result.ename}: {_short(result.evalue)}"
                    )
                if step.role == "grade":
                    if not result.outputs:
                        raise UsageError(f"the grade cells of the task {step.task} show nothing to compare")
                    shown[step.task] = tuple(dict(output) for output in result.outputs)
            self._check_repeatable(kernel, Assembly(self._reference, answers, self._seed, shown))
        finally:
            kernel.leave()
        return shown

    def _check_repeatable(self, kernel: Kernel, assembly: Assembly) -> None:
        names = [task.name for task in self._reference.tasks]
        steps = assembly.again(names, [])
        for step, result in self._run(kernel, steps, lambda step, _: True):
            if step.role == "grade" and result.ending != "passed":
                raise UsageError(
                    f"the grade cells of the task {step.task} do not show the same twice for the same seed: "
                    "let all that is random in them come from `seed`"
                )

    def grade(self, answers: Mapping[str, str], outputs: Outputs) -> list[TaskScore]:
        """Grade answers by what the reference showed."""
        verdicts = {
            task.name: _Verdict("failed", message)
            for task in self._reference.tasks
            if task.name in answers and (message := self._refusal(task, answers))
        }
        if answers:
            self._judge(Assembly(self._reference, answers, self._seed, outputs), answers, verdicts)
        return [
            self._score(task, verdicts.get(task.name, _Verdict("missing", _MISSING))) for task in self._reference.tasks
        ]

    def _refusal(self, task: Task, answers: Mapping[str, str]) -> str:
        if not task.forbids:
            return ""
        context = [part.source for part in self._reference.parts if part.kind == "context"]
        name = forbidden.used(task.name, answers, task.answer, task.forbids, context)
        return f"The answer uses {name}, which this task asks you to do without." if name else ""

    def _score(self, task: Task, verdict: _Verdict) -> TaskScore:
        passed = verdict.status == "passed"
        hint = "" if passed or not task.hints else task.hints[0].title
        return TaskScore(task.name, task.points if passed else 0, task.points, verdict.status, verdict.message, hint)

    def _judge(self, assembly: Assembly, answers: Mapping[str, str], verdicts: dict[str, _Verdict]) -> None:
        """Give each answer its verdict.

        All of them share a kernel. One that hangs is known, and left out of the next attempt. When the kernel dies or
        its memory is short, that may be the doing of an answer before: then each has a kernel of its own.
        """
        slow: set[str] = set()
        while True:
            names = [name for name in answers if name not in slow]
            kernel = self._kernels.take()
            try:
                doubtful = self._together(kernel, assembly, names, slow, verdicts)
            except _Lost as lost:
                if lost.ending == "crashed":
                    self._apart(assembly, names, verdicts)
                    return
                slow.add(lost.task)
                verdicts[lost.task] = self._lost(lost)
                continue
            finally:
                kernel.leave()
            if any(_MEMORY in verdict.message.lower() for verdict in doubtful.values()):
                self._apart(assembly, names, verdicts)
            for name, verdict in doubtful.items():
                verdicts.setdefault(name, verdict)
            return

    def _apart(self, assembly: Assembly, names: Sequence[str], verdicts: dict[str, _Verdict]) -> None:
        """Run each answer that has no verdict in a kernel of its own."""
        for name in names:
            if name in verdicts:
                continue
            kernel = self._kernels.take()
            try:
                done = self._run(kernel, assembly.alone(name), _wanted({}))
                verdicts[name] = next((_verdict(*one) for one in done if one[1].ending != "passed"), _Verdict("passed"))
            except _Lost as lost:
                verdicts[name] = self._lost(lost)
            finally:
                kernel.leave()

    def _lost(self, lost: _Lost) -> _Verdict:
        if lost.ending == "crashed":
            return _Verdict("crashed", _CRASHED)
        return _Verdict("timeout", f"The answer had not ended after {self._timeout:g} s.")

    def _together(
        self,
        kernel: Kernel,
        assembly: Assembly,
        names: Sequence[str],
        leave_out: Collection[str],
        verdicts: dict[str, _Verdict],
    ) -> dict[str, _Verdict]:
        """Run the answers in one kernel: note which pass, return what is to be said of the others, or raise `_Lost`."""
        wanted = _wanted(verdicts)
        done = self._run(kernel, assembly.in_order(leave_out), wanted)
        doubtful: dict[str, _Verdict] = {}
        differ = []
        for name in names:
            if name in verdicts:
                continue
            bad = next((pair for pair in done if pair[0].task == name and pair[1].ending != "passed"), None)
            if bad is None:
                verdicts[name] = _Verdict("passed")
                continue
            step, result = bad
            doubtful[name] = _verdict(step, result)
            if step.role == "grade":
                differ.append(name)

        if differ and len(names) > 1:
            done = self._run(kernel, assembly.again(differ, leave_out), lambda step, _: True)
            for step, result in done:
                if step.role == "grade" and result.ending == "passed":
                    verdicts[step.task] = _Verdict("passed")
        for name in doubtful:
            if name in verdicts or (name == names[0] and name not in differ):
                continue  # it is right, or nothing was before it that could have come in its way
            done = self._run(kernel, assembly.alone(name), wanted)
            if all(result.ending == "passed" for _, result in done):
                verdicts[name] = _Verdict("passed")
        return {name: verdict for name, verdict in doubtful.items() if name not in verdicts}

    def _run(self, kernel: Kernel, steps: Sequence[Step], wanted: Wanted) -> list[tuple[Step, Result]]:
        """Run steps; raise `_Lost` if the kernel does not come through."""
        done = list(zip(steps, self._runner.run(kernel, steps, wanted, self._timeout), strict=True))
        for number, (_, result) in enumerate(done):
            if result.ending in ("timeout", "crashed"):
                before = [step.task for step, _ in done[: number + 1] if step.task]
                after = [step.task for step, _ in done[number:] if step.task]
                if not (before or after):
                    raise KernelFailed("the kernel ends before any answer has run")
                raise _Lost((before[-1:] or after)[0], result.ending)
        return done


def _wanted(verdicts: Mapping[str, _Verdict]) -> Wanted:
    """Run checks and grades of tasks without a verdict, while all that was run of them before has passed."""

    def wanted(step: Step, earlier: Sequence[tuple[Step, Result]]) -> bool:
        if step.role in ("context", "answer"):
            return True
        of_task = [result for other, result in earlier if other.task == step.task]
        return step.task not in verdicts and all(result.ending == "passed" for result in of_task)

    return wanted


class _Lost(Exception):
    """The kernel is gone, and the answer to `task` is to blame."""

    def __init__(self, task: str, ending: str) -> None:
        super().__init__(task, ending)
        self.task = task
        self.ending = ending


def _verdict(step: Step, result: Result) -> _Verdict:
    """What an answer deserves for which this step did not pass."""
    if step.role == "grade":  # whatever it raised may hold the seed or the values: it is not told
        return _Verdict("failed", _OTHER_INPUTS)
    said = _short(result.evalue)
    if step.role == "check" and result.ename == "AssertionError":
        return _Verdict("failed", said or _SAID_NOTHING)
    said = _PLACE.sub(r"(line \1)", f"{_short(result.ename)}: {said}" if said else _short(result.ename))
    if result.ename == "StdinNotImplementedError":
        said = _ASKED
    elif result.ename == "MemoryError" or "can't allocate memory" in result.evalue:
        said = f"{_TOO_MUCH}\n{said}"
    elif result.ename == "NameError" and (name := _UNDEFINED.search(result.evalue)):
        said += f"\nIf {name[1]} stands in a cell of your own, move it into an answer cell: only these are graded."
    return _Verdict("error", said)


def _short(text: str) -> str:
    text = _ANSI.sub("", text).strip()
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]} ..."
