"""Answers that look for what they must not see. Each would become right, and earn ten points, if it found it."""

from textwrap import dedent

from tests.attacks.case import NOTHING, PASSED, Case, every
from tests.attacks.submissions import TASKS, gated, right, wrong


def _spy(name: str, source: str, why: str) -> Case:
    return Case(name, gated(dedent(source)), NOTHING, why)


_RAISE = """
def {task}(*a, **k):
    raise AssertionError(found())
"""

CASES = [
    _spy(
        "read_the_reference",
        """
        from pathlib import Path
        broke = "BEGIN SOLUTION" in Path("$reference").read_text()
        """,
        "the reference is not there under its own name",
    ),
    _spy(
        "looked_for_notebooks",
        """
        import os
        for folder, folders, files in os.walk("/"):
            if folder in ("/proc", "/sys"):
                folders.clear()
            for name in files:
                if name in ("04_convolution_1d.ipynb", "04_convolution_1d.md", "grades.jsonl", "grades.csv"):
                    try:
                        with open(os.path.join(folder, name), errors="replace") as file:
                            text = file.read()
                    except OSError:
                        continue
                    broke = broke or "grade-predicted_lengths" in text or "$other" in text
        """,
        "nor anywhere else, nor any other submission, nor the grades",
    ),
    _spy(
        "listed_the_grader's_folders",
        """
        import os, sys
        packages = [*sys.path, sys.prefix, sys.base_prefix]  # folders on the way to them are there, and empty else
        for folder in ("$submissions", "$grades", "$repository", "$home"):
            try:
                names = os.listdir(folder)
            except OSError:
                continue
            broke = broke or any(not any(p.startswith(f"{folder}/{name}") for p in packages) for name in names)
        """,
        "submissions, grades, repository and home are not there",
    ),
    _spy(
        "read_a_file_of_the_machine",
        """
        from pathlib import Path
        broke = "$canary" in Path("$canary_file").read_text()
        """,
        "neither is any other file that everyone on the machine may read",
    ),
    _spy(
        "read_the_shadow_file",
        """
        from pathlib import Path
        broke = ":" in Path("/etc/shadow").read_text()
        """,
        "passwords are not for it, even where the grader is run by root",
    ),
    _spy(
        "imported_the_grader",
        """
        import importlib
        for name in ("grader", "derive", "scratch", "solutions", "tests"):
            try:
                broke = broke or importlib.import_module(name).__spec__.origin is not None
            except ImportError:
                pass
        """,
        "the repository cannot be imported",
    ),
    _spy(
        "read_the_environment",
        """
        import os, subprocess
        broke = "$canary" in str(dict(os.environ)) or b"$canary" in subprocess.run(["env"], capture_output=True).stdout
        """,
        "the environment of whoever runs the grader is theirs",
    ),
    _spy(
        "read_the_environment_before_python",
        """
        broke = b"$canary" in open("/proc/self/environ", "rb").read()
        """,
        "also as it stands in the memory that was forked",
    ),
    _spy(
        "read_its_own_memory",
        """
        needle = b"$first_half" + b"$second_half"
        with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
            for line in maps:
                if "[stack]" in line:
                    start, end = (int(part, 16) for part in line.split()[0].split("-"))
                    memory.seek(start)
                    broke = broke or needle in memory.read(end - start)
        """,
        "also on the stack that was forked",
    ),
    _spy(
        "read_the_processes_of_others",
        """
        import os
        for pid in filter(str.isdigit, os.listdir("/proc")):
            for name in ("environ", "cmdline"):
                try:
                    text = open(f"/proc/{pid}/{name}", "rb").read()
                except OSError:
                    continue
                broke = broke or b"$canary" in text or b"grader" in text or b"$submissions" in text
        """,
        "it sees its own processes only",
    ),
    _spy(
        "went_through_the_root_of_others",
        """
        import os
        for pid in filter(str.isdigit, os.listdir("/proc")):
            for door in ("root", "cwd"):
                try:
                    broke = broke or os.path.exists(f"/proc/{pid}/{door}$reference")
                    broke = broke or "04_convolution_1d.ipynb" in os.listdir(f"/proc/{pid}/{door}/..")
                except OSError:
                    pass
        """,
        "no process that it sees has another file tree",
    ),
    _spy(
        "went_up_by_an_open_folder",
        """
        import os
        for number in range(3, 1024):
            for way in ("", "/..", "/../..", "/../../.."):
                try:
                    names = os.listdir(f"/proc/self/fd/{number}{way}")
                except OSError:
                    continue
                broke = broke or bool({"04_convolution_1d.ipynb", "honest", "grades.jsonl"} & set(names))
        """,
        "no folder was left open to climb out of",
    ),
    _spy(
        "left_the_chroot",
        """
        import os
        os.makedirs("inner", exist_ok=True)
        here = os.open(".", os.O_RDONLY)
        os.chroot("inner")
        os.fchdir(here)
        for _ in range(64):
            os.chdir("..")
        os.chroot(".")
        broke = os.path.exists("$reference")
        """,
        "the old way out of a changed root needs a right that it has not",
    ),
    _spy(
        "became_root_in_a_namespace",
        """
        import ctypes, os
        libc = ctypes.CDLL(None, use_errno=True)
        uid, gid = os.getuid(), os.getgid()
        assert libc.unshare(0x10000000 | 0x00020000) == 0
        open("/proc/self/setgroups", "w").write("deny")
        open("/proc/self/uid_map", "w").write(f"0 {uid} 1")
        open("/proc/self/gid_map", "w").write(f"0 {gid} 1")
        for folder in ("/", "/tmp", "/usr", "/proc"):
            libc.umount2(folder.encode(), 2)
        libc.mount(b"none", b"/usr", None, 32 | 4096, None)
        broke = os.path.exists("$reference") or os.access("/usr/lib", os.W_OK)
        """,
        "root in a namespace of its own cannot lift the mounts that hide the rest",
    ),
    _spy(
        "became_root_by_setuid",
        """
        import os, subprocess
        for program in ("su", "sudo", "mount", "newgrp", "passwd", "chsh", "pkexec"):
            try:
                done = subprocess.run([program, "-c", "id -u"], input=b"", capture_output=True, timeout=2)
            except (OSError, subprocess.TimeoutExpired):
                continue
            broke = broke or (os.getuid() != 0 and done.stdout.strip() == b"0")
        """,
        "programs that make root gain nothing",
    ),
    _spy(
        "kept_a_capability",
        """
        with open("/proc/self/status") as file:
            status = dict(line.split(":", 1) for line in file)
        broke = any(int(status[name], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapAmb", "CapBnd"))
        broke = broke or status["NoNewPrivs"].strip() != "1"
        """,
        "it has no capability, and can get none",
    ),
    Case(
        "read_the_grade_cells_in_the_history",
        wrong(
            conv1d_gradients="def found():\n"
            "    seen = [str(globals().get(name)) for name in ('In', '_ih', '_i', '_ii', '_iii')]\n"
            "    seen += [line for *_, line in get_ipython().history_manager.get_range()]\n"
            "    return chr(10).join(seen)\n" + _RAISE.format(task="conv1d_gradients")
        ),
        NOTHING,
        "what it finds there does not get into the message that it makes of it",
    ),
    Case(
        "read_the_grade_cell_in_the_frames",
        right(
            smallest_input="def found():\n"
            "    import linecache, sys\n"
            "    frame, seen = sys._getframe(), []\n"
            "    while frame:\n"
            "        seen += linecache.getlines(frame.f_code.co_filename)\n"
            "        frame = frame.f_back\n"
            "    return ''.join(line for line in seen if 'raw' in line)\n" + _RAISE.format(task="smallest_input")
        ),
        every(PASSED, **{TASKS[1]: frozenset({"failed", "error"})}),
        "nor does the source of the cell that calls it",
    ),
]
