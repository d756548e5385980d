"""Pages load little, and what was left out is missed by nothing."""

import re
from typing import Literal

import pytest
from bs4 import BeautifulSoup
from fontTools.ttLib import TTFont
from playwright.sync_api import Browser

from book._ext import lean_code, lean_styles
from tests.site.conftest import Built, Reader
from tests.site.pages import CHAPTERS, EXERCISES, MADE_BY_SPHINX, PAGES, address

LOOKS = """() => {
    const one = new Map(); // of all elements with the same classes
    for (const element of document.querySelectorAll("body, body *"))
        one.set([element.parentElement, element].map(e => e.tagName + " " + e.className).join(" in "), element);
    return [...one].flatMap(([name, element]) => [null, "::before", "::after"].map(part => {
        const style = getComputedStyle(element, part);
        if (part && style.content === "none") return null;
        const names = [...style].filter(name => !name.startsWith("--"));
        const looks = names.map(name => `${name}: ${style.getPropertyValue(name)}`);
        return [name, part, ...looks.map(look => look.replace(/url\\([^)]*\\)/g, ""))];
    }));
}"""


@pytest.mark.parametrize("path", [PAGES[0], address(EXERCISES[0])])
def test_a_page_looks_as_with_all_style_sheets(browser: Browser, built: Built, reader: Reader, path: str) -> None:
    css = (built.html / "_static" / "site.css").read_text(encoding="utf-8")
    sheets = re.search(r"/\* The used rules of: (.*) \*/", css)
    assert sheets is not None
    whole = "".join(f'@import url("{reader.address}{sheet}");' for sheet in sheets[1].split())

    views: tuple[tuple[int, Literal["screen", "print"]], ...] = ((1440, "screen"), (390, "screen"), (800, "print"))

    def looks() -> list[list[str] | None]:
        page = reader.open(path)
        found = []
        for width, media in views:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(media=media)
            page.wait_for_timeout(400)  # let what fades finish
            found += page.evaluate(LOOKS)
        return found

    reader.page.emulate_media(reduced_motion="reduce")  # the picture of the landing page stands still
    lean = looks()
    reader.page.route("**/_static/site.css*", lambda route: route.fulfill(body=whole, content_type="text/css"))
    different = [(a, b) for a, b in zip(lean, looks(), strict=True) if a != b]
    assert [
        [(x, y) for x, y in zip(a or [], b or [], strict=False) if x != y][:5] + (a or [])[:1] for a, b in different
    ] == []
    assert reader.trouble == []


def test_the_style_sheet_knows_the_classes_that_a_tooltip_is_put_together_of(reader: Reader) -> None:
    page = reader.open(PAGES[0])
    page.locator(".theme-switch-button").first.hover()
    tooltip = page.locator(".tooltip")
    tooltip.wait_for()
    css = page.evaluate(
        "[...document.styleSheets].flatMap(sheet => [...sheet.cssRules]).map(rule => rule.cssText).join()"
    )
    (name,) = [name for name in (tooltip.get_attribute("class") or "").split() if name.startswith("bs-tooltip")]
    assert f".{name}" in css


def test_every_icon_has_its_glyph(built: Built) -> None:
    css = (built.html / "_static" / "site.css").read_text(encoding="utf-8")
    font = built.html / "_static" / "icons" / "fa-solid-900.woff2"
    glyphs = TTFont(font).getBestCmap()
    shown = dict(re.findall(r'\.(fa-[\w-]+):before\{content:"(.)"\}', css))
    icons = set()
    for page in built.html.glob("book/**/*.html"):
        for classes in re.findall(r'class="([^"]*\bfa-solid\b[^"]*)"', page.read_text(encoding="utf-8")):
            icons |= set(re.findall(r"\bfa-(?!solid|lg)[\w-]+", classes))
    assert len(icons) > 5
    assert {name for name in icons if name not in shown or ord(shown[name]) not in glyphs} == set()
    assert font.stat().st_size < 10_000


