# %% predicted_numbers
predicted_numbers = [6.0, 9, 4, 24.0, 5]


# %% patterns
patterns = {
    "channels_last": "batch channel height width->batch height width channel",
    "sheet": "(r column) h w c -> (r h) (column w) c",
    "interleaved": "channel sample -> (sample channel)",
    "even_odd": "t (half k) -> k t half",
    "windows": "n (row p) (column q) c -> (n row column) (p q) c",
}


# %% pixel_shuffle
def pixel_shuffle(x, r):
    """With view, and with the channels moved to the end on the way."""
    n, c, h, w = x.shape
    x = x.permute(0, 2, 3, 1).contiguous().view(n, h, w, c // (r * r), r, r)
    x = x.permute(0, 3, 1, 4, 2, 5)
    return x.contiguous().view(n, c // (r * r), r * h, r * w)


# %% pixel_shuffle
def pixel_shuffle(x, r):
    """With unflatten, transpose and flatten."""
    x = x.unflatten(1, (-1, r, r))  # (n, c, r, s, h, w)
    return x.transpose(3, 4).transpose(2, 3).transpose(4, 5).flatten(4, 5).flatten(2, 3)


# %% attention
def attention(q, k, v, heads):
    """One head after the other, with plain matrix products."""
    d = q.shape[-1] // heads
    results = []
    for h in range(heads):
        mine = slice(h * d, (h + 1) * d)
        weights = torch.softmax(q[..., mine] @ k[..., mine].transpose(1, 2) * d**-0.5, dim=2)
        results.append(weights @ v[..., mine])
    return torch.cat(results, dim=-1)


# %% attention
def attention(q, k, v, heads):
    """Heads in the batch axis."""
    d = q.shape[-1] // heads
    q, k, v = (rearrange(x, "n t (h d) -> (n h) t d", h=heads) for x in (q, k, v))
    scores = torch.bmm(q, k.transpose(1, 2)) / math.sqrt(d)
    weights = scores.exp() / scores.exp().sum(dim=-1, keepdim=True)
    return rearrange(torch.bmm(weights, v), "(n h) t d -> n t (h d)", h=heads)


# %% bilinear_gradients
def bilinear_gradients(grad_output, u, weight, v):
    """Other letters, another order of operands, a list."""
    return [
        torch.einsum("bp,apq,bq,ba->bp", torch.ones_like(u), weight, v, grad_output),
        torch.einsum("ba,bp,bq->apq", grad_output, u, v),
        torch.einsum("apq,ba,bp->bq", weight, grad_output, u),
    ]


# %% cheapest
def cheapest(equation, sizes):
    """By subsets: the cheapest way to make each set of operands from two smaller ones."""
    inputs, output = equation.split("->")
    terms = inputs.split(",")
    everyone = frozenset(range(len(terms)))

    def letters(group):
        inside = set("".join(terms[i] for i in group))
        outside = set(output) | set("".join(terms[i] for i in everyone - group))
        return inside if len(group) == 1 else inside & outside

    cost = {frozenset([i]): 0 for i in everyone}
    for size in range(2, len(terms) + 1):
        for group in map(frozenset, itertools.combinations(everyone, size)):
            splits = [
                (frozenset(part), group - frozenset(part))
                for count in range(1, size)
                for part in itertools.combinations(group, count)
            ]
            cost[group] = min(
                cost[a] + cost[b] + math.prod(sizes[x] for x in letters(a) | letters(b)) for a, b in splits
            )
    return cost[everyone]
