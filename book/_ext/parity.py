"""`{parity} agreement`, `exceptions`, `cost`, `aims`, `not_compiled`, `machines`: the parts of the page on parity.

They say how far `scratch` agrees with torch and what it costs, from `book/data/parity-<device>.json` and
`book/data/layers-<device>.json`, which `benchmarks/` writes.
On a telephone a row is a stack of lines, so every cell brings the head of its column along, which only a telephone
shows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from book._ext.api import Package, chapter, link_to_chapter

DATA = Path("book", "data")
DEVICES = {"cpu": "CPU", "cuda": "CUDA"}
SHORT = {"scratch.functional.": "F."}
AIMS = {
    "Normalization": (("batch_normalization", "normalization_family"), 1.2),
    "Convolution": (("convolution_1d", "convolution_2d"), 2.0),
    "Padding and pooling": (("padding", "pooling_and_dropout"), 2.0),
}
"""The chapters of each kind of layer, and how many times as long as torch's they should take at the most, compiled."""
Line = list[nodes.Node]


@dataclass(frozen=True)
class Results:
    """What was measured on each device: the files of one kind."""

    by_device: dict[str, dict[str, Any]]

    @classmethod
    def read(cls, folder: Path, kind: str) -> Results:
        paths = sorted(folder.glob(f"{kind}-*.json"))
        results = (json.loads(path.read_text(encoding="utf-8")) for path in paths)
        return cls({result["device"]: result for result in results})

    @cached_property
    def rows(self) -> dict[str, dict[str, dict[str, Any]]]:
        """The rows of a name, by device."""
        found: dict[str, dict[str, dict[str, Any]]] = {}
        for device, result in self.by_device.items():
            for row in result["rows"]:
                found.setdefault(row["name"], {})[device] = row
        return found

    def each(self, name: str, line: Callable[[dict[str, Any]], Iterator[Line]]) -> list[Line]:
        """The lines of a name's row, device by device, which is named where there are several."""
        found: list[Line] = []
        for device, row in self.rows.get(name, {}).items():
            lines = list(line(row))
            if len(self.by_device) > 1:
                lines = [[nodes.Text(f"{device_name(device)}: "), *each] for each in lines]
            found += lines
        return found


def device_name(device: str) -> str:
    return DEVICES.get(device, device)


def short(name: str) -> str:
    """A name as a program has it after `from scratch import nn, functional as F, optim, data`."""
    for long, brief in SHORT.items():
        name = name.replace(long, brief)
    return name.removeprefix("scratch.")


def error(value: float | None) -> str:
    """An error with two digits: 2.1e-7."""
    if not value:
        return "none" if value is None else "0"
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


def times(ratio: dict[str, float]) -> str:
    """A ratio with its quartiles."""
    return f"{ratio['median']:.2f} ({ratio['q1']:.2f} to {ratio['q3']:.2f})"


def separated(names: Sequence[str]) -> Line:
    """Names as code, with commas between them."""
    line: Line = []
    for name in names:
        line += [nodes.Text(", "), nodes.literal("", name)] if line else [nodes.literal("", name)]
    return line


def options(row: dict[str, Any]) -> Iterator[Line]:
    """The options that the cases of a row cover."""
    yield separated(row["options"]) or [nodes.Text("none")]


def cases(row: dict[str, Any]) -> Iterator[Line]:
    yield [nodes.Text(f"{row['cases']:,}")]


def errors(row: dict[str, Any]) -> Iterator[Line]:
    """The largest error in each dtype, and torch's own where it was measured."""
    for dtype, found in row["errors"].items():
        if found is not None:
            theirs = "" if found["torch"] is None else f", torch’s {error(found['torch'])}"
            yield [nodes.Text(f"{dtype} {error(found['scratch'])}{theirs}")]


