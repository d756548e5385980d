"""What `benchmarks.layers` measures: every layer of `scratch.nn`, every rung of the chapters' ladders, and their twins.

Each at two sizes: one that is over at once, which shows what a call costs, and one as it stands in a network.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import einops
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import scratch.nn
from scratch import (
    batch_normalization,
    convolution_1d,
    convolution_2d,
    fast_convolution,
    linear_layers,
    padding,
    pooling_and_dropout,
    rearranging,
)

Function = Callable[..., Tensor]

LOOPS = "loops: the compiler would write out every turn"
STAMPS = "the compiler writes each addition in place into the next, megabytes of C++, which takes it minutes"

LEFT_OUT = {
    "scratch.nn.DataParallel": "needs several devices",
    "scratch.nn.SwitchNorm2d": "torch has no such layer",
    "scratch.nn.SyncBatchNorm": "needs several processes",
    "scratch.tensors_and_devices.read_loops": "gives a list and no tensor",
}


@dataclass(frozen=True)
class Size:
    """One size of a case: what the two are built with, and what they are given."""

    arguments: tuple[Any, ...]
    inputs: Callable[[], Sequence[Tensor]]


@dataclass(frozen=True)
class Case:
    """One of ours, and its twin in torch."""

    name: str
    twin: str
    module: str
    """The module of `scratch` that defines it, which is the chapter's name without its number."""
    build: Callable[[Any], tuple[Function, Function]]
    """The two, built with the arguments of a size."""
    sizes: dict[str, Size]
    not_compiled: str | None = None
    """Why it is not compiled."""

    @property
    def kind(self) -> str:
        return "layer" if self.name.startswith("scratch.nn.") else "rung"


def normal(*shapes: tuple[int, ...]) -> Callable[[], list[Tensor]]:
    return lambda: [torch.randn(shape) for shape in shapes]


def classes(samples: int, count: int) -> Callable[[], list[Tensor]]:
    """Scores, and the class that each sample has."""
    return lambda: [torch.randn(samples, count), torch.randint(count, (samples,))]


SIGNAL = normal((2, 8, 32)), normal((16, 64, 1024))
IMAGE = normal((2, 8, 12, 12)), normal((4, 64, 56, 56))
VOLUME = normal((2, 8, 6, 6, 6)), normal((2, 32, 16, 28, 28))
TOKENS = normal((2, 8, 32)), normal((16, 128, 512))


def layer(
    name: str,
    small: tuple[Any, ...],
    realistic: tuple[Any, ...],
    inputs: Sequence[Any],
    not_compiled: str | None = None,
) -> Case:
    """A layer of `scratch.nn`, with the arguments and the inputs of its two sizes."""
    ours, theirs = getattr(scratch.nn, name), getattr(nn, name)

    def build(arguments: Any) -> tuple[Function, Function]:
        return ours(*arguments), theirs(*arguments)

    sizes = {"small": Size(small, inputs[0]), "realistic": Size(realistic, inputs[1])}
    module = ours.__module__.removeprefix("scratch.")
    return Case(f"scratch.nn.{name}", f"torch.nn.{name}", module, build, sizes, not_compiled)


def same(name: str, arguments: tuple[Any, ...], inputs: Sequence[Any]) -> Case:
    """A layer whose arguments are the same at both sizes."""
    return layer(name, arguments, arguments, inputs)


def rung(module: Any, name: str, twin: str, ours: Function, theirs: Function, *inputs: Any) -> Case:
    """A function of a ladder. Loops have a small size only: at the other they would take minutes or hours."""
    home = module.__name__.removeprefix("scratch.")
    sizes = {size: Size((), given) for size, given in zip(("small", "realistic"), inputs, strict=False)}
    reason = LOOPS if name.endswith("_loops") else None
    return Case(f"{module.__name__}.{name}", twin, home, lambda _: (ours, theirs), sizes, reason)


