"""torch.nn.functional, with the course's own in the place of torch's where it has built them.

Every other name is torch's. Derived by `make notebooks`: do not edit.
"""

from typing import Any

from torch.nn import functional as _torch

from scratch.batch_normalization import batch_norm
from scratch.convolution_1d import conv1d
from scratch.convolution_2d import conv2d, conv_transpose2d
from scratch.fast_convolution import fold, unfold
from scratch.linear_layers import cross_entropy, linear, log_softmax, mse_loss, nll_loss, relu, softmax
from scratch.normalization_family import group_norm, instance_norm, layer_norm, local_response_norm, rms_norm
from scratch.padding import pad
from scratch.pooling_and_dropout import adaptive_avg_pool2d, avg_pool1d, avg_pool2d, dropout, dropout1d, dropout2d, max_pool1d, max_pool2d

__all__: list[str] = [
    "adaptive_avg_pool2d",
    "avg_pool1d",
    "avg_pool2d",
    "batch_norm",
    "conv1d",
    "conv2d",
    "conv_transpose2d",
    "cross_entropy",
    "dropout",
    "dropout1d",
    "dropout2d",
    "fold",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "linear",
    "local_response_norm",
    "log_softmax",
    "max_pool1d",
    "max_pool2d",
    "mse_loss",
    "nll_loss",
    "pad",
    "relu",
    "rms_norm",
    "softmax",
    "unfold",
]


def __getattr__(name: str) -> Any:
    return getattr(_torch, name)
