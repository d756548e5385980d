"""What the warm process does before the first fork: import, and stay without a second thread and without CUDA."""

from __future__ import annotations

import gc
import importlib
import importlib.util
import os
from contextlib import suppress

from warmkernel.settings import PACKAGES

INLINE = "module://matplotlib_inline.backend_inline"


def preload() -> dict[str, str]:
    """Import the packages, and what they import at their first use; return the variables that they set in passing.

    OpenBLAS starts its threads when it is loaded: here it gets one, and `kernel` gives it the others in the
    kernel. OpenMP starts its own when they have work, and there is none here. The inline backend of matplotlib is left
    out, since it looks for its kernel when it is imported.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("MPLBACKEND", INLINE)  # as ipykernel does, before matplotlib is imported
    before = set(os.environ)
    for package in PACKAGES:
        if importlib.util.find_spec(package.partition(".")[0]) is not None:
            importlib.import_module(package)
    with suppress(ImportError):
        import torch

        torch.testing.assert_close(torch.ones(1), torch.ones(1))  # imports 500 modules
    gc.collect()
    gc.freeze()  # else the collector of each kernel would write to, and so copy, all of it
    return {name: value for name, value in os.environ.items() if name not in before}


def threads() -> int:
    return len(os.listdir("/proc/self/task"))
