"""Rearranging.

From book/chapters/02_rearranging.md. Derived by `make notebooks`: do not edit.
"""

import functools
import itertools
import math
import operator
import re

import torch
from einops import EinopsError
from torch import nn


def read_side(text, side):
    """One side of a pattern as a tuple of groups, each a tuple of axis names.

    "b (h w) 1" gives (("b",), ("h", "w"), ()); dots outside brackets stay "...".
    Two numbers are two axes even when they are equal: each gets a name of its own,
    made of the number, the side and a count.
    Raises EinopsError for brackets and names that make no sense.
    """
    groups, group, seen = [], None, []
    for token in re.findall(r"[()]|[^() ]+", text):
        if token == "(":
            if group is not None:
                raise EinopsError(f"brackets inside brackets in {text!r}")
            group = []
        elif token == ")":
            if group is None:
                raise EinopsError(f"a bracket closes that did not open in {text!r}")
            groups.append(tuple(group))
            group = None
        elif token.isdecimal() and int(token) == 1:
            if group is None:
                groups.append(())
        else:
            if token.isdecimal() and int(token) > 1:
                token = f"{token} ({side} {len(seen)})"
            elif not is_name(token):
                raise EinopsError(f"{token!r} is no name of an axis, in {text!r}")
            if token in seen:
                raise EinopsError(f"axis {token!r} stands twice in {text!r}")
            seen.append(token)
            if group is not None:
                group.append(token)
            else:
                groups.append(token if token == "..." else (token,))
    if group is not None:
        raise EinopsError(f"a bracket does not close in {text!r}")
    return tuple(groups)


def is_name(token):
    """Whether einops takes it: dots, or a Python name with no underscore at an end."""
    return token == "..." or (token.isidentifier() and token.strip("_") == token)


REDUCTIONS = ("min", "max", "sum", "mean", "prod", "any", "all")


@functools.lru_cache(256)
def read_pattern(pattern, operation, given=()):
    """Both sides of a pattern, as `read_side` gives them, checked against each other.

    operation: 'rearrange', 'repeat', a name in REDUCTIONS, or a function.
    given: the names of the axes whose sizes are given.
    Raises ValueError without exactly one arrow, EinopsError for all else.
    """
    if pattern.count("->") != 1:
        raise ValueError(f"a pattern has one arrow '->', but got {pattern!r}")
    texts = pattern.split("->")
    left, right = (read_side(*pair) for pair in zip(texts, ("left", "right")))
    before = set(itertools.chain(*map(names, left)))
    after = set(itertools.chain(*map(names, right)))
    gone, new, known = sorted(before - after), sorted(after - before), {*given}
    numbers = {axis for axis in before | after if axis[0].isdigit()}

    if "..." in new:
        raise EinopsError(f"'...' stands on the right only in {pattern!r}")
    if "..." in before and "..." not in left:
        raise EinopsError(f"'...' stands in brackets on the left in {pattern!r}")
    if operation == "rearrange" and (gone or new):
        raise EinopsError(f"axes {gone + new} stand on one side only in {pattern!r}")
    if operation == "repeat" and gone:
        raise EinopsError(f"repeat cannot drop the axes {gone} in {pattern!r}")
    if operation == "repeat" and not numbers.union(known).issuperset(new):
        raise EinopsError(f"new axes {new} need sizes in {pattern!r}")
    if operation not in ("rearrange", "repeat"):
        if operation not in REDUCTIONS and not callable(operation):
            raise EinopsError(f"reduction must be in {REDUCTIONS}, not {operation!r}")
        if new:
            raise EinopsError(f"reduce cannot make the axes {new} in {pattern!r}")
    if not before.union(after).issuperset(known):
        strangers = sorted(known - before - after)
        raise EinopsError(f"sizes given for {strangers}, which are not in {pattern!r}")
    for group in left:
        unknown = [axis for axis in names(group) if axis not in known | numbers]
        if len(unknown) > 1:
            raise EinopsError(f"of the sizes of {unknown} one may be unknown, not all")
    return left, right


def names(group):
    """The names in a group; the dots outside brackets are a group of themselves."""
    return (group,) if group == "..." else group


