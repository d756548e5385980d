"""Code inside a sandbox tries to get out of it, or to use more than it may."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from warmkernel.settings import POOL, SCRATCH_MB

from .conftest import SECONDS, Session, sandbox_problem, started, wait_until

PROBLEM = sandbox_problem()
pytestmark = pytest.mark.skipif(PROBLEM is not None, reason=PROBLEM or "")

HELP = """
import ctypes, os, pathlib, socket, subprocess, sys
tmp = pathlib.Path(os.environ["TMPDIR"])
libc = ctypes.CDLL(None, use_errno=True)
def tries(function, *arguments, **options):
    try:
        function(*arguments, **options)
    except OSError as error:
        return type(error).__name__
    return "done"
def call(name, *arguments):
    return "done" if getattr(libc, name)(*arguments) != -1 else os.strerror(ctypes.get_errno())
"""


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the machine, with a file that anybody may read, and a kernel's folder beside it."""
    folder = tmp_path_factory.mktemp("outside")
    folder.joinpath("secret.txt").write_text("secret")
    folder.joinpath("cwd").mkdir()
    folder.joinpath("cwd", "data.txt").write_text("data")
    folder.joinpath("cwd", "more").mkdir()
    folder.joinpath("cwd", "more", "data.txt").write_text("more")
    folder.joinpath("cwd", "link").symlink_to(folder / "secret.txt")
    return folder


@pytest.fixture(scope="module")
def box(outside: Path) -> Iterator[Session]:
    """A sandbox for attempts that end nothing."""
    with started("warm-sandbox", outside / "cwd", {"SECRET": "1"}) as session:
        session.value(HELP)
        yield session


def test_torch_works_and_figures_are_shown(box: Session) -> None:
    code = "import torch; x = torch.ones(3, requires_grad=True); x.sum().backward(); print(x.grad.sum())"
    assert box.value(code) == "tensor(3.)"
    code = "torch.set_num_threads(2); print((torch.ones(999, 999) @ torch.ones(999, 999))[0, 0])"
    assert box.value(code) == "tensor(999.)"
    output = box.run("import matplotlib.pyplot as plt\nplt.plot([1, 2]);")
    assert [set(rich) for rich in output.rich] == [{"image/png", "text/plain"}]
    assert "two" in box.run("!echo two | cat").text


def test_its_folder_holds_what_the_clients_does(box: Session) -> None:
    assert box.value("print(os.getcwd(), sorted(os.listdir()))") == "/notebook ['data.txt', 'link', 'more']"
    assert box.value("print(open('data.txt').read(), open('more/data.txt').read())") == "data more"


def test_what_is_written_stays_in_memory(box: Session, outside: Path) -> None:
    assert box.value("open('mine.txt', 'w').write('x'); print(os.path.exists('mine.txt'))") == "True"
    assert box.value("print((tmp / 'mine.txt').write_text('x'))") == "1"
    for path in ("data.txt", "more/data.txt"):
        assert box.value(f"print(tries(open, '{path}', 'w'))") == "OSError"
    assert sorted(path.name for path in (outside / "cwd").iterdir()) == ["data.txt", "link", "more"]
    assert (outside / "cwd" / "data.txt").read_text() == "data"


@pytest.mark.parametrize("place", ["/", "/usr", "/etc", "/dev", "/proc/sys/kernel", "/sys/devices/system/cpu"])
def test_nothing_else_can_be_written(box: Session, place: str) -> None:
    assert box.value(f"print(tries(open, '{place}/mine', 'w'))") in ("OSError", "PermissionError", "FileNotFoundError")


def test_installed_packages_cannot_be_written(box: Session) -> None:
    assert box.value("import torch; print(tries(open, torch.__file__, 'a'))") in ("OSError", "PermissionError")
    code = "print([tries(open, f'{path}/mine', 'w') for path in sys.path if path.endswith('site-packages')])"
    tried = set(eval(box.value(code)))
    assert tried and tried <= {"OSError", "PermissionError"}


def test_nothing_else_of_the_machine_can_be_read(box: Session, outside: Path, own_warm_process: Path) -> None:
    hidden = [outside / "secret.txt", Path(__file__), Path(__file__).parents[2] / "solutions", own_warm_process]
    hidden += [Path("/etc/shadow"), Path("/var"), Path("/run"), Path("/boot")]
    for path in hidden:
        assert box.value(f"print(os.path.exists({str(path)!r}))") == "False", path
    assert box.value("print(tries(open, 'link'))") == "FileNotFoundError"


