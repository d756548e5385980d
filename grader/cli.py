"""The command `grade`."""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from grader import answers as answer_cells
from grader import batch, reference, report, sandbox, submission
from grader.batch import Key, Ledger, Plan, Row
from grader.errors import SandboxError, Unreadable, UsageError
from grader.kernel import KernelFailed
from grader.reference import Reference
from grader.submission import Found
from grader.summary import summarise

CELL_SECONDS = 60
SEED_BITS = 48

EXIT_CODES = """\
exit codes:
  0    everything was graded
  1    graded, but some submissions could not be read or an answer crashed; the report says which
  2    nothing was graded: the reference, the folder or an option is wrong
  3    nothing was graded: no sandbox is to be had for a folder of submissions
  130  stopped with Ctrl+C; what was done is kept, and the same command goes on from there
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if not (options.submissions.exists() or options.submissions.is_symlink()):
        parser.error(f"there is no {options.submissions}")
    folder = options.submissions.is_dir() and options.submissions.suffix != submission.SUFFIX
    if folder and options.out is None:
        parser.error("a folder of submissions needs --out, the folder for the grades")
    if not folder:
        for name in ("out", "again", "workers", "scheduler", "no_sandbox"):
            if getattr(options, name) not in (None, False):
                parser.error(f"--{name.replace('_', '-')} is for a folder of submissions")
    if options.workers is not None and options.workers < 1:
        parser.error("--workers must be 1 or more")
    if folder and options.out.resolve() == options.submissions.resolve():
        parser.error("--out must be another folder than that of the submissions")
    if options.timeout <= 0:
        parser.error("--timeout must be more than 0 seconds")
    signal.signal(signal.SIGINT, _once)
    try:
        return _class(options) if folder else _learner(options)
    except (UsageError, KernelFailed) as error:
        print(f"grade: {error}", file=sys.stderr)
        return 2
    except SandboxError as error:
        print(f"grade: {error}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        print("grade: stopped", file=sys.stderr)
        return 130
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _once(number: int, frame: FrameType | None) -> None:
    """Ctrl+C stops the command; those after it do not disturb what is being put away."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="grade",
        description="Grade an exercise notebook, or a folder of submissions: learner/notebook.ipynb or "
        "learner_notebook.ipynb. A task's points need its check to pass and its answer to give the right values on "
        "inputs drawn from a secret seed.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("submissions", metavar="PATH", type=Path, help="a notebook, or a folder of submissions")
    parser.add_argument("--reference", metavar="PATH", type=Path, help="the notebook of solutions, or their folder")
    parser.add_argument("--seed", type=int, help="draw inputs from this seed, to grade the same way twice")
    parser.add_argument(
        "--timeout", metavar="SECONDS", type=float, default=CELL_SECONDS, help="for a cell (default 60)"
    )
    a_class = parser.add_argument_group("for a folder of submissions")
    a_class.add_argument("--out", metavar="FOLDER", type=Path, help="where grades and feedback are written")
    a_class.add_argument("--again", action="store_true", help="grade again what was graded before")
    a_class.add_argument("--workers", metavar="N", type=int, help="worker processes (default: one for each core)")
    a_class.add_argument("--scheduler", metavar="ADDRESS", help="use the Dask cluster there, as in tcp://10.0.0.1:8786")
    a_class.add_argument("--no-sandbox", action="store_true", help="run the submissions' code as you, unprotected")
    return parser


def _learner(options: argparse.Namespace) -> int:
    """Grade one's own notebook, and show the table."""
    path: Path = options.submissions
    name = path.stem
    references = _references(options.reference, path)
    console = Console()
    (found,) = [submission.match(Found(name, name, path, None), list(references))]
    try:
        read = submission.read(path)
        if found.reference is None:
            raise UsageError(f"{path}: {found.reason}")
    except Unreadable as error:
        print(f"grade: {path}: {error}", file=sys.stderr)
        return 1
    plan = _plan(options, references[found.reference], sandbox.open_kernel())
    with console.status("running the notebook"):
        plan = replace(plan, outputs=batch.reference_outputs(plan))
        tasks, seconds = batch.grade(plan, answer_cells.find(plan.reference, read.cells))
    row = batch.row(found, read.sha256, plan, tasks, seconds)
    report.of_learner(row, plan.reference, console)
    return 0 if row.is_whole else 1


