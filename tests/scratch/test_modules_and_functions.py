"""scratch.modules_and_functions does what torch.nn.Module and its containers do, on the same class bodies."""

import copy
import inspect
import pickle
import sys
from collections import OrderedDict
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn as torch_nn

from scratch import modules_and_functions as scratch

CONTAINERS = ("Module", "Sequential", "ModuleList", "ModuleDict")
LAYERS = torch_nn.modules
SOURCES = [
    torch_nn.Linear,
    LAYERS.linear.NonDynamicallyQuantizableLinear,
    torch_nn.Bilinear,
    torch_nn.Embedding,
    LAYERS.conv._ConvNd,
    torch_nn.Conv1d,
    torch_nn.Conv2d,
    LAYERS.batchnorm._NormBase,
    LAYERS.batchnorm._BatchNorm,
    torch_nn.BatchNorm1d,
    torch_nn.BatchNorm2d,
    torch_nn.LayerNorm,
    torch_nn.GroupNorm,
    LAYERS.dropout._DropoutNd,
    torch_nn.Dropout,
    torch_nn.ReLU,
    torch_nn.PReLU,
    torch_nn.Tanh,
    torch_nn.Flatten,
    torch_nn.MultiheadAttention,
    torch_nn.TransformerEncoderLayer,
]


def on_our_base() -> SimpleNamespace:
    """torch's own layers, their source run once more on our Module."""
    ours = {name: getattr(scratch, name) for name in CONTAINERS}
    for cls in SOURCES:
        namespace = vars(sys.modules[cls.__module__]) | ours
        exec(inspect.getsource(cls), namespace)
        ours[cls.__name__] = namespace[cls.__name__]
    return SimpleNamespace(**ours, Parameter=torch_nn.Parameter)


ours_nn = on_our_base()
Recipe = Any  # a nested tuple that says what to build: ("linear",), ("sequential", [...]), ...


def recipes() -> st.SearchStrategy[Recipe]:
    leaf = st.sampled_from(["linear", "no bias", "norm", "batch norm", "dropout", "relu", "own"]).map(
        lambda name: (name,)
    )
    return st.recursive(
        leaf,
        lambda inner: st.tuples(
            st.sampled_from(["sequential", "named", "list", "dict", "shared"]), st.lists(inner, min_size=1, max_size=3)
        ),
        max_leaves=8,
    )


def build(nn: Any, recipe: Recipe) -> Any:
    """The module of a recipe, (N, 4) -> (N, 4), from the classes of `nn`."""

    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.rand(4))
            self.register_parameter("nothing", None)
            self.register_buffer("mean", torch.zeros(4))
            self.register_buffer("calls", torch.tensor(0), persistent=False)
            self.register_buffer("empty", None)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            if self.training:
                self.mean = 0.5 * self.mean + 0.5 * x.detach().mean(0)
            return (x - self.mean) * self.scale

        def extra_repr(self) -> str:
            return "one\ntwo"

    class Listed(nn.Module):
        def __init__(self, parts: list[Any]) -> None:
            super().__init__()
            self.parts = nn.ModuleList(parts)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            for part in self.parts:
                x = x + part(x)
            return x

    class Named(nn.Module):
        def __init__(self, parts: list[Any]) -> None:
            super().__init__()
            self.parts = nn.ModuleDict({f"part{i}": part for i, part in enumerate(parts)})

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.stack([part(x) for part in self.parts.values()]).sum(0)

    name, *inner = recipe
    if not inner:
        return {
            "linear": lambda: nn.Linear(4, 4),
            "no bias": lambda: nn.Linear(4, 4, bias=False),
            "norm": lambda: nn.LayerNorm(4),
            "batch norm": lambda: nn.BatchNorm1d(4),
            "dropout": lambda: nn.Dropout(0.3),
            "relu": lambda: nn.ReLU(),
            "own": Own,
        }[name]()
    parts = [build(nn, part) for part in inner[0]]
    return {
        "sequential": lambda: nn.Sequential(*parts),
        "named": lambda: nn.Sequential(OrderedDict((f"layer{i}", part) for i, part in enumerate(parts))),
        "list": lambda: Listed(parts),
        "dict": lambda: Named(parts),
        "shared": lambda: nn.Sequential(*parts, *parts),
    }[name]()


