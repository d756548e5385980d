# %% predicted_counts
predicted_counts = [8, 3, 70, 17]


# %% leaves
def leaves(module):
    """With a stack instead of recursion."""
    found, seen, waiting = [], set(), [("", module)]
    while waiting:
        name, each = waiting.pop()
        if each in seen:
            continue
        seen.add(each)
        inner = [(f"{name}.{key}" if name else key, child) for key, child in each.named_children()]
        if inner:
            waiting.extend(reversed(inner))
        else:
            found.append((name, each))
    return found


# %% leaves
def leaves(module, name="", seen=None):
    """Reads the dictionary itself, and hands one set down."""
    seen = set() if seen is None else seen
    if module in seen:
        return []
    seen.add(module)
    children = {key: child for key, child in module._modules.items() if child is not None}
    if not children:
        return [(name, module)]
    parts = [leaves(child, ".".join(filter(None, [name, key])), seen) for key, child in children.items()]
    return list(itertools.chain.from_iterable(parts))


# %% repaired_named_parameters
def repaired_named_parameters(module, prefix="", recurse=True, remove_duplicate=True):
    """With a stack, and identities instead of a set of parameters."""
    seen, waiting = [], [(prefix, module)]
    while waiting:
        path, each = waiting.pop()
        dot = path + "." if path else ""
        for key, parameter in each._parameters.items():
            if parameter is None or id(parameter) in seen:
                continue
            if remove_duplicate:
                seen.append(id(parameter))
            yield dot + key, parameter
        if recurse:
            inner = [(dot + key, child) for key, child in each._modules.items() if child is not None]
            waiting += inner[::-1]


# %% shared_gradients
def shared_gradients(x, weight, bias, grad_output):
    """One place after the other, by einsum."""

    def linear_backward(g, x):
        return torch.einsum("no,ni->oi", g, x), torch.einsum("no->o", g), torch.einsum("no,oi->ni", g, weight)

    z = F.linear(x, weight, bias)
    weight_2, bias_2, grad_h = linear_backward(grad_output, F.relu(z))
    grad_z = torch.where(z > 0, grad_h, torch.zeros_like(grad_h))
    weight_1, bias_1, grad_x = linear_backward(grad_z, x)
    return [weight_1 + weight_2, bias_1 + bias_2, grad_x]


# %% batch_to_group
def batch_to_group(model, num_groups):
    """A list of all places first, then one change after the other."""
    places = [
        (parent, key, f"{path}.{key}".lstrip("."))
        for path, parent in model.named_modules()
        for key, child in parent._modules.items()
        if isinstance(child, nn.BatchNorm2d)
    ]
    order = [name for name, _ in model.named_modules(remove_duplicate=False)]
    new = {}
    for parent, key, _ in places:
        old = parent._modules[key]
        if old not in new:
            new[old] = nn.GroupNorm(num_groups, old.num_features, old.eps, affine=False)
            new[old].affine = old.affine
            new[old].weight, new[old].bias = old.weight, old.bias
            new[old].training = old.training
        parent.register_module(key, new[old])
    return sorted((name for *_, name in places), key=order.index)


# %% batch_to_group
def batch_to_group(model, num_groups):
    """By name: every place from the one list, its parent from its path."""
    made, places = {}, []
    for name, old in list(model.named_modules(remove_duplicate=False)):
        if isinstance(old, nn.BatchNorm2d):
            if old not in made:
                made[old] = nn.GroupNorm(num_groups, old.num_features, old.eps, old.affine).train(old.training)
                made[old].weight, made[old].bias = old.weight, old.bias
            path, _, key = name.rpartition(".")
            model.get_submodule(path).add_module(key, made[old])
            places.append(name)
    return places


# %% output_shapes
def output_shapes(model, x):
    """Names from a dictionary, and an ExitStack that puts everything back."""
    import contextlib

    names, found = {each: name for name, each in model.named_modules()}, []

    def note(module, _, output):
        found.append((names[module], (*output.shape,)))

    with contextlib.ExitStack() as stack:
        for each in names:
            stack.callback(setattr, each, "training", each.training)
            if not any(True for _ in each.children()):
                stack.callback(each.register_forward_hook(note).remove)
            each.training = False
        stack.enter_context(torch.no_grad())
        model(x)
    return found


# %% output_shapes
def output_shapes(model, x):
    """On a copy, which may keep its hooks: it is thrown away."""
    import copy

    found, twin = [], copy.deepcopy(model).eval()
    for name, each in twin.named_modules():
        if not list(each.children()):
            each.register_forward_hook(lambda _, __, output, name=name: found.append((name, tuple(output.shape))))
    with torch.inference_mode():
        twin(x)
    return found


# %% repaired_named_parameters
def repaired_named_parameters(module, prefix="", recurse=True, remove_duplicate=True):
    """All places first, as a list; then the repetitions out, in a dictionary by identity."""

    def places(each, path):
        start = f"{path}." if path else ""
        own = [(start + key, p) for key, p in each._parameters.items() if p is not None]
        inner = each._modules.items() if recurse else ()
        return own + [pair for key, child in inner if child is not None for pair in places(child, start + key)]

    found = places(module, prefix)
    if not remove_duplicate:
        return found
    first = {}
    for pair in found:
        first.setdefault(id(pair[1]), pair)
    return list(first.values())
