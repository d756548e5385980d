"""Reading notebooks that anybody may have written: nothing about them is taken for granted.

`nbformat` is not used here on purpose: it expects a notebook that is nearly valid, and what is needed of a submission
is only the text of its code cells, whatever else is wrong with it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from grader.errors import Unreadable


@dataclass(frozen=True)
class Cell:
    """A cell: its text, and by what it can be recognised."""

    kind: str
    source: str
    id: str = ""
    task: str = ""
    grade_id: str = ""
    tags: frozenset[str] = frozenset()
    metadata: dict[str, Any] | None = None

    @property
    def is_solution(self) -> bool:
        """Whether its metadata say that an answer stands in it."""
        return "answer" in self.tags or (bool(self.grade_id) and not self.grade_id.startswith("check_"))


def parse(data: bytes) -> list[Cell]:
    """The cells of a notebook of any version; raise `Unreadable` if there are none to be had."""
    if not data.strip():
        raise Unreadable("the file is empty")
    try:
        whole = json.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except UnicodeDecodeError:
        raise Unreadable("the file is not text in UTF-8") from None
    except RecursionError:
        raise Unreadable("the file is no notebook: it is nested too deeply") from None
    except ValueError as error:  # JSONDecodeError among others
        raise Unreadable(f"the file is no notebook: it is not JSON ({_short(error)})") from None
    if not isinstance(whole, dict):
        raise Unreadable("the file is JSON but no notebook")
    raw = whole.get("cells")
    if raw is None and isinstance(whole.get("worksheets"), list):  # nbformat 2 and 3
        raw = [
            cell
            for sheet in whole["worksheets"]
            if isinstance(sheet, dict) and isinstance(sheet.get("cells"), list)
            for cell in sheet["cells"]
        ]
    if not isinstance(raw, list):
        raise Unreadable("the file is JSON but no notebook: it has no cells")
    return [_cell(cell) for cell in raw if isinstance(cell, dict)]


def _short(error: Exception) -> str:
    return str(error).split("\n")[0][:100]


def _cell(raw: dict[str, Any]) -> Cell:
    metadata = _mapping(raw.get("metadata"))
    tags = metadata.get("tags")
    return Cell(
        kind=_text(raw.get("cell_type")),
        source=_source(raw.get("source", raw.get("input"))),
        id=_text(raw.get("id")),
        task=_text(metadata.get("task")),
        grade_id=_text(_mapping(metadata.get("nbgrader")).get("grade_id")),
        tags=frozenset(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else frozenset(),
        metadata=metadata,
    )


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _source(value: object) -> str:
    """The text of a cell, without halves of characters, which no kernel can be sent."""
    lines = value if isinstance(value, list) else [value]
    text = "".join(line for line in lines if isinstance(line, str))
    return text.encode("utf-8", "replace").decode("utf-8")
