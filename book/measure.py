# What a piece of code costs: its time and the memory of its tensors.
import weakref
from time import perf_counter

from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class PeakMemory(TorchDispatchMode):
    """Count the bytes of the tensors made in the block; `peak` is the most at once.

    Views share memory and count once. What an operation uses inside itself is not seen.
    """

    def __init__(self):
        super().__init__()
        self.now = self.peak = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        result = operation(*args, **(kwargs or {}))
        known = {
            t.untyped_storage().data_ptr()
            for t in tree_leaves((args, kwargs))
            if isinstance(t, torch.Tensor)
        }
        for tensor in tree_leaves(result):
            if (
                isinstance(tensor, torch.Tensor)
                and tensor.untyped_storage().data_ptr() not in known
            ):
                storage = tensor.untyped_storage()
                self.now += storage.nbytes()
                weakref.finalize(storage, self.release, storage.nbytes())
        self.peak = max(self.peak, self.now)
        return result

    def release(self, size):
        self.now -= size


def measure(run, seconds=0.3):
    """Median time of `run()` in milliseconds and peak memory of its tensors in MB."""

    def timed():
        wait()
        start = perf_counter()
        run()
        wait()
        return perf_counter() - start

    warm_up = min(timed() for _ in range(3))
    times = sorted(timed() for _ in range(max(9, min(100, int(seconds / warm_up)))))
    with PeakMemory() as memory:
        run()
    return 1e3 * times[len(times) // 2], memory.peak / 1e6


def wait():
    """Let an accelerator finish: it works on while Python goes ahead."""
    if torch.accelerator.is_available():
        torch.accelerator.synchronize()