def paddings() -> list[Case]:
    found = []
    for mode in ("Zero", "Constant", "Reflection", "Replication", "Circular"):
        for axes, inputs in ((1, SIGNAL), (2, IMAGE), (3, VOLUME)):
            found.append(same(f"{mode}Pad{axes}d", (2, 0.5) if mode == "Constant" else (2,), inputs))
    return found


LAYERS = [
    layer("Linear", (32, 16), (512, 512), TOKENS),
    same("ReLU", (), IMAGE),
    same("Flatten", (), IMAGE),
    same("Softmax", (-1,), TOKENS),
    same("LogSoftmax", (-1,), TOKENS),
    same("CrossEntropyLoss", (), (classes(8, 10), classes(256, 1000))),
    same("MSELoss", (), (normal((8, 10), (8, 10)), normal((256, 1000), (256, 1000)))),
    layer("Conv1d", (8, 8, 3), (64, 64, 3), SIGNAL),
    layer("Conv2d", (8, 8, 3), (64, 64, 3), IMAGE),
    layer("ConvTranspose2d", (8, 8, 3), (64, 64, 3), IMAGE, not_compiled=STAMPS),
    same("Unfold", (3,), IMAGE),
    layer(
        "Fold",
        ((12, 12), 3),
        ((56, 56), 3),
        (normal((2, 72, 100)), normal((4, 576, 2916))),
        not_compiled=STAMPS,
    ),
    *paddings(),
    same("MaxPool1d", (2,), SIGNAL),
    same("MaxPool2d", (2,), IMAGE),
    same("AvgPool1d", (2,), SIGNAL),
    same("AvgPool2d", (2,), IMAGE),
    same("AdaptiveAvgPool2d", (7,), IMAGE),
    same("Dropout", (0.5,), IMAGE),
    same("Dropout1d", (0.5,), SIGNAL),
    same("Dropout2d", (0.5,), IMAGE),
    layer("BatchNorm1d", (8,), (64,), SIGNAL),
    layer("BatchNorm2d", (8,), (64,), IMAGE),
    layer("BatchNorm3d", (8,), (32,), VOLUME),
    layer("LayerNorm", (32,), (512,), TOKENS),
    layer("RMSNorm", (32,), (512,), TOKENS),
    layer("GroupNorm", (2, 8), (8, 64), IMAGE),
    layer("InstanceNorm1d", (8,), (64,), SIGNAL),
    layer("InstanceNorm2d", (8,), (64,), IMAGE),
    layer("InstanceNorm3d", (8,), (32,), VOLUME),
    same("LocalResponseNorm", (5,), IMAGE),
]

LINEAR = normal((2, 8, 32), (16, 32), (16,)), normal((16, 128, 512), (512, 512), (512,))
CONV1D = normal((2, 4, 12), (4, 4, 3), (4,)), normal((16, 64, 1024), (64, 64, 3), (64,))
CONV2D = normal((1, 2, 6, 6), (2, 2, 3, 3), (2,)), normal((4, 64, 56, 56), (64, 64, 3, 3), (64,))
ROWS = normal((2, 4, 12)), normal((16, 64, 1024))


def ladder(module: Any, twin: Function, names: Sequence[str], inputs: Sequence[Any]) -> list[Case]:
    """Functions that take what torch's takes; of those that are loops, the small size."""
    twin_name = f"torch.nn.functional.{twin.__name__}"
    return [
        rung(module, name, twin_name, getattr(module, name), twin, *inputs[: 1 if name.endswith("_loops") else 2])
        for name in names
    ]


