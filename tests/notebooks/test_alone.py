"""Each notebook runs by itself, as it does in Colab: in an empty folder, with nothing of this repository to import."""

from pathlib import Path

import nbclient
import nbformat
import pytest

ROOT = Path(__file__).parents[2]

NOT_THERE = """
import importlib.util
found = [name for name in ("scratch", "derive", "grader", "book") if importlib.util.find_spec(name)]
assert not found, f"this repository can be imported here: {found}"
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


@pytest.mark.parametrize("path", notebooks("notebooks") + notebooks("solutions"))
def test_runs_alone(path: Path, tmp_path: Path) -> None:
    run_alone(path, tmp_path, allow_errors=False)


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
