"""scratch.nn.Conv1d and scratch.functional.conv1d do what torch's do, over all arguments."""

from dataclasses import dataclass
from typing import Any

import pytest
import torch
import torch.nn.functional as torch_functional
from torch import nn as torch_nn

from scratch import functional, nn

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")


@dataclass
class Case:
    """Arguments of one layer and an input that fits it."""

    in_channels: int
    out_channels: int
    options: dict[str, Any]
    shape: tuple[int, ...]


def twins(case: Case, dtype: torch.dtype = torch.float64) -> tuple[torch_nn.Module, torch_nn.Module]:
    """Our layer and torch's, with torch's parameters."""
    ours = nn.Conv1d(case.in_channels, case.out_channels, **case.options, dtype=dtype)
    theirs = torch_nn.Conv1d(case.in_channels, case.out_channels, **case.options, dtype=dtype)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.complex64], ids=str)
def test_dtypes(dtype: torch.dtype) -> None:
    case = Case(4, 6, {"kernel_size": 3, "stride": 2, "padding": 1, "groups": 2}, (2, 4, 20))
    ours, theirs = twins(case, dtype)
    x = torch.randn(case.shape, dtype=dtype)
    expected = theirs(x)
    assert ours(x).dtype == expected.dtype
    eps = torch.finfo(dtype).eps
    torch.testing.assert_close(ours(x), expected, rtol=8 * eps, atol=8 * eps)


def test_autocast_gives_the_dtype_that_torch_gives() -> None:
    ours, theirs = twins(Case(4, 6, {"kernel_size": 3}, (2, 4, 10)), torch.float32)
    x = torch.randn(2, 4, 10)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert ours(x).dtype == theirs(x).dtype == torch.bfloat16
        torch.testing.assert_close(ours(x), theirs(x), rtol=2e-2, atol=2e-2)


def test_names_that_the_course_has_not_built_come_from_torch() -> None:
    assert nn.Module is torch_nn.Module
    assert "Conv1d" in nn.__all__ and "Module" not in nn.__all__
    assert functional.embedding_bag is torch_functional.embedding_bag
    with pytest.raises(AttributeError, match="NoSuchLayer"):
        nn.NoSuchLayer  # noqa: B018
