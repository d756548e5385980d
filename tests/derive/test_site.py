"""The site shows exercise pages without their solutions, and chapters with the outputs of their notebooks."""

from __future__ import annotations

from pathlib import Path

import pytest

from derive import exercise, site
from derive.errors import SourceError
from derive.notebook import load

from .conftest import FRONT_MATTER, GRADE_SETUP, SETUP, TASK, Folder, code_cell, line


def test_a_learner_sees_no_solution_grade_or_mutant(folder: Folder) -> None:
    path = folder.exercise(TASK + "\nThe end.\n")
    text = site.learner_source(path, path.read_text())
    for secret in ("2 * x", "SOLUTION", "grade", "seed", "mutant", "says", "3 * x"):
        assert secret not in text
    assert "assert double(2) == 4" in text
    assert '    # YOUR CODE HERE\n    raise NotImplementedError("double: put your answer here")\n```\n' in text


def test_every_line_that_a_learner_sees_keeps_its_number(folder: Folder) -> None:
    longer = TASK.replace("    return 2 * x\n", "    y = x\n\n    return 2 * y\n", 1)
    path = folder.exercise(longer + "\nThe end.\n")
    before = path.read_text().split("\n")
    after = site.learner_source(path, path.read_text()).split("\n")
    assert len(before) == len(after)
    moved = {number for number, (old, new) in enumerate(zip(before, after, strict=True), 1) if new and old != new}
    assert moved == {line(path, "### BEGIN") + shift for shift in range(3)}


def test_what_a_learner_sees_on_the_site_is_what_the_notebook_holds(folder: Folder) -> None:
    from myst_nb.core.read import read_myst_markdown_notebook

    path = folder.exercise()
    assert folder.derive().code == 0
    shown = read_myst_markdown_notebook(site.learner_source(path, path.read_text()), path=path)
    stored = load(folder.root / "exercises/04_adding.ipynb")
    assert stored is not None
    cells = [cell.source.rstrip("\n") for cell in shown.cells if cell.cell_type == "code"]
    assert cells == [cell.source for cell in stored]


def test_a_page_with_a_mistake_has_no_learner_source(folder: Folder) -> None:
    path = folder.exercise()
    text = path.read_text().replace("    ### END SOLUTION\n", "")
    with pytest.raises(SourceError, match=r"book/exercises/04_adding\.md:.*without ### END SOLUTION"):
        site.learner_source(path, text)


def test_the_text_that_counts_is_the_one_given(folder: Folder) -> None:
    path = folder.exercise()
    text = f"{FRONT_MATTER}\n# New\n\n{SETUP}\n{GRADE_SETUP}\n{TASK.replace('double', 'twice')}"
    assert "twice: put your answer here" in site.learner_source(path, text)
    assert exercise.read(path).tasks[0].name == "double"


@pytest.fixture
def chapter(folder: Folder) -> Path:
    path = folder.chapter("Prose with {term}`x`.\n\n" + code_cell("print(1)", ":tags: [hide-output]") + code_cell("2"))
    folder.write("book/glossary.md", "# Glossary\n\n```{glossary}\nx\n  A letter.\n```\n")
    assert folder.derive().code == 0
    return path


def test_a_chapter_is_read_as_the_site_reads_it_and_has_outputs(chapter: Path) -> None:
    page = site.with_outputs(chapter)
    _, setup, prose, first, second = page.cells
    assert prose.source == "Prose with {term}`x`."
    assert setup.metadata == {"tags": ["hide-input"], "load": "../setup.py"}
    assert first.metadata == {"tags": ["hide-output"]}
    assert first.outputs[0].text == "1\n"
    assert second.outputs[0].data == {"text/plain": "2"}
    assert [setup.execution_count, first.execution_count, second.execution_count] == [1, 2, 3]
    assert len(page.metadata.source_map) == 5


@pytest.mark.parametrize("change", [("print(1)", "print(2)"), ("```{code-cell}\n2\n```\n", "")])
def test_a_chapter_whose_notebook_is_older_is_refused(chapter: Path, change: tuple[str, str]) -> None:
    chapter.write_text(chapter.read_text().replace(*change))
    with pytest.raises(SourceError) as caught:
        site.with_outputs(chapter)
    assert str(caught.value) == (
        "book/chapters/04_adding.md:1: notebooks/04_adding.ipynb is out of step with book/chapters/04_adding.md: "
        "run `make notebooks`"
    )


def test_a_chapter_without_a_notebook_is_refused(folder: Folder) -> None:
    with pytest.raises(SourceError, match=r"notebooks/04_adding\.ipynb is missing: run `make notebooks`"):
        site.with_outputs(folder.chapter(""))


def test_prose_may_differ(chapter: Path) -> None:
    chapter.write_text(chapter.read_text().replace("Prose with", "Other prose with"))
    assert site.with_outputs(chapter).cells[3].outputs[0].text == "1\n"
