"""The explorer of patterns in Chromium: its tensors, steps and refusals are einops'."""

import random
import re
from typing import Any

import einops
import pytest
import torch
from playwright.sync_api import Page
from torch.overrides import TorchFunctionMode

from tests.site.conftest import Reader

REARRANGING = "book/chapters/02_rearranging.html"
NAMES = {name: getattr(einops, name) for name in ("rearrange", "reduce", "repeat")}

SEE = """cases => {
    const field = (name, value) => {
        const input = document.getElementById(`explore-${name}`);
        if (input.value === value) return;
        input.value = value;
        input.dispatchEvent(new Event("change"));
    };
    const explorer = document.getElementById("explorer-einops");
    const squares = side => [...explorer.querySelectorAll(`figure[data-tensor=${side}] g`)];
    return cases.map(([way, shape, pattern, lengths]) => {
        Object.entries({way, shape, pattern, lengths}).forEach(([name, value]) => field(name, value));
        return {
            call: explorer.querySelector(".explorer-call").textContent,
            text: explorer.querySelector("[aria-live]").textContent,
            said: explorer.querySelector("code.said")?.textContent ?? null,
            invalid: [...explorer.querySelectorAll("[aria-invalid]")].map(input => input.name),
            steps: [...explorer.querySelectorAll("tbody tr")].map(row => [...row.cells].map(cell => cell.textContent)),
            x: squares("x").map(square => square.textContent),
            y: squares("y").map(square => square.textContent),
            labels: [...explorer.querySelectorAll("svg")].map(svg => svg.getAttribute("aria-label")),
        };
    });
}"""

SELECT = """([side, count]) => {
    const explorer = document.getElementById("explorer-einops");
    const marked = name => [...explorer.querySelectorAll(`figure[data-tensor=${name}] g.chosen`)]
        .map(square => Number(square.dataset.place));
    const slider = document.getElementById(`explore-${side}`);
    return Array.from({length: count}, (_, place) => {
        slider.value = place;
        slider.dispatchEvent(new Event("input"));
        return {x: marked("x"), y: marked("y"), text: slider.getAttribute("aria-valuetext")};
    });
}"""

Case = tuple[str, str, str, str]  # function, shape, pattern, lengths

RIGHT: list[Case] = [
    ("rearrange", "2, 3, 2, 2", "b c h w -> b (h w) c", ""),
    ("rearrange", "4, 3, 2, 2", "(b1 b2) c h w -> (b1 h) (b2 w) c", "b1=2"),
    ("rearrange", "2, 8, 2, 2", "b (c r s) h w -> b c (h r) (w s)", "r=2, s=2"),
    ("rearrange", "2, 3, 4, 4", "b c (h p) (w q) -> b (h w) (p q c)", "p=2,q=2"),
    ("rearrange", "6", "(h w) -> w h", "h=2"),
    ("rearrange", "2, 3", "h w -> h w", ""),
    ("rearrange", "2, 1, 3", "h 1 w -> 1 w (1 h) ()", ""),
    ("rearrange", "1, 1", "1 1 ->", ""),
    ("rearrange", "", "-> 1 1", ""),
    ("rearrange", "2, 3, 4", "...->(...)", ""),
    ("rearrange", "2, 3, 4", "a ... c -> ... (c a)", ""),
    ("rearrange", "2, 3", "a b ... -> (b ... a)", ""),
    ("rearrange", "2, 3", "é ß_1 -> ß_1 é", ""),
    ("rearrange", "4, 6", "(a b) (c d) -> a (b c) d", "a=2, d=3"),
    ("rearrange", "2, 6", "h w -> w h", "h=2, w=6"),
    ("repeat", "2, 3", "h w -> (h 2) 3 w", ""),
    ("repeat", "2, 3", "h w -> h (w k) 1", "k=1"),
    ("repeat", "", "-> 2 n", "n=3"),
    ("repeat", "2, 3", "h w -> 2 (h w)", ""),
    ("repeat", "2, 3", "... -> ... k", "k=2"),
    ("reduce, sum", "2, 3, 4", "a b c ->", ""),
    ("reduce, mean", "4, 6", "(h 2) (w 3) -> h w", ""),
    ("reduce, mean", "3, 5", "h w -> w", ""),
    ("reduce, min", "2, 3, 4", "a ... -> a 1 1", ""),
    ("reduce, max", "4, 4", "(h p) w -> (w h)", "p=2"),
    ("reduce, max", "2, 3", "h w -> w h", ""),
]

