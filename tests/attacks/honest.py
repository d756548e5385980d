"""Correct work that a grader might take for something else: full marks."""

from textwrap import dedent

from tests.attacks.case import FULL_MARKS, LOST, PASSED, Case, every
from tests.attacks.submissions import FIRST, RIGHT, TASKS, answered, cells, right, unsolved, with_cell_before


def _all(source: str) -> dict[str, str]:
    """The right answers, each after the same lines."""
    return {task: f"{dedent(source)}\n{RIGHT[task]}" for task in TASKS}


def _functions_that(source: str) -> dict[str, str]:
    """The right answers, where each call of a function does something else first."""
    wrapped = dedent("""
    def _also(function):
        def call(*a, **k):
            {source}
            return function(*a, **k)
        return call
    """).format(source=source)
    return {
        task: answer if "class " in answer or task == FIRST else f"{answer}\n{wrapped}\n{task} = _also({task})"
        for task, answer in RIGHT.items()
    }


def _honest(name: str, answers: dict[str, str], why: str) -> Case:
    return Case(name, answered(answers), FULL_MARKS, why)


_OTHER_HELPER = "def helper(x, left, right):\n    return F.pad(x, (left, right))"

CASES = [
    Case("honest", right(**{FIRST: f"# $other\n{RIGHT[FIRST]}"}), FULL_MARKS, "every answer is right"),
    _honest("warns", _all("import warnings\nwarnings.warn('careful')"), "a warning is no mistake"),
    _honest("warns_in_calls", _functions_that("__import__('warnings').warn('careful')"), "nor is one in a call"),
    _honest("prints", _all("print('trying', [1, 2, 3])"), "printing is no mistake"),
    _honest("prints_in_calls", _functions_that("print('called with', len(a))"), "also while a grade cell calls it"),
    _honest("prints_in_calls_without_newline", _functions_that("print('.', end='')"), "also in the middle of a line"),
    _honest(
        "writes_to_stderr",
        _functions_that("__import__('sys').stderr.write('debug\\n'); __import__('os').write(2, b'raw\\n')"),
        "nor is what goes to stderr",
    ),
    _honest(
        "logs", _all("import logging\nlogging.basicConfig(level=0)\nlogging.warning('here')"), "a log is no mistake"
    ),
    _honest("plots", _all("plt.plot([1, 2, 3])\nplt.title('mine')\nplt.show()"), "a picture is no mistake"),
    _honest(
        "plots_in_calls",
        _functions_that(
            "len(plots := _also.__dict__.setdefault('plots', [])) < 3 and (plots.append(plt.plot([1])), plt.show())"
        ),
        "also while a grade cell calls it",
    ),
    _honest("displays", _all("display(torch.ones(2))\ntorch.zeros(3)"), "a value shown is no mistake"),
    _honest("reseeds", _all("torch.manual_seed(7)\nimport random\nrandom.seed(1)"), "inputs do not depend on it"),
    _honest("reseeds_in_calls", _functions_that("torch.manual_seed(7)"), "also while a grade cell draws its inputs"),
    _honest("default_dtype", _all("torch.set_default_dtype(torch.float64)"), "the layers are right in any dtype"),
    _honest("print_options", _all("torch.set_printoptions(precision=1, sci_mode=True)"), "values are shown in full"),
    _honest(
        "magics",
        _all("%matplotlib inline\n%time _ = 1 + 1\n!echo from the shell\nfiles = %ls\n%config InlineBackend.dpi = 80"),
        "magics are part of a notebook",
    ),
    _honest("cell_magics", {task: f"%%time\n{answer}" for task, answer in RIGHT.items()}, "also those of a whole cell"),
    _honest(
        "uses_names_of_ours",
        _all("x = w = b = got = expected = name = case = ours = theirs = 5\nfor draw in range(3): pass"),
        "checks and grade cells set their own names before they use them",
    ),
    _honest("redefines_seed_by_chance", _all("seed = 42\ntorch.manual_seed(seed)"), "seed is a name anyone may use"),
    _honest(
        "imports_more",
        _all("import numpy as np, json, random, collections\nfrom torch.nn.functional import pad\nimport torch as t"),
        "imports are free",
    ),
    _honest("writes_a_file", _all("open('notes.txt', 'w').write('mine')\nopen('notes.txt').read()"), "its own"),
    _honest(
        "saves_a_tensor",
        _all("torch.save(torch.ones(3), 'ones.pt')\ntorch.load('ones.pt')\nplt.figure().savefig('figure.png')"),
        "a checkpoint in its own folder",
    ),
    _honest("saves_20_megabytes", _all("torch.save(torch.ones(5_000_000), 'weights.pt')"), "a model in its folder"),
    _honest("uses_temporary_files", _all("import tempfile\ntempfile.NamedTemporaryFile().write(b'1')"), "and in /tmp"),
    _honest(
        "uses_threads_and_processes",
        _all(
            "from concurrent.futures import ThreadPoolExecutor\n"
            "with ThreadPoolExecutor(4) as pool: list(pool.map(str, range(9)))\n"
            "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'print(1)'], check=True)"
        ),
        "a few of them are within the limits",
    ),
    _honest(
        "uses_data_loaders",
        _all(
            "from torch.utils.data import DataLoader, TensorDataset\n"
            "list(DataLoader(TensorDataset(torch.ones(4)), num_workers=1))"
        ),
        "workers of torch need shared memory",
    ),
    _honest("counts", _all("from tqdm import tqdm\nfor _ in tqdm(range(5)): pass"), "a progress bar is no mistake"),
    _honest("unicode_and_tabs", _all("größe = 'ß → ∞ 🎉'\nif größe:\n\tpass"), "letters of any kind"),
    _honest(
        "line_ends_of_windows", {task: answer.replace("\n", "\r\n") for task, answer in RIGHT.items()}, "any line ends"
    ),
    _honest("defined_twice", {task: f"{answer}\n\n{answer}" for task, answer in RIGHT.items()}, "the last one counts"),
    Case(
        "helpers_in_extra_cells",
        with_cell_before(
            right(
                causal_conv1d="def causal_conv1d(input, weight, bias=None, dilation=1):\n"
                "    past = dilation * (weight.shape[-1] - 1)\n"
                "    return F.conv1d(helper(input, past, 0), weight, bias, dilation=dilation)"
            ),
            "causal_conv1d",
            _OTHER_HELPER,
        ),
        every(PASSED, causal_conv1d=LOST),
        "only answer cells are graded: a helper that is not in one is missed, and the message says so",
        says="answer cell",
    ),
    Case(
        "tries_in_extra_cells",
        with_cell_before(right(), "causal_conv1d", "raise RuntimeError('a try that went wrong')"),
        FULL_MARKS,
        "a cell in which something was tried costs nothing",
    ),
]


def _in_other_order() -> Case:
    notebook = unsolved()
    for answer in cells(notebook, "answer"):
        answer.source = RIGHT[answer.metadata.task]
    notebook.cells.reverse()
    return Case("in_other_order", notebook, FULL_MARKS, "the reference says in which order cells are run")


CASES.append(_in_other_order())
