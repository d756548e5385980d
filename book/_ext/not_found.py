"""The page for addresses that lead nowhere, `404.html`: a server shows it at any depth, so links start at the root."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

PAGE = "404"
RELATIVE_LINK = re.compile(r'\b(href|src|action|data-content_root)="(?![a-z]+:|[#/])(?:\./)?')


def add_page(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    start = app.builder.get_target_uri(app.config.root_doc)
    body = f"""<h1>Page not found</h1>
<p>There is no page at this address. It may have moved, or the address may have a slip in it.</p>
<p>Go to <a href="{start}">the first page of the course</a>, or
<a href="search.html">search</a> for what you were after.</p>
"""
    yield PAGE, {"title": "Page not found", "body": body}, "page.html"


def start_links_at_root(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        page = Path(app.outdir, f"{PAGE}.html")
        folder = urlsplit(app.config.html_baseurl).path
        page.write_text(RELATIVE_LINK.sub(rf'\1="{folder}', page.read_text(encoding="utf-8")), encoding="utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("html-collect-pages", add_page)
    app.connect("build-finished", start_links_at_root, priority=950)  # after lean_pages, which follows the links
    return {"parallel_read_safe": True, "parallel_write_safe": True}
