"""Batch normalization.

From book/chapters/09_batch_normalization.md. Derived by `make notebooks`: do not edit.
"""

import itertools
import math

import torch
from einops import rearrange
from torch import nn


def batch_norm_loops(input, weight=None, bias=None, eps=1e-5):
    """Batch normalization in training by its definition, one value at a time.

    input (N, C, ...), weight (C) or None, bias (C) or None -> shape of input.
    """
    values = rearrange(input, "n c ... -> n c (...)")
    N, C, L = values.shape
    output = torch.empty_like(values)
    for c in range(C):
        places = list(itertools.product(range(N), range(L)))
        mean = sum(values[n, c, i] for n, i in places) / len(places)
        squares = [(values[n, c, i] - mean) ** 2 for n, i in places]
        deviation = (sum(squares) / len(places) + eps) ** 0.5
        for n, i in places:
            y = (values[n, c, i] - mean) / deviation
            y = y if weight is None else weight[c] * y
            output[n, c, i] = y if bias is None else y + bias[c]
    return output.reshape(input.shape)


def along_channels(vector, input):
    """View of `vector` (C) that broadcasts along axis 1 of `input`: (1, C, 1, ...)."""
    return vector.reshape(1, -1, *[1] * (input.dim() - 2))


def batch_statistics(input):
    """What one batch says of each channel: the centred input, mean, biased variance.

    input (N, C, ...) -> input minus its mean, then mean and variance (1, C, 1, ...).
    """
    axes = [axis for axis in range(input.dim()) if axis != 1]
    values = math.prod([input.shape[axis] for axis in axes])
    count = max(values, 1)  # an empty batch: sums of nothing, and no 0 / 0
    mean = input.sum(axes, keepdim=True) / count
    centred = input - mean
    var = centred.square().sum(axes, keepdim=True) / count
    return centred, mean, var


def normalize(centred, var, weight=None, bias=None, eps=1e-5):
    """centred / sqrt(var + eps), then times weight plus bias, channel by channel."""
    scale = torch.rsqrt(var + eps)  # one number a channel: cheap
    if weight is not None:
        scale = scale * along_channels(weight, centred)
    output = centred * scale
    return output if bias is None else output + along_channels(bias, centred)


def update_estimates(running_mean, running_var, mean, var, values, momentum):
    """Move the running estimates (C) towards a batch's mean and biased variance.

    values: how many values per channel the batch had, at least 2.
    momentum: the weight of the batch, between 0 and 1. In place, without gradient.
    """
    with torch.no_grad():
        unbiased = var * (values / (values - 1))
        for running, new in ((running_mean, mean), (running_var, unbiased)):
            old = running.to(new.dtype)
            running.copy_((1 - momentum) * old + momentum * new.reshape(-1))


def check_batch_norm(input, vectors, training, momentum, eps):
    """Raise what `torch.nn.functional.batch_norm` raises.

    vectors: a dict with running_mean, running_var, weight and bias, tensors or None.
    """
    for name, value in {"input": input, **vectors}.items():
        if not isinstance(value, torch.Tensor) and (
            name == "input" or value is not None
        ):
            raise TypeError(f"{name} must be a Tensor, not {type(value).__name__}")
    if not isinstance(training, bool):
        raise TypeError(f"training must be a bool, but got training={training!r}")
    for name, number in {"momentum": momentum, "eps": eps}.items():
        if not isinstance(number, (int, float)):
            raise TypeError(f"{name} must be a number, but got {name}={number!r}")
    if input.dim() < 2:
        raise RuntimeError(f"input must be (N, C, ...), got size {list(input.shape)}")
    if training and input.shape[0] * math.prod(input.shape[2:]) == 1:
        raise ValueError(
            "Expected more than 1 value per channel when training, "
            f"got input size {list(input.shape)}"
        )
    if eps < 0 or (training and eps == 0):
        raise ValueError(f"eps must be positive, but got eps={eps}")
    if not input.is_floating_point():
        raise NotImplementedError(f"input must be floating point, not {input.dtype}")
    missing = [
        name for name in ("running_mean", "running_var") if vectors[name] is None
    ]
    if training and len(missing) == 1:
        raise ValueError("running_mean and running_var: give both or neither")
    if missing and not training:
        raise RuntimeError(f"{missing[0]} must be defined in evaluation mode")
    check_vectors(input, vectors)