def ratio(size: str, mode: str, *, part: str | None = None) -> Callable[[dict[str, Any]], Iterator[Line]]:
    """How many times as long ours takes, forward and backward if it has a gradient, at a size that was measured."""

    def line(row: dict[str, Any]) -> Iterator[Line]:
        measured = row["sizes"].get(size)
        if measured is None:
            yield [nodes.Text("not measured")]
        elif "skipped" in measured[mode]:
            yield [nodes.Text("not compiled")]
        elif part == "memory":
            memory = measured[mode]["memory"]
            yield [nodes.Text("both none" if not memory["torch"] else f"{memory['scratch'] / memory['torch']:.2f}")]
        else:
            yield [nodes.Text(times((measured[mode]["both"] or measured[mode]["forward"])["ratio"]))]

    return line


def compiled_medians(layers: Results, device: str, modules: Collection[str]) -> dict[str, float]:
    """How many times as long the layers of some chapters take, compiled, forward and backward at the realistic size."""
    rows = {name: by_device[device] for name, by_device in layers.rows.items() if device in by_device}
    return {
        name: row["sizes"]["realistic"]["compiled"]["both"]["ratio"]["median"]
        for name, row in rows.items()
        if name.startswith("scratch.nn.")
        and row["module"] in modules
        and "skipped" not in row["sizes"]["realistic"]["compiled"]
    }


def table(kind: str, heads: Sequence[str], rows: Sequence[Sequence[list[Line]]]) -> nodes.table:
    """A table; each cell is a list of lines, and the first of a row names it."""

    def row_of(cells: Sequence[Sequence[nodes.Node]]) -> nodes.row:
        return nodes.row("", *(nodes.entry("", *cell) for cell in cells))

    def cell(head: str, lines: list[Line]) -> list[nodes.Node]:
        label = nodes.inline("", f"{head}: ", classes=["column"])
        first, *rest = lines or [[nodes.Text("not measured")]]
        return [nodes.paragraph("", "", label, *first), *(nodes.paragraph("", "", *line) for line in rest)]

    group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in heads), cols=len(heads))
    group += nodes.thead("", row_of([[nodes.paragraph("", head)] for head in heads]))
    body = [row_of([cell(head, lines) for head, lines in zip(heads, cells, strict=True)]) for cells in rows]
    group += nodes.tbody("", *body)
    return nodes.table("", group, classes=["parity", kind])


