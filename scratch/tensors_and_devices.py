"""Tensors and devices.

From book/chapters/01_tensors_and_devices.md. Derived by `make notebooks`: do not edit.
"""

import itertools
import math
from typing import NamedTuple

import torch


def address(index, strides, offset=0):
    """The address of one entry: `offset` plus each index times its stride."""
    for i, step in zip(index, strides, strict=True):
        offset = offset + step * i
    return offset


def read_loops(storage, shape, strides, offset=0):
    """All entries, one after the other, the last axis fastest, as a list.

    storage: anything that can be indexed by an address.
    """
    indices = itertools.product(*[range(size) for size in shape])
    return [storage[address(index, strides, offset)] for index in indices]


class Layout(NamedTuple):
    """How a tensor reads its storage.

    shape: the size of each axis. strides: for each axis, how many numbers of the
    storage lie between neighbours. offset: the address of the first entry.
    """

    shape: tuple
    strides: tuple
    offset: int = 0


def contiguous_strides(shape):
    """Strides of a tensor laid out row by row: the last axis has stride 1."""
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)  # torch counts an empty axis as 1 here
    return tuple(reversed(strides))


def is_contiguous(layout):
    """Whether the entries lie row by row without gaps, as in a fresh tensor."""
    if 0 in layout.shape:
        return True
    expected = 1
    for size, step in zip(reversed(layout.shape), reversed(layout.strides)):
        if size == 1:
            continue  # one never takes a step along this axis
        if step != expected:
            return False
        expected *= size
    return True


def axis_of(dim, dims):
    """`dim` counted from the front; negative ones count from the end.

    Raises IndexError when there is no such axis, TypeError for what is no int.
    """
    if not isinstance(dim, int) or isinstance(dim, bool):
        raise TypeError(f"dim must be int, not {type(dim).__name__}")
    dims = max(dims, 1)  # a tensor without axes takes 0 and -1
    if not -dims <= dim < dims:
        raise IndexError(f"dim must be in [{-dims}, {dims - 1}], but got dim={dim}")
    return dim % dims


def ints(values, name):
    """The ints in `values`, given as f(2, 3) or as f((2, 3)). Raises TypeError."""
    if len(values) == 1 and isinstance(values[0], (tuple, list)):
        values = values[0]
    elif not values:
        raise TypeError(f"{name} is missing")
    for value in values:
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError(f"{name} must be ints, but got {value!r}")
    return tuple(values)


def permuted(layout, dims):
    """Axis k of the result is axis dims[k]. Raises RuntimeError or IndexError."""
    if len(dims) != len(layout.shape):
        raise RuntimeError(f"{len(layout.shape)} axes cannot be permuted by {dims}")
    axes = [axis_of(dim, len(dims)) for dim in dims]
    if len(set(axes)) < len(axes):
        raise RuntimeError(f"each axis may stand once, but got dims={dims}")
    shape = tuple(layout.shape[axis] for axis in axes)
    return Layout(shape, tuple(layout.strides[axis] for axis in axes), layout.offset)


def transposed(layout, dim0, dim1):
    """Axes dim0 and dim1 change places. Raises IndexError."""
    axes = list(range(len(layout.shape)))
    first, second = axis_of(dim0, len(axes)), axis_of(dim1, len(axes))
    if axes:
        axes[first], axes[second] = second, first
    return permuted(layout, axes)


def unsqueezed(layout, dim):
    """A new axis of size 1 at `dim`. Raises IndexError."""
    shape, strides, offset = layout
    axis = axis_of(dim, len(shape) + 1)
    step = shape[axis] * strides[axis] if axis < len(shape) else 1
    shape = (*shape[:axis], 1, *shape[axis:])
    return Layout(shape, (*strides[:axis], step, *strides[axis:]), offset)


