"""Answers that end or hang their process, or try to end others. A crash is no silent zero, and costs no one else."""

from textwrap import dedent

from tests.attacks.case import ANY_LOST, CRASHED, FULL_MARKS, LOST, PASSED, TIMEOUT, Case, every
from tests.attacks.submissions import FIRST, RIGHT, TASKS, right, unsolved, with_cell_before

_LATER = "causal_conv1d"  # in the middle, so that there are tasks before and behind it


def _ends(name: str, source: str, why: str) -> Case:
    """Everything right, but one answer that ends the kernel."""
    answer = f"{dedent(source)}\n{RIGHT[_LATER]}"
    return Case(name, right(causal_conv1d=answer), every(PASSED, causal_conv1d=CRASHED), why)


def _hangs(name: str, source: str, why: str) -> Case:
    """Everything right, but one answer that never comes to an end."""
    answer = f"{dedent(source)}\n{RIGHT[_LATER]}"
    return Case(name, right(causal_conv1d=answer), every(PASSED, causal_conv1d=TIMEOUT), why, slow=True)


CASES = [
    _ends("os_exit", "import os\nos._exit(0)", "an exit status of 0 is a crash like any other"),
    _ends("segmentation_fault", "import ctypes\nctypes.string_at(0)", "a fault in C ends the kernel only"),
    Case(
        "killed_itself",
        right(causal_conv1d=f"import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n{RIGHT[_LATER]}"),
        every(PASSED, causal_conv1d=CRASHED | PASSED),
        "as the first process of its own world it does not even hear that signal",
    ),
    Case(
        "stopped_itself",
        right(causal_conv1d=f"import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\n{RIGHT[_LATER]}"),
        every(PASSED, causal_conv1d=TIMEOUT | PASSED),
        "nor this one",
    ),
    _ends("aborted", "import os\nos.abort()", "and an abort"),
    _ends(
        "exit_in_a_thread",
        "import os, threading\nthreading.Thread(target=os._exit, args=(0,)).start()\nimport time\ntime.sleep(1)",
        "the whole process ends, from wherever it is asked to",
    ),
    Case(
        "sys_exit",
        right(causal_conv1d=f"import sys\nsys.exit(0)\n{RIGHT[_LATER]}"),
        every(PASSED, causal_conv1d=LOST | CRASHED),
        "Jupyter takes sys.exit for an error of the cell, and the kernel lives on",
    ),
    Case(
        "exit_called",
        right(causal_conv1d=f"{RIGHT[_LATER]}\nexit()"),
        every(PASSED, causal_conv1d=LOST | CRASHED | PASSED),
        "a learner's way to stop a notebook stops no other task",
    ),
    Case(
        "kernel_shut_down",
        right(causal_conv1d=f"{RIGHT[_LATER]}\nget_ipython().kernel.do_shutdown(False)"),
        every(PASSED, causal_conv1d=LOST | CRASHED | PASSED),
        "nor does a kernel that is told to stop, and stops a moment later",
    ),
    Case(
        "killed_parent",
        right(
            **{
                FIRST: "import os, signal\n"
                "for pid in (os.getppid(), os.getpgrp(), os.getsid(0), 1):\n"
                "    try:\n"
                "        os.kill(pid, signal.SIGKILL)\n"
                "        os.killpg(pid, signal.SIGKILL)\n"
                "    except (OSError, ValueError):\n"
                "        pass\n" + RIGHT[FIRST]
            }
        ),
        every(PASSED, **{FIRST: CRASHED | PASSED}),
        "its parent is no process that another submission needs",
    ),
    Case(
        "killed_everything",
        right(
            **{
                FIRST: "import os, signal\ntry:\n    os.kill(-1, signal.SIGKILL)\nexcept OSError:\n    pass\n"
                + RIGHT[FIRST]
            }
        ),
        every(PASSED, **{FIRST: CRASHED | PASSED}),
        "everything reachable is its own",
    ),
    Case(
        "killed_every_number",
        right(
            **{
                FIRST: "import os, signal\n"
                "for pid in range(1, 70000):\n"
                "    try:\n"
                "        pid == os.getpid() or os.kill(pid, signal.SIGKILL)\n"
                "    except OSError:\n"
                "        pass\n" + RIGHT[FIRST]
            }
        ),
        every(PASSED, **{FIRST: CRASHED | PASSED}),
        "and it is so for each number of a process",
    ),
    Case(
        "wrote_to_every_descriptor",
        right(
            **{
                FIRST: "import os, socket\n"
                "for number in range(3, 1024):\n"
                "    try:\n"
                "        os.write(number, b'{\"shutdown\": true}\\n' * 9)\n"
                "    except OSError:\n"
                "        pass\n" + RIGHT[FIRST]
            }
        ),
        every(PASSED, **{FIRST: PASSED | ANY_LOST}),
        "what it inherited leads to nothing but its own kernel",
        slow=True,
    ),
    Case(
        "closed_every_descriptor",
        right(**{FIRST: "import os\nos.closerange(0, 1024)\n" + RIGHT[FIRST]}),
        every(PASSED, **{FIRST: PASSED | ANY_LOST}),
        "a kernel that cannot speak is lost to this submission only",
        slow=True,
    ),
    _hangs("endless_loop", "while True: pass", "a timeout costs its task, and no other"),
    _hangs(
        "endless_loop_that_ignores_interrupts",
        """
        import signal
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            try:
                while True: pass
            except BaseException:
                pass
        """,
        "also when it does not listen",
    ),
    _hangs("endless_power_in_c", "9 ** 9 ** 9", "also in C, where an interrupt is not looked at"),
    _hangs("endless_regex", "import re\nre.match('(a+)+$', 'a' * 64 + 'b')", "also in the C of a module"),
    _hangs("endless_sleep", "import time\ntime.sleep(10 ** 6)", "also when it uses no time of the CPU"),
    Case(
        "endless_loop_when_called",
        right(causal_conv1d="def causal_conv1d(*a, **k):\n    while True: pass"),
        every(PASSED, causal_conv1d=TIMEOUT),
        "the loop runs in the check, and is this task's own",
        slow=True,
    ),
    Case(
        "endless_loop_in_an_extra_cell",
        with_cell_before(right(), _LATER, "while True: pass"),
        FULL_MARKS,
        "a cell that is no answer is not run",
        slow=True,
    ),
    Case(
        "asked_for_input",
        right(causal_conv1d=f"input('Your name? ')\n{RIGHT[_LATER]}"),
        every(PASSED, causal_conv1d=LOST),
        "there is no one to answer, and the grader does not wait",
    ),
    Case("unsolved", unsolved(), every(LOST | {"missing"}), f"nothing has been written for {', '.join(TASKS)}"),
]
