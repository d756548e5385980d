"""The buttons above a page lead to the notebook that belongs to it, and to the source that a correction belongs in."""

import json
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from tests.site.conftest import Built
from tests.site.pages import BOOK, CHAPTERS, EXERCISES, OTHERS, SOURCES, address


def buttons(built: Built, source: Path) -> dict[str, str]:
    """The addresses of a page's buttons, by label."""
    soup = BeautifulSoup((built.html / address(source)).read_text(encoding="utf-8"), "html.parser")
    found = {}
    for label in ("colab", "download", "edit"):
        links = soup.select(f".article-header-buttons a.btn-{label}, .badges a.badge-{label}")
        assert len(links) <= 1
        for link in links:
            found[label] = str(link["href"])
    return found


@pytest.mark.parametrize(
    ("source", "folder"),
    [(source, "notebooks") for source in CHAPTERS] + [(source, "exercises") for source in EXERCISES],
    ids=str,
)
def test_a_notebook_page_offers_its_notebook(built: Built, source: Path, folder: str) -> None:
    notebook = f"{folder}/{source.stem}.ipynb"
    found = buttons(built, source)
    owner_and_name = BOOK.repository.removeprefix("https://github.com/")
    assert found["colab"] == f"https://colab.research.google.com/github/{owner_and_name}/blob/main/{notebook}"
    assert (built.source / notebook).exists(), "Colab is sent to a file that is not in the repository"

    served = (built.html / address(source)).parent / found["download"]
    assert json.loads(served.read_text(encoding="utf-8"))["nbformat"] == 4
    assert served.read_bytes() == (built.source / notebook).read_bytes()


@pytest.mark.parametrize("source", OTHERS, ids=str)
def test_a_page_that_is_no_notebook_offers_none(built: Built, source: Path) -> None:
    assert set(buttons(built, source)) == {"edit"}


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_the_edit_button_leads_to_the_source(built: Built, source: Path) -> None:
    assert buttons(built, source)["edit"] == f"{BOOK.repository}/edit/main/{source.as_posix()}"
    assert (built.source / source).exists()
