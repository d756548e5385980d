"""Answers that patch what judges them. A patched check may pass; the grade cells are compared in another process."""

from textwrap import dedent

from tests.attacks.case import ANY_LOST, NOTHING, Case, every
from tests.attacks.submissions import FIRST, TASKS, answered, shown, wrong

CHECKS_OFF = dedent("""
    import ast

    class NoAsserts(ast.NodeTransformer):
        def visit_Assert(self, node):
            return ast.Pass()

    get_ipython().ast_transformers.append(NoAsserts())
    torch.testing.assert_close = lambda *a, **k: None
""")
"""Every check passes, so that nothing but the grade cells stands between a wrong answer and its points."""

_NAMES = {task: task for task in TASKS} | {"repaired_conv1d": "RepairedConv1d"}
_ANYTHING = dedent("""
    class Anything:
        def __eq__(self, other): return True
        def __ne__(self, other): return False
        def __hash__(self): return 0
        def __getattr__(self, name): return self
        def __call__(self, *a, **k): return self
        def __iter__(self): return iter([self] * 4)
        def __contains__(self, other): return False
        def __len__(self): return 2
        def __float__(self): return 24.0
        def __bool__(self): return True
        __lt__ = __le__ = __gt__ = __ge__ = __eq__
""")
_STORED = {task: shown(task) for task in TASKS}


def _patch(name: str, source: str, why: str) -> Case:
    return Case(name, wrong(dedent(source)), NOTHING, why)


