"""Whether an answer uses what its task forbids: say, the layer that it is to build.

The source is read and nothing is run. From the names that the task asks for, every name that their definitions use is
followed, through functions, aliases and imports of all answers. So a test call beside the definition costs nothing, and
a helper that hides the forbidden call is found. Code that makes up names while it runs is not: that is a matter
between the teacher and the learner.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence


def used(task: str, answers: Mapping[str, str], asked: str, forbids: Sequence[str], context: Iterable[str]) -> str:
    """The first of `forbids` that the answer to `task` uses, as it is written there; an empty string if none is.

    `answers` holds the learner's answers by task, `asked` the reference's own, whose names are what the task asks for,
    and `context` the other cells of the notebook, whose imports say what `F` and `nn` are.
    """
    imports = _Names()
    for source in context:
        imports.read(source, imports_only=True)
    names = _Names(imports)
    for source in answers.values():
        names.read(source)
    wanted = {imports.full(name): name for name in forbids}

    own = _Names()
    own.read(asked)
    own_answer = _Names(imports)
    own_answer.read(answers[task])
    seen: set[str] = set()
    waiting = [name for name in own.bound if name in names.bound] or list(own_answer.bound)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        # The task's own cell comes first: it may use a name in another sense than a cell before it.
        for statement in own_answer.bound.get(name) or names.bound.get(name, []):
            inside = _local_names(statement)
            for mentioned in _mentions(statement):
                full = names.full(mentioned)
                for forbidden, written in wanted.items():
                    if full == forbidden or full.startswith(f"{forbidden}."):
                        return written
                if (first := mentioned.partition(".")[0]) not in inside:
                    waiting.append(first)
    return ""


class _Names:
    """What the names at the top level of some cells stand for."""

    def __init__(self, outer: _Names | None = None) -> None:
        self.bound: dict[str, list[ast.stmt]] = defaultdict(list)
        self._imported: dict[str, str] = dict(outer._imported) if outer else {}

    def read(self, source: str, *, imports_only: bool = False) -> None:
        """Take in the statements of a cell; one that does not parse binds nothing."""
        try:
            tree = ast.parse(_without_magics(source))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return
        for node in ast.walk(tree):
            self._note_import(node)
        if not imports_only:
            for statement in tree.body:
                for name in _binds(statement):
                    self.bound[name].append(statement)

    def _note_import(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                self._imported[alias.asname or first] = alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                self._imported[alias.asname or alias.name] = f"{node.module}.{alias.name}"

    def full(self, name: str) -> str:
        """A dotted name with its import written out: `F.conv1d` is `torch.nn.functional.conv1d`."""
        for _ in range(10):  # aliases of aliases end some time
            first, dot, rest = name.partition(".")
            meant = self._imported.get(first) or self._alias(first)
            if meant is None or meant == first:
                break
            name = f"{meant}{dot}{rest}"
        return name

    def _alias(self, name: str) -> str | None:
        """What `name` was set to, if that is a dotted name: after `f = nn.functional`, `f` is `nn.functional`."""
        for statement in self.bound.get(name, []):
            if isinstance(statement, ast.Assign) and (dotted := _dotted(statement.value)):
                return dotted
        return None


def _without_magics(source: str) -> str:
    return "\n".join("" if line.lstrip().startswith(("%", "!", "?")) else line for line in source.split("\n"))


def _binds(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return []
    return [node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]


def _local_names(statement: ast.stmt) -> set[str]:
    """The names of parameters and variables within a definition: they are not those of the top level."""
    if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return set()
    nodes = list(ast.walk(statement))
    stored = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    shared = {name for node in nodes if isinstance(node, ast.Global) for name in node.names}
    return (stored | {node.arg for node in nodes if isinstance(node, ast.arg)}) - shared


def _mentions(statement: ast.stmt) -> list[str]:
    """Every dotted name in a statement, `getattr(a, "b")` among them, longest first."""
    found = []
    for node in ast.walk(statement):
        if isinstance(node, ast.ImportFrom) and node.module:
            found += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.expr) and (dotted := _dotted(node)):
            found.append(dotted)
    return sorted(found, key=len, reverse=True)


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{value}.{node.attr}" if (value := _dotted(node.value)) else ""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
        match node.args:
            case [owner, ast.Constant(value=str(name)), *_]:
                return f"{value}.{name}" if (value := _dotted(owner)) else ""
    return ""
