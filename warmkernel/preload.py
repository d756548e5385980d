"""What the warm process does before the first fork: import, and stay without a second thread and without CUDA."""

from __future__ import annotations

import gc
import importlib
import importlib.util
import os
from contextlib import suppress

from warmkernel.settings import PACKAGES

_OF_EACH_PROCESS = "TORCHINDUCTOR_CACHE_DIR"  # set again when it is asked for, in the temporary folder of that time
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
        _rehearse()
    gc.collect()
    gc.freeze()  # else the collector of each kernel would write to, and so copy, all of it
    return {name: value for name, value in os.environ.items() if name not in before | {_OF_EACH_PROCESS}}


def _rehearse() -> None:
    """Do once what takes long only the first time: `assert_close` imports 500 modules, a convolution sets up oneDNN.

    One thread does it, since others would be lost in a fork; and there is no backward pass, which starts a thread for
    each GPU.
    """
    import torch

    count = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng(devices=[]):
        layer = torch.nn.Conv1d(3, 4, 5)
        layer.load_state_dict(torch.nn.Conv1d(3, 4, 5).state_dict())
        output = layer(torch.ones(2, 3, 9))
        torch.testing.assert_close(output, output)
        torch.einsum("nol,ok->nkl", output, torch.ones(4, 2))
        repr(output)
    torch.set_num_threads(count)


def threads() -> int:
    return len(os.listdir("/proc/self/task"))
