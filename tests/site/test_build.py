"""What a build needs, and what it leaves out."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from derive import exercise
from tests.site.conftest import SITE_PYTHON, Built
from tests.site.pages import CHAPTERS, EXERCISES, ROOT, SOURCES, address


def test_the_build_needs_no_torch() -> None:
    probe = "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is not None)"
    assert subprocess.run([SITE_PYTHON, "-c", probe], check=False).returncode == 0, ".venv-site has torch in it"


def test_the_build_runs_no_cell(built: Built) -> None:
    assert not built.a_kernel_started.exists()


def test_the_build_is_silent(built: Built) -> None:
    assert built.warnings == ""


def test_every_source_is_a_page() -> None:
    on_disk = {path.relative_to(ROOT) for path in (ROOT / "book").rglob("*.md")}
    assert on_disk == set(SOURCES), "_toc.yml and the files under book/ differ"


def test_the_sources_are_not_published(built: Built) -> None:
    published = {path.relative_to(built.html).as_posix() for path in built.html.rglob("*") if path.is_file()}
    assert not {name for name in published if name.startswith("_sources/") or name.endswith((".md", ".bib"))}
    notebooks = {name for name in published if name.endswith(".ipynb")}
    assert notebooks == {
        f"_downloads/{folder}/{source.stem}.ipynb"
        for folder, sources in (("notebooks", CHAPTERS), ("exercises", EXERCISES))
        for source in sources
    }


@pytest.mark.parametrize("source", EXERCISES, ids=str)
def test_an_exercise_page_tells_no_secret(built: Built, source: Path) -> None:
    """No line of a solution, a grade cell or a mutant is on the page or in the notebook that it offers."""
    path = ROOT / source
    read = exercise.read(path)
    secret = {
        line.strip()
        for task in read.tasks
        for code in [task.answer, *task.grades, *(mutant.source for mutant in task.mutants), read.grade_setup]
        for line in code.splitlines()
    }
    # What stands in a stub, or elsewhere in what a learner is given, is no secret; and a short line says nothing.
    cells = re.split(r"^(```\{code-cell\}.*?^```)$", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    told = [part for part in cells if not re.search(r"^:tags:.*\b(answer|grade|mutant)\b", part, flags=re.M)]
    told += [read.setup, *(task.stub for task in read.tasks)]
    secret = {line for line in secret if len(line) > 20 and not any(line in part for part in told)}
    assert len(secret) > 3 * len(read.tasks), "found too few secrets to look for"

    page = BeautifulSoup((built.html / address(source)).read_text(encoding="utf-8"), "html.parser")
    notebook = (built.html / "_downloads" / "exercises" / f"{path.stem}.ipynb").read_text(encoding="utf-8")
    shown = page.get_text() + notebook.replace('\\"', '"')
    assert not {line for line in secret if line in shown}


def test_no_page_shows_what_only_the_grader_sees(built: Built) -> None:
    for path in [*built.html.rglob("*.html"), built.html / "searchindex.js"]:
        html = path.read_text(encoding="utf-8")
        for word in ("tag_grade", "tag_mutant", "BEGIN SOLUTION", "END SOLUTION"):
            assert word not in html, f"{word!r} in {path.relative_to(built.html)}"


def build_with(built: Built, folder: Path, name: str, old: str, new: str) -> subprocess.CompletedProcess[str]:
    """Build a copy of the site in which `old` in one source has become `new`."""
    repository = folder / "repository"
    shutil.copytree(built.source, repository, ignore=shutil.ignore_patterns("_build"))
    source = repository / name
    text = source.read_text(encoding="utf-8")
    assert old in text
    source.write_text(text.replace(old, new, 1), encoding="utf-8")
    command = [str(SITE_PYTHON.with_name("jupyter-book")), "build", ".", "-W", "--keep-going", "--quiet"]
    return subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)


def test_a_chapter_that_its_notebook_does_not_match_stops_the_build_in_one_line(built: Built, tmp_path: Path) -> None:
    chapter = CHAPTERS[0].as_posix()
    text = (ROOT / chapter).read_text(encoding="utf-8")
    cell = next(cell for cell in re.findall(r"^```\{code-cell\}\n(.*?)^```", text, re.M | re.S) if ":" not in cell[:1])
    done = build_with(built, tmp_path, chapter, cell, cell + "another = 1\n")
    assert done.returncode != 0
    (line,) = done.stderr.splitlines()
    assert "run `make notebooks`" in line


def test_a_formula_that_cannot_be_read_is_an_error_with_its_place(built: Built, tmp_path: Path) -> None:
    done = build_with(built, tmp_path, "book/glossary.md", "$(N, C, L)$", r"$\undefined$")
    assert done.returncode != 0
    place = r"book/glossary\.md:\d+: WARNING: .*Undefined control sequence: \\undefined"
    assert re.search(place, done.stderr), done.stderr
