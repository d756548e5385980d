"""Files of all kinds: each is read, or refused with a reason."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from grader import answers, reference, submission
from grader.errors import Unreadable
from grader.notebook import Cell, parse
from grader.reference import Reference

from . import course
from .course import RIGHT


@pytest.fixture(scope="module")
def known(solutions: Path) -> Reference:
    return reference.read(solutions / f"{course.NAME}.ipynb")


def found(known: Reference, path: Path, whole: object) -> dict[str, str]:
    return answers.find(known, submission.read(course.write(path / "submission.ipynb", whole)).cells)


def folder(path: Path) -> None:
    path.mkdir()


def link(path: Path) -> None:
    target = course.write(path.with_name("other.ipynb"), course.submission())
    path.symlink_to(target)


def pipe(path: Path) -> None:
    os.mkfifo(path)


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(submission.LARGEST_FILE + 1)


def writes(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing in it": (writes(b""), "the file is empty"),
    "blanks": (writes(b" \n"), "the file is empty"),
    "half a notebook": (writes(json.dumps(course.submission()).encode()[:-20]), "it is not JSON"),
    "a picture": (writes(b"\x89PNG\r\n\x1a\n\xff\xfe"), "the file is not text in UTF-8"),
    "Latin-1": (writes('{"cells": "é"}'.encode("latin-1")), "the file is not text in UTF-8"),
    "a web page": (writes(b"<!doctype html>"), "it is not JSON"),
    "a list": (writes(b"[1, 2]"), "JSON but no notebook"),
    "no cells": (writes(b'{"nbformat": 4}'), "it has no cells"),
    "cells that are none": (writes(b'{"cells": {"a": 1}}'), "it has no cells"),
    "only text": (writes(json.dumps(course.notebook([course.markdown("# Hi")])).encode()), "no code cell"),
    "too deep": (writes(b"[" * 10**6), "nested too deeply"),
    "a number of many digits": (writes(b'{"cells": ' + b"1" * 10**5 + b"}"), "not JSON"),
    "not there": (lambda path: None, "cannot be read: No such file"),
    "a folder": (folder, "it is a folder"),
    "a link": (link, "the file is a link"),
    "a pipe": (pipe, "it is no ordinary file"),
    "absurd in size": (huge, "clear its outputs"),
}


@pytest.mark.parametrize(("make", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_is_refused_with_its_reason(make: Callable[[Path], object], reason: str, tmp_path: Path) -> None:
    path = tmp_path / "submission.ipynb"
    make(path)
    with pytest.raises(Unreadable, match=reason):
        submission.read(path)


def old(version: int) -> dict[str, object]:
    """The notebook as the second and third format of notebooks had it."""
    cells = [
        {**{key: value for key, value in cell.items() if key not in ("source", "id")}, "input": cell["source"]}
        for cell in course.submission()["cells"]
    ]
    return {"nbformat": version, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}]}


READ = {
    "as it was handed out": course.submission(),
    "by Jupyter, which writes lines": {
        **course.submission(),
        "cells": [
            {**cell, "source": cell["source"].splitlines(keepends=True)} for cell in course.submission()["cells"]
        ],
    },
    "without ids": course.without_ids(course.submission()),
    "without ids and metadata": course.without_ids(course.submission(), metadata=False),
    "of format 3": old(3),
    "of format 2": old(2),
    "of a format to come": {**course.submission(), "nbformat": 9},
    "without a format": {"cells": course.submission()["cells"]},
    "for an unknown kernel": {
        **course.submission(),
        "metadata": {"kernelspec": {"name": "klingon"}, "huge": "x" * 10**6},
    },
    "with metadata that are none": {
        **course.submission(),
        "cells": [
            "no cell",
            {"cell_type": "code"},
            {"cell_type": "code", "source": None, "metadata": 7, "id": 3},
            {"cell_type": "code", "source": [1, None], "metadata": {"tags": "answer", "nbgrader": 1, "task": []}},
            *course.submission()["cells"],
        ],
    },
}


@pytest.mark.parametrize("whole", READ.values(), ids=READ)
def test_answers_are_found_in_a_notebook(whole: dict[str, object], known: Reference, tmp_path: Path) -> None:
    assert found(known, tmp_path, whole) == RIGHT


def test_a_mark_of_byte_order_is_no_obstacle(known: Reference, tmp_path: Path) -> None:
    path = tmp_path / "submission.ipynb"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(course.submission()).encode())
    assert answers.find(known, submission.read(path).cells) == RIGHT


def test_half_a_character_does_not_reach_a_kernel(known: Reference, tmp_path: Path) -> None:
    whole = course.submission({"double": "double = '\ud800'"})
    assert found(known, tmp_path, whole)["double"] == "double = '?'"


def test_what_was_handed_out_is_no_answer(known: Reference, tmp_path: Path) -> None:
    assert found(known, tmp_path, course.submission({})) == {}


def test_an_answer_that_was_emptied_is_none(known: Reference, tmp_path: Path) -> None:
    assert "double" not in found(known, tmp_path, course.submission({**RIGHT, "double": "# I give up\n\n"}))


def test_of_two_answers_the_last_counts(known: Reference, tmp_path: Path) -> None:
    whole = course.submission()
    whole["cells"].append({**course.answer("double", "double = float"), "id": "another"})
    assert found(known, tmp_path, whole)["double"] == "double = float"


def test_an_untouched_copy_below_an_answer_does_not_take_its_place(known: Reference, tmp_path: Path) -> None:
    whole = course.submission()
    whole["cells"].append(course.answer("double", course.STUBS["double"]))
    assert found(known, tmp_path, whole)["double"] == RIGHT["double"]


def test_an_answer_that_does_not_parse_is_found_by_its_place(known: Reference, tmp_path: Path) -> None:
    whole = course.without_ids(course.submission({**RIGHT, "double": "def double(x: oh"}), metadata=False)
    assert found(known, tmp_path, whole)["double"] == "def double(x: oh"


def test_nothing_but_answers_is_taken(known: Reference, tmp_path: Path) -> None:
    whole = course.submission()
    for cell in whole["cells"]:
        if cell["id"].startswith("check-"):
            cell["source"] = "pass  # tampered with"
    whole["cells"].insert(0, course.code("raise SystemExit", "grade-double", tags=["grade"], task="double"))
    assert found(known, tmp_path, whole) == RIGHT


REAL = ("01_numbers", "02_more_numbers")
WHOSE = {
    "ada_01_numbers.ipynb": ("ada", "01_numbers"),
    "ada_lovelace_01_numbers.ipynb": ("ada_lovelace", "01_numbers"),
    "ada_01_numbers (1).ipynb": ("ada", "01_numbers"),
    "ada_lovelace_02_more_numbers-2.ipynb": ("ada_lovelace", "02_more_numbers"),
    "ada/01_numbers (1).ipynb": ("ada", "01_numbers (1)"),
    "ada/deep/down/02_more_numbers.ipynb": ("ada", "02_more_numbers"),
}


@pytest.mark.parametrize("name", WHOSE)
def test_whose_a_file_is(name: str, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).touch()
    (one,) = submission.find(tmp_path, REAL)
    assert (one.learner, one.notebook, one.reason, one.file) == (*WHOSE[name], "", name)
    assert one.reference in REAL


@pytest.mark.parametrize(
    "name", ["01_numbers.ipynb", "01_numbers (1).ipynb", "_01_numbers.ipynb", "my01_numbers.ipynb"]
)
def test_a_file_that_is_nobodys_is_not_graded(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    (one,) = submission.find(tmp_path, REAL)
    assert one.reference is None
    assert one.reason.startswith("its name tells no learner: call it learner_01_numbers.ipynb")


def test_of_two_files_of_one_learner_one_can_be_told_from_the_other(tmp_path: Path) -> None:
    (tmp_path / "ada").mkdir()
    for name in ("ada/01_numbers.ipynb", "ada_01_numbers.ipynb"):
        (tmp_path / name).touch()
    found = submission.find(tmp_path, REAL)
    assert {(one.notebook, one.file) for one in found} == {
        ("01_numbers", "ada/01_numbers.ipynb"),
        ("01_numbers (2)", "ada_01_numbers.ipynb"),
    }


def test_what_was_asked_holds_the_code_of_the_section_and_no_comment_for_a_title() -> None:
    cells = parse(json.dumps(course.solutions()).encode())
    at = next(number for number, cell in enumerate(cells) if "answer" in cell.tags)
    broken = Cell("code", "# Mend this\ndef broken(x):\n    return 3 * x", metadata={})
    before = [Cell("markdown", "## Mend it\n\nThis is wrong:"), broken, Cell("markdown", "Why?")]
    task = reference.build("mended", "0", [*cells[:at], *before, *cells[at:]]).tasks[0]
    assert task.title == "Mend it"
    assert task.prose == f"This is wrong:\n\n```python\n{broken.source}\n```\n\nWhy?"
