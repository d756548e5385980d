"""2-D convolution.

From book/chapters/05_convolution_2d.md. Derived by `make notebooks`: do not edit.
"""

import itertools
import math

import torch
from einops import rearrange
from torch import nn


def pair(value, name):
    """(height, width) from an int or a sequence of two; of one, it serves for both.

    Raises RuntimeError for another length, TypeError for what is not an integer.
    """
    numbers = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(numbers) == 1 and name != "kernel_size":  # torch's kernels must have two
        numbers *= 2
    if len(numbers) != 2:
        raise RuntimeError(f"expected one or two integers, but got {name}={value!r}")
    for number in numbers:
        if not isinstance(number, int) or isinstance(number, bool):
            raise TypeError(f"{name} must be integers, but got {name}={value!r}")
    return numbers


def conv2d_size(size, kernel_size, stride=1, padding=0, dilation=1):
    """(H_out, W_out) for an input of `size` (H, W); all others ints or pairs of ints.

    Raises RuntimeError when the kernel does not fit, as torch does.
    Source: the section "Shape" of torch.nn.Conv2d in PyTorch's documentation.
    """
    options = {"kernel_size": kernel_size, "stride": stride}
    options |= {"padding": padding, "dilation": dilation}
    pairs = [pair(value, name) for name, value in options.items()]
    sizes = []
    for L, K, s, p, d in zip(size, *pairs):
        span = d * (K - 1) + 1
        if L + 2 * p < span:
            raise RuntimeError(
                f"the kernel spans {span} pixels, the padded input has {L + 2 * p}"
            )
        sizes.append((L + 2 * p - span) // s + 1)
    return tuple(sizes)


def conv2d_loops(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Cross-correlation by its definition, one multiplication at a time.

    input (N, C_in, H, W), weight (C_out, C_in / groups, K_h, K_w), bias (C_out) or
    None -> (N, C_out, H_out, W_out). The other arguments are ints or pairs of ints.
    """
    N, _, H, W = input.shape
    C_out, C_per_group, K_h, K_w = weight.shape
    (s_h, s_w), (d_h, d_w) = pair(stride, "stride"), pair(dilation, "dilation")
    p_h, p_w = pair(padding, "padding")
    size = conv2d_size((H, W), (K_h, K_w), stride, padding, dilation)
    output = input.new_zeros(N, C_out, *size)
    for n, o, i, j in itertools.product(*map(range, output.shape)):
        first_channel = (o // (C_out // groups)) * C_per_group
        total = 0.0 if bias is None else bias[o]
        for c, u, v in itertools.product(range(C_per_group), range(K_h), range(K_w)):
            row, column = s_h * i + d_h * u - p_h, s_w * j + d_w * v - p_w
            if 0 <= row < H and 0 <= column < W:  # elsewhere stands a zero
                pixel = input[n, first_channel + c, row, column]
                total = total + weight[o, c, u, v] * pixel
        output[n, o, i, j] = total
    return output


def windows2d(input, kernel_size, stride=1, dilation=1):
    """View of all windows: (..., H, W) -> (..., H_out, W_out, K_h, K_w)."""
    options = pair(kernel_size, "kernel_size"), pair(stride, "stride")
    view = input
    for K, s, d in zip(*options, pair(dilation, "dilation")):
        # Rows first. Their windows become the last axis, and then axis -2 is columns.
        view = view.unfold(-2, d * (K - 1) + 1, s)[..., ::d]
    return view


def conv2d_windows(
    input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1
):
    """`conv2d_loops` as one product over a view of all windows."""
    p_h, p_w = pair(padding, "padding")
    N, C, H, W = input.shape
    padded = input.new_zeros(N, C, H + 2 * p_h, W + 2 * p_w)
    padded[..., p_h : p_h + H, p_w : p_w + W] = input
    view = windows2d(padded, tuple(weight.shape[2:]), stride, dilation)
    view = rearrange(view, "n (G c) h w u v -> n G c h w u v", G=groups)
    kernels = rearrange(weight, "(G o) c u v -> G o c u v", G=groups)
    output = torch.einsum("nGchwuv,Gocuv->nGohw", view, kernels)
    output = rearrange(output, "n G o h w -> n (G o) h w")
    return output if bias is None else output + bias[:, None, None]


def framed(input, sides):
    """(N, C, H, W) in a frame of zeros, channels last: (N, H + ..., W + ..., C)."""
    top, bottom, left, right = sides
    if min(sides) < 0:
        raise RuntimeError(f"padding must not be negative, but got {sides}")
    N, C, H, W = input.shape
    image = input.new_zeros(N, top + H + bottom, left + W + right, C)
    image[:, top : top + H, left : left + W] = input.permute(0, 2, 3, 1)
    return image


def taps(kernel_size, size, stride, dilation):
    """For each tap (u, v): u, v, and the rows and columns of the picture it meets.

    The slices have exactly `size` entries, one for each output place.
    """
    for u, v in itertools.product(*map(range, kernel_size)):
        starts = dilation[0] * u, dilation[1] * v
        ends = (a + s * (n - 1) + 1 for a, s, n in zip(starts, stride, size))
        yield u, v, *(slice(*place) for place in zip(starts, ends, stride))


def shift_and_add(image, weight, bias, size, stride, dilation, groups):
    """Cross-correlation of a framed image (N, H, W, C_in), a product for each tap.

    size: (H_out, W_out). Returns (N, H_out, W_out, C_out), channels last.
    """
    C_out, C_per_group, *kernel_size = weight.shape
    kernels = rearrange(weight, "(G o) c u v -> u v G c o", G=groups).contiguous()
    bias = weight.new_zeros(C_out) if bias is None else bias
    depthwise = C_per_group == 1
    output = bias.view(groups, -1) if depthwise else bias.view(groups, 1, -1)
    for u, v, rows, columns in taps(kernel_size, size, stride, dilation):
        tap, kernel = image[:, rows, columns], kernels[u, v]  # (N, H_out, W_out, C_in)
        first = u == v == 0  # makes the output; the others are added in place
        if depthwise:  # (N, H_out, W_out, G, 1) times (G, o)
            tap, kernel = tap.unsqueeze(-1), kernel[:, 0]
            output = (output.addcmul if first else output.addcmul_)(tap, kernel)
        else:  # (G, places, c) times (G, c, o)
            tap = rearrange(tap, "n h w (G c) -> G (n h w) c", G=groups)
            output = (output.baddbmm if first else output.baddbmm_)(tap, kernel)
    if not depthwise:
        output = output.transpose(0, 1)  # (places, G, o)
    return output.reshape(len(image), *size, C_out)


def check_conv2d(input, weight, bias, groups, transposed=False):
    """Raise RuntimeError or TypeError for tensors and groups that torch refuses.

    weight is (C_out, C_in / groups, K_h, K_w), transposed (C_in, C_out / groups, ...).
    """
    tensors = {"input": input, "weight": weight}
    if bias is not None:
        tensors["bias"] = bias
    for name, value in tensors.items():
        if not isinstance(value, torch.Tensor):
            raise TypeError(f"{name} must be a Tensor, not {type(value).__name__}")
    if not isinstance(groups, int) or isinstance(groups, bool):
        raise TypeError(f"groups must be an integer, but got groups={groups!r}")
    if groups <= 0:
        raise RuntimeError(f"groups must be positive, but got groups={groups}")

    sizes = ", ".join(f"{name} {list(t.shape)}" for name, t in tensors.items())
    got = f"but got {sizes}, groups={groups}"
    if input.dim() not in (3, 4) or 0 in input.shape[-2:]:
        raise RuntimeError(f"input must be (N, C, H, W) or (C, H, W), {got}")
    if weight.dim() != 4 or 0 in weight.shape[2:] or weight.shape[0] == 0:
        raise RuntimeError(f"weight must have four axes and no empty kernel, {got}")
    if weight.shape[0] % groups:
        raise RuntimeError(f"groups must divide the first axis of weight, {got}")
    out_channels, in_channels = weight.shape[0], weight.shape[1] * groups
    if transposed:
        out_channels, in_channels = in_channels, out_channels
    if input.shape[-3] != in_channels:
        raise RuntimeError(f"this weight needs {in_channels} input channels, {got}")
    if bias is not None and bias.shape != (out_channels,):
        raise RuntimeError(f"bias must be ({out_channels},), {got}")
    for name, tensor in tensors.items():
        if tensor.dtype != input.dtype:
            raise RuntimeError(f"input is {input.dtype}, but {name} is {tensor.dtype}")


def positive(name, value):
    """`value` as a pair of ints above zero."""
    numbers = pair(value, name)
    if min(numbers) <= 0:
        raise RuntimeError(f"{name} must be positive, but got {name}={value!r}")
    return numbers


def padding_sides(padding, kernel_size, stride, dilation):
    """(top, bottom, left, right) for padding in ints, 'same' or 'valid'.

    An odd total of 'same' puts the extra row at the bottom, the extra column right.
    """
    if padding == "valid":
        return 0, 0, 0, 0
    if padding == "same":
        if stride != (1, 1):
            raise RuntimeError(f"padding='same' needs stride 1, but got {stride}")
        total = [d * (K - 1) for d, K in zip(dilation, kernel_size)]
        return tuple(side for t in total for side in (t // 2, t - t // 2))
    if isinstance(padding, str):
        raise RuntimeError(f"padding must be 'same', 'valid' or ints, not {padding!r}")
    p_h, p_w = pair(padding, "padding")
    return p_h, p_h, p_w, p_w


def in_mixed_precision(function, input, weight, bias, *options):
    """What `function` gives in autocast's dtype; None without autocast."""
    tensors = [t for t in (input, weight, bias) if t is not None]
    if not all(isinstance(t, torch.Tensor) for t in tensors):
        return None
    device, dtype = input.device.type, input.dtype
    if not torch.amp.is_autocast_available(device):
        return None
    wanted = dtype.is_floating_point and dtype != torch.float64
    if not (wanted and torch.is_autocast_enabled(device)):
        return None
    tensors = [t.to(torch.get_autocast_dtype(device)) for t in tensors]
    tensors += [None] * (bias is None)
    with torch.autocast(device, enabled=False):
        return function(*tensors, *options)


def as_batch(input):
    """The input with a batch axis, in a dtype that can add up many products."""
    batch = input if input.dim() == 4 else input.unsqueeze(0)
    narrow = input.dtype in (torch.float16, torch.bfloat16)
    return batch.float() if narrow else batch


def as_input(output, input):
    """A result (N, H, W, C) with the axes, the layout and the dtype of `input`."""
    output = output.permute(0, 3, 1, 2).to(input.dtype)
    if input.dim() == 3:
        return output.squeeze(0).contiguous()
    channels_last = input.stride(1) == 1 and not input.is_contiguous()
    return output if channels_last else output.contiguous()


def conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """2-D cross-correlation, the twin of `torch.nn.functional.conv2d`.

    input: (N, C_in, H, W), or (C_in, H, W) without a batch axis.
    weight: (C_out, C_in / groups, K_h, K_w). bias: (C_out) or None.
    stride, dilation: positive ints or pairs (height, width). groups: a positive int.
    padding: zeros on each side, an int or a pair; or 'valid', none; or 'same', as many
        as keep the size, an odd one at the bottom and right (only with stride 1).
    Returns (N, C_out, H_out, W_out) or (C_out, H_out, W_out); for an int padding
        H_out = floor((H + 2 padding - dilation (K_h - 1) - 1) / stride) + 1.
    Raises RuntimeError for sizes that do not fit, TypeError for wrong types.
    Source: the page of torch.nn.functional.conv2d in PyTorch's documentation.
    """
    options = stride, padding, dilation, groups
    mixed = in_mixed_precision(conv2d, input, weight, bias, *options)
    if mixed is not None:
        return mixed
    check_conv2d(input, weight, bias, groups)
    stride, dilation = positive("stride", stride), positive("dilation", dilation)
    kernel_size = tuple(weight.shape[2:])
    sides = padding_sides(padding, kernel_size, stride, dilation)
    image = framed(as_batch(input), sides)  # (N, H, W, C), padded
    size = conv2d_size(image.shape[1:3], kernel_size, stride, dilation=dilation)
    weight, bias = (t if t is None else t.to(image.dtype) for t in (weight, bias))
    output = shift_and_add(image, weight, bias, size, stride, dilation, groups)
    return as_input(output, input)


def conv2d_backward(
    grad_output, input, weight, stride=1, padding=0, dilation=1, groups=1
):
    """Gradients of `conv2d` with respect to input, weight and bias.

    grad_output: (N, C_out, H_out, W_out), the gradient with respect to the output.
    Returns tensors of the shapes of input (N, C_in, H, W), weight and bias (C_out).
    """
    stride, dilation = positive("stride", stride), positive("dilation", dilation)
    p_h, p_w = pair(padding, "padding")
    (H, W), size = input.shape[-2:], grad_output.shape[-2:]
    image = framed(input, (p_h, p_h, p_w, p_w))
    grad = rearrange(grad_output, "n (G o) h w -> n h w G o", G=groups)
    kernels = rearrange(weight, "(G o) c u v -> u v G o c", G=groups)

    grad_image, grad_kernels = torch.zeros_like(image), torch.zeros_like(kernels)
    for u, v, rows, columns in taps(weight.shape[2:], size, stride, dilation):
        tap = rearrange(image[:, rows, columns], "n h w (G c) -> n h w G c", G=groups)
        grad_kernels[u, v] = torch.einsum("nhwGo,nhwGc->Goc", grad, tap)
        back = torch.einsum("nhwGo,Goc->nhwGc", grad, kernels[u, v])
        grad_image[:, rows, columns] += rearrange(back, "n h w G c -> n h w (G c)")
    grad_input = grad_image[:, p_h : p_h + H, p_w : p_w + W].permute(0, 3, 1, 2)
    grad_weight = rearrange(grad_kernels, "u v G o c -> (G o) c u v")
    return grad_input, grad_weight, grad_output.sum(dim=(0, 2, 3))


def canvas_size(size, kernel_size, stride, cut, extra, dilation):
    """(height, width) that the stamps cover, before `cut` is removed on each side."""
    full = []
    for L, K, s, p, e, d in zip(size, kernel_size, stride, cut, extra, dilation):
        if min(p, e) < 0:
            raise RuntimeError(f"padding must not be negative, got {p}, output {e}")
        if e >= max(s, d):
            raise RuntimeError(
                f"output_padding must be less than stride or dilation, but got {e} for "
                f"stride={s}, dilation={d}"
            )
        full.append((L - 1) * s + d * (K - 1) + 1 + e)
        if full[-1] < 2 * p:
            raise RuntimeError(f"padding={p} removes more than all {full[-1]} pixels")
    return tuple(full)


def conv_transpose2d(
    input,
    weight,
    bias=None,
    stride=1,
    padding=0,
    output_padding=0,
    groups=1,
    dilation=1,
):
    """Transposed 2-D convolution, the twin of `torch.nn.functional.conv_transpose2d`:
    the gradient of `conv2d` with respect to its input, plus a bias.

    input: (N, C_in, H, W), or (C_in, H, W) without a batch axis.
    weight: (C_in, C_out / groups, K_h, K_w). bias: (C_out) or None.
    stride, dilation: positive ints or pairs (height, width). groups: a positive int.
    padding: rows and columns removed on each side, an int or a pair.
    output_padding: rows added at the bottom, columns on the right; less than stride or
        less than dilation.
    Returns (N, C_out, H_out, W_out) or (C_out, H_out, W_out) with H_out =
        (H - 1) stride - 2 padding + dilation (K_h - 1) + output_padding + 1.
    Raises RuntimeError for sizes that do not fit, TypeError for wrong types.
    Source: the page of torch.nn.functional.conv_transpose2d in PyTorch's documentation.
    """
    options = stride, padding, output_padding, groups, dilation
    mixed = in_mixed_precision(conv_transpose2d, input, weight, bias, *options)
    if mixed is not None:
        return mixed
    check_conv2d(input, weight, bias, groups, transposed=True)
    stride, dilation = positive("stride", stride), positive("dilation", dilation)
    cut, extra = pair(padding, "padding"), pair(output_padding, "output_padding")
    full = canvas_size(input.shape[-2:], weight.shape[2:], stride, cut, extra, dilation)

    batch = as_batch(input)
    image = rearrange(batch, "n (G c) h w -> n h w G c", G=groups)
    kernels = rearrange(weight.to(batch.dtype), "(G c) o u v -> u v G c o", G=groups)
    N, *size = image.shape[:3]
    canvas = batch.new_zeros(N, *full, groups * weight.shape[1])
    for u, v, rows, columns in taps(weight.shape[2:], size, stride, dilation):
        stamps = torch.einsum("nhwGc,Gco->nhwGo", image, kernels[u, v])
        canvas[:, rows, columns] += stamps.flatten(-2)
    output = canvas[:, cut[0] : full[0] - cut[0], cut[1] : full[1] - cut[1]]
    return as_input(output if bias is None else output + bias.to(output.dtype), input)


def source_index(length, before, after, mode, device=None):
    """Which of `length` pixels stands at positions -before ... length + after - 1.

    mode: 'reflect', 'replicate' or 'circular'. Raises RuntimeError for a reflection of
    `length` pixels or more and a ring of more than `length`, as torch does.
    """
    wide = max(before, after)
    if length == 0:
        raise RuntimeError("there are no pixels to continue an empty picture with")
    index = torch.arange(-before, length + after, device=device)
    if mode == "reflect":
        if wide >= length:
            raise RuntimeError(
                f"reflection padding must be less than the size, got {wide} of {length}"
            )
        last = length - 1
        return last - (last - index.abs()).abs()  # mirrors at pixel 0 and at the last
    if mode == "replicate":
        return index.clamp(0, length - 1)
    if mode == "circular":
        if wide > length:
            raise RuntimeError(
                f"circular padding goes round once at most, got {wide} of {length}"
            )
        return index.remainder(length)
    raise ValueError(f"unknown padding mode {mode!r}")


def pad2d(input, sides, mode):
    """Continue a picture (..., H, W) by `sides`: (top, bottom, left, right) pixels."""
    top, bottom, left, right = sides
    H, W = input.shape[-2:]
    rows = source_index(H, top, bottom, mode, input.device)
    columns = source_index(W, left, right, mode, input.device)
    return input[..., rows, :][..., columns]


class _Convolution2d(nn.Module):
    """What Conv2d and ConvTranspose2d have in common: arguments, parameters, repr."""

    def __init__(self, sizes, options, transposed, output_padding, device, dtype):
        in_channels, out_channels, kernel_size = sizes
        stride, padding, dilation, groups, bias, padding_mode = options
        super().__init__()
        if groups <= 0:
            raise ValueError(f"groups must be a positive integer, not {groups}")
        for name, channels in {"in": in_channels, "out": out_channels}.items():
            if channels % groups:
                raise ValueError(
                    f"{name}_channels must be divisible by groups, "
                    f"but got {name}_channels={channels} and groups={groups}"
                )
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = pair(kernel_size, "kernel_size")
        self.stride = pair(stride, "stride")
        self.padding = padding
        if not isinstance(padding, str):
            self.padding = pair(padding, "padding")
        elif padding not in ("same", "valid"):
            raise ValueError(f"padding must be ints, 'same', 'valid', not {padding!r}")
        elif padding == "same" and self.stride != (1, 1):
            raise ValueError(f"padding='same' needs stride 1, but got stride={stride}")
        modes = ("zeros", "reflect", "replicate", "circular")
        if padding_mode not in modes:
            raise ValueError(f"padding_mode must be in {modes}, not {padding_mode!r}")
        self.dilation = pair(dilation, "dilation")
        self.transposed = transposed
        self.output_padding = pair(output_padding, "output_padding")
        self.groups = groups
        self.padding_mode = padding_mode

        first, second = in_channels, out_channels // groups
        if not transposed:
            first, second = out_channels, in_channels // groups
        factory = {"device": device, "dtype": dtype}
        weight = torch.empty(first, second, *self.kernel_size, **factory)
        self.weight = nn.Parameter(weight)
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels, **factory))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self):
        fan_in = math.prod(self.weight.shape[1:])
        bound = 1 / math.sqrt(fan_in) if fan_in else 0.0
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.uniform_(-bound, bound)

    def extra_repr(self):
        text = f"{self.in_channels}, {self.out_channels}"
        text += f", kernel_size={self.kernel_size}, stride={self.stride}"
        shown_unless = {
            "padding": (self.padding, (0, 0)),
            "dilation": (self.dilation, (1, 1)),
            "output_padding": (self.output_padding, (0, 0)),
            "groups": (self.groups, 1),
            "bias": (self.bias is not None, True),
            "padding_mode": (self.padding_mode, "zeros"),
        }
        for name, (value, default) in shown_unless.items():
            if value != default:
                text += f", {name}={value}"
        return text


