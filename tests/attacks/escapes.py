"""Answers that reach out: files of others, the network, the warm process. Each would become right if it got there."""

from textwrap import dedent

from tests.attacks.case import ANY_LOST, NOTHING, PASSED, Case, every
from tests.attacks.submissions import FIRST, RIGHT, gated, right


def _escape(name: str, source: str, why: str) -> Case:
    return Case(name, gated(dedent(source)), NOTHING, why)


_TRAP = "open('$trap', 'w').write('caught')"

CASES = [
    _escape(
        "wrote_beside_the_notebook",
        """
        for name in ("../$marker", "../../$marker", "$submissions/$marker", "$submissions/honest/$marker",
                     "$grades/$marker", "$repository/$marker", "$reference"):
            try:
                open(name, "a").write("")
                broke = broke or name.startswith("/")
            except OSError:
                pass
        """,
        "its own folder is all that it can write to",
    ),
    _escape(
        "wrote_into_site_packages",
        """
        import os, site, sys, sysconfig
        folders = {*sys.path, *site.getsitepackages(), sysconfig.get_path("purelib"), sysconfig.get_path("scripts")}
        folders |= {os.path.dirname(torch.__file__), os.path.dirname(os.__file__), sysconfig.get_path("stdlib")}
        for folder in folders - {"", os.getcwd()}:
            try:
                open(os.path.join(folder, "$marker.pth"), "w").write("import os")
                broke = True
            except OSError:
                pass
        """,
        "the packages that all kernels share are read-only",
    ),
    _escape(
        "wrote_through_a_remount",
        """
        import ctypes, os
        libc = ctypes.CDLL(None, use_errno=True)
        folder = os.path.dirname(os.path.dirname(torch.__file__))
        for target in ("/", "/usr", folder, os.path.dirname(folder)):
            libc.mount(None, target.encode(), None, 32 | 4096, None)
        open(os.path.join(folder, "$marker.py"), "w").write("")
        broke = True
        """,
        "and stay so",
    ),
    Case(
        "left_modules_in_its_folder",
        right(
            **{
                FIRST: "for name in ('conftest', 'torch', 'zlib', 'nbval', 'json', 'sitecustomize', 'usercustomize',\n"
                "             'ipykernel_launcher', 'matplotlib', 'IPython'):\n"
                f"    open(name + '.py', 'w').write({_TRAP!r})\n"
                f"open('x.pth', 'w').write({'import os; ' + _TRAP!r})\n"
                f"open('pytest.ini', 'w').write('[pytest]')\n" + RIGHT[FIRST]
            }
        ),
        every(PASSED),
        "its folder is on no one else's path",
    ),
    Case(
        "left_links_in_its_folder",
        right(
            **{
                FIRST: "import os\n"
                "for number, target in enumerate(('$canary_file', '$reference', '/etc/shadow', '/dev/zero', '/')):\n"
                "    os.symlink(target, f'link{number}')\n"
                "os.mkfifo('pipe')\n" + RIGHT[FIRST]
            }
        ),
        every(PASSED),
        "links and pipes in its folder lead no one astray, and are cleared away",
    ),
    Case(
        "left_a_deep_locked_folder",
        right(
            **{
                FIRST: "import os\n"
                "for _ in range(200):\n"
                "    os.mkdir('deep'); os.chdir('deep')\n"
                "open('file', 'w').close()\n"
                "os.chmod('.', 0)\n" + RIGHT[FIRST]
            }
        ),
        every(PASSED),
        "what it leaves can be cleared away",
    ),
    _escape(
        "opened_tcp",
        """
        import socket
        for host in ("127.0.0.1", "localhost", "$address"):
            try:
                with socket.create_connection((host, $tcp), timeout=2) as connection:
                    connection.sendall(b"$marker")
                broke = True
            except OSError:
                pass
        """,
        "there is no network, not even to this machine",
    ),
    _escape(
        "sent_udp_and_asked_for_names",
        """
        import socket
        for host in ("127.0.0.1", "$address"):
            try:
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"$marker", (host, $udp))
            except OSError:
                pass
        try:
            broke = bool(socket.getaddrinfo("pytorch.org", 443))
        except OSError:
            pass
        """,
        "no datagram arrives, no name is found",
    ),
    _escape(
        "opened_unix_sockets",
        """
        import socket
        for name in ("$unix", "\\0$abstract"):
            try:
                connection = socket.socket(socket.AF_UNIX)
                connection.connect(name)
                connection.sendall(b"$marker")
                broke = True
            except OSError:
                pass
        """,
        "sockets of the machine cannot be reached by their path, nor by their abstract name",
    ),
    _escape(
        "looked_for_sockets",
        """
        import os, socket, stat
        from ipykernel.connect import get_connection_info
        own = get_connection_info(unpack=True)["ip"]
        found = set()
        for folder, folders, files in os.walk("/"):
            if folder in ("/proc", "/sys"):
                folders.clear()
            for name in files:
                path = os.path.join(folder, name)
                try:
                    if stat.S_ISSOCK(os.stat(path).st_mode) and not path.startswith(own):
                        found.add(path)
                except OSError:
                    pass
        for line in open("/proc/net/unix").read().splitlines()[1:]:
            path = (line.split() + [""])[7]
            if path and not path.startswith(own):
                found.add(path.replace("@", chr(0)))
        for path in found:
            try:
                connection = socket.socket(socket.AF_UNIX)
                connection.connect(path)
                connection.sendall(b"{}" * 99)
                broke = True
            except OSError:
                pass
        """,
        "the socket of the warm process cannot be seen",
    ),
    _escape(
        "asked_the_warm_process",
        """
        import subprocess, sys
        code = '''
        from jupyter_client.manager import start_new_kernel
        for name in ("warm", "warm-sandbox"):
            try:
                _, client = start_new_kernel(kernel_name=name, startup_timeout=5)
                client.execute_interactive("import os; print('reference', os.path.exists('$reference'))", timeout=5)
            except Exception as error:
                print(error)
        '''
        from textwrap import dedent
        command = [sys.executable, "-c", dedent(code)]
        broke = "reference True" in subprocess.run(command, capture_output=True, text=True, timeout=15).stdout
        """,
        "from inside no kernel can be had outside the sandbox: a new one, if any, is a child of its own",
    ),
    _escape(
        "used_sockets_left_open",
        """
        import os, socket, stat, struct
        from ipykernel.connect import get_connection_info
        own = get_connection_info(unpack=True)["ip"]
        for number in range(3, 1024):
            try:
                if not stat.S_ISSOCK(os.fstat(number).st_mode):
                    continue
                end = socket.socket(fileno=os.dup(number))
                if end.family in (socket.AF_INET, socket.AF_INET6):
                    broke = True
                elif end.family == socket.AF_UNIX and not str(end.getsockname()).startswith(own):
                    pid, _, _ = struct.unpack("3i", end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
                    listens = end.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
                    broke = broke or (not listens and pid != os.getpid())
            except OSError:
                pass
        """,
        "no socket that leads elsewhere was inherited",
    ),
    Case(
        "scheduled_something_for_later",
        gated(
            dedent("""
            import subprocess
            for command in ("at now", "crontab -", "systemd-run true", "docker ps", "nsenter -t 1 -a true"):
                try:
                    done = subprocess.run(command.split(), input=b"touch $trap", capture_output=True, timeout=2)
                    broke = broke or done.returncode == 0
                except (OSError, subprocess.TimeoutExpired):
                    pass
            """)
        ),
        NOTHING,
        "nothing of it runs when it has ended",
    ),
    Case(
        "traced_its_parent",
        gated(
            dedent("""
            import ctypes, os
            libc = ctypes.CDLL(None, use_errno=True)
            for pid in range(1, 2000):
                if pid != os.getpid() and libc.ptrace(16, pid, 0, 0) == 0:
                    broke = broke or pid != os.getppid()
                    libc.ptrace(17, pid, 0, 0)
            """)
        ),
        every(ANY_LOST),
        "it can trace none but processes of its own",
    ),
]
