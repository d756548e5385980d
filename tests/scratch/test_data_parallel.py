"""scratch.nn.DataParallel and SyncBatchNorm do what torch's do; what they move is moved back by their gradients."""

import copy
import inspect
import sys
import threading
import warnings
from collections import OrderedDict, namedtuple
from typing import Any
from unittest.mock import patch

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn as torch_nn
from torch.utils._pytree import tree_flatten

from scratch import data_parallel, nn
from scratch.data_parallel import (
    ThreadGroup,
    chunk_sizes,
    gather,
    parallel_apply,
    replicate,
    ring_all_reduce,
    scatter,
)

CPU = torch.device("cpu")
HAS_BIAS = "bias" in inspect.signature(torch_nn.SyncBatchNorm).parameters
Point = namedtuple("Point", "x y")


class MovedScatter:
    """torch's Scatter, with copies on the CPU."""

    @staticmethod
    def apply(devices: list[torch.device], _: None, dim: int, tensor: torch.Tensor) -> Any:
        sizes = [part.shape[dim] for part in tensor.chunk(len(devices), dim)]
        return data_parallel.Scatter.apply([CPU] * len(devices), sizes, dim, tensor)


def torch_scatter(value: Any, parts: int, dim: int = 0) -> Any:
    module = sys.modules["torch.nn.parallel.scatter_gather"]
    with patch.object(module, "Scatter", MovedScatter):
        return module.scatter(value, [CPU] * parts, dim)


def same(ours: Any, theirs: Any) -> None:
    (a, shape), (b, other) = tree_flatten(list(ours)), tree_flatten(list(theirs))
    assert shape == other
    for x, y in zip(a, b, strict=True):
        if isinstance(x, torch.Tensor):
            assert x.dtype == y.dtype and torch.equal(x, y)
        else:
            assert x is y


tensors = st.tuples(st.integers(0, 9), st.integers(1, 3)).map(lambda size: torch.arange(size[0] * size[1]).view(size))
nests = st.recursive(
    tensors | st.sampled_from(["text", 2.5, None]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.tuples(inner, inner).map(lambda pair: Point(*pair))
        | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
        | st.dictionaries(st.sampled_from("abc"), inner, max_size=3).map(OrderedDict)
    ),
    max_leaves=6,
)


@given(nests, st.integers(1, 6))
def test_scatter_walks_as_torch_does(nest: Any, parts: int) -> None:
    same(scatter(nest, ["cpu"] * parts), torch_scatter(nest, parts))


@given(st.integers(0, 60), st.integers(1, 20))
def test_chunk_sizes(batch: int, parts: int) -> None:
    assert chunk_sizes(batch, parts) == [len(part) for part in torch.empty(batch, 1).chunk(parts)]


@given(st.integers(1, 9), st.integers(1, 6), st.integers(0, 2))
def test_gather_takes_back_what_scatter_cut(batch: int, parts: int, dim: int) -> None:
    shape = [2, 3, 4]
    shape[dim] = batch
    x = torch.randn(shape, dtype=torch.float64).transpose(0, 2).contiguous().transpose(0, 2).requires_grad_()
    factors = torch.randn(shape, dtype=torch.float64)
    joined = gather(scatter(x, ["cpu"] * parts, dim), "cpu", dim)
    (grad,) = torch.autograd.grad((joined * factors).sum(), x)
    assert torch.equal(joined, x) and torch.equal(grad, factors)


def test_gather_of_scalars_is_a_vector_and_warns() -> None:
    scalars = [torch.tensor(float(i), requires_grad=True) for i in range(3)]
    with pytest.warns(UserWarning, match="scalars"):
        vector = gather(scalars, "cpu")
    (vector * torch.arange(1.0, 4.0)).sum().backward()
    assert vector.tolist() == [0, 1, 2]
    assert [scalar.grad.item() for scalar in scalars] == [1, 2, 3]


