"""Modules and functions.

From book/chapters/11_modules_and_functions.md. Derived by `make notebooks`: do not edit.
"""

import itertools
import operator
from collections import OrderedDict, namedtuple
from collections.abc import Iterable, Mapping

import torch
from torch import nn


class Registry:
    """Keeps parameters, buffers and children, each kind in a table of its own."""

    def __init__(self):
        for table in ("_parameters", "_buffers", "_modules"):
            object.__setattr__(self, table, {})
        object.__setattr__(self, "_non_persistent_buffers_set", set())

    def __setattr__(self, name, value):
        """Register parameters, children and known buffers; keep the rest as ever."""
        if isinstance(value, nn.Parameter):
            self._forget(name, "_parameters")
            self.register_parameter(name, value)
        elif name in self.__dict__.get("_parameters", ()):
            self.register_parameter(name, value)  # None, or an error
        elif isinstance(value, (Registry, nn.Module)):  # torch's layers serve as well
            self._forget(name, "_modules")
            self._modules[name] = value
        elif name in self.__dict__.get("_modules", ()):
            self.add_module(name, value)  # None, or an error
        elif name in self.__dict__.get("_buffers", ()):
            persistent = name not in self._non_persistent_buffers_set
            self.register_buffer(name, value, persistent)
        else:
            object.__setattr__(self, name, value)

    def _forget(self, name, table):
        """Remove `name` from wherever it stands, except from `table`."""
        if table not in self.__dict__:
            kind = {"_parameters": "parameters", "_modules": "module"}[table]
            raise AttributeError(f"cannot assign {kind} before Module.__init__() call")
        for other in {"_parameters", "_buffers", "_modules"} - {table}:
            self.__dict__[other].pop(name, None)
        self.__dict__.pop(name, None)
        self._non_persistent_buffers_set.discard(name)


class Registered(Registry):
    """Adds the three ways to register by name, with the checks that torch makes."""

    def register_parameter(self, name, param):
        """Add a parameter, or None for one that may be left out."""
        self._check(name, "parameter", "_parameters")
        if param is not None and not isinstance(param, nn.Parameter):
            raise TypeError(
                f"cannot assign {torch.typename(param)!r} object to parameter {name!r} "
                "(torch.nn.Parameter or None required)"
            )
        self._parameters[name] = param

    def register_buffer(self, name, tensor, persistent=True):
        """Add a tensor that is state and not trained; `persistent`: saved as well."""
        self._check(name, "buffer", "_buffers")
        if tensor is not None and not isinstance(tensor, torch.Tensor):
            raise TypeError(
                f"cannot assign {torch.typename(tensor)!r} object to buffer {name!r} "
                "(torch Tensor or None required)"
            )
        self._buffers[name] = tensor
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name, module):
        """Add a child, or None for one that may be left out."""
        if not isinstance(module, (Registry, nn.Module, type(None))):
            raise TypeError(f"{torch.typename(module)} is not a Module subclass")
        self._check(name, "module", "_modules")
        self._modules[name] = module

    def _check(self, name, kind, table):
        """Refuse a name that cannot stand in `table`."""
        if table not in self.__dict__:
            raise AttributeError(f"cannot assign {kind} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeError(
                f"{kind} name should be a string. Got {torch.typename(name)}"
            )
        if "." in name or name == "":
            raise KeyError(f'{kind} name can\'t contain "." or be empty, got {name!r}')
        if hasattr(self, name) and name not in self.__dict__[table]:
            raise KeyError(f"attribute {name!r} already exists")


class Named(Registered):
    """Makes what is registered readable, and deletable, as an attribute."""

    def __getattr__(self, name):
        """Python asks here for what it has not found in the usual places."""
        for table in ("_parameters", "_buffers", "_modules"):
            found = self.__dict__.get(table, {})
            if name in found:
                return found[name]
        kind = type(self).__name__
        raise AttributeError(f"{kind!r} object has no attribute {name!r}")

    def __setstate__(self, state):
        """For copies and pickles: subclasses call it by super()."""
        self.__dict__.update(state)

    def __delattr__(self, name):
        for table in (self._parameters, self._buffers, self._modules):
            if name in table:
                del table[name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)


