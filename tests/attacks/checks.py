"""Check cells that were tampered with: what a learner does to them changes nothing, for better or worse."""

from collections.abc import Callable

import nbformat
from nbformat import NotebookNode

from tests.attacks.case import FULL_MARKS, LOST, MISSING, NOTHING, PASSED, Case, every
from tests.attacks.submissions import FIRST, TASKS, answered, cell, cells, right, solutions, wrong


def _checks(notebook: NotebookNode, change: Callable[[str], str]) -> NotebookNode:
    for check in cells(notebook, "check"):
        check.source = change(check.source)
    return notebook


def _without_checks(notebook: NotebookNode) -> NotebookNode:
    gone = [check["id"] for check in cells(notebook, "check")]
    notebook.cells = [cell for cell in notebook.cells if cell["id"] not in gone]
    return notebook


def _checks_as_markdown(notebook: NotebookNode) -> NotebookNode:
    for check in cells(notebook, "check"):
        notebook.cells[notebook.cells.index(check)] = nbformat.v4.new_markdown_cell(check.source, id=check["id"])
    return notebook


def _duplicated(notebook: NotebookNode) -> NotebookNode:
    """Each check twice, the second one empty, under the same id."""
    for check in cells(notebook, "check"):
        twin = nbformat.from_dict({**check, "source": "pass"})
        notebook.cells.insert(notebook.cells.index(check) + 1, twin)
    return notebook


def _no_points_to_lose(notebook: NotebookNode) -> NotebookNode:
    for check in cells(notebook, "check"):
        check.metadata.points = 1000
        check.metadata.nbgrader.points = 1000
        check.metadata.tags = ["raises-exception", "nbval-skip", "nbval-ignore-output"]
    for answer in cells(notebook, "answer"):
        answer.metadata.points = 1000
        answer.metadata.tags = ["check", "raises-exception"]
    return notebook


def _own_grade_cells(notebook: NotebookNode) -> NotebookNode:
    """The grade cells of the solutions, with outputs of their own, behind wrong answers."""
    theirs = solutions()
    for task in TASKS:
        cell(theirs, "answer", task).source = cell(notebook, "answer", task).source
        grade = cell(theirs, "grade", task)
        grade.source, grade.outputs = "print('right')", [nbformat.v4.new_output("stream", text="right\n")]
    return theirs


def _answers_in_the_grade_cells(notebook: NotebookNode) -> NotebookNode:
    """Wrong answers, and then the right ones where the grade cells would be: those are not the learner's to write."""
    source = solutions()
    for task in TASKS:
        right_answer = cell(source, "answer", task).source
        position = notebook.cells.index(cell(notebook, "check", task))
        notebook.cells.insert(position + 1, nbformat.v4.new_code_cell(right_answer, id=f"grade-{task}"))
    return notebook


def _answer_gone(notebook: NotebookNode) -> NotebookNode:
    notebook.cells.remove(cell(notebook, "answer", TASKS[1]))
    return notebook


def _only_outputs() -> NotebookNode:
    """The outputs of the solutions on cells without an answer."""
    notebook = solutions()
    for answer in cells(notebook, "answer"):
        answer.source = ""
    return notebook


CASES = [
    Case(
        "check_emptied", _checks(wrong(), lambda _: "pass"), NOTHING, "the checks that count are those of the reference"
    ),
    Case("check_deleted", _without_checks(wrong()), NOTHING, "a check that is gone is run all the same"),
    Case("check_deleted_right", _without_checks(right()), FULL_MARKS, "the answers are right, and only they count"),
    Case(
        "check_skipped",
        _checks(wrong(), lambda source: f"# NBVAL_SKIP\n{source}"),
        NOTHING,
        "the comment is in a cell that is dropped",
    ),
    Case(
        "answer_skipped",
        wrong("# NBVAL_SKIP\n# NBVAL_IGNORE_OUTPUT\n# NBVAL_RAISES_EXCEPTION\n# PYTEST_VALIDATE_IGNORE_OUTPUT"),
        NOTHING,
        "a comment in an answer is no order to the grader",
    ),
    Case(
        "answer_skipped_right",
        answered({task: f"# NBVAL_SKIP\n{cell(right(), 'answer', task).source}" for task in TASKS}),
        FULL_MARKS,
        "nor does it cost points",
    ),
    Case("check_as_markdown", _checks_as_markdown(wrong()), NOTHING, "a check made into text is run all the same"),
    Case("check_duplicated", _duplicated(wrong()), NOTHING, "an empty twin of a check proves nothing"),
    Case("check_duplicated_right", _duplicated(right()), FULL_MARKS, "and does no harm"),
    Case(
        "check_wrapped",
        _checks(wrong(), lambda source: "try:\n    " + source.replace("\n", "\n    ") + "\nexcept BaseException: pass"),
        NOTHING,
        "a check that swallows its own errors is not the reference's",
    ),
    Case(
        "tags_and_points_changed",
        _no_points_to_lose(wrong()),
        NOTHING,
        "points, tags and metadata come from the reference",
    ),
    Case("tags_and_points_changed_right", _no_points_to_lose(right()), FULL_MARKS, "ten points, not a thousand"),
    Case("own_grade_cells", _own_grade_cells(wrong()), NOTHING, "grade cells of the learner's own are dropped"),
    Case("answers_in_grade_cells", _answers_in_the_grade_cells(wrong()), NOTHING, "only answer cells hold answers"),
    Case("outputs_of_the_solutions", _only_outputs(), every(MISSING | LOST), "stored outputs are dropped"),
    Case("one_answer_gone", _answer_gone(right()), every(PASSED, **{TASKS[1]: MISSING}), "an answer that is not there"),
    Case("handed_in_solved_solutions", solutions(), FULL_MARKS, f"its answers are right, {FIRST} and all others"),
]
