# %% fair_sizes: with arithmetic
def fair_sizes(batch, parts):
    return [len(part) for part in torch.tensor_split(torch.zeros(batch), parts)]
