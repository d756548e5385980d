"""The lines of the contract for optimizers: each takes a row, a case and a device, and raises."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.optim import lr_scheduler

from tests.parity.case import Case, Row, Tensors
from tests.parity.lines import INPUTS, LOW, Errors, arguments, assert_as_good, assert_same, averaged, moved, relative

STEPS = 6
SCHEDULERS: dict[str, Callable[[Any], Any]] = {
    "StepLR": lambda optimizer: lr_scheduler.StepLR(optimizer, 2, 0.5),
    "CosineAnnealingLR": lambda optimizer: lr_scheduler.CosineAnnealingLR(optimizer, 5),
    "OneCycleLR": lambda optimizer: lr_scheduler.OneCycleLR(optimizer, 0.5, total_steps=STEPS + 1),
    "LambdaLR": lambda optimizer: lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step)),
}


class Run:
    """An optimizer with its parameters: the last has a gradient in every second step only."""

    def __init__(self, kind: Any, case: Case, dtype: torch.dtype, device: str, groups: bool = False) -> None:
        self.parameters = [nn.Parameter(moved(tensor, dtype, device)) for tensor in case.tensors.values()]
        options = {name: moved(value, torch.float32, "cpu") for name, value in case.options.items()}
        if groups:
            split = [{"params": self.parameters[:2], "lr": 0.03}, {"params": self.parameters[2:4], "weight_decay": 0.2}]
            self.optimizer = kind(split, **options)
            self.optimizer.add_param_group({"params": self.parameters[4:]})
        else:
            self.optimizer = kind(self.parameters, **options)

    def step(self, number: int, exact: bool = False) -> None:
        """Gradients depend on the number of the step alone, and with `exact` are those of bfloat16."""
        generator = torch.Generator().manual_seed(number)
        for parameter in self.parameters:
            gradient = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            gradient = gradient.bfloat16() if exact else gradient
            parameter.grad = gradient.to(parameter)
        if number % 2:
            self.parameters[-1].grad = None
        self.optimizer.step()

    def values(self) -> Tensors:
        return {f"parameter {i}": parameter.detach().clone() for i, parameter in enumerate(self.parameters)}

    def states(self) -> dict[int, dict[str, Any]]:
        found: dict[int, dict[str, Any]] = self.optimizer.state_dict()["state"]
        return {
            i: {name: v.clone() if isinstance(v, torch.Tensor) else v for name, v in state.items()}
            for i, state in found.items()
        }


def both(row: Row, case: Case, device: str, groups: bool = False) -> tuple[Run, Run]:
    return tuple(Run(kind, case, torch.float64, device, groups) for kind in (row.ours(), row.theirs()))  # type: ignore[return-value]


def values(row: Row, case: Case, device: str) -> list[tuple[Tensors, Tensors]]:
    """Parameters and the whole state through six steps; a closure's loss comes back."""
    ours, theirs = both(row, case, device)
    seen = []
    for number in range(STEPS):
        for run in (ours, theirs):
            run.step(number)
        assert_same(ours.values(), theirs.values())
        assert_same(ours.states(), theirs.states())
        assert [list(state) for state in ours.states().values()] == [list(state) for state in theirs.states().values()]
        seen.append((ours.values(), theirs.values()))
    assert ours.optimizer.step(lambda: 7.5) == theirs.optimizer.step(lambda: 7.5) == 7.5
    return seen


def groups(row: Row, case: Case, device: str) -> None:
    """Parameter groups: options of their own, and one that is added."""
    ours, theirs = both(row, case, device, groups=True)
    for number in range(STEPS):
        for run in (ours, theirs):
            run.step(number)
    assert_same(ours.values(), theirs.values())
    mine, other = (run.optimizer.state_dict()["param_groups"] for run in (ours, theirs))
    assert [list(group) for group in mine] == [list(group) for group in other]
    assert str(mine) == str(other)
    assert str(ours.optimizer.defaults) == str(theirs.optimizer.defaults)
    ours.optimizer.zero_grad()
    assert all(parameter.grad is None for parameter in ours.parameters)


def state(row: Row, case: Case, device: str) -> None:
    """state_dict goes both ways, and the run goes on as if nothing had happened."""
    kinds = row.ours(), row.theirs()
    for first, second in (kinds, kinds[::-1]):
        source = Run(first, case, torch.float64, device)
        for number in range(3):
            source.step(number)
        target = Run(second, Case({"lr": 1.0}, source.values()), torch.float64, device)
        target.optimizer.load_state_dict(copy.deepcopy(source.optimizer.state_dict()))
        assert str(target.optimizer.state_dict()["param_groups"]) == str(source.optimizer.state_dict()["param_groups"])
        for number in range(3, STEPS):
            for run in (source, target):
                run.step(number)
        assert_same(source.values(), target.values())
        assert_same(source.states(), target.states())


def schedulers(row: Row, case: Case, device: str) -> None:
    """torch's schedulers drive it."""
    for make in SCHEDULERS.values():
        ours, theirs = both(row, case, device)
        plans = [make(run.optimizer) for run in (ours, theirs)]
        for number in range(STEPS):
            for run, plan in zip((ours, theirs), plans, strict=True):
                run.step(number)
                plan.step()
            assert plans[0].get_last_lr() == plans[1].get_last_lr()
        assert_same(ours.values(), theirs.values())


def copies(row: Row, case: Case, device: str) -> None:
    """deepcopy and pickle keep options and state."""
    run, _ = both(row, case, device)
    run.step(0)
    for twin in (copy.deepcopy(run.optimizer), pickle.loads(pickle.dumps(run.optimizer))):
        assert repr(twin) == repr(run.optimizer)
        assert_same(twin.state_dict()["state"], run.states())
        assert str(twin.state_dict()["param_groups"]) == str(run.optimizer.state_dict()["param_groups"])


def represented(row: Row, case: Case, device: str) -> None:
    """repr."""
    ours, theirs = both(row, case, device)
    assert repr(ours.optimizer) == repr(theirs.optimizer)


def errors(row: Row, case: Case, device: str, dtype: torch.dtype) -> Errors:
    """How far the parameters are from those of float64, averaged over starting points."""
    found: tuple[list[dict[str, float]], list[dict[str, float]]] = [], []
    for seed in range(INPUTS):
        generator = torch.Generator().manual_seed(seed)
        tensors = {
            name: torch.randn(t.shape, generator=generator, dtype=torch.float64).bfloat16().double()
            for name, t in case.tensors.items()
        }
        runs = [
            Run(kind, Case(case.options, tensors), d, device)
            for kind, d in ((row.theirs(), torch.float64), (row.ours(), dtype), (row.theirs(), dtype))
        ]
        for number in range(STEPS):
            for run in runs:
                run.step(number, exact=True)
        for errors_of, run in zip(found, runs[1:], strict=True):
            errors_of.append(relative(run.values(), runs[0].values()))
    return averaged(*found)


def precision(row: Row, case: Case, device: str) -> None:
    """In float32 and in half precision not much further from the truth than torch is."""
    for dtype in LOW:
        assert_as_good(errors(row, case, device, dtype), dtype)


def signature(row: Row, case: Case, device: str) -> None:
    """The same names, defaults and kinds of arguments, also of step."""
    assert row.ours() is not row.theirs()
    assert arguments(row.ours()) == arguments(row.theirs())
    assert arguments(row.ours().step) == arguments(row.theirs().step)
