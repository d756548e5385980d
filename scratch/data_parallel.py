"""Data parallel.

From book/chapters/17_data_parallel.md. Derived by `make notebooks`: do not edit.
"""

import itertools
import math
import threading
import warnings

import torch
from torch import nn


def chunk_sizes(batch, parts):
    """The sizes of the parts into which `torch.chunk` cuts `batch` samples.

    At most `parts` of them; fewer when the first ones use the samples up.
    """
    if batch == 0:
        return [0] * parts
    size = math.ceil(batch / parts)
    return [min(size, batch - start) for start in range(0, batch, size)]


def as_device(device):
    """A `torch.device` with its index, of an int, a name or a device.

    An int counts accelerators, as in torch; -1 is the CPU. Where there is no
    accelerator every int is the CPU, so that replicas can be imitated there.
    """
    accelerator = torch.accelerator.current_accelerator()
    if isinstance(device, int):
        if device < 0 or accelerator is None:
            return torch.device("cpu")
        return torch.device(accelerator.type, device)
    device = torch.device(device)
    if device.type == "cpu" or device.index is not None:
        return device
    return torch.device(device.type, torch.accelerator.current_device_index())


class Scatter(torch.autograd.Function):
    """(N, ...) -> parts (n_r, ...), each copied to its device."""

    @staticmethod
    def forward(ctx, devices, sizes, dim, input):
        ctx.dim, ctx.home = dim, input.device
        parts = input.split(sizes, dim)
        # A part is a copy, as a transfer to another device would be.
        return tuple(part.to(d, copy=True) for part, d in zip(parts, devices))

    @staticmethod
    def backward(ctx, *grads):
        grads = [grad.to(ctx.home) for grad in grads]
        return None, None, None, torch.cat(grads, ctx.dim)


def is_namedtuple(value):
    return isinstance(value, tuple) and hasattr(value, "_fields")


def scatter(inputs, devices, dim=0):
    """Cut every tensor in `inputs` along `dim`, one part for each device.

    inputs: a tensor, or any nest of tuples, lists and dicts with tensors in it. What
        is no tensor is not copied: each device gets the same object.
    Returns a sequence of the same nests with parts in the place of tensors. It is
    shorter than `devices` when a tensor has too few entries along `dim`.
    Source: torch.nn.parallel.scatter_gather.scatter, which does the same on GPUs.
    """
    devices = [as_device(device) for device in devices]

    def walk(value):
        if isinstance(value, torch.Tensor):
            sizes = chunk_sizes(value.shape[dim], len(devices))
            return Scatter.apply(devices, sizes, dim, value)
        if is_namedtuple(value):
            return [type(value)(*items) for items in zip(*map(walk, value))]
        if isinstance(value, tuple) and value:
            return list(zip(*map(walk, value)))
        if isinstance(value, list) and value:
            return [list(items) for items in zip(*map(walk, value))]
        if isinstance(value, dict) and value:
            return [type(value)(items) for items in zip(*map(walk, value.items()))]
        return [value for _ in devices]

    return walk(inputs)


class Gather(torch.autograd.Function):
    """Parts (n_r, ...) -> (N, ...) on one device."""

    @staticmethod
    def forward(ctx, device, dim, *parts):
        ctx.homes, ctx.dim = [part.device for part in parts], dim
        ctx.scalars = dim == 0 and all(part.dim() == 0 for part in parts)
        if ctx.scalars:
            warnings.warn(
                "gather along dimension 0 of scalars: the result is a vector with one "
                "entry for each replica",
                stacklevel=2,
            )
            parts = [part.reshape(1) for part in parts]
        ctx.sizes = [part.shape[dim] for part in parts]
        return torch.cat([part.to(device) for part in parts], dim)

    @staticmethod
    def backward(ctx, grad):
        grads = [g.to(d) for g, d in zip(grad.split(ctx.sizes, ctx.dim), ctx.homes)]
        if ctx.scalars:
            grads = [grad[0] for grad in grads]
        return None, None, *grads