class Walked(Named):
    """Walks over the tree of modules. The chapter on traversal looks closer."""

    def named_modules(self, memo=None, prefix="", remove_duplicate=True):
        """(name, module) for this one and all below, each once, parents first."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, child in self._modules.items():
            if child is not None:
                path = f"{prefix}.{name}" if prefix else name
                yield from child.named_modules(memo, path, remove_duplicate)

    def _named_members(self, table, prefix, recurse, remove_duplicate):
        """(name, tensor) from one table of each module, each tensor once."""
        seen = set()
        modules = self.named_modules(None, prefix, remove_duplicate)
        for path, module in modules if recurse else [(prefix, self)]:
            for name, tensor in module.__dict__[table].items():
                if tensor is not None and tensor not in seen:
                    if remove_duplicate:
                        seen.add(tensor)
                    yield f"{path}.{name}" if path else name, tensor

    def named_parameters(self, prefix="", recurse=True, remove_duplicate=True):
        return self._named_members("_parameters", prefix, recurse, remove_duplicate)

    def named_buffers(self, prefix="", recurse=True, remove_duplicate=True):
        return self._named_members("_buffers", prefix, recurse, remove_duplicate)

    def named_children(self):
        """(name, child) for the modules right below this one, each once."""
        children = {}
        for name, child in self._modules.items():
            if child is not None:
                children.setdefault(child, name)
        return ((name, child) for child, name in children.items())


class Walking(Walked):
    """The same walks without the names, and what acts on all that they find."""

    def __init__(self):
        super().__init__()
        self.training = True

    def parameters(self, recurse=True):
        return (tensor for _, tensor in self.named_parameters(recurse=recurse))

    def buffers(self, recurse=True):
        return (tensor for _, tensor in self.named_buffers(recurse=recurse))

    def children(self):
        return (child for _, child in self.named_children())

    def modules(self, remove_duplicate=True):
        named = self.named_modules(remove_duplicate=remove_duplicate)
        return (module for _, module in named)

    def train(self, mode=True):
        """Set the mode of this module and of all below it; returns the module."""
        if not isinstance(mode, bool):
            raise ValueError(f"training mode is expected to be boolean, got {mode!r}")
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self):
        return self.train(False)

    def apply(self, fn):
        """Call `fn` on every module, children before their parents."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self


class Moved(Walking):
    """Changes every tensor of the tree in its place."""

    def _apply(self, fn):
        """Replace the content of every parameter, gradient and buffer by fn of it."""
        for child in self.children():
            child._apply(fn)
        for parameter in self.parameters(recurse=False):
            with torch.no_grad():
                parameter.data = fn(parameter)  # the same object: optimizers hold it
                if parameter.grad is not None:
                    parameter.grad.data = fn(parameter.grad)
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self, *args, **kwargs):
        """As Tensor.to, for every tensor; whole numbers keep their dtype."""

        def convert(tensor):
            probe = torch.empty((), device=tensor.device).to(*args, **kwargs)
            if not (probe.is_floating_point() or probe.is_complex()):
                raise TypeError(
                    "Module.to only accepts floating point or complex dtypes, "
                    f"but got desired dtype={probe.dtype}"
                )
            if tensor.is_floating_point() or tensor.is_complex():
                return tensor.to(*args, **kwargs)
            return tensor.to(probe.device)

        return self._apply(convert)

    def requires_grad_(self, requires_grad=True):
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none=True):
        for parameter in self.parameters():
            if set_to_none:
                parameter.grad = None
            elif parameter.grad is not None:
                parameter.grad = torch.zeros_like(parameter.grad)


