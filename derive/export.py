"""The package `scratch`: what the chapters export, and its drop-ins for modules of torch."""

from __future__ import annotations

import ast
import builtins
import symtable
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from derive.errors import Problems
from derive.source import EXPORTS, Source

_DERIVED = "Derived by `make notebooks`: do not edit."


def target(path: Path) -> str:
    """The path of the module that the chapter at `path` exports."""
    return f"scratch/{module_name(path)}.py"


def module_name(path: Path) -> str:
    """The name of that module: the chapter's, without its number."""
    return path.stem[3:]


def module(chapter: Source) -> str | None:
    """The text of the module that a chapter exports; None if it exports nothing.

    Its imports are those among the chapter's that the exported code uses.
    """
    exported = [cell for cell in chapter.code if "export" in cell.tags]
    problems = Problems(chapter.name)
    if exported and module_name(chapter.path) in _TWINS:
        problems.add(
            1, f"rename the chapter: {target(chapter.path)} takes the place of {_TWINS[module_name(chapter.path)]}"
        )
    trees = []
    for cell in exported:
        try:
            trees.append(ast.parse(cell.source))
        except SyntaxError as error:
            problems.add(cell.body_line + (error.lineno or 1) - 1, f"exported code must be plain Python: {error.msg}")
    problems.raise_any()

    scopes = [symtable.symtable(cell.source, chapter.name, "exec") for cell in exported]
    defined = {symbol.get_name() for scope in scopes for symbol in scope.get_symbols() if not _is_only_read(symbol)}
    imports = _Imports(chapter)
    for cell, tree, scope in zip(exported, trees, scopes, strict=True):
        for name in sorted(set(_globals(scope)) - defined):
            if not imports.take(name) and not hasattr(builtins, name):
                line = min(node.lineno for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name)
                problems.add(cell.body_line + line - 1, f"exported code uses {name}, which no exported cell defines")
    _check_names(chapter, trees, problems)
    problems.raise_any()
    if not exported:
        return None

    docstring = f'"""{chapter.title}.\n\nFrom {chapter.name}. {_DERIVED}\n"""'
    code = "\n\n\n".join(cell.source.strip("\n") for cell in exported)
    return "\n\n".join([docstring, *imports.sections()]) + f"\n\n\n{code}\n"


def _check_names(chapter: Source, trees: Sequence[ast.Module], problems: Problems) -> None:
    """Note names in the front matter that the chapter does not export."""
    top = [statement for tree in trees for statement in tree.body]
    classes = {node.name for node in top if isinstance(node, ast.ClassDef)}
    functions = {node.name for node in top if isinstance(node, ast.FunctionDef)}
    for key in EXPORTS:
        kind, known = ("function", functions) if key == "exports_functional" else ("class", classes)
        for name in chapter.front_matter.get(key, ()):
            if name not in known:
                line = next(n for n, text in enumerate(chapter.text.split("\n"), 1) if text.startswith(key))
                problems.add(line, f"{key}: no exported cell defines a {kind} {name}")


def _is_only_read(symbol: symtable.Symbol) -> bool:
    return not (symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace())


def _globals(scope: symtable.SymbolTable) -> Iterator[str]:
    """The names that the code reads from the module, in functions and classes too."""
    for symbol in scope.get_symbols():
        if symbol.is_referenced() and (symbol.is_global() or scope.get_type() == "module"):
            yield symbol.get_name()
    for inner in scope.get_children():
        yield from _globals(inner)


def _name(alias: ast.alias) -> str:
    """The name that an import binds: `import torch.nn` binds `torch`."""
    return alias.asname or alias.name.partition(".")[0]


class _Imports:
    """The import statements of a chapter, of which some are taken."""

    def __init__(self, chapter: Source) -> None:
        self._known: dict[str, list[tuple[str, ast.alias]]] = {}
        self._taken: set[str] = set()
        for cell in chapter.code:
            try:
                tree = ast.parse(cell.source)
            except SyntaxError:  # a cell with a magic, or one that shows a mistake
                continue
            for node in tree.body:
                if isinstance(node, (ast.Import, ast.ImportFrom)):
                    origin = "." * node.level + (node.module or "") if isinstance(node, ast.ImportFrom) else ""
                    for alias in node.names:
                        self._known.setdefault(_name(alias), []).append((origin, alias))

    def take(self, name: str) -> bool:
        """Take the imports that bind `name`; False if there are none."""
        self._taken.add(name)
        return name in self._known

    def sections(self) -> list[str]:
        """The imports taken, as isort writes them: the standard library, then the rest."""
        whole: dict[str, str] = {}  # statement -> module
        members: dict[str, set[str]] = {}
        for name in self._taken & self._known.keys():
            for origin, alias in self._known[name]:
                suffix = f" as {alias.asname}" if alias.asname else ""
                if not origin:
                    whole[f"import {alias.name}{suffix}"] = alias.name
                elif suffix:
                    whole[f"from {origin} import {alias.name}{suffix}"] = origin
                else:
                    members.setdefault(origin, set()).add(alias.name)
        for origin, names in members.items():
            whole[f"from {origin} import {', '.join(sorted(names, key=lambda name: (_rank(name), name)))}"] = origin
        sections = []
        for standard in (True, False):
            lines = [line for line, origin in whole.items() if _is_standard(origin) == standard]
            if lines:
                sections.append("\n".join(sorted(lines, key=lambda line: (line.startswith("from"), whole[line], line))))
        return sections


def _is_standard(origin: str) -> bool:
    return origin.partition(".")[0] in sys.stdlib_module_names


def _rank(name: str) -> int:
    """isort's order of names: constants, classes, the rest."""
    return 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2


def package(chapters: Iterable[Source]) -> dict[str, str]:
    """The files of `scratch` that belong to no chapter, by path. `py.typed` lets type checkers read the rest."""
    chapters = list(chapters)

    def listed(key: str) -> dict[str, str]:
        return {name: module_name(chapter.path) for chapter in chapters for name in chapter.front_matter.get(key, ())}

    files = {f"scratch/{key}.py": _drop_in(origin, listed(f"exports_{key}")) for key, origin in _TWINS.items()}
    return {"scratch/__init__.py": _INIT, **files, "scratch/py.typed": ""}


_TWINS = {"data": "torch.utils.data", "functional": "torch.nn.functional", "nn": "torch.nn", "optim": "torch.optim"}
"""The modules of `scratch` that take the place of one of torch's."""

_INIT = f'''"""The layers that the course builds, and what trains them.

`from scratch import nn, functional as F, optim, data` gives them in the place of torch's. The other modules are the
chapters': `from scratch.metrics import f1_score`. {_DERIVED}
"""

from scratch import data, functional, nn, optim

__all__ = ["data", "functional", "nn", "optim"]
'''

_DROP_IN = '''"""{origin}, with the course's own in the place of torch's where it has built them.

Every other name is torch's. {derived}
"""

from typing import Any

from {package} import {module} as _torch
{imports}
__all__: list[str] = [{listed}]


def __getattr__(name: str) -> Any:
    return getattr(_torch, name)
'''


def _drop_in(origin: str, names: dict[str, str]) -> str:
    lines = []
    for module in sorted(set(names.values())):
        lines.append(f"from scratch.{module} import {', '.join(sorted(n for n in names if names[n] == module))}\n")
    listed = "".join(f'    "{name}",\n' for name in sorted(names))
    package, _, module = origin.rpartition(".")
    return _DROP_IN.format(
        origin=origin,
        derived=_DERIVED,
        package=package,
        module=module,
        imports="".join(["\n", *lines]) if lines else "",
        listed=f"\n{listed}" if listed else "",
    )
