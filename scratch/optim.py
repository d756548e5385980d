"""torch.optim, with the course's own in the place of torch's where it has built them.

Every other name is torch's. Derived by `make notebooks`: do not edit.
"""

from typing import Any

from torch import optim as _torch

from scratch.training_loop import Adam, AdamW, SGD

__all__: list[str] = [
    "Adam",
    "AdamW",
    "SGD",
]


def __getattr__(name: str) -> Any:
    return getattr(_torch, name)
