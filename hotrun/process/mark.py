"""The mark of an app: by it a descendant is known that shed its parent, session and environment.

A cleared environment loses the cookie, setsid(2) the group, a double fork the parent. A resource
limit goes through fork(2) and execve(2) alike (getrlimit(2)), and everybody may read it in
/proc/PID/limits, also of a program with capabilities, whose environment is closed to us.
RLIMIT_RTTIME bounds what a real-time thread may compute without a pause, in microseconds; a soft
limit of fifty thousand years bounds nothing. Linux alone has it.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hotrun.process import tree

if TYPE_CHECKING:
    from collections.abc import Iterator

# A limit above this one is nobody's but ours (3,000 years). The kernel keeps an unsigned long.
LEAST = 10**17
_LINE = b"Max realtime timeout"  # fs/proc/base.c, lnames


def number(cookie: str) -> int:
    """Return the mark that goes with a cookie ``NAME=PID-NANOSECONDS``; 0: there is none."""
    digits = cookie.rpartition("-")[2]
    found = int(digits) if digits.isdecimal() and digits.isascii() else 0
    usable = tree.LINUX and sys.maxsize > 2**32
    return found if usable and LEAST < found < sys.maxsize else 0


@contextmanager
def worn(cookie: str) -> Iterator[None]:
    """Wear the mark: what is started meanwhile inherits it. It costs three system calls.

    A limit that somebody set for a purpose is left alone; the mark of a hotrun that started
    this one is covered, as its cookie is.
    """
    before = _put_on(number(cookie))
    try:
        yield
    finally:
        if before is not None:
            import resource

            resource.setrlimit(resource.RLIMIT_RTTIME, before)


def _put_on(mark: int) -> tuple[int, int] | None:
    """Set the limit, and return the one before; None when it is left as it is."""
    if not mark:
        return None
    import resource

    before = soft, hard = resource.getrlimit(resource.RLIMIT_RTTIME)
    unlimited = resource.RLIM_INFINITY
    if (soft != unlimited and soft < LEAST) or (hard != unlimited and hard < mark):
        return None
    try:
        resource.setrlimit(resource.RLIMIT_RTTIME, (mark, hard))
    except (OSError, ValueError):  # a sandbox forbids it
        return None
    return before


def wears(pid: int, cookie: str) -> bool:
    """Whether a process was started with the mark of a cookie."""
    mark = number(cookie)
    if not mark:
        return False
    try:
        text = tree.content(f"/proc/{pid}/limits", single=True)
    except OSError:
        return False
    return text.partition(_LINE)[2].split(maxsplit=1)[:1] == [b"%d" % mark]


def belongs(pid: int, cookie: str) -> bool:
    """Whether a process has the cookie in its environment, or wears its mark."""
    return wears(pid, cookie) or tree.carries(pid, cookie)