WRONG: list[Case] = [
    ("rearrange", "2, 3", "h w", ""),
    ("rearrange", "2, 3", "h w -> w -> h", ""),
    ("rearrange", "2, 3", "h w -> w", ""),
    ("rearrange", "2, 3", "h w -> w h c", ""),
    ("rearrange", "2, 3", "h h -> h", ""),
    ("rearrange", "2, 3", "h w -> w (h w)", ""),
    ("rearrange", "2, 3", "h 3 -> 3 h", ""),
    ("rearrange", "2, 3", "(h w -> w h", ""),
    ("rearrange", "2, 3", "h w) -> w h", ""),
    ("rearrange", "2, 3", "((h) w) -> w h", ""),
    ("rearrange", "2, 3", "h, w -> w h", ""),
    ("rearrange", "2, 3", "h-w -> w h", ""),
    ("rearrange", "2, 3", "2h w -> w 2h", ""),
    ("rearrange", "2, 3", "_h w -> w _h", ""),
    ("rearrange", "2, 3", "h w_ -> w_ h", ""),
    ("rearrange", "2, 3", "h 0 -> 0 h", ""),
    ("rearrange", "2, 3", ".. h -> h ..", ""),
    ("rearrange", "2, 3", "... ... -> ...", ""),
    ("rearrange", "2, 3", "...h -> h .", ""),
    ("rearrange", "2, 3", "h w -> h w ...", ""),
    ("rearrange", "2, 3", "(... h) -> h ...", ""),
    ("rearrange", "2, 3", "... h -> h", ""),
    ("rearrange", "2, 3", "h w c -> h w c", ""),
    ("rearrange", "2, 3, 4", "h w -> h w", ""),
    ("rearrange", "2, 3", "a b c ... -> a b c ...", ""),
    ("rearrange", "2, 6", "h (w k) -> h w k", ""),
    ("rearrange", "2, 6", "h (w k) -> h w k", "w=4"),
    ("rearrange", "2, 6", "h (w k) -> h w k", "w=4, k=2"),
    ("rearrange", "2, 6", "h (w k) -> h w k", "w=2, z=3"),
    ("rearrange", "2, 6", "h w -> h w", "h=3"),
    ("rearrange", "2, 6", "h w -> h w", "_h=3"),
    ("rearrange", "2, 6", "h 1 -> h 1", ""),
    ("repeat", "2, 3", "h w -> h", ""),
    ("repeat", "2, 3", "h w -> h w k", ""),
    ("repeat", "2, 3", "h 3 -> h 3", ""),
    ("reduce, sum", "2, 3", "h w -> h k", ""),
    ("reduce, max", "2, 3", "h w -> h 2", ""),
    ("reduce, mean", "2, 5", "h (w 2) -> h w", ""),
]


def tensor(shape: str) -> torch.Tensor:
    sizes = [int(size) for size in re.findall(r"\d+", shape)]
    return torch.arange(float(torch.Size(sizes).numel())).view(sizes)


def by_einops(case: Case, x: torch.Tensor) -> torch.Tensor:
    way, _, pattern, lengths = case
    function, *reduction = way.split(", ")
    result: torch.Tensor = NAMES[function](x, pattern, *reduction, **eval(f"dict({lengths})"))
    return result