def expand_dots(groups, count):
    """Write `count` names in the place of '...', outside brackets as groups of one."""
    dots = [f"...{i}" for i in range(count)]
    expanded = []
    for group in groups:
        if group == "...":
            expanded += [(dot,) for dot in dots]
        else:
            spelled = [dots if axis == "..." else [axis] for axis in group]
            expanded.append(tuple(itertools.chain(*spelled)))
    return expanded


def as_size(axis, size):
    """A size as an int. Raises TypeError for 2.0, EinopsError for -2."""
    try:
        size = operator.index(size)
    except TypeError:
        raise TypeError(f"a size must be an integer, but got {axis}={size!r}") from None
    if size < 0:
        raise EinopsError(f"a size must not be negative, but got {axis}={size}")
    return size


def axis_sizes(left, right, shape, given):
    """Fit groups to the shape of a tensor: (left, right, the size of every name).

    Raises EinopsError when the number of axes or a length does not fit.
    """
    spelled = len(left) - ("..." in left)
    if len(shape) < spelled or (len(shape) > spelled and "..." not in left):
        shape = tuple(shape)
        raise EinopsError(f"the left side has {spelled} axes, the tensor has {shape}")
    dots = len(shape) - spelled
    left, right = expand_dots(left, dots), expand_dots(right, dots)

    sizes = {axis: as_size(axis, size) for axis, size in given.items()}
    for axis in itertools.chain(*left, *right):
        if axis[0].isdigit():
            sizes[axis] = int(axis.split()[0])
    for group, length in zip(left, shape):
        known = math.prod(sizes[axis] for axis in group if axis in sizes)
        unknown = [axis for axis in group if axis not in sizes]
        if unknown and known and length % known == 0:
            sizes[unknown[0]] = length // known
        elif unknown or known != length:
            text = " ".join(group) or "1"
            raise EinopsError(
                f"({text}) with {given} does not fit a length of {length}"
            )
    return left, right, sizes


def place(group, values, sizes):
    """Where the merged axis `group` stands: its last name counts fastest."""
    index = 0
    for axis in group:
        index = index * sizes[axis] + values[axis]
    return index


def move_loops(tensor, left, right, sizes):
    """`rearrange`, `repeat` or a sum by its definition, one number at a time.

    left, right: groups of names; sizes: the size of every name.
    """
    shape = [math.prod(sizes[axis] for axis in group) for group in right]
    output = tensor.new_zeros(shape)
    for indices in itertools.product(*(range(size) for size in sizes.values())):
        values = dict(zip(sizes, indices))
        source = tuple(place(group, values, sizes) for group in left)
        target = tuple(place(group, values, sizes) for group in right)
        output[target] += tensor[source]
    return output


def move(tensor, left, right, sizes, operation=None):
    """`move_loops` in whole tensors, with any reduction of the names that vanish."""
    before, after = list(itertools.chain(*left)), list(itertools.chain(*right))
    kept = [axis for axis in after if axis in before]
    gone = [axis for axis in before if axis not in after]
    tensor = tensor.reshape([sizes[axis] for axis in before])
    tensor = tensor.permute([before.index(axis) for axis in kept + gone])
    if gone:
        tensor = reduce_last(tensor, operation, len(gone))
    for index, axis in enumerate(after):
        if axis not in before:
            tensor = tensor.unsqueeze(index)
    tensor = tensor.expand([sizes[axis] for axis in after])
    return tensor.reshape([math.prod(sizes[axis] for axis in group) for group in right])


def reduce_last(tensor, operation, count):
    """Reduce the last `count` axes by a name in REDUCTIONS, or by a function."""
    axes = tuple(range(tensor.dim() - count, tensor.dim()))
    if callable(operation):  # it may keep its axes, with length 1
        return operation(tensor, axes).reshape(tensor.shape[:-count])
    if operation == "mean" and not tensor.is_floating_point():
        raise NotImplementedError(
            f"no mean of {tensor.dtype}: it may not be an integer"
        )
    if operation in ("sum", "mean"):
        return getattr(tensor, operation)(axes)
    if operation in ("min", "max"):
        return getattr(tensor, "a" + operation)(axes)
    for axis in reversed(axes):  # prod, any and all take one axis at a time
        tensor = getattr(tensor, operation)(axis)
    return tensor


