"""ipykernel's application, on sockets that listen already."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from typing import Any, Self

import zmq
from ipykernel import heartbeat, kernelapp

from warmkernel import wire


class Application(kernelapp.IPKernelApp):
    """An ordinary Python kernel; only how it comes to its sockets is different."""

    connection: dict[str, Any]

    @classmethod
    def of(cls, request: wire.Request, listeners: list[int]) -> Self:
        """The application for a request. `listeners` are the descriptors of its sockets, port 1 first."""
        Sockets.by_port = dict(enumerate(listeners, 1))
        kernelapp.Heartbeat = Heartbeat  # type: ignore[attr-defined]
        launcher = os.path.join(os.path.dirname(os.path.dirname(kernelapp.__file__)), "ipykernel_launcher.py")
        sys.argv[:] = [launcher, *request.command[3:]]  # after: python -m ipykernel_launcher
        sys.orig_argv[:] = request.command
        application = cls.instance()
        application.connection = request.connection
        return application

    def run(self) -> None:
        """Be a kernel until it is shut down."""
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        with suppress(SystemExit):
            self.initialize(sys.argv[1:])  # type: ignore[no-untyped-call]
            self.start()  # type: ignore[no-untyped-call]

    def init_connection_file(self) -> None:
        """Take what the client has written into the file; the file may not be in sight."""
        self.load_connection_info(self.connection)  # type: ignore[arg-type]

    def write_connection_file(self, **kwargs: Any) -> None:
        """The client has written it."""

    def log_connection_info(self) -> None:
        """Nobody started this kernel in a terminal, so there is nobody to tell."""

    def _try_bind_socket(self, s: Any, port: int) -> int:
        Sockets.bind(s, self.ip, port)
        return port


class Heartbeat(heartbeat.Heartbeat):
    """The heartbeat has a socket of its own."""

    def _try_bind_socket(self) -> None:
        Sockets.bind(self.socket, self.ip, self.port)


class Sockets:
    """The sockets that the client has made. They listen already, so that it can connect before this process answers;
    and their paths need not be visible here."""

    by_port: dict[int, int]

    @classmethod
    def bind(cls, socket: Any, address: str, port: int) -> None:
        socket.setsockopt(zmq.USE_FD, cls.by_port[port])
        socket.bind(f"ipc://{address}-{port}")
