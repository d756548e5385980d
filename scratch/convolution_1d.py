"""1-D convolution.

From book/chapters/04_convolution_1d.md. Derived by `make notebooks`: do not edit.
"""

import itertools
import math

import torch
from einops import rearrange
from torch import nn


def output_length(length, kernel_size, stride=1, padding=0, dilation=1):
    """Number of positions at which a 1-D kernel fits, all counted in samples.

    Raises RuntimeError when the kernel does not fit at all, as torch does.
    Source: the section "Shape" of torch.nn.Conv1d in PyTorch's documentation.
    """
    span = dilation * (kernel_size - 1) + 1
    if length + 2 * padding < span:
        raise RuntimeError(
            f"the kernel spans {span} samples, the padded input {length + 2 * padding}"
        )
    return (length + 2 * padding - span) // stride + 1


def conv1d_loops(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Cross-correlation by its definition, one multiplication at a time.

    input (N, C_in, L), weight (C_out, C_in / groups, K), bias (C_out) or None
    -> (N, C_out, L_out). The other arguments are ints.
    """
    N, _, L = input.shape
    C_out, C_per_group, K = weight.shape
    L_out = output_length(L, K, stride, padding, dilation)
    output = input.new_zeros(N, C_out, L_out)
    for n, o, l in itertools.product(range(N), range(C_out), range(L_out)):
        first_channel = (o // (C_out // groups)) * C_per_group
        total = 0.0 if bias is None else bias[o]
        for c, k in itertools.product(range(C_per_group), range(K)):
            i = stride * l + dilation * k - padding  # sample of the signal under tap k
            if 0 <= i < L:
                total = total + weight[o, c, k] * input[n, first_channel + c, i]
        output[n, o, l] = total
    return output


def pad1d(input, left, right, mode="zeros"):
    """Continue the last axis on both sides: (..., L) -> (..., left + L + right).

    mode: 'zeros', 'reflect', 'replicate' or 'circular'. Raises RuntimeError for
    negative zero padding, as torch.nn.functional.conv1d does, and for a reflection of
    L samples or more and a ring of more than L, as torch.nn.functional.pad does.
    Raises ValueError for another mode.
    """
    length = input.shape[-1]
    if mode == "zeros":
        if min(left, right) < 0:
            raise RuntimeError(f"padding must not be negative, got {left}, {right}")
        if left == right == 0:
            return input
        batch = input.shape[:-1]
        before, after = input.new_zeros(*batch, left), input.new_zeros(*batch, right)
        return torch.cat([before, input, after], dim=-1)

    if length == 0:
        raise RuntimeError(f"nothing to continue in an input {list(input.shape)}")
    index = torch.arange(-left, length + right, device=input.device)
    if mode == "reflect":
        if max(left, right) >= length:
            raise RuntimeError(
                f"reflection padding must be less than the length {length}, "
                f"but got padding {left}, {right}"
            )
        last = length - 1
        index = index.abs()  # the mirror at sample 0: -2 becomes 2
        index = last - (last - index).abs()  # the mirror at the last sample
    elif mode == "replicate":
        index = index.clamp(0, length - 1)
    elif mode == "circular":
        if max(left, right) > length:
            raise RuntimeError(
                f"circular padding goes round the length {length} at most once, "
                f"but got padding {left}, {right}"
            )
        index = index.remainder(length)
    else:
        raise ValueError(f"unknown padding mode {mode!r}")
    return input[..., index]


def windows(input, kernel_size, stride=1, dilation=1):
    """View of all windows of the last axis: (..., L) -> (..., L_out, kernel_size)."""
    span = dilation * (kernel_size - 1) + 1
    return input.unfold(-1, span, stride)[..., ::dilation]


def conv1d_windows(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """`conv1d_loops` as one product over a view of all windows."""
    padded = pad1d(input, padding, padding)
    view = windows(padded, weight.shape[-1], stride, dilation)  # (N, C_in, L_out, K)
    view = rearrange(view, "n (G c) l k -> n G c l k", G=groups)
    kernels = rearrange(weight, "(G o) c k -> G o c k", G=groups)
    output = torch.einsum("nGclk,Gock->nGol", view, kernels)
    output = rearrange(output, "n G o l -> n (G o) l")
    if bias is None:
        return output
    # In mixed precision (torch.autocast) the product is half precision: stay with that.
    return output + bias.to(output.dtype)[:, None]


def single(value, name):
    """The int in `value`: an int or, as torch allows, a sequence of one int."""
    if isinstance(value, (tuple, list)):
        if len(value) != 1:
            raise RuntimeError(f"expected one integer, but got {name}={list(value)}")
        (value,) = value
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an integer, but got {name}={value!r}")
    return value


def padding_sides(padding, kernel_size, stride, dilation):
    """How many samples `padding`, an int, 'same' or 'valid', adds left and right."""
    if padding == "valid":
        return 0, 0
    if padding == "same":
        if stride != 1:
            raise RuntimeError(f"padding='same' needs stride=1, not {stride}")
        total = dilation * (kernel_size - 1)
        return total // 2, total - total // 2
    if isinstance(padding, str):
        raise RuntimeError(f"padding must be 'same', 'valid' or int, not {padding!r}")
    padding = single(padding, "padding")
    return padding, padding


def check_conv1d(input, weight, bias, stride, dilation, groups):
    """Raise RuntimeError or TypeError for what `torch.nn.functional.conv1d` refuses."""
    tensors = {"input": input, "weight": weight}
    if bias is not None:
        tensors["bias"] = bias
    for name, value in tensors.items():
        if not isinstance(value, torch.Tensor):
            raise TypeError(f"{name} must be a Tensor, not {type(value).__name__}")
    numbers = {"stride": stride, "dilation": dilation, "groups": groups}
    for name, value in numbers.items():
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError(f"{name} must be an integer, but got {name}={value!r}")
        if value <= 0:
            raise RuntimeError(f"{name} must be positive, but got {name}={value}")

    sizes = {name: list(tensor.shape) for name, tensor in tensors.items()}
    if input.dim() not in (2, 3):
        raise RuntimeError(f"input must be (N, C, L) or (C, L), got {sizes['input']}")
    if weight.dim() != 3 or 0 in (weight.shape[0], weight.shape[2]):
        raise RuntimeError(
            "weight must be (C_out, C_in / groups, K) with C_out and K positive, "
            f"but got {sizes['weight']}"
        )
    if input.shape[-1] == 0:
        raise RuntimeError(f"input must have samples, but has size {sizes['input']}")
    out_channels, in_channels = weight.shape[0], weight.shape[1] * groups
    if out_channels % groups:
        raise RuntimeError(
            f"weight of size {sizes['weight']} has {out_channels} output channels, "
            f"which groups={groups} does not divide"
        )
    if input.shape[-2] != in_channels:
        raise RuntimeError(
            f"weight of size {sizes['weight']} with groups={groups} needs "
            f"{in_channels} input channels, but the input has size {sizes['input']}"
        )
    if bias is not None and bias.shape != (out_channels,):
        raise RuntimeError(f"bias must be ({out_channels},), but got {sizes['bias']}")
    if bias is not None and bias.dtype != weight.dtype:
        raise RuntimeError(f"weight is {weight.dtype}, but bias is {bias.dtype}")


def conv1d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """1-D cross-correlation, the twin of `torch.nn.functional.conv1d`.

    input: (N, C_in, L), or (C_in, L) without a batch axis.
    weight: (C_out, C_in / groups, K). bias: (C_out) or None.
    stride, dilation, groups: positive ints.
    padding: zeros on each side, counted in samples; or 'valid', none; or 'same', as
        many as keep the length, an odd one on the right (only with stride 1).
    Returns (N, C_out, L_out) or (C_out, L_out); for an int padding
        L_out = floor((L + 2 padding - dilation (K - 1) - 1) / stride) + 1.
    Raises RuntimeError for sizes that do not fit, TypeError for wrong types.
    Source: the page of torch.nn.functional.conv1d in PyTorch's documentation.
    """
    stride, dilation = single(stride, "stride"), single(dilation, "dilation")
    check_conv1d(input, weight, bias, stride, dilation, groups)
    left, right = padding_sides(padding, weight.shape[-1], stride, dilation)
    batch = input if input.dim() == 3 else input.unsqueeze(0)
    padded = pad1d(batch, left, right)
    # raises when the kernel does not fit
    output_length(padded.shape[-1], weight.shape[-1], stride, dilation=dilation)
    output = conv1d_windows(padded, weight, bias, stride, 0, dilation, groups)
    return output if input.dim() == 3 else output.squeeze(0)


def conv1d_backward(
    grad_output, input, weight, stride=1, padding=0, dilation=1, groups=1
):
    """Gradients of `conv1d_windows` with respect to input, weight and bias.

    grad_output: (N, C_out, L_out), the gradient of the loss with respect to the output.
    Returns tensors of shapes (N, C_in, L), (C_out, C_in / groups, K) and (C_out).
    """
    K, L, L_out = weight.shape[-1], input.shape[-1], grad_output.shape[-1]
    padded = pad1d(input, padding, padding)
    view = windows(padded, K, stride, dilation)
    view = rearrange(view, "n (G c) l k -> n G c l k", G=groups)
    kernels = rearrange(weight, "(G o) c k -> G o c k", G=groups)
    grad = rearrange(grad_output, "n (G o) l -> n G o l", G=groups)

    grad_bias = grad_output.sum(dim=(0, 2))
    grad_weight = torch.einsum("nGol,nGclk->Gock", grad, view)
    grad_weight = rearrange(grad_weight, "G o c k -> (G o) c k")
    grad_view = torch.einsum("nGol,Gock->nGclk", grad, kernels)
    grad_view = rearrange(grad_view, "n G c l k -> n (G c) l k")
    grad_padded = torch.zeros_like(padded)
    for k in range(K):
        first = dilation * k
        row = slice(first, first + stride * (L_out - 1) + 1, stride)  # read by tap k
        grad_padded[..., row] += grad_view[..., k]
    return grad_padded[..., padding : padding + L], grad_weight, grad_bias


class Conv1d(nn.Module):
    """1-D convolution layer (cross-correlation), the twin of `torch.nn.Conv1d`.

    Input (N, C_in, L) or (C_in, L); output (N, C_out, L_out) or (C_out, L_out).
    Parameters: weight (out_channels, in_channels / groups, kernel_size) and bias
        (out_channels) or None; both start uniform between -1/sqrt(fan_in) and
        1/sqrt(fan_in), with fan_in = kernel_size * in_channels / groups.
    padding: samples on each side, 'same' or 'valid'.
    padding_mode: 'zeros', 'reflect', 'replicate' or 'circular'.
    Raises ValueError when built with arguments that contradict each other, TypeError
    for wrong types, RuntimeError when called on a size that does not fit.
    Source: the page of torch.nn.Conv1d in PyTorch's documentation.
    """

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        groups=1,
        bias=True,
        padding_mode="zeros",
        device=None,
        dtype=None,
    ):
        super().__init__()
        if groups <= 0:
            raise ValueError(f"groups must be a positive integer, not {groups}")
        for name, channels in {"in": in_channels, "out": out_channels}.items():
            if channels % groups:
                raise ValueError(
                    f"{name}_channels must be divisible by groups, "
                    f"but got {name}_channels={channels} and groups={groups}"
                )
        if isinstance(padding, str) and padding not in ("same", "valid"):
            raise ValueError(f"padding must be 'same', 'valid' or int, not {padding!r}")
        if padding == "same" and single(stride, "stride") != 1:
            raise ValueError(f"padding='same' needs stride=1, but got stride={stride}")
        modes = ("zeros", "reflect", "replicate", "circular")
        if padding_mode not in modes:
            raise ValueError(f"padding_mode must be in {modes}, not {padding_mode!r}")
        if not isinstance(padding, str):
            padding = (single(padding, "padding"),)

        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = (single(kernel_size, "kernel_size"),)
        self.stride = (single(stride, "stride"),)
        self.padding = padding
        self.dilation = (single(dilation, "dilation"),)
        self.groups = groups
        self.padding_mode = padding_mode

        factory = {"device": device, "dtype": dtype}
        weight_size = (out_channels, in_channels // groups, *self.kernel_size)
        self.weight = nn.Parameter(torch.empty(weight_size, **factory))
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels, **factory))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self):
        fan_in = self.kernel_size[0] * self.in_channels // self.groups
        bound = 1 / math.sqrt(fan_in) if fan_in else 0.0
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.uniform_(-bound, bound)

    def forward(self, input):
        padding = self.padding
        if self.padding_mode != "zeros":
            ints = self.kernel_size[0], self.stride[0], self.dilation[0]
            input = pad1d(input, *padding_sides(padding, *ints), self.padding_mode)
            padding = 0
        options = self.stride, padding, self.dilation, self.groups
        return conv1d(input, self.weight, self.bias, *options)

    def extra_repr(self):
        text = f"{self.in_channels}, {self.out_channels}"
        text += f", kernel_size={self.kernel_size}, stride={self.stride}"
        shown_unless = {
            "padding": (self.padding, (0,)),
            "dilation": (self.dilation, (1,)),
            "groups": (self.groups, 1),
            "bias": (self.bias is not None, True),
            "padding_mode": (self.padding_mode, "zeros"),
        }
        for name, (value, default) in shown_unless.items():
            if value != default:
                text += f", {name}={value}"
        return text
