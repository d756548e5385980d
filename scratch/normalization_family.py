"""The normalization family.

From book/chapters/10_normalization_family.md. Derived by `make notebooks`: do not edit.
"""

import math

import torch
from torch import nn


def widen(tensor):
    """Half precision as float32, anything else as it is."""
    half = tensor.dtype in (torch.float16, torch.bfloat16)
    return tensor.float() if half else tensor


def standardize(input, axes, eps):
    """(input - mean) / sqrt(variance + eps), both over `axes`; at least float32."""
    input = widen(input)
    if input.numel() == 0:
        return input
    centred = input - input.mean(dim=axes, keepdim=True)
    variance = centred.square().mean(dim=axes, keepdim=True)
    return centred * torch.rsqrt(variance + eps)


def scale_and_shift(normal, weight, bias, dtype):
    """normal * weight + bias, each of them optional, as `dtype`."""
    if weight is not None:
        normal = normal * widen(weight)
    if bias is not None:
        normal = normal + widen(bias)
    return normal.to(dtype)


def check_parameters(input, shape, weight, bias):
    """Raise for a weight or bias that does not fit, or an input without fractions.

    RuntimeError for a wrong shape or dtype (float32 beside a half-precision input is
    allowed), NotImplementedError for an integer or complex input, as torch raises.
    """
    for name, value in {"weight": weight, "bias": bias}.items():
        if value is None:
            continue
        if tuple(value.shape) != tuple(shape):
            raise RuntimeError(
                f"{name} must have shape {tuple(shape)}, but has {tuple(value.shape)}"
            )
        if value.dtype not in (input.dtype, widen(input).dtype):
            raise RuntimeError(f"input is {input.dtype}, but {name} is {value.dtype}")
    if not input.is_floating_point():
        raise NotImplementedError(f"input must be floating point, not {input.dtype}")


def last_axes(input, normalized_shape, weight, bias):
    """The numbers of the axes that `normalized_shape` names; raises as torch does."""
    if not isinstance(input, torch.Tensor):
        raise TypeError(f"input must be a Tensor, not {type(input).__name__}")
    if not isinstance(normalized_shape, (tuple, list)):
        raise TypeError(f"normalized_shape must be a tuple, not {normalized_shape!r}")
    shape, size = tuple(normalized_shape), tuple(input.shape)
    if not shape or size[-len(shape) :] != shape:
        raise RuntimeError(
            f"normalized_shape={shape} must be the last axes, one or more, of the "
            f"input's {size}"
        )
    check_parameters(input, shape, weight, bias)
    return tuple(range(-len(shape), 0))


def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-5):
    """Layer normalization, the twin of `torch.nn.functional.layer_norm`.

    input: (*, *normalized_shape); weight, bias: normalized_shape, or None.
    Mean and variance are taken over the last len(normalized_shape) axes.
    Raises RuntimeError for sizes or dtypes that do not fit, TypeError for wrong types.
    Source: Ba, Kiros and Hinton, 2016, and the page of torch.nn.LayerNorm.
    """
    axes = last_axes(input, normalized_shape, weight, bias)
    normal = standardize(input, axes, eps)
    return scale_and_shift(normal, weight, bias, input.dtype)


def rms_norm(input, normalized_shape, weight=None, eps=None):
    """Division by the root mean square, twin of `torch.nn.functional.rms_norm`.

    input: (*, *normalized_shape); weight: normalized_shape, or None.
    eps: added to the mean square; None is the machine epsilon of float32 for half and
        single precision, of float64 for double.
    Raises RuntimeError for sizes that do not fit, TypeError for wrong types.
    Source: Zhang and Sennrich, 2019, and the page of torch.nn.RMSNorm.
    """
    # torch takes a weight of any floating-point dtype here
    same = None if weight is None else weight.to(input.dtype)
    axes = last_axes(input, normalized_shape, same, None)
    wide = widen(input)
    if eps is None:
        eps = torch.finfo(wide.dtype).eps
    mean_square = wide.square().mean(dim=axes, keepdim=True)
    normal = wide * torch.rsqrt(mean_square + eps)
    return scale_and_shift(normal, weight, None, input.dtype)


