"""scratch.optim's SGD, Adam and AdamW and scratch.data's loader do what torch's do, over all arguments."""

import collections
import copy
import inspect
import pickle
import time
from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch import optim as torch_optim
from torch.utils import data as torch_data

from scratch import data, optim, training_loop

OPTIMIZERS = ("SGD", "Adam", "AdamW")
SAMPLERS = ("BatchSampler", "DataLoader", "RandomSampler", "SequentialSampler")
LOOP = {"foreach": False}  # the way of torch's that computes in the same order


def arguments(callable_: Any) -> list[tuple[str, Any, Any]]:
    return [(p.name, p.default, p.kind) for p in inspect.signature(callable_).parameters.values()]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_signatures_of_optimizers(name: str) -> None:
    assert arguments(getattr(optim, name)) == arguments(getattr(torch_optim, name))
    assert arguments(getattr(optim, name).step) == arguments(getattr(torch_optim, name).step)


@pytest.mark.parametrize("name", SAMPLERS)
def test_signatures_of_loaders(name: str) -> None:
    assert arguments(getattr(data, name)) == arguments(getattr(torch_data, name))


# Optimizers


def numbers(*values: float) -> st.SearchStrategy[Any]:
    """A float, or the same in a tensor with or without an axis."""
    return st.sampled_from(values).flatmap(
        lambda value: st.sampled_from([value, torch.tensor(value), torch.tensor([value])])
    )


@st.composite
def options(draw: st.DrawFn, name: str) -> dict[str, Any]:
    chosen: dict[str, Any] = {"maximize": draw(st.booleans()), "lr": draw(numbers(0.0, 0.01, 0.1))}
    chosen["weight_decay"] = draw(st.sampled_from([0, 0.01, 0.3]))
    if name == "SGD":
        chosen["momentum"] = draw(st.sampled_from([0, 0.5, 0.9]))
        chosen["nesterov"] = bool(chosen["momentum"]) and draw(st.booleans())
        chosen["dampening"] = 0 if chosen["nesterov"] else draw(st.sampled_from([0, 0.4, 1]))
    else:
        chosen["betas"] = draw(st.sampled_from([(0.9, 0.999), (0.0, 0.5), (0.5, 0.0)]))
        chosen["eps"] = draw(st.sampled_from([1e-8, 1e-2]))
        chosen["amsgrad"] = draw(st.booleans())
        if name == "Adam":
            chosen["decoupled_weight_decay"] = draw(st.booleans())
    return chosen


CASES = st.sampled_from(OPTIMIZERS).flatmap(lambda name: st.tuples(st.just(name), options(name)))


def parameters(dtype: torch.dtype = torch.float64) -> list[nn.Parameter]:
    torch.manual_seed(3)
    shapes: list[tuple[int, ...]] = [(3, 2), (), (0, 4), (5,), (2,)]
    return [nn.Parameter(torch.randn(shape, dtype=dtype)) for shape in shapes]


def give_gradients(ours: list[nn.Parameter], theirs: list[nn.Parameter], step: int) -> None:
    """The same random gradients for both; the last parameter has one only in every second step."""
    for number, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        if number == len(ours) - 1 and step % 2:
            a.grad = b.grad = None
        else:
            a.grad = torch.randn_like(a)
            b.grad = a.grad.clone()


def assert_same(ours: Any, theirs: Any) -> None:
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16, torch.complex64], ids=str
)
@settings(max_examples=80)
@given(case=CASES)
def test_steps_are_equal_to_the_last_bit(dtype: torch.dtype, case: tuple[str, dict[str, Any]]) -> None:
    name, chosen = case
    ours, theirs = parameters(dtype), parameters(dtype)
    mine, other = getattr(optim, name)(ours, **chosen), getattr(torch_optim, name)(theirs, **chosen, **LOOP)
    for step in range(4):
        give_gradients(ours, theirs, step)
        kept = [p.grad.clone() for p in ours if p.grad is not None]
        mine.step()
        other.step()
        assert_same(ours, theirs)
        assert_same(mine.state_dict()["state"], other.state_dict()["state"])
        assert_same([p.grad for p in ours if p.grad is not None], kept)


