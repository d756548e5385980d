# %% layer_matrix: fill the matrix by indices or slices instead
def layer_matrix(weight, size, stride=1, padding=0):
    pixels = weight.shape[1] * size[0] * size[1]
    pictures = torch.eye(pixels, dtype=weight.dtype).view(-1, weight.shape[1], *size)
    return F.conv2d(pictures, weight, None, stride, padding).flatten(1).T


# %% layer_matrix: fill the matrix by indices or slices instead
def layer_matrix(weight, size, stride=1, padding=0):
    pixels = weight.shape[1] * size[0] * size[1]
    pictures = torch.eye(pixels, dtype=weight.dtype).view(-1, weight.shape[1], *size)
    columns = F.unfold(pictures, tuple(weight.shape[2:]), 1, padding, stride)  # (pixels, C K K, places)
    return torch.einsum("pkl,ok->olp", columns, weight.flatten(1)).reshape(-1, pixels)


# %% conv2d_shift: build it from slices and products
def conv2d_shift(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return F.conv2d(input, weight, bias, stride, padding, dilation, groups)


# %% conv2d_shift: take one tap's slice
def conv2d_shift(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    two = lambda value: (value, value) if isinstance(value, int) else value  # noqa: E731
    (s_h, s_w), (p_h, p_w), (d_h, d_w) = two(stride), two(padding), two(dilation)
    x, (K_h, K_w) = F.pad(input, (p_w, p_w, p_h, p_h)), weight.shape[2:]
    bottom, right = x.shape[2] - d_h * (K_h - 1), x.shape[3] - d_w * (K_w - 1)
    taps = [
        x[:, :, d_h * u : d_h * u + bottom : s_h, d_w * v : d_w * v + right : s_w]
        for u, v in itertools.product(range(K_h), range(K_w))
    ]
    stacked = rearrange(torch.stack(taps), "k n (G c) h w -> k n G c h w", G=groups)
    kernels = rearrange(weight, "(G o) c u v -> G o c (u v)", G=groups)
    output = torch.einsum("knGchw,Gock->nGohw", stacked, kernels).flatten(1, 2)
    return output if bias is None else output + bias[:, None, None]


# %% repaired_conv2d: mend the class instead of calling one
class RepairedConv2d(nn.Conv2d):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, bias=True):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, bias=bias)


# %% input_gradient: one call of F.conv2d
def input_gradient(grad_output, weight, size, stride=1, padding=0):
    with torch.enable_grad():
        leaf = weight.new_zeros(len(grad_output), weight.shape[1], *size).requires_grad_()
        output = F.conv2d(leaf, weight, None, stride, padding)
    return torch.autograd.grad(output, leaf, grad_output)[0]


# %% input_gradient: one call of F.conv2d
def input_gradient(grad_output, weight, size, stride=1, padding=0):
    K_h, K_w = weight.shape[2:]
    lost = (size[0] + 2 * padding - K_h) % stride, (size[1] + 2 * padding - K_w) % stride
    return F.conv_transpose2d(grad_output, weight, None, stride, padding, lost)
