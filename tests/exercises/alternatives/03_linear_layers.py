# %% predicted
predicted = [[2, 3, 5], 45, 2410, torch.Size([5, 8])]


# %% log_sum_exp
def log_sum_exp(input, dim):
    """By logarithms to the base 2, with the largest score kept finite by a clamp."""
    rows = input.movedim(dim, -1)
    top = rows.max(dim=-1, keepdim=True).values.detach()
    top = torch.where(torch.isfinite(top), top, torch.zeros_like(top))
    total = torch.exp2((rows - top) / math.log(2)).sum(-1, keepdim=True)
    return (torch.log2(total) * math.log(2) + top)[..., 0]


# %% log_sum_exp
def log_sum_exp(input, dim):
    """With the largest score in the graph, where its gradients cancel."""
    largest = torch.amax(input, dim, keepdim=True).nan_to_num(neginf=0.0)
    return torch.log(torch.sum(torch.exp(input - largest), dim)) + largest.squeeze(dim)


# %% repaired_linear
class RepairedLinear(nn.Module):
    """By einsum, with torch's own rule for the start."""

    def __init__(self, in_features, out_features, bias=True):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(out_features, in_features))
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if bias:
            self.bias = nn.Parameter((2 * torch.rand(out_features) - 1) * in_features**-0.5)
        else:
            self.register_parameter("bias", None)

    def forward(self, input):
        output = torch.einsum("...i,oi->...o", input, self.weight)
        if self.bias is not None:
            output += self.bias
        return output


# %% repaired_linear
class RepairedLinear(nn.Module):
    """All leading axes as one, and back."""

    def __init__(self, in_features, out_features, bias=True):
        super().__init__()
        limit = in_features**-0.5
        self.weight = nn.Parameter(torch.distributions.Uniform(-limit, limit).sample((out_features, in_features)))
        self.bias = nn.Parameter(torch.empty(out_features).uniform_(-limit, limit)) if bias else None

    def forward(self, input):
        rows = torch.mm(input.reshape(-1, self.weight.shape[1]), self.weight.t())
        if self.bias is not None:
            rows = rows + self.bias
        return rows.reshape((*input.shape[:-1], self.weight.shape[0]))


# %% folded
def folded(layers):
    """Read off: what the stack makes of zero, and of each unit vector."""
    with torch.no_grad():
        stack = nn.Sequential(*layers)
        like = layers[0].weight
        at_zero = stack(like.new_zeros(layers[0].in_features))
        weight = (stack(torch.eye(layers[0].in_features, dtype=like.dtype)) - at_zero).T
        return weight, at_zero if any(layer.bias is not None for layer in layers) else None


# %% folded
def folded(layers):
    """From the last layer to the first."""
    weight, bias = None, None
    for layer in reversed(layers):
        if layer.bias is not None:
            moved = layer.bias if weight is None else weight @ layer.bias
            bias = moved if bias is None else bias + moved
        weight = layer.weight if weight is None else weight @ layer.weight
    return [weight, bias]


# %% smoothed_targets
def smoothed_targets(target, num_classes, epsilon):
    """Filled with the share of all, then the right class is raised."""
    probabilities = torch.full((*target.shape, num_classes), epsilon / num_classes)
    right = torch.full((*target.shape, 1), 1 - epsilon + epsilon / num_classes)
    return probabilities.scatter(-1, target.unsqueeze(-1), right)


# %% soft_gradient
def soft_gradient(logits, target, temperature):
    """By the table of derivatives, one sample after the other."""
    rows = []
    with torch.no_grad():
        for z, t in zip(logits / temperature, target, strict=True):
            p = (z - z.max()).exp()
            p = p / p.sum()
            rows.append((torch.eye(len(p), dtype=p.dtype) - p).T @ -t)
    return torch.stack(rows) / temperature / logits.shape[0]


# %% two_layer_gradients
def two_layer_gradients(x, target, weight1, bias1, weight2, bias2):
    """With all leading axes as one, and matrix products."""
    x, target = x.reshape(-1, x.shape[-1]), target.reshape(-1, target.shape[-1])
    h = torch.tanh(torch.addmm(bias1, x, weight1.t()))
    error = torch.addmm(bias2, h, weight2.t()) - target
    g = error.mul(2 / error.numel())
    z = g.mm(weight2) * (1 - h.square())
    return [z.t() @ x, z.sum(0), g.t() @ h, g.sum(0)]
