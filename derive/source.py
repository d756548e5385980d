"""Reads a chapter or an exercise page: its front matter and its cells, each with the line that it stands on.

The cells are those that MyST-NB reads, so that the site and the notebooks have the same ones. The checks made here
hold for both kinds of page; `derive.chapter` and `derive.exercise` add their own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Literal

import yaml
from docutils.parsers.rst import Directive
from markdown_it.token import Token
from myst_parser.parsers.directives import parse_directive_text

from derive.config import Book
from derive.errors import Problems
from derive.myst import is_closed, line_of, parse_page, parser_config, plain_text
from derive.words import one_of

EXPORTS = ("exports_data", "exports_functional", "exports_nn", "exports_optim")
FRONT_MATTER = (*EXPORTS, "file_format", "kernelspec", "minutes", "myst")
OPTIONS = ("forbids", "load", "mystnb", "points", "says", "tags", "task")
TAGS = (
    "answer",
    "check",
    "export",
    "grade",
    "hide-input",
    "hide-output",
    "mutant",
    "nbval-ignore-output",
    "raises-exception",
    "remove-input",
)
TASK_TAGS = ("answer", "check", "grade", "mutant")
KERNELSPEC = {"name": "python3", "display_name": "Python 3"}
PIXELS = "pixels"
"""The class of a picture whose shades mean something, such as a photograph. All others change theirs in the dark."""
SETUP = "../setup.py"
INSTALL = "../install.py"

_TASK = re.compile(r"[a-z][a-z0-9_]{0,39}")
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_CODE_CELL = "{code-cell}"
_TASK_MINUTES = re.compile(r"^Difficulty .*· (\d+) minutes? ·", re.MULTILINE)


@dataclass(frozen=True)
class Cell:
    """One cell of a source."""

    kind: Literal["markdown", "code"]
    source: str
    position: int
    line: int
    """Where the cell starts: the fence of a code cell, the first line of the prose."""
    body_line: int
    """Where the first line of `source` stands. For code that is loaded from a file, the fence."""
    end_line: int
    """The last line of the cell: the closing fence of a code cell."""
    tags: tuple[str, ...] = ()
    task: str | None = None
    points: int | None = None
    says: str | None = None
    forbids: tuple[str, ...] = ()
    """What an answer may not use, as `F.conv1d`."""
    load: str | None = None
    alt: str | None = None

    @property
    def role(self) -> str | None:
        """What the cell does in a task: `answer`, `check`, `grade` or `mutant`."""
        return next((tag for tag in TASK_TAGS if tag in self.tags), None)


@dataclass(frozen=True)
class Heading:
    """A heading outside of any block."""

    level: int
    title: str
    line: int


@dataclass(frozen=True)
class Source:
    """A chapter or an exercise page, read and free of the mistakes that either can have."""

    book: Book
    path: Path
    text: str
    cells: tuple[Cell, ...]
    headings: tuple[Heading, ...]
    front_matter: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The path from the root."""
        return self.book.relative(self.path)

    @property
    def title(self) -> str:
        """The page's title."""
        return self.headings[0].title

    @property
    def code(self) -> tuple[Cell, ...]:
        """The code cells."""
        return tuple(cell for cell in self.cells if cell.kind == "code")

    @property
    def minutes(self) -> int | None:
        """About how long the page takes: what a chapter's front matter says, or what the tasks take together."""
        return self.front_matter.get("minutes") or minutes_of_tasks(self.text)

    @property
    def installs(self) -> bool:
        """Whether the page imports `scratch`, and so runs where it finds it."""
        return any(cell.load == INSTALL for cell in self.code)


def minutes_of_tasks(text: str) -> int | None:
    """What the tasks of an exercise page take together, as the lines under their headings say."""
    return sum(map(int, _TASK_MINUTES.findall(text))) or None


