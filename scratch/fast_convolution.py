"""Fast convolution.

From book/chapters/08_fast_convolution.md. Derived by `make notebooks`: do not edit.
"""

import itertools

import torch
from einops import rearrange
from torch import nn


def conv2d_loops(input, weight, bias=None, padding=0):
    """2-D cross-correlation by its definition, one multiplication at a time.

    input (N, C, H, W), weight (O, C, K_h, K_w), bias (O) or None, padding an int
    -> (N, O, H + 2 padding - K_h + 1, W + 2 padding - K_w + 1).
    """
    N, C, H, W = input.shape
    O, _, K_h, K_w = weight.shape
    H_out, W_out = H + 2 * padding - K_h + 1, W + 2 * padding - K_w + 1
    output = input.new_zeros(N, O, H_out, W_out)
    positions = itertools.product(range(N), range(O), range(H_out), range(W_out))
    for n, o, h, v in positions:
        total = 0.0 if bias is None else bias[o]
        for c, i, j in itertools.product(range(C), range(K_h), range(K_w)):
            row, column = h + i - padding, v + j - padding
            if 0 <= row < H and 0 <= column < W:
                total = total + weight[o, c, i, j] * input[n, c, row, column]
        output[n, o, h, v] = total
    return output


def zero_pad(input, padding):
    """`padding` zeros on all four sides: (N, C, H, W) -> (N, C, H + 2p, W + 2p)."""
    N, C, H, W = input.shape
    padded = input.new_zeros(N, C, H + 2 * padding, W + 2 * padding)
    padded[:, :, padding : padding + H, padding : padding + W] = input
    return padded


def conv2d_windows(input, weight, bias=None, padding=0):
    """`conv2d_loops` as one einsum over a view of all windows."""
    padded = zero_pad(input, padding)
    N, C, H_padded, W_padded = padded.shape
    K_h, K_w = weight.shape[2:]
    size = (N, C, H_padded - K_h + 1, W_padded - K_w + 1, K_h, K_w)
    n, c, h, v = padded.stride()  # the tensor's own strides, whatever they are
    view = padded.as_strided(size, (n, c, h, v, h, v))
    output = torch.einsum("nchvij,ocij->nohv", view, weight)
    return output if bias is None else output + bias[:, None, None]


def pair(value, name):
    """The two ints in `value`, an int or a sequence of two ints."""
    values = list(value) if isinstance(value, (tuple, list)) else [value, value]
    for item in values:
        if not isinstance(item, int) or isinstance(item, bool):
            raise TypeError(f"{name} must be an int or two ints, but got {value!r}")
    if len(values) != 2:
        raise RuntimeError(f"{name} must be an int or two ints, but got {value!r}")
    return tuple(values)


def check_sizes(input, kernel_size, dilation, padding, stride):
    """The four sizes as pairs; raise for what torch's `unfold` and `fold` refuse."""
    if not isinstance(input, torch.Tensor):
        raise TypeError(f"input must be a Tensor, not {type(input).__name__}")
    sizes = {
        "kernel_size": kernel_size,
        "dilation": dilation,
        "padding": padding,
        "stride": stride,
    }
    for name, value in sizes.items():
        sizes[name] = pair(value, name)
        least = 0 if name == "padding" else 1
        if min(sizes[name]) < least:
            raise RuntimeError(f"{name} must be at least {least}, but got {value!r}")
    return list(sizes.values())


def check_dtype(input):
    """Raise NotImplementedError for integers, as torch does."""
    dtype = input.dtype
    if not (dtype.is_floating_point or dtype.is_complex or dtype is torch.bool):
        raise NotImplementedError(f"input must not hold integers, but is {dtype}")


def blocks(size, kernel_size, dilation, padding, stride):
    """How many windows fit, down and across; all arguments are pairs."""
    return tuple(
        (length + 2 * p - d * (k - 1) - 1) // s + 1
        for length, k, d, p, s in zip(size, kernel_size, dilation, padding, stride)
    )