def random_case(draw: random.Random) -> Case:
    """A pattern that fits, with groups, ones, dots, numbers and lengths."""
    names = draw.sample("abcde", draw.randint(1, 4))
    sizes = {name: draw.choice([1, 2, 2, 3]) for name in names}
    way = draw.choice(["rearrange", "rearrange", "repeat", "reduce, sum", "reduce, mean", "reduce, max", "reduce, min"])

    def cut(axes: list[str]) -> list[list[str]]:
        groups: list[list[str]] = []
        while axes:
            count = draw.randint(1, 2)
            groups.append(axes[:count])
            axes = axes[count:]
        if draw.random() < 0.3:
            groups.insert(draw.randint(0, len(groups)), [])
        return groups

    def write(groups: list[list[str]]) -> str:
        return " ".join(group[0] if len(group) == 1 else f"({' '.join(group)})" for group in groups).replace("()", "1")

    left = cut(names)
    kept = [name for name in names if not (way.startswith("reduce") and draw.random() < 0.5)]
    given = {name: sizes[name] for group in left for name in group[1:]}
    if way == "repeat":
        kept += ["2", "n"]
        given["n"] = 3
    draw.shuffle(kept)
    shape = [torch.Size([sizes[name] for name in group]).numel() for group in left]
    from_text, to_text = write(left), write(cut(kept))
    if draw.random() < 0.3:
        shape += [2]
        from_text, to_text = from_text + " ...", "... " + to_text
    lengths = ", ".join(f"{name}={size}" for name, size in given.items())
    return way, ", ".join(map(str, shape)), f"{from_text} -> {to_text}", lengths


def spoiled(case: Case, draw: random.Random) -> Case:
    """The same pattern with a character more, less or changed."""
    way, shape, pattern, lengths = case
    at = draw.randrange(len(pattern))
    rest = pattern[at + draw.randint(0, 1) :]
    return way, shape, pattern[:at] + draw.choice(["", *"() .1032a_bf-;"]) + rest, lengths


DRAW = random.Random(0)
RANDOM = [random_case(DRAW) for _ in range(150)]
CASES = [*RIGHT, *WRONG, *RANDOM, *(spoiled(case, DRAW) for case in RANDOM)]


