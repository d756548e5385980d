"""A class that runs nbgrader uses the notebooks as they are: nbgrader makes the assignment, and grades it."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

pytest.importorskip("nbgrader", reason="nbgrader is optional: pip install -r requirements/nbgrader.txt")

ROOT = Path(__file__).parents[2]
SOLUTIONS = [
    pytest.param(path, id=path.stem, marks=pytest.mark.xdist_group(path.stem))
    for path in sorted((ROOT / "solutions").glob("*.ipynb"))
]
ASSIGNMENT = "assignment"


def config() -> str:
    """The `nbgrader_config.py` that the page for teachers shows."""
    page = (ROOT / "book" / "grading.md").read_text(encoding="utf-8")
    shown: str
    (shown,) = [code for code in re.findall(r"^```python\n(.*?)^```", page, re.M | re.S) if "get_config()" in code]
    return shown


class Course:
    """A folder as nbgrader wants it, and the commands that a teacher runs in it."""

    def __init__(self, folder: Path, notebook: Path) -> None:
        self.folder = folder
        self.name = notebook.name
        self.stem = notebook.stem
        (folder / "nbgrader_config.py").write_text(config(), encoding="utf-8")
        self.put("source", notebook)
        self.run("generate_assignment", ASSIGNMENT)

    @property
    def released(self) -> Path:
        return self.folder / "release" / ASSIGNMENT / self.name

    def put(self, step: str, notebook: Path, learner: str = "") -> None:
        target = self.folder / step / learner / ASSIGNMENT / self.name
        target.parent.mkdir(parents=True)
        shutil.copy(notebook, target)

    def run(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "nbgrader", *arguments]
        programs = (
            f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # nbgrader calls alembic by its name
        )
        changed = {"PATH": programs, "JUPYTER_CONFIG_DIR": str(self.folder / "jupyter")}
        done = subprocess.run(
            command, cwd=self.folder, env=os.environ | changed, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]

    def scores(self) -> dict[str, tuple[float, float]]:
        """Points of each learner, and the most there are."""
        self.run("export")
        with (self.folder / "grades.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return {row["student_id"]: (float(row["raw_score"]), float(row["max_score"])) for row in rows}


@pytest.fixture(scope="module", params=SOLUTIONS)
def course(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Course:
    return Course(tmp_path_factory.mktemp("course"), request.param)


def test_the_assignment_holds_no_answer(course: Course) -> None:
    sources = "\n".join(cell.source for cell in nbformat.read(course.released, as_version=4).cells)
    assert "BEGIN SOLUTION" not in sources
    assert "solutions/" not in sources, "not even a link to one"
    assert "YOUR CODE HERE" in sources


def test_the_assignment_holds_no_grade_cell(course: Course) -> None:
    tags = [cell.metadata.get("tags", []) for cell in nbformat.read(course.released, as_version=4).cells]
    assert not [tag for tag in tags if "grade" in tag]


def test_our_solutions_get_full_marks_and_empty_answers_none(course: Course) -> None:
    source = ROOT / "solutions" / course.name
    course.put("submitted", source, "solved")
    course.put("submitted", ROOT / "exercises" / course.name, "handed_out")
    course.put("submitted", course.released, "released")
    course.run("autograde", ASSIGNMENT)
    assert course.scores() == {"solved": (10, 10), "handed_out": (0, 10), "released": (0, 10)}