def twins(recipe: Recipe, dtype: torch.dtype = torch.float64) -> tuple[Any, Any]:
    made = []
    for nn in (ours_nn, torch_nn):
        torch.manual_seed(0)
        made.append(build(nn, recipe).to(dtype))
    return made[0], made[1]


def results(net: Any, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """Output, all first derivatives, and all buffers."""
    torch.manual_seed(1)
    x = x.clone().requires_grad_()
    net.zero_grad()
    output = net(x)
    output.backward(torch.cos(torch.arange(output.numel(), dtype=output.dtype)).reshape(output.shape))
    seen = {"output": output.detach(), "input": x.grad}
    seen |= {name: parameter.grad for name, parameter in net.named_parameters() if parameter.grad is not None}
    return seen | dict(net.named_buffers())


@given(recipes())
def test_the_same_class_bodies_on_both_bases(recipe: Recipe) -> None:
    ours, theirs = twins(recipe)
    assert repr(ours) == repr(theirs)
    x = torch.randn(5, 4, dtype=torch.float64)
    for mode in (True, False):
        assert [m.training for m in ours.train(mode).modules()] == [m.training for m in theirs.train(mode).modules()]
        torch.testing.assert_close(results(ours, x), results(theirs, x), rtol=0, atol=0)


@given(recipes(), st.booleans())
def test_walks(recipe: Recipe, remove_duplicate: bool) -> None:
    ours, theirs = twins(recipe)
    for walk in ("named_modules", "named_parameters", "named_buffers"):
        for prefix in ("", "net"):
            pair = [
                [n for n, _ in getattr(m, walk)(prefix=prefix, remove_duplicate=remove_duplicate)]
                for m in (ours, theirs)
            ]
            assert pair[0] == pair[1], walk
    for walk in ("parameters", "buffers"):
        for recurse in (True, False):
            pair = [[t.shape for t in getattr(m, walk)(recurse)] for m in (ours, theirs)]
            assert pair[0] == pair[1], walk
    assert [n for n, _ in ours.named_children()] == [n for n, _ in theirs.named_children()]
    assert len(list(ours.children())) == len(list(theirs.children()))
    visited: list[list[str]] = [[], []]
    for net, seen in zip((ours, theirs), visited, strict=True):
        net.apply(lambda module, seen=seen: seen.append(type(module).__name__))
    assert visited[0] == visited[1]


@given(recipes())
def test_state_goes_both_ways(recipe: Recipe) -> None:
    ours, theirs = twins(recipe)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert ours.state_dict()._metadata == theirs.state_dict()._metadata
    assert list(ours.state_dict(prefix="a.")) == list(theirs.state_dict(prefix="a."))
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.add_(1)
    assert repr(ours.load_state_dict(theirs.state_dict())) == "<All keys matched successfully>"
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict(), rtol=0, atol=0)
    fresh, _ = twins(recipe)
    theirs.load_state_dict(fresh.state_dict(), assign=True)
    torch.testing.assert_close(theirs.state_dict(), fresh.state_dict(), rtol=0, atol=0)


