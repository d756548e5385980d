# %% predicted_means
predicted_means = [12, 2 * 12, 2 * 4, 2, 2 * 7]


# %% statistics_of
def statistics_of(kind, shape, groups=1):
    """By taking the means of a tensor of zeros."""
    x = torch.zeros(tuple(shape))
    if kind == "group":
        x = x.reshape(shape[0], groups, -1)
    positions = tuple(range(2, x.dim()))
    axes = {"batch": (0, *positions), "layer": (1, *positions), "token": (-1,)}.get(kind, positions)
    left = x.mean(axes).numel()
    return [left, x.numel() // left]


# %% repaired_group_norm
class RepairedGroupNorm(nn.Module):
    """Adds weight and bias while the groups still have an axis of their own, and sums by hand."""

    def __init__(self, num_groups, num_channels, eps=1e-5):
        super().__init__()
        self.groups, self.eps = num_groups, eps
        self.weight = nn.Parameter(torch.empty(num_channels))
        self.bias = nn.Parameter(torch.empty(num_channels))
        nn.init.ones_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, input):
        x = input.reshape(input.shape[0], self.groups, input.shape[1] // self.groups, -1)
        count = x.shape[2] * x.shape[3]
        centred = x - x.sum((2, 3), keepdim=True) / count
        variance = centred.pow(2).sum((2, 3), keepdim=True) / count
        weight, bias = (p.reshape(self.groups, -1, 1) for p in (self.weight, self.bias))
        return torch.addcmul(bias, centred * torch.rsqrt(variance + self.eps), weight).reshape(input.shape)


# %% remembered
def remembered(input, running_mean, running_var, momentum=0.1):
    """Sample by sample and channel by channel."""
    N, C = input.shape[:2]
    means, variances = torch.zeros_like(running_mean), torch.zeros_like(running_var)
    for n in range(N):
        for c in range(C):
            values = input[n, c].flatten()
            means[c] += values.mean() / N
            variances[c] += ((values - values.mean()) ** 2).sum() / (len(values) - 1) / N
    return [running_mean + momentum * (means - running_mean), running_var + momentum * (variances - running_var)]


# %% borrow_style
def borrow_style(content, style, eps=1e-5):
    """Normalization by torch, one picture at a time."""
    pictures = []
    for picture, other in zip(content, style, strict=True):
        flat = other.flatten(1)
        mean = flat.mean(1)
        deviation = ((flat - mean[:, None]) ** 2).mean(1).add(eps).sqrt()
        pictures.append(F.instance_norm(picture[None], weight=deviation, bias=mean, eps=eps))
    return torch.cat(pictures)


# %% group_norm_backward
def group_norm_backward(grad_output, input, num_groups, weight, eps=1e-5):
    """By the Jacobian of one group at a time."""
    N, C = input.shape[:2]
    each = C // num_groups
    grad_input = torch.zeros_like(input)
    normal = torch.zeros_like(input)
    column = weight.reshape(C, *[1] * (input.dim() - 2))
    for n in range(N):
        for group in range(num_groups):
            run = slice(group * each, (group + 1) * each)
            x = input[n, run].flatten()
            centred = x - x.mean()
            s = torch.sqrt(centred.square().mean() + eps)
            hat = centred / s
            jacobian = (torch.eye(len(x), dtype=x.dtype) - 1 / len(x) - torch.outer(hat, hat) / len(x)) / s
            h = (grad_output[n, run] * column[run]).flatten()
            grad_input[n, run] = (jacobian @ h).reshape(input[n, run].shape)
            normal[n, run] = hat.reshape(input[n, run].shape)
    others = [axis for axis in range(input.dim()) if axis != 1]
    return [grad_input, (grad_output * normal).sum(others), grad_output.sum(others)]


# %% remembered
def remembered(input, running_mean, running_var, momentum=0.1):
    """Both statistics in one call, and a step from the old value towards the new."""
    variance, mean = torch.var_mean(input, dim=tuple(range(2, input.dim())), correction=1)
    return running_mean.lerp(mean.mean(0), momentum), torch.lerp(running_var, variance.mean(0), momentum)
