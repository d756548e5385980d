"""Asks the warm process for kernels, and starts it if need be."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from warmkernel import runtime, wire
from warmkernel.runtime import WarmKernelError
from warmkernel.settings import START_SECONDS

_LOST = -9
# The package is imported from where the client has it, and what is beside it is not left for kernels to import.
# Paths come by a pipe, since every kernel can read this command.
_BOOT = (
    "import json, sys; sys.path[0], *paths = json.load(sys.stdin); "
    "from warmkernel import server; del sys.path[0]; server.main(*paths)"
)


class WarmKernel:
    """A kernel that was forked from the warm process. It can be handled like a `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, connection: socket.socket, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._connection = connection

    def poll(self) -> int | None:
        """The exit status, or None while it runs."""
        if self.returncode is None:
            with suppress(BlockingIOError):
                self._connection.setblocking(False)
                self._hear()
        return self.returncode

    def wait(self) -> int:
        while self.returncode is None:
            self._connection.setblocking(True)
            self._hear()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(OSError):
                wire.send(self._connection, signal=int(number))

    def _hear(self) -> None:
        try:
            content = wire.receive(self._connection)
        except ConnectionError:
            content = None
        self.returncode = content["status"] if content else _LOST  # without a last word: the warm process has died
        self._connection.close()


def start(
    kind: str, request: wire.Request, listeners: list[int], outputs: list[int], environment: Mapping[str, str]
) -> WarmKernel:
    """Have a kernel forked; raise `WarmKernelError` if that cannot be."""
    for _ in range(2):  # the warm process may just have ended, unused
        connection = _connect(environment)
        try:
            wire.send(connection, kind=kind)
            wire.send_request(connection, request, listeners, outputs)
            answer = wire.receive(connection)
        except OSError:
            answer = None
        if answer and "pid" in answer:
            return WarmKernel(connection, answer["pid"])
        connection.close()
        if answer:
            raise WarmKernelError(answer["error"])
    raise WarmKernelError("the warm process does not answer")


def _connect(environment: Mapping[str, str]) -> socket.socket:
    """A connection to the warm process of this environment, started if need be by the one who gets there first."""
    path = runtime.folder() / f"{runtime.key(environment)}.socket"
    if connection := _try(path):
        return connection
    lock = path.with_suffix(".lock")
    with open(lock, "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        connection = _try(path)
        if connection is None:
            _start(path, lock, environment)
            connection = _try(path)
    if connection is None:
        raise WarmKernelError("the warm process has started and ended at once")
    return connection


def _try(path: Path) -> socket.socket | None:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        return None
    if wire.peer_uid(connection) != runtime.user():
        connection.close()
        raise WarmKernelError(f"{path} belongs to another user")
    return connection


def _start(path: Path, lock: Path, environment: Mapping[str, str]) -> None:
    log = path.with_suffix(".log")
    with open(log, "w", encoding="utf-8") as file:
        try:
            done = subprocess.run(
                [sys.executable, "-c", _BOOT],
                input=json.dumps([str(runtime.PACKAGE.parent), str(path), str(lock)]),
                text=True,
                cwd="/",
                env=runtime.warm_environment(environment),
                stdout=file,
                stderr=file,
                timeout=START_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise WarmKernelError(f"the warm process did not start: {error}") from None
    if done.returncode:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        said = [
            line for line in lines if not line.startswith((" - ", "nanobind:", "See "))
        ]  # what triton leaves behind
        raise WarmKernelError(f"the warm process did not start: {said[-1] if said else 'it said nothing'}; see {log}")


def fallback_reason() -> str | None:
    """Why no kernel can be forked on this system at all, or None."""
    return None if sys.platform == "linux" and hasattr(os, "pidfd_open") else "kernels are forked on Linux only"
