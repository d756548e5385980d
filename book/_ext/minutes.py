"""How long a page takes: a chapter's front matter says it, and the tasks of an exercise page add up to it."""

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util.typing import ExtensionMetadata

from derive.source import minutes_of_tasks


def minutes(env: BuildEnvironment, docname: str) -> int:
    """The minutes of a chapter or of an exercise page."""
    found = env.metadata[docname].get("minutes")
    if found is None:
        raise ExtensionError(f"{docname} does not say how many minutes it takes: add minutes to its front matter")
    return int(found)


def add_up_tasks(app: Sphinx, docname: str, source: list[str]) -> None:
    if docname.startswith("book/exercises/"):
        app.env.metadata[docname]["minutes"] = minutes_of_tasks(source[0])


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("source-read", add_up_tasks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
