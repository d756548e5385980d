"""The process that stands outside a sandbox: adds up what all its programs use, and ends it."""

from __future__ import annotations

import os
import select
import signal
import socket
from types import FrameType
from typing import NoReturn

from warmkernel import linux, wire
from warmkernel.settings import WATCH_SECONDS

_TICKS = os.sysconf("SC_CLK_TCK")


def watch(child: int, line: socket.socket) -> NoReturn:
    """Hand on signals to the first process of the sandbox, see that its limits are kept, and end as it does."""

    def hand_on(number: int, _: FrameType | None) -> None:
        os.kill(child, signal.SIGKILL if number == signal.SIGTERM else number)

    for known in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(known, hand_on)
    linux.die_with_parent(signal.SIGTERM)
    descriptor = os.pidfd_open(child)
    over = 0
    if _wait([descriptor, line.fileno()], None) == [line.fileno()] and (limits := wire.receive(line)):
        line.close()
        while not over and not _wait([descriptor], WATCH_SECONDS):
            over = _over(limits["memory"], limits["cpu"])
        if over:
            os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if over:
        os._exit(over)
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status))


def _wait(descriptors: list[int], seconds: float | None) -> list[int]:
    return select.select(descriptors, [], [], seconds)[0]


def _over(memory_mb: int, cpu_seconds: int) -> int:
    """The exit code for the limit that is passed, or 0. /proc shows the processes of the sandbox, and no other."""
    processes = [name for name in os.listdir("/proc") if name.isdigit()]
    if sum(map(_cpu_seconds, processes)) > cpu_seconds:
        return wire.OVER_CPU
    most = memory_mb * 1024
    # Memory that is shared counts in full in each process, which is quick to read; only if that is too much, in parts.
    if sum(map(_memory, processes)) > most and sum(map(_own_memory, processes)) > most:
        return wire.OVER_MEMORY
    return 0


def _read(process: str, name: str) -> str:
    try:
        with open(f"/proc/{process}/{name}", encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:  # it has ended, or hides
        return ""


def _cpu_seconds(process: str) -> float:
    """Processor time of a process and of those of its children that have ended."""
    fields = _read(process, "stat").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS


def _memory(process: str) -> int:
    """What a process has in memory that is no file, in kB."""
    return _sum(_read(process, "status"), "RssAnon:", "RssShmem:")


def _own_memory(process: str) -> int:
    """The same, where what several processes share is divided among them."""
    text = _read(process, "smaps_rollup")
    return _sum(text, "Pss_Anon:", "Pss_Shmem:") if text else _memory(process)


def _sum(text: str, *names: str) -> int:
    return sum(int(row.split()[1]) for row in text.splitlines() if row.startswith(names))
