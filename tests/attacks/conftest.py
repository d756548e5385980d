"""Two batches, graded once each by the command itself, and what stands around them for an attack to reach."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from uuid import uuid4

import pytest

from tests.attacks import bombs, checks, endings, escapes, fakes, forbidden, honest, oddities, pages, patches, spies
from tests.attacks.case import Case, filled
from tests.attacks.submissions import REFERENCE, ROOT, STEM

MODULES = (honest, forbidden, oddities, checks, patches, endings, bombs, spies, escapes, fakes, pages)
CASES: dict[str, Case] = {case.name: case for module in MODULES for case in module.CASES}
assert len(CASES) == sum(len(module.CASES) for module in MODULES), "two cases have the same name"

MEMORY_MB = 1536
"""Enough for honest work, and soon filled."""

FAST_TIMEOUT, SLOW_TIMEOUT = 30, 4
"""Seconds for one cell. The fast batch never waits for its own, the slow one waits for nothing else."""


class Listeners:
    """Sockets of this machine that an attack may try to reach, and what arrived at them."""

    def __init__(self, folder: Path, name: str) -> None:
        self.heard: list[bytes] = []
        self.unix = folder / "listener"
        self.abstract = f"listener-{name}"
        self._tcp = self._listen(socket.AF_INET, ("0.0.0.0", 0))
        self._others = [
            self._listen(socket.AF_UNIX, str(self.unix)),
            self._listen(socket.AF_UNIX, f"\0{self.abstract}"),
        ]
        self.unix.chmod(0o777)
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("0.0.0.0", 0))
        threading.Thread(target=self._receive, daemon=True).start()

    @property
    def ports(self) -> tuple[int, int]:
        return self._tcp.getsockname()[1], self._udp.getsockname()[1]

    def close(self) -> None:
        for listener in (self._tcp, self._udp, *self._others):
            listener.close()

    def _listen(self, family: int, address: Any) -> socket.socket:
        listener = socket.socket(family)
        listener.bind(address)
        listener.listen()
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
                with connection:
                    connection.settimeout(1)
                    self.heard.append(connection.recv(1000))
            except TimeoutError:
                self.heard.append(b"a connection")
            except OSError:
                return

    def _receive(self) -> None:
        while True:
            try:
                self.heard.append(self._udp.recv(1000))
            except OSError:
                return


@dataclass
class World:
    """All that stands around the batches."""

    folder: Path
    listeners: Listeners
    marker: str = field(default_factory=lambda: f"marker{uuid4().hex}")
    canary: str = field(default_factory=lambda: f"canary{uuid4().hex}")
    other: str = field(default_factory=lambda: f"other{uuid4().hex}")

    @property
    def reference(self) -> Path:
        """Our solutions, in a place where everyone on the machine may read them."""
        path = self.folder / "solutions" / REFERENCE.name
        if not path.exists():
            path.parent.mkdir()
            shutil.copyfile(REFERENCE, path)
        return path

    @property
    def trap(self) -> Path:
        """A file that any user may write, and none does."""
        return self.folder / "trap"

    def words(self, submissions: Path, grades: Path) -> dict[str, object]:
        """What `$word` in an attack stands for."""
        tcp, udp = self.listeners.ports
        half = len(self.canary) // 2
        return {
            "marker": self.marker,
            "canary": self.canary,
            "canary_file": self.folder / "canary",
            "first_half": self.canary[:half],
            "second_half": self.canary[half:],
            "other": self.other,
            "reference": self.reference,
            "repository": ROOT,
            "submissions": submissions,
            "grades": grades,
            "home": Path.home(),
            "trap": self.trap,
            "tcp": tcp,
            "udp": udp,
            "unix": self.listeners.unix,
            "abstract": self.listeners.abstract,
            "address": _address(),
        }


def _address() -> str:
    """An address of this machine that is not its loopback, where it has one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


@dataclass(frozen=True)
class Graded:
    """What a run of `grade` left behind."""

    cases: list[Case]
    submissions: Path
    grades: Path
    done: subprocess.CompletedProcess[str]
    rows: dict[str, dict[str, Any]]

    def row(self, case: Case) -> dict[str, Any]:
        assert case.folder in self.rows, (
            f"the submission has no row: {self.done.stdout[-2000:]}{self.done.stderr[-2000:]}"
        )
        return self.rows[case.folder]

    def pages(self) -> dict[str, str]:
        """Every page that a teacher or learner opens, by its path below the folder of grades."""
        found = sorted(self.grades.rglob("*.html"))
        return {path.relative_to(self.grades).as_posix(): path.read_text(encoding="utf-8") for path in found}


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    if sys.platform != "linux":
        pytest.skip("the sandbox is made of Linux namespaces")
    checked = subprocess.run(
        [sys.executable, "-m", "warmkernel", "check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if checked.returncode == 1:
        pytest.skip(f"no sandbox can be had here: {checked.stdout.strip() or checked.stderr.strip()}")
    assert checked.returncode == 0, checked.stderr
    folder = Path(mkdtemp(prefix="attacks-"))  # not pytest's own folder: that one is closed to other users anyway
    folder.chmod(0o777)
    world = World(folder, Listeners(folder, uuid4().hex))
    (folder / "canary").write_text(world.canary)
    (folder / "canary").chmod(0o644)
    yield world
    world.listeners.close()
    shutil.rmtree(folder)


def _grade(world: World, name: str, cases: list[Case], timeout: int) -> Graded:
    submissions, grades = world.folder / name / "submissions", world.folder / name / "grades"
    words = world.words(submissions, grades)
    for case in cases:
        path = submissions / case.folder / f"{STEM}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(filled(case.notebook, words)), encoding="utf-8")  # as it is, without repairs
    command = [
        sys.executable,
        "-m",
        "grader",
        str(submissions),
        "--out",
        str(grades),
        "--reference",
        str(world.reference),
    ]
    command += ["--workers", str(min(2, os.cpu_count() or 1)), "--timeout", str(timeout)]
    environment = {**os.environ, "COURSE_SECRET": world.canary, "WARM_MEMORY_MB": str(MEMORY_MB)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    lines = grades / "grades.jsonl"
    rows = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()] if lines.exists() else []
    by_learner = {row["learner"]: row for row in rows}
    assert len(by_learner) == len(rows), "a submission has two rows"
    return Graded(cases, submissions, grades, done, by_learner)


@pytest.fixture(scope="session")
def fast(world: World) -> Graded:
    return _grade(world, "fast", [case for case in CASES.values() if not case.slow], FAST_TIMEOUT)


@pytest.fixture(scope="session")
def slow(world: World, fast: Graded) -> Graded:
    return _grade(world, "slow", [case for case in CASES.values() if case.slow], SLOW_TIMEOUT)
