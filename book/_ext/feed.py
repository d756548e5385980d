"""`feed.xml`, in the format Atom: what `book/changes.md` says, for those who would rather be told.

Each section of that page whose heading starts with a date, as in `## 2026-11-21: A page on parity`, is an entry.
"""

import re
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.typing import ExtensionMetadata

PAGE = "book/changes"
FEED = "feed.xml"
ATOM = "http://www.w3.org/2005/Atom"
HEADING = re.compile(r"(\d{4}-\d{2}-\d{2}): (.+)")

logger = logging.getLogger(__name__)


def day_of(heading: str) -> tuple[date, str] | None:
    """The date that a heading starts with, and what follows."""
    found = HEADING.fullmatch(heading)
    try:
        return (date.fromisoformat(found[1]), found[2]) if found else None
    except ValueError:
        return None


def add(parent: ElementTree.Element, name: str, text: str | None = None, **attributes: str) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, name, attributes)
    element.text = text
    return element


def write_feed(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.format != "html":
        return
    site = app.config.html_baseurl
    page = site + app.builder.get_target_uri(PAGE)
    changes = app.env.get_and_resolve_doctree(PAGE, app.builder)

    feed = ElementTree.Element("feed", xmlns=ATOM)
    add(feed, "id", site + FEED)
    add(feed, "title", f"{app.config.html_title}: what changed")
    add(feed, "link", rel="self", type="application/atom+xml", href=site + FEED)
    add(feed, "link", rel="alternate", type="text/html", href=page)
    add(add(feed, "author"), "name", app.config.author)
    updated = add(feed, "updated")

    days = []
    for section in next(changes.findall(nodes.section)).children:
        if not isinstance(section, nodes.section):
            continue
        title, *content = section.children
        found = day_of(title.astext())
        if found is None:
            logger.warning("a heading here is a date and a title, like 2026-11-21: A page on parity", location=title)
            continue
        day, words = found
        days.append(f"{day.isoformat()}T00:00:00Z")
        entry = add(feed, "entry")
        add(entry, "id", f"{page}#{section['ids'][0]}")
        add(entry, "title", words)
        add(entry, "link", rel="alternate", type="text/html", href=f"{page}#{section['ids'][0]}")
        add(entry, "updated", days[-1])
        told = app.builder.render_partial(nodes.container("", *content))["fragment"]  # type: ignore[attr-defined]
        add(entry, "content", told, type="html", **{"xml:base": page})
    updated.text = max(days)
    ElementTree.indent(feed)
    ElementTree.ElementTree(feed).write(Path(app.outdir, FEED), encoding="utf-8", xml_declaration=True)


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("build-finished", write_feed)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
