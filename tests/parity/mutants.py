"""Wrong versions of scratch, each by one edit of its text, and the rows of the table that must find it."""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.parity.case import PLACES

FOLDER = Path(__file__).parents[2] / "scratch"


@dataclass(frozen=True)
class Mutant:
    """One edit: `old`, which stands once in the module, becomes `new`."""

    module: str
    says: str
    row: str
    old: str
    new: str


@contextmanager
def standing_in(module: str, old: str, new: str) -> Iterator[None]:
    """Let the edited module stand in the place of scratch's for a while."""
    path = FOLDER / f"{module}.py"
    source = path.read_text(encoding="utf-8")
    if (found := source.count(old)) != 1:
        raise LookupError(f"scratch/{path.name} holds {old!r} {found} times, and not once: renew this mutant")
    name = f"scratch.{module}"
    original = importlib.import_module(name)
    edited = types.ModuleType(name)
    edited.__file__ = str(path)
    exec(compile(source.replace(old, new), str(path), "exec"), edited.__dict__)
    places = [importlib.import_module(f"scratch.{place}") for place in sorted(set(PLACES.values()))]
    taken = [
        (place, exported)
        for place in places
        for exported in place.__all__
        if getattr(place, exported) is getattr(original, exported, None)
    ]
    try:
        sys.modules[name] = edited  # pickle looks there
        for place, exported in taken:
            setattr(place, exported, getattr(edited, exported))
        yield
    finally:
        sys.modules[name] = original
        for place, exported in taken:
            setattr(place, exported, getattr(original, exported))


