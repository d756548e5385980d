"""The explorers in Chromium: their numbers are torch's, and they work by keyboard and by mouse."""

import re
from itertools import product
from typing import Any

import pytest
import torch
from playwright.sync_api import Page
from torch.nn import functional as F

from tests.site.conftest import Built, Reader
from tests.site.pages import CHAPTERS, PAGES, ROOT, address

CONVOLUTION = "book/chapters/05_convolution_2d.html"
SIZES = {
    "size": range(3, 11),
    "kernel": range(1, 6),
    "stride": range(1, 4),
    "padding": range(4),
    "dilation": range(1, 4),
}

SEE = """cases => {
    const shown = picture => {
        const squares = [...picture.querySelectorAll("g")];
        return {
            rows: Number(squares.at(-1).dataset.row) + 1,
            numbers: squares.map(square => Number(square.textContent.replace("\\u2212", "-"))),
            read: squares.flatMap((square, i) => square.classList.contains("read") ? [i] : []),
        };
    };
    return cases.map(options => {
        for (const [name, value] of Object.entries(options)) {
            const slider = document.getElementById(`explore-${name}`);
            if (slider.value === String(value)) continue;
            slider.value = value;
            slider.dispatchEvent(new Event("input"));
        }
        const place = document.querySelector(".explorer-steps input");
        const positions = Number(place.max) + 1;
        place.value = (7 * options.kernel + 5 * options.size) % positions;  // anywhere
        place.dispatchEvent(new Event("input"));
        const [size, terms] = [...document.querySelectorAll(".explorer-formula")].map(line => line.textContent);
        const pictures = [...document.querySelectorAll(".explorer svg")].map(shown);
        return {text: size, terms: terms.replaceAll("\u2212", "-"), position: Number(place.value), pictures};
    });
}"""


def matrix(picture: dict[str, Any]) -> torch.Tensor:
    return torch.tensor(picture["numbers"], dtype=torch.float64).reshape(1, 1, picture["rows"], -1)


@pytest.fixture
def convolution(reader: Reader) -> Page:
    return reader.open(CONVOLUTION)


def test_convolution_shows_the_numbers_of_torch(convolution: Page) -> None:
    cases = [dict(zip(SIZES, values, strict=True)) for values in product(*SIZES.values())]
    too_large = 0
    for case, seen in zip(cases, convolution.evaluate(SEE, cases), strict=True):
        padding = case["padding"]
        padded, kernel, *outputs = (matrix(picture) for picture in seen["pictures"])
        size = padded.shape[-1] - padding
        inside = padded[..., padding:size, padding:size]
        assert inside.shape[-2:] == (case["size"], case["size"])
        assert torch.equal(F.pad(inside, [padding] * 4), padded)
        if not outputs:
            with pytest.raises(RuntimeError, match="Kernel size can't be greater"):
                F.conv2d(inside, kernel, None, case["stride"], padding, case["dilation"])
            assert "torch raises a RuntimeError" in seen["text"]
            too_large += 1
            continue
        expected = F.conv2d(inside, kernel, None, case["stride"], padding, case["dilation"])
        assert torch.equal(outputs[0], expected)
        assert seen["text"].endswith(f"= {expected.shape[-1]}")
        row, column = divmod(seen["position"], expected.shape[-1])
        total, products = seen["terms"].removeprefix(f"Output ({row}, {column}) is ").split(" = ")
        assert int(total) == expected[0, 0, row, column]
        factors = re.findall(r"\(?(-?\d)\)?\N{MIDDLE DOT}\(?(-?\d)\)?", products)
        assert [float(weight) for weight, _ in factors] == kernel.flatten().tolist()
        assert sum(int(weight) * int(number) for weight, number in factors) == int(total)
        # The marked squares are those from which a gradient comes.
        under = padded.requires_grad_()
        F.conv2d(under, torch.ones_like(kernel), None, case["stride"], 0, case["dilation"])[
            0, 0, row, column
        ].backward()
        assert under.grad is not None
        assert seen["pictures"][0]["read"] == under.grad.flatten().nonzero().flatten().tolist()
        assert seen["pictures"][2]["read"] == [seen["position"]]
    assert 0 < too_large < len(cases) / 2


def test_convolution_steps_by_keyboard_and_by_mouse(convolution: Page, reader: Reader) -> None:
    place = convolution.get_by_label("output position")
    place.focus()
    convolution.keyboard.press("ArrowRight")
    assert "row 0, column 1" in str(place.get_attribute("aria-valuetext"))
    convolution.get_by_role("button", name="Back").click()
    assert "row 0, column 0" in str(place.get_attribute("aria-valuetext"))
    convolution.locator(".explorer svg").nth(2).locator("g").nth(9).click()
    assert "row 1, column 2" in str(place.get_attribute("aria-valuetext"))
    terms = convolution.locator(".explorer-formula").nth(1).inner_text().replace("\N{MINUS SIGN}", "-")
    total, products = terms.removeprefix("Output (1, 2) is ").split(" = ")
    assert eval(products.replace("\N{MIDDLE DOT}", "*")) == int(total)
    assert reader.trouble == []


def test_convolution_marks_where_every_pixel_agrees(convolution: Page) -> None:
    output = convolution.locator(".explorer svg").nth(2)
    places = "squares => squares.map(square => [square.dataset.row, square.dataset.column].join())"
    assert output.locator(".match").evaluate_all(places) == ["1,1", "2,2", "4,4", "5,5"]
    convolution.evaluate(SEE, [{"size": 9, "kernel": 3, "stride": 2}])
    assert output.locator(".match").evaluate_all(places) == ["1,1", "2,2"]


def test_convolution_plays_to_the_end_and_stops(convolution: Page) -> None:
    convolution.evaluate(SEE, [{"size": 4, "kernel": 3}])
    said = convolution.locator(".explorer strong[aria-live]")
    convolution.get_by_role("button", name="Play").click()
    convolution.get_by_role("button", name="Pause").wait_for()
    assert said.get_attribute("aria-live") == "off"
    convolution.get_by_role("button", name="Play").wait_for()
    assert "row 1, column 1" in str(convolution.get_by_label("output position").get_attribute("aria-valuetext"))
    assert said.get_attribute("aria-live") == "polite"
    assert said.inner_text().startswith("Output (1, 1) is ")


def test_every_explorer_opens_without_a_server_and_says_what_it_is(reader: Reader, built: Built) -> None:
    reader.address = built.html.as_uri() + "/"
    reader.page.unroute_all()
    sources = [source for source in CHAPTERS if "{explorer}" in (ROOT / source).read_text(encoding="utf-8")]
    assert len(sources) >= 5
    for source in sources:
        explorer = reader.open(address(source)).locator(".explorer")
        assert explorer.locator("svg").count() > 0, source
        assert explorer.locator("svg:not([role=img][aria-label])").count() == 0, source
        nameless = "all => all.filter(e => !e.labels.length && !e.ariaLabel).map(e => e.outerHTML)"
        assert explorer.locator("input, select").evaluate_all(nameless) == [], source
        assert explorer.locator("[aria-live=polite]").count() > 0, source
    assert reader.trouble == []


@pytest.mark.parametrize("path", PAGES)
def test_only_a_page_with_an_explorer_loads_its_script(reader: Reader, path: str) -> None:
    page = reader.open(path)
    scripts = page.locator("script[src*=explorers]").count()
    assert scripts == (1 + page.locator(".explorer").count() if page.locator(".explorer").count() else 0)
