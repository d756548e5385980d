"""scratch.rearranging does what einops' functions and torch.einsum do, over random patterns and equations."""

import copy
import inspect
import itertools
import math
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import einops
import pytest
import torch
from einops.layers.torch import Rearrange as EinopsRearrange
from hypothesis import given, settings
from hypothesis import strategies as st

from scratch import rearranging

REDUCTIONS = ("sum", "mean", "max", "min", "prod")


@dataclass
class Case:
    """A pattern, the shape of a tensor that fits it, and the sizes that go with it."""

    operation: str
    pattern: str
    shape: list[int]
    sizes: dict[str, int]

    def run(self, module: Any, x: torch.Tensor) -> torch.Tensor:
        if self.operation in ("rearrange", "repeat"):
            result = getattr(module, self.operation)(x, self.pattern, **self.sizes)
        else:
            result = module.reduce(x, self.pattern, self.operation, **self.sizes)
        assert isinstance(result, torch.Tensor)
        return result


def side(draw: st.DrawFn, axes: list[str], dots: bool, merge_dots: bool) -> list[list[str]]:
    """Groups of names in a random order, with axes of length 1 and dots among them."""
    order = draw(st.permutations(axes))
    groups: list[list[str]] = []
    for axis in order:
        if groups and draw(st.booleans()):
            groups[-1].append(axis)
        else:
            groups.append([axis])
    for _ in range(draw(st.integers(0, 2))):
        groups.insert(draw(st.integers(0, len(groups))), draw(st.sampled_from([["1"], []])))
    if dots:
        if merge_dots and groups and draw(st.booleans()):
            group = draw(st.sampled_from(groups))
            group.insert(draw(st.integers(0, len(group))), "...")
        else:
            groups.insert(draw(st.integers(0, len(groups))), ["..."])
    return groups


@st.composite
def cases(draw: st.DrawFn, operations: tuple[str, ...] = ("rearrange", "repeat", *REDUCTIONS)) -> Case:
    operation = draw(st.sampled_from(operations))
    names = draw(st.permutations(["a", "b", "long_name", "D", "e2"]))[: draw(st.integers(0, 5))]
    lengths = {name: draw(st.integers(1, 3)) for name in names} | {"1": 1}
    single = [] if operation == "rearrange" else [name for name in names if draw(st.booleans())]
    both = [name for name in names if name not in single]
    reducing = operation in REDUCTIONS
    dots = draw(st.booleans())
    covered = draw(st.lists(st.integers(1, 3), max_size=2)) if dots else []
    keep_dots = dots and not (reducing and draw(st.booleans()))
    left = side(draw, both + single * reducing, dots, merge_dots=False)
    right = side(draw, both + single * (operation == "repeat"), keep_dots, merge_dots=True)

    numbers = {name for name in single if lengths[name] > 1 and draw(st.booleans())}
    sizes = {name: lengths[name] for name in single if not reducing and name not in numbers}
    shape: list[int] = []
    for group in left:
        if group == ["..."]:
            shape += covered
            continue
        shape.append(math.prod(lengths[name] for name in group))
        known = [name for name in group if name not in numbers and name != "1"]
        free = draw(st.sampled_from([None, *known])) if known else None
        sizes |= {name: lengths[name] for name in known if name != free}

    def text(groups: list[list[str]], may_bracket_dots: bool) -> str:
        words = []
        for group in groups:
            spelled = [str(lengths[name]) if name in numbers else name for name in group]
            plain = len(group) == 1 and ((group == ["..."] and not may_bracket_dots) or draw(st.booleans()))
            words.append(spelled[0] if plain else f"({' '.join(spelled)})")
        return draw(st.sampled_from([" ", "  "])).join(words)

    return Case(operation, f"{text(left, False)} -> {text(right, True)}", shape, sizes)


def integers(shape: Any, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    """Small whole numbers, whose sums and products are exact in any order."""
    return torch.randint(-3, 4, tuple(shape)).to(dtype)


def strides_that_matter(x: torch.Tensor) -> list[int]:
    return [stride for stride, size in zip(x.stride(), x.shape, strict=True) if size > 1]


@given(cases())
def test_values_and_gradients(case: Case) -> None:
    x = integers(case.shape).requires_grad_()
    ours, theirs = case.run(rearranging, x), case.run(einops, x)
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=0)
    g = integers(theirs.shape)
    (expected,) = torch.autograd.grad(theirs, x, g)
    torch.testing.assert_close(torch.autograd.grad(ours, x, g)[0], expected)
    if case.operation != "prod":
        by_hand = rearranging.transform_backward(g, x.detach(), case.pattern, case.operation, **case.sizes)
        torch.testing.assert_close(by_hand, expected)


