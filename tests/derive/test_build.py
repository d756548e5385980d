"""`python -m derive` runs what has changed, keeps what is good, and says what is out of step."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from derive import execute
from derive.build import Build

from .conftest import SETUP, Folder, code_cell, line

ADD = code_cell("def add(a, b):\n    return a + b", ":tags: [export]")
BODY = f"Prose.\n\n{ADD}\n{code_cell('print(add(1, 2))')}"

DERIVED = [
    "exercises/04_adding.ipynb",
    "notebooks/04_adding.ipynb",
    "scratch/__init__.py",
    "scratch/adding.py",
    "scratch/data.py",
    "scratch/functional.py",
    "scratch/nn.py",
    "scratch/optim.py",
    "scratch/py.typed",
    "solutions/04_adding.ipynb",
]


def files(folder: Folder) -> dict[str, bytes]:
    """Everything in the derived folders."""
    folders = ("exercises", "notebooks", "scratch", "solutions")
    found = (path for name in folders for path in (folder.root / name).glob("*"))
    return {path.relative_to(folder.root).as_posix(): path.read_bytes() for path in found}


@pytest.fixture(scope="module")
def derived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chapter and its exercises, derived once."""
    folder = Folder(tmp_path_factory.mktemp("derived"))
    folder.start()
    folder.chapter(BODY)
    folder.exercise()
    build = Build(folder.book)
    build.write()
    assert not build.errors
    return folder.root


@pytest.fixture
def course(folder: Folder, derived: Path) -> Folder:
    """A copy of the derived course."""
    shutil.copytree(derived, folder.root, dirs_exist_ok=True)
    return folder


