"""Linear layers.

From book/chapters/03_linear_layers.md. Derived by `make notebooks`: do not edit.
"""

import itertools
import math
import operator
import warnings

import torch
from torch import nn


def linear_loops(input, weight, bias=None):
    """A linear layer by its definition, one multiplication at a time.

    input (*, in_features), weight (out_features, in_features), bias (out_features)
    or None -> (*, out_features).
    """
    *leading, in_features = input.shape
    out_features = weight.shape[0]
    dtype = torch.result_type(input, weight)
    output = input.new_zeros(*leading, out_features, dtype=dtype)
    for place in itertools.product(*map(range, leading)):  # one empty place if no axes
        for o in range(out_features):
            total = 0.0 if bias is None else bias[o]
            for i in range(in_features):
                total = total + weight[o, i] * input[(*place, i)]
            output[(*place, o)] = total
    return output


def linear_einsum(input, weight, bias=None):
    """`linear_loops` as one product; the dots are the leading axes."""
    output = torch.einsum("...i,oi->...o", input, weight)
    return output if bias is None else output + bias


def check_linear(input, weight, bias):
    """Raise RuntimeError or TypeError for what `torch.nn.functional.linear` refuses."""
    tensors = {"input": input, "weight": weight}
    if bias is not None:
        tensors["bias"] = bias
    for name, value in tensors.items():
        if not isinstance(value, torch.Tensor):
            raise TypeError(f"{name} must be a Tensor, not {type(value).__name__}")
    sizes = {name: list(tensor.shape) for name, tensor in tensors.items()}
    if input.dim() == 0:
        raise RuntimeError("input must be (*, in_features), but it has no axis at all")
    if weight.dim() not in (1, 2):
        raise RuntimeError(
            "weight must be (out_features, in_features) or (in_features), "
            f"but got {sizes['weight']}"
        )
    if input.shape[-1] != weight.shape[-1]:
        raise RuntimeError(
            f"weight of size {sizes['weight']} needs {weight.shape[-1]} input features "
            f"in the last axis, but the input has size {sizes['input']}"
        )
    if bias is not None:
        if weight.dim() == 1:
            raise RuntimeError("a weight of one axis takes no bias, but got a bias")
        output = sizes["input"][:-1] + [weight.shape[0]]
        pairs = zip(reversed(bias.shape), reversed(output))
        if bias.dim() > len(output) or any(b not in (1, size) for b, size in pairs):
            raise RuntimeError(f"bias {sizes['bias']} does not fit the output {output}")
    kind = input.device.type
    if torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind):
        return  # mixed precision brings all of them to one dtype
    for name, tensor in tensors.items():
        if tensor.dtype != weight.dtype:
            raise RuntimeError(
                f"weight is {weight.dtype}, but {name} is {tensor.dtype}"
            )


def linear(input, weight, bias=None):
    """Affine map of the last axis, the twin of `torch.nn.functional.linear`.

    input: (*, in_features), with any number of leading axes, also none.
    weight: (out_features, in_features), or (in_features) for one output without an
        axis of its own. bias: (out_features), (), or None.
    Returns (*, out_features), or (*) for a weight of one axis.
    Raises RuntimeError for sizes that do not fit or dtypes that differ, TypeError for
    what is no tensor.
    Source: the page of torch.nn.functional.linear in PyTorch's documentation.
    """
    check_linear(input, weight, bias)
    output = input @ weight.t()
    if bias is None:
        return output
    # In mixed precision (torch.autocast) the product is half precision: stay with that.
    return output + bias.to(output.dtype)


def linear_backward(grad_output, input, weight):
    """Gradients of `linear` with respect to input, weight and bias.

    grad_output: (*, out_features), the gradient of the loss with respect to the output.
    Returns tensors of shapes (*, in_features), (out_features, in_features) and
    (out_features).
    """
    grad_input = torch.einsum("...o,oi->...i", grad_output, weight)
    grad_weight = torch.einsum("...o,...i->oi", grad_output, input)
    grad_bias = torch.einsum("...o->o", grad_output)
    return grad_input, grad_weight, grad_bias


