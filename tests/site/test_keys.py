"""The keyboard: the page before and after, the search, the list of keys; and a visible focus."""

import re

import pytest
from playwright.sync_api import expect

from tests.site.conftest import Reader
from tests.site.pages import CHAPTERS, EXERCISES, MADE_BY_SPHINX, address

CONVOLUTION = address(CHAPTERS[4])
BEFORE, AFTER = address(EXERCISES[3]), address(EXERCISES[4])


@pytest.mark.parametrize(("key", "to"), [("ArrowRight", AFTER), ("n", AFTER), ("ArrowLeft", BEFORE), ("p", BEFORE)])
def test_keys_turn_the_page(reader: Reader, key: str, to: str) -> None:
    page = reader.open(CONVOLUTION)
    page.keyboard.press(key)
    page.wait_for_url(f"**/{to}")


def test_keys_of_others_are_left_alone(reader: Reader) -> None:
    page = reader.open(CONVOLUTION)
    page.evaluate("addEventListener('pagehide', () => sessionStorage.setItem('left', 'yes'))")
    for key in ("Control+ArrowRight", "Alt+n", "Shift+ArrowRight", "Meta+p"):
        page.keyboard.press(key)

    page.locator(".explorer input").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("n")
    page.locator(".explorer button").first.focus()
    page.keyboard.press("ArrowRight")

    page.keyboard.press("Control+k")
    page.locator("dialog input[type=search]").type("np?/")
    expect(page.locator("dialog input[type=search]")).to_have_value("np?/")
    page.keyboard.press("Escape")
    assert page.url.endswith(CONVOLUTION)
    assert page.evaluate("sessionStorage.getItem('left')") is None


@pytest.mark.parametrize("width", [390])
def test_arrows_scroll_a_wide_box_and_do_not_turn_the_page(reader: Reader, width: int) -> None:
    page = reader.open(CONVOLUTION)
    box = page.locator("div.math[tabindex='0']").first
    box.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.activeElement.scrollLeft > 0")
    assert page.url.endswith(CONVOLUTION)


@pytest.mark.parametrize("path", [CONVOLUTION, "search.html"])
def test_a_slash_goes_to_the_search(reader: Reader, path: str) -> None:
    page = reader.open(path)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.type") == "search"
    assert page.evaluate("document.activeElement.value") == ""


def test_a_question_mark_lists_the_keys_and_they_can_be_switched_off(reader: Reader) -> None:
    page = reader.open(CONVOLUTION)
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    for word in ("next page", "previous page", "search", "this list"):
        assert word in dialog.inner_text()
    dialog.get_by_role("checkbox", name="Keys are on").uncheck()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.reload()
    page.keyboard.press("?")
    assert page.locator("dialog[open]").count() == 0
    page.keyboard.press("n")
    page.get_by_role("button", name="Keys").click()
    assert page.url.endswith(CONVOLUTION)
    page.get_by_role("checkbox", name="Keys are on").check()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("n")
    page.wait_for_url(f"**/{AFTER}")
    assert reader.trouble == []


FOCUS = """() => {
    const element = document.activeElement;
    if (element === document.body) return null;
    const seen = ["outlineStyle", "outlineWidth", "boxShadow", "borderColor", "backgroundColor", "textDecorationLine",
        "strokeWidth"];
    const look = (node) => seen.map((name) => getComputedStyle(node)[name]).join();
    const nodes = [element, ...element.querySelectorAll("*")].slice(0, 6);
    const focused = nodes.map(look).join();
    element.blur();
    const blurred = nodes.map(look).join();
    element.focus({focusVisible: true});
    return {what: element.outerHTML.slice(0, 90), seen: focused !== blurred};
}"""


@pytest.mark.parametrize("path", ["book/index.html", CONVOLUTION, AFTER, *MADE_BY_SPHINX])
def test_the_focus_is_seen_wherever_it_is(reader: Reader, path: str) -> None:
    page = reader.open(path)
    page.add_style_tag(content="* { transition: none !important; }")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main-content", "the skip link comes first"
    unseen = []
    for _ in range(60):
        found = page.evaluate(FOCUS)
        if found is None:
            break
        if not found["seen"]:
            unseen.append(found["what"])
        page.keyboard.press("Tab")
    assert unseen == []


def test_the_skip_link_leads_past_the_navigation(reader: Reader) -> None:
    page = reader.open(CONVOLUTION)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_the_contents_follow_the_reader(reader: Reader) -> None:
    page = reader.open(CONVOLUTION)
    contents = page.locator("#pst-page-toc-nav")
    for title in ("The idea", "See it", "Summary"):
        heading = page.locator("article h2", has_text=re.compile(f"^{title}"))
        heading.evaluate("heading => heading.scrollIntoView()")
        expect(contents.locator("li.active > a").first).to_have_text(re.compile(f"^{title}"))
        assert contents.bounding_box()["y"] < 200, "the contents stay in sight"  # type: ignore[index]
