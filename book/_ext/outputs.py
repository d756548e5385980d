"""The outputs of the chapters come from the derived notebooks, so building the site runs no cell and needs no torch.

MyST-NB looks for the outputs of a page in a jupyter-cache before it would run the page. Before any page is read,
this extension puts every chapter that is about to be read into that cache, with the outputs of `notebooks/`.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from myst_nb.sphinx_ import SphinxEnvType
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from derive.errors import SourceError
from derive.site import with_outputs


def fill_cache(app: Sphinx, env: SphinxEnvType, docnames: Sequence[str]) -> None:
    cache = get_cache(env.mystnb_config.execution_cache_path)
    for docname in docnames:
        if not docname.startswith("book/chapters/"):
            continue
        path = Path(env.doc2path(docname))
        try:
            notebook = with_outputs(path)
        except SourceError as error:
            sys.exit(str(error))  # no exception: Jupyter Book would print a traceback around it
        cache.cache_notebook_bundle(CacheBundleIn(notebook, str(path)), check_validity=False, overwrite=True)


def depend_on_notebook(app: Sphinx, docname: str, source: list[str]) -> None:
    """Read a chapter again when its notebook, or a cell that it loads, has changed."""
    if docname.startswith("book/chapters/"):
        notebook = Path(app.srcdir, "notebooks", f"{Path(docname).name}.ipynb")
        for path in (notebook, *Path(app.srcdir, "book").glob("*.py")):
            app.env.note_dependency(str(path))


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("env-before-read-docs", fill_cache)
    app.connect("source-read", depend_on_notebook)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
