"""What `python -m warmkernel install` writes is found by Jupyter, and by nothing else of this repository."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from warmkernel import __main__ as command
from warmkernel import install


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment with nothing in it."""
    folder = tmp_path / "lib" / "site-packages"
    folder.mkdir(parents=True)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(folder))
    monkeypatch.setattr(install, "_is_installed", lambda: False)
    return folder


def test_the_kernels_and_their_provisioner_are_found(site: Path, tmp_path: Path) -> None:
    assert command.main(["install"]) == command.main(["install"]) == 0  # again, over what is there
    for kind in ("warm", "warm-sandbox"):
        spec = json.loads((tmp_path / "share/jupyter/kernels" / kind / "kernel.json").read_text())
        assert spec["metadata"]["kernel_provisioner"] == {"provisioner_name": "warm", "config": {"kind": kind}}
    code = f"""
import sys; sys.path.insert(0, {str(site)!r})
from importlib.metadata import distribution, entry_points
(point,) = [p for p in distribution("warmkernel").entry_points if p.group == {install.GROUP!r}]
print(point.load().__module__, sys.modules["warmkernel"].__file__)
"""
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["warmkernel.provisioner", str(site / "warmkernel" / "__init__.py")]
    assert sorted(path.name for path in site.iterdir()) == ["warmkernel", f"warmkernel-{install.VERSION}.dist-info"]


def test_pip_can_remove_it(site: Path) -> None:
    install.install()
    record = (site / f"warmkernel-{install.VERSION}.dist-info" / "RECORD").read_text().splitlines()
    assert all((site / line.partition(",")[0]).is_file() for line in record)
    assert {line.partition(",")[0] for line in record} == {
        path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()
    }
