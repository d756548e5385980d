"""Without a network and on paper: the zip that is published opens from the file system, and every page prints well."""

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup
from playwright.sync_api import Browser

from tests.site.conftest import Built, Reader
from tests.site.pages import BOOK, CHAPTERS, EXERCISES, PAGES, ROOT, address

COURSE = "pytorch-layer-by-layer"
A4 = 680  # pixels between the margins of an upright sheet


@pytest.fixture(scope="module")
def unpacked(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a reader has who unpacked the zip that `make zip` leaves beside the pages."""
    folder = tmp_path_factory.mktemp("offline")
    shutil.copy(ROOT / "Makefile", folder)
    shutil.copytree(built.html, folder / "_build" / "html")
    make = ["make", "--silent", "--old-file=book", "zip", f"PYTHON={sys.executable}"]
    done = subprocess.run(make, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (folder / "_build").iterdir()] == ["html"], "something is left behind"
    with zipfile.ZipFile(folder / "_build" / "html" / f"{COURSE}.zip") as packed:
        packed.extractall(folder)
    return folder / COURSE


def test_the_zip_holds_the_site(built: Built, unpacked: Path) -> None:
    def files(folder: Path) -> dict[str, bytes]:
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    assert files(unpacked) == files(built.html)


def test_what_is_published_has_the_zip_and_every_page_leads_to_it(built: Built) -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/publish.yml").read_text(encoding="utf-8"))
    steps = workflow["jobs"]["build"]["steps"]
    assert {"run": "make zip"} in steps
    assert steps[-1]["with"]["path"] == "_build/html"
    for path in PAGES:
        html = (built.html / path).read_text(encoding="utf-8")
        footer = BeautifulSoup(html[html.index('<footer class="bd-footer-content"') :], "html.parser").select_one(
            ".extra_footer"
        )
        assert footer is not None
        assert f"{BOOK.site}{COURSE}.zip" in [str(link["href"]) for link in footer.select("a")]


@pytest.fixture(scope="module")
def window(browser: Browser, unpacked: Path) -> Iterator[Reader]:
    """One window for all pages, as wide as the paper, in which the site lies in a folder."""
    context = browser.new_context(viewport={"width": A4, "height": 900}, color_scheme="dark")
    yield Reader(context.new_page(), unpacked.as_uri() + "/")
    context.close()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_opens_from_the_file_system_and_prints(window: Reader, path: str) -> None:
    window.trouble.clear()
    window.page.emulate_media(media="screen")
    page = window.open(path)
    assert page.locator("article h1").count() == 1
    assert page.evaluate("document.fonts.ready.then(() => document.fonts.check('16px \"Source Sans 3\"'))")
    explorers = page.locator(".explorer")
    assert explorers.count() == page.locator(".explorer:has(svg)").count()
    assert window.trouble == []

    page.emulate_media(media="print")
    page.wait_for_timeout(200)  # links change their colour slowly
    seen = page.evaluate(ON_PAPER)
    assert seen["heading"]
    assert seen["screen"] == [], "this can only be used on a screen, or is folded and cannot be unfolded"
    assert seen["light"] == [], "a dark theme prints in its light colours, which paper does not show"
    assert seen["split"] == [], "this may be cut in two by the end of a page"
    if path != "book/cheatsheet.html":  # which prints on a sheet that lies
        assert seen["wide"] == [], "this is cut off at the right"


ON_PAPER = """() => {
    const seen = selector => [...document.querySelectorAll(selector)].filter(element => element.checkVisibility());
    const told = elements => elements.map(element => element.outerHTML.slice(0, 80));
    const onScreen = ".bd-header, .bd-header-article, .bd-sidebar, footer, button, progress, .badges a, .headerlink, "
        + "article details:not([open]), article details.hide > summary";
    const words = "article :is(h1, h2, h3, p, a, pre, .katex), article .cell:nth-of-type(-n + 9) pre span";
    const light = element => {
        const [red, green, blue] = getComputedStyle(element).color.match(/[\\d.]+/g).map(Number);
        return 0.3 * red + 0.59 * green + 0.11 * blue > 140;
    };
    return {
        heading: seen("article h1").length === 1,
        screen: told(seen(onScreen)),
        light: told(seen(words).filter(light)),
        split: told(seen("article :is(img, figure)").filter(e => getComputedStyle(e).breakInside !== "avoid")),
        wide: told(seen("article :is(p, pre, table, img, .cell, .explorer, .math .base)")
            .filter(element => element.getBoundingClientRect().right > innerWidth + 1)),
    };
}"""


@pytest.mark.parametrize("source", [CHAPTERS[3], EXERCISES[3]], ids=str)
def test_a_notebook_is_there_offline(window: Reader, unpacked: Path, source: Path) -> None:
    page = window.open(address(source))
    href = page.locator("a[href*=_downloads][href$=ipynb]").first.get_attribute("href")
    assert href is not None
    notebook = (unpacked / address(source) / ".." / href).resolve()
    assert notebook.is_relative_to(unpacked)
    assert json.loads(notebook.read_text(encoding="utf-8"))["nbformat"] == 4
