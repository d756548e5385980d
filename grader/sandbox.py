"""Which kernel a notebook runs in. Kernels are known to the grader by their names alone."""

from __future__ import annotations

import subprocess
import sys

from grader.errors import SandboxError

WARM = "warm"
SANDBOXED = "warm-sandbox"
_CHECK = [sys.executable, "-m", "warmkernel", "check"]


def open_kernel() -> str:
    """The name of a kernel without a sandbox: a warm one where it is installed."""
    from grader.kernel import ORDINARY

    return WARM if _installed(WARM) else ORDINARY


def closed_kernel() -> str:
    """The name of the kernel in the sandbox; raise `SandboxError` where that cannot be had."""
    way_out = (
        "or grade with --no-sandbox, which runs the submissions' code as you, with all that you may read and write"
    )
    if not _installed(SANDBOXED):
        raise SandboxError(
            f"No sandbox: the kernel {SANDBOXED} is not installed. Run `python -m warmkernel install`, {way_out}."
        )
    done = subprocess.run(_CHECK, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip().split("\n")[-1]
        raise SandboxError(f"No sandbox: {said} Mend that, {way_out}.")
    return SANDBOXED


def _installed(name: str) -> bool:
    from jupyter_client.kernelspec import KernelSpecManager

    return name in KernelSpecManager().find_kernel_specs()
