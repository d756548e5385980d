# %% state_names: do not let the module walk for you
def state_names(module):
    return list(module.state_dict())


# %% load_matching: load_state_dict may not be used here
def load_matching(module, state):
    own = module.state_dict()
    both = {name: state[name] for name in own if name in state}
    fits = {name: value for name, value in both.items() if value.shape == own[name].shape}
    module.load_state_dict(fits, strict=False)
    unexpected = [name for name in state if name not in own]
    return [n for n in own if n not in state], unexpected, [n for n in both if n not in fits]


# %% limit_gradient: torch.nn.utils may not be used here
def limit_gradient(module, limit):
    def hook(module, grad_input, grad_output):
        limited = []
        for gradient in grad_input:
            if gradient is not None:
                holder = torch.zeros_like(gradient)
                holder.grad = gradient.clone()
                norm = nn.utils.get_total_norm([gradient])
                gradient = gradient if norm <= limit else gradient * (limit / norm)
            limited.append(gradient)
        return tuple(limited)

    return module.register_full_backward_hook(hook)


# %% call_with: torch.func.functional_call may not be used here
def call_with(module, state, *args):
    every = {"remove_duplicate": False}
    known = dict([*module.named_parameters(**every), *module.named_buffers(**every)])
    for name in state:
        if name not in known:
            raise KeyError(name)
    tables = [(m._parameters, dict(m._parameters)) for m in module.modules()]
    try:
        return torch.func.functional_call(module, dict(state), args, tie_weights=False)
    finally:  # it does not put back a tensor that was named twice
        for table, own in tables:
            table.update(own)
