"""Shuts a forked process in, before it runs anything of anybody's.

Two processes: a watcher outside the new process ids, which is told from here when to begin (see `watch`), and the
first process inside, which becomes the kernel. It lives in namespaces of its own with a root folder that holds the
installed packages, read-only, and little else.
"""

from __future__ import annotations

import errno
import os
import resource
import socket
import stat
import sys
import tempfile
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from warmkernel import linux, watch, wire
from warmkernel.runtime import WarmKernelError
from warmkernel.settings import ADDRESS_MB, HIDDEN, LIMITS, SCRATCH_FILES, SCRATCH_MB

NOTEBOOK = "/notebook"
TMP = "/tmp"
USER = 1000
NOBODY = 65534
MAX_ENTRIES = 1000
FILES_OPEN = 1024

_NAMESPACES = (
    linux.CLONE_NEWUSER
    | linux.CLONE_NEWNS
    | linux.CLONE_NEWPID
    | linux.CLONE_NEWNET
    | linux.CLONE_NEWIPC
    | linux.CLONE_NEWUTS
)
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC = ("alternatives", "fonts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "mime.types", "timezone")
_PROCESSORS = ("/sys/devices/system/cpu", "/sys/devices/system/node")
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_OF_A_PREFIX = ("bin", "include", "lib", "lib64", "share", "pyvenv.cfg")
_PLAIN = linux.MS_NOSUID | linux.MS_NODEV
_FILES = {
    "/etc/passwd": f"root:x:0:0::/:/bin/false\nlearner:x:{USER}:{USER}::{TMP}:/bin/sh\n",
    "/etc/group": f"root:x:0:\nlearner:x:{USER}:\n",
    "/etc/hosts": "127.0.0.1 localhost\n",
}
_KEPT_VARIABLES = ("LANG", "LC_", "TZ", "OMP_", "OPENBLAS_", "MKL_", "MPLBACKEND", "PYTHONHASHSEED")


class Sandbox:
    """A sandbox that is built and not yet closed."""

    def __init__(self, root: Path, watcher: socket.socket, pid: int) -> None:
        self.root = root
        self.watcher = watcher
        self.pid = pid
        """The watcher's, which is how the sandbox is known outside."""

    def enter(self, request: wire.Request, kept: Collection[int]) -> wire.Request:
        """Close it around this process, for a request; return the request as it reads from inside.

        Of the open files only `kept` stay open, and the line to the watcher until the end of this.
        """
        limits = _limits(request.environment)
        self._show(request.cwd)
        _close(str(self.root))
        os.chdir(NOTEBOOK)
        _let_go({*kept, self.watcher.fileno()})
        linux.become(USER)
        linux.die_with_parent()
        _limit(limits)
        wire.send(self.watcher, memory=limits["WARM_MEMORY_MB"], cpu=limits["WARM_CPU_SECONDS"])
        self.watcher.close()
        return replace(request, environment=_environment(request.environment), cwd=NOTEBOOK)

    def _show(self, cwd: str) -> None:
        """Put what is in a folder, read-only, into the folder of the notebook. All that is written beside it is kept in
        memory and gone at the end, so that nothing in here can fill a disk or leave anything behind."""
        here = Path(cwd).resolve(strict=True)
        for private in (self.root, Path.home()):
            if private.is_relative_to(here):
                raise WarmKernelError(f"{here} would show {private} to the sandbox: start the kernel in a folder below")
        entries = list(os.scandir(here))
        if len(entries) > MAX_ENTRIES:
            raise WarmKernelError(f"{here} has more than {MAX_ENTRIES} entries: start the kernel in a smaller folder")
        for entry in entries:
            if entry.is_symlink() or entry.is_dir() or entry.is_file():
                _bind(entry.path, f"{self.root}{NOTEBOOK}/{entry.name}")


def prepare(place: Path) -> Sandbox:
    """Build a sandbox; return in its first process. The process that called becomes the watcher, and never returns.

    `place` is a folder of this user, in which an empty folder serves to hang the new root on.
    """
    root, pid = place.resolve() / "root", os.getpid()
    try:
        root.mkdir(mode=0o700, exist_ok=True)
        _separate()
        ours, theirs = wire.pair()
        child = os.fork()
        if child:
            theirs.close()
            watch.watch(child, ours)
        ours.close()
        linux.die_with_parent()
        _build(str(root))
    except OSError as error:
        raise WarmKernelError(
            f"no sandbox can be had here: {error.filename or 'sandbox'}: {error.strerror}. It takes Linux 5.14 or "
            "newer and the right to make namespaces. On Ubuntu 24.04 an administrator grants it by: sysctl -w "
            "kernel.apparmor_restrict_unprivileged_userns=0. In Docker, run the container with --privileged."
        ) from None
    return Sandbox(root, theirs, pid)


def _separate() -> None:
    """Enter new namespaces. An unprivileged user becomes `USER` in them; root gets `USER` beside itself, for later."""
    if os.geteuid() != 0:
        user, group = os.geteuid(), os.getegid()
        linux.unshare(_NAMESPACES)
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        _write_maps("self", f"{USER} {user} 1", f"{USER} {group} 1")
        return
    os.setgroups([])
    ours, theirs = wire.pair()
    process = os.getpid()
    helper = os.fork()
    if helper == 0:  # only from outside can a namespace be given two users
        try:
            ours.close()
            theirs.recv(1)
            _write_maps(str(process), *[f"0 0 1\n{USER} {NOBODY} 1\n"] * 2)
        except OSError:
            os._exit(1)
        os._exit(0)
    theirs.close()
    linux.unshare(_NAMESPACES)
    ours.send(b"1")
    ours.close()
    if os.waitpid(helper, 0)[1]:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), "uid_map")


