"""torch.utils.data, with the course's own in the place of torch's where it has built them.

Every other name is torch's. Derived by `make notebooks`: do not edit.
"""

from typing import Any

from torch.utils import data as _torch

from scratch.training_loop import BatchSampler, DataLoader, RandomSampler, SequentialSampler

__all__: list[str] = [
    "BatchSampler",
    "DataLoader",
    "RandomSampler",
    "SequentialSampler",
]


def __getattr__(name: str) -> Any:
    return getattr(_torch, name)
