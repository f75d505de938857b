"""All scenarios, in the order in which they run: the peers' and hotrun's, then hotrun's parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.arming import arming
from scenarios.burst import burst
from scenarios.drain import drain
from scenarios.go import go
from scenarios.guardian import guardian
from scenarios.idle import idle
from scenarios.leftover import leftover
from scenarios.lost import lost
from scenarios.node_modules import node_modules
from scenarios.noop import noop
from scenarios.orphans import orphans
from scenarios.output import output
from scenarios.polling import polling
from scenarios.reaction import reaction
from scenarios.refused import refused
from scenarios.replace import replace
from scenarios.restart import restart
from scenarios.setup import setup
from scenarios.snapshot import snapshot
from scenarios.spawn import spawn
from scenarios.start_up import start_up
from scenarios.stubborn import stubborn
from scenarios.watcher_idle import watcher_idle

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness import Bench
    from report import Table

SCENARIOS: dict[str, Callable[[Bench], Table]] = {
    "reaction": reaction,
    "restart": restart,
    "setup": setup,
    "node_modules": node_modules,
    "idle": idle,
    "burst": burst,
    "lost": lost,
    "orphans": orphans,
    "stubborn": stubborn,
    "noop": noop,
    "start-up": start_up,
    "go": go,
    "output": output,
    "polling": polling,
    "arming": arming,
    "drain": drain,
    "snapshot": snapshot,
    "watcher-idle": watcher_idle,
    "spawn": spawn,
    "replace": replace,
    "guardian": guardian,
    "refused": refused,
    "leftover": leftover,
}
