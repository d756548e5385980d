"""torch.nn, with the course's own in the place of torch's where it has built them.

Every other name is torch's. Derived by `make notebooks`: do not edit.
"""

from typing import Any

from torch import nn as _torch

from scratch.convolution_1d import Conv1d
from scratch.linear_layers import CrossEntropyLoss, Flatten, Linear, LogSoftmax, MSELoss, ReLU, Softmax

__all__: list[str] = [
    "Conv1d",
    "CrossEntropyLoss",
    "Flatten",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "ReLU",
    "Softmax",
]


def __getattr__(name: str) -> Any:
    return getattr(_torch, name)
