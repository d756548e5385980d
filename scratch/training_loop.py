"""The training loop.

From book/chapters/15_training_loop.md. Derived by `make notebooks`: do not edit.
"""

import copy
import itertools
import math
import warnings
from collections import abc, deque
from concurrent.futures import ThreadPoolExecutor

import torch
from torch.utils.data import IterableDataset


class SequentialSampler:
    """The indices 0 to len(data_source) - 1 in order."""

    def __init__(self, data_source):
        self.data_source = data_source

    def __iter__(self):
        return iter(range(len(self.data_source)))

    def __len__(self):
        return len(self.data_source)


def draw_seed(generator):
    """A whole number of 63 bits, as torch draws the seeds of samplers and workers."""
    return torch.empty((), dtype=torch.int64).random_(generator=generator).item()


class RandomSampler:
    """Indices of data_source in random order, in a new one on every iteration.

    With replacement each index is drawn afresh. num_samples, by default
    len(data_source), says how many are drawn; more than there are start a new order.
    Source: torch.utils.data.RandomSampler in PyTorch's documentation.
    """

    def __init__(
        self, data_source, replacement=False, num_samples=None, generator=None
    ):
        self.data_source, self.replacement = data_source, replacement
        self._num_samples, self.generator = num_samples, generator
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement must be True or False, not {replacement!r}")
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            raise ValueError(f"num_samples must be positive, not {self.num_samples!r}")

    @property
    def num_samples(self):
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self):
        n, generator = len(self.data_source), self.generator
        if generator is None:
            generator = torch.Generator().manual_seed(draw_seed(None))
        if self.replacement:
            for start in range(0, len(self), 32):  # torch draws 32 at a time
                size = (min(32, len(self) - start),)
                yield from torch.randint(n, size, generator=generator).tolist()
            return
        for _ in range(len(self) // n):
            yield from torch.randperm(n, generator=generator).tolist()
        # torch draws one more order for the rest, even when there is no rest. The next
        # epoch's order depends on it.
        yield from torch.randperm(n, generator=generator)[: len(self) % n].tolist()

    def __len__(self):
        return self.num_samples


class BatchSampler:
    """Lists of batch_size indices from sampler; the last may be shorter, or is dropped.

    Source: torch.utils.data.BatchSampler in PyTorch's documentation.
    """

    def __init__(self, sampler, batch_size, drop_last):
        whole = isinstance(batch_size, int) and not isinstance(batch_size, bool)
        if not whole or batch_size <= 0:
            raise ValueError(f"batch_size must be a positive int, not {batch_size!r}")
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last must be True or False, not {drop_last!r}")
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __iter__(self):
        indices = iter(self.sampler)
        while batch := list(itertools.islice(indices, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self):
        whole, rest = divmod(len(self.sampler), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)


def default_collate(batch):
    """One batch from a list of samples, as torch.utils.data.default_collate makes it.

    Tensors and NumPy arrays are stacked, numbers become a tensor (floats in float64),
    strings stay a list, and mappings, named tuples and sequences are collated item by
    item; a tuple becomes a list. Raises TypeError for anything else.
    """
    first = batch[0]
    if isinstance(first, torch.Tensor):
        if first.layout != torch.strided or first.is_nested:
            raise RuntimeError("default_collate: sparse or nested tensors in the batch")
        return torch.stack(list(batch))
    if is_numpy(first):
        if holds_objects(first):
            raise TypeError(f"default_collate: cannot batch arrays of {first.dtype}")
        tensors = [torch.as_tensor(sample) for sample in batch]
        return torch.stack(tensors)
    if isinstance(first, float):
        return torch.tensor(batch, dtype=torch.float64)
    if isinstance(first, int):
        return torch.tensor(batch)
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, abc.Mapping):
        items = {key: default_collate([d[key] for d in batch]) for key in first}
        return rebuilt(first, items)
    if isinstance(first, abc.Sequence):
        if any(len(sample) != len(first) for sample in batch):
            raise RuntimeError("default_collate: samples of a batch differ in length")
        return rebuilt(first, [default_collate(column) for column in zip(*batch)])
    raise TypeError(f"default_collate: cannot batch samples of type {type(first)}")


def is_numpy(value):
    """Whether value is an array or a number of NumPy's, and not a string of its."""
    return type(value).__module__ == "numpy" and not isinstance(value, (str, bytes))


def holds_objects(value):
    """Whether a NumPy array holds strings or Python objects, which no tensor can."""
    return value.dtype.kind in "SUO"


def rebuilt(like, items):
    """items in a container of the kind of `like`: a dict, a named tuple, a list."""
    if isinstance(like, tuple):
        return type(like)(*items) if hasattr(like, "_fields") else items
    try:
        if isinstance(like, abc.MutableMapping):
            clone = copy.copy(like)  # it may hold more than its items
            clone.update(items)
            return clone
        if isinstance(like, abc.MutableSequence):
            clone = copy.copy(like)
            for i, item in enumerate(items):
                clone[i] = item
            return clone
        return type(like)(items)
    except TypeError:  # a container that cannot be made this way
        return items


def default_convert(sample):
    """One sample, its NumPy arrays as tensors; what a loader does without batches."""
    if is_numpy(sample):
        return sample if holds_objects(sample) else torch.as_tensor(sample)
    if isinstance(sample, abc.Mapping):
        return rebuilt(sample, {key: default_convert(v) for key, v in sample.items()})
    if isinstance(sample, abc.Sequence) and not isinstance(sample, (str, bytes)):
        return rebuilt(sample, [default_convert(item) for item in sample])
    return sample


class DataLoader:
    """Batches of a data set, as torch.utils.data.DataLoader makes them.

    dataset: map-style (len and []), or an IterableDataset. The arguments are torch's;
    workers are threads, see `refuse_what_threads_cannot`. Raises ValueError for
    arguments that contradict each other.
    Source: torch.utils.data.DataLoader in PyTorch's documentation.
    """

    _frozen = False

    def __init__(
        self, dataset, batch_size=1, shuffle=None, sampler=None, batch_sampler=None,
        num_workers=0, collate_fn=None, pin_memory=False, drop_last=False, timeout=0,
        worker_init_fn=None, multiprocessing_context=None, generator=None, *,
        prefetch_factor=None, persistent_workers=False, pin_memory_device="",
        in_order=True,
    ):
        check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        self._iterable = isinstance(dataset, IterableDataset)
        chosen = batch_size, shuffle, sampler, batch_sampler, drop_last
        check_sampling(*chosen, iterable=self._iterable)
        context = multiprocessing_context
        refuse_what_threads_cannot(num_workers, self._iterable, worker_init_fn, context)
        if batch_sampler is not None:
            batch_size, drop_last = None, False
        if sampler is None:
            if self._iterable:
                sampler = itertools.repeat(None)  # there is no index to choose
            elif shuffle:
                sampler = RandomSampler(dataset, generator=generator)
            else:
                sampler = SequentialSampler(dataset)
        if batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        if collate_fn is None:
            collate_fn = default_convert if batch_sampler is None else default_collate
        self.dataset, self.batch_size, self.sampler = dataset, batch_size, sampler
        self.batch_sampler, self.drop_last = batch_sampler, drop_last
        self.num_workers, self.prefetch_factor = num_workers, prefetch_factor
        if num_workers > 0 and prefetch_factor is None:
            self.prefetch_factor = 2
        self.collate_fn, self.generator, self.timeout = collate_fn, generator, timeout
        self.pin_memory, self.pin_memory_device = pin_memory, pin_memory_device
        self.worker_init_fn, self.multiprocessing_context = worker_init_fn, context
        self.persistent_workers, self.in_order = persistent_workers, in_order
        self._frozen = True

    def __setattr__(self, name, value):
        fixed = "dataset batch_size sampler batch_sampler drop_last persistent_workers"
        if self._frozen and name in fixed.split():
            raise ValueError(f"{name} cannot be set after the loader has been made")
        super().__setattr__(name, value)

    @property
    def _index_sampler(self):
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def __len__(self):
        if not self._iterable:
            return len(self._index_sampler)
        if self.batch_size is None:
            return len(self.dataset)
        whole, rest = divmod(len(self.dataset), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self):
        indices = iter(self._index_sampler)
        draw_seed(self.generator)  # for torch's workers; the order depends on it
        fetch = self._fetch
        if self._iterable:
            fetch = Stream(self.dataset, self.collate_fn, self.drop_last)
        if self.num_workers > 0:
            ahead = self.num_workers * self.prefetch_factor
            batches = in_threads(fetch, indices, self.num_workers, ahead, self.timeout)
        else:
            batches = (fetch(index) for index in indices)
        if self._iterable:
            batches = itertools.takewhile(lambda x: x is not STREAM_END, batches)
        return map(pinned, batches) if self._pins() else iter(batches)

    def _fetch(self, index):
        if self.batch_sampler is None:
            return self.collate_fn(self.dataset[index])
        if getattr(self.dataset, "__getitems__", None):  # it fetches many at once
            return self.collate_fn(self.dataset.__getitems__(index))
        return self.collate_fn([self.dataset[i] for i in index])

    def _pins(self):
        if self.pin_memory and not torch.accelerator.is_available():
            text = "pin_memory=True does nothing without an accelerator"
            warnings.warn(text, stacklevel=3)
            return False
        return self.pin_memory


STREAM_END = object()


class Stream:
    """Batches from an iterable data set: called with the indices of one, gives one."""

    def __init__(self, dataset, collate_fn, drop_last):
        self.samples, self.collate_fn = iter(dataset), collate_fn
        self.drop_last = drop_last

    def __call__(self, index):
        if index is None:  # no batches: one sample at a time
            sample = next(self.samples, STREAM_END)
            return sample if sample is STREAM_END else self.collate_fn(sample)
        batch = list(itertools.islice(self.samples, len(index)))
        if not batch or (self.drop_last and len(batch) < len(index)):
            return STREAM_END
        return self.collate_fn(batch)


def in_threads(fetch, indices, workers, ahead, timeout):
    """fetch(index) for each index, in order, with `ahead` of them under way."""
    pool = ThreadPoolExecutor(workers)
    try:
        waiting = deque(pool.submit(fetch, i) for i in itertools.islice(indices, ahead))
        while waiting:
            try:
                batch = waiting.popleft().result(timeout or None)
            except TimeoutError as error:
                raise RuntimeError(f"no batch within timeout={timeout} s") from error
            waiting.extend(pool.submit(fetch, i) for i in itertools.islice(indices, 1))
            yield batch
    finally:  # also when the loop over the batches is left early
        pool.shutdown(cancel_futures=True)


def pinned(batch):
    """The batch with its tensors in memory that an accelerator can read directly."""
    if isinstance(batch, torch.Tensor):
        return batch.pin_memory()
    if isinstance(batch, abc.Mapping):
        return rebuilt(batch, {key: pinned(value) for key, value in batch.items()})
    if isinstance(batch, abc.Sequence) and not isinstance(batch, (str, bytes)):
        return rebuilt(batch, [pinned(item) for item in batch])
    return batch


def check_workers(num_workers, timeout, prefetch_factor, persistent_workers):
    if num_workers < 0:
        raise ValueError(f"num_workers must be at least 0, not {num_workers}")
    if timeout < 0:
        raise ValueError(f"timeout must be at least 0 seconds, not {timeout}")
    if prefetch_factor is not None and (num_workers == 0 or prefetch_factor < 0):
        raise ValueError(
            f"prefetch_factor={prefetch_factor} needs num_workers > 0 and no minus sign"
        )
    if persistent_workers and num_workers == 0:
        raise ValueError("persistent_workers=True needs num_workers > 0")


def check_sampling(batch_size, shuffle, sampler, batch_sampler, drop_last, iterable):
    if iterable:
        named = dict(sampler=sampler, batch_sampler=batch_sampler)
        named |= dict(shuffle=shuffle or None)
        for name, value in named.items():
            if value is not None:
                raise ValueError(f"an IterableDataset takes no {name}, not {value!r}")
    if sampler is not None and shuffle:
        raise ValueError(f"sampler and shuffle={shuffle} exclude each other")
    if batch_sampler is not None:
        if batch_size != 1 or shuffle or sampler is not None or drop_last:
            raise ValueError(
                "batch_sampler excludes batch_size, shuffle, sampler and drop_last"
            )
    elif batch_size is None and drop_last:
        raise ValueError("batch_size=None makes no batches, so drop_last=True is void")


def refuse_what_threads_cannot(num_workers, iterable, worker_init_fn, context):
    """Raise NotImplementedError for what needs workers that are processes."""
    if num_workers == 0:
        if context is not None:
            raise ValueError("multiprocessing_context needs num_workers > 0")
        return
    for name, given in {
        "an IterableDataset, of which each worker would read a copy,": iterable,
        "worker_init_fn, which sets up the process of a worker,": worker_init_fn,
        "multiprocessing_context, which says how processes start,": context,
    }.items():
        if given:
            raise NotImplementedError(f"{name} cannot be had: workers are threads here")


class ParameterLoop(torch.optim.Optimizer):
    """An optimizer that calls self._update(parameter, group) for each parameter."""

    def __setstate__(self, state):
        super().__setstate__(state)
        for group in self.param_groups:  # a file of an older version may lack some
            for name, value in self.defaults.items():
                group.setdefault(name, value)

    def step(self, closure=None):
        """One step; returns closure() if it is given. Parameters without grad stay."""
        with torch.enable_grad():
            loss = None if closure is None else closure()
        with torch.set_grad_enabled(self.defaults["differentiable"]):
            for group in self.param_groups:
                for parameter in group["params"]:
                    if parameter.grad is not None:
                        self._update(parameter, group)
        return loss


class SGD(ParameterLoop):
    """Stochastic gradient descent with momentum, Nesterov's momentum and weight decay.

    The arguments are torch.optim.SGD's. lr and weight_decay may be tensors of one
    element. foreach and fused are accepted and change nothing: there is one loop over
    the parameters. With differentiable the step can be differentiated, though not with
    respect to lr. Raises ValueError for options out of range.
    Source: torch.optim.SGD in PyTorch's documentation; Sutskever et al. (2013).
    """

    def __init__(
        self, params, lr=1e-3, momentum=0, dampening=0, weight_decay=0, nesterov=False,
        *, maximize=False, foreach=None, differentiable=False, fused=None,
    ):
        at_least_zero(lr=lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError(
                f"nesterov needs momentum > 0 and dampening 0, not "
                f"momentum={momentum} and dampening={dampening}"
            )
        defaults = dict(
            lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay,
            nesterov=nesterov, maximize=maximize, foreach=foreach,
            differentiable=differentiable, fused=fused,
        )
        super().__init__(params, defaults)
        check_ways(fused, foreach, differentiable)

    def _update(self, parameter, group):
        grad = -parameter.grad if group["maximize"] else parameter.grad
        momentum, weight_decay = group["momentum"], number(group["weight_decay"])
        if weight_decay != 0:
            grad = grad.add(parameter, alpha=weight_decay)
        if momentum != 0:
            state = self.state[parameter]  # made here: without momentum there is none
            velocity = state.get("momentum_buffer")
            if velocity is None:  # the first gradient is not dampened
                velocity = grad.detach().clone()
            else:
                velocity.mul_(momentum).add_(grad, alpha=1 - group["dampening"])
            state["momentum_buffer"] = velocity
            grad = grad.add(velocity, alpha=momentum) if group["nesterov"] else velocity
        parameter.add_(grad, alpha=-number(group["lr"]))


def number(value):
    """An option as a number: a tensor of one element loses its axes."""
    if isinstance(value, torch.Tensor):
        if value.requires_grad:
            raise NotImplementedError("a step has no gradient in its options here")
        return value.squeeze()
    return value


def at_least_zero(**options):
    for name, value in options.items():
        if isinstance(value, torch.Tensor) and value.numel() != 1:
            raise ValueError(f"{name} must have one element, not {value.numel()}")
        if value < 0:
            raise ValueError(f"{name} must be at least 0, not {value}")


def check_ways(fused, foreach, differentiable):
    """Refuse the ways of computing a step that torch refuses to combine."""
    if fused and (foreach or differentiable):
        other = "differentiable" if differentiable else "foreach"
        raise RuntimeError(f"fused=True and {other}=True exclude each other")


class Adam(ParameterLoop):
    """Adam, and AMSGrad, with weight decay in the gradient or decoupled from it.

    The arguments are torch.optim.Adam's. lr and betas may be tensors of one element.
    foreach, capturable and fused are accepted and change nothing: there is one loop
    over the parameters. With differentiable the step can be differentiated, though
    not with respect to lr and betas. Raises ValueError for options out of range.
    Source: Kingma and Ba (2015); torch.optim.Adam in PyTorch's documentation.
    """

    def __init__(
        self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0,
        amsgrad=False, *, foreach=None, maximize=False, capturable=False,
        differentiable=False, fused=None, decoupled_weight_decay=False,
    ):
        at_least_zero(lr=lr, eps=eps, weight_decay=weight_decay)
        check_betas(betas)
        tensors = [x for x in (lr, *betas) if isinstance(x, torch.Tensor)]
        if tensors and foreach and not capturable:
            raise ValueError("foreach=True takes no tensors as lr or betas")
        defaults = dict(
            lr=lr, betas=tuple(betas), eps=eps, weight_decay=weight_decay,
            amsgrad=amsgrad, maximize=maximize, foreach=foreach, capturable=capturable,
            differentiable=differentiable, fused=fused,
            decoupled_weight_decay=decoupled_weight_decay,
        )
        super().__init__(params, defaults)
        check_ways(fused, foreach, differentiable)

    def _state_of(self, parameter, group):
        state = self.state[parameter]
        if not state:
            state["step"] = torch.tensor(0.0)
            names = ["exp_avg", "exp_avg_sq"] + ["max_exp_avg_sq"] * group["amsgrad"]
            for name in names:
                state[name] = torch.zeros_like(parameter)
        return state

    def _update(self, parameter, group):
        state = self._state_of(parameter, group)
        if parameter.grad.is_sparse:
            raise RuntimeError("Adam takes no sparse gradients; torch has SparseAdam")
        grad = -parameter.grad if group["maximize"] else parameter.grad
        lr, weight_decay = number(group["lr"]), number(group["weight_decay"])
        state["step"] += 1
        if weight_decay != 0 and group["decoupled_weight_decay"]:
            parameter.mul_(1 - lr * weight_decay)
        elif weight_decay != 0:
            grad = grad.add(parameter, alpha=weight_decay)
        averages = [state[name] for name in state if name != "step"]
        if parameter.is_complex():  # real and imaginary part are two numbers
            parameter, grad = map(torch.view_as_real, (parameter, grad))
            averages = [torch.view_as_real(average) for average in averages]

        beta1, beta2 = (float(number(beta)) for beta in group["betas"])
        t = state["step"].item()
        mean, square, *largest = averages
        mean.lerp_(grad, 1 - beta1)  # mean + (1 - beta1) (grad - mean)
        square.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        if group["amsgrad"]:
            square = largest[0].copy_(torch.maximum(largest[0], square))
        root = (square.sqrt() / (1 - beta2**t) ** 0.5).add_(group["eps"])
        if group["differentiable"]:
            mean = mean.clone()  # the next step writes into it
        parameter.addcdiv_(mean, root, value=-lr / (1 - beta1**t))


class AdamW(Adam):
    """Adam with decoupled weight decay; the arguments are torch.optim.AdamW's.

    Source: Loshchilov and Hutter (2019); torch.optim.AdamW in PyTorch's documentation.
    """

    def __init__(
        self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2,
        amsgrad=False, *, maximize=False, foreach=None, capturable=False,
        differentiable=False, fused=None,
    ):
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize,
            foreach=foreach, capturable=capturable, differentiable=differentiable,
            fused=fused, decoupled_weight_decay=True,
        )

    def __setstate__(self, state):
        super().__setstate__(state)
        for group in self.param_groups:  # also when they were an Adam's
            group["decoupled_weight_decay"] = True


def check_betas(betas):
    for index in (0, 1):
        beta = betas[index]
        if not 0 <= beta < 1:
            raise ValueError(f"betas[{index}] must be in [0, 1), not {beta}")
        if isinstance(beta, torch.Tensor) and beta.numel() != 1:
            raise ValueError(f"betas[{index}] must have one element")
    kinds = {torch.Tensor if isinstance(b, torch.Tensor) else type(b) for b in betas}
    if kinds not in ({float}, {torch.Tensor}):
        raise ValueError(f"betas must be two floats or two tensors, not {betas}")


def step_factor(t, step_size, gamma=0.1):
    """gamma to the number of whole step_size's in t."""
    return gamma ** (t // step_size)


def warmup_cosine_factor(t, warmup, total):
    """Linear rise over `warmup` steps, then half a cosine down to 0 at step `total`.

    Source: Loshchilov and Hutter (2017), with the warm-up of Goyal et al. (2017).
    """
    if t < warmup:
        return (t + 1) / (warmup + 1)
    return (1 + math.cos(math.pi * (t - warmup) / (total - warmup))) / 2


class Schedule:
    """Set each group's learning rate to its first one times factor(t), t from 0.

    Call step() after the optimizer's. It has the methods of torch's LambdaLR.
    """

    def __init__(self, optimizer, factor):
        self.optimizer, self.factor, self.last_epoch = optimizer, factor, -1
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.step()

    def step(self):
        self.last_epoch += 1
        for group, base in zip(self.optimizer.param_groups, self.base_lrs):
            group["lr"] = base * self.factor(self.last_epoch)

    def get_last_lr(self):
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self):
        return {"last_epoch": self.last_epoch, "base_lrs": self.base_lrs}

    def load_state_dict(self, state):
        self.last_epoch, self.base_lrs = state["last_epoch"], state["base_lrs"]


def clip_gradients(parameters, max_norm):
    """Scale all gradients so that their common length is at most max_norm, in place.

    Returns the length before, a tensor. Source: torch.nn.utils.clip_grad_norm_.
    """
    grads = [p.grad for p in parameters if p.grad is not None]
    if not grads:
        return torch.tensor(0.0)
    norm = torch.stack([g.norm() for g in grads]).norm()  # the length of all together
    for grad in grads:
        grad.mul_((max_norm / (norm + 1e-6)).clamp(max=1.0))
    return norm