def whole_number(name, value):
    """`value` as an int; TypeError for floats, texts, bools and all that has axes."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    kind = str(getattr(value, "dtype", type(value)))
    if number is None or "bool" in kind or getattr(value, "ndim", 0):
        raise TypeError(f"{name} must be an int, but got {name}={value!r}")
    return number


class Linear(nn.Module):
    """Affine map of the last axis, the twin of `torch.nn.Linear`.

    Input (*, in_features), output (*, out_features), for any leading axes.
    Parameters: weight (out_features, in_features) and bias (out_features) or None;
        both start uniform between -1/sqrt(in_features) and 1/sqrt(in_features).
    Raises TypeError for sizes that are no ints and RuntimeError for negative ones, and
    when called on a size that does not fit.
    Source: the page of torch.nn.Linear in PyTorch's documentation.
    """

    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        for name, size in {"in": in_features, "out": out_features}.items():
            if not isinstance(size, bool):  # which torch takes for 0 or 1
                size = whole_number(f"{name}_features", size)
            if size < 0:
                raise RuntimeError(f"{name}_features must not be negative: {size}")
        self.in_features = in_features
        self.out_features = out_features
        factory = {"device": device, "dtype": dtype}
        self.weight = nn.Parameter(torch.empty((out_features, in_features), **factory))
        if bias:
            self.bias = nn.Parameter(torch.empty(out_features, **factory))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self):
        bound = 1 / math.sqrt(self.in_features) if self.in_features else 0.0
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.uniform_(-bound, bound)

    def forward(self, input):
        return linear(input, self.weight, self.bias)

    def extra_repr(self):
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


def relu(input, inplace=False):
    """max(input, 0) for each number, the twin of `torch.nn.functional.relu`.

    inplace: write into `input` itself. NaN stays NaN; the slope at 0 is 0.
    Raises TypeError for what is no tensor, NotImplementedError for bool and complex.
    Source: the page of torch.nn.functional.relu in PyTorch's documentation.
    """
    if not isinstance(input, torch.Tensor):
        raise TypeError(f"input must be a Tensor, not {type(input).__name__}")
    if input.dtype == torch.bool or input.is_complex():
        raise NotImplementedError(f"relu is not defined for an input of {input.dtype}")
    fill = input.masked_fill_ if inplace else input.masked_fill
    return fill(input <= 0, 0)


class ReLU(nn.Module):
    """max(input, 0) for each number, the twin of `torch.nn.ReLU`: (*) -> (*)."""

    def __init__(self, inplace=False):
        super().__init__()
        self.inplace = inplace

    def forward(self, input):
        return relu(input, self.inplace)

    def extra_repr(self):
        return "inplace=True" if self.inplace else ""


class Flatten(nn.Module):
    """Merge the axes start_dim ... end_dim, the twin of `torch.nn.Flatten`.

    By default (N, *) -> (N, product of *). Negative axes count from the end.
    Raises IndexError for an axis that is not there, RuntimeError when start_dim comes
    after end_dim, TypeError for axes that are no ints.
    Source: the page of torch.nn.Flatten in PyTorch's documentation.
    """

    def __init__(self, start_dim=1, end_dim=-1):
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input):
        axes = max(input.dim(), 1)  # a single number counts as a list of one
        ends = []
        for name in ("start_dim", "end_dim"):
            axis = whole_number(name, getattr(self, name))
            if not -axes <= axis < axes:
                raise IndexError(
                    f"{name}={axis} is out of range for an input {list(input.shape)}"
                )
            ends.append(axis % axes)
        first, last = ends
        if first > last:
            raise RuntimeError(
                f"start_dim={self.start_dim} comes after end_dim={self.end_dim} "
                f"in an input {list(input.shape)}"
            )
        merged = math.prod(input.shape[first : last + 1])
        return input.reshape(*input.shape[:first], merged, *input.shape[last + 1 :])

    def extra_repr(self):
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


def softmax_naive(input, dim):
    """Softmax by its definition. It overflows: use `softmax`."""
    powers = input.exp()
    return powers / powers.sum(dim, keepdim=True)


def softmax_arguments(name, input, dim, stacklevel, dtype):
    """`input` in the wanted dtype, and the axis, after the checks that torch makes."""
    if dim is None:
        warnings.warn(
            f"Implicit dimension choice for {name} has been deprecated. "
            "Change the call to include dim=X as an argument.",
            stacklevel=stacklevel,
        )
        dim = 0 if input.dim() in (0, 1, 3) else 1
    dim = whole_number("dim", dim)
    if dtype is not None:
        if not isinstance(dtype, torch.dtype):
            raise TypeError(f"dtype must be a torch.dtype, but got dtype={dtype!r}")
        input = input.to(dtype)
    if not input.is_floating_point():
        raise NotImplementedError(f"{name} needs floating point, not {input.dtype}")
    axes = max(input.dim(), 1)  # a single number counts as a list of one
    if not -axes <= dim < axes:
        raise IndexError(f"dim={dim} is out of range for an input {list(input.shape)}")
    return input, dim


def softmax(input, dim=None, _stacklevel=3, dtype=None):
    """Softmax along `dim`, the twin of `torch.nn.functional.softmax`: (*) -> (*).

    dim: the axis that will add up to 1. None warns, and takes axis 0 of inputs with
        0, 1 or 3 axes and axis 1 of others, as torch does.
    dtype: the dtype to compute in and to return, by default that of the input.
    _stacklevel: how many calls up the warning points; torch's modules set it.
    Raises IndexError for an axis that is not there, TypeError for one that is no int,
    NotImplementedError for whole numbers.
    Source: the page of torch.nn.functional.softmax in PyTorch's documentation.
    """
    input, dim = softmax_arguments("softmax", input, dim, _stacklevel, dtype)
    if input.numel() == 0:
        return input.clone()  # nothing to normalize, and no maximum
    powers = (input - input.detach().amax(dim, keepdim=True)).exp()
    return powers / powers.sum(dim, keepdim=True)


def log_softmax(input, dim=None, _stacklevel=3, dtype=None):
    """Logarithm of softmax, the twin of `torch.nn.functional.log_softmax`: (*) -> (*).

    Arguments and errors are those of `softmax`.
    Source: the page of torch.nn.functional.log_softmax in PyTorch's documentation.
    """
    input, dim = softmax_arguments("log_softmax", input, dim, _stacklevel, dtype)
    if input.numel() == 0:
        return input.clone()
    shifted = input - input.detach().amax(dim, keepdim=True)
    return shifted - shifted.exp().sum(dim, keepdim=True).log()


def softmax_backward(grad_output, output, dim):
    """Gradient of `softmax` with respect to its input, from its output."""
    mean = (grad_output * output).sum(dim, keepdim=True)
    return output * (grad_output - mean)


def log_softmax_backward(grad_output, output, dim):
    """Gradient of `log_softmax` with respect to its input, from its output."""
    return grad_output - output.exp() * grad_output.sum(dim, keepdim=True)


class Softmax(nn.Module):
    """Softmax along `dim`, the twin of `torch.nn.Softmax`: (*) -> (*)."""

    def __init__(self, dim=None):
        super().__init__()
        if dim is not None and (not isinstance(dim, int) or isinstance(dim, bool)):
            raise TypeError(f"dim must be an int or None, but got dim={dim!r}")
        self.dim = dim

    def forward(self, input):
        return softmax(input, self.dim, _stacklevel=5)

    def extra_repr(self):
        return f"dim={self.dim}"


class LogSoftmax(nn.Module):
    """Logarithm of softmax, the twin of `torch.nn.LogSoftmax`: (*) -> (*)."""

    def __init__(self, dim=None):
        super().__init__()
        if dim is not None and (not isinstance(dim, int) or isinstance(dim, bool)):
            raise TypeError(f"dim must be an int or None, but got dim={dim!r}")
        self.dim = dim

    def forward(self, input):
        return log_softmax(input, self.dim, _stacklevel=5)

    def extra_repr(self):
        return f"dim={self.dim}"


def cross_entropy_loops(
    input, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0
):
    """Cross-entropy by its definition: input (N, C), target (N) of class numbers."""
    N, C = input.shape
    weight = [1.0] * C if weight is None else weight.tolist()
    losses, counts = [], []
    for n in range(N):
        right = int(target[n])
        if right == ignore_index:
            losses.append(0.0)
            counts.append(0.0)
            continue
        scores = input[n].tolist()
        top = max(scores)
        log_total = top + math.log(sum(math.exp(score - top) for score in scores))
        of_class = [weight[c] * (log_total - scores[c]) for c in range(C)]
        smooth = label_smoothing / C * sum(of_class)
        losses.append((1 - label_smoothing) * of_class[right] + smooth)
        counts.append(weight[right])
    if reduction == "none":
        return torch.tensor(losses)
    if reduction == "sum":
        return torch.tensor(sum(losses))
    return torch.tensor(sum(losses) / sum(counts) if sum(counts) else math.nan)


def reduction_name(size_average, reduce, reduction):
    """The reduction that is asked for; the two old arguments win, with a warning."""
    if size_average is not None or reduce is not None:
        if reduce is not None and not reduce:
            reduction = "none"
        else:
            reduction = "mean" if size_average is None or size_average else "sum"
        warnings.warn(
            "size_average and reduce args will be deprecated, "
            f"please use reduction='{reduction}' instead.",
            stacklevel=3,
        )
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(
            f"reduction must be 'none', 'mean' or 'sum', but got {reduction!r}"
        )
    return reduction


def reduced(losses, count, reduction):
    """`losses` as they are, their sum, or their sum divided by `count`."""
    if reduction == "none":
        return losses
    return losses.sum() if reduction == "sum" else losses.sum() / count


def check_loss(input, target, weight, ignore_index):
    """Raise for what torch's nll_loss and cross_entropy refuse of class numbers."""
    tensors = {"input": input, "target": target}
    if weight is not None:
        tensors["weight"] = weight
    for name, value in tensors.items():
        if not isinstance(value, torch.Tensor):
            raise TypeError(f"{name} must be a Tensor, not {type(value).__name__}")
    whole_number("ignore_index", ignore_index)


