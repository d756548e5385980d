"""Every line of the cheat sheet is executed: what it prints is what PyTorch does."""

from __future__ import annotations

import itertools
import re
import warnings
from pathlib import Path
from typing import Any

import pytest
import sklearn.metrics
import torch
import torch.nn.functional as F
from einops import rearrange, reduce
from torch import nn

TEXT = (Path(__file__).parents[2] / "book" / "cheatsheet.md").read_text(encoding="utf-8")


def rows(title: str) -> list[list[str]]:
    """The cells of the tables below a heading, without the heads of the tables."""
    (section,) = (part for part in TEXT.split("\n## ") if part.startswith(title))
    found: list[list[str]] = []
    for table in re.findall(r"(?:^\|.*\n)+", section, flags=re.MULTILINE):
        lines = [[cell.strip() for cell in re.split(r" ?\| ?", line)[1:-1]] for line in table.splitlines()]
        assert set(lines[1]) == {"---"}
        found += lines[2:]
    return found


def code(cell: str) -> str:
    match = re.fullmatch(r"`(.+)`", cell)
    assert match, f"{cell} is not code"
    return match[1]


def named(row: list[str]) -> str:
    return row[0]


def size_function() -> dict[str, Any]:
    """`size`, as the page defines it."""
    (source,) = (block for block in re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL) if "def size" in block)
    names: dict[str, Any] = {}
    exec(source, names)
    return names


@pytest.mark.parametrize("row", rows("Shapes"), ids=named)
def test_shapes(row: list[str]) -> None:
    layer, given, output, weight = row
    for h, w, k, s, p, d, g in itertools.product((9, 12), (10,), (2, 3), (1, 2), (0, 1), (1, 2), (1, 2)):
        names = size_function() | {"n": 2, "c": 4, "l": h, "h": h, "w": w, "o": 6}
        names |= {"k": k, "s": s, "p": p, "d": d, "g": g}
        module = eval(code(layer), vars(nn) | names)
        x = torch.zeros(eval(code(given), names))
        assert tuple(module(x).shape) == eval(code(output), names), names
        if weight == "none":
            assert not list(module.parameters())
        else:
            assert tuple(module.weight.shape) == eval(code(weight), names)


@pytest.mark.parametrize("row", rows("What a normalization"), ids=named)
def test_what_a_normalization_averages_over(row: list[str]) -> None:
    layer, axes, mean = row
    torch.manual_seed(0)
    sizes = {"n": 2, "c": 6, "h": 3, "w": 5, "l": 4, "g": 3}
    x = torch.randn([sizes[axis] for axis in code(axes).split()]) + 2
    output = eval(code(layer), vars(nn) | sizes)(x)
    for values, expected in ((output, 0), (output.square(), 1)):
        averages = eval(code(mean), {"reduce": reduce, "x": values, **sizes})
        torch.testing.assert_close(averages, torch.full_like(averages, expected), atol=1e-3, rtol=0)
    finer = rearrange(output, "n ... -> n (...)")[:, :7].mean(1)  # no part of it has the mean 0 by chance
    assert finer.abs().min() > 1e-3


@pytest.mark.parametrize("row", rows("Formulas"), ids=named)
def test_formulas(row: list[str]) -> None:
    _, torchs, formula = row
    torch.manual_seed(0)
    x = torch.randn(6, 4, dtype=torch.float64)
    after_a_batch = nn.BatchNorm1d(4, dtype=torch.float64)
    after_a_batch(x)
    target, p = torch.tensor([0, 3, 1, 1, 2, 0]), 0.3
    torch.manual_seed(1)
    kept = F.dropout(torch.ones_like(x), p) > 0
    names = {
        "F": F, "exp": torch.exp, "log": torch.log, "sqrt": torch.sqrt, "x": x, "target": target, "p": p, "kept": kept,
        "weight": torch.randn(3, 4, dtype=torch.float64), "bias": torch.randn(3, dtype=torch.float64),
        "rows": torch.arange(6), "one_hot": F.one_hot(target, 4), "after_a_batch": after_a_batch,
        "m": x.max(-1, keepdim=True).values, "mean": x.mean(-1, keepdim=True),
        "var": x.var(-1, keepdim=True, correction=0), "grad": lambda f, *given: torch.func.grad(f)(*given),
    }  # fmt: skip
    torch.manual_seed(1)  # for dropout
    torch.testing.assert_close(eval(code(formula), names), eval(code(torchs), names))


