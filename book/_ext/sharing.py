"""What a page says of itself to those who list it or show a link to it: a description, a picture, an icon, an address.

The description stands in the page's front matter, the picture is drawn by `cards`, and addresses start with
the `baseurl` of `_config.yml`. `book/_templates/sharing.html` puts them into the head of every page.
"""

from pathlib import Path
from typing import Any

from docutils import nodes
from PIL import Image
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.typing import ExtensionMetadata

from book._ext.cards import PAPER, card, logo
from derive.config import Book

CARDS = "_cards"
MADE_BY_SPHINX = {
    "404": "There is no page at this address. Search the course, or start from its first page.",
    "genindex": "Every term and every name of the course in the order of the alphabet, with the page that explains it.",
    "search": "Search the course for a word, a layer, a function or an argument of PyTorch.",
}


def finish_baseurl(app: Sphinx, config: Config) -> None:
    """Sphinx joins addresses to it as it is; a slash at its end may be left out. Templates know it as `site`."""
    config.html_baseurl = config.html_context["site"] = Book.load(Path(app.confdir)).site


def describe(document: nodes.document) -> str | None:
    """The description in a page's front matter."""
    for meta in document.findall(nodes.meta):
        if meta.get("name") == "description":
            return str(meta["content"])
    return None


def add_sharing(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if doctree is None:
        context["purpose"] = MADE_BY_SPHINX.get(pagename)
        return
    description = describe(doctree)
    if description is not None:
        context["sharing"] = share(app, pagename, description)
        context["course"] = app.config.html_title
        context["is_landing_page"] = pagename == app.config.root_doc


def share(app: Sphinx, pagename: str, description: str) -> dict[str, str]:
    """What the template needs to know of a page; its card is drawn on the way."""
    title = app.env.titles[pagename].astext()
    picture = f"{CARDS}/{pagename}.png"
    target = Path(app.outdir, picture)
    target.parent.mkdir(parents=True, exist_ok=True)
    card(app.config.html_title, title, description).save(target, optimize=True)
    site = app.config.html_baseurl
    return {
        "title": title,
        "description": description,
        "address": site + app.builder.get_target_uri(pagename),
        "picture": site + picture,
    }


def draw_icons(app: Sphinx) -> None:
    """For browsers that know no SVG, at the address where they look, and for telephones, which put it on white."""
    if app.builder.format == "html":
        Path(app.outdir).mkdir(parents=True, exist_ok=True)
        logo(48).save(Path(app.outdir, "favicon.ico"), sizes=[(16, 16), (32, 32), (48, 48)])
        touch = Image.new("RGB", (180, 180), PAPER)
        touch.paste(logo(132), (24, 24), logo(132))
        touch.save(Path(app.outdir, "apple-touch-icon.png"), optimize=True)


def write_front_door(app: Sphinx, error: Exception | None) -> None:
    """The site's own address leads to the landing page, and is as good to share."""
    if error is None and app.builder.format == "html":
        root = app.config.root_doc
        description = describe(app.env.get_doctree(root)) or ""
        told = {"sharing": share(app, root, description), "course": app.config.html_title, "is_landing_page": True}
        page = app.builder.templates.render("front_door.html", {**told, "target": app.builder.get_target_uri(root)})
        Path(app.outdir, "index.html").write_text(page, encoding="utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("config-inited", finish_baseurl, priority=400)  # before the extensions that use it
    app.connect("builder-inited", draw_icons)
    app.connect("html-page-context", add_sharing)
    app.connect(
        "build-finished", write_front_door, priority=400
    )  # sphinx_external_toc writes one where none is, at 500
    return {"parallel_read_safe": True, "parallel_write_safe": True}