def squeezed(layout, dim=...):
    """Without its axes of size 1: all of them (...), or those in `dim`, int or tuple.

    Raises IndexError for an axis that is not there, RuntimeError for one named twice.
    """
    count = len(layout.shape)
    dims = range(count) if dim is ... else dim if isinstance(dim, tuple) else (dim,)
    axes = [axis_of(each, count) for each in dims]
    if len(set(axes)) < len(axes):
        raise RuntimeError(f"each axis may stand once, but got dim={dim}")
    kept = [k for k in range(count) if k not in axes or layout.shape[k] != 1]
    shape = tuple(layout.shape[k] for k in kept)
    return Layout(shape, tuple(layout.strides[k] for k in kept), layout.offset)


def expanded(layout, sizes):
    """Repeat axes of size 1, and add axes on the left, with stride 0.

    A size of -1 keeps the axis as it is. Raises RuntimeError for what does not fit.
    """
    new = len(sizes) - len(layout.shape)  # how many axes are added on the left
    if new < 0:
        raise RuntimeError(f"{layout.shape} has more axes than sizes={sizes}")
    shape, strides = [], []  # from the last axis to the first
    for axis in reversed(range(len(sizes))):
        if axis >= new:
            size, step = layout.shape[axis - new], layout.strides[axis - new]
            target = size if sizes[axis] == -1 else sizes[axis]
        else:  # an axis of size 1 that was not there
            size, step = 1, shape[-1] * strides[-1] if layout.shape else 0
            target = sizes[axis]
        if target < 0 or size not in (1, target):
            raise RuntimeError(f"{layout.shape} cannot be expanded to {sizes}")
        shape.append(target)
        strides.append(step if target == size else 0)
    return Layout(tuple(shape[::-1]), tuple(strides[::-1]), layout.offset)


def broadcast_shapes(*shapes):
    """The shape of the result when tensors of these shapes meet.

    The twin of `torch.broadcast_shapes`: aligned at the right, sizes must be equal or
    1. An int counts as a shape of one axis. Raises RuntimeError for shapes that do not
    fit, ValueError for a negative size.
    """
    shapes = [(shape,) if isinstance(shape, int) else tuple(shape) for shape in shapes]
    result = [1] * max(map(len, shapes), default=0)
    for shape in shapes:
        for k in range(-len(shape), 0):  # counted from the right
            if shape[k] < 0:
                raise ValueError(f"sizes must not be negative, but got {shape}")
            if shape[k] != 1:
                if result[k] not in (1, shape[k]):
                    raise RuntimeError(f"{shapes} do not fit at axis {k}")
                result[k] = shape[k]
    return tuple(result)


def indexed(layout, index):
    """The view that x[index] makes, for ints, slices, None and one Ellipsis.

    Raises IndexError for what is not there, ValueError for a step below 1 (a stride
    cannot be negative), TypeError for lists, tensors and bools: torch takes these
    too, but mostly copies what they pick, and this is about views.
    """
    items = list(index) if isinstance(index, tuple) else [index]
    for item in items:
        if isinstance(item, float):
            raise IndexError(f"an index must be an int or a slice, but got {item}")
        known = item is None or item is ... or isinstance(item, (int, slice))
        if not known or isinstance(item, bool):
            raise TypeError(f"an index of type {type(item).__name__} makes no view")
    picked = sum(isinstance(item, (int, slice)) for item in items)
    missing = len(layout.shape) - picked
    if missing < 0 or sum(item is ... for item in items) > 1:
        raise IndexError(f"too many indices for {len(layout.shape)} axes: {index}")
    where = next((k for k, item in enumerate(items) if item is ...), len(items))
    items[where : where + 1] = [slice(None)] * missing

    shape, strides, offset, axis = [], [], layout.offset, 0
    for item in items:
        size, step = (*layout.shape, 1)[axis], (*layout.strides, 1)[axis]
        if item is None:
            shape.append(1)
            strides.append(size * step)
        elif isinstance(item, slice):
            start, stop, jump = item.indices(size)  # negative ends are resolved here
            if jump < 1:
                raise ValueError(f"the step of a slice must be positive, not {jump}")
            shape.append(len(range(start, stop, jump)))
            strides.append(step * jump)
            offset += start * step
            axis += 1
        else:
            if not -size <= item < size:
                raise IndexError(f"index {item} of axis {axis} is outside of {size}")
            offset += item % size * step
            axis += 1
    return Layout(tuple(shape), tuple(strides), offset)


