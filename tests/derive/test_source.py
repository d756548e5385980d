"""Mistakes in front matter and cells are told with file, line and a way out."""

from __future__ import annotations

import pytest

from derive import chapter, source
from derive.errors import SourceError

from .conftest import FRONT_MATTER, SETUP, Folder, code_cell, line


def errors(folder: Folder, name: str = "04_adding") -> list[str]:
    with pytest.raises(SourceError) as caught:
        chapter.read(folder.book, folder.root / f"book/chapters/{name}.md")
    return str(caught.value).split("\n")


def test_every_cell_knows_its_lines(folder: Folder) -> None:
    path = folder.chapter("Some prose.\n\n" + code_cell("one = 1\ntwo = 2", ":tags: [export]", ""))
    title, setup, prose, code = source.read(folder.book, path).cells
    assert (title.line, title.end_line) == (line(path, "# Adding"), line(path, "# Adding"))
    assert setup.line == setup.body_line == line(path, "{code-cell}")
    assert prose.line == line(path, "Some prose.")
    assert (code.line, code.body_line) == (line(path, "{code-cell}", 2), line(path, "one = 1"))
    assert code.end_line == line(path, "two = 2") + 1


def test_the_setup_cell_holds_the_code_of_the_file(folder: Folder) -> None:
    path = folder.chapter("")
    assert source.read(folder.book, path).code[0].source == folder.read("book/setup.py").rstrip("\n")


@pytest.mark.parametrize(
    ("options", "at", "message"),
    [
        ([":tags: [exprot]"], ":tags: [exprot]", "unknown tag exprot: use one of answer, check, "),
        ([":tags: [exprot]"], ":tags: [exprot]", "(did you mean export?)"),
        ([":tags: export"], ":tags: export", "tags must be a list"),
        ([":tag: [export]"], ":tag:", "unknown cell option tag: use one of forbids, load, mystnb, points, says"),
        ([":load: ../gone.py"], ":load: ../gone.py", "there is no file book/gone.py"),
        ([":load: ../grade.py"], "x = 1", "a cell that loads a file has no code of its own"),
        ([":task: Two words"], ":task:", "must be a short name"),
        ([":points: none"], ":points:", "points must be a whole number above 0"),
        ([":says: ''"], ":says:", "says must be some words"),
        ([":forbids: F.conv1d"], ":forbids:", "forbids must be a list of names"),
        ([":forbids: [F.conv1d()]"], ":forbids:", "forbids must be a list of names"),
        ([":forbids: []"], ":forbids:", "forbids must be a list of names"),
        ([":mystnb: {image: {width: 3}}"], ":mystnb:", "mystnb is for a picture's description"),
        ([":mystnb: {image: {alt: A cat, classes: photo}}"], ":mystnb:", "the only class of a picture is pixels"),
        ([":tags: [export"], "{code-cell}", "the options of this cell cannot be read"),
    ],
)
def test_a_wrong_option_is_refused_on_its_line(folder: Folder, options: list[str], at: str, message: str) -> None:
    path = folder.chapter(code_cell("x = 1", *options))
    number = line(path, at, 2 if at == "{code-cell}" else 1)
    found = errors(folder)
    assert any(error.startswith(f"book/chapters/04_adding.md:{number}: ") and message in error for error in found), (
        found
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (code_cell(""), "this cell is empty"),
        ("  ```{code-cell}\n  x = 1\n  ```\n", "a code cell must start at the left margin"),
        ("```{code-cell}\nx = 1\n", "this code cell is never closed: end it with ```"),
        ("```{code-cell}\nx = 1\n\nProse.\n\n" + code_cell("y = 1"), "this code cell is never closed: end it with ```"),
        (code_cell("x = 1", ":tags: [answer]", ":task: x"), "a chapter has no tasks"),
    ],
)
def test_a_wrong_cell_is_refused_on_its_first_line(folder: Folder, body: str, message: str) -> None:
    path = folder.chapter("@\n").with_name("04_adding.md")
    path.write_text(path.read_text().replace("@\n", body))
    (error,) = errors(folder)
    assert error.startswith(f"book/chapters/04_adding.md:{line(path, '{code-cell}', 2)}: {message}")


def test_a_longer_fence_may_hold_a_shorter_one(folder: Folder) -> None:
    path = folder.chapter('````{code-cell}\ntext = """\n```{note}\n"""\n````\n')
    assert "```{note}" in source.read(folder.book, path).code[1].source


