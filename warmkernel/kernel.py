"""What a forked process does to become a Jupyter kernel."""

from __future__ import annotations

import atexit
import ctypes
import gc
import os
import socket
import sys
import time
from pathlib import Path

from warmkernel import app, sandbox, wire

_OPENBLAS = ("scipy_openblas_set_num_threads64_", "openblas_set_num_threads64_", "openblas_set_num_threads")


def main(kind: str, line: socket.socket, place: Path, variables: dict[str, str]) -> None:
    """Wait for a request, and be the kernel that it describes until that ends.

    `place` is for `sandbox.prepare`; `variables` are what packages have put into the environment at their import.
    """
    os.setsid()
    box, problem = None, None
    if kind == "warm-sandbox":
        try:
            box = sandbox.prepare(place)
        except Exception as error:  # told to the client, once there is one
            problem = error
    _seed()
    client = _client(line)
    received = wire.receive_request(client) if client else None
    if client is None or received is None:
        os._exit(0)
    request, listeners, outputs = received
    try:
        if problem is not None:
            raise problem
        if box is not None:
            request = box.enter(request, [line.fileno(), client.fileno(), *listeners])
        else:
            _redirect(outputs)
            os.chdir(request.cwd)
        _set_environment(variables | request.environment)
        _set_threads(boxed=box is not None)
    except Exception as error:
        wire.send(client, error=str(error))
        os._exit(1)
    wire.send(client, pid=box.pid if box else os.getpid())
    client.close()
    line.send(b"started")
    line.close()
    atexit.register(gc.unfreeze)  # what is frozen is not freed at the end, and some packages complain of that
    application = app.Application.of(request, listeners)
    _forget()
    application.run()


def _client(line: socket.socket) -> socket.socket | None:
    """The connection that the warm process hands over, or None if that has ended."""
    data, fds, _, _ = socket.recv_fds(line, 16, 1)
    return socket.socket(fileno=fds[0]) if data else None


def _redirect(outputs: list[int]) -> None:
    """Take the client's stdout and stderr, as a program that it starts."""
    for target, source in enumerate(outputs, 1):
        os.dup2(source, target)
        os.close(source)


def _set_environment(environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()


def _set_threads(boxed: bool) -> None:
    """Let OpenBLAS use all processors, as it would in a process of its own; in a sandbox one must do.

    A sandbox may hold few threads, and those who grade run a sandbox on each processor.
    """
    given = os.environ.get("OPENBLAS_NUM_THREADS") or os.environ.get("OMP_NUM_THREADS")
    if boxed and not given:
        if torch := sys.modules.get("torch"):
            torch.set_num_threads(1)
        return
    wanted = int(given) if given and given.isdigit() else len(os.sched_getaffinity(0))
    with open("/proc/self/maps", encoding="utf-8") as file:
        loaded = {row.split(maxsplit=5)[-1].strip() for row in file if "openblas" in row}
    for path in loaded:
        library = ctypes.CDLL(path)
        for name in _OPENBLAS:
            if function := getattr(library, name, None):
                function(ctypes.c_int(wanted))


def _seed() -> None:
    """Let random numbers start from the system's entropy, as in a new process; Python does so for `random` itself."""
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()
    if torch := sys.modules.get("torch"):
        torch.default_generator.seed()


def _forget() -> None:
    """Let this package be imported anew, if at all, and from where the kernel can find it."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "warmkernel"]:
        del sys.modules[name]
