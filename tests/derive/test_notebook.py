"""A derived notebook is the same bytes on every machine, and says where it comes from."""

from __future__ import annotations

import nbformat
import pytest

from derive import chapter, exercise, notebook
from derive.labels import Index
from derive.notebook import Draft, Result

from .conftest import FRONT_MATTER, Folder, code_cell


def drafts(folder: Folder, body: str = "") -> list[Draft]:
    path = folder.chapter(body)
    return chapter.draft(chapter.read(folder.book, path), Index.build(folder.book))


def dumped(cells: list[Draft]) -> str:
    return notebook.dumps(cells, [Result()] * len(notebook.code_cells(cells)))


def test_the_first_cell_leads_to_colab_the_site_and_the_source(folder: Folder) -> None:
    first = drafts(folder)[0].source
    colab = "https://colab.research.google.com/github/people/course/blob/main/notebooks/04_adding.ipynb"
    page = "https://people.github.io/course/book/chapters/04_adding.html"
    assert first.startswith(f"[Open in Colab]({colab}) · [Read on the site]({page})\n\n")
    edit = "https://github.com/people/course/edit/main/book/chapters/04_adding.md"
    assert f"derived from [`book/chapters/04_adding.md`]({edit})" in first
    assert "`make notebooks`" in first
    assert "Exercises" not in first


def test_the_first_cell_says_how_long_the_page_takes(folder: Folder) -> None:
    path = folder.chapter("", front_matter=FRONT_MATTER.replace("kernelspec:", "minutes: 90\nkernelspec:"))
    first = chapter.draft(chapter.read(folder.book, path), Index.build(folder.book))[0]
    assert " · about 90 minutes\n" in first.source


def test_chapter_and_exercises_lead_to_one_another(folder: Folder) -> None:
    folder.exercise()
    exercises = "https://colab.research.google.com/github/people/course/blob/main/exercises/04_adding.ipynb"
    assert f" · [Exercises]({exercises})\n" in drafts(folder)[0].source
    read = exercise.read(folder.root / "book/exercises/04_adding.md")
    learner, _ = exercise.drafts(read, Index.build(folder.book))
    chapter_link = exercises.replace("/exercises/", "/notebooks/")
    assert f" · [Chapter]({chapter_link})\n" in learner[0].source


def test_the_notebook_is_valid_and_names_no_version(folder: Folder) -> None:
    text = dumped(drafts(folder, "Prose.\n\n" + code_cell("x = 1", ":tags: [export]")))
    read = nbformat.reads(text, as_version=4)
    nbformat.validate(read)
    assert read.metadata == {
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "language_info": {"name": "python"},
    }
    assert [cell.cell_type for cell in read.cells] == ["markdown", "markdown", "code", "markdown", "code"]
    assert read.cells[-1].metadata == {"tags": ["export"]}
    assert text.endswith("}\n")


@pytest.mark.parametrize("tag", ["hide-input", "remove-input"])
def test_hidden_input_is_hidden_in_jupyter_too(folder: Folder, tag: str) -> None:
    cell = drafts(folder, code_cell("x = 1", f":tags: [{tag}]"))[-1]
    assert cell.metadata == {"tags": [tag], "jupyter": {"source_hidden": True}}


def test_the_same_source_gives_the_same_bytes(folder: Folder) -> None:
    body = "Prose.\n\n" + code_cell("x = 1")
    assert dumped(drafts(folder, body)) == dumped(drafts(folder, body))


def test_ids_differ_within_a_notebook_and_between_sources(folder: Folder) -> None:
    one = [cell.id for cell in drafts(folder, code_cell("x = 1"))]
    path = folder.chapter(code_cell("x = 1"), name="05_sums")
    other = [cell.id for cell in chapter.draft(chapter.read(folder.book, path), Index.build(folder.book))]
    assert len({*one, *other}) == len(one) + len(other)


def test_a_notebook_that_was_written_is_read_back_whole(folder: Folder) -> None:
    cells = drafts(folder, code_cell("print('ü')\n1", ":tags: [nbval-ignore-output]"))
    output = nbformat.v4.new_output("stream", name="stdout", text="ü\nand more\n")
    results = [Result(1), Result(2, (output,))]
    path = folder.write("notebooks/04_adding.ipynb", notebook.dumps(cells, results))
    stored = notebook.load(path)
    assert stored is not None
    assert [cell.result for cell in stored] == results
    assert [(cell.source, cell.tags) for cell in stored] == [
        (cell.source, cell.tags) for cell in notebook.code_cells(cells)
    ]
    assert notebook.in_step(stored, notebook.code_cells(cells))


@pytest.mark.parametrize("text", [None, "", "<<<<<<< HEAD", "{}", '{"cells": [{}]}'])
def test_a_notebook_that_cannot_be_read_counts_as_missing(folder: Folder, text: str | None) -> None:
    path = folder.root / "broken.ipynb"
    if text is not None:
        path.write_text(text)
    assert notebook.load(path) is None
