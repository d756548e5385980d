"""Answers made to hurt the process that reads them: the grader parses sources, and escapes and stores what they say."""

from tests.attacks.case import ANY_LOST, FULL_MARKS, PASSED, Case, every
from tests.attacks.submissions import RIGHT, TASKS, answered, right

_TASK = "conv1d_shift"  # functions are forbidden in it, so its source is read


def _odd(name: str, before: str, why: str, *, runs: bool = False, slow: bool = False) -> Case:
    """Everything right, but one answer that starts with something odd, with which it runs or does not."""
    lost = PASSED if runs else ANY_LOST
    return Case(name, right(conv1d_shift=f"{before}\n{RIGHT[_TASK]}"), every(PASSED, conv1d_shift=lost), why, slow=slow)


CASES = [
    _odd(
        "half_a_character", "odd = '\ud800'", "text that cannot be written as UTF-8 is read as if it could", runs=True
    ),
    _odd("null_characters", "odd = '\0'", "nor is one with a null in it"),
    _odd("deep_brackets", "odd = " + "(" * 5000 + ")" * 5000, "nested too deep to be parsed"),
    _odd("deep_operators", "odd = " + "-" * 50_000 + "1", "nested too deep to be walked through"),
    _odd("deep_sum", "odd = " + "1 + " * 3_000 + "1", "also to the left", slow=True),
    _odd(
        "deep_attributes",
        "def odd():\n    return odd" + ".odd" * 900,
        "a name of 900 parts is read without climbing down each of them",
        runs=True,
    ),
    _odd("deep_attributes_in_use", "def odd():\n    return odd" + ".odd" * 2500, "nor one of 2,500"),
    _odd("long_answer", f"odd = [{'1, ' * 100_000}]", "an answer of 300 kB is long, and no more", runs=True),
    _odd("bad_escapes", "odd = '\\d \\777'", "a warning of the parser's is no error of the grader's", runs=True),
    _odd("byte_order_mark", "\ufeff", "a mark that some editors leave at the start of a file is no Python"),
    _odd("coding_line", "# -*- coding: utf-7 -*-\n# +AGEAYgBj-", "a coding that is not the file's", runs=True),
    Case(
        "alias_of_itself",
        right(conv1d_shift=f"a = F\nF = a\nnn = nn\nb = a.b if False else 1\n{RIGHT[_TASK]}"),
        FULL_MARKS,
        "names that stand for one another are followed to no end",
    ),
    Case(
        "calls_itself",
        right(conv1d_shift=f"{RIGHT[_TASK]}\ninner = conv1d_shift\ndef conv1d_shift(*a): return inner(*a)"),
        FULL_MARKS,
        "as are functions",
    ),
    Case(
        "every_answer_in_every_cell",
        answered({task: "\n\n".join(RIGHT.values()) for task in TASKS}),
        FULL_MARKS,
        "an answer that stands in each cell is right in its own",
    ),
]
