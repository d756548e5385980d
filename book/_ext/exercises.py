"""An exercise page shows what a learner gets: stubs in the place of solutions, and neither grade cells nor mutants."""

import sys
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from derive.errors import SourceError
from derive.site import learner_source


def hide_solutions(app: Sphinx, docname: str, source: list[str]) -> None:
    if not docname.startswith("book/exercises/"):
        return
    try:
        source[0] = learner_source(Path(app.env.doc2path(docname)), source[0])
    except SourceError as error:
        sys.exit(str(error))  # no exception: Jupyter Book would print a traceback around it
    for loaded in Path(app.srcdir, "book").glob("*.py"):
        app.env.note_dependency(str(loaded))


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("source-read", hide_solutions)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