def check_groups(input, num_groups):
    """Raise for an input or a number of groups that torch's group_norm refuses."""
    shape = tuple(input.shape)
    given = f"an input of shape {shape} with num_groups={num_groups!r}"
    if not isinstance(num_groups, int) or isinstance(num_groups, bool):
        raise TypeError(f"num_groups must be an int, but got {num_groups!r}")
    if len(shape) < 2 or 0 in shape[2:]:
        raise RuntimeError(f"input must be (N, C, *) with positions, not {given}")
    if num_groups == 0:
        raise ZeroDivisionError("num_groups must be positive, but got num_groups=0")
    if shape[0] * shape[1] // num_groups * math.prod(shape[2:]) == 1:
        raise ValueError(f"one value has no variance: got {given}")
    if num_groups < 0 or shape[1] % num_groups:
        raise RuntimeError(f"num_groups must divide the channels: got {given}")


def per_channel(parameter, input):
    """A parameter (C,) with as many axes as an input (N, C, *) has behind N."""
    return None if parameter is None else parameter.view(-1, *[1] * (input.dim() - 2))


def group_norm(input, num_groups, weight=None, bias=None, eps=1e-5):
    """Group normalization, the twin of `torch.nn.functional.group_norm`.

    input: (N, C, *); weight, bias: (C,), or None. Each sample is normalized over
    C / num_groups neighbouring channels and all positions.
    Raises RuntimeError where num_groups does not divide C or sizes do not fit,
    ValueError where a single value is left, TypeError for wrong types.
    Source: Wu and He, 2018, and the page of torch.nn.GroupNorm.
    """
    check_groups(input, num_groups)
    check_parameters(input, input.shape[1:2], weight, bias)
    grouped = input.reshape(
        input.shape[0], num_groups, math.prod(input.shape[1:]) // num_groups
    )
    normal = standardize(grouped, (-1,), eps).view(input.shape)
    parameters = per_channel(weight, input), per_channel(bias, input)
    return scale_and_shift(normal, *parameters, input.dtype)


def check_running(input, running_mean, running_var, use_input_stats):
    """Raise for running estimates that torch's instance_norm refuses."""
    shape, channels = tuple(input.shape), tuple(input.shape[1:2])
    estimates = {"running_mean": running_mean, "running_var": running_var}
    missing = [name for name, value in estimates.items() if value is None]
    if use_input_stats and math.prod(shape[2:]) == 1:
        raise ValueError(f"one position has no variance: input has shape {shape}")
    if len(missing) == 1:
        raise ValueError(f"running_mean and running_var go together: no {missing[0]}")
    if missing and not use_input_stats:
        raise RuntimeError("use_input_stats=False needs running_mean and running_var")
    for name, value in estimates.items():
        if value is not None and tuple(value.shape) != channels:
            raise RuntimeError(f"{name} must have shape {channels}, not {value.shape}")


@torch.no_grad()
def update_running(running_mean, running_var, input, momentum):
    """Move the estimates (C,) towards the samples' mean statistics, in place."""
    axes = tuple(range(2, input.dim()))
    variance, mean = torch.var_mean(widen(input), dim=axes, correction=1)  # (N, C)
    for running, new in ((running_mean, mean), (running_var, variance)):
        running.mul_(1 - momentum).add_(momentum * new.mean(dim=0).to(running.dtype))


def instance_norm(
    input,
    running_mean=None,
    running_var=None,
    weight=None,
    bias=None,
    use_input_stats=True,
    momentum=0.1,
    eps=1e-5,
):
    """Instance normalization, the twin of `torch.nn.functional.instance_norm`.

    input: (N, C, *); the four tensors that may follow: (C,), or None.
    use_input_stats: normalize each channel of each sample by its own mean and
        variance, and move the running estimates, where given, by `momentum`; else
        normalize by the running estimates.
    Raises ValueError for a single position or one running estimate without the other,
    RuntimeError for sizes or dtypes that do not fit.
    Source: Ulyanov, Vedaldi and Lempitsky, 2016; the page of torch.nn.InstanceNorm2d.
    """
    check_running(input, running_mean, running_var, use_input_stats)
    check_parameters(input, input.shape[1:2], weight, bias)
    if use_input_stats:
        if running_mean is not None:
            update_running(running_mean, running_var, input, momentum)
        normal = standardize(input, tuple(range(2, input.dim())), eps)
    else:
        mean, variance = (
            per_channel(running_mean, input),
            per_channel(running_var, input),
        )
        normal = (widen(input) - mean) * torch.rsqrt(variance + eps)
    parameters = per_channel(weight, input), per_channel(bias, input)
    return scale_and_shift(normal, *parameters, input.dtype)


