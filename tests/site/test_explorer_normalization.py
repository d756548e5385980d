"""The explorer of normalizations in Chromium: its numbers are torch's."""

import re
from collections.abc import Callable
from itertools import product

import pytest
import torch
from torch.nn import functional as F

from tests.site.conftest import Reader

NORMALIZATION = "book/chapters/10_normalization_family.html"
KINDS: dict[str, Callable[[torch.Tensor, int], torch.Tensor]] = {
    "BatchNorm": lambda x, groups: F.batch_norm(x, None, None, training=True),
    "LayerNorm over (C, H, W)": lambda x, groups: F.layer_norm(x, x.shape[1:]),
    "LayerNorm over C, channels last": lambda x, groups: F.layer_norm(x.mT, x.shape[1:2]).mT,
    "InstanceNorm": lambda x, groups: F.instance_norm(x),
    "GroupNorm": lambda x, groups: F.group_norm(x, groups),
}

CHOOSE = """places => {
    const number = text => Number(text.replace("\\u2212", "-"));
    const choose = (name, option) => {
        const list = document.getElementById(`explore-${name}`);
        if (list.value === String(option)) return;
        list.value = option;
        list.dispatchEvent(new Event("change"));
    };
    return places.map(([kind, groups, ...place]) => {
        choose("kind", kind);
        choose("groups", groups);
        ["sample", "channel", "pixel"].forEach((name, axis) => {
            const slider = document.getElementById(`explore-${name}`);
            if (Number(slider.value) === place[axis]) return;
            slider.value = place[axis];
            slider.dispatchEvent(new Event("input"));
        });
        const [cube, ...samples] = [...document.querySelectorAll(".explorer svg")];
        const squares = samples.map(sample => [...sample.querySelectorAll("g")]);
        const isMarked = square => /read|chosen/.test(square.className.baseVal);
        return {
            text: document.querySelector(".explorer-formula").textContent,
            numbers: squares.map(all => all.map(square => number(square.textContent))),
            marked: squares.map(all => all.map(isMarked)),
            chosen: squares.map(all => all.map(square => square.classList.contains("chosen"))),
            inCube: [...cube.querySelectorAll("g")].filter(isMarked).length,
        };
    });
}"""


def test_normalization_shows_the_numbers_of_torch(reader: Reader) -> None:
    page = reader.open(NORMALIZATION)
    places = [
        (kind, groups, n, c, p)
        for kind in KINDS
        for groups in ((1, 2, 3, 6) if kind == "GroupNorm" else (1,))
        for n, c, p in product(range(3), range(6), range(4))
    ]
    for (kind, groups, n, c, p), seen in zip(places, page.evaluate(CHOOSE, places), strict=True):
        x = torch.tensor(seen["numbers"], dtype=torch.float64).reshape(3, 4, 6).mT  # (N, C, pixels)
        expected = KINDS[kind](x, groups)[n, c, p]
        text = seen["text"].replace("\N{MINUS SIGN}", "-")
        marked, chosen = (torch.tensor(seen[name]).reshape(3, 4, 6).mT for name in ("marked", "chosen"))
        assert chosen.nonzero().tolist() == [[n, c, p]]
        assert text.startswith(f"{marked.sum()} numbers share") and seen["inCube"] == marked.sum()
        variance, mean = torch.var_mean(x[marked], correction=0)
        shown = re.search(r"mean of (\S+) and a variance of (\S+):", text)
        assert shown is not None and [float(number) for number in shown.groups()] == pytest.approx(
            [mean.item(), variance.item()], abs=6e-4
        )
        assert text.split(": ")[1].split(" becomes ")[0] == f"{x[n, c, p]:.0f}"
        assert float(text.split(" becomes ")[1].rstrip(".")) == pytest.approx(float(expected), abs=6e-4)
    assert reader.trouble == []
