"""Padding.

From book/chapters/06_padding.md. Derived by `make notebooks`: do not edit.
"""

from collections.abc import Iterable

import torch
from torch import nn


def pad_loops(input, left, right, mode="constant", value=0.0):
    """Pad the last axis by its definition: (..., L) -> (..., left + L + right).

    mode: 'constant', 'reflect', 'replicate' or 'circular'. left, right: not negative.
    """
    L = input.shape[-1]
    output = input.new_full((*input.shape[:-1], left + L + right), value)
    for j in range(-left, L + right):
        i = j
        if mode == "reflect":
            while not 0 <= i < L:
                i = -i if i < 0 else 2 * (L - 1) - i  # turn round at an end
        elif mode == "replicate":
            i = 0 if j < 0 else L - 1 if j >= L else j
        elif mode == "circular":
            while not 0 <= i < L:
                i = i + L if i < 0 else i - L  # go on from the other end
        if 0 <= i < L:
            output[..., left + j] = input[..., i]
    return output


def source_index(length, left, right, mode="constant", device=None):
    """Which sample stands at each position of a padded row: (left + length + right,).

    -1 where no sample does, which happens in mode 'constant' only. Negative sides crop.
    """
    position = torch.arange(-left, length + right, device=device)
    if mode == "constant":
        outside = (position < 0) | (position >= length)
        return position.masked_fill(outside, -1)
    if mode == "replicate":
        return position.clamp(0, length - 1)
    if mode == "reflect":
        last = length - 1
        return last - (last - position.abs()).abs()
    first = max(-left, 0)  # circular: the ring of what cropping leaves
    ring = length - first - max(-right, 0)
    return first + (position - first).remainder(max(ring, 1))


def pad_axis(input, axis, left, right, mode="constant", value=0.0):
    """Pad one axis by a gather; the others stay as they are."""
    length = input.shape[axis]
    index = source_index(length, left, right, mode, input.device)
    if mode == "constant":
        one = list(input.shape)
        one[axis] = 1
        input = torch.cat([input, input.new_full(one, value)], dim=axis)
        index = index.remainder(length + 1)  # -1 becomes the sample that we added
    return input.index_select(axis, index)


