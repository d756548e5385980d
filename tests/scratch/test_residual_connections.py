"""scratch.residual_connections holds torchvision's ResNet, and a residual connection that adds equal shapes only."""

import inspect
from functools import partial
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torchvision.models import resnet as torchvision

from scratch import nn as scratch_nn
from scratch import residual_connections as ours

settings.register_profile("networks", max_examples=60, deadline=None, derandomize=True)
NETWORKS = settings.get_profile("networks")

BLOCKS = ["BasicBlock", "Bottleneck"]
NORMS = {"batch": None, "group": partial(nn.GroupNorm, 2), "none": nn.Identity}


class ScratchBlock(ours.BasicBlock):
    parts = scratch_nn


class ScratchBottleneck(ours.Bottleneck):
    parts = scratch_nn


class ScratchResNet(ours.ResNet):
    parts = scratch_nn


def project(inplanes: int, outplanes: int, stride: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(inplanes, outplanes, 1, stride, bias=False), nn.BatchNorm2d(outplanes))


def randomize(module: nn.Module) -> None:
    for value in module.state_dict().values():
        if value.is_floating_point():
            nn.init.uniform_(value, 0.3, 1.0)


def agree(mine: nn.Module, theirs: nn.Module, x: torch.Tensor) -> None:
    """Outputs, gradients and buffers in two steps of training and an evaluation."""
    for training in (True, True, False):
        seen = []
        for module in (mine, theirs):
            module.train(training).zero_grad()
            leaf = x.detach().clone().requires_grad_()
            output = module(leaf)
            output.backward(torch.sin(torch.arange(output.numel()).to(output)).view(output.shape))
            grads = {name: parameter.grad for name, parameter in module.named_parameters()}
            seen.append((output, leaf.grad, grads, dict(module.named_buffers())))
        torch.testing.assert_close(*seen, rtol=1e-6, atol=1e-8)


@NETWORKS
@given(
    name=st.sampled_from(BLOCKS),
    inplanes=st.sampled_from([2, 4, 8]),
    planes=st.sampled_from([2, 4]),
    stride=st.integers(1, 3),
    groups=st.sampled_from([1, 2]),
    base_width=st.sampled_from([32, 64]),
    dilation=st.sampled_from([1, 2]),
    norm=st.sampled_from(sorted(NORMS)),
    size=st.tuples(st.integers(2, 3), st.integers(4, 7), st.integers(4, 7)),
)
def test_a_block_is_torchvisions(
    name: str,
    inplanes: int,
    planes: int,
    stride: int,
    groups: int,
    base_width: int,
    dilation: int,
    norm: str,
    size: tuple[int, int, int],
) -> None:
    options: dict[str, Any] = {"norm_layer": NORMS[norm]}
    if name == "Bottleneck":
        options |= {"groups": groups, "base_width": base_width, "dilation": dilation}
    pair = []
    for module in (ours, torchvision):
        block = getattr(module, name)
        outplanes = planes * block.expansion
        needed = stride != 1 or inplanes != outplanes
        shortcut = project(inplanes, outplanes, stride) if needed else None
        pair.append(block(inplanes, planes, stride, shortcut, **options).double())
    mine, theirs = pair
    assert repr(mine) == repr(theirs)
    randomize(theirs)
    mine.load_state_dict(theirs.state_dict())
    n, height, width = size
    agree(mine, theirs, torch.randn(n, inplanes, height, width, dtype=torch.float64))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("BasicBlock", {}),
        ("BasicBlock", {"zero_init_residual": True, "norm_layer": partial(nn.GroupNorm, 8)}),
        ("Bottleneck", {"zero_init_residual": True, "groups": 4, "width_per_group": 8}),
        ("Bottleneck", {"replace_stride_with_dilation": [False, True, True]}),
    ],
)
def test_a_network_starts_and_goes_as_torchvisions(name: str, options: dict[str, Any]) -> None:
    pair = []
    for module in (ours, torchvision):
        torch.manual_seed(3)
        pair.append(module.ResNet(getattr(module, name), [1, 1, 2, 1], 7, **options))
    mine, theirs = pair
    assert list(mine.state_dict()) == list(theirs.state_dict())
    torch.testing.assert_close(mine.state_dict(), theirs.state_dict(), rtol=0, atol=0)
    assert repr(mine) == repr(theirs)
    agree(mine.double(), theirs.double(), torch.randn(2, 3, 33, 26, dtype=torch.float64))
    theirs.load_state_dict(mine.state_dict())


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_whole_networks_exchange_their_state(name: str) -> None:
    mine, theirs = getattr(ours, name)(num_classes=5), getattr(torchvision, name)(weights=None, num_classes=5)
    x = torch.randn(1, 3, 64, 48)
    for source, target in ((theirs, mine), (mine, theirs)):
        target.load_state_dict(source.state_dict())
        assert torch.equal(mine.eval()(x), theirs.eval()(x))
    with pytest.raises(TypeError):
        getattr(ours, name)(5)


