"""The explorer of data parallel in Chromium: its parts are torch's, and its weights are gradients."""

import re
from itertools import product

import pytest
import torch

from tests.site.conftest import Reader

DATA_PARALLEL = "book/chapters/17_data_parallel.html"
WAYS = ["mean of the means", "weighted by size"]

CHOOSE = """places => {
    const slide = (name, value) => {
        const slider = document.getElementById(`explore-${name}`);
        slider.value = value;
        slider.dispatchEvent(new Event("input"));
    };
    const list = document.getElementById("explore-way");
    return places.map(([batch, devices, way]) => {
        slide("batch", batch);
        slide("devices", devices);
        list.value = way;
        list.dispatchEvent(new Event("change"));
        const pictures = [...document.querySelectorAll(".explorer svg")];
        const weights = picture => [...picture.querySelectorAll("g")].map(square => Number(square.textContent));
        return {
            text: document.querySelector(".explorer-formula").textContent,
            parts: pictures.map(weights),
        };
    });
}"""


def test_data_parallel_shows_the_parts_and_the_gradients_of_torch(reader: Reader) -> None:
    page = reader.open(DATA_PARALLEL)
    places = list(product(range(1, 25), range(1, 9), WAYS))
    for (batch, devices, way), seen in zip(places, page.evaluate(CHOOSE, places), strict=True):
        losses = torch.zeros(batch, dtype=torch.float64, requires_grad=True)
        parts = losses.chunk(devices)
        sizes = [len(part) for part in parts]
        means = torch.stack([part.mean() for part in parts])
        shares = torch.tensor(sizes) / batch if way == WAYS[1] else torch.full((len(parts),), 1 / len(parts))
        (weights,) = torch.autograd.grad((means * shares).sum(), losses)
        assert [len(part) for part in seen["parts"]] == sizes
        shown = [weight for part in seen["parts"] for weight in part]
        assert shown == pytest.approx((100 * weights).tolist(), abs=0.051)
        assert seen["text"].startswith(f"Parts of {', '.join(map(str, sizes))}; idle devices: {devices - len(sizes)};")
        busy, ratio = map(float, re.findall(r"(?:busy|weighs) ([\d.]+)", seen["text"]))
        assert busy == pytest.approx(100 * batch / (devices * sizes[0]), abs=0.51)
        assert ratio == pytest.approx(float(weights[-1] / weights[0]), abs=0.0051)
    assert reader.trouble == []
