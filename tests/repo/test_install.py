"""A bare machine: whatever is missing, the commands say so in one line, and what to do."""

import ast
import os
import shutil
import stat
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
SOURCES = ("derive", "grader", "scratch", "warmkernel", "requirements", "pyproject.toml", "README.md", "LICENSE")


def script(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def python_that(path: Path, does_first: str) -> Path:
    """A Python that runs `does_first` before the code it is given with `-c`."""
    code = f"{does_first}; exec(__import__('sys').argv[1])"
    return script(path, f'#!/bin/sh\nexec {sys.executable} -c "{code}" "$2"\n')


def install(
    python: str, folder: Path, requirement: str = "attrs", **environment: str
) -> subprocess.CompletedProcess[str]:
    wanted = folder / "wanted.txt"
    wanted.write_text(requirement, encoding="utf-8")
    command = [str(ROOT / "requirements" / "install.sh"), python, str(folder / "venv"), str(wanted), "/dev/null"]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """The one line that it failed with."""
    assert done.returncode != 0
    (line,) = done.stderr.splitlines()
    return line


def test_a_missing_python(tmp_path: Path) -> None:
    line = complaint(install("python3.99", tmp_path))
    assert line.startswith("Python 3.11 or newer is needed and 'python3.99' was not found")


def test_an_old_python(tmp_path: Path) -> None:
    old = python_that(tmp_path / "python3", "import sys; sys.version_info = (3, 9, 18, 'final', 0)")
    line = complaint(install(str(old), tmp_path))
    assert line.startswith("Python 3.11 or newer is needed;")
    assert "is 3.9." in line


def test_a_python_that_does_not_run(tmp_path: Path) -> None:
    broken = script(tmp_path / "python3", "#!/bin/sh\nexit 127\n")
    assert "does not run" in complaint(install(str(broken), tmp_path))


def test_a_python_without_venv(tmp_path: Path) -> None:
    bare = python_that(tmp_path / "python3", "import sys; sys.modules['ensurepip'] = None")
    assert "apt-get install python3-venv" in complaint(install(str(bare), tmp_path))


def test_no_network(tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9/simple"
    pip = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": nowhere, "PIP_EXTRA_INDEX_URL": "", "PIP_FIND_LINKS": ""}
    line = complaint(install(sys.executable, tmp_path, PIP_RETRIES="0", PIP_NO_CACHE_DIR="1", **pip))
    assert line.startswith("The packages could not be fetched: no network")


def test_make_says_what_is_missing_and_nothing_of_its_own_but_the_target(tmp_path: Path) -> None:
    """The first python3 on the path is an old one, as on a machine that has not been touched for years."""
    if shutil.which("make") is None:
        pytest.skip("there is no make")
    repository = tmp_path / "repository"
    repository.mkdir()
    for name in ("Makefile", "requirements.txt", "constraints.txt"):
        shutil.copy(ROOT / name, repository)
    shutil.copytree(ROOT / "requirements", repository / "requirements")
    folder = tmp_path / "bin"
    folder.mkdir()
    python_that(folder / "python3", "import sys; sys.version_info = (3, 9, 18, 'final', 0)")
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("MAKEFLAGS", None)
    environment.pop("MAKELEVEL", None)
    done = subprocess.run(
        ["make", "book"], cwd=repository, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    first, *rest = done.stderr.splitlines()
    assert first.startswith("Python 3.11 or newer is needed; 'python3' is 3.9.")
    assert all(line.startswith("make") for line in rest)
    assert not (repository / ".venv-site").exists()


def test_chromium_that_this_user_cannot_install(tmp_path: Path) -> None:
    script(tmp_path / "id", "#!/bin/sh\necho 1000\n")
    shell = shutil.which("sh")
    assert shell is not None
    done = subprocess.run(
        [shell, str(ROOT / "requirements" / "chromium.sh")],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (
        complaint(done) == "The tests need Chromium and this user cannot install it. Run: sudo apt-get install chromium"
    )


@pytest.mark.parametrize("name", ["chromium", "google-chrome"])
def test_chromium_that_is_there(tmp_path: Path, name: str) -> None:
    script(tmp_path / name, "#!/bin/sh\n")
    shell = shutil.which("sh")
    assert shell is not None
    command = [shell, str(ROOT / "requirements" / "chromium.sh")]
    assert subprocess.run(command, env={"PATH": str(tmp_path)}, check=False).returncode == 0


def test_an_environment_that_make_did_not_make_is_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / "venv"
    mine.mkdir()
    (mine / "pyvenv.cfg").touch()
    line = complaint(install(sys.executable, tmp_path))
    assert "was not made by make" in line
    assert (mine / "pyvenv.cfg").exists()


def test_another_make_at_work(tmp_path: Path) -> None:
    lock = tmp_path / "venv.lock"
    lock.mkdir()
    assert "Another make is installing" in complaint(install(sys.executable, tmp_path))
    assert lock.exists(), "the lock is the other's"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed the repository, and nothing else: there is no network."""
    folder = tmp_path_factory.mktemp("install")
    copy, target = folder / "copy", folder / "target"
    copy.mkdir()
    for name in SOURCES:  # building leaves files beside the sources
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, copy / name)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-build-isolation", "--target", str(target), str(copy)]
    done = subprocess.run([*pip, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


def requirements(target: Path) -> list[Requirement]:
    """What the installed distribution requires."""
    (found,) = distributions(path=[str(target)])
    return [Requirement(text) for text in found.requires or []]


def test_the_course_needs_torch_and_einops_and_has_the_rest_as_extras(installed: Path) -> None:
    always = {wanted.name for wanted in requirements(installed) if wanted.marker is None}
    assert always == {"torch", "einops"}
    for extra, names in {
        "grade": {"nbval", "distributed", "torch"},
        "derive": {"myst-nb", "nbclient", "torch"},
    }.items():
        wanted = {one.name for one in requirements(installed) if one.marker and one.marker.evaluate({"extra": extra})}
        assert names <= wanted, wanted


def test_scratch_is_installed_whole_and_marked_for_type_checkers(installed: Path) -> None:
    files = {path.name for path in (installed / "scratch").iterdir() if path.is_file()}
    assert files == {path.name for path in (ROOT / "scratch").iterdir() if path.is_file()}
    assert "py.typed" in files
    code = """if True:
        import sys
        from scratch import nn, functional as F, optim, data
        assert not {"derive", "grader", "yaml"} & set(sys.modules)
        print(nn.Conv2d.__module__, nn.__file__)
    """
    environment = os.environ | {"PYTHONPATH": str(installed)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=installed, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["scratch.convolution_2d", str(installed / "scratch" / "nn.py")], done.stderr


@pytest.mark.parametrize("path", sorted((ROOT / "scratch").glob("*.py")), ids=lambda path: path.stem)
def test_scratch_imports_nothing_but_torch_and_einops(path: Path) -> None:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    allowed = sys.stdlib_module_names | {"einops", "scratch", "torch"}
    assert {name.partition(".")[0] for name in imported} <= allowed


def test_the_course_installs_the_command_grade_and_its_kernels(installed: Path) -> None:
    (found,) = distributions(path=[str(installed)])
    assert {point.group: point.value for point in found.entry_points if point.name in ("grade", "warm")} == {
        "console_scripts": "grader.cli:main",
        "jupyter_client.kernel_provisioners": "warmkernel.provisioner:WarmProvisioner",
    }
    told = subprocess.run(
        [str(installed / "bin" / "grade"), "--help"],
        env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0 and told.stdout.startswith("usage: grade"), told.stderr
    assert (installed / "grader" / "templates" / "feedback.html").is_file()
