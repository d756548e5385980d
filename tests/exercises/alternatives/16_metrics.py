# %% predicted_screening
predicted_screening = [226, 0.1327, 0.897, "rises"]


# %% predicted_screening
counts = torch.tensor([226, 30, 1794])
predicted_screening = (counts[0], counts[1] / counts[0], counts[2] / 2000, "rises")


# %% recall_of
def recall_of(table, average=None, zero_division=0.0):
    """One class after the other."""
    if average not in (None, "macro", "micro", "weighted"):
        raise ValueError(average)
    counts = table.tolist()
    per_class = [row[c] / sum(row) if sum(row) else float(zero_division) for c, row in enumerate(counts)]
    if average is None:
        return torch.tensor(per_class, dtype=torch.float64)
    if average == "macro":
        kept = [value for value in per_class if not math.isnan(value)]
        return torch.tensor(sum(kept) / len(kept), dtype=torch.float64)
    found = sum(row[c] for c, row in enumerate(counts))
    return torch.tensor(found / sum(map(sum, counts)), dtype=torch.float64)


# %% streaming_f1
class StreamingF1(nn.Module):
    """Makes new buffers instead of changing them in place, and looks at the difference of the logits."""

    def __init__(self):
        super().__init__()
        self.register_buffer("tp", torch.tensor(0))
        self.register_buffer("fp", torch.tensor(0))
        self.register_buffer("fn", torch.tensor(0))

    def update(self, y_true, logits):
        said, positive = logits[:, 1] > logits[:, 0], y_true.bool()
        self.tp = self.tp + (said & positive).sum()
        self.fp = self.fp + (said & ~positive).sum()
        self.fn = self.fn + (~said & positive).sum()

    def compute(self):
        if self.tp == 0:
            return torch.tensor(0.0)
        precision, recall = self.tp / (self.tp + self.fp), self.tp / (self.tp + self.fn)
        return 2 * precision * recall / (precision + recall)

    def reset(self):
        self.tp, self.fp, self.fn = torch.tensor(0), torch.tensor(0), torch.tensor(0)

    def merge_state(self, other):
        self.tp, self.fp, self.fn = self.tp + other.tp, self.fp + other.fp, self.fn + other.fn


# %% cheapest_threshold
def cheapest_threshold(y_true, y_score, cost_fp, cost_fn):
    """All thresholds at once, from high to low."""
    candidates = torch.cat([torch.tensor([math.inf]), y_score.unique().flip(0)])
    said = y_score >= candidates[:, None]
    costs = cost_fp * (said & (y_true == 0)).sum(1) + cost_fn * (~said & (y_true == 1)).sum(1)
    best = int(torch.nonzero(costs == costs.min())[0])
    return candidates[best].item(), costs[best].item() / len(y_true)


# %% auc_by_ranks
def auc_by_ranks(y_true, y_score):
    """By searching each score from both sides in the sorted ones."""
    ordered = y_score.sort().values
    below = torch.searchsorted(ordered, y_score.contiguous())
    up_to = torch.searchsorted(ordered, y_score.contiguous(), right=True)
    ranks = (below + 1 + up_to).to(torch.float64) / 2
    positive = y_true == 1
    P, N = int(positive.sum()), int((~positive).sum())
    if P == 0 or N == 0:
        return torch.tensor(math.nan, dtype=torch.float64)
    return (ranks[positive].mean() - (P + 1) / 2) / N


# %% soft_fbeta_gradient
def soft_fbeta_gradient(y_true, y_prob, beta=1.0):
    """Column after column, by the two terms of the quotient rule."""
    gradient = torch.zeros_like(y_prob)
    for c in range(y_prob.shape[1]):
        t, p = y_true[:, c], y_prob[:, c]
        top = (1 + beta * beta) * torch.dot(t, p)
        bottom = beta * beta * t.sum() + p.sum()
        gradient[:, c] = top / bottom**2 - (1 + beta * beta) * t / bottom
    return gradient / y_prob.shape[1]
