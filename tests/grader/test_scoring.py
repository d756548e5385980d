"""What an answer deserves: its status, its points, and the sentence that helps. No answer costs another its points."""

from __future__ import annotations

import pytest

from grader.batch import Plan

from . import course
from .conftest import SEED, Grade
from .course import RIGHT

LOOP = "while True:\n    pass"
LOOP_THAT_CATCHES = "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
LOOP_IN_C = "import itertools, collections\ncollections.deque(itertools.repeat(0), maxlen=0)"
DIES = "import os\nos._exit(0)"

RIGHT_BUT = {
    "warns": 'import warnings\ndef double(x):\n    warnings.warn("old")\n    return 2 * x\nwarnings.warn("now")',
    "turns warnings into errors": 'import warnings\nwarnings.simplefilter("error")\ndef double(x):\n    return 2 * x',
    "writes to stderr": 'import sys\ndef double(x):\n    print("x is", x, file=sys.stderr)\n    return 2 * x',
    "prints": 'def double(x):\n    print("x is", x)\n    return 2 * x\nprint(double(4))',
    "prints a megabyte": 'def double(x):\n    print("x" * 10**6)\n    return 2 * x',
    "shows things": 'def double(x):\n    display("x", x)\n    return 2 * x\ndouble(4)',
    "shows a picture": 'from IPython.display import Image\nImage(data=b"\\x89PNG\\r\\n\\x1a\\n", format="png")\n'
    "def double(x):\n    return 2 * x",
    "reseeds": "import random\nrandom.seed(3)\ndef double(x):\n    random.seed(1)\n    return 2 * x",
    "uses magics": "%matplotlib inline\n%precision 3\n!true\ndef double(x):\n    return 2 * x",
    "is timed": "%%time\ndef double(x):\n    return 2 * x",
    "takes the names of the grader": "seed, show, draw, random = 1, 2, 3, 4\ndef double(x):\n    return 2 * x",
    "takes the name of print": "print = None\ndef double(x):\n    return 2 * x",
    "wears nbval's comments": "# NBVAL_SKIP\n# NBVAL_RAISES_EXCEPTION\ndef double(x):\n    return 2 * x",
    "shows every expression": 'get_ipython().ast_node_interactivity = "all"\ndef double(x):\n    return 2 * x',
    "is empty lines and comments besides": "\n\n# twice\ndouble = lambda x: x + x  # so\n\n",
}


def statuses(graded: dict[str, dict[str, object]]) -> list[object]:
    return [graded[name]["status"] for name in course.TASKS]


def test_right_answers_get_every_point(grade: Grade) -> None:
    graded = grade(RIGHT)
    assert {name: task["points"] for name, task in graded.items()} == {"double": 2, "total": 3, "primes": 1}
    assert all(task["status"] == "passed" and not task["message"] and not task["hint"] for task in graded.values())


def test_no_answer_is_missing(grade: Grade) -> None:
    graded = grade({})
    assert statuses(graded) == ["missing"] * 3
    assert graded["double"]["hint"] == "Hint 1: what is double?"


@pytest.mark.parametrize("source", RIGHT_BUT.values(), ids=RIGHT_BUT)
def test_right_work_gets_full_marks_although_it(source: str, grade: Grade) -> None:
    assert statuses(grade({**RIGHT, "double": source})) == ["passed"] * 3


def test_a_misconception_meets_its_sentence(grade: Grade) -> None:
    task = grade({"double": "def double(x):\n    return x * x"})["double"]
    assert (task["status"], task["points"], task["message"]) == ("failed", 0, "that is the square")


def test_a_check_that_says_nothing(grade: Grade) -> None:
    task = grade({"primes": "primes = (2, 3)"})["primes"]
    assert (task["status"], task["message"]) == ("failed", "The check does not hold for this answer.")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def double(x:\n    return x", "SyntaxError: '(' was never closed (line 1)"),
        ("def double(x):\n    return x / 0", "ZeroDivisionError: division by zero"),
        ("assert False, 'mine'", "AssertionError: mine"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        (
            "def double(x):\n    return helper(x)",
            "NameError: name 'helper' is not defined\nIf helper stands in a cell of your own, move it",
        ),
        ("def double(x):\n    return input()", "The answer asks for input"),
        ("def double(x):\n    raise MemoryError", "The answer asks for more memory than it may have."),
        ("def double(x):\n    raise ValueError('\\x1b[31mred\\x1b[0m')", "ValueError: red"),
    ],
)
def test_an_answer_that_raises(source: str, message: str, grade: Grade) -> None:
    graded = grade({**RIGHT, "double": source})
    assert statuses(graded) == ["error", "passed", "passed"]
    assert graded["double"]["message"].startswith(message)


def test_a_message_is_not_endless(grade: Grade) -> None:
    task = grade({"double": "def double(x):\n    raise ValueError('x' * 10**5)"})["double"]
    assert task["status"] == "error"
    assert len(task["message"]) < 3000


