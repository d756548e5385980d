"""How closely scratch follows torch: the contract of tests/parity in numbers, as book/data/parity-<device>.json.

`python -m benchmarks.parity` runs every line for every row and stops where one is broken. See benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import time
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from tests.parity import lines, stepping
from tests.parity.case import Case, Row, Tensors
from tests.parity.contract import LINES
from tests.parity.table import ROWS

DATA = Path(__file__).parents[1] / "book" / "data"
PACKAGES = ("torch", "einops", "hypothesis")
TWINS = {"nn": "nn", "functional": "nn.functional", "optim": "optim"}


def rounded(number: float | None) -> float | None:
    """Two significant digits: what is left is the same on every run."""
    return None if number is None else float(f"{number:.1e}")


def machine(device: str) -> str:
    """The name of the card, or of the processor."""
    if device == "cuda":
        return torch.cuda.get_device_name()
    info = Path("/proc/cpuinfo")
    names = [
        line.split(":", 1)[1].strip()
        for line in (info.read_text(encoding="utf-8").splitlines() if info.exists() else [])
        if line.startswith("model name")
    ]
    return names[0] if names else platform.processor() or platform.machine()


def differences(pairs: list[tuple[Tensors, Tensors]]) -> float:
    """The largest difference between ours and torch's, relative to the largest number of a step's results.

    Not to each result's own: a gradient that ought to be 0 is only rounding. Equal infinities and NaN are equal.
    """
    worst = 0.0
    for ours, theirs in pairs:
        largest, difference = 0.0, 0.0
        for name, expected in theirs.items():
            finite = expected.isfinite()
            if expected.is_floating_point() and finite.any():
                largest = max(largest, expected[finite].abs().max().item())
                difference = max(difference, (ours[name] - expected)[finite].abs().max().item())
        worst = max(worst, difference / (largest or 1.0))
    return worst


def measured(row: Row, device: str) -> dict[str, Any]:
    """Run the contract's lines for one row; what was varied, how often, and the largest errors."""
    options: dict[str, set[str]] = {}
    cases, exact = 0, 0.0

    def tell(case: Case, result: Any) -> None:
        nonlocal cases, exact
        cases += 1
        for name, value in case.options.items():
            options.setdefault(name, set()).add(repr(value))
        for name, tensor in case.tensors.items():
            options.setdefault(name, set()).add(str(tuple(tensor.shape)))
        if isinstance(result, list):
            exact = max(exact, differences(result))

    for name, line in LINES.items():
        if line.concerns(row) and name not in row.exceptions and (line.everywhere or device == "cpu"):
            line.run(row, device, tell=tell)
    for name in row.bad:
        if f"refusal: {name}" not in row.exceptions:
            lines.refusal(row, name)
            cases += 1
    errors = stepping.errors if row.kind == "optimizer" else lines.errors
    found: dict[str, Any] = {"float64": {"scratch": rounded(exact), "torch": None}}
    for dtype in lines.LOW:
        of_all = list(errors(row, row.usual, device, dtype).values())
        theirs = [error for _, error in of_all if error is not None]
        found[str(dtype).removeprefix("torch.")] = {
            "scratch": rounded(max((error for error, _ in of_all), default=None)),
            "torch": rounded(max(theirs, default=None)),
        }
    kind = row.ours()
    return {
        "name": f"scratch.{row.id}",
        "kind": row.kind,
        "twin": None if row.reference else f"torch.{TWINS[row.place]}.{row.name}",
        "module": kind.__module__.removeprefix("scratch."),
        "options": sorted(name for name, seen in options.items() if len(seen) > 1),
        "cases": cases,
        "errors": found,
        "exceptions": dict(sorted(row.exceptions.items())),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--rows", nargs="*", help="names as nn.Conv2d, all by default; with some nothing is written")
    chosen = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.manual_seed(0)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = [measured(ROWS[name], chosen.device) for name in chosen.rows or ROWS]
    found = {
        "device": chosen.device,
        "machine": machine(chosen.device),
        "system": platform.platform(terse=True),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "seconds": round(time.perf_counter() - start),
        "lines": {name: line.says for name, line in LINES.items()},
        "rows": rows,
    }
    text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    if chosen.rows:
        print(text, end="")
        return
    DATA.mkdir(exist_ok=True)
    (DATA / f"parity-{chosen.device}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
