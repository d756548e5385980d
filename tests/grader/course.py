"""A small course: a notebook of solutions, what learners get of it, and submissions, in plain Python."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

NAME = "01_numbers"

GRADE_SETUP = """\
import random

seed = 0

def show(value):
    from IPython.display import display
    display({"text/plain": repr(value), "text/x-grade": repr(value)}, raw=True)
"""

HINT = "<details>\n<summary>Hint 1: what is {0}?</summary>\n\nThink of {0}.\n\n</details>"

TASKS: dict[str, dict[str, Any]] = {
    "double": {
        "points": 2,
        "answer": "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION",
        "stub": 'def double(x):\n    # YOUR CODE HERE\n    raise NotImplementedError("double is not written yet")',
        "check": 'assert double(3) != 9, "that is the square"\nassert double(3) == 6, f"twice 3 is 6, not {double(3)}"',
        "grade": "draw = random.Random(seed)\nshow([double(draw.randint(10, 99)) for _ in range(5)])",
    },
    "total": {
        "points": 3,
        "forbids": ["sum", "math.fsum"],
        "answer": "def total(xs):\n    ### BEGIN SOLUTION\n    result = 0\n    for x in xs:\n"
        "        result = result + x\n    return result\n    ### END SOLUTION",
        "stub": 'def total(xs):\n    # YOUR CODE HERE\n    raise NotImplementedError("total is not written yet")',
        "check": 'assert total([1, 2]) == 3, f"1 and 2 are {LIMIT}, not {total([1, 2])}"',
        "grade": "draw = random.Random(seed + 1)\nshow(total([draw.randint(10, 99) for _ in range(5)]))",
    },
    "primes": {
        "points": 1,
        "answer": "primes = ()\n### BEGIN SOLUTION\nprimes = (2, 3, 5)\n### END SOLUTION",
        "stub": "primes = ()\n# YOUR CODE HERE",
        "check": 'assert primes, "write them down"\nassert 1 not in primes, "1 is no prime"\n'
        "assert len(primes) == LIMIT\nassert primes[-1] == 5",
        "grade": "show(tuple(primes))",
    },
}
RIGHT: dict[str, str] = {name: task["answer"] for name, task in TASKS.items()}
STUBS: dict[str, str] = {name: task["stub"] for name, task in TASKS.items()}


def markdown(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source, "id": f"text{abs(hash(source)) % 10**8}"}


def code(source: str, id: str, **metadata: Any) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": id,
        "metadata": metadata,
        "outputs": [],
        "source": source,
    }


def notebook(cells: list[dict[str, Any]]) -> dict[str, Any]:
    spec = {"display_name": "Python 3", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5}


def answer(name: str, source: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"tags": ["answer"], "task": name}
    metadata["nbgrader"] = {"grade_id": name, "solution": True, "grade": False, "schema_version": 3}
    if "forbids" in TASKS[name]:
        metadata["forbids"] = TASKS[name]["forbids"]
    return code(source, f"answer-{name}", **metadata)


def check(name: str) -> dict[str, Any]:
    return code(TASKS[name]["check"], f"check-{name}", tags=["check"], task=name, points=TASKS[name]["points"])


def solutions() -> dict[str, Any]:
    """The notebook of solutions."""
    cells = [code("import math\n\nLIMIT = 3", "setup"), code(GRADE_SETUP, "grading", tags=["grade"])]
    for name, task in TASKS.items():
        cells.append(markdown(f"## The {name}\n\nWrite `{name}`.\n\n{HINT.format(name)}"))
        cells.append(answer(name, task["answer"]))
        cells.append(check(name))
        cells.append(code(task["grade"], f"grade-{name}", tags=["grade"], task=name))
    return notebook(cells)


def submission(answers: Mapping[str, str] = RIGHT) -> dict[str, Any]:
    """What a learner hands in who wrote these answers and left the others as they were."""
    cells = [code("import math\n\nLIMIT = 3", "setup")]
    for name, task in TASKS.items():
        cells.append(markdown(f"## The {name}\n\nWrite `{name}`."))
        cells.append(answer(name, answers.get(name, task["stub"])))
        cells.append(check(name))
    return notebook(cells)


def without_ids(whole: dict[str, Any], *, metadata: bool = True) -> dict[str, Any]:
    """A notebook as Colab may give it back: no ids of cells, and perhaps no metadata either."""
    whole = copy.deepcopy(whole)
    for cell in whole["cells"]:
        del cell["id"]
        if not metadata:
            cell["metadata"] = {}
    return whole


def write(path: Path, whole: object) -> Path:
    """Write a notebook, or anything else that is JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(whole), encoding="utf-8")
    return path
