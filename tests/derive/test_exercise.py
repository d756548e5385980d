"""Tasks are read from an exercise page, checked, and split into what a learner gets and the solutions."""

from __future__ import annotations

from typing import Any

import pytest

from derive import exercise
from derive.errors import SourceError
from derive.labels import Index

from .conftest import GRADE_SETUP, SETUP, TASK, Folder, code_cell, fence, line

LEARNER = {"answer", "check"}
TEACHER = {"answer", "check", "grade"}


def errors(folder: Folder) -> list[str]:
    with pytest.raises(SourceError) as caught:
        exercise.read(folder.root / "book/exercises/04_adding.md")
    return [str(error) for error in caught.value.errors]


def answer(*lines: str) -> str:
    return "\n".join(lines)


def stub(folder: Folder, source: str) -> str:
    """What a learner starts from, for this answer."""
    old = TASK[TASK.index("def double") : TASK.index("```\n\n```{code-cell}\n:tags: [check]")]
    (task,) = exercise.read(folder.exercise(TASK.replace(old, source + "\n"))).tasks
    return task.stub


def test_a_task_knows_its_parts(folder: Folder) -> None:
    path = folder.exercise()
    read = exercise.read(path)
    (task,) = read.tasks
    assert (task.name, task.title, task.points) == ("double", "Double it", 10)
    assert task.line == line(path, ":tags: [answer]") - 1
    assert "### BEGIN SOLUTION" in task.answer
    assert (
        task.stub
        == 'def double(x):\n    # YOUR CODE HERE\n    raise NotImplementedError("double: put your answer here")'
    )
    assert task.checks == ['assert double(2) == 4, "twice the number"']
    assert task.grades == ["show(double(seed))"]
    assert [mutant.says for mutant in task.mutants] == ["twice"] * 3
    assert task.mutants[0].source == "def double(x):\n    return x"
    assert task.mutants[0].line == line(path, ":tags: [mutant]") - 1
    assert read.setup == folder.read("book/setup.py").rstrip("\n")
    assert read.grade_setup == "seed = 3\nshow = print"


def test_a_stub_inside_a_class_raises_at_the_depth_of_the_markers(folder: Folder) -> None:
    source = answer(
        "class Double:",
        "    factor = 2",
        "",
        "    def __call__(self, x):",
        '        """Twice x."""',
        "        ### BEGIN SOLUTION",
        "        if x:",
        "            return self.factor * x",
        "        return 0",
        "        ### END SOLUTION",
        "",
        "    name = 'double'",
    )
    assert stub(folder, source) == answer(
        "class Double:",
        "    factor = 2",
        "",
        "    def __call__(self, x):",
        '        """Twice x."""',
        "        # YOUR CODE HERE",
        '        raise NotImplementedError("double: put your answer here")',
        "",
        "    name = 'double'",
    )


def test_a_stub_at_the_margin_raises_nothing(folder: Folder) -> None:
    source = answer("double = None", "### BEGIN SOLUTION", "double = (2).__mul__", "### END SOLUTION")
    assert stub(folder, source) == answer("double = None", "# YOUR CODE HERE")


def test_an_answer_may_have_several_solutions(folder: Folder) -> None:
    one = ("    ### BEGIN SOLUTION", "    return 2 * x", "    ### END SOLUTION")
    empty = (
        "    # YOUR CODE HERE",
        '    raise NotImplementedError("double: put your answer here")',
    )
    assert stub(folder, answer("def double(x):", *one, "", "def again(x):", *one, "tail = 1")) == answer(
        "def double(x):", *empty, "", "def again(x):", *empty, "tail = 1"
    )


@pytest.mark.parametrize(
    ("change", "at", "message"),
    [
        (("    ### BEGIN SOLUTION\n", ""), "### END", "### END SOLUTION without ### BEGIN SOLUTION before it"),
        (("    ### END SOLUTION\n", ""), "### BEGIN", "### BEGIN SOLUTION without ### END SOLUTION behind it"),
        (("    return 2", "  ### BEGIN SOLUTION\n    return 2"), "  ### BEGIN", "### BEGIN SOLUTION inside a solution"),
        (
            ("    ### END", "  ### END"),
            "### END",
            "### END SOLUTION must be indented as its ### BEGIN SOLUTION in line",
        ),
    ],
)
def test_markers_come_in_pairs(folder: Folder, change: tuple[str, str], at: str, message: str) -> None:
    path = folder.exercise(TASK.replace(*change, 1))
    number = line(path, at, 2 if "inside" in message else 1)
    assert errors(folder)[0].startswith(f"book/exercises/04_adding.md:{number}: {message}")