def read(book: Book, path: Path, text: str | None = None) -> Source:
    """Read the page at `path`, or `text` in its place; raise `SourceError` for what is wrong with it."""
    from myst_nb.core.read import read_myst_markdown_notebook

    if text is None:
        text = book.read(path)
    problems = Problems(book.relative(path))
    if not re.fullmatch(r"\d\d_[a-z][a-z0-9_]*", path.stem):
        problems.add(1, f"the name {path.name} must be two digits and a noun phrase, as in 04_convolution_1d.md")

    lines = text.split("\n")
    tokens, _ = parse_page(book.extensions, text)
    front_matter = _front_matter(lines, tokens, problems)
    top = _top_level(tokens)
    headings = _headings(top)
    if not headings or headings[0].level != 1:
        problems.add(headings[0].line if headings else 1, "the page must start with a title: # Title")
    fences = [token for token in top if token.type == "fence" and token.info.startswith(_CODE_CELL)]
    options = {id(token): _options(book, path, lines, token, problems) for token in fences}
    problems.raise_any()  # MyST-NB's reader would stop at the first of these, without its line

    notebook = read_myst_markdown_notebook(text, parser_config(book.extensions), add_source_map=True, path=path)
    waiting = iter(fences)
    cells = []
    for position, (cell, start) in enumerate(zip(notebook.cells, notebook.metadata.source_map, strict=True)):
        if cell.cell_type == "code":
            fence = next(waiting)
            cells.append(_code_cell(cell.source, position, fence, *options[id(fence)], problems))
        elif cell.cell_type == "markdown":
            while not lines[start]:
                start += 1
            if cell.metadata:
                problems.add(start, "a Markdown cell takes no metadata: write +++ alone")
            end = start + cell.source.count("\n") + 1
            cells.append(Cell("markdown", cell.source, position, start + 1, start + 1, end))
        else:
            problems.add(start, "raw cells cannot be used: write a code cell or Markdown")
    first = next((cell for cell in cells if cell.kind == "code"), None)
    if first is None or first.load != SETUP or first.tags != ("hide-input",):
        line = first.line if first else 1
        problems.add(line, f"the first code cell must be the setup cell: :load: {SETUP} and :tags: [hide-input]")
    problems.raise_any()
    return Source(book, path, text, tuple(cells), headings, front_matter)