def check_vectors(input, vectors):
    """Raise RuntimeError for a vector whose size or dtype does not fit the input."""
    given = {name: vector for name, vector in vectors.items() if vector is not None}
    for name, vector in given.items():
        if vector.numel() != input.shape[1]:
            raise RuntimeError(
                f"{name} should contain {input.shape[1]} elements not {vector.numel()}"
            )
    # Half precision may have vectors in float32: all of them, or none.
    half = input.dtype in (torch.float16, torch.bfloat16)
    allowed = (input.dtype, torch.float32) if half else (input.dtype,)
    dtypes = {vector.dtype for vector in given.values()}
    if len(dtypes) > 1 or not dtypes <= set(allowed):
        seen = ", ".join(f"{name} {vector.dtype}" for name, vector in given.items())
        raise RuntimeError(f"mixed dtypes: input is {input.dtype}, but got {seen}")


def batch_norm(
    input,
    running_mean,
    running_var,
    weight=None,
    bias=None,
    training=False,
    momentum=0.1,
    eps=1e-5,
):
    """Batch normalization, the twin of `torch.nn.functional.batch_norm`.

    input: (N, C, ...). running_mean, running_var, weight, bias: (C) or None.
    training: True normalizes by the batch's mean and biased variance, and moves
        running_mean and running_var in place, by `momentum`, towards the batch's mean
        and unbiased variance; False normalizes by running_mean and running_var.
    Returns a tensor of the input's shape and dtype.
    Raises ValueError for one value per channel in training and for a bad eps,
    RuntimeError for sizes or dtypes that do not fit, TypeError for wrong types.
    Source: the page of torch.nn.functional.batch_norm in PyTorch's documentation.
    """
    vectors = dict(running_mean=running_mean, running_var=running_var)
    vectors |= dict(weight=weight, bias=bias)
    check_batch_norm(input, vectors, training, momentum, eps)
    # Half precision is too coarse for sums over a batch: compute in float32.
    half = input.dtype in (torch.float16, torch.bfloat16)
    x = input.float() if half else input
    if training:
        centred, mean, var = batch_statistics(x)
        values = input.shape[0] * math.prod(input.shape[2:])
        if running_mean is not None and values > 0:
            update_estimates(running_mean, running_var, mean, var, values, momentum)
    else:
        centred = x - along_channels(running_mean, x).to(x.dtype)
        var = along_channels(running_var, x).to(x.dtype)
    return normalize(centred, var, weight, bias, eps).to(input.dtype)


def batch_norm_backward(grad_output, centred, var, weight=None, eps=1e-5):
    """Gradients of batch normalization in training, by hand.

    grad_output: (N, C, ...); centred (N, C, ...) and var (1, C, 1, ...): what
    `batch_statistics` said of the input; weight: (C) or None.
    Returns the gradients of input (N, C, ...), weight (C) and bias (C).
    """
    axes = [axis for axis in range(centred.dim()) if axis != 1]
    r = torch.rsqrt(var + eps)
    m = centred.numel() // centred.shape[1]

    grad_bias = grad_output.sum(axes, keepdim=True)
    grad_weight = r * (grad_output * centred).sum(axes, keepdim=True)
    through_mean = grad_bias / m
    through_var = centred * (r * grad_weight / m)  # x-hat is centred * r
    scale = r if weight is None else r * along_channels(weight, centred)
    grad_input = scale * (grad_output - through_mean - through_var)
    return grad_input, grad_weight.flatten(), grad_bias.flatten()