def test_an_answer_for_the_check_alone_is_found_out(grade: Grade, plan: Plan) -> None:
    task = grade({"double": "def double(x):\n    return 6"})["double"]
    assert task["status"] == "failed"
    assert task["message"].startswith("The check passes, but on other inputs")
    assert plan.outputs is not None
    assert not any(value in task["message"] for value in plan.outputs["double"][0]["data"]["text/x-grade"].split(", "))


def test_an_answer_that_fails_in_the_grade_cells_alone_is_told_nothing_of_them(grade: Grade) -> None:
    source = "def double(x):\n    assert x < 10, f'{seed} {x}'\n    return 2 * x"
    task = grade({"double": source})["double"]
    assert task["status"] == "failed"
    assert str(SEED) not in task["message"]


@pytest.mark.parametrize("source", [LOOP, LOOP_THAT_CATCHES, LOOP_IN_C], ids=["python", "that catches", "in C"])
def test_an_answer_that_does_not_end_costs_its_own_task_alone(source: str, grade: Grade) -> None:
    graded = grade({**RIGHT, "total": source})
    assert statuses(graded) == ["passed", "timeout", "passed"]
    assert graded["total"]["message"] == "The answer had not ended after 2 s."


def test_an_answer_that_does_not_end_in_its_check(grade: Grade) -> None:
    assert statuses(grade({**RIGHT, "double": f"def double(x):\n    {LOOP.replace(chr(10), chr(10) + '    ')}"})) == [
        "timeout",
        "passed",
        "passed",
    ]


@pytest.mark.parametrize(
    "source",
    [DIES, "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "def total(xs):\n    import os; os._exit(1)"],
    ids=["exits", "kills itself", "exits in the check"],
)
def test_an_answer_that_ends_its_kernel_costs_its_own_task_alone(source: str, grade: Grade) -> None:
    graded = grade({**RIGHT, "total": source})
    assert statuses(graded) == ["passed", "crashed", "passed"]
    assert graded["total"]["message"]


@pytest.mark.parametrize(
    "line",
    ["exit()", "import os, threading\nthreading.Timer(0.3, os._exit, [1]).start()"],
    ids=["that is asked to end", "that has a bomb in it"],
)
def test_a_kernel_that_ends_a_moment_later_costs_no_other_answer(line: str, grade: Grade) -> None:
    slow = "import time\ntime.sleep(0.6)\n"
    graded = grade({**RIGHT, "double": f"{RIGHT['double']}\n{line}", "primes": slow + RIGHT["primes"]})
    assert statuses(graded)[1:] == ["passed", "passed"]


def test_an_answer_that_takes_all_memory_costs_no_other_answer(grade: Grade) -> None:
    greedy = "import builtins\nbuiltins.LIMIT = 4\ndel LIMIT\nraise MemoryError"
    graded = grade({**RIGHT, "double": greedy})
    assert statuses(graded) == ["error", "passed", "passed"]


def test_all_answers_may_be_lethal(grade: Grade) -> None:
    assert statuses(grade({"double": DIES, "total": LOOP, "primes": DIES})) == ["crashed", "timeout", "crashed"]


def test_endless_output_is_a_timeout(grade: Grade) -> None:
    assert statuses(grade({**RIGHT, "double": "while True:\n    print('x' * 10**4)"})) == [
        "timeout",
        "passed",
        "passed",
    ]


def test_a_huge_output_is_let_go(grade: Grade) -> None:
    source = "print('x' * 10**8)\ndef double(x):\n    return 2 * x"
    assert statuses(grade({**RIGHT, "double": source}))[1:] == ["passed", "passed"]


BREAKS_OTHERS = {
    "a name of the notebook": "LIMIT = None",
    "a name of Python": "list = range = len = 3",
    "the answer before": "def double(x):\n    return x",
    "Python itself": "import builtins\nbuiltins.LIMIT = 4\ndel LIMIT",
}


@pytest.mark.parametrize("line", BREAKS_OTHERS.values(), ids=BREAKS_OTHERS)
def test_an_answer_that_breaks_what_others_use_costs_them_nothing(line: str, grade: Grade) -> None:
    graded = grade({**RIGHT, "total": f"{RIGHT['total']}\n{line}"})
    assert statuses(graded) == ["passed"] * 3


def test_an_answer_that_breaks_its_own_check_does_so_in_the_learners_notebook_too(grade: Grade) -> None:
    assert statuses(grade({**RIGHT, "primes": f"{RIGHT['primes']}\nlen = 3"})) == ["passed", "passed", "error"]


def test_an_answer_may_use_an_earlier_one(grade: Grade) -> None:
    total = "def total(xs):\n    result = 0\n    for x in xs:\n        result += double(x) // 2\n    return result"
    assert statuses(grade({**RIGHT, "total": total})) == ["passed"] * 3


def test_two_answers_may_have_helpers_of_the_same_name(grade: Grade) -> None:
    double = "def helper(x):\n    return 2 * x\ndef double(x):\n    return helper(x)"
    total = "def helper(a, b):\n    return a + b\ndef total(xs):\n    first, *rest = xs\n"
    total += "    return helper(first, total(rest)) if rest else first"
    assert statuses(grade({"double": double, "total": total, "primes": RIGHT["primes"]})) == ["passed"] * 3
