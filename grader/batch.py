"""A class: many submissions on Dask workers.

The one process that started it reads the submissions and writes what comes back, a line as each is done. Workers get
the text of answers, and run them in kernels of their own. What a worker loses with its life is only the submission
that it was at: Dask gives that to another.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import logging
import os
import signal
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from grader import answers as answer_cells
from grader import submission
from grader.errors import Unreadable, UsageError
from grader.kernel import KernelFailed
from grader.reference import Reference
from grader.submission import Found, printable

if TYPE_CHECKING:
    from distributed import Client

    from grader.assemble import Outputs
    from grader.run import Runner
    from grader.score import Grader
    from grader.spare import Spare

RETRIES = 2
"""How often a submission is tried again whose kernel did not start."""
CONNECT_SECONDS = 10
AHEAD = 2
"""How many submissions each worker is given at a time: while it grades one, the next is on its way."""

Key = tuple[str, str, str, str]


@dataclass(frozen=True)
class Plan:
    """What a worker needs to grade by one reference."""

    reference: Reference
    kernel: str
    seed: int
    timeout: float
    outputs: Outputs | None = None
    seed_is_given: bool = False

    @property
    def seed_id(self) -> str:
        """Which seed it was, without telling it: rows with the same one are comparable."""
        return hashlib.sha256(f"{self.reference.sha256} {self.seed}".encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Row:
    """What is known of one submission: a line of grades.jsonl."""

    learner: str
    notebook: str
    submission_sha256: str = ""
    reference_sha256: str = ""
    seed_id: str = ""
    status: Literal["graded", "unreadable"] = "graded"
    reason: str = ""
    points: float | None = None
    """None for a submission that was not graded: that is not zero."""
    max_points: float = 0
    tasks: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0
    timeout: float = 0
    file: str = ""

    @property
    def key(self) -> Key:
        """What must be the same for the row to stand."""
        return self.learner, self.notebook, self.submission_sha256, self.reference_sha256

    @property
    def is_whole(self) -> bool:
        """Whether it was read, and no answer of it cost a kernel."""
        return self.status == "graded" and all(task["status"] != "crashed" for task in self.tasks)


def _grader(plan: Plan) -> Grader:
    """The grader of this process for a plan. What it needs is loaded on workers, not where work is only handed out."""
    from grader.score import Grader

    return Grader(plan.reference, _kernels(plan.kernel), plan.seed, plan.timeout, _runner())


@cache
def _runner() -> Runner:
    """The pytest session of this process."""
    from grader.run import Runner

    return Runner()


@cache
def _kernels(name: str) -> Spare:
    """What starts the kernels of this process."""
    from grader.spare import Spare

    return Spare(name)


def reference_outputs(plan: Plan) -> Outputs:
    """What the reference shows for the plan's seed."""
    return _grader(plan).outputs()


def grade(plan: Plan, answers: Mapping[str, str]) -> tuple[list[dict[str, Any]], float]:
    """The tasks' rows for some answers, and the seconds it took."""
    began = time.perf_counter()
    assert plan.outputs is not None, "the reference runs first"
    scores = _grader(plan).grade(answers, plan.outputs)
    return [score.row() for score in scores], round(time.perf_counter() - began, 3)


def row(found: Found, sha256: str, plan: Plan, tasks: list[dict[str, Any]], seconds: float) -> Row:
    """The row of a submission that was graded."""
    return Row(
        printable(found.learner),
        printable(found.notebook),
        sha256,
        plan.reference.sha256,
        plan.seed_id,
        points=sum(task["points"] for task in tasks),
        max_points=plan.reference.max_points,
        tasks=tasks,
        seconds=seconds,
        timeout=plan.timeout,
        file=printable(found.file),
    )


def unreadable(found: Found, reason: str, plan: Plan | None = None, sha256: str = "") -> Row:
    """The row of a submission that was not."""
    return Row(
        printable(found.learner),
        printable(found.notebook),
        sha256,
        plan.reference.sha256 if plan else "",
        status="unreadable",
        reason=reason,
        max_points=plan.reference.max_points if plan else 0,
        file=printable(found.file),
    )


