"""One style sheet of what the pages use, in the place of many of what they might have used.

A page of the theme loads nine style sheets, and most of their rules fit nothing that any page holds. A rule is kept
if every class and every id that it names occurs in some page or in some script, as a word, anywhere. That keeps more
than is needed, and never less, but for names that a script puts together from parts: those stand in `PUT_TOGETHER`.
The icons' fonts keep the glyphs of the rules that are left.
"""

import hashlib
import logging
import posixpath
import re
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

import tinycss2
from fontTools import subset
from fontTools.ttLib import TTFont
from tinycss2.ast import Node

PUT_TOGETHER = {"bs-tooltip-auto"}  # by bootstrap.js
NESTING = {"media", "supports", "layer", "container"}
ANY_OF = {"is", "where", "has"}


def words(text: str) -> set[str]:
    return set(re.findall(r"[\w-]+", text))


def alternatives(selectors: Sequence[Node]) -> Iterator[list[Node]]:
    """The parts of a list of selectors between its commas."""
    part: list[Node] = []
    for token in selectors:
        if token.type == "literal" and token.value == ",":
            yield part
            part = []
        else:
            part.append(token)
    yield part


def can_fit(selector: Sequence[Node], known: set[str]) -> bool:
    """Whether something may exist that the selector fits."""
    for before, token in zip([None, *selector], selector, strict=False):
        if token.type == "hash" and token.value not in known:
            return False
        if token.type == "ident" and before is not None and before == "." and token.value not in known:
            return False
        if token.type == "function" and token.lower_name in ANY_OF:
            fits = any(can_fit(part, known) for part in alternatives(token.arguments))
            if not fits:
                return False
    return True


def used(rules: Sequence[Node], known: set[str]) -> Iterator[str]:
    """The rules that may fit something, as text."""
    for rule in rules:
        if rule.type == "qualified-rule":
            fitting = [part for part in alternatives(rule.prelude) if can_fit(part, known)]
            if fitting:
                selectors = ",".join(tinycss2.serialize(part).strip() for part in fitting)
                yield f"{selectors}{{{tinycss2.serialize(rule.content).strip()}}}"
        elif rule.type == "at-rule" and rule.lower_at_keyword in NESTING and rule.content is not None:
            inner = "".join(used(parse(rule.content), known))
            if inner:
                yield f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{inner}}}"
        elif rule.type == "at-rule" and rule.lower_at_keyword != "charset":
            yield rule.serialize()
        elif rule.type == "error":
            raise ValueError(f"line {rule.source_line}: {rule.message}")


def parse(css: str | Sequence[Node]) -> list[Node]:
    return list(tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True))


def gathered(site: Path, sheet: str, folder: str) -> list[Node]:
    """The rules of a sheet and of those that it imports, with addresses as they read from a folder of the site."""
    here = posixpath.dirname(sheet)

    def moved(match: re.Match[str]) -> str:
        return f"url({posixpath.relpath(posixpath.join(here, match['path']), folder)})"

    css = (site / sheet).read_text(encoding="utf-8")
    css = re.sub(r"""url\((?P<quote>['"]?)(?!data:|https?:|/|#)(?P<path>[^'")]+)(?P=quote)\)""", moved, css)
    rules = []
    for rule in parse(css):
        if rule.type == "at-rule" and rule.lower_at_keyword == "import":
            imported = next(token for token in rule.prelude if token.type in {"string", "url"})
            base = here if imported.type == "string" else folder
            rules += gathered(site, posixpath.normpath(posixpath.join(base, imported.value)), folder)
        else:
            rules.append(rule)
    return rules


def with_fewer_glyphs(css: str, folder: Path) -> str:
    """Leave in the icons' fonts what the rules show; a font of which they show nothing goes."""
    shown = {ord(character) for content in re.findall(r'content:\s*"([^"]*)"', css) for character in content}

    def face(match: re.Match[str]) -> str:
        path = folder / match["path"]
        font = TTFont(path, recalcTimestamp=False)  # the same bytes from every build
        kept = shown & set(font.getBestCmap())
        if not kept:
            return ""
        options = subset.Options(flavor="woff2", layout_features=[], name_IDs=[], notdef_outline=False)
        logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells each table that it leaves out
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=kept)
        subsetter.subset(font)
        data = BytesIO()
        subset.save_font(font, data, options)
        (folder / "icons").mkdir(exist_ok=True)
        (folder / "icons" / path.name).write_bytes(data.getvalue())
        digest = hashlib.sha256(data.getvalue()).hexdigest()[:8]
        return re.sub(r"src:[^;}]*", f'src:url(icons/{path.name}?v={digest}) format("woff2")', match[0])

    return re.sub(r"@font-face\s*\{[^}]*url\((?P<path>[^)]*/fa-[a-z]+-\d+\.woff2)\)[^}]*\}", face, css)
