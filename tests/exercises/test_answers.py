"""Right answers pass, in whatever style; wrong ones die, with the sentence that helps; an empty one fails its check."""

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

import grader.reference
from derive.exercise import Exercise, Mutant, Task
from grader import forbidden

from .conftest import EXERCISES, ROOT, Outcome, judge

TASKS = [
    pytest.param(stem, exercise, task, id=f"{stem}-{task.name}")
    for stem, exercise in EXERCISES.items()
    for task in exercise.tasks
]
MUTANTS = [
    pytest.param(stem, task, mutant, id=f"{stem}-{task.name}-{number}")
    for stem, exercise in EXERCISES.items()
    for task in exercise.tasks
    for number, mutant in enumerate(task.mutants)
]


def answers(folder: str, stem: str) -> list[tuple[str, str]]:
    """(heading, source) of the answers in a Python file, each headed by a line `# %% heading`; none without a file."""
    path = Path(__file__).parent / folder / f"{stem}.py"
    parts = re.split(r"^# %% (.+)$", path.read_text(encoding="utf-8") if path.is_file() else "", flags=re.M)
    return list(zip(parts[1::2], parts[2::2], strict=True))


OTHER_STYLES = [
    pytest.param(stem, name, source, id=f"{stem}-{name}-{number}")
    for stem in EXERCISES
    for number, (name, source) in enumerate(answers("alternatives", stem))
]
REFUSED = [
    pytest.param(stem, *heading.split(": ", 1), source, id=f"{stem}-{heading.split(':')[0]}-{number}")
    for stem in EXERCISES
    for number, (heading, source) in enumerate(answers("refused", stem))
]


@pytest.mark.parametrize(("stem", "exercise", "task"), TASKS)
def test_our_answer_passes(
    stem: str, exercise: Exercise, task: Task, references: dict[tuple[str, str], Outcome]
) -> None:
    outcome = references[stem, task.name]
    assert outcome.check is None
    assert isinstance(outcome.grade, str) and outcome.grade.strip(), f"the grade cells of {task.name} show nothing"


@pytest.mark.parametrize(("stem", "name", "source"), OTHER_STYLES)
def test_a_right_answer_in_another_style_passes(
    stem: str, name: str, source: str, references: dict[tuple[str, str], Outcome]
) -> None:
    (task,) = [task for task in EXERCISES[stem].tasks if task.name == name]
    outcome = judge(EXERCISES[stem], task, source)
    assert outcome.check is None, f"a right answer was refused: {outcome.check}"
    assert outcome.grade == references[stem, name].grade


@pytest.mark.parametrize("stem", EXERCISES)
def test_every_task_has_an_answer_in_another_style(stem: str) -> None:
    assert {task.name for task in EXERCISES[stem].tasks} == {name for name, _ in answers("alternatives", stem)}


@pytest.mark.parametrize(("stem", "name", "says", "source"), REFUSED)
def test_a_right_answer_by_a_forbidden_way_is_refused(
    stem: str, name: str, says: str, source: str, references: dict[tuple[str, str], Outcome]
) -> None:
    (task,) = [task for task in EXERCISES[stem].tasks if task.name == name]
    outcome = judge(EXERCISES[stem], task, source)
    assert isinstance(outcome.check, AssertionError) and says in str(outcome.check), outcome.check
    assert outcome.grade == references[stem, name].grade, "the answer is wrong besides, so this shows nothing"


@pytest.mark.parametrize("stem", EXERCISES)
def test_grade_cells_show_and_do_not_print(stem: str) -> None:
    """What is printed is not compared: an answer may print as well."""
    notebook = nbformat.read(ROOT / "solutions" / f"{stem}.ipynb", as_version=4)
    graded = [cell for cell in notebook.cells if cell.id.startswith("grade-")]
    assert graded
    for cell in graded:
        assert all("text/x-grade" in output.get("data", {}) for output in cell.outputs), cell.id


@pytest.mark.parametrize("stem", EXERCISES)
def test_what_a_task_forbids_is_not_in_right_answers_and_is_in_refused_ones(stem: str) -> None:
    """As the grader reads answers: by their source, before anything is run."""
    reference = grader.reference.read(ROOT / "solutions" / f"{stem}.ipynb")
    context = [part.source for part in reference.parts if part.kind == "context"]

    def used(name: str, source: str) -> str:
        task = reference.task(name)
        return forbidden.used(name, {name: source}, task.answer, task.forbids, context)

    right = [(task.name, task.answer) for task in reference.tasks] + answers("alternatives", stem)
    assert [(name, used(name, source)) for name, source in right if used(name, source)] == []
    caught = {name for heading, source in answers("refused", stem) if used(name := heading.split(": ")[0], source)}
    assert caught == {task.name for task in reference.tasks if task.forbids}


@pytest.mark.parametrize(("stem", "task", "mutant"), MUTANTS)
def test_every_mutant_dies(
    stem: str, task: Task, mutant: Mutant, references: dict[tuple[str, str], Outcome], record_property: Any
) -> None:
    outcome = judge(EXERCISES[stem], task, mutant.source)
    says_it = isinstance(outcome.check, AssertionError) and mutant.says in str(outcome.check)
    graded_down = outcome.grade != references[stem, task.name].grade
    record_property("mutant", {"check": says_it, "grade": graded_down})
    assert outcome.check is not None, "the check passes a wrong answer"
    assert says_it, f"the check should say {mutant.says!r}, but says: {outcome.check}"
    assert graded_down, "the grade cells show the same for this wrong answer as for the right one"


@pytest.mark.parametrize(("stem", "exercise", "task"), TASKS)
def test_an_empty_answer_fails_its_check(stem: str, exercise: Exercise, task: Task) -> None:
    assert judge(exercise, task, task.stub).check is not None