@pytest.mark.parametrize("name", [*BLOCKS, "ResNet"])
def test_the_arguments_are_torchvisions(name: str) -> None:
    def listed(module: Any) -> list[Any]:
        parameters = inspect.signature(getattr(module, name)).parameters.values()
        return [(p.name, p.kind, p.default) for p in parameters]

    assert listed(ours) == listed(torchvision)


@pytest.mark.parametrize(
    ("block", "plain"), [(ScratchBlock, torchvision.BasicBlock), (ScratchBottleneck, torchvision.Bottleneck)]
)
def test_the_same_lines_build_a_network_of_scratch_parts(block: Any, plain: Any) -> None:
    torch.manual_seed(0)
    mine = ScratchResNet(block, [1, 1, 1, 1], num_classes=4, zero_init_residual=True)
    torch.manual_seed(0)
    theirs = torchvision.ResNet(plain, [1, 1, 1, 1], num_classes=4, zero_init_residual=True)
    kinds = {type(module) for module in mine.modules()}
    assert {scratch_nn.Conv2d, scratch_nn.BatchNorm2d, scratch_nn.Linear} <= kinds
    assert not {nn.Conv2d, nn.BatchNorm2d, nn.Linear} & kinds
    torch.testing.assert_close(mine.state_dict(), theirs.state_dict(), rtol=0, atol=0)
    agree(mine.double(), theirs.double(), torch.randn(2, 3, 33, 33, dtype=torch.float64))


def test_what_a_block_cannot_do_is_said() -> None:
    with pytest.raises(ValueError, match="groups=2"):
        ours.BasicBlock(4, 4, groups=2)
    with pytest.raises(NotImplementedError, match="dilation=2"):
        ours.BasicBlock(4, 4, dilation=2)
    with pytest.raises(ValueError, match=r"\[True\]"):
        ours.ResNet(ours.Bottleneck, [1, 1, 1, 1], replace_stride_with_dilation=[True])


def test_residual_add_adds_and_leaves_its_input_alone() -> None:
    x = torch.randn(2, 3, requires_grad=True)
    kept = x.detach().clone()
    block = ours.ResidualAdd(nn.Sequential(nn.Linear(3, 3), nn.Sigmoid()))
    torch.testing.assert_close(block(x), x + block.fn(x))
    block(x).sum().backward()
    assert torch.equal(ours.ResidualAdd(nn.Identity())(x), 2 * x)
    assert torch.equal(x, kept)
    assert torch.autograd.gradcheck(block.double(), x.double().detach().requires_grad_())


def test_residual_add_hands_keywords_on_and_takes_a_shortcut() -> None:
    block = ours.ResidualAdd(lambda x, *, scale: scale * x, shortcut=nn.Flatten(0))
    x = torch.ones(4)
    assert torch.equal(block(x, scale=3), torch.full((4,), 4.0))


@pytest.mark.parametrize("shape", [(2, 1), (1, 3), (3,)])
def test_residual_add_does_not_broadcast(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="must be equal"):
        ours.ResidualAdd(lambda x: torch.zeros(shape))(torch.zeros(2, 3))
