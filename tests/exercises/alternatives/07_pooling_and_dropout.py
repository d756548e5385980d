# %% predicted_pools
predicted_pools = [3, 4, 2, 0.333]


# %% block_max
def block_max(input, size):
    """The largest of size * size shifted copies, each of every size-th pixel."""
    H, W = input.shape[2] // size, input.shape[3] // size
    copies = [
        input[:, :, row : H * size : size, column : W * size : size] for row in range(size) for column in range(size)
    ]
    return torch.stack(copies).max(dim=0).values


# %% repaired_dropout
class RepairedDropout(nn.Module):
    """Draws by bernoulli_, and scales the noise instead of the product."""

    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, input):
        if self.training is False or self.p == 0:
            return input
        noise = torch.zeros_like(input)
        if self.p < 1:
            noise = noise.bernoulli_(1 - self.p) / (1 - self.p)
        return torch.where(noise > 0, noise * input, 0.0)


# %% max_pool1d_gradient
def max_pool1d_gradient(grad_output, input, kernel_size, stride):
    """Loops over everything."""
    grad = torch.zeros_like(input)
    for n, c, j in itertools.product(*map(range, grad_output.shape)):
        window = input[n, c, stride * j : stride * j + kernel_size].tolist()
        grad[n, c, stride * j + window.index(max(window))] += grad_output[n, c, j]
    return grad


# %% avg_pool1d_gradient
def avg_pool1d_gradient(grad_output, length, kernel_size, stride, padding=0, count_include_pad=True):
    """Through the matrix of the layer, whose transpose is the gradient."""
    L_out = grad_output.shape[-1]
    matrix = torch.zeros(L_out, length, dtype=grad_output.dtype)
    for j in range(L_out):
        start = stride * j - padding
        matrix[j, max(start, 0) : start + kernel_size] = 1
    divisor = kernel_size if count_include_pad else matrix.sum(dim=1, keepdim=True)
    return grad_output @ (matrix / divisor)


# %% max_blur_pool2d
def max_blur_pool2d(input):
    """By torch's pooling and a depthwise convolution."""
    ring = F.pad(input, (0, 1, 0, 1), mode="circular")
    ring = F.pad(F.max_pool2d(ring, 2, stride=1), (1, 1, 1, 1), mode="circular")
    weights = torch.tensor([0.25, 0.5, 0.25], dtype=input.dtype)
    kernel = torch.outer(weights, weights).repeat(input.shape[1], 1, 1, 1)
    return F.conv2d(ring, kernel, stride=2, groups=input.shape[1])


# %% block_max
def block_max(input, size):
    """By F.unfold: one column for each block, each channel an image of its own."""
    N, C, H, W = input.shape
    H, W = H // size, W // size
    whole = input[..., : H * size, : W * size].reshape(N * C, 1, H * size, W * size)
    return F.unfold(whole, size, stride=size).amax(1).reshape(N, C, H, W)


# %% avg_pool1d_gradient
def avg_pool1d_gradient(grad_output, length, kernel_size, stride, padding=0, count_include_pad=True):
    """A transposed convolution with ones, as a stride's opposite."""
    N, C, L_out = grad_output.shape
    starts = stride * torch.arange(L_out) - padding
    real = (starts + kernel_size).clamp(max=length) - starts.clamp(min=0)
    share = grad_output / (kernel_size if count_include_pad else real)
    ones = grad_output.new_ones(1, 1, kernel_size)
    full = F.conv_transpose1d(share.reshape(N * C, 1, L_out), ones, stride=stride)
    full = F.pad(full, (0, max(0, length + 2 * padding - full.shape[-1])))
    return full[..., padding : padding + length].reshape(N, C, length)


# %% max_blur_pool2d
def max_blur_pool2d(input):
    """The largest of four shifted images; the blur by its response to each frequency."""
    shifts = itertools.product((0, -1), repeat=2)
    x = torch.stack([input.roll(shift, (-2, -1)) for shift in shifts]).amax(0)
    for axis in (-2, -1):
        waves = torch.fft.fftfreq(x.shape[axis], dtype=x.dtype)
        gain = (1 + torch.cos(2 * math.pi * waves)) / 2
        spectrum = torch.fft.fft(x.movedim(axis, -1)) * gain
        x = torch.fft.ifft(spectrum).real.movedim(-1, axis)
    return x[..., ::2, ::2]