@pytest.mark.parametrize("path", [*PAGES, *MADE_BY_SPHINX])
def test_nothing_keeps_the_text_waiting_but_style_sheets(built: Built, path: str) -> None:
    html = (built.html / path).read_text(encoding="utf-8")
    scripts = re.findall(r"<script\b[^>]*\bsrc=[^>]*>", html)
    assert [script for script in scripts if not re.search(r"\bdefer\b", script)] == []
    sheets = re.findall(r'<link\b[^>]*rel="stylesheet"[^>]*>', html)
    assert len(sheets) <= 3
    assert "site.css" in sheets[0]
    if path != "search.html":
        assert not any("searchindex" in script for script in scripts)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_has_the_systems_theme_before_any_script_has_come(reader: Reader, theme: str) -> None:
    reader.page.route("**/*.js*", lambda route: route.abort())
    page = reader.page
    page.goto(reader.address + PAGES[0])
    assert page.locator("html").get_attribute("data-theme") == theme


def test_plain_tokens_of_code_are_no_elements(built: Built) -> None:
    plain = lean_code.plain_tokens((built.html / "_static" / "pygments.css").read_text(encoding="utf-8"))
    assert {"n", "p"} <= plain
    assert not plain & {"k", "c1", "s2", "mi"}
    page = BeautifulSoup((built.html / address(CHAPTERS[0])).read_text(encoding="utf-8"), "html.parser")
    classes = {name for span in page.select(".highlight pre span") for name in span.get_attribute_list("class")}
    assert {"k", "mi"} <= classes
    assert not plain & classes


def test_code_reads_the_same_without_them() -> None:
    html = (
        '<pre><span class="n">x</span><span class="o">&lt;</span><span class="p">(</span></pre><span class="n">y</span>'
    )
    kept = '<pre>x<span class="o">&lt;</span>(</pre><span class="n">y</span>'
    assert lean_code.without_plain_tokens(html, {"n", "p"}) == kept


@pytest.mark.parametrize(
    ("css", "left"),
    [
        (".a{b:c}", ".a{b:c}"),
        (".z{b:c}", ""),
        ("#a .z, p > .a{b:c}", "p > .a{b:c}"),
        (":is(.z, .a) p{b:c}", ":is(.z, .a) p{b:c}"),
        (":is(.z, .y) p{b:c}", ""),
        ("p:not(.z){b:c}", "p:not(.z){b:c}"),
        ('[class*="z"]{b:c}', '[class*="z"]{b:c}'),
        ("@media print{.z{b:c} .a{b:c}}", "@media print{.a{b:c}}"),
        ("@media print{.z{b:c}}", ""),
        ("@font-face{font-family:z}", "@font-face{font-family:z}"),
    ],
)
def test_a_rule_is_kept_if_it_may_fit(css: str, left: str) -> None:
    assert "".join(lean_styles.used(lean_styles.parse(css), {"a"})) == left


@pytest.mark.parametrize("width", [1440, 390])
def test_a_jump_lands_at_its_section_before_and_after_all_is_laid_out(reader: Reader, width: int) -> None:
    page = reader.page
    page.goto(reader.address + address(CHAPTERS[8]))
    page.set_viewport_size({"width": width, "height": 900})
    sections = page.locator(".bd-article > section section").evaluate_all("all => all.map(section => section.id)")

    def top(section: str) -> float:
        page.wait_for_timeout(300)
        found: float = page.evaluate("id => document.getElementById(id).getBoundingClientRect().top", section)
        return found

    link = """id => {
        const link = document.createElement("a");
        link.href = `#${id}`;
        document.querySelector("article").append(link);
        link.click();
    }"""
    for section in (sections[-2], sections[3], sections[len(sections) // 2], sections[1]):
        page.evaluate(link, section)
        assert 0 <= top(section) <= 120, f"a click on the link to {section}"
    for section in (sections[len(sections) // 2], sections[-2]):
        reader.open("search.html")
        reader.open(f"{address(CHAPTERS[8])}#{section}")
        assert 0 <= top(section) <= 120, f"a page that opens at {section}"
