"""Equations are set at build time by KaTeX, so that a page needs neither JavaScript nor another host to show them.

KaTeX runs in V8 inside this process, so the build needs nothing but Python. A formula that KaTeX cannot read is a
warning with file and line. An equation wider than the screen scrolls in its own box.
"""

from functools import cache
from pathlib import Path

from docutils import nodes
from py_mini_racer import JSEvalException, MiniRacer
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator

KATEX = Path(__file__).parents[2] / "third_party" / "katex" / "katex.min.js"

# The theme lets the keyboard into a box of this class while it scrolls, and only then.
SCROLLING_BOX = "pst-scrollable-table-container"

logger = logging.getLogger(__name__)


@cache
def engine() -> MiniRacer:
    engine = MiniRacer()
    engine.eval(KATEX.read_text(encoding="utf-8"))
    return engine


def typeset(node: nodes.math | nodes.math_block) -> str:
    """The formula as HTML: spans to look at, and MathML for screen readers."""
    options = {"displayMode": isinstance(node, nodes.math_block), "strict": "error"}
    try:
        return str(engine().call("katex.renderToString", node.astext(), options))
    except JSEvalException as error:
        logger.warning("%s", str(error).partition("\n")[0], location=node)
        raise nodes.SkipNode from error


def visit_math(self: HTML5Translator, node: nodes.math) -> None:
    self.body.append(self.starttag(node, "span", "", CLASS="math") + typeset(node) + "</span>")
    raise nodes.SkipNode


def visit_math_block(self: HTML5Translator, node: nodes.math_block) -> None:
    formula = typeset(node)
    self.body.append(self.starttag(node, "div", "", CLASS=f"math {SCROLLING_BOX}") + formula)
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_html_math_renderer("katex", (visit_math, None), (visit_math_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": False}  # V8 does not survive a fork
