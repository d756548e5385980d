"""Where the warm process and its clients meet: a folder of this user, and a name for the environment."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from warmkernel.settings import KEPT, KEYED

LONGEST_PATH = 70
"""Of the folder for sockets, in bytes. The names of sockets have up to 107, of which those in here take 36."""

PACKAGE = Path(__file__).resolve().parent


class WarmKernelError(Exception):
    """Something that a person can mend; the message says how."""


def folder() -> Path:
    """The folder for sockets, made if need be; raise `WarmKernelError` if anybody else can look into it."""
    given = os.environ.get("XDG_RUNTIME_DIR", "")
    path = Path(given, "warmkernel") if os.path.isdir(given) else Path(tempfile.gettempdir(), f"warmkernel-{user()}")
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise WarmKernelError(f"the folder {path} cannot be used ({error.strerror}): set XDG_RUNTIME_DIR") from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != user() or found.st_mode & 0o077:
        raise WarmKernelError(f"{path} must be a folder that only you can open: remove it, or set XDG_RUNTIME_DIR")
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise WarmKernelError(
            f"{path} is too long a name for a folder of sockets: set XDG_RUNTIME_DIR to a shorter one"
        )
    return path


def user() -> int:
    return os.geteuid()


def key(environment: Mapping[str, str]) -> str:
    """A name for the interpreter, the packages, and the variables that matter when packages are imported.

    Whatever is installed, upgraded or removed changes it, so that nobody is served by a process with stale modules.
    """
    parts = [sys.executable, sys.version, sys.prefix]
    for place in sorted({path for path in sys.path if path.endswith(("site-packages", "dist-packages"))}):
        with os.scandir(place) as entries:
            infos = [entry for entry in entries if entry.name.endswith((".dist-info", ".egg-info", ".pth"))]
        parts += sorted(f"{entry.path} {entry.stat().st_mtime_ns}" for entry in infos)
    parts += sorted(f"{path} {path.stat().st_mtime_ns}" for path in PACKAGE.glob("*.py"))
    parts += sorted(f"{name}={value}" for name, value in environment.items() if is_keyed(name))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def is_keyed(name: str) -> bool:
    return name.startswith(KEYED)


def warm_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of the warm process: short, since a kernel can read with what the warm process was started."""
    return {name: value for name, value in environment.items() if is_keyed(name) or name.startswith(KEPT)}
