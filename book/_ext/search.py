"""By which words the search finds a chapter, besides those of its text, and that it comes first then.

They are the names of torch that the chapter exports, the words of its title, and the keywords in its front matter. To
Sphinx each is the main entry of an index, which counts more than any word in a text; the page of the index has none of
them, because they are added after it was collected. `search.js` beside this file puts chapters before other pages.
Sphinx forgets the entries of pages that it does not write again; `make book` writes all of them.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.typing import ExtensionMetadata

MODULES = {
    "exports_data": ("torch.utils.data",),
    "exports_functional": ("torch.nn.functional", "F"),
    "exports_nn": ("torch.nn",),
    "exports_optim": ("torch.optim",),
}


def names(metadata: dict[str, str]) -> Iterator[str]:
    """What a chapter exports, as people write it."""
    for key, modules in MODULES.items():
        for name in json.loads(metadata.get(key, "[]")):
            yield name
            yield from (f"{module}.{name}" for module in modules)


def title_words(document: nodes.document) -> Iterator[str]:
    title = next(document.findall(nodes.title)).astext()
    yield title
    yield from (word for word in title.split() if len(word) > 3)


def keywords(document: nodes.document) -> Iterator[str]:
    for meta in document.findall(nodes.meta):
        if meta.get("name") == "keywords":
            yield from (word.strip() for word in str(meta["content"]).split(","))


def add_entries(app: Sphinx, document: nodes.document, docname: str) -> None:
    words = set(keywords(document))
    if docname.startswith("book/chapters/"):
        words.update(names(app.env.metadata[docname]), title_words(document))
    entries = [("single", word, "", "main", None) for word in sorted(words)]
    document.insert(0, addnodes.index(entries=entries))


def use_scorer(app: Sphinx, config: Config) -> None:
    config.html_search_scorer = str(Path(__file__).with_suffix(".js"))


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("config-inited", use_scorer)
    app.connect("doctree-resolved", add_entries)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
