"""The explorer of data parallel in Chromium: its parts are torch's, and its weights are gradients."""

import re
from itertools import product
from typing import Any

import pytest
import torch

from tests.site.conftest import Reader

DATA_PARALLEL = "book/chapters/17_data_parallel.html"
WAYS = ["mean of the means", "weighted by size"]

CHOOSE = """places => {
    const slide = (name, value) => {
        const slider = document.getElementById(`explore-${name}`);
        if (Number(slider.value) === value) return;
        slider.value = value;
        slider.dispatchEvent(new Event("input"));
    };
    const list = document.getElementById("explore-way");
    return places.map(([batch, devices, way, sample]) => {
        slide("batch", batch);
        slide("devices", devices);
        slide("sample", sample);
        list.value = way;
        list.dispatchEvent(new Event("change"));
        const squares = picture => [...picture.querySelectorAll("g")].map(square => ({
            sample: Number(square.textContent),
            chosen: square.classList.contains("chosen"),
            share: square.style.getPropertyValue("--share"),
            height: Number(square.querySelector(".weight")?.getAttribute("height")),
        }));
        const [scattered, ...others] = [...document.querySelectorAll(".explorer svg")].map(squares);
        const [text, path] = [...document.querySelectorAll(".explorer-formula")].map(line => line.textContent);
        return {
            text, path, scattered, gathered: others.pop(), parts: others,
            captions: [...document.querySelectorAll(".explorer figure.device")].map(figure => figure.textContent),
        };
    });
}"""


def samples(squares: list[dict[str, Any]]) -> list[int]:
    return [square["sample"] for square in squares]


def test_data_parallel_shows_the_parts_and_the_gradients_of_torch(reader: Reader) -> None:
    page = reader.open(DATA_PARALLEL)
    places = [
        (batch, devices, way, (7 * batch + 5 * devices) % batch)
        for batch, devices, way in product(range(1, 25), range(1, 9), WAYS)
    ]
    for (batch, devices, way, chosen), seen in zip(places, page.evaluate(CHOOSE, places), strict=True):
        losses = torch.zeros(batch, dtype=torch.float64, requires_grad=True)
        parts = losses.chunk(devices)
        sizes = [len(part) for part in parts]
        means = torch.stack([part.mean() for part in parts])
        shares = torch.tensor(sizes) / batch if way == WAYS[1] else torch.full((len(parts),), 1 / len(parts))
        (weights,) = torch.autograd.grad((means * shares).sum(), losses)

        scattered = torch.arange(batch).chunk(devices)
        assert [samples(part) for part in seen["parts"]] == [part.tolist() for part in scattered]
        assert samples(seen["scattered"]) == samples(seen["gathered"]) == torch.cat(scattered).tolist()
        by_device = [
            {square["share"] for square in seen["scattered"] if square["sample"] in part} for part in scattered
        ]
        assert all(len(shades) == 1 for shades in by_device) and len(set.union(*by_device)) == len(parts)
        heights = [square["height"] for part in seen["parts"] for square in part]
        assert heights == pytest.approx((30 * weights / weights.max()).tolist())
        for caption, part in zip(seen["captions"], weights.split(sizes), strict=False):
            shown = re.match(r"Device \d+: ([\d.]+) % each", caption)
            assert shown is not None and float(shown[1]) == pytest.approx(100 * part[0].item(), abs=0.051)
        assert len(seen["captions"]) == devices
        assert [caption.endswith("idle") for caption in seen["captions"]] == [i >= len(parts) for i in range(devices)]

        assert seen["text"].startswith(f"Parts of {', '.join(map(str, sizes))}; idle devices: {devices - len(sizes)};")
        busy, ratio = map(float, re.findall(r"(?:busy|weighs) ([\d.]+)", seen["text"]))
        assert busy == pytest.approx(100 * batch / (devices * sizes[0]), abs=0.51)
        assert ratio == pytest.approx(float(weights[-1] / weights[0]), abs=0.0051)

        everything = [seen["scattered"], *seen["parts"], seen["gathered"]]
        assert [square["sample"] for part in everything for square in part if square["chosen"]] == [chosen] * 3
        device, row, back = map(int, re.findall(r"(?:device|row) (\d+)", seen["path"]))
        assert seen["path"].startswith(f"Sample {chosen} goes to")
        assert scattered[device][row] == torch.cat(scattered)[back] == chosen
        weight = re.search(r"It weighs ([\d.]+) %", seen["path"])
        assert weight is not None and float(weight[1]) == pytest.approx(100 * weights[chosen].item(), abs=0.051)
    assert reader.trouble == []


def test_data_parallel_follows_a_sample_by_keyboard_and_by_mouse(reader: Reader) -> None:
    page = reader.open(DATA_PARALLEL)
    slider = page.get_by_label("follow sample")
    slider.focus()
    page.keyboard.press("Home")
    assert str(slider.get_attribute("aria-valuetext")).startswith("Sample 0 goes to device 0, row 0,")
    page.locator("#explorer-data_parallel figure.device").nth(1).locator("g").nth(2).click()
    assert slider.input_value() == "5"
    page.get_by_label("samples", exact=True).focus()
    page.keyboard.press("Home")  # one sample: the one that was followed is gone
    assert str(slider.get_attribute("aria-valuetext")).startswith("Sample 0 goes to device 0, row 0,")
    assert page.locator("#explorer-data_parallel figure", has_text="idle").count() == 3
    assert reader.trouble == []
