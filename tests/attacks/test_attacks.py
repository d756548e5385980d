"""No attack earns a point, no honest work loses one, and no submission loses its row."""

from __future__ import annotations

import csv
import os
import re
import site
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from tests.attacks.case import PASSED, Case
from tests.attacks.conftest import CASES, Graded, World
from tests.attacks.submissions import GRADE_SOURCES, POINTS, TASKS

SIZE_OF_A_ROW = 1_000_000
SIZE_OF_A_PAGE = 2_000_000


def _batch(case: Case, request: pytest.FixtureRequest) -> Graded:
    batch: Graded = request.getfixturevalue("slow" if case.slow else "fast")
    return batch


@pytest.fixture
def batches(fast: Graded, slow: Graded) -> list[Graded]:
    return [fast, slow]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_gets_what_it_deserves(case: Case, request: pytest.FixtureRequest) -> None:
    row = _batch(case, request).row(case)
    assert row["status"] == "graded", f"{row['status']}: {row['reason']}"
    tasks = {task["task"]: task for task in row["tasks"]}
    assert list(tasks) == list(TASKS)
    got = {name: task["status"] for name, task in tasks.items()}
    undeserved = [name for name, status in got.items() if status == "passed" and "passed" not in case.deserves[name]]
    assert not undeserved, f"points for nothing: {case.why}"
    said = {name: task["message"] for name, task in tasks.items() if got[name] not in case.deserves[name]}
    assert not said, f"{case.why}; it got {got} and was told {said}"
    assert all(case.says in task["message"] for task in tasks.values() if task["status"] != "passed")
    for name, task in tasks.items():
        assert task["points"] == (POINTS[name] if got[name] in PASSED else 0)
        assert task["max_points"] == POINTS[name]
    assert row["points"] == sum(task["points"] for task in tasks.values())
    assert row["max_points"] == sum(POINTS.values())


def test_every_submission_has_its_row(batches: list[Graded]) -> None:
    for batch in batches:
        assert set(batch.rows) == {case.folder for case in batch.cases}, batch.done.stderr[-2000:]
        with (batch.grades / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
            assert len(list(csv.DictReader(file))) == len(batch.cases)


def test_the_exit_code_says_how_it_went(fast: Graded) -> None:
    crashed = any(task["status"] == "crashed" for row in fast.rows.values() for task in row["tasks"])
    assert fast.done.returncode == int(crashed), fast.done.stderr[-2000:]


def test_every_learner_has_a_page(batches: list[Graded]) -> None:
    for batch in batches:
        assert len([name for name in batch.pages() if name.startswith("feedback/")]) == len(batch.cases)


def test_nothing_arrived_from_inside(world: World, batches: list[Graded]) -> None:
    assert world.listeners.heard == []


def test_nothing_was_written_outside(world: World, batches: list[Graded]) -> None:
    assert not world.trap.exists(), "a file that a learner left was run outside of the sandbox"
    shared = {sys.prefix, sys.base_prefix, *sys.path, *site.getsitepackages(), "/", "/tmp", "/var/tmp", "/dev/shm"}
    places = {Path(place).resolve() for place in shared if place} | {world.folder, Path.home(), Path.cwd()}
    found = [path for place in places if place.is_dir() for path in place.iterdir() if world.marker in path.name]
    assert found == []
    assert list(world.folder.rglob(f"*{world.marker}*")) == []


def test_submissions_are_as_they_were(batches: list[Graded]) -> None:
    for batch in batches:
        left = {path.name for folder in batch.submissions.iterdir() for path in folder.iterdir()}
        assert len(left) == 1, f"besides the notebooks there is {left}"


def test_no_process_is_left(world: World, batches: list[Graded]) -> None:
    left = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if world.marker.encode() in command and int(process.name) != os.getpid():
            left.append(command)
    assert left == []


def test_what_comes_out_is_small(batches: list[Graded]) -> None:
    for batch in batches:
        rows = (batch.grades / "grades.jsonl").read_bytes().splitlines()
        assert max(map(len, rows)) < SIZE_OF_A_ROW
        assert max(len(page) for page in batch.pages().values()) < SIZE_OF_A_PAGE
        assert len(batch.done.stdout) + len(batch.done.stderr) < SIZE_OF_A_PAGE


def test_the_pages_hold_no_script_of_a_learner(batches: list[Graded]) -> None:
    for batch in batches:
        for name, text in batch.pages().items():
            page = BeautifulSoup(text, "html.parser")
            for tag in page.find_all(True):
                assert not any(key.startswith("on") for key in tag.attrs), f"{name}: {tag}"
                for key in ("href", "src", "action", "data", "srcdoc"):
                    assert "javascript:" not in str(tag.get(key, "")), f"{name}: {tag}"
                if tag.name in ("script", "svg", "iframe", "object", "embed"):
                    assert "hacked" not in str(tag) and "onload" not in str(tag), f"{name}: {tag}"
                if tag.name == "img":
                    assert tag.get("src") != "x", f"{name}: {tag}"
            assert "1337" not in text, f"{name}: a learner's text was taken for a template"


def test_the_pages_show_what_the_learner_was_told(fast: Graded) -> None:
    (page,) = [text for name, text in fast.pages().items() if name.startswith("feedback/script_in_messages/")]
    assert "alert('hacked')" in BeautifulSoup(page, "html.parser").get_text()


def test_nothing_tells_what_the_grade_cells_hold(batches: list[Graded]) -> None:
    lines = {line.strip() for source in GRADE_SOURCES for line in source.splitlines()}
    telling = {line for line in lines if "draw.tensor(" in line or "Draw(" in line}
    assert telling
    for batch in batches:
        texts = {**batch.pages(), "grades.jsonl": (batch.grades / "grades.jsonl").read_text(encoding="utf-8")}
        for name, text in texts.items():
            seen = " ".join(BeautifulSoup(text, "html.parser").get_text().split())
            assert not [line for line in telling if line in seen], f"{name} shows the source of a grade cell"


def test_no_control_character_reaches_the_terminal_or_the_files(batches: list[Graded]) -> None:
    for batch in batches:
        for text in (batch.done.stdout, batch.done.stderr, *batch.pages().values()):
            assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f]|\x1b\\]|\x1b\\[2J", text)


def test_a_spreadsheet_takes_no_name_for_a_formula(fast: Graded) -> None:
    with (fast.grades / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        values = [value for row in csv.reader(file) for value in row]
    assert not [value for value in values if value.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_the_secret_of_the_environment_is_nowhere(world: World, batches: list[Graded]) -> None:
    for batch in batches:
        for path in batch.grades.rglob("*"):
            assert not path.is_file() or world.canary.encode() not in path.read_bytes(), path