@given(cases(("rearrange", "repeat", "sum")))
def test_the_loops_are_the_specification(case: Case) -> None:
    x = integers(case.shape)
    left, right = rearranging.read_pattern(case.pattern, case.operation, tuple(case.sizes))
    looped = rearranging.move_loops(x, *rearranging.axis_sizes(left, right, x.shape, case.sizes))
    assert torch.equal(looped, case.run(einops, x))


@given(cases(("rearrange",)))
def test_a_view_exactly_where_einops_gives_one(case: Case) -> None:
    x = integers(case.shape)
    ours, theirs = case.run(rearranging, x), case.run(einops, x)
    assert (ours.data_ptr() == x.data_ptr()) == (theirs.data_ptr() == x.data_ptr())
    assert strides_that_matter(ours) == strides_that_matter(theirs)


@given(cases(("rearrange",)))
def test_the_layer(case: Case) -> None:
    ours = rearranging.Rearrange(case.pattern, **case.sizes)
    theirs = EinopsRearrange(case.pattern, **case.sizes)
    assert repr(ours) == repr(theirs)
    assert (ours.pattern, ours.axes_lengths) == (theirs.pattern, theirs.axes_lengths)
    assert ours.state_dict() == theirs.state_dict() == {}
    ours.load_state_dict(theirs.state_dict())
    theirs.load_state_dict(ours.state_dict())
    x = integers(case.shape)
    for twin in (ours, copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        assert torch.equal(twin(x), theirs(x))


@settings(max_examples=30)
@given(cases(("rearrange", "repeat", "sum", "mean", "prod")))
def test_second_derivatives(case: Case) -> None:
    x = torch.randn(case.shape, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: case.run(rearranging, x), (x,))
    assert torch.autograd.gradgradcheck(lambda x: case.run(rearranging, x), (x,), fast_mode=True)


@pytest.mark.parametrize("reduction", ["any", "all"])
def test_any_and_all(reduction: str) -> None:
    x = torch.rand(4, 6, 2) > 0.3
    ours, theirs = (f.reduce(x, "b (t 3) c -> c t", reduction) for f in (rearranging, einops))
    assert ours.dtype == theirs.dtype == torch.bool
    assert torch.equal(ours, theirs)


def test_a_function_reduces() -> None:
    x = torch.randn(4, 6, 2)

    def spread(x: torch.Tensor, axes: tuple[int, ...]) -> torch.Tensor:
        return x.var(axes)

    ours, theirs = (f.reduce(x, "b (t k) c -> t c", spread, k=3) for f in (rearranging, einops))
    torch.testing.assert_close(ours, theirs)


def test_a_function_may_keep_its_axes() -> None:
    """They are dropped, as the pattern says; einops leaves them where nothing is merged afterwards."""
    x = integers((4, 6, 2))

    def total(x: torch.Tensor, axes: tuple[int, ...]) -> torch.Tensor:
        return x.sum(axes, keepdim=True)

    for pattern in ("b (t k) c -> t c", "b (t k) c ->", "b (t k) c -> c 1 (b t)"):
        ours, theirs = rearranging.reduce(x, pattern, total, k=3), einops.reduce(x, pattern, "sum", k=3)
        assert ours.shape == theirs.shape and torch.equal(ours, theirs)


@pytest.mark.parametrize("operation", ["prod", "any", "all", "median", torch.sum])
def test_no_gradient_by_hand_of_other_operations(operation: Any) -> None:
    with pytest.raises(NotImplementedError, match="no gradient by hand"):
        rearranging.transform_backward(torch.ones(2), torch.ones(2, 3), "a b -> a", operation)


@pytest.mark.parametrize("pattern", ["a b -> b", "a b -> a", "a b ->"])
@pytest.mark.parametrize("shape", [(0, 3), (2, 0), (2, 3)])
def test_gradient_of_a_mean_of_nothing(pattern: str, shape: tuple[int, int]) -> None:
    x = integers(shape).requires_grad_()
    y = einops.reduce(x, pattern, "mean")
    g = integers(y.shape)
    by_hand = rearranging.transform_backward(g, x.detach(), pattern, "mean")
    torch.testing.assert_close(by_hand, torch.autograd.grad(y, x, g)[0])


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int64, torch.bfloat16, torch.complex64], ids=str)
def test_dtypes_are_kept(dtype: torch.dtype) -> None:
    x = integers((2, 6, 4), dtype)
    ours, theirs = (f.rearrange(x, "b (t k) c -> (c b) k t", k=2) for f in (rearranging, einops))
    assert ours.dtype == dtype and torch.equal(ours, theirs)


