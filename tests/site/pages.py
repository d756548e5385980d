"""Which pages the site has, from its table of contents."""

from pathlib import Path
from typing import Any

import yaml

from derive.config import Book

ROOT = Path(__file__).parents[2]
BOOK = Book.load(ROOT)


def files(entry: dict[str, Any]) -> list[str]:
    """The files that an entry of the table of contents names, its own and those below it."""
    below = [child for key in ("parts", "chapters", "sections") for child in entry.get(key, [])]
    own = [entry[key] for key in ("root", "file") if key in entry]
    return own + [name for child in below for name in files(child)]


SOURCES = [Path(f"{name}.md") for name in files(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8")))]
CHAPTERS = [source for source in SOURCES if source.parent == Path("book/chapters")]
EXERCISES = [source for source in SOURCES if source.parent == Path("book/exercises")]
OTHERS = [source for source in SOURCES if source not in CHAPTERS + EXERCISES]


def address(source: Path) -> str:
    """A page's address below the site's."""
    return source.with_suffix(".html").as_posix()


PAGES = [address(source) for source in SOURCES]
MADE_BY_SPHINX = ["genindex.html", "search.html"]
