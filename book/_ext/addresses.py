"""Three kinds of link whose addresses follow from `_config.yml`, so that a page spells none of them out:
`[text](colab:notebooks/x.ipynb)` opens a notebook in Colab, `[text](repository:CONTRIBUTING.md)` a file on GitHub,
`[text](site:feed.xml)` a file of the published site that is no page.
"""

from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.typing import ExtensionMetadata

from derive.config import Book


def add_schemes(app: Sphinx, config: Config) -> None:
    book = Book.load(Path(app.confdir))
    config.myst_url_schemes = {
        **dict.fromkeys(("http", "https", "mailto")),
        "colab": {"url": book.colab("{{path}}")},
        "repository": {"url": f"{book.repository}/blob/{book.branch}/{{{{path}}}}#{{{{fragment}}}}"},
        "site": {"url": f"{book.site}{{{{path}}}}"},
    }


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("config-inited", add_schemes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
