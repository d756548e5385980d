"""How many examples hypothesis tries for each test here, and the seed: the same ones on every run."""

import pytest
import torch
from hypothesis import settings

settings.register_profile("course", max_examples=300, deadline=None, derandomize=True)
settings.load_profile("course")


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)