def _front_matter(lines: list[str], tokens: list[Token], problems: Problems) -> dict[str, Any]:
    if not tokens or tokens[0].type != "front_matter":
        problems.add(1, "front matter is missing: start with ---, file_format: mystnb, the kernelspec, ---")
        return {}
    try:
        values = yaml.safe_load(tokens[0].content)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problems.add(2 + (mark.line if mark else 0), f"front matter is no YAML: {getattr(error, 'problem', error)}")
        return {}
    if not isinstance(values, dict):
        problems.add(1, "front matter must be a mapping: file_format: mystnb, and so on")
        return {}

    end = tokens[0].map[1] if tokens[0].map else 1
    for key in values:
        if key not in FRONT_MATTER:
            line = _line_of(lines, str(key), 1, end)
            problems.add(line, f"unknown front matter {key}: {one_of(str(key), FRONT_MATTER)}")
    if values.get("file_format") != "mystnb":
        problems.add(_line_of(lines, "file_format", 1, end), "front matter must have file_format: mystnb")
    if values.get("kernelspec") != KERNELSPEC:
        line = _line_of(lines, "kernelspec", 1, end)
        problems.add(line, "front matter must have kernelspec: {name: python3, display_name: Python 3}")
    if "minutes" in values and not (type(values["minutes"]) is int and values["minutes"] > 0):
        line = _line_of(lines, "minutes", 1, end)
        problems.add(line, f"minutes must be a whole number above 0, not {values['minutes']!r}")
    for key in EXPORTS:
        names = values.get(key, [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            problems.add(_line_of(lines, key, 1, end), f"{key} must be a list of names, as in [Conv1d]")
    return values


def _top_level(tokens: list[Token]) -> list[Token]:
    """The tokens outside of lists and block quotes, with the content of the headings."""
    level, top = 0, []
    for index, token in enumerate(tokens):
        level += token.nesting
        if level == 0 or (token.type == "heading_open" and level == 1):
            top.append(token)
            if token.type == "heading_open":
                top.append(tokens[index + 1])
    return top


def _headings(top: list[Token]) -> tuple[Heading, ...]:
    return tuple(
        Heading(int(token.tag[1:]), plain_text(content), line_of(token))
        for token, content in pairwise(top)
        if token.type == "heading_open"
    )


def _line_of(lines: list[str], key: str, first: int, last: int) -> int:
    """The line between `first` and `last` on which an option stands, or else `first`."""
    for number, line in enumerate(lines[first - 1 : last], first):
        if re.match(rf"\s*:?{re.escape(key)}\s*:", line):
            return number
    return first


class _CellDirective(Directive):
    """How MyST-NB takes a code cell apart: any option, in full YAML."""

    option_spec: ClassVar[dict[str, Any]] = {"any": str}
    optional_arguments = 1
    has_content = True


_Options = tuple[dict[str, Any], int, int]


def _options(book: Book, path: Path, lines: list[str], fence: Token, problems: Problems) -> _Options:
    """The options of a code cell, the line its source starts on, and its last line."""
    assert fence.map is not None
    line, end = fence.map[0] + 1, fence.map[1]
    swallows = any(row.startswith(f"{fence.markup}{{") for row in fence.content.split("\n"))
    if swallows or not is_closed(fence, lines):
        problems.add(line, f"this code cell is never closed: end it with {fence.markup}")
        return {}, line, end
    read = parse_directive_text(_CellDirective, "", fence.content, validate_options=False)
    body_line = line + 1 + read.body_offset
    options = read.options
    at = {key: _line_of(lines, str(key), line + 1, body_line - 1) for key in options}

    if read.warnings:
        problems.add(line, f"the options of this cell cannot be read: {read.warnings[0].msg}")
    if not lines[line - 1].startswith(fence.markup):
        problems.add(line, "a code cell must start at the left margin")
    for key in options:
        if key not in OPTIONS:
            problems.add(at[key], f"unknown cell option {key}: {one_of(str(key), OPTIONS)}")

    tags = options.get("tags", [])
    if not isinstance(tags, list):
        problems.add(at["tags"], "tags must be a list, as in [hide-input]")
    else:
        for tag in tags:
            if tag not in TAGS:
                problems.add(at["tags"], f"unknown tag {tag}: {one_of(str(tag), TAGS)}")
    if "task" in options and not (isinstance(options["task"], str) and _TASK.fullmatch(options["task"])):
        problems.add(at["task"], f"task {options['task']!r} must be a short name of [a-z0-9_], letter first")
    if "points" in options and not (type(options["points"]) is int and options["points"] > 0):
        problems.add(at["points"], f"points must be a whole number above 0, not {options['points']!r}")
    if "says" in options and not (isinstance(options["says"], str) and options["says"].strip()):
        problems.add(at["says"], "says must be some words of the message that the mutant has to meet")
    if "forbids" in options:
        names = options["forbids"]
        if not (isinstance(names, list) and names and all(_DOTTED.fullmatch(str(name)) for name in names)):
            problems.add(at["forbids"], "forbids must be a list of names, as in [F.conv1d, nn.Conv1d]")
    if "mystnb" in options:
        shown = options["mystnb"]
        image = shown.get("image") if isinstance(shown, dict) and list(shown) == ["image"] else None
        if not isinstance(image, dict) or not isinstance(image.get("alt"), str) or not image["alt"].strip():
            problems.add(at["mystnb"], 'mystnb is for a picture\'s description: {image: {alt: "..."}}')
        elif image.get("classes", PIXELS) != PIXELS:
            problems.add(at["mystnb"], f"the only class of a picture is {PIXELS}: its shades mean something")
    if "load" in options:
        loaded = path.parent / str(options["load"])
        if not loaded.is_file():
            problems.add(at["load"], f"load: there is no file {book.relative(loaded)}")
        else:
            book.read(loaded)  # MyST-NB's reader would stop at what is not UTF-8, without its line
        if read.body:
            problems.add(body_line, "a cell that loads a file has no code of its own")
        body_line = line
    return options, body_line, end


def _code_cell(
    source: str, position: int, fence: Token, options: dict[str, Any], body_line: int, end: int, problems: Problems
) -> Cell:
    line = line_of(fence)
    if not source.strip():
        problems.add(line, "this cell is empty")
    return Cell(
        kind="code",
        source=source.rstrip("\n"),
        position=position,
        line=line,
        body_line=body_line,
        end_line=end,
        tags=tuple(options.get("tags", ())),
        task=options.get("task"),
        points=options.get("points"),
        says=options.get("says"),
        forbids=tuple(options.get("forbids", ())),
        load=options.get("load"),
        alt=options.get("mystnb", {}).get("image", {}).get("alt"),
    )
