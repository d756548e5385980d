"""A warm kernel is an ordinary kernel, only that it is there at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager

from .conftest import SECONDS, Session, listener, started, wait_until, warm_process


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with started("warm", tmp_path_factory.mktemp("cwd")) as session:
        yield session


def test_the_packages_are_there_before_the_first_cell(folder: Path) -> None:
    with started("warm", folder) as session:
        names = session.value("import sys; print('torch' in sys.modules, 'matplotlib.pyplot' in sys.modules)")
    assert names == "True True"


def test_folder_environment_and_arguments_are_those_of_an_ordinary_kernel(folder: Path) -> None:
    code = """
import json, os, sys
shown = {name: value for name, value in os.environ.items() if name != "JPY_PARENT_PID"}
child = os.popen("env").read()
print(json.dumps([os.getcwd(), shown, sys.argv[0], sys.argv[1], sys.argv[3:], sys.path, sys.executable, sys.prefix,
    __name__, "ONLY_HERE=1" in child, os.getpgid(0) == os.getpid() == os.getsid(0), sys.flags.isolated]))
"""
    found: list[Any] = []
    for kind in ("warm", "python3"):
        with started(kind, folder, {"ONLY_HERE": "1"}, extra_arguments=["--log-level=ERROR"]) as session:
            found.append(json.loads(session.value(code)))
    (one_cwd, one, *one_rest), (other_cwd, other, *other_rest) = found
    assert dict(set(one.items()) ^ set(other.items())) == {}
    assert [one_cwd, *one_rest] == [other_cwd, *other_rest]


def test_the_variables_of_the_client_that_started_the_warm_process_are_gone(folder: Path) -> None:
    with started("warm", folder, {"FIRST": "1"}), started("warm", folder, {"SECOND": "1"}) as session:
        assert session.value("import os; print(os.environ.get('FIRST'), os.environ['SECOND'])") == "None 1"
        assert session.value("print('FIRST' in open('/proc/self/environ').read())") == "False"


def test_text_of_every_kind_is_caught(kernel: Session) -> None:
    assert kernel.run("print('a')\nimport sys\nprint('b', file=sys.stderr)").text in ("a\nb\n", "b\na\n")
    assert kernel.run("import os\n_ = os.write(1, b'low\\n')\nimport time; time.sleep(0.3)").text == "low\n"
    assert "of a program" in kernel.run("!echo of a program").text
    assert kernel.run("1 / 0").error == "ZeroDivisionError: division by zero"


def test_no_text_of_the_warm_process_comes_out(folder: Path) -> None:
    done = client("with started('warm', Path(sys.argv[1])) as session: print(session.value('print(1)'))", folder)
    assert (done.stdout, done.stderr) == ("1\n", "")


def client(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What a client in a process of its own comes to."""
    command = [sys.executable, "-c", f"import sys; from tests.warmkernel.conftest import *\n{code}", str(folder)]
    return subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)


def test_figures_are_shown_inline(kernel: Session) -> None:
    output = kernel.run("import matplotlib.pyplot as plt\nplt.plot([1, 2]);")
    assert [set(rich) for rich in output.rich] == [{"image/png", "text/plain"}]
    assert kernel.value("print(plt.get_fignums())") == "[]"


def test_random_numbers_start_anew_in_each_kernel(folder: Path) -> None:
    code = "import random, numpy, torch\nprint(random.random(), numpy.random.rand(), torch.rand(1).item())"
    drawn = []
    for _ in range(3):
        with started("warm", folder) as session:
            drawn.append(session.value(code).split())
    for kind in zip(*drawn, strict=True):
        assert len(set(kind)) == 3, kind


def test_threads_work_after_the_fork(folder: Path) -> None:
    with started("warm", folder, {"OMP_NUM_THREADS": "2"}) as session:
        assert session.value("import torch; print(torch.get_num_threads())") == "2"
        assert session.value("x = torch.randn(2000, 2000); print((x @ x).shape[0])") == "2000"
        assert session.value("torch.set_num_threads(3); print(torch.get_num_threads(), x.exp().sum() > 0)") == (
            "3 tensor(True)"
        )
        session.value("w = torch.ones(4_000_000, requires_grad=True); (w * w).sum().backward(); print(w.grad[0])")
        loader = "torch.utils.data.DataLoader(range(8), 4, num_workers=2)"
        assert session.value(f"print([batch.tolist() for batch in {loader}])") == "[[0, 1, 2, 3], [4, 5, 6, 7]]"


def test_openblas_has_the_threads_of_an_ordinary_kernel(folder: Path) -> None:
    code = """
import os, numpy
a = numpy.ones((1500, 1500)); a @ a
print(len(os.listdir("/proc/self/task")))
"""
    found = []
    for threads in ("1", "3"):
        with started("warm", folder, {"OPENBLAS_NUM_THREADS": threads}) as session:
            found.append(int(session.value(code)))
    assert found[1] - found[0] == 2


def test_cuda_is_not_touched_before_the_fork(kernel: Session) -> None:
    state = "import torch; print(torch.cuda.is_initialized(), torch.cuda._is_in_bad_fork())"
    assert kernel.value(state) == "False False"


