"""The kernel's limits on watching, in words that help.

The errno texts mislead ("No space left on device"; "Too many open files" for a limit that has
nothing to do with files), so they are never shown. Facts: inotify(7), /proc/sys/fs/inotify.
"""

from __future__ import annotations

import errno
import os

from hotrun.errors import WatchError

_SYSCTL = "sudo sysctl fs.inotify.{0} (for good: fs.inotify.{0} in /etc/sysctl.d/60-hotrun.conf)"


class LimitError(WatchError):
    """A limit of the kernel or of this process is used up: another backend has to serve."""

    def __init__(self, error: OSError) -> None:
        super().__init__(*explain(error))


def explain(error: OSError) -> tuple[str, str]:
    """Return message and hint for the errno of an inotify call."""
    if error.errno in (errno.ENOSPC, errno.ENOMEM):
        limit = _setting("max_user_watches")
        return (
            f"the kernel allows {limit} inotify watches a user, and they are used up",
            f"{_SYSCTL.format('max_user_watches=524288')}, or exclude big directories",
        )
    if _descriptors_used_up():
        return (
            "this process has no file descriptor left",
            "raise the limit with `ulimit -n 4096` in the shell that starts hotrun",
        )
    limit = _setting("max_user_instances")
    return (
        f"the kernel allows {limit} inotify instances a user, and they are used up",
        _SYSCTL.format("max_user_instances=1024"),
    )


def _setting(name: str) -> str:
    try:
        with open(f"/proc/sys/fs/inotify/{name}", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return "only so many"


def _descriptors_used_up() -> bool:
    """EMFILE means two things; counting our own descriptors tells them apart."""
    import resource

    try:
        used = len(os.listdir("/proc/self/fd"))
    except OSError as error:  # not even one left to look with
        return error.errno == errno.EMFILE
    return used >= resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 1