def transform(tensor, pattern, operation, given):
    """What `rearrange`, `reduce` and `repeat` have in common."""
    if isinstance(tensor, list):
        if not tensor:
            raise TypeError("there is nothing to rearrange in an empty list")
        tensor = torch.stack(tensor)
    if not isinstance(tensor, torch.Tensor):
        raise RuntimeError(f"only tensors are rearranged, not {type(tensor).__name__}")
    left, right = read_pattern(pattern, operation, tuple(given))
    left, right, sizes = axis_sizes(left, right, tensor.shape, given)
    return move(tensor, left, right, sizes, operation)


def rearrange(tensor, pattern, **axes_lengths):
    """Reorder, split and merge axes by their names, the twin of `einops.rearrange`.

    tensor: a tensor, or a list of tensors of one shape, which are stacked first.
        Tensors only: einops takes NumPy arrays as well.
    pattern: 'left -> right', names separated by spaces, the same on both sides;
        brackets merge, the last name counting fastest; 1 is an axis of length 1; ...
        stands for the axes not named, and may be merged on the right.
    axes_lengths: sizes of names, of all but one in every group on the left.
    Returns a view where strides allow, otherwise a copy.
    Raises EinopsError (a RuntimeError) for a pattern that makes no sense or does not
    fit, TypeError for a size that is no integer, ValueError for a missing arrow,
    RuntimeError for what is neither a tensor nor a list.
    Source: the documentation of einops, https://einops.rocks.
    """
    return transform(tensor, pattern, "rearrange", axes_lengths)


def reduce(tensor, pattern, reduction, **axes_lengths):
    """`rearrange` that drops names, the twin of `einops.reduce`.

    reduction: 'min', 'max', 'sum', 'mean', 'prod', 'any', 'all', or a function of a
        tensor and a tuple of axes, which it may keep with length 1. Numbers on the
        left are names of their own.
    Raises what `rearrange` does, and NotImplementedError for a mean of integers.
    """
    return transform(tensor, pattern, reduction, axes_lengths)


def repeat(tensor, pattern, **axes_lengths):
    """`rearrange` that adds names, the twin of `einops.repeat`.

    A name on the right only needs a size; a number on the right is its own size.
    Raises what `rearrange` does. A result that is a view shares its repeated numbers.
    """
    return transform(tensor, pattern, "repeat", axes_lengths)


def transform_backward(grad_output, tensor, pattern, operation, **axes_lengths):
    """Gradient of `rearrange`, `repeat` or a reduction with respect to `tensor`.

    operation: 'rearrange', 'repeat', 'sum', 'mean', 'max' or 'min'.
    grad_output: the gradient of the loss with respect to the output, of its shape.
    Raises NotImplementedError for any other operation, and what the operation raises.
    """
    if operation not in ("rearrange", "repeat", "sum", "mean", "max", "min"):
        raise NotImplementedError(f"no gradient by hand for {operation!r}")
    left, right = read_pattern(pattern, operation, tuple(axes_lengths))
    left, right, sizes = axis_sizes(left, right, tensor.shape, axes_lengths)
    if operation in ("max", "min"):
        best = move(tensor, left, right, sizes, operation)
        is_best = (tensor == move(best, right, left, sizes)).to(grad_output.dtype)
        ties = move(is_best, left, right, sizes, "sum")
        return is_best * move(grad_output / ties, right, left, sizes)
    if operation == "mean":
        gone = set(itertools.chain(*left)) - set(itertools.chain(*right))
        grad_output = grad_output / max(math.prod(sizes[axis] for axis in gone), 1)
    return move(grad_output, right, left, sizes, "sum")


class Rearrange(nn.Module):
    """`rearrange` as a layer, the twin of `einops.layers.torch.Rearrange`.

    Raises EinopsError for a wrong pattern when it is built, and for an input that does
    not fit when it is called.
    """

    def __init__(self, pattern, **axes_lengths):
        super().__init__()
        read_pattern(pattern, "rearrange", tuple(axes_lengths))
        self.pattern = pattern
        self.axes_lengths = axes_lengths

    def forward(self, input):
        return rearrange(input, self.pattern, **self.axes_lengths)

    def extra_repr(self):
        sizes = [f"{axis}={size}" for axis, size in self.axes_lengths.items()]
        return ", ".join([repr(self.pattern), *sizes])


