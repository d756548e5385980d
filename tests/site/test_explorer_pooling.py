"""The explorer of pooling in Chromium: outputs, winners, divisors, gradients and refusals are torch's."""

import math
import re
from itertools import product
from typing import Any

import pytest
import torch
from playwright.sync_api import Page, expect
from torch.nn import functional as F

from tests.site.conftest import Reader

POOLING = "book/chapters/07_pooling_and_dropout.html"
GRID: list[dict[str, Any]] = [
    {"pool": "maximum", "size": n, "kernel": k, "stride": s, "padding": p, "dilation": d, "ceil": ceil}
    for n, k, s, p, d, ceil in product(range(3, 7), range(1, 5), range(1, 5), range(3), range(1, 4), ("False", "True"))
] + [
    {"pool": "average", "size": n, "kernel": k, "stride": s, "padding": p, "ceil": ceil, "include": include}
    for n, k, s, p, ceil, include in product(
        range(3, 7), range(1, 5), range(1, 5), range(3), ("False", "True"), ("True", "False")
    )
]

SEE = """([cases, everywhere]) => {
    const box = document.getElementById("explorer-pooling");
    const numbers = picture => {
        const rows = [];
        for (const square of picture.querySelectorAll("g")) {
            const text = square.textContent.replace("\\u2212", "-");
            (rows[square.dataset.row] ??= []).push(text === "" ? null : Number(text));
        }
        return rows;
    };
    const place = box.querySelector(".explorer-steps input");
    const set = (knob, value) => {
        if (knob.value === String(value)) return;
        knob.value = value;
        knob.dispatchEvent(new Event(knob.tagName === "SELECT" ? "change" : "input"));
    };
    const see = () => {
        const pictures = [...box.querySelectorAll("svg")];
        const [call, size, said] = box.querySelectorAll("code:not(.literal), .explorer-formula");
        const marked = [...pictures[0].querySelectorAll(".read, .chosen")];
        return {
            call: call.textContent, size: size.textContent, said: said.textContent, numbers: pictures.map(numbers),
            read: marked.map(square => [Number(square.dataset.row), Number(square.dataset.column)]),
            moves: !place.disabled,
        };
    };
    return cases.flatMap(options => {
        for (const [name, value] of Object.entries(options)) set(document.getElementById(`explore-${name}`), value);
        const last = everywhere ? Number(place.max) : 0;
        return [Array.from({length: last + 1}, (_, at) => (set(place, at), see()))];
    });
}"""


@pytest.fixture
def pooling(reader: Reader) -> Page:
    return reader.open(POOLING)


def look(page: Page, cases: list[dict[str, Any]], *, everywhere: bool) -> list[list[dict[str, Any]]]:
    """What the explorer shows for each case, at its first window or at every one."""
    seen: list[list[dict[str, Any]]] = page.evaluate(SEE, [cases, everywhere])
    return seen


def the_image(seen: dict[str, Any], case: dict[str, Any]) -> torch.Tensor:
    """The input that is drawn, without its padding: (N, C, H, W)."""
    rows, first, size = seen["numbers"][0], case["padding"] if seen["moves"] else 0, case["size"]
    inside = [row[first : first + size] for row in rows[first : first + size]]
    return torch.tensor(inside, dtype=torch.float64)[None, None]


def matrix(numbers: list[list[float | None]]) -> torch.Tensor:
    """The numbers of a picture; NaN where a square is empty."""
    return torch.tensor([[math.nan if number is None else number for number in row] for row in numbers]).double()


def called(seen: dict[str, Any], x: torch.Tensor, **more: object) -> Any:
    """What torch makes of the call that the explorer shows."""

    def call(pool: Any) -> Any:
        return lambda *args, **options: pool(*args, **options, **more)

    class Functions:
        max_pool2d = staticmethod(call(F.max_pool2d))
        avg_pool2d = staticmethod(call(F.avg_pool2d))

    return eval(seen["call"], {"F": Functions, "x": x})


def call_of(case: dict[str, Any]) -> str:
    options = f"{case['kernel']}, stride={case['stride']}, padding={case['padding']}"
    if case["pool"] == "maximum":
        return f"F.max_pool2d(x, {options}, dilation={case['dilation']}, ceil_mode={case['ceil']})"
    return f"F.avg_pool2d(x, {options}, ceil_mode={case['ceil']}, count_include_pad={case['include']})"


