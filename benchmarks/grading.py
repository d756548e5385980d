"""How long grading takes: nbgrader, plain pytest --nbval, and ours, on the same submissions in one run.

See benchmarks/README.md for how to run it and for what the numbers mean.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import fmean, median
from typing import Any

import nbformat
import numpy as np
import psutil  # type: ignore[import-untyped]
from rich.console import Console
from rich.table import Table

from derive.exercise import Exercise, read

ROOT = Path(__file__).parents[1]
STEM = "04_convolution_1d"
REFERENCE = ROOT / "solutions" / f"{STEM}.ipynb"
SUBMISSIONS = 20
RUNS = 5
"""How often `grade` is run, of which the median counts: it is over so soon that its start-up would blur the rest."""
SYNTHETIC = 1000
PACKAGES = ("torch", "nbval", "pytest", "nbgrader", "jupyter_client", "ipykernel", "distributed")
PARTS = ("peers", "scale", "notebooks")
NBGRADER_CONFIG = "c = get_config()\nc.ExecutePreprocessor.timeout = 120\n"


@dataclass(frozen=True)
class Timing:
    """What one way of grading takes. A run of one submission and a run of all tell start-up and submissions apart."""

    tool: str
    one: float
    all: float

    @property
    def submission(self) -> float:
        """Seconds for each submission after the first."""
        return (self.all - self.one) / (SUBMISSIONS - 1)

    @property
    def start_up(self) -> float:
        """Seconds that do not depend on how many there are."""
        return max(0.0, self.one - self.submission)


def answers(exercise: Exercise, number: int) -> dict[str, str]:
    """The answers of one learner: by turns all right, all wrong, and some that raise."""
    given = {}
    for position, task in enumerate(exercise.tasks):
        wrong = task.mutants[number % len(task.mutants)].source
        raising = f"{task.answer}\nraise ValueError('this one raises')"
        kinds = ([task.answer], [wrong], [task.answer, wrong, raising, task.stub])[number % 3]
        given[task.name] = f"{kinds[(number // 3 + position) % len(kinds)]}\n# learner {number}"
    return given


def write_submissions(folder: Path, count: int, layout: Callable[[Path, str], Path]) -> list[Path]:
    """Write submissions, each under the path that `layout` gives for the folder and a learner."""
    exercise = read(ROOT / "book" / "exercises" / f"{STEM}.md")
    written = []
    for number in range(count):
        notebook = nbformat.read(ROOT / "exercises" / f"{STEM}.ipynb", as_version=4)
        for task, source in answers(exercise, number).items():
            (cell,) = [cell for cell in notebook.cells if cell["id"] == f"answer-{task}"]
            cell.source = source
        path = layout(folder, f"learner{number:04}")
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)
        written.append(path)
    return written


def by_learner(folder: Path, learner: str) -> Path:
    """Where `grade` expects the notebook of a learner."""
    return folder / learner / f"{STEM}.ipynb"


def seconds(command: Sequence[str], folder: Path, codes: Sequence[int], **environment: str) -> float:
    """How long a command takes; stop with what it said where it ends in a way that is not expected."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    start = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PATH": programs} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    taken = time.perf_counter() - start
    if done.returncode not in codes:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return taken


def nbgrader(folder: Path, count: int) -> float:
    """`nbgrader autograde` on `count` submissions, once the assignment has been made."""

    def layout(course: Path, learner: str) -> Path:
        return course / "submitted" / learner / "assignment" / f"{STEM}.ipynb"

    write_submissions(folder, count, layout)
    source = folder / "source" / "assignment" / f"{STEM}.ipynb"
    source.parent.mkdir(parents=True)
    shutil.copy(REFERENCE, source)
    (folder / "nbgrader_config.py").write_text(NBGRADER_CONFIG, encoding="utf-8")
    command = [sys.executable, "-m", "nbgrader"]
    seconds([*command, "generate_assignment", "assignment"], folder, [0])
    return seconds([*command, "autograde", "assignment"], folder, [0])