RUNGS = [
    rung(
        rearranging,
        "move_loops",
        "torch.permute",
        lambda x: rearranging.move_loops(x, ["n", "c", "l"], ["l", "n", "c"], dict(zip("ncl", x.shape, strict=True))),
        lambda x: x.permute(2, 0, 1).contiguous(),
        ROWS[0],
    ),
    rung(
        rearranging,
        "rearrange",
        "einops.rearrange",
        lambda x: rearranging.rearrange(x, "n (h c) l -> n l h c", h=4),
        lambda x: einops.rearrange(x, "n (h c) l -> n l h c", h=4),
        *ROWS,
    ),
    rung(
        rearranging,
        "reduce",
        "einops.reduce",
        lambda x: rearranging.reduce(x, "n c (l w) -> n c l", "max", w=4),
        lambda x: einops.reduce(x, "n c (l w) -> n c l", "max", w=4),
        *ROWS,
    ),
    rung(
        rearranging,
        "repeat",
        "einops.repeat",
        lambda x: rearranging.repeat(x, "n c l -> n (c k) l", k=3),
        lambda x: einops.repeat(x, "n c l -> n (c k) l", k=3),
        *ROWS,
    ),
    rung(
        rearranging,
        "einsum_loops",
        "torch.einsum",
        lambda x, w: rearranging.einsum_loops("nci,oi->nco", x, w),
        lambda x, w: torch.einsum("nci,oi->nco", x, w),
        normal((2, 4, 8), (6, 8)),
    ),
    rung(
        rearranging,
        "einsum",
        "torch.einsum",
        lambda x, w: rearranging.einsum("nci,oi->nco", x, w),
        lambda x, w: torch.einsum("nci,oi->nco", x, w),
        normal((2, 4, 8), (6, 8)),
        normal((16, 128, 512), (512, 512)),
    ),
    *ladder(linear_layers, F.linear, ["linear_loops", "linear_einsum"], LINEAR),
    rung(
        linear_layers,
        "softmax_naive",
        "torch.nn.functional.softmax",
        lambda x: linear_layers.softmax_naive(x, -1),
        lambda x: F.softmax(x, -1),
        *TOKENS,
    ),
    *ladder(linear_layers, F.cross_entropy, ["cross_entropy_loops"], [classes(8, 10)]),
    *ladder(convolution_1d, F.conv1d, ["conv1d_loops", "conv1d_windows"], CONV1D),
    *ladder(convolution_2d, F.conv2d, ["conv2d_loops", "conv2d_windows"], CONV2D),
    rung(
        padding,
        "pad_loops",
        "torch.nn.functional.pad",
        lambda x: padding.pad_loops(x, 2, 2, "reflect"),
        lambda x: F.pad(x, (2, 2), "reflect"),
        ROWS[0],
    ),
    rung(
        padding,
        "pad_axis",
        "torch.nn.functional.pad",
        lambda x: padding.pad_axis(x, -1, 2, 2, "reflect"),
        lambda x: F.pad(x, (2, 2), "reflect"),
        *ROWS,
    ),
    rung(
        pooling_and_dropout,
        "max_pool1d_loops",
        "torch.nn.functional.max_pool1d",
        lambda x: pooling_and_dropout.max_pool1d_loops(x, 2, 2)[0],
        lambda x: F.max_pool1d(x, 2, 2),
        ROWS[0],
    ),
    rung(
        pooling_and_dropout,
        "avg_pool1d_loops",
        "torch.nn.functional.avg_pool1d",
        lambda x: pooling_and_dropout.avg_pool1d_loops(x, 2, 2),
        lambda x: F.avg_pool1d(x, 2, 2),
        ROWS[0],
    ),
    *ladder(
        fast_convolution,
        F.conv2d,
        [
            "conv2d_loops",
            "conv2d_windows",
            "conv2d_shift_and_add",
            "conv2d_long_row",
            "conv2d_winograd",
            "conv2d_fft",
            "conv2d_fast",
        ],
        CONV2D,
    ),
    rung(
        batch_normalization,
        "batch_norm_loops",
        "torch.nn.functional.batch_norm",
        batch_normalization.batch_norm_loops,
        lambda x, weight, bias: F.batch_norm(x, None, None, weight, bias, training=True),
        normal((2, 4, 12), (4,), (4,)),
    ),
]

CASES = [*LAYERS, *RUNGS]
