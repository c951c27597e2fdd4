"""What a student's process may do: files, network, processes, memory, time.

On Linux: user, network, process and message-queue namespaces of its own, Landlock, resource limits,
no capabilities. Elsewhere what there is; `missing` says in words what is not.
"""

import ctypes
import os
import site
import sys
from dataclasses import dataclass
from pathlib import Path

from course_lib import paths
from course_lib.grading import landlock

NEWUSER, NEWPID, NEWNET, NEWIPC = 0x10000000, 0x20000000, 0x40000000, 0x08000000
DEATH_SIGNAL, SUBREAPER = 1, 36  # of prctl
KILL = 9


@dataclass(frozen=True)
class Limits:
    """Seconds, bytes and counts that a hand-in may use."""

    cell: float = 120  # seconds of one cell
    case: float = 30  # seconds of one hidden case
    whole: float = 900  # seconds of the whole hand-in
    memory: int = 4 << 30
    processes: int = 32
    file: int = 256 << 20  # bytes of one file
    folder: int = 512 << 20  # bytes of all files


def missing() -> list[str]:
    """What this system doesn't offer, one sentence each; call it in a process of one thread."""
    found = []
    if sys.platform != "linux":
        found.append("files: a notebook can read and write what you can (no Landlock here)")
        found.append("network: a notebook can use it (no namespaces here)")
        if sys.platform == "win32":
            found.append("memory and processes: not limited on Windows")
        return found
    if not landlock.version():
        found.append("files: a notebook can read and write what you can (Landlock is not enabled)")
    if not _forked(lambda: _namespaces()):
        found.append("network and processes: no namespaces of its own (user namespaces are off)")
    return found


def readable() -> list[Path]:
    """What a student's process reads: Python, the system's libraries, the course, no assignment."""
    root = paths.root()
    python = [sys.prefix, sys.base_prefix, *site.getsitepackages()]
    python += [p for p in sys.path if p and Path(p).resolve() != root]
    system = ["/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/share", "/usr/local/lib"]
    system += ["/etc/ld.so.cache", "/etc/localtime", "/etc/fonts", "/etc/mime.types"]
    system += ["/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/proc/cpuinfo"]
    system += ["/proc/meminfo", "/sys/devices/system/cpu"]
    library = [p for p in (root / "course_lib").iterdir() if p.name != "grading"]
    library += [p for p in (root / "course_lib" / "grading").iterdir() if p.name != "assignments"]
    data = [p for p in (root / "data").iterdir() if p.name != "cache"]
    ours = [*library, *data, root / "pyproject.toml", paths.cache("songbook")]
    return [Path(p) for p in python + system] + ours


def refuse_readable(path: Path) -> None:
    """Raise ValueError where a secret lies in what every student's process may read."""
    for place in readable():
        if path.resolve().is_relative_to(place.resolve()):
            raise ValueError(
                f"{path} lies in {place}, which notebooks may read: keep it elsewhere."
            )


def environment(folder: Path) -> dict[str, str]:
    """The whole environment of a student's process, with all its places in one folder."""
    places = {"HOME": "home", "COURSE_HOME": "home", "COURSE_CACHE": "cache", "TMPDIR": "temporary"}
    places |= {"MPLCONFIGDIR": "home", "IPYTHONDIR": "home", "NUMBA_CACHE_DIR": "temporary"}
    for name in set(places.values()):
        (folder / name).mkdir(exist_ok=True)
    return FIXED | {key: str(folder / name) for key, name in places.items()}


FIXED = {
    "PATH": os.defpath,
    "LANG": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "MPLBACKEND": "Agg",
    "COURSE_PROFILE": "quick",
    "PYTHONDONTWRITEBYTECODE": "1",
}


def enter(folder: Path, limits: Limits) -> None:
    """Close this process off, as far as the system can. It goes on in a child of itself.

    The process that called waits for that child and ends with it. Needs a single thread.
    """
    own_user = False
    if sys.platform == "linux":
        os.setsid()
        _prctl(DEATH_SIGNAL, KILL)
        own_user = _namespaces()
        _prctl(SUBREAPER, 1)
    child = os.fork()
    if child:
        os.closerange(0, 256)
        os.waitpid(child, 0)
        os._exit(0)
    if sys.platform == "linux":
        os.setsid()  # a group of its own: what it signals as a group is itself
        _prctl(DEATH_SIGNAL, KILL)
    _limit(limits, own_user)
    if landlock.version():
        landlock.restrict(readable(), [folder, Path("/dev/null")])
    if sys.platform == "linux":
        _drop_capabilities()


def _namespaces() -> bool:
    """Whether this process now has namespaces of its own; its children have their own pids."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(NEWUSER | NEWPID | NEWNET | NEWIPC):
        return False
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    return True


def _limit(limits: Limits, own_user: bool) -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    wanted = {
        "RLIMIT_CPU": int(limits.whole),
        "RLIMIT_DATA": limits.memory,
        "RLIMIT_FSIZE": limits.file,
        "RLIMIT_NOFILE": 256,
        "RLIMIT_CORE": 0,
    }
    if own_user:  # else those of the same user outside would count
        wanted["RLIMIT_NPROC"] = limits.processes
    for name, value in wanted.items():
        which = getattr(resource, name, None)
        if which is not None:
            hard = resource.getrlimit(which)[1]
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(which, (value, value))


def _drop_capabilities() -> None:
    """Give up what root may, in the own namespace and out of it."""
    libc = ctypes.CDLL(None, use_errno=True)
    _prctl(landlock.NO_NEW_PRIVS, 1)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    libc.capset(header, (ctypes.c_uint32 * 6)())


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def _forked(attempt) -> bool:
    """Whether `attempt` succeeds, tried in a child that ends with it."""
    child = os.fork()
    if not child:
        try:
            os._exit(0 if attempt() else 1)
        except BaseException:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0