def sum_to(tensor, shape):
    """Sum over the axes along which `shape` was repeated to give the tensor's shape."""
    lead = tensor.dim() - len(shape)
    ones = [lead + axis for axis, size in enumerate(shape) if size == 1]
    axes = [*range(lead), *ones]
    return tensor.sum(dim=axes).view(shape) if axes else tensor


def norm_backward(grad_output, input, axes, eps, weight=None, subtract_mean=True):
    """Gradients of scale_and_shift(standardize(...)): for input, weight and bias.

    weight: a tensor that broadcasts to the input, or None for ones of its shape.
    subtract_mean=False: of `rms_norm`, which has no bias.
    """
    mean = input.mean(dim=axes, keepdim=True) if subtract_mean else 0
    variance = (input - mean).square().mean(dim=axes, keepdim=True)
    one_over_s = torch.rsqrt(variance + eps)
    normal = (input - mean) * one_over_s

    weight = torch.ones_like(input) if weight is None else weight
    hidden = grad_output * weight
    along = (hidden * normal).mean(dim=axes, keepdim=True)
    level = hidden.mean(dim=axes, keepdim=True) if subtract_mean else 0
    grad_input = one_over_s * (hidden - level - normal * along)
    grad_weight = sum_to(grad_output * normal, weight.shape)
    return grad_input, grad_weight, sum_to(grad_output, weight.shape)


class AffineNorm(nn.Module):
    """What the family shares: weight and bias, that start at ones and zeros."""

    def make_parameters(self, shape, weight, bias, device, dtype):
        for name, wanted in {"weight": weight, "bias": weight and bias}.items():
            if wanted:
                empty = torch.empty(shape, device=device, dtype=dtype)
                self.register_parameter(name, nn.Parameter(empty))
            else:
                self.register_parameter(name, None)

    def reset_parameters(self):
        if self.weight is not None:
            nn.init.ones_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)


class LastAxesNorm(AffineNorm):
    """What LayerNorm and RMSNorm share: `normalized_shape`, an int or several."""

    def set_up(self, normalized_shape, eps, elementwise_affine, bias, device, dtype):
        if isinstance(normalized_shape, int):
            normalized_shape = (normalized_shape,)
        self.normalized_shape = tuple(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.make_parameters(
            self.normalized_shape, elementwise_affine, bias, device, dtype
        )
        self.reset_parameters()

    def extra_repr(self):
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}"
        )


class LayerNorm(LastAxesNorm):
    """Normalization over the last axes, the twin of `torch.nn.LayerNorm`.

    normalized_shape: an int, or sizes of the last axes. Input (*, *normalized_shape).
    Parameters: weight and bias, of shape normalized_shape, or None.
    Raises RuntimeError when called on an input that does not end with these sizes.
    Source: Ba, Kiros and Hinton, 2016, and the page of torch.nn.LayerNorm.
    """

    def __init__(
        self,
        normalized_shape,
        eps=1e-5,
        elementwise_affine=True,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.set_up(normalized_shape, eps, elementwise_affine, bias, device, dtype)

    def forward(self, input):
        return layer_norm(
            input, self.normalized_shape, self.weight, self.bias, self.eps
        )

    def extra_repr(self):
        return f"{super().extra_repr()}, bias={self.bias is not None}"


class RMSNorm(LastAxesNorm):
    """Division by the root mean square of the last axes, twin of `torch.nn.RMSNorm`.

    As LayerNorm, without a bias; eps: None stands for the machine epsilon.
    Source: Zhang and Sennrich, 2019, and the page of torch.nn.RMSNorm.
    """

    def __init__(
        self,
        normalized_shape,
        eps=None,
        elementwise_affine=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.set_up(normalized_shape, eps, elementwise_affine, False, device, dtype)

    def forward(self, x):
        return rms_norm(x, self.normalized_shape, self.weight, self.eps)


class GroupNorm(AffineNorm):
    """Normalization over groups of channels, the twin of `torch.nn.GroupNorm`.

    Input (N, num_channels, *). Parameters: weight and bias (num_channels,), or None.
    Raises ValueError when num_groups does not divide num_channels.
    Source: Wu and He, 2018, and the page of torch.nn.GroupNorm.
    """

    def __init__(
        self,
        num_groups,
        num_channels,
        eps=1e-5,
        affine=True,
        device=None,
        dtype=None,
        *,
        bias=True,
    ):
        super().__init__()
        if num_groups == 0:
            raise ZeroDivisionError("num_groups must be positive, but got num_groups=0")
        if num_channels % num_groups:
            raise ValueError(
                "num_channels must be divisible by num_groups, but got "
                f"num_channels={num_channels} and num_groups={num_groups}"
            )
        self.num_groups, self.num_channels = num_groups, num_channels
        self.eps, self.affine = eps, affine
        self.make_parameters(num_channels, affine, bias, device, dtype)
        self.reset_parameters()

    def forward(self, input):
        return group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self):
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, "
            f"affine={self.affine}, bias={self.bias is not None}"
        )