def unfold(input, kernel_size, dilation=1, padding=0, stride=1):
    """Every window as a column, the twin of `torch.nn.functional.unfold`.

    input: (N, C, H, W), or (C, H, W) without a batch axis.
    kernel_size, dilation, padding (zeros on each side), stride: an int or two ints,
        down and across.
    Returns (N, C * K_h * K_w, L) or (C * K_h * K_w, L) for L windows; row
        (c * K_h + i) * K_w + j holds tap (i, j) of channel c.
    Raises RuntimeError for sizes that do not fit, TypeError for wrong types, IndexError
        for fewer than three axes, NotImplementedError for integers.
    Source: the page of torch.nn.Unfold in PyTorch's documentation.
    """
    options = check_sizes(input, kernel_size, dilation, padding, stride)
    (K_h, K_w), (d_h, d_w), (p_h, p_w), (s_h, s_w) = options
    if input.dim() < 3:
        raise IndexError(f"input must have 3 or 4 axes, but has {input.dim()}")
    if input.dim() > 4 or 0 in input.shape[-3:]:
        raise RuntimeError(
            "input must be (N, C, H, W) or (C, H, W) with C, H and W positive, "
            f"but got {list(input.shape)}"
        )
    down, across = blocks(input.shape[-2:], *options)
    if min(down, across) < 1:
        raise RuntimeError(
            f"no window of kernel_size {(K_h, K_w)} with dilation {(d_h, d_w)} and "
            f"padding {(p_h, p_w)} fits an input of size {list(input.shape)}"
        )
    check_dtype(input)

    batch = input if input.dim() == 4 else input.unsqueeze(0)
    N, C, H, W = batch.shape
    padded = batch.new_zeros(N, C, H + 2 * p_h, W + 2 * p_w)
    padded[:, :, p_h : p_h + H, p_w : p_w + W] = batch
    spans = d_h * (K_h - 1) + 1, d_w * (K_w - 1) + 1
    windows = padded.unfold(2, spans[0], s_h).unfold(3, spans[1], s_w)
    windows = windows[..., ::d_h, ::d_w]  # (N, C, down, across, K_h, K_w)
    columns = rearrange(windows, "n c h v i j -> n (c i j) (h v)")
    return columns if input.dim() == 4 else columns.squeeze(0)


def check_fold(input, size, options):
    """Raise RuntimeError for what `torch.nn.functional.fold` refuses."""
    K_h, K_w = options[0]
    if input.dim() not in (2, 3) or 0 in input.shape[-2:]:
        raise RuntimeError(
            "input must be (N, C * K_h * K_w, L) or (C * K_h * K_w, L) with positive "
            f"sizes, but got {list(input.shape)}"
        )
    if input.shape[-2] % (K_h * K_w):
        raise RuntimeError(
            f"an input of size {list(input.shape)} has {input.shape[-2]} rows, which "
            f"kernel_size {(K_h, K_w)} does not divide"
        )
    down, across = blocks(size, *options)
    if min(down, across) < 1 or input.shape[-1] != down * across:
        raise RuntimeError(
            f"output_size {size} has {down} x {across} windows, but an input of size "
            f"{list(input.shape)} has {input.shape[-1]}"
        )
    if min(size) < 1:
        raise RuntimeError(f"output_size must be positive, but got {size}")
    check_dtype(input)


def fold(input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """Add every column back at its window, the twin of `torch.nn.functional.fold`.

    input: (N, C * K_h * K_w, L), or (C * K_h * K_w, L) without a batch axis.
    output_size: (H, W), or an int for both. The others as in `unfold`.
    Returns (N, C, H, W) or (C, H, W). Overlapping windows add up.
    Raises RuntimeError for sizes that do not fit, TypeError for wrong types,
        NotImplementedError for integers.
    Source: the page of torch.nn.Fold in PyTorch's documentation.
    """
    options = check_sizes(input, kernel_size, dilation, padding, stride)
    size = pair(output_size, "output_size")
    check_fold(input, size, options)
    (K_h, K_w), (d_h, d_w), (p_h, p_w), (s_h, s_w) = options
    down, across = blocks(size, *options)

    batch = input if input.dim() == 3 else input.unsqueeze(0)
    pattern = "n (c i j) (h v) -> i j n c h v"
    taps = rearrange(batch, pattern, i=K_h, j=K_w, h=down, v=across)
    N, C = taps.shape[2:4]
    padded = batch.new_zeros(N, C, size[0] + 2 * p_h, size[1] + 2 * p_w)
    for i, j in itertools.product(range(K_h), range(K_w)):
        rows = slice(d_h * i, d_h * i + s_h * (down - 1) + 1, s_h)
        columns = slice(d_w * j, d_w * j + s_w * (across - 1) + 1, s_w)
        padded[:, :, rows, columns] += taps[i, j]
    output = padded[:, :, p_h : p_h + size[0], p_w : p_w + size[1]]
    return output if input.dim() == 3 else output.squeeze(0)


def conv2d_unfold_backward(grad_output, input, weight, padding=0):
    """Gradients of the convolution for input, weight and bias, by `unfold` and `fold`.

    grad_output: (N, O, H_out, W_out). Returns tensors of the shapes of input and
    weight, and (O).
    """
    kernel_size = tuple(weight.shape[2:])
    g = grad_output.flatten(2)  # (N, O, L)
    columns = unfold(input, kernel_size, padding=padding)  # (N, C K K, L)
    grad_weight = torch.einsum("nol,nkl->ok", g, columns).view_as(weight)
    grad_columns = weight.flatten(1).T @ g
    size = tuple(input.shape[2:])
    grad_input = fold(grad_columns, size, kernel_size, padding=padding)
    return grad_input, grad_weight, grad_output.sum((0, 2, 3))


class Unfold(nn.Module):
    """Windows as columns, the twin of `torch.nn.Unfold`; see `unfold`."""

    def __init__(self, kernel_size, dilation=1, padding=0, stride=1):
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input):
        options = self.kernel_size, self.dilation, self.padding, self.stride
        return unfold(input, *options)

    def extra_repr(self):
        names = "kernel_size", "dilation", "padding", "stride"
        return ", ".join(f"{name}={getattr(self, name)}" for name in names)


