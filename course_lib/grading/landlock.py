"""Landlock, the Linux kernel's way for a process to give up files and ports for good.

Called through ctypes (the C library has no wrapper); the numbers are the same on every machine
architecture. Source: the kernel's documentation, userspace-api/landlock.
"""

import ctypes
import os
from pathlib import Path

CREATE, ADD_RULE, RESTRICT = 444, 445, 446
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
REFER, TRUNCATE, IOCTL = 1 << 13, 1 << 14, 1 << 15
BEFORE_REFER = (1 << 13) - 1  # the rights of the first version
ON_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL  # what a rule on a file may name
TCP, SCOPES = 3, 3  # bind and connect; abstract sockets and signals to outside
READING = EXECUTE | READ_FILE | READ_DIR
NO_NEW_PRIVS = 38


class _Ruleset(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("files", "net", "scoped")]


class _PathRule(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = [("rights", ctypes.c_uint64), ("folder", ctypes.c_int32)]


def version() -> int:
    """The kernel's version of Landlock, 0 for none."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        return max(0, libc.syscall(CREATE, None, 0, 1))
    except (OSError, AttributeError, TypeError):
        return 0


def restrict(readable: list[Path], writable: list[Path]) -> None:
    """Leave this process and its children these files and folders alone, and no TCP.

    Paths that don't exist are left out. Raises OSError where the kernel refuses.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    abi = version()
    handled = BEFORE_REFER
    handled |= (REFER if abi >= 2 else 0) | (TRUNCATE if abi >= 3 else 0)
    handled |= IOCTL if abi >= 5 else 0
    rules = _Ruleset(handled, TCP if abi >= 4 else 0, SCOPES if abi >= 6 else 0)
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    ruleset = _checked(libc, CREATE, ctypes.byref(rules), size, 0)
    for paths, rights in ((readable, READING), (writable, handled & ~EXECUTE)):
        for path in paths:
            try:
                place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue
            rights_here = rights if path.is_dir() else rights & ON_FILES
            rule = _PathRule(rights_here & handled, place)
            _checked(libc, ADD_RULE, ruleset, 1, ctypes.byref(rule), 0)
            os.close(place)
    if libc.prctl(NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "the kernel refuses no_new_privs")
    _checked(libc, RESTRICT, ruleset, 0)
    os.close(ruleset)


def _checked(libc, number: int, *arguments) -> int:
    result = libc.syscall(number, *arguments)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"Landlock: {os.strerror(error)}")
    return result
