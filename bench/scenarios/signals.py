"""Signals to tools, the time that they take for it, and the end of what they have lost sight of."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING

from cost import command_of, tree
from harness import BenchError, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from harness import Project
    from peers import Peer
    from tool import Tool

ASKING = signal.SIGINT, signal.SIGTERM, signal.SIGHUP


def heed() -> None:
    """Have tools start with the usual answer to each signal, even if our own start ignores it.

    `nohup` and a shell's `&` do so, and exec(2) keeps what is ignored; it resets what is handled.
    """
    for number in ASKING:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def send(tool: Tool, peer: Peer, number: int) -> None:
    """Send a signal to a tool: where a shell has to loop around the program, to both."""
    for pid in tree(tool.pid):
        words = command_of(pid)
        if pid == tool.pid or (words and os.path.basename(words[0]) == peer.program):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


def happens(fact: Callable[[], object], seconds: float) -> bool:
    """Whether a fact holds within that time."""
    try:
        until("it", fact, seconds)
    except BenchError:
        return False
    return True


def kill(pids: Iterable[int], probe: Sequence[str]) -> None:
    """Kill those that still run a probe, and nobody who came by their number since."""
    for pid in pids:
        if command_of(pid)[:1] == probe[:1]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def stop_timeout(project: Project, timeout: str) -> None:
    """Add it to the hotrun.toml that peers.py has written; [run] is its last table."""
    with open(project.at("hotrun.toml"), "a", encoding="utf-8") as file:
        file.write(f'stop_timeout = "{timeout}"\n')
