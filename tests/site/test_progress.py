"""A reader marks pages as done; the marks stay in the browser, and the landing page counts them."""

import json

import pytest
from playwright.sync_api import Page, expect

from tests.site.conftest import Built, Reader
from tests.site.pages import CHAPTERS, EXERCISES, address

LANDING = "book/index.html"


def button(page: Page) -> str | None:
    return page.get_by_role("button", name="Done with").get_attribute("aria-pressed")


def counts(page: Page) -> list[str]:
    return page.locator("#course-done strong").all_inner_texts()


def test_a_mark_survives_a_reload_and_shows_on_the_map(reader: Reader) -> None:
    page = reader.open(LANDING)
    assert counts(page) == ["0 of 18", "0 of 18"]
    assert page.get_by_role("button", name="Start over").is_disabled()

    for source in (CHAPTERS[4], EXERCISES[4], CHAPTERS[8]):
        page = reader.open(address(source))
        assert button(page) == "false"
        page.get_by_role("button", name="Done with").click()
        assert button(page) == "true"
        page.reload()
        assert button(page) == "true"

    page = reader.open(LANDING)
    assert counts(page) == ["2 of 18", "1 of 18"]
    assert page.locator("progress").evaluate("bar => bar.value / bar.max") == 3 / 36
    ticked = page.locator(".tick").evaluate_all("all => all.filter(t => t.textContent).map(t => t.dataset.page)")
    assert ticked == [f"{source.parent.name}/{source.stem}" for source in (CHAPTERS[4], EXERCISES[4], CHAPTERS[8])]

    page = reader.open(address(CHAPTERS[8]))
    page.get_by_role("button", name="Done with").press("Space")  # it is a button for the keyboard too
    assert button(page) == "false"
    page = reader.open(LANDING)
    assert counts(page) == ["1 of 18", "1 of 18"]
    assert reader.trouble == []


def test_all_marks_can_be_removed(reader: Reader) -> None:
    page = reader.open(address(EXERCISES[0]))
    page.get_by_role("button", name="Done with").click()
    page = reader.open(LANDING)
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Start over").click()
    assert counts(page) == ["0 of 18", "1 of 18"]
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Start over").click()
    assert counts(page) == ["0 of 18", "0 of 18"]
    assert page.evaluate("document.activeElement.id") == "course-done"
    page = reader.open(address(EXERCISES[0]))
    assert button(page) == "false"


def test_another_window_hears_of_a_mark(reader: Reader) -> None:
    landing = reader.open(LANDING)
    other = landing.context.new_page()
    other.goto(reader.address + address(CHAPTERS[0]))
    other.get_by_role("button", name="Done with").click()
    expect(landing.locator("#course-done strong").first).to_have_text("1 of 18")


def test_where_nothing_can_be_kept_the_page_says_so(reader: Reader) -> None:
    page = reader.open(address(CHAPTERS[0]))
    page.evaluate(
        "() => { Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }; }"
    )
    page.get_by_role("button", name="Done with").click()
    assert button(page) == "true"
    assert "keeps nothing" in page.locator(".mark-done p").inner_text()
    assert reader.trouble == []


@pytest.mark.parametrize("stored", ["no JSON", "{}", "null", '["chapters/00_gone"]'])
def test_what_is_stored_may_be_anything(reader: Reader, stored: str) -> None:
    reader.page.add_init_script(f"localStorage.setItem('layer-by-layer:done', {json.dumps(stored)})")
    page = reader.open(LANDING)
    assert counts(page) == ["0 of 18", "0 of 18"]
    assert reader.trouble == []


def test_marks_work_from_the_file_system(reader: Reader, built: Built) -> None:
    reader.address = built.html.as_uri() + "/"
    reader.page.unroute_all()
    page = reader.open(address(CHAPTERS[0]))
    page.get_by_role("button", name="Done with").click()
    page = reader.open(LANDING)
    assert counts(page) == ["1 of 18", "0 of 18"]
    assert reader.trouble == []