@pytest.fixture
def no_kernel(course: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on, running a notebook is a failure of the test."""

    def refuse(*_: Any) -> None:
        pytest.fail("a notebook was run")

    monkeypatch.setattr(execute, "run", refuse)


def edit(course: Folder, name: str, old: str, new: str) -> None:
    text = course.read(name)
    assert old in text
    course.write(name, text.replace(old, new))


ROOT = Path(execute.__file__).parents[1]
CHAPTER, EXERCISE = "book/chapters/04_adding.md", "book/exercises/04_adding.md"


def test_everything_is_derived_from_two_sources(course: Folder) -> None:
    assert sorted(files(course)) == DERIVED
    notebook = course.notebook("notebooks/04_adding.ipynb")
    assert notebook.cells[-1].outputs[0].text == "3\n"
    assert [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"] == [1, 2, 3]
    solutions = course.notebook("solutions/04_adding.ipynb")
    assert [cell.outputs[0].text for cell in solutions.cells if cell.cell_type == "code" and cell.outputs] == ["6\n"]
    unsolved = [cell for cell in course.notebook("exercises/04_adding.ipynb").cells if cell.cell_type == "code"]
    assert all(cell.execution_count is None and not cell.outputs for cell in unsolved)


@pytest.mark.usefixtures("no_kernel")
def test_when_nothing_has_changed_nothing_is_run_or_written(course: Folder) -> None:
    before = {path: path.stat().st_mtime_ns for path in course.root.rglob("*") if path.is_file()}
    run = course.derive()
    assert (run.code, run.err) == (0, "everything is in step\n")
    assert before == {path: path.stat().st_mtime_ns for path in course.root.rglob("*") if path.is_file()}


@pytest.mark.usefixtures("no_kernel")
def test_an_edit_of_the_prose_runs_nothing_and_keeps_the_outputs(course: Folder) -> None:
    edit(course, CHAPTER, "Prose.", "Better prose.")
    edit(course, EXERCISE, "Write `double`.", "Do write `double`.")
    run = course.derive()
    assert run.code == 0
    notebook = course.notebook("notebooks/04_adding.ipynb")
    assert "Better prose." in [cell.source for cell in notebook.cells]
    assert notebook.cells[-1].outputs[0].text == "3\n"
    assert "Do write" in course.read("solutions/04_adding.ipynb")
    assert "Do write" in course.read("exercises/04_adding.ipynb")


def test_an_edit_of_the_code_runs_that_notebook_alone(course: Folder) -> None:
    edit(course, CHAPTER, "add(1, 2)", "add(2, 2)")
    run = course.derive()
    assert run.code == 0
    assert "running notebooks/04_adding.ipynb (3 cells)" in run.err
    assert "running solutions" not in run.err
    assert course.notebook("notebooks/04_adding.ipynb").cells[-1].outputs[0].text == "4\n"


def test_a_page_that_installs_the_course_sees_what_the_chapters_before_it_export(course: Folder) -> None:
    shutil.rmtree(course.root / "scratch")
    edit(course, CHAPTER, "add(1, 2)", "add(2, 2)")
    course.write("book/install.py", "import sys\n\nsys.path.append('..')\nimport scratch")
    cells = "```{code-cell}\n:load: ../install.py\n```\n\n```{code-cell}\nfrom scratch import adding, nn\n```\n"
    page = course.read(CHAPTER).partition("# ")[0] + f"# Using\n\n{SETUP}\n{cells}"
    course.write("book/chapters/05_using.md", page)
    assert course.derive().code == 0
    assert (course.root / "notebooks/05_using.ipynb").is_file()


def test_an_edit_of_what_is_loaded_runs_what_loads_it(course: Folder) -> None:
    edit(course, "book/grade.py", "seed = 3", "seed = 4")
    run = course.derive()
    assert "running solutions/04_adding.ipynb" in run.err
    assert "running notebooks" not in run.err


def test_a_notebook_without_outputs_is_run(course: Folder) -> None:
    edit(course, "notebooks/04_adding.ipynb", '"execution_count": 3', '"execution_count": null')
    before = course.derive()
    assert "running notebooks/04_adding.ipynb" in before.err
    assert '"execution_count": 3' in course.read("notebooks/04_adding.ipynb")


def test_running_everything_again_gives_the_same_bytes(course: Folder) -> None:
    edit(course, CHAPTER, "print(add(1, 2))", "import time\nprint(time.time_ns())")
    edit(course, CHAPTER, "```{code-cell}\nimport time", "```{code-cell}\n:tags: [nbval-ignore-output]\nimport time")
    assert course.derive().code == 0
    before = files(course)
    run = course.derive("--force")
    assert run.code == 0
    assert run.err.count("running") == 2
    assert "wrote" not in run.err
    assert files(course) == before


def test_a_cell_that_fails_leaves_the_last_good_notebook_and_stops_no_other_source(course: Folder) -> None:
    before = files(course)
    edit(course, CHAPTER, "print(add(1, 2))", "print(add(1))")
    edit(course, CHAPTER, "return a + b", "return b + a")
    course.chapter("More.", name="05_more", title="More")
    run = course.derive()
    assert run.code == 1
    number = line(course.root / CHAPTER, "print(add(1))")
    assert f"{CHAPTER}:{number}: this cell fails: TypeError: add() missing 1 required positional" in run.err
    assert "----> 1 print(add(1))" in run.err
    assert "\x1b" not in run.err
    after = files(course)
    assert after.pop("notebooks/05_more.ipynb")
    assert after == before


def test_a_source_with_a_mistake_leaves_what_it_was_last(course: Folder) -> None:
    before = files(course)
    edit(course, CHAPTER, "Prose.", "Prose {foo}`x`.")
    edit(course, EXERCISE, ":points: 10", ":points: 9")
    run = course.derive()
    assert run.code == 1
    errors = [row.split(": ")[0] for row in run.err.splitlines()]
    chapter, exercise = course.root / CHAPTER, course.root / EXERCISE
    assert errors == [f"{CHAPTER}:{line(chapter, '{foo}')}", f"{EXERCISE}:{line(exercise, '[check]') - 1}"]
    assert files(course) == before


def test_a_source_with_a_mistake_in_its_name_removes_nothing(course: Folder) -> None:
    before = files(course)
    (course.root / CHAPTER).rename(course.root / "book/chapters/4-Adding.md")
    run = course.derive()
    assert run.code == 1
    assert "the name 4-Adding.md must be two digits and a noun phrase" in run.err
    assert "removed" not in run.err
    assert files(course).keys() == before.keys()


@pytest.mark.parametrize("name", [CHAPTER, EXERCISE, "book/glossary.md", "book/setup.py"])
def test_a_source_that_is_not_utf_8_is_told_once_with_the_line(course: Folder, name: str) -> None:
    path = course.root / name
    good = path.read_bytes() if path.exists() else b"# Glossary\n"
    path.write_bytes(good + "# Größe\n".encode("latin-1"))
    number = good.count(b"\n") + 1
    run = course.derive("--check")
    assert (run.code, run.err.splitlines()[0]) == (1, f"{name}:{number}: this is not UTF-8: save the file as UTF-8")
    assert run.err.count("UTF-8") == 2


def test_a_byte_order_mark_is_refused(course: Folder) -> None:
    course.write(CHAPTER, "\ufeff" + course.read(CHAPTER))
    run = course.derive("--check")
    message = "this starts with a byte order mark: save the file as UTF-8 without one"
    assert (run.code, run.err) == (1, f"{CHAPTER}:1: {message}\n")


@pytest.mark.parametrize(
    ("entries", "number", "message"),
    [
        ("@book{a,\n title={x}\n year={2}\n}\n", 3, "syntax error: '}' expected"),
        ("@book{a,\n title={x}}\n\n@book{a,\n title={y}}\n", 4, "repeated bibliography entry: a"),
        ("@book{a,\n author={A, B, C, D}}\n", 2, "Too many commas in 'A, B, C, D'"),
    ],
)
def test_a_broken_bibliography_is_told_with_its_line(course: Folder, entries: str, number: int, message: str) -> None:
    course.write("book/references.bib", entries)
    edit(course, CHAPTER, "Prose.", "Prose {cite:p}`a`.")
    edit(course, EXERCISE, "Write `double`.", "Write `double` {cite:p}`a`.")
    run = course.derive("--check")
    assert run.code == 1
    assert run.err == f"book/references.bib:{number}: the bibliography cannot be read: {message}\n"


def test_a_bibliography_that_is_not_there_is_told(course: Folder) -> None:
    (course.root / "book/references.bib").unlink()
    edit(course, CHAPTER, "Prose.", "Prose {cite:p}`a`.")
    assert course.derive("--check").err == "book/references.bib:1: cannot be read: No such file or directory\n"


def test_a_name_that_two_pages_claim_is_an_error(course: Folder) -> None:
    course.chapter("(here)=\n## Here\n", name="05_one")
    course.chapter("(here)=\n## Here\n", name="06_two")
    run = course.derive("--check")
    assert run.code == 1
    number = line(course.root / "book/chapters/06_two.md", "(here)=")
    assert f"book/chapters/06_two.md:{number}: the label here is taken" in run.err


def test_single_sources_can_be_named(course: Folder) -> None:
    edit(course, CHAPTER, "Prose.", "Better prose.")
    edit(course, EXERCISE, "Write `double`.", "Do write `double`.")
    course.write("notebooks/99_old.ipynb", "{}")
    assert course.derive(CHAPTER).code == 0
    assert "Better prose." in course.read("notebooks/04_adding.ipynb")
    assert "Do write" not in course.read("exercises/04_adding.ipynb")
    assert (course.root / "notebooks/99_old.ipynb").exists()


def test_what_has_no_source_any_more_is_removed(course: Folder) -> None:
    (course.root / CHAPTER).rename(course.root / "book/chapters/05_sums.md")
    course.write("scratch/notes.txt", "mine")
    run = course.derive()
    assert run.code == 0
    assert "removed notebooks/04_adding.ipynb: it has no source" in run.err
    assert "removed scratch/adding.py: it has no source" in run.err
    assert {"notebooks/05_sums.ipynb", "scratch/sums.py", "scratch/notes.txt"} <= files(course).keys()
    assert not {"notebooks/04_adding.ipynb", "scratch/adding.py"} & files(course).keys()


def test_a_file_that_is_being_written_is_never_half_there(course: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files(course)
    edit(course, CHAPTER, "Prose.", "Better prose.")

    def fail(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:10])
        raise OSError("the disk is full")

    monkeypatch.setattr(Path, "write_bytes", fail)
    run = course.derive()
    assert (run.code, run.err) == (1, "cannot write notebooks/04_adding.ipynb: the disk is full\n")
    assert files(course) == before


def test_a_file_that_cannot_be_written_is_told_and_the_others_go_on(
    course: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(course, CHAPTER, "Prose.", "Better prose.")
    edit(course, EXERCISE, "Write `double`.", "Do write `double`.")
    write, unlink = Path.write_bytes, Path.unlink

    def refuse(path: Path) -> None:
        if path.parent.name == "notebooks":
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    def write_bytes(path: Path, data: bytes) -> int:
        refuse(path)
        return write(path, data)

    def remove(path: Path, missing_ok: bool = False) -> None:
        refuse(path)
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    monkeypatch.setattr(Path, "unlink", remove)
    run = course.derive()
    assert run.code == 1
    assert run.err.startswith("cannot write notebooks/04_adding.ipynb: Read-only file system\nwrote solutions/")
    assert "Do write" in course.read("exercises/04_adding.ipynb")


def test_a_file_that_cannot_be_removed_is_told(course: Folder) -> None:
    course.write("notebooks/99_old.ipynb/file", "a folder, which no unlink removes")
    run = course.derive()
    assert run.code == 1
    assert run.err.startswith("cannot remove notebooks/99_old.ipynb: ")


def nothing(course: Folder) -> None: ...


def prose(course: Folder) -> None:
    edit(course, CHAPTER, "Prose.", "Better prose.")


def code(course: Folder) -> None:
    edit(course, CHAPTER, "add(1, 2)", "add(2, 2)")


def mutant(course: Folder) -> None:
    edit(course, EXERCISE, "return 3 * x", "return 5 * x")


def answer(course: Folder) -> None:
    edit(course, EXERCISE, "return 2 * x", "return x + x")


def by_hand(course: Folder) -> None:
    edit(course, "notebooks/04_adding.ipynb", "Prose.", "My prose.")


def by_hand_in_scratch(course: Folder) -> None:
    edit(course, "scratch/adding.py", "a + b", "b + a")


def listed(course: Folder) -> None:
    edit(course, CHAPTER, "kernelspec:", "exports_functional: [add]\nkernelspec:")


def orphan(course: Folder) -> None:
    course.write("notebooks/99_old.ipynb", "{}")


def missing(course: Folder) -> None:
    (course.root / "exercises/04_adding.ipynb").unlink()


@pytest.mark.usefixtures("no_kernel")
@pytest.mark.parametrize(
    ("change", "found"),
    [
        (nothing, []),
        (prose, ["notebooks/04_adding.ipynb is out of date with book/chapters/04_adding.md"]),
        (code, ["notebooks/04_adding.ipynb is out of date with book/chapters/04_adding.md"]),
        (mutant, []),
        (answer, ["solutions/04_adding.ipynb is out of date with book/exercises/04_adding.md"]),
        (by_hand, ["notebooks/04_adding.ipynb is out of date with book/chapters/04_adding.md"]),
        (by_hand_in_scratch, ["scratch/adding.py is out of date with book/chapters/04_adding.md"]),
        (listed, ["scratch/functional.py is out of date with book/chapters"]),
        (orphan, ["notebooks/99_old.ipynb has no source any more"]),
        (missing, ["exercises/04_adding.ipynb is missing: it comes from book/exercises/04_adding.md"]),
    ],
)
def test_check_lists_what_is_out_of_step_and_changes_nothing(
    course: Folder, change: Callable[[Folder], None], found: list[str]
) -> None:
    change(course)
    before = files(course)
    run = course.derive("--check")
    assert run.out.splitlines() == found
    assert run.code == bool(found)
    assert files(course) == before


def test_check_says_what_is_wrong_with_a_source(course: Folder) -> None:
    edit(course, CHAPTER, "Prose.", "Prose {foo}`x`.")
    run = course.derive("--check")
    assert (run.code, run.out) == (1, "")
    number = line(course.root / CHAPTER, "{foo}")
    assert run.err.startswith(f"{CHAPTER}:{number}: unknown role {{foo}}: use one of ")


def test_a_picture_whose_description_is_taken_away_is_refused_without_running(folder: Folder, monkeypatch: Any) -> None:
    alt = ':mystnb: {image: {alt: "A point"}}'
    show = "from IPython.display import display\ndisplay({'image/png': 'iVBORw0KGgo='}, raw=True)"
    path = folder.chapter(code_cell(show, alt))
    assert folder.derive().code == 0
    path.write_text(path.read_text().replace(f"{alt}\n", ""))
    monkeypatch.setattr(execute, "run", lambda *_: pytest.fail("a notebook was run"))
    for run in (folder.derive("--check"), folder.derive()):
        assert run.code == 1
        assert "this cell shows a picture" in run.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["book/chapters/05_none.md"], "book/chapters/05_none.md is no source"),
        (["notebooks/04_adding.ipynb"], "notebooks/04_adding.ipynb is no source"),
        (["--check", "--force"], "--check runs nothing"),
        (["--fast"], "unrecognized arguments: --fast"),
    ],
)
def test_bad_usage_exits_2(folder: Folder, arguments: list[str], message: str) -> None:
    run = folder.derive(*arguments)
    assert run.code == 2
    assert message in run.err


def test_ctrl_c_stops_without_a_traceback(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    folder.chapter(BODY)
    monkeypatch.setattr(execute, "run", interrupt)
    run = folder.derive()
    assert run.code == 130
    assert run.err.endswith("stopped\n")
    assert not files(folder)


def test_ctrl_c_while_a_cell_runs_says_no_more_than_stopped(folder: Folder) -> None:
    folder.chapter(
        code_cell(f"import pathlib, time\npathlib.Path({str(folder.root / 'begun')!r}).touch()\ntime.sleep(99)")
    )
    command = [sys.executable, "-m", "derive"]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=folder.root, env=env, stderr=subprocess.PIPE, text=True) as process:
        while not (folder.root / "begun").exists() and process.poll() is None:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert (process.returncode, err) == (130, "running notebooks/04_adding.ipynb (2 cells)\nstopped\n")


def test_what_only_running_needs_is_not_imported_before() -> None:
    heavy = {"torch", "nbclient", "jupyter_client", "IPython", "ipykernel", "pybtex", "sphinx", "tqdm"}
    code = f"import sys, derive.__main__, derive.site; print(*{heavy!r} & sys.modules.keys())"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout == "\n"
