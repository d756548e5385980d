"""A kernel in waiting: the next one starts while a submission is graded. Each is used for one submission alone."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.util import Finalize

from grader.kernel import Kernel, KernelFailed

UNUSED_SECONDS = 20
"""When a kernel in waiting is given up."""


class Spare:
    """Starts kernels of one name, always one more than asked for."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._starter = ThreadPoolExecutor(1, "kernel start")
        self._lock = threading.Lock()
        self._next: Future[Kernel] | None = None
        self._timer: threading.Timer | None = None
        Finalize(self, self._give_up, exitpriority=10)  # multiprocessing's processes run no `atexit`

    def take(self) -> Kernel:
        """A kernel that has run nothing; raise `KernelFailed` if none starts."""
        kernel = self._waiting() or Kernel(self._name)
        with self._lock:
            self._next = self._starter.submit(Kernel, self._name)
            self._timer = threading.Timer(UNUSED_SECONDS, self._give_up)
            self._timer.daemon = True
            self._timer.start()
        return kernel

    def _waiting(self) -> Kernel | None:
        """The kernel in waiting, if it lives."""
        with self._lock:
            started, self._next = self._next, None
            if self._timer is not None:
                self._timer.cancel()
        try:
            kernel = started.result() if started is not None else None
        except KernelFailed:
            return None
        if kernel is not None and not kernel.is_alive():
            kernel.stop()
            return None
        return kernel

    def _give_up(self) -> None:
        if (kernel := self._waiting()) is not None:
            kernel.stop()
