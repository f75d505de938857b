"""No child of the app survives: not a restart, and no end of hotrun.

Every child holds the app's port, and tells its pid into a file, because it may have neither the
environment by which a session is known, nor the parent, nor the group.
"""

from __future__ import annotations

import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest
from app_log import AppLog, write_app
from live import free_port, listens, until

from hotrun.process import tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from live import Live, Project

    Start = Callable[..., Live]
    Family = dict[str, tree.Process]

# Each argument is a child: what is remarkable about it, in words.
APP = """
import socket

def child(kind):
    ears = "trap '' TERM INT HUP; " if "deaf" in kind else ""
    line = f"{ears}echo '{' '.join(kind)}' $$ >> {sys.argv[1]}; exec sleep 600"
    os.execve("/bin/sh", ["sh", "-c", line], {} if "bare" in kind else os.environ)

listener = socket.create_server(("127.0.0.1", int(sys.argv[2])))
listener.set_inheritable(True)
for kind in map(str.split, sys.argv[3:]):
    fork(lambda: child(kind), setsid="away" in kind, twice="orphan" in kind)
say("app", os.getpid())
forever()
"""

# away: in a session of its own; orphan: its parent is gone (a double fork); bare: without any
# environment; deaf: to every polite signal.
POLITE = (
    "in the group",
    "orphan",
    "away",
    "away orphan",
    "away bare",
    "away orphan bare",
)
DEAF = tuple(f"{kind} deaf" for kind in POLITE)
ENDS = ("restart", "SIGINT", "SIGTERM", "SIGHUP", "SIGKILL")


@pytest.fixture
def family() -> Iterator[Family]:
    """Who has to be gone; a test that fails leaves nobody either."""
    family: Family = {}
    yield family
    for each in family.values():
        tree.send(each, signal.SIGKILL)


def meet(log: AppLog, kinds: tuple[str, ...], family: Family) -> None:
    """Wait until all of them are there."""
    for kind in kinds:
        stat = tree.read(log.pid_of(kind))
        assert stat is not None, f"{kind}: ended early"
        family[kind] = stat.process


def alive(family: Family) -> list[str]:
    return [kind for kind, each in family.items() if tree.alive(each)]


def nobody_survives(session: Live, end: str, port: int, family: Family) -> None:
    """Kill hotrun, or end it in good order: then all are gone when it is."""
    began = time.monotonic()
    session.send(signal.Signals[end])
    until(lambda: not listens(port), "the port to be free")
    took = (time.monotonic() - began) * 1000
    # Not asserted: how long it takes on a busy machine is for a person to read (pytest -s).
    sys.stdout.write(f"measured {end}: the port is free after {took:.0f} ms\n")
    code = session.ends()
    if end == "SIGKILL":
        until(lambda: not alive(family), f"the end of {family}")
    assert alive(family) == []
    assert not listens(port)
    assert code == {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129, "SIGKILL": -9}[end]
    until(lambda: not session.leftovers(), "the end of the guardian, too")


def all_are_replaced(session: Live, project: Project, log: AppLog, family: Family) -> None:
    """The next app starts when the last of the old one is gone, and so it gets the port."""
    project.write("main.txt", "changed")
    session.wait_for("app_started", run=2)
    assert alive(family) == []
    assert log.pid_of("app", 2) != family["app"].pid


def check(project: Project, start: Start, family: Family, kinds: tuple[str, ...], end: str) -> None:
    deaf = any("deaf" in kind for kind in kinds)
    patience = "300ms" if deaf else "10m"  # who is polite is never killed
    port = free_port()
    log = write_app(project, APP, port, *kinds, more=f'stop_timeout = "{patience}"')
    session = start()
    meet(log, (*kinds, "app"), family)
    if end == "restart":
        all_are_replaced(session, project, log, family)
        newcomers = meet_again(log, (*kinds, "app"))
        family |= {f"new {kind}": each for kind, each in newcomers.items()}
        end = "SIGTERM"
    nobody_survives(session, end, port, family)
    if end != "SIGKILL":
        assert bool(session.all("app_killed")) == deaf


def meet_again(log: AppLog, kinds: tuple[str, ...]) -> Family:
    for kind in kinds:
        log.pid_of(kind, 2)
    family: Family = {}
    meet(log, kinds, family)
    return family


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("kinds", [POLITE, DEAF], ids=["polite", "deaf"])
def test_no_child_of_the_app_survives(
    project: Project,
    start: Start,
    family: Family,
    kinds: tuple[str, ...],
    end: str,
) -> None:
    check(project, start, family, kinds, end)


@pytest.mark.parametrize("end", ["SIGINT", "SIGKILL"])
@pytest.mark.parametrize(
    ("when", "app", "event"),
    [
        ("before", "sleep 600", "app_started"),
        ("before", "no-such-program", "problem"),
        ("after", "sleep 600", "app_started"),
        ("after", "exit 3", "app_exited"),
    ],
)
def test_what_a_command_beside_the_app_left_ends_with_hotrun(
    project: Project, start: Start, family: Family, when: str, app: str, event: str, end: str
) -> None:
    """No app answers for it: there may be none, and what comes after it comes too late."""
    log = AppLog(project.out / "log")
    line = f"(env -i setsid sh -c 'echo daemon $$ >>{log.path}; exec sleep 600' &)"
    project.write("hotrun.toml", f'[run]\ncommand = "{app}"\n{when} = ["""{line}"""]\n')
    session = start()
    session.wait_for(event)
    if (when, app) == ("after", "sleep 600"):
        project.write("main.txt", "changed")
    meet(log, ("daemon",), family)
    assert session.stop(signal.Signals[end]) == {"SIGINT": 130, "SIGKILL": -9}[end]
    if end == "SIGKILL":
        until(lambda: not alive(family), "the end of the daemon")
    assert alive(family) == []
    until(lambda: not session.leftovers(), "the end of the guardian, too")


@pytest.mark.stress
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("kind", [*POLITE, *DEAF])
def test_no_only_child_of_the_app_survives(
    project: Project,
    start: Start,
    family: Family,
    kind: str,
    end: str,
) -> None:
    check(project, start, family, (kind,), end)
