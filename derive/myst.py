"""The Markdown parser that the site uses, with the one thing that it does not tell: where inline text stands."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any

from docutils.parsers.rst import Directive as DocutilsDirective
from docutils.parsers.rst.directives import unchanged
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.directives import parse_directive_text
from myst_parser.parsers.mdit import create_md_parser

DIRECTIVE = re.compile(r"\{([^\s}]+)\}\s*(.*)")


def parser_config(extensions: Iterable[str]) -> MdParserConfig:
    """The parser's configuration, as the site has it."""
    return MdParserConfig(enable_extensions=set(extensions))


def parse(extensions: tuple[str, ...], text: str, references: MutableMapping[str, Any]) -> list[Token]:
    """Parse MyST text. Every inline token has in its `meta` the `span` of its text in its parent's content.

    `references` holds link definitions from elsewhere in the page and takes up those in `text`.
    """
    return _parser(extensions).parse(f"{text}\n", {"references": references})


@functools.lru_cache(maxsize=64)
def parse_page(extensions: tuple[str, ...], text: str) -> tuple[list[Token], dict[str, Any]]:
    """Parse a whole page, once; return its tokens and its link definitions. Neither is to be changed."""
    references: dict[str, Any] = {}
    return parse(extensions, text, references), references


@functools.cache
def _parser(extensions: tuple[str, ...]) -> MarkdownIt:
    parser = create_md_parser(parser_config(extensions), RendererHTML)
    for rule in parser.inline.ruler.__rules__:
        parser.inline.ruler.at(rule.name, _located(rule.name, rule.fn))
    return parser


def _located(name: str, rule: Callable[[StateInline, bool], bool]) -> Callable[[StateInline, bool], bool]:
    """Wrap an inline rule so that the tokens it makes know which part of the text they were made from."""

    def located(state: StateInline, silent: bool) -> bool:
        start, known = state.pos, len(state.tokens)
        if not rule(state, silent):
            return False
        if not silent:
            if name == "attr":  # `{...}` behind an image, a link or a code span makes no token of its own
                state.tokens[-1].meta["attributes"] = (start, state.pos)
            for token in state.tokens[known:]:
                if "span" not in token.meta:  # what stands inside a link has its own already
                    token.meta["span"] = (start, state.pos)
                    if token.type in ("link_open", "image") and token.info != "auto":
                        label = start if token.type == "link_open" else start + 1
                        token.meta["label"] = (label + 1, state.md.helpers.parseLinkLabel(state, label))
        return True

    return located


class _AnyDirective(DocutilsDirective):
    optional_arguments = 1
    has_content = True


@dataclass(frozen=True)
class Directive:
    """A directive, taken apart by MyST's own reader."""

    name: str
    argument: str
    options: dict[str, str]
    body: list[str]
    body_line: int
    """The line that the body starts on, counted from the directive's own, which is 0."""
    warnings: list[str]


def directive(token: Token, options: Iterable[str], takes_argument: bool) -> Directive:
    """Take a fence apart. `options` are those that the directive knows."""
    match = DIRECTIVE.match(token.info.strip())
    assert match is not None, "only for fences that open with {name}"
    name, argument = match.groups()
    specification = type("_Directive", (_AnyDirective,), {"option_spec": dict.fromkeys(options, unchanged)})
    read = parse_directive_text(specification, "", token.content)
    body, body_line = read.body, 1 + read.body_offset
    if argument and not takes_argument:  # `:::{note} The body starts here`
        body, body_line, argument = [argument, *[""] * read.body_offset, *body], 0, ""
    return Directive(name, argument, read.options, body, body_line, [warning.msg for warning in read.warnings])


def line_of(token: Token) -> int:
    """The line that a block starts on, from 1."""
    assert token.map is not None, "every block that opens has a map"
    return token.map[0] + 1


def is_closed(fence: Token, lines: list[str]) -> bool:
    """Whether a fence has its closing line; the parser lets an open one run to the end of the page."""
    assert fence.map is not None
    last = lines[fence.map[1] - 1].strip(" >")
    return fence.map[1] - fence.map[0] > 1 and len(last) >= len(fence.markup) and set(last) == set(fence.markup)


def plain_text(inline: Token) -> str:
    """The text of a heading or a caption, without its markup."""
    parts = []
    for child in inline.children or []:
        if child.type == "myst_role":
            parts.append(re.sub(r"\s*<[^<>]*>$", "", child.content))
        else:
            parts.append(" " if child.type == "softbreak" else child.content)
    return "".join(parts)
