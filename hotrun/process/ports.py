"""Who holds a port: for the message that an app could not have it.

Law: nothing is ever ended here. Asked when something has gone wrong, so psutil, which knows a
process's command, user and environment on every system, may cost what it does.
"""

from __future__ import annotations

import errno
import os
import socket
import time

from hotrun.lean import NamedTuple
from hotrun.process import listeners, tree

SESSION = "HOTRUN_SESSION"  # in the environment of every app: <pid of its hotrun>-<ns>
SHOWN = 60  # characters of a command line: it stands in the middle of a sentence
# Seconds by which the start of a process may seem later than it was: it is computed from the time
# since boot, which a correction of the clock does not move.
CLOCK_SLACK = 2.0

_WILDCARDS = ("", "0.0.0.0", "::")  # noqa: S104
_LOCALHOST = ("127.0.0.1", "::1")


class Holder(NamedTuple):
    """The process that holds a port or the path of a socket.

    Args:
        process: Itself; None when we may not see it.
        pid: Its pid; 0 when we may not see it.
        command: Its command line, shortened, without anything that steers a terminal.
        since: When it began, in Unix time; 0.0 when that is not known.
        user: Whose it is; empty when that is not known.
        session: What it carries as HOTRUN_SESSION: then a hotrun started it.
        owner_alive: Whether that hotrun still lives.
        is_hotrun: It is a hotrun itself, which holds a socket for its app.
    """

    process: tree.Process | None
    pid: int = 0
    command: str = ""
    since: float = 0.0
    user: str = ""
    session: str = ""
    owner_alive: bool = False
    is_hotrun: bool = False

    @property
    def owner(self) -> int:
        """The pid of the hotrun that started it; 0 when none did."""
        return _owner(self.session)[0]


def taken(host: str, port: int) -> bool:
    """Whether an app that wants to listen there would be told that the address is in use.

    Args:
        host: An IP address without brackets, "localhost", or empty for all addresses. Another
            name would have to be looked up, which can block: it counts as free.
        port: 1 to 65535.
    """
    hosts = _LOCALHOST if host == "localhost" else (host or "::",)
    return any(_bind_says_in_use(each, port) for each in hosts)


def holder(host: str | None, port: int) -> Holder | None:
    """Find who listens on a TCP port.

    Args:
        host: An IP address or "localhost"; None for any.
        port: 1 to 65535.

    Returns:
        Of several that share the socket (a server and its workers) the one that the others
        descend from; None when nobody listens any more.
    """
    found = [each for each in listeners.of_port(port) if _meets(each.host, host)]
    if not found:
        return None
    # Who has that very address comes before who has all of them.
    found.sort(key=lambda each: (each.host != host, not each.pids))
    return _described(_eldest(found[0].pids), found[0].user)


def holder_of_path(path: str) -> Holder | None:
    """Find who holds a unix socket; None when nobody does, and only its file is left."""
    import psutil

    try:
        found = [each for each in psutil.net_connections("unix") if str(each.laddr) == path]
    except (psutil.Error, OSError):
        return None
    pids = tuple(each.pid for each in found if each.pid)
    return _described(_eldest(pids), "") if found else None


def explain(holder: Holder | None, where: str, again: str = "try again") -> tuple[str, str]:
    """Return who holds an address, and what to do about it: message and hint.

    Args:
        holder: Who was found; None when nobody could be.
        where: The address as the user knows it: "127.0.0.1:8080", "port 8080", a path.
        again: What to do when the holder is gone.
    """
    if holder is None:
        return f"{where} is in use, and nobody is seen to hold it", "try again, or use another port"
    if holder.process is None:
        whose = f"a process of {holder.user}" if holder.user else "another user's process"
        return f"{where} is held by {whose}", "use another port"
    known = holder.command + (f", since {_when(holder.since, time.time())}" if holder.since else "")
    whose = "" if tree.reachable(holder.pid) else f" of {holder.user or 'another user'}"
    return f"{where} is held by pid {holder.pid}{whose} ({known})", _advice(holder, again)