def check_weight(weight, classes):
    """Raise RuntimeError unless `weight` holds one number for each class."""
    if weight.shape != (classes,):
        raise RuntimeError(
            f"weight must hold one number for each of the {classes} classes, "
            f"but got {list(weight.shape)}"
        )


def check_classes(input, target, weight):
    """Raise for class numbers of a wrong shape or dtype, and for a wrong weight."""
    sizes = f"an input {list(input.shape)} and a target {list(target.shape)}"
    if input.dim() == 0:
        raise ValueError(f"the input needs a class axis, but got {sizes}")
    if input.dim() == 1:
        if target.dim() > 1:
            raise RuntimeError(f"an input (C) needs a target (), but got {sizes}")
        if target.numel() != 1:
            raise ValueError(f"an input (C) needs one target, but got {sizes}")
    elif target.dim() == 0 or target.shape[0] != input.shape[0]:
        raise ValueError(f"input and target must be equally many, but got {sizes}")
    elif target.shape[1:] != input.shape[2:]:
        raise RuntimeError(
            f"an input (N, C, *) needs class numbers (N, *), but got {sizes}"
        )
    if not input.is_floating_point():
        raise NotImplementedError(f"input must be floating point, not {input.dtype}")
    allowed = [torch.int64] if input.dim() > 2 else [torch.int64, torch.uint8]
    if target.dtype not in allowed:
        raise RuntimeError(
            f"target must hold class numbers in {' or '.join(map(str, allowed))}, "
            f"but is {target.dtype}"
        )
    if weight is None:
        return
    check_weight(weight, input.shape[0] if input.dim() == 1 else input.shape[1])
    if weight.dtype != input.dtype:
        raise RuntimeError(f"input is {input.dtype}, but weight is {weight.dtype}")
    if weight.requires_grad and torch.is_grad_enabled():
        raise RuntimeError("weight must not require a gradient: it is not learned")


