"""What derive says when a source is wrong: the file, the line, and what to do."""

from __future__ import annotations

from collections.abc import Sequence


class SourceError(Exception):
    """Something in a source that its author has to mend.

    `path` is relative to the root of the repository, `line` counts from 1. `detail` holds what does not fit on
    one line: the traceback of a cell that failed.
    """

    def __init__(self, path: str, line: int, message: str, detail: str = "") -> None:
        super().__init__(path, line, message, detail)
        self.path = path
        self.line = line
        self.message = message
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"

    @property
    def errors(self) -> tuple[SourceError, ...]:
        """The single errors that this one stands for."""
        return (self,)


class SourceErrors(SourceError):
    """Several errors at once. Path, line and message are those of the first; `str()` has a line for each."""

    def __init__(self, errors: Sequence[SourceError]) -> None:
        first = errors[0]
        super().__init__(first.path, first.line, first.message, first.detail)
        self._errors = tuple(errors)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self._errors)

    @property
    def errors(self) -> tuple[SourceError, ...]:
        """The single errors, by line."""
        return self._errors


class Problems:
    """Collects what is wrong with one source, so that its author sees all of it at once."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._found: list[SourceError] = []

    def add(self, line: int, message: str) -> None:
        """Note a problem and go on."""
        self._found.append(SourceError(self.path, line, message))

    def raise_any(self) -> None:
        """Raise what was found, if anything was."""
        found = sorted(self._found, key=lambda error: error.line)
        if len(found) == 1:
            raise found[0]
        if found:
            raise SourceErrors(found)
