"""A folder of submissions: every one gets its row and its page, and a batch that was stopped goes on."""

from __future__ import annotations

import csv
import html
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import dask
import pytest
from bs4 import BeautifulSoup

from grader import sandbox
from grader.cli import main
from grader.kernel import ORDINARY

from . import course
from .conftest import rows
from .course import RIGHT

ROOT = Path(__file__).parents[2]
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"
POINTS = {"double": 2, "total": 3, "primes": 1}


def grade(submissions: Path, solutions: Path, *options: str) -> int:
    out = submissions.with_name("grades")
    command = [str(submissions), "--out", str(out), "--reference", str(solutions), "--no-sandbox", "--workers", "1"]
    return main([*command, *options])


def fill(folder: Path) -> None:
    """A class: right, wrong and odd work, in both layouts."""
    name = f"{course.NAME}.ipynb"
    course.write(folder / "ada" / name, course.submission())
    course.write(folder / f"bob_{name}", course.submission({"double": "def double(x):\n    return x * x"}))
    course.write(folder / f"van_dyk_{name}", course.submission({}))
    course.write(folder / "dora" / "deep" / "in" / "01_numbers (2).ipynb", course.submission())
    course.write(folder / f"eve_{name}", course.submission({"double": f"raise ValueError({EVIL!r})"}))
    course.write(folder / EVIL.replace("/", "") / name, course.submission())
    course.write(folder / "=cmd()" / name, course.submission())
    course.write(folder / "gone" / name, course.submission({"double": "import os; os._exit(0)"}))
    course.write(folder / "caller" / name, course.submission({**RIGHT, "total": "total = sum"}))
    course.write(folder / "ida" / ".ipynb_checkpoints" / name, course.submission())
    (folder / os.fsdecode(b"caf\xe9")).mkdir()
    course.write(folder / os.fsdecode(b"caf\xe9") / name, course.submission())
    (folder / f"cut_{name}").write_bytes(b'{"cells": [')
    (folder / f"linked_{name}").symlink_to(folder / "ada" / name)
    (folder / f"room_{name}").mkdir()
    (folder / "essay.pdf").write_bytes(b"%PDF")
    (folder / ".DS_Store").write_bytes(b"\0")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory, solutions: Path) -> Path:
    """The grades of that class."""
    folder = tmp_path_factory.mktemp("class") / "submissions"
    fill(folder)
    assert grade(folder, solutions, "--workers", "2") == 1, "some could not be graded"
    return folder.with_name("grades")


def test_everyone_has_a_row(out: Path) -> None:
    given = {learner: (row["status"], row["points"]) for learner, row in rows(out).items()}
    assert given == {
        "ada": ("graded", 6),
        "bob": ("graded", 0),
        "van_dyk": ("graded", 0),
        "dora": ("graded", 6),
        "eve": ("graded", 0),
        EVIL.replace("/", ""): ("graded", 6),
        "=cmd()": ("graded", 6),
        "gone": ("graded", 0),
        "caller": ("graded", 3),
        "caf\N{REPLACEMENT CHARACTER}": ("graded", 6),
        "ida": ("unreadable", None),
        "cut": ("unreadable", None),
        "linked": ("unreadable", None),
        "room": ("unreadable", None),
        "essay": ("unreadable", None),
    }


@pytest.mark.parametrize(
    ("learner", "reason"),
    [
        ("ida", "there is no notebook (.ipynb) in the folder"),
        ("cut", "the file is no notebook: it is not JSON"),
        ("linked", "the file is a link, not a notebook"),
        ("room", "it is a folder, not a notebook"),
        ("essay", "essay.pdf is no notebook (.ipynb)"),
    ],
)
def test_who_could_not_be_graded_is_told_why(learner: str, reason: str, out: Path) -> None:
    assert rows(out)[learner]["reason"].startswith(reason)


def test_a_line_holds_what_was_graded_and_how(out: Path) -> None:
    row = rows(out)["bob"]
    double, total, _ = row["tasks"]
    assert double == {
        "task": "double",
        "points": 0,
        "max_points": 2,
        "status": "failed",
        "message": "that is the square",
        "hint": "Hint 1: what is double?",
    }
    assert total["status"] == "missing"
    assert (row["notebook"], row["max_points"], row["reason"]) == (course.NAME, 6, "")
    assert re.fullmatch("[0-9a-f]{64}", row["submission_sha256"])
    assert re.fullmatch("[0-9a-f]{64}", row["reference_sha256"])
    assert row["seconds"] > 0
    assert len({row["seed_id"] for row in rows(out).values() if row["status"] == "graded"}) == 1