class Parity(SphinxDirective):
    """One part of the page on parity."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> Sequence[nodes.Node]:
        folder = Path(self.env.srcdir, DATA)
        for path in folder.glob("*.json"):
            self.env.note_dependency(str(path))
        self.parity, self.layers = Results.read(folder, "parity"), Results.read(folder, "layers")
        parts = {
            "agreement": self.agreement,
            "exceptions": self.exceptions,
            "cost": self.cost,
            "aims": self.aims,
            "not_compiled": self.not_compiled,
            "machines": self.machines,
        }
        if self.arguments[0] not in parts:
            raise self.error(f"there is no part {self.arguments[0]}: name one of {', '.join(parts)}")
        if not self.parity.by_device and not self.layers.by_device:
            raise self.error(f"{DATA} holds no results: run `python -m benchmarks.parity`")
        return [parts[self.arguments[0]]()]

    def agreement(self) -> nodes.Node:
        """One row a layer, function, loss and optimizer."""
        heads = ["Name", "Options covered", "Cases", "Largest error", "Time", "Time, compiled"]
        rows = [
            [
                self.headed(name, module),
                self.once(name, options),
                self.parity.each(name, cases),
                self.parity.each(name, errors),
                self.layers.each(name, ratio("realistic", "eager")),
                self.layers.each(name, ratio("realistic", "compiled")),
            ]
            for name, module in self.ordered(self.parity, self.layers)
            if name in self.parity.rows or name.startswith("scratch.nn.")
        ]
        return table("agreement", heads, rows)

    def cost(self) -> nodes.Node:
        """One row for each layer and each rung that was measured."""
        heads = ["Name", "Time, small", "Time", "Time, compiled", "Memory"]
        rows = [
            [
                self.headed(name, module),
                self.layers.each(name, ratio("small", "eager")),
                self.layers.each(name, ratio("realistic", "eager")),
                self.layers.each(name, ratio("realistic", "compiled")),
                self.layers.each(name, ratio("realistic", "eager", part="memory")),
            ]
            for name, module in self.ordered(self.layers)
        ]
        return table("cost", heads, rows)

    def aims(self) -> nodes.Node:
        """How many layers of each kind take no longer than they should, compiled, and which take longer."""
        found = nodes.bullet_list("")
        for device in self.layers.by_device:
            for kind, (modules, aim) in AIMS.items():
                medians = compiled_medians(self.layers, device, modules)
                beyond = sorted((median, name) for name, median in medians.items() if median > aim)
                text: Line = [
                    nodes.Text(
                        f"{kind} on {device_name(device)}, within {aim:g} times: "
                        f"{len(medians) - len(beyond)} of {len(medians)} layers"
                    )
                ]
                for place, (median, name) in enumerate(beyond):
                    text += [nodes.Text(", " if place else "; beyond it "), nodes.literal("", short(name))]
                    text.append(nodes.Text(f" {median:.2f}"))
                found += nodes.list_item("", nodes.paragraph("", "", *text, nodes.Text(".")))
        return found

    def exceptions(self) -> nodes.Node:
        """The lines of the contract that a name does not meet, and why."""
        found = nodes.bullet_list("")
        for name, _ in self.ordered(self.parity):
            rows = self.parity.rows[name].values()
            for line, reason in dict.fromkeys(item for row in rows for item in row["exceptions"].items()):
                text = [nodes.literal("", short(name)), nodes.Text(f", {line}: {reason}.")]
                found += nodes.list_item("", nodes.paragraph("", "", *text))
        return found if found.children else nodes.paragraph("", "There is none.")

    def not_compiled(self) -> nodes.Node:
        """The reasons why something was not compiled."""
        names: dict[str, dict[str, None]] = {}
        for name, _ in self.ordered(self.layers):
            for row in self.layers.rows[name].values():
                for size in row["sizes"].values():
                    if "skipped" in size["compiled"]:
                        names.setdefault(size["compiled"]["skipped"], {})[short(name)] = None
        found = nodes.bullet_list("")
        for reason, these in names.items():
            text = [*separated(list(these)), nodes.Text(f": {reason}.")]
            found += nodes.list_item("", nodes.paragraph("", "", *text))
        return found if found.children else nodes.paragraph("", "Everything was compiled.")

    def machines(self) -> nodes.Node:
        """Where and when the numbers were measured."""
        found = nodes.bullet_list("")
        for title, results in (("Agreement", self.parity), ("Cost", self.layers)):
            for device, result in results.by_device.items():
                where = result["machine"]
                if not isinstance(where, str):
                    threads = f"{where['threads']} thread{'s' * (where['threads'] > 1)}"
                    where = ", ".join(filter(None, [where["gpu"], where["processor"], threads]))
                versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
                text = f"{title} on {device_name(device)}: {where}; {versions}; {result['date']}."
                found += nodes.list_item("", nodes.paragraph("", text))
        return found

    def ordered(self, *results: Results) -> list[tuple[str, str]]:
        """The names of results with the modules that define them, in the order of the chapters."""
        modules = {name: row["module"] for each in results for name, rows in each.rows.items() for row in rows.values()}

        def place(item: tuple[str, str]) -> tuple[str, bool, str]:
            name, module = item
            return chapter(Path(self.env.srcdir), module), not name.startswith("scratch.nn."), name

        return sorted(modules.items(), key=place)

    def once(self, name: str, line: Callable[[dict[str, Any]], Iterator[Line]]) -> list[Line]:
        """The lines of a name's row, which are the same for all devices."""
        return [each for row in list(self.parity.rows.get(name, {}).values())[:1] for each in line(row)]

    def headed(self, name: str, home: str) -> list[Line]:
        """The name, linked to its entry in the API if it has one, and its chapter."""
        link: nodes.Node = nodes.literal("", short(name))
        module, _, attribute = name.removeprefix("scratch.").rpartition(".")
        if attribute in (Package(Path(self.env.srcdir)).module(module).listed or ()):
            target = {"refdomain": "py", "reftype": "obj", "reftarget": name, "refdoc": self.env.docname}
            link = addnodes.pending_xref("", link, **target, refexplicit=True, refwarn=True)
        return [[link], [link_to_chapter(self, home)]]


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("parity", Parity)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
