# %% predicted_state
predicted_state = [200, 6, 1, 1.1, 3]


# %% updated_estimates
def updated_estimates(running_mean, running_var, input, momentum=0.1, batches_before=0):
    """By rows of channels, and by moving a part of the way."""
    rows = rearrange(input, "n c ... -> c (n ...)")
    mean = rows.sum(dim=1) / rows.shape[1]
    variance = ((rows - mean[:, None]) ** 2).sum(dim=1) / (rows.shape[1] - 1)
    part = momentum
    if part is None:
        part = 1.0 / (1 + batches_before)
    return [old + part * (new - old) for old, new in ((running_mean, mean), (running_var, variance))]


# %% repaired_batch_norm
class RepairedBatchNorm2d(nn.Module):
    """Keeps the dimensions, and multiplies by the reciprocal root."""

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps = eps
        self.momentum = momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.zeros((), dtype=torch.long))

    def forward(self, input):
        if self.training:
            m = input.numel() / input.shape[1]
            var, mean = torch.var_mean(input, dim=(0, 2, 3), correction=0)
            a = self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * mean.detach()
            self.running_var = (1 - a) * self.running_var + a * var.detach() * m / (m - 1)
            self.num_batches_tracked = self.num_batches_tracked + 1
        else:
            mean, var = self.running_mean, self.running_var
        scale = self.weight * torch.rsqrt(var + self.eps)
        return (input - mean.view(1, -1, 1, 1)) * scale.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)


# %% folded
def folded(weight, bias, norm):
    """With ones and zeros in the place of what is missing, and einsum for the axis."""
    factor = 1 / (norm.running_var + norm.eps) ** 0.5
    gamma = torch.ones_like(factor) if norm.weight is None else norm.weight
    beta = torch.zeros_like(factor) if norm.bias is None else norm.bias
    if bias is None:
        bias = torch.zeros_like(factor)
    return torch.einsum("o...,o->o...", weight, gamma * factor), gamma * factor * (bias - norm.running_mean) + beta


# %% merged_statistics
def merged_statistics(means, variances, counts):
    """One machine after the other, as a running total."""
    total, mean, squares = 0, torch.zeros_like(means[0]), torch.zeros_like(means[0])
    for count, new_mean, new_var in zip(counts.tolist(), means, variances, strict=True):
        gap = new_mean - mean
        squares = squares + count * new_var + gap**2 * total * count / (total + count)
        total += count
        mean = mean + gap * count / total
    return [mean, squares / total]


# %% gradients_from_output
def gradients_from_output(grad_output, output, weight, bias, deviation):
    """On rows of channels, and back."""
    g, y = (rearrange(values, "n c ... -> c (n ...)") for values in (grad_output, output))
    normal = (y - bias[:, None]) / weight[:, None]
    rows = g - g.mean(1, keepdim=True) - normal * (g * normal).mean(1, keepdim=True)
    rows = rows * (weight / deviation)[:, None]
    swapped = grad_output.transpose(0, 1)
    grad_input = rows.reshape(swapped.shape).transpose(0, 1)
    return grad_input, (g * normal).sum(1), g.sum(1)
