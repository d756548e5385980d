"""How far a reader has come: the button that marks a page as done, and the map of the landing page.

The map is the list of chapters inside `chapter-map`. Each entry gets its minutes, its exercises and theirs, and a place
for a mark. The marks stay in the reader's browser, where `done.js` keeps them.
"""

from pathlib import PurePosixPath
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.util.typing import ExtensionMetadata

from book._ext.minutes import minutes

KINDS = {"book/chapters": "this chapter", "book/exercises": "these exercises"}


def render(app: Sphinx, template: str, context: dict[str, Any]) -> str:
    assert isinstance(app.builder, StandaloneHTMLBuilder)
    return str(app.builder.templates.render(template, context))


def name(docname: str) -> str:
    """What a page is called among those that are done: chapters/04_convolution_1d."""
    return docname.removeprefix("book/")


def complete_maps(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for container in list(doctree.findall(nodes.container)):
        if "chapter-map" in container["classes"]:
            complete_map(app, container, docname)
            app.env.metadata[docname]["marks"] = True


def complete_map(app: Sphinx, chapter_map: nodes.Element, docname: str) -> None:
    """Add minutes and places for marks to the entries, and the sum of both above them."""
    docnames = {app.builder.get_relative_uri(docname, other): other for other in app.env.found_docs}
    entries = list(chapter_map.findall(nodes.list_item))
    hours = dict.fromkeys(("chapters", "exercises"), 0.0)
    for entry in entries:
        chapter = docnames[next(entry.findall(nodes.reference))["refuri"]]
        exercises = f"book/exercises/{PurePosixPath(chapter).name}"
        pages = {"chapters": chapter, "exercises": exercises}
        places = []
        for kind, page in pages.items():
            address = app.builder.get_relative_uri(docname, page)
            places.append({"name": name(page), "minutes": minutes(app.env, page), "address": address})
            hours[kind] += minutes(app.env, page) / 60
        row = nodes.container("", *entry.children, classes=["chapter-row"])
        row += nodes.raw("", render(app, "times.html", {"pages": places}), format="html")
        entry.clear()
        entry += row
    head = render(app, "progress.html", {"count": len(entries), "hours": hours})
    chapter_map.insert(0, nodes.raw("", head, format="html"))


def add_button(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    kind = KINDS.get(pagename.rpartition("/")[0])
    if kind is not None:
        landing = f"{context['pathto'](app.config.root_doc)}#the-chapters"
        context["body"] += render(app, "done.html", {"name": name(pagename), "kind": kind, "map": landing})
    if kind is not None or app.env.metadata[pagename].get("marks"):
        app.add_js_file("done.js", loading_method="defer")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("doctree-resolved", complete_maps)
    app.connect("html-page-context", add_button)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
