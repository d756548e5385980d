"""Where the book is and under which addresses it is published: `_config.yml`, read once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from derive.errors import SourceError

CONFIG = "_config.yml"


@dataclass(frozen=True)
class Book:
    """The repository's root, its addresses, and the Markdown that its pages are written in."""

    root: Path
    repository: str
    branch: str
    site: str
    extensions: tuple[str, ...]
    heading_anchors: int
    bibliographies: tuple[Path, ...]

    @classmethod
    def load(cls, root: Path) -> Book:
        """Read `_config.yml` in `root`; raise `SourceError` where it does not hold what is needed."""
        root = root.resolve()
        if not (root / CONFIG).is_file():
            raise SourceError(CONFIG, 1, f"not found in {root}: run from the repository's root")
        try:
            config = yaml.safe_load(_read(root / CONFIG, CONFIG))
        except yaml.YAMLError as error:
            raise SourceError(CONFIG, 1, f"is no YAML: {' '.join(str(error).split())}") from None

        repository = str(_need(config, "repository", "url")).rstrip("/")
        if not re.fullmatch(r"https://github\.com/[^/]+/[^/]+", repository):
            raise SourceError(CONFIG, 1, "repository: url: must be https://github.com/<owner>/<name>")
        sphinx = (config.get("sphinx") or {}).get("config") or {}
        return cls(
            root=root,
            repository=repository,
            branch=str(_need(config, "repository", "branch")),
            site=str(_need(config, "html", "baseurl")).rstrip("/") + "/",
            extensions=tuple(sorted(_need(config, "parse", "myst_enable_extensions"))),
            heading_anchors=sphinx.get("myst_heading_anchors") or 0,
            bibliographies=tuple(root / name for name in config.get("bibtex_bibfiles") or ()),
        )

    @classmethod
    def around(cls, path: Path) -> Book:
        """Load the book that `path` belongs to: that of the nearest folder above it with a `_config.yml`."""
        for folder in path.resolve().parents:
            if (folder / CONFIG).is_file():
                return cls.load(folder)
        raise SourceError(str(path), 1, f"there is no {CONFIG} in any folder above it")

    def relative(self, path: str | Path) -> str:
        """The path as it is written in errors and addresses: from the root, with forward slashes."""
        path = Path(path)
        return (path.resolve().relative_to(self.root) if path.is_absolute() else path).as_posix()

    def read(self, path: Path) -> str:
        """The text of a source; raise `SourceError` where it is not UTF-8."""
        return _read(path, self.relative(path))

    def page(self, source: str | Path) -> str:
        """The address of a source's page on the site."""
        return self.site + Path(self.relative(source)).with_suffix(".html").as_posix()

    def colab(self, path: str | Path) -> str:
        """The address that opens a notebook in Colab."""
        owner_and_name = self.repository.removeprefix("https://github.com/")
        return f"https://colab.research.google.com/github/{owner_and_name}/blob/{self.branch}/{self.relative(path)}"

    def edit(self, path: str | Path) -> str:
        """The address that opens a file in GitHub's editor."""
        return f"{self.repository}/edit/{self.branch}/{self.relative(path)}"

    def raw(self, path: str | Path) -> str:
        """The address of a file's bytes."""
        owner_and_name = self.repository.removeprefix("https://github.com/")
        return f"https://raw.githubusercontent.com/{owner_and_name}/{self.branch}/{self.relative(path)}"

    def chapters(self) -> list[Path]:
        """The sources of the chapters, in reading order."""
        return sorted((self.root / "book/chapters").glob("*.md"))

    def exercises(self) -> list[Path]:
        """The sources of the exercises, in reading order."""
        return sorted((self.root / "book/exercises").glob("*.md"))

    def pages(self) -> list[Path]:
        """Every page of the book, notebook or not."""
        folder = self.root / "book"
        pages = folder.rglob("*.md")
        return sorted(page for page in pages if not any(part[0] in "._" for part in page.relative_to(folder).parts))


def _read(path: Path, name: str) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise SourceError(name, line, "this is not UTF-8: save the file as UTF-8") from None
    except OSError as error:
        raise SourceError(name, 1, f"cannot be read: {error.strerror}") from None
    if text.startswith("\ufeff"):
        raise SourceError(name, 1, "this starts with a byte order mark: save the file as UTF-8 without one")
    return text


def _need(config: Any, section: str, key: str) -> Any:
    try:
        return config[section][key]
    except (KeyError, TypeError):
        raise SourceError(CONFIG, 1, f"{section}: {key}: is missing") from None
