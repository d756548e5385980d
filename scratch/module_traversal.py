"""Module traversal.

From book/chapters/12_module_traversal.md. Derived by `make notebooks`: do not edit.
"""

import contextlib
from collections import namedtuple

import torch
from torch import nn


def named_modules(module, memo=None, prefix="", remove_duplicate=True):
    """Yield (name, module) for `module` itself and all under it, in pre-order.

    memo: the modules already seen, which are left out; it grows while one iterates.
    prefix: the name of `module` itself, put before all others with a dot.
    remove_duplicate: yield a module that stands in several places only once.

    Raises AttributeError, when iterated, for what is no nn.Module.
    Source: torch.nn.Module.named_modules in PyTorch's documentation.
    """
    if not isinstance(module, nn.Module):
        raise AttributeError(f"module must be an nn.Module, not {module!r}")
    if memo is None:
        memo = set()
    if module in memo:
        return
    if remove_duplicate:
        memo.add(module)
    yield prefix, module
    for key, child in module._modules.items():
        if child is not None:
            name = f"{prefix}.{key}" if prefix else key
            yield from named_modules(child, memo, name, remove_duplicate)


def modules(module, remove_duplicate=True):
    """Yield `module` itself and all modules under it, without their names."""
    for _, each in named_modules(module, remove_duplicate=remove_duplicate):
        yield each


def named_children(module):
    """Yield (name, module) for the modules directly under `module`, each once."""
    memo = set()
    for name, child in module._modules.items():
        if child is not None and child not in memo:
            memo.add(child)
            yield name, child


def children(module):
    """Yield the modules directly under `module`, without their names."""
    for _, child in named_children(module):
        yield child


def _named_members(module, dictionary, prefix, recurse, remove_duplicate):
    """(name, tensor) from the dictionary of that name, in `module` and all under it."""
    memo = set()
    owners = [(prefix, module)]
    if recurse:
        owners = named_modules(module, None, prefix, remove_duplicate)
    for path, owner in owners:
        for key, tensor in getattr(owner, dictionary).items():
            if tensor is None or tensor in memo:
                continue
            if remove_duplicate:
                memo.add(tensor)
            yield (f"{path}.{key}" if path else key), tensor


def named_parameters(module, prefix="", recurse=True, remove_duplicate=True):
    """Yield (name, parameter), module by module in the order of named_modules.

    prefix: put before all names, with a dot. recurse: False for the module's own only.
    remove_duplicate: yield a parameter that stands in several places only once.
    Source: torch.nn.Module.named_parameters in PyTorch's documentation.
    """
    arguments = prefix, recurse, remove_duplicate
    yield from _named_members(module, "_parameters", *arguments)


def parameters(module, recurse=True):
    """Yield the parameters, without their names."""
    for _, parameter in named_parameters(module, recurse=recurse):
        yield parameter


def named_buffers(module, prefix="", recurse=True, remove_duplicate=True):
    """Yield (name, buffer); all else as in named_parameters."""
    arguments = prefix, recurse, remove_duplicate
    yield from _named_members(module, "_buffers", *arguments)


def buffers(module, recurse=True):
    """Yield the buffers, without their names."""
    for _, buffer in named_buffers(module, recurse=recurse):
        yield buffer


def named_state(module):
    """Yield (name, tensor) for all tensors that state_dict() holds, in its order.

    A tensor that stands in several places comes once for each of them. What a class
    adds to its state_dict by get_extra_state() or by hooks does not come.
    """
    for path, owner in named_modules(module, remove_duplicate=False):
        skipped = owner._non_persistent_buffers_set
        saved = {k: b for k, b in owner._buffers.items() if k not in skipped}
        for key, tensor in {**owner._parameters, **saved}.items():
            if tensor is not None:
                yield (f"{path}.{key}" if path else key), tensor


def freeze(module):
    """Stop all learning in `module`: no gradients, and evaluation mode throughout.

    model.train() puts frozen modules back into training mode: freeze after it.
    """
    for parameter in parameters(module):
        parameter.requires_grad_(False)
    for each in modules(module):
        each.training = False


def _follows(name, rule):
    """Whether `name` begins with the keys of `rule`. The empty rule fits all names."""
    return rule == "" or name == rule or name.startswith(f"{rule}.")