def test_of_the_home_folder_only_the_interpreter_is_seen(box: Session) -> None:
    home = Path.home()
    shown = eval(box.value(f"print(os.listdir({str(home)!r}) if os.path.isdir({str(home)!r}) else [])"))
    installed = [Path(sys.prefix), Path(sys.base_prefix), *map(Path, sys.path)]
    assert set(shown) <= {path.relative_to(home).parts[0] for path in installed if path.is_relative_to(home)}


def test_no_file_of_the_machine_is_inherited(box: Session) -> None:
    code = """
        for number in os.listdir("/proc/self/fd"):
            if os.path.lexists(link := f"/proc/self/fd/{number}") and not os.path.exists(os.readlink(link)):
                print(os.readlink(link))
    """
    kinds = ("socket:", "pipe:", "anon_inode:", "/proc/1/fd")
    assert [link for link in box.value(dedent(code)).splitlines() if not link.startswith(kinds)] == []


def test_the_environment_is_short(box: Session) -> None:
    assert box.value("print('SECRET' in os.environ, os.environ['HOME'])") == "False /tmp"
    assert box.value("print(b'SECRET' in open('/proc/self/environ', 'rb').read())") == "False"


def test_no_network(box: Session) -> None:
    assert box.value("print(os.listdir('/proc/self/net') and socket.if_nameindex())") == "[(1, 'lo')]"
    for address in ("('127.0.0.1', 80)", "('1.1.1.1', 53)"):
        assert box.value(f"print(tries(socket.create_connection, {address}, timeout=5))") == "OSError"
    assert box.value("print(tries(socket.getaddrinfo, 'pytorch.org', 443))") == "gaierror"


def test_no_other_process_is_seen_or_reached(box: Session) -> None:
    assert box.value("print([name for name in os.listdir('/proc') if name.isdigit()])") == "['1']"
    for pid in (os.getpid(), os.getppid()):
        assert box.value(f"print(tries(os.kill, {pid}, 9))") == "ProcessLookupError"
        assert box.value(f"print(call('ptrace', 16, {pid}, 0, 0))") == "No such process"
    box.value("print(tries(os.kill, -1, 9))")
    assert box.value("print('on')") == "on"


def test_the_user_has_no_power(box: Session) -> None:
    status = dict(line.split(":\t") for line in box.value("print(open('/proc/self/status').read())").splitlines())
    assert set(status["Uid"].split()) == set(status["Gid"].split()) == {"1000"}
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert status["NoNewPrivs"] == "1"
    assert "done" not in box.value("print(tries(os.setuid, 0), tries(os.setgroups, [0]), tries(os.chroot, '/tmp'))")
    assert box.value("print(tries(os.chown, '/notebook', 0, 0))") in ("PermissionError", "OSError")
    assert box.value("print(os.statvfs('/usr').f_flag & os.ST_NOSUID != 0)") == "True"


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("mount", "b'none', b'/', None, 32 | 4096, None"),  # remount without read-only
        ("mount", "b'none', b'/usr', None, 32 | 4096, None"),
        ("mount", "b'tmpfs', b'/tmp', b'tmpfs', 0, None"),
        ("mount", "b'proc', b'/proc', b'proc', 0, None"),
        ("umount2", "b'/notebook', 2"),
        ("umount2", "b'/proc', 2"),
        ("pivot_root", "b'/tmp', b'/tmp'"),
        ("unshare", "0x00020000"),  # mount
        ("unshare", "0x20000000"),  # pid
        ("unshare", "0x40000000"),  # net
        ("sethostname", "b'x', 1"),
    ],
)
def test_the_walls_cannot_be_moved(box: Session, call: str, arguments: str) -> None:
    assert box.value(f"print(call({call!r}, {arguments}))") in (
        "Operation not permitted",
        "Permission denied",
        "No space left on device",
    )


def test_namespaces_stay_forbidden_in_programs_that_it_starts(box: Session) -> None:
    code = "print(subprocess.run(['unshare', '--user', 'true'], capture_output=True, text=True).stderr)"
    assert "unshare failed" in box.value(code)
    assert box.value("print(tries(open, '/proc/sys/user/max_user_namespaces', 'w'))") in ("PermissionError", "OSError")


