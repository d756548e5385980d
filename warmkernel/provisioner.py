"""What Jupyter calls to start and stop a kernel whose kernelspec names `warm`."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Unicode

from warmkernel import client, runtime, wire
from warmkernel.runtime import WarmKernelError

KILL_SECONDS = 5.0
_WAIT_SECONDS = 0.002
_REASONS = {
    wire.OVER_MEMORY: "it used more memory than it may",
    wire.OVER_CPU: "it used more processor time than it may",
}
_said: set[str] = set()


class WarmProvisioner(LocalProvisioner):
    """Forks kernels from the warm process; where that cannot be, an ordinary kernel starts, or none for a sandbox."""

    kind = Unicode("warm", help="Which kernel: warm, or warm-sandbox.", config=True)
    reason: str | None = None
    """Why the sandbox was ended, if a limit was the reason."""

    process: Any = None
    _folder: str | None = None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Have the manager use socket files, in a folder that only this user can open."""
        manager = self.parent
        if manager is not None and client.fallback_reason() is None and not kwargs.get("independent"):
            if self._folder is None:
                environment = kwargs.get("env", os.environ)
                prefix = f"{runtime.key(environment)}-"
                self._folder = tempfile.mkdtemp(prefix=prefix, dir=runtime.folder())
            manager.transport, manager.cache_ports = "ipc", False
            manager.ip = str(Path(self._folder, "kernel"))
            for port, channel in enumerate(wire.CHANNELS, 1):
                setattr(manager, f"{channel}_port", port)
        return await super().pre_launch(**kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the kernel; return how to connect to it."""
        self.reason = None
        try:
            if self._folder is None:
                raise WarmKernelError(client.fallback_reason() or "this kernel is to outlive its client")
            self.process = await asyncio.to_thread(self._fork, cmd, **kwargs)
        except (OSError, WarmKernelError) as error:
            if self.kind == "warm-sandbox":
                raise RuntimeError(str(error)) from None
            if str(error) not in _said:
                _said.add(str(error))
                print(f"warmkernel: an ordinary kernel starts instead: {error}", file=sys.stderr)
            return await super().launch_kernel(cmd, **kwargs)
        self.pid, self.pgid, self.cwd = self.process.pid, None, kwargs.get("cwd") or os.getcwd()
        return self.connection_info

    async def kill(self, restart: bool = False) -> None:
        """Kill the kernel, and all that runs in its sandbox; it is gone in a moment, so wait for that."""
        await super().kill(restart)
        if isinstance(self.process, client.WarmKernel):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._end(), KILL_SECONDS)

    async def wait(self) -> int | None:
        """Wait for the end, without the pause of a tenth of a second."""
        if not isinstance(self.process, client.WarmKernel):
            return await super().wait()
        status = await self._end()
        self.process = None
        return status

    async def _end(self) -> int:
        while (status := await self.poll()) is None:
            await asyncio.sleep(_WAIT_SECONDS)
        return status

    async def poll(self) -> int | None:
        status = await super().poll()
        if isinstance(self.process, client.WarmKernel) and status is not None:
            self.reason = _REASONS.get(status)
        return status

    async def cleanup(self, restart: bool = False) -> None:
        """Remove the folder of the sockets."""
        await super().cleanup(restart)
        if self._folder is not None and not restart:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _fork(self, cmd: list[str], **kwargs: Any) -> client.WarmKernel:
        environment = dict(kwargs["env"])
        request = wire.Request(cmd, environment, str(kwargs.get("cwd") or os.getcwd()), _plain(self.connection_info))
        with ExitStack() as stack:
            listeners = [stack.enter_context(_listen(f"{self.connection_info['ip']}-{port}")) for port in range(1, 6)]
            outputs = [_descriptor(kwargs.get(name), number, stack) for number, name in ((1, "stdout"), (2, "stderr"))]
            return client.start(self.kind, request, [one.fileno() for one in listeners], outputs, environment)


def _listen(path: str) -> socket.socket:
    """A socket that listens already, so that clients connect at once, and that the kernel need not see the path of."""
    Path(path).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen(100)
    listener.setblocking(False)
    return listener


def _plain(info: KernelConnectionInfo) -> dict[str, Any]:
    """Connection info as it stands in a connection file."""
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in info.items()}


def _descriptor(given: Any, default: int, stack: ExitStack) -> int:
    """The descriptor of what `subprocess` would take for an output."""
    if given is None:
        return default
    if given == subprocess.DEVNULL:
        return stack.enter_context(open(os.devnull, "w", encoding="utf-8")).fileno()
    return given if isinstance(given, int) else int(given.fileno())
