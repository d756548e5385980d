"""The explorer of padding in Chromium: its numbers, its gradients and its refusals are torch's."""

import re
from itertools import product
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, Page
from torch.nn import functional as F

from tests.site.conftest import Reader

PADDING = "book/chapters/06_padding.html"
MODES = ["constant", "reflect", "replicate", "circular"]
SIGNALS: list[dict[str, Any]] = [
    {"input": "a signal", "mode": mode, "width": width, "left": left, "right": right}
    for mode, width, left, right in product(MODES, range(1, 6), range(6), range(6))
]
IMAGES: list[dict[str, Any]] = [
    {"input": "an image", "mode": mode} | dict(zip(("height", "top", "bottom"), down, strict=True)) | across
    for mode, down in product(MODES, product(range(1, 5), range(6), range(6)))
    for across in ({"width": 4, "left": 2, "right": 1}, {"width": 2, "left": 0, "right": 2})
]

SEE = """cases => {
    const number = text => Number(text.replace("\\u2212", "-"));
    const box = document.getElementById("explorer-padding");
    const numbers = picture => {
        const rows = [];
        for (const square of picture.querySelectorAll("g")) {
            (rows[square.dataset.row] ??= []).push(number(square.textContent));
        }
        return rows;
    };
    const where = (picture, name) => [...picture.querySelectorAll(`g.${name}`)].map(square =>
        [Number(square.dataset.row), Number(square.dataset.column)]);
    return cases.map(options => {
        for (const [name, value] of Object.entries(options)) {
            const knob = document.getElementById(`explore-${name}`);
            if (knob.value === String(value)) continue;
            knob.value = value;
            knob.dispatchEvent(new Event(knob.tagName === "SELECT" ? "change" : "input"));
        }
        const pictures = [...box.querySelectorAll("svg")];
        const [call, size, place] = box.querySelectorAll("code:not(.literal), .explorer-formula");
        return {
            call: call.textContent, size: size.textContent, place: place.textContent,
            numbers: pictures.map(numbers),
            dashed: where(pictures[0], "padded"), marked: where(pictures[0], "read"),
            chosen: where(pictures[0], "chosen"),
            moves: !document.getElementById("explore-column").disabled,
        };
    });
}"""


@pytest.fixture
def padding(reader: Reader) -> Page:
    return reader.open(PADDING)


def called(seen: dict[str, Any], x: torch.Tensor) -> torch.Tensor:
    """What torch makes of the call that the explorer shows."""
    result = eval(seen["call"], {"F": F, "x": x})
    assert isinstance(result, torch.Tensor)
    return result


def image(case: dict[str, Any]) -> torch.Tensor:
    """The input of a case, (C, H, W), numbered row by row; (C, L) for a signal."""
    shape = (1, case["height"], case["width"]) if case["input"] == "an image" else (1, case["width"])
    return torch.arange(1.0, 1 + torch.Size(shape).numel()).reshape(shape)


def sides(case: dict[str, Any]) -> str:
    names = ["left", "right"] + (["top", "bottom"] if case["input"] == "an image" else [])
    return f'F.pad(x, ({", ".join(str(case[name]) for name in names)}), mode="{case["mode"]}")'


@pytest.mark.parametrize("cases", [SIGNALS, IMAGES], ids=["signals", "images"])
def test_padding_shows_the_numbers_the_gradients_and_the_refusals_of_torch(
    padding: Page, reader: Reader, cases: list[dict[str, Any]]
) -> None:
    refused = 0
    for case, seen in zip(cases, padding.evaluate(SEE, cases), strict=True):
        assert seen["call"] == sides(case)
        x = image(case).requires_grad_()
        try:
            expected = called(seen, x)
        except RuntimeError:
            refused += 1
            assert seen["size"].startswith("torch raises a RuntimeError: ") and not seen["moves"]
            ((name, value),) = re.findall(r"(left|right|top|bottom) is (\d)", seen["size"])
            assert case[name] == int(value)
            assert seen["place"] == "" and torch.equal(torch.tensor(seen["numbers"]).view_as(x), x)
            limit = int(
                re.findall(r"only (\d)|of (\d) samples? is walked", seen["size"])[0][case["mode"] == "circular"]
            )
            assert limit == (case["width"] if name in ("left", "right") else case["height"]) - (
                case["mode"] == "reflect"
            )
            assert int(value) > limit
            continue
        padded, gradient = (torch.tensor(numbers, dtype=torch.float32) for numbers in seen["numbers"])
        assert torch.equal(padded.view_as(expected), expected)
        (times_read,) = torch.autograd.grad(expected.sum(), x)
        assert torch.equal(gradient.view_as(x), times_read)
        sizes = zip(x.shape[1:], expected.shape[1:], strict=True)
        before, after = (" \N{MULTIPLICATION SIGN} ".join(map(str, size)) for size in zip(*sizes, strict=True))
        assert re.fullmatch(rf"{before}( samples?)? becomes? {after}\.", seen["size"])
        added = F.pad(torch.ones_like(x), tuple(map(int, re.findall(r"\d", seen["call"])))) == 0
        dashed = torch.zeros(padded.shape, dtype=torch.bool)
        for row, column in [*seen["dashed"], *seen["chosen"]]:
            dashed[row, column] = True
        row, column = seen["chosen"][0]
        dashed[row, column] = added.view_as(padded)[row, column]
        assert torch.equal(dashed, added.view_as(padded))
    assert 0 < refused < 0.6 * len(cases)
    assert reader.trouble == []


