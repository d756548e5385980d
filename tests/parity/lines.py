"""The lines of the contract for layers, losses and functions: each takes a row, a case and a device, and raises.

A line compares ours with torch's twin on the same numbers. Where torch refuses, ours must refuse with the same type.
"""

from __future__ import annotations

import copy
import inspect
import io
import pickle
import re
from collections.abc import Callable, Iterator
from typing import Any

import torch

from tests.parity.case import Case, Row, Tensors

Layout = Callable[[torch.Tensor], torch.Tensor]
LOW = (torch.float32, torch.bfloat16, torch.float16)
INPUTS = 8
"""Over how many inputs the errors of a dtype are averaged, so that no lucky one decides."""
FACTOR, FLOOR = 2.5, 1.0
"""The error that is allowed, relative to the largest number: FACTOR times torch's and FLOOR epsilons of the dtype."""


def moved(value: Any, dtype: torch.dtype, device: str) -> Any:
    """A copy in another place, of tensors with fractions and of modules also in another dtype; the rest as it is."""
    if isinstance(value, torch.nn.Module):
        return copy.deepcopy(value).to(device, dtype)
    if not isinstance(value, torch.Tensor):
        return value
    return value.detach().to(device, dtype if value.is_floating_point() else None, copy=True)


def seed(number: int) -> None:
    """Quicker than torch.manual_seed, which keeps a traceback for each call until there is a GPU."""
    torch.default_generator.manual_seed(number)
    if torch.cuda.is_available():
        torch.cuda.manual_seed(number)


def same(tensor: torch.Tensor) -> torch.Tensor:
    return tensor


class Subject:
    """One of the twins, with the options of a case: called with tensors, it gives what the twin gives."""

    def __init__(self, row: Row, kind: Any, case: Case, dtype: torch.dtype, device: str) -> None:
        self.row = row
        options = {name: moved(value, dtype, device) for name, value in case.options.items()}
        self.layer: torch.nn.Module | None = None
        self.call: Callable[[Tensors], Any]
        if row.kind == "function":
            self.call = lambda tensors: kind(**tensors, **options)
        else:
            layer: torch.nn.Module = kind(**options).to(device, dtype)
            self.layer = layer
            self.call = lambda tensors: layer(*tensors.values())

    def parameters(self) -> Tensors:
        return {} if self.layer is None else dict(self.layer.named_parameters())

    def buffers(self) -> Tensors:
        return {} if self.layer is None else dict(self.layer.named_buffers())

    def __call__(self, tensors: Tensors) -> tuple[torch.Tensor, ...]:
        seed(0)
        output = self.call(tensors)
        return output if isinstance(output, tuple) else (output,)


def twins(row: Row, case: Case, dtype: torch.dtype, device: str) -> tuple[Subject, Subject]:
    """Ours and torch's, with the same random parameters."""
    theirs = Subject(row, row.theirs(), case, dtype, device)
    ours = Subject(row, row.ours(), case, dtype, device)
    with torch.no_grad():
        for number, parameter in enumerate(theirs.parameters().values()):
            generator = torch.Generator().manual_seed(number)
            parameter.copy_(torch.randn(parameter.shape, dtype=torch.float64, generator=generator))
    if ours.layer is not None and theirs.layer is not None:
        ours.layer.load_state_dict(theirs.layer.state_dict())
    return ours, theirs


def waves(tensors: list[torch.Tensor]) -> list[torch.Tensor]:
    """Gradients that differ from place to place."""
    return [torch.cos(torch.arange(t.numel(), dtype=torch.float64)).reshape(t.shape).to(t) for t in tensors]


def leaves_of(row: Row, case: Case, dtype: torch.dtype, device: str) -> Tensors:
    """Copies of the tensors of a case; those with fractions ask for a gradient, unless they are constants."""
    leaves = {name: moved(tensor, dtype, device) for name, tensor in case.tensors.items()}
    for name, leaf in leaves.items():
        if leaf.is_floating_point() and name not in row.constants:
            leaf.requires_grad_()
    return leaves


