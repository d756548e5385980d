"""Runs the code cells of a notebook, as Colab would: in an empty folder, without this repository.

A page that installs `scratch` runs in notebooks/ instead, where a clone has it, and so needs no network.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from derive.errors import Problems, SourceError
from derive.notebook import MEASURED, RAISES, Draft, Result, Stored
from derive.source import Cell, Source

if TYPE_CHECKING:
    from jupyter_client.kernelspec import KernelSpecManager
    from nbclient import NotebookClient

CELL_SECONDS = 600

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_WARNING = re.compile(r"\.py:(\d+): .*?\n  ([^\n]+)", re.DOTALL)
_LINE_IN_CELL = re.compile(r"Cell In\[\d+\], line (\d+)")


def run(source: Source, drafts: Sequence[Draft], stored: Sequence[Stored], title: str) -> list[Result]:
    """Run code cells of `source` and return what each gave; raise `SourceError` where one fails.

    A cell that measures (tagged `nbval-ignore-output`) keeps its output in `stored` if neither it nor any cell
    before it has changed, so that running a notebook again gives the same bytes.
    """
    results = []
    with _kernel(drafts, source.book.root / "notebooks" if source.installs else None) as (client, folder):
        for index, draft in enumerate(_with_progress(drafts, title)):
            _run_cell(client, index, source.name, draft)
            cell = client.nb.cells[index]
            results.append(Result(cell.execution_count, tuple(_lean(output) for output in cell.outputs)))
            check(source, [draft], results[-1:], folder)

    for index, (draft, old) in enumerate(zip(drafts, stored, strict=False)):
        if not old.is_same(draft):
            break
        if MEASURED in draft.tags and old.result.execution_count:
            results[index] = old.result
    return results


@contextmanager
def _kernel(drafts: Sequence[Draft], inside: Path | None) -> Iterator[tuple[NotebookClient, Path]]:
    """A client whose kernel runs in an empty folder, with the running environment's packages and nothing of ours.

    With `inside`, it runs in that folder.
    """
    import nbformat
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

    with tempfile.TemporaryDirectory(prefix="notebook-") as cwd, tempfile.TemporaryDirectory() as profile:
        if inside:
            inside.mkdir(exist_ok=True)
        cells = [nbformat.v4.new_code_cell(draft.source, metadata=draft.metadata) for draft in drafts]
        kernels = KernelSpecManager(kernel_dirs=[str(Path(sys.prefix) / "share/jupyter/kernels")])
        client = NotebookClient(
            nbformat.v4.new_notebook(cells=cells),
            km=AsyncKernelManager(kernel_name=_kernel_name(kernels), kernel_spec_manager=kernels),
            timeout=CELL_SECONDS,
            shutdown_kernel="immediate",  # asked politely, a kernel takes seconds now and then
            extra_arguments=["--log-level=ERROR"],  # the kernel's own warnings are not about the cells
            coalesce_streams=True,  # else the pieces in which text arrives would differ between runs
            resources={"metadata": {"path": str(inside or cwd)}},
        )
        # The author's own settings must not reach the outputs: no path, no IPython start-up files, no other backend.
        env = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "MPLBACKEND")}
        with client.setup_kernel(env=env | {"IPYTHONDIR": profile}, cleanup_kc=True):
            try:
                yield client, inside or Path(cwd)
            finally:
                _cancel_tasks()


def _cancel_tasks() -> None:
    """Cancel what an interrupted cell has left in the event loop: it would complain that the kernel is gone."""
    from jupyter_core.utils import ensure_event_loop

    with suppress(RuntimeError):
        asyncio.get_running_loop()
        return  # where a loop runs already, as in Jupyter, jupyter_client uses another, in a thread of its own
    loop = ensure_event_loop()
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))


def _kernel_name(kernels: KernelSpecManager) -> str:
    """The kernel that starts at once, where it is installed. What the cells show does not depend on it."""
    return "warm" if "warm" in kernels.find_kernel_specs() else "python3"


def _with_progress(drafts: Sequence[Draft], title: str) -> Iterator[Draft]:
    from tqdm import tqdm  # type: ignore[import-untyped]

    yield from tqdm(drafts, title, unit="cell", file=sys.stderr, disable=None, leave=False)


def _run_cell(client: NotebookClient, index: int, name: str, draft: Draft) -> None:
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    cell = draft.origin
    assert cell is not None, "every code cell comes from a source"
    try:
        client.execute_cell(client.nb.cells[index], index)
    except CellExecutionError as error:
        traceback = "\n".join(row for output in client.nb.cells[index].outputs for row in output.get("traceback", ()))
        seen = _LINE_IN_CELL.search(plain(traceback))
        inside = int(seen[1]) - 1 if seen and not cell.load else 0
        message = f"this cell fails: {error.ename}: {plain(error.evalue)}"
        raise SourceError(name, cell.body_line + inside, _one_line(message), traceback) from None
    except CellTimeoutError:
        raise SourceError(name, cell.line, f"this cell has not ended after {CELL_SECONDS // 60} minutes") from None
    except DeadKernelError:
        raise SourceError(name, cell.line, "this cell kills its kernel (is memory short?)") from None


def plain(text: str) -> str:
    """Text without the colours of a terminal."""
    return _ANSI.sub("", text)


def _one_line(text: str) -> str:
    first, *more = text.strip().split("\n")
    return f"{first} ..." if more else first


def _lean(output: Any) -> Any:
    """An error as it is stored: its last line, since the others hold paths."""
    if output.output_type == "error":
        output.evalue = plain(output.evalue)
        output.traceback = [f"{output.ename}: {output.evalue}"]
    return output


def check(source: Source, drafts: Sequence[Draft], results: Sequence[Result], *folders: Path) -> None:
    """Raise `SourceError` for outputs that cannot be kept; they may not show a path of this machine or of `folders`."""
    problems = Problems(source.name)
    here = dict.fromkeys(map(str, (source.book.root, sys.prefix, *folders)))
    for draft, result in zip(drafts, results, strict=True):
        cell = draft.origin
        assert cell is not None, "every code cell comes from a source"
        if RAISES in draft.tags and not any(output.output_type == "error" for output in result.outputs):
            problems.add(cell.line, f"this cell is tagged {RAISES} and raises nothing")
        for output in result.outputs:
            if output.output_type == "stream" and output.name == "stderr":
                problems.add(_warned_at(cell, output.text), _one_line(f"this cell writes to stderr: {output.text}"))
            if any(kind.startswith("image/") for kind in output.get("data", ())) and not cell.alt:
                problems.add(cell.line, 'this cell shows a picture: describe it with :mystnb: {image: {alt: "..."}}')
            text = _text(output)
            for path in here:
                if path in text:
                    problems.add(cell.line, f"the output of this cell holds a path of this machine: {path}")
    problems.raise_any()


def _warned_at(cell: Cell, text: str) -> int:
    """The line of the source that a warning is about, if the warning quotes one of the cell's; else the cell's."""
    seen = _WARNING.search(text)
    rows = dict(enumerate(cell.source.split("\n"), 1))
    if seen and not cell.load and rows.get(int(seen[1]), "").strip() == seen[2].strip():
        return cell.body_line + int(seen[1]) - 1
    return cell.line


def _text(output: Any) -> str:
    """All of an output that is text."""
    data = output.get("data", {})
    shown = [str(value) for kind, value in data.items() if kind == "image/svg+xml" or not kind.startswith("image/")]
    return "\n".join([output.get("text", ""), output.get("evalue", ""), *shown])
