"""A book of two pages in an empty folder, and the command run on it."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

from derive.__main__ import main
from derive.config import Book

CONFIG = """
repository: {url: https://github.com/people/course, branch: main, path_to_book: ""}
html: {baseurl: https://people.github.io/course/}
parse: {myst_enable_extensions: [attrs_inline, colon_fence, dollarmath]}
bibtex_bibfiles: [book/references.bib]
sphinx: {config: {myst_heading_anchors: 3}}
"""

FRONT_MATTER = """\
---
file_format: mystnb
kernelspec:
  name: python3
  display_name: Python 3
---
"""

SETUP = """\
```{code-cell}
:tags: [hide-input]
:load: ../setup.py
```
"""

GRADE_SETUP = """\
```{code-cell}
:tags: [grade]
:load: ../grade.py
```
"""

TASK = """\
## Double it

Write `double`.

```{code-cell}
:tags: [answer]
:task: double
def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION
```

```{code-cell}
:tags: [check]
:task: double
:points: 10
assert double(2) == 4, "twice the number"
```

```{code-cell}
:tags: [grade]
:task: double
show(double(seed))
```

```{code-cell}
:tags: [mutant]
:task: double
:says: twice
def double(x):
    return x
```

```{code-cell}
:tags: [mutant]
:task: double
:says: twice
def double(x):
    return 3 * x
```

```{code-cell}
:tags: [mutant]
:task: double
:says: twice
def double(x):
    return 0
```
"""


@dataclass
class Run:
    """What a run of the command came to."""

    code: int
    out: str
    err: str


@dataclass
class Folder:
    """The root of a small book."""

    root: Path
    capsys: pytest.CaptureFixture[str] | None = None

    def start(self) -> None:
        """Write the configuration and the files that pages load."""
        self.write("_config.yml", CONFIG)
        self.write("book/setup.py", "import math\nimport random as rnd\nfrom string import ascii_letters, digits\n")
        self.write("book/grade.py", "seed = 3\nshow = print\n")
        self.write("book/references.bib", "")

    @property
    def book(self) -> Book:
        return Book.load(self.root)

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def read(self, name: str) -> str:
        return (self.root / name).read_text(encoding="utf-8")

    def chapter(
        self, body: str, name: str = "04_adding", title: str = "Adding", front_matter: str = FRONT_MATTER
    ) -> Path:
        """Write a chapter: front matter, a title, the setup cell, and `body`."""
        text = f"{front_matter}\n# {title}\n\n{SETUP}\n{textwrap.dedent(body)}"
        return self.write(f"book/chapters/{name}.md", text)

    def exercise(self, body: str = TASK, name: str = "04_adding", start: str = f"{SETUP}\n{GRADE_SETUP}") -> Path:
        """Write an exercise page: front matter, a title, the set-up cells, and `body`."""
        return self.write(f"book/exercises/{name}.md", f"{FRONT_MATTER}\n# Exercises: adding\n\n{start}\n{body}")

    def derive(self, *arguments: str) -> Run:
        """Run `python -m derive`."""
        assert self.capsys is not None
        self.capsys.readouterr()
        try:
            code = main(arguments)
        except SystemExit as stop:  # argparse, on bad usage
            code = int(stop.code or 0)
        shown = self.capsys.readouterr()
        return Run(code, shown.out, shown.err)

    def notebook(self, name: str) -> Any:
        return nbformat.reads(self.read(name), as_version=4)


def line(path: Path, text: str, occurrence: int = 1) -> int:
    """The number of the line of a file that holds `text`."""
    numbers = [number for number, row in enumerate(path.read_text(encoding="utf-8").split("\n"), 1) if text in row]
    return numbers[occurrence - 1]


def fence(path: Path, text: str) -> int:
    """The number of the line that opens the cell which holds `text`."""
    rows = path.read_text(encoding="utf-8").split("\n")
    return max(number for number, row in enumerate(rows[: line(path, text)], 1) if row == "```{code-cell}")


def code_cell(source: str, *options: str) -> str:
    """A code cell in MyST."""
    return "\n".join(["```{code-cell}", *options, source, "```", ""])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Folder:
    """A book with a configuration, the files that pages load, and no page."""
    folder = Folder(tmp_path.resolve(), capsys)
    folder.start()
    monkeypatch.chdir(tmp_path)
    return folder