def test_what_a_task_forbids_is_refused_by_name(out: Path) -> None:
    total = rows(out)["caller"]["tasks"][1]
    assert (total["status"], total["points"]) == ("failed", 0)
    assert total["message"] == "The answer uses sum, which this task asks you to do without."


def test_an_answer_that_ends_its_kernel_is_a_crash_and_no_silent_zero(out: Path) -> None:
    assert rows(out)["gone"]["tasks"][0]["status"] == "crashed"
    assert "an answer ended the process" in (out / "summary.html").read_text(encoding="utf-8")


def test_the_table_has_a_row_for_each_and_a_column_for_each_task(out: Path) -> None:
    with (out / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        table = {row["learner"]: row for row in csv.DictReader(file)}
    assert len(table) == 15
    assert (out / "grades.csv").read_bytes().startswith(b"\xef\xbb\xbf"), "Excel would take it for another encoding"
    assert table["ada"]["file"].startswith("ada")
    assert {name: table["ada"][name] for name in POINTS} == {name: str(points) for name, points in POINTS.items()}
    assert (table["ada"]["points"], table["ada"]["max_points"]) == ("6", "6")
    assert (table["cut"]["status"], table["cut"]["points"]) == ("unreadable", "")
    assert "'=cmd()" in table, "a spreadsheet would run it"


def pages(out: Path) -> list[Path]:
    return sorted([*(out / "feedback").rglob("*.html"), out / "summary.html"])


def test_everyone_has_a_page(out: Path) -> None:
    assert len(pages(out)) == 15 + 1
    page = BeautifulSoup((out / "feedback" / "bob" / f"{course.NAME}.html").read_text(encoding="utf-8"), "html.parser")
    text = page.text
    assert "0 of 6 points" in text
    assert "that is the square" in text
    assert "Hint 1: what is double?" in text and "Think of double." in text
    assert "Write double." in text, "the prose of a task is Markdown, and is shown as such"
    assert "double" in [code.text for code in page("code")]


def test_pages_run_nothing_and_fetch_nothing(out: Path) -> None:
    for path in pages(out):
        page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        assert not page(["script", "img", "iframe", "link", "object", "a", "form"]), path
        assert not [tag for tag in page(True) if any(name.startswith("on") for name in tag.attrs)], path
    eve = (out / "feedback" / "eve" / f"{course.NAME}.html").read_text(encoding="utf-8")
    assert html.escape(EVIL) in eve


def test_nothing_that_is_written_tells_a_grade_cell(out: Path) -> None:
    for path in out.rglob("*.*"):
        text = path.read_text(encoding="utf-8")
        for secret in ("randint", "random.Random", "x-grade", "BEGIN SOLUTION"):
            assert secret not in text, path


def test_the_summary_counts_what_was_misunderstood(out: Path) -> None:
    text = BeautifulSoup((out / "summary.html").read_text(encoding="utf-8"), "html.parser").get_text(" ", strip=True)
    assert "10 graded" in text
    assert "1 double that is the square" in text
    assert "double 2 60 %" in text


def small(folder: Path, learners: str, answer: str = RIGHT["double"]) -> Path:
    for learner in learners:
        course.write(folder / f"{learner}_{course.NAME}.ipynb", course.submission({**RIGHT, "double": answer}))
    return folder


def test_a_second_run_grades_what_is_new_or_changed_and_again_grades_all(
    tmp_path: Path, solutions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = small(tmp_path / "submissions", "ab")
    out = tmp_path / "grades"
    assert grade(folder, solutions, "--seed", "1") == 0
    first = rows(out)

    assert grade(folder, solutions) == 0
    assert rows(out) == first
    assert "2 graded before, and kept" in capsys.readouterr().err

    small(folder, "bc", "def double(x):\n    return x")
    with (out / "grades.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"learner": "c", "note')  # the line at which a machine was switched off
    assert grade(folder, solutions) == 0
    second = rows(out)
    assert second["a"] == first["a"]
    assert [second[learner]["points"] for learner in "abc"] == [6, 4, 4]
    assert len((out / "grades.jsonl").read_text(encoding="utf-8").splitlines()) == 3

    assert grade(folder, solutions, "--again") == 0
    assert len({row["seed_id"] for row in rows(out).values()} - {first["a"]["seed_id"], second["b"]["seed_id"]}) == 1
    assert "3 graded, mean 4.7, median 4 of 6 points" in capsys.readouterr().out

    assert grade(folder, solutions, "--seed", "1") == 0, "another seed was asked for"
    assert {row["seed_id"] for row in rows(out).values()} == {first["a"]["seed_id"]}


def test_what_ran_too_long_is_graded_again_when_it_may_run_longer(tmp_path: Path, solutions: Path) -> None:
    folder = small(tmp_path / "submissions", "a", f"import time; time.sleep(2)\n{RIGHT['double']}")
    assert grade(folder, solutions, "--timeout", "1") == 0
    late = rows(tmp_path / "grades")
    assert late["a"]["tasks"][0]["status"] == "timeout"
    assert grade(folder, solutions, "--timeout", "0.5") == 0
    assert rows(tmp_path / "grades") == late
    assert grade(folder, solutions, "--timeout", "30") == 0
    assert rows(tmp_path / "grades")["a"]["points"] == 6


def wait_for_a_line(path: Path, process: subprocess.Popen[str]) -> None:
    while not (path.exists() and path.read_text(encoding="utf-8").count("\n")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)


def test_stopping_a_batch_keeps_what_is_done(tmp_path: Path, solutions: Path) -> None:
    folder = small(tmp_path / "submissions", "abcdef", f"import time; time.sleep(0.5)\n{RIGHT['double']}")
    out = tmp_path / "grades"
    command = [sys.executable, "-m", "grader", str(folder), "--out", str(out), "--reference", str(solutions)]
    command += ["--no-sandbox", "--workers", "1"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for_a_line(out / "grades.jsonl", process)
    process.send_signal(signal.SIGINT)
    said = process.communicate()[1]
    assert process.returncode == 130, said
    assert said.splitlines()[-1] == "grade: stopped"
    done = rows(out)
    assert 0 < len(done) < 6
    with (out / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        assert {row["learner"] for row in csv.DictReader(file)} == set(done)

    assert grade(folder, solutions) == 0
    after = rows(out)
    assert len(after) == 6
    assert {learner: after[learner] for learner in done} == done


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )


@pytest.fixture
def address(tmp_path: Path) -> Any:
    """The address of a scheduler, and its two workers, each a process."""
    file = tmp_path / "scheduler.json"
    scheduler = start(
        "distributed.cli.dask_scheduler",
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--no-dashboard",
        "--scheduler-file",
        str(file),
    )
    while not file.exists():
        assert scheduler.poll() is None
        time.sleep(0.05)
    address = json.loads(file.read_text(encoding="utf-8"))["address"]
    options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(tmp_path)]
    workers = [start("distributed.cli.dask_worker", address, *options) for _ in range(2)]
    yield address, workers
    for process in [*workers, scheduler]:
        process.kill()
        process.wait()


def test_a_worker_that_is_killed_costs_nobody_anything(address: Any, tmp_path: Path, solutions: Path) -> None:
    where, workers = address
    folder = small(tmp_path / "submissions", "abcdef", f"import time; time.sleep(0.5)\n{RIGHT['double']}")
    out = tmp_path / "grades"
    command = ["grader", str(folder), "--out", str(out), "--reference", str(solutions), "--no-sandbox"]
    grading = start(*command, "--scheduler", where)
    wait_for_a_line(out / "grades.jsonl", grading)
    workers[0].kill()
    assert grading.wait() == 0
    assert {learner: row["points"] for learner, row in rows(out).items()} == dict.fromkeys("abcdef", 6)
    assert len((out / "grades.jsonl").read_text(encoding="utf-8").splitlines()) == 6
    assert workers[1].poll() is None


def test_a_submission_that_kills_every_worker_is_told_from_a_zero(
    tmp_path: Path, solutions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "open_kernel", lambda: ORDINARY)  # the parent of a warm kernel is no worker
    folder = small(tmp_path / "submissions", "a")
    small(folder, "b", "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)")
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}):
        assert grade(folder, solutions) == 1
    given = rows(tmp_path / "grades")
    assert given["b"]["status"] == "unreadable"
    assert given["b"]["reason"] == "it was not graded: each worker that was at it was lost"
    assert given["a"]["points"] == 6
