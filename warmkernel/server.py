"""The warm process: forks kernels, hands connections to them, passes signals on, and reaps them.

It reads nothing about a kernel, so that the memory which the next kernel inherits holds no secret of another.
"""

from __future__ import annotations

import fcntl
import os
import selectors
import shutil
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warmkernel import linux, wire
from warmkernel.preload import preload, threads
from warmkernel.runtime import user
from warmkernel.settings import IDLE_SECONDS, LOOK_SECONDS, POOL


@dataclass(frozen=True)
class Birth:
    """What a forked process has: its kind, and its line to the warm process."""

    kind: str
    line: socket.socket


class Kernel:
    """A forked process, as the warm process sees it."""

    def __init__(self, kind: str, pid: int, line: socket.socket) -> None:
        self.kind = kind
        self.pid = pid
        self.line = line
        self.descriptor = os.pidfd_open(pid)
        self.client: socket.socket | None = None

    def signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            if self.kind == "warm":
                os.killpg(self.pid, number)
            else:  # its watcher hands signals on, and kills the sandbox before it ends itself
                os.kill(self.pid, signal.SIGTERM if number == signal.SIGKILL else number)

    def close(self) -> None:
        self.line.close()
        os.close(self.descriptor)
        if self.client is not None:
            self.client.close()


class Server:
    """Answers clients until there is none for a while. In a process that it forks, `serve` returns a `Birth`."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.selector = selectors.DefaultSelector()
        self.ready: dict[str, deque[Kernel]] = {}
        self.running: set[Kernel] = set()
        self.used = time.monotonic()
        self._listen(listener, self._accept)

    def serve(self) -> Birth | None:
        while self.running or (left := self._left()) > 0:
            for key, _ in self.selector.select(None if self.running else min(left, LOOK_SECONDS)):
                handler: Callable[[], Birth | None] = key.data
                born = handler()
                if born:
                    return born
            for kind, kernels in self.ready.items():
                while len(kernels) < POOL:
                    made = self._fork(kind)
                    if isinstance(made, Birth):
                        return made
                    kernels.append(made)
        return None

    def _left(self) -> float:
        """The seconds after which it ends if nobody comes; none when nobody can come any more."""
        if not (os.path.exists(self.listener.getsockname()) and os.path.exists(sys.executable)):
            return 0
        return self.used + IDLE_SECONDS - time.monotonic()

    def close(self) -> None:
        """Let go of all that belongs to the warm process; kernels that wait for work end with their line."""
        for key in list(self.selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        for kernel in [*self.running, *(kernel for kernels in self.ready.values() for kernel in kernels)]:
            kernel.close()
        self.selector.close()

    def _listen(self, source: Any, handler: Callable[[], Birth | None]) -> None:
        self.selector.register(source, selectors.EVENT_READ, handler)

    def _accept(self) -> None:
        client, _ = self.listener.accept()
        if wire.peer_uid(client) != user():
            client.close()
            return
        self._listen(client, lambda: self._greet(client))

    def _greet(self, client: socket.socket) -> Birth | None:
        """A client says which kind of kernel it wants; a kernel gets the connection."""
        self.selector.unregister(client)
        content = _receive(client)
        kind = content.get("kind") if content else None
        if kind not in wire.KINDS:
            client.close()
            return None
        kernels = self.ready.setdefault(kind, deque())
        kernel = kernels.popleft() if kernels else self._fork(kind)
        if isinstance(kernel, Birth):
            return kernel
        kernel.client = client
        self.running.add(kernel)
        with suppress(OSError):  # it may have died while it waited: then its end is told below
            socket.send_fds(kernel.line, [b"client"], [client.fileno()])
        self._listen(kernel.line, lambda: self._started(kernel))
        return None

    def _started(self, kernel: Kernel) -> None:
        """The kernel has read its request, or has died: from now on the client speaks to the warm process."""
        self.selector.unregister(kernel.line)
        assert kernel.client is not None
        self._listen(kernel.client, lambda: self._command(kernel))

    def _command(self, kernel: Kernel) -> None:
        """A client sends a signal, or goes."""
        assert kernel.client is not None
        content = _receive(kernel.client)
        if content is None:
            self.selector.unregister(kernel.client)
            kernel.signal(signal.SIGKILL)
        elif isinstance(number := content.get("signal"), int) and 0 < number < signal.NSIG:
            kernel.signal(number)

    def _ended(self, kernel: Kernel) -> None:
        _, status = os.waitpid(kernel.pid, 0)
        self.selector.unregister(kernel.descriptor)
        for source in (kernel.line, kernel.client):
            with suppress(KeyError, ValueError):
                self.selector.unregister(source)  # type: ignore[arg-type]
        if kernel.client is not None:
            with suppress(OSError):
                wire.send(kernel.client, status=os.waitstatus_to_exitcode(status))
        for kernels in self.ready.values():
            with suppress(ValueError):
                kernels.remove(kernel)
        self.running.discard(kernel)
        self.used = time.monotonic()
        kernel.close()

    def _fork(self, kind: str) -> Kernel | Birth:
        if threads() != 1:
            raise RuntimeError("a package has started a thread: this process may not be forked")
        ours, theirs = wire.pair()
        pid = os.fork()
        if pid == 0:
            linux.die_with_parent(signal.SIGKILL if kind == "warm" else signal.SIGTERM)
            self.close()
            ours.close()
            return Birth(kind, theirs)
        theirs.close()
        kernel = Kernel(kind, pid, ours)
        self._listen(kernel.descriptor, lambda: self._ended(kernel))
        return kernel


def _receive(client: socket.socket) -> dict[str, Any] | None:
    try:
        return wire.receive(client)
    except (OSError, ValueError):
        return None


def main(path: str, lock: str) -> None:
    """Become the warm process, with a socket at `path`. `lock` is what those who start it hold.

    It imports and listens in the foreground and goes on in the background, so that whoever starts it knows when.
    """
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # whoever starts this may have turned Ctrl+C off for itself
    signal.signal(signal.SIGINT, signal.default_int_handler)
    variables = preload()
    from warmkernel import kernel  # it holds ipykernel, which is to be imported as `preload` says

    place = Path(path)
    place.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(path)
    listener.listen(128)
    if os.fork():
        os._exit(0)
    os.setsid()
    listener.listen(128)  # once more: from now on, this is the process that clients see at the other end
    with open(os.devnull, encoding="ascii") as null:
        os.dup2(null.fileno(), 0)

    while True:
        server = Server(listener)
        born = server.serve()
        if born:
            del server, listener
            kernel.main(born.kind, born.line, place.parent, variables)
            return
        if not place.parent.is_dir():
            sys.exit()
        with open(lock, "w", encoding="ascii") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:  # somebody is about to use it
                continue
            place.unlink(missing_ok=True)
            for left in place.parent.glob(f"{place.stem}-*"):  # of clients that died
                shutil.rmtree(left, ignore_errors=True)
            sys.exit()
