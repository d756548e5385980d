"""Derived notebooks as data: cells, their metadata, and the bytes that are written.

The bytes depend on the source alone: ids come from the source's path and the cell's position, and no version of
anything is stored.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import nbformat

from derive.labels import Index
from derive.markdown import convert_page
from derive.source import KERNELSPEC, Cell, Source

MEASURED = "nbval-ignore-output"
RAISES = "raises-exception"
INSTALLED_FROM = re.compile(r'^REPOSITORY = ".*"$', re.MULTILINE)
"""The line of `book/install.py` that says where the repository is."""


@dataclass(frozen=True)
class Draft:
    """A cell of a notebook that has not run."""

    kind: Literal["markdown", "code"]
    source: str
    id: str
    metadata: dict[str, Any] = field(default_factory=dict)
    origin: Cell | None = None
    """The cell that it comes from; None for the one that derive adds."""

    @property
    def tags(self) -> tuple[str, ...]:
        """The cell's tags."""
        return tuple(self.metadata.get("tags", ()))


@dataclass(frozen=True)
class Result:
    """What running a code cell gave."""

    execution_count: int | None = None
    outputs: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Stored:
    """A code cell of a derived notebook as it lies on the disk."""

    source: str
    tags: tuple[str, ...]
    result: Result

    def is_same(self, draft: Draft) -> bool:
        """Whether the cell would run as `draft` does: the same code, and an error expected of both or of neither.

        Where the repository is makes no difference.
        """
        sources = [INSTALLED_FROM.sub("", source) for source in (self.source, draft.source)]
        return sources[0] == sources[1] and (RAISES in self.tags) == (RAISES in draft.tags)


def header(source: Source, target: str, other: tuple[str, str, Path]) -> Draft:
    """The first cell: where to open the notebook, how long it takes, and what to edit in its place.

    `other` is the notebook that goes with this one: what to call it, its path, and its source. It is named if there
    is such a source.
    """
    book = source.book
    links = [("Open in Colab", book.colab(target)), ("Read on the site", book.page(source.path))]
    words, notebook, needed = other
    if needed.exists():
        links.append((words, book.colab(notebook)))
    text = " · ".join(f"[{words}]({address})" for words, address in links)
    if source.minutes:
        text += f" · about {source.minutes} minutes"
    note = (
        f"*This notebook is derived from [`{source.name}`]({book.edit(source.path)}). "
        "Edit that file, not this one, and run `make notebooks` to renew it.*"
    )
    return Draft("markdown", f"{text}\n\n{note}", _hashed_id(source.name, "header"))


def prose(source: Source, index: Index) -> dict[int, Draft]:
    """The page's prose as plain Markdown, by position. Cells of which nothing is left are left out."""
    cells = [cell for cell in source.cells if cell.kind == "markdown"]
    texts = convert_page(index, source.name, [(cell.source, cell.line) for cell in cells])
    return {
        cell.position: Draft("markdown", text, _hashed_id(source.name, cell.position), {}, cell)
        for cell, text in zip(cells, texts, strict=True)
        if text
    }


def code(source: Source, cell: Cell, *, id: str | None = None, **metadata: Any) -> Draft:
    """A code cell, with its tags; `metadata` is added to them."""
    if cell.tags:
        metadata["tags"] = list(cell.tags)
    if "hide-input" in cell.tags or "remove-input" in cell.tags:
        metadata["jupyter"] = {"source_hidden": True}
    return Draft("code", cell.source, id or _hashed_id(source.name, cell.position), metadata, cell)


def _hashed_id(name: str, position: int | str) -> str:
    return hashlib.sha256(f"{name}#{position}".encode()).hexdigest()[:8]


def code_cells(drafts: Sequence[Draft]) -> list[Draft]:
    """The code cells among `drafts`."""
    return [draft for draft in drafts if draft.kind == "code"]


def dumps(drafts: Sequence[Draft], results: Sequence[Result]) -> str:
    """The notebook's text. `results` has one entry for each code cell."""
    waiting = iter(results)
    cells = []
    for draft in drafts:
        cell: dict[str, Any] = {
            "cell_type": draft.kind,
            "id": draft.id,
            "metadata": draft.metadata,
            "source": draft.source,
        }
        if draft.kind == "code":
            result = next(waiting)
            cell |= {"execution_count": result.execution_count, "outputs": list(result.outputs)}
        cells.append(cell)
    metadata = {"kernelspec": KERNELSPEC, "language_info": {"name": "python"}}
    whole = nbformat.from_dict({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})
    return f"{nbformat.v4.writes(whole)}\n"


def load(path: Path) -> list[Stored] | None:
    """The code cells of a derived notebook; None if there is none that can be read."""
    try:
        whole = nbformat.v4.reads(path.read_text(encoding="utf-8"))
        return [
            Stored(cell.source, tuple(cell.metadata.get("tags", ())), Result(cell.execution_count, tuple(cell.outputs)))
            for cell in whole.cells
            if cell.cell_type == "code"
        ]
    except (OSError, ValueError, AttributeError):  # not there, no JSON, or no notebook
        return None


def in_step(stored: Sequence[Stored], drafts: Sequence[Draft]) -> bool:
    """Whether a stored notebook is what running these code cells gave."""
    return len(stored) == len(drafts) and all(
        old.is_same(new) and old.result.execution_count for old, new in zip(stored, drafts, strict=True)
    )
