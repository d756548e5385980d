"""Under the title of a chapter or of exercises stands what a reader can do with the page, and how long it takes."""

import re
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup, Tag

from tests.site.conftest import Built
from tests.site.pages import CHAPTERS, EXERCISES, ROOT, SOURCES, address
from tests.site.test_links import parse


def minutes(source: Path) -> int:
    """What the front matter of a chapter says, or what the lines under the headings of tasks add up to."""
    text = (ROOT / source).read_text(encoding="utf-8")
    if source in CHAPTERS:
        found = yaml.safe_load(text.split("---\n")[1])["minutes"]
        assert isinstance(found, int)
        return found
    return sum(int(number) for number in re.findall(r"^Difficulty \S+ · (\d+) minutes ·", text, flags=re.MULTILINE))


def soup(built: Built, source: Path) -> BeautifulSoup:
    return parse(built.html / address(source))


@pytest.mark.parametrize("source", EXERCISES, ids=str)
def test_every_task_says_its_minutes(source: Path) -> None:
    text = (ROOT / source).read_text(encoding="utf-8")
    tasks = set(re.findall(r"^:task: (\w+)", text, flags=re.MULTILINE))
    stated = re.findall(r"^Difficulty [●○]{3} · \d+ minutes · \d+ points?$", text, flags=re.MULTILINE)
    assert len(stated) == len(tasks)


@pytest.mark.parametrize("source", [*CHAPTERS, *EXERCISES], ids=str)
def test_the_row_under_the_title(built: Built, source: Path) -> None:
    title = soup(built, source).select_one("article h1")
    assert title is not None
    row = title.find_next_sibling()
    assert isinstance(row, Tag)
    assert row.get("class") == ["badges"]
    names = ["badge-colab", "badge-download", "badge-partner"]
    assert [link["class"] for link in row.select("a")] == [[name] for name in names]
    assert row.select("li")[-1].get_text() == f"about {minutes(source)} minutes"
    partner = row.select(".badge-partner")[0]
    folder, text = ("exercises", "Exercises") if source in CHAPTERS else ("chapters", "Chapter")
    assert (partner["href"], partner.get_text()) == (f"../{folder}/{source.stem}.html", text)


def test_the_map_has_every_chapter_with_its_minutes(built: Built) -> None:
    landing = soup(built, Path("book/index.md"))
    rows = landing.select(".chapter-map .chapter-row")
    assert len(rows) == len(CHAPTERS)
    for row, chapter, exercises in zip(rows, CHAPTERS, EXERCISES, strict=True):
        one, two = row.select(".chapter-times > span")
        assert row.select("a")[0]["href"] == f"chapters/{chapter.stem}.html"
        assert row.select("a")[-1]["href"] == f"exercises/{exercises.stem}.html"
        assert one.get_text() == f"{minutes(chapter)} min"
        assert two.get_text() == f"Exercises, {minutes(exercises)} min"
        assert [tick["data-page"] for tick in row.select(".tick")] == [
            f"chapters/{chapter.stem}",
            f"exercises/{exercises.stem}",
        ]
    hours = [round(sum(map(minutes, sources)) / 60) for sources in (CHAPTERS, EXERCISES)]
    said = landing.select_one(".course-progress > p")
    assert said is not None
    assert said.get_text() == f"About {hours[0]} hours to read and run, and {hours[1]} hours of exercises."


@pytest.mark.parametrize("source", [*CHAPTERS, *EXERCISES], ids=str)
def test_the_end_of_a_page_has_a_mark_and_leads_on(built: Built, source: Path) -> None:
    page = soup(built, source)
    (button,) = page.select("article .mark-done button")
    assert button["data-page"] == f"{source.parent.name}/{source.stem}"
    place = SOURCES.index(source)
    links = page.select(".prev-next-area a")
    here = (built.html / address(source)).parent
    assert [(here / str(link["href"])).resolve() for link in links] == [
        built.html / address(SOURCES[place - 1]),
        built.html / address(SOURCES[place + 1]),
    ]


@pytest.mark.parametrize("source", [*CHAPTERS, *EXERCISES], ids=str)
def test_the_set_up_cell_is_folded(built: Built, source: Path) -> None:
    first = soup(built, source).select("div.cell")[0]
    (details,) = first.select("details")
    assert not details.has_attr("open")
    assert "matplotlib" in details.get_text()
