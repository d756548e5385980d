"""Answers that want more than there is: memory, processes, output, files."""

from textwrap import dedent

from tests.attacks.case import ANY_LOST, LOST, PASSED, Case, every
from tests.attacks.submissions import RIGHT, gated, right

_TASK = "causal_conv1d"


def _bomb(name: str, source: str, why: str, *, slow: bool = False) -> Case:
    """Everything right, but one answer that may take its whole kernel with it."""
    answer = f"{dedent(source)}\n{RIGHT[_TASK]}"
    return Case(name, right(causal_conv1d=answer), every(PASSED, causal_conv1d=ANY_LOST), why, slow=slow)


def _dud(name: str, source: str, why: str) -> Case:
    """Everything right, but one answer that is refused with an ordinary error."""
    answer = f"{dedent(source)}\n{RIGHT[_TASK]}"
    return Case(name, right(causal_conv1d=answer), every(PASSED, causal_conv1d=LOST), why)


CASES = [
    _dud("memory_at_once", "bytearray(10 ** 13)", "more than the machine has is refused"),
    _bomb(
        "memory_bit_by_bit",
        "kept = []\nwhile True:\n    kept.append(bytearray(100_000_000))",
        "the limit is met before the machine's memory is used up",
    ),
    _bomb("memory_of_torch", "kept = [torch.empty(50_000_000) for _ in range(200)]", "torch's memory counts too"),
    Case(
        "memory_shared",
        gated(
            dedent("""
            import mmap
            kept = []
            for _ in range(30):
                shared = mmap.mmap(-1, 100_000_000)
                shared.write(bytes(100_000_000))
                kept.append(shared)
            broke = True
            """)
        ),
        every(ANY_LOST),
        "3 GB of shared pages are over the limit",
    ),
    _bomb(
        "fork_bomb",
        "import os\nwhile True:\n    os.fork()",
        "the number of processes is limited, and all end with the kernel",
        slow=True,
    ),
    _bomb(
        "thread_bomb",
        "import threading, time\n"
        "while True:\n"
        "    threading.Thread(target=time.sleep, args=(10 ** 6,), daemon=True).start()",
        "threads count as processes",
    ),
    Case(
        "left_processes_behind",
        right(
            causal_conv1d=RIGHT[_TASK] + "\nimport os, subprocess, sys\n"
            "sleep = [sys.executable, '-c', 'import time; time.sleep(600) # $marker']\n"
            "subprocess.Popen(sleep, start_new_session=True)\n"
            "if os.fork() == 0:\n"
            "    os.setsid()\n"
            "    if os.fork() == 0:\n"
            "        os.execv(sys.executable, sleep)\n"
            "    os._exit(0)\n"
        ),
        every(PASSED, causal_conv1d=PASSED | ANY_LOST),
        "processes of its own end with the kernel, daemons too",
    ),
    _bomb(
        "output_bomb",
        "while True: print('x' * 100_000)",
        "endless output is cut off on the grader's side",
        slow=True,
    ),
    _bomb(
        "output_bomb_of_pictures",
        "from IPython.display import Image, display\n"
        "while True: display(Image(data=b'\\x89PNG\\r\\n\\x1a\\n' + bytes(1_000_000), format='png'))",
        "also when it is no text",
        slow=True,
    ),
    _dud("error_bomb", "raise ValueError('x' * 20_000_000)", "a message of 20 MB is cut off"),
    _dud("traceback_bomb", "def down(n): return down(n + 1)\ndown(0)", "so is an endless traceback"),
    Case(
        "file_bomb",
        gated(
            dedent("""
            with open("big", "wb") as file:
                for _ in range(80):
                    file.write(bytes(1_000_000))
            broke = True
            """)
        ),
        every(ANY_LOST),
        "80 MB in one file are over the limit",
    ),
    Case(
        "temporary_file_bomb",
        gated(
            dedent("""
            import os, tempfile
            folder = "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()
            for where in {folder, "/tmp", "/var/tmp", "/run"}:
                try:
                    for number in range(100):
                        with open(f"{where}/$marker-{number}", "wb") as file:
                            file.write(bytes(50_000_000))
                    broke = True
                except OSError:
                    pass
            """)
        ),
        every(ANY_LOST),
        "5 GB in many files are over the size of its own /tmp",
    ),
]