def nll_terms(log_p, target, weight, ignore_index):
    """Unreduced losses, how much each counts in a mean, and which are ignored."""
    check_classes(log_p, target, weight)
    axis = 0 if log_p.dim() == 1 else 1
    classes = log_p.shape[axis]
    target = target.long()
    if log_p.dim() == 1:
        target = target.reshape(())
    ignored = target == ignore_index
    target = target.masked_fill(ignored, 0)  # any class will do: it will not count
    outside = (target < 0) | (target >= classes)
    # On a GPU torch would end the process's use of it. "meta" tensors hold no numbers.
    if not outside.is_meta and outside.any():
        wrong = target[outside][0].item()
        raise IndexError(f"target {wrong} is out of bounds for {classes} classes")

    losses = -log_p.gather(axis, target.unsqueeze(axis)).squeeze(axis)
    counts = torch.ones_like(losses) if weight is None else weight[target]
    losses = (losses * counts).masked_fill(ignored, 0)
    return losses, counts.masked_fill(ignored, 0), ignored


def nll_loss(
    input,
    target,
    weight=None,
    size_average=None,
    ignore_index=-100,
    reduce=None,
    reduction="mean",
):
    """Negative log likelihood, the twin of `torch.nn.functional.nll_loss`.

    input: logarithms of probabilities, (C), (N, C) or (N, C, d1, d2, ...).
    target: class numbers 0 ... C - 1 in int64, (), (N) or (N, d1, d2, ...); without
        positions d1, d2, ... also in uint8.
    weight: (C) or None, in the dtype of the input.
    reduction: 'none', 'sum', or 'mean', which divides by the sum of the weights of the
        targets; targets equal to ignore_index do not count, and without any that
        count the mean is nan. size_average, reduce: deprecated.
    Raises ValueError, RuntimeError or TypeError for shapes, dtypes and names that do
    not fit, IndexError for a target that is no class (which it has to look for: on an
    accelerator that waits for the device).
    Source: the page of torch.nn.functional.nll_loss in PyTorch's documentation.
    """
    reduction = reduction_name(size_average, reduce, reduction)
    check_loss(input, target, weight, ignore_index)
    losses, counts, _ = nll_terms(input, target, weight, ignore_index)
    return reduced(losses, counts.sum(), reduction)


