# %% winograd_1d: make the outputs of the four products
def winograd_1d(x, w):
    a, b, c, d = x.unfold(0, 4, 2).unbind(1)
    half = w.sum() / 2
    taps = torch.stack([w[0], half, half - w[1], w[2]])
    products = torch.stack([a - c, b + c, c - b, b - d], dim=1) * taps
    return products, F.conv1d(x.view(1, 1, -1), w.view(1, 1, -1)).flatten()


# %% my_unfold: torch's own function does the work here
def my_unfold(input, kernel_size, dilation=1, padding=0, stride=1):
    return F.unfold(input, kernel_size, dilation, padding, stride)


# %% my_unfold: torch's own function does the work here
def my_unfold(input, kernel_size, dilation=1, padding=0, stride=1):
    return nn.Unfold(kernel_size, dilation, padding, stride)(input)


# %% my_unfold: torch's own function does the work here
def my_unfold(input, kernel_size, dilation=1, padding=0, stride=1):
    C, K = input.shape[1], kernel_size
    taps = torch.eye(K * K).to(input).view(K * K, 1, K, K).repeat(C, 1, 1, 1)
    return F.conv2d(input, taps, None, stride, padding, dilation, C).flatten(2)


# %% repaired_fft: mend the transform instead
def repaired_fft(input, weight, bias=None, padding=0):
    return F.conv2d(input, weight, bias, padding=padding)


# %% repaired_fft: mend the transform instead
def repaired_fft(input, weight, bias=None, padding=0):
    columns = F.unfold(input, tuple(weight.shape[2:]), padding=padding)
    H_out = input.shape[2] + 2 * padding - weight.shape[2] + 1
    output = (weight.flatten(1) @ columns).unflatten(2, (H_out, -1))
    return output if bias is None else output + bias[:, None, None]


# %% shift_gradients: a loop over taps, slices and products
def shift_gradients(grad_output, input, weight, padding=0):
    with torch.enable_grad():
        leaves = input.clone().requires_grad_(), weight.clone().requires_grad_()
        output = F.conv2d(*leaves, padding=padding)
    return torch.autograd.grad(output, leaves, grad_output)


# %% shift_gradients: a loop over taps, slices and products
def shift_gradients(grad_output, input, weight, padding=0):
    K = tuple(weight.shape[2:])
    g, columns = grad_output.flatten(2), F.unfold(input, K, padding=padding)
    grad_weight = torch.einsum("nol,nkl->ok", g, columns).view_as(weight)
    grad_input = F.fold(weight.flatten(1).T @ g, tuple(input.shape[2:]), K, padding=padding)
    return grad_input, grad_weight
