"""The benchmark of the layers runs, compares like with like, and writes what the page on parity reads."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import scratch.nn
from benchmarks.layer_cases import CASES, LEFT_OUT, Case

ROOT = Path(__file__).parents[2]
RUNG = re.compile(r"(_loops|_naive|conv\dd_windows|linear_einsum|conv2d_(shift_and_add|long_row|winograd|fft|fast))$")
EVERY_CASE = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def benchmark(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.layers", "--out", str(folder), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_every_layer_and_every_rung_is_measured_or_left_out_for_a_reason() -> None:
    known = {f"scratch.nn.{name}" for name in scratch.nn.__all__}
    for path in (ROOT / "scratch").glob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and RUNG.search(node.name):
                known.add(f"scratch.{path.stem}.{node.name}")
    measured = [case.name for case in CASES]
    assert len(measured) == len(set(measured))
    assert sorted(known - set(measured) - set(LEFT_OUT)) == []
    assert not set(measured) & set(LEFT_OUT)


@EVERY_CASE
def test_both_compute_the_same(case: Case) -> None:
    size = case.sizes["small"]
    ours, theirs = case.build(size.arguments)
    if isinstance(ours, torch.nn.Module) and isinstance(theirs, torch.nn.Module):
        theirs.load_state_dict(ours.state_dict())
    torch.manual_seed(0)
    inputs = size.inputs()
    outputs = []
    for function in (ours, theirs):
        torch.manual_seed(1)
        outputs.append(function(*inputs))
    torch.testing.assert_close(*outputs, rtol=1e-3, atol=1e-3)


@EVERY_CASE
def test_a_case_is_named_after_what_it_measures(case: Case) -> None:
    for name in (case.name, case.twin):
        module, _, attribute = name.rpartition(".")
        assert callable(getattr(__import__(module, fromlist=[attribute]), attribute))
    assert (ROOT / "scratch" / f"{case.module}.py").is_file()


def test_a_quick_run_writes_what_the_page_reads(tmp_path: Path) -> None:
    done = benchmark(tmp_path, "--quick", "--device", "cpu", "--layers", "*.ReLU")
    assert done.returncode == 0, done.stderr
    assert "scratch.nn.ReLU, small" in done.stdout
    result = json.loads((tmp_path / "layers-cpu.json").read_text(encoding="utf-8"))
    assert result["device"] == "cpu"
    assert set(result["machine"]) == {"processor", "cores", "threads", "gpu", "system"}
    assert set(result["versions"]) == {"python", "torch", "einops"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", result["date"])
    rows = {row["name"]: row for row in result["rows"]}
    assert rows["scratch.nn.ReLU"] | {"sizes": None} == {
        "name": "scratch.nn.ReLU",
        "kind": "layer",
        "twin": "torch.nn.ReLU",
        "module": "linear_layers",
        "sizes": None,
    }
    eager = rows["scratch.nn.ReLU"]["sizes"]["small"]["eager"]
    for direction in ("forward", "both"):
        for part in ("scratch", "torch", "ratio"):
            first, middle, third = (eager[direction][part][name] for name in ("q1", "median", "q3"))
            assert 0 < first <= middle <= third
    assert eager["memory"]["scratch"] >= eager["memory"]["torch"] == 2 * 4 * 2 * 8 * 12 * 12, "output and gradient"
    compiled = rows["scratch.nn.ReLU"]["sizes"]["small"]["compiled"]
    assert "skipped" in compiled or compiled["both"]["ratio"]["median"] > 0


def test_loops_have_a_small_size_only_and_say_why_they_are_not_compiled(tmp_path: Path) -> None:
    done = benchmark(tmp_path, "--device", "cpu", "--layers", "*.cross_entropy_loops")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads((tmp_path / "layers-cpu.json").read_text(encoding="utf-8"))["rows"]
    assert list(row["sizes"]) == ["small"]
    assert row["sizes"]["small"]["compiled"]["skipped"].startswith("loops")
    assert row["sizes"]["small"]["eager"]["both"] is None, "its sums are Python's and have no gradient"


def test_a_pattern_that_matches_nothing(tmp_path: Path) -> None:
    done = benchmark(tmp_path, "--layers", "nothing")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith("no layer matches 'nothing': names are as scratch.nn.Linear")


def test_a_part_does_not_take_the_place_of_the_whole() -> None:
    command = [sys.executable, "-m", "benchmarks.layers", "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "name a folder with --out" in done.stderr