def derived(subject: Subject, leaves: Tensors, layout: Layout = same, second: bool = False) -> Tensors:
    """Outputs, the derivatives by leaves and parameters (and the second ones), and what has changed in place."""
    given = {name: layout(leaf) if name == "input" else leaf for name, leaf in leaves.items()}
    given = {name: value.clone() if value is leaves[name] else value for name, value in given.items()}
    outputs = subject(given)
    seen = {f"output {i}": output.detach().clone() for i, output in enumerate(outputs)}
    wanted = {f"grad {name}": leaf for name, leaf in (leaves | subject.parameters()).items() if leaf.requires_grad}
    sources = [output for output in outputs if output.requires_grad]
    if sources and wanted:
        tensors = list(wanted.values())
        grads = torch.autograd.grad(sources, tensors, waves(sources), allow_unused=True, create_graph=second)
        seen |= {name: g.detach() for name, g in zip(wanted, grads, strict=True) if g is not None}
        again = [g for g in grads if g is not None and g.requires_grad]
        if second and again:
            grads = torch.autograd.grad(again, tensors, waves(again), allow_unused=True)
            zeros = (torch.zeros_like(t) if g is None else g for t, g in zip(tensors, grads, strict=True))
            seen |= {f"second {name}": g for name, g in zip(wanted, zeros, strict=True)}
    seen |= {f"{name} afterwards": value.detach().clone() for name, value in given.items()}
    return seen | {f"buffer {name}": buffer.clone() for name, buffer in subject.buffers().items()}


def outcome(run: Callable[[], Any]) -> Any:
    """What a call returns, or the type of what it raises."""
    try:
        return run()
    except Exception as error:  # whatever is raised is the outcome
        return type(error)


def assert_same(ours: Any, theirs: Any) -> None:
    """The same numbers, dtypes and devices, or the same type of error."""
    if isinstance(ours, type) or isinstance(theirs, type):
        assert ours is theirs, f"ours: {ours}, torch's: {theirs}"
    else:
        torch.testing.assert_close(ours, theirs, equal_nan=True)


def steps(row: Row, case: Case, dtype: torch.dtype, device: str) -> Iterator[tuple[Tensors, bool]]:
    """The inputs of three steps of training and one of evaluation, each at another level."""
    for step in range(4):
        leaves = leaves_of(row, case, dtype, device)
        first = next(iter(leaves.values()))
        if first.requires_grad:
            with torch.no_grad():
                first.mul_(1 + step / 2).add_(step)
        yield leaves, step < 3


def values(row: Row, case: Case, device: str) -> list[tuple[Tensors, Tensors]]:
    """Output, gradients and every buffer, through three steps of training and one of evaluation."""
    ours, theirs = twins(row, case, torch.float64, device)
    seen = []
    for leaves, training in steps(row, case, torch.float64, device):
        for subject in (ours, theirs):
            if subject.layer is not None:
                subject.layer.train(training)
        expected = outcome(lambda leaves=leaves: derived(theirs, leaves))  # type: ignore[misc]
        got = outcome(lambda leaves=leaves: derived(ours, leaves))  # type: ignore[misc]
        assert_same(got, expected)
        if not isinstance(expected, type):
            seen.append((got, expected))
        if row.kind == "function":
            break  # no state: one step says it all
    return seen


def second(row: Row, case: Case, device: str) -> None:
    """Second derivatives, where torch has them."""
    ours, theirs = twins(row, case, torch.float64, device)
    leaves = leaves_of(row, case, torch.float64, device)
    expected = outcome(lambda: derived(theirs, leaves, second=True))
    if isinstance(expected, type):
        return
    got = derived(ours, leaves, second=True)
    for name in expected.keys() ^ got.keys():  # a gradient that does not depend on anything has no second derivative
        assert not (expected | got)[name].any(), name
    assert_same({name: got[name] for name in expected if name in got}, {k: v for k, v in expected.items() if k in got})


