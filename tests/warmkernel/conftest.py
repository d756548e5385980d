"""Kernels as a Jupyter client starts them, from a warm process of the tests' own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from warmkernel import runtime

SECONDS = 60


@dataclass
class Output:
    """What a cell came to."""

    text: str
    error: str
    rich: list[dict[str, Any]]


class Session:
    """A kernel and its client."""

    def __init__(self, kind: str, cwd: Path, env: dict[str, str] | None = None, **options: Any) -> None:
        self.manager = KernelManager(kernel_name=kind)
        # ipykernel does not catch what programs write while it believes that pytest does.
        inherited = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
        self.manager.start_kernel(cwd=str(cwd), env=inherited | (env or {}), **options)
        self.client: BlockingKernelClient = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=SECONDS)

    def run(self, code: str, seconds: float = SECONDS) -> Output:
        """Run code as a cell."""
        output = Output("", "", [])

        def hear(message: dict[str, Any]) -> None:
            content = message["content"]
            if message["msg_type"] == "stream":
                output.text += content["text"]
            elif message["msg_type"] == "error":
                output.error = f"{content['ename']}: {content['evalue']}"
            elif "data" in content:
                output.rich.append(content["data"])

        # After an error ipykernel drops what is asked next, unless told not to: a test would race with that.
        self.client.execute_interactive(code, timeout=seconds, output_hook=hear, allow_stdin=False, stop_on_error=False)
        return output

    def value(self, code: str) -> str:
        """What code prints; it may not fail."""
        output = self.run(code)
        assert not output.error, output.error
        return output.text.strip()

    def ask(self, code: str) -> str:
        """Have code run, and wait until it has begun; return what its answer can be known by."""
        asked: str = self.client.execute(f"print('begun', flush=True)\n{code}", stop_on_error=False)
        while True:
            message = self.client.get_iopub_msg(timeout=SECONDS)
            if message["parent_header"]["msg_id"] == asked and message["content"].get("text") == "begun\n":
                return asked

    def answer(self, asked: str) -> str:
        """How code that was asked for has ended."""
        while True:
            message = self.client.get_shell_msg(timeout=SECONDS)
            if message["parent_header"]["msg_id"] == asked:
                return str(message["content"].get("ename") or message["content"]["status"])

    def ended(self, seconds: float = SECONDS) -> bool:
        """Wait for the kernel to end by itself."""
        return wait_until(lambda: not self.manager.is_alive(), seconds)

    def stop(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def wait_until(condition: Callable[[], bool], seconds: float = SECONDS) -> bool:
    """Whether a condition comes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def warm_process(session: Session) -> int:
    """The process that a kernel of kind `warm` was forked from."""
    return int(session.value("import os; print(os.getppid())"))


@contextlib.contextmanager
def started(kind: str, cwd: Path, env: dict[str, str] | None = None, **options: Any) -> Iterator[Session]:
    session = Session(kind, cwd, env, **options)
    try:
        yield session
    finally:
        session.stop()


def sandbox_problem() -> str | None:
    """Why this machine cannot have a sandbox, or None."""
    command = [sys.executable, "-m", "warmkernel", "check"]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return done.stderr.strip() if done.returncode else None


@pytest.fixture(scope="session", autouse=True)
def own_warm_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A runtime folder for these tests, so that they meet no warm process of anybody's."""
    if "warm" not in KernelSpecManager().find_kernel_specs():
        pytest.fail("the kernels are not installed: run `make test`, or `python -m warmkernel install`")
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("run")
        folder.chmod(0o700)
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        yield runtime.folder()
        for path in runtime.folder().glob("*.socket"):
            if pid := listener(path):
                os.kill(pid, signal.SIGTERM)


def listener(path: Path) -> int | None:
    """The process that listens on a socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        try:
            client.connect(str(path))
        except OSError:
            return None
        data = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        pid: int = struct.unpack("3i", data)[0]
        return pid


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The working folder of a kernel."""
    made = tmp_path / "cwd"
    made.mkdir()
    return made