def view_strides(shape, strides, new_shape):
    """Strides that read the same entries in `new_shape`; None where only a copy can.

    Source: the section on Tensor.view in PyTorch's documentation, and the strides that
    torch gives to axes of size 1.
    """
    if math.prod(shape) == 0:
        same = tuple(shape) == tuple(new_shape)
        return tuple(strides) if same else contiguous_strides(new_shape)
    if not shape:
        return (1,) * len(new_shape)
    found, waiting = [], list(new_shape)
    base, run = strides[-1], 1  # step within this run, and its length so far
    for axis in reversed(range(len(shape))):
        run *= shape[axis]
        left = axis - 1
        if axis > 0 and (shape[left] == 1 or strides[left] == run * base):
            continue  # the next axis belongs to this run
        filled = 1
        while waiting and (filled < run or waiting[-1] == 1):
            found.append(filled * base)
            filled *= waiting.pop()
        if filled != run:
            return None
        base, run = strides[left], 1
    return tuple(reversed(found))


def resolved(sizes, count):
    """`sizes` with a -1 replaced by what is left of `count` entries.

    Raises RuntimeError when the sizes do not give `count` entries, or when -1 stands
    twice or could be anything.
    """
    known = math.prod(size for size in sizes if size != -1)
    if sizes.count(-1) > 1 or any(size < -1 for size in sizes):
        raise RuntimeError(f"sizes must not be negative, but for one -1, got {sizes}")
    if -1 in sizes and known != 0:
        sizes = tuple(count // known if size == -1 else size for size in sizes)
    if -1 in sizes or math.prod(sizes) != count:
        raise RuntimeError(f"{count} entries do not fit into {sizes}")
    return sizes


def viewed(layout, sizes):
    """The same entries in another shape. Raises RuntimeError where only a copy can."""
    sizes = resolved(sizes, math.prod(layout.shape))
    strides = view_strides(layout.shape, layout.strides, sizes)
    if strides is None:
        raise RuntimeError(f"no strides read {layout} as {sizes}: use reshape, a copy")
    return Layout(sizes, strides, layout.offset)


def strided(layout, capacity):
    """`layout` itself, if it reads only addresses from 0 to capacity - 1.

    Raises RuntimeError otherwise, and for a negative size, stride or offset.
    """
    shape, strides, offset = layout
    if len(shape) != len(strides):
        raise RuntimeError(f"{len(shape)} sizes need as many strides, got {strides}")
    if min((*shape, *strides, offset), default=0) < 0:
        raise RuntimeError(f"sizes, strides and offset must not be negative: {layout}")
    last = offset + sum(step * (size - 1) for size, step in zip(shape, strides))
    if 0 not in shape and last >= capacity:
        raise RuntimeError(f"the last address is {last}, the storage holds {capacity}")
    return layout


def addresses(layout, device=None):
    """The address of each entry, the last axis fastest: an int64 tensor of one axis."""
    found = torch.tensor([layout.offset], device=device)
    for size, step in zip(layout.shape, layout.strides):
        row = step * torch.arange(size, device=device)
        found = (found[:, None] + row).flatten()  # (M, 1) + (size,) -> (M * size,)
    return found


class Views:
    """A storage and a rule for reading it: what of `torch.Tensor` makes views.

    storage: a torch tensor with one axis and stride 1, from which single numbers are
    taken by their address. Methods named as torch's, called by position with ints or
    with tuples of ints, give the same shape, strides and offset, and raise errors of
    the same type. Indices are ints, slices, None and one Ellipsis. Of what torch takes
    besides, these are missing: the keywords size, shape and dims, NumPy's ints, bools
    (as sizes or as an index), several Ellipses, squeeze([0, 1]), view(dtype) and
    stride(1). Ints that do not fit into 64 bits may raise errors of another type.
    Source: the pages of torch.Tensor and of tensor views in PyTorch's documentation.
    """

    def __init__(self, storage, layout=None):
        self.storage = storage
        self.layout = layout or Layout((len(storage),), (1,))

    @classmethod
    def from_torch(cls, tensor):
        """A view of all that `tensor` sees; both share one storage."""
        capacity = tensor.untyped_storage().nbytes() // tensor.element_size()
        rule = tuple(tensor.shape), tensor.stride(), tensor.storage_offset()
        return cls(tensor.as_strided((capacity,), (1,), 0), Layout(*rule))

    # Looking at the rule.

    @property
    def shape(self):
        return self.layout.shape

    def dim(self):
        return len(self.layout.shape)

    def numel(self):
        return math.prod(self.layout.shape)

    def stride(self):
        return self.layout.strides

    def storage_offset(self):
        return self.layout.offset

    def is_contiguous(self):
        return is_contiguous(self.layout)

    # Views: the same storage, another rule.

    def _read_as(self, layout):
        return type(self)(self.storage, layout)

    def permute(self, *dims):
        return self._read_as(permuted(self.layout, ints(dims, "dims")))

    def transpose(self, dim0, dim1):
        return self._read_as(transposed(self.layout, dim0, dim1))

    def unsqueeze(self, dim):
        return self._read_as(unsqueezed(self.layout, dim))

    def squeeze(self, dim=...):
        return self._read_as(squeezed(self.layout, dim))

    def expand(self, *sizes):
        return self._read_as(expanded(self.layout, ints(sizes, "size")))

    def view(self, *sizes):
        return self._read_as(viewed(self.layout, ints(sizes, "size")))

    def as_strided(self, size, stride, storage_offset=None):
        offset = self.layout.offset if storage_offset is None else storage_offset
        size, stride = ints([tuple(size)], "size"), ints([tuple(stride)], "stride")
        layout = Layout(size, stride, *ints([offset], "storage_offset"))
        return self._read_as(strided(layout, len(self.storage)))

    def __getitem__(self, index):
        return self._read_as(indexed(self.layout, index))

    # What Python asks of a container.

    def __len__(self):
        if not self.shape:
            raise TypeError("len() of a tensor without axes")
        return self.shape[0]

    def __iter__(self):
        if not self.shape:
            raise TypeError("iteration over a tensor without axes")
        return (self[k] for k in range(len(self)))


class StridedTensor(Views):
    """`Views` whose numbers can be read, copied, written, added and multiplied."""

    # Reading.

    def flat(self):
        """All entries, the last axis fastest: a torch tensor of one axis, a copy."""
        return self.storage[addresses(self.layout, self.storage.device)]

    def tolist(self):
        """Nested lists of Python numbers; one number for a tensor without axes."""

        def nested(values, shape):
            if not shape:
                return values[0]
            size = math.prod(shape[1:])
            parts = [values[size * i : size * (i + 1)] for i in range(shape[0])]
            return [nested(part, shape[1:]) for part in parts]

        return nested(self.flat().tolist(), self.shape)

    def __bool__(self):
        if self.numel() != 1:
            raise RuntimeError(f"neither true nor false: {self.numel()} numbers")
        return bool(self.flat())

    def __contains__(self, number):
        """Whether one of the entries equals this number."""
        if not isinstance(number, (int, float, complex)):
            raise RuntimeError(f"cannot look for a {type(number).__name__}")
        return bool((self.flat() == number).any())

    def __repr__(self):
        return f"StridedTensor({self.tolist()}, strides={self.stride()})"

    # Copies: a storage of their own.

    def contiguous(self):
        """Row by row: itself where it lies so already, else a copy."""
        if self.is_contiguous():
            return self
        layout = Layout(self.shape, contiguous_strides(self.shape))
        return StridedTensor(self.flat(), layout)

    def reshape(self, *sizes):
        """A view where strides can be found, else a copy."""
        sizes = resolved(ints(sizes, "shape"), self.numel())
        if view_strides(self.shape, self.stride(), sizes) is None:
            return self.contiguous().view(sizes)
        return self.view(sizes)

    # Writing.

    def __setitem__(self, index, value):
        """Write a number, or the entries of a tensor, broadcast to the view's shape.

        Raises RuntimeError when the shapes do not fit, and when a tensor is written
        into an axis of stride 0, which shows one place several times; TypeError for
        other values. Where places meet without a stride 0, as in overlapping windows,
        neither torch nor this says which number stays. Unlike torch, a tensor may be
        written into a part of itself that it overlaps: all is read before it is
        written. Numbers are ints or floats that the dtype can hold.
        """
        if isinstance(value, torch.Tensor):
            value = StridedTensor.from_torch(value)
        if not isinstance(value, (int, float, StridedTensor)):
            raise TypeError(f"cannot write a {type(value).__name__} into a tensor")
        target = self[index]
        where = addresses(target.layout, self.storage.device)
        if not isinstance(value, StridedTensor):
            self.storage[where] = value
            return
        steps = zip(target.shape, target.stride())
        if target.numel() and any(size > 1 and step == 0 for size, step in steps):
            raise RuntimeError(f"{target.layout} shows one place several times")
        while value.dim() > target.dim() and value.shape[0] == 1:
            value = value[0]
        numbers = value.expand(target.shape).flat()
        self.storage[where] = numbers.to(self.storage.dtype)

    # Arithmetic, with a number or a tensor of a shape that fits, entry by entry.

    def _with(self, operation, other):
        """A new tensor, laid out row by row (torch keeps the order of its inputs).

        Numbers, and tensors without axes, go to `operation` as they are: torch lets
        them decide the dtype only where the other one cannot hold their kind.
        """
        if isinstance(other, torch.Tensor):
            other = StridedTensor.from_torch(other)
        if isinstance(other, StridedTensor):
            shape = broadcast_shapes(self.shape, other.shape)
        elif isinstance(other, (int, float, complex)):
            shape = self.shape
        else:
            return NotImplemented

        def prepared(value):
            if not isinstance(value, StridedTensor):
                return value
            return value.expand(shape).flat() if value.shape else value.flat()[0]

        numbers = operation(prepared(self), prepared(other)).reshape(-1)
        return StridedTensor(numbers, Layout(shape, contiguous_strides(shape)))

    def __add__(self, other):
        return self._with(lambda a, b: a + b, other)

    def __sub__(self, other):
        return self._with(lambda a, b: a - b, other)

    def __rsub__(self, other):
        return self._with(lambda a, b: b - a, other)

    def __mul__(self, other):
        return self._with(lambda a, b: a * b, other)

    def __eq__(self, other):
        return self._with(lambda a, b: a == b, other)

    def __ne__(self, other):
        return self._with(lambda a, b: a != b, other)

    __radd__, __rmul__, __hash__ = __add__, __mul__, object.__hash__


def storage_gradient(grad, layout, capacity):
    """Gradient of a storage of `capacity` numbers that is read by `layout`.

    grad: the gradient of the loss with respect to the view, of the view's shape.
    """
    where = addresses(layout, grad.device)
    return grad.new_zeros(capacity).index_add(0, where, grad.reshape(-1))


def round_mantissa(x, bits):
    """`x` rounded to `bits` bits of mantissa, a tie to the even neighbour.

    10 bits are TF32's, 7 are bfloat16's. For numbers whose exponent does not become
    too small; dtype and shape stay.
    """
    mantissa, exponent = torch.frexp(x)  # x = mantissa * 2**exponent
    kept = torch.round(mantissa * 2 ** (bits + 1))  # the leading 1 is a bit more
    return torch.ldexp(kept, exponent - (bits + 1))