def gradcheck(row: Row, case: Case, device: str) -> None:
    """First and second derivatives against differences of values, in float64."""
    subject, _ = twins(row, case, torch.float64, device)
    leaves = leaves_of(row, case, torch.float64, device)
    first = next(iter(leaves.values()))
    numbers = first.detach().flatten().abs().tolist()
    usual = 0 < len(numbers) <= 400 and all(1e-3 < number < 1e4 for number in numbers)
    if not usual or len({*first.detach().flatten().tolist()}) < len(numbers):
        return  # nothing to do, too much, too steep, or the corner of a maximum
    try:
        outputs = subject({name: leaf.detach().clone() for name, leaf in leaves.items()})
    except Exception:  # refused: another line compares with what torch raises
        return
    if any(output.dtype != torch.float64 or not output.isfinite().all() for output in outputs[:1]):
        return
    wanted = {name: leaf for name, leaf in (leaves | subject.parameters()).items() if leaf.requires_grad}
    parameters, buffers = subject.parameters(), subject.buffers()

    def function(*tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        given = dict(zip(wanted, tensors, strict=True))
        inputs = {name: given.get(name, leaf).clone() for name, leaf in leaves.items()}
        if subject.layer is None:
            outputs = subject(inputs)
        else:
            state = {name: given[name] for name in parameters} | {name: b.clone() for name, b in buffers.items()}
            seed(0)
            output = torch.func.functional_call(subject.layer, state, tuple(inputs.values()))
            outputs = output if isinstance(output, tuple) else (output,)
        return tuple(output for output in outputs if output.is_floating_point())

    for check in (torch.autograd.gradcheck, torch.autograd.gradgradcheck):
        assert check(function, tuple(wanted.values()), fast_mode=True)


def relative(got: Tensors, truth: Tensors) -> dict[str, float]:
    """The largest error of each result, divided by the largest number of the truth."""
    found = {}
    for name, exact in truth.items():
        if exact.is_floating_point() and exact.numel() and name in got:
            scale = exact.abs().max().item() or 1.0
            found[name] = (got[name].to(exact) - exact).abs().max().item() / scale
    return found


Errors = dict[str, tuple[float, float | None]]
"""Of each result: ours and torch's, which is None where torch cannot compute in a dtype."""


def averaged(ours: list[dict[str, float]], theirs: list[dict[str, float]]) -> Errors:
    """Means over inputs."""
    count = len(ours)
    return {
        name: (sum(one[name] for one in ours) / count, sum(one[name] for one in theirs) / count if theirs else None)
        for name in ours[0]
    }


def inputs_of(case: Case) -> Iterator[Case]:
    """The case with other numbers, at several levels: an error that grows with the mean shows."""
    name, tensor = next(iter(case.tensors.items()))
    for number in range(INPUTS):
        generator = torch.Generator().manual_seed(number)
        x = torch.randn(tensor.shape, dtype=torch.float64, generator=generator)
        yield Case(case.options, case.tensors | {name: (1, 1, 3, 1)[number % 4] * x + (0, 0, 0, 30)[number % 4]})


def errors(row: Row, case: Case, device: str, dtype: torch.dtype) -> Errors:
    """Relative errors of each result in a dtype, averaged over inputs."""
    mine: list[dict[str, float]] = []
    other: list[dict[str, float]] = []
    for given in inputs_of(case) if next(iter(case.tensors.values())).is_floating_point() else [case] * INPUTS:
        rounded = Case(
            {name: moved(moved(value, dtype, device), torch.float64, device) for name, value in given.options.items()},
            {
                name: moved(moved(tensor, dtype, device), torch.float64, device)
                for name, tensor in given.tensors.items()
            },
        )
        low, exact = twins(row, given, dtype, device), twins(row, rounded, torch.float64, device)[1]
        if exact.layer is not None and low[1].layer is not None:
            exact.layer.load_state_dict(low[1].layer.state_dict())
        truth = derived(exact, leaves_of(row, rounded, torch.float64, device))
        ours = derived(low[0], leaves_of(row, given, dtype, device))
        mine.append(relative(ours, truth))
        theirs = outcome(lambda: derived(low[1], leaves_of(row, given, dtype, device)))  # noqa: B023
        if not isinstance(theirs, type):
            assert {k: v.dtype for k, v in ours.items()} == {k: v.dtype for k, v in theirs.items()}
            other.append(relative(theirs, truth))
    return averaged(mine, other)


def assert_as_good(errors: Errors, dtype: torch.dtype) -> None:
    """Where torch cannot compute in a dtype, it is taken to err by half an epsilon."""
    eps = torch.finfo(dtype).eps
    for name, (ours, theirs) in errors.items():
        allowed = FACTOR * (0.5 * eps if theirs is None else theirs) + FLOOR * eps
        assert ours <= allowed, f"{dtype}, {name}: our error is {ours:.2g}, torch's {theirs}, allowed are {allowed:.2g}"


def precision(row: Row, case: Case, device: str) -> None:
    """In float32 and in half precision not much further from the truth than torch is."""
    for dtype in LOW:
        assert_as_good(errors(row, case, device, dtype), dtype)


VARIANTS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "unbatched": lambda t: t[0],
    "empty": lambda t: t[:0],
    "single": lambda t: t[:1],
}