LINEAR, ONE, TWO, FAST = "linear_layers", "convolution_1d", "convolution_2d", "fast_convolution"
PADDING, POOLING, BATCH, FAMILY = "padding", "pooling_and_dropout", "batch_normalization", "normalization_family"
TRAINING = "training_loop"
MUTANTS = [
    Mutant(LINEAR, "no bias", "nn.Linear", "return output + bias.to(output.dtype)", "return output"),
    Mutant(
        LINEAR, "detach", "functional.linear", "output = input @ weight.t()", "output = input @ weight.detach().t()"
    ),
    Mutant(
        LINEAR,
        "first numbers too large",
        "nn.Linear",
        "bound = 1 / math.sqrt(self.in_features)",
        "bound = 2 / math.sqrt(self.in_features)",
    ),
    Mutant(
        LINEAR,
        "the bias is always there",
        "nn.Linear",
        "        if bias:\n            self.bias",
        "        if True:\n            self.bias",
    ),
    Mutant(
        LINEAR,
        "another error",
        "functional.linear",
        'raise RuntimeError("input must be (*, in_features), but it',
        'raise ValueError("input must be (*, in_features), but it',
    ),
    Mutant(LINEAR, "the slope at 0 is 1", "nn.ReLU", "return fill(input <= 0, 0)", "return fill(input < 0, 0)"),
    Mutant(
        LINEAR,
        "never in place",
        "nn.ReLU",
        "fill = input.masked_fill_ if inplace else",
        "fill = input.masked_fill if inplace else",
    ),
    Mutant(
        LINEAR,
        "flatten one axis too few",
        "nn.Flatten",
        "def __init__(self, start_dim=1, end_dim=-1):",
        "def __init__(self, start_dim=1, end_dim=-2):",
    ),
    Mutant(
        LINEAR,
        "softmax overflows",
        "functional.softmax",
        "powers = (input - input.detach().amax(dim, keepdim=True)).exp()",
        "powers = input.exp()",
    ),
    Mutant(
        LINEAR,
        "softmax along another axis",
        "nn.Softmax",
        "return powers / powers.sum(dim, keepdim=True)\n\n\ndef log_softmax(",
        "return powers / powers.sum(-1, keepdim=True)\n\n\ndef log_softmax(",
    ),
    Mutant(
        LINEAR,
        "log_softmax of the detached maximum alone",
        "nn.LogSoftmax",
        "shifted = input - input.detach().amax(dim, keepdim=True)",
        "shifted = input.detach() - input.amax(dim, keepdim=True)",
    ),
    Mutant(
        LINEAR,
        "mean over all targets",
        "nn.CrossEntropyLoss",
        "counts = torch.ones_like(losses) if weight is None else weight[target]",
        "counts = torch.ones_like(losses)",
    ),
    Mutant(
        LINEAR,
        "ignored targets count",
        "functional.nll_loss",
        "return losses, counts.masked_fill(ignored, 0), ignored",
        "return losses, counts, ignored",
    ),
    Mutant(
        LINEAR,
        "smoothing over one class less",
        "functional.cross_entropy",
        "smooth / classes * of_all",
        "smooth / (classes - 1) * of_all",
    ),
    Mutant(LINEAR, "sum for mean", "nn.MSELoss", "return losses.mean()", "return losses.sum()"),
    Mutant(
        LINEAR,
        "weight not a buffer",
        "nn.CrossEntropyLoss",
        'self.register_buffer("weight", weight)',
        "self.weight = weight",
    ),
    Mutant(
        ONE,
        "forget dilation",
        "nn.Conv1d",
        "return input.unfold(-1, span, stride)[..., ::dilation]",
        "return input.unfold(-1, span, stride)[..., :kernel_size]",
    ),
    Mutant(
        ONE,
        "odd 'same' on the left",
        "functional.conv1d",
        "return total // 2, total - total // 2",
        "return total - total // 2, total // 2",
    ),
    Mutant(
        ONE,
        "groups interleaved",
        "functional.conv1d",
        'output = rearrange(output, "n G o l -> n (G o) l")',
        'output = rearrange(output, "n G o l -> n (o G) l")',
    ),
    Mutant(
        ONE,
        "padding_mode ignored",
        "nn.Conv1d",
        'if self.padding_mode != "zeros":\n            ints',
        "if False:\n            ints",
    ),
    Mutant(
        ONE,
        "fan-in forgets the groups",
        "nn.Conv1d",
        "fan_in = self.kernel_size[0] * self.in_channels // self.groups",
        "fan_in = self.kernel_size[0] * self.in_channels",
    ),
    Mutant(ONE, "repr without groups", "nn.Conv1d", '            "groups": (self.groups, 1),\n', ""),
    Mutant(
        TWO,
        "rows and columns swapped",
        "functional.conv2d",
        "tap, kernel = image[:, rows, columns], kernels[u, v]",
        "tap, kernel = image[:, rows, columns], kernels[-1 - u, v]",
    ),
    Mutant(
        TWO,
        "wrong dtype",
        "nn.Conv2d",
        "output = output.permute(0, 3, 1, 2).to(input.dtype)",
        "output = output.permute(0, 3, 1, 2)",
    ),
    Mutant(
        TWO,
        "the default stride is 2",
        "functional.conv2d",
        "def conv2d(input, weight, bias=None, stride=1,",
        "def conv2d(input, weight, bias=None, stride=2,",
    ),
    Mutant(
        TWO,
        "'same' of the height only",
        "functional.conv2d",
        "return tuple(side for t in total for side in (t // 2, t - t // 2))",
        "return tuple(side for t in total for side in (total[0] // 2, total[0] - total[0] // 2))",
    ),
    Mutant(
        TWO,
        "stamps overwrite",
        "nn.ConvTranspose2d",
        "canvas[:, rows, columns] += stamps.flatten(-2)",
        "canvas[:, rows, columns] = stamps.flatten(-2)",
    ),
    Mutant(
        TWO,
        "output_padding cut off",
        "functional.conv_transpose2d",
        "full.append((L - 1) * s + d * (K - 1) + 1 + e)",
        "full.append((L - 1) * s + d * (K - 1) + 1)",
    ),
    Mutant(
        TWO,
        "the bias twice",
        "functional.conv_transpose2d",
        "as_input(output if bias is None else output + bias.to(output.dtype), input)",
        "as_input(output if bias is None else output + 2 * bias.to(output.dtype), input)",
    ),
    Mutant(
        TWO,
        "ValueError for RuntimeError",
        "functional.conv2d",
        'raise RuntimeError(f"{name} must be positive, but got {name}={value!r}")',
        'raise ValueError(f"{name} must be positive, but got {name}={value!r}")',
    ),
    Mutant(
        FAST,
        "channels last in the columns",
        "nn.Unfold",
        '"n c h v i j -> n (c i j) (h v)"',
        '"n c h v i j -> n (i j c) (h v)"',
    ),
    Mutant(
        FAST,
        "overlaps overwrite",
        "nn.Fold",
        "padded[:, :, rows, columns] += taps[i, j]",
        "padded[:, :, rows, columns] = taps[i, j]",
    ),
    Mutant(
        FAST, "stride of the other axis", "functional.unfold", ".unfold(3, spans[1], s_w)", ".unfold(3, spans[1], s_h)"
    ),
    Mutant(
        PADDING,
        "reflect repeats the border",
        "nn.ReflectionPad1d",
        "return last - (last - position.abs()).abs()",
        "return last - (last - (position - (position < 0).long()).abs()).abs()",
    ),
    Mutant(
        PADDING,
        "the first axis first",
        "functional.pad",
        "return [(dim - 1 - i, pad[2 * i], pad[2 * i + 1]) for i in range(len(pad) // 2)]",
        "return [(dim - len(pad) // 2 + i, pad[2 * i], pad[2 * i + 1]) for i in range(len(pad) // 2)]",
    ),
    Mutant(
        PADDING,
        "the value is lost",
        "nn.ConstantPad2d",
        "return pad(input, self.padding, self.mode, self.value)",
        "return pad(input, self.padding, self.mode, 0.0)",
    ),
    Mutant(
        PADDING,
        "a ring of the whole row after a crop",
        "nn.CircularPad1d",
        "ring = length - first - max(-right, 0)",
        "ring = length",
    ),
    Mutant(
        PADDING,
        "too wide a mirror",
        "functional.pad",
        'if mode == "reflect" and max(left, right) >= length:',
        'if mode == "reflect" and max(left, right) > length:',
    ),
    Mutant(
        PADDING,
        "replicate wraps round",
        "nn.ReplicationPad2d",
        "return position.clamp(0, length - 1)",
        "return position.remainder(length)",
    ),
    Mutant(
        POOLING,
        "ceil_mode ignored",
        "nn.MaxPool1d",
        "windows = (-(-room // stride) if ceil_mode else room // stride) + 1",
        "windows = room // stride + 1",
    ),
    Mutant(
        POOLING,
        "a window in the padding on the right",
        "functional.avg_pool1d",
        "if ceil_mode and (windows - 1) * stride >= length + padding:",
        "if False:",
    ),
    Mutant(
        POOLING,
        "of equal numbers the last",
        "functional.max_pool2d",
        "wins = inside & (~seen | (value > best) | (value != value))",
        "wins = inside & (~seen | (value >= best) | (value != value))",
    ),
    Mutant(
        POOLING, "NaN does not win", "functional.max_pool1d", "(value > best) | (value != value))", "(value > best))"
    ),
    Mutant(
        POOLING,
        "indices of columns first",
        "nn.MaxPool2d",
        "place = (row * W + column).flatten()",
        "place = (column * H + row).flatten()",
    ),
    Mutant(
        POOLING,
        "padding not counted",
        "nn.AvgPool2d",
        "margins = pad if count_include_pad else (0, 0)",
        "margins = (0, 0)",
    ),
    Mutant(
        POOLING,
        "divisor_override ignored",
        "functional.avg_pool2d",
        "return average(input, *tables, divisor)\n",
        "return average(input, *tables, window_areas(tables, lengths, pad))\n",
    ),
    Mutant(
        POOLING,
        "windows that do not overlap",
        "nn.AdaptiveAvgPool2d",
        "ends = -(-(i + 1) * length // max(windows, 1))",
        "ends = (i + 1) * length // max(windows, 1)",
    ),
    Mutant(
        POOLING,
        "kept numbers not scaled",
        "nn.Dropout",
        "noise.bernoulli_(1 - p).div_(1 - p)",
        "noise.bernoulli_(1 - p)",
    ),
    Mutant(
        POOLING,
        "p is what stays",
        "functional.dropout",
        "noise.bernoulli_(1 - p).div_(1 - p)",
        "noise.bernoulli_(p).div_(1 - p)",
    ),
    Mutant(
        POOLING,
        "drops in evaluation",
        "nn.Dropout1d",
        "return dropout1d(input, self.p, self.training, self.inplace)",
        "return dropout1d(input, self.p, True, self.inplace)",
    ),
    Mutant(
        POOLING,
        "single numbers for channels",
        "nn.Dropout2d",
        "return input.new_empty(*input.shape[:2], *[1] * (input.dim() - 2))",
        "return torch.empty_like(input)",
    ),
    Mutant(
        BATCH, "drop eps", "nn.BatchNorm1d", "scale = torch.rsqrt(var + eps)  # one", "scale = torch.rsqrt(var)  # one"
    ),
    Mutant(
        BATCH,
        "unbiased variance in the output",
        "nn.BatchNorm2d",
        "var = centred.square().sum(axes, keepdim=True) / count\n    return centred, mean, var",
        "var = centred.square().sum(axes, keepdim=True) / max(count - 1, 1)\n    return centred, mean, var",
    ),
    Mutant(
        BATCH,
        "biased variance in the estimate",
        "functional.batch_norm",
        "unbiased = var * (values / (values - 1))",
        "unbiased = var",
    ),
    Mutant(
        BATCH,
        "momentum the other way round",
        "nn.BatchNorm3d",
        "running.copy_((1 - momentum) * old + momentum * new.reshape(-1))",
        "running.copy_(momentum * old + (1 - momentum) * new.reshape(-1))",
    ),
    Mutant(BATCH, "batches not counted", "nn.BatchNorm2d", "self.num_batches_tracked.add_(1)", "pass"),
    Mutant(
        BATCH,
        "no gradient through the mean",
        "functional.batch_norm",
        "centred = input - mean\n",
        "centred = input - mean.detach()\n",
    ),
    Mutant(
        BATCH,
        "no running_var in the state",
        "nn.BatchNorm1d",
        '            "running_var": torch.ones(num_features, **factory),\n            "num',
        '            "running_variance": torch.ones(num_features, **factory),\n            "num',
    ),
    Mutant(
        BATCH,
        "statistics of the batch in evaluation",
        "nn.BatchNorm1d",
        "by_batch = self.training or",
        "by_batch = True or",
    ),
    Mutant(
        BATCH,
        "wrong dtype",
        "nn.BatchNorm2d",
        "return normalize(centred, var, weight, bias, eps).to(input.dtype)",
        "return normalize(centred, var, weight, bias, eps)",
    ),
    Mutant(
        BATCH,
        "variance as a difference of squares",
        "nn.BatchNorm1d",
        "var = centred.square().sum(axes, keepdim=True) / count\n    return centred, mean, var",
        "var = input.square().sum(axes, keepdim=True) / count - mean.square()\n    return centred, mean, var",
    ),
    Mutant(
        FAMILY,
        "drop eps",
        "nn.LayerNorm",
        "return centred * torch.rsqrt(variance + eps)",
        "return centred * torch.rsqrt(variance)",
    ),
    Mutant(
        FAMILY,
        "rms of the centred numbers",
        "nn.RMSNorm",
        "mean_square = wide.square().mean(dim=axes, keepdim=True)",
        "mean_square = (wide - wide.mean(dim=axes, keepdim=True)).square().mean(dim=axes, keepdim=True)",
    ),
    Mutant(
        FAMILY,
        "the machine's epsilon of the input",
        "functional.rms_norm",
        "eps = torch.finfo(wide.dtype).eps",
        "eps = 1e-5",
    ),
    Mutant(
        FAMILY,
        "one group",
        "nn.GroupNorm",
        "input.shape[0], num_groups, math.prod(input.shape[1:]) // num_groups",
        "input.shape[0], 1, math.prod(input.shape[1:])",
    ),
    Mutant(
        FAMILY,
        "instance estimates not moved",
        "nn.InstanceNorm2d",
        "running.mul_(1 - momentum).add_(momentum * new.mean(dim=0).to(running.dtype))",
        "pass",
    ),
    Mutant(
        FAMILY,
        "weight and bias swapped",
        "nn.InstanceNorm1d",
        'for name, wanted in {"weight": weight, "bias": weight and bias}.items():',
        'for name, wanted in {"bias": weight and bias, "weight": weight}.items():',
    ),
    Mutant(
        FAMILY,
        "the window of channels to the left",
        "nn.LocalResponseNorm",
        "channel_windows(input.square(), size // 2, (size - 1) // 2)",
        "channel_windows(input.square(), (size - 1) // 2, size // 2)",
    ),
    Mutant(
        FAMILY,
        "alpha not divided",
        "functional.local_response_norm",
        "(k + alpha / size * squares)",
        "(k + alpha * squares)",
    ),
    Mutant(
        FAMILY,
        "one mixture for both",
        "nn.SwitchNorm2d",
        "normal = input - mix(self.mean_weight, means)",
        "normal = input - mix(self.var_weight, means)",
    ),
    Mutant(
        FAMILY,
        "spread of the means forgotten",
        "nn.SwitchNorm2d",
        "return pooled, variance.mean(dim=axis, keepdim=True) + spread",
        "return pooled, variance.mean(dim=axis, keepdim=True)",
    ),
    Mutant(
        TRAINING,
        "the first gradient is dampened",
        "optim.SGD",
        "velocity = grad.detach().clone()\n",
        'velocity = grad.detach() * (1 - group["dampening"])\n',
    ),
    Mutant(
        TRAINING,
        "Nesterov forgotten",
        "optim.SGD",
        'grad.add(velocity, alpha=momentum) if group["nesterov"] else velocity',
        "velocity",
    ),
    Mutant(
        TRAINING,
        "no bias correction",
        "optim.Adam",
        'root = (square.sqrt() / (1 - beta2**t) ** 0.5).add_(group["eps"])',
        'root = square.sqrt().add_(group["eps"])',
    ),
    Mutant(
        TRAINING,
        "eps under the root",
        "optim.Adam",
        'root = (square.sqrt() / (1 - beta2**t) ** 0.5).add_(group["eps"])',
        'root = ((square + group["eps"]).sqrt() / (1 - beta2**t) ** 0.5)',
    ),
    Mutant(
        TRAINING,
        "decay in the gradient",
        "optim.AdamW",
        "fused=fused, decoupled_weight_decay=True,",
        "fused=fused, decoupled_weight_decay=False,",
    ),
    Mutant(
        TRAINING,
        "the largest square forgotten",
        "optim.Adam",
        "square = largest[0].copy_(torch.maximum(largest[0], square))",
        "largest[0].copy_(torch.maximum(largest[0], square))",
    ),
    Mutant(
        TRAINING,
        "another default",
        "optim.AdamW",
        "betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2,",
        "betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-3,",
    ),
    Mutant(
        "data_parallel",
        "half precision comes back in single",
        "nn.SyncBatchNorm",
        "return output.to(input.dtype)\n\n    @classmethod",
        "return output\n\n    @classmethod",
    ),
    Mutant(
        "data_parallel",
        "eps forgotten in evaluation",
        "nn.SyncBatchNorm",
        "normalized = (x - mean) * torch.rsqrt(var + self.eps)",
        "normalized = (x - mean) * torch.rsqrt(var)",
    ),
]
