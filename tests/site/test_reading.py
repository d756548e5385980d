"""The site as a reader has it: every page in Chromium, in light and dark, on a desk and on a telephone."""

import re

import pytest

from tests.site import accessibility, weight
from tests.site.conftest import Built, Reader
from tests.site.pages import CHAPTERS, MADE_BY_SPHINX, PAGES, address

EVERY_PAGE = pytest.mark.parametrize("path", [*PAGES, *MADE_BY_SPHINX])
UNFOLD = "document.querySelectorAll('details').forEach(details => details.open = true)"
MEASURED = """[...document.querySelectorAll("pre, .cell_output > .output, .pst-scrollable-table-container")].every(
    box => (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight) === (box.tabIndex === 0))"""
"""Boxes that scroll can be reached by keyboard, and no others."""
TELEPHONE = 390


@EVERY_PAGE
def test_a_page_is_light_accessible_in_both_themes_and_fits_a_telephone(
    reader: Reader, built: Built, path: str
) -> None:
    """All that is looked at on every page, on one visit: to open a chapter is the most of it."""
    loaded = weight.note(reader.page)
    page = reader.open(path)
    page.evaluate(UNFOLD)
    page.evaluate("document.fonts.ready.then(() => null)")
    page.wait_for_function(MEASURED, polling=200)
    found = accessibility.in_both_themes(page)
    page.set_viewport_size({"width": TELEPHONE, "height": 900})
    found += page.evaluate(
        """() => [...document.querySelectorAll("article *")].filter(element => {
            for (let box = element.parentElement; box; box = box.parentElement)
                if (getComputedStyle(box).overflowX !== "visible") return false;
            return element.getBoundingClientRect().right > innerWidth + 1;
        }).map(element => `too wide: ${element.outerHTML.slice(0, 120)}`)"""
    )
    assert found == []
    assert page.evaluate("document.documentElement.scrollWidth") == TELEPHONE
    assert weight.kib(loaded, built.html, reader.address) <= weight.MOST_KIB
    assert reader.trouble == []


@pytest.mark.parametrize("path", [address(source) for source in CHAPTERS])
@pytest.mark.parametrize("width", [390])
def test_a_wide_equation_scrolls_in_its_box_and_keeps_its_number_in_sight(
    reader: Reader, path: str, width: int
) -> None:
    page = reader.open(path)
    equations = page.locator("div.math:has(.eqno)")
    assert equations.count() > 0
    wider_than_the_box = page.locator("div.math").evaluate_all(
        "all => all.filter(e => e.scrollWidth > e.clientWidth).length"
    )
    a_long_one = path == address(CHAPTERS[3])
    assert wider_than_the_box > 0 or not a_long_one, "no equation is wide enough to try this on"
    for equation in equations.all():
        equation.scroll_into_view_if_needed()
        number = equation.locator(".eqno").bounding_box()
        assert number is not None
        assert number["x"] + number["width"] <= width


@pytest.mark.parametrize("path", [address(source) for source in CHAPTERS])
def test_equations_are_numbered_from_one_and_need_no_script(reader: Reader, path: str) -> None:
    page = reader.open(path)
    numbers = page.locator("div.math .eqno").all_inner_texts()
    assert [number.strip("#\n ") for number in numbers] == [f"({n})" for n in range(1, len(numbers) + 1)]
    assert page.locator("math").count() > 0
    assert page.locator(".katex-error, script[src*=mathjax i], script[src*=katex i]").count() == 0


def test_search_finds_an_identifier(reader: Reader) -> None:
    page = reader.open("search.html?q=Conv1d")
    results = page.locator("#search-results ul.search li")
    results.first.wait_for()
    assert any("1-D convolution" in text for text in results.all_inner_texts())
    assert reader.trouble == []


def test_there_is_one_search_box(reader: Reader) -> None:
    page = reader.open(PAGES[0])
    assert page.locator("[role=search] button:visible, .search-button:visible").count() == 1


def test_the_theme_can_be_changed_and_is_remembered(reader: Reader) -> None:
    page = reader.open(PAGES[0])
    seen = set()
    for _ in range(3):
        page.locator(".theme-switch-button").click()
        seen.add(page.locator("html").get_attribute("data-mode"))
    assert seen == {"light", "dark", "auto"}
    page.locator(".theme-switch-button").click()
    mode = page.locator("html").get_attribute("data-mode")
    reader.open(PAGES[1])
    assert page.locator("html").get_attribute("data-mode") == mode


def test_the_front_door_leads_to_the_landing_page(reader: Reader) -> None:
    page = reader.open("")
    page.wait_for_url(f"**/{PAGES[0]}")
    assert page.locator("article h1").inner_text().startswith("PyTorch, Layer by Layer")


def test_the_folder_opens_without_a_server(reader: Reader, built: Built) -> None:
    reader.address = built.html.as_uri() + "/"
    reader.page.unroute_all()
    page = reader.open(address(CHAPTERS[0]))
    assert page.locator("article h1").count() == 1
    assert page.evaluate("document.fonts.ready.then(() => document.fonts.check('16px \"Source Sans 3\"'))")
    assert reader.trouble == []


def test_the_cheat_sheet_prints_on_one_page(reader: Reader) -> None:
    page = reader.open("book/cheatsheet.html")
    printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
    page.emulate_media(media="print")
    cut_off = page.locator("#cheat-sheet td").evaluate_all(
        "cells => cells.filter(cell => cell.scrollWidth > cell.clientWidth + 1).map(cell => cell.innerText)"
    )
    assert cut_off == []