def cross_entropy(
    input,
    target,
    weight=None,
    size_average=None,
    ignore_index=-100,
    reduce=None,
    reduction="mean",
    label_smoothing=0.0,
):
    """Cross-entropy of logits, the twin of `torch.nn.functional.cross_entropy`.

    input: logits, (C), (N, C) or (N, C, d1, d2, ...).
    target: class numbers as for `nll_loss`, or probabilities, floating point in the
        shape of the input (then ignore_index must be negative, and the mean divides by
        the number of targets: samples times positions).
    label_smoothing: from 0 to 1, how much of the target is spread over all classes.
    weight, ignore_index, reduction and errors are as for `nll_loss`.
    Source: the page of torch.nn.functional.cross_entropy in PyTorch's documentation.
    """
    reduction = reduction_name(size_average, reduce, reduction)
    check_loss(input, target, weight, ignore_index)
    if not hasattr(label_smoothing, "__float__"):
        raise TypeError(f"label_smoothing must be a float, but got {label_smoothing!r}")
    if label_smoothing > 1:
        raise RuntimeError(f"label_smoothing must be 0 to 1, but got {label_smoothing}")
    smooth = max(float(label_smoothing), 0.0)

    probabilities = input.shape == target.shape
    if probabilities and not target.is_floating_point():
        raise RuntimeError(f"probabilities must be floating point, not {target.dtype}")
    if probabilities and ignore_index >= 0:
        raise RuntimeError(
            f"ignore_index={ignore_index} has no meaning for a target of probabilities"
        )
    axis = 0 if input.dim() == 1 else 1
    log_p = log_softmax(input, axis)
    classes = input.shape[axis]

    def weighted():
        if weight is None:
            return log_p
        positions = [1] * (input.dim() - 1 - axis)  # one axis of size 1 for each
        return log_p * weight.view(-1, *positions)  # (C, 1, ...)

    if probabilities:
        if weight is not None:
            check_weight(weight, classes)
        if smooth > 0:
            target = (1 - smooth) * target + smooth / classes
        losses = -(target * weighted()).sum(axis)
        return reduced(losses, losses.numel(), reduction)

    losses, counts, ignored = nll_terms(log_p, target, weight, ignore_index)
    if smooth > 0:
        of_all = -weighted().sum(axis).masked_fill(ignored, 0)
        losses = (1 - smooth) * losses + smooth / classes * of_all
    return reduced(losses, counts.sum(), reduction)


