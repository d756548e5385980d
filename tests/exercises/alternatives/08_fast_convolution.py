# %% predicted_sizes
predicted_sizes = [3 * 9, 6 * 8, 3 * 4, 4 * 16 * 9 * 32**2]


# %% unfold_cost
def unfold_cost(N, C, H, W, O, K, padding=0):  # noqa: E741
    """By the sizes of tensors that hold nothing."""
    x, w = torch.empty(N, C, H, W, device="meta"), torch.empty(O, C, K, K, device="meta")
    columns = F.unfold(x, K, padding=padding)
    output = F.conv2d(x, w, padding=padding)
    moved = sum(t.nbytes for t in (x, columns, columns, w, output))
    operations = 2 * output.numel() * w[0].numel()
    return [operations, moved, operations / moved]


# %% winograd_1d
def winograd_1d(x, w):
    """By the three matrices."""
    B = x.new_tensor([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]])
    G = x.new_tensor([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])
    A = x.new_tensor([[1, 1, 1, 0], [0, 1, -1, -1]])
    tiles = torch.stack([x[i : i + 4] for i in range(0, len(x) - 3, 2)])
    products = (tiles @ B.T) * (G @ w)
    return products, (products @ A.T).reshape(-1)


# %% my_unfold
def my_unfold(input, kernel_size, dilation=1, padding=0, stride=1):
    """By a gather: the index of each pixel that each window reads."""
    x = nn.ZeroPad2d(padding)(input)
    down, across = ((n - dilation * (kernel_size - 1) - 1) // stride + 1 for n in x.shape[2:])
    taps = dilation * torch.arange(kernel_size)
    rows = taps[:, None] + stride * torch.arange(down)  # (K, down)
    columns = taps[:, None] + stride * torch.arange(across)
    windows = x[:, :, rows[:, None, :, None], columns[None, :, None, :]]
    return rearrange(windows, "n c i j h v -> n (c i j) (h v)")


# %% repaired_fft
def repaired_fft(input, weight, bias=None, padding=0):
    """With complex transforms, a longer ring, and the kernel flipped in the place of a conjugate."""
    (K_h, K_w), p = weight.shape[2:], padding
    H, W = input.shape[2] + 2 * p + K_h - 1, input.shape[3] + 2 * p + K_w - 1
    x = torch.fft.fft2(F.pad(input, (p, p + K_w - 1, p, p + K_h - 1)))
    k = torch.fft.fft2(F.pad(weight.flip(2, 3), (0, W - K_w, 0, H - K_h)))
    y = torch.fft.ifft2((x[:, None] * k[None]).sum(2)).real
    y = y[:, :, K_h - 1 : H - K_h + 1, K_w - 1 : W - K_w + 1]
    if bias is not None:
        y = y + bias.view(1, -1, 1, 1)
    return y


# %% shift_gradients
def shift_gradients(grad_output, input, weight, padding=0):
    """The shifted gradients laid into zeros of the padded size, stacked, and summed."""
    H, W = input.shape[2:]
    H_out, W_out = grad_output.shape[2:]
    K_h, K_w = weight.shape[2:]
    padded = nn.ZeroPad2d(padding)(input)
    moved = torch.stack(
        [F.pad(grad_output, (j, K_w - 1 - j, i, K_h - 1 - i)) for i in range(K_h) for j in range(K_w)]
    )  # (K K, N, O, H + 2p, W + 2p)
    grad_input = torch.einsum("knohv,ock->nchv", moved, weight.flatten(2))
    grad_weight = torch.einsum("knohv,nchv->ock", moved, padded).view_as(weight)
    return [grad_input[:, :, padding : padding + H, padding : padding + W], grad_weight]
