"""Every link and every picture within the site leads somewhere; titles and alternative texts say something."""

from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup, Tag

from tests.site.conftest import Built
from tests.site.pages import MADE_BY_SPHINX, PAGES

EVERY_PAGE = pytest.mark.parametrize("path", [*PAGES, *MADE_BY_SPHINX])


@cache
def parse(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def attribute(tag: Tag, name: str) -> str:
    value = tag.get(name, "")
    assert isinstance(value, str)
    return value


@EVERY_PAGE
def test_links_within_the_site_lead_somewhere(built: Built, path: str) -> None:
    page = built.html / path
    links = [
        attribute(tag, name) for tag in parse(page).find_all(True) for name in ("href", "src") if tag.has_attr(name)
    ]
    assert links
    broken = []
    for link in links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
        if target.is_dir():
            target = target / "index.html"
        lost = not target.is_relative_to(built.html) or not target.is_file()
        if lost or (parts.fragment and target.suffix == ".html" and not has_anchor(target, unquote(parts.fragment))):
            broken.append(link)
    assert not broken


def has_anchor(page: Path, name: str) -> bool:
    return parse(page).find(id=name) is not None


@EVERY_PAGE
def test_every_page_has_a_title(built: Built, path: str) -> None:
    title = parse(built.html / path).title
    assert title is not None
    own, _, site = title.get_text().partition(" — ")
    assert own
    assert site in ("", "PyTorch, Layer by Layer")


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_one_heading(built: Built, path: str) -> None:
    assert len(parse(built.html / path).select("article h1")) == 1


@EVERY_PAGE
def test_every_picture_has_a_text(built: Built, path: str) -> None:
    for picture in parse(built.html / path).select("article img"):
        text = attribute(picture, "alt")
        assert len(text.split()) > 3, f"{attribute(picture, 'src')} has the alternative text {text!r}"
        assert Path(attribute(picture, "src")).name not in text


def test_anchors_are_unique(built: Built) -> None:
    for path in PAGES:
        names = [attribute(tag, "id") for tag in parse(built.html / path).find_all(id=True)]
        assert sorted(names) == sorted(set(names)), path
