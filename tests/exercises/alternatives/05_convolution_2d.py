# %% predicted_numbers
predicted_numbers = [24, 14, 12, 32 * 4 * 9 + 32, (16 * 9 + 16) + (32 * 16 + 32)]


# %% rows_read
def rows_read(layers, row):
    """Field and start from below, by the jump."""
    field, jump, start = 1, 1, 0
    for kernel_size, stride, padding, dilation in layers:
        field += dilation * (kernel_size - 1) * jump
        start -= padding * jump
        jump *= stride
    return [start + row * jump, start + row * jump + field - 1]


# %% layer_matrix
def layer_matrix(weight, size, stride=1, padding=0):
    """Tap by tap, by index, without a border."""
    C_out, C_in, K_h, K_w = weight.shape
    H, W = size
    H_out, W_out = ((n + 2 * padding - k) // stride + 1 for n, k in zip(size, (K_h, K_w), strict=True))
    rows = []
    for o, i, j in itertools.product(range(C_out), range(H_out), range(W_out)):
        row = torch.zeros(C_in, H, W, dtype=weight.dtype)
        for u, v in itertools.product(range(K_h), range(K_w)):
            r, q = stride * i + u - padding, stride * j + v - padding
            if 0 <= r < H and 0 <= q < W:
                row[:, r, q] = weight[o, :, u, v]
        rows.append(row.flatten())
    return torch.stack(rows)


# %% conv2d_shift
def conv2d_shift(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Group by group, with index_select, the zeros made by hand."""

    def two(value):
        return (value, value) if isinstance(value, int) else tuple(value)

    s, p, d = two(stride), two(padding), two(dilation)
    N, C, H, W = input.shape
    frame = input.new_zeros(N, C, H + 2 * p[0], W + 2 * p[1])
    frame[:, :, p[0] : p[0] + H, p[1] : p[1] + W] = input
    out = [(frame.shape[2 + a] - d[a] * (weight.shape[2 + a] - 1) - 1) // s[a] + 1 for a in (0, 1)]
    parts = []
    for x, w in zip(frame.chunk(groups, dim=1), weight.chunk(groups, dim=0), strict=True):
        total = input.new_zeros(N, w.shape[0], *out)
        for u in range(w.shape[2]):
            rows = x.index_select(2, d[0] * u + s[0] * torch.arange(out[0]))
            for v in range(w.shape[3]):
                tap = rows.index_select(3, d[1] * v + s[1] * torch.arange(out[1]))
                total = total + torch.tensordot(tap, w[:, :, u, v], dims=([1], [1])).movedim(-1, 1)
        parts.append(total)
    output = torch.cat(parts, dim=1)
    if bias is not None:
        output = output + bias.view(1, -1, 1, 1)
    return output


# %% repaired_conv2d
class RepairedConv2d(nn.Module):
    """Sums over taps, and starts by torch's own rule."""

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, bias=True):
        super().__init__()
        two = lambda value: (value, value) if isinstance(value, int) else tuple(value)  # noqa: E731
        self.stride, self.padding = two(stride), two(padding)
        self.weight = nn.Parameter(torch.zeros(out_channels, in_channels, *two(kernel_size)))
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if bias:
            limit = self.weight[0].numel() ** -0.5
            self.bias = nn.Parameter((2 * torch.rand(out_channels) - 1) * limit)
        else:
            self.register_parameter("bias", None)

    def forward(self, input):
        (s_h, s_w), (p_h, p_w) = self.stride, self.padding
        x = nn.ZeroPad2d((p_w, p_w, p_h, p_h))(input)
        K_h, K_w = self.weight.shape[2:]
        last_h, last_w = x.shape[2] - K_h + 1, x.shape[3] - K_w + 1
        output = 0.0
        for u, v in itertools.product(range(K_h), range(K_w)):
            tap = x[:, :, u : u + last_h : s_h, v : v + last_w : s_w]
            output = output + torch.einsum("nchw,oc->nohw", tap, self.weight[:, :, u, v])
        return output if self.bias is None else output + self.bias.reshape(1, -1, 1, 1)


# %% input_gradient
def input_gradient(grad_output, weight, size, stride=1, padding=0):
    """The zeros between by a product with a unit vector, and the border by slicing."""
    N, C_out, H_out, W_out = grad_output.shape
    K_h, K_w = weight.shape[-2:]
    corner = torch.zeros(stride, stride, dtype=grad_output.dtype)
    corner[0, 0] = 1
    spread = torch.einsum("nohw,ab->nohawb", grad_output, corner).reshape(N, C_out, stride * H_out, stride * W_out)
    full = F.conv2d(F.pad(spread, (K_w - 1, K_w + size[1], K_h - 1, K_h + size[0])), weight.transpose(0, 1).flip(2, 3))
    return full[:, :, padding:, padding:][:, :, : size[0], : size[1]]
