"""Pooling and dropout.

From book/chapters/07_pooling_and_dropout.md. Derived by `make notebooks`: do not edit.
"""

import itertools
import math
import warnings
from collections.abc import Iterable

import torch
from torch import nn


def pooled_length(length, kernel_size, stride, padding=0, dilation=1, ceil_mode=False):
    """Number of windows of a pooling layer along one axis, all counted in samples.

    With ceil_mode a window may reach past the padded end, but it must start before
    the padding on the right: one that would start there is left out.
    Raises RuntimeError when no window fits, as torch does.
    Source: the section "Shape" of torch.nn.MaxPool1d and the note on ceil_mode.
    """
    span = dilation * (kernel_size - 1) + 1
    room = length + 2 * padding - span  # how far the first window could still move
    windows = (-(-room // stride) if ceil_mode else room // stride) + 1
    if ceil_mode and (windows - 1) * stride >= length + padding:
        windows -= 1
    if windows < 1:
        raise RuntimeError(
            f"no window of {span} samples fits into {length} with padding={padding}"
        )
    return windows


def max_pool1d_loops(
    input, kernel_size, stride, padding=0, dilation=1, ceil_mode=False
):
    """Largest number of each window by the definition, and where it stood.

    input (N, C, L), the other arguments are ints -> two tensors (N, C, L_out).
    """
    N, C, L = input.shape
    L_out = pooled_length(L, kernel_size, stride, padding, dilation, ceil_mode)
    output = input.new_full((N, C, L_out), -math.inf)
    indices = torch.zeros(N, C, L_out, dtype=torch.long)
    for n, c, l in itertools.product(range(N), range(C), range(L_out)):
        empty = True
        for k in range(kernel_size):
            i = stride * l + dilation * k - padding
            if not 0 <= i < L:
                continue  # padding takes no part
            value = input[n, c, i]
            if empty or value > output[n, c, l] or value.isnan():
                output[n, c, l], indices[n, c, l], empty = value, i, False
    return output, indices


def avg_pool1d_loops(
    input, kernel_size, stride, padding=0, ceil_mode=False, count_include_pad=True
):
    """Mean of each window by the definition: (N, C, L) -> (N, C, L_out)."""
    N, C, L = input.shape
    L_out = pooled_length(L, kernel_size, stride, padding, 1, ceil_mode)
    output = input.new_zeros(N, C, L_out)
    for n, c, l in itertools.product(range(N), range(C), range(L_out)):
        start = stride * l - padding
        total, counted = 0.0, 0
        for i in range(start, start + kernel_size):
            if 0 <= i < L:
                total = total + input[n, c, i]
                counted += 1
            elif count_include_pad and i < L + padding:
                counted += 1  # a zero of the padding
        output[n, c, l] = total / counted
    return output


def window_table(
    length, kernel_size, stride, padding, dilation=1, ceil_mode=False, device=None
):
    """Which places each window reads: (L_out, kernel_size), the first sample is 0.

    Places below 0 and from `length` on lie in the padding, or beyond it.
    """
    count = pooled_length(length, kernel_size, stride, padding, dilation, ceil_mode)
    starts = stride * torch.arange(count, device=device) - padding
    return starts[:, None] + dilation * torch.arange(kernel_size, device=device)


def max_pool_taps(input, rows, columns):
    """Maximum over the windows of two tables: (..., H, W) -> (..., H_out, W_out) twice.

    The second tensor holds the place of each maximum in the flattened (H, W).
    Of equal numbers the first wins, of NaNs the last; padding never wins.
    """
    H, W = input.shape[-2:]
    flat = input.flatten(-2)  # (..., H W)
    numbers = flat.detach()
    winner = seen = best = None
    for a, b in itertools.product(range(rows.shape[1]), range(columns.shape[1])):
        row, column = rows[:, a, None], columns[None, :, b]
        inside = (0 <= row) & (row < H) & (0 <= column) & (column < W)
        inside = inside.flatten()  # (H_out W_out)
        place = (row * W + column).flatten().where(inside, 0)
        value = numbers[..., place]  # (..., H_out W_out)
        if winner is None:
            winner, best, seen = place.expand(value.shape), value, inside
            continue
        wins = inside & (~seen | (value > best) | (value != value))
        winner, best = place.where(wins, winner), value.where(wins, best)
        seen = seen | inside
    output = flat.gather(-1, winner)
    whole = not input.is_floating_point()
    lowest = torch.iinfo(input.dtype).min if whole else -math.inf
    output = output.masked_fill(~seen, lowest)
    shape = rows.shape[0], columns.shape[0]
    return output.unflatten(-1, shape), winner.unflatten(-1, shape)


def window_sums(input, table, axis):
    """Sums over the windows of a table along axis -1 or -2, which becomes L_out."""
    length = input.shape[axis]
    places = table.clamp(0, length - 1).flatten()
    values = input.index_select(axis, places).unflatten(axis, table.shape)
    outside = (table < 0) | (table >= length)  # (L_out, K)
    if axis == -2:
        outside = outside.unsqueeze(-1)
    return values.masked_fill(outside, 0).sum(dim=axis)


def window_counts(table, first, last):
    """How many places of each window lie from `first` to `last`: (L_out,)."""
    return ((first <= table) & (table <= last)).sum(dim=-1)


def window_areas(tables, lengths, margins=(0, 0)):
    """Places of each window in the image and a margin round it: (H_out, W_out)."""
    in_rows, in_columns = (
        window_counts(table, -margin, length - 1 + margin)
        for table, length, margin in zip(tables, lengths, margins)
    )
    return in_rows[:, None] * in_columns


def average(input, rows, columns, divisor):
    """Sums over the windows of two tables, divided: (..., H, W) -> (..., H_out, W_out).

    Half precision is summed in float32 and rounded once; integers are cut towards 0.
    """
    half = input.dtype in (torch.float16, torch.bfloat16)
    sums = window_sums(input.float() if half else input, rows, axis=-2)
    sums = window_sums(sums, columns, axis=-1)
    if input.is_floating_point():
        return (sums / divisor).to(input.dtype)
    return sums.div(divisor, rounding_mode="trunc")


def integers(value, name, count):
    """`count` ints from an int or a sequence of 1 or `count` ints, as torch takes them.

    Raises TypeError for what is no int, RuntimeError for another number of them.
    """
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    for item in values:
        if not isinstance(item, int) or isinstance(item, bool):
            raise TypeError(f"{name} must be an int or ints, but got {name}={value!r}")
    if len(values) not in (1, count):
        raise RuntimeError(f"{name} must be {count} ints or one, but got {value!r}")
    return values * count if len(values) == 1 else values


def check_flags(**flags):
    for name, value in flags.items():
        if not isinstance(value, bool):
            raise TypeError(f"{name} must be a bool, but got {name}={value!r}")


def check_pool(input, axes, kernel_size, stride, padding, dilation):
    """Raise TypeError or RuntimeError for what torch's pooling functions refuse."""
    if not isinstance(input, torch.Tensor):
        raise TypeError(f"input must be a Tensor, not {type(input).__name__}")
    sizes = list(input.shape)
    if input.dim() not in (axes + 1, axes + 2):
        raise RuntimeError(
            f"input must have {axes + 1} or {axes + 2} axes, got {sizes}"
        )
    if 0 in sizes[-axes - 1 :]:
        raise RuntimeError(f"only the batch axis may be empty, but input is {sizes}")
    if input.dtype == torch.bool or input.is_complex():
        raise NotImplementedError(f"pooling of {input.dtype} is not implemented")
    given = {"kernel_size": kernel_size, "stride": stride, "dilation": dilation}
    for name, values in given.items():
        if min(values) <= 0:
            raise RuntimeError(f"{name} must be positive, but got {name}={values}")
    for size, pad in zip(kernel_size, padding):
        if not 0 <= pad <= size // 2:
            raise RuntimeError(
                f"padding must be from 0 to at most half of kernel_size, "
                f"but got padding={pad} and kernel_size={size}"
            )


def max_pool2d(
    input,
    kernel_size,
    stride=None,
    padding=0,
    dilation=1,
    ceil_mode=False,
    return_indices=False,
):
    """Maximum over windows of an image, the twin of `torch.nn.functional.max_pool2d`.

    input: (N, C, H, W), or (C, H, W) without a batch axis.
    kernel_size, stride (default: kernel_size), padding, dilation: an int, or one for
        the rows and one for the columns. Padding takes no part in the maximum.
    Returns (N, C, H_out, W_out) or (C, H_out, W_out); with return_indices also the
        place of each maximum in its flattened channel, an int64 from 0 to H W - 1.
    Raises RuntimeError for sizes that do not fit, TypeError for wrong types.
    Source: the page of torch.nn.MaxPool2d in PyTorch's documentation.
    """
    check_flags(ceil_mode=ceil_mode, return_indices=return_indices)
    size = integers(kernel_size, "kernel_size", 2)
    step = size if stride in (None, (), []) else integers(stride, "stride", 2)
    pad, gap = integers(padding, "padding", 2), integers(dilation, "dilation", 2)
    check_pool(input, 2, size, step, pad, gap)
    rows, columns = (
        window_table(*axis, ceil_mode, input.device)
        for axis in zip(input.shape[-2:], size, step, pad, gap)
    )
    output, indices = max_pool_taps(input, rows, columns)
    return (output, indices) if return_indices else output


def max_pool1d(
    input,
    kernel_size,
    stride=None,
    padding=0,
    dilation=1,
    ceil_mode=False,
    return_indices=False,
):
    """Maximum over windows of a signal, the twin of `torch.nn.functional.max_pool1d`.

    input: (N, C, L), or (C, L) without a batch axis; the rest as for `max_pool2d`,
    with one int each. A signal is an image of one row.
    """
    check_flags(ceil_mode=ceil_mode, return_indices=return_indices)
    size = integers(kernel_size, "kernel_size", 1)
    step = size if stride in (None, (), []) else integers(stride, "stride", 1)
    pad, gap = integers(padding, "padding", 1), integers(dilation, "dilation", 1)
    check_pool(input, 1, size, step, pad, gap)
    whole = input.unsqueeze(-2)  # (..., 1, L)
    ints = (1, *size), (1, *step), (0, *pad), (1, *gap)
    output, indices = max_pool2d(whole, *ints, ceil_mode, return_indices=True)
    output, indices = output.squeeze(-2), indices.squeeze(-2)
    return (output, indices) if return_indices else output


def avg_pool2d(
    input,
    kernel_size,
    stride=None,
    padding=0,
    ceil_mode=False,
    count_include_pad=True,
    divisor_override=None,
):
    """Mean over windows of an image, the twin of `torch.nn.functional.avg_pool2d`.

    input: (N, C, H, W), or (C, H, W) without a batch axis.
    kernel_size, stride (default: kernel_size), padding: an int, or one for the rows
        and one for the columns.
    count_include_pad: divide by the places of the window in the padded image, or by
        those in the image alone. divisor_override: divide by this int instead.
    Returns (N, C, H_out, W_out) or (C, H_out, W_out).
    Raises RuntimeError or IndexError for sizes that do not fit, TypeError for types.
    Source: the page of torch.nn.AvgPool2d in PyTorch's documentation.
    """
    check_flags(ceil_mode=ceil_mode, count_include_pad=count_include_pad)
    size = integers(kernel_size, "kernel_size", 2)
    step = size if stride in (None, (), []) else integers(stride, "stride", 2)
    pad = integers(padding, "padding", 2)
    if isinstance(input, torch.Tensor) and input.dim() < 3:
        raise IndexError(f"input must have 3 or 4 axes, got {list(input.shape)}")
    check_pool(input, 2, size, step, pad, (1, 1))
    if not input.is_floating_point() and input.dtype != torch.int64:
        raise NotImplementedError(f"the mean of {input.dtype} is not implemented")
    lengths, device = input.shape[-2:], input.device
    tables = [
        window_table(*axis, 1, ceil_mode, device)
        for axis in zip(lengths, size, step, pad)
    ]
    if divisor_override is None:
        margins = pad if count_include_pad else (0, 0)
        return average(input, *tables, window_areas(tables, lengths, margins))
    (divisor,) = integers(divisor_override, "divisor_override", 1)
    if divisor == 0:
        raise RuntimeError("divisor_override must not be 0, but got 0")
    return average(input, *tables, divisor)


def avg_pool1d(
    input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True
):
    """Mean over windows of a signal, the twin of `torch.nn.functional.avg_pool1d`.

    input: (N, C, L), or (C, L) without a batch axis; the rest as for `avg_pool2d`,
    with one int each, and no divisor_override.
    """
    size = integers(kernel_size, "kernel_size", 1)
    step = size if stride in (None, (), []) else integers(stride, "stride", 1)
    pad = integers(padding, "padding", 1)
    check_pool(input, 1, size, step, pad, (1,))
    ints = (1, *size), (1, *step), (0, *pad)
    whole = input.unsqueeze(-2)  # (..., 1, L)
    return avg_pool2d(whole, *ints, ceil_mode, count_include_pad).squeeze(-2)


def adaptive_table(length, windows, device=None):
    """Table of `windows` windows that share `length` places as evenly as they can.

    Window i reads from floor(i length / windows) up to, and without,
    ceil((i + 1) length / windows). Shorter windows are filled up with -1.
    """
    i = torch.arange(windows, device=device)
    starts = i * length // max(windows, 1)
    ends = -(-(i + 1) * length // max(windows, 1))
    longest = -(-length // max(windows, 1)) + (length % max(windows, 1) > 0)
    table = starts[:, None] + torch.arange(longest, device=device)
    return table.where(table < ends[:, None], -1)


def adaptive_avg_pool2d(input, output_size):
    """Mean over as many windows as asked for, `torch.nn.functional`'s twin of the name.

    input: (N, C, H, W) or (C, H, W). output_size: an int, or two ints of which either
    may be None, which keeps the input's size.
    Returns (N, C, *output_size) or (C, *output_size).
    Raises RuntimeError for sizes that do not fit, TypeError for wrong types.
    Source: the page of torch.nn.AdaptiveAvgPool2d in PyTorch's documentation.
    """
    lengths = input.shape[-2:]
    if isinstance(output_size, (tuple, list)):
        if len(output_size) != 2:
            raise RuntimeError(f"output_size must be 2 ints, but got {output_size!r}")
        output_size = [n if s is None else s for s, n in zip(output_size, lengths)]
    sizes = integers(output_size, "output_size", 2)
    if min(sizes) < 0:
        raise RuntimeError(f"output_size must not be negative, but got {sizes}")
    if input.dim() not in (3, 4) or 0 in input.shape[-2:]:
        raise RuntimeError(
            f"input must be (N, C, H, W) or (C, H, W) with pixels, "
            f"but has size {list(input.shape)}"
        )
    if not input.is_floating_point():
        raise NotImplementedError(f"the mean of {input.dtype} is not implemented")
    tables = [
        adaptive_table(length, size, input.device)
        for length, size in zip(lengths, sizes)
    ]
    return average(input, *tables, window_areas(tables, lengths))


def max_pool2d_backward(grad_output, indices, input_size):
    """Gradient of the input of max pooling, of shape `input_size`: (..., H, W).

    grad_output, indices: (..., H_out, W_out), the second as `return_indices` gives it.
    """
    grad = grad_output.new_zeros(input_size).flatten(-2)
    grad = grad.scatter_add(-1, indices.flatten(-2), grad_output.flatten(-2))
    return grad.reshape(input_size)


def spread(grad, table, length):
    """Transpose of `window_sums` on the last axis: (..., L_out) -> (..., length)."""
    result = grad.new_zeros(*grad.shape[:-1], length)
    for places in table.T:  # the places under one tap
        inside = (0 <= places) & (places < length)
        result = result.index_add(-1, places[inside], grad[..., inside])
    return result


def avg_pool2d_backward(grad_output, rows, columns, divisor, input_size):
    """Gradient of the input of `average`, of shape `input_size`: (..., H, W)."""
    share = grad_output / divisor
    grad = spread(share.transpose(-1, -2), rows, input_size[-2]).transpose(-1, -2)
    return spread(grad, columns, input_size[-1])


def check_probability(p):
    if p < 0 or p > 1:
        raise ValueError(f"p must be between 0 and 1, but got p={p}")


def drop(input, noise, p, training, inplace):
    """Multiply by noise: 0 with probability p, else 1 / (1 - p).

    noise: an uninitialised tensor whose shape says what is dropped together.
    """
    if not isinstance(training, bool):
        raise TypeError(f"training must be a bool, but got training={training!r}")
    if p != p:
        raise RuntimeError(f"p must be between 0 and 1, but got p={p}")
    if not training or p == 0 or input.numel() == 0:
        return input
    if p == 1:
        noise = input.new_zeros(())
    else:
        noise.bernoulli_(1 - p).div_(1 - p)
    return input.mul_(noise) if inplace else input * noise


def channel_noise(input):
    """One number for each channel of each sample: (N, C, 1, ...)."""
    return input.new_empty(*input.shape[:2], *[1] * (input.dim() - 2))


def dropout(input, p=0.5, training=True, inplace=False):
    """Set each number to 0 with probability p, the twin of torch's function `dropout`.

    input: any shape. The numbers that stay are divided by 1 - p.
    training: if False, the input is returned as it is. inplace: overwrite the input.
    Raises ValueError for p outside of 0..1, TypeError for wrong types.
    Source: Hinton et al. 2012; the page of torch.nn.Dropout.
    """
    check_probability(p)
    if not isinstance(input, torch.Tensor):
        raise TypeError(f"input must be a Tensor, not {type(input).__name__}")
    return drop(input, torch.empty_like(input.detach()), p, training, inplace)


def dropout1d(input, p=0.5, training=True, inplace=False):
    """Set whole channels of signals to 0, the twin of `torch.nn.functional.dropout1d`.

    input: (N, C, L), or (C, L) without a batch axis; the rest as for `dropout`.
    Raises RuntimeError for another number of axes.
    Source: Tompson et al. 2015; the page of torch.nn.Dropout1d.
    """
    check_probability(p)
    if input.dim() not in (2, 3):
        sizes = list(input.shape)
        raise RuntimeError(f"input must be (N, C, L) or (C, L), but has size {sizes}")
    whole = input if input.dim() == 3 else input.unsqueeze(0)
    output = drop(whole, channel_noise(whole), p, training, inplace)
    if output is whole or inplace:
        return input
    return output if input.dim() == 3 else output.squeeze(0)


def dropout2d(input, p=0.5, training=True, inplace=False):
    """Set whole channels of images to 0, the twin of `torch.nn.functional.dropout2d`.

    input: (N, C, H, W). As in torch 2, three axes are read as (N, C, L), not as one
    image (C, H, W), and warned about; so are other numbers of axes.
    Source: Tompson et al. 2015; the page of torch.nn.Dropout2d.
    """
    check_probability(p)
    if input.dim() != 4:
        warnings.warn(
            f"dropout2d: input has size {list(input.shape)} instead of (N, C, H, W); "
            "its second axis is taken for the channels",
            stacklevel=2,
        )
    if input.dim() < 2:  # no channels to draw for, which torch minds only if it draws
        if training and 0 < p < 1 and input.numel():
            raise RuntimeError(f"input needs 2 axes, but has size {list(input.shape)}")
        return drop(input, input, p, training, inplace)
    return drop(input, channel_noise(input), p, training, inplace)


class MaxPoolNd(nn.Module):
    """What MaxPool1d and MaxPool2d share: their arguments and their repr."""

    def __init__(
        self,
        kernel_size,
        stride=None,
        padding=0,
        dilation=1,
        return_indices=False,
        ceil_mode=False,
    ):
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def options(self):
        """The arguments of the function, in its order: not the class's."""
        names = "kernel_size stride padding dilation ceil_mode return_indices"
        return [getattr(self, name) for name in names.split()]

    def extra_repr(self):
        names = "kernel_size stride padding dilation ceil_mode"
        return ", ".join(f"{name}={getattr(self, name)}" for name in names.split())


class MaxPool1d(MaxPoolNd):
    """Maximum over windows of signals, the twin of `torch.nn.MaxPool1d`.

    Input (N, C, L) or (C, L). The arguments are those of `max_pool1d`, which refuses
    bad ones when the layer is called. No parameters, no buffers.
    """

    def forward(self, input):
        return max_pool1d(input, *self.options())


class MaxPool2d(MaxPoolNd):
    """Maximum over windows of images, the twin of `torch.nn.MaxPool2d`.

    Input (N, C, H, W) or (C, H, W). The arguments are those of `max_pool2d`.
    """

    def forward(self, input):
        return max_pool2d(input, *self.options())


class AvgPool1d(nn.Module):
    """Mean over windows of signals, the twin of `torch.nn.AvgPool1d`.

    Input (N, C, L) or (C, L). The arguments are those of `avg_pool1d`, kept as tuples.
    """

    def __init__(
        self,
        kernel_size,
        stride=None,
        padding=0,
        ceil_mode=False,
        count_include_pad=True,
    ):
        super().__init__()
        stride = kernel_size if stride is None else stride
        given = {"kernel_size": kernel_size, "stride": stride, "padding": padding}
        for name, value in given.items():
            several = isinstance(value, Iterable)
            setattr(self, name, tuple(value) if several else (value,))
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input):
        windows = self.kernel_size, self.stride, self.padding
        return avg_pool1d(input, *windows, self.ceil_mode, self.count_include_pad)

    def extra_repr(self):
        names = "kernel_size stride padding"
        return ", ".join(f"{name}={getattr(self, name)}" for name in names.split())


class AvgPool2d(nn.Module):
    """Mean over windows of images, the twin of `torch.nn.AvgPool2d`.

    Input (N, C, H, W) or (C, H, W). The arguments are those of `avg_pool2d`.
    """

    def __init__(
        self,
        kernel_size,
        stride=None,
        padding=0,
        ceil_mode=False,
        count_include_pad=True,
        divisor_override=None,
    ):
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input):
        windows = self.kernel_size, self.stride, self.padding
        counting = self.ceil_mode, self.count_include_pad, self.divisor_override
        return avg_pool2d(input, *windows, *counting)

    def extra_repr(self):
        names = "kernel_size stride padding"
        return ", ".join(f"{name}={getattr(self, name)}" for name in names.split())


class AdaptiveAvgPool2d(nn.Module):
    """Mean over windows that make an image `output_size`, the twin of torch.nn's.

    Input (N, C, H, W) or (C, H, W). output_size as for `adaptive_avg_pool2d`.
    """

    def __init__(self, output_size):
        super().__init__()
        self.output_size = output_size

    def forward(self, input):
        return adaptive_avg_pool2d(input, self.output_size)

    def extra_repr(self):
        return f"output_size={self.output_size}"


class DropoutNd(nn.Module):
    """What the dropout layers share: p, inplace, and their repr."""

    def __init__(self, p=0.5, inplace=False):
        super().__init__()
        check_probability(p)
        self.p = p
        self.inplace = inplace

    def extra_repr(self):
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(DropoutNd):
    """Drop single numbers while training, the twin of `torch.nn.Dropout`."""

    def forward(self, input):
        return dropout(input, self.p, self.training, self.inplace)


class Dropout1d(DropoutNd):
    """Drop whole channels of signals, the twin of `torch.nn.Dropout1d`."""

    def forward(self, input):
        return dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(DropoutNd):
    """Drop whole channels of images, the twin of `torch.nn.Dropout2d`."""

    def forward(self, input):
        return dropout2d(input, self.p, self.training, self.inplace)
