"""A kernel as nbval uses it, without its waits, and with an eye on death and on floods of output.

nbval asks for messages channel by channel. While it waits for a reply here, outputs are taken in as well, so that a
cell that prints without end can neither fill a queue nor hide that the cell has ended; what nbval will not compare is
dropped at once.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import Empty
from typing import Any

import zmq
from jupyter_client.kernelspec import NoSuchKernel
from jupyter_client.manager import KernelManager
from jupyter_core.utils import ensure_event_loop
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, NbvalKernelspecManager, RunningKernel

GRADE_TYPE = "text/x-grade"
"""The kind of output by which a grade cell shows values, apart from whatever an answer prints."""

ORDINARY = CURRENT_ENV_KERNEL_NAME
"""The name of the kernel that every environment with ipykernel has."""

START_SECONDS = 60
LARGEST_MESSAGE = 64 << 20
LARGEST_OUTPUT = 4 << 20

_LOOK_SECONDS = 0.2
_UNDERTAKER = ThreadPoolExecutor(1, "shutdown")  # a kernel is waited for while the next submission is graded


class KernelDied(Exception):
    """The kernel has ended by itself in the middle of a cell."""


class KernelFailed(Exception):
    """No kernel could be started: that is no learner's fault."""


class Kernel(RunningKernel):  # type: ignore[misc]
    """A running kernel in an empty folder of its own."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.died = False
        self.timed_out = False
        self.wanted: frozenset[str] = frozenset()
        """The kinds of output of the running cell that will be compared."""
        self._taken: deque[dict[str, Any]] = deque()
        self._request = ""
        self._size = 0
        self.folder = tempfile.mkdtemp(prefix="grade-")
        context: zmq.Context[Any] = zmq.Context.instance()
        self.km = KernelManager(kernel_name=name, kernel_spec_manager=NbvalKernelspecManager(), context=context)
        self.kc: Any = None
        try:
            # What a kernel writes past its channels is lost, else a learner could write on the teacher's terminal.
            with _own_loop():
                self.km.start_kernel(cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=_env())
            self.kc = self.km.client(context=context)
            self.kc.start_channels(stdin=False, hb=False)
            for channel in (self.kc.shell_channel, self.kc.iopub_channel):
                channel.socket.maxmsgsize = LARGEST_MESSAGE
            self._ensure_iopub_up()
        except (NoSuchKernel, KernelDied, OSError, RuntimeError) as error:
            self.stop()
            raise KernelFailed(f"the kernel {name} does not start: {error}") from error

    def _ensure_iopub_up(self) -> None:
        """Wait until the kernel answers and its outputs arrive; nbval's own way waits a second each time."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            self._request = self.kc.kernel_info()
            try:
                self.await_reply(self._request, deadline - time.monotonic())
                self.await_idle(self._request, 0.05)
            except Empty:
                continue
            return
        raise RuntimeError(f"no answer within {START_SECONDS} seconds")

    def execute_cell_input(self, cell_input: str, allow_stdin: bool | None = None) -> str:
        """Send a cell."""
        self._taken.clear()
        self._size = 0
        self._request = super().execute_cell_input(cell_input, allow_stdin)
        return self._request

    def await_reply(self, msg_id: str, timeout: float | None = None) -> None:
        """Wait for the reply to a request while taking in its outputs; raise `Empty` when it takes too long."""
        deadline = time.monotonic() + (START_SECONDS if timeout is None else timeout)
        shell, iopub = self.kc.shell_channel, self.kc.iopub_channel
        poller = zmq.Poller()
        poller.register(shell.socket, zmq.POLLIN)
        poller.register(iopub.socket, zmq.POLLIN)
        while (left := deadline - time.monotonic()) > 0:
            ready = dict(poller.poll(int(1000 * min(left, _LOOK_SECONDS))))
            if not ready:
                self._check_alive()
            if iopub.socket in ready:
                self._take(iopub)
            if shell.socket in ready:
                reply = _receive(shell)
                if reply.get("parent_header", {}).get("msg_id") == msg_id:
                    return
        raise Empty

    def get_message(self, stream: str, timeout: float | None = None) -> dict[str, Any]:
        """The next output of the request that was sent last; raise `Empty` when there is none for too long."""
        assert stream == "iopub", "replies are awaited above"
        if self.timed_out:
            raise Empty
        deadline = time.monotonic() + (timeout or 0)
        while not self._taken:
            left = deadline - time.monotonic()
            if left <= 0:
                raise Empty
            if self.kc.iopub_channel.socket.poll(int(1000 * min(left, _LOOK_SECONDS))):
                self._take(self.kc.iopub_channel)
            else:
                self._check_alive()
        return self._taken.popleft()

    def is_alive(self) -> bool:
        """Whether the kernel's process lives."""
        with _own_loop():
            return bool(super().is_alive())

    def interrupt(self) -> None:
        """Give up: a kernel in which a cell takes too long is not used again, whether it can be interrupted or not."""
        self.timed_out = True

    def stop(self) -> None:
        """End the kernel, and all that it wrote."""
        if not hasattr(self, "km"):
            return
        if self.kc is not None:
            self.kc.stop_channels()
        manager = self.km
        del self.km
        try:
            with _own_loop():
                manager.shutdown_kernel(now=True)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def leave(self) -> None:
        """End the kernel, and do not wait for that."""
        _UNDERTAKER.submit(self.stop)

    def _check_alive(self) -> None:
        if not self.is_alive():
            self.died = True
            raise KernelDied("the kernel ended while a cell was running")

    def _take(self, channel: Any) -> None:
        """Keep a message if nbval has a use for it."""
        message = _receive(channel)
        if message.get("parent_header", {}).get("msg_id") != self._request:
            return
        content = message.get("content")
        if not isinstance(content, dict):
            return
        match message.get("msg_type"):
            case "status" if isinstance(content.get("execution_state"), str):
                pass
            case "error" if all(isinstance(content.get(key), str) for key in ("ename", "evalue")):
                content["traceback"] = []  # what is said to the learner is the message alone
                self._size += len(content["ename"]) + len(content["evalue"])
            case "stream" if content.get("name") in self.wanted and isinstance(content.get("text"), str):
                self._size += len(content["text"])
            case "display_data" | "execute_result" if isinstance(content.get("data"), dict):
                data = {kind: text for kind, text in content["data"].items() if kind in self.wanted}
                if not data:
                    return
                content |= {"data": data, "metadata": {}, "execution_count": 1}
                self._size += sum(len(str(text)) for text in data.values())
            case _:
                return
        if self._size <= LARGEST_OUTPUT or message["msg_type"] == "status":
            self._taken.append(message)


@contextmanager
def _own_loop() -> Iterator[None]:
    """Jupyter leaves an event loop behind in each thread that starts or ends a kernel; close it."""
    try:
        yield
    finally:
        ensure_event_loop().close()


def _receive(channel: Any) -> dict[str, Any]:
    """The message that waits; an empty one if it is not what Jupyter's protocol says."""
    try:
        message: dict[str, Any] = channel.get_msg(timeout=0)
    except (ValueError, TypeError, KeyError, IndexError, UnicodeDecodeError, RecursionError, Empty):
        return {}
    return message


def _env() -> dict[str, str]:
    """The environment of a kernel: one thread each, since workers share the cores, and nothing that points at us."""
    kept = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "MPLBACKEND")}
    return {"OMP_NUM_THREADS": "1"} | kept
