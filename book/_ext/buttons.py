"""What a reader can do with a page: edit its source, by a button in the header; and with a chapter or exercises, by the
row under the title, run the notebook in Colab, download it, or go to the page that belongs to this one.

The theme would point its buttons at the page's own source, which is no notebook and not the file that a reader wants.
"""

import sys
from functools import cache
from pathlib import Path
from shutil import copyfile
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.util.typing import ExtensionMetadata

from book._ext.minutes import minutes
from derive.config import Book

DERIVED_FOLDERS = {"book/chapters": "notebooks", "book/exercises": "exercises"}
PARTNERS = {"book/chapters": ("book/exercises", "Exercises"), "book/exercises": ("book/chapters", "Chapter")}
DOWNLOADS = "_downloads"

load_book = cache(Book.load)


def derived_notebook(docname: str) -> Path | None:
    """The notebook that a reader of this page can run, relative to the root."""
    folder, _, slug = docname.rpartition("/")
    return Path(DERIVED_FOLDERS[folder], f"{slug}.ipynb") if folder in DERIVED_FOLDERS else None


def add_buttons(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if doctree is None:  # the search page and the index have no source
        return
    book = load_book(Path(app.srcdir))
    edit = {"type": "link", "label": "edit", "icon": "fas fa-pencil-alt", "tooltip": "Edit this page", "text": None}
    context["header_buttons"].append({**edit, "url": book.edit(app.env.doc2path(pagename, base=False))})
    notebook = derived_notebook(pagename)
    if notebook is not None:
        served = Path(DOWNLOADS, notebook)
        serve(Path(app.srcdir, notebook), Path(app.outdir, served))
        folder, _, slug = pagename.rpartition("/")
        partner, partner_name = PARTNERS[folder]
        row = {
            "colab": book.colab(notebook),
            "download": context["pathto"](served.as_posix(), resource=True),
            "partner": context["pathto"](f"{partner}/{slug}"),
            "partner_name": partner_name,
            "minutes": minutes(app.env, pagename),
        }
        assert isinstance(app.builder, StandaloneHTMLBuilder)
        badges = app.builder.templates.render("badges.html", row)
        context["body"] = context["body"].replace("</h1>", f"</h1>\n{badges}", 1)


def serve(notebook: Path, target: Path) -> None:
    """Copy a notebook into the site, so that it can be downloaded from there and offline."""
    if not notebook.exists():
        sys.exit(f"{notebook.parent.name}/{notebook.name} is missing: run `make notebooks`")
    target.parent.mkdir(parents=True, exist_ok=True)
    copyfile(notebook, target)


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("html-page-context", add_buttons, priority=502)  # the theme makes its own buttons at 501
    return {"parallel_read_safe": True, "parallel_write_safe": True}