def test_pooling_shows_the_numbers_the_gradients_and_the_refusals_of_torch(pooling: Page) -> None:
    refused = dropped = 0
    cases = [case | {"content": "digits"} for case in GRID]
    for pool, content in (("average", "ones"), ("maximum", "below zero")):
        cases += [case | {"content": content} for case in GRID if case["pool"] == pool and case["size"] == 5]
    for case, (seen,) in zip(cases, look(pooling, cases, everywhere=False), strict=True):
        x = the_image(seen, case).requires_grad_()
        assert x.shape[-2:] == (case["size"], case["size"])
        assert seen["call"] == call_of(case)
        try:
            expected = called(seen, x)
        except RuntimeError:
            refused += 1
            assert seen["size"].startswith("torch raises a RuntimeError: ") and not seen["moves"]
            too_much = case["padding"] > case["kernel"] // 2
            assert ("half of kernel_size" in seen["size"]) == too_much
            assert seen["said"] == ""
            continue
        assert seen["moves"]
        counts = case.get("include") == "True"
        padded = F.pad(x.detach(), (case["padding"],) * 4, value=0 if counts else math.nan)[0, 0]
        drawn, output, gradient = map(matrix, seen["numbers"])
        assert torch.equal(drawn[: len(padded), : len(padded)].nan_to_num(99), padded.nan_to_num(99))
        assert drawn[len(padded) :].isnan().all() and drawn[:, len(padded) :].isnan().all()
        torch.testing.assert_close(output, expected[0, 0], atol=0.00501, rtol=0)
        (of_the_sum,) = torch.autograd.grad(expected.sum(), x)
        torch.testing.assert_close(gradient, of_the_sum[0, 0], atol=0.00501, rtol=0)
        assert int(re.findall(r"\d+", seen["size"])[-1]) == expected.shape[-1]
        dropped += "less the last window" in seen["size"]
        size = reckoned_size(seen["size"])
        assert size - ("less the last window" in seen["size"]) == expected.shape[-1]
    assert 0 < refused < 0.6 * len(cases) and dropped > 10


