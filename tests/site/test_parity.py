"""The page on parity says what the files under `book/data` say, no less and no more."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag

from book._ext.parity import AIMS, Results, cases, errors, ratio
from tests.site.conftest import Built
from tests.site.pages import ROOT

DATA = ROOT / "book" / "data"
RESULTS = {kind: Results.read(DATA, kind) for kind in ("parity", "layers")}


@pytest.fixture(scope="module")
def page(built: Built) -> BeautifulSoup:
    return BeautifulSoup((built.html / "book" / "parity.html").read_text(encoding="utf-8"), "html.parser")


def table(page: BeautifulSoup, section: str) -> dict[str, Tag]:
    """The rows of a section's table, by the names as `scratch` has them."""
    rows = page.select(f"#{section} tbody tr")
    found = {}
    for row in rows:
        name = row.select_one("code")
        assert name is not None
        found[f"scratch.{name.get_text()}".replace("scratch.F.", "scratch.functional.")] = row
    assert len(found) == len(rows)
    return found


def cells(row: Tag) -> list[str]:
    """The text of each cell, without the head that only a telephone shows."""
    for head in row.select(".column"):
        head.extract()
    return [" ".join(cell.get_text(" ").split()) for cell in row.select("td")]


def numbers(text: str) -> list[float]:
    """The numbers of a text, in its order, without those that belong to a word."""
    found = []
    for word in text.replace("(", " ").replace(")", " ").replace(",", " ").split():
        try:
            found.append(float(word))
        except ValueError:
            continue
    return found


