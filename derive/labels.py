"""What cross-references can point to: the pages, labels, equations, glossary terms and bibliography of `book/`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from docutils.nodes import fully_normalize_name, make_id
from markdown_it.token import Token

from derive.config import Book
from derive.errors import SourceError
from derive.myst import DIRECTIVE, directive, line_of, parse, parse_page, plain_text


@dataclass(frozen=True)
class Label:
    """Something with a name: a section, a paragraph, a figure or an equation."""

    page: str
    line: int
    anchor: str
    title: str | None = None
    number: int | None = None


@dataclass
class Page:
    """What other pages can point to in one page."""

    name: str
    title: str = ""
    headings: dict[str, Label] = field(default_factory=dict)
    """The headings, under the names that MyST gives them (`page.md#a-heading`)."""
    references: dict[str, Any] = field(default_factory=dict)
    """The definitions of its reference links."""


@dataclass(frozen=True)
class Citation:
    """One entry of the bibliography."""

    authors: str
    year: str
    address: str | None


@dataclass
class Index:
    """All that the pages of the book can point to."""

    book: Book
    pages: dict[str, Page] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    equations: dict[str, Label] = field(default_factory=dict)
    terms: dict[str, Label] = field(default_factory=dict)
    """Glossary terms, in lower case."""
    bibliography: str | None = None
    """The page that holds the bibliography."""
    errors: list[SourceError] = field(default_factory=list)

    @classmethod
    def build(cls, book: Book) -> Index:
        """Read every page of the book."""
        index = cls(book)
        for path in book.pages():
            index._add(path)
        return index

    @cached_property
    def citations(self) -> dict[str, Citation]:
        """The bibliography, read when the first citation asks for it."""
        return {key: entry for path in self.book.bibliographies for key, entry in _citations(self.book, path)}

    def address(self, label: Label) -> str:
        """The address of a label on the site."""
        return f"{self.book.page(label.page)}#{label.anchor}"

    def _add(self, path: Path) -> None:
        try:
            text = self.book.read(path)
        except SourceError as error:
            self.errors.append(error)
            text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        tokens, references = parse_page(self.book.extensions, text)
        page = Page(self.book.relative(path), references=references)
        self.pages[page.name] = page
        _Reader(self, page).read(tokens, first_line=1)


class _Reader:
    """Walks through one page, blocks within blocks included."""

    def __init__(self, index: Index, page: Page) -> None:
        self.index = index
        self.page = page
        self.figures = 0
        self.equations = 0

    def read(self, tokens: list[Token], first_line: int) -> None:
        waiting: list[tuple[str, int]] = []  # names that the next block takes
        for token, following in zip(tokens, [*tokens[1:], None], strict=False):
            if token.map is None or token.type == "inline":
                continue
            line = first_line + line_of(token) - 1
            if token.type == "myst_target":
                waiting.append((token.content, line))
                continue
            title = self._heading(token, following, line) if token.type == "heading_open" else None
            if token.type == "math_block_label":
                self._equation(token.info, line)
            elif token.type in ("fence", "colon_fence") and DIRECTIVE.match(token.info.strip()):
                title = self._directive(token, line)
            for name, its_line in waiting:
                self._label(name, its_line, title)
            waiting = []

    def _heading(self, token: Token, following: Token | None, line: int) -> str:
        assert following is not None, "a heading has content"
        title = plain_text(following)
        self.page.title = self.page.title or title
        if int(token.tag[1:]) <= self.index.book.heading_anchors:
            for slug in _slugs(following):
                if slug not in self.page.headings:
                    self.page.headings[slug] = Label(self.page.name, line, make_id(title), title)
                    break
        return title

    def _directive(self, token: Token, line: int) -> str | None:
        match = DIRECTIVE.match(token.info.strip())
        assert match is not None
        kind = match[1]
        if kind in ("code-cell", "code-block", "code"):
            return None
        if kind == "math":
            label = directive(token, ("label",), takes_argument=False).options.get("label")
            if label:
                self._equation(label, line)
            return None
        read = directive(token, ("name",), takes_argument=True)
        if kind == "glossary":
            for term, its_line in _terms(read.body, line + read.body_line):
                self._term(term, its_line)
        elif kind == "bibliography":
            self.index.bibliography = self.page.name
        elif kind == "figure":
            self.figures += 1
            caption = _first_paragraph(self._parse(read.body))
            if "name" in read.options:
                self._label(read.options["name"], line, caption, self.figures)
            return caption
        else:
            if "name" in read.options:
                self._label(read.options["name"], line, read.argument or None)
            self.read(self._parse(read.body), line + read.body_line)
        return None

    def _parse(self, lines: list[str]) -> list[Token]:
        return parse(self.index.book.extensions, "\n".join(lines), self.page.references)

    def _label(self, name: str, line: int, title: str | None, number: int | None = None) -> None:
        label = Label(self.page.name, line, make_id(name), title, number)
        self._enter(self.index.labels, fully_normalize_name(name), label, "label")

    def _equation(self, name: str, line: int) -> None:
        self.equations += 1
        label = Label(self.page.name, line, make_id(f"equation-{name}"), None, self.equations)
        self._enter(self.index.equations, name, label, "equation")

    def _term(self, term: str, line: int) -> None:
        self._enter(self.index.terms, term.lower(), Label(self.page.name, line, term_anchor(term), term), "term")

    def _enter(self, names: dict[str, Label], name: str, label: Label, kind: str) -> None:
        if name in names:
            first = names[name]
            message = f"the {kind} {name} is taken: it stands in {first.page}:{first.line}"
            self.index.errors.append(SourceError(label.page, label.line, message))
        else:
            names[name] = label


def term_anchor(term: str) -> str:
    """The id that Sphinx gives a glossary term (it keeps capitals, dots and underscores)."""
    return "term-" + re.sub(r"[^a-zA-Z0-9._]+", "-", " ".join(term.split())).rstrip("-")


def _slugs(heading: Token) -> Iterator[str]:
    """The names that MyST tries for a heading, until one is free."""
    from myst_parser.mdit_to_docutils.base import default_slugify

    children = heading.children or []
    slug = default_slugify("".join(child.content for child in children if child.type in ("text", "code_inline")))
    number = 0
    while True:
        yield slug
        number += 1
        slug = f"{slug}-{number}"


def _first_paragraph(tokens: list[Token]) -> str | None:
    return next((plain_text(token) for token in tokens if token.type == "inline"), None)


def _terms(body: list[str], first_line: int) -> Iterator[tuple[str, int]]:
    """The terms of a glossary: the lines at the margin. `term : classifier` names `term`."""
    for number, line in enumerate(body, first_line):
        if line.strip() and not line[0].isspace() and not line.startswith(".. "):
            yield line.split(" : ")[0].strip(), number


def _citations(book: Book, path: Path) -> Iterator[tuple[str, Citation]]:
    from pybtex.database import parse_string
    from pybtex.exceptions import PybtexError
    from pybtex.richtext import Text

    text = book.read(path)
    try:
        entries = parse_string(text, "bibtex").entries
    except PybtexError as error:
        message = str(error)
        named = re.split(": | in '", message)[-1].rstrip("'")  # an entry that is there twice, or a name
        line = getattr(error, "lineno", None) or text.count("\n", 0, max(text.rfind(f"{{{named}"), 0)) + 1
        message = re.sub(r" in line \d+", "", message)
        raise SourceError(book.relative(path), line, f"the bibliography cannot be read: {message}") from None
    for key, entry in entries.items():
        persons = entry.persons.get("author") or entry.persons.get("editor") or []
        names = [str(Text.from_latex(" ".join((*person.prelast_names, *person.last_names)))) for person in persons]
        authors = " and ".join(names) if len(names) < 3 else f"{names[0]} et al."
        address = entry.fields.get("url")
        if "doi" in entry.fields:
            address = f"https://doi.org/{entry.fields['doi']}"
        elif "eprint" in entry.fields:
            address = f"https://arxiv.org/abs/{entry.fields['eprint']}"
        yield key, Citation(authors or key, entry.fields.get("year", "n.d."), address)