def sides_of_axes(pad, dim):
    """Triples (axis, left, right) of what F.pad's flat list says of `dim` axes."""
    return [(dim - 1 - i, pad[2 * i], pad[2 * i + 1]) for i in range(len(pad) // 2)]


def pad_constant(input, pad, value=0.0):
    """Constant padding of all axes at once: one block is copied into another."""
    shape = list(input.shape)
    kept, place = [slice(None)] * input.dim(), [slice(None)] * input.dim()
    for axis, left, right in sides_of_axes(pad, input.dim()):
        length = shape[axis]
        shape[axis] = left + length + right
        kept[axis] = slice(max(-left, 0), length - max(-right, 0))
        place[axis] = slice(max(left, 0), shape[axis] - max(right, 0))
    output = input.new_full(shape, value)
    output[tuple(place)] = input[tuple(kept)]
    return output


def pad_border(input, axis, left, right, mode):
    """`pad_axis` for all modes but 'constant'; only the border is looked up."""
    length = input.shape[axis]
    index = source_index(length, left, right, mode, input.device)
    first, stop = max(-left, 0), length - max(-right, 0)
    if stop <= first:
        return input.index_select(axis, index)
    before = input.index_select(axis, index[: max(left, 0)])
    after = input.index_select(axis, index[len(index) - max(right, 0) :])
    middle = input.narrow(axis, first, stop - first)
    return torch.cat([before, middle, after], dim=axis)


def pad_backward(grad_output, shape, pad, mode="constant"):
    """Gradient of `pad` with respect to its input, which had the given shape."""
    grad = grad_output
    for axis, left, right in sides_of_axes(pad, len(shape)):
        length = shape[axis]
        index = source_index(length, left, right, mode, grad.device)
        slots = list(grad.shape)
        slots[axis] = length + 1  # the last one for gradients of added constants
        collected = grad.new_zeros(slots)
        collected = collected.index_add(axis, index.remainder(length + 1), grad)
        grad = collected.narrow(axis, 0, length)
    return grad


def check_pad_types(input, pad, mode, value):
    """Raise TypeError for what is of the wrong type; return `pad` and `value` clean."""
    if not isinstance(input, torch.Tensor):
        raise TypeError(f"input must be a Tensor, not {type(input).__name__}")
    if not isinstance(pad, (tuple, list)):
        raise TypeError(f"pad must be a tuple of ints, not {pad!r}")
    for side in pad:
        if isinstance(side, bool) or not hasattr(side, "__index__"):
            raise TypeError(f"pad must be a tuple of ints, but got pad={pad!r}")
    if not isinstance(mode, str):
        raise TypeError(f"mode must be a str, not {mode!r}")
    if value is not None:
        a_tensor = isinstance(value, torch.Tensor)
        if not hasattr(value, "__float__") or (
            a_tensor and (value.dim() or value.requires_grad)
        ):
            raise TypeError(f"value must be a float, not {value!r}")
        value = float(value)
    return [side.__index__() for side in pad], value


def check_pad_sizes(input, pad, mode, value):
    """Raise what `torch.nn.functional.pad` raises for sizes that make no sense."""
    shape, dim, axes = list(input.shape), input.dim(), len(pad) // 2
    if mode not in ("constant", "reflect", "replicate", "circular"):
        raise NotImplementedError(f"unknown padding mode {mode!r}")
    if len(pad) % 2:
        raise RuntimeError(f"pad must hold pairs, but has {len(pad)} numbers: {pad}")
    if axes > dim:
        raise RuntimeError(f"pad={pad} names {axes} axes, but the input is {shape}")
    if mode != "constant":
        if value:
            raise RuntimeError(f"mode {mode!r} takes no value, but got value={value}")
        if axes not in (1, 2, 3) or dim - axes not in (1, 2):
            raise NotImplementedError(
                f"mode {mode!r} cannot pad {axes} axes of an input {shape}"
            )
        # only the batch may be empty, and in a ring the channels too
        if mode != "circular" and 0 in shape[dim - axes - 1 :]:
            raise RuntimeError(f"mode {mode!r} has nothing to continue in {shape}")
    for axis, left, right in sides_of_axes(pad, dim):
        check_pad_axis(shape, axis, left, right, mode)


def check_pad_axis(shape, axis, left, right, mode):
    """Raise RuntimeError when an axis has too few samples for its two sides."""
    length, where = shape[axis], f"pad=({left}, {right}) on axis {axis} of {shape}"
    kept = length - max(-left, 0) - max(-right, 0)
    if mode == "reflect" and max(left, right) >= length:
        raise RuntimeError(f"a mirror shows less than the {length} samples: {where}")
    if mode in ("reflect", "replicate"):
        if left + length + right < 1:
            raise RuntimeError(f"nothing is left: {where}")
    elif kept < 0:
        raise RuntimeError(f"more is cropped than there is: {where}")
    if mode == "circular" and max(left, right) > kept:
        raise RuntimeError(f"a ring of {kept} is walked round at most once: {where}")


def pad(input, pad, mode="constant", value=None):
    """Continue a tensor beyond its borders, the twin of `torch.nn.functional.pad`.

    input: any shape for mode 'constant'. For 'reflect', 'replicate' and 'circular'
        (C, L) or (N, C, L), (C, H, W) or (N, C, H, W), (C, D, H, W) or (N, C, D, H, W).
    pad: (left, right, top, bottom, front, back), the last axis first, as many pairs as
        axes are padded; counted in samples, negative numbers crop.
    value: what 'constant' adds; None is 0. The other modes take none.
    Returns a new tensor of input's dtype on its device.
    Raises TypeError for wrong types, NotImplementedError for an unknown mode and for
    axes that a mode does not pad, RuntimeError for sizes: a reflection of L samples or
    more, a ring walked round more than once, more cropped than there is.
    Source: the page of torch.nn.functional.pad in PyTorch's documentation.
    """
    pad, value = check_pad_types(input, pad, mode, value)
    check_pad_sizes(input, pad, mode, value)
    if mode == "constant":
        return pad_constant(input, pad, 0.0 if value is None else value)
    output = input if any(pad) else input.clone()
    for axis, left, right in sides_of_axes(pad, input.dim()):
        if left or right:
            output = pad_border(output, axis, left, right, mode)
    return output


class PadNd(nn.Module):
    """What the padding layers share; a subclass names its `axes` and its `mode`.

    padding: an int for all sides, or a tuple (left, right, top, bottom, front, back)
        with two numbers for each axis; negative numbers crop.
    Raises what `pad` raises, when it is called.
    Source: the pages of the padding layers in PyTorch's documentation.
    """

    axes = mode = None

    def __init__(self, padding):
        super().__init__()
        if isinstance(padding, Iterable):
            self.padding = tuple(padding)
        else:
            self.padding = (padding,) * (2 * self.axes)

    def forward(self, input):
        return pad(input, self.padding, self.mode)

    def extra_repr(self):
        return f"{self.padding}"


class ReflectionPadNd(PadNd):
    mode = "reflect"


class ReplicationPadNd(PadNd):
    mode = "replicate"


class CircularPadNd(PadNd):
    mode = "circular"

    def forward(self, input):
        if input.dim() not in (self.axes + 1, self.axes + 2):
            raise ValueError(
                f"input must have {self.axes + 1} or {self.axes + 2} axes, "
                f"but has {input.dim()}"
            )
        return super().forward(input)


class ConstantPadNd(PadNd):
    mode = "constant"

    def __init__(self, padding, value):
        super().__init__(padding)
        self.value = value

    def forward(self, input):
        return pad(input, self.padding, self.mode, self.value)

    def extra_repr(self):
        return f"padding={self.padding}, value={self.value}"


class ZeroPadNd(ConstantPadNd):
    """Constant padding whose value is 0, and which prints its sides only."""

    def __init__(self, padding):
        super().__init__(padding, 0.0)

    def extra_repr(self):
        return f"{self.padding}"


class ConstantPad1d(ConstantPadNd):
    """Pad the last axis with `value`: (..., W) -> (..., left + W + right).

    padding: an int, or (left, right); what is negative cuts off.
    Source: the page of torch.nn.ConstantPad1d in PyTorch's documentation.
    """

    axes = 1


class ConstantPad2d(ConstantPadNd):
    """Pad the last two axes with `value`.

    (..., H, W) -> (..., top + H + bottom, left + W + right)
    padding: an int, or (left, right, top, bottom); what is negative cuts off.
    Source: the page of torch.nn.ConstantPad2d in PyTorch's documentation.
    """

    axes = 2


class ConstantPad3d(ConstantPadNd):
    """Pad the last three axes with `value`.

    (..., D, H, W) -> (..., front + D + back, top + H + bottom, left + W + right)
    padding: an int, or (left, right, top, bottom, front, back); what is negative cuts.
    Source: the page of torch.nn.ConstantPad3d in PyTorch's documentation.
    """

    axes = 3


class ZeroPad1d(ZeroPadNd, ConstantPad1d):
    """Pad the last axis with zeros: (..., W) -> (..., left + W + right).

    padding: an int, or (left, right); what is negative cuts off.
    Source: the page of torch.nn.ZeroPad1d in PyTorch's documentation.
    """


class ZeroPad2d(ZeroPadNd, ConstantPad2d):
    """Pad the last two axes with zeros.

    (..., H, W) -> (..., top + H + bottom, left + W + right)
    padding: an int, or (left, right, top, bottom); what is negative cuts off.
    Source: the page of torch.nn.ZeroPad2d in PyTorch's documentation.
    """


class ZeroPad3d(ZeroPadNd, ConstantPad3d):
    """Pad the last three axes with zeros.

    (..., D, H, W) -> (..., front + D + back, top + H + bottom, left + W + right)
    padding: an int, or (left, right, top, bottom, front, back); what is negative cuts.
    Source: the page of torch.nn.ZeroPad3d in PyTorch's documentation.
    """


class ReflectionPad1d(ReflectionPadNd):
    """Mirror (C, W) or (N, C, W) at its first and last sample."""

    axes = 1


class ReflectionPad2d(ReflectionPadNd):
    """Mirror (C, H, W) or (N, C, H, W) at its border pixels."""

    axes = 2


class ReflectionPad3d(ReflectionPadNd):
    """Mirror (C, D, H, W) or (N, C, D, H, W) at its border voxels."""

    axes = 3


class ReplicationPad1d(ReplicationPadNd):
    """Repeat the first and the last sample of (C, W) or (N, C, W)."""

    axes = 1


class ReplicationPad2d(ReplicationPadNd):
    """Repeat the border pixels of (C, H, W) or (N, C, H, W)."""

    axes = 2


class ReplicationPad3d(ReplicationPadNd):
    """Repeat the border voxels of (C, D, H, W) or (N, C, D, H, W)."""

    axes = 3


class CircularPad1d(CircularPadNd):
    """Continue (C, W) or (N, C, W) as a ring. Raises ValueError for other inputs."""

    axes = 1


class CircularPad2d(CircularPadNd):
    """Continue (C, H, W) or (N, C, H, W) as a torus. ValueError for other inputs."""

    axes = 2


class CircularPad3d(CircularPadNd):
    """Continue (C, D, H, W) or (N, C, D, H, W). ValueError for other inputs."""

    axes = 3
