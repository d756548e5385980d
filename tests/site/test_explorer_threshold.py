"""The explorer of the threshold in Chromium: its numbers are ours, its patients are the chapter's."""

import json
import re
from typing import Any

import nbformat
import pytest
import torch

from scratch import metrics
from tests.site.conftest import Reader
from tests.site.pages import ROOT

METRICS = "book/chapters/16_metrics.html"
SCRIPT = ROOT / "book" / "_static" / "explorers" / "threshold.js"
THRESHOLDS = range(102)

MOVE = """thresholds => {
    const slider = document.getElementById("explore-threshold");
    return thresholds.map(threshold => {
        slider.value = threshold;
        slider.dispatchEvent(new Event("input"));
        const explorer = document.getElementById("explorer-threshold");
        const dots = name => explorer.querySelectorAll(`circle.${name}`).length;
        const squares = [...explorer.querySelectorAll("g[data-count]")];
        return {
            text: explorer.querySelector(".explorer-formula").textContent,
            squares: squares.map(g => [g.dataset.count, Number(g.querySelector(".number").textContent)]),
            dots: ["tp", "fp", "fn", "tn"].map(name => [name, dots(name)]),
            points: [...explorer.querySelectorAll("circle.point")].map(p => [Number(p.dataset.x), Number(p.dataset.y)]),
            labels: [...explorer.querySelectorAll("svg")].map(svg => svg.getAttribute("aria-label")),
        };
    });
}"""


def patients() -> tuple[torch.Tensor, torch.Tensor]:
    """Truth and score, in hundredths, of the patients in the script."""
    script = SCRIPT.read_text(encoding="utf-8")
    groups = []
    for name in ("BENIGN", "MALIGNANT"):
        found = re.search(rf"const {name} = (\[[\d,\s]+\]);", script)
        assert found is not None
        groups.append(torch.tensor(json.loads(found[1])))
    return torch.cat([torch.full_like(group, i) for i, group in enumerate(groups)]), torch.cat(groups)


def test_the_patients_are_those_of_the_chapter() -> None:
    true, score = patients()
    notebook = nbformat.read(ROOT / "notebooks" / "16_metrics.ipynb", as_version=4)
    printed = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    for label, name in enumerate(("benign", "malignant")):
        found = re.search(rf"^{name} (\[[\d, ]+\])$", printed, re.M)
        assert found is not None and json.loads(found[1]) == score[true == label].tolist()


def test_threshold_shows_the_numbers_of_scratch_metrics(reader: Reader) -> None:
    page = reader.open(METRICS)
    true, score = patients()
    for threshold, seen in zip(THRESHOLDS, page.evaluate(MOVE, list(THRESHOLDS)), strict=True):
        said = (score >= threshold).int()
        (tn, fp), (fn, tp) = metrics.confusion_matrix(true, said, labels=[0, 1]).tolist()
        counts = {"tp": tp, "fp": fp, "fn": fn, "tn": tn}
        assert dict(seen["squares"]) == dict(seen["dots"]) == counts
        options: dict[str, Any] = {"zero_division": float("nan")}
        expected = {
            "precision": metrics.precision(true, said, **options),
            "recall": metrics.recall(true, said, **options),
            "specificity": metrics.specificity(true, said, **options),
            "F1": metrics.f1_score(true, said, **options),
            "accuracy": metrics.accuracy(true, said),
        }
        head, scores = seen["text"].split("; ")
        assert head == f"Threshold {threshold / 100:.2f}: TP {tp}, FP {fp}, FN {fn}, TN {tn}"
        shown = dict(part.split(" ") for part in scores.removesuffix(".").split(", "))
        assert list(shown) == list(expected)
        for name, value in expected.items():
            if value.isnan():
                assert shown[name] == "0/0"
            else:
                assert float(shown[name]) == pytest.approx(value.item(), abs=5.1e-4), (threshold, name)

        recall, precision = expected["recall"].item(), expected["precision"]
        points = [[1 - expected["specificity"].item(), recall]]
        if not precision.isnan():
            points.append([recall, precision.item()])
        assert len(seen["points"]) == len(points)
        for shown_at, point in zip(seen["points"], points, strict=True):
            assert shown_at == pytest.approx(point)
        assert f"TP {tp}, FN {fn}, FP {fp}, TN {tn}" in seen["labels"]
    assert reader.trouble == []


def test_the_points_lie_on_the_curves(reader: Reader) -> None:
    page = reader.open(METRICS)
    true, score = patients()
    fpr, tpr, _ = metrics.roc_curve(true, score, drop_intermediate=False)
    corners = {(round(x, 6), round(y, 6)) for x, y in zip(fpr.tolist(), tpr.tolist(), strict=True)}
    for seen in page.evaluate(MOVE, list(THRESHOLDS)):
        x, y = seen["points"][0]
        assert (round(x, 6), round(y, 6)) in corners


def test_the_curves_pass_through_every_threshold(reader: Reader) -> None:
    page = reader.open(METRICS)
    true, score = patients()
    curves = page.locator("#explorer-threshold path.curve").evaluate_all(
        "all => all.map(path => path.getAttribute('d'))"
    )
    drawn = [torch.tensor([[float(x) for x in re.findall(r"[\d.]+", point)] for point in d.split("L")]) for d in curves]
    roc, pr = ((points - torch.tensor([40.0, 178.0])) / torch.tensor([160.0, -160.0]) for points in drawn)
    options: dict[str, Any] = {"zero_division": float("nan")}
    expected = []
    for threshold in reversed(THRESHOLDS):
        said = (score >= threshold).int()
        scores = (metrics.specificity, metrics.recall, metrics.precision)
        expected.append([score(true, said, **options).item() for score in scores])
    specificity, recall, precision = torch.tensor(expected).T
    torch.testing.assert_close(roc, torch.stack([1 - specificity, recall], dim=1), atol=5e-4, rtol=0)
    defined = ~precision.isnan()
    torch.testing.assert_close(pr, torch.stack([recall, precision], dim=1)[defined], atol=5e-4, rtol=0)


def test_threshold_moves_by_keyboard_and_says_what_it_is(reader: Reader) -> None:
    page = reader.open(METRICS)
    slider = page.get_by_label("threshold, %")
    slider.focus()
    for key, value in (("ArrowRight", "0.51"), ("Home", "0.00"), ("End", "1.01")):
        page.keyboard.press(key)
        assert page.locator("#explorer-threshold [aria-live]").inner_text().startswith(f"Threshold {value}:")
    assert "precision 0/0" in page.locator("#explorer-threshold [aria-live]").inner_text()
    assert page.locator("#explorer-threshold svg[role=img][aria-label]").count() == 4
    assert reader.trouble == []