def read_term(text):
    """The letters of one term, with '...' as one of them."""
    labels = re.findall(r"\.\.\.|[^ ]", text)
    for label in labels:
        if label != "..." and not (label.isascii() and label.isalpha()):
            raise RuntimeError(
                f"einsum: {label!r} in {text!r} is no letter in [a-zA-Z]"
            )
    if labels.count("...") > 1:
        raise RuntimeError(f"einsum: more than one '...' in {text!r}")
    return labels


def fill_dots(labels, count):
    """Write `count` labels in the place of '...', numbered from the right."""
    dots = [f"...{i}" for i in reversed(range(count))]
    return [axis for label in labels for axis in (dots if label == "..." else [label])]


def read_equation(equation, operands):
    """The labels of each operand and of the output, one for every axis.

    Raises RuntimeError for an equation that makes no sense or does not fit.
    """
    terms, arrow, result = equation.partition("->")
    terms = [read_term(term) for term in terms.split(",")]
    if len(terms) != len(operands):
        raise RuntimeError(
            f"einsum: {equation!r} has {len(terms)} terms for {len(operands)} operands"
        )
    covered = []  # how many axes the dots of each term stand for
    for term, operand in zip(terms, operands):
        covered.append(operand.dim() - len([label for label in term if label != "..."]))
        if covered[-1] < 0 or (covered[-1] and "..." not in term):
            raise RuntimeError(
                f"einsum: {''.join(term)!r} does not fit a shape {list(operand.shape)}"
            )
    letters = [label for label in itertools.chain(*terms) if label != "..."]
    if arrow:
        output = read_term(result)
    else:  # the dots first, then what occurs once; capitals sort before small letters
        output = ["...", *sorted(x for x in set(letters) if letters.count(x) == 1)]
    for label in output:
        if output.count(label) > 1:
            raise RuntimeError(f"einsum: {label!r} stands twice in the output")
        if label != "..." and label not in letters:
            raise RuntimeError(f"einsum: {label!r} is in the output, but in no operand")
    inputs = [fill_dots(*pair) for pair in zip(terms, covered)]
    return inputs, fill_dots(output, max(covered))


def label_sizes(inputs, operands):
    """The size of every label. Raises RuntimeError where sizes disagree."""
    sizes = {}
    for labels, operand in zip(inputs, operands):
        here = {}
        for label, size in zip(labels, operand.shape):
            if here.setdefault(label, size) != size:
                raise RuntimeError(
                    f"einsum: {label!r} has sizes {here[label]}, {size} in one operand"
                )
            if size != 1 and sizes.get(label, 1) not in (1, size):
                raise RuntimeError(
                    f"einsum: {label!r} has size {size}, but {sizes[label]} before"
                )
            if size != 1 or label not in sizes:
                sizes[label] = size
    return sizes


def einsum_loops(equation, *operands):
    """einsum by its definition, one product at a time.

    The result has the dtype of the first operand, and booleans are not added.
    """
    inputs, output = read_equation(equation, operands)
    sizes = label_sizes(inputs, operands)
    result = operands[0].new_zeros([sizes[label] for label in output])
    for indices in itertools.product(*(range(size) for size in sizes.values())):
        values = dict(zip(sizes, indices))
        product = 1
        for labels, operand in zip(inputs, operands):
            stretched = zip(labels, operand.shape)
            source = tuple(values[label] if n > 1 else 0 for label, n in stretched)
            product = product * operand[source]
        result[tuple(values[label] for label in output)] += product
    return result


def axes(labels):
    """Groups of one, for `move`."""
    return [(label,) for label in labels]