@given(recipes(), st.data())
def test_a_state_with_mistakes_is_refused_with_the_same_words(recipe: Recipe, data: st.DataObject) -> None:
    ours, theirs = twins(recipe)
    state = dict(theirs.state_dict())
    for name in data.draw(st.lists(st.sampled_from(sorted(state)), unique=True)) if state else []:
        kind = data.draw(st.sampled_from(["gone", "renamed", "shape", "type"]))
        value = state.pop(name)
        if kind != "gone":
            new = {"renamed": value, "shape": torch.zeros(7, 7), "type": 3}[kind]
            state[name + "x" if kind == "renamed" else name] = new
    state |= data.draw(st.sampled_from([{}, {"other.weight": torch.ones(1)}, {"other": torch.ones(1)}]))

    def said(net: Any, strict: bool) -> tuple[type, str] | tuple[list[str], list[str]]:
        try:
            keys = net.load_state_dict(state, strict)
        except RuntimeError as error:
            return type(error), str(error).replace(" or Tensor-like object", "")
        return keys.missing_keys, keys.unexpected_keys

    for strict in (True, False):
        assert said(ours, strict) == said(theirs, strict)


def log_hooks(net: Any, x: torch.Tensor) -> list[Any]:
    log: list[Any] = []

    def note(kind: str, name: str) -> Callable[..., None]:
        def hook(module: Any, *seen: Any) -> None:
            parts = [part if isinstance(part, tuple) else (part,) for part in seen]
            log.append((kind, name, [t.detach().clone() if t is not None else None for part in parts for t in part]))

        return hook

    for name, module in net.named_modules():
        module.register_forward_pre_hook(note("forward pre", name))
        module.register_forward_hook(note("forward", name))
        module.register_full_backward_pre_hook(note("backward pre", name))
        module.register_full_backward_hook(note("backward", name))
        module.register_forward_hook(note("forward first", name), prepend=True)
        module.register_full_backward_hook(note("backward first", name), prepend=True)
    results(net, x)
    return log


@given(recipes())
def test_hooks_run_in_the_same_order_and_see_the_same(recipe: Recipe) -> None:
    ours, theirs = twins(recipe)
    x = torch.randn(3, 4, dtype=torch.float64)
    seen, expected = log_hooks(ours, x), log_hooks(theirs, x)
    assert [entry[:2] for entry in seen] == [entry[:2] for entry in expected]
    torch.testing.assert_close([entry[2] for entry in seen], [entry[2] for entry in expected], rtol=0, atol=0)


def both(test: Callable[[Any], Any]) -> list[Any]:
    return [test(ours_nn), test(torch_nn)]


def test_hooks_of_several_inputs_and_outputs() -> None:
    def run(nn: Any) -> list[Any]:
        class Two(nn.Module):
            def forward(self, a: Any, b: Any, factor: float = 1.0) -> Any:
                return a * factor, a + b

        net, log, result = Two(), [], []
        net.register_full_backward_pre_hook(lambda module, grad: log.append(grad))
        net.register_full_backward_hook(lambda module, *grads: log.extend(grads))
        for b, output in ((torch.ones(2), 0), (torch.arange(2), 1), (torch.ones(2, requires_grad=True), 0)):
            a = torch.ones(2, requires_grad=True)
            net(a, b, 3.0)[output].sum().backward()
            result.append(a.grad)
        return [log, result]

    torch.testing.assert_close(*both(run), rtol=0, atol=0)


def test_hooks_replace_what_they_see() -> None:
    def run(nn: Any) -> list[Any]:
        torch.manual_seed(0)
        net = nn.Linear(2, 2)
        net.register_forward_pre_hook(lambda module, args: args[0] * 2)
        net.register_forward_pre_hook(lambda module, args, kwargs: ((args[0] + 1,), kwargs), with_kwargs=True)
        net.register_forward_hook(lambda module, args, output: output * 3)
        net.register_forward_hook(lambda module, args, kwargs, output: output + 1, with_kwargs=True)
        net.register_full_backward_pre_hook(lambda module, grad: (grad[0] * 5,))
        net.register_full_backward_hook(lambda module, grad_input, grad_output: (grad_input[0] * 7,))
        x = torch.ones(1, 2, requires_grad=True)
        output = net(x)
        output.sum().backward()
        return [output.detach(), x.grad, net.weight.grad]

    torch.testing.assert_close(*both(run), rtol=0, atol=0)