class RunningNorm(AffineNorm):
    """A normalization that can keep running estimates (C,), as buffers."""

    def make_estimates(self, num_features, wanted, device, dtype):
        estimates = {
            "running_mean": torch.zeros(num_features, device=device, dtype=dtype),
            "running_var": torch.ones(num_features, device=device, dtype=dtype),
            "num_batches_tracked": torch.tensor(0, device=device),
        }
        for name, value in estimates.items():
            self.register_buffer(name, value if wanted else None)

    def reset_running_stats(self):
        if self.running_mean is not None:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self):
        self.reset_running_stats()
        super().reset_parameters()


def as_batch(input, positions, num_features):
    """The input with a batch axis; raises for other axes or (if told) channels."""
    axes, channels = input.dim(), input.shape[-positions - 1 :][:1]
    if axes not in (positions + 1, positions + 2):
        wanted = f"{positions + 1} or {positions + 2} axes"
        raise ValueError(f"input must have {wanted}, but has {axes}")
    if num_features is not None and channels != (num_features,):
        wanted = f"num_features={num_features} channels"
        raise ValueError(f"input must have {wanted}, but has {channels[0]}")
    return input if axes == positions + 2 else input.unsqueeze(0)


class InstanceNormNd(RunningNorm):
    """The body of InstanceNorm1d, 2d, 3d; `positions` is how many axes they reduce."""

    positions = None
    _version = 2  # of torch's layer: a state_dict carries it

    def __init__(
        self,
        num_features,
        eps=1e-5,
        momentum=0.1,
        affine=False,
        track_running_stats=False,
        device=None,
        dtype=None,
        *,
        bias=True,
    ):
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self.make_parameters(num_features, affine, bias, device, dtype)
        self.make_estimates(num_features, track_running_stats, device, dtype)
        self.reset_parameters()

    def forward(self, input):
        channels = self.num_features if self.affine else None
        batch = as_batch(input, self.positions, channels)
        by_itself = self.training or not self.track_running_stats
        momentum = 0.0 if self.momentum is None else self.momentum
        tensors = self.running_mean, self.running_var, self.weight, self.bias
        output = instance_norm(batch, *tensors, by_itself, momentum, self.eps)
        return output.view(input.shape)

    def extra_repr(self):
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )


class InstanceNorm1d(InstanceNormNd):
    """Instance normalization of (N, C, L) or (C, L), twin of `torch.nn.InstanceNorm1d`.

    Parameters: weight and bias (C,), only with affine=True. Buffers, only with
    track_running_stats=True: running_mean and running_var (C,), num_batches_tracked.
    Raises ValueError for another number of axes, or for a single position in training.
    Source: Ulyanov, Vedaldi and Lempitsky, 2016; the page of torch.nn.InstanceNorm1d.
    """

    positions = 1


class InstanceNorm2d(InstanceNormNd):
    """As InstanceNorm1d, for (N, C, H, W) or (C, H, W)."""

    positions = 2


class InstanceNorm3d(InstanceNormNd):
    """As InstanceNorm1d, for (N, C, D, H, W) or (C, D, H, W)."""

    positions = 3


def channel_windows(input, before, after):
    """Sum over a window of channels, zeros outside: (N, C, *) -> (N, C, *)."""
    N, C, *positions = input.shape
    left = input.new_zeros(N, before, *positions)
    right = input.new_zeros(N, after, *positions)
    padded = torch.cat([left, input, right], dim=1)
    return sum(padded[:, i : i + C] for i in range(before + 1 + after))