@settings(max_examples=60)
@given(CASES, st.sampled_from(["ours first", "torch first"]))
def test_state_is_exchanged(case: tuple[str, dict[str, Any]], order: str) -> None:
    name, chosen = case
    kinds = [getattr(optim, name), getattr(torch_optim, name)]
    first, second = kinds if order == "ours first" else kinds[::-1]
    a, b = parameters(), parameters()
    one, other = first(a, **chosen), second(b, lr=1.0)
    for step in range(3):
        give_gradients(a, b, step)
        one.step()
    with torch.no_grad():
        for p, q in zip(a, b, strict=True):
            q.copy_(p)
    other.load_state_dict(copy.deepcopy(one.state_dict()))
    assert_same(one.state_dict(), other.state_dict())
    for step in range(3):
        give_gradients(a, b, step)
        one.step()
        other.step()
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("way", [{}, {"foreach": True}, {"fused": True}, {"differentiable": True}], ids=str)
def test_every_way_is_accepted_and_gives_the_same(name: str, way: dict[str, bool]) -> None:
    ours, theirs = parameters(), parameters()
    chosen = {"lr": 0.1, "weight_decay": 0.1}
    mine, other = getattr(optim, name)(ours, **chosen, **way), getattr(torch_optim, name)(theirs, **chosen, **way)
    if way == {"differentiable": True}:  # leaves cannot be written to while the step is recorded
        for p in (*ours, *theirs):
            p.requires_grad_(False)
    for _ in range(3):
        give_gradients(ours, theirs, 0)
        mine.step()
        other.step()
    differentiable = {"rtol": 1e-4, "atol": 1e-5} if way == {"differentiable": True} else {}  # torch counts in float32
    torch.testing.assert_close(ours, theirs, **differentiable)
    assert [sorted(map(str, g)) for g in mine.param_groups] == [sorted(map(str, g)) for g in other.param_groups]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_can_be_differentiated(name: str) -> None:
    def after_steps(kind: Any) -> torch.Tensor:
        start = torch.tensor([1.0, -2.0], dtype=torch.float64, requires_grad=True)
        weights = start.clone()
        momentum = {"momentum": 0.9} if name == "SGD" else {}
        optimizer = kind([weights], lr=0.1, differentiable=True, **momentum)
        for _ in range(3):
            weights.grad = start**2
            optimizer.step()
        return torch.autograd.grad(weights.sum(), start)[0]

    torch.testing.assert_close(after_steps(getattr(optim, name)), after_steps(getattr(torch_optim, name)))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_groups_closure_and_hooks(name: str) -> None:
    results = []
    for module in (optim, torch_optim):
        first, second = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(3))
        optimizer = getattr(module, name)([{"params": [first], "lr": 0.5}], lr=0.1)
        optimizer.add_param_group({"params": [second], "weight_decay": 0.2})
        called: list[str] = []
        optimizer.register_step_post_hook(lambda *_, called=called: called.append("hook"))

        def closure(optimizer: Any = optimizer, first: Any = first, second: Any = second) -> torch.Tensor:
            optimizer.zero_grad()
            loss = (first.square().sum() - 3 * second).sum()
            loss.backward()
            return loss

        with torch.no_grad():
            losses = [optimizer.step(closure).item() for _ in range(3)]
        results.append([losses, called, first.detach(), second.detach(), optimizer.state_dict()["param_groups"]])
    torch.testing.assert_close(results[0][0], results[1][0])
    assert results[0][1] == results[1][1] == ["hook"] * 3
    torch.testing.assert_close(results[0][2:4], results[1][2:4])
    assert str(results[0][4]) == str(results[1][4])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_pickle_copy_repr_and_old_files(name: str) -> None:
    ours, theirs = parameters(), parameters()
    mine, other = getattr(optim, name)(ours, lr=0.1), getattr(torch_optim, name)(theirs, lr=0.1)
    assert repr(mine) == repr(other)
    give_gradients(ours, theirs, 0)
    mine.step()
    copied = pickle.loads(pickle.dumps(mine))
    assert_same(copied.state_dict(), mine.state_dict())
    old = mine.state_dict()
    for group in old["param_groups"]:
        del group["maximize"]
    mine.load_state_dict(old)
    assert mine.param_groups[0]["maximize"] is False


def test_adamw_stays_decoupled_when_it_loads_an_adam() -> None:
    adam, adamw = optim.Adam(parameters()), optim.AdamW(parameters())
    adamw.load_state_dict(adam.state_dict())
    assert adamw.param_groups[0]["decoupled_weight_decay"] is True


