"""What a page says of itself: its description, its picture, its address; and the lists by which it is found."""

import re
from collections import Counter
from datetime import date
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from PIL import Image
from playwright.sync_api import Route

from tests.site.conftest import Built, Reader
from tests.site.pages import BOOK, MADE_BY_SPHINX, PAGES, ROOT

LOST = "404.html"
FRONT_DOOR = "index.html"
EVERY_PAGE = pytest.mark.parametrize("path", [*PAGES, *MADE_BY_SPHINX, LOST, FRONT_DOOR])
A_SOURCE = pytest.mark.parametrize("path", [*PAGES, FRONT_DOOR])
ATOM = "{http://www.w3.org/2005/Atom}"


def head(built: Built, path: str) -> BeautifulSoup:
    """The head of a page."""
    html = (built.html / path).read_text(encoding="utf-8")
    return BeautifulSoup(html[: html.index("</head>")], "html.parser")


def meta(page: BeautifulSoup, name: str) -> str:
    """What a page says under a name; it says it once."""
    (tag,) = page.select(f'meta[name="{name}"], meta[property="{name}"]')
    return str(tag["content"])


def link(page: BeautifulSoup, rel: str) -> str:
    (tag,) = page.select(f'link[rel="{rel}"]')
    return str(tag["href"])


@EVERY_PAGE
def test_a_page_describes_itself(built: Built, path: str) -> None:
    description = meta(head(built, path), "description")
    assert 50 <= len(description) <= 160, f"{len(description)} characters: {description}"
    assert re.fullmatch(r"[A-Z].*[.?]", description), "write whole sentences"


def test_no_two_pages_describe_themselves_alike(built: Built) -> None:
    said = Counter(meta(head(built, path), "description") for path in [*PAGES, *MADE_BY_SPHINX, LOST])
    assert not [description for description, pages in said.items() if pages > 1]


@A_SOURCE
def test_a_link_to_a_page_shows_its_title_and_a_picture(built: Built, path: str) -> None:
    page = head(built, path)
    title = page.title
    assert title is not None
    assert meta(page, "og:title") == title.get_text().partition(" — ")[0]
    assert meta(page, "og:description") == meta(page, "description")
    assert meta(page, "og:site_name") == "PyTorch, Layer by Layer"
    assert meta(page, "og:type") == ("website" if path in (FRONT_DOOR, PAGES[0]) else "article")
    assert meta(page, "twitter:card") == "summary_large_image"
    address = BOOK.site + (PAGES[0] if path == FRONT_DOOR else path)
    assert meta(page, "og:url") == link(page, "canonical") == address

    picture = meta(page, "og:image")
    assert picture.startswith(BOOK.site)
    file = built.html / picture.removeprefix(BOOK.site)
    assert file.stat().st_size < 60_000
    with Image.open(file) as card:
        assert card.format == "PNG"
        assert card.size == (int(meta(page, "og:image:width")), int(meta(page, "og:image:height"))) == (1200, 630)


def test_no_card_is_like_another_and_no_text_leaves_its_card(built: Built) -> None:
    cards = {path.read_bytes() for path in (built.html / "_cards").rglob("*.png")}
    assert len(cards) == len(PAGES)
    for path in (built.html / "_cards").rglob("*.png"):
        with Image.open(path) as card:
            drawn = card.convert("L").point(lambda grey: 255 * (grey < 200)).crop((0, 0, 1200, 612)).getbbox()
        assert drawn is not None
        left, top, right, bottom = drawn
        assert left >= 70 and top >= 60 and right <= 1130 and bottom <= 600, f"{path.name}: {drawn}"


@EVERY_PAGE
def test_a_page_has_an_icon(built: Built, path: str) -> None:
    icons = [built.html / path / ".." / str(tag["href"]) for tag in head(built, path).select('link[rel~="icon"]')]
    if path != LOST:  # its links start at the root of the server, and are tested below
        assert icons
        assert all(icon.resolve().is_file() for icon in icons)


def test_the_icons_have_their_sizes(built: Built) -> None:
    with Image.open(built.html / "favicon.ico") as icon:
        assert icon.info["sizes"] == {(16, 16), (32, 32), (48, 48)}
    with Image.open(built.html / "apple-touch-icon.png") as icon:
        assert icon.size == (180, 180)
        assert icon.mode == "RGB", "a telephone paints what is transparent black"


