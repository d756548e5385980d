"""What a task forbids is found by its name, however it was imported; a test call beside the answer is no offence."""

from __future__ import annotations

import pytest

from grader import forbidden

SETUP = "import torch\nimport torch.nn.functional as F\nfrom torch import nn"
ASKED = "def conv(x, w):\n    return x"
FORBIDS = ("F.conv1d", "nn.Conv1d")

REFUSED = {
    "the call": "def conv(x, w):\n    return F.conv1d(x, w)",
    "the long name": "def conv(x, w):\n    return torch.nn.functional.conv1d(x, w)",
    "a module": "class conv(nn.Module):\n    def __init__(self):\n        self.inner = nn.Conv1d(1, 1, 1)",
    "a base class": "class conv(nn.Conv1d):\n    pass",
    "a name of its own": "conv = F.conv1d",
    "a lambda": "conv = lambda x, w: F.conv1d(x, w)",
    "an import": "from torch.nn.functional import conv1d as c\ndef conv(x, w):\n    return c(x, w)",
    "an import inside": "def conv(x, w):\n    from torch.nn import functional\n    return functional.conv1d(x, w)",
    "a module's other name": "import torch.nn.functional as G\ndef conv(x, w):\n    return G.conv1d(x, w)",
    "an alias": "f = nn.functional\ndef conv(x, w):\n    return f.conv1d(x, w)",
    "a helper": "def help(x, w):\n    return F.conv1d(x, w)\ndef conv(x, w):\n    return help(x, w)",
    "getattr": "def conv(x, w):\n    return getattr(F, 'conv1d')(x, w)",
    "a default": "def conv(x, w, f=F.conv1d):\n    return f(x, w)",
    "a decorator": "import functools\n@functools.wraps(F.conv1d)\ndef conv(x, w):\n    return x",
    "after a magic": "%matplotlib inline\ndef conv(x, w):\n    return F.conv1d(x, w)",
}
ALLOWED = {
    "the answer": ASKED,
    "other functions": "def conv(x, w):\n    return F.pad(x, (1, 1)) @ F.conv1d_like(w)",
    "a comment and a string": 'def conv(x, w):\n    """Not F.conv1d."""\n    return x  # F.conv1d',
    "a test call": "def conv(x, w):\n    return x\nprint(conv(1, 2) - F.conv1d(1, 2))\nassert F.conv1d(1) == conv(1)",
    "an expectation": "expected = F.conv1d(1, 2)\ndef conv(x, w):\n    expected = x\n    return expected",
    "a method of that name": "def conv(x, w):\n    return x.conv1d(w)",
    "what does not parse": "def conv(:",
}


@pytest.mark.parametrize("source", REFUSED.values(), ids=REFUSED)
def test_refused(source: str) -> None:
    assert forbidden.used("conv", {"conv": source}, ASKED, FORBIDS, [SETUP]) in FORBIDS


@pytest.mark.parametrize("source", ALLOWED.values(), ids=ALLOWED)
def test_allowed(source: str) -> None:
    assert forbidden.used("conv", {"conv": source}, ASKED, FORBIDS, [SETUP]) == ""


def test_a_helper_in_another_answer_is_followed() -> None:
    answers = {
        "causal": "def causal(x, w):\n    return F.conv1d(x, w)",
        "conv": "def conv(x, w):\n    return causal(x, w)",
    }
    assert forbidden.used("conv", answers, ASKED, FORBIDS, [SETUP]) == "F.conv1d"


def test_another_answer_may_use_what_this_task_forbids() -> None:
    answers = {"causal": "def causal(x, w):\n    return F.conv1d(x, w)", "conv": ASKED}
    assert forbidden.used("conv", answers, ASKED, FORBIDS, [SETUP]) == ""