@pytest.mark.filterwarnings("ignore:.*lr_scheduler.step.*")
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize(
    "make",
    [
        lambda o: torch_optim.lr_scheduler.CosineAnnealingLR(o, 7),
        lambda o: torch_optim.lr_scheduler.StepLR(o, 2, 0.3),
        lambda o: torch_optim.lr_scheduler.OneCycleLR(o, 0.2, 10, cycle_momentum=True),
    ],
    ids=["cosine", "step", "one cycle"],
)
def test_torch_schedules(name: str, make: Callable[[Any], Any]) -> None:
    results = []
    for module, way in ((optim, {}), (torch_optim, LOOP)):
        weights = parameters()
        momentum = {"momentum": 0.9} if name == "SGD" else {}
        optimizer = getattr(module, name)(weights, lr=0.1, **momentum, **way)
        schedule = make(optimizer)
        torch.manual_seed(1)
        for step in range(7):
            give_gradients(weights, copy.deepcopy(weights), step)
            optimizer.step()
            schedule.step()
        results.append(weights)
    assert_same(*results)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("fused", [None, True])
def test_grad_scaler(name: str, fused: bool | None) -> None:
    results = []
    for module in (optim, torch_optim):
        torch.manual_seed(1)
        layer = nn.Linear(3, 2)
        optimizer, scaler = getattr(module, name)(layer.parameters(), lr=0.1, fused=fused), torch.amp.GradScaler("cpu")
        for factor in (1.0, float("inf"), float("nan"), 2.0):
            optimizer.zero_grad()
            scaler.scale(layer(torch.ones(4, 3)).square().sum() * factor).backward()
            scaler.step(optimizer)
            scaler.update()
        results.append([scaler.get_scale(), *layer.parameters()])
    torch.testing.assert_close(*results)


def test_sparse_gradients() -> None:
    results = []
    for module in (optim, torch_optim):
        torch.manual_seed(1)
        table = nn.Embedding(5, 2, sparse=True)
        optimizer = module.SGD(table.parameters(), lr=0.1)
        table(torch.tensor([1, 1, 3])).sum().backward()
        optimizer.step()
        results.append(table.weight)
        with pytest.raises(RuntimeError):
            module.Adam(table.parameters()).step()
    torch.testing.assert_close(*results)


BAD: dict[str, tuple[str, dict[str, Any]]] = {
    "lr": ("SGD", {"lr": -0.1}),
    "lr of two": ("SGD", {"lr": torch.ones(2)}),
    "momentum": ("SGD", {"momentum": -1}),
    "weight_decay": ("SGD", {"weight_decay": -1}),
    "nesterov": ("SGD", {"nesterov": True}),
    "nesterov and dampening": ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}),
    "fused and foreach": ("SGD", {"fused": True, "foreach": True}),
    "fused and differentiable": ("SGD", {"fused": True, "differentiable": True}),
    "adam lr": ("Adam", {"lr": -1.0}),
    "eps": ("Adam", {"eps": -1.0}),
    "beta 1": ("Adam", {"betas": (1.0, 0.9)}),
    "beta 2": ("Adam", {"betas": (0.9, -0.1)}),
    "int beta": ("Adam", {"betas": (0, 0.9)}),
    "mixed betas": ("Adam", {"betas": (torch.tensor(0.9), 0.9)}),
    "betas of two": ("Adam", {"betas": (torch.tensor([0.9, 0.9]), torch.tensor(0.9))}),
    "adam weight_decay": ("AdamW", {"weight_decay": -1}),
    "foreach with a tensor": ("AdamW", {"foreach": True, "lr": torch.tensor(0.1)}),
    "a list for betas too short": ("AdamW", {"betas": (0.9,)}),
    "unknown": ("AdamW", {"decoupled_weight_decay": True}),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_options(case: str) -> None:
    name, chosen = BAD[case]
    with pytest.raises(Exception) as theirs:
        getattr(torch_optim, name)(parameters(), **chosen)
    with pytest.raises(type(theirs.value)):
        getattr(optim, name)(parameters(), **chosen)


