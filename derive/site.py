"""What the site asks of derive: an exercise page without its solutions, and a chapter with its outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from derive import chapter, exercise, notebook
from derive.config import Book
from derive.errors import SourceError
from derive.myst import parser_config


def learner_source(path: Path, text: str) -> str:
    """The text of the exercise page at `path` as a learner may see it.

    Grade cells and mutants are gone, answers are stubs. Every line that is left keeps its number. Raises
    `SourceError` where the page has a mistake.
    """
    page = exercise.read(path, text)
    stubs = {task.name: task.stub for task in page.tasks}
    lines = text.split("\n")
    for cell in reversed(page.source.code):
        cell_lines = slice(cell.line - 1, cell.end_line)
        if cell.role in ("grade", "mutant"):
            lines[cell_lines] = [""] * (cell.end_line - cell.line + 1)
        elif cell.role == "answer" and cell.task:
            options, closing = lines[cell.line - 1 : cell.body_line - 1], lines[cell.end_line - 1]
            short = [*options, *stubs[cell.task].split("\n"), closing]
            lines[cell_lines] = short + [""] * (cell.end_line - cell.line + 1 - len(short))
    return "\n".join(lines)


def with_outputs(path: Path) -> Any:
    """The chapter at `path` as MyST-NB reads it, with the outputs of its derived notebook.

    Raises `SourceError` where the notebook is missing, or its code is not the chapter's.
    """
    from myst_nb.core.read import read_myst_markdown_notebook

    book = Book.around(path)
    text = book.read(path)
    page = read_myst_markdown_notebook(text, parser_config(book.extensions), add_source_map=True, path=path)
    cells = [cell for cell in page.cells if cell.cell_type == "code"]
    target = chapter.target(path)
    stored = notebook.load(book.root / target)
    if stored is None or [cell.source.rstrip("\n") for cell in cells] != [cell.source for cell in stored]:
        source = book.relative(path)
        state = f"out of step with {source}" if (book.root / target).exists() else "missing"
        raise SourceError(source, 1, f"{target} is {state}: run `make notebooks`")
    for cell, old in zip(cells, stored, strict=True):
        cell.outputs = list(old.result.outputs)
        cell.execution_count = old.result.execution_count
    return page