def test_the_packages_of_the_course_are_not_shown(box: Session) -> None:
    assert importlib.util.find_spec("warmkernel") is not None, "nothing here could be hidden"
    code = """
        import pathlib, sys
        own = [path / name for path in map(pathlib.Path, sys.path) for name in ("warmkernel", "grader", "scratch")]
        print({tuple(path.iterdir()) for path in own if path.is_dir()})
        import warmkernel
        print(warmkernel.__file__)
    """
    assert box.value(dedent(code)) == "{()}\nNone"


def test_sandboxes_do_not_see_one_another(box: Session, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with started("warm-sandbox", tmp_path / "other") as other:
        places = [f"{folder}/note" for folder in ("/tmp", "/dev/shm")]
        other.value(f"for place in {places}: print(open(place, 'w').write('x'))")
        assert box.value(f"import os; print([os.path.exists(place) for place in {places}])") == "[False, False]"
        other.value("import socket; s = socket.socket(socket.AF_UNIX); s.bind('\\0note'); s.listen(); print(1)")
        code = "s = socket.socket(socket.AF_UNIX); print(tries(s.connect, '\\0note'))"
        assert box.value(code) == "ConnectionRefusedError"


def test_nothing_of_another_request_is_in_memory(tmp_path: Path) -> None:
    """The key of one kernel, its folder and its variables must not be in the memory that the next is forked with."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    search = """
        found = 0
        for row in open("/proc/self/maps"):
            area, access, *_ = row.split()
            if access.startswith("rw"):
                start, end = (int(part, 16) for part in area.split("-"))
                with open("/proc/self/mem", "rb", 0) as memory:
                    memory.seek(start)
                    backwards = memory.read(end - start)[::-1]
                found += any(word in backwards for word in words)
        print(found)
    """
    with started("warm-sandbox", tmp_path / "one", {"LC_MARK": "marked-by-one"}) as one:
        secrets = [one.manager.session.key, str(tmp_path / "one").encode(), b"marked-by-one"]
        # Backwards, so that what is looked for is not there because it is looked for.
        words = [secret[::-1] for secret in secrets]
        assert one.value(f"words = {words}\n{dedent(search)}") != "0"
        for _ in range(POOL + 1):  # past those that were forked before
            with started("warm-sandbox", tmp_path / "two") as two:
                assert two.value(f"words = {words}\n{dedent(search)}") == "0"


def limited(folder: Path, **limits: int) -> Session:
    return Session("warm-sandbox", folder, {f"WARM_{name}": str(value) for name, value in limits.items()})


@pytest.fixture
def boxes(folder: Path) -> Iterator[list[Session]]:
    made: list[Session] = []
    yield made
    for session in made:
        session.stop()


def test_memory_is_limited(folder: Path, boxes: list[Session]) -> None:
    boxes.append(session := limited(folder, MEMORY_MB=512))
    assert "t allocate memory" in session.run("import torch; torch.ones(10**9)").error
    assert session.run("x = bytearray(10**9)").error.startswith("MemoryError")
    assert session.value("y = bytearray(10**8); print(len(y))") == "100000000"


def test_memory_of_all_processes_together_is_limited(folder: Path, boxes: list[Session]) -> None:
    boxes.append(session := limited(folder, MEMORY_MB=512))
    code = """
        import os, time
        for _ in range(4):
            if os.fork() == 0:
                x = bytearray(b"x") * 200_000_000
                time.sleep(1000)
        time.sleep(1000)
    """
    session.ask(dedent(code))
    assert session.ended()
    assert session.manager.provisioner.reason == "it used more memory than it may"  # type: ignore[union-attr]


def test_shared_memory_is_limited(folder: Path, boxes: list[Session]) -> None:
    boxes.append(session := limited(folder, MEMORY_MB=512))
    code = """
        import mmap, time
        shared = mmap.mmap(-1, 1_000_000_000)
        for _ in range(1000):
            shared.write(bytes(1_000_000))
        time.sleep(1000)
    """
    session.ask(dedent(code))
    assert session.ended()


def test_processes_are_limited(folder: Path, boxes: list[Session]) -> None:
    boxes.append(session := limited(folder, PROCESSES=40))
    code = """
        import os, time
        made = 0
        try:
            while made < 200:
                if os.fork() == 0:
                    time.sleep(1000)
                    os._exit(0)
                made += 1
        except OSError as error:
            print(type(error).__name__, made < 40)
    """
    assert session.value(dedent(code)) == "BlockingIOError True"


def test_processor_time_is_limited(folder: Path, boxes: list[Session]) -> None:
    boxes.append(session := limited(folder, CPU_SECONDS=3))
    session.ask("while True: pass")
    assert session.ended()


def test_processor_time_of_all_processes_together_is_limited(folder: Path, boxes: list[Session]) -> None:
    boxes.append(session := limited(folder, CPU_SECONDS=4))
    count = "i=0; while [ $i -lt 99999 ]; do i=$((i+1)); done"
    session.ask(f"import subprocess\nwhile True: subprocess.run(['sh', '-c', '{count}'])")
    assert session.ended()
    assert session.manager.provisioner.reason == "it used more processor time than it may"  # type: ignore[union-attr]


def test_file_size_is_limited(folder: Path, boxes: list[Session]) -> None:
    boxes.append(session := limited(folder, FILE_MB=2))
    assert session.run("open('x', 'wb').write(bytes(3_000_000))").error.startswith("OSError: [Errno 27]")
    assert session.value("print(open('y', 'wb').write(bytes(1_000_000)))") == "1000000"


def test_many_files_are_limited(box: Session) -> None:
    code = f"""
        try:
            for i in range(2 * {SCRATCH_MB}):
                (tmp / f"bomb{{i}}").write_bytes(bytes(10**6))
        except OSError as error:
            print(error.strerror)
        for path in tmp.glob("bomb*"):
            path.unlink()
    """
    assert box.value(dedent(code)) == "No space left on device"


def test_a_limit_that_is_no_number_is_refused(folder: Path) -> None:
    with pytest.raises(RuntimeError, match="WARM_MEMORY_MB=lots: a whole number above 0 is needed"):
        Session("warm-sandbox", folder, {"WARM_MEMORY_MB": "lots"})


def test_a_folder_that_holds_the_sockets_is_refused(own_warm_process: Path) -> None:
    with pytest.raises(RuntimeError, match="start the kernel in a folder below"):
        Session("warm-sandbox", own_warm_process.parent)


def test_background_processes_end_with_the_kernel(folder: Path) -> None:
    mark = f"sleep {100_000 + os.getpid()}"
    code = f"""
        import os, signal, subprocess
        if os.fork() == 0:
            os.setsid()
            for number in range(1, 32):
                if number not in (9, 19):
                    signal.signal(number, signal.SIG_IGN)
            subprocess.Popen("{mark}", shell=True)
            os._exit(0)
    """
    with started("warm-sandbox", folder) as session:
        session.value(dedent(code))
        assert wait_until(lambda: mark in processes())
    assert wait_until(lambda: mark not in processes())  # the kernel removes them a moment after their first process


def processes(field: str = "args") -> str:
    return subprocess.run(["ps", "-eo", field], capture_output=True, text=True, check=True).stdout


def test_a_kernel_that_ends_itself_ends_all(folder: Path, boxes: list[Session]) -> None:
    boxes.append(session := Session("warm-sandbox", folder))
    session.client.execute("import os; os._exit(0)")
    assert session.ended()


def test_a_kernel_that_refuses_every_signal_is_killed(folder: Path) -> None:
    mark = f"marked{os.getpid()}"
    code = f"""
        import ctypes, signal, time
        libc = ctypes.CDLL(None)
        libc.prctl(1, 0)  # no longer to die with its parent
        libc.prctl(15, b"{mark}")  # its name
        for number in range(1, 32):
            if number not in (9, 19):
                signal.signal(number, signal.SIG_IGN)
        time.sleep(1000)
    """
    with started("warm-sandbox", folder) as session:
        session.ask(dedent(code))
        assert wait_until(lambda: mark in processes("comm"))
    assert mark not in processes("comm")


def test_an_interrupt_reaches_the_cell(folder: Path) -> None:
    with started("warm-sandbox", folder) as session:
        asked = session.ask("while True: pass")
        session.manager.interrupt_kernel()
        assert session.answer(asked) == "KeyboardInterrupt"
        assert session.value("print('on')") == "on"


def test_it_restarts(folder: Path) -> None:
    with started("warm-sandbox", folder) as session:
        session.value("x = 1; print(x)")
        session.manager.restart_kernel(now=True)
        session.client.wait_for_ready(timeout=SECONDS)
        assert session.run("x").error.startswith("NameError")
        assert session.value("import os; print(os.getcwd())") == "/notebook"