def test_lists_are_stacked() -> None:
    frames = [integers((4, 5)) for _ in range(3)]
    assert torch.equal(rearranging.rearrange(frames, "t h w -> h (t w)"), einops.rearrange(frames, "t h w -> h (t w)"))
    assert torch.equal(rearranging.reduce(frames, "t h w -> h", "sum"), einops.reduce(frames, "t h w -> h", "sum"))


def test_a_float_as_a_size_does_not_spoil_later_calls() -> None:
    x = torch.arange(38)
    with pytest.raises(TypeError, match=r"h=2\.0"):
        rearranging.rearrange(x, "(h w) -> h w", h=2.0)
    assert rearranging.rearrange(x, "(h w) -> h w", h=2).shape == (2, 19)


x, m = torch.randn(2, 6), torch.randn(2, 3)
REFUSED: dict[str, Callable[[Any], Any]] = {
    "unknown name in the sizes": lambda f: f.rearrange(x, "b c -> c b", d=2),
    "bad name in the sizes": lambda f: f.rearrange(x, "b c -> c b", _d=2),
    "axis twice on the left": lambda f: f.rearrange(x, "b b -> b"),
    "axis twice on the right": lambda f: f.rearrange(x, "b c -> b c b"),
    "does not divide": lambda f: f.rearrange(x, "b (c d) -> b c d", d=4),
    "product does not fit": lambda f: f.rearrange(x, "b (c d) -> b c d", c=2, d=4),
    "two unknowns": lambda f: f.rearrange(x, "b (c d) -> b c d"),
    "missing on the right": lambda f: f.rearrange(x, "b c -> b"),
    "missing on the left": lambda f: f.rearrange(x, "b c -> b c d", d=2),
    "too few axes": lambda f: f.rearrange(x, "b c d -> d c b"),
    "too many axes": lambda f: f.rearrange(x, "b -> b"),
    "too few axes for the dots": lambda f: f.rearrange(x, "a b c ... -> a b c ..."),
    "wrong size": lambda f: f.rearrange(x, "b c -> c b", b=3),
    "1 is longer": lambda f: f.rearrange(x, "1 c -> c"),
    "empty brackets are longer": lambda f: f.rearrange(x, "() c -> c"),
    "number in rearrange": lambda f: f.rearrange(x, "b (c 2) -> b c 2"),
    "number 0": lambda f: f.reduce(x, "b (c 0) -> b c", "sum"),
    "dots on the right only": lambda f: f.rearrange(x, "b c -> b c ..."),
    "dots on the left only": lambda f: f.rearrange(x, "b ... -> b"),
    "dots in brackets on the left": lambda f: f.rearrange(x, "(b ...) -> b ..."),
    "dots twice": lambda f: f.rearrange(x, "... b ... -> b ..."),
    "two dots": lambda f: f.rearrange(x, "b .. -> .. b"),
    "dots glued to a name": lambda f: f.rearrange(x, "b... -> ...b"),
    "bracket not closed": lambda f: f.rearrange(x, "b (c -> c b"),
    "bracket not opened": lambda f: f.rearrange(x, "b c) -> c b"),
    "brackets in brackets": lambda f: f.rearrange(x, "((b) c) -> c b"),
    "underscore first": lambda f: f.rearrange(x, "b _c -> _c b"),
    "underscore last": lambda f: f.rearrange(x, "b c_ -> c_ b"),
    "underscore alone": lambda f: f.rearrange(x, "b _ -> _ b"),
    "hyphen": lambda f: f.rearrange(x, "b c-d -> c-d b"),
    "digit first": lambda f: f.rearrange(x, "b 2c -> 2c b"),
    "comma": lambda f: f.rearrange(x, "b, c -> c, b"),
    "newline": lambda f: f.rearrange(x, "b\nc -> c b"),
    "no arrow": lambda f: f.rearrange(x, "b c"),
    "two arrows": lambda f: f.rearrange(x, "b c -> c b -> b c"),
    "float": lambda f: f.rearrange(x, "b (c d) -> b c d", d=3.0),
    "str": lambda f: f.rearrange(x, "b (c d) -> b c d", d="3"),
    "True is 1": lambda f: f.rearrange(x, "b c -> c b", b=True),
    "empty list": lambda f: f.rearrange([], "b c -> c b"),
    "tuple": lambda f: f.rearrange((x, x), "a b c -> c b a"),
    "repeat without a size": lambda f: f.repeat(x, "b c -> b c k"),
    "repeat drops an axis": lambda f: f.repeat(x, "b c -> b"),
    "repeat drops a number": lambda f: f.repeat(x, "2 c -> c"),
    "reduce makes an axis": lambda f: f.reduce(x, "b c -> b d", "sum"),
    "reduce makes a number": lambda f: f.reduce(x, "b c -> b 3", "sum"),
    "unknown reduction": lambda f: f.reduce(x, "b c -> b", "median"),
    "mean of integers": lambda f: f.reduce(x.long(), "b c -> b", "mean"),
    "layer: one side": lambda f: layer(f)("b c -> c d"),
    "layer: two unknowns": lambda f: layer(f)("b (c d) -> b c d"),
    "layer: unknown name": lambda f: layer(f)("b c -> c b", d=2),
    "layer: no arrow": lambda f: layer(f)("b c"),
    "layer: does not divide": lambda f: layer(f)("b (c d) -> b c d", d=4)(x),
    "layer: float": lambda f: layer(f)("b (c d) -> b c d", d=3.0)(x),
}