@pytest.mark.filterwarnings("ignore:Full backward hook is firing")
def test_backward_hooks_where_no_input_asks_for_a_gradient() -> None:
    def run(nn: Any) -> list[Any]:
        torch.manual_seed(0)
        net, log = nn.Embedding(3, 2), []
        net.register_full_backward_hook(lambda module, *grads: log.extend(grads))
        net(torch.tensor([0, 2])).sum().backward()
        with torch.no_grad():
            net(torch.tensor([0, 2]))
        return [log, net.weight.grad]

    torch.testing.assert_close(*both(run), rtol=0, atol=0)


def test_handles_remove_their_own_hook_only() -> None:
    for nn in (ours_nn, torch_nn):
        net, log = nn.Linear(1, 1), []
        first = net.register_forward_hook(lambda *_, log=log: log.append("first"))
        first.remove()
        net.register_forward_hook(lambda *_, log=log: log.append("second"))
        first.remove()
        with net.register_forward_hook(lambda *_, log=log: log.append("third")):
            net(torch.ones(1))
        net(torch.ones(1))
        assert log == ["second", "third", "second"]


@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
def test_training_gives_the_same_losses(optimizer: str) -> None:
    recipe = (
        "sequential",
        [("linear",), ("batch norm",), ("dropout",), ("list", [("linear",), ("own",)]), ("linear",)],
    )
    x = torch.randn(8, 4, dtype=torch.float64)
    losses = []
    for net in twins(recipe):
        step = getattr(torch.optim, optimizer)(net.parameters(), lr=0.01)
        torch.manual_seed(2)
        for _ in range(10):
            step.zero_grad()
            loss = net(x).square().mean()
            loss.backward()
            step.step()
            losses.append(loss.item())
    assert losses[:10] == losses[10:]


def test_a_transformer_layer() -> None:
    made = []
    for nn in (ours_nn, torch_nn):
        torch.manual_seed(0)
        made.append(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True))
    ours, theirs = made
    assert repr(ours) == repr(theirs)
    x = torch.randn(2, 5, 8)
    for mode in (True, False):
        torch.testing.assert_close(results(ours.train(mode), x), results(theirs.train(mode), x))
    torch.testing.assert_close(copy.deepcopy(ours)(x), theirs(x))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
def test_dtypes_and_what_keeps_its_own(dtype: torch.dtype) -> None:
    for net in twins(("sequential", [("linear",), ("batch norm",), ("own",)]), dtype):
        results(net, torch.randn(4, 4, dtype=dtype))
        parameters, moments = list(net.parameters()), [parameter.grad for parameter in net.parameters()]
        net.to("cpu", torch.float64)
        assert all(a is b for a, b in zip(net.parameters(), parameters, strict=True))
        assert {t.dtype for t in [*net.parameters(), *(p.grad for p in net.parameters())]} == {torch.float64}
        assert net[1].num_batches_tracked.dtype == torch.int64 and moments


def test_gradients_are_switched_and_zeroed() -> None:
    for net in twins(("list", [("linear",), ("own",)]), torch.float32):
        x = torch.ones(2, 4)
        assert net.requires_grad_(False) is net and not any(p.requires_grad for p in net.parameters())
        net.requires_grad_()
        net(x).sum().backward()
        net.zero_grad(set_to_none=False)
        assert all(not p.grad.any() for p in net.parameters())
        net.zero_grad()
        assert all(p.grad is None for p in net.parameters())