def cross_entropy_backward(input, target, weight=None, ignore_index=-100):
    """Gradient of `cross_entropy` (mean) with respect to logits (N, C).

    target: (N) class numbers. weight: (C) or None.
    """
    target = target.long()
    ignored = target == ignore_index  # (N)
    target = target.masked_fill(ignored, 0)
    counts = (~ignored).to(input.dtype)
    if weight is not None:
        counts = counts * weight[target]
    wanted = torch.zeros_like(input).scatter(1, target[:, None], 1.0)  # one-hot
    grad = (softmax(input, 1) - wanted) * (counts / counts.sum())[:, None]
    return grad.masked_fill(ignored[:, None], 0)  # also where all are, and 0 / 0 is nan


class CrossEntropyLoss(nn.Module):
    """Cross-entropy of logits, the twin of `torch.nn.CrossEntropyLoss`.

    Called as loss(input, target). `weight` is a buffer: it moves with the module and is
    saved, but is not trained. Shapes and errors are those of `cross_entropy`.
    """

    def __init__(
        self,
        weight=None,
        size_average=None,
        ignore_index=-100,
        reduce=None,
        reduction="mean",
        label_smoothing=0.0,
    ):
        super().__init__()
        if size_average is not None or reduce is not None:
            reduction = reduction_name(size_average, reduce, reduction)
        self.reduction = reduction
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input, target):
        return cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


def mse_loss(
    input, target, size_average=None, reduce=None, reduction="mean", weight=None
):
    """Squared difference, the twin of `torch.nn.functional.mse_loss`: (*), (*) -> ().

    weight: numbers in the shape of the input, or None; 'mean' divides by their sum.
    Shapes that differ are broadcast, with a warning. size_average, reduce: deprecated.
    Raises ValueError for another reduction or a weight of another shape, RuntimeError
    for shapes that cannot be broadcast, NotImplementedError for whole numbers.
    Source: the page of torch.nn.functional.mse_loss in PyTorch's documentation.
    """
    if target.size() != input.size():
        warnings.warn(
            f"Using a target size ({target.size()}) that is different to the input "
            f"size ({input.size()}). This will likely lead to incorrect results due "
            "to broadcasting. Please ensure they have the same size.",
            stacklevel=2,
        )
    reduction = reduction_name(size_average, reduce, reduction)
    dtype = torch.result_type(input, target)
    if weight is None and not dtype.is_floating_point:
        raise NotImplementedError(
            f"mse_loss needs floating point, not {input.dtype} and {target.dtype}"
        )
    losses = (input.to(dtype) - target.to(dtype)).square()
    if weight is None:
        if reduction == "mean":
            return losses.mean()  # in half precision the sum could overflow
        return reduced(losses, losses.numel(), reduction)
    if weight.size() != input.size():
        raise ValueError(
            f"weight must have the shape of the input, {list(input.shape)}, "
            f"but got {list(weight.shape)}"
        )
    return reduced(losses * weight, weight.sum(), reduction)


class MSELoss(nn.Module):
    """Squared difference, the twin of `torch.nn.MSELoss`: loss(input, target)."""

    def __init__(self, size_average=None, reduce=None, reduction="mean"):
        super().__init__()
        if size_average is not None or reduce is not None:
            reduction = reduction_name(size_average, reduce, reduction)
        self.reduction = reduction

    def forward(self, input, target):
        return mse_loss(input, target, reduction=self.reduction)