class Recorder(TorchFunctionMode):
    """Notes the shape after each operation of torch's that einops calls, adding an axis apart: that is half a step."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: list[tuple[int, ...]] = []

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        if function.__name__ in ("reshape", "permute", "expand", "sum", "mean", "amax", "amin"):
            self.shapes.append(tuple(result.shape))
        return result


def unordered(message: str) -> tuple[str, list[str]]:
    """A message, in which a set of names may have any order."""
    names = re.search(r"\{(.*)\}", message)
    return re.sub(r"\{.*\}", "{}", message).strip(), sorted(names[1].split(", ")) if names else []


@pytest.fixture
def explorer(reader: Reader) -> Page:
    return reader.open(REARRANGING)


def check_refusal(seen: dict[str, Any], error: Exception) -> None:
    if isinstance(error, einops.EinopsError):
        words = str(error).split("Additional info: ")[1].split("\n ", 1)[1]
        assert unordered(seen["said"]) == unordered(f"EinopsError: {words}")
    else:
        assert isinstance(error, ValueError) and seen["said"] == "ValueError"
    assert len(seen["text"]) > len(seen["said"]) + 20  # and in our own words
    assert len(seen["invalid"]) == 1
    assert seen["y"] == seen["steps"] == []


def check_move(case: Case, seen: dict[str, Any], x: torch.Tensor, y: torch.Tensor) -> None:
    assert seen["said"] is None and seen["invalid"] == []
    assert seen["text"].startswith(f"x {tuple(x.shape)} becomes y {tuple(y.shape)}.")
    if y.numel() > 128:
        assert "too many to draw" in seen["text"] and seen["y"] == []
    else:
        assert [float(number) for number in seen["y"]] == pytest.approx(y.flatten().tolist(), abs=0.0051)
    for name, numbers, shape, label in zip(
        "xy", (seen["x"], seen["y"]), (x.shape, y.shape), seen["labels"], strict=False
    ):
        assert label == f"{name}, shape {tuple(shape)}, in order: {', '.join(numbers)}"

    code = ""
    for step, shape, _ in seen["steps"]:
        code += step
        assert str(tuple(eval(code, {"x": x}).shape)) == shape, (case, code)
    torch.testing.assert_close(eval(code, {"x": x}), y)
    with Recorder() as recorder:
        by_einops(case, x)
    assert [str(shape) for shape in recorder.shapes] == [shape for _, shape, _ in seen["steps"][1:]]
    if "is a view of x" in seen["text"]:
        assert y.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
    elif "copies" in seen["text"]:
        assert y.untyped_storage().data_ptr() != x.untyped_storage().data_ptr()
        assert ".reshape" in seen["steps"][-1][0]
        with pytest.raises(RuntimeError, match="view size is not compatible"):
            eval(code.replace("reshape", "view"), {"x": x})
    else:
        assert case[0].startswith("reduce") and y.untyped_storage().data_ptr() != x.untyped_storage().data_ptr()


def test_einops_shows_what_einops_does_or_says(explorer: Page, reader: Reader) -> None:
    refused = 0
    for case, seen in zip(CASES, explorer.evaluate(SEE, CASES), strict=True):
        x = tensor(case[1])
        assert [float(number) for number in seen["x"]] == x.flatten().tolist()
        try:
            y: torch.Tensor = eval(seen["call"].removeprefix("y = "), {**NAMES, "x": x})
        except Exception as error:
            assert case not in RIGHT + RANDOM, error
            check_refusal(seen, error)
            refused += 1
        else:
            assert case not in WRONG
            torch.testing.assert_close(y, by_einops(case, x))
            check_move(case, seen, x, y)
    assert refused > len(WRONG) + len(RANDOM) / 3
    assert reader.trouble == []


def test_every_example_shows_where_each_number_goes_and_comes_from(explorer: Page) -> None:
    example = explorer.get_by_label("example", exact=True)
    options = example.locator("option").all_inner_texts()
    assert options.pop() == "your own"
    for option in options:
        example.select_option(option)
        way, shape, pattern, lengths = (
            explorer.locator(f"#explore-{name}").input_value() for name in ("way", "shape", "pattern", "lengths")
        )
        x = tensor(shape)
        if option == "one that is refused":
            with pytest.raises(einops.EinopsError):
                by_einops((way, shape, pattern, lengths), x)
            assert explorer.locator("#explore-x, #explore-y").evaluate_all(
                "all => all.every(slider => slider.disabled)"
            )
            continue
        # Which numbers of x are in which of y: the sum tells them apart, a maximum does not.
        y = by_einops((way, shape, pattern, lengths), x)
        by_sum = "reduce, sum" if way.startswith("reduce") else way
        reaches = torch.stack(
            [by_einops((by_sum, shape, pattern, lengths), hot.view(x.shape)).flatten() for hot in torch.eye(x.numel())]
        )
        for place, seen in enumerate(explorer.evaluate(SELECT, ["x", x.numel()])):
            assert seen["x"] == [place] and seen["y"] == reaches[place].nonzero().flatten().tolist(), (option, place)
            read, value, goals = re.fullmatch(
                r"(x\S.*?\]) \(.*?\) is (\S+) and goes to (.*?\])\.( .*)?", seen["text"]
            ).groups()[:3]  # type: ignore[union-attr]
            assert eval(read, {"x": x}) == float(value) == place
            if way.startswith("re") and not way.startswith("reduce"):
                assert all(goal == place for goal in eval(f"[{goals}]", {"y": y}))
        for place, seen in enumerate(explorer.evaluate(SELECT, ["y", y.numel()])):
            assert seen["y"] == [place] and seen["x"] == reaches[:, place].nonzero().flatten().tolist(), (option, place)
            got, value, rest = re.fullmatch(
                r"(y\S.*?\]) \(.*?\) is (\S+) and comes from .*?\.( .*)?", seen["text"]
            ).groups()  # type: ignore[union-attr]
            assert eval(got, {"y": y}).item() == pytest.approx(float(value), abs=0.0051) == y.flatten()[place].item()
            if way.startswith("reduce"):
                again, formula, outcome = rest.strip(" .").split(" = ")
                assert (again, outcome) == (got, value)
                assert eval(formula) == pytest.approx(float(outcome), abs=0.0051)


def test_einops_names_the_axes_of_the_chosen_number(explorer: Page) -> None:
    case = ("rearrange", "4, 6", "(h p) (w q) -> (h w) (p q)", "p=2, q=2")
    x = tensor(case[1])
    apart = einops.rearrange(x, "(h p) (w q) -> h p w q", p=2, q=2)
    explorer.evaluate(SEE, [case])
    for place, seen in enumerate(explorer.evaluate(SELECT, ["x", 24])):
        indices = re.search(r"\(h=(\d), p=(\d), w=(\d), q=(\d)\)", seen["text"])
        assert indices is not None
        assert apart[tuple(map(int, indices.groups()))] == place


def test_what_the_explorer_does_not_take_is_said_in_words(explorer: Page) -> None:
    usual = {"way": "rearrange", "shape": "4, 6", "pattern": "(h p) (w q) -> (h w) (p q)", "lengths": "p=2, q=2"}
    wrong = [
        ("shape", "2, x", "whole numbers"),
        ("shape", "2, 0", "whole numbers"),
        ("shape", "20, 20", "400 numbers"),
        ("lengths", "p", "h=2, w=3"),
        ("lengths", "p=0, q=2", "h=2, w=3"),
        ("lengths", "p=2, p=2", "two lengths for p"),
        ("lengths", "p=2, in=2", "a word of Python's own"),
    ]
    cases = [list({**usual, field: value}.values()) for field, value, _ in wrong]
    for (field, _, words), seen in zip(wrong, explorer.evaluate(SEE, cases), strict=True):
        assert words in seen["text"] and seen["invalid"] == [field]
        assert seen["y"] == seen["steps"] == []


def test_einops_says_when_y_is_too_large_to_draw(explorer: Page) -> None:
    seen = explorer.evaluate(SEE, [("repeat", "2, 3", "h w -> h w 100", "")])[0]
    assert "y holds 600 numbers, too many to draw" in seen["text"]
    assert seen["steps"][-1][1] == "(2, 3, 100)"
    assert seen["y"] == []


def test_einops_works_by_keyboard_and_by_mouse(explorer: Page, reader: Reader) -> None:
    pattern = explorer.get_by_label("pattern", exact=True)
    pattern.fill("(h p) (w q) -> (p h) (w q)")  # read when the typing pauses
    said = explorer.locator("#explorer-einops [aria-live]")
    explorer.locator(".explorer-call").filter(has_text="-> (p h) (w q)").wait_for()
    assert said.inner_text().startswith("x (4, 6) becomes y (4, 6). The last step copies")
    assert explorer.get_by_label("example", exact=True).input_value() == "your own"
    pattern.fill("(h p) (w q) \N{HORIZONTAL ELLIPSIS} -> \N{HORIZONTAL ELLIPSIS} (p h) (w q)")
    pattern.press("Enter")
    assert "(h p) (w q) ... -> ... (p h) (w q)" in explorer.locator(".explorer-call").inner_text()

    slider = explorer.get_by_label("place in y")
    slider.focus()
    for _ in range(6):
        explorer.keyboard.press("ArrowRight")
    assert str(slider.get_attribute("aria-valuetext")).startswith(
        "y[1, 0] (p=0, h=1, w=0, q=0) is 12 and comes from x[2, 0]"
    )
    assert explorer.locator("#explore-x").input_value() == "12"
    explorer.locator("figure[data-tensor=y] g").nth(7).click()
    assert explorer.locator("#explore-x").input_value() == "13"
    explorer.locator("figure[data-tensor=x] g").nth(6).click()
    assert explorer.locator("#explore-y").input_value() == "12"

    explorer.get_by_label("colour by axis").select_option("q")
    shares = explorer.locator("figure[data-tensor=x] g.shade").evaluate_all(
        "all => all.map(square => [Number(square.dataset.place), square.style.getPropertyValue('--share')])"
    )
    assert shares == [[place, f"{100 * (place % 2)}%"] for place in range(24) if place != 6]
    assert reader.trouble == []


@pytest.mark.parametrize("width", [390])
def test_a_long_row_scrolls_to_the_chosen_number(explorer: Page, width: int) -> None:
    explorer.evaluate(SEE, [("rearrange", "4, 12", "h w -> (h w)", "")])
    explorer.evaluate(SELECT, ["x", 41])
    box = explorer.locator("figure[data-tensor=y] .explorer-scroll")
    assert box.get_attribute("tabindex") == "0"
    outer, inner = box.bounding_box(), box.locator(".chosen").bounding_box()
    assert outer is not None and inner is not None
    assert outer["x"] <= inner["x"] and inner["x"] + inner["width"] <= outer["x"] + outer["width"]
    assert explorer.evaluate("document.documentElement.scrollWidth") == width
