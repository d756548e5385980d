"""MyST Markdown into the plain Markdown that Colab, Jupyter and GitHub draw.

The list of what can be written is closed: whatever is not on it is an error. Blocks and inline text are found with
the site's own parser, so what stands in code, in code spans or inside other blocks is taken for what it is; text
that needs no change is copied as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

from derive.errors import Problems
from derive.labels import Index
from derive.myst import DIRECTIVE, Directive, directive, is_closed, line_of, parse
from derive.references import References, escape
from derive.words import one_of

ADMONITIONS = {
    "note": "Note",
    "tip": "Tip",
    "warning": "Warning",
    "important": "Important",
    "seealso": "See also",
    "admonition": "",
}
DIRECTIVES = (*ADMONITIONS, "dropdown", "explorer", "figure", "image", "math", "code-cell")
_PICTURE_OPTIONS = ("align", "alt", "class", "height", "name", "scale", "width")
_OPTIONS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(ADMONITIONS, ("class", "name")),
    "dropdown": ("animate", "class-body", "class-container", "class-title", "color", "icon", "name", "open"),
    "explorer": (),
    "figure": (*_PICTURE_OPTIONS, "figclass", "figwidth"),
    "image": _PICTURE_OPTIONS,
    "math": ("label",),
}
_ARGUMENTS = {"explorer": "the name of an explorer", **dict.fromkeys(("figure", "image"), "the path of a file")}
_PLAIN_BLOCKS = {
    "blockquote_open",
    "bullet_list_open",
    "code_block",
    "dd_open",
    "dt_open",
    "heading_open",
    "hr",
    "list_item_open",
    "ordered_list_open",
    "paragraph_open",
    "table_open",
    "tbody_open",
    "td_open",
    "th_open",
    "thead_open",
    "tr_open",
}
_PLAIN_INLINE = {"code_inline", "em_open", "hardbreak", "softbreak", "strong_open", "text"}
_NOT_PLAIN = {
    "amsmath": r"\begin{...} on its own: write $$ around it, with aligned or gathered inside",
    "dl_open": "a definition list: write a list",
    "footnote_ref": "a footnote: say it in the text",
    "footnote_reference_open": "a footnote: say it in the text",
    "front_matter": "--- at the start of a cell: write *** for a rule",
    "myst_block_break": "+++ inside a block: put it between blocks",
    "span_open": "attributes on text: write the text alone",
    "substitution_block": "a substitution {{...}}: write the text itself",
    "substitution_inline": "a substitution {{...}}: write the text itself",
}
_WHOLE_ENVIRONMENT = re.compile(r"\\begin\{(\w+\*?)\}.*\\end\{\1\}", re.DOTALL)
_NUMBERED_ENVIRONMENT = re.compile(r"\\begin\{(align|alignat|equation|gather|multline)\*?\}")
_RELATIVE_ADDRESS = re.compile(r"""\b(?:href|src)\s*=\s*["']?(?!https?:|mailto:|["'\s])""")


@dataclass(frozen=True)
class _Edit:
    start: int
    end: int
    text: str


def _quote(title: str, text: str) -> list[str]:
    """A block quote with a bold title."""
    return [f"> {line}".rstrip() for line in (f"**{title}**", "", *text.split("\n"))]


class Converter:
    """Converts the prose of one page."""

    def __init__(self, index: Index, page: str) -> None:
        self.index = index
        self.problems = Problems(page)
        self.references = References(index, index.pages[page], self.problems)
        self.figures = 0

    def convert(self, text: str, first_line: int, quoted: bool = False) -> str:
        """Convert a run of MyST that starts on `first_line`; `quoted` if it will stand in a block quote.

        Problems are noted in `self.problems`.
        """
        return _Run(self, text, first_line, quoted).convert()


class _Run:
    """One run of text: a cell, or the body of a directive."""

    def __init__(self, converter: Converter, text: str, first_line: int, quoted: bool) -> None:
        self.converter = converter
        self.index = converter.index
        self.book = converter.index.book
        self.references = converter.references
        self.text = text
        self.lines = text.split("\n")
        self.first_line = first_line
        self.quoted = quoted
        self.edits: list[_Edit] = []
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line) + 1)
        self.searched: dict[int, int] = {}  # how far each line has been searched for the cells of a table

    def convert(self) -> str:
        for token in parse(self.book.extensions, self.text, self.references.page.references):
            if token.nesting >= 0 and (token.map is not None or token.type != "inline"):
                self._block(token)
        text = self.text
        for edit in sorted(self.edits, key=lambda edit: edit.start, reverse=True):
            text = text[: edit.start] + edit.text + text[edit.end :]
        return text.strip("\n")

    def problem(self, line: int, message: str) -> None:
        self.converter.problems.add(line, message)

    def line(self, token: Token) -> int:
        return self.first_line + line_of(token) - 1

    # blocks

    def _block(self, token: Token) -> None:
        kind = token.type
        if kind == "inline":
            self._inline(token)
        elif kind in ("fence", "colon_fence"):
            self._fence(token)
        elif kind in ("math_block", "math_block_label"):
            self._replace(token, "$$", lambda quoted: self._math(token.content, token.info, self.line(token), quoted))
        elif kind in ("myst_target", "myst_line_comment"):
            self._remove(token)
        elif kind == "html_block":
            self._html(token.content, self.line(token))
        elif kind not in _PLAIN_BLOCKS:
            what = _NOT_PLAIN.get(kind, kind.removesuffix("_open"))
            self.problem(self.line(token), f"notebooks cannot show {what}")

    def _fence(self, token: Token) -> None:
        line = self.line(token)
        if not is_closed(token, self.lines):
            self.problem(line, f"this block is never closed: end it with {token.markup}")
            return
        match = DIRECTIVE.match(token.info.strip())
        if match is None:
            if token.type == "colon_fence":
                self.problem(line, f"{token.markup} needs a directive: {token.markup}{{note}}, or ``` for code")
            return
        name = match[1]
        if name == "code-cell":
            self.problem(line, "a code cell cannot stand inside another block: move it to the left margin, with ```")
        elif name not in DIRECTIVES:
            self.problem(line, f"unknown directive {{{name}}}: {one_of(name, DIRECTIVES)}")
        else:
            takes_argument = name in ("admonition", "dropdown", "explorer", "figure", "image")
            block = directive(token, _OPTIONS[name], takes_argument)
            for warning in block.warnings:
                self.problem(line, f"{{{name}}}: {warning}")
            if takes_argument and not block.argument:
                self.problem(line, f"{{{name}}} needs {_ARGUMENTS.get(name, 'a title')} behind its name")
            else:
                self._replace(token, token.markup, lambda quoted: self._directive(block, line, quoted))

    def _directive(self, block: Directive, line: int, quoted: bool) -> list[str]:
        body, body_line = "\n".join(block.body), line + block.body_line
        if block.name in ADMONITIONS:
            title = self.converter.convert(block.argument, line) if block.argument else ADMONITIONS[block.name]
            inside = self.converter.convert(body, body_line, quoted=True)
            return _quote(title, inside)
        if block.name == "dropdown":
            inside = self.converter.convert(body, body_line, quoted)
            opening = "<details open>" if "open" in block.options else "<details>"
            summary = f"<summary>{self._summary(block.argument, line)}</summary>"
            return [opening, summary, "", *inside.split("\n"), "", "</details>"]
        if block.name == "explorer":
            return self._explorer(block.argument, body, line, body_line)
        if block.name == "math":
            return self._math(body, block.options.get("label", ""), line, quoted)
        return self._picture(block, line, quoted)

    def _explorer(self, name: str, body: str, line: int, body_line: int) -> list[str]:
        """A link to the explorer on the site: it needs the site's scripts."""
        known = sorted(path.stem for path in (self.book.root / "book/_static/explorers").glob("*.js"))
        if name not in known:
            self.problem(line, f"there is no explorer {name}: {one_of(name, known)}")
        if not body.strip():
            self.problem(line, "this explorer has no text: say what to try")
        inside = self.converter.convert(body, body_line, quoted=True)
        address = f"{self.book.page(self.references.page.name)}#explorer-{name}"
        return _quote("Explorer", f"{inside}\n\n[Open it on the site]({address})")

    def _picture(self, block: Directive, line: int, quoted: bool) -> list[str]:
        alt = block.options.get("alt", "")
        if not alt:
            self.problem(line, f"this {block.name} has no alt: say what it shows")
        address = self._file(block.argument, line)
        picture = [f"![{escape(alt)}]({address})"]
        if block.name == "image":
            return picture
        self.converter.figures += 1
        caption = self.converter.convert("\n".join(block.body), line + block.body_line, quoted)
        if not caption:
            self.problem(line, "this figure has no caption: write one, or use {image}")
        caption = f"**Figure {self.converter.figures}.** {caption}"
        return [*picture, "", *caption.split("\n")]

    def _math(self, content: str, label: str, line: int, quoted: bool) -> list[str]:
        body = [row.strip() for row in content.strip().split("\n")]
        if not all(body):
            self.problem(line, r"an equation cannot hold an empty line: write \begin{aligned} with \\ between the rows")
        text = "\n".join(body)
        if r"\\" in text and not _WHOLE_ENVIRONMENT.fullmatch(text):
            text = f"\\begin{{split}}\n{text}\n\\end{{split}}"  # MathJax knows rows only in an environment
        if label:
            if _NUMBERED_ENVIRONMENT.match(text):
                self.problem(line, "a labelled equation has one number: use aligned or gathered inside it")
            known = self.index.equations.get(label)
            if known is None:
                self.problem(line, "a caption cannot hold an equation with a label")
            else:
                text += f"\n\\tag{{{known.number}}}"
        if quoted:  # a viewer that takes out the formulas before it reads the Markdown would keep the > of each row
            text = " ".join(re.sub(r"(?<!\\)%.*", "", row).strip() for row in text.split("\n"))
            return [f"$${text}$$"]
        return ["$$", *text.split("\n"), "$$"]

    def _html(self, content: str, line: int) -> None:
        for offset, row in enumerate(content.split("\n")):
            if _RELATIVE_ADDRESS.search(row):
                self.problem(line + offset, "a relative address in HTML leads nowhere in Colab: write Markdown instead")

    def _remove(self, token: Token) -> None:
        assert token.map is not None
        first, last = token.map
        if not re.match(r"[\s>]*[(%]", self.lines[first]):
            self.problem(self.line(token), "a target or a comment cannot open a list item")
        above = self.lines[first - 1] if first else ""
        if last < len(self.lines) and not self.lines[last].strip() and not above.strip():
            last += 1  # one empty line is enough
        self.edits.append(_Edit(self.starts[first], min(self.starts[last], len(self.text)), ""))

    def _replace(self, token: Token, markup: str, write: Callable[[bool], list[str]]) -> None:
        """Put other lines in the place of a block, behind the same list and quote marks."""
        assert token.map is not None
        first, last = token.map
        mark = self.lines[first][: self.lines[first].index(markup)]
        indent = re.sub(r"[^>\s]", " ", mark)
        lines = write(self.quoted or ">" in mark)
        text = [mark + lines[0], *((indent + line).rstrip() for line in lines[1:])]
        if mark == indent and first > 0 and self.lines[first - 1].strip(" >"):
            text.insert(0, indent.rstrip())
        if last < len(self.lines) and self.lines[last].strip(" >"):
            text.append(indent.rstrip())
        end = self.starts[last] - 1
        self.edits.append(_Edit(self.starts[first], end, "\n".join(text)))

    def _summary(self, text: str, line: int) -> str:
        """A dropdown's title as HTML: viewers read no Markdown inside <summary>."""
        formulas: list[str] = []

        def put_aside(match: re.Match[str]) -> str:
            formulas.append(match[0])
            return f"\N{REPLACEMENT CHARACTER}{len(formulas) - 1};"

        plain = re.sub(r"(?<![\\$])\$[^$`]+\$", put_aside, self.converter.convert(text, line))
        html = MarkdownIt("commonmark").renderInline(plain)
        return re.sub("\N{REPLACEMENT CHARACTER}(\\d+);", lambda match: formulas[int(match[1])], html)

    # text

    def _inline(self, block: Token) -> None:
        edits: list[_Edit] = []
        depth = 0
        for token in block.children or []:
            kind = token.type
            start, end = token.meta.get("span", (0, 0))
            line = self.line(block) + block.content.count("\n", 0, start)
            depth += token.nesting if kind.startswith("link_") else 0
            if kind == "myst_role":
                name = str(token.meta["name"])
                edits.append(_Edit(start, end, self.references.role(name, token.content, line, in_link=depth > 0)))
            elif kind == "link_open" and token.info != "auto":
                edits += self._link(block.content, token, line)
            elif kind == "image":
                edits.append(self._image(token, line))
            elif kind == "math_inline":
                if "$" in (block.content[start - 1 : start], block.content[end : end + 1]):
                    self.problem(line, "$$ inside a paragraph: put an empty line before and after the equation")
            elif kind == "html_inline":
                self._html(token.content, line)
            elif token.nesting >= 0 and kind not in _PLAIN_INLINE and kind != "link_open":
                self.problem(line, f"notebooks cannot show {_NOT_PLAIN.get(kind, kind.removesuffix('_open'))}")
            if "attributes" in token.meta:
                start, end = token.meta["attributes"]
                edits.append(_Edit(start, end, ""))
        self._place(block, edits)

    def _place(self, block: Token, edits: list[_Edit]) -> None:
        """Carry edits of a block's content over to the text that it was read from."""
        assert block.map is not None
        origin = []  # for each line of the content: where it starts there, and in the text
        start = 0
        for number, content in enumerate(block.content.split("\n"), block.map[0]):
            column = self.lines[number].find(content, self.searched.get(number, 0))
            if column < 0:
                if edits:
                    self.problem(self.first_line + number, r"a \| and a role or link cannot share a cell of a table")
                return
            self.searched[number] = column + len(content)
            origin.append((start, self.starts[number] + column))
            start += len(content) + 1

        def place(position: int) -> int:
            there, here = next(pair for pair in reversed(origin) if pair[0] <= position)
            return here + position - there

        self.edits += [_Edit(place(edit.start), place(edit.end), edit.text) for edit in edits]

    def _image(self, token: Token, line: int) -> _Edit:
        start, end = token.meta["span"]
        alt = token.content
        if not alt.strip():
            self.problem(line, "this image has no alt: say what it shows between the brackets")
        return _Edit(start, end, f"![{alt}]({self._file(str(token.attrs['src']), line)})")

    def _file(self, path: str, line: int) -> str:
        """The address of a picture that stands beside the page."""
        target = self.references.resolve(path)
        if target is None or not (self.book.root / target).is_file():
            self.problem(line, f"there is no file {path}")
            return path
        return self.book.raw(target)

    def _link(self, content: str, token: Token, line: int) -> list[_Edit]:
        start, end = token.meta["span"]
        label_start, label_end = token.meta["label"]
        href = str(token.attrs["href"])
        address, title = self.references.link(href, line)
        if label_start == label_end:
            return [_Edit(start, end, f"[{escape(title or href)}]({address})")]
        if address == href and content[label_end + 1 : label_end + 2] == "(":
            return []
        return [_Edit(label_end + 1, end, f"({address})")]


def convert_page(index: Index, name: str, cells: list[tuple[str, int]]) -> list[str]:
    """Convert the prose of a page, given as pairs of text and first line; raise `SourceError` for what cannot be."""
    converter = Converter(index, name)
    converted = [converter.convert(text, line) for text, line in cells]
    converter.problems.raise_any()
    return converted