def layer(module: Any) -> Any:
    return rearranging.Rearrange if module is rearranging else EinopsRearrange


@pytest.mark.parametrize("call", REFUSED.values(), ids=REFUSED.keys())
def test_refuses_as_einops_does(call: Callable[[Any], Any]) -> None:
    with pytest.raises(Exception) as theirs:
        call(einops)
    with pytest.raises(theirs.type) as ours:
        call(rearranging)
    assert ours.type is theirs.type
    assert len(str(ours.value)) > 20


@pytest.mark.parametrize(
    "call",
    [
        lambda f: layer(f)("b c -> c b")(x[0]),
        lambda f: f.rearrange(x, "b (c d) -> b c d", d=0),
        lambda f: f.rearrange(x, "b (c d) -> b c d", d=-2),
    ],
    ids=["layer: wrong number of axes", "size 0", "size -2"],
)
def test_what_einops_does_not_look_at_is_an_einops_error(call: Callable[[Any], Any]) -> None:
    with pytest.raises((KeyError, ZeroDivisionError, RuntimeError)):
        call(einops)
    with pytest.raises(einops.EinopsError):
        call(rearranging)


@pytest.mark.parametrize(("name", "theirs"), [("rearrange", einops.rearrange), ("reduce", einops.reduce),
                                              ("repeat", einops.repeat), ("Rearrange", EinopsRearrange)])  # fmt: skip
def test_signature(name: str, theirs: Any) -> None:
    def arguments(callable_: Any) -> list[Any]:
        return [(p.name, p.kind, p.default) for p in inspect.signature(callable_).parameters.values()]

    assert arguments(getattr(rearranging, name)) == arguments(theirs)


def test_where_einops_answers_and_ours_refuses_or_the_other_way_round() -> None:
    assert einops.repeat(x, "b c -> b c k", k=-1).shape == (2, 6, 1)
    with pytest.raises(einops.EinopsError, match="k=-1"):
        rearranging.repeat(x, "b c -> b c k", k=-1)
    assert einops.rearrange(x.numpy(), "b c -> c b").shape == (6, 2)
    with pytest.raises(RuntimeError, match="ndarray"):
        rearranging.rearrange(x.numpy(), "b c -> c b")
    with pytest.raises(AttributeError):
        EinopsRearrange("a b c -> c b a")([x, x])
    assert rearranging.Rearrange("a b c -> c b a")([x, x]).shape == (6, 2, 2)


@dataclass
class Equation:
    text: str
    shapes: list[list[int]]

    def operands(self, dtype: torch.dtype = torch.float64) -> list[torch.Tensor]:
        return [integers(shape, dtype) for shape in self.shapes]