@pytest.mark.parametrize(
    ("change", "at", "message"),
    [
        (("file_format: mystnb", "file_format: myst"), "file_format", "front matter must have file_format: mystnb"),
        (("file_format: mystnb\n", ""), "---", "front matter must have file_format: mystnb"),
        (("name: python3", "name: julia"), "kernelspec", "front matter must have kernelspec: {name: python3"),
        (("kernelspec:", "author: me\nkernelspec:"), "author", "unknown front matter author: use one of exports_"),
        (("kernelspec:", "exports_nn: Add\nkernelspec:"), "exports_nn", "exports_nn must be a list of names"),
        (("kernelspec:", "minutes: two\nkernelspec:"), "minutes", "minutes must be a whole number above 0, not 'two'"),
        (("kernelspec:", "minutes: 0\nkernelspec:"), "minutes", "minutes must be a whole number above 0, not 0"),
        (("kernelspec:", "]\nkernelspec:"), "]", "front matter is no YAML"),
    ],
)
def test_bad_front_matter_is_refused(folder: Folder, change: tuple[str, str], at: str, message: str) -> None:
    path = folder.chapter("", front_matter=FRONT_MATTER.replace(*change))
    (error,) = errors(folder)
    assert error.startswith(f"book/chapters/04_adding.md:{line(path, at)}: {message}")


def test_a_chapter_takes_the_minutes_of_its_front_matter(folder: Folder) -> None:
    assert source.read(folder.book, folder.chapter("")).minutes is None
    path = folder.chapter("", front_matter=FRONT_MATTER.replace("kernelspec:", "minutes: 90\nkernelspec:"))
    assert source.read(folder.book, path).minutes == 90


def test_exercises_take_the_minutes_of_their_tasks(folder: Folder) -> None:
    path = folder.exercise("Difficulty ●○○ · 5 minutes · 4 points\n\nDifficulty ●●○ · 9 minutes · 6 points\n")
    assert source.read(folder.book, path).minutes == 14


def test_front_matter_is_a_mapping(folder: Folder) -> None:
    folder.chapter("", front_matter="---\njust words\n---\n")
    assert errors(folder)[0].startswith("book/chapters/04_adding.md:1: front matter must be a mapping: file_format: ")


def test_missing_front_matter_is_refused(folder: Folder) -> None:
    folder.chapter("", front_matter="")
    assert errors(folder)[0].startswith("book/chapters/04_adding.md:1: front matter is missing")


@pytest.mark.parametrize("first", [code_cell("import math"), code_cell("", ":load: ../setup.py"), ""])
def test_the_first_code_cell_must_be_the_setup_cell(folder: Folder, first: str) -> None:
    path = folder.write("book/chapters/04_adding.md", f"{FRONT_MATTER}\n# Adding\n\n{first}")
    number = line(path, "{code-cell}") if first else 1
    assert f"book/chapters/04_adding.md:{number}: the first code cell must be the setup cell" in "\n".join(
        errors(folder)
    )


def test_a_page_starts_with_its_title(folder: Folder) -> None:
    path = folder.write("book/chapters/04_adding.md", f"{FRONT_MATTER}\n{SETUP}\n## Idea\n")
    assert errors(folder) == [
        f"book/chapters/04_adding.md:{line(path, '## Idea')}: the page must start with a title: # Title"
    ]


def test_the_name_of_a_page_is_a_number_and_words(folder: Folder) -> None:
    folder.chapter("", name="Adding")
    assert errors(folder, "Adding")[0].startswith("book/chapters/Adding.md:1: the name Adding.md must be two digits")


def test_raw_cells_are_refused(folder: Folder) -> None:
    path = folder.chapter("```{raw-cell}\nx\n```\n")
    message = "raw cells cannot be used: write a code cell or Markdown"
    assert errors(folder) == [f"book/chapters/04_adding.md:{line(path, '{raw-cell}')}: {message}"]


def test_metadata_on_markdown_is_refused(folder: Folder) -> None:
    folder.chapter('+++ {"tags": ["export"]}\n\nProse.\n')
    assert "a Markdown cell takes no metadata" in errors(folder)[0]


def test_all_mistakes_of_a_page_are_told_at_once(folder: Folder) -> None:
    folder.chapter(code_cell("x = 1", ":tags: [one]") + "\n" + code_cell("y = 1", ":tag: [two]"))
    assert [error.split(": ")[1] for error in errors(folder)] == ["unknown tag one", "unknown cell option tag"]