class Handle:
    """Stands for one hook; `remove()` takes the hook away, as does leaving `with`."""

    def __init__(self, hooks, hook, prepend):
        self.hooks, self.key = hooks, max(hooks, default=-1) + 1
        hooks[self.key] = hook
        if prepend:
            hooks.move_to_end(self.key, last=False)

    def remove(self):
        self.hooks.pop(self.key, None)
        self.hooks = {}  # so that a second remove() cannot hit another hook

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.remove()


class Gate(torch.autograd.Function):
    """Lets tensors through unchanged, and `visit` see or replace their gradients."""

    @staticmethod
    def forward(ctx, visit, zeros, *tensors):
        ctx.visit = visit
        ctx.set_materialize_grads(zeros)  # is a gradient that is not there 0, or None?
        ctx.mark_non_differentiable(*[t for t in tensors if not t.requires_grad])
        return tensors

    @staticmethod
    def backward(ctx, *gradients):
        return None, None, *ctx.visit(gradients)


def through_gate(visit, values, zeros):
    """Send the tensors of a tuple through a Gate, if a gradient will come back.

    `visit` gets and returns a tuple as long as `values`, None where no tensor stands.
    """
    places = [i for i, value in enumerate(values) if isinstance(value, torch.Tensor)]
    if not (torch.is_grad_enabled() and any(values[i].requires_grad for i in places)):
        return values, False

    def visit_tensors(gradients):
        filled = [None] * len(values)
        for place, gradient in zip(places, gradients):
            filled[place] = gradient
        visited = visit(tuple(filled))
        return tuple(visited[place] for place in places)

    passed = list(values)
    through = Gate.apply(visit_tensors, zeros, *[values[i] for i in places])
    for place, tensor in zip(places, through):
        passed[place] = tensor
    return tuple(passed), True


def replaced(gradients, answer, kind):
    """What a backward hook returned, or the gradients it was given if that is None."""
    if answer is None:
        return gradients
    answer = answer if isinstance(answer, tuple) else (answer,)
    if len(answer) != len(gradients):
        raise RuntimeError(
            f"Backward hook returned an invalid number of {kind}, "
            f"got {len(answer)}, but expected {len(gradients)}"
        )
    return answer


