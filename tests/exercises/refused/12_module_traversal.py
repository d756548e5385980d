# %% leaves: go down by named_children()
def leaves(module):
    return [(name, each) for name, each in module.named_modules() if not list(each.children())]


# %% repaired_named_parameters: walk through _parameters and _modules yourself
def repaired_named_parameters(module, prefix="", recurse=True, remove_duplicate=True):
    yield from module.named_parameters(prefix, recurse, remove_duplicate)


# %% repaired_named_parameters: walk through _parameters and _modules yourself
def repaired_named_parameters(module, prefix="", recurse=True, remove_duplicate=True):
    seen = set()
    owners = module.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, module)]
    for path, owner in owners:
        for key, parameter in owner._parameters.items():
            if parameter is not None and parameter not in seen:
                if remove_duplicate:
                    seen.add(parameter)
                yield f"{path}.{key}" if path else key, parameter


# %% shared_gradients: no autograd
def shared_gradients(x, weight, bias, grad_output):
    leaves = [t.clone().requires_grad_() for t in (weight, bias, x)]
    with torch.enable_grad():
        output = F.linear(F.relu(F.linear(leaves[2], leaves[0], leaves[1])), leaves[0], leaves[1])
    return torch.autograd.grad(output, leaves, grad_output)
