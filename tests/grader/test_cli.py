"""The command: what it says to one learner, its exit codes, and what it refuses to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from grader import batch, sandbox
from grader.cli import EXIT_CODES, main

from . import course

ROOT = Path(__file__).parents[2]
REAL = "04_convolution_1d.ipynb"


def test_one_learner_sees_a_table(tmp_path: Path, solutions: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = {"double": "def double(x):\n    return x * x", "total": course.RIGHT["total"]}
    path = course.write(tmp_path / "exercises" / f"{course.NAME}.ipynb", course.submission(answers))
    (tmp_path / "solutions").symlink_to(solutions)
    assert main([str(path)]) == 0
    said = capsys.readouterr().out
    rows = {
        line.split("│")[1].strip(): [cell.strip() for cell in line.split("│")[2:-1]]
        for line in said.splitlines()
        if "│" in line
    }
    assert rows["double"][:2] == ["0 of 2", "failed"]
    assert rows["total"] == ["3 of 3", "passed", ""]
    assert rows["primes"][:2] == ["0 of 1", "missing"]
    assert rows["double"][2] == "that is the square"
    assert "Hint 1: what is" in said
    assert said.endswith("3 of 6 points\n")


def test_one_learner_whose_answer_crashes(tmp_path: Path, solutions: Path) -> None:
    path = course.write(tmp_path / f"{course.NAME}.ipynb", course.submission({"double": "import os; os._exit(0)"}))
    assert main([str(path), "--reference", str(solutions)]) == 1


def test_one_learner_whose_file_is_damaged(tmp_path: Path, solutions: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.ipynb"
    path.write_text("{", encoding="utf-8")
    assert main([str(path), "--reference", str(solutions)]) == 1
    assert "it is not JSON" in capsys.readouterr().err


@pytest.mark.parametrize(("notebook", "points"), [("solutions", "10 of 10 points"), ("exercises", "0 of 10 points")])
def test_the_course_itself(notebook: str, points: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(ROOT / notebook / REAL)]) == 0
    assert capsys.readouterr().out.endswith(f"{points}\n")


def broken(answers: dict[str, str]) -> dict[str, object]:
    whole = course.solutions()
    for cell in whole["cells"]:
        cell["source"] = answers.get(cell["id"], cell["source"])
    return whole


WRONG_REFERENCES = {
    "it does not pass its own check": (broken({"answer-double": "double = abs"}), "does not pass itself"),
    "a cell of it fails": (broken({"setup": "import no_such_module"}), "a cell without a task ends with raised"),
    "nothing comes from the seed": (broken({"grading": "import random\ndef show(x): print(x)"}), "`seed = 0`"),
    "a grade cell shows nothing": (broken({"grade-double": "double(2)"}), "double show nothing to compare"),
    "a grade cell is not repeatable": (broken({"grade-double": "import time\nshow(time.time())"}), "not show the same"),
    "it has no grade cells": (course.submission(), "is no notebook of solutions"),
    "it is no notebook": ([], "cannot be read: the file is JSON but no notebook"),
}


@pytest.mark.parametrize(("whole", "reason"), WRONG_REFERENCES.values(), ids=WRONG_REFERENCES)
def test_a_reference_that_cannot_be_graded_by(
    whole: object, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = course.write(tmp_path / "mine.ipynb", course.submission())
    reference = course.write(tmp_path / "reference.ipynb", whole)
    assert main([str(mine), "--reference", str(reference)]) == 2
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "the following arguments are required: PATH"),
        (["folder"], "needs --out"),
        (["mine.ipynb", "--out", "grades"], "--out is for a folder"),
        (["mine.ipynb", "--again"], "--again is for a folder"),
        (["mine.ipynb", "--no-sandbox"], "--no-sandbox is for a folder"),
        (["mine.ipynb", "--timeout", "0"], "more than 0 seconds"),
        (["mine.ipynb", "--reference", "nowhere.ipynb"], "nowhere.ipynb cannot be read"),
        (["mine.ipynb", "--reference", "folder"], "there is no notebook in folder"),
        (["folder", "--out", "grades", "--no-sandbox"], "there is no submission in folder"),
        (["nowhere", "--out", "grades"], "there is no nowhere"),
        (["folder", "--out", "folder"], "--out must be another folder"),
        (["folder", "--out", "grades", "--workers", "0"], "--workers must be 1 or more"),
    ],
)
def test_what_makes_no_sense_is_refused(
    arguments: list[str],
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    course.write(tmp_path / "mine.ipynb", course.submission())
    try:
        code = main(arguments)
    except SystemExit as error:  # argparse
        code = int(str(error.code))
    assert code == 2
    assert reason in capsys.readouterr().err


def test_without_a_sandbox_no_folder_is_graded(
    tmp_path: Path, solutions: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = course.write(tmp_path / "submissions" / "a" / f"{course.NAME}.ipynb", course.submission()).parents[1]
    command = [str(folder), "--out", str(tmp_path / "grades"), "--reference", str(solutions)]

    monkeypatch.setattr(sandbox, "_installed", lambda name: False)
    assert main(command) == 3
    assert "python -m warmkernel install" in capsys.readouterr().err

    monkeypatch.setattr(sandbox, "_installed", lambda name: True)
    monkeypatch.setattr(sandbox, "_CHECK", [sys.executable, "-c", "print('user namespaces are off.'); exit(1)"])
    assert main(command) == 3
    said = capsys.readouterr().err
    assert "No sandbox: user namespaces are off." in said and "--no-sandbox" in said
    assert not (tmp_path / "grades").exists()


@pytest.mark.parametrize("address", ["nonsense", "tcp://127.0.0.1:1"])
def test_a_scheduler_that_is_not_there_is_told(
    address: str,
    tmp_path: Path,
    solutions: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(batch, "CONNECT_SECONDS", 0.2)
    folder = course.write(tmp_path / "submissions" / "a" / f"{course.NAME}.ipynb", course.submission()).parents[1]
    options = ["--out", str(tmp_path / "grades"), "--reference", str(solutions), "--no-sandbox"]
    assert main([str(folder), *options, "--scheduler", address]) == 2
    assert f"grade: there is no Dask scheduler at {address}: " in capsys.readouterr().err


def test_help_tells_the_exit_codes() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "grader", "--help"],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert EXIT_CODES.strip() in done.stdout