class Hooked(Moved):
    """Keeps hooks of four kinds."""

    def __init__(self):
        super().__init__()
        self._forward_pre_hooks = OrderedDict()
        self._forward_hooks = OrderedDict()
        self._backward_pre_hooks = OrderedDict()
        self._backward_hooks = OrderedDict()

    def register_forward_pre_hook(self, hook, *, prepend=False, with_kwargs=False):
        """hook(module, args) runs before forward; what it returns replaces args."""
        return Handle(self._forward_pre_hooks, (hook, with_kwargs), prepend)

    def register_forward_hook(self, hook, *, prepend=False, with_kwargs=False):
        """hook(module, args, output) runs after; it may return another output."""
        return Handle(self._forward_hooks, (hook, with_kwargs), prepend)

    def register_full_backward_pre_hook(self, hook, prepend=False):
        """hook(module, grad_output) runs when the gradient of the output is there."""
        return Handle(self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(self, hook, prepend=False):
        """hook(module, grad_input, grad_output) runs when both are there."""
        return Handle(self._backward_hooks, hook, prepend)


class Called(Hooked):
    """Can be called: runs forward, and the hooks around it."""

    def forward(self, *input):
        raise NotImplementedError(
            f'Module [{type(self).__name__}] is missing the required "forward" function'
        )

    def __call__(self, *args, **kwargs):
        if not (
            self._forward_pre_hooks
            or self._forward_hooks
            or self._backward_pre_hooks
            or self._backward_hooks
        ):
            return self.forward(*args, **kwargs)  # the usual case, and the quick one
        args, kwargs = self._before(args, kwargs)
        if self._backward_pre_hooks or self._backward_hooks:
            return self._between_gates(args, kwargs)
        return self._forward_and_after(args, kwargs)

    def _before(self, args, kwargs):
        for hook, with_kwargs in list(self._forward_pre_hooks.values()):
            if with_kwargs:
                answer = hook(self, args, kwargs)
                if answer is not None:
                    args, kwargs = answer
            else:
                answer = hook(self, args)
                if answer is not None:
                    args = answer if isinstance(answer, tuple) else (answer,)
        return args, kwargs

    def _forward_and_after(self, args, kwargs):
        output = self.forward(*args, **kwargs)
        for hook, with_kwargs in list(self._forward_hooks.values()):
            seen = (args, kwargs, output) if with_kwargs else (args, output)
            answer = hook(self, *seen)
            output = output if answer is None else answer
        return output


class Watched(Called):
    """Runs the backward hooks: one gate at the input, one at the output."""

    def _between_gates(self, args, kwargs):
        arrived = []  # the gradient of the output, once it is there

        def at_the_input(grad_input):
            if arrived:
                grad_output = arrived.pop()
                for hook in list(self._backward_hooks.values()):
                    answer = hook(self, grad_input, grad_output)
                    grad_input = replaced(grad_input, answer, "grad_input")
            return grad_input

        def at_the_output(grad_output):
            for hook in list(self._backward_pre_hooks.values()):
                answer = hook(self, grad_output)
                grad_output = replaced(grad_output, answer, "grad_output")
            arrived.append(grad_output)
            if not asks_for_gradient:  # nothing will come by at the input
                at_the_input((None,) * len(args))
            return grad_output

        args, asks_for_gradient = through_gate(at_the_input, args, zeros=True)
        output = self._forward_and_after(args, kwargs)
        if isinstance(output, tuple):
            return through_gate(at_the_output, output, zeros=False)[0]
        if isinstance(output, torch.Tensor):
            return through_gate(at_the_output, (output,), zeros=False)[0][0]
        raise TypeError(
            "backward hooks need an output that is a Tensor or a tuple, "
            f"not {type(output).__name__}"
        )


class Saved(Watched):
    """Writes its state into a dictionary."""

    _version = 1

    def state_dict(self, *, destination=None, prefix="", keep_vars=False):
        """All parameters and persistent buffers by name, sharing memory with them."""
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = {"version": self._version}
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, child in self._modules.items():
            if child is not None:
                child.state_dict(
                    destination=destination,
                    prefix=f"{prefix}{name}.",
                    keep_vars=keep_vars,
                )
        return destination

    def _save_to_state_dict(self, destination, prefix, keep_vars):
        """The part of this module alone."""
        for name, tensor in self._saved().items():
            destination[prefix + name] = tensor if keep_vars else tensor.detach()

    def _saved(self):
        """Its parameters, then its persistent buffers; what is None is left out."""
        volatile = self._non_persistent_buffers_set
        kept = {n: b for n, b in self._buffers.items() if n not in volatile}
        own = {**self._parameters, **kept}
        return {name: tensor for name, tensor in own.items() if tensor is not None}


class Loaded(Saved):
    """Reads a state, and collects all that is wrong before it complains."""

    def _load_from_state_dict(
        self, state_dict, prefix, local_metadata, strict, missing, unexpected, errors
    ):
        """The part of this module alone; `state_dict` holds names with its prefix."""
        own = self._saved()
        for name, tensor in own.items():
            key = prefix + name
            if key not in state_dict:
                missing.append(key)
                continue
            value = state_dict[key]
            if not isinstance(value, torch.Tensor):
                errors.append(
                    f'While copying the parameter named "{key}", expected torch.Tensor '
                    f"from checkpoint but received {type(value)}"
                )
            elif value.shape != tensor.shape:
                errors.append(
                    f"size mismatch for {key}: copying a param with shape "
                    f"{value.shape} from checkpoint, "
                    f"the shape in current model is {tensor.shape}."
                )
            elif local_metadata.get("assign_to_params_buffers", False):
                self._assign(name, tensor, value)
            else:
                with torch.no_grad():
                    tensor.copy_(value)
        for key in state_dict:
            if key.startswith(prefix):
                first, *rest = key[len(prefix) :].split(".", 1)
                if first not in (self._modules if rest else own):
                    unexpected.append(key)

    def _assign(self, name, tensor, value):
        """Take the tensor of the state itself, instead of copying from it."""
        if isinstance(tensor, nn.Parameter):
            value = nn.Parameter(value, requires_grad=tensor.requires_grad)
        setattr(self, name, value)


class IncompatibleKeys(
    namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])
):
    """What load_state_dict returns: the keys that did not find their counterpart."""

    def __repr__(self):
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()