@st.composite
def equations(draw: st.DrawFn, operands: int = 4, smallest: int = 0) -> Equation:
    sizes = {letter: draw(st.integers(1, 3)) for letter in "abzAZ"}
    if draw(st.integers(0, 9)) == 0:
        sizes[draw(st.sampled_from("abzAZ"))] = smallest
    covered = [draw(st.integers(1, 3)) for _ in range(2)]
    dots = draw(st.booleans())
    terms, shapes = [], []
    for _ in range(draw(st.integers(1, operands))):
        term = draw(st.lists(st.sampled_from("abzAZ"), max_size=4))
        ones = draw(st.sets(st.sampled_from("abzAZ"), max_size=1)) if draw(st.booleans()) else set()
        shape = [1 if letter in ones else sizes[letter] for letter in term]
        if dots and draw(st.booleans()):
            at = draw(st.integers(0, len(term)))
            term = [*term[:at], "...", *term[at:]]
            shape[at:at] = draw(st.sampled_from([covered, covered[1:], [covered[0], 1], [1], []]))
        terms.append(draw(st.sampled_from(["", " "])).join(term))
        shapes.append(shape)
    text = draw(st.sampled_from([",", " , "])).join(terms)
    if draw(st.integers(0, 3)):
        letters = sorted({x for x in text if x.isalpha()})
        output = draw(st.permutations(letters))[: draw(st.integers(0, len(letters)))]
        if draw(st.booleans()):
            at = draw(st.integers(0, len(output)))
            output = [*output[:at], "...", *output[at:]]
        text += draw(st.sampled_from(["->", " -> "])) + "".join(output)
    return Equation(text, shapes)


@given(equations())
def test_einsum_and_its_gradients(equation: Equation) -> None:
    operands = [operand.requires_grad_() for operand in equation.operands()]
    ours, theirs = rearranging.einsum(equation.text, *operands), torch.einsum(equation.text, *operands)
    assert ours.dtype == theirs.dtype
    assert torch.equal(ours, theirs)
    g = integers(theirs.shape)
    expected = torch.autograd.grad(theirs, operands, g)
    for got, true in zip(torch.autograd.grad(ours, operands, g), expected, strict=True):
        assert torch.equal(got, true)
    by_hand = rearranging.einsum_backward(g, equation.text, *(operand.detach() for operand in operands))
    for got, true in zip(by_hand, expected, strict=True):
        assert torch.equal(got, true)


@settings(max_examples=100)
@given(equations(operands=3))
def test_einsum_loops(equation: Equation) -> None:
    operands = equation.operands()
    assert torch.equal(rearranging.einsum_loops(equation.text, *operands), torch.einsum(equation.text, *operands))


@settings(max_examples=40)
@given(equations(operands=3, smallest=1))
def test_einsum_second_derivatives(equation: Equation) -> None:
    operands = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in equation.shapes]
    assert torch.autograd.gradcheck(lambda *x: rearranging.einsum(equation.text, *x), operands)
    assert torch.autograd.gradgradcheck(lambda *x: rearranging.einsum(equation.text, *x), operands, fast_mode=True)


@settings(max_examples=60)
@given(equations(operands=3))
def test_einsum_of_complex_numbers(equation: Equation) -> None:
    operands = [torch.complex(*(integers(shape) for _ in range(2))).requires_grad_() for shape in equation.shapes]
    ours, theirs = rearranging.einsum(equation.text, *operands), torch.einsum(equation.text, *operands)
    torch.testing.assert_close(ours, theirs)
    g = torch.complex(integers(theirs.shape), integers(theirs.shape))
    expected = torch.autograd.grad(theirs, operands, g)
    by_hand = rearranging.einsum_backward(g, equation.text, *(operand.detach() for operand in operands))
    torch.testing.assert_close(tuple(by_hand), expected)


