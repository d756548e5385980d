"""The warm process itself, without the packages that it would import."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from warmkernel import server


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(tmp_path / "socket"))
        listener.listen()
        yield listener


def test_it_ends_when_it_is_not_used(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "IDLE_SECONDS", 0.1)
    serving = server.Server(listener)
    assert serving.serve() is None
    serving.close()


@pytest.mark.parametrize("gone", ["its socket", "its environment"])
def test_it_ends_when_nobody_can_come_any_more(
    gone: str, listener: socket.socket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(server, "LOOK_SECONDS", 0.1)
    serving = server.Server(listener)
    if gone == "its socket":
        (tmp_path / "socket").unlink()
    else:
        monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    assert serving.serve() is None
    serving.close()


def test_another_user_is_turned_away(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "IDLE_SECONDS", 0.5)
    monkeypatch.setattr(server, "user", lambda: -1)
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.connect(listener.getsockname())
    assert server.Server(listener).serve() is None
    assert client.recv(100) == b""
    client.close()


def test_words_that_it_does_not_know_end_the_connection(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "IDLE_SECONDS", 0.5)
    clients = []
    for words in (b"nonsense", b'{"kind": "other"}', b"[1]", b"\xff"):
        client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        client.connect(listener.getsockname())
        client.send(words)
        clients.append(client)
    assert server.Server(listener).serve() is None
    for client in clients:
        assert client.recv(100) == b""
        client.close()


def test_a_process_with_a_second_thread_is_not_forked(listener: socket.socket) -> None:
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    with pytest.raises(RuntimeError, match="has started a thread"):
        server.Server(listener)._fork("warm")
    end.set()
    thread.join()
