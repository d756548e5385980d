"""TF32 off, and every device that is present."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

HERE = Path(__file__).parent
DEVICES = ["cpu"] + ["cuda"] * torch.cuda.is_available()


@pytest.fixture(params=DEVICES)
def device(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(autouse=True)
def whole_float32() -> Iterator[None]:
    """Products in float32 are computed in float32."""
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    yield
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


WARNINGS = (
    "dropout2d",
    "Implicit dimension choice",
    "Initializing zero-element tensors",
    "size_average and reduce args will be deprecated",
    "There is a performance drop",
    "Using a target size",
    "Using padding='same' with even kernel lengths",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Cases that are drawn over all arguments also meet those of which both twins warn."""
    for item in items:
        if item.path.is_relative_to(HERE):
            for start in WARNINGS:
                item.add_marker(pytest.mark.filterwarnings(f"ignore:{start}"))