def plain_nbval(folder: Path, count: int) -> float:
    """`pytest --nbval` with one process for each file, which is how one would write it in a shell."""
    total = 0.0
    for path in write_submissions(folder, count, by_learner):
        command = [
            sys.executable,
            "-m",
            "pytest",
            "--nbval",
            "-q",
            "-c",
            os.devnull,
            "--rootdir",
            str(folder),
            str(path),
        ]
        total += seconds(command, folder, [0, 1])
    return total


def ours(folder: Path, count: int, workers: int) -> float:
    """`grade`, with a warm process of its own, whose start counts."""
    submissions, runtime = folder / "submissions", folder / "runtime"
    write_submissions(submissions, count, by_learner)
    runtime.mkdir(mode=0o700)
    return seconds(grade(submissions, folder / "grades", workers), ROOT, [0, 1], XDG_RUNTIME_DIR=str(runtime))


def grade(submissions: Path, grades: Path, workers: int) -> list[str]:
    """The command of ours."""
    command = [sys.executable, "-m", "grader", str(submissions), "--out", str(grades)]
    return [*command, "--reference", str(REFERENCE), "--workers", str(workers)]


@contextmanager
def a_folder() -> Iterator[Path]:
    """A short-lived folder with a short name, since sockets are kept in it."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def peers(console: Console) -> dict[str, Any]:
    """Every tool on the same submissions: first one alone, then all of them."""
    tools: dict[str, Callable[[Path, int], float]] = {
        "nbgrader autograde": nbgrader,
        "pytest --nbval, a process a file": plain_nbval,
        "grade, one worker": lambda folder, count: ours(folder, count, 1),
        "grade, two workers": lambda folder, count: ours(folder, count, 2),
    }
    timings = []
    for name, tool in tools.items():
        taken = []
        for count in (1, SUBMISSIONS):
            console.print(f"{name}: {count} submissions ...")
            runs = []
            for _ in range(RUNS if name.startswith("grade") else 1):
                with a_folder() as folder:
                    runs.append(tool(folder, count))
            taken.append(median(runs))
        timings.append(Timing(name, *taken))

    table = Table("way", "start-up, s", "a submission, s", f"all {SUBMISSIONS}, s", "times nbgrader", "with start-up")
    first = timings[0]
    for timing in timings:
        ratios = f"{first.submission / timing.submission:.1f}", f"{first.all / timing.all:.1f}"
        table.add_row(timing.tool, f"{timing.start_up:.1f}", f"{timing.submission:.3f}", f"{timing.all:.1f}", *ratios)
    console.print(table)
    return {
        timing.tool: asdict(timing)
        | {
            "start_up": timing.start_up,
            "submission": timing.submission,
            "ratio": first.submission / timing.submission,
            "ratio_with_start_up": first.all / timing.all,
        }
        for timing in timings
    }


def memory(process: psutil.Process) -> int:
    """Bytes of a process, of all below it, and of the warm process with its kernels; shared pages are shared out."""
    family = [process, *process.children(recursive=True)]
    for other in psutil.process_iter():
        try:
            if other.create_time() >= process.create_time() and "warmkernel" in " ".join(other.cmdline()):
                family.append(other)
        except psutil.Error:
            continue
    total = 0
    for one in set(family):
        try:
            total += one.memory_full_info().pss
        except psutil.Error:
            continue
    return total


def scale(console: Console, count: int) -> dict[str, Any]:
    """Grade `count` submissions while looking on: how many are done, and how much memory is in use."""
    samples: list[tuple[float, int, int]] = []
    with a_folder() as folder:
        submissions, grades, runtime = folder / "submissions", folder / "grades", folder / "runtime"
        write_submissions(submissions, count, by_learner)
        runtime.mkdir(mode=0o700)
        console.print(f"grade, two workers: {count} submissions ...")
        start = time.perf_counter()
        log = (folder / "log").open("wb")
        process = subprocess.Popen(
            grade(submissions, grades, 2),
            cwd=ROOT,
            env=os.environ | {"XDG_RUNTIME_DIR": str(runtime)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        rows = grades / "grades.jsonl"
        while process.poll() is None:
            time.sleep(1)
            done = rows.read_bytes().count(b"\n") if rows.exists() else 0
            samples.append((time.perf_counter() - start, done, memory(psutil.Process(process.pid))))
        total = time.perf_counter() - start
        log.close()
        if process.returncode not in (0, 1):
            sys.exit((folder / "log").read_text(errors="replace")[-2000:])
        graded = rows.read_bytes().count(b"\n")

    running = [(t, n, m) for t, n, m in samples if 0 < n < count]
    times, counts, sizes = (np.array(column, dtype=float) for column in zip(*running, strict=True))
    per_submission, fit = _line(counts, times)
    growth, _ = _line(counts, sizes)
    halves = len(running) // 2
    result = {
        "submissions": count,
        "rows": graded,
        "seconds": total,
        "seconds_a_submission": per_submission,
        "r_squared_of_time": fit,
        "peak_memory_mb": max(sizes) / 2**20,
        "memory_growth_mb_a_submission": growth / 2**20,
        "mean_memory_first_half_mb": fmean(sizes[:halves]) / 2**20,
        "mean_memory_second_half_mb": fmean(sizes[halves:]) / 2**20,
        "samples": samples,
    }
    table = Table("what", "value")
    for name, value in result.items():
        if name != "samples":
            table.add_row(name.replace("_", " "), f"{value:,.4f}" if isinstance(value, float) else str(value))
    console.print(table)
    return result


def _line(x: Any, y: Any) -> tuple[float, float]:
    """The slope of the line through the points, and R squared."""
    slope, offset = np.polyfit(x, y, 1)
    unexplained = ((y - slope * x - offset) ** 2).sum()
    return float(slope), float(1 - unexplained / ((y - y.mean()) ** 2).sum())


def notebooks(console: Console) -> dict[str, Any]:
    """`pytest --nbval` over every notebook, as the tests run it, with ordinary kernels and with warm ones."""
    found = [str(path) for folder in ("notebooks", "solutions") for path in sorted((ROOT / folder).glob("*.ipynb"))]
    command = [sys.executable, "-m", "pytest", "--nbval", "-q", "-p", "no:cacheprovider", *found]
    taken = {}
    with a_folder() as runtime:
        warm = {"XDG_RUNTIME_DIR": str(runtime)}
        for name, options, environment in (
            ("plain", [], {}),
            ("warm, with the start of the warm process", ["--nbval-kernel-name", "warm"], warm),
            ("warm", ["--nbval-kernel-name", "warm"], warm),
        ):
            console.print(f"pytest --nbval, {len(found)} notebooks, {name} ...")
            taken[name] = seconds([*command, *options], ROOT, [0], OMP_NUM_THREADS="1", **environment)
    table = Table(f"{len(found)} notebooks", "s", "times plain")
    for name, value in taken.items():
        table.add_row(name, f"{value:.1f}", f"{taken['plain'] / value:.1f}")
    console.print(table)
    return {"notebooks": len(found), "seconds": taken, "ratio": taken["plain"] / taken["warm"]}


def machine() -> dict[str, Any]:
    """What the numbers were measured on."""
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "processor": models[0].partition(":")[2].strip() if models else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def main() -> None:
    """Run the parts that are asked for, and write what they gave."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grading", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", choices=[*PARTS, []], metavar="part", help=f"{', '.join(PARTS)}; all if none"
    )
    parser.add_argument("--json", type=Path, default=Path("grading.json"), help="where the numbers go")
    parser.add_argument("--synthetic", type=int, default=SYNTHETIC, help="how many submissions `scale` grades")
    options = parser.parse_args()
    parts = options.parts or PARTS
    console = Console()
    result: dict[str, Any] = {"machine": machine()}
    if "peers" in parts:
        result["peers"] = peers(console)
    if "notebooks" in parts:
        result["notebooks"] = notebooks(console)
    if "scale" in parts:
        result["scale"] = scale(console, options.synthetic)
    options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    console.print(f"written: {options.json}")


if __name__ == "__main__":
    main()
