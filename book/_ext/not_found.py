"""The page for addresses that lead nowhere, `404.html`, by sphinx-notfound-page: its links hold at any depth."""

from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.typing import ExtensionMetadata

from derive.config import Book


def point_at_site(app: Sphinx, config: Config) -> None:
    folder = urlsplit(Book.load(Path(app.confdir)).site).path
    config.notfound_urls_prefix = folder
    config.notfound_context = {
        "title": "Page not found",
        "body": (
            "<h1>Page not found</h1>\n"
            "<p>There is no page at this address. It may have moved, or the address may have a slip in it.</p>\n"
            f'<p>Go to <a href="{escape(folder + config.root_doc)}.html">the first page of the course</a>, or '
            f'<a href="{escape(folder)}search.html">search</a> for what you were after.</p>'
        ),
    }


def setup(app: Sphinx) -> ExtensionMetadata:
    app.setup_extension("notfound.extension")
    app.connect("config-inited", point_at_site, priority=400)  # before the extension checks what it is given
    return {"parallel_read_safe": True, "parallel_write_safe": True}
