"""The networks of `scratch` are torchvision's: names, start, outputs, gradients, errors; from both kinds of parts."""

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
import torch
import torchvision  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from torch import nn as torch_nn

from scratch import classic_networks as ours
from scratch import nn

theirs = torchvision.models

VGGS = [f"vgg{depth}{end}" for depth in (11, 13, 16, 19) for end in ("", "_bn")]


@pytest.fixture(params=["torch", "scratch"])
def parts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Build from torch's layers, then from ours."""
    namespace = torch_nn if request.param == "torch" else nn
    monkeypatch.setattr(ours, "nn", namespace)
    yield namespace


def results(network: torch_nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    """Output, gradients of input and parameters, and buffers."""
    x = x.clone().requires_grad_()
    output = network(x)
    grad = torch.cos(torch.arange(output.numel(), dtype=output.dtype)).reshape(output.shape)
    gradients = torch.autograd.grad(output, (x, *network.parameters()), grad)
    return [output.detach(), *gradients, *(buffer.clone() for buffer in network.buffers())]


def described(network: torch_nn.Module) -> list[tuple[str, torch.Size]]:
    return [(key, value.shape) for key, value in network.state_dict().items()]


@pytest.mark.parametrize("name", ["alexnet", *VGGS])
def test_names_shapes_and_repr(name: str, parts: Any) -> None:
    with torch.device("meta"):
        mine = ours.AlexNet() if name == "alexnet" else getattr(ours, name)(init_weights=False)
        its = getattr(theirs, name)(**({} if name == "alexnet" else {"init_weights": False}))
    assert described(mine) == described(its)
    assert repr(mine) == repr(its)
    if parts is nn:
        assert type(mine.features[0]).__module__.startswith("scratch.")


@pytest.mark.parametrize(
    ("mine", "its"),
    [
        (ours.AlexNet, theirs.AlexNet),
        (ours.VGG, theirs.VGG),
        (ours.make_layers, theirs.vgg.make_layers),
        *((getattr(ours, name), getattr(theirs, name)) for name in VGGS),
    ],
    ids=["AlexNet", "VGG", "make_layers", *VGGS],
)
def test_signatures(mine: Any, its: Any) -> None:
    def arguments(function: Any) -> list[tuple[str, Any, Any]]:
        return [(p.name, p.default, p.kind) for p in inspect.signature(function).parameters.values()]

    assert arguments(mine) == arguments(its)


def test_alexnet_from_the_same_seed_is_torchvisions(parts: Any) -> None:
    torch.manual_seed(0)
    mine = ours.AlexNet(7, dropout=0.0)
    torch.manual_seed(0)
    its = theirs.AlexNet(7, dropout=0.0)
    for a, b in zip(mine.parameters(), its.parameters(), strict=True):
        assert torch.equal(a, b)
    x = torch.randn(2, 3, 70, 95)
    for a, b in zip(results(mine, x), results(its, x), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
    its.load_state_dict(mine.state_dict())
    mine.load_state_dict(its.state_dict())


CONFIGS = st.lists(st.sampled_from(["M", 1, 2, 3, 5]), min_size=1, max_size=8).filter(
    lambda cfg: cfg.count("M") <= 3 and cfg[0] != "M"
)


@given(CONFIGS, st.booleans(), st.sampled_from([(2, 3, 8, 8), (2, 3, 9, 17), (3, 3, 24, 11)]), st.booleans())
def test_features_of_any_config(cfg: list[Any], batch_norm: bool, shape: tuple[int, ...], from_scratch: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ours, "nn", nn if from_scratch else torch_nn)
        torch.manual_seed(0)
        mine = ours.make_layers(cfg, batch_norm).double()
    torch.manual_seed(0)
    its = theirs.vgg.make_layers(cfg, batch_norm).double()
    assert described(mine) == described(its)
    x = torch.randn(shape, dtype=torch.float64)
    # 1e-6: batch normalization divides by the spread of a map that ReLU may have made constant
    for a, b in zip(results(mine, x), results(its, x), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-6)
    its.load_state_dict(mine.state_dict())
    mine.load_state_dict(its.state_dict())
    torch.testing.assert_close(mine.eval()(x), its.eval()(x))


def test_vgg_starts_and_computes_as_torchvisions(parts: Any) -> None:
    networks = []
    for make, network in ((ours.make_layers, ours.VGG), (theirs.vgg.make_layers, theirs.VGG)):
        torch.manual_seed(0)
        networks.append(network(make([4, "M", 512, "M"], True), num_classes=3, dropout=0.0).eval())
    mine, its = networks
    for (name, a), b in zip(mine.state_dict().items(), its.state_dict().values(), strict=True):
        assert torch.equal(a, b), name
    x = torch.randn(1, 3, 20, 33)
    with torch.no_grad():
        torch.testing.assert_close(mine(x), its(x), rtol=1e-4, atol=1e-6)


def test_a_constructor_loads_a_state_dict() -> None:
    with torch.device("meta"):
        given = theirs.vgg11(init_weights=False, num_classes=2).state_dict()
    given = {key: torch.zeros(1).expand(value.shape) for key, value in given.items()}
    network = ours.vgg11(weights=given, num_classes=2)
    assert not any(parameter.any() for parameter in network.parameters())


REFUSED: dict[str, Any] = {
    "dropout 1.5": lambda m: m.AlexNet(dropout=1.5),
    "dropout of VGG -1": lambda m: m.VGG(torch_nn.Identity(), init_weights=False, dropout=-1.0),
    "classes -1": lambda m: m.AlexNet(num_classes=-1),
    "classes 'ten'": lambda m: m.AlexNet(num_classes="ten"),
    "grey": lambda m: m.AlexNet()(torch.empty(1, 1, 224, 224)),
    "too small": lambda m: m.AlexNet()(torch.empty(1, 3, 62, 62)),
    "no batch": lambda m: m.AlexNet()(torch.empty(3, 224, 224)),
    "a list": lambda m: m.AlexNet()([1.0]),
    "VGG, too small": lambda m: m.vgg11(init_weights=False)(torch.empty(1, 3, 31, 31)),
}


@pytest.mark.parametrize("call", REFUSED.values(), ids=REFUSED.keys())
def test_refuses_as_torchvision_does(call: Any) -> None:
    with torch.device("meta"):
        with pytest.raises(Exception) as expected:
            call(theirs)
        with pytest.raises(expected.type):
            call(ours)


@pytest.mark.parametrize("cfg", [[8, "X"], [8.5], 8, [None], [-1]], ids=str)
def test_a_bad_config_is_refused_as_torchvision_does(cfg: Any) -> None:
    with pytest.raises(Exception) as expected:
        theirs.vgg.make_layers(cfg)
    with pytest.raises(expected.type):
        ours.make_layers(cfg)


def test_lenet_is_the_chain_of_the_notes(parts: Any) -> None:
    mine = ours.LeNet().double()
    chain = torch_nn.Sequential(
        torch_nn.Conv2d(1, 6, 5),
        torch_nn.Sigmoid(),
        torch_nn.MaxPool2d(2, 2),
        torch_nn.Conv2d(6, 16, 5),
        torch_nn.Sigmoid(),
        torch_nn.MaxPool2d(2, 2),
        torch_nn.Flatten(),
        torch_nn.Linear(16 * 4 * 4, 120),
        torch_nn.Sigmoid(),
        torch_nn.Linear(120, 84),
        torch_nn.Sigmoid(),
        torch_nn.Linear(84, 10),
    ).double()
    chain.load_state_dict(dict(zip(chain.state_dict(), mine.state_dict().values(), strict=True)))
    x = torch.randn(3, 1, 28, 28, dtype=torch.float64)
    for a, b in zip(results(mine, x), results(chain, x), strict=True):
        torch.testing.assert_close(a, b)
    with pytest.raises(RuntimeError):
        mine(torch.zeros(1, 1, 32, 32, dtype=torch.float64))


@pytest.mark.parametrize(("side", "fits"), [(194, False), (195, True), (224, True), (226, True), (227, False)])
def test_which_pictures_alexnet96_reads(side: int, fits: bool) -> None:
    with torch.device("meta"):
        network, x = ours.AlexNet96(), torch.empty(2, 1, side, side)
        if fits:
            assert network(x).shape == (2, 10)
        else:
            with pytest.raises(RuntimeError):
                network(x)


def test_the_table_of_alexnet96_is_the_notes() -> None:
    with torch.device("meta"):
        network = ours.AlexNet96().train()
    rows = ours.layer_table(network, 1, 224, 224)
    assert network.training
    assert not any(module._forward_hooks for module in network.modules())
    shapes = [shape for _, kind, shape, _, _ in rows if kind in ("Conv2d", "MaxPool2d", "Linear")]
    assert shapes == [
        (96, 54, 54),
        (96, 26, 26),
        (256, 26, 26),
        (256, 12, 12),
        (384, 12, 12),
        (384, 12, 12),
        (256, 12, 12),
        (256, 5, 5),
        (4096,),
        (4096,),
        (10,),
    ]
    assert sum(row[3] for row in rows) == sum(parameter.numel() for parameter in network.parameters())


def test_the_table_takes_its_hooks_away_when_the_network_fails() -> None:
    network = ours.LeNet()
    with pytest.raises(RuntimeError):
        ours.layer_table(network, 1, 32, 32)
    assert network.training
    assert not any(module._forward_hooks for module in network.modules())


def test_the_table_counts_groups_and_no_normalization() -> None:
    network = torch_nn.Sequential(torch_nn.Conv2d(4, 6, (3, 1), groups=2), torch_nn.BatchNorm2d(6))
    assert ours.layer_table(network, 4, 5, 7) == [
        ("0", "Conv2d", (6, 3, 7), 6 * 2 * 3 + 6, 6 * 2 * 3 * 21),
        ("1", "BatchNorm2d", (6, 3, 7), 12, 0),
    ]
