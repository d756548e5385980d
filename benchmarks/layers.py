"""What the layers cost that the course builds: time and memory beside torch's own, forward and backward.

See benchmarks/README.md for how to run it and for what the numbers mean.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from importlib.metadata import version
from pathlib import Path
from runpy import run_path
from statistics import median, quantiles
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.layer_cases import CASES, Case, Size

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "book" / "data"
ROUNDS = 15
FEWEST = 5
SECONDS = 2.5
"""How long the rounds of one size may take together: slow ones have fewer rounds, but never fewer than `FEWEST`."""
SAMPLE = 2e-3
"""How long one sample lasts at least, in seconds: what is over sooner is called several times."""

PeakMemory = run_path(str(ROOT / "book" / "measure.py"), {"torch": torch})["PeakMemory"]

Run = Callable[[], object]


def progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


class Variant:
    """One function with its inputs on one device, forward, and forward and backward."""

    def __init__(self, function: Callable[..., Tensor], inputs: Sequence[Tensor], device: torch.device) -> None:
        if isinstance(function, nn.Module):
            function.to(device)
        self.function = function
        self.inputs = [x.to(device) for x in inputs]
        for x in self.inputs:
            x.requires_grad_(x.is_floating_point())
        parameters = list(function.parameters()) if isinstance(function, nn.Module) else []
        self.leaves = [x for x in (*self.inputs, *parameters) if x.requires_grad]
        self.gradient: Tensor | None = None

    def compiled(self) -> Variant:
        """The same, compiled."""
        other = object.__new__(Variant)
        other.__dict__ = self.__dict__ | {"function": torch.compile(self.function)}
        return other

    def forward(self) -> Tensor:
        return self.function(*self.inputs)

    def both(self) -> object:
        return torch.autograd.grad(self.forward(), self.leaves, self.gradient, allow_unused=True)

    def warm_up(self) -> bool:
        """Call it once, which compiles it; say whether it has a gradient."""
        output = self.forward()
        if not output.requires_grad:
            return False
        self.gradient = torch.ones_like(output)
        self.both()
        return True


def wait(device: torch.device) -> None:
    """Let a GPU finish: it works on while Python goes ahead."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def sample(run: Run, repeats: int, device: torch.device) -> float:
    """Seconds that one call takes, the mean of some."""
    wait(device)
    start = time.perf_counter()
    for _ in range(repeats):
        run()
    wait(device)
    return (time.perf_counter() - start) / repeats


def spread(values: Sequence[float]) -> dict[str, float]:
    """The median and the quartiles, to four digits."""
    first, _, third = quantiles(values, method="inclusive")
    return {name: float(f"{value:.4g}") for name, value in (("q1", first), ("median", median(values)), ("q3", third))}


def interleaved(runs: dict[str, Run], device: torch.device, rounds: int) -> dict[str, list[float]]:
    """Samples of all the runs in turn, each round in the other direction, so that what disturbs one disturbs all."""
    first = {name: sample(run, 2, device) for name, run in runs.items()}
    repeats = {name: max(1, min(200, math.ceil(SAMPLE / taken))) for name, taken in first.items()}
    a_round = sum(first[name] * repeats[name] for name in runs)
    count = max(min(rounds, FEWEST), min(rounds, int(SECONDS / a_round)))
    samples: dict[str, list[float]] = {name: [] for name in runs}
    order = list(runs)
    for _ in range(count):
        for name in order:
            samples[name].append(sample(runs[name], repeats[name], device))
        order.reverse()
    return samples


def compared(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, dict[str, float]]:
    """Seconds of both, and their ratio in each round."""
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return {"scratch": spread(ours), "torch": spread(theirs), "ratio": spread(ratios)}


def peak_memory(run: Run, device: torch.device) -> int:
    """Bytes of the tensors that a run makes, at the most at once."""
    if device.type == "cuda":
        wait(device)
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        run()
        wait(device)
        return torch.cuda.max_memory_allocated(device) - before
    with PeakMemory() as memory:
        run()
    return int(memory.peak)


def measured(case: Case, size: Size, device: torch.device, not_compiled: str | None, rounds: int) -> dict[str, Any]:
    """All numbers of a case at one size."""
    torch._dynamo.reset()
    torch.manual_seed(0)
    inputs = size.inputs()
    pair = {
        name: Variant(function, [x.clone() for x in inputs], device)
        for name, function in zip(("scratch", "torch"), case.build(size.arguments), strict=True)
    }
    modes = {"eager": pair}
    with_gradient = [variant.warm_up() for variant in pair.values()]
    differentiable = all(with_gradient)
    if not_compiled is None:
        modes["compiled"] = {name: variant.compiled() for name, variant in pair.items()}
        try:
            for variant in modes["compiled"].values():
                variant.warm_up()
        except Exception as error:  # the compiler raises what it likes
            del modes["compiled"]
            not_compiled = f"{type(error).__name__}: {first_line(error)}"

    result: dict[str, Any] = {
        "arguments": ", ".join(map(repr, size.arguments)),
        "inputs": [list(x.shape) for x in inputs],
        **{mode: {"forward": None, "both": None, "memory": None} for mode in modes},
    }
    for direction in ("forward", "both") if differentiable else ("forward",):
        runs = {
            f"{mode} {name}": getattr(variant, direction)
            for mode, variants in modes.items()
            for name, variant in variants.items()
        }
        samples = interleaved(runs, device, rounds)
        for mode in modes:
            result[mode][direction] = compared(samples[f"{mode} scratch"], samples[f"{mode} torch"])
    for mode, variants in modes.items():
        if mode == "eager" or device.type == "cuda":  # on a CPU compiled code allocates where nobody can look on
            result[mode]["memory"] = {
                name: peak_memory(variant.both if differentiable else variant.forward, device)
                for name, variant in variants.items()
            }
    if not_compiled is not None:
        result["compiled"] = {"skipped": not_compiled}
    return result


