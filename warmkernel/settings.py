"""What can be tuned, in one place."""

from __future__ import annotations

IDLE_SECONDS = 600
"""The warm process ends when no kernel has run for so long."""

LOOK_SECONDS = 5
"""How often an unused warm process looks whether its socket and its environment are still there."""

POOL = 2
"""Kernels of a kind that are kept ready, once the kind has been asked for."""

START_SECONDS = 300
"""The longest that the warm process may take to import its packages (on a cold disk, minutes)."""

WATCH_SECONDS = 0.2
"""How often the memory and the processor time of a whole sandbox are added up."""

SCRATCH_MB = 256
"""All that the programs in one sandbox can write, in its folder, /tmp and /dev/shm together."""

SCRATCH_FILES = 10_000
"""How many files that may be."""

ADDRESS_MB = 2048
"""Address space on top of the memory that is granted: thread stacks and arenas are reserved and hardly used."""

LIMITS = {"WARM_MEMORY_MB": 4096, "WARM_CPU_SECONDS": 300, "WARM_PROCESSES": 64, "WARM_FILE_MB": 64}
"""The limits of a sandbox. A variable of this name in the environment that the kernel is started with goes first."""

HIDDEN = ("derive", "grader", "scratch", "warmkernel")
"""Packages that a sandbox does not show where they are installed: what learners are to build is in them."""

PACKAGES = (
    "numpy.random",
    "torch",
    "torch._dynamo",
    "torch.nested._internal.nested_tensor",
    "torchvision",
    "einops",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_agg",
    "PIL.PngImagePlugin",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.oinspect",
    "IPython.core.pylabtools",
    "IPython.extensions.storemagic",
    "ipykernel.debugger",
    "ipykernel.kernelapp",
    "sqlite3",
    "tornado.platform.asyncio",
    "tornado.queues",
    "tqdm",
)
"""What the warm process imports, where it is installed."""

KEYED = (
    "ATEN_",
    "CUDA_",
    "GLIBC_",
    "GOMP_",
    "KMP_",
    "LD_",
    "MALLOC_",
    "MATPLOTLIB",
    "MKL_",
    "MPL",
    "NUMEXPR_",
    "OMP_",
    "OPENBLAS_",
    "PYTHON",
    "PYTORCH",
    "TORCH",
)
"""Variables that are read when a program or a package starts: another value, another warm process."""

KEPT = ("HOME", "LANG", "LANGUAGE", "LC_", "LOGNAME", "PATH", "TZ", "USER", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
"""All else that the warm process gets from the environment of the client that starts it."""