def without(task: str, text: str, cells: int = 1) -> str:
    """The task without the first cells that hold `text`."""
    parts = task.split("```{code-cell}")
    for part in [part for part in parts if text in part][:cells]:
        parts.remove(part)
    return "```{code-cell}".join(parts)


@pytest.mark.parametrize(
    ("body", "at", "message"),
    [
        (TASK.replace("### BEGIN", "# BEGIN").replace("### END", "# END"), "[answer]", "this answer has no markers"),
        (without(TASK, "[check]"), "[answer]", "the task double has no check"),
        (without(TASK, "[grade]"), "[answer]", "the task double has no grade"),
        (without(TASK, "[mutant]"), "[answer]", "the task double has 2 mutants: it needs 3 or more"),
        (without(TASK, "[answer]"), "[check]", "the task double has no answer: add a cell with"),
        (TASK.replace(":says: twice\n", "", 1), "[mutant]", "this mutant has no says"),
        (TASK.replace(":points: 10\n", ""), "[check]", "this check has no points: add :points:"),
        (TASK.replace("points: 10", "points: 9"), "[check]", "the points of a page add to 10, not 9 = 9"),
        (TASK.replace(":task: double\n", "", 1), "[answer]", "this answer has no task: add :task:"),
        (
            TASK.replace("[check]", "[check, grade]"),
            "[check, grade]",
            "a cell is one of answer, check, grade and mutant",
        ),
        (TASK.replace("[check]", "[check, export]"), "[check, export]", "exercises export nothing"),
        (TASK.replace(":tags: [check]\n", ""), ":points: 10", "a cell with a task is one of"),
        (TASK.replace("[grade]", "[grade]\n:points: 7"), ":points: 7", "points are for checks"),
        (TASK.replace("[grade]", "[grade]\n:says: x"), ":says: x", "says is for mutants"),
        (TASK.replace("[check]", "[check]\n:forbids: [math.pow]"), ":forbids: [math.pow]", "forbids is for answers"),
    ],
)
def test_an_incomplete_task_is_refused(folder: Folder, body: str, at: str, message: str) -> None:
    path = folder.exercise(body)
    start = f"book/exercises/04_adding.md:{fence(path, at)}: {message}"
    assert [error for error in errors(folder) if error.startswith(start)]


def test_a_task_has_one_answer(folder: Folder) -> None:
    path = folder.exercise(f"{TASK}\n{TASK.replace('points: 10', 'points: 1')}")
    first, second = line(path, ":tags: [answer]") - 1, line(path, ":tags: [answer]", 2) - 1
    message = f"duplicate task double: it has an answer at line {first}"
    assert f"book/exercises/04_adding.md:{second}: {message}" in errors(folder)


def test_a_task_without_an_answer_is_told_once(folder: Folder) -> None:
    folder.exercise(without(TASK, "[answer]"))
    (error,) = errors(folder)
    assert error.endswith("the task double has no answer: add a cell with :tags: [answer]")


def stated(one: int, two: int) -> str:
    """Two tasks, of 4 and 6 points, and what the line under each heading says."""
    first = TASK.replace("Write", f"Difficulty ●○○ · 5 minutes · {one} point\n\n### Look\n\nWrite")
    second = TASK.replace("Write", f"Difficulty ●●○ · 9 minutes · {two} points\n\nWrite").replace("double", "twice")
    return first.replace("points: 10", "points: 4") + "\n" + second.replace("points: 10", "points: 6")


def test_the_points_under_a_heading_are_those_of_its_checks(folder: Folder) -> None:
    path = folder.exercise(stated(4, 6))
    assert [task.points for task in exercise.read(path).tasks] == [4, 6]
    path = folder.exercise(stated(1, 7))
    assert errors(folder) == [
        f"book/exercises/04_adding.md:{line(path, 'Difficulty', 1)}: the points of this task's checks add to 4, not 1",
        f"book/exercises/04_adding.md:{line(path, 'Difficulty', 2)}: the points of this task's checks add to 6, not 7",
    ]


def test_markers_outside_of_answers_are_refused(folder: Folder) -> None:
    path = folder.exercise(TASK + "\n" + code_cell("### BEGIN SOLUTION\nx = 1\n### END SOLUTION"))
    assert errors(folder) == [
        f"book/exercises/04_adding.md:{line(path, f'### {word} SOLUTION', 2)}: "
        f"### {word} SOLUTION is for answers: add :tags: [answer]"
        for word in ("BEGIN", "END")
    ]


