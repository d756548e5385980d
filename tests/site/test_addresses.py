"""Addresses last: what `addresses.txt` lists is there, if only as a redirect, and what is new is on the list.

The list holds every page, every file that people fetch, and every anchor that another page links to.
"""

import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin

import pytest

from tests.site.conftest import Built, Reader
from tests.site.pages import MADE_BY_SPHINX, PAGES

LIST = Path(__file__).with_name("addresses.txt")
FOR_PROGRAMS = ["feed.xml", "robots.txt", "sitemap.xml", "favicon.ico", "objects.inv"]


@cache
def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@cache
def anchors(page: Path) -> frozenset[str]:
    return frozenset(re.findall(r'\bid="([^"]+)"', text(page)))


def present(html: Path, address: str) -> bool:
    """Whether an address leads somewhere, perhaps after redirects, which hand the anchor on."""
    path, anchor = urldefrag(address)
    if not (html / path).is_file():
        return False
    moved = (
        re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', text(html / path)) if path[-5:] == ".html" else None
    )
    if moved is None:
        return not anchor or unquote(anchor) in anchors(html / path)
    target = urljoin(path, moved[1])
    return present(html, target if "#" in target or not anchor else f"{target}#{anchor}")


def offered(html: Path, pages: list[str]) -> set[str]:
    """The addresses that pages of the site give to each other."""
    found = set()
    for page in pages:
        for link in re.findall(r'\bhref="([^"]+)"', text(html / page)):
            address = urljoin(page, link)
            path = urldefrag(address)[0]
            if path != page and "#" in address and not re.match(r"[a-z]+:", address):
                found.add(address)
    return found


def listed() -> list[str]:
    return LIST.read_text(encoding="utf-8").splitlines()


def test_the_list_is_in_order() -> None:
    assert listed() == sorted(set(listed())), "sort it, and take out what is there twice"


def test_no_address_is_lost(built: Built) -> None:
    lost = [address for address in listed() if not present(built.html, address)]
    assert not lost, (
        "for a page that has moved write a redirect into _config.yml; for a heading that has a new name, "
        "write (old-name)= above it:\n" + "\n".join(lost)
    )


def test_every_address_is_on_the_list(built: Built) -> None:
    downloads = [path.relative_to(built.html).as_posix() for path in (built.html / "_downloads").rglob("*.ipynb")]
    now = {*PAGES, *MADE_BY_SPHINX, "index.html", *FOR_PROGRAMS, *downloads, *offered(built.html, PAGES)}
    new = sorted(now - set(listed()))
    assert not new, f"add to {LIST.name}:\n" + "\n".join(new)


def test_an_address_is_lost_unless_it_leads_on(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "here.html").write_text('<h1 id="one">One</h1>')
    (tmp_path / "sub" / "old.html").write_text('<meta http-equiv="refresh" content="0; url=../here.html">')
    (tmp_path / "sub" / "bad.html").write_text('<meta http-equiv="refresh" content="0; url=../gone.html">')
    kept = ["here.html", "here.html#one", "sub/old.html", "sub/old.html#one"]
    lost = ["gone.html", "here.html#two", "sub/old.html#two", "sub/bad.html"]
    assert [address for address in kept + lost if not present(tmp_path, address)] == lost


@pytest.mark.parametrize("old", ["book/chapters/index.html", "book/exercises/index.html"])
def test_a_redirect_leads_to_the_new_page_and_keeps_the_anchor(reader: Reader, old: str) -> None:
    page = reader.open(f"{old}#the-chapters")
    page.wait_for_url("**/book/index.html#the-chapters")
    assert page.locator("article h1").count() == 1
    assert reader.trouble == []