@pytest.mark.parametrize("code", ["while True: pass", "import time\ntime.sleep(1000)"])
def test_an_interrupt_reaches_the_cell_and_the_kernel_goes_on(kernel: Session, code: str) -> None:
    asked = kernel.ask(code)
    kernel.manager.interrupt_kernel()
    assert kernel.answer(asked) == "KeyboardInterrupt"
    assert kernel.value("print('on')") == "on"


def test_a_cell_that_does_not_end_is_interrupted_by_nbclient(folder: Path) -> None:
    cells = [nbformat.v4.new_code_cell("while True: pass"), nbformat.v4.new_code_cell("print('on')")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = nbclient.NotebookClient(
        notebook,
        kernel_name="warm",
        timeout=1,
        interrupt_on_timeout=True,
        allow_errors=True,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()
    assert cells[1].outputs[0].text == "on\n"


def test_a_restarted_kernel_is_a_new_one(folder: Path) -> None:
    with started("warm", folder) as session:
        first = session.value("x = 1; import os; print(os.getpid())")
        session.manager.restart_kernel(now=True)
        session.client.wait_for_ready(timeout=SECONDS)
        assert session.value("import os; print(os.getpid())") != first
        assert session.run("x").error.startswith("NameError")


def test_a_polite_shutdown_runs_what_is_registered_for_the_end(folder: Path) -> None:
    session = Session("warm", folder)
    session.value("import atexit, pathlib; atexit.register(lambda: pathlib.Path('end').write_text('reached'))")
    session.client.stop_channels()
    session.manager.shutdown_kernel()
    assert (folder / "end").read_text() == "reached"


def test_a_polite_shutdown_says_nothing(folder: Path) -> None:
    with (folder / "said").open("w", encoding="utf-8") as said:
        session = Session("warm", folder, stdout=said, stderr=said)
        session.value("import torch; print(torch.ones(1))")
        session.client.stop_channels()
        session.manager.shutdown_kernel()
    assert (folder / "said").read_text(encoding="utf-8") == ""


def test_a_kernel_that_dies_is_noticed_with_its_status_and_the_next_one_starts(folder: Path) -> None:
    with started("warm", folder) as session:
        session.client.execute("import os; os._exit(3)")
        assert session.ended()
        process = session.manager.provisioner.process  # type: ignore[union-attr]
        assert process.poll() == 3
    with started("warm", folder) as session:
        session.client.execute("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
        assert session.ended()
        assert session.manager.provisioner.process.poll() == -signal.SIGKILL  # type: ignore[union-attr]
    with started("warm", folder) as session:
        assert session.value("print('on')") == "on"


def test_ended_kernels_are_reaped_and_their_sockets_removed(folder: Path, own_warm_process: Path) -> None:
    with started("warm", folder) as session:
        parent = warm_process(session)
        pid = session.value("import os; print(os.getpid())")
        sockets = Path(session.manager.ip).parent
        assert sockets.parent == own_warm_process
    assert not Path(f"/proc/{pid}").exists()
    assert not sockets.exists()
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    states = [Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] for child in children]
    assert "Z" not in states


def test_kernels_of_a_client_that_goes_away_are_killed(folder: Path) -> None:
    code = "print(Session('warm', Path(sys.argv[1])).value('import os; print(os.getpid())'), flush=True); os._exit(0)"
    pid = int(client(code, folder).stdout)
    assert wait_until(lambda: not Path(f"/proc/{pid}").exists())


def test_kernels_end_with_the_warm_process_and_the_next_starts_another(folder: Path, own_warm_process: Path) -> None:
    other = {"PYTHONHASHSEED": "7"}  # not the warm process of the other tests
    with started("warm", folder, other) as session:
        first = warm_process(session)
        os.kill(first, signal.SIGKILL)
        assert session.ended()
    with started("warm", folder, other) as session:
        assert warm_process(session) != first
        assert warm_process(session) in {listener(path) for path in own_warm_process.glob("*.socket")}


def test_one_warm_process_serves_all_kernels_of_an_environment(folder: Path) -> None:
    with started("warm", folder) as one, started("warm", folder) as two:
        assert warm_process(one) == warm_process(two)
        assert one.value("import os; print(os.getpid())") != two.value("import os; print(os.getpid())")


def test_a_variable_that_is_read_at_import_gets_its_own_warm_process(folder: Path) -> None:
    with started("warm", folder) as one, started("warm", folder, {"PYTHONHASHSEED": "0"}) as two:
        assert warm_process(one) != warm_process(two)
        assert two.value("import sys; print(sys.flags.hash_randomization)") == "0"


def test_nothing_of_this_repository_can_be_imported(kernel: Session) -> None:
    names = "('scratch', 'derive', 'grader', 'tests')"
    assert kernel.value(f"import importlib.util as u; print([n for n in {names} if u.find_spec(n)])") == "[]"


def test_the_kernel_holds_no_file_of_the_warm_process(kernel: Session, own_warm_process: Path) -> None:
    links = kernel.value("!ls -l /proc/$PPID/fd")
    assert "socket:" in links and str(own_warm_process) not in links


def test_it_is_a_kernel_of_this_environment() -> None:
    specs = KernelSpecManager().get_all_specs()
    for kind in ("warm", "warm-sandbox"):
        assert specs[kind]["spec"]["argv"][0] == sys.executable
