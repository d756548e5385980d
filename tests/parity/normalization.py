"""Rows: the normalizations, and the reference for the one that torch does not have."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from hypothesis import strategies as st
from torch import nn

from tests.parity.case import Case, Maker, Row, calls, layers, makers, sizes

EPS = st.sampled_from([1e-5, 1e-3, 0.5])
MOMENTUM = st.sampled_from([0.1, 0.9, 1.0, 0.0, None])
NEW = {"bias"} if "bias" in inspect.signature(nn.BatchNorm1d).parameters else set()
"""Arguments that only newer torch has."""
EXCEPTIONS = {} if NEW else dict.fromkeys(("signature", "repr"), "this torch has no argument bias yet, ours has it")


class SwitchNorm2d(nn.Module):
    """The layer of Luo et al. (2019), in the words of the paper: three means and variances, and their mixtures."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features, device=device, dtype=dtype))
        self.bias = nn.Parameter(torch.zeros(num_features, device=device, dtype=dtype))
        self.mean_weight = nn.Parameter(torch.ones(3, device=device, dtype=dtype))
        self.var_weight = nn.Parameter(torch.ones(3, device=device, dtype=dtype))
        self.register_buffer("running_mean", torch.zeros(num_features, device=device, dtype=dtype))
        self.register_buffer("running_var", torch.ones(num_features, device=device, dtype=dtype))
        self.register_buffer("num_batches_tracked", torch.tensor(0, device=device))

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if input.dim() != 4 or input.shape[1] != self.num_features:
            raise ValueError(f"SwitchNorm2d of {self.num_features} channels cannot take {list(input.shape)}")
        means = [input.mean(axes, keepdim=True) for axes in ((2, 3), (1, 2, 3), (0, 2, 3))]
        variances = [input.var(axes, correction=0, keepdim=True) for axes in ((2, 3), (1, 2, 3), (0, 2, 3))]
        running: Any = self.running_mean, self.running_var
        if self.training:
            count: Any = self.num_batches_tracked
            count += 1
            rate = 1 / count.item() if self.momentum is None else self.momentum
            for estimate, batch in zip(running, (means[2], variances[2]), strict=True):
                estimate.copy_((1 - rate) * estimate + rate * batch.detach().flatten())
        else:
            means[2], variances[2] = (estimate.view(1, -1, 1, 1) for estimate in running)
        a, b = self.mean_weight.softmax(0), self.var_weight.softmax(0)
        mean = a[0] * means[0] + a[1] * means[1] + a[2] * means[2]
        variance = b[0] * variances[0] + b[1] * variances[1] + b[2] * variances[2]
        normal = (input - mean) / (variance + self.eps).sqrt()
        return normal * self.weight.view(-1, 1, 1) + self.bias.view(-1, 1, 1)

    def extra_repr(self) -> str:
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"


@st.composite
def batch_norms(draw: st.DrawFn, axes: tuple[int, ...]) -> Case:
    features, batch = draw(st.integers(1, 4)), draw(sizes)
    spatial = [draw(st.integers(1, 4)) for _ in range(draw(st.sampled_from(axes)) - 2)]
    options = {"num_features": features, "eps": draw(EPS), "momentum": draw(MOMENTUM)}
    options |= {name: draw(st.booleans()) for name in ("affine", "track_running_stats", *NEW)}
    return Case(options, {"input": 2 * draw(makers).normal(batch, features, *spatial)})