def test_the_grade_setup_stands_before_the_first_grade_cell(folder: Folder) -> None:
    path = folder.exercise(start=SETUP)
    message = "before the first grade cell stands the grade set-up: :load: ../grade.py and :tags: [grade]"
    assert errors(folder) == [f"book/exercises/04_adding.md:{line(path, '[grade]') - 1}: {message}"]


def test_there_is_one_grade_setup(folder: Folder) -> None:
    path = folder.exercise(start=f"{SETUP}\n{GRADE_SETUP}\n{GRADE_SETUP}")
    first, second = line(path, "[grade]") - 1, line(path, "[grade]", 2) - 1
    message = f"there is one grade set-up cell: that of line {first}"
    assert errors(folder) == [f"book/exercises/04_adding.md:{second}: {message}"]


def test_an_exercise_page_starts_with_the_setup_cell(folder: Folder) -> None:
    path = folder.exercise(start=GRADE_SETUP)
    number = line(path, "{code-cell}")
    assert errors(folder)[0].startswith(f"book/exercises/04_adding.md:{number}: the first code cell must be the setup")


# What is made of a page.


def drafts(folder: Folder, body: str = TASK) -> tuple[list[Any], list[Any]]:
    read = exercise.read(folder.exercise(body))
    return exercise.drafts(read, Index.build(folder.book))


def roles(cells: list[Any]) -> set[str]:
    return {tag for cell in cells for tag in cell.tags if tag in ("answer", "check", "grade", "mutant")}


def test_a_learner_gets_stubs_and_checks_and_a_teacher_answers_and_grades_too(folder: Folder) -> None:
    learner, teacher = drafts(folder)
    assert roles(learner) == LEARNER
    assert roles(teacher) == TEACHER
    everything = "\n".join(cell.source for cell in learner)
    for secret in ("2 * x", "SOLUTION", "show", "seed", "3 * x"):
        assert secret not in everything
    assert "YOUR CODE HERE" in everything
    solutions = "\n".join(cell.source for cell in teacher)
    assert "    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION" in solutions
    assert "seed = 3" in solutions
    assert "YOUR CODE HERE" not in solutions and "3 * x" not in solutions


def test_cells_of_a_task_have_names_that_last(folder: Folder) -> None:
    body = TASK.replace("points: 10", "points: 4")
    body += "\n" + code_cell("assert double(3) == 6", ":tags: [check]", ":task: double", ":points: 6")
    body += "\n" + code_cell("show(double(0))", ":tags: [grade]", ":task: double")
    learner, teacher = drafts(folder, body)
    assert [cell.id for cell in learner if roles([cell])] == ["answer-double", "check-double", "check-double-2"]
    names = ["answer-double", "check-double", "grade-double", "check-double-2", "grade-double-2"]
    assert [cell.id for cell in teacher if "task" in cell.metadata] == names


def test_a_cell_has_the_same_id_in_exercises_and_solutions(folder: Folder) -> None:
    learner, teacher = drafts(folder)
    assert {cell.id for cell in learner[1:]} < {cell.id for cell in teacher}


def test_the_header_of_solutions_is_known_by_its_tag(folder: Folder) -> None:
    learner, teacher = drafts(folder)
    assert (learner[0].metadata, teacher[0].metadata) == ({}, {"tags": ["header"]})


def test_nbgrader_finds_its_metadata(folder: Folder) -> None:
    for cells in drafts(folder):
        by_id = {cell.id: cell.metadata for cell in cells}
        schema = {"schema_version": 3, "task": False}
        assert by_id["answer-double"] == {
            "nbgrader": {**schema, "grade": False, "solution": True, "locked": False, "grade_id": "double"},
            "tags": ["answer"],
            "task": "double",
        }
        check = {"grade": True, "solution": False, "locked": True, "points": 10, "grade_id": "check_double"}
        assert by_id["check-double"] == {
            "nbgrader": {**schema, **check},
            "points": 10,
            "tags": ["check"],
            "task": "double",
        }


def test_what_an_answer_may_not_use_stands_in_its_metadata(folder: Folder) -> None:
    for cells in drafts(folder, TASK.replace("[answer]", "[answer]\n:forbids: [math.pow, torch.mul]")):
        (answer,) = [cell for cell in cells if cell.id == "answer-double"]
        assert answer.metadata["forbids"] == ["math.pow", "torch.mul"]


def test_cells_without_a_task_go_to_both(folder: Folder) -> None:
    learner, teacher = drafts(folder, TASK + "\n" + code_cell("print('look')"))
    for cells in (learner, teacher):
        assert "print('look')" in [cell.source for cell in cells]
