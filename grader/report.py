"""What is told: tables on the terminal, grades.csv, a page for each learner, and a page for the teacher.

What a learner has written reaches a page only through a template that escapes it. No page holds a grade cell, a seed
or an expected value: rows do not have them.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from markupsafe import Markup
from mdit_py_plugins.dollarmath import dollarmath_plugin
from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.batch import Row
from grader.reference import Reference
from grader.submission import printable
from grader.summary import Summary

MARKS = {
    "passed": "green",
    "missing": "yellow",
    "failed": "red",
    "error": "red",
    "timeout": "magenta",
    "crashed": "magenta",
}
SHOWN = 10
"""How many misconceptions the terminal shows."""


def points(value: float) -> str:
    """Points as a reader writes them: 2 and not 2.0."""
    return f"{value:g}"


def of_learner(row: Row, reference: Reference, console: Console) -> None:
    """The table of one notebook."""
    table = Table(title=Text(reference.name), title_justify="left")
    table.add_column("Task")
    table.add_column("Points", justify="right")
    table.add_column("Status")
    table.add_column("What the check says, and a hint", ratio=1, overflow="fold")
    for task in row.tasks:
        status = Text(task["status"], MARKS[task["status"]])
        worth = f"{points(task['points'])} of {points(task['max_points'])}"
        said = Text(_plain(task["message"]))
        if task["hint"]:
            said.append(f"\n{task['hint']}", "italic")
        table.add_row(Text(task["task"]), worth, status, said)
    console.print(table)
    console.print(f"{points(row.points or 0)} of {points(row.max_points)} points")


def of_class(rows: Sequence[Row], summaries: Sequence[Summary], console: Console) -> None:
    """The summary of a class."""
    for one in summaries:
        graded = (
            f"{one.graded} graded, mean {one.mean:.1f}, median {points(one.median)} of {points(one.max_points)} points"
        )
        console.print(Text(f"{one.notebook}: {graded}", "bold"))
        table = Table("Points", "Learners", "", title=None)
        for each in one.bins:
            table.add_row(each.label, str(each.count), Text("█" * round(20 * each.share), "cyan"))
        console.print(table)
        table = Table("Task", "Passed", "Statuses")
        for task in one.tasks:
            statuses = ", ".join(f"{count} {status}" for status, count in task.statuses)
            table.add_row(Text(task.task), f"{task.pass_rate:.0%}", statuses)
        console.print(table)
        if one.misconceptions:
            table = Table("Learners", "Task", "What was said")
            for said in one.misconceptions[:SHOWN]:
                table.add_row(str(said.count), Text(said.task), Text(_plain(said.message)))
            console.print(table)
    for row in rows:
        if row.status == "unreadable":
            console.print(Text(f"not graded: {row.learner}/{row.notebook}: {row.reason}", "yellow"))
        elif not row.is_whole:
            crashed = ", ".join(task["task"] for task in row.tasks if task["status"] == "crashed")
            console.print(Text(f"crashed: {row.learner}/{row.notebook}: {crashed}", "magenta"))


def _plain(text: str) -> str:
    """Text that does nothing to a terminal but stand there."""
    return "\n".join(printable(line) for line in text.split("\n"))


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """grades.csv: a row for each learner and notebook, a column for each task."""
    tasks = list(dict.fromkeys(task["task"] for row in rows for task in row.tasks))
    with path.open("w", encoding="utf-8-sig", newline="") as file:  # else Excel takes it for another encoding
        writer = csv.writer(file)
        writer.writerow(["learner", "notebook", "file", "status", "reason", "points", "max_points", *tasks])
        for row in rows:
            own = {task["task"]: points(task["points"]) for task in row.tasks}
            said = [row.learner, row.notebook, row.file, row.status, row.reason]
            worth = ["", ""] if row.points is None else [points(row.points), points(row.max_points)]
            writer.writerow([*map(_no_formula, said), *worth, *(own.get(name, "") for name in tasks)])


def _no_formula(text: str) -> str:
    """A spreadsheet takes some texts for formulas and runs them; with an apostrophe they are text."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def write_feedback(folder: Path, row: Row, reference: Reference | None) -> Path:
    """feedback/<learner>/<notebook>.html."""
    path = folder / row.learner / f"{row.notebook or 'submission'}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    asked = {task.name: task for task in reference.tasks} if reference else {}
    path.write_text(_page("feedback.html", row=row, asked=asked), encoding="utf-8")
    return path


def write_summary(path: Path, rows: Sequence[Row], summaries: Sequence[Summary]) -> None:
    """summary.html."""
    path.write_text(_page("summary.html", rows=rows, summaries=summaries), encoding="utf-8")


def _math(formula: str, options: Mapping[str, Any]) -> str:
    """A formula as MathML, which browsers draw by themselves."""
    return convert(formula, display="block" if options["display_mode"] else "inline")


_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").use(dollarmath_plugin, renderer=_math)
_PAGES = Environment(
    loader=PackageLoader("grader"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_PAGES.filters["points"] = points
_PAGES.filters["markdown"] = lambda text: Markup(_MARKDOWN.render(text))


def _page(name: str, **values: Any) -> str:
    return _PAGES.get_template(name).render(**values)


def names(references: Mapping[str, Reference]) -> dict[str, str]:
    """What the reference of a hash is called."""
    return {reference.sha256: reference.name for reference in references.values()}