@st.composite
def batch_norm_functions(draw: st.DrawFn, instance: bool = False) -> Case:
    make, features, batch = draw(makers), draw(st.integers(1, 4)), draw(st.integers(2, 5))
    x = make.normal(
        batch, features, *[draw(st.integers(2 * instance, 4)) for _ in range(draw(st.integers(instance, 3)))]
    )
    given = draw(st.sets(st.sampled_from(["weight", "bias", "running"])))
    training = draw(st.booleans()) if "running" in given else True
    tensors = {"input": x} | ({"running_mean": None, "running_var": None} if not instance else {})
    if "running" in given:
        tensors |= {"running_mean": make.normal(features), "running_var": make.positive(features)}
    tensors |= {name: make.normal(features) for name in ("weight", "bias") if name in given}
    options: dict[str, Any] = {
        name: value for name, value in tensors.items() if value is None
    }  # which torch does without
    options |= {"use_input_stats" if instance else "training": training, "eps": draw(EPS)}
    options |= {"momentum": draw(st.sampled_from([0.1, 0.9, 1.0, 0.0]))}
    return Case(options, {name: value for name, value in tensors.items() if value is not None})


@st.composite
def last_axes(draw: st.DrawFn, mean: bool, function: bool = False) -> Case:
    """For LayerNorm (`mean`) and RMSNorm, and their functions."""
    make = draw(makers)
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)))
    batch = draw(sizes)
    lead = draw(st.sampled_from([(), (batch,), (batch, 2)]))
    forms: list[Any] = [shape, list(shape), torch.Size(shape)]
    forms += [shape[0]] * (len(shape) == 1 and not function)
    options: dict[str, Any] = {"normalized_shape": draw(st.sampled_from(forms))}
    options["eps"] = draw(EPS if mean else EPS | st.none())
    tensors = {"input": make.normal(*lead, *shape)}
    if not function:
        options |= {name: draw(st.booleans()) for name in ("elementwise_affine", "bias")[: 1 + mean]}
        return Case(options, tensors)
    return Case(
        options, tensors | {n: make.normal(*shape) for n in ("weight", "bias")[: 1 + mean] if draw(st.booleans())}
    )


@st.composite
def group_norms(draw: st.DrawFn, function: bool = False) -> Case:
    make, groups = draw(makers), draw(st.integers(1, 3))
    channels = groups * draw(st.integers(1, 3))
    positions = draw(st.lists(st.integers(1, 4), max_size=3))
    x = make.normal(draw(sizes), channels, *positions)
    options: dict[str, Any] = {"num_groups": groups, "eps": draw(EPS)}
    if function:
        tensors = {name: make.normal(channels) for name in ("weight", "bias") if draw(st.booleans())}
        return Case(options, {"input": x} | tensors)
    options |= {"num_channels": channels} | {name: draw(st.booleans()) for name in ("affine", *NEW)}
    return Case(options, {"input": x})


@st.composite
def instance_norms(draw: st.DrawFn, axes: int) -> Case:
    options: dict[str, Any] = {"num_features": draw(st.integers(1, 4)), "eps": draw(EPS), "momentum": draw(MOMENTUM)}
    options |= {name: draw(st.booleans()) for name in ("affine", "track_running_stats", *NEW)}
    positions = [draw(st.integers(2, 4)) for _ in range(axes)]
    lead = draw(st.sampled_from([(), (1,), (3,)]))
    return Case(options, {"input": 2 * draw(makers).normal(*lead, options["num_features"], *positions)})


@st.composite
def responses(draw: st.DrawFn) -> Case:
    options = {"size": draw(st.integers(1, 7)), "alpha": draw(st.sampled_from([1e-4, 0.5]))}
    options |= {"beta": draw(st.sampled_from([0.75, 2.0])), "k": draw(st.sampled_from([1.0, 3]))}
    positions = draw(st.lists(st.integers(2, 4), min_size=1, max_size=3))
    return Case(options, {"input": draw(makers).normal(draw(sizes), draw(st.integers(1, 5)), *positions)})


@st.composite
def switches(draw: st.DrawFn) -> Case:
    options: dict[str, Any] = {"num_features": draw(st.integers(1, 4)), "eps": draw(EPS), "momentum": draw(MOMENTUM)}
    size = [draw(st.integers(1, 4)) for _ in range(2)]
    return Case(options, {"input": 2 * draw(makers).normal(draw(st.integers(1, 4)), options["num_features"], *size)})


