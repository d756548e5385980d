"""The system calls that Python does not have."""

from __future__ import annotations

import ctypes
import os
import signal

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 32, 4096, 16384, 1 << 18

_MNT_DETACH = 2
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP = 1, 4, 24
_PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 38, 47, 4
_MOUNT_SETATTR = 442  # the same on every processor, as all system calls since 424
_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


class _MountAttributes(ctypes.Structure):
    _fields_ = (
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns", ctypes.c_uint64),
    )


def _call(what: str, result: int) -> None:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def unshare(flags: int) -> None:
    _call("unshare", _libc.unshare(ctypes.c_int(flags)))


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    arguments = (source.encode(), target.encode(), kind.encode() or None, ctypes.c_ulong(flags), options.encode())
    _call(f"mount {target}", _libc.mount(*arguments))


def mount_read_only(target: str, nodev: bool = True) -> None:
    """Make a mount and all mounts below it read-only, without programs that change their user."""
    attributes = _MountAttributes(set=MS_RDONLY | MS_NOSUID | (MS_NODEV if nodev else 0))
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    at = (ctypes.c_int(_AT_FDCWD), target.encode(), ctypes.c_uint(_AT_RECURSIVE))
    _call(f"mount_setattr {target}", _libc.syscall(ctypes.c_long(_MOUNT_SETATTR), *at, ctypes.byref(attributes), size))


def unmount(target: str) -> None:
    _call(f"umount {target}", _libc.umount2(target.encode(), ctypes.c_int(_MNT_DETACH)))


def pivot_root(new: str, old: str) -> None:
    _call("pivot_root", _libc.pivot_root(new.encode(), old.encode()))


def die_with_parent(number: int = signal.SIGKILL) -> None:
    """Get a signal when the parent ends. A change of user or capabilities undoes this."""
    _prctl(_PR_SET_PDEATHSIG, number)


def become(user: int) -> None:
    """Become a user and group without any capability, for good: no program that is started can gain one."""
    with open("/proc/sys/kernel/cap_last_cap", encoding="ascii") as file:
        last = int(file.read())
    for capability in range(last + 1):
        _prctl(_PR_CAPBSET_DROP, capability)
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _call("capset", _libc.capset(header, (ctypes.c_uint32 * 6)()))
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_DUMPABLE, 1)  # a change of user takes the files of /proc/self away


def _prctl(option: int, value: int) -> None:
    zero = ctypes.c_ulong(0)
    _call(f"prctl {option}", _libc.prctl(ctypes.c_int(option), ctypes.c_ulong(value), zero, zero, zero))