class Small(scratch.Module):
    """At the top level, so that it can be pickled."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch_nn.Parameter(torch.ones(3, 3))
        self.register_buffer("seen", torch.tensor(0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen += 1
        return F.linear(x, self.weight)


def test_copies_and_pickles() -> None:
    net = scratch.Sequential(Small(), scratch.ModuleList([Small()])[0])
    net[1].weight = net[0].weight  # tied
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert twin[0].weight is twin[1].weight is not net[0].weight
        assert torch.equal(twin(torch.ones(1, 3)), torch.ones(1, 3) @ net[0].weight.T @ net[1].weight.T)
        assert repr(twin) == repr(net)
    assert net[0].seen == 0


def test_gradcheck_with_backward_hooks() -> None:
    net = Small().to(torch.float64)
    net.register_full_backward_hook(lambda module, *grads: None)
    x = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(net, (x,)) and torch.autograd.gradgradcheck(net, (x,))


def test_names_change_their_kind() -> None:
    def run(nn: Any) -> list[Any]:
        net, log = nn.Linear(1, 1), []
        net.register_buffer("extra", torch.zeros(1), persistent=False)

        def note() -> None:
            log.append([list(net._parameters), list(net._buffers), list(net._modules), "extra" in vars(net)])

        net.extra = torch.ones(2)
        log.append(list(net.state_dict()))
        net.extra = torch_nn.Parameter(torch.ones(1))
        note()
        net.extra = None
        note()
        del net.extra
        net.register_buffer("extra", torch.zeros(1))
        net.extra = nn.ReLU()
        note()
        net.extra = torch_nn.Parameter(torch.ones(1))
        note()
        del net.extra
        net.extra = 3
        net.extra = nn.Tanh()
        note()
        net.bias = None
        note()
        net.weight = torch_nn.Parameter(torch.zeros(1, 1))
        note()
        del net.weight
        note()
        return log

    ours, theirs = both(run)
    assert ours == theirs


CONTAINER_STEPS: dict[str, Callable[[Any], Any]] = {
    "sequential slices": lambda nn: nn.Sequential(nn.ReLU(), nn.Tanh(), nn.Flatten())[1:],
    "sequential negative": lambda nn: nn.Sequential(nn.ReLU(), nn.Tanh())[-1],
    "sequential append": lambda nn: nn.Sequential(nn.ReLU()).append(nn.Tanh()),
    "sequential extend": lambda nn: nn.Sequential(nn.ReLU()).extend([nn.Tanh(), nn.ReLU()]),
    "sequential insert": lambda nn: nn.Sequential(nn.ReLU(), nn.Tanh()).insert(1, nn.Flatten()),
    "sequential insert at -1": lambda nn: nn.Sequential(nn.ReLU(), nn.Tanh()).insert(-1, nn.Flatten()),
    "sequential sum": lambda nn: nn.Sequential(nn.ReLU()) + nn.Sequential(nn.Tanh()),
    "sequential pop": lambda nn: nn.Sequential(nn.ReLU(), nn.Tanh()).pop(0),
    "list of equals": lambda nn: nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.Linear(1, 1), nn.ReLU()]),
    "list of lists": lambda nn: nn.ModuleList([nn.ModuleList([nn.Linear(1, 1)] * 2)] * 2),
    "empty": lambda nn: nn.Sequential(nn.ModuleList(), nn.ModuleDict(), nn.Sequential()),
    "list sum": lambda nn: nn.ModuleList([nn.ReLU()]).__add__([nn.Tanh()]),
    "list slices": lambda nn: nn.ModuleList([nn.ReLU(), nn.Tanh(), nn.Flatten()])[::2],
    "list pop": lambda nn: nn.ModuleList([nn.ReLU(), nn.Tanh()]).pop(-1),
    "dict of pairs": lambda nn: nn.ModuleDict([("a", nn.ReLU()), ["b", nn.Tanh()]]),
    "dict of a dict": lambda nn: nn.ModuleDict(nn.ModuleDict({"a": nn.ReLU()})),
    "dict pop": lambda nn: nn.ModuleDict({"a": nn.ReLU()}).pop("a"),
    "dict keys": lambda nn: list(nn.ModuleDict({"a": nn.ReLU(), "b": nn.Tanh()}).keys()),
    "dict contains": lambda nn: "a" in nn.ModuleDict({"a": nn.ReLU()}),
}


@pytest.mark.parametrize("step", CONTAINER_STEPS.values(), ids=CONTAINER_STEPS.keys())
def test_containers(step: Callable[[Any], Any]) -> None:
    ours, theirs = both(step)
    assert repr(ours) == repr(theirs)


def test_containers_that_change() -> None:
    def run(nn: Any) -> list[str]:
        sequence, listed = (cls(*args) for cls, args in ((nn.Sequential, [nn.ReLU(), nn.Tanh()]), (nn.ModuleList, [])))
        listed += [nn.ReLU(), nn.Tanh(), nn.Flatten()]
        listed.insert(1, nn.Linear(1, 1))
        del listed[0], listed[1:2], sequence[0]
        sequence[0] = nn.Linear(2, 2)
        named = nn.ModuleDict({"a": nn.ReLU()})
        named["b"] = nn.Tanh()
        named.update({"a": nn.Flatten()})
        del named["b"]
        return [repr(sequence), repr(listed), repr(named), str(len(named)), str(list(named))]

    ours, theirs = both(run)
    assert ours == theirs


def test_layers_of_torch_serve_as_children() -> None:
    """As the layers of scratch.nn do, which are torch modules too."""

    def body(nn: Any) -> Any:
        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.first = torch_nn.Linear(3, 4)
                self.blocks = nn.ModuleList([torch_nn.BatchNorm1d(4), torch_nn.Dropout(0.5)])
                self.rest = nn.ModuleDict({"last": nn.Sequential(torch_nn.ReLU(), torch_nn.Linear(4, 2))})

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                x = self.first(x)
                for block in self.blocks:
                    x = block(x)
                return self.rest["last"](x)

        return Net()

    ours, theirs = body(scratch), body(torch_nn)
    assert repr(ours) == repr(theirs)
    for source, target in [(theirs, ours), (ours, theirs)]:
        with torch.no_grad():
            for parameter in source.parameters():
                parameter.normal_()
        assert target.load_state_dict(source.state_dict()) == ([], [])
        assert list(target.state_dict()) == list(source.state_dict())
    for mode in (True, False):
        results = []
        for net in (ours, theirs):
            torch.manual_seed(0)
            x = torch.randn(5, 3, requires_grad=True)
            net.train(mode).zero_grad()
            net(x).square().sum().backward()
            results.append([x.grad, *(p.grad for p in net.parameters()), *net.buffers()])
        torch.testing.assert_close(*results)
    for name, _ in theirs.named_modules():
        assert name in dict(ours.named_modules())
    ours.to(torch.float64).requires_grad_(False)
    assert {p.dtype for p in ours.parameters()} == {torch.float64}
    assert not any(p.requires_grad for p in ours.parameters())
    with pytest.raises(RuntimeError, match="Missing key"):
        ours.load_state_dict({})
    state = {name: torch.zeros_like(value) for name, value in theirs.state_dict().items()}
    ours.load_state_dict(state, assign=True)
    assert ours.first.weight.dtype == torch.float32


def before_init(nn: Any, name: str, value: Any) -> None:
    class Early(nn.Module):
        def __init__(self) -> None:
            setattr(self, name, value)

    Early()


def linear(nn: Any) -> Any:
    return nn.Linear(2, 3)


ZERO = torch.zeros(1)
REFUSED: dict[str, Callable[[Any], Any]] = {
    "parameter before init": lambda nn: before_init(nn, "a", torch_nn.Parameter(ZERO)),
    "module before init": lambda nn: before_init(nn, "a", linear(nn)),
    "tensor as parameter": lambda nn: setattr(linear(nn), "weight", ZERO),
    "module as parameter": lambda nn: setattr(linear(nn), "weight", linear(nn)),
    "number as child": lambda nn: setattr(nn.Sequential(linear(nn)), "0", 3),
    "number as buffer": lambda nn: setattr(nn.BatchNorm1d(1), "running_mean", 3),
    "unknown attribute": lambda nn: linear(nn).wieght,
    "del unknown attribute": lambda nn: delattr(linear(nn), "wieght"),
    "buffer with a dot": lambda nn: linear(nn).register_buffer("a.b", ZERO),
    "buffer without a name": lambda nn: linear(nn).register_buffer("", ZERO),
    "buffer named by a number": lambda nn: linear(nn).register_buffer(3, ZERO),
    "buffer over a method": lambda nn: linear(nn).register_buffer("eval", ZERO),
    "buffer over a parameter": lambda nn: linear(nn).register_buffer("weight", ZERO),
    "buffer that is a list": lambda nn: linear(nn).register_buffer("a", [1.0]),
    "parameter with a dot": lambda nn: linear(nn).register_parameter("a.b", None),
    "parameter over an attribute": lambda nn: linear(nn).register_parameter("in_features", None),
    "parameter that is a tensor": lambda nn: linear(nn).register_parameter("a", ZERO),
    "child with a dot": lambda nn: linear(nn).add_module("a.b", linear(nn)),
    "child that is a function": lambda nn: nn.Sequential(torch.relu),
    "child over an attribute": lambda nn: linear(nn).add_module("weight", linear(nn)),
    "mode that is no bool": lambda nn: linear(nn).train("yes"),
    "to int64": lambda nn: linear(nn).to(torch.int64),
    "to a word": lambda nn: linear(nn).to("nowhere"),
    "no forward": lambda nn: nn.Module()(1),
    "call of a list": lambda nn: nn.ModuleList()(1),
    "index": lambda nn: nn.Sequential(linear(nn))[1],
    "index of a word": lambda nn: nn.Sequential(linear(nn))["0"],
    "list index": lambda nn: nn.ModuleList([linear(nn)])[-2],
    "insert": lambda nn: nn.Sequential(linear(nn)).insert(5, linear(nn)),
    "insert into a list from its end": lambda nn: nn.ModuleList([linear(nn)]).insert(-1, linear(nn)),
    "sum with a list": lambda nn: nn.Sequential(linear(nn)).__add__([linear(nn)]),
    "dict without the key": lambda nn: nn.ModuleDict()["a"],
    "dict with a number": lambda nn: nn.ModuleDict({"a": 3}),
    "dict of a number": lambda nn: nn.ModuleDict(3),
    "list of a number": lambda nn: nn.ModuleList(3),
    "state that is a list": lambda nn: linear(nn).load_state_dict([1]),
    "state that is empty": lambda nn: linear(nn).load_state_dict({}),
    "hook with too few gradients": lambda nn: too_few(nn),
    "init with arguments": lambda nn: nn.Module(3),
}


def too_few(nn: Any) -> None:
    net = linear(nn)
    net.register_full_backward_hook(lambda module, *grads: ())
    net(torch.ones(1, 2, requires_grad=True)).sum().backward()


@pytest.mark.parametrize("action", REFUSED.values(), ids=REFUSED.keys())
def test_errors(action: Callable[[Any], Any]) -> None:
    with pytest.raises(Exception) as theirs:
        action(torch_nn)
    with pytest.raises(theirs.type) as ours:
        action(ours_nn)
    assert type(ours.value) is type(theirs.value)


SAME = [
    *("register_parameter", "register_buffer", "add_module", "named_parameters", "named_buffers", "named_modules"),
    *("named_children", "parameters", "buffers", "children", "modules", "train", "eval", "apply", "to", "zero_grad"),
    *("requires_grad_", "load_state_dict", "extra_repr", "register_forward_pre_hook", "register_full_backward_hook"),
    "register_full_backward_pre_hook",
]


@pytest.mark.parametrize("name", SAME)
def test_signature(name: str) -> None:
    def arguments(function: Any) -> list[tuple[str, Any, Any]]:
        return [(p.name, p.default, p.kind) for p in inspect.signature(function).parameters.values()]

    assert arguments(getattr(scratch.Module, name)) == arguments(getattr(torch_nn.Module, name))