class Fold(nn.Module):
    """Columns added back at their windows, the twin of `torch.nn.Fold`; see `fold`."""

    def __init__(self, output_size, kernel_size, dilation=1, padding=0, stride=1):
        super().__init__()
        self.output_size = output_size
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input):
        options = self.kernel_size, self.dilation, self.padding, self.stride
        return fold(input, self.output_size, *options)

    def extra_repr(self):
        names = "output_size", "kernel_size", "dilation", "padding", "stride"
        return ", ".join(f"{name}={getattr(self, name)}" for name in names)


def channels_last(input, padding, height, width, spare=0):
    """`input` (N, C, H, W) as rows of C numbers, one row a pixel, with zeros around.

    Each picture gets height x width places, its own first place at (padding, padding).
    After the last picture `spare` rows of zeros follow.
    Returns (N * height * width + spare, C).
    """
    N, C, H, W = input.shape
    total = N * height * width
    rows = input.new_zeros(total + spare, C)
    pixels = rows[:total].view(N, height, width, C)
    inside = slice(padding, padding + H), slice(padding, padding + W)
    pixels[:, inside[0], inside[1]] = input.permute(0, 2, 3, 1)
    return rows


def conv2d_shift_and_add(input, weight, bias=None, padding=0):
    """One product of matrices for each tap; shapes as in `conv2d_loops`."""
    (N, C, H, W), (O, _, K_h, K_w) = input.shape, weight.shape
    height, width = H + 2 * padding, W + 2 * padding
    H_out, W_out = height - K_h + 1, width - K_w + 1
    pixels = channels_last(input, padding, height, width).view(N, height, width, C)
    output = input.new_zeros(N * H_out * W_out, O)
    for i, j in itertools.product(range(K_h), range(K_w)):
        shifted = pixels[:, i : i + H_out, j : j + W_out].reshape(-1, C)
        output.addmm_(shifted, weight[:, :, i, j].T)
    if bias is not None:
        output = output + bias
    return output.view(N, H_out, W_out, O).permute(0, 3, 1, 2)


def conv2d_long_row(input, weight, bias=None, padding=0):
    """Shift and add in which every shift is one unbroken stretch of memory."""
    (N, C, H, W), (O, _, K_h, K_w) = input.shape, weight.shape
    H_out, W_out = H + 2 * padding - K_h + 1, W + 2 * padding - K_w + 1
    height, width = max(H + padding, H_out), max(W + padding, W_out)  # room for all
    places = N * height * width
    last = (K_h - 1) * width + K_w - 1  # the farthest shift
    row = channels_last(input, padding, height, width, spare=last)
    output = None
    for i, j in itertools.product(range(K_h), range(K_w)):
        start = i * width + j
        stretch, matrix = row[start : start + places], weight[:, :, i, j].T
        output = stretch @ matrix if output is None else output.addmm_(stretch, matrix)
    if bias is not None:
        output = output + bias
    output = output.view(N, height, width, O)[:, :H_out, :W_out]
    return output.permute(0, 3, 1, 2)