def reckoned_size(words: str) -> int:
    """The size that the line on it reckons; it must be the number behind its equals sign."""
    found = re.match(r"Output size: ([⌊⌈])\((.+)\) / (\d)[⌋⌉] \+ 1 = (\d+)", words)
    assert found is not None
    top: int = eval(found[2].replace("\N{MINUS SIGN}", "-").replace("\N{MIDDLE DOT}", "*"))
    size = (-(-top // int(found[3])) if found[1] == "⌈" else top // int(found[3])) + 1
    assert size == int(found[4])
    return size


def test_every_window_says_its_winner_or_its_divisor(pooling: Page) -> None:
    cases = [case | {"content": "digits"} for case in GRID if case["size"] == 5 and case["stride"] > 1]
    ties = 0
    for case, windows in zip(cases, look(pooling, cases, everywhere=True), strict=True):
        if not windows[0]["moves"]:
            continue
        x, n, p = the_image(windows[0], case), case["size"], case["padding"]
        is_max = case["pool"] == "maximum"
        if is_max:
            values, indices = (t.flatten() for t in called(windows[0], x, return_indices=True))
        else:
            values = called(windows[0], x).flatten()
            sums = called(windows[0], x, divisor_override=1).flatten()
        count = round(len(windows) ** 0.5)
        assert len(windows) == len(values)
        for at, seen in enumerate(windows):
            said = seen["said"].replace("\N{MINUS SIGN}", "-")
            row, column = divmod(at, count)
            assert said.startswith(f"Output ({row}, {column}): ")
            if is_max:
                index = int(indices[at])
                i, j = divmod(index, n)
                assert f": {int(values[at])} wins, at row {i}, column {j}, " in said
                assert f", flat index {i}\N{MIDDLE DOT}{n} + {j} = {index}." in said
                taps = range(case["kernel"])
                rows, columns = (
                    [case["stride"] * o + case["dilation"] * k for k in taps] for o in (row, column)
                )  # counted from the drawing's corner
                assert seen["read"] == [list(place) for place in product(rows, columns)]
                inside = [x[0, 0, r - p, c - p] for r, c in product(rows, columns) if {r - p, c - p} <= set(range(n))]
                equals = sum(bool(number == values[at]) for number in inside)
                tie = re.search(r"stands there (\d+) times", said)
                assert (int(tie[1]) if tie else 1) == equals
                ties += tie is not None
                continue
            total, divisor = map(int, re.findall(r": (-?\d+) / (\d+) [=≈]", said)[0])
            assert total == sums[at] and total / divisor == pytest.approx(float(values[at]), rel=1e-12)
    assert ties > 5


def test_a_refusal_and_a_dropped_window_are_said_in_words(pooling: Page) -> None:
    cases: list[dict[str, Any]] = [
        {"pool": "maximum", "size": 4, "kernel": 3, "stride": 1, "padding": 2, "dilation": 1, "ceil": "False"},
        {"padding": 0, "dilation": 3},
        {"pool": "average", "size": 5, "kernel": 2, "stride": 3, "padding": 1, "ceil": "True"},
    ]
    too_much, too_wide, dropped = (seen["size"] for (seen,) in look(pooling, cases, everywhere=False))
    assert too_much.endswith("padding is 2, and half of kernel_size is the most it may be, here 1.")
    assert too_wide.endswith("a window spans 7 places, and the padded image has 4.")
    assert dropped.endswith("= 3, less the last window, which would start in the padding on the right: 2")


def test_pooling_steps_by_keyboard_and_by_pointer(pooling: Page, reader: Reader) -> None:
    explorer = pooling.locator("#explorer-pooling")
    said = explorer.locator("p[aria-live]")
    place = pooling.get_by_label("output position")
    place.focus()
    pooling.keyboard.press("ArrowRight")
    assert said.inner_text().startswith("Output (0, 1): ")
    assert place.get_attribute("aria-valuetext") == "row 0, column 1"
    explorer.get_by_role("button", name="Step").click()
    assert said.inner_text().startswith("Output (0, 2): ")
    explorer.get_by_role("button", name="Back").click()
    assert said.inner_text().startswith("Output (0, 1): ")
    explorer.locator("svg").nth(1).locator("g").nth(7).hover()
    assert said.inner_text().startswith("Output (2, 1): ")
    explorer.locator("svg").first.locator("g").first.hover()
    assert said.inner_text().startswith("Output (0, 0): ")
    explorer.locator("svg").first.locator("g").last.hover()
    assert said.inner_text().startswith("Output (2, 2): ")
    assert pooling.get_by_label("dilation").is_visible() and not pooling.get_by_label("count_include_pad").is_visible()
    pooling.get_by_label("pool", exact=True).select_option("average")
    assert not pooling.get_by_label("dilation").is_visible() and pooling.get_by_label("count_include_pad").is_visible()
    assert explorer.locator("svg[role=img][aria-label]").count() == 3
    unnamed = "knobs => knobs.filter(knob => !knob.labels.length && !knob.ariaLabel).length"
    assert explorer.locator("input, select").evaluate_all(unnamed) == 0
    assert reader.trouble == []


def test_pooling_plays_silently_to_the_end_and_not_for_those_who_want_less_motion(pooling: Page) -> None:
    explorer = pooling.locator("#explorer-pooling")
    look(pooling, [{"size": 4, "kernel": 2, "stride": 2, "padding": 0}], everywhere=False)
    explorer.get_by_role("button", name="Play").click()
    explorer.get_by_role("button", name="Pause").wait_for()
    said = explorer.locator("p.explorer-formula").last
    expect(said).to_have_attribute("aria-live", "off")
    explorer.get_by_role("button", name="Play").wait_for()
    expect(said).to_have_attribute("aria-live", "polite")
    assert said.inner_text().startswith("Output (1, 1): ")
    explorer.get_by_role("button", name="Play").click()
    pooling.emulate_media(reduced_motion="reduce")
    expect(explorer.get_by_role("button", name="Play")).to_be_hidden()
    expect(explorer.get_by_role("button", name="Pause")).to_be_hidden()
    expect(said).to_have_attribute("aria-live", "polite")
    pooling.emulate_media(reduced_motion="no-preference")
    expect(explorer.get_by_role("button", name="Play")).to_be_visible()
