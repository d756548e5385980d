"""1-D convolution.

From book/chapters/04_convolution_1d.md. Derived by `make notebooks`: do not edit.
"""

import itertools
import math

import torch
from einops import rearrange
from torch import nn


def output_length(length, kernel_size, stride=1, padding=0, dilation=1):
    """Number of positions at which a 1-D kernel fits (all arguments and the result are counts of samples).

    Raises RuntimeError when the kernel does not fit at all, as torch does.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv1d.html, section "Shape".
    """
    span = dilation * (kernel_size - 1) + 1
    if length + 2 * padding < span:
        raise RuntimeError(f"kernel spans {span} samples, but the padded input has only {length + 2 * padding}")
    return (length + 2 * padding - span) // stride + 1


def conv1d_loops(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Cross-correlation by its definition, one multiplication at a time.

    input (N, C_in, L), weight (C_out, C_in / groups, K), bias (C_out) -> (N, C_out, L_out); the other arguments are ints.
    """
    N, _, L = input.shape
    C_out, C_per_group, K = weight.shape
    L_out = output_length(L, K, stride, padding, dilation)
    output = input.new_zeros(N, C_out, L_out)
    for n, o, l in itertools.product(range(N), range(C_out), range(L_out)):
        first_channel = o // (C_out // groups) * C_per_group
        total = 0.0 if bias is None else bias[o]
        for c, k in itertools.product(range(C_per_group), range(K)):
            i = stride * l + dilation * k - padding  # sample of the signal under tap k
            if 0 <= i < L:
                total = total + weight[o, c, k] * input[n, first_channel + c, i]
        output[n, o, l] = total
    return output


def pad1d(input, left, right, mode="zeros"):
    """Continue the last axis of `input` (..., L) by `left` and `right` samples: (..., left + L + right).

    mode: 'zeros', 'reflect', 'replicate' or 'circular'. Raises RuntimeError where torch does: negative zero padding, a reflection
    of L samples or more, a ring of more than L. Source: torch.nn.functional.pad.
    """
    length = input.shape[-1]
    if mode == "zeros":
        if min(left, right) < 0:
            raise RuntimeError(f"negative padding is not supported, but got padding={min(left, right)}")
        if left == right == 0:
            return input
        batch = input.shape[:-1]
        return torch.cat([input.new_zeros(*batch, left), input, input.new_zeros(*batch, right)], dim=-1)

    index = torch.arange(-left, length + right, device=input.device)
    if mode == "reflect":
        if max(left, right) >= length:
            raise RuntimeError(f"reflection needs padding < length, but got padding ({left}, {right}) and length {length}")
        index = (length - 1) - ((length - 1) - index.abs()).abs()  # fold at 0, then at length - 1
    elif mode == "replicate":
        index = index.clamp(0, length - 1)
    else:
        if max(left, right) > length:
            raise RuntimeError(f"circular padding wraps round once at most, but got padding ({left}, {right}) and length {length}")
        index = index.remainder(length)
    return input[..., index]


def windows(input, kernel_size, stride=1, dilation=1):
    """View of all windows of the last axis: (..., L) -> (..., L_out, kernel_size), sharing the memory of `input`."""
    span = dilation * (kernel_size - 1) + 1
    return input.unfold(-1, span, stride)[..., ::dilation]


def conv1d_windows(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Cross-correlation as one product over a view of all windows. Arguments and shapes as in `conv1d_loops`."""
    view = windows(pad1d(input, padding, padding), weight.shape[-1], stride, dilation)  # (N, C_in, L_out, K)
    view = rearrange(view, "n (g c) l k -> n g c l k", g=groups)
    kernels = rearrange(weight, "(g o) c k -> g o c k", g=groups)
    output = rearrange(torch.einsum("ngclk,gock->ngol", view, kernels), "n g o l -> n (g o) l")
    return output if bias is None else output + bias.to(output.dtype)[:, None]


def single(value, name):
    """The int in `value`, which is an int or, as torch allows, a sequence of one int."""
    if isinstance(value, (tuple, list)):
        if len(value) != 1:
            raise RuntimeError(f"expected {name} to be one integer or a list of 1 integer, but got {name}={list(value)}")
        (value,) = value
    if not isinstance(value, int):
        raise TypeError(f"{name} must be an integer, but got {name}={value!r}")
    return value


def padding_sides(padding, kernel_size, stride, dilation):
    """How many samples `padding` (an int, 'same' or 'valid') adds on the left and on the right."""
    if padding == "valid":
        return 0, 0
    if padding == "same":
        if stride != 1:
            raise RuntimeError("padding='same' is not supported for strided convolutions")
        total = dilation * (kernel_size - 1)
        return total // 2, total - total // 2
    if isinstance(padding, str):
        raise RuntimeError(f"Invalid padding string: {padding!r}, should be 'same' or 'valid'")
    padding = single(padding, "padding")
    return padding, padding


def check_conv1d(input, weight, bias, stride, dilation, groups):
    """Raise RuntimeError or TypeError for what `torch.nn.functional.conv1d` refuses."""
    for name, value in [("input", input), ("weight", weight), ("bias", bias)]:
        if not isinstance(value, torch.Tensor) and not (name == "bias" and value is None):
            raise TypeError(f"conv1d: {name} must be a Tensor, not {type(value).__name__}")
    if input.dim() not in (2, 3):
        raise RuntimeError(f"Expected 2D (unbatched) or 3D (batched) input to conv1d, but got input of size: {list(input.shape)}")
    if weight.dim() != 3:
        raise RuntimeError(f"weight should have three dimensions, but got weight of size {list(weight.shape)}")
    for name, value in [("stride", stride), ("dilation", dilation), ("groups", groups)]:
        if value <= 0:
            raise RuntimeError(f"non-positive {name} is not supported, but got {name}={value}")
    if weight.shape[0] == 0 or weight.shape[0] % groups:
        raise RuntimeError(f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of size {list(weight.shape)}")
    if input.shape[-2] != weight.shape[1] * groups:
        raise RuntimeError(
            f"Given groups={groups}, weight of size {list(weight.shape)}, expected input{list(input.shape)} to have "
            f"{weight.shape[1] * groups} channels, but got {input.shape[-2]} channels instead"
        )
    if bias is not None and bias.shape != weight.shape[:1]:
        raise RuntimeError(f"Given weight of size {list(weight.shape)}, expected bias of size {list(weight.shape[:1])}, but got {list(bias.shape)}")
    if bias is not None and bias.dtype != weight.dtype:
        raise RuntimeError(f"weight type ({weight.dtype}) and bias type ({bias.dtype}) should be the same")


def conv1d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """1-D cross-correlation, the twin of `torch.nn.functional.conv1d`.

    input: (N, C_in, L), or (C_in, L) without a batch axis. weight: (C_out, C_in / groups, K). bias: (C_out) or None.
    stride, dilation, groups: positive ints. padding: samples of zeros on each side, or 'same' (stride 1 only; an odd extra sample goes to the right), or 'valid'.
    Returns (N, C_out, L_out) or (C_out, L_out), L_out = floor((L + 2 padding - dilation (K - 1) - 1) / stride) + 1.
    Raises RuntimeError for sizes that do not fit, TypeError for arguments of the wrong type.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv1d.html
    """
    stride, dilation = single(stride, "stride"), single(dilation, "dilation")
    check_conv1d(input, weight, bias, stride, dilation, groups)
    left, right = padding_sides(padding, weight.shape[-1], stride, dilation)
    batch = input if input.dim() == 3 else input.unsqueeze(0)
    padded = pad1d(batch, left, right)
    output_length(padded.shape[-1], weight.shape[-1], stride, 0, dilation)  # raises when the kernel does not fit
    output = conv1d_windows(padded, weight, bias, stride, 0, dilation, groups)
    return output if input.dim() == 3 else output.squeeze(0)


def conv1d_backward(grad_output, input, weight, stride=1, padding=0, dilation=1, groups=1):
    """Gradients of `conv1d_windows`: (grad_input (N, C_in, L), grad_weight (C_out, C_in / groups, K), grad_bias (C_out)).

    grad_output: (N, C_out, L_out), the gradient of the loss with respect to the output; `padding` is an int.
    """
    K, L, L_out = weight.shape[-1], input.shape[-1], grad_output.shape[-1]
    padded = pad1d(input, padding, padding)
    view = rearrange(windows(padded, K, stride, dilation), "n (g c) l k -> n g c l k", g=groups)
    kernels = rearrange(weight, "(g o) c k -> g o c k", g=groups)
    grad = rearrange(grad_output, "n (g o) l -> n g o l", g=groups)

    grad_bias = grad_output.sum(dim=(0, 2))
    grad_weight = rearrange(torch.einsum("ngol,ngclk->gock", grad, view), "g o c k -> (g o) c k")
    grad_windows = rearrange(torch.einsum("ngol,gock->ngclk", grad, kernels), "n g c l k -> n (g c) l k")
    grad_padded = torch.zeros_like(padded)
    for k in range(K):
        start = dilation * k
        grad_padded[..., start : start + stride * (L_out - 1) + 1 : stride] += grad_windows[..., k]
    return grad_padded[..., padding : padding + L], grad_weight, grad_bias


class Conv1d(nn.Module):
    """1-D convolution layer (cross-correlation), the twin of `torch.nn.Conv1d`.

    Input (N, C_in, L) or (C_in, L); output (N, C_out, L_out) or (C_out, L_out).
    Parameters: weight (out_channels, in_channels / groups, kernel_size), bias (out_channels) or None; both start uniform in
    +-1/sqrt(fan_in), fan_in = kernel_size * in_channels / groups.
    padding: samples on each side, 'same' or 'valid'. padding_mode: 'zeros', 'reflect', 'replicate' or 'circular'.
    Raises ValueError when built with arguments that contradict each other, RuntimeError when called on a size that does not fit.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv1d.html
    """

    def __init__(
        self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True, padding_mode="zeros", device=None, dtype=None
    ):
        super().__init__()
        if groups <= 0:
            raise ValueError(f"groups must be a positive integer, but got groups={groups}")
        if in_channels % groups or out_channels % groups:
            name, channels = ("in_channels", in_channels) if in_channels % groups else ("out_channels", out_channels)
            raise ValueError(f"{name} must be divisible by groups, but got {name}={channels} and groups={groups}")
        if isinstance(padding, str) and padding not in ("same", "valid"):
            raise ValueError(f"Invalid padding string {padding!r}, should be 'same' or 'valid'")
        if padding == "same" and single(stride, "stride") != 1:
            raise ValueError("padding='same' is not supported for strided convolutions")
        if padding_mode not in ("zeros", "reflect", "replicate", "circular"):
            raise ValueError(f"padding_mode must be 'zeros', 'reflect', 'replicate' or 'circular', but got padding_mode={padding_mode!r}")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = (single(kernel_size, "kernel_size"),)
        self.stride = (single(stride, "stride"),)
        self.padding = padding if isinstance(padding, str) else (single(padding, "padding"),)
        self.dilation = (single(dilation, "dilation"),)
        self.groups = groups
        self.padding_mode = padding_mode
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels // groups, *self.kernel_size, device=device, dtype=dtype))
        self.register_parameter("bias", nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self):
        fan_in = self.weight[0].numel() if self.weight.numel() else 0
        bound = 1 / math.sqrt(fan_in) if fan_in else 0.0
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.uniform_(-bound, bound)

    def forward(self, input):
        if self.padding_mode == "zeros":
            return conv1d(input, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)
        sides = padding_sides(self.padding, *self.kernel_size, *self.stride, *self.dilation)
        return conv1d(pad1d(input, *sides, self.padding_mode), self.weight, self.bias, self.stride, 0, self.dilation, self.groups)

    def extra_repr(self):
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        shown = [("padding", self.padding, (0,)), ("dilation", self.dilation, (1,)), ("groups", self.groups, 1)]
        shown += [("bias", self.bias is not None, True), ("padding_mode", self.padding_mode, "zeros")]
        return text + "".join(f", {name}={value}" for name, value, default in shown if value != default)
