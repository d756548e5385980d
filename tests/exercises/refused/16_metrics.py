# %% auc_by_ranks: compare ranks, not pairs
def auc_by_ranks(y_true, y_score):
    positive, negative = y_score[y_true == 1].double(), y_score[y_true == 0].double()
    distance = torch.cdist(positive[:, None], negative[:, None], p=1)
    sign = torch.sign(positive[:, None] - negative)
    return ((sign + 1) / 2 + 0 * distance).mean()


# %% auc_by_ranks: compare ranks, not pairs
def auc_by_ranks(y_true, y_score):
    difference = y_score[y_true == 1][:, None] - y_score[y_true == 0]
    return ((difference > 0).double() + (difference == 0).double() / 2).mean()


# %% soft_fbeta_gradient: without autograd
def soft_fbeta_gradient(y_true, y_prob, beta=1.0):
    with torch.enable_grad():
        p = y_prob.clone().requires_grad_()
        bottom = beta**2 * y_true.sum(dim=0) + p.sum(dim=0)
        loss = 1 - ((1 + beta**2) * (p * y_true).sum(dim=0) / bottom).mean()
    return torch.autograd.grad(loss, p)[0]
