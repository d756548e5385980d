"""The API's page has every name, with an anchor, its signature and its chapter, and the search finds it."""

import re

import pytest
from bs4 import BeautifulSoup

from book._ext.api import Package
from tests.site.conftest import Built, Reader
from tests.site.pages import ROOT

MODULES = re.findall(r"^```\{api\} (\w+)$", (ROOT / "book" / "api.md").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("module", MODULES)
def test_every_name_has_an_entry(built: Built, module: str) -> None:
    page = BeautifulSoup((built.html / "book" / "api.html").read_text(encoding="utf-8"), "html.parser")
    for entry in Package(ROOT).entries(module):
        head = page.find(id=f"scratch.{module}.{entry.name}")
        assert head is not None, entry.name
        shown = re.sub(r"\s", "", head.get_text()).rstrip("#")
        signature = re.sub(r"\s", "", entry.signature or "").replace('"', "'")  # as Sphinx shows texts
        prefix = "class" if entry.kind == "class" else ""
        if entry.kind == "class" and signature == "()":
            signature = ""  # nor does Sphinx show these
        assert shown == f"{prefix}{entry.name}{signature}"
        body = head.find_next_sibling("dd")
        assert body is not None
        words = re.sub(r"[`\s]", "", entry.docstring or "")
        assert re.sub(r"\s", "", body.get_text()).startswith(words)
        assert body.select_one('a[href^="chapters/"]') is not None


def test_search_finds_a_name_of_the_api(reader: Reader) -> None:
    page = reader.open("search.html?q=ConvTranspose2d")
    results = page.locator("#search-results ul.search li")
    results.first.wait_for()
    assert page.locator('#search-results a[href*="api.html#scratch.nn.ConvTranspose2d"]').count() == 1
