"""torch.nn, with the course's own in the place of torch's where it has built them.

Every other name is torch's. Derived by `make notebooks`: do not edit.
"""

from typing import Any

from torch import nn as _torch

from scratch.batch_normalization import BatchNorm1d, BatchNorm2d, BatchNorm3d
from scratch.convolution_1d import Conv1d
from scratch.convolution_2d import Conv2d, ConvTranspose2d
from scratch.data_parallel import DataParallel, SyncBatchNorm
from scratch.fast_convolution import Fold, Unfold
from scratch.linear_layers import CrossEntropyLoss, Flatten, Linear, LogSoftmax, MSELoss, ReLU, Softmax
from scratch.normalization_family import GroupNorm, InstanceNorm1d, InstanceNorm2d, InstanceNorm3d, LayerNorm, LocalResponseNorm, RMSNorm, SwitchNorm2d
from scratch.padding import CircularPad1d, CircularPad2d, CircularPad3d, ConstantPad1d, ConstantPad2d, ConstantPad3d, ReflectionPad1d, ReflectionPad2d, ReflectionPad3d, ReplicationPad1d, ReplicationPad2d, ReplicationPad3d, ZeroPad1d, ZeroPad2d, ZeroPad3d
from scratch.pooling_and_dropout import AdaptiveAvgPool2d, AvgPool1d, AvgPool2d, Dropout, Dropout1d, Dropout2d, MaxPool1d, MaxPool2d

__all__: list[str] = [
    "AdaptiveAvgPool2d",
    "AvgPool1d",
    "AvgPool2d",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "Conv1d",
    "Conv2d",
    "ConvTranspose2d",
    "CrossEntropyLoss",
    "DataParallel",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Flatten",
    "Fold",
    "GroupNorm",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "LayerNorm",
    "Linear",
    "LocalResponseNorm",
    "LogSoftmax",
    "MSELoss",
    "MaxPool1d",
    "MaxPool2d",
    "RMSNorm",
    "ReLU",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "Softmax",
    "SwitchNorm2d",
    "SyncBatchNorm",
    "Unfold",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]


def __getattr__(name: str) -> Any:
    return getattr(_torch, name)
