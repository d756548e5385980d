"""What holds for the repository's own files: requirements, addresses, workflows, citation."""

import re
import subprocess
import sys
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from derive.config import Book

ROOT = Path(__file__).parents[2]
BOOK = Book.load(ROOT)
INSTALL = "book/install.py"
OPTIONAL = ROOT / "requirements" / "nbgrader.txt"
LISTS = sorted(set((ROOT / "requirements").glob("*.txt")) - {OPTIONAL})
REQUIREMENTS = [ROOT / "requirements.txt", *LISTS]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@cache
def texts() -> dict[str, str]:
    """Every text file of the repository that is ours, by name."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found = {}
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if name.startswith("third_party/") or not path.is_file() or b"\0" in path.read_bytes()[:8000]:
            continue
        found[name] = path.read_text(encoding="utf-8")
    return found


def requirements(path: Path) -> list[Requirement]:
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("-r ")]


def constraints() -> dict[str, Version]:
    pinned: dict[str, Version] = {}
    for requirement in requirements(ROOT / "constraints.txt"):
        (specifier,) = requirement.specifier
        assert specifier.operator == "==", requirement
        assert requirement.url is None, requirement
        pinned[canonicalize_name(requirement.name)] = Version(specifier.version)
    return pinned


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.name)
def test_requirements_are_ranges_that_the_constraints_meet(path: Path) -> None:
    pinned = constraints()
    for requirement in requirements(path):
        assert "==" not in str(requirement.specifier), f"{requirement} is no range"
        version = pinned[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"constraints.txt has {requirement.name} {version}"


def test_requirements_txt_includes_every_list() -> None:
    included = re.findall(r"^-r (.+)$", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.M)
    assert sorted(ROOT / name for name in included) == LISTS


def test_torch_may_be_what_colab_has() -> None:
    (torch,) = [r for r in requirements(ROOT / "requirements" / "notebooks.txt") if r.name == "torch"]
    assert list(torch.specifier.filter(["2.10.0", "2.11.0", "2.15.0", "2.99.0"])) == ["2.11.0", "2.15.0", "2.99.0"]


def test_the_site_needs_no_torch() -> None:
    assert "torch" not in {requirement.name for requirement in requirements(ROOT / "requirements" / "site.txt")}


@pytest.mark.skipif(sys.platform != "linux", reason="the constraints are made on Linux, where CI runs")
def test_constraints_cover_all_that_is_installed() -> None:
    installed = {canonicalize_name(distribution.name) for distribution in distributions()}
    assert installed - set(constraints()) <= {"pip", "warmkernel"}


def test_no_file_names_a_machine_or_a_package_index() -> None:
    machine = r"(?<![\w.~/])/(?:home|root|Users|work|tmp)/[\w.]"
    index = r"files\.pythonhosted\.org|pypi\.org/simple|registry\.npmjs\.org|(?:extra-)?index-url|find-links"
    own = Path(__file__).relative_to(ROOT).as_posix()
    found = {
        f"{name}: {match.group()}"
        for name, text in texts().items()
        if name != own
        for match in re.finditer(f"{machine}|{index}", text)
    }
    assert not found


def test_the_addresses_stand_in_config_yml_and_agree_elsewhere() -> None:
    owner = BOOK.repository.removeprefix("https://github.com/").partition("/")[0]
    allowed = (BOOK.repository, BOOK.site.rstrip("/"))
    for name in ("README.md", "CONTRIBUTING.md", "CITATION.cff"):
        addresses = re.findall(rf"https://[^\s)>\"]*{re.escape(owner)}[^\s)>\"]*", texts()[name])
        for address in addresses:
            assert address.startswith(allowed) or address.startswith("https://colab.research.google.com/"), address

    citation = yaml.safe_load(texts()["CITATION.cff"])
    assert citation["repository-code"] == BOOK.repository
    assert citation["url"] == BOOK.site

    by_hand = re.compile(r"^(book|derive|tests|Makefile|requirements|pyproject\.toml|\.github|\.ci)")
    spelt_out = [name for name, text in texts().items() if by_hand.match(name) and BOOK.repository in text]
    assert spelt_out == [INSTALL], "take the address from _config.yml"


def test_the_capstone_installs_from_the_address_in_config_yml() -> None:
    """It runs where _config.yml is not, so it spells the address out."""
    assert re.findall(r"https?://[^\s\"]+", texts()[INSTALL]) == [BOOK.repository]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_are_valid(path: Path) -> None:
    check_schema("vendor.github-workflows", path)


def test_the_citation_is_valid() -> None:
    check_schema("vendor.citation-file-format", ROOT / "CITATION.cff")


def check_schema(schema: str, path: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_name_exact_versions(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    actions = re.findall(r"uses: (\S+)", text)
    assert actions
    assert all(re.fullmatch(r"[\w/-]+@(v\d+\.\d+\.\d+|[0-9a-f]{40})", action) for action in actions)
    assert "-latest" not in text


def test_the_readme_names_every_command() -> None:
    commands = re.findall(r"^(\w+):.*## ", texts()["Makefile"], re.M)
    assert {"book", "serve", "test", "notebooks", "clean"} <= set(commands)
    for command in commands:
        assert f"`make {command}`" in texts()["README.md"], command


def test_the_files_that_the_readme_names_are_there() -> None:
    for name in ("README.md", "CONTRIBUTING.md"):
        prose = re.sub(r"^ *(`{3,}).*?^ *\1$", "", texts()[name], flags=re.MULTILINE | re.DOTALL)
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", prose):
            assert (ROOT / link).exists(), f"{name} links to {link}"