def batching(row: Row, case: Case, device: str) -> None:
    """Without a batch axis, with an empty batch and with a single sample: what torch gives, or its error."""
    for name, variant in VARIANTS.items():
        if f"batching: {name}" in row.exceptions:
            continue
        cut = {key: variant(t) if key in row.batched else t for key, t in case.tensors.items()}
        values(row, Case(case.options, cut), device)


def swapped(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.transpose(-1, -2).contiguous().transpose(-1, -2) if tensor.dim() > 1 else tensor


def spread(tensor: torch.Tensor) -> torch.Tensor:
    return torch.stack([tensor, tensor + 1], -1)[..., 0]


def channels_last(tensor: torch.Tensor) -> torch.Tensor:
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    return tensor.contiguous(memory_format=formats[tensor.dim()]) if tensor.dim() in formats else tensor


def expanded(tensor: torch.Tensor) -> torch.Tensor:
    return tensor[:1].expand_as(tensor)


def layouts(row: Row, case: Case, device: str) -> None:
    """Inputs that do not lie in memory one number after the other."""
    for layout in (swapped, spread, channels_last, expanded):
        if f"layouts: {layout.__name__}" in row.exceptions:
            continue
        ours, theirs = twins(row, case, torch.float64, device)
        leaves = leaves_of(row, case, torch.float64, device)
        assert_same(
            outcome(lambda: derived(ours, leaves, layout)),  # noqa: B023
            outcome(lambda: derived(theirs, leaves, layout)),  # noqa: B023
        )


def described(layer: torch.nn.Module) -> list[tuple[Any, ...]]:
    """What a layer holds: names in order, shapes, dtypes, and which are parameters."""
    held: list[tuple[Any, ...]] = [(name, p.shape, p.dtype, p.requires_grad) for name, p in layer.named_parameters()]
    held += [(name, b.shape, b.dtype, "buffer") for name, b in layer.named_buffers()]
    return held + [(name, value.shape, value.dtype) for name, value in layer.state_dict().items()]


def state(row: Row, case: Case, device: str) -> None:
    """state_dict: the same keys, order and shapes, and it goes both ways; the same public attributes."""
    ours, theirs = (kind(**copy.deepcopy(case.options)) for kind in (row.ours(), row.theirs()))
    assert described(ours) == described(theirs)
    if "metadata" not in row.exceptions:
        assert ours.state_dict()._metadata == theirs.state_dict()._metadata
    for source, target in ((ours, theirs), (theirs, ours)):
        torch.nn.init.normal_(torch.empty(1))
        with torch.no_grad():
            for tensor in source.state_dict().values():
                tensor.copy_(torch.rand(tensor.shape) * 9)
        target.load_state_dict(source.state_dict())
        torch.testing.assert_close(target.state_dict(), source.state_dict(), rtol=0, atol=0)
    full = ours.state_dict()
    for broken in ({**full, "other": torch.ones(1)}, dict(list(full.items())[1:])):
        refusals = [outcome(lambda: layer.load_state_dict(broken)) for layer in (ours, theirs)]  # noqa: B023
        assert isinstance(refusals[0], type) == isinstance(refusals[1], type)
    factory: dict[str, Any] = {"device": "meta", "dtype": torch.float64}
    if factory.keys() <= inspect.signature(row.theirs()).parameters.keys():
        made = [kind(**case.options, **factory) for kind in (row.ours(), row.theirs())]
        assert described(made[0]) == described(made[1])
        assert all(tensor.is_meta for tensor in made[0].state_dict().values())
    for name, value in vars(theirs).items():
        if not name.startswith("_") and f"attribute: {name}" not in row.exceptions:
            assert getattr(ours, name) == value, name


def initialisation(row: Row, case: Case, device: str) -> None:
    """The same first parameters and buffers from the same seed, when made and when reset."""
    made = []
    for kind in (row.ours(), row.theirs()):
        seed(0)
        layer = kind(**copy.deepcopy(case.options))
        first = copy.deepcopy(layer.state_dict())
        if hasattr(row.theirs(), "reset_parameters"):
            for tensor in layer.state_dict().values():
                tensor.fill_(2)
            seed(1)
            layer.reset_parameters()
        made.append((first, layer.state_dict()))
    torch.testing.assert_close(made[0], made[1])


def represented(row: Row, case: Case, device: str) -> None:
    """repr."""
    assert repr(row.ours()(**case.options)) == repr(row.theirs()(**case.options))


def copies(row: Row, case: Case, device: str) -> None:
    """After a step: deepcopy, pickle and torch.save give a layer that goes on as the first does."""
    if row.kind == "function":
        assert pickle.loads(pickle.dumps(row.ours())) is row.ours()
        return
    subject, _ = twins(row, case, torch.float64, device)
    assert subject.layer is not None
    derived(subject, leaves_of(row, case, torch.float64, device))
    saved = io.BytesIO()
    torch.save(subject.layer, saved)
    saved.seek(0)
    made = [
        copy.deepcopy(subject.layer),
        pickle.loads(pickle.dumps(subject.layer)),
        torch.load(saved, weights_only=False),
    ]
    original = subject.layer
    seed(0)
    seen = []
    for layer in (*made, original):
        assert layer is original or not (
            {*map(id, layer.state_dict().values())} & {id(p) for p in original.parameters()}
        )
        subject.layer = layer
        subject.call = lambda tensors, layer=layer: layer(*tensors.values())  # type: ignore[misc]
        seen.append(derived(subject, leaves_of(row, case, torch.float64, device)))
        assert repr(layer) == repr(original)
    for other in seen[:-1]:
        torch.testing.assert_close(other, seen[-1], rtol=0, atol=0, equal_nan=True)


def compiled(row: Row, case: Case, device: str) -> None:
    """torch.compile finds one graph, in training and in evaluation, which gives what torch gives."""
    torch._dynamo.reset()
    ours, theirs = twins(row, case, torch.float32, device)
    for training in (True, False):
        for subject in (ours, theirs):
            if subject.layer is not None:
                subject.layer.train(training)
        whole = torch.compile(ours.layer or row.ours(), fullgraph=True, backend="eager", dynamic=False)
        leaves = {name: leaf.detach() for name, leaf in leaves_of(row, case, torch.float32, device).items()}
        options = {name: moved(value, torch.float32, device) for name, value in case.options.items()}
        expected = theirs({name: leaf.clone() for name, leaf in leaves.items()})
        seed(0)
        got = whole(**leaves, **options) if ours.layer is None else whole(*leaves.values())
        torch.testing.assert_close(got if isinstance(got, tuple) else (got,), expected, rtol=1e-4, atol=1e-5)
        if ours.layer is None:
            break
    torch._dynamo.reset()


def documented(function: Any) -> list[tuple[Any, ...]]:
    """Names and defaults of a built-in function, which only the first line of its documentation tells."""
    line = re.search(rf"{function.__name__}\((.*?)\) ->", function.__doc__, re.DOTALL)
    assert line, f"no signature in the documentation of {function.__name__}"
    scope: dict[str, Any] = {}
    exec(f"def function({line[1].replace(', *, out=None', '')}): ...", scope)
    return [(p.name, p.default) for p in inspect.signature(scope["function"]).parameters.values()]


def arguments(function: Any) -> list[tuple[Any, ...]]:
    return [(p.name, p.default, p.kind) for p in inspect.signature(function).parameters.values()]


def signature(row: Row, case: Case, device: str) -> None:
    """The same names, defaults and kinds of arguments; of layers also those of forward."""
    ours, theirs = row.ours(), row.theirs()
    assert callable(ours) and ours is not theirs
    if row.kind != "function":
        assert arguments(ours) == arguments(theirs)
        assert [a[:2] for a in arguments(ours.forward)] == [a[:2] for a in arguments(theirs.forward)]
        return
    theirs = getattr(TORCH_FUNCTIONAL, f"{row.name}_with_indices", theirs)  # max_pool2d chooses between two
    if inspect.isbuiltin(theirs):
        assert [argument[:2] for argument in arguments(ours)] == documented(theirs)
    else:
        assert arguments(ours) == arguments(theirs)


TORCH_FUNCTIONAL = torch.nn.functional


def refusal(row: Row, name: str) -> None:
    """The same type of error for the same bad argument."""
    theirs = outcome(lambda: row.bad[name](row.theirs()))
    assert isinstance(theirs, type), f"torch does not refuse {name}: the table is wrong"
    ours = outcome(lambda: row.bad[name](row.ours()))
    assert ours is theirs, f"{name}: torch raises {theirs.__name__}, ours gives {ours}"


def masks(row: Row, case: Case, device: str) -> None:
    """A random layer: how much is dropped, in which pieces, the scale of what is left, and the same for gradients."""
    p, channels = 0.3, "channels" if row.name[-2:] in ("1d", "2d") else "numbers"
    x = torch.ones((200, 50, 4, 4) if row.name.endswith("2d") else (200, 50, 16), device=device, requires_grad=True)
    seed(0)
    subject = row.ours() if row.kind == "function" else row.ours()(p=p)
    y = subject(x, p=p) if row.kind == "function" else subject(x)
    (gradient,) = torch.autograd.grad(y.sum(), x)
    assert torch.equal(gradient, y)
    torch.testing.assert_close(y.unique(), torch.tensor([0, 1 / (1 - p)], device=device))
    pieces = (y == 0).flatten(2).double()
    if channels == "channels":
        assert torch.equal(pieces.amin(2), pieces.amax(2))
    pieces = pieces[..., :1] if channels == "channels" else pieces
    deviation = (p * (1 - p) / pieces.numel()) ** 0.5
    assert abs(pieces.mean().item() - p) < 5 * deviation
    by_sample = pieces.mean((1, 2)).var().item() / (p * (1 - p) / pieces[0].numel())
    assert 0.5 < by_sample < 2, "the pieces are not independent"