WINOGRAD = {  # outputs in a row of a tile: B^T, G and A^T for kernels of three taps
    2: (
        [[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]],
        [[1, 0, 0], [1 / 2, 1 / 2, 1 / 2], [1 / 2, -1 / 2, 1 / 2], [0, 0, 1]],
        [[1, 1, 1, 0], [0, 1, -1, -1]],
    ),
    4: (
        [
            [4, 0, -5, 0, 1, 0],
            [0, -4, -4, 1, 1, 0],
            [0, 4, -4, -1, 1, 0],
            [0, -2, -1, 2, 1, 0],
            [0, 2, -1, -2, 1, 0],
            [0, 4, 0, -5, 0, 1],
        ],
        [
            [1 / 4, 0, 0],
            [-1 / 6, -1 / 6, -1 / 6],
            [-1 / 6, 1 / 6, -1 / 6],
            [1 / 24, 1 / 12, 1 / 6],
            [1 / 24, -1 / 12, 1 / 6],
            [0, 0, 1],
        ],
        [
            [1, 1, 1, 1, 1, 0],
            [0, 1, -1, 2, -2, 0],
            [0, 1, 1, 4, 4, 0],
            [0, 1, -1, 8, -8, 1],
        ],
    ),
}
CHUNK = 2**20  # numbers in the largest intermediate: 4 MB in float32, about a cache


def winograd_matrices(outputs, like):
    """The Kronecker squares of B^T, G and A^T, of the dtype and device of `like`."""
    tables = (like.new_tensor(table) for table in WINOGRAD[outputs])
    return [torch.kron(table, table) for table in tables]


def conv2d_winograd(input, weight, bias=None, padding=0, outputs=2):
    """3x3 convolution by F(outputs x outputs, 3x3), outputs 2 or 4.

    Raises ValueError for another kernel. Shapes as in `conv2d_loops`.
    Source: Lavin and Gray, Fast algorithms for convolutional neural networks, 2016.
    """
    (N, C, H, W), O = input.shape, weight.shape[0]
    if weight.shape[2:] != (3, 3):
        raise ValueError(f"weight must be (O, C, 3, 3), but got {list(weight.shape)}")
    H_out, W_out = H + 2 * padding - 2, W + 2 * padding - 2
    down, across = -(-H_out // outputs), -(-W_out // outputs)  # tiles, rounded up
    height, width = outputs * down + 2, outputs * across + 2
    mix_pixels, mix_taps, unmix = winograd_matrices(outputs, input)

    places = (outputs + 2) ** 2  # numbers in a tile
    taps = (mix_taps @ weight.reshape(O * C, 9).T).view(places, O, C).transpose(1, 2)
    pixels = channels_last(input, padding, height, width).view(N, height, width, C)
    tiles = pixels.unfold(1, outputs + 2, outputs).unfold(2, outputs + 2, outputs)
    at_once = max(1, CHUNK // (places * down * across * max(C, O)))
    pictures = []
    for some in tiles.split(at_once):  # (n, down, across, C, a, b)
        mixed = mix_pixels @ rearrange(some, "n h v c a b -> (a b) (n h v c)")
        products = torch.bmm(mixed.view(places, -1, C), taps)  # (places, tiles, O)
        y = unmix @ products.view(places, -1)  # (outputs^2, tiles O)
        axes = dict(a=outputs, h=down, v=across, o=O)
        pattern = "(a b) (n h v o) -> n o (h a) (v b)"
        pictures.append(rearrange(y, pattern, **axes))
    output = torch.cat(pictures)[:, :, :H_out, :W_out]
    return output if bias is None else output + bias[:, None, None]


def conv2d_fft(input, weight, bias=None, padding=0):
    """Convolution as a product of Fourier transforms; shapes as in `conv2d_loops`.

    bfloat16 and float16 are computed in float32: the transform does not know them.
    """
    dtype = input.dtype
    if dtype in (torch.bfloat16, torch.float16):
        input, weight = input.float(), weight.float()
    ring = input.shape[2] + 2 * padding, input.shape[3] + 2 * padding
    pictures = torch.fft.rfft2(zero_pad(input, padding))  # (N, C, M_h, M_w // 2 + 1)
    kernels = torch.fft.rfft2(weight, s=ring).conj()
    products = torch.einsum("nchv,ochv->nohv", pictures, kernels)
    output = torch.fft.irfft2(products, s=ring)
    H_out, W_out = (m - k + 1 for m, k in zip(ring, weight.shape[2:]))
    output = output[:, :, :H_out, :W_out].to(dtype)
    return output if bias is None else output + bias[:, None, None]


def conv2d_fast(input, weight, bias=None, padding=0):
    """The quickest of this chapter's ways for these sizes, as measured on a CPU."""
    many_channels = min(weight.shape[:2]) >= 128
    exact_enough = input.dtype in (torch.float32, torch.float64)
    if many_channels and exact_enough and weight.shape[2:] == (3, 3):
        return conv2d_winograd(input, weight, bias, padding)
    return conv2d_long_row(input, weight, bias, padding)