def local_response_norm(input, size, alpha=1e-4, beta=0.75, k=1.0):
    """input / (k + alpha * mean square of `size` neighbouring channels) ** beta.

    The twin of `torch.nn.functional.local_response_norm`. input: (N, C, *), with at
    least one axis behind C. Channels outside count as zeros in the mean.
    Raises ValueError for fewer axes, RuntimeError for size < 1, TypeError for a size
    that is no int.
    Source: Krizhevsky, Sutskever and Hinton, 2012; page of torch.nn.LocalResponseNorm.
    """
    if input.dim() < 3:
        raise ValueError(f"input must be (N, C, *, ...), but has {input.dim()} axes")
    if input.numel() == 0:
        return input
    if not isinstance(size, int):
        raise TypeError(f"size must be an int, but got size={size!r}")
    if size <= 0:
        raise RuntimeError(f"size must be positive, but got size={size}")
    squares = channel_windows(input.square(), size // 2, (size - 1) // 2)
    return input / (k + alpha / size * squares) ** beta


class LocalResponseNorm(nn.Module):
    """Division by the activity of neighbouring channels; `torch.nn.LocalResponseNorm`.

    Input (N, C, *). No parameters, the same in training and evaluation.
    """

    def __init__(self, size, alpha=1e-4, beta=0.75, k=1.0):
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input):
        return local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self):
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


def pool_statistics(mean, variance, axis):
    """Mean and variance of the union of equally large sets, from those of each."""
    spread, pooled = torch.var_mean(mean, dim=axis, correction=0, keepdim=True)
    return pooled, variance.mean(dim=axis, keepdim=True) + spread


def three_statistics(input):
    """(mean, variance) of instance, layer and batch, from one reading of the input."""
    variance, mean = torch.var_mean(input, dim=(2, 3), correction=0, keepdim=True)
    layer = pool_statistics(mean, variance, axis=1)
    return (mean, variance), layer, pool_statistics(mean, variance, axis=0)


def mix(logits, statistics):
    """The sum of three statistics with the weights softmax(logits)."""
    return sum(w * value for w, value in zip(logits.softmax(0), statistics))


class SwitchNorm2d(RunningNorm):
    """A learned mixture of instance, layer and batch statistics, for (N, C, H, W).

    Not in torch. Parameters: weight and bias (C,); mean_weight and var_weight (3,), the
    logits of the mixture in the order instance, layer, batch. Buffers: running_mean,
    running_var (C,), num_batches_tracked, of the batch part, for evaluation.
    Raises ValueError for another number of axes or channels.
    Source: Luo et al., Differentiable Learning-to-Normalize, ICLR 2019.
    """

    def __init__(self, num_features, eps=1e-5, momentum=0.1, device=None, dtype=None):
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.make_parameters(num_features, True, True, device, dtype)
        self.mean_weight = nn.Parameter(torch.ones(3, device=device, dtype=dtype))
        self.var_weight = nn.Parameter(torch.ones(3, device=device, dtype=dtype))
        self.make_estimates(num_features, True, device, dtype)
        self.reset_parameters()

    @torch.no_grad()
    def remember(self, mean, variance):
        self.num_batches_tracked += 1
        rate = self.momentum
        if rate is None:
            rate = 1 / self.num_batches_tracked.item()
        self.running_mean.mul_(1 - rate).add_(rate * mean.flatten())
        self.running_var.mul_(1 - rate).add_(rate * variance.flatten())

    def forward(self, input):
        if input.dim() != 4 or input.shape[1] != self.num_features:
            wanted, got = f"(N, {self.num_features}, H, W)", tuple(input.shape)
            raise ValueError(f"input must be {wanted}, but has shape {got}")
        instance, layer, batch = three_statistics(input)
        if self.training:
            self.remember(*batch)
        else:
            batch = [b.view(1, -1, 1, 1) for b in (self.running_mean, self.running_var)]
        means, variances = zip(instance, layer, batch)
        variance = mix(self.var_weight, variances)
        normal = input - mix(self.mean_weight, means)
        normal = normal * torch.rsqrt(variance + self.eps)
        parameters = per_channel(self.weight, input), per_channel(self.bias, input)
        return scale_and_shift(normal, *parameters, input.dtype)

    def extra_repr(self):
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"