def test_options_that_would_need_a_gradient() -> None:
    optimizer = optim.SGD([torch.ones(1)], lr=torch.tensor(0.1, requires_grad=True), differentiable=True)
    optimizer.param_groups[0]["params"][0].grad = torch.ones(1)
    with pytest.raises(NotImplementedError):
        optimizer.step()


@pytest.mark.parametrize("length", [1, 2, 3])
def test_tensor_betas(length: int) -> None:
    betas = (torch.tensor(0.8), torch.tensor([0.9]))
    results = []
    for module in (optim, torch_optim):
        weights = nn.Parameter(torch.ones(3))
        optimizer = module.Adam([weights], betas=betas)
        for _ in range(length):
            weights.grad = torch.arange(3.0)
            optimizer.step()
        results.append(weights)
    torch.testing.assert_close(*results)


# Schedules, clipping


@given(st.integers(0, 6), st.integers(1, 20))
def test_schedules(warmup: int, rest: int) -> None:
    total = warmup + rest
    one, other = optim.SGD([nn.Parameter(torch.ones(1))], 0.4), torch_optim.SGD([nn.Parameter(torch.ones(1))], 0.4)
    mine = training_loop.Schedule(one, lambda t: training_loop.warmup_cosine_factor(t, warmup, total))
    theirs = torch_optim.lr_scheduler.LambdaLR(other, lambda t: training_loop.warmup_cosine_factor(t, warmup, total))
    for _ in range(total):
        assert mine.get_last_lr() == theirs.get_last_lr()
        for part in (one, other, mine, theirs):
            part.step()
    assert mine.get_last_lr()[0] == pytest.approx(0)
    again = training_loop.Schedule(one, lambda t: 1.0)
    again.load_state_dict(mine.state_dict())
    assert again.last_epoch == mine.last_epoch


@given(st.sampled_from([0.0, 0.1, 3.0, 1e6]))
def test_clipping(max_norm: float) -> None:
    ours, theirs = parameters(), parameters()
    give_gradients(ours, theirs, 1)
    torch.testing.assert_close(
        training_loop.clip_gradients(ours, max_norm), torch.nn.utils.clip_grad_norm_(theirs, max_norm)
    )
    torch.testing.assert_close([p.grad for p in ours[:-1]], [p.grad for p in theirs[:-1]])
    assert training_loop.clip_gradients([nn.Parameter(torch.ones(1))], 1.0) == 0


# Loaders


class Stream(torch_data.IterableDataset[int]):
    def __init__(self, length: int) -> None:
        self.length = length

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.length))

    def __len__(self) -> int:
        return self.length


class ManyAtOnce(list[int]):
    def __getitems__(self, indices: list[int]) -> list[int]:
        return [self[i] * 10 for i in indices]


@st.composite
def loadings(draw: st.DrawFn) -> tuple[Any, dict[str, Any], bool]:
    count = draw(st.integers(1, 13))
    kind = draw(st.sampled_from(["list", "tensors", "stream", "many"]))
    dataset: Any = {
        "list": [(float(i), {"x": torch.full((2,), i)}) for i in range(count)],
        "tensors": torch_data.TensorDataset(torch.arange(count), torch.rand(count, 2)),
        "stream": Stream(count),
        "many": ManyAtOnce(range(count)),
    }[kind]
    chosen: dict[str, Any] = {"batch_size": draw(st.sampled_from([None, 1, 2, 3, 5, 20]))}
    if chosen["batch_size"] is not None:
        chosen["drop_last"] = draw(st.booleans())
    if kind != "stream":
        chosen |= draw(
            st.sampled_from([{}, {"shuffle": True}, {"shuffle": False}, {"sampler": [0]}, {"sampler": range(count)}])
        )
        chosen["num_workers"] = draw(st.sampled_from([0, 0, 2]))
    return dataset, chosen, draw(st.booleans())


@settings(max_examples=200)
@given(loadings())
def test_the_same_batches(case: tuple[Any, dict[str, Any], bool]) -> None:
    dataset, chosen, own = case
    results = []
    for module, workers in ((data, chosen.get("num_workers", 0)), (torch_data, 0)):
        generator = torch.manual_seed(7)
        extra: dict[str, Any] = {"num_workers": workers}
        if own:
            extra["generator"] = generator = torch.Generator().manual_seed(7)
        loader = module.DataLoader(dataset, **chosen | extra)
        epochs = [list(loader) for _ in range(2)]
        epochs.append([batch for batch, _ in zip(loader, range(2), strict=False)])  # left early
        assert len(loader) == len(epochs[0])
        drawn = 0 if chosen.get("num_workers") else torch.rand(1, generator=generator)  # workers read ahead
        results.append([epochs, drawn])
        assert loader.batch_size == chosen["batch_size"]
    assert str(results[0]) == str(results[1])


