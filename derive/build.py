"""Brings what is derived in step with its sources, or says where it is not."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from derive import addresses, chapter, execute, exercise, export, notebook
from derive.config import Book
from derive.errors import SourceError
from derive.labels import Index
from derive.notebook import Draft, Result
from derive.source import Source

FOLDERS = {"notebooks": "*.ipynb", "solutions": "*.ipynb", "exercises": "*.ipynb", "scratch": "*.py"}


@dataclass(frozen=True)
class Derived:
    """What a source becomes: at most one notebook that runs, and files that follow from the source alone."""

    source: Source
    target: str
    cells: list[Draft]
    files: dict[str, str]


class Build:
    """One pass over all sources, or over some."""

    def __init__(self, book: Book, sources: Sequence[Path] = ()) -> None:
        self.book = book
        self.whole = not sources
        self.sources = [path for path in (*book.chapters(), *book.exercises()) if self.whole or path in sources]
        self.errors: list[SourceError | OSError] = []
        self.written: list[str] = []
        self._targets: set[str] = set()
        self._chapters: list[Source] = []

    def write(self, force: bool = False) -> None:
        """Write what is out of step. Runs the notebooks whose code has changed; with `force`, all of them."""
        self._write(self._addresses())  # one of these files is a cell of a notebook
        for derived in self._derived():
            if derived.source.installs:
                self._write(self._package())  # it runs with what all chapters before it export
            try:
                text = (None if force else self._stored(derived)) or self._executed(derived)
            except SourceError as error:
                self._fail(error)
                continue
            self._write({derived.target: text, **derived.files})
        self._write(self._package())
        for path in self._orphans():
            name = self.book.relative(path)
            with self._told(f"remove {name}"):
                path.unlink()
                self.written.append(name)
                _say(f"removed {name}: it has no source")

    def check(self) -> list[str]:
        """List what `write` would change; runs and writes nothing."""
        found = []
        for derived in self._derived():
            try:
                files = {derived.target: self._stored(derived), **derived.files}
            except SourceError as error:
                self._fail(error)
                continue
            found += self._stale(files, derived.source.name)
        found += self._stale(self._package(), "book/chapters")
        found += self._stale(self._addresses(), "_config.yml and the chapters")
        return found + [f"{self.book.relative(path)} has no source any more" for path in self._orphans()]

    def _derived(self) -> Iterator[Derived]:
        """What each source becomes. Sources with mistakes are noted and passed over."""
        index = Index.build(self.book)
        for error in index.errors:
            self._fail(error)
        for path in self.sources:
            is_chapter = path.parent.name == "chapters"
            try:
                derived = _chapter(self.book, path, index) if is_chapter else _exercise(path, index)
            except SourceError as error:
                self._fail(error)
                continue
            self._targets |= {derived.target, *derived.files}
            if is_chapter:
                self._chapters.append(derived.source)
            yield derived

    def _package(self) -> dict[str, str]:
        """The modules that list what all chapters export; none unless all were read."""
        return export.package(self._chapters) if self.whole and not self.errors else {}

    def _addresses(self) -> dict[str, str]:
        """The files that repeat an address; none unless all sources are asked for and what they need can be read."""
        try:
            return addresses.files(self.book) if self.whole else {}
        except SourceError as error:
            self._fail(error)
            return {}

    def _stored(self, derived: Derived) -> str | None:
        """The text of a notebook that need not run; None if it must."""
        code = notebook.code_cells(derived.cells)
        stored = notebook.load(self.book.root / derived.target)
        if stored is None or not notebook.in_step(stored, code):
            return None
        results = [cell.result for cell in stored]
        execute.check(derived.source, code, results)
        return notebook.dumps(derived.cells, results)

    def _executed(self, derived: Derived) -> str:
        """The text of a notebook, after running it."""
        code = notebook.code_cells(derived.cells)
        _say(f"running {derived.target} ({len(code)} cells)")
        start = time.monotonic()
        stored = notebook.load(self.book.root / derived.target)
        results = execute.run(derived.source, code, stored or [], derived.target)
        _say(f"    done in {time.monotonic() - start:.1f} s")
        return notebook.dumps(derived.cells, results)

    def _stale(self, files: dict[str, str] | dict[str, str | None], source: str) -> list[str]:
        found = []
        for name, text in files.items():
            path = self.book.root / name
            if not path.exists():
                found.append(f"{name} is missing: it comes from {source}")
            elif text is None or path.read_bytes() != text.encode():
                found.append(f"{name} is out of date with {source}")
        return found

    def _write(self, files: dict[str, str]) -> None:
        """Write files that differ; whoever reads one meanwhile sees the old or the new one, whole."""
        for name, text in files.items():
            path = self.book.root / name
            beside = path.with_name(f".{path.name}.{os.getpid()}")
            with self._told(f"write {name}"):
                if path.exists() and path.read_bytes() == text.encode():
                    continue
                path.parent.mkdir(exist_ok=True)
                try:
                    beside.write_bytes(text.encode())
                    os.replace(beside, path)
                finally:
                    with suppress(OSError):  # what went wrong before matters more
                        beside.unlink(missing_ok=True)
                self.written.append(name)
                _say(f"wrote {name}")

    @contextmanager
    def _told(self, action: str) -> Iterator[None]:
        """Show an error of the disk; the other files go on."""
        try:
            yield
        except OSError as error:
            self.errors.append(error)
            _say(f"cannot {action}: {error.strerror or error}")

    def _orphans(self) -> list[Path]:
        """Derived files without a source; none unless all sources are good, as a bad one may be theirs."""
        if not self.whole or self.errors:
            return []
        targets = self._targets | export.package(()).keys()
        found = [path for folder, kind in FOLDERS.items() for path in (self.book.root / folder).glob(kind)]
        return sorted(path for path in found if self.book.relative(path) not in targets)

    def _fail(self, error: SourceError) -> None:
        """Show an error; the other sources go on."""
        for single in error.errors:
            if str(single) in map(str, self.errors):  # of a file that several pages need
                continue
            self.errors.append(single)
            _say(str(single))
            if single.detail:
                _say(single.detail if sys.stderr.isatty() else execute.plain(single.detail))


def _chapter(book: Book, path: Path, index: Index) -> Derived:
    source = chapter.read(book, path)
    module = export.module(source)
    files = {} if module is None else {export.target(path): module}
    return Derived(source, chapter.target(path), chapter.draft(source, index), files)


def _exercise(path: Path, index: Index) -> Derived:
    page = exercise.read(path)
    learner, solutions = exercise.drafts(page, index)
    unsolved = notebook.dumps(learner, [Result()] * len(notebook.code_cells(learner)))
    return Derived(page.source, exercise.solutions_target(path), solutions, {exercise.target(path): unsolved})


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
