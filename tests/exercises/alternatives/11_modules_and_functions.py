# %% predicted_counts
predicted_counts = [34, 11, 6, 2]


# %% state_names
def state_names(module):
    """With an explicit stack instead of a function that calls itself."""
    names, waiting = [], [("", module)]
    while waiting:
        prefix, current = waiting.pop()
        saved = {name: b for name, b in current._buffers.items() if name not in current._non_persistent_buffers_set}
        names.extend(prefix + name for name, t in {**current._parameters, **saved}.items() if t is not None)
        below = [(f"{prefix}{name}.", child) for name, child in current._modules.items() if child is not None]
        waiting.extend(reversed(below))
    return names


# %% repaired_net
class RepairedNet(nn.Module):
    """With a Dropout module, which has no state, and the mean written in place."""

    def __init__(self, width, depth, p=0.5):
        super().__init__()
        self.p = p
        self.scale = nn.Parameter(0.1 * torch.ones(width))
        self.register_buffer("mean", torch.zeros(width))
        self.layers = nn.ModuleList()
        for _ in range(depth):
            self.layers.append(nn.Linear(width, width))
        self.drop = nn.Dropout(p)

    def forward(self, x):
        if self.training:
            with torch.no_grad():
                self.mean.lerp_(x.mean(0).to(self.mean), 0.1)
        x = x - self.mean
        for layer in self.layers:
            x = x + self.scale * self.drop(layer(x).relu())
        return x


# %% limit_gradient
def limit_gradient(module, limit):
    """Norms by hand, and a list instead of a tuple on the way."""

    def hook(_, grad_input, grad_output):
        results = []
        for gradient in grad_input:
            if gradient is not None:
                length = math.sqrt((gradient.double() ** 2).sum().item())
                if length > limit:
                    gradient = gradient / length * limit
            results.append(gradient)
        return tuple(results)

    return module.register_full_backward_hook(hook, prepend=True)


# %% load_matching
def load_matching(module, state):
    """Walks over the tables, writes into .data, and returns a list of the three lists."""
    own = {}
    for path, place in module.named_modules(remove_duplicate=False):
        for table in (place._parameters, place._buffers):
            for name, tensor in table.items():
                if tensor is not None and name not in place._non_persistent_buffers_set:
                    own[f"{path}.{name}" if path else name] = tensor
    common = [name for name in own if name in state]
    fits = {name for name in common if tuple(own[name].shape) == tuple(state[name].shape)}
    for name in common:
        if name in fits:
            own[name].data.copy_(state[name].data)
    return [
        [name for name in own if name not in state],
        [name for name in state if name not in own],
        [name for name in common if name not in fits],
    ]


# %% call_with
def call_with(module, state, *args):
    """Checks all names before it touches anything."""
    from contextlib import ExitStack

    places = {}
    for name in state:
        *path, last = name.split(".")
        owner = module
        for step in path:
            owner = owner._modules.get(step)
            if owner is None:
                raise KeyError(f"no module for {name}")
        tables = [table for table in (owner._parameters, owner._buffers) if last in table]
        if not tables:
            raise KeyError(f"no tensor named {name}")
        places[name] = tables[0], last

    with ExitStack() as stack:
        for name, (table, last) in places.items():
            stack.callback(table.__setitem__, last, table[last])
            table[last] = state[name]
        return module(*args)