@given(st.integers(1, 40), st.one_of(st.none(), st.integers(1, 90)), st.booleans(), st.booleans())
def test_random_sampler(count: int, num_samples: int | None, replacement: bool, own: bool) -> None:
    results = []
    for module in (data, torch_data):
        generator = torch.Generator().manual_seed(2) if own else None
        torch.manual_seed(2)
        sampler = module.RandomSampler(range(count), replacement, num_samples, generator)
        results.append([list(sampler), list(sampler), len(sampler), torch.rand(1, generator=generator).item()])
    assert results[0] == results[1]


@given(st.integers(0, 12), st.integers(1, 14), st.booleans())
def test_batch_sampler(count: int, batch_size: int, drop_last: bool) -> None:
    ours, theirs = (
        module.BatchSampler(module.SequentialSampler(range(count)), batch_size, drop_last)
        for module in (data, torch_data)
    )
    assert (list(ours), len(ours)) == (list(theirs), len(theirs))


def test_samplers_of_torch_and_own_batch_samplers() -> None:
    weighted = torch_data.WeightedRandomSampler([0.1, 0.0, 0.9], 7)
    for chosen in ({"sampler": weighted, "batch_size": 3}, {"batch_sampler": [[2, 0], [1]]}):
        results = []
        for module in (data, torch_data):
            torch.manual_seed(0)
            loader = module.DataLoader(range(3), **chosen)
            results.append([str(list(loader)), loader.batch_size, loader.drop_last])
        assert results[0] == results[1]


Point = collections.namedtuple("Point", ["x", "y"])


class Named(dict[str, Any]):
    label = "kept"


SAMPLES: dict[str, Any] = {
    "tensors": [torch.ones(2), torch.zeros(2)],
    "views": [torch.arange(6).view(2, 3).T, torch.zeros(3, 2, dtype=torch.int64)],
    "arrays": [np.ones((2, 3), np.float32), np.zeros((2, 3), np.float32)],
    "numbers of NumPy": [np.float32(1), np.float32(2)],
    "float64 of NumPy": [np.float64(1), np.float64(2)],
    "bools of NumPy": [np.bool_(True), np.bool_(False)],
    "ints": [1, 2],
    "floats": [1.5, 2.5],
    "bools": [True, False],
    "strings": ["a", "b"],
    "bytes": [b"a", b"b"],
    "strings of NumPy": [np.str_("a"), np.str_("b")],
    "tuples": [(1, "a"), (2, "b")],
    "lists": [[1, 2.0], [3, 4.0]],
    "dicts": [{"a": 1, "b": (2, 3)}, {"a": 3, "b": (4, 5)}],
    "own dicts": [Named(a=1), Named(a=2)],
    "read-only mappings": [MappingProxyType({"a": 1}), MappingProxyType({"a": 2})],
    "default dicts": [collections.defaultdict(int, a=1), collections.defaultdict(int, a=2)],
    "named tuples": [Point(1, 2.0), Point(3, 4.0)],
    "ranges": [range(3), range(3)],
    "deques": [collections.UserList([1, 2]), collections.UserList([3, 4])],
    "arrays of strings": [np.array(["a"]), np.array(["b"])],
    "objects": [object(), object()],
    "None": [None, None],
    "unequal lists": [[1, 2], [3]],
    "unequal tensors": [torch.ones(2), torch.ones(3)],
    "sparse": [torch.ones(2).to_sparse(), torch.ones(2).to_sparse()],
}


@pytest.mark.parametrize("name", SAMPLES)
def test_collate_and_convert(name: str) -> None:
    samples = SAMPLES[name]
    for ours, theirs, sample in (
        (training_loop.default_collate, torch_data.default_collate, samples),
        (training_loop.default_convert, torch_data.default_convert, samples[0]),
    ):
        try:
            expected = theirs(sample)
        except Exception as error:
            with pytest.raises(type(error)):
                ours(sample)
        else:
            got = ours(sample)
            assert type(got) is type(expected) and str(got) == str(expected)


