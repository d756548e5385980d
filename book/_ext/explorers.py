"""`{explorer} name`: a picture with knobs, drawn by the script `book/_static/explorers/<name>.js`.

Only a page that holds an explorer loads its script. Without JavaScript the text in the directive remains, and a
sentence that says what is missing.
"""

from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

WITHOUT_JAVASCRIPT = "<noscript><p>The picture and its knobs stand here when JavaScript is on.</p></noscript>"
FOLDER = Path(__file__).parents[1] / "_static" / "explorers"


class Explorer(SphinxDirective):
    """The box that the script fills."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        if not (FOLDER / f"{name}.js").is_file():
            raise self.error(f"there is no explorer {name}")
        self.env.metadata[self.env.docname].setdefault("explorers", []).append(name)
        box = nodes.container(ids=[f"explorer-{name}"], classes=["explorer"])
        box += self.parse_content_to_nodes()
        box += nodes.raw("", WITHOUT_JAVASCRIPT, format="html")
        return [box]


def load_scripts(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    names = app.env.metadata[pagename].get("explorers", []) if doctree is not None else []
    if names:
        app.add_css_file("explorers.css")
        for script in ("explorers.js", *(f"explorers/{name}.js" for name in names)):
            app.add_js_file(script, loading_method="defer")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("explorer", Explorer)
    app.connect("html-page-context", load_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
