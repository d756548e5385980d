"""Finds and reads submissions. Whatever lies in the folder gets its row; nothing in it stops the others."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader.errors import Unreadable, UsageError
from grader.notebook import Cell, parse

LARGEST_FILE = 64 << 20
SUFFIX = ".ipynb"


@dataclass(frozen=True)
class Found:
    """A file that may be a submission: whose it is, and the reference that it goes by, if that can be told."""

    learner: str
    notebook: str
    path: Path
    reference: str | None
    reason: str = ""
    """Why it cannot be graded, where its name or place tell that already."""
    file: str = ""
    """Where it lies in the folder of submissions."""


@dataclass(frozen=True)
class Submission:
    """What was read of it."""

    sha256: str
    cells: list[Cell]


def find(folder: Path, references: Sequence[str], leave_out: Path | None = None) -> list[Found]:
    """Everything in a folder of submissions: `learner/notebook.ipynb` or `learner_notebook.ipynb`.

    `references` are the names of the notebooks that there are solutions of. `leave_out` is where the grades are
    written, in case that is inside.
    """
    try:
        entries = sorted(folder.iterdir(), key=lambda path: path.name)
    except OSError as error:
        raise UsageError(f"the folder {folder} cannot be read: {error.strerror}") from None
    found: list[Found] = []
    for entry in entries:
        if _hidden(entry) or (leave_out is not None and entry.resolve() == leave_out.resolve()):
            continue
        if entry.is_dir() and not entry.is_symlink() and entry.suffix != SUFFIX:
            found += _of_learner(entry, references)
        elif entry.suffix == SUFFIX:
            found.append(_flat(entry, references))
        else:
            found.append(Found(entry.stem, "", entry, None, f"{printable(entry.name)} is no notebook ({SUFFIX})"))
    return [replace(one, file=one.path.relative_to(folder).as_posix()) for one in _told_apart(found)]


def _hidden(path: Path) -> bool:
    return path.name.startswith((".", "__MACOSX"))


def _of_learner(folder: Path, references: Sequence[str]) -> list[Found]:
    """The notebooks of one learner, however deep a learning platform has put them."""
    paths = []
    for top, folders, files in os.walk(folder, onerror=None):
        folders[:] = sorted(name for name in folders if not _hidden(Path(name)))
        inside = [name for name in folders if name.endswith(SUFFIX)]
        folders[:] = [name for name in folders if name not in inside]
        paths += [
            Path(top, name) for name in sorted([*files, *inside]) if name.endswith(SUFFIX) and not _hidden(Path(name))
        ]
    if not paths:
        return [Found(folder.name, "", folder, None, f"there is no notebook ({SUFFIX}) in the folder")]
    return [match(Found(folder.name, path.stem, path, None), references) for path in paths]


def _flat(path: Path, references: Sequence[str]) -> Found:
    """A file named after its learner and its notebook. The learner's name may hold underscores as well."""
    for name in sorted(references, key=len, reverse=True):
        before, found, _ = path.stem.rpartition(name)
        if found:
            learner = before.removesuffix("_")
            if learner == before or not learner:
                advice = f"call it learner_{name}{SUFFIX}, or put it into the learner's folder"
                return Found(path.stem, "", path, None, f"its name tells no learner: {advice}")
            return Found(learner, name, path, name)
    learner, _, notebook = path.stem.partition("_")
    return match(Found(learner, notebook or path.stem, path, None), references)


def match(found: Found, references: Sequence[str]) -> Found:
    """Find the reference by the file's name: browsers and people add to it, as in `04_convolution_1d (1)`."""
    named = [name for name in references if name in found.path.stem]
    if named:
        return replace(found, reference=max(named, key=len))
    if len(references) == 1:
        return replace(found, reference=references[0])
    names = ", ".join(references)
    return replace(found, reason=f"its name tells no reference ({names}): rename it, or name one with --reference")


def _told_apart(found: list[Found]) -> list[Found]:
    """No two of them have the same learner and notebook."""
    seen: Counter[tuple[str, str]] = Counter()
    apart = []
    for one in found:
        seen[one.learner, one.notebook] += 1
        number = seen[one.learner, one.notebook]
        apart.append(one if number == 1 else replace(one, notebook=f"{one.notebook} ({number})"))
    return apart


def read(path: Path) -> Submission:
    """Read a submission; raise `Unreadable` with the reason where that cannot be done."""
    try:
        about = path.lstat()
        if stat.S_ISLNK(about.st_mode):
            raise Unreadable("the file is a link, not a notebook")
        if stat.S_ISDIR(about.st_mode):
            raise Unreadable("it is a folder, not a notebook")
        if not stat.S_ISREG(about.st_mode):
            raise Unreadable("it is no ordinary file")
        if about.st_size > LARGEST_FILE:
            raise Unreadable(
                f"the file has {about.st_size >> 20} MB, more than {LARGEST_FILE >> 20}: clear its outputs"
            )
        data = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"the file cannot be read: {error.strerror}") from None
    cells = parse(data)
    if not any(cell.kind == "code" for cell in cells):
        raise Unreadable("the notebook has no code cell")
    return Submission(hashlib.sha256(data).hexdigest(), cells)


def printable(name: str) -> str:
    """A file's name as text that can be written anywhere: some names hold bytes that are no text."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in name)