def _advice(holder: Holder, again: str) -> str:
    me = os.getpid()
    if holder.pid == me:
        # The app binds by itself what `listen` keeps open for it.
        return (
            "hotrun holds it for the app (`listen`): use that socket (LISTEN_FDS), or drop `listen`"
        )
    if holder.session and not holder.owner_alive:
        return "it was left by an earlier hotrun: hotrun leftovers --stop"
    if holder.owner == me:
        return f"this hotrun started it: stop it with: kill {holder.pid}, or use another port"
    if holder.session:
        return f"another hotrun (pid {holder.owner}) runs it: end that one, or use another port"
    if holder.pid == 1 or not tree.reachable(holder.pid):
        return "use another port"
    return f"stop it with: kill {holder.pid}, then {again}; or use another port"


def _when(since: float, now: float) -> str:
    """Write when something began: the time if it was today, else the date."""
    began = time.localtime(since)
    today = began[:3] == time.localtime(now)[:3]
    return time.strftime("%H:%M" if today else "%Y-%m-%d", began)


def _bind_says_in_use(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as sock:
            if os.name == "posix":  # elsewhere it would take the port away from who has it
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if host == "::":  # as Go and Node do, whatever net.ipv6.bindv6only says
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            sock.bind((host, port))
    except OSError as error:
        if host == "::" and error.errno in {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}:
            return _bind_says_in_use("0.0.0.0", port)  # noqa: S104 - a machine without IPv6
        return error.errno == errno.EADDRINUSE
    except (UnicodeError, OverflowError):
        return False
    return False


def _meets(bound: str, wanted: str | None) -> bool:
    """Whether a listener on one address is in the way of one on another."""
    if wanted is None or wanted in _WILDCARDS or bound in _WILDCARDS:
        return True
    return bound in (_LOCALHOST if wanted == "localhost" else (wanted,))


def _eldest(pids: tuple[int, ...]) -> int:
    """Return the process whose parent is none of them; 0 when there is none at all."""
    for pid in pids:
        stat = tree.read(pid)
        if stat is not None and stat.parent not in pids:
            return pid
    return pids[0] if pids else 0


def _described(pid: int, user: str) -> Holder | None:
    """Ask about a process; None when it has ended since."""
    import psutil

    if not pid:
        return Holder(None, user=user)
    stat = tree.read(pid)
    if stat is None or not stat.alive:
        return None
    asked = ["name", "cmdline", "create_time", "username", "environ"]
    try:  # what is refused (another user's environment) is left out
        about = psutil.Process(pid).as_dict(asked, ad_value=None)
    except (psutil.Error, OSError):
        return None
    session = (about["environ"] or {}).get(SESSION, "")
    words = about["cmdline"] or [about["name"] or "no name"]
    is_hotrun = "hotrun" in map(os.path.basename, words[:3])  # python3 -m hotrun, or the script
    command = _shortened(" ".join(words))
    since = about["create_time"] or 0.0
    named = about["username"] or user
    alive = _lives(session)
    return Holder(stat.process, pid, command, since, named, session, alive, is_hotrun)


def _shortened(command: str) -> str:
    """Return a command line of one readable line; a title that a process gave itself has NULs."""
    first, _, rest = command.strip("\0 \n").partition("\n")  # sh -c, python -c: a whole script
    plain = first.encode("utf-8", "backslashreplace").decode()
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in plain)
    return text if len(text) <= SHOWN and not rest else f"{text[:SHOWN]}..."


def _owner(session: str) -> tuple[int, float]:
    """Return the pid of a session's hotrun, and when it began the session, in Unix time."""
    pid, _, began = session.partition("-")
    if not (pid.isascii() and pid.isdigit() and began.isascii() and began.isdigit()):
        return 0, 0.0
    return int(pid[:9]), int(began[:20]) / 1e9


def _lives(session: str) -> bool:
    """Whether the hotrun of a session lives: who got its pid later began later."""
    import psutil

    pid, began = _owner(session)
    stat = tree.read(pid) if pid else None
    if stat is None or not stat.alive:
        return False
    try:
        return float(psutil.Process(pid).create_time()) <= began + CLOCK_SLACK
    except (psutil.Error, OSError):
        return False