def _class(options: argparse.Namespace) -> int:
    """Grade a folder of submissions, and write the grades."""
    folder, out = options.submissions, options.out
    references = _references(options.reference, folder)
    found = submission.find(folder, list(references), out)
    if not found:
        raise UsageError(f"there is no submission in {folder}")
    kernel = sandbox.open_kernel() if options.no_sandbox else sandbox.closed_kernel()
    used = {one.reference for one in found} - {None}
    plans = {name: _plan(options, references[name], kernel) for name in sorted(filter(None, used))}
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"the folder {out} cannot be made: {error.strerror}") from None
    rows: list[Row] = []
    try:
        _grade_all(options, found, plans, references, rows)
    finally:
        rows.sort(key=lambda row: (row.learner, row.notebook))
        summaries = summarise(rows, report.names(references))
        report.write_csv(out / "grades.csv", rows)
        report.write_summary(out / "summary.html", rows, summaries)
    report.of_class(rows, summaries, Console())
    return 0 if all(row.is_whole for row in rows) else 1


def _grade_all(
    options: argparse.Namespace,
    found: Sequence[Found],
    plans: Mapping[str, Plan],
    references: Mapping[str, Reference],
    rows: list[Row],
) -> None:
    """Grade what is not known yet; each row is in `rows` and on the disk when the next one comes."""
    ledger = Ledger(options.out / "grades.jsonl")
    known = {} if options.again else ledger.known()
    ledger.start(known.values())
    kept: set[Key] = set()
    by_hash = {one.sha256: one for one in references.values()}

    def done(row: Row) -> None:
        if row.key not in kept:
            ledger.add(row)
        rows.append(row)
        report.write_feedback(options.out / "feedback", row, by_hash.get(row.reference_sha256))

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        jobs = []
        for one in progress.track(found, description="reading"):
            read = batch.read(one, plans, known)
            if isinstance(read, Row):
                if read.key in known:
                    kept.add(read.key)
                done(read)
            else:
                jobs.append(read)
        if kept:
            progress.console.print(f"{len(kept)} graded before, and kept")
        if jobs:
            workers = options.workers or min(os.cpu_count() or 1, len(jobs))
            with batch.cluster(options.scheduler, workers) as client:
                for row in progress.track(batch.run(client, jobs), total=len(jobs), description="grading"):
                    done(row)
    ledger.start(sorted(rows, key=lambda row: (row.learner, row.notebook)))


def _plan(options: argparse.Namespace, one: Reference, kernel: str) -> Plan:
    seed = options.seed if options.seed is not None else secrets.randbits(SEED_BITS)
    return Plan(one, kernel, seed, options.timeout, seed_is_given=options.seed is not None)


def _references(given: Path | None, submissions: Path) -> dict[str, Reference]:
    """The references that may be meant, by name: those given, or else the solutions beside `exercises` or here."""
    if given is None:
        around = [submissions.resolve().parent.parent / "solutions", Path("solutions"), _ROOT / "solutions"]
        given = next((folder for folder in around if folder.is_dir()), None)
        if given is None:
            raise UsageError("there is no folder `solutions` here: name the reference with --reference")
    paths = sorted(given.glob("*.ipynb")) if given.is_dir() else [given]
    if not paths:
        raise UsageError(f"there is no notebook in {given}: name the reference with --reference")
    return {path.stem: reference.read(path) for path in paths}


_ROOT = Path(__file__).parents[1]