def gather(outputs, device, dim=0):
    """Join the outputs of all replicas along `dim`, on one device.

    outputs: a list with one entry for each replica: tensors, None, or equal nests of
        tuples, lists and dicts of these.
    Raises ValueError for dicts of different lengths, TypeError for what cannot be
    joined, such as a float. Source: torch.nn.parallel.scatter_gather.gather.
    """
    device = as_device(device)

    def walk(values):
        first = values[0]
        if isinstance(first, torch.Tensor):
            return Gather.apply(device, dim, *values)
        if first is None:
            return None
        if isinstance(first, dict):
            if any(len(value) != len(first) for value in values):
                lengths = [len(value) for value in values]
                raise ValueError(f"outputs: dicts of different lengths {lengths}")
            return type(first)((k, walk([v[k] for v in values])) for k in first)
        if is_namedtuple(first):
            return type(first)._make(map(walk, zip(*values, strict=True)))
        return type(first)(map(walk, zip(*values, strict=True)))

    return walk(outputs)


def reduce_add(tensors, device):
    """The sum of tensors that lie on several devices, on one of them."""
    total = tensors[0].to(device)
    for tensor in tensors[1:]:
        total = total + tensor.to(device)
    return total


def broadcast(tensors, devices):
    """A list of copies for each device; the first device's may share memory."""

    def copy_of(tensor, number):
        if number == 0 and tensor.device == devices[0]:
            return tensor.detach()
        return tensor.to(devices[number], copy=True)

    return [[copy_of(t, number) for t in tensors] for number in range(len(devices))]


class Broadcast(torch.autograd.Function):
    """Tensors -> their copies on every device, device after device."""

    @staticmethod
    def forward(ctx, devices, *tensors):
        ctx.homes = [tensor.device for tensor in tensors]
        copies = broadcast(tensors, devices)
        learns = ctx.needs_input_grad[1:]
        frozen = [c for row in copies for c, yes in zip(row, learns) if not yes]
        ctx.mark_non_differentiable(*frozen)
        return tuple(copy for row in copies for copy in row)

    @staticmethod
    def backward(ctx, *grads):
        count = len(ctx.homes)
        sums = [reduce_add(grads[i::count], home) for i, home in enumerate(ctx.homes)]
        return None, *sums


def bare_copy(module):
    """A module with the same attributes and no parameters; buffers are shared."""
    twin = module.__new__(type(module))
    twin.__dict__ = module.__dict__.copy()
    twin._parameters = {}
    twin._buffers = module._buffers.copy()
    twin._modules = module._modules.copy()
    twin._is_replica = True
    return twin


def aliased(a, b):
    """Whether two tensors read the same memory."""
    return a.device == b.device and a.data_ptr() == b.data_ptr()


def connect(twin, module, twins, tensors):
    """Give a bare copy the children, parameters and buffers of its replica."""
    for name, child in module._modules.items():
        twin._modules[name] = None if child is None else twins[child]
    for name, parameter in module._parameters.items():
        if parameter is None:
            twin._parameters[name] = None
        else:
            setattr(twin, name, tensors[parameter])
    for name, buffer in module._buffers.items():
        if buffer is not None:
            twin._buffers[name] = tensors[buffer]


def replicate(network, devices, detach=False):
    """One replica of `network` for each device, without parameters of its own.

    The replicas' tensors are copies; gradients flow from them back into the network's
    parameters, and add up there. detach=True leaves the gradients out.
    Replica 0 shares its tensors with the network where it is on the same device.
    Source: torch.nn.parallel.replicate, which does the same on GPUs.
    """
    devices = [as_device(device) for device in devices]
    modules, parameters = list(network.modules()), list(network.parameters())
    buffers = list(network.buffers())
    if detach or not parameters:
        copies = broadcast(parameters, devices)
    else:
        flat = Broadcast.apply(devices, *parameters)
        count = len(parameters)
        copies = [flat[i * count : (i + 1) * count] for i in range(len(devices))]
    replicas = []
    for number, buffer_copies in enumerate(broadcast(buffers, devices)):
        twins = {module: bare_copy(module) for module in modules}
        tensors = dict(zip(parameters, copies[number]))
        tensors |= dict(zip(buffers, buffer_copies))
        if number == 0:  # not only the same memory: the same object
            tensors |= {b: b for b, c in zip(buffers, buffer_copies) if aliased(b, c)}
        for module in modules:
            connect(twins[module], module, twins, tensors)
        replicas.append(twins[network])
    return replicas


def autocast_state(kind):
    """Whether autocast is on for a kind of device, and with which dtype."""
    return dict(
        enabled=torch.is_autocast_enabled(kind), dtype=torch.get_autocast_dtype(kind)
    )


