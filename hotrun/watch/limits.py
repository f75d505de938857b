"""The kernel's limits on watching, in words that help.

The errno texts mislead ("No space left on device"; "Too many open files" for a limit that has
nothing to do with files), so they are never shown. Facts: inotify(7), proc_sys_fs(5) and
Documentation/admin-guide/sysctl/user.rst: the lower of two settings rules, and a container may
have its own.
"""

from __future__ import annotations

import errno
import os

from hotrun.errors import WatchError

_HINT = "sudo sysctl {0} (for good: {0} in /etc/sysctl.d/60-hotrun.conf)"


class LimitError(WatchError):
    """A limit of the kernel or of this process is used up: another backend has to serve."""

    def __init__(self, error: OSError) -> None:
        super().__init__(*explain(error))


def explain(error: OSError) -> tuple[str, str]:
    """Return message and hint for the errno of an inotify call."""
    match error.errno:
        case errno.ENOSPC:
            limit, name = _setting("max_user_watches", "max_inotify_watches")
            return (
                f"the kernel allows {limit} inotify watches a user, and they are used up",
                f"{_HINT.format(f'{name}=524288')}, or exclude big directories",
            )
        case errno.EMFILE if not _descriptors_used_up():
            limit, name = _setting("max_user_instances", "max_inotify_instances")
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


def _setting(host: str, namespace: str) -> tuple[str, str]:
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
