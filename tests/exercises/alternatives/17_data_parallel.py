# %% predicted_parts
predicted_parts = [14 - 3 * 4, math.ceil(9 / 2), 2 + 3 + 7, 3]


# %% fair_sizes
def fair_sizes(batch, parts):
    """Deals the samples out like cards."""
    sizes = [0] * parts
    for sample in range(batch):
        sizes[sample % parts] += 1
    return sizes


# %% whole_gradient
def whole_gradient(gradients, sizes):
    """Sums of losses first, one division at the end."""
    totals = None
    for each, size in zip(gradients, sizes, strict=True):
        if not size:
            continue
        summed = [gradient * size for gradient in each]
        totals = summed if totals is None else [a + b for a, b in zip(totals, summed, strict=True)]
    return tuple(total / sum(sizes) for total in totals)


# %% repaired_parallel
class RepairedParallel(nn.Module):
    """Cuts by sizes that it computes, and calls the module's own parameters by torch.func."""

    def __init__(self, module, parts):
        super().__init__()
        self.module = module
        self.parts = parts

    def forward(self, x, **kwargs):
        size = math.ceil(len(x) / self.parts)
        parameters = dict(self.module.named_parameters())
        outputs = []
        for start in range(0, len(x), size):
            rows = slice(start, start + size)
            named = {name: value[rows] if torch.is_tensor(value) else value for name, value in kwargs.items()}
            outputs.append(torch.func.functional_call(self.module, parameters, (x[rows],), named))
        return torch.cat(outputs, 0)


# %% merged_estimates
def merged_estimates(counts, means, variances, running_mean, running_var, momentum=0.1):
    """Two at a time, as Chan's formula does it, and an update by the difference."""
    count, mean, squares = counts[0], means[0], counts[0] * variances[0]
    for m, mu, var in zip(counts[1:], means[1:], variances[1:], strict=True):
        distance = mu - mean
        squares = squares + m * var + distance**2 * (count * m / (count + m))
        mean = mean + distance * (m / (count + m))
        count += m
    new_mean = torch.lerp(running_mean, mean, momentum)
    return [new_mean, running_var + momentum * (squares / (count - 1) - running_var)]


# %% reduce_scatter
def reduce_scatter(chunks, ring):
    """Keeps only the chunk that travels: each message is a partial sum on its way."""
    ranks = range(len(chunks))
    travelling = [chunks[rank][rank].clone() for rank in ranks]
    for step in range(1, len(chunks)):
        for rank in ranks:
            ring.send(rank, travelling[rank])
        travelling = [ring.receive(rank).add(chunks[rank][rank - step]) for rank in ranks]
    return travelling