@pytest.mark.parametrize("dtype", [torch.int64, torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_einsum_dtypes(dtype: torch.dtype) -> None:
    a, b = integers((3, 4, 5), dtype), integers((3, 5, 6), dtype)
    for text in ("bij,bjk->bik", "bij,bjk->", "bij,bjk->bjki"):
        ours, theirs = rearranging.einsum(text, a, b), torch.einsum(text, a, b)
        assert ours.dtype == theirs.dtype == dtype
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("text", ["ij->ji", "ii->i", "ij->ij", "...i->i..."])
def test_einsum_of_one_operand_is_a_view_where_torch_gives_one(text: str) -> None:
    x = torch.randn(3, 3)
    assert rearranging.einsum(text, x).data_ptr() == torch.einsum(text, x).data_ptr() == x.data_ptr()


@pytest.mark.parametrize("text", ["i,i->i", "i,j->ij", "i,j->ji"])
def test_einsum_without_a_sum_multiplies_as_torch_does(text: str) -> None:
    """A plain product takes booleans and two dtypes, which a matrix product refuses."""
    for a, b in ((torch.rand(3) > 0.5, torch.rand(3) > 0.5), (torch.rand(3), torch.rand(3).double())):
        ours, theirs = rearranging.einsum(text, a, b), torch.einsum(text, a, b)
        assert ours.dtype == theirs.dtype and torch.equal(ours, theirs)


def test_einsum_names_what_is_wrong() -> None:
    with pytest.raises(RuntimeError, match="'i' stands twice"):
        rearranging.einsum("ij->ii", m)
    with pytest.raises(RuntimeError, match="'k' is in the output"):
        rearranging.einsum("ij->ijk", m)
    with pytest.raises(RuntimeError, match="'j' has size 2, but 3"):
        rearranging.einsum("ij,jk->ik", m, m)


def test_einsum_takes_a_list() -> None:
    u, v = torch.randn(3), torch.randn(3)
    for operands in ([u, v], (u, v), [[u, v]]):
        torch.testing.assert_close(rearranging.einsum("i,i->", operands), torch.einsum("i,i->", operands))


def test_einsum_only_shifts_the_work_to_one_product() -> None:
    """No tensor larger than the operands and the result is made for a matrix product."""
    a, b = torch.randn(30, 40), torch.randn(40, 50)
    with torch.autograd.profiler.profile() as profile:
        rearranging.einsum("ij,jk->ik", a, b)
    names = [event.name for event in profile.function_events]
    assert names.count("aten::bmm") == 1
    assert "aten::mul" not in names


EINSUM_REFUSED: dict[str, tuple[Any, ...]] = {
    "too few operands": ("ij,jk->ik", m),
    "too many operands": ("ij", m, m),
    "sizes differ": ("ij,jk->ik", m, m),
    "dots differ": ("...,...->...", m, torch.randn(3, 3)),
    "diagonal of 2 x 3": ("ii->i", m),
    "diagonal of 1 x 3": ("ii->i", torch.randn(1, 3)),
    "too few letters": ("i", m),
    "too many letters": ("ijk", m),
    "too many letters beside dots": ("...ijk", m),
    "output twice": ("ij->ii", m),
    "output unknown": ("ij->ijk", m),
    "output of another case": ("ij->iJ", m),
    "digit": ("i1", m),
    "letter with an accent": ("ié", m),
    "two dots": ("i..j", m),
    "four dots": ("....ij", m),
    "dots twice": ("...i...", m),
    "dots twice in the output": ("ij->...i...", m),
    "split dots": (". ..", m),
    "split arrow": ("ij- >ij", m),
    "half an arrow": ("ij-ij", m),
    "two arrows": ("ij->ij->ij", m),
    "comma in the output": ("ij->i,j", m),
    "newline": ("i\nj", m),
    "no operand": ("ij",),
    "numbers": ("i", [1.0, 2.0]),
    "a number": ("i", 2.0),
    "no equation": (3, m),
    "two dtypes": ("ij,ij->", m, m.double()),
    "product of booleans": ("ij,kj->ik", m > 0, m > 0),
}


def test_einsum_takes_its_equation_by_place() -> None:
    for function in (rearranging.einsum, torch.einsum):
        with pytest.raises(TypeError, match="equation"):
            function(equation="ij->ji")


@pytest.mark.parametrize("arguments", EINSUM_REFUSED.values(), ids=EINSUM_REFUSED.keys())
def test_einsum_refuses_as_torch_does(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(Exception) as theirs:
        torch.einsum(*arguments)
    with pytest.raises(theirs.type) as ours:
        rearranging.einsum(*arguments)
    assert ours.type is theirs.type


@pytest.mark.parametrize(("r", "s"), list(itertools.product([1, 2, 3], repeat=2)))
def test_layers_of_torch_are_patterns(r: int, s: int) -> None:
    x = torch.randn(2, 3 * r * s, 4, 5)
    shuffled = rearranging.rearrange(x, "n (g c) h w -> n (c g) h w", g=r * s)
    assert torch.equal(shuffled, torch.nn.ChannelShuffle(r * s)(x))
    if r == s:
        large = rearranging.rearrange(x, "n (c r s) h w -> n c (h r) (w s)", r=r, s=s)
        assert torch.equal(large, torch.nn.PixelShuffle(r)(x))
        small = rearranging.rearrange(large, "n c (h r) (w s) -> n (c r s) h w", r=r, s=s)
        assert torch.equal(small, torch.nn.PixelUnshuffle(r)(large))