class Everything(torch_nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = torch_nn.Linear(4, 6), torch_nn.LayerNorm(6)
        self.again, self.none = self.first, None
        self.frozen = torch_nn.Linear(6, 6).requires_grad_(False)
        self.unused = torch_nn.Linear(2, 2)
        self.register_buffer("factor", torch.tensor(0.5))
        self.register_buffer("calls", torch.tensor(0))

    def forward(self, x: torch.Tensor, *, scale: Any = 1.0, extra: Any = None) -> dict[str, Any]:
        self.calls.add_(1)
        hidden = self.frozen(self.norm(self.first(x) * self.factor).relu()) * scale
        return {"output": hidden + self.again(x), "pair": (hidden, None), "extra": extra}


@given(st.integers(1, 12), st.integers(1, 5), st.booleans())
def test_data_parallel_gives_the_gradients_of_the_whole_batch(batch: int, parts: int, tensor_scale: bool) -> None:
    if not tensor_scale:  # torch gives a plain argument to every device, and then misses x: see the next test
        parts = len(chunk_sizes(batch, parts))
    alone = Everything().double()
    shared = copy.deepcopy(alone)
    scale = torch.randn(batch, 6, dtype=torch.float64) if tensor_scale else 2.0
    found = []
    for layer, module in ((alone, alone), (nn.DataParallel(shared, ["cpu"] * parts), shared)):
        x = torch.linspace(-1, 1, batch * 4, dtype=torch.float64).reshape(batch, 4).requires_grad_()
        output = layer(x, scale=scale)
        (output["output"].square().sum() + output["pair"][0].sum()).backward()
        gradients = {name: p.grad for name, p in module.named_parameters() if not name.startswith(("frozen", "unused"))}
        assert all(p.grad is None for p in module.frozen.parameters())
        found.append({"output": output["output"], "x": x.grad, "calls": module.calls, **gradients})
    torch.testing.assert_close(found[1], found[0])


def test_a_plain_argument_reaches_devices_that_have_no_samples_as_in_torch() -> None:
    module = sys.modules["torch.nn.parallel.scatter_gather"]
    with patch.object(module, "Scatter", MovedScatter):
        theirs = module.scatter_kwargs((torch.ones(2, 4),), {"scale": 2.0}, [CPU] * 3)
    same(data_parallel.scatter_kwargs((torch.ones(2, 4),), {"scale": 2.0}, ["cpu"] * 3), theirs)
    assert [len(each) for each in theirs[0]] == [1, 1, 0]
    with pytest.raises(TypeError, match="replica 2"):
        nn.DataParallel(Everything(), ["cpu"] * 3)(torch.ones(2, 4), scale=2.0)


def test_an_unused_parameter_gets_zeros_as_in_torch() -> None:
    module = Everything()
    nn.DataParallel(module, ["cpu"] * 2)(torch.randn(4, 4))["output"].sum().backward()
    assert torch.equal(module.unused.weight.grad, torch.zeros(2, 2))


def test_replicas() -> None:
    module = Everything()
    first, second = replicate(module, ["cpu"] * 2)
    assert list(first.parameters()) == [] and first.first is first.again and first.first is not second.first
    assert first.calls is module.calls and second.calls is not module.calls
    assert first.first.weight.data_ptr() == module.first.weight.data_ptr()
    assert second.first.weight.data_ptr() != module.first.weight.data_ptr()
    assert first.none is None and first.training is True
    assert not replicate(module, ["cpu"], detach=True)[0].first.weight.requires_grad


def test_twice_differentiable() -> None:
    network = nn.DataParallel(torch_nn.Sequential(torch_nn.Linear(2, 2), torch_nn.Tanh()).double(), ["cpu"] * 3)
    x = torch.randn(4, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(network, [x]) and torch.autograd.gradgradcheck(network, [x])


def test_modes_reach_the_threads() -> None:
    class Modes(torch_nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.full_like(x, torch.is_grad_enabled() + 2 * torch.is_autocast_enabled("cpu"))

    layer, x = nn.DataParallel(Modes(), ["cpu"] * 2), torch.zeros(2, 1)
    assert layer(x).tolist() == [[1], [1]]
    with torch.no_grad():
        assert layer(x).tolist() == [[0], [0]]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer(x).tolist() == [[3], [3]]


def test_an_error_names_its_replica() -> None:
    class Odd(Exception):
        def __init__(self, a: int, b: int) -> None:
            super().__init__(a, b)

    class Raises(torch_nn.Module):
        def forward(self, x: torch.Tensor) -> None:
            if x.item() == 1:
                raise KeyError("missing")
            if x.item() == 3:
                raise Odd(1, 2)

    with pytest.raises(KeyError, match="replica 1"):
        nn.DataParallel(Raises(), ["cpu"] * 2)(torch.arange(2.0))
    with pytest.raises(RuntimeError, match="Caught Odd in replica 0"):
        parallel_apply([Raises()], [torch.tensor(3.0)])


def test_refusals() -> None:
    with pytest.raises(AssertionError, match="2 modules, but 1 inputs"):
        parallel_apply([torch_nn.Identity()] * 2, [1])
    with pytest.raises(ValueError, match="different lengths"):
        gather([{"a": torch.ones(1)}, {}], "cpu")
    with pytest.raises(TypeError):
        gather([1.5, 2.5], "cpu")
    with pytest.raises(RuntimeError, match="device_ids"):
        nn.DataParallel(torch_nn.Linear(2, 2, device="meta"), ["cpu"] * 2)(torch.ones(4, 2))


def test_without_devices_the_module_is_called() -> None:
    layer = torch_nn.Linear(2, 2)
    x = torch.randn(3, 2)
    wrapped = nn.DataParallel(layer, [])
    assert torch.equal(wrapped(x), layer(x))
    assert list(wrapped.state_dict()) == list(torch_nn.DataParallel(layer, []).state_dict())


def test_a_forward_without_arguments_runs_once() -> None:
    class Constant(torch_nn.Module):
        def forward(self) -> torch.Tensor:
            return torch.ones(2)

    assert nn.DataParallel(Constant(), ["cpu"] * 3)().tolist() == [1, 1]


@pytest.mark.parametrize("name", ["DataParallel", "SyncBatchNorm"])
def test_signature(name: str) -> None:
    def arguments(callable_: Any) -> list[tuple[str, Any]]:
        return [(p.name, p.default) for p in inspect.signature(callable_).parameters.values()]

    ours, theirs = arguments(getattr(nn, name)), arguments(getattr(torch_nn, name))
    assert [each for each in ours if HAS_BIAS or each[0] != "bias"] == theirs


@given(st.integers(1, 8), st.integers(0, 20), st.sampled_from([torch.float64, torch.int64, torch.complex128]))
def test_ring_all_reduce(ranks: int, length: int, dtype: torch.dtype) -> None:
    torch.manual_seed(length)
    tensors = [(10 * torch.randn(length, 2, dtype=torch.float64)).to(dtype).t() for _ in range(ranks)]
    kept, log = [tensor.clone() for tensor in tensors], []
    results = ring_all_reduce(tensors, log)
    for result, tensor, before in zip(results, tensors, kept, strict=True):
        torch.testing.assert_close(result, sum(kept))
        assert torch.equal(result, results[0]) and torch.equal(tensor, before)
    assert len(log) == 2 * (ranks - 1) * ranks
    assert sum(each[5] for each in log) == 2 * (ranks - 1) * tensors[0].nbytes


def test_ring_refusals() -> None:
    with pytest.raises(ValueError, match="none"):
        ring_all_reduce([])
    with pytest.raises(ValueError, match="equal shapes"):
        ring_all_reduce([torch.ones(2), torch.ones(3)])


@st.composite
def layers(draw: st.DrawFn) -> tuple[dict[str, Any], tuple[int, ...]]:
    options = {
        "eps": draw(st.sampled_from([1e-5, 0.1])),
        "momentum": draw(st.sampled_from([0.1, 0.7, 1.0, None])),
        "track_running_stats": draw(st.booleans()),
        "affine": draw(st.booleans()),
    }
    if HAS_BIAS:
        options["bias"] = draw(st.booleans())
    return options, (4, *draw(st.lists(st.integers(1, 3), max_size=3)))


def state(layer: torch_nn.Module, x: torch.Tensor) -> dict[str, torch.Tensor]:
    x = x.clone().requires_grad_()
    output = layer(x)
    output.backward(torch.cos(torch.arange(output.numel(), dtype=output.dtype)).reshape(output.shape))
    seen = {"output": output.detach(), "input": x.grad}
    seen |= {name: parameter.grad for name, parameter in layer.named_parameters()}
    return seen | {name: buffer.clone() for name, buffer in layer.named_buffers()}


@given(layers(), st.integers(2, 6))
def test_sync_batch_norm_alone_is_torchs(case: tuple[dict[str, Any], tuple[int, ...]], batch: int) -> None:
    options, shape = case
    ours, theirs = nn.SyncBatchNorm(4, **options), torch_nn.SyncBatchNorm(4, **options)
    assert repr(ours) == repr(theirs)
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())
    ours, theirs = ours.double(), theirs.double()
    for parameter in theirs.parameters():
        torch_nn.init.normal_(parameter)
    ours.load_state_dict(theirs.state_dict())
    for _ in range(3):
        x = 3 * torch.randn(batch, *shape, dtype=torch.float64) + 2
        ours.zero_grad()
        theirs.zero_grad()
        torch.testing.assert_close(state(ours, x), state(theirs, x))
    theirs.load_state_dict(ours.state_dict())
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(x))


@given(layers(), st.lists(st.integers(0, 3), min_size=1, max_size=4).filter(lambda sizes: sum(sizes) > 1))
def test_sync_batch_norm_in_company_is_the_whole_batch(
    case: tuple[dict[str, Any], tuple[int, ...]], sizes: list[int]
) -> None:
    options, shape = case
    kind = {1: torch_nn.BatchNorm1d, 2: torch_nn.BatchNorm1d, 3: torch_nn.BatchNorm2d, 4: torch_nn.BatchNorm3d}
    whole = kind[len(shape)](4, **options, dtype=torch.float64)
    for parameter in whole.parameters():
        torch_nn.init.normal_(parameter)
    group = ThreadGroup(len(sizes), timeout=20)
    converted = nn.SyncBatchNorm.convert_sync_batchnorm(copy.deepcopy(whole), group)
    copies = [copy.deepcopy(converted) for _ in sizes]
    x = 3 * torch.randn(sum(sizes), *shape, dtype=torch.float64) + 2
    expected = state(whole, x)
    leaves = [part.clone().requires_grad_() for part in x.split(sizes)]
    upstream = torch.cos(torch.arange(x.numel(), dtype=x.dtype)).reshape(x.shape).split(sizes)

    def work(rank: int) -> torch.Tensor:
        output = copies[rank](leaves[rank])
        output.backward(upstream[rank])
        return output.detach()

    seen = {"output": torch.cat(group.run(work)), "input": torch.cat([leaf.grad for leaf in leaves])}
    rows = [dict(each.named_parameters()) for each in copies]
    seen |= {name: sum(row[name].grad for row in rows) for name in rows[0]}
    for each in copies:
        torch.testing.assert_close(seen | dict(each.named_buffers()), expected)


@settings(max_examples=10)
@given(layers())
def test_second_derivatives_of_the_layer_alone(case: tuple[dict[str, Any], tuple[int, ...]]) -> None:
    options, shape = case
    layer = nn.SyncBatchNorm(4, **options).double()
    x = torch.randn(3, *shape, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, [x], fast_mode=True)
    assert torch.autograd.gradgradcheck(layer, [x], fast_mode=True)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_dtypes(dtype: torch.dtype) -> None:
    ours, theirs = nn.SyncBatchNorm(4, dtype=dtype), torch_nn.SyncBatchNorm(4, dtype=dtype)
    x = torch.randn(6, 4, 3, dtype=dtype)
    eps = torch.finfo(dtype).eps
    torch.testing.assert_close(state(ours, x), state(theirs, x), rtol=8 * eps, atol=8 * eps)


def test_empty_batch_alone() -> None:
    ours, theirs = nn.SyncBatchNorm(4), torch_nn.SyncBatchNorm(4)
    assert ours(torch.ones(0, 4)).shape == theirs(torch.ones(0, 4)).shape
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())


