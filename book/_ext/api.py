"""`{api} nn`: what `scratch.nn` offers, each name with its signature, its docstring and the chapter that builds it.

The modules are parsed and not imported, so the build needs no torch. An entry is an object of Sphinx's Python domain:
it has an anchor, stands in the index, and the search finds it by its name.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

PACKAGE = "scratch"
Definition = ast.ClassDef | ast.FunctionDef

# `input, weight: ...` at the start of a line says what these arguments are.
ARGUMENTS = re.compile(r"((?:\*{0,2}\w+)(?:, \*{0,2}\w+)*)(?=: )")


@dataclass(frozen=True)
class Entry:
    """A public name, as its source has it."""

    name: str
    module: str
    """The module that defines it, which is named after its chapter."""
    kind: str
    signature: str | None
    docstring: str | None


@dataclass(frozen=True)
class Module:
    """A module of `scratch`, parsed."""

    source: str
    definitions: dict[str, Definition]
    imported: dict[str, str]
    """Names that come from other modules of `scratch`, and from which."""
    listed: list[str] | None
    """`__all__`, if there is one."""

    @property
    def public(self) -> list[str]:
        """What the module lists, or else what it describes. Helpers have no docstring, or a name with an underscore."""
        described = [name for name, node in self.definitions.items() if ast.get_docstring(node)]
        return [name for name in described if not name.startswith("_")] if self.listed is None else self.listed


class Package:
    """The modules of `scratch` in a repository."""

    def __init__(self, root: Path) -> None:
        self.folder = root / PACKAGE
        self.module = cache(self._module)

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.py"

    def _module(self, name: str) -> Module:
        source = self.path(name).read_text(encoding="utf-8")
        tree = ast.parse(source)
        imported = {
            alias.name: (node.module or "").removeprefix(f"{PACKAGE}.")
            for node in tree.body
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{PACKAGE}.")
            for alias in node.names
        }
        listed = None
        for node in tree.body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
                listed = ast.literal_eval(node.value)  # type: ignore[attr-defined]
        definitions = {node.name: node for node in tree.body if isinstance(node, Definition)}
        return Module(source, definitions, imported, listed)

    def entries(self, name: str) -> list[Entry]:
        """What a module offers, in its own order."""
        return [self.entry(name, public) for public in self.module(name).public]

    def entry(self, module: str, name: str) -> Entry:
        home = self._home(module, name)
        assert home is not None, f"{PACKAGE}.{module} has no {name}"
        module, definition = home
        if isinstance(definition, ast.ClassDef):
            inits = self._inits(module, definition)
            signature, kind = next((self._signature(*init, bound=True) for init in inits), None), "class"
        else:
            signature, kind = self._signature(module, definition, bound=False), "function"
        return Entry(name, module, kind, signature, ast.get_docstring(definition))

    def _home(self, module: str, name: str) -> tuple[str, Definition] | None:
        """The module that defines a name, and the definition."""
        while name not in self.module(module).definitions:
            if name not in self.module(module).imported:
                return None
            module = self.module(module).imported[name]
        return module, self.module(module).definitions[name]

    def _inits(self, module: str, definition: ast.ClassDef) -> Iterator[tuple[str, ast.FunctionDef]]:
        """The `__init__` of a class, and those of its bases."""
        for node in definition.body:
            if isinstance(node, ast.FunctionDef) and node.name == "__init__":
                yield module, node
        for base in definition.bases:
            home = self._home(module, base.id) if isinstance(base, ast.Name) else None
            if home is not None and isinstance(home[1], ast.ClassDef):
                yield from self._inits(home[0], home[1])

    def _signature(self, module: str, function: ast.FunctionDef, *, bound: bool) -> str:
        """The arguments, with the defaults as the source spells them: 1e-5, and not 1e-05."""
        source = self.module(module).source
        arguments = deepcopy(function.args)

        def spelt(default: ast.expr | None) -> Any:
            return default and ast.Name(ast.get_source_segment(source, default) or ast.unparse(default))

        arguments.defaults = [spelt(default) for default in arguments.defaults]
        arguments.kw_defaults = [spelt(default) for default in arguments.kw_defaults]
        if bound:
            del (arguments.posonlyargs or arguments.args)[0]
        return f"({ast.unparse(arguments)})"


def items(paragraph: str) -> list[str]:
    """The items of a docstring's paragraph: one ends with a sentence at a line's end, if no indented line follows."""
    found: list[str] = []
    for line in paragraph.split("\n"):
        if found and (line.startswith(" ") or not found[-1].endswith((".", ":"))):
            found[-1] += f" {line.strip()}"
        else:
            found.append(line.strip())
    return found


def inlines(text: str) -> list[nodes.Node]:
    """Text with code between backticks, and arguments before a colon as code too."""
    argument = ARGUMENTS.match(text)
    start = [nodes.literal("", argument[1])] if argument and argument[1].islower() else []
    rest = text[argument.end() :] if argument and start else text
    parts = re.split(r"`([^`]+)`", rest)
    return [
        *start,
        *(nodes.literal("", part) if index % 2 else nodes.Text(part) for index, part in enumerate(parts) if part),
    ]


def documentation(docstring: str) -> list[nodes.Node]:
    """The paragraphs of a docstring, each item of it one, with quotes as in code: 'same' is what one types."""
    return [
        nodes.paragraph("", "", *inlines(item), support_smartquotes=False)
        for paragraph in docstring.split("\n\n")
        for item in items(paragraph)
    ]


def chapter(source: Path, module: str) -> str:
    """The name of the page that builds a module."""
    (path,) = (source / "book" / "chapters").glob(f"[0-9][0-9]_{module}.md")
    return f"book/chapters/{path.stem}"


def link_to_chapter(directive: SphinxDirective, module: str) -> nodes.Node:
    """A link to the chapter that builds a module; its text becomes the chapter's title."""
    page = chapter(Path(directive.env.srcdir), module)
    return addnodes.pending_xref(
        "",
        nodes.inline("", page, classes=["doc"]),
        refdomain="std",
        reftype="doc",
        reftarget=f"/{page}",
        refexplicit=False,
        refdoc=directive.env.docname,
        refwarn=True,
    )


class Api(SphinxDirective):
    """The entries of a module."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> Sequence[nodes.Node]:
        package = Package(Path(self.env.srcdir))
        name = self.arguments[0]
        if not package.path(name).is_file():
            raise self.error(f"there is no {PACKAGE}.{name}")
        for path in package.folder.glob("*.py"):
            self.env.note_dependency(str(path))
        return list(chain.from_iterable(self.entry(name, entry) for entry in package.entries(name)))

    def entry(self, module: str, entry: Entry) -> list[nodes.Node]:
        text = f"```{{py:{entry.kind}}} {entry.name}{entry.signature or ''}\n:module: {PACKAGE}.{module}\n```"
        parsed = self.parse_text_to_nodes(text)
        for content in chain.from_iterable(node.findall(addnodes.desc_content) for node in parsed):
            content += documentation(entry.docstring or "")
            content += nodes.paragraph("", "Built in ", link_to_chapter(self, entry.module), nodes.Text("."))
        return parsed


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("api", Api)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