def rows(kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((name, row) for name, by_device in RESULTS[kind].rows.items() for row in by_device.values())


def rounded(ratio: dict[str, float]) -> list[Any]:
    return [pytest.approx(ratio[name], abs=0.006) for name in ("median", "q1", "q3")]


def contains(text: str, wanted: list[Any]) -> bool:
    """Whether the numbers stand in a text, one after the other."""
    found = numbers(text)
    return any(found[start : start + len(wanted)] == wanted for start in range(len(found)))


def test_a_row_for_each_layer_loss_function_and_optimizer(page: BeautifulSoup) -> None:
    layers = {name for name in RESULTS["layers"].rows if name.startswith("scratch.nn.")}
    assert table(page, "how-far-they-agree").keys() == RESULTS["parity"].rows.keys() | layers
    assert table(page, "what-it-costs").keys() == RESULTS["layers"].rows.keys()


def test_a_row_leads_to_the_api_and_to_the_chapter(page: BeautifulSoup) -> None:
    for name, row in table(page, "how-far-they-agree").items():
        links = [str(link["href"]) for link in row.select("a")]
        assert f"api.html#{name}" in links
        assert any(link.startswith("chapters/") for link in links)


def test_options_cases_and_errors_are_those_that_were_measured(page: BeautifulSoup) -> None:
    shown = {name: cells(row) for name, row in table(page, "how-far-they-agree").items()}
    for name, row in rows("parity"):
        _, options, count, error, *_ = shown[name]
        assert options.replace(" ,", ",") == (", ".join(row["options"]) or "none")
        assert f"{row['cases']:,}" in count
        wanted = [
            pytest.approx(value, rel=0.06)
            for found in row["errors"].values()
            if found is not None
            for value in (found["scratch"], found["torch"])
            if value is not None
        ]
        assert contains(error, wanted), (name, error)


def test_ratios_are_those_that_were_measured(page: BeautifulSoup) -> None:
    agreement, cost = table(page, "how-far-they-agree"), table(page, "what-it-costs")
    shown = {name: (cells(cost[name]), cells(agreement[name])[-2:] if name in agreement else []) for name in cost}
    for name, row in rows("layers"):
        (_, small, eager, compiled, memory), elsewhere = shown[name]
        for size, mode, text in (
            ("small", "eager", small),
            ("realistic", "eager", eager),
            ("realistic", "compiled", compiled),
        ):
            measured = row["sizes"].get(size)
            if measured is None:
                assert text.endswith("not measured")
            elif "skipped" in measured[mode]:
                assert text.endswith("not compiled")
            else:
                times = measured[mode]["both"] or measured[mode]["forward"]
                assert contains(text, rounded(times["ratio"])), (name, text)
        if "realistic" in row["sizes"]:
            used = row["sizes"]["realistic"]["eager"]["memory"]
            assert not used["torch"] or contains(memory, [pytest.approx(used["scratch"] / used["torch"], abs=0.006)])
        assert not elsewhere or elsewhere == [eager, compiled]


def test_what_is_not_compiled_says_why(page: BeautifulSoup) -> None:
    section = page.select_one("#what-it-costs")
    assert section is not None
    told = {" ".join(item.get_text().split()) for item in section.select("li")}
    for name, row in rows("layers"):
        for size in row["sizes"].values():
            if "skipped" in size["compiled"]:
                reason = size["compiled"]["skipped"]
                assert any(reason in item and name.removeprefix("scratch.") in item for item in told), name


def test_the_machines_and_the_exceptions_are_named(page: BeautifulSoup) -> None:
    where = page.select_one("#where-it-was-measured")
    apart = page.select_one("#where-they-do-not")
    assert where is not None and apart is not None
    for kind in RESULTS:
        for result in RESULTS[kind].by_device.values():
            assert result["date"] in where.get_text()
            assert f"torch {result['versions']['torch']}" in where.get_text()
    told = " ".join(apart.get_text().replace("’", "'").split())
    assert all(reason in told for _, row in rows("parity") for reason in row["exceptions"].values())


def test_where_there_are_two_devices_each_line_says_which(tmp_path: Path) -> None:
    spread = {"q1": 1.0, "median": 1.234, "q3": 2.0}
    row = {
        "name": "scratch.nn.A",
        "cases": 1200,
        "errors": {
            "float64": {"scratch": 0.0, "torch": None},
            "float16": None,
            "float32": {"scratch": 2e-7, "torch": 1e-7},
        },
        "sizes": {"small": {"eager": {"both": None, "forward": {"ratio": spread}}, "compiled": {"skipped": "why"}}},
    }
    for device in ("cpu", "cuda"):
        content = json.dumps({"device": device, "rows": [row]})
        (tmp_path / f"parity-{device}.json").write_text(content, encoding="utf-8")
    results = Results.read(tmp_path, "parity")

    def shown(line: Any) -> list[str]:
        return ["".join(node.astext() for node in nodes) for nodes in results.each("scratch.nn.A", line)]

    assert shown(cases) == ["CPU: 1,200", "CUDA: 1,200"]
    assert shown(errors)[:2] == ["CPU: float64 0", "CPU: float32 2.0e-7, torch’s 1.0e-7"]
    assert shown(ratio("small", "eager"))[1] == "CUDA: 1.23 (1.00 to 2.00)"
    assert shown(ratio("small", "compiled"))[0] == "CPU: not compiled"
    assert shown(ratio("realistic", "eager"))[0] == "CPU: not measured"


def test_the_aims_count_what_was_measured(page: BeautifulSoup) -> None:
    items = page.select("#what-we-aim-at ul:first-of-type li")
    said = [" ".join(item.get_text(" ").split()) for item in items]
    assert len(said) == len(AIMS) * len(RESULTS["layers"].by_device)
    for device in RESULTS["layers"].by_device:
        for kind, (modules, aim) in AIMS.items():
            medians = {
                name.removeprefix("scratch."): row["sizes"]["realistic"]["compiled"]["both"]["ratio"]["median"]
                for name, row in rows_of(device)
                if row["module"] in modules and "skipped" not in row["sizes"]["realistic"]["compiled"]
            }
            (line,) = (line for line in said if line.startswith(kind) and device in line.lower())
            within = sum(median <= aim for median in medians.values())
            assert f"{within} of {len(medians)} layers" in line
            for name, median in medians.items():
                assert (f"{name} {median:.2f}" in line) == (median > aim)


def rows_of(device: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The layers that were measured on a device."""
    for name, by_device in RESULTS["layers"].rows.items():
        if name.startswith("scratch.nn.") and device in by_device:
            yield name, by_device[device]
