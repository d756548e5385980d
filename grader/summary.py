"""What a class's rows say together: who has how many points, which tasks were hard, and what was misunderstood."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grader.batch import Row

_NUMBERS = re.compile(r"[-\d.,()\[\]]*\d[-\d.,()\[\]]*")
BINS = 10


@dataclass(frozen=True)
class Bin:
    """Some of the points, and how many have that many."""

    label: str
    count: int
    share: float
    """Of the fullest bin."""


@dataclass(frozen=True)
class TaskSummary:
    """How a task went."""

    task: str
    max_points: float
    pass_rate: float
    statuses: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Misconception:
    """What a check said, to how many learners."""

    task: str
    message: str
    count: int


@dataclass(frozen=True)
class Summary:
    """One notebook of a class."""

    reference_sha256: str
    notebook: str
    graded: int
    mean: float
    median: float
    max_points: float
    bins: tuple[Bin, ...]
    tasks: tuple[TaskSummary, ...]
    misconceptions: tuple[Misconception, ...]


def summarise(rows: Iterable[Row], names: dict[str, str]) -> list[Summary]:
    """A summary for each reference; `names` tells what the reference of that hash is called."""
    by_reference: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.status == "graded":
            by_reference[row.reference_sha256].append(row)
    return sorted((_summary(sha, names[sha], some) for sha, some in by_reference.items()), key=lambda one: one.notebook)


def _summary(sha256: str, name: str, rows: Sequence[Row]) -> Summary:
    points = sorted(row.points or 0 for row in rows)
    middle = len(points) // 2
    return Summary(
        sha256,
        name,
        graded=len(rows),
        mean=sum(points) / len(points),
        median=points[middle] if len(points) % 2 else (points[middle - 1] + points[middle]) / 2,
        max_points=rows[0].max_points,
        bins=tuple(_bins(points, rows[0].max_points)),
        tasks=tuple(_tasks(rows)),
        misconceptions=tuple(_misconceptions(rows)),
    )


def _bins(points: Sequence[float], most: float) -> list[Bin]:
    """One bin for each number of points, or for each tenth of them where there are many."""
    width = max(1.0, most / BINS)
    counts = Counter(min(int(value / width), int(most / width)) for value in points)
    fullest = max(counts.values())
    return [
        Bin(f"{number * width:g}", counts[number], counts[number] / fullest) for number in range(int(most / width) + 1)
    ]


def _tasks(rows: Sequence[Row]) -> list[TaskSummary]:
    summaries = []
    for position, task in enumerate(rows[0].tasks):
        statuses = Counter(row.tasks[position]["status"] for row in rows)
        rate = statuses["passed"] / len(rows)
        summaries.append(TaskSummary(task["task"], task["max_points"], rate, tuple(statuses.most_common())))
    return summaries


def _misconceptions(rows: Sequence[Row]) -> list[Misconception]:
    """What was said of failed tasks, most often first. Messages that differ in numbers alone are the same."""
    counts: Counter[tuple[str, str]] = Counter()
    seen: dict[tuple[str, str], str] = {}
    for row in rows:
        for task in row.tasks:
            if task["status"] in ("failed", "error"):
                first = task["message"].split("\n")[0]
                key = task["task"], _NUMBERS.sub("#", first)
                seen.setdefault(key, first)
                counts[key] += 1
    return [Misconception(key[0], seen[key], count) for key, count in counts.most_common()]