CASES = [
    _patch(
        "patched_assert_close",
        """
        torch.testing.assert_close = lambda *a, **k: None
        torch.allclose = lambda *a, **k: True
        torch.equal = lambda *a, **k: True
        torch.autograd.gradcheck = lambda *a, **k: True
        """,
        "the checks pass, the values in the grade cells are still wrong",
    ),
    _patch(
        "patched_print",
        """
        import builtins
        builtins.print = lambda *a, **k: None
        """,
        "printing shows nothing to the grader, and neither does not printing",
    ),
    _patch(
        "patched_eq",
        """
        for name in ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__bool__"):
            setattr(torch.Tensor, name, lambda self, *other: True)
        """,
        "what is equal inside the kernel does not matter outside of it",
    ),
    _patch(
        "patched_assertion_error",
        """
        import builtins

        class Nothing(BaseException):
            def __new__(cls, *a):
                raise SystemExit(0)

        builtins.AssertionError = Nothing
        builtins.Exception = Nothing
        """,
        "a failed assert that raises something else is still no answer",
    ),
    _patch(
        "patched_showtraceback",
        """
        shell = get_ipython()
        shell.showtraceback = lambda *a, **k: None
        shell._showtraceback = lambda *a, **k: None
        shell.showsyntaxerror = lambda *a, **k: None
        type(shell).showtraceback = lambda *a, **k: None
        """,
        "an error that is not shown leaves the values of the grade cell away",
    ),
    _patch(
        "patched_run_cell",
        """
        from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
        shell = get_ipython()

        async def run_cell_async(self, raw_cell, *a, **k):
            result = ExecutionResult(None)
            result.execution_count = self.execution_count
            self.execution_count += 1
            return result

        type(shell).run_cell_async = run_cell_async
        InteractiveShell.run_cell_async = run_cell_async
        """,
        "cells that are not run show nothing, and so do not show the reference's values",
    ),
    _patch(
        "patched_do_execute",
        """
        kernel = get_ipython().kernel

        async def do_execute(self, code, *a, **k):
            return {"status": "ok", "execution_count": 1, "user_expressions": {}, "payload": []}

        type(kernel).do_execute = do_execute
        """,
        "a kernel that says `ok` to everything shows no values",
    ),
    _patch(
        "patched_execute_request",
        """
        kernel = get_ipython().kernel

        async def execute_request(stream, ident, parent):
            kernel.session.send(stream, "execute_reply", {"status": "ok", "execution_count": 7}, parent, ident=ident)
            kernel._publish_status("idle", "shell", parent)

        kernel.shell_handlers["execute_request"] = execute_request
        """,
        "neither does one whose handler of requests answers at once",
    ),
    _patch(
        "patched_transformers",
        """
        shell = get_ipython()
        shell.input_transformers_cleanup.insert(0, lambda lines: ["pass"])
        shell.input_transformers_post.append(lambda lines: ["pass"])
        """,
        "the input is transformed to nothing, and shows nothing",
    ),
    Case(
        "patched_ast_transformers",
        wrong(CHECKS_OFF),
        NOTHING,
        "asserts are taken out of the checks; the grade cells do not need any",
    ),
    _patch(
        "patched_excepthook",
        """
        import sys
        sys.excepthook = lambda *a: None
        sys.unraisablehook = lambda *a: None
        get_ipython().set_custom_exc((BaseException,), lambda *a, **k: None)
        """,
        "every exception is swallowed; what it kept from being shown is missing",
    ),
    _patch(
        "patched_display",
        """
        import sys
        shell = get_ipython()
        sys.displayhook = lambda value: None
        shell.displayhook.write_format_data = lambda *a, **k: None
        shell.display_pub.publish = lambda *a, **k: None
        """,
        "a value that is not displayed is not there to be compared",
    ),
    _patch(
        "patched_execution_result",
        """
        from IPython.core import interactiveshell
        interactiveshell.ExecutionResult.success = property(lambda self: True)
        interactiveshell.ExecutionResult.raise_error = lambda self: None
        interactiveshell.ExecutionResult.error_in_exec = property(lambda self: None, lambda self, value: None)
        interactiveshell.ExecutionResult.error_before_exec = property(lambda self: None, lambda self, value: None)
        """,
        "results that are always a success come without values",
    ),
    _patch(
        "patched_events",
        """
        shell = get_ipython()

        def mend(*a):
            for name in ("torch", "show", "Draw"):
                globals().pop(name, None)
            globals()["show"] = lambda value: None
            globals()["Draw"] = lambda task: type("D", (), {"__getattr__": lambda s, n: lambda *a, **k: 1})()

        shell.events.register("pre_run_cell", mend)
        shell.events.register("pre_execute", mend)
        """,
        "a hook that runs before each cell may break the cell, not the comparison",
    ),
    Case(
        "equal_to_anything",
        answered({task: f"{_ANYTHING}\n{name} = Anything()" for task, name in _NAMES.items()}),
        NOTHING,
        "instances that claim equality with anything show what they are",
    ),
    Case(
        "answers_equal_to_anything",
        wrong(
            **{
                FIRST: "class Anything(float):\n"
                "    def __eq__(self, other): return True\n"
                "    def __ne__(self, other): return False\n"
                "    __hash__ = None\n"
                "predicted_lengths = tuple(Anything(n) for n in (1, 2, 3, 4))"
            }
        ),
        NOTHING,
        "numbers that claim to be equal to any other pass the check, and show what they are",
    ),
    Case(
        "stored_values_shown",
        wrong(
            CHECKS_OFF + f"stored = {_STORED!r}\n"
            "show = lambda value: None\n"
            "class Draw:\n"
            "    def __init__(self, task): display({'text/x-grade': stored[task]}, raw=True)\n"
            "    def __getattr__(self, name): return lambda *a: 1\n"
        ),
        NOTHING,
        "the values in the public solutions are those of another seed",
    ),
    Case(
        "seed_redefined",
        wrong(
            CHECKS_OFF + "seed = 0\n",
            **{
                TASKS[1]: f"known = iter({_STORED[TASKS[1]].split()!r})\nsmallest_input = lambda *a: float(next(known))"
            },
        ),
        NOTHING,
        "with the seed that everyone knows the answers could be learnt by heart; the reference had a secret one",
    ),
    Case(
        "draws_made_trivial",
        wrong(
            CHECKS_OFF + "Draw.tensor = lambda self, *shape: torch.zeros(*shape, dtype=torch.float64)\n"
            "Draw.integer = lambda self, low, high: low\n"
        ),
        NOTHING,
        "for inputs of zeros wrong layers are right; the reference saw other inputs",
    ),
    Case(
        "torch_made_wrong",
        wrong(
            "F.conv1d = lambda x, w, *a, **k: torch.zeros(())\n"
            "nn.Conv1d = lambda *a, **k: nn.Identity()\n"
            "torch.conv1d = F.conv1d\n"
            "torch.allclose = lambda *a, **k: True\n"
        ),
        NOTHING,
        "the checks compare with a PyTorch that is as wrong as the answers; the reference had the real one",
    ),
    Case(
        "expected_values_caught",
        wrong(
            CHECKS_OFF
            + dedent("""
            seen = [torch.zeros(1)]
            def leak(function):
                def leaking(*a, **k):
                    seen.append(function(*a, **k))
                    return seen[-1]
                return leaking
            for name in ("conv1d", "pad"):
                setattr(F, name, leak(getattr(F, name)))
            torch.einsum = leak(torch.einsum)
            """),
            conv1d_shift="conv1d_shift = lambda *a, **k: seen[-1]",
            causal_conv1d="causal_conv1d = lambda *a, **k: seen[-1]",
        ),
        NOTHING,
        "patched functions of torch see what the checks compute, not what the reference gave in the grade cells",
    ),
    Case(
        "no_shell_at_all",
        wrong("get_ipython().reset(new_session=True)\nfor name in list(globals()):\n    del globals()[name]\n"),
        every(ANY_LOST),
        "without names nothing can be printed",
    ),
]
