# %% predicted_numbers
predicted_numbers = [math.ceil(1000 / 48), 1000 % 48, 3 * (1000 // 48), -(1 + 1.5 + 1.75), 2 + 0.1]


# %% evaluate
def evaluate(model, loader):
    """Collects all logits first; remembers the names of the layers that were training."""
    training = {name for name, layer in model.named_modules() if layer.training}
    model.train(False)
    try:
        with torch.inference_mode():
            results = [(model(x), y) for x, y in loader]
    finally:
        for name, layer in model.named_modules():
            layer.training = name in training
    logits, y = (torch.cat(column) for column in zip(*results, strict=True))
    return float(F.cross_entropy(logits, y)), float((logits.argmax(1) == y).double().mean())


# %% evaluate
def evaluate(model, loader):
    """Works on a copy, so that the model itself is never touched."""
    twin = copy.deepcopy(model).eval()
    with torch.no_grad():
        results = [(twin(x), y) for x, y in loader]
    logits, y = (torch.cat(column) for column in zip(*results, strict=True))
    return F.cross_entropy(logits, y).item(), (logits.argmax(1) == y).float().mean().item()


# %% train_epoch
def train_epoch(model, loader, optimizer, schedule=None):
    """Forgets the gradients by hand, and works out the mean at the end."""
    model.train(True)
    losses, sizes = [], []
    for x, y in loader:
        for parameter in model.parameters():
            parameter.grad = None
        total = F.nll_loss(model(x).log_softmax(-1), y, reduction="sum")
        (total / len(x)).backward()
        optimizer.step()
        if schedule:
            schedule.step()
        losses.append(float(total.detach()))
        sizes.append(len(x))
    return math.fsum(losses) / sum(sizes)


# %% accumulate
def accumulate(model, x, y, part):
    """Sums the gradients of the parts itself, with autograd.grad."""
    parameters = list(model.parameters())
    sums, total = [torch.zeros_like(p) for p in parameters], 0.0
    for start in range(0, len(x), part):
        some = slice(start, start + part)
        loss = F.cross_entropy(model(x[some]), y[some]) * (len(y[some]) / len(y))
        for value, grad in zip(sums, torch.autograd.grad(loss, parameters), strict=True):
            value += grad
        total += loss.item()
    for parameter, value in zip(parameters, sums, strict=True):
        parameter.grad = value
    return total


# %% weight_average
class WeightAverage(nn.Module):
    """New tensors in each update; state_dict as the list of what is averaged."""

    def __init__(self, model, decay):
        super().__init__()
        self.decay = decay
        for name, value in model.named_parameters():
            self.register_buffer("_".join(name.split(".")), torch.clone(value.data))

    @torch.no_grad()
    def update(self, model):
        for name, value in model.named_parameters():
            name = "_".join(name.split("."))
            setattr(self, name, value + self.decay * (getattr(self, name) - value))

    def copy_to(self, model):
        for name, value in model.named_parameters():
            value.data.copy_(getattr(self, "_".join(name.split("."))))


# %% rmsprop
class RMSprop(torch.optim.Optimizer):
    """All in one loop, with lerp and new tensors in the state."""

    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8, weight_decay=0, momentum=0, centered=False):
        super().__init__(
            params,
            {
                "lr": lr,
                "alpha": alpha,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "centered": centered,
            },
        )

    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                g, state, weight = p.grad.detach(), self.state[p], 1 - group["alpha"]
                if group["weight_decay"]:
                    g = g + group["weight_decay"] * p.detach()
                zero = torch.zeros_like(g)
                state["step"] = state.get("step", torch.tensor(0.0)) + 1
                state["square_avg"] = state.get("square_avg", zero).lerp(g * g, weight)
                spread = state["square_avg"]
                if group["centered"]:
                    state["grad_avg"] = state.get("grad_avg", zero).lerp(g, weight)
                    spread = spread - state["grad_avg"].square()
                move = g / (spread.sqrt() + group["eps"])
                if group["momentum"]:
                    state["momentum_buffer"] = move = group["momentum"] * state.get("momentum_buffer", zero) + move
                with torch.no_grad():
                    p -= group["lr"] * move
