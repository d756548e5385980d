"""Leave out what pages load and do not need.

The theme loads fontawesome.js on every page for icons that readers of the theme may add; its own come from a web font.
That script is more than half of a page's weight, and the theme has no switch for it.
"""

import re

from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.util.typing import ExtensionMetadata


def without_fontawesome_script(head: str) -> str:
    return re.sub(r"<script\b[^>]*/fontawesome\.js[^>]*></script>", "", head)


def add_filter(app: Sphinx) -> None:
    if isinstance(app.builder, StandaloneHTMLBuilder):
        app.builder.templates.environment.filters["without_fontawesome_script"] = without_fontawesome_script


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("builder-inited", add_filter)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