def raise_again(error, where):
    """Raise an error of the same type that says where it happened."""
    message = f"Caught {type(error).__name__} {where}"
    message += f": {error}" if str(error) else ""
    try:
        again = type(error)(message)
    except Exception:  # a type whose constructor wants something else
        again = RuntimeError(message)
    raise again from error


def in_threads(work, count):
    """Call work(0), ..., work(count - 1), a thread each, and wait for all."""
    threads = [threading.Thread(target=work, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def parallel_apply(modules, inputs, kwargs=None, devices=None):
    """Run each module on its inputs, all at the same time, a thread each.

    inputs: for each module a tuple of arguments, or one argument; kwargs: for each a
    dict, or None. Returns the list of outputs. An error in a module is raised again,
    as the same type where possible, with the number of its replica.
    Source: torch.nn.parallel.parallel_apply, which does the same on GPUs.
    """
    kwargs = [{}] * len(modules) if kwargs is None else kwargs
    devices = ["cpu"] * len(modules) if devices is None else devices
    for name, given in dict(inputs=inputs, kwargs=kwargs, devices=devices).items():
        if len(given) != len(modules):
            raise AssertionError(f"{len(modules)} modules, but {len(given)} {name}")
    devices = [as_device(device) for device in devices]
    results = [None] * len(modules)
    grad_enabled = torch.is_grad_enabled()
    autocast = {d.type: autocast_state(d.type) for d in devices}

    def work(i):
        arguments = inputs[i] if isinstance(inputs[i], (list, tuple)) else (inputs[i],)
        kind = devices[i].type
        try:
            with (
                torch.accelerator.device_index(devices[i].index),
                torch.set_grad_enabled(grad_enabled),
                torch.autocast(kind, **autocast[kind]),
            ):
                results[i] = True, modules[i](*arguments, **kwargs[i])
        except Exception as error:
            results[i] = False, error

    in_threads(work, len(modules))
    for i, (succeeded, value) in enumerate(results):
        if not succeeded:
            raise_again(value, f"in replica {i} on device {devices[i]}")
    return [value for _, value in results]


def scatter_kwargs(inputs, kwargs, devices, dim=0):
    """Scatter positional and named arguments; the shorter is filled with empty ones."""
    inputs = list(scatter(inputs, devices, dim)) if inputs else []
    kwargs = list(scatter(kwargs, devices, dim)) if kwargs else []
    count = max(len(inputs), len(kwargs))
    inputs += [()] * (count - len(inputs))
    kwargs += [{} for _ in range(count - len(kwargs))]
    return tuple(inputs), tuple(kwargs)


def every_accelerator():
    """The numbers of all accelerators that a batch can be spread over."""
    accelerator = torch.accelerator.current_accelerator()
    usable = accelerator is not None and accelerator.type != "mps"
    return list(range(torch.accelerator.device_count())) if usable else []


def check_home(module, home):
    """Raise where a parameter or a buffer lies on another device than `home`."""
    for tensor in itertools.chain(module.parameters(), module.buffers()):
        if tensor.device != home:
            raise RuntimeError(
                "module must have its parameters and buffers on device "
                f"{home} (device_ids[0]) but found one on {tensor.device}"
            )


class FourMoves(nn.Module):
    """The moves of `DataParallel` as methods, which a subclass may replace."""

    def replicate(self, module, device_ids):
        return replicate(module, device_ids, not torch.is_grad_enabled())

    def scatter(self, inputs, kwargs, device_ids):
        return scatter_kwargs(inputs, kwargs, device_ids, self.dim)

    def parallel_apply(self, replicas, inputs, kwargs):
        devices = self.device_ids[: len(replicas)]
        return parallel_apply(replicas, inputs, kwargs, devices)

    def gather(self, outputs, output_device):
        return gather(outputs, output_device, dim=self.dim)


class DataParallel(FourMoves):
    """Run a module on parts of a batch side by side, the twin of `nn.DataParallel`.

    module: its parameters and buffers lie on device_ids[0].
    device_ids: ints, names or devices; all accelerators by default. The same device
        may stand there twice. Without an accelerator ints are replicas on the CPU.
    output_device: where the outputs are gathered; device_ids[0] by default.
    dim: the axis of the batch.
    Raises RuntimeError when a parameter or buffer lies elsewhere; an error of a replica
    is raised with its number. Source: the page of torch.nn.DataParallel.
    """

    def __init__(self, module, device_ids=None, output_device=None, dim=0):
        super().__init__()
        self.module, self.dim = module, dim
        device_ids = every_accelerator() if device_ids is None else device_ids
        self.device_ids = [as_device(device) for device in device_ids]
        if not self.device_ids:
            return
        self.src_device_obj = self.device_ids[0]
        away = self.src_device_obj if output_device is None else output_device
        self.output_device = as_device(away)
        if len(self.device_ids) == 1:
            self.module.to(self.src_device_obj)

    def forward(self, *inputs, **kwargs):
        if not self.device_ids:
            return self.module(*inputs, **kwargs)
        check_home(self.module, self.src_device_obj)
        inputs, kwargs = self.scatter(inputs, kwargs, self.device_ids)
        if not inputs and not kwargs:  # a forward without arguments runs once
            inputs, kwargs = ((),), ({},)
        if len(self.device_ids) == 1:
            return self.module(*inputs[0], **kwargs[0])
        replicas = self.replicate(self.module, self.device_ids[: len(inputs)])
        outputs = self.parallel_apply(replicas, inputs, kwargs)
        return self.gather(outputs, self.output_device)


class Meeting:
    """Threads that exchange tensors: all call the same, in the same order."""

    def __init__(self, size, timeout):
        self._size, self._local = size, threading.local()
        self._barrier = threading.Barrier(size, timeout=timeout)
        self._slots = [None] * size
        self.exchanged = 0  # tensors that were all-reduced

    def size(self):
        return self._size

    def rank(self):
        """The rank of the thread that asks."""
        if not hasattr(self._local, "rank"):
            raise RuntimeError(
                "this thread has no rank: call inside run(...), with tensors on the CPU"
            )
        return self._local.rank

    def all_gather(self, tensor):
        """The tensors of all ranks, in the order of ranks."""
        self._slots[self.rank()] = tensor
        self._barrier.wait()
        tensors = list(self._slots)
        self._barrier.wait()  # nobody may overwrite a slot before all have read it
        return tensors

    def all_reduce(self, tensor):
        """The sum over all ranks, the same bits on each."""
        self.exchanged += self.rank() == 0
        return reduce_add(self.all_gather(tensor.detach()), tensor.device)

    def __deepcopy__(self, memo):
        return self  # a copied layer talks in the same group


class ThreadGroup(Meeting):
    """Ranks that are threads of one process: imitates a process group, on the CPU.

    timeout: seconds that a rank waits for the others before all of them give up.
    """

    def __init__(self, size, timeout=60):
        super().__init__(size, timeout)

    def run(self, function, *arguments):
        """Call function(rank, *arguments) on every rank; the list of results."""
        results, errors = [None] * self._size, {}

        def work(rank):
            self._local.rank = rank
            try:
                results[rank] = function(rank, *arguments)
            except Exception as error:
                errors[rank] = error
                self._barrier.abort()  # do not let the others wait for ever

        in_threads(work, self._size)
        self._barrier.reset()
        broken = threading.BrokenBarrierError
        for rank in sorted(errors, key=lambda r: isinstance(errors[r], broken)):
            raise_again(errors[rank], f"on rank {rank}")
        return results


class DistributedGroup:
    """The same two operations for a process group of torch.distributed."""

    def __init__(self, group):
        self.group = torch.distributed.group.WORLD if group is None else group

    def size(self):
        return torch.distributed.get_world_size(self.group)

    def all_reduce(self, tensor):
        total = tensor.detach().clone()
        torch.distributed.all_reduce(total, group=self.group)
        return total


def others(process_group):
    """The group to synchronize with, or None when there is nobody else."""
    if not isinstance(process_group, ThreadGroup):
        distributed = torch.distributed
        if not (distributed.is_available() and distributed.is_initialized()):
            return None
        process_group = DistributedGroup(process_group)
    return process_group if process_group.size() > 1 else None


def along_channels(vector, input):
    """View of `vector` (C) that broadcasts along axis 1 of `input`."""
    return vector.reshape(1, -1, *[1] * (input.dim() - 2))


def sum_channels(input):
    """(N, C, ...) -> (C): the sum over all axes but the channels."""
    return input.sum([axis for axis in range(input.dim()) if axis != 1])


def sync_statistics(input, group=None):
    """Of each channel over all ranks: centred input, mean, biased variance, count.

    input (N, C, ...) of this rank -> (N, C, ...), (C), (C), a tensor of one number.
    """
    count = input.new_tensor([input.numel() // input.shape[1]])
    sums = torch.cat([sum_channels(input), count])
    if group is not None:
        sums = group.all_reduce(sums)
    count = sums[-1:].detach()
    mean = sums[:-1] / count.clamp(min=1)
    centred = input - along_channels(mean, input)
    squares = sum_channels(centred.square())
    if group is not None:
        squares = group.all_reduce(squares)
    return centred, mean, squares / count.clamp(min=1), count


def affine(normalized, weight, bias):
    if weight is not None:
        normalized = normalized * along_channels(weight, normalized)
    return normalized if bias is None else normalized + along_channels(bias, normalized)


class SyncNormalize(torch.autograd.Function):
    """Batch normalization over all ranks of a group, with its backward by hand."""

    @staticmethod
    def forward(ctx, input, weight, bias, eps, group):
        centred, mean, var, count = sync_statistics(input, group)
        scale = torch.rsqrt(var + eps)
        normalized = centred * along_channels(scale, input)
        ctx.save_for_backward(normalized, weight, scale, count)
        ctx.group = group
        ctx.mark_non_differentiable(mean, var, count)
        return affine(normalized, weight, bias), mean, var, count

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad, *unused):
        normalized, weight, scale, count = ctx.saved_tensors
        needs = ctx.needs_input_grad
        local = torch.cat([sum_channels(grad), sum_channels(grad * normalized)])
        grad_bias, grad_weight = local.chunk(2)
        grad_input = None
        if needs[0]:
            means = (ctx.group.all_reduce(local) / count.clamp(min=1)).chunk(2)
            through_mean, through_var = (along_channels(m, grad) for m in means)
            scale = scale if weight is None else scale * weight
            grad_input = along_channels(scale, grad) * (
                grad - through_mean - normalized * through_var
            )
        vectors = grad_weight if needs[1] else None, grad_bias if needs[2] else None
        return grad_input, *vectors, None, None


def check_sync_batch_norm(input, num_features, vectors, alone):
    """Raise what `nn.SyncBatchNorm` raises. alone: training without other ranks."""
    if input.dim() < 2:
        raise ValueError(f"expected at least 2D input (got {input.dim()}D input)")
    if input.shape[1] == 0:
        raise ValueError("SyncBatchNorm number of input channels should be non-zero")
    if not input.is_floating_point():
        raise NotImplementedError(f"input must be floating point, not {input.dtype}")
    if alone and input.numel() == input.shape[1]:
        raise ValueError(
            "Expected more than 1 value per channel when training, "
            f"got input size {list(input.shape)}"
        )
    if input.shape[1] != num_features:
        raise RuntimeError(
            f"input should contain {num_features} channels not {input.shape[1]}"
        )
    half = input.dtype in (torch.float16, torch.bfloat16)
    allowed = (input.dtype, torch.float32) if half else (input.dtype,)
    dtypes = {vector.dtype for vector in vectors if vector is not None}
    if len(dtypes) > 1 or not dtypes <= set(allowed):
        raise RuntimeError(f"mixed dtypes: input {input.dtype}, state {dtypes}")


def sync_batch_norm(input, weight, bias, eps, group):
    """Normalize by the statistics of all ranks; output, mean, variance, count."""
    if group is not None:
        return SyncNormalize.apply(input, weight, bias, eps, group)
    centred, mean, var, count = sync_statistics(input)
    normalized = centred * along_channels(torch.rsqrt(var + eps), input)
    return affine(normalized, weight, bias), mean, var, count


def is_batch_norm(module):
    """By name, so that torch's layers count and those of this course."""
    names = ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm")
    return any(kind.__name__ in names for kind in type(module).__mro__)


class SyncNormBase(nn.BatchNorm1d):
    """The state of a batch normalization, a group, and updates by what a group saw."""

    def __init__(
        self,
        num_features,
        eps=1e-5,
        momentum=0.1,
        affine=True,
        track_running_stats=True,
        process_group=None,
        device=None,
        dtype=None,
        *,
        bias=True,
    ):
        options = eps, momentum, affine, track_running_stats, device, dtype
        super().__init__(num_features, *options)
        self.process_group = process_group
        if not bias:
            self.register_parameter("bias", None)

    @torch.no_grad()
    def update(self, mean, var, count):
        """Move the estimates towards the batch's mean and unbiased variance."""
        self.num_batches_tracked.add_(1)
        momentum = self.momentum
        if momentum is None:  # the plain average over all batches
            momentum = 1.0 / float(self.num_batches_tracked)
        if count == 0:
            return
        unbiased = var * (count / (count - 1))
        for old, new in ((self.running_mean, mean), (self.running_var, unbiased)):
            old.copy_((1 - momentum) * old.to(new.dtype) + momentum * new)


class SyncBatchNorm(SyncNormBase):
    """Batch normalization over all ranks of a group, the twin of `nn.SyncBatchNorm`.

    Input and output (N, C, ...); N may differ from rank to rank.
    Parameters weight, bias (C); buffers running_mean, running_var (C),
        num_batches_tracked ().
    process_group: a group of torch.distributed (all ranks by default), or a
        ThreadGroup. With one rank, or none started, it is a plain batch normalization.
        Works on the CPU too, where torch's refuses to synchronize.
    Raises ValueError for fewer than two axes, no channels, and one value per channel
    without other ranks; RuntimeError for other channels or another dtype.
    Source: the page of torch.nn.SyncBatchNorm.
    """

    def forward(self, input):
        estimates = self.running_mean, self.running_var
        by_batch = self.training or all(each is None for each in estimates)
        group = others(self.process_group) if self.training else None
        vectors = self.weight, self.bias, *estimates
        alone = by_batch and group is None
        check_sync_batch_norm(input, self.num_features, vectors, alone)
        half = input.dtype in (torch.float16, torch.bfloat16)
        x = input.float() if half else input  # too coarse for sums over a batch
        if by_batch:
            output, *seen = sync_batch_norm(x, self.weight, self.bias, self.eps, group)
            if self.training and self.track_running_stats:
                self.update(*seen)
        else:
            mean, var = (along_channels(each, x).to(x.dtype) for each in estimates)
            normalized = (x - mean) * torch.rsqrt(var + self.eps)
            output = affine(normalized, self.weight, self.bias)
        return output.to(input.dtype)

    @classmethod
    def convert_sync_batchnorm(cls, module, process_group=None):
        """`module` with every BatchNorm in it replaced; they keep their tensors."""
        return convert(cls, module, process_group)


def convert(cls, module, process_group):
    output = module
    if is_batch_norm(module):
        options = module.eps, module.momentum, module.affine
        options += module.track_running_stats, process_group
        output = cls(module.num_features, *options, bias=module.bias is not None)
        for name in ("weight", "bias", "running_mean", "running_var"):
            setattr(output, name, getattr(module, name))
        output.num_batches_tracked = module.num_batches_tracked
        output.training = module.training
    for name, child in module.named_children():
        output.add_module(name, convert(cls, child, process_group))
    return output


def ring_all_reduce(tensors, log=None):
    """The sum of one tensor from each rank, for each rank, by messages round a ring.

    tensors: a list, one tensor per imitated rank, of equal shapes; left as they are.
    log: a list that receives (phase, step, sender, receiver, chunk, bytes) of each
        message. Returns a list of equal tensors.
    Raises ValueError without tensors or for unequal shapes.
    Source: Patarasuk and Yuan (2009).
    """
    if not tensors:
        raise ValueError("tensors: one for each rank is needed, but got none")
    shapes = {tuple(tensor.shape) for tensor in tensors}
    if len(shapes) > 1:
        raise ValueError(f"tensors must have equal shapes, but got {sorted(shapes)}")
    k = len(tensors)
    chunks = [list(t.reshape(-1).clone().tensor_split(k)) for t in tensors]
    phases = ["reduce-scatter", "all-gather"]
    for phase, step in itertools.product(phases, range(k - 1)):
        shift = 0 if phase == "reduce-scatter" else 1
        # All send at the same time: take what is sent before anybody adds.
        which = [(rank + shift - step) % k for rank in range(k)]
        messages = [chunks[rank][which[rank]] for rank in range(k)]
        for sender, message in enumerate(messages):
            receiver, chunk = (sender + 1) % k, which[sender]
            if phase == "reduce-scatter":
                message = chunks[receiver][chunk] + message
            chunks[receiver][chunk] = message
            if log is not None:
                log.append((phase, step, sender, receiver, chunk, message.nbytes))
    return [torch.cat(own).reshape(tensors[0].shape) for own in chunks]
