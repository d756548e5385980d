"""`_config.yml` is the only place that knows where the course is published."""

from __future__ import annotations

import pytest

from derive.config import Book
from derive.errors import SourceError

from .conftest import CONFIG, Folder


def test_addresses_are_made_from_the_configuration(folder: Folder) -> None:
    book = folder.book
    assert book.page("book/chapters/04_adding.md") == "https://people.github.io/course/book/chapters/04_adding.html"
    assert (
        book.colab("notebooks/04_adding.ipynb")
        == "https://colab.research.google.com/github/people/course/blob/main/notebooks/04_adding.ipynb"
    )
    assert book.edit("book/index.md") == "https://github.com/people/course/edit/main/book/index.md"
    assert book.raw("book/x.png") == "https://raw.githubusercontent.com/people/course/main/book/x.png"


def test_absolute_and_relative_paths_give_the_same_address(folder: Folder) -> None:
    assert folder.book.edit(folder.root / "book/index.md") == folder.book.edit("book/index.md")


def test_the_book_around_a_file_is_that_of_the_nearest_configuration(folder: Folder) -> None:
    assert Book.around(folder.root / "book/chapters/04_adding.md") == folder.book


def test_a_file_outside_of_a_book_belongs_to_none(folder: Folder) -> None:
    (folder.root / "_config.yml").unlink()
    with pytest.raises(SourceError, match=r"there is no _config\.yml in any folder above it"):
        Book.around(folder.root / "book/chapters/04_adding.md")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("url: https://github.com/people/course, ", ""), "repository: url: is missing"),
        (("github.com", "example.org"), "must be https://github.com/<owner>/<name>"),
        (("baseurl", "address"), "html: baseurl: is missing"),
        (("[attrs_inline", "[[attrs_inline"), "is no YAML"),
    ],
)
def test_what_the_configuration_lacks_is_named(folder: Folder, change: tuple[str, str], message: str) -> None:
    folder.write("_config.yml", CONFIG.replace(*change))
    with pytest.raises(SourceError, match=f"_config.yml:1: .*{message}"):
        Book.load(folder.root)


def test_a_folder_without_configuration_is_no_root(folder: Folder) -> None:
    (folder.root / "_config.yml").unlink()
    run = folder.derive()
    assert run.code == 2
    assert "run from the repository's root" in run.err