def _write_maps(process: str, users: str, groups: str) -> None:
    for name, text in (("uid_map", users), ("gid_map", groups)):
        with open(f"/proc/{process}/{name}", "w", encoding="ascii") as file:
            file.write(text)


def _build(root: str) -> None:
    """Put together the new root folder."""
    linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
    linux.mount("tmpfs", root, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=755,size=4m")
    scratch = f"{root}/scratch"
    os.mkdir(scratch)
    options = f"mode=755,size={SCRATCH_MB}m,nr_inodes={SCRATCH_FILES},uid={USER},gid={USER}"
    linux.mount("tmpfs", scratch, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, options)
    for path in (NOTEBOOK, TMP, "/dev/shm"):
        source = f"{scratch}/{os.path.basename(path)}"
        os.mkdir(source)
        os.chown(source, USER, USER)
        os.makedirs(root + path)
        linux.mount(source, root + path, flags=linux.MS_BIND)
    linux.unmount(scratch)
    os.rmdir(scratch)

    for path in _visible():  # after /tmp, since an environment may stand in there
        _bind(path, root + path)
    for path in _site_packages():
        for name in HIDDEN:
            if os.path.isdir(f"{path}/{name}"):
                linux.mount("none", f"{root}{path}/{name}", "tmpfs", linux.MS_RDONLY | _PLAIN, "mode=555,size=4k")
    for path, text in _FILES.items():
        Path(root + path).write_text(text, encoding="utf-8")

    os.mkdir(f"{root}/proc")
    linux.mount("proc", f"{root}/proc", "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
    # Nothing here needs a namespace of its own. What is written here holds for those below this one.
    Path("/proc/sys/user/max_user_namespaces").write_text("0", encoding="ascii")

    for device in _DEVICES:
        _bind(f"/dev/{device}", f"{root}/dev/{device}", device=True)
    os.mkdir(f"{root}/dev/pts")
    options = "newinstance,ptmxmode=0666,mode=0620"
    linux.mount("devpts", f"{root}/dev/pts", "devpts", linux.MS_NOSUID | linux.MS_NOEXEC, options)
    links = {"ptmx": "pts/ptmx", "fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}
    for name, target in links.items():
        os.symlink(target, f"{root}/dev/{name}")
    socket.sethostname("sandbox")


def _visible() -> list[str]:
    """The files and folders of the machine that are in the sandbox, those that hold others first.

    The interpreter, the packages, and the system's programs and libraries. Of a virtual environment only its own
    folders, since it may have been made in a folder that holds other things.
    """
    prefixes = {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix}
    wanted = {*_SYSTEM, *_PROCESSORS, *(f"/etc/{name}" for name in _ETC)}
    wanted |= {f"{prefix}/{name}" for prefix in prefixes for name in _OF_A_PREFIX}
    wanted |= _site_packages()
    chosen: list[str] = []
    for path in sorted(wanted, key=lambda path: (path.count("/"), path)):
        if os.path.exists(path) and not any(path.startswith(f"{other}/") for other in chosen):
            chosen.append(path)
    return chosen


def _site_packages() -> set[str]:
    return {path for path in sys.path if path.endswith(("site-packages", "dist-packages"))}


def _bind(source: str, target: str, device: bool = False) -> None:
    """Show a file or folder at another place, read-only; of a symbolic link, make another."""
    os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
    mode = os.lstat(source).st_mode
    if stat.S_ISLNK(mode):
        os.symlink(os.readlink(source), target)
        return
    if stat.S_ISDIR(mode):
        os.mkdir(target, 0o755)
    else:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL, 0o644))
    linux.mount(source, target, flags=linux.MS_BIND | linux.MS_REC)
    linux.mount_read_only(target, nodev=not device)


def _close(root: str) -> None:
    """Make the new root the only one there is."""
    linux.mount("none", root, flags=linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY | _PLAIN)
    os.chdir(root)
    linux.pivot_root(".", ".")
    linux.unmount(".")
    os.chdir("/")


def _let_go(kept: Collection[int]) -> None:
    """Close all other files. stdin, stdout and stderr lead nowhere: what ipykernel does not catch is for nobody."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in kept:
            with suppress(OSError):  # the listing was a file too
                os.close(int(name))
    null = os.open(os.devnull, os.O_RDWR)  # descriptor 0, the lowest that is free
    os.dup2(null, 1)
    os.dup2(null, 2)


def _limits(environment: Mapping[str, str]) -> dict[str, int]:
    limits = dict(LIMITS)
    for name in limits:
        if given := environment.get(name):
            if not given.isdigit() or int(given) == 0:
                raise WarmKernelError(f"{name}={given}: a whole number above 0 is needed")
            limits[name] = int(given)
    return limits


def _limit(limits: Mapping[str, int]) -> None:
    """Set what the system itself watches, for each process. `watch` adds them up."""
    size = {}
    for row in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        name, _, value = row.partition(":")
        if name in ("VmSize", "VmData"):  # what the packages take is not counted
            size[name] = int(value.split()[0]) * 1024
    memory = limits["WARM_MEMORY_MB"] * 2**20
    for kind, most in (
        (resource.RLIMIT_DATA, size["VmData"] + memory),
        (resource.RLIMIT_AS, size["VmSize"] + memory + ADDRESS_MB * 2**20),
        (resource.RLIMIT_CPU, limits["WARM_CPU_SECONDS"]),
        (resource.RLIMIT_NPROC, limits["WARM_PROCESSES"]),
        (resource.RLIMIT_FSIZE, limits["WARM_FILE_MB"] * 2**20),
        (resource.RLIMIT_NOFILE, FILES_OPEN),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in given.items() if name.startswith(_KEPT_VARIABLES)}
    return kept | {
        "HOME": TMP,
        "IPYTHONDIR": f"{TMP}/ipython",
        "PATH": f"{sys.prefix}/bin:/usr/local/bin:/usr/bin:/bin",
        "TMPDIR": TMP,
        "USER": "learner",
    }


def check(place: Path) -> None:
    """Try a sandbox in a small process; raise `WarmKernelError` with what is missing."""
    ours, theirs = wire.pair()
    child = os.fork()
    if child == 0:
        try:
            with tempfile.TemporaryDirectory() as folder:
                prepare(place).enter(wire.Request([], {}, folder, {}), [theirs.fileno()])
            wire.send(theirs)
        except WarmKernelError as error:
            wire.send(theirs, error=str(error))
        finally:
            os._exit(0)
    theirs.close()
    answer = wire.receive(ours)
    ours.close()
    os.waitpid(child, 0)
    if answer is None:
        raise WarmKernelError("the first process of a sandbox ended at once")
    if answer:
        raise WarmKernelError(answer["error"])
