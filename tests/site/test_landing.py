"""The picture on the landing page: its numbers are torch's, it moves by itself, by pointer and keys, and can rest."""

import re

import pytest
import torch
from playwright.sync_api import Browser, Page
from torch.nn import functional as F

from tests.site.conftest import Reader

LANDING = "book/index.html"
PLACES = range(1, 7)


def numbers(page: Page, row: str) -> torch.Tensor:
    texts = page.locator(f".kernel-slides .{row} .cell").all_text_contents()
    return torch.tensor([[float(text.replace("\N{MINUS SIGN}", "-")) for text in texts]])


def place(page: Page) -> int:
    return int(page.get_by_role("slider").get_attribute("aria-valuenow") or 0)


def total(page: Page) -> float:
    said = page.locator(".kernel-slides .sum").text_content() or ""
    return float(said.rpartition("= ")[2].replace("\N{MINUS SIGN}", "-"))


@pytest.fixture
def resting(reader: Reader) -> Page:
    """The page of a reader who has asked for reduced motion."""
    reader.page.emulate_media(reduced_motion="reduce")
    return reader.open(LANDING)


def test_the_sums_are_those_of_torch(resting: Page) -> None:
    outputs = F.conv1d(numbers(resting, "signal"), numbers(resting, "kernel")[None])
    assert torch.equal(outputs, numbers(resting, "output"))
    slider = resting.get_by_role("slider")
    slider.press("Home")
    for number in PLACES:
        assert place(resting) == number
        assert total(resting) == outputs[0, number - 1]
        now = resting.locator(".output .cell").evaluate_all("all => all.findIndex(c => c.classList.contains('now'))")
        assert now == number - 1
        said = slider.get_attribute("aria-valuetext") or ""
        assert said.startswith(f"samples {number} to {number + 2}: ")
        slider.press("ArrowRight")
    assert place(resting) == PLACES[-1], "the kernel stops at the end"


def test_keys_and_buttons_move_the_kernel(resting: Page) -> None:
    slider = resting.get_by_role("slider")
    for key, to in [("End", 6), ("ArrowLeft", 5), ("ArrowDown", 4), ("ArrowUp", 5), ("Home", 1), ("ArrowLeft", 1)]:
        slider.press(key)
        assert place(resting) == to
    resting.get_by_role("button", name="Step").click()
    resting.get_by_role("button", name="Step").click()
    resting.get_by_role("button", name="Back").click()
    assert place(resting) == 2
    assert resting.url.endswith(LANDING), "the arrows have not turned the page"


def test_the_pointer_drags_the_kernel(resting: Page) -> None:
    cells = resting.locator(".kernel-slides .signal .cell")
    cells.first.scroll_into_view_if_needed()

    def middle(number: int) -> tuple[float, float]:
        box = cells.nth(number).bounding_box()
        assert box is not None
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    resting.mouse.move(*middle(3))
    resting.mouse.down()
    assert place(resting) == 3
    for number in (4, 5, 6, 1):
        resting.mouse.move(*middle(number))
        assert place(resting) == number
    resting.mouse.up()
    resting.mouse.move(*middle(5))
    assert place(resting) == 1, "a pointer that is up drags nothing"


def test_the_picture_rests_where_motion_is_not_wanted(resting: Page) -> None:
    resting.clock.install()
    assert resting.get_by_role("button", name="Play").is_visible()
    before = place(resting)
    resting.clock.run_for(20_000)
    assert place(resting) == before


def test_the_picture_plays_and_can_be_paused(reader: Reader) -> None:
    reader.page.clock.install()
    page = reader.open(LANDING)
    seen = []
    for _ in range(7):
        page.clock.run_for(1600)
        seen.append(place(page))
    assert sorted(set(seen)) == list(PLACES)
    page.get_by_role("button", name="Pause").click()
    before = place(page)
    page.clock.run_for(20_000)
    assert place(page) == before
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(1600)
    assert place(page) == before % 6 + 1
    page.get_by_role("slider").focus()  # a screen reader is not talked over
    assert page.get_by_role("button", name="Play").is_visible()
    assert reader.trouble == []


def test_the_picture_keeps_its_place_when_its_buttons_come(reader: Reader) -> None:
    reader.page.emulate_media(reduced_motion="reduce")
    page = reader.open(LANDING)
    height = "document.querySelector('.explorer').getBoundingClientRect().height"
    after = page.evaluate(height)
    page.evaluate("document.querySelector('.explorer-steps').remove()")
    assert page.evaluate(height) == pytest.approx(after, abs=1)


def test_without_a_script_the_picture_is_whole_and_described(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + LANDING)
    picture = page.locator("svg.kernel-slides")
    assert picture.get_attribute("role") == "img"
    assert re.search("minus one, zero and one", page.locator("#kernel-slides-title").text_content() or "")
    assert page.locator(".kernel-slides .output .cell").count() == len(PLACES)
    assert page.locator(".course-progress button, .mark-done, .tick, .keys-help").filter(visible=True).count() == 0
    context.close()
