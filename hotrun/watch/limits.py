"""The kernel's limits on watching, in words that help.

The errno texts mislead ("No space left on device"; "Too many open files" for a limit that has
nothing to do with files), so they are never shown. Facts: inotify(7), proc_sys_fs(5) and
Documentation/admin-guide/sysctl/user.rst: the lower of two settings rules, and a container may
have its own.
"""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING

from hotrun.errors import WatchError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

USED_UP = (errno.ENOSPC, errno.ENOMEM, errno.EMFILE, errno.ENFILE)
NEARLY_ALL = 0.9  # of a directory: then what is in it is named instead
A_PART = 0.1
WORTH = 0.02  # of all: less is not worth to be named
_HINT = "sudo sysctl {0} (for good: {0} in /etc/sysctl.d/60-hotrun.conf)"


class LimitError(WatchError):
    """A limit of the kernel or of this process is used up: another backend has to serve."""

    def __init__(self, error: OSError) -> None:
        super().__init__(*explain(error))
        self.error = error


def explain(error: OSError) -> tuple[str, str]:
    """Return message and hint for the errno of an inotify call."""
    match error.errno:
        case errno.ENOSPC:
            limit, name = setting("max_user_watches", "max_inotify_watches")
            return (
                f"the kernel allows {limit} inotify watches a user, and they are used up",
                f"{_HINT.format(f'{name}=524288')}, or exclude big directories",
            )
        case errno.EMFILE if not _descriptors_used_up():
            limit, name = setting("max_user_instances", "max_inotify_instances")
            return (
                f"the kernel allows {limit} inotify instances a user, and they are used up",
                _HINT.format(f"{name}=1024"),
            )
        case errno.EMFILE:
            return (
                "this process has no file descriptor left",
                "raise the limit with `ulimit -n 4096` in the shell that starts hotrun",
            )
        case errno.ENFILE:
            return (
                "the system has no file descriptor left",
                "close programs, or raise fs.file-max",
            )
        case errno.ENOMEM:
            return ("the kernel has no memory left for inotify watches", "exclude big directories")
        case _:
            return ("this system does not offer inotify", "changes are found by polling")


def setting(host: str, namespace: str) -> tuple[str, str]:
    """Return the lower of the two settings that limit us, and its name."""
    known = []
    for name in (f"fs.inotify.{host}", f"user.{namespace}"):
        try:
            with open(f"/proc/sys/{name.replace('.', '/')}", encoding="ascii") as file:
                known.append((int(file.read()), name))
        except (OSError, ValueError):
            continue
    # At the same value the one that everybody knows is named.
    limit, name = min(known, key=lambda setting: setting[0], default=("only so many", ""))
    return str(limit), name or f"fs.inotify.{host}"


def _descriptors_used_up() -> bool:
    """EMFILE means two things; asking for a descriptor of another kind tells them apart."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error.errno == errno.EMFILE
    return False


class Shortage:
    """A limit that was met: what it has come to.

    Args:
        error: The one that told of it.
    """

    def __init__(self, error: OSError) -> None:
        self._error = error

    def explain(self, root: str, watched: Collection[str]) -> tuple[str, str]:
        """Return message and hint.

        Args:
            root: The directory above all that is meant.
            watched: Every directory, those that are polled included.
        """
        message, hint = explain(self._error)
        if self._error.errno == errno.ENOSPC:
            message += f" ({watches_in_use():,} by processes of yours)"
        big = [f"{path[len(root) + 1 :]}/ ({count:,})" for path, count in biggest(root, watched)]
        return message, hint + (f"; the biggest: {', '.join(big)}" if big else "")


def watches_in_use() -> int:
    """Count the inotify watches of this user's processes, those that can be seen (proc(5))."""
    processes = (entry.path for entry in os.scandir("/proc") if entry.name.isdigit())
    return sum(_watches(info) for process in processes for info in _infos(process))


def instances_in_use() -> int:
    """Count the inotify instances of this user's processes, those that can be seen."""
    processes = (entry.path for entry in os.scandir("/proc") if entry.name.isdigit())
    return sum(1 for process in processes for _ in _infos(process))


def _infos(process: str) -> Iterator[str]:
    """Yield the fdinfo of each inotify instance of a process."""
    # It may end meanwhile, be somebody else's, or the descriptor that of this very listing.
    with contextlib.suppress(OSError):
        for fd in os.listdir(f"{process}/fd"):
            with contextlib.suppress(OSError):
                if os.readlink(f"{process}/fd/{fd}") == "anon_inode:inotify":
                    yield f"{process}/fdinfo/{fd}"


def _watches(info: str) -> int:
    try:
        with open(info, "rb") as file:
            return sum(line.startswith(b"inotify wd:") for line in file)
    except OSError:
        return 0


def biggest(root: str, directories: Iterable[str]) -> list[tuple[str, int]]:
    """Return the three biggest subtrees below a root, and how many directories each holds.

    Where one directory holds nearly all of its parent it is named instead of the parent.
    """
    counts: dict[str, int] = {}
    for path in directories:
        above = path
        while len(above) >= len(root):
            counts[above] = counts.get(above, 0) + 1
            above = above.rpartition("/")[0]
    below: dict[str, list[str]] = {}
    for path in counts:
        below.setdefault(path.rpartition("/")[0], []).append(path)

    def best(path: str) -> str:
        return max(below[path], key=counts.__getitem__) if path in below else path

    def narrowed(path: str) -> str:
        while counts[best(path)] >= NEARLY_ALL * counts[path] and best(path) != path:
            path = best(path)
        return path

    # Where nearly all lies in one directory its parts are told apart, if it has parts to speak of.
    while counts[best(root)] >= NEARLY_ALL * counts[root]:
        inner = best(root)
        if best(inner) == inner or counts[best(inner)] < A_PART * counts[inner]:
            break
        root = inner
    first = sorted(below.get(root, ()), key=counts.__getitem__, reverse=True)[:3]
    big = [path for path in map(narrowed, first) if counts[path] >= WORTH * counts[root]]
    return [(path, counts[path]) for path in big]
