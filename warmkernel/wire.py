"""What the client, the warm process and its kernels say to one another, in messages over Unix sockets.

The client connects and says a kind. The warm process hands the connection, unread from then on, to a kernel that was
forked before: this reads the request itself, so that nothing about one kernel is ever in the memory of the next.
When the kernel says on its own line that it has started, the warm process listens again: the client sends numbers of
signals and gets the status when the kernel has ended. If the client goes away, the kernel is killed.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from dataclasses import asdict, dataclass
from typing import Any

KINDS = ("warm", "warm-sandbox")
CHANNELS = ("shell", "iopub", "stdin", "control", "hb")
"""The ports of a kernel, in the order in which their sockets are sent: port 1 is `shell`."""

OVER_MEMORY, OVER_CPU = 201, 202
"""Exit codes of a sandbox that was ended since it was over a limit."""

_SMALL = 4096
_FDS = 1 + len(CHANNELS) + 2


@dataclass(frozen=True)
class Request:
    """What a kernel is to be."""

    command: list[str]
    environment: dict[str, str]
    cwd: str
    connection: dict[str, Any]


def pair() -> tuple[socket.socket, socket.socket]:
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def peer_uid(connection: socket.socket) -> int:
    """The user at the other end."""
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    uid: int = struct.unpack("3i", data)[1]
    return uid


def send(connection: socket.socket, **content: Any) -> None:
    connection.send(json.dumps(content).encode())


def receive(connection: socket.socket) -> dict[str, Any] | None:
    """The next message, or None at the end; raise `ValueError` for what is none."""
    data = connection.recv(_SMALL)
    if not data:
        return None
    content = json.loads(data)
    if not isinstance(content, dict):
        raise ValueError("no message")
    return content


def send_request(connection: socket.socket, request: Request, listeners: list[int], outputs: list[int]) -> None:
    """Send a request with its listening sockets and the two files for stdout and stderr.

    The text goes through a file in memory, since an environment may be longer than a message.
    """
    text = os.memfd_create("request")
    try:
        with open(text, "w", encoding="utf-8", closefd=False) as file:
            json.dump(asdict(request), file)
        socket.send_fds(connection, [b"request"], [text, *listeners, *outputs])
    finally:
        os.close(text)


def receive_request(connection: socket.socket) -> tuple[Request, list[int], list[int]] | None:
    """The request, its listening sockets and its files, or None if the client has gone."""
    data, fds, _, _ = socket.recv_fds(connection, 16, _FDS)
    if not data:
        return None
    text, *others = fds
    with open(text, encoding="utf-8") as file:
        file.seek(0)
        request = Request(**json.load(file))
    return request, others[: len(CHANNELS)], others[len(CHANNELS) :]