ones = torch.ones
X, ZEROS, ONES = ones(6, 4, 3), torch.zeros(4), ones(4)
BATCH: dict[str, tuple[Any, ...]] = {
    "no estimates": (X, None, None),
    "no running_var": (X, ZEROS, None),
    "no running_var in training": (X, ZEROS, None, None, None, True),
    "no running_mean in training": (X, None, ONES, None, None, True),
    "running_mean too long": (X, torch.zeros(5), ONES),
    "running_var too short": (X, ZEROS, ones(3)),
    "weight too long": (X, ZEROS, ONES, ones(5)),
    "bias too long": (X, ZEROS, ONES, None, ones(5)),
    "input of one axis": (X[0, 0], ZEROS, ONES),
    "input of no axis": (torch.tensor(1.0), ZEROS, ONES),
    "input is a list": ([1.0], ZEROS, ONES),
    "weight is a list": (X, ZEROS, ONES, [1.0] * 4),
    "integers": (X.long(), ZEROS, ONES),
    "integers in training": (X.long(), ZEROS, ONES, None, None, True),
    "complex": (X + 0j, ZEROS, ONES),
    "float64 and float32": (X.double(), ZEROS, ONES),
    "float64 and float32 weight": (X.double(), ZEROS.double(), ONES.double(), ONES),
    "float32 and bfloat16": (X, ZEROS.bfloat16(), ONES.bfloat16()),
    "bfloat16 with both": (X.bfloat16(), ZEROS, ONES, ONES.bfloat16(), ZEROS.bfloat16()),
    "float32 and float64 bias": (X, ZEROS, ONES, ONES, ZEROS.double()),
    "one value per channel": (X[:1, :, 0], ZEROS, ONES, None, None, True),
    "one value per channel, three axes": (X[:1, :, :1], ZEROS, ONES, None, None, True),
    "momentum None": (X, ZEROS, ONES, None, None, True, None),
    "momentum 'a'": (X, ZEROS, ONES, None, None, True, "a"),
    "training 1": (X, ZEROS, ONES, None, None, 1),
    "training None": (X, ZEROS, ONES, None, None, None),
    "eps 'a'": (X, ZEROS, ONES, None, None, False, 0.1, "a"),
    "eps 0 in training": (X, ZEROS, ONES, None, None, True, 0.1, 0.0),
    "eps -1": (X, ZEROS, ONES, None, None, False, 0.1, -1.0),
}
LAYER: dict[str, tuple[Any, ...]] = {
    "a list": ([1.0], (1,)),
    "another axis": (ones(2, 5), (4,)),
    "too many axes": (ones(5), (3, 5)),
    "an int": (ones(2, 5), 5),
    "no axes": (ones(2, 5), ()),
    "weight": (ones(2, 5), (5,), ones(4)),
    "bias": (ones(2, 5), (5,), None, ones(4)),
    "dtype": (ones(2, 5).double(), (5,), ones(5)),
    "narrow weight": (ones(2, 5), (5,), ones(5).bfloat16()),
    "integers": (ones(2, 5).long(), (5,)),
    "eps None": (ones(2, 5), (5,), None, None, None),
}
RMS: dict[str, tuple[Any, ...]] = {
    "a list": ([1.0], (1,)),
    "another axis": (ones(2, 5), (4,)),
    "an int": (ones(2, 5), 5),
    "no axes": (ones(2, 5), ()),
    "weight": (ones(2, 5), (5,), ones(4)),
    "integers": (ones(2, 5).long(), (5,)),
}
GROUP: dict[str, tuple[Any, ...]] = {
    "does not divide": (ones(2, 4, 3), 3),
    "zero": (ones(2, 4, 3), 0),
    "negative": (ones(2, 4, 3), -1),
    "float": (ones(2, 4, 3), 1.0),
    "bool": (ones(2, 4, 3), True),
    "one axis": (ones(4), 1),
    "one value": (ones(1, 4, 1), 4),
    "no positions": (ones(2, 4, 0), 2),
    "weight": (ones(2, 4, 3), 2, ones(3)),
    "bias of two axes": (ones(2, 4, 3), 2, None, ones(4, 1)),
    "dtype": (ones(2, 4, 3).double(), 2, ones(4)),
}
INSTANCE: dict[str, tuple[Any, ...]] = {
    "one position": (ones(2, 4, 1),),
    "no positions": (ones(2, 4),),
    "no estimates": (ones(2, 4, 3), None, None, None, None, False),
    "only a mean": (ones(2, 4, 3), ones(4)),
    "only a variance": (ones(2, 4, 3), None, ones(4)),
    "short estimates": (ones(2, 4, 3), ones(3), ones(3)),
    "weight": (ones(2, 4, 3), None, None, ones(3)),
    "dtype": (ones(2, 4, 3).double(), None, None, ones(4)),
}
RESPONSE: dict[str, tuple[Any, ...]] = {
    "two axes": (ones(2, 4), 2),
    "size 0": (ones(2, 4, 3), 0),
    "size 2.0": (ones(2, 4, 3), 2.0),
}
FEATURES: dict[str, dict[str, Any]] = {
    name: {"num_features": n} for name, n in (("-1", -1), ("2.5", 2.5), ("'a'", "a"))
}