class Loading(Loaded):
    """Loads a state into the whole tree."""

    def load_state_dict(self, state_dict, strict=True, assign=False):
        """Copy a state into this module and all below it.

        Raises RuntimeError, with everything that is wrong, when a shape differs, and
        when a key is missing or unexpected unless `strict=False`. Returns these keys.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(
                f"Expected state_dict to be dict-like, got {type(state_dict)}."
            )
        metadata = getattr(state_dict, "_metadata", None) or {}
        missing, unexpected, errors = [], [], []

        def load(module, state, prefix):
            local = dict(metadata.get(prefix[:-1], {}))
            if assign:
                local["assign_to_params_buffers"] = True
            lists = missing, unexpected, errors
            module._load_from_state_dict(state, prefix, local, True, *lists)
            for name, child in module._modules.items():
                if child is not None:
                    path = f"{prefix}{name}."
                    below = {k: v for k, v in state.items() if k.startswith(path)}
                    load(child, below, path)

        load(self, dict(state_dict), "")
        wrong = {"Missing": missing, "Unexpected": unexpected} if strict else {}
        said = [
            f"{kind} key(s) in state_dict: " + ", ".join(f'"{k}"' for k in keys) + ". "
            for kind, keys in wrong.items()
            if keys
        ]
        if said + errors:
            name = type(self).__name__
            text = "\n\t".join(said + errors)
            raise RuntimeError(f"Error(s) in loading state_dict for {name}:\n\t{text}")
        return IncompatibleKeys(missing, unexpected)


def indented(text):
    """All lines but the first, two spaces to the right."""
    return text.replace("\n", "\n  ")


class Module(Loading):
    """What torch.nn.Module is to a network: names, modes, hooks, state, and a print.

    Subclasses call super().__init__() first, assign parameters and modules to
    attributes, and write forward. Source: torch.nn.Module in PyTorch's documentation.
    """

    def extra_repr(self):
        """What stands between the brackets; layers override it."""
        return ""

    def _get_name(self):
        return type(self).__name__

    def _lines(self):
        """What is printed of the children."""
        return [f"({name}): {child!r}" for name, child in self._modules.items()]

    def __repr__(self):
        extra, children = self.extra_repr(), self._lines()
        if not children and "\n" not in extra:
            return f"{self._get_name()}({extra})"
        lines = [*(extra.split("\n") if extra else []), *map(indented, children)]
        return f"{self._get_name()}(\n  " + "\n  ".join(lines) + "\n)"


class Numbered(Module):
    """What Sequential and ModuleList share: children named "0", "1", "2", ..."""

    def __len__(self):
        return len(self._modules)

    def __iter__(self):
        return iter(self._modules.values())

    def _key(self, idx):
        """The name of child number `idx`, which may be negative."""
        idx = operator.index(idx)
        if not -len(self) <= idx < len(self):
            raise IndexError(f"index {idx} is out of range")
        return list(self._modules)[idx]

    def __setitem__(self, idx, module):
        setattr(self, self._key(idx), module)

    def __delitem__(self, idx):
        keys = list(self._modules)
        for key in keys[idx] if isinstance(idx, slice) else [self._key(idx)]:
            delattr(self, key)
        left = list(self._modules.values())
        self._modules.clear()
        self._modules.update({str(i): module for i, module in enumerate(left)})

    def append(self, module):
        self.add_module(str(len(self)), module)
        return self

    def pop(self, key):
        module = self[key]
        del self[key]
        return module


class Sequential(Numbered):
    """Modules that are called one after the other, each on the result of the last.

    Takes the modules, or one OrderedDict with names for them.
    """

    def __init__(self, *args):
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            named = args[0].items()
        else:
            named = ((str(i), module) for i, module in enumerate(args))
        for name, module in named:
            self.add_module(name, module)

    def forward(self, input):
        for module in self:
            input = module(input)
        return input

    def __getitem__(self, idx):
        if isinstance(idx, slice):
            return type(self)(OrderedDict(list(self._modules.items())[idx]))
        return self._modules[self._key(idx)]

    def extend(self, sequential):
        for module in sequential:
            self.append(module)
        return self

    def __add__(self, other):
        if not isinstance(other, Sequential):
            raise ValueError(f"only a Sequential can be added, not {type(other)}")
        return Sequential(*self, *other)

    def insert(self, index, module):
        if not -len(self) <= index <= len(self):
            raise IndexError(f"Index out of range: {index}")
        index = index + len(self) if index < 0 else index
        after = list(self)[index:]
        for i, shifted in enumerate([module, *after], start=index):
            self.add_module(str(i), shifted)
        return self


class ModuleList(Numbered):
    """Modules in a list; it has no forward, its owner says what to do with them."""

    def __init__(self, modules=None):
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def extend(self, modules):
        if not isinstance(modules, Iterable):
            raise TypeError(
                "ModuleList.extend should be called with an iterable, "
                f"but got {type(modules).__name__}"
            )
        for module in list(modules):
            self.append(module)
        return self

    def __iadd__(self, modules):
        return self.extend(modules)

    def __add__(self, other):
        return ModuleList([*self, *other])

    def __getitem__(self, idx):
        if isinstance(idx, slice):
            return type(self)(list(self)[idx])
        return self._modules[self._key(idx)]

    def insert(self, index, module):
        if index < 0:
            raise KeyError(f"insert takes no negative index, got {index}")
        for i, shifted in enumerate([module, *list(self)[index:]], start=index):
            self.add_module(str(i), shifted)

    def _lines(self):
        """Equal neighbours are printed once, with their number."""
        lines, start = [], 0
        for text, group in itertools.groupby(map(repr, self)):
            count = len(list(group))
            places = f"({start})" if count == 1 else f"({start}-{start + count - 1})"
            times = "" if count == 1 else f"{count} x "
            lines.append(f"{places}: {times}{text}")
            start += count
        return lines


class ModuleDict(Module):
    """Modules in a dictionary that keeps their order."""

    def __init__(self, modules=None):
        super().__init__()
        if modules is not None:
            self.update(modules)

    def update(self, modules):
        """Add or replace, from a mapping or from pairs (name, module)."""
        if not isinstance(modules, Iterable):
            raise TypeError(
                "ModuleDict.update should be called with an iterable of key/value "
                f"pairs, but got {type(modules).__name__}"
            )
        pairs = modules.items() if hasattr(modules, "items") else modules
        for name, module in pairs:
            self[name] = module

    def __getitem__(self, key):
        return self._modules[key]

    def __setitem__(self, key, module):
        self.add_module(key, module)

    def __delitem__(self, key):
        del self._modules[key]

    def __len__(self):
        return len(self._modules)

    def __iter__(self):
        return iter(self._modules)

    def __contains__(self, key):
        return key in self._modules

    def clear(self):
        self._modules.clear()

    def pop(self, key):
        return self._modules.pop(key)

    def keys(self):
        return self._modules.keys()

    def values(self):
        return self._modules.values()

    def items(self):
        return self._modules.items()
