"""A fork changes the address in `_config.yml` and derives: nothing that is derived or built holds the old one then."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from derive.addresses import CITATION, INSTALL, README
from derive.build import FOLDERS
from derive.config import Book
from tests.site.conftest import SITE_PYTHON
from tests.site.pages import BOOK, ROOT

REPOSITORY, BRANCH, SITE = "https://github.com/ada/my-layers", "autumn", "https://ada.example/my-layers/"
LEFT_OUT = shutil.ignore_patterns(".git", ".venv*", "_build", ".build", ".*_cache", ".hypothesis", "__pycache__")


def owner_and_name(repository: str) -> str:
    """Stands in every address of a repository: that of a file, of Colab, of the bytes."""
    return repository.removeprefix("https://github.com/")


def host_and_path(site: str) -> str:
    return site.removeprefix("https://").rstrip("/")


def holding(folder: Path, *addresses: str) -> list[str]:
    """The files below a folder that hold one of these addresses."""
    wanted = [address.encode() for address in addresses]
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return [path.relative_to(folder).as_posix() for path in files if any(word in path.read_bytes() for word in wanted)]


@pytest.fixture(scope="module")
def fork(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository whose address has been changed in the one place, and that has been derived."""
    folder = tmp_path_factory.mktemp("fork") / "repository"
    shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
    config = folder / "_config.yml"
    text = config.read_text(encoding="utf-8")
    for old, new in (
        (f"url: {BOOK.repository}\n", f"url: {REPOSITORY}\n"),
        (f"branch: {BOOK.branch}\n", f"branch: {BRANCH}\n"),
        (f"baseurl: {BOOK.site}\n", f"baseurl: {SITE}\n"),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    config.write_text(text, encoding="utf-8")

    command = [sys.executable, "-m", "derive"]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "running" not in done.stderr, "another address is no reason to run a cell"
    return folder


OLD = (owner_and_name(BOOK.repository), host_and_path(BOOK.site))
OLD_BRANCH = [f"{owner_and_name(REPOSITORY)}/{part}{BOOK.branch}/" for part in ("blob/", "edit/", "")]


def test_the_address_stands_in_no_file_any_more(fork: Path) -> None:
    assert holding(fork, *OLD) == []


def test_what_was_derived_has_the_new_address(fork: Path) -> None:
    book = Book.load(fork)
    assert (book.repository, book.branch, book.site) == (REPOSITORY, BRANCH, SITE)
    with_address = set(holding(fork, owner_and_name(REPOSITORY)))
    notebooks = {path.relative_to(fork).as_posix() for name in FOLDERS for path in (fork / name).glob("*.ipynb")}
    assert notebooks | {README, CITATION, INSTALL, "_config.yml"} <= with_address
    assert not any(holding(fork / folder, *OLD_BRANCH) for folder in FOLDERS)
    citation = yaml.safe_load((fork / CITATION).read_text(encoding="utf-8"))
    assert (citation["repository-code"], citation["url"]) == (REPOSITORY, SITE)
    assert f"**Read it:** <{SITE}>" in (fork / README).read_text(encoding="utf-8")


def test_the_site_that_a_fork_builds_has_the_new_address(fork: Path) -> None:
    command = [str(SITE_PYTHON.with_name("jupyter-book")), "build", ".", "-W", "--keep-going", "--quiet"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=fork, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    html = fork / "_build" / "html"
    assert holding(html, *OLD, *OLD_BRANCH) == []
    with_address = set(holding(html, owner_and_name(REPOSITORY)))
    pages = {path.relative_to(html).as_posix() for path in (html / "book").rglob("*.html")}
    config = yaml.safe_load((fork / "_config.yml").read_text(encoding="utf-8"))
    moved = {f"{page}.html" for page in config["sphinx"]["config"]["redirects"]}
    assert moved < pages
    assert pages - moved <= with_address
    assert holding(html, SITE), "no page says where the site is"
