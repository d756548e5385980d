"""Colour every code cell as Python.

MyST-NB learns a page's language from the kernel that ran it. No kernel runs here, so it asks for a language
(the warning `myst-nb.lexer`, which `_config.yml` silences) and leaves the cells without colour.
"""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata


def colour(app: Sphinx, doctree: nodes.document) -> None:
    for cell in doctree.findall(nodes.container):
        if cell.get("nb_element") == "cell_code_source":
            for block in cell.findall(nodes.literal_block):
                block["language"] = "python"


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("doctree-read", colour)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