class Conv2d(_Convolution2d):
    """2-D convolution layer (cross-correlation), the twin of `torch.nn.Conv2d`.

    Input (N, C_in, H, W) or (C_in, H, W); output (N, C_out, H_out, W_out) or without N.
    Parameters: weight (out_channels, in_channels / groups, K_h, K_w) and bias
        (out_channels) or None; both start uniform between -1/sqrt(fan_in) and
        1/sqrt(fan_in), with fan_in = in_channels / groups * K_h * K_w.
    kernel_size, stride, padding, dilation: ints or pairs (height, width), in pixels.
    padding: on each side, or 'same' or 'valid'.
    padding_mode: 'zeros', 'reflect', 'replicate' or 'circular'.
    Raises ValueError when built with arguments that contradict each other, TypeError
    for wrong types, RuntimeError when called on a size that does not fit.
    Source: the page of torch.nn.Conv2d in PyTorch's documentation.
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
        sizes = in_channels, out_channels, kernel_size
        options = stride, padding, dilation, groups, bias, padding_mode
        super().__init__(sizes, options, False, 0, device, dtype)

    def forward(self, input):
        padding = self.padding
        if self.padding_mode != "zeros":
            if input.dim() not in (3, 4):
                raise RuntimeError(f"no picture: input has size {list(input.shape)}")
            options = self.kernel_size, self.stride, self.dilation
            sides = padding_sides(padding, *options)
            input, padding = pad2d(input, sides, self.padding_mode), 0
        options = self.stride, padding, self.dilation, self.groups
        return conv2d(input, self.weight, self.bias, *options)


class ConvTranspose2d(_Convolution2d):
    """Transposed 2-D convolution layer, the twin of `torch.nn.ConvTranspose2d`.

    Input (N, C_in, H, W) or (C_in, H, W); output (N, C_out, H_out, W_out) or without N.
    Parameters: weight (in_channels, out_channels / groups, K_h, K_w) and bias
        (out_channels) or None; both start uniform between -1/sqrt(f) and 1/sqrt(f),
        with f = out_channels / groups * K_h * K_w.
    padding: rows and columns removed on each side. padding_mode: only 'zeros'.
    output_padding: rows added at the bottom, columns on the right. `output_size`, given
        to forward as (H, W) or as a whole shape, chooses it for one call.
    Raises ValueError when built with arguments that contradict each other or called
    with an `output_size` out of reach, RuntimeError for a size that does not fit.
    Source: the page of torch.nn.ConvTranspose2d in PyTorch's documentation.
    """

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        output_padding=0,
        groups=1,
        bias=True,
        dilation=1,
        padding_mode="zeros",
        device=None,
        dtype=None,
    ):
        if padding_mode != "zeros":
            raise ValueError(f"padding_mode must be 'zeros' here, not {padding_mode!r}")
        sizes = in_channels, out_channels, kernel_size
        padding = pair(padding, "padding")
        options = stride, padding, dilation, groups, bias, padding_mode
        super().__init__(sizes, options, True, output_padding, device, dtype)

    def forward(self, input, output_size=None):
        extra = self.output_padding
        if output_size is not None:
            extra = self._output_padding(input, list(output_size))
        options = self.stride, self.padding, extra, self.groups, self.dilation
        return conv_transpose2d(input, self.weight, self.bias, *options)

    def _output_padding(self, input, output_size):
        """The output_padding that gives `output_size`: (H, W) or a whole shape."""
        if len(output_size) not in (2, input.dim()):
            raise ValueError(
                f"output_size must have 2 or {input.dim()} entries, got {output_size}"
            )
        options = self.stride, self.padding, self.dilation, self.kernel_size
        shortest = [
            (L - 1) * s - 2 * p + d * (K - 1) + 1
            for L, s, p, d, K in zip(input.shape[-2:], *options)
        ]
        extra = [L - least for L, least in zip(output_size[-2:], shortest)]
        if any(not 0 <= e < s for e, s in zip(extra, self.stride)):
            longest = [least + s - 1 for least, s in zip(shortest, self.stride)]
            raise ValueError(
                f"output_size must lie between {shortest} and {longest}, "
                f"but got {output_size[-2:]}"
            )
        return tuple(extra)
