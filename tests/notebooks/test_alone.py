"""Each notebook runs by itself, as it does in Colab, with nothing of this repository to import.

One is the exception, which says so and installs what it imports: the capstone. derive has run the others in an empty
folder; nbval runs each again beside these tests.
"""

import ast
import subprocess
import sys
from pathlib import Path

import nbclient
import nbformat
import pytest

ROOT = Path(__file__).parents[2]
CAPSTONE = ROOT / "notebooks" / "18_capstone.ipynb"

REPOSITORY = ("book", "derive", "grader", "scratch")

NOT_THERE = f"""
import importlib.util
found = [name for name in {REPOSITORY} if importlib.util.find_spec(name)]
assert not found, f"this repository can be imported here: {{found}}"
"""


def notebooks(folder: str) -> list[object]:
    paths = sorted((ROOT / folder).glob("*.ipynb"))
    assert paths, f"no notebooks in {folder}/"
    return [pytest.param(path, id=f"{folder}/{path.stem}") for path in paths]


def run_alone(path: Path, folder: Path, allow_errors: bool) -> nbformat.NotebookNode:
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(NOT_THERE))
    client = nbclient.NotebookClient(
        notebook, timeout=300, allow_errors=allow_errors, resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    assert not [output for output in notebook.cells[0].outputs if output.output_type == "error"]
    return notebook


def imported(code: str) -> set[str]:
    """The packages that a cell imports."""
    names = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or ".").partition(".")[0])
    return names


@pytest.mark.parametrize("path", notebooks("notebooks") + notebooks("solutions"))
def test_imports_nothing_of_the_repository(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    names = set().union(*(imported(cell.source) for cell in cells if cell.cell_type == "code"))
    assert "torch" in names
    assert names & {*REPOSITORY, ""} == ({"scratch"} if path == CAPSTONE else set())


def test_the_capstone_installs_what_it_imports_before_it_imports_it() -> None:
    cells = nbformat.read(CAPSTONE, as_version=4).cells
    first, second, *_ = [cell.source for cell in cells if cell.cell_type == "code"]
    assert "scratch" not in first
    assert second == (ROOT / "book" / "install.py").read_text(encoding="utf-8").strip()


def test_the_capstone_says_what_to_do_when_it_cannot_install(tmp_path: Path) -> None:
    """In an empty folder, with a pip that fails."""
    code = (ROOT / "book" / "install.py").read_text(encoding="utf-8")
    broken = f"import subprocess; subprocess.run = lambda *a, **k: subprocess.CompletedProcess(a, 1)\n{code}"
    command = [sys.executable, "-I", "-c", broken]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "Download ZIP, unpack the file, and open notebooks/18_capstone.ipynb" in done.stderr


@pytest.mark.parametrize("folder", ["notebooks", "solutions"])
def test_nothing_of_the_repository_can_be_imported_where_notebooks_run(folder: str) -> None:
    nothing = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    client = nbclient.NotebookClient(nothing, resources={"metadata": {"path": str(ROOT / folder)}})
    nothing.cells.append(nbformat.v4.new_code_cell(NOT_THERE))
    client.execute()


@pytest.mark.parametrize("path", notebooks("exercises"))
def test_an_unsolved_exercise_fails_every_check_and_nothing_else(path: Path, tmp_path: Path) -> None:
    notebook = run_alone(path, tmp_path, allow_errors=True)
    for cell in notebook.cells[1:]:
        if cell.cell_type == "code":
            failed = any(output.output_type == "error" for output in cell.outputs)
            is_check = "check" in cell.metadata.get("tags", [])
            assert failed == is_check, (
                f"{'a check passes' if is_check else 'a cell fails'} in the unsolved exercise:\n{cell.source}"
            )


@pytest.mark.parametrize("path", notebooks("exercises"))
def test_a_learner_gets_no_solution(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    tags = {tag for cell in notebook.cells for tag in cell.metadata.get("tags", [])}
    assert not tags & {"grade", "mutant"}
    assert not any("BEGIN SOLUTION" in cell.source or cell.get("outputs") for cell in notebook.cells)