def first_line(error: Exception) -> str:
    return (str(error).strip() or "no message").splitlines()[0]


def why_not_compiled(device: torch.device) -> str | None:
    """None if `torch.compile` works here; otherwise what it said to a function of one line."""
    torch._dynamo.reset()
    try:
        torch.compile(lambda x: x.sin() + 1)(torch.ones(8, device=device))
    except Exception as error:  # no C++ compiler, an old Python, a platform that is not supported
        return f"torch.compile does not work here: {first_line(error)}"
    return None


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def machine(device: torch.device) -> dict[str, Any]:
    """What the numbers were measured on."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
        "system": platform.platform(terse=True),
    }


def measure(cases: Sequence[Case], device: torch.device, sizes: Iterable[str], rounds: int) -> dict[str, Any]:
    """Measure the cases, one after the other, and say where it stands."""
    start = time.monotonic()
    reason = why_not_compiled(device)
    if reason is not None:
        progress(f"nothing is compiled: {reason}")
    rows = []
    for number, case in enumerate(cases, 1):
        row: dict[str, Any] = {"name": case.name, "kind": case.kind, "twin": case.twin, "module": case.module}
        row["sizes"] = {}
        for name in sizes:
            if name not in case.sizes:
                continue
            progress(f"{device.type} {number}/{len(cases)}, {time.monotonic() - start:.0f} s: {case.name}, {name}")
            try:
                row["sizes"][name] = measured(case, case.sizes[name], device, case.not_compiled or reason, rounds)
            except Exception as error:
                message = f"{case.name}, {name}, on {device.type}: {type(error).__name__}: {first_line(error)}"
                raise SystemExit(f"stopped, nothing is written: {message}") from error
        rows.append(row)
    return {
        "device": device.type,
        "machine": machine(device),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in ("torch", "einops")},
        "date": datetime.now(UTC).date().isoformat(),
        "seconds": round(time.monotonic() - start),
        "not_compiled": reason,
        "rows": rows,
    }


def dumps(result: dict[str, Any]) -> str:
    """The JSON, with a line for each row."""
    rows = ",\n".join(f"  {json.dumps(row)}" for row in result["rows"])
    head = json.dumps(result | {"rows": []}, indent=1).removesuffix("[]\n}")
    return f"{head}[\n{rows}\n ]\n}}\n"


def show(result: dict[str, Any]) -> None:
    """Print how many times as long ours take, forward and backward."""
    print(f"{'times as long as torch, ' + result['device']:60}{'eager':>10}{'compiled':>10}")
    for row in result["rows"]:
        for name, size in row["sizes"].items():
            cells = []
            for mode in ("eager", "compiled"):
                times = size[mode].get("both") or size[mode].get("forward")
                cells.append(f"{times['ratio']['median']:10.2f}" if times else f"{'-':>10}")
            print(f"{row['name'] + ', ' + name:60}{''.join(cells)}")


def main() -> None:
    """Measure what is asked for, on every device that is, and write what it gave."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.layers", description=__doc__)
    parser.add_argument("--device", choices=["cpu", "cuda"], help="only this one; all there are if not given")
    parser.add_argument("--layers", metavar="PATTERN", help="only names that match, as '*.Conv*'; needs --out")
    parser.add_argument("--quick", action="store_true", help="small sizes and three rounds; needs --out")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where layers-<device>.json goes; book/data")
    options = parser.parse_args()
    if (options.layers or options.quick) and options.out is None:
        parser.error("a part of the numbers does not go to book/data: name a folder with --out")
    cases = [case for case in CASES if fnmatchcase(case.name, options.layers or "*")]
    if not cases:
        parser.error(f"no layer matches {options.layers!r}: names are as {CASES[0].name}")
    if options.device == "cuda" and not torch.cuda.is_available():
        parser.error("torch sees no CUDA device here")
    devices = [options.device] if options.device else ["cpu", *["cuda"] * torch.cuda.is_available()]
    sizes, rounds = (("small",), 3) if options.quick else (("small", "realistic"), ROUNDS)
    folder = options.out or FOLDER
    folder.mkdir(parents=True, exist_ok=True)

    warnings.simplefilter("ignore")  # the compiler's remarks on the machine
    for device in devices:
        result = measure(cases, torch.device(device), sizes, rounds)
        show(result)
        path = folder / f"layers-{device}.json"
        path.write_text(dumps(result), encoding="utf-8")
        progress(f"written: {path}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