def test_every_place_of_a_signal_says_which_sample_it_copies(padding: Page) -> None:
    cases = [
        case | {"column": place}
        for case in SIGNALS
        if case["right"] in (0, 3)
        if case["mode"] in ("constant", "replicate") or max(case["left"], case["right"]) < case["width"]
        for place in range(-case["left"], case["width"] + case["right"])
    ]
    for case, seen in zip(cases, padding.evaluate(SEE, cases), strict=True):
        padded = F.pad(image(case), (case["left"], case["right"]), case["mode"])[0]
        number = int(padded[case["column"] + case["left"]])
        text = seen["place"].replace("\N{MINUS SIGN}", "-")
        assert text.startswith(f"Place {case['column']}")
        if number == 0:
            assert "copies no sample: it holds the value 0" in text and seen["marked"] == []
            continue
        places = [at - case["left"] for at in torch.nonzero(padded == number).flatten().tolist()]
        assert f"shows sample {number - 1}, the number {number}. " in text
        assert f": {', '.join(map(str, places))}. So the gradient of the sum is {len(places)} at" in text
        reckoning = text.split(": ")[1].split(". It shows")[0]
        assert reckoned(reckoning) == number - 1
        assert [column for _, column in seen["marked"]] == [at + case["left"] for at in places if at != case["column"]]


def reckoned(words: str) -> int:
    """The value of a source index as the explorer writes it; it must be the one behind the equals sign."""
    formula, _, value = words.partition(" = ")
    formula = re.sub(r"\|(\d) - \|(-?\d)\|\|", r"abs(\1 - abs(\2))", formula).replace("mod", "%")
    result = eval(formula)
    assert isinstance(result, int) and (not value or result == int(value))
    return result


def test_every_place_of_an_image_says_which_sample_it_copies(padding: Page) -> None:
    case: dict[str, Any] = {"input": "an image", "height": 3, "width": 4, "left": 3, "right": 2, "top": 2, "bottom": 1}
    cases = [
        case | {"mode": mode, "row": row, "column": column}
        for mode, row, column in product(MODES, range(-2, 4), range(-3, 6))
    ]
    for chosen, seen in zip(cases, padding.evaluate(SEE, cases), strict=True):
        padded = F.pad(image(chosen), (3, 2, 2, 1), chosen["mode"])[0]
        number = int(padded[chosen["row"] + 2, chosen["column"] + 3])
        text = seen["place"].replace("\N{MINUS SIGN}", "-")
        assert text.startswith(f"Place ({chosen['row']}, {chosen['column']})")
        assert seen["chosen"] == [[chosen["row"] + 2, chosen["column"] + 3]]
        if number == 0:
            assert "copies no sample" in text
            continue
        row, column = divmod(number - 1, 4)
        by_row, by_column = re.findall(r": row (.+?), column (.+?)\. It", text)[0]
        assert (reckoned(by_row), reckoned(by_column)) == (row, column)
        assert f"shows sample ({row}, {column}), the number {number}." in text
        assert f"the gradient of the sum is {int((padded == number).sum())} at" in text


def test_a_constant_may_be_any_value(padding: Page) -> None:
    case = {"input": "a signal", "mode": "constant", "width": 4, "left": 1, "right": 2, "column": -1}
    for seen, value in zip(padding.evaluate(SEE, [case | {"value": v} for v in range(10)]), range(10), strict=True):
        assert torch.equal(torch.tensor(seen["numbers"][0]), called(seen, torch.tensor([[1, 2, 3, 4]])))
        assert f"it holds the value {value}" in seen["place"]
    assert padding.locator("#explore-value").is_visible()
    padding.get_by_label("mode", exact=True).select_option("reflect")
    assert not padding.locator("#explore-value").is_visible()


def test_without_javascript_the_text_says_what_to_try_and_what_is_missing(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + PADDING)
    text = page.locator("#explorer-padding").inner_text()
    context.close()
    assert "things to try" in text and "when JavaScript is on" in text


def test_padding_works_by_keyboard_and_by_pointer(padding: Page, reader: Reader) -> None:
    explorer = padding.locator("#explorer-padding")
    said = explorer.locator("[aria-live]").last
    padding.get_by_label("place, across").focus()
    padding.keyboard.press("Home")
    assert said.inner_text().startswith("Place \N{MINUS SIGN}3: ")
    padding.keyboard.press("ArrowRight")
    assert said.inner_text().startswith("Place \N{MINUS SIGN}2: ")
    explorer.locator("svg").first.locator("g").nth(8).hover()
    assert said.inner_text().startswith("Place 5: ")
    assert padding.get_by_label("place, across").input_value() == "5"
    assert not padding.get_by_label("place, down").is_visible()
    padding.get_by_label("x is").select_option("an image")
    explorer.locator("svg").first.locator("g").first.hover()
    assert said.inner_text().startswith("Place (\N{MINUS SIGN}1, \N{MINUS SIGN}3): ")
    assert explorer.locator("svg[role=img][aria-label]").count() == 2
    unnamed = "knobs => knobs.filter(knob => !knob.labels.length).length"
    assert explorer.locator("input, select").evaluate_all(unnamed) == 0
    assert reader.trouble == []