def contract(a, a_labels, b, b_labels, needed, sizes):
    """Multiply two operands and sum over what is not `needed` later.

    Returns the product and its labels. No label stands twice in one operand.
    """
    # What only one of the two has, and nobody needs, is summed before the product.
    a, a_labels = sum_rest(a, a_labels, needed.union(b_labels), sizes)
    b, b_labels = sum_rest(b, b_labels, needed.union(a_labels), sizes)
    shared = [label for label in a_labels if label in b_labels]
    batch = [label for label in shared if label in needed]
    summed = [label for label in shared if label not in needed]
    rows = [label for label in a_labels if label not in shared]
    columns = [label for label in b_labels if label not in shared]

    a = move(a, axes(a_labels), [batch, rows, summed], sizes)
    b = move(b, axes(b_labels), [batch, summed, columns], sizes)
    product = torch.bmm(a, b) if summed else a * b  # (batch, rows, columns)
    labels = batch + rows + columns
    return move(product, [batch, rows, columns], axes(labels), sizes), labels


def sum_rest(tensor, labels, needed, sizes):
    """Sum over the labels that are not needed: the tensor and labels that remain."""
    kept = [label for label in labels if label in needed]
    return move(tensor, axes(labels), axes(kept), sizes, "sum"), kept


def prepare(tensor, labels, sizes):
    """Take diagonals of repeated labels, drop axes that are only stretched."""
    labels = list(labels)
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            tensor = tensor.diagonal(dim1=first, dim2=second)  # becomes the last axis
            labels = [x for i, x in enumerate(labels) if i not in (first, second)]
            labels.append(label)
    pairs = list(zip(labels, tensor.shape))
    stretched = tuple(i for i, (label, n) in enumerate(pairs) if n != sizes[label])
    return tensor.squeeze(stretched), [label for label, n in pairs if n == sizes[label]]


def fold(inputs, operands, output):
    """Contract operands from left to right. Labels as from `read_equation`."""
    sizes = label_sizes(inputs, operands)
    ready = [prepare(*pair, sizes) for pair in zip(operands, inputs)]
    tensor, labels = ready[0]
    for number, (other, other_labels) in enumerate(ready[1:], start=2):
        needed = set(output).union(*(later for _, later in ready[number:]))
        tensor, labels = contract(tensor, labels, other, other_labels, needed, sizes)
    return move(tensor, axes(labels), axes(output), sizes, "sum")


def einsum(equation, /, *operands):
    """Sum of products over named axes, the twin of `torch.einsum`.

    equation: terms of letters separated by commas, one term for each operand, then
        '->' and the letters of the output. Without '->' the output has the letters
        that occur once, sorted. '...' stands for axes that are broadcast.
    operands: tensors, or one list of tensors.
    Raises RuntimeError for an equation that makes no sense or does not fit, TypeError
    for an operand that is no tensor, ValueError without operands.
    Strides of the result may differ from torch's. Left out: an equation of bytes, and
    torch's other spelling, with lists of ints in the place of letters.
    Source: the page of torch.einsum in PyTorch's documentation.
    """
    if not isinstance(equation, str):
        raise TypeError(f"the equation must be a str, not {type(equation).__name__}")
    while len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    if not operands:
        raise ValueError("einsum needs at least one operand")
    for operand in operands:
        if not isinstance(operand, torch.Tensor):
            raise TypeError(
                f"an operand must be a Tensor, not {type(operand).__name__}"
            )
    inputs, output = read_equation(equation, operands)
    return fold(inputs, operands, output)


def einsum_backward(grad_output, equation, *operands):
    """Gradients of `einsum` with respect to each operand, as a list.

    grad_output: the gradient of the loss with respect to the output, of its shape.
    """
    inputs, output = read_equation(equation, operands)
    sizes = label_sizes(inputs, operands)
    gradients = []
    for number, operand in enumerate(operands):
        labels = [output, *inputs[:number], *inputs[number + 1 :]]
        others = operands[:number] + operands[number + 1 :]
        factors = [grad_output, *(other.conj() for other in others)]
        wanted = []
        for label, size in zip(inputs[number], operand.shape):
            if size != sizes[label]:
                continue  # stretched: sum over it
            if label in wanted:  # twice in this operand: only the diagonal was read
                twin = f"{label}{len(wanted)}"
                labels.append([label, twin])
                factors.append(torch.eye(size).to(grad_output))
                label = twin
            elif label_sizes(labels, factors).get(label) != size:
                # nowhere else, or only as a stretched 1
                labels.append([label])
                factors.append(grad_output.new_ones(size))
            wanted.append(label)
        gradients.append(fold(labels, factors, wanted).reshape(operand.shape))
    return gradients
