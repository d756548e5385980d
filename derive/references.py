"""What roles and links in a page point to, as addresses on the site."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from docutils.nodes import fully_normalize_name

from derive.config import Book
from derive.errors import Problems
from derive.labels import Citation, Index, Label, Page
from derive.words import did_you_mean, one_of

ROLES = ("cite:p", "cite:t", "doc", "eq", "numref", "ref", "term")

_EXPLICIT_TITLE = re.compile(r"(.+?)\s*<([^<>]+)>", re.DOTALL)


def escape(text: str) -> str:
    """Plain text as Markdown."""
    return re.sub(r"([\\`*_\[\]<>])", r"\\\1", text)


@dataclass(frozen=True)
class References:
    """Finds what one page points to. What cannot be found is noted in `problems`."""

    index: Index
    page: Page
    problems: Problems

    @property
    def book(self) -> Book:
        """The book that the page belongs to."""
        return self.index.book

    def resolve(self, path: str) -> str | None:
        """A path as written in the page, from the root; None if it leads out of the repository."""
        if path.startswith("/"):
            return posixpath.normpath(path[1:])
        target = posixpath.normpath(posixpath.join(posixpath.dirname(self.page.name), path))
        return None if target.startswith("..") else target

    def link(self, href: str, line: int) -> tuple[str, str | None]:
        """The address that a Markdown link leads to, and the title of what stands there."""
        if re.match(r"(https?|mailto):", href):
            return href, None
        path, _, anchor = href.partition("#")
        if not path:
            known = self.index.labels | self.index.equations | self.page.headings
            target = self.index.labels.get(fully_normalize_name(anchor)) or known.get(anchor)
            if target is None:
                self.problems.add(line, f"broken link: there is no label {anchor}{did_you_mean(anchor, known)}")
                return href, None
            return self.index.address(target), target.title
        page = self._page(path) if path.endswith(".md") else None
        if page is None:
            pages = (posixpath.relpath(name, posixpath.dirname(self.page.name)) for name in self.index.pages)
            self.problems.add(line, f"broken link: there is no page {path}{did_you_mean(path, pages)}")
            return href, None
        if not anchor:
            return self.book.page(page.name), page.title
        if anchor not in page.headings:
            advice = f"write [...](#{anchor})" if anchor in self.index.labels else "no heading there has that name"
            self.problems.add(line, f"broken link: {path}#{anchor}: {advice}{did_you_mean(anchor, page.headings)}")
            return href, None
        return self.index.address(page.headings[anchor]), page.headings[anchor].title

    def _page(self, path: str) -> Page | None:
        target = self.resolve(path)
        return None if target is None else self.index.pages.get(target)

    def role(self, name: str, content: str, line: int, in_link: bool) -> str:
        """The Markdown that stands for a role; plain text if it is inside of a link already."""
        if name not in ROLES:
            self.problems.add(line, f"unknown role {{{name}}}: {one_of(name, ROLES)}")
            return content
        if name.startswith("cite:"):
            return self._cite(content, line, in_text=name == "cite:t", in_link=in_link)
        match = _EXPLICIT_TITLE.fullmatch(content)
        title, target = match.groups() if match else (None, content.strip())
        text, address = {
            "doc": self._doc,
            "eq": self._eq,
            "numref": self._numref,
            "ref": self._ref,
            "term": self._term,
        }[name](title, target, line)
        return text if in_link or address is None else f"[{text}]({address})"

    def _term(self, title: str | None, target: str, line: int) -> tuple[str, str | None]:
        term = self.index.terms.get(" ".join(target.lower().split()))
        if term is None:
            close = did_you_mean(target.lower(), self.index.terms)
            self.problems.add(line, f"the glossary has no term {target}{close}")
        return escape(title or target), self.index.address(term) if term else None

    def _doc(self, title: str | None, target: str, line: int) -> tuple[str, str | None]:
        page = self._page(f"{target}.md")
        if page is None:
            self.problems.add(line, f"broken reference: there is no page {target}")
            return escape(title or target), None
        return escape(title or page.title), self.book.page(page.name)

    def _ref(self, title: str | None, target: str, line: int) -> tuple[str, str | None]:
        label = self._find(target, self.index.labels, "label", line)
        if label is None:
            return escape(title or target), None
        if not title and not label.title:
            self.problems.add(line, f"the label {target} has no title: write {{ref}}`some words <{target}>`")
        return escape(title or label.title or target), self.index.address(label)

    def _eq(self, title: str | None, target: str, line: int) -> tuple[str, str | None]:
        label = self._find(target, self.index.equations, "equation", line)
        if label is None:
            return target, None
        return f"({label.number})", None if label.page == self.page.name else self.index.address(label)

    def _numref(self, title: str | None, target: str, line: int) -> tuple[str, str | None]:
        label = self._find(target, self.index.labels, "figure", line)
        if label is None:
            return target, None
        if label.number is None:
            self.problems.add(line, f"{target} is no figure: use {{ref}}")
        text = (title or "Figure %s").replace("%s", str(label.number)).replace("{number}", str(label.number))
        return escape(text), None if label.page == self.page.name else self.index.address(label)

    def _find(self, target: str, labels: dict[str, Label], kind: str, line: int) -> Label | None:
        label = labels.get(target) or labels.get(fully_normalize_name(target))
        if label is None:
            self.problems.add(line, f"broken reference: there is no {kind} {target}{did_you_mean(target, labels)}")
        return label

    def _cite(self, keys: str, line: int, in_text: bool, in_link: bool) -> str:
        cited = []
        for key in (key.strip() for key in keys.split(",")):
            entry = self.index.citations.get(key)
            if entry is None:
                close = did_you_mean(key, self.index.citations)
                self.problems.add(line, f"broken citation: the bibliography has no {key}{close}")
            else:
                cited.append(self._cited(entry, in_text, in_link))
        return ", ".join(cited) if in_text else f"({'; '.join(cited)})"

    def _cited(self, entry: Citation, in_text: bool, in_link: bool) -> str:
        text = f"{entry.authors} ({entry.year})" if in_text else f"{entry.authors}, {entry.year}"
        address = entry.address or (self.index.bibliography and self.book.page(self.index.bibliography))
        return f"[{text}]({address})" if address and not in_link else text
