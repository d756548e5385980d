"""`python -m derive`: from the sources in `book/` to notebooks, exercises, solutions and `scratch`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from derive.build import Build
from derive.config import Book
from derive.errors import SourceError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0 if all is well, 1 if a source is wrong or something is out of date."""
    parser = argparse.ArgumentParser(
        prog="python -m derive",
        description="Derive notebooks, exercises, solutions and the package scratch from the sources in book/.",
        epilog="Only notebooks whose code cells have changed are run. With no SOURCE, files without a source are "
        "removed and the modules scratch.nn and scratch.functional are renewed as well.",
    )
    parser.add_argument("sources", metavar="SOURCE", nargs="*", type=Path, help="a chapter or an exercise page")
    parser.add_argument("--check", action="store_true", help="run nothing, write nothing; list what is out of date")
    parser.add_argument("--force", action="store_true", help="run every notebook again")
    options = parser.parse_args(arguments)
    if options.check and options.force:
        parser.error("--check runs nothing: leave out --force")

    try:
        book = Book.load(Path.cwd())
    except SourceError as error:
        parser.error(str(error))
    known = {*book.chapters(), *book.exercises()}
    sources = [path.resolve() for path in options.sources]
    for given, path in zip(options.sources, sources, strict=True):
        if path not in known:
            parser.error(f"{given} is no source: name files in book/chapters or book/exercises")

    build = Build(book, sources)
    if options.check:
        found = build.check()
        for line in found:
            print(line)
        if found:
            print("Run `make notebooks`.", file=sys.stderr)
        return 1 if found or build.errors else 0

    try:
        build.write(options.force)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    if not build.errors and not build.written:
        print("everything is in step", file=sys.stderr)
    return 1 if build.errors else 0


if __name__ == "__main__":
    sys.exit(main())