EMPTY = {
    "batching: empty": "torch's IndexError comes from its own view of nothing; ours warns, and the estimates become nan"
}
make = Maker(9)
SHAPES = {1: (5, 4, 6), 2: (5, 4, 3, 2), 3: (3, 4, 2, 3, 2)}
WRONG: dict[int, dict[str, dict[str, Any]]] = {
    1: {"(1, C)": {"input": (1, 4)}, "(C)": {"input": (4,)}, "four axes": {"input": (2, 4, 1, 1)}},
    2: {"three axes": {"input": (2, 4, 3)}, "one value": {"input": (1, 4, 1, 1)}},
    3: {"four axes": {"input": (2, 4, 3, 3)}, "channels": {"input": (2, 5, 3, 3, 3)}},
}
NOT_INSTANCE: dict[int, dict[str, dict[str, Any]]] = {
    1: {"four axes": {"input": (2, 4, 3, 3)}, "one position": {"input": (2, 4, 1)}},
    2: {
        "two axes": {"input": (2, 4)},
        "one position": {"input": (2, 4, 1, 1)},
        "channels": {"input": (2, 5, 3, 3), "affine": True},
    },
    3: {"three axes": {"input": (2, 4, 3)}},
}
ROWS = [
    *(
        Row(
            "layer",
            f"BatchNorm{axes}d",
            batch_norms((2, 3) if axes == 1 else (axes + 2,)),
            Case({"num_features": 4, "eps": 1e-3, "momentum": 0.3}, {"input": make.normal(*SHAPES[axes])}),
            layers({"num_features": 4}, SHAPES[axes], WRONG[axes] | FEATURES),
            exceptions=EXCEPTIONS,
            examples=100,
        )
        for axes in (1, 2, 3)
    ),
    *(
        Row(
            "layer",
            f"InstanceNorm{axes}d",
            instance_norms(axes),
            Case(
                {"num_features": 4, "eps": 1e-3, "momentum": 0.3, "affine": True, "track_running_stats": True},
                {"input": make.normal(*SHAPES[axes])},
            ),
            layers({"num_features": 4}, SHAPES[axes], NOT_INSTANCE[axes]),
            exceptions=EXCEPTIONS | EMPTY,
            examples=100,
        )
        for axes in (1, 2, 3)
    ),
    Row(
        "layer",
        "LayerNorm",
        last_axes(mean=True),
        Case({"normalized_shape": (4, 3), "eps": 1e-3}, {"input": make.normal(5, 2, 4, 3)}),
        layers(
            {"normalized_shape": (3, 4)},
            (2, 3, 4),
            {"another shape": {"input": (2, 4, 3)}, "a float": {"normalized_shape": 5.0}},
        ),
        examples=120,
    ),
    Row(
        "layer",
        "RMSNorm",
        last_axes(mean=False),
        Case({"normalized_shape": (4, 3)}, {"input": make.normal(5, 2, 4, 3)}),
        layers({"normalized_shape": (3, 4)}, (2, 3, 4), {"another shape": {"input": (2, 4, 3)}}),
        examples=120,
    ),
    Row(
        "layer",
        "GroupNorm",
        group_norms(),
        Case({"num_groups": 2, "num_channels": 4, "eps": 1e-3}, {"input": make.normal(3, 4, 2, 3)}),
        layers(
            {"num_groups": 2, "num_channels": 4},
            (2, 4, 3),
            {
                "does not divide": {"num_groups": 3},
                "zero": {"num_groups": 0},
                "other channels": {"input": (2, 6, 3)},
            },
        ),
        exceptions=EXCEPTIONS,
        examples=120,
    ),
    Row(
        "layer",
        "LocalResponseNorm",
        responses(),
        Case({"size": 3, "alpha": 0.5}, {"input": make.normal(3, 4, 2, 3)}),
        layers({"size": 2}, (2, 4, 3), {"two axes": {"input": (2, 4)}, "0": {"size": 0}, "2.0": {"size": 2.0}}),
    ),
    Row(
        "layer",
        "SwitchNorm2d",
        switches(),
        Case({"num_features": 4, "eps": 1e-3}, {"input": make.normal(3, 4, 2, 3)}),
        layers(
            {"num_features": 4}, (2, 4, 3, 3), {"three axes": {"input": (2, 4, 3)}, "channels": {"input": (2, 5, 3, 3)}}
        ),
        exceptions={
            "precision": "no twin in torch; ours computes in the input's dtype and pools statistics of statistics"
        },
        reference=SwitchNorm2d,
        examples=120,
    ),
    Row(
        "function",
        "batch_norm",
        batch_norm_functions(),
        Case(
            {"training": True, "momentum": 0.3, "eps": 1e-3},
            {
                "input": make.normal(5, 4, 3),
                "running_mean": make.normal(4),
                "running_var": make.positive(4),
                "weight": make.normal(4),
                "bias": make.normal(4),
            },
        ),
        calls(BATCH),
        constants=("running_mean", "running_var"),
        examples=120,
    ),
    Row(
        "function",
        "instance_norm",
        batch_norm_functions(instance=True),
        Case(
            {"momentum": 0.3, "eps": 1e-3},
            {
                "input": make.normal(5, 4, 3),
                "running_mean": make.normal(4),
                "running_var": make.positive(4),
                "weight": make.normal(4),
                "bias": make.normal(4),
            },
        ),
        calls(INSTANCE),
        constants=("running_mean", "running_var"),
        exceptions=EMPTY,
    ),
    Row(
        "function",
        "layer_norm",
        last_axes(mean=True, function=True),
        Case(
            {"normalized_shape": (4, 3), "eps": 1e-3},
            {"input": make.normal(5, 4, 3), "weight": make.normal(4, 3), "bias": make.normal(4, 3)},
        ),
        calls(LAYER),
    ),
    Row(
        "function",
        "rms_norm",
        last_axes(mean=False, function=True),
        Case({"normalized_shape": (4, 3)}, {"input": make.normal(5, 4, 3), "weight": make.normal(4, 3)}),
        calls(RMS),
    ),
    Row(
        "function",
        "group_norm",
        group_norms(function=True),
        Case(
            {"num_groups": 2, "eps": 1e-3},
            {"input": make.normal(3, 4, 2, 3), "weight": make.normal(4), "bias": make.normal(4)},
        ),
        calls(GROUP),
    ),
    Row(
        "function",
        "local_response_norm",
        responses(),
        Case({"size": 3, "alpha": 0.5}, {"input": make.normal(3, 4, 2, 3)}),
        calls(RESPONSE),
    ),
]