class _NormState(nn.Module):
    """Two parameters and three buffers, each of them a tensor or None."""

    def __init__(self, num_features, affine, bias, track_running_stats, **factory):
        super().__init__()
        self.num_features = num_features
        self.affine = affine
        self.track_running_stats = track_running_stats
        for name, wanted in {"weight": affine, "bias": affine and bias}.items():
            vector = torch.empty(num_features, **factory) if wanted else None
            self.register_parameter(name, nn.Parameter(vector) if wanted else None)
        count = torch.tensor(0, device=factory["device"])  # int64, whatever the dtype
        buffers = {
            "running_mean": torch.zeros(num_features, **factory),
            "running_var": torch.ones(num_features, **factory),
            "num_batches_tracked": count,
        }
        for name, buffer in buffers.items():
            self.register_buffer(name, buffer if track_running_stats else None)
        self.reset_parameters()

    def reset_running_stats(self):
        """Forget all batches, where there is anything to forget."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self):
        """The identity on normalized values, and no batch seen."""
        self.reset_running_stats()
        if self.weight is not None:
            nn.init.ones_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)


class _NormBase(_NormState):
    """torch's arguments, repr, and the loading of old checkpoints."""

    _version = 2  # of the state_dict: since 2 it holds num_batches_tracked

    def __init__(
        self,
        num_features,
        eps=1e-5,
        momentum=0.1,
        affine=True,
        track_running_stats=True,
        device=None,
        dtype=None,
        *,
        bias=True,
    ):
        held = num_features, affine, bias, track_running_stats
        super().__init__(*held, device=device, dtype=dtype)
        self.eps = eps
        self.momentum = momentum

    def extra_repr(self):
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *others):
        version = local_metadata.get("version")
        key = prefix + "num_batches_tracked"
        if (version is None or version < 2) and self.track_running_stats:
            if key not in state_dict:
                state_dict[key] = self.num_batches_tracked
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *others)


class _BatchNorm(_NormBase):
    """What BatchNorm1d, 2d and 3d share: all but the shapes that they accept."""

    _axes = {}  # number of axes of an input: how to name it

    def forward(self, input):
        if input.dim() not in self._axes:
            shapes = " or ".join(self._axes.values())
            raise ValueError(f"expected input {shapes}, got size {list(input.shape)}")
        estimates = self.running_mean, self.running_var
        by_batch = self.training or all(estimate is None for estimate in estimates)
        momentum = self.weight_of_this_batch()
        if self.training and not self.track_running_stats:
            estimates = None, None
        options = by_batch, momentum, self.eps
        return batch_norm(input, *estimates, self.weight, self.bias, *options)

    def weight_of_this_batch(self):
        """Count a batch in training; return its weight in the running estimates."""
        learns = self.training and self.track_running_stats
        if learns and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:  # the plain average: the k-th batch weighs 1 / k
                return 1.0 / float(self.num_batches_tracked)
        return 0.0 if self.momentum is None else self.momentum


class BatchNorm1d(_BatchNorm):
    """Batch normalization of (N, C) or (N, C, L), the twin of `torch.nn.BatchNorm1d`.

    Parameters: weight (num_features), which starts at 1, and bias (num_features),
        which starts at 0; neither with affine=False.
    Buffers: running_mean (num_features), running_var (num_features) and
        num_batches_tracked (), an int64; none with track_running_stats=False.
    momentum: the weight of a new batch in the running estimates; None for their plain
        average over all batches.
    Raises ValueError for an input of another number of axes, and in training for one
    value per channel; RuntimeError for another number of channels.
    Source: Ioffe and Szegedy (2015), and the page of torch.nn.BatchNorm1d.
    """

    _axes = {2: "(N, C)", 3: "(N, C, L)"}


class BatchNorm2d(_BatchNorm):
    """Batch normalization of (N, C, H, W), the twin of `torch.nn.BatchNorm2d`.

    All else as in BatchNorm1d.
    """

    _axes = {4: "(N, C, H, W)"}


class BatchNorm3d(_BatchNorm):
    """Batch normalization of (N, C, D, H, W), the twin of `torch.nn.BatchNorm3d`.

    All else as in BatchNorm1d.
    """

    _axes = {5: "(N, C, D, H, W)"}