def parameter_groups(module, rules):
    """Groups for torch.optim: one for each rule that some trainable parameter follows.

    rules: {prefix: options}. A parameter follows the longest prefix that its name
    begins with, whole keys only: "layer1" is no prefix of "layer10.weight". The empty
    prefix fits all. A shared parameter goes by its first name. Raises ValueError for a
    rule that fits no name at all, and for a trainable parameter that no rule fits.
    """
    names = [name for name, _ in named_parameters(module, remove_duplicate=False)]
    for rule in rules:
        if not any(_follows(name, rule) for name in names):
            raise ValueError(f"the rule {rule!r} fits no parameter")
    groups = {rule: {"params": [], **options} for rule, options in rules.items()}
    for name, parameter in named_parameters(module):
        if not parameter.requires_grad:
            continue
        fitting = [rule for rule in rules if _follows(name, rule)]
        if not fitting:
            raise ValueError(f"no rule fits the parameter {name!r}")
        groups[max(fitting, key=len)]["params"].append(parameter)
    return [group for group in groups.values() if group["params"]]


def replace_modules(module, kind, make):
    """Put make(old) in the place of every module of type `kind` under `module`.

    In place; returns the names of the places. A shared module is replaced by a shared
    one; the new one takes over the mode, training or evaluation, of the old. What
    stands inside a replaced module is not looked at, and what stands inside a shared
    block is listed under the block's first name only. Raises ValueError if
    `module` itself is of that kind (nothing holds it), and TypeError if `make` returns
    no nn.Module.
    """
    if isinstance(module, kind):
        raise ValueError(f"the root is a {type(module).__name__} itself: replace it")
    made, seen, places = {}, {module}, []

    def visit(parent, prefix):
        for key, child in list(parent._modules.items()):
            name = f"{prefix}.{key}" if prefix else key
            if isinstance(child, kind):
                if child not in made:
                    new = made[child] = make(child)
                    if not isinstance(new, nn.Module):
                        raise TypeError(f"make returned {new!r} for {name!r}")
                    for each in modules(new):
                        each.training = child.training
                setattr(parent, key, made[child])
                places.append(name)
            elif child is not None and child not in seen:
                seen.add(child)
                visit(child, name)

    visit(module, "")
    return places


Row = namedtuple("Row", "name kind shape parameters")


def layer_summary(module, *inputs):
    """One Row for each call of a leaf, or of a module with parameters of its own.

    Runs `module` on `inputs` once, in evaluation mode and without gradients, and leaves
    it as it was. shape: that of the output, None if it is no tensor. parameters: how
    many numbers the module itself owns, counted where they are first met.
    """
    rows, counted, handles = [], set(), []

    def note(name):
        def hook(layer, _, output):
            own = set(parameters(layer, recurse=False)) - counted
            counted.update(own)
            shape = tuple(output.shape) if isinstance(output, torch.Tensor) else None
            size = sum(parameter.numel() for parameter in own)
            rows.append(Row(name, type(layer).__name__, shape, size))

        return hook

    training = {each: each.training for each in modules(module)}
    try:
        for name, each in named_modules(module):
            owns = next(parameters(each, recurse=False), None) is not None
            if owns or next(children(each), None) is None:
                handles.append(each.register_forward_hook(note(name)))
            each.training = False
        with torch.no_grad():
            module(*inputs)
    finally:
        for handle in handles:
            handle.remove()
        for each, was in training.items():
            each.training = was
    return rows


@contextlib.contextmanager
def capture(module, names):
    """Collect the outputs of the modules with these names, within a `with` block.

    Yields {name: [output of the first call, of the second, ...]}. Outputs are detached
    and copied, for a later in-place operation would change them; an output that is no
    tensor is kept as it is. Raises ValueError for a name that no module has. The hooks
    are gone after the block, also when it raises.
    """
    known = dict(named_modules(module, remove_duplicate=False))
    for name in names:
        if name not in known:
            raise ValueError(f"no module is called {name!r}; there are {list(known)}")
    seen = {name: [] for name in names}

    def keep(name):
        def hook(layer, _, output):
            if isinstance(output, torch.Tensor):
                output = output.detach().clone()
            seen[name].append(output)

        return hook

    handles = [known[name].register_forward_hook(keep(name)) for name in seen]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def load_matching(module, state):
    """Copy from `state` what fits `module` by name and shape; return what did not.

    Returns {"missing": names that only the module has, "unexpected": names that only
    `state` has, "mismatched": names in both with different shapes}.
    """
    own = dict(named_state(module))
    fitting = [k for k in own if k in state and own[k].shape == state[k].shape]
    with torch.no_grad():
        for name in fitting:
            own[name].copy_(state[name])
    return {
        "missing": [name for name in own if name not in state],
        "unexpected": [name for name in state if name not in own],
        "mismatched": [n for n in own if n in state and n not in fitting],
    }
