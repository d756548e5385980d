"""Where no kernel can be forked, an ordinary one starts and says so; a sandbox never becomes an ordinary kernel."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest

from warmkernel import client, provisioner, runtime, sandbox
from warmkernel.runtime import WarmKernelError

from .conftest import listener, sandbox_problem, started


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def no(*_: object) -> None:
        raise WarmKernelError("broken for this test")

    monkeypatch.setattr(client, "_connect", no)
    monkeypatch.setattr(provisioner, "_said", set())


@pytest.mark.usefixtures("broken")
def test_an_ordinary_kernel_starts_instead_and_says_so_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        with started("warm", folder) as session:
            assert session.value("import sys; print('torch' in sys.modules)") == "False"
    assert capsys.readouterr().err == "warmkernel: an ordinary kernel starts instead: broken for this test\n"


def test_where_kernels_cannot_be_forked_at_all_an_ordinary_one_starts(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(client, "fallback_reason", lambda: "no fork here")
    monkeypatch.setattr(provisioner, "_said", set())
    with started("warm", folder) as session:
        assert session.value("import sys; print('torch' in sys.modules)") == "False"
    assert "an ordinary kernel starts instead: no fork here" in capsys.readouterr().err
    with pytest.raises(RuntimeError, match="no fork here"), started("warm-sandbox", folder):
        pass


@pytest.mark.usefixtures("broken")
def test_a_sandbox_fails_rather_than_become_an_ordinary_kernel(folder: Path) -> None:
    with pytest.raises(RuntimeError, match="broken for this test"), started("warm-sandbox", folder):
        pass


def test_a_folder_whose_name_is_too_long_for_sockets_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    with pytest.raises(WarmKernelError, match="set XDG_RUNTIME_DIR to a shorter one"):
        runtime.folder()


def test_a_folder_that_others_can_open_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "warmkernel").mkdir(mode=0o755)
    with pytest.raises(WarmKernelError, match="must be a folder that only you can open"):
        runtime.folder()


def test_two_clients_at_once_start_one_warm_process(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("two")))  # a short name
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        found = pool.map(_listener, [dict(os.environ)] * 2)
    assert found[0] is not None and found[0] == found[1]
    os.kill(found[0], 15)


def _listener(environment: dict[str, str]) -> int | None:
    client._connect(environment).close()
    (path,) = runtime.folder().glob("*.socket")
    return listener(path)


def test_a_package_that_is_installed_anew_changes_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site-packages"
    site.mkdir()
    monkeypatch.setattr(sys, "path", [*sys.path, str(site)])
    keys = [runtime.key({})]
    (site / "torch-2.15.0.dist-info").mkdir()
    keys.append(runtime.key({}))
    (site / "torch-2.15.0.dist-info").rename(site / "torch-2.16.0.dist-info")
    keys.append(runtime.key({}))
    os.utime(site / "torch-2.16.0.dist-info", ns=(1, 1))
    keys.append(runtime.key({}))
    assert len(set(keys)) == 4
    assert runtime.key({"OMP_NUM_THREADS": "1"}) != runtime.key({}) == runtime.key({"EDITOR": "vi"})


def test_the_command_says_whether_sandboxes_work() -> None:
    command = [sys.executable, "-m", "warmkernel", "check"]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    if sandbox_problem() is None:
        assert (done.returncode, done.stdout) == (0, "sandboxes work here\n")
    else:
        assert done.returncode == 1 and done.stderr.startswith("no sandbox can be had here: ")


def test_what_is_missing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted", "unshare")

    monkeypatch.setattr(sandbox, "_separate", no)
    with pytest.raises(WarmKernelError, match="no sandbox can be had here: unshare: Operation not permitted"):
        sandbox.check(tmp_path)
