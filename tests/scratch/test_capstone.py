"""The parts of scratch together: small residual networks train as torch's do, step by step."""

from types import SimpleNamespace
from typing import Any

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import scratch
from scratch.residual_connections import BasicBlock

TOLERANCE = 1e-9
TORCH = SimpleNamespace(nn=torch.nn, optim=torch.optim, data=torch.utils.data)

OPTIMIZERS = st.sampled_from(
    [
        ("SGD", {"lr": 0.1}),
        ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 1e-2}),
        ("SGD", {"lr": 0.05, "momentum": 0.5, "dampening": 0.3, "maximize": True}),
        ("Adam", {"lr": 1e-2, "weight_decay": 1e-2}),
        ("AdamW", {"lr": 1e-2, "amsgrad": True}),
    ]
)


def network(kit: Any, width: int, norm: str, drop: float, pool: str) -> nn.Module:
    """A residual network of the layers of `kit`: (N, 2, H, W) -> (N, 4)."""

    class Block(BasicBlock):
        parts = kit.nn

    norms = {"batch": kit.nn.BatchNorm2d, "instance": kit.nn.InstanceNorm2d}
    make = norms.get(norm, lambda channels: kit.nn.GroupNorm(2, channels))
    down = kit.nn.Sequential(kit.nn.Conv2d(width, 2 * width, 1, stride=2, bias=False), make(2 * width))
    layers = [
        kit.nn.Conv2d(2, width, 3, padding=1, padding_mode="reflect"),
        Block(width, width, norm_layer=make),
        getattr(kit.nn, pool)(2),
        Block(width, 2 * width, 2, down, norm_layer=make),
        kit.nn.AdaptiveAvgPool2d(1),
        kit.nn.Flatten(),
        kit.nn.Dropout(drop),
        kit.nn.Linear(2 * width, 4),
    ]
    return kit.nn.Sequential(*layers).double()


class Training:
    def __init__(self, kit: Any, model: nn.Module, name: str, options: dict[str, Any], smoothing: float = 0.0) -> None:
        self.model, self.criterion = model, kit.nn.CrossEntropyLoss(label_smoothing=smoothing)
        self.optimizer = getattr(kit.optim, name)(model.parameters(), **options)

    def step(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        self.optimizer.zero_grad()
        loss = self.criterion(self.model(x), y)
        loss.backward()
        self.optimizer.step()
        return loss.detach()


def assert_equal_state(ours: nn.Module, theirs: nn.Module) -> None:
    mine, torchs = ours.state_dict(), theirs.state_dict()
    assert list(mine) == list(torchs)
    for name in torchs:
        torch.testing.assert_close(mine[name], torchs[name], rtol=TOLERANCE, atol=TOLERANCE, msg=name)


@settings(max_examples=12)
@given(
    width=st.sampled_from([2, 4]),
    norm=st.sampled_from(["batch", "instance", "group"]),
    pool=st.sampled_from(["MaxPool2d", "AvgPool2d"]),
    optimizer=OPTIMIZERS,
    smoothing=st.sampled_from([0.0, 0.1]),
    size=st.tuples(st.integers(6, 9), st.integers(6, 9)),
    batch_size=st.integers(2, 5),
    seed=st.integers(0, 99),
)
def test_both_train_alike(
    width: int,
    norm: str,
    pool: str,
    optimizer: tuple[str, dict[str, Any]],
    smoothing: float,
    size: tuple[int, int],
    batch_size: int,
    seed: int,
) -> None:
    """Four steps, all of the state after each; the data by both loaders."""
    torch.manual_seed(seed)
    theirs = network(TORCH, width, norm, 0.0, pool)
    ours = network(scratch, width, norm, 0.0, pool)
    ours.load_state_dict(theirs.state_dict())
    x, y = torch.randn(4 * batch_size, 2, *size, dtype=torch.float64), torch.randint(4, (4 * batch_size,))
    data = torch.utils.data.TensorDataset(x, y)
    loaders = [
        kit.data.DataLoader(data, batch_size, shuffle=True, generator=torch.Generator().manual_seed(seed))
        for kit in (scratch, TORCH)
    ]
    mine, torchs = Training(scratch, ours, *optimizer, smoothing), Training(TORCH, theirs, *optimizer, smoothing)
    for batch, batch_torch in zip(*loaders, strict=True):
        assert all(map(torch.equal, batch, batch_torch))
        torch.testing.assert_close(mine.step(*batch), torchs.step(*batch), rtol=TOLERANCE, atol=TOLERANCE)
        assert_equal_state(ours, theirs)
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(x), rtol=TOLERANCE, atol=TOLERANCE)


@settings(max_examples=6)
@given(optimizer=OPTIMIZERS, turns=st.lists(st.booleans(), min_size=3, max_size=6))
def test_a_training_may_change_hands_at_any_step(optimizer: tuple[str, dict[str, Any]], turns: list[bool]) -> None:
    torch.manual_seed(0)
    alone = Training(TORCH, network(TORCH, 2, "batch", 0.0, "MaxPool2d"), *optimizer)
    runners = [Training(kit, network(kit, 2, "batch", 0.0, "MaxPool2d"), *optimizer) for kit in (TORCH, scratch)]
    runners[turns[0]].model.load_state_dict(alone.model.state_dict())
    for number, turn in enumerate(turns):
        if number and turn != turns[number - 1]:
            runners[turn].model.load_state_dict(runners[1 - turn].model.state_dict())
            runners[turn].optimizer.load_state_dict(runners[1 - turn].optimizer.state_dict())
        batch = torch.randn(4, 2, 6, 6, dtype=torch.float64), torch.randint(4, (4,))
        expected, seen = alone.step(*batch), runners[turn].step(*batch)
        torch.testing.assert_close(seen, expected, rtol=TOLERANCE, atol=TOLERANCE)
    assert_equal_state(runners[turns[-1]].model, alone.model)


def test_every_layer_is_ours() -> None:
    for module in network(scratch, 2, "batch", 0.5, "MaxPool2d").modules():
        if not list(module.children()):
            assert type(module).__module__.startswith("scratch.")
    parts = (scratch.optim.SGD, scratch.optim.AdamW, scratch.data.DataLoader, scratch.nn.CrossEntropyLoss)
    assert all(part.__module__.startswith("scratch.") for part in parts)