@contextmanager
def cluster(scheduler: str | None, workers: int) -> Iterator[Client]:
    """A client of the scheduler at that address, or of one on this machine with so many worker processes."""
    from distributed import Client, LocalCluster
    from distributed.security import Security

    if scheduler is not None:
        try:
            client = Client(scheduler, timeout=CONNECT_SECONDS)
        except (OSError, ValueError) as error:
            raise UsageError(f"there is no Dask scheduler at {scheduler}: {error}") from None
        with client:
            yield client
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with _without_ctrl_c():
        local = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            security=Security.temporary(),  # else any user of this machine could have code run
            memory_limit=None,  # it is the kernels that need memory, and those have limits of their own
            silence_logs=logging.CRITICAL,
        )
    with local, Client(local) as client:
        yield client


@contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """What is started in here does not hear Ctrl+C, which a terminal sends to all: the one who started it ends it."""
    old = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, old)


@dataclass(frozen=True)
class Job:
    """A submission that is to be graded."""

    found: Found
    sha256: str
    plan: Plan
    answers: Mapping[str, str]


def read(found: Found, plans: Mapping[str, Plan], known: Mapping[Key, Row]) -> Job | Row:
    """What is to be done with a submission; or its row, if it cannot be graded or was graded before.

    `plans` has one plan for each name of a reference, `known` the rows of an earlier run.
    """
    plan = plans.get(found.reference or "")
    if plan is None:
        return unreadable(found, found.reason)
    try:
        whole = submission.read(found.path)
    except Unreadable as error:
        return unreadable(found, str(error), plan)
    old = known.get(row(found, whole.sha256, plan, [], 0).key)
    if old is not None and _stands(old, plan):
        return replace(old, file=printable(found.file))
    return Job(found, whole.sha256, plan, answer_cells.find(plan.reference, whole.cells))


def _stands(old: Row, plan: Plan) -> bool:
    """Whether a row of an earlier run is still right: not when a cell that was stopped may now take longer, and not
    when another seed is asked for."""
    if plan.seed_is_given and old.seed_id != plan.seed_id:
        return False
    return plan.timeout <= old.timeout or all(task["status"] != "timeout" for task in old.tasks)


def run(client: Client, jobs: Iterable[Job]) -> Iterator[Row]:
    """Grade, each submission as soon as a worker is free, and yield the rows as they come."""
    from distributed import as_completed
    from distributed.scheduler import KilledWorker

    outputs: dict[str, Outputs] = {}
    waiting = iter(jobs)
    running: dict[Any, Job] = {}
    done = as_completed()
    while True:
        for job in itertools.islice(waiting, max(1, AHEAD * len(client.nthreads()) - len(running))):
            name = job.plan.reference.name
            if name not in outputs:  # the reference runs once, before the first that goes by it
                outputs[name] = client.submit(reference_outputs, job.plan, pure=False).result()
            plan = replace(job.plan, outputs=outputs[name])
            future = client.submit(grade, plan, job.answers, pure=False, retries=RETRIES)
            running[future] = job
            done.add(future)
        if not running:
            return
        future = next(done)
        job = running.pop(future)
        try:
            tasks, seconds = future.result()
            yield row(job.found, job.sha256, job.plan, tasks, seconds)
        except KilledWorker:
            yield unreadable(job.found, "it was not graded: each worker that was at it was lost", job.plan, job.sha256)
        except KernelFailed as error:
            yield unreadable(job.found, f"it was not graded: {error}", job.plan, job.sha256)


class Ledger:
    """grades.jsonl: a line for each submission that is done, so that a batch which was stopped goes on."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def known(self) -> dict[Key, Row]:
        """The rows of submissions that were graded. A line that was cut off counts for nothing."""
        rows = {}
        try:
            lines = self._path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return {}
        for line in lines:
            try:
                old = Row(**json.loads(line))
            except (ValueError, TypeError):
                continue
            if old.status == "graded":
                rows[old.key] = old
        return rows

    def start(self, rows: Iterable[Row]) -> None:
        """Begin with these rows."""
        new = self._path.with_suffix(".new")
        new.write_text("".join(map(_line, rows)), encoding="utf-8")
        new.replace(self._path)

    def add(self, row: Row) -> None:
        """Write a row at once."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(_line(row))


def _line(row: Row) -> str:
    return f"{json.dumps(asdict(row), ensure_ascii=False)}\n"