BAD: dict[str, torch.Tensor] = {
    "one axis": torch.ones(4),
    "no channels": torch.ones(2, 0),
    "one value per channel": torch.ones(1, 4),
    "other channels": torch.ones(6, 5),
    "another dtype": torch.ones(6, 4).double(),
    "integers": torch.ones(6, 4).long(),
}


@pytest.mark.parametrize("x", BAD.values(), ids=BAD.keys())
def test_sync_batch_norm_refuses_as_torch_does(x: torch.Tensor) -> None:
    with pytest.raises(Exception) as theirs:
        torch_nn.SyncBatchNorm(4)(x)
    with pytest.raises(theirs.type):
        nn.SyncBatchNorm(4)(x)


def test_convert() -> None:
    network = torch_nn.Sequential(torch_nn.BatchNorm2d(3, momentum=None), torch_nn.Sequential(nn.BatchNorm1d(2)))
    network.eval()
    weight = network[0].weight
    converted = nn.SyncBatchNorm.convert_sync_batchnorm(network)
    assert isinstance(converted[0], nn.SyncBatchNorm) and isinstance(converted[1][0], nn.SyncBatchNorm)
    assert converted[0].weight is weight and converted[0].momentum is None and not converted[0].training
    plain = torch_nn.InstanceNorm1d(3)
    assert nn.SyncBatchNorm.convert_sync_batchnorm(plain) is plain


def test_an_error_on_one_rank_ends_the_others() -> None:
    group = ThreadGroup(3, timeout=20)

    def work(rank: int) -> None:
        if rank == 1:
            raise ValueError("no data")
        group.all_reduce(torch.ones(1))

    with pytest.raises(ValueError, match="rank 1: no data"):
        group.run(work)
    assert [each.item() for each in group.run(lambda rank: group.all_reduce(torch.ones(1)))] == [3, 3, 3]


def test_a_rank_that_does_not_come() -> None:
    group = ThreadGroup(2, timeout=0.1)
    with pytest.raises(threading.BrokenBarrierError):
        group.run(lambda rank: group.all_reduce(torch.ones(1)) if rank == 0 else None)


def test_nothing_warns() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nn.DataParallel(torch_nn.Linear(2, 2), ["cpu"] * 2)(torch.ones(4, 2)).sum().backward()
