"""Answers that call the layer that they should build, under its name or another. The exercise forbids it by name."""

from tests.attacks.case import FULL_MARKS, PASSED, Case, every
from tests.attacks.submissions import RIGHT, right

REFUSED = frozenset({"failed"})


def _shift(name: str, source: str, says: str, why: str) -> Case:
    return Case(name, right(conv1d_shift=source), every(PASSED, conv1d_shift=REFUSED), why, says=says)


CASES = [
    Case(
        "inherited_the_layer",
        right(repaired_conv1d="class RepairedConv1d(nn.Conv1d):\n    pass"),
        every(PASSED, repaired_conv1d=REFUSED),
        "a layer that is PyTorch's own was not built",
        says="nn.Conv1d",
    ),
    _shift("called_the_layer", "conv1d_shift = F.conv1d", "F.conv1d", "neither was a function"),
    _shift(
        "called_the_layer_in_a_function",
        "def conv1d_shift(*a, **k):\n    return torch.nn.functional.conv1d(*a, **k)",
        "F.conv1d",
        "under its full name it is the same",
    ),
    _shift(
        "imported_the_layer_as_another",
        "from torch.nn.functional import conv1d as my_own\ndef conv1d_shift(*a, **k):\n    return my_own(*a, **k)",
        "F.conv1d",
        "and under one of the learner's choice",
    ),
    _shift(
        "imported_the_module_as_another",
        "import torch.nn.functional as mine\nconv1d_shift = lambda *a, **k: mine.conv1d(*a, **k)",
        "F.conv1d",
        "also through its module",
    ),
    _shift(
        "got_the_layer_by_its_name",
        "def conv1d_shift(*a, **k):\n    return getattr(F, 'conv1d')(*a, **k)",
        "F.conv1d",
        "also with getattr",
    ),
    _shift(
        "hid_the_layer_in_a_helper",
        "def helper(*a, **k):\n    return torch.conv1d(*a, **k)\n"
        "def conv1d_shift(*a, **k):\n    return helper(*a, **k)",
        "torch.conv1d",
        "also in a helper",
    ),
    Case(
        "asked_autograd",
        right(
            conv1d_gradients="def conv1d_gradients(grad_output, input, weight, padding=0, dilation=1):\n"
            "    leaves = input.clone().requires_grad_(), weight.clone().requires_grad_()\n"
            "    output = F.conv1d(*leaves, padding=padding, dilation=dilation)\n"
            "    return torch.autograd.grad(output, leaves, grad_output)\n"
        ),
        every(PASSED, conv1d_gradients=REFUSED),
        "a gradient that torch computed was not derived",
        says="torch.autograd",
    ),
    Case(
        "compared_with_the_layer",
        right(
            conv1d_shift=f"# F.conv1d should give the same\n{RIGHT['conv1d_shift']}\n"
            "x, w = torch.ones(1, 1, 5), torch.ones(1, 1, 3)\n"
            "print(torch.equal(conv1d_shift(x, w), F.conv1d(x, w)))"
        ),
        FULL_MARKS,
        "a comment, or a trial beside the definition, is no use of it",
    ),
]