def test_the_sitemap_lists_every_page_and_robots_txt_leads_there(built: Built) -> None:
    robots = (built.html / "robots.txt").read_text(encoding="utf-8")
    assert robots.splitlines()[-1] == f"Sitemap: {BOOK.site}sitemap.xml"
    sitemap = ElementTree.parse(built.html / "sitemap.xml").getroot()
    assert sitemap.tag == "{http://www.sitemaps.org/schemas/sitemap/0.9}urlset"
    listed = [location.text for location in sitemap.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert sorted(filter(None, listed)) == sorted(BOOK.site + path for path in PAGES)
    assert not [path for path in PAGES if head(built, path).select("meta[name=robots]")]


def test_the_feed_says_what_the_page_of_changes_says(built: Built) -> None:
    """It has what RFC 4287 asks for: an id, a title and a date for the feed and each entry, an author, links."""
    feed = ElementTree.parse(built.html / "feed.xml").getroot()
    assert feed.tag == f"{ATOM}feed"
    links = {found.attrib["rel"]: found.attrib["href"] for found in feed.findall(f"{ATOM}link")}
    assert links == {"self": f"{BOOK.site}feed.xml", "alternate": f"{BOOK.site}book/changes.html"}
    assert feed.findtext(f"{ATOM}id") == links["self"]
    assert feed.findtext(f"{ATOM}title")
    assert feed.findtext(f"{ATOM}author/{ATOM}name")

    entries = feed.findall(f"{ATOM}entry")
    for element in (feed, *entries):
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM}{name}")) == 1
    ids = [entry.findtext(f"{ATOM}id", "") for entry in entries]
    days = [entry.findtext(f"{ATOM}updated", "") for entry in entries]
    assert len(set(ids)) == len(ids)
    assert days == sorted(days, reverse=True), "the newest comes first"
    assert feed.findtext(f"{ATOM}updated") == max(days)
    assert all(re.fullmatch(r"\d{4}-\d{2}-\d{2}T00:00:00Z", day) for day in days)

    written = re.findall(r"^## (\S+): (.+)$", (ROOT / "book/changes.md").read_text(encoding="utf-8"), re.M)
    told = [(day[:10], entry.findtext(f"{ATOM}title")) for day, entry in zip(days, entries, strict=True)]
    assert told == written != []
    assert all(date.fromisoformat(day) for day, _ in written)

    page = BeautifulSoup((built.html / "book/changes.html").read_text(encoding="utf-8"), "html.parser")
    for entry, identity in zip(entries, ids, strict=True):
        address, _, anchor = identity.partition("#")
        assert address == links["alternate"]
        section = page.find(id=anchor)
        assert section is not None
        content = entry.find(f"{ATOM}content")
        assert content is not None
        assert content.attrib == {"type": "html", "{http://www.w3.org/XML/1998/namespace}base": address}
        shown = BeautifulSoup(content.text or "", "html.parser").get_text().split()
        assert shown and " ".join(shown) in " ".join(section.get_text().split())


@pytest.mark.parametrize("path", [*PAGES, *MADE_BY_SPHINX])
def test_a_page_leads_to_the_feed(built: Built, path: str) -> None:
    (feed,) = head(built, path).select('link[rel="alternate"][type="application/atom+xml"]')
    assert (built.html / path / ".." / str(feed["href"])).resolve() == (built.html / "feed.xml").resolve()


@pytest.mark.parametrize(
    ("lost", "theme"), [("nowhere.html", "light"), ("book/chapters/nowhere/deep/down.html", "dark")]
)
def test_a_lost_reader_finds_the_way_back_from_any_depth(reader: Reader, built: Built, lost: str, theme: str) -> None:
    """As the site is published: below the folder that baseurl names, with 404.html for a page that is not there."""
    host = "http://course.test"
    reader.address = host + urlsplit(BOOK.site).path

    def answer(route: Route) -> None:
        file = built.html / urlsplit(route.request.url.removeprefix(reader.address)).path
        if file.is_file() and route.request.url.startswith(reader.address):
            route.fulfill(path=file)
        elif route.request.is_navigation_request():
            route.fulfill(path=built.html / LOST)
        else:
            route.fulfill(status=404)

    reader.page.route(f"{host}/**", answer)
    page = reader.open(lost)
    assert page.locator("article h1").inner_text().startswith("Page not found")
    assert page.evaluate("document.fonts.check('16px \"Source Sans 3\"')"), "the look is not there"
    links = page.locator("a[href]").evaluate_all("links => links.map(link => link.href)")
    below = [link.removeprefix(reader.address) for link in links if link.startswith(reader.address)]
    assert set(PAGES) <= {urlsplit(link).path for link in below}
    assert not [link for link in links if link.startswith(host) and not link.startswith(reader.address)]
    assert not [link for link in below if not (built.html / urlsplit(link).path).exists() and not link.startswith(lost)]

    assert reader.trouble == []  # before axe, which itself asks for style sheets that are not there
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.get_by_role("link", name="the first page of the course").click()
    page.wait_for_url(f"**/{PAGES[0]}")
