"""Script wherever a learner can put text. The pages show it as text; tests of the pages look for it."""

import nbformat
from nbformat import NotebookNode

from tests.attacks.case import FULL_MARKS, LOST, NOTHING, PASSED, Case, every
from tests.attacks.submissions import FIRST, RIGHT, WRONG, answered, cells, right, wrong

SCRIPT = (
    "<script>alert('hacked')</script><img src=x onerror=alert('hacked')>"
    "\"'><svg onload=alert('hacked')></td></pre></details>{{ 7 * 191 }}{% raise %}"
    "<a href=\"javascript:alert('hacked')\">hacked</a>"
)


def _script_everywhere(notebook: NotebookNode) -> NotebookNode:
    notebook.cells.insert(0, nbformat.v4.new_markdown_cell(SCRIPT))
    notebook.metadata.title = SCRIPT
    notebook.metadata.kernelspec = {"name": SCRIPT, "display_name": SCRIPT, "language": SCRIPT}
    notebook.metadata.authors = [{"name": SCRIPT}]
    for check in cells(notebook, "check"):
        check.outputs = [
            nbformat.v4.new_output("display_data", data={"text/html": SCRIPT, "application/javascript": "alert(1)"}),
            nbformat.v4.new_output("stream", text=SCRIPT),
        ]
        check.metadata.task = SCRIPT
        check.metadata.tags = [SCRIPT]
    return notebook


_SHOWN = f"""
from IPython.display import HTML, Javascript, Markdown, display
display(HTML({SCRIPT!r}), Markdown({SCRIPT!r}), Javascript("alert('hacked')"))
print({SCRIPT!r})
print('\\x1b]8;;javascript:alert(1)\\x07hacked\\x1b]8;;\\x07\\x1b[2J\\x1b[31mred\\x00\\u202e')
import warnings
warnings.warn({SCRIPT!r})
"""
_RAISED = f"def TASK(*a, **k):\n    raise type({SCRIPT!r}, (AssertionError,), {{}})({SCRIPT!r})"

CASES = [
    Case(
        "script_in_markdown_outputs_and_metadata",
        _script_everywhere(right()),
        FULL_MARKS,
        "what is dropped does no harm",
    ),
    Case("script_in_outputs", wrong(_SHOWN), NOTHING, "an output is shown as text, or not at all"),
    Case(
        "script_in_messages",
        answered(
            {
                **{task: _RAISED.replace("TASK", task) for task in RIGHT if task not in (FIRST, "repaired_conv1d")},
                FIRST: f"class Sly(tuple):\n    def __contains__(self, n): raise AssertionError({SCRIPT!r})\n"
                "predicted_lengths = Sly((1, 2, 3, 4))",
                "repaired_conv1d": WRONG["repaired_conv1d"]
                + f"\nRepairedConv1d.__getattr__ = lambda s, n: (_ for _ in ()).throw(AssertionError({SCRIPT!r}))",
            }
        ),
        NOTHING,
        "so is a message",
    ),
    Case(
        "script_in_a_name",
        right(causal_conv1d=WRONG["causal_conv1d"]),
        every(PASSED, causal_conv1d=LOST),
        "so is the name of a learner",
        learner="<img src=x onerror=alert('hacked')>&amp;\"{{ 7 * 191 }}",
    ),
    Case(
        "formula_in_a_name",
        right(),
        FULL_MARKS,
        "a spreadsheet that opens the grades takes no name for a formula",
        learner="=HYPERLINK(1)+@cmd",
    ),
    Case(
        "control_characters_in_messages",
        right(
            causal_conv1d="def causal_conv1d(*a, **k):\n"
            "    raise AssertionError('\\x1b[2J\\x1b]0;hacked\\x07\\x00\\ud83d \\u202e' + 'x' * 10_000 + chr(10) * 500)"
        ),
        every(PASSED, causal_conv1d=LOST),
        "nothing in a message moves a terminal's cursor, or breaks a line of the grades",
    ),
]