def test_the_step_of_training_is_whole() -> None:
    """The loop of the page trains a model, and ends with the right numbers of steps."""
    (source,) = (block for block in re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL) if "loader" in block)
    torch.manual_seed(0)
    data = torch.utils.data.TensorDataset(torch.randn(50, 4), torch.randint(3, (50,)))
    loader = torch.utils.data.DataLoader(data, batch_size=16)
    assert len(loader) == -(-50 // 16)  # ceil
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)
    names = {"model": model, "loader": loader, "optimizer": optimizer, "scheduler": scheduler, "F": F}
    exec(source, names)
    first = F.cross_entropy(model(data.tensors[0]), data.tensors[1]).item()
    for _ in range(3):
        exec(source, names)
    assert F.cross_entropy(model(data.tensors[0]), data.tensors[1]).item() < first


@pytest.mark.parametrize("row", rows("One step of training"), ids=named)
def test_optimizers(row: list[str]) -> None:
    made, update = row
    torch.manual_seed(0)
    settings = {"lr": 0.1, "momentum": 0.9, "decay": 0.2, "a": 0.8, "b": 0.95, "eps": 1e-3}
    w = torch.randn(5, dtype=torch.float64, requires_grad=True)
    optimizer = eval(code(made), vars(torch.optim) | settings | {"w": w})
    names: dict[str, Any] = {**settings, "sqrt": torch.sqrt, "w": w.detach().clone(), "u": 0, "v": 0}
    for t in range(1, 6):
        w.grad = torch.randn(5, dtype=torch.float64)
        optimizer.step()
        names |= {"g": w.grad, "t": t}
        exec(code(update), names)
        torch.testing.assert_close(names["w"], w.detach())


@pytest.mark.parametrize("row", rows("Metrics"), ids=named)
def test_metrics(row: list[str]) -> None:
    _, theirs, formula = row
    for seed in range(20):
        torch.manual_seed(seed)
        y = torch.randint(2, (40,)).numpy()
        scores = (torch.randn(40) + torch.from_numpy(y)).numpy()
        z = (scores > 0.3).astype(int)
        tn, fp, fn, tp = (int(count) for count in sklearn.metrics.confusion_matrix(y, z).ravel())
        names = {"tp": tp, "tn": tn, "fp": fp, "fn": fn, "y": y, "z": z, "scores": scores, "sqrt": lambda q: q**0.5}
        names["mean"] = lambda values: sum(listed := list(values)) / len(listed)
        expected = eval(code(theirs), vars(sklearn.metrics) | names)
        assert abs(eval(code(formula), names) - expected) < 1e-6


def test_which_way_round() -> None:
    """The statements that no table above executes."""
    before = torch.is_warn_always_enabled()
    torch.set_warn_always(True)  # else an even kernel is warned of once in a process, perhaps in another test
    x = torch.zeros(1, 1, 4, 4)
    left, right, top, bottom = 1, 2, 3, 4
    assert F.pad(x, (left, right, top, bottom)).shape == (1, 1, 4 + 3 + 4, 4 + 1 + 2)
    assert [name for name, _ in nn.Conv2d(1, 1, 1).named_parameters()] == ["weight", "bias"]
    ones = torch.ones(1000)
    assert torch.equal(nn.Dropout().eval()(ones), ones) and not torch.equal(F.dropout(ones), ones)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of an even kernel, once in a process
        same = F.conv2d(torch.arange(16.0).view(1, 1, 4, 4), torch.ones(1, 1, 2, 2), padding="same")
    torch.set_warn_always(before)
    assert same[0, 0, -1, -1] == 15  # the last window holds the last number alone, so the zeros came after it
    norm = nn.BatchNorm1d(1, momentum=0.25)
    norm(torch.full((4, 1), 8.0))
    assert norm.get_buffer("running_mean").item() == 2
    norm.register_forward_hook(lambda *_: None)
    assert list(norm.state_dict()) == ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