BAD_LOADERS: dict[str, Callable[[Any], Any]] = {
    "workers": lambda m: m.DataLoader([1], num_workers=-1),
    "timeout": lambda m: m.DataLoader([1], timeout=-1),
    "prefetch without workers": lambda m: m.DataLoader([1], prefetch_factor=2),
    "prefetch": lambda m: m.DataLoader([1], num_workers=1, prefetch_factor=-2),
    "persistent": lambda m: m.DataLoader([1], persistent_workers=True),
    "context": lambda m: m.DataLoader([1], multiprocessing_context="fork"),
    "sampler and shuffle": lambda m: m.DataLoader([1], shuffle=True, sampler=[0]),
    "batch_sampler and shuffle": lambda m: m.DataLoader([1], shuffle=True, batch_sampler=[[0]]),
    "batch_sampler and batch_size": lambda m: m.DataLoader([1], 2, batch_sampler=[[0]]),
    "batch_sampler and drop_last": lambda m: m.DataLoader([1], drop_last=True, batch_sampler=[[0]]),
    "batch_sampler and sampler": lambda m: m.DataLoader([1], sampler=[0], batch_sampler=[[0]]),
    "no batches, drop_last": lambda m: m.DataLoader([1], None, drop_last=True),
    "batch_size 0": lambda m: m.DataLoader([1], 0),
    "batch_size 1.5": lambda m: m.DataLoader([1], 1.5),
    "batch_size True": lambda m: m.DataLoader([1], True),
    "drop_last 1": lambda m: m.DataLoader([1], drop_last=1),
    "empty and shuffled": lambda m: m.DataLoader([], shuffle=True),
    "stream shuffled": lambda m: m.DataLoader(Stream(2), shuffle=True),
    "stream with sampler": lambda m: m.DataLoader(Stream(2), sampler=[0]),
    "stream with batch_sampler": lambda m: m.DataLoader(Stream(2), batch_sampler=[[0]]),
    "set later": lambda m: setattr(m.DataLoader([1]), "batch_size", 2),
    "replacement": lambda m: m.RandomSampler([1], replacement=1),
    "num_samples": lambda m: m.RandomSampler([1], num_samples=0),
    "num_samples 1.5": lambda m: m.RandomSampler([1], num_samples=1.5),
    "index": lambda m: list(m.DataLoader([1], sampler=[3])),
}


@pytest.mark.parametrize("name", BAD_LOADERS)
def test_bad_loaders(name: str) -> None:
    with pytest.raises(Exception) as theirs:
        BAD_LOADERS[name](torch_data)
    with pytest.raises(type(theirs.value)):
        BAD_LOADERS[name](data)


class Slow(list[int]):
    """Waits longer for the first samples than for the others, as long as it may."""

    def __getitem__(self, index: Any) -> Any:
        time.sleep(0.03 if index < 2 else 0)
        return super().__getitem__(index)


def test_workers_keep_the_order_and_pass_errors_on() -> None:
    loader = data.DataLoader(Slow(range(12)), 2, num_workers=3, prefetch_factor=1)
    assert [batch.tolist() for batch in loader] == [[i, i + 1] for i in range(0, 12, 2)]
    with pytest.raises(IndexError):
        list(data.DataLoader([1], sampler=[0, 5], num_workers=2))
    with pytest.raises(RuntimeError, match="timeout"):
        list(data.DataLoader(Slow(range(3)), num_workers=1, timeout=0.001))
    assert data.DataLoader([1], num_workers=1).prefetch_factor == 2


@pytest.mark.parametrize(
    "chosen", [{"worker_init_fn": print}, {"multiprocessing_context": "spawn"}, {"stream": True}], ids=str
)
def test_what_threads_cannot_do_is_refused(chosen: dict[str, Any]) -> None:
    dataset = Stream(3) if chosen.pop("stream", False) else [1]
    with pytest.raises(NotImplementedError, match="threads"):
        data.DataLoader(dataset, num_workers=2, **chosen)


@pytest.mark.skipif(torch.accelerator.is_available(), reason="without an accelerator there is nothing to pin")
def test_pinning_without_an_accelerator_warns() -> None:
    with pytest.warns(UserWarning, match="pin_memory"):
        assert len(list(data.DataLoader([1], pin_memory=True))) == 1
