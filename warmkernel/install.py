"""Makes the two kernels known to every Jupyter client of the running environment."""

from __future__ import annotations

import json
import shutil
import sys
import sysconfig
from importlib.metadata import entry_points
from pathlib import Path

from warmkernel.runtime import PACKAGE
from warmkernel.wire import KINDS

VERSION = "0.1.0"
GROUP = "jupyter_client.kernel_provisioners"
PROVISIONER = "warmkernel.provisioner:WarmProvisioner"

_TITLES = {"warm": "Python 3 (warm)", "warm-sandbox": "Python 3 (warm, in a sandbox)"}


def install() -> list[Path]:
    """Write the kernelspecs, and the package itself if nobody has; return what was written.

    The package is copied, as a distribution of its own, because the folder where it is developed holds other things
    that a notebook must not be able to import.
    """
    site = Path(sysconfig.get_path("purelib"))
    written = [] if _is_installed() or PACKAGE.parent == site.resolve() else _copy_package(site)
    for kind in KINDS:
        folder = Path(sys.prefix, "share", "jupyter", "kernels", kind)
        folder.mkdir(parents=True, exist_ok=True)
        spec = {
            "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": _TITLES[kind],
            "language": "python",
            "interrupt_mode": "signal",
            "metadata": {"kernel_provisioner": {"provisioner_name": "warm", "config": {"kind": kind}}},
        }
        path = folder / "kernel.json"
        path.write_text(json.dumps(spec, indent=1) + "\n", encoding="utf-8")
        written.append(path)
    return written


def _is_installed() -> bool:
    """Whether a distribution that pip has installed offers the provisioner."""
    found = [point.dist for point in entry_points(group=GROUP, name="warm") if point.value == PROVISIONER]
    return any(dist is not None and dist.name != "warmkernel" for dist in found)


def _copy_package(site: Path) -> list[Path]:
    package, info = site / "warmkernel", site / f"warmkernel-{VERSION}.dist-info"
    for old in (info, package):
        shutil.rmtree(old, ignore_errors=True)
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: warmkernel\nVersion: {VERSION}\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\nwarm = {PROVISIONER}\n", encoding="utf-8")
    (info / "INSTALLER").write_text("warmkernel\n", encoding="utf-8")
    names = [path.relative_to(site) for folder in (package, info) for path in sorted(folder.iterdir())]
    record = [f"{name.as_posix()},,\n" for name in [*names, info.relative_to(site) / "RECORD"]]
    (info / "RECORD").write_text("".join(record), encoding="utf-8")  # so that pip can remove it
    return [package]
