"""Code cells run in a kernel of their own; what they show must be fit to be stored."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from derive import chapter, execute, notebook
from derive.errors import SourceError
from derive.labels import Index
from derive.notebook import Draft, Result, Stored
from derive.source import Source

from .conftest import Folder, code_cell, fence, line

PICTURE = """\
from IPython.display import display
display({"image/png": "iVBORw0KGgo="}, raw=True)"""


def cells(folder: Folder, *body: str) -> tuple[Source, list[Draft]]:
    source = chapter.read(folder.book, folder.chapter("\n".join(body)))
    return source, notebook.code_cells(chapter.draft(source, Index.build(folder.book)))


def run(folder: Folder, *body: str, stored: list[Stored] | None = None) -> list[Result]:
    source, drafts = cells(folder, *body)
    return execute.run(source, drafts, stored or [], "test")


def texts(results: list[Result]) -> list[str]:
    return ["".join(output.get("text", "") for output in result.outputs) for result in results]


def test_cells_run_in_an_empty_folder_where_the_course_cannot_be_imported(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(execute.__file__).parents[1]))
    monkeypatch.setenv("MPLBACKEND", "pdf")
    results = run(
        folder,
        code_cell("import os, sys\nos.listdir()"),
        code_cell("import importlib.util\nimportlib.util.find_spec('derive')"),
        code_cell("print(os.environ.get('MPLBACKEND') != 'pdf')"),
    )
    assert [result.execution_count for result in results] == [1, 2, 3, 4]
    assert results[1].outputs[0].data == {"text/plain": "[]"}
    assert results[2].outputs == ()
    assert texts(results)[3] == "True\n"
    assert os.environ["MPLBACKEND"] == "pdf"


def test_a_page_that_installs_the_course_runs_beside_the_other_notebooks(folder: Folder) -> None:
    folder.write("book/install.py", "import os\nprint(os.path.basename(os.getcwd()))")
    results = run(folder, "```{code-cell}\n:load: ../install.py\n```")
    assert texts(results)[1] == "notebooks\n"


def test_cells_run_where_an_event_loop_runs_already(folder: Folder) -> None:
    async def as_in_jupyter() -> list[Result]:
        return run(folder, code_cell("print(1 + 1)"))

    with ThreadPoolExecutor(1) as elsewhere:  # a loop that has run leaves its thread without one
        assert texts(elsewhere.submit(asyncio.run, as_in_jupyter()).result())[1] == "2\n"


def test_text_that_comes_in_pieces_is_stored_as_one(folder: Folder) -> None:
    results = run(folder, code_cell("import sys\nfor i in range(3):\n    print(i)\n    sys.stdout.flush()"))
    assert len(results[1].outputs) == 1
    assert texts(results)[1] == "0\n1\n2\n"


def test_an_error_that_is_expected_is_stored_as_its_last_line(folder: Folder) -> None:
    results = run(folder, code_cell("int('x')", ":tags: [raises-exception]"), code_cell("print('on')"))
    (error,) = results[1].outputs
    assert error.traceback == ["ValueError: invalid literal for int() with base 10: 'x'"]
    assert texts(results)[2] == "on\n"


def test_a_cell_that_fails_is_told_with_its_line_and_traceback(folder: Folder) -> None:
    with pytest.raises(SourceError) as caught:
        run(folder, code_cell("def f(x):\n    return 1 / x"), code_cell("one = 1\n\nf(0)", ":tags: [export]", ""))
    path = folder.root / "book/chapters/04_adding.md"
    assert str(caught.value) == (
        f"book/chapters/04_adding.md:{line(path, 'f(0)')}: this cell fails: ZeroDivisionError: division by zero"
    )
    traceback = execute.plain(caught.value.detail)
    assert "----> 3 f(0)" in traceback and "return 1 / x" in traceback
    assert traceback.endswith("\nZeroDivisionError: division by zero")


def test_a_file_that_is_loaded_and_fails_is_told_with_the_line_that_loads_it(folder: Folder) -> None:
    folder.write("book/setup.py", "import math\n\nmath.none\n")
    with pytest.raises(SourceError, match="this cell fails: AttributeError") as caught:
        run(folder)
    assert caught.value.line == line(folder.root / "book/chapters/04_adding.md", "{code-cell}")


def test_an_output_that_is_not_fit_is_told_before_the_next_cell_runs(folder: Folder) -> None:
    warn = code_cell("import warnings\n\nwarnings.warn('careful')")
    with pytest.raises(SourceError, match=r"this cell writes to stderr: .*UserWarning: careful") as caught:
        run(folder, warn, code_cell("1 / 0"))
    assert caught.value.line == line(folder.root / "book/chapters/04_adding.md", "warnings.warn")


def test_a_warning_from_elsewhere_is_told_with_the_cell(folder: Folder) -> None:
    define = code_cell("import warnings\ndef f():\n    warnings.warn('careful')")
    with pytest.raises(SourceError, match=r"this cell writes to stderr: .*UserWarning: careful") as caught:
        run(folder, define, code_cell("'one'\n'two'\nf()"))
    assert caught.value.line == fence(folder.root / "book/chapters/04_adding.md", "'one'")


def test_a_kernel_that_dies_is_told(folder: Folder) -> None:
    with pytest.raises(SourceError, match="this cell kills its kernel") as caught:
        run(folder, code_cell("import os\nos._exit(1)"))
    assert caught.value.line == fence(folder.root / "book/chapters/04_adding.md", "os._exit")


def test_a_cell_that_does_not_end_is_told(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execute, "CELL_SECONDS", 1)
    with pytest.raises(SourceError, match="this cell has not ended") as caught:
        run(folder, code_cell("while True: pass"))
    assert caught.value.line == fence(folder.root / "book/chapters/04_adding.md", "while True")


def test_a_measured_output_is_kept_while_no_code_before_it_changes(folder: Folder) -> None:
    measured = code_cell("import time\nprint(time.time_ns())", ":tags: [nbval-ignore-output]")
    body = [code_cell("print('a')"), measured, code_cell("print('b')")]
    source, drafts = cells(folder, *body)
    first = execute.run(source, drafts, [], "test")
    stored = [Stored(draft.source, draft.tags, result) for draft, result in zip(drafts, first, strict=True)]

    again = run(folder, *body[:2], code_cell("print('c')"), stored=stored)
    assert again[2] == first[2]
    assert texts(again)[3] == "c\n"
    anew = run(folder, code_cell("print('d')"), *body[1:], stored=stored)
    assert anew[2] != first[2]


def check(folder: Folder, cell: str, *outputs: dict[str, Any]) -> SourceError | None:
    """What is said of a cell with these outputs."""
    import nbformat

    source, drafts = cells(folder, cell)
    results = [Result(1), Result(2, tuple(nbformat.from_dict(output) for output in outputs))]
    try:
        execute.check(source, drafts, results)
    except SourceError as error:
        assert error.line == fence(source.path, cell.split("\n")[-3])
        return error
    return None


STDOUT = {"output_type": "stream", "name": "stdout", "text": "fine"}
STDERR = {"output_type": "stream", "name": "stderr", "text": "UserWarning: careful\n  more"}
ERROR = {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": ["ValueError: no"]}
IMAGE = {"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo=", "text/plain": "<Figure>"}, "metadata": {}}
ALT = ":mystnb: {image: {alt: A line that rises}}"


def test_outputs_that_are_fit_to_be_stored_pass(folder: Folder) -> None:
    assert check(folder, code_cell("x = 1"), STDOUT) is None
    assert check(folder, code_cell("x = 1", ALT), IMAGE) is None
    assert check(folder, code_cell("x = 1", ":tags: [raises-exception]"), STDOUT, ERROR) is None


@pytest.mark.parametrize(
    ("cell", "outputs", "message"),
    [
        (code_cell("x = 1"), [STDERR], "this cell writes to stderr: UserWarning: careful ..."),
        (code_cell("x = 1"), [IMAGE], 'this cell shows a picture: describe it with :mystnb: {image: {alt: "..."}}'),
        (code_cell("x = 1", ":tags: [raises-exception]"), [STDOUT], "tagged raises-exception and raises nothing"),
        (code_cell("x = 1", ":tags: [raises-exception]"), [], "tagged raises-exception and raises nothing"),
    ],
)
def test_outputs_that_are_not_fit_are_refused(
    folder: Folder, cell: str, outputs: list[dict[str, Any]], message: str
) -> None:
    assert message in str(check(folder, cell, *outputs))


@pytest.mark.parametrize(
    "output",
    [
        {"output_type": "stream", "name": "stdout", "text": "at {root}/x"},
        {"output_type": "execute_result", "data": {"text/html": "<a>{root}</a>"}, "metadata": {}, "execution_count": 2},
        {"output_type": "display_data", "data": {"image/svg+xml": "<svg>{root}</svg>"}, "metadata": {}},
        {"output_type": "error", "ename": "E", "evalue": "no {root}", "traceback": []},
    ],
)
def test_a_path_of_this_machine_is_refused(folder: Folder, output: dict[str, Any]) -> None:
    def put(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: put(inner) for key, inner in value.items()}
        return value.replace("{root}", str(folder.root)) if isinstance(value, str) else value

    error = check(folder, code_cell("x = 1", ALT), put(output))
    assert error is not None and "holds a path of this machine" in error.message


def test_the_folder_of_the_kernel_is_a_path_of_this_machine(folder: Folder) -> None:
    with pytest.raises(SourceError, match="holds a path of this machine"):
        run(folder, code_cell("import os\nos.getcwd()"))
