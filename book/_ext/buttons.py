"""The buttons above a page: run the notebook in Colab, download it, edit the source.

The theme would point them at the page's own source, which is neither a notebook nor the file that a reader wants.
"""

import sys
from functools import cache
from pathlib import Path
from shutil import copyfile
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from derive.config import Book

DERIVED_FOLDERS = {"book/chapters": "notebooks", "book/exercises": "exercises"}
DOWNLOADS = "_downloads"

load_book = cache(Book.load)


def derived_notebook(docname: str) -> Path | None:
    """The notebook that a reader of this page can run, relative to the root."""
    folder, _, slug = docname.rpartition("/")
    return Path(DERIVED_FOLDERS[folder], f"{slug}.ipynb") if folder in DERIVED_FOLDERS else None


def link(label: str, url: str, icon: str, tooltip: str, text: str | None = None) -> dict[str, str | None]:
    """A button, in the terms of sphinx-book-theme."""
    return {"type": "link", "label": label, "url": url, "icon": icon, "tooltip": tooltip, "text": text}


def add_buttons(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if doctree is None:  # the search page and the index have no source
        return
    book = load_book(Path(app.srcdir))
    buttons = context["header_buttons"]
    notebook = derived_notebook(pagename)
    if notebook is not None:
        served = Path(DOWNLOADS, notebook)
        serve(Path(app.srcdir, notebook), Path(app.outdir, served))
        colab_logo = "_static/images/logo_colab.png"  # the theme's
        buttons.append(link("colab", book.colab(notebook), colab_logo, "Run this page in Colab", "Colab"))
        address = context["pathto"](served.as_posix(), resource=True)
        buttons.append(link("download", address, "fas fa-download", "Download this page as a notebook"))
    source = app.env.doc2path(pagename, base=False)
    buttons.append(link("edit", book.edit(source), "fas fa-pencil-alt", "Edit this page"))


def serve(notebook: Path, target: Path) -> None:
    """Copy a notebook into the site, so that it can be downloaded from there and offline."""
    if not notebook.exists():
        sys.exit(f"{notebook.parent.name}/{notebook.name} is missing: run `make notebooks`")
    target.parent.mkdir(parents=True, exist_ok=True)
    copyfile(notebook, target)


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("html-page-context", add_buttons, priority=502)  # the theme makes its own buttons at 501
    return {"parallel_read_safe": True, "parallel_write_safe": True}
