"""Runs cells with nbval: its collector, its items and its comparison, in a pytest session that stays open.

Starting pytest takes as long as running a small notebook. So there is one session in each process, in a thread of its
own: it waits for notebooks, and this module's plugin hands them over and takes down what each cell gave.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Literal

import pytest
from nbformat import NotebookNode, from_dict
from nbval.plugin import IPyNbCell, IPyNbFile

from grader.kernel import GRADE_TYPE, Kernel, KernelDied

Role = Literal["context", "answer", "check", "grade"]
Ending = Literal["passed", "raised", "differs", "timeout", "crashed", "skipped"]


@dataclass(frozen=True)
class Step:
    """A cell to run. That of a grade is compared with `outputs`, those that the reference gave."""

    role: Role
    source: str
    task: str = ""
    outputs: tuple[dict[str, Any], ...] | None = None


@dataclass
class Result:
    """What running a cell gave."""

    ending: Ending = "skipped"
    ename: str = ""
    evalue: str = ""
    outputs: list[dict[str, Any]] = field(default_factory=list)
    """What a grade cell showed. It never leaves the grader."""


Wanted = Callable[[Step, Sequence[tuple[Step, Result]]], bool]
"""Whether a step is to be run, given those before it and what they gave."""


def kinds(outputs: Sequence[dict[str, Any]]) -> frozenset[str]:
    """The kinds of output that are compared: the grade cells' own if there is one, else all that the reference gave."""
    found = {output["name"] for output in outputs if output["output_type"] == "stream"}
    found |= {kind for output in outputs for kind in output.get("data", ())}
    return frozenset({GRADE_TYPE} if GRADE_TYPE in found else found)


ALL_KINDS = frozenset({"stdout", GRADE_TYPE})
"""What is taken down of the reference, whose grade cells print or show."""


class _Cell(IPyNbCell):  # type: ignore[misc]
    """nbval's cell, for which a difference is a difference: how to draw it is nobody's concern, and can take long."""

    step: Step

    def format_output_compare(self, key: str, left: object, right: object) -> None:
        self.comparison_traceback.append(f"{key} differs")

    def setup(self) -> None:
        """No cell is expected to fail because of one before it."""


class _Notebook(IPyNbFile):  # type: ignore[misc]
    """nbval's notebook, in a kernel that is running already."""

    steps: Sequence[Step]

    def setup(self) -> None:
        """Leave the kernel as it is."""

    def teardown(self) -> None:
        """Leave the kernel as it is."""

    def collect(self) -> Iterator[_Cell]:
        """A cell for each step, from memory: nbval would read a file, and what it reads a kernel could find.

        Comments and tags that nbval would heed, such as NBVAL_SKIP, mean nothing in an answer.
        """
        for number, step in enumerate(self.steps):
            options = {"check": step.outputs is not None, "check_exception": False, "skip": False}
            name, cell = f"Cell {number}", _cell(step)
            item = _Cell.from_parent(self, name=name, cell_num=number, cell=cell, options=options)
            item.step = step
            yield item


@dataclass
class _Job:
    kernel: Kernel
    steps: Sequence[Step]
    wanted: Wanted
    timeout: float
    results: list[Result]
    done: threading.Event = field(default_factory=threading.Event)
    failure: BaseException | None = None

    def before(self, number: int) -> list[tuple[Step, Result]]:
        """The steps before that of this number, and what they gave."""
        return list(zip(self.steps[:number], self.results, strict=False))


class Runner:
    """The pytest session of this process."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="pytest", daemon=True)
        self._ended: str = ""
        self._job: _Job | None = None
        self._thread.start()

    def run(self, kernel: Kernel, steps: Sequence[Step], wanted: Wanted, timeout: float) -> list[Result]:
        """Run the cells that are wanted, in their order, until the kernel is lost; one result for each."""
        job = _Job(kernel, steps, wanted, timeout, [Result() for _ in steps])
        self._jobs.put(job)
        while not job.done.wait(1):
            if not self._thread.is_alive():
                raise RuntimeError(f"pytest has ended: {self._ended}")
        if job.failure is not None:
            raise job.failure
        return job.results

    def _serve(self) -> None:
        os.environ.pop("PYTEST_ADDOPTS", None)
        with tempfile.TemporaryDirectory(prefix="grader-") as folder:
            options = ["--nbval", "-p", "nbval.plugin", "-c", os.devnull, "--rootdir", folder, "--noconftest", "-s"]
            without = ["cacheprovider", "faulthandler", "logging", "junitxml", "threadexception", "unraisableexception"]
            options += [f"-pno:{name}" for name in without]
            code = pytest.main(["--disable-plugin-autoload", *options, folder], plugins=[self])
            self._ended = str(code)

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Say nothing on the terminal."""
        config.pluginmanager.unregister(name="terminalreporter")

    def pytest_collection(self) -> bool:
        """Notebooks come one by one, later."""
        return True

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run notebooks as they come, for as long as the process lives."""
        while True:
            self._job = job = self._jobs.get()
            try:
                self._run(session, job)
            except BaseException as error:
                job.failure = error
            self._job = None
            job.done.set()

    def _run(self, session: pytest.Session, job: _Job) -> None:
        session.config.option.nbval_cell_timeout = job.timeout
        notebook = _Notebook.from_parent(session, path=session.config.rootpath / "notebook.ipynb")
        notebook.steps, notebook.kernel = job.steps, job.kernel
        for number, item in enumerate(notebook.collect()):
            if job.kernel.died or job.kernel.timed_out:
                break
            if job.wanted(item.step, job.before(number)):
                # Which cell is next is not known yet; nothing is kept from one to the next but the kernel.
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
                if job.results[number].ending == "skipped":
                    raise RuntimeError(f"pytest did not run cell {number}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: _Cell) -> Iterator[None]:
        """Take down what a cell gave."""
        assert self._job is not None
        result = self._job.results[item.cell_num]
        kernel = self._job.kernel
        outputs = item.step.outputs
        kernel.wanted = frozenset() if item.step.role != "grade" else ALL_KINDS if outputs is None else kinds(outputs)
        try:
            yield
            result.ending = "passed"
        except KernelDied:
            result.ending = "crashed"
        except Exception:
            error = next((out for out in item.test_outputs or () if out["output_type"] == "error"), None)
            if kernel.timed_out:
                result.ending = "timeout"
            elif error is not None:
                result.ending, result.ename, result.evalue = "raised", error["ename"], error["evalue"]
            elif item.parent.timed_out or not kernel.is_alive():
                kernel.died, result.ending = True, "crashed"
            else:
                result.ending = "differs"
        result.outputs = list(item.test_outputs or ())


def _cell(step: Step) -> NotebookNode:
    """A step as a cell. Only a cell that has been executed is compared by nbval: those of grades."""
    outputs = step.outputs or ()
    cell: NotebookNode = from_dict(
        {
            "cell_type": "code",
            "metadata": {},
            "source": step.source,
            "execution_count": None if step.outputs is None else 1,
            "outputs": list(_only(kinds(outputs), outputs)),
        }
    )
    return cell


def _only(wanted: frozenset[str], outputs: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Of `outputs`, what is compared."""
    for output in outputs:
        if output["output_type"] == "stream":
            if output["name"] in wanted:
                yield output
        elif data := {kind: text for kind, text in output.get("data", {}).items() if kind in wanted}:
            yield output | {"data": data}
