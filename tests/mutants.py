"""Break the core on purpose, one rule at a time, and see whether its tests notice.

Run by hand after a change of the core or of its tests: ``python tests/mutants.py``, with the
beginning of some rules' names to try only those. Each mutant is a copy of the package whose core
differs in one place; every one has to be killed, by the examples or by the walk.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORE = ("core.py", "record.py", "state.py")
SUITES = ("test_core.py", "test_core_steps.py", "test_core_walk.py")
TIME_LIMIT = 300  # seconds for one suite; a mutant may run in circles

# The package is imported before pytest can touch the path, and what was imported is looked at
# again afterwards: a survivor would prove nothing if the tests had seen the real core. One
# failure is enough, so hypothesis need not look for the shortest.
RUNNER = """
import sys
import hotrun.core
import pytest
from hypothesis import Phase, settings

settings.register_profile("mutants", phases=[Phase.generate])
settings.load_profile("mutants")
core, suite = sys.argv[1:]
code = pytest.main(
    ["-x", "-q", "-m", "not stress", "--noconftest", "-p", "no:cacheprovider",
     "-o", "xfail_strict=false", "-W", "ignore::pytest.PytestAssertRewriteWarning",
     suite]
)
assert sys.modules["hotrun.core"].__file__ == core, "the tests ran against another core"
sys.exit(int(code))
"""


@dataclass(frozen=True)
class Mutant:
    """One place of the core, and what it becomes."""

    rule: str
    old: str
    new: str

    def apply(self, sources: Mapping[str, str]) -> dict[str, str]:
        """Return the sources of the core by file, one of them mutated."""
        found = sum(source.count(self.old) for source in sources.values())
        if found != 1:
            raise SystemExit(f"error: {self.rule}: its text occurs {found} times in the core")
        return {file: source.replace(self.old, self.new) for file, source in sources.items()}


def drop(rule: str, old: str, part: str) -> Mutant:
    """Return the mutant that forgets one part of a line."""
    return Mutant(rule, old, old.replace(part, "", 1))


SETTLING = (
    Mutant(
        "settle: counts from the last touch",
        "touches += 1\n            s.waiting, s.due = quiet",
        "touches += 0\n            s.waiting, s.due = quiet",
    ),
    Mutant(
        "settle: a held tree is asked again",
        "s.waiting, s.due = s.waiting or Quiet.HOLD",
        "s.waiting, s.due = s.waiting",
    ),
    Mutant(
        "settle: nothing is compared before it",
        "s.due = s.due or s.waiting is not None\n"
        "            s.waiting = None\n        case Timer.SETTLE_CAP:",
        "s.due = s.due or s.waiting is not None\n        case Timer.SETTLE_CAP:",
    ),
    Mutant(
        "settle: a touch alone compares nothing",
        "s.waiting, s.due = quiet, False",
        "s.waiting, s.due = quiet, True",
    ),
    drop("settle: one sift at a time", "if s.due and not s.asked:", " and not s.asked"),
    Mutant(
        "settle: a stillness during a sift is kept",
        "s.due, s.asked, s.looking = False, True, s.peering\n",
        "s.due, s.asked, s.looking = s.due, True, s.peering\n",
    ),
    Mutant(
        "settle: an answer frees the next sift",
        "s.asked = s.capped = False\n    s.peering",
        "s.capped = False\n    s.peering",
    ),
    drop("bound: the answer begins a new one", "s.asked = s.capped = False", " = s.capped"),
    Mutant(
        "settle: a touch takes a stillness back",
        "s.waiting, s.due = quiet, False",
        "s.waiting = quiet",
    ),
    Mutant(
        "settle: a held tree takes a stillness back",
        "s.waiting, s.due = s.waiting or Quiet.HOLD, False",
        "s.waiting = s.waiting or Quiet.HOLD",
    ),
    drop(
        "bound: what the last sift missed settles",
        "if s.capped and s.waiting is not None and not s.asked:",
        " and not s.asked",
    ),
    drop(
        "kept: not said of one that stops",
        "if s.kept and s.app is not None and not s.app.stopping and s.served == s.good:",
        " and not s.app.stopping",
    ),
    Mutant("bound: it is remembered", "s.capped = True", "s.capped = False"),
    Mutant(
        "bound: nothing waits after it",
        "if s.capped and s.waiting is not None and not s.asked:",
        "if s.capped and s.waiting is None and not s.asked:",
    ),
    Mutant("bound: the sift after it is the last", "Sift(last=s.capped)", "Sift(last=False)"),
    Mutant("bound: a sift before it is not the last", "Sift(last=s.capped)", "Sift(last=True)"),
    drop(
        "bound: runs during a sift",
        "(s.waiting is not None or s.due or s.asked)",
        " or s.due or s.asked",
    ),
    Mutant(
        "bound: counts from the first touch",
        "wanted[Timer.SETTLE_CAP] = (s.lasting, s.answers)",
        "wanted[Timer.SETTLE_CAP] = (s.lasting, s.touches)",
    ),
    Mutant("bound: begins anew at each answer", "s.answers += 1", "s.answers += 0"),
    Mutant("bound: grows in one burst", "s.lasting += 1", "s.lasting = 1"),
    Mutant(
        "bound: is the first one after stillness",
        "    else:\n        s.lasting = 0",
        "    elif s.capped:\n        s.lasting = 0",
    ),
    drop(
        "bound: grows only where no stillness came before",
        "if s.capped and (held or fact.paths or fact.steps or fact.restart):",
        "s.capped and ",
    ),
    drop(
        "bound: grows with what something follows from",
        "if s.capped and (held or fact.paths or fact.steps or fact.restart):",
        " and (held or fact.paths or fact.steps or fact.restart)",
    ),
    drop(
        "bound: grows with a restart too",
        "(held or fact.paths or fact.steps or fact.restart)",
        " or fact.restart",
    ),
    Mutant(
        "bound: the end of a burst is waited for",
        "s.waiting = s.waiting or Quiet.BURST",
        "s.waiting = s.waiting",
    ),
    Mutant(
        "bound: a touch decides how long it is waited for",
        "s.waiting = s.waiting or Quiet.BURST",
        "s.waiting = Quiet.BURST",
    ),
    Mutant(
        "bound: an end that was heard is not waited for",
        "        if not s.due:  # its end",
        "        if True:  # its end",
    ),
    drop(
        "kept: not said of one that is replaced",
        "s.app is not None and not s.app.stopping and s.served == s.good:",
        " and s.served == s.good",
    ),
    Mutant("bound: it fires once", "s.asked) and not s.capped:", "s.asked):"),
)

DIRTY = (
    Mutant(
        "dirty: answers add up", "s.dirty |= set(fact.paths)", "s.dirty = frozenset(fact.paths)"
    ),
    Mutant("dirty: nothing changed, nothing built", "s.owed or bool(fact.paths)", "True"),
    drop(
        "dirty: nothing changed, nothing forgotten",
        "s.wanted = s.wanted or s.owed or bool(fact.paths)",
        "s.wanted or ",
    ),
    drop(
        "dirty: given back on cancel",
        "        s.dirty |= build.paths\n        s.wanted = True\n",
        "        s.dirty |= build.paths\n",
    ),
    drop(
        "dirty: given back on failure",
        "        s.dirty |= build.paths\n        s.kept",
        "        s.dirty |= build.paths\n",
    ),
    Mutant(
        "dirty: cleared when the build starts",
        "s.dirty, s.wanted, s.owed = frozenset(), False, False\n        commands.append(StartBuild",
        "s.wanted, s.owed = False, False\n        commands.append(StartBuild",
    ),
    Mutant(
        "dirty: a build starts once",
        "s.dirty, s.wanted, s.owed = frozenset(), False, False\n        commands.append(StartBuild",
        "s.dirty, s.owed = frozenset(), False\n        commands.append(StartBuild",
    ),
    Mutant(
        "dirty: a failed build is not repeated",
        "s.dirty |= build.paths\n        s.kept",
        "s.dirty |= build.paths\n        s.wanted = True\n        s.kept",
    ),
)

BUILDS = (
    drop("cancel: patience ends", " and s.cancelled < PATIENCE", " and s.cancelled < PATIENCE"),
    Mutant("cancel: patience is two", "s.cancelled < PATIENCE", "s.cancelled <= PATIENCE"),
    Mutant("cancel: patience is not one", "s.cancelled < PATIENCE", "s.cancelled + 1 < PATIENCE"),
    Mutant("cancel: a finished build renews it", "s.cancelled = 0\n", "s.cancelled += 0\n"),
    Mutant("cancel: only if the policy says so", "new and s.policy.cancels", "new"),
    Mutant(
        "lull: before the next build",
        "if s.cancelled and not (s.lasting or s.pressed) and (s.waiting is not None or s.asked):",
        "if False:",
    ),
    Mutant("lull: the bound counts", "(s.lasting or s.pressed)", "s.pressed"),
    Mutant("lull: a person does not wait", "(s.lasting or s.pressed)", "s.lasting"),
    drop("lull: a person is heard once", "    s.pressed = False\n", "    s.pressed = False\n"),
    drop("lull: nothing new at the bound", "s.capped and (held or fact", "held or "),
    Mutant("lull: not without builds", "s.crashes = s.cancelled = 0", "s.crashes = 0"),
    drop("lull: also while it is compared", "s.waiting is not None or s.asked", " or s.asked"),
    Mutant("lull: from the first build on", "overtaken = s.cancelled > 0 or", "overtaken ="),
    drop("lull: not after a step", "overtaken and not s.peering and", " and not s.peering"),
    drop(
        "lull: an open file keeps its time",
        " and waiting is not Quiet.HOLD",
        " and waiting is not Quiet.HOLD",
    ),
    drop(
        "cancel: once",
        "not s.build.steps and not s.build.killed",
        " and not s.build.killed",
    ),
    Mutant(
        "cancel: code 0 is not believed",
        'if build.killed == "superseded":',
        'if build.killed == "superseded" and code:',
    ),
    drop(
        "build: never two",
        "if s.build is not None or s.paused or s.peering or not",
        "s.build is not None or ",
    ),
    Mutant(
        "build: a good one is started from first",
        "if s.policy.runs and s.served != s.good and not (s.torn or _down(s)):",
        "if False:",
    ),
    drop(
        "build: a broken one does not block the next",
        "s.served != s.good and not (s.torn or _down(s)):",
        " or _down(s)",
    ),
    drop(
        "build: a cancelled one does not block the next",
        "s.served != s.good and not (s.torn or _down(s)):",
        "s.torn or ",
    ),
    drop(
        "build: killed in time is not good",
        "s.broken = code != 0 or bool(build.killed)",
        " or bool(build.killed)",
    ),
    Mutant("build: its time is bounded", "s.build = s.build._replace(expired=True)", "pass"),
    drop(
        "build: killed once for its time",
        "s.build.expired and not s.build.killed:",
        " and not s.build.killed",
    ),
    drop(
        "late: an old build says nothing",
        "if s.build is not None and s.build.run == run:",
        " and s.build.run == run",
    ),
    drop(
        "late: an old app says nothing",
        "if s.app is not None and s.app.run == run:",
        " and s.app.run == run",
    ),
    Mutant("runs: numbers grow", "s.last_run += 1", "s.last_run = max(s.last_run, 1)"),
    Mutant(
        "asked: a build comes",
        "s.wanted, s.paused, s.called = True, False",
        "s.wanted, s.paused, s.called = False, False",
    ),
)

APPS = (
    drop(
        "app: not started while a build runs",
        "s.build is not None or s.torn or down:",
        "s.build is not None or ",
    ),
    drop(
        "app: not started when broken",
        "s.build is not None or s.torn or down:",
        " or down",
    ),
    drop(
        "app: not started from what a cancelled build left",
        "s.build is not None or s.torn or down:",
        " or s.torn",
    ),
    drop(
        "app: started only if there is one",
        "if not s.policy.runs or s.served == s.good or s.build",
        "not s.policy.runs or ",
    ),
    Mutant(
        "app: never two",
        "if s.app is None:\n        s.served",
        "if s.app is None or s.app.stopping:\n        s.served",
    ),
    Mutant("app: stopped once", "elif not s.app.stopping:", "else:"),
    drop(
        "app: stopped once when broken",
        "if s.app is not None and not s.app.stopping and (down or s.app.ended):",
        "not s.app.stopping and ",
    ),
    drop(
        "app: kept when broken",
        "return ((s.broken or s.stuck) and not s.policy.keeps)",
        " and not s.policy.keeps",
    ),
    Mutant(
        "app: stopped when broken, if asked to",
        "return ((s.broken or s.stuck) and not s.policy.keeps)",
        "return (s.stuck and not s.policy.keeps)",
    ),
    Mutant(
        "app: served is written down",
        "s.served, s.backing_off, s.stale = s.good, False, False",
        "s.backing_off, s.stale = False, False",
    ),
    Mutant(
        "app: a change without builds replaces it",
        "if s.wanted and not (s.policy.builds",
        "if False and not (s.policy.builds",
    ),
    Mutant("same: keeps the app", "if same and not asked_to_restart", "if not same and False"),
    Mutant("same: but not against a restart", "same and not asked_to_restart and", "same and"),
    Mutant(
        "same: but not one that is gone",
        "asked_to_restart and s.app is not None and not s.app.stopping:",
        "asked_to_restart and not (s.app and s.app.stopping):",
    ),
    drop(
        "same: but not one that stops",
        "asked_to_restart and s.app is not None and not s.app.stopping:",
        " and not s.app.stopping",
    ),
    Mutant("same: served moves along", "s.served = s.good\n", "pass\n"),
    Mutant("kept: said", "if s.kept and s.app is not None and", "if s.kept and s.app is None and"),
    Mutant("kept: said once", '    s.kept = ""\n\n\ndef _go', "\n\ndef _go"),
    Mutant(
        "asked: a restart comes",
        "s.stale = s.stale or (bool(s.good) and",
        "s.stale = s.stale and (bool(s.good) and",
    ),
    Mutant(
        "asked: an env file comes with the answer",
        "s.stale = s.stale or (fact.restart and bool(s.good))",
        "pass",
    ),
    Mutant("torn: a killed build tears", "s.torn = s.torn or bool(build.killed)", "pass"),
    Mutant(
        "torn: a good build mends",
        "s.torn = s.anew = s.stale = False\n        if same",
        "s.anew = s.stale = False\n        if same",
    ),
    drop("asked: no restart of nothing", "(bool(s.good) and not (s.paused", "bool(s.good) and "),
    drop(
        "asked: what is stale waits in a pause",
        "not (s.paused or s.peering or _down",
        "s.paused or ",
    ),
    drop(
        "asked: changes of a pause come first",
        " and not (s.paused and s.wanted)",
        " and not (s.paused and s.wanted)",
    ),
    Mutant("stop: its time is bounded", "s.app = s.app._replace(expired=True)", "pass"),
    drop("stop: killed once", "not s.app.stopping or s.app.killed:", " or s.app.killed"),
    Mutant("stop: stacks come first", "if s.policy.dumps and not s.app.dumped:", "if False:"),
    Mutant(
        "stop: no stacks unasked", "if s.policy.dumps and not s.app.dumped:", "if not s.app.dumped:"
    ),
    drop("stop: stacks once", "s.policy.dumps and not s.app.dumped:", " and not s.app.dumped"),
    Mutant("stop: stacks have their time", "s.app.given_up or not s.policy.dumps:", "True:"),
    Mutant("stop: stacks have an end", "given_up=True", "given_up=False"),
    drop(
        "stop: no time for stacks of the dead",
        "(s.app.given_up or s.app.killed):",
        " or s.app.killed",
    ),
)

ENDS = (
    drop(
        "exit: a stopped app did not end by itself",
        "s.quitting is not None or (app.stopping and not app.ended):",
        " or (app.stopping and not app.ended)",
    ),
    drop(
        "exit: one stopped after its end ended by itself",
        "s.quitting is not None or (app.stopping and not app.ended):",
        " and not app.ended",
    ),
    drop("exit: what it left behind is stopped", "(down or s.app.ended)", " or s.app.ended"),
    drop(
        "exit: a stopping app that ends was stopped",
        "s.app.run == run and not s.app.stopping:",
        " and not s.app.stopping",
    ),
    drop(
        "late: the end of an old app says nothing",
        "s.app.run == run and not s.app.stopping:",
        "s.app.run == run and ",
    ),
    Mutant("exit: back-off grows", "s.crashes += 1", "s.crashes = 1"),
    Mutant(
        "exit: steady forgives",
        "case Timer.STEADY:\n            s.crashes = 0",
        "case Timer.STEADY:\n            pass",
    ),
    drop(
        "exit: a good build forgives",
        "s.good = max(s.good, build.run)\n        s.crashes = 0",
        "\n        s.crashes = 0",
    ),
    drop(
        "exit: a change without a build forgives",
        "frozenset(), False, False\n        s.crashes = s.cancelled = 0",
        "\n        s.crashes = s.cancelled = 0",
    ),
    Mutant("ready: once ends with 124", "s.quitting = NOT_READY", "pass"),
    drop(
        "ready: only once ends",
        "if s.policy.once and s.quitting is None and s.app",
        "s.policy.once and ",
    ),
    drop(
        "ready: of the app that runs",
        "s.app is not None and s.app.run == run:\n                s.quitting",
        " and s.app.run == run",
    ),
    drop(
        "pause: no build is cancelled", "not s.build.killed and not s.paused\n", " and not s.paused"
    ),
    drop("pause: no build starts", "s.build is not None or s.paused or s.peering", " or s.paused"),
    Mutant("pause: no app is replaced", "if s.paused and s.app is not None and", "if False and"),
    Mutant("pause: can be ended", "s.paused = not s.paused", "s.paused = True"),
    Mutant(
        "pause: a build ends it",
        "s.wanted, s.paused, s.called = True, False,",
        "s.wanted, s.called = True,",
    ),
    Mutant(
        "pause: a restart ends it", "            s.paused = False\n        case", "        case"
    ),
    Mutant(
        "exit: back-off ends in a start",
        "False\n                s.good = next_run(s)",
        "False\n                s.good = s.good",
    ),
    Mutant(
        "exit: a start ends the back-off",
        "s.served, s.backing_off, s.stale = s.good, False, False",
        "s.served, s.stale = s.good, False",
    ),
    Mutant("exit: back-off ends once", "s.backing_off = False\n", "pass\n"),
    drop(
        "once: ends with the app",
        "if s.policy.once or s.policy.on_exit is OnExit.EXIT:",
        "s.policy.once or ",
    ),
    Mutant(
        "once: the app's own code",
        "OnExit.EXIT:\n        s.quitting = code",
        "OnExit.EXIT:\n        s.quitting = 0",
    ),
    Mutant("once: 1 for a failed build", "s.quitting = int(s.broken)", "s.quitting = 0"),
    drop(
        "once: ends with the build if it is all",
        "(s.broken or not s.policy.runs)",
        " or not s.policy.runs",
    ),
    Mutant(
        "quit: a second time hurries", "s.hurried = s.quitting is not None", "s.hurried = False"
    ),
    Mutant(
        "quit: the first time does not", "s.hurried = s.quitting is not None", "s.hurried = True"
    ),
    Mutant(
        "quit: the first code counts",
        "if s.quitting is None:\n                s.quitting = code",
        "s.quitting = code",
    ),
    drop(
        "quit: a dying build is left alone",
        's.build is not None and not s.build.killed:\n        _kill_build(s, "quit"',
        " and not s.build.killed",
    ),
    drop(
        "quit: a stopping app is left alone",
        "if s.app is not None and not s.app.stopping:\n        _stop_app(s, s.app, commands)\n"
        "    if s.app",
        " and not s.app.stopping",
    ),
    drop("quit: hurries once", "s.hurried and not s.app.killed:", " and not s.app.killed"),
    drop("quit: waits for the app", "s.build is None and s.app is None:", " and s.app is None"),
    drop("quit: waits for the build", "s.build is None and s.app is None:", "s.build is None and "),
    Mutant("quit: ends once", "s.exited = True", "s.exited = False"),
    Mutant(
        "quit: starts nothing",
        "_wind_down(s, commands)\n    _escalate",
        "_wind_down(s, commands)\n        _start_build(s, commands)\n    _escalate",
    ),
)

ALARMS = (
    Mutant("alarm: one that fired is not set", "s.armed.pop(timer, None)", "pass"),
    Mutant("alarm: cleared without a reason", "if t not in wanted]", "if not wanted]"),
    Mutant("alarm: each build has its own", "(0, s.build.run)", "(0, 0)"),
    drop(
        "alarm: a build's fires once",
        "s.build is not None and not s.build.expired:",
        " and not s.build.expired",
    ),
    drop(
        "alarm: a stop's fires once",
        "s.app.stopping and not s.app.expired:",
        " and not s.app.expired",
    ),
    drop(
        "alarm: steady is for a live app",
        "if s.crashes and s.app is not None and not s.app.stopping:",
        " and not s.app.stopping",
    ),
    drop("alarm: steady needs a crash", "if s.crashes and s.app is not None", "s.crashes and "),
    Mutant(
        "alarm: none to settle while it ends",
        "if s.quitting is None:\n        if s.waiting",
        "if s.exited is False:\n        if s.waiting",
    ),
    Mutant("state: what is handed in stays", "new.armed = dict(self.armed)", "pass"),
)

STEPS = (
    drop(
        "step: not cancelled",
        "s.build is not None and not s.build.steps and",
        " and not s.build.steps",
    ),
    Mutant("step: one that comes cancels a build", "new = s.wanted or s.called", "new = s.wanted"),
    Mutant(
        "step: comes before the build", "    if s.called:\n", "    if s.called and not s.wanted:\n"
    ),
    Mutant(
        "step: rules take their turns", "first = min(s.steps).rule", "first = max(s.steps).rule"
    ),
    Mutant("step: one rule at a time", "if step.rule == first)", "if True)"),
    Mutant("step: runs once", "    s.steps -= steps\n", "    pass\n"),
    Mutant(
        "step: the next rule has its turn",
        "s.steps -= steps\n    s.called = bool(s.steps)",
        "s.steps -= steps\n    s.called = False",
    ),
    drop(
        "step: the build waits for the look",
        "s.paused or s.peering or not (s.called",
        " or s.peering",
    ),
    Mutant(
        "step: what it wrote is looked for",
        "s.waiting, s.due = s.waiting or Quiet.SAVE, False",
        "pass",
    ),
    Mutant(
        "step: the look is a new one",
        "s.peering = s.peering and not s.looking",
        "s.peering = False",
    ),
    Mutant("step: the look ends the wait", "s.peering = s.peering and not s.looking", "pass"),
    Mutant(
        "step: a look under way is too early",
        "s.peering, s.looking = not s.policy.once, False",
        "s.peering, s.looking = not s.policy.once, s.asked",
    ),
    drop(
        "step: without a build it is waited for",
        "(s.policy.builds or s.called or s.peering or s.build)",
        " or s.called",
    ),
    drop(
        "step: without a build the look is waited for",
        "(s.policy.builds or s.called or s.peering or s.build)",
        " or s.peering",
    ),
    Mutant("step: one that failed is not forgotten", "    s.steps |= build.steps\n", "    pass\n"),
    Mutant("step: one that failed is not repeated", "s.called = build.again", "s.called = True"),
    Mutant(
        "step: one overtaken by a change is repeated", "s.called = build.again", "s.called = False"
    ),
    Mutant(
        "step: a change is its cure",
        "        s.called = bool(s.steps)\n        s.wanted",
        "        s.called = bool(fact.steps)\n        s.wanted",
    ),
    Mutant("step: no build when it failed", "s.owed, s.wanted = s.owed or s.wanted, False", "pass"),
    Mutant(
        "step: the build is owed when it failed",
        "s.owed, s.wanted = s.owed or s.wanted, False",
        "s.wanted = False",
    ),
    drop(
        "step: what is owed is built after it",
        "s.wanted or s.owed or bool(fact.paths)",
        "s.owed or ",
    ),
    drop(
        "step: killed in time is not good",
        "(code != 0 or bool(build.killed))",
        " or bool(build.killed)",
    ),
    drop("step: takes the app down", "(s.broken or s.stuck)", " or s.stuck"),
    Mutant("step: the app comes back after it", "s.stale = s.stale or not s.app.ended", "pass"),
    Mutant(
        "step: a build asked for tries it again",
        "True, False, bool(s.steps)",
        "True, False, s.called",
    ),
    drop("step: the app waits for the look", "s.paused or s.peering or _down(s)", "s.peering or "),
)

RELOADS = (
    Mutant("signal: sent", "commands += [Send(s.app.run, number)", "[Send(s.app.run, number)"),
    Mutant("signal: once", "    s.signals = frozenset()\n\n", "\n\n"),
    drop(
        "signal: not to one that stops",
        "not None and not s.app.stopping:\n        commands += [Send",
        " and not s.app.stopping",
    ),
    Mutant(
        "signal: not to one that starts", "        s.signals = frozenset()  # it", "        # it"
    ),
    Mutant(
        "signal: waits in a pause", "    if s.paused:\n        return\n    if s.app", "    if s.app"
    ),
    Mutant(
        "signal: they add up",
        "s.signals |= set(fact.signals)",
        "s.signals = frozenset(fact.signals)",
    ),
    Mutant("config: the policy counts", "s.policy = fact.policy", "pass"),
    drop("config: asks for a build", "s.wanted or fact.build or s.owed", "fact.build or "),
    drop("config: what is owed is built", "s.wanted or fact.build or s.owed", " or s.owed"),
    Mutant(
        "config: asks for a restart",
        "s.stale or (fact.restart and not first and bool(s.good))",
        "s.stale",
    ),
    drop("config: builds before it restarts", "fact.restart and not first and", " and not first"),
    drop(
        "config: restarts although the bytes are the same",
        "s.anew or s.stale or s.served",
        "s.anew or ",
    ),
    Mutant("config: restarts once", "s.torn = s.anew = s.stale", "s.torn = s.stale"),
    Mutant("config: steps are of its rules", "s.steps, frozenset(fact.steps)", "s.steps, s.steps"),
    Mutant(
        "config: failed steps are tried again",
        "s.called, s.owed = bool(s.steps), False",
        "s.owed = False",
    ),
    Mutant("config: a step of the same rule is enough", "s.steps -= running - changed", "pass"),
    Mutant("config: what changed in a step is not lost", "running - changed", "running"),
    Mutant("config: old steps are not given back", "s.build = s.build._replace(gone=True)", "pass"),
    Mutant(
        "config: no step is stuck that is gone",
        "s.stuck = s.stuck and bool(s.steps or running)",
        "pass",
    ),
    Mutant(
        "config: what failed keeps the app down",
        "s.stuck = s.stuck and bool(s.steps or running)",
        "s.stuck = False",
    ),
    drop(
        "config: without an app there is none",
        "not s.policy.keeps) or not s.policy.runs",
        " or not s.policy.runs",
    ),
    Mutant(
        "config: without a build none is broken",
        "s.broken = s.torn = s.stale = False",
        "s.torn = s.stale = False",
    ),
    Mutant(
        "config: without a build none is torn",
        "s.broken = s.torn = s.stale = False",
        "s.broken = s.stale = False",
    ),
    drop("config: one that keeps brings the app back", "s.peering or _down(s))", " or _down(s)"),
    Mutant(
        "config: no app is said to go on that does not",
        "        _go_without_build(s)\n        _renew(s)\n        _keep(s, commands)",
        "        _keep(s, commands)\n        _go_without_build(s)\n        _renew(s)",
    ),
)

MUTANTS = SETTLING + DIRTY + BUILDS + APPS + ENDS + ALARMS + STEPS + RELOADS


@contextmanager
def package(sources: Mapping[str, str]) -> Iterator[Path]:
    """Make a copy of the package whose core has these sources; yield the folder it is in."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as name:
        folder = Path(name).resolve()
        shutil.copytree(ROOT / "hotrun", folder / "hotrun")
        for file, source in sources.items():
            (folder / "hotrun" / file).write_text(source, encoding="utf-8")
        yield folder


def passes(folder: Path, suite: str) -> bool:
    """Tell whether a suite accepts the core in this folder."""
    core = str(folder / "hotrun" / "core.py")
    # -P keeps the checkout, which is the working directory, off the import path.
    command = [sys.executable, "-P", "-B", "-c", RUNNER, core, str(ROOT / "tests" / suite)]
    env = os.environ | {"PYTHONPATH": str(folder)}
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            timeout=TIME_LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    if done.returncode not in {0, 1}:
        raise SystemExit(f"error: {suite} did not run\n{done.stdout}{done.stderr}")
    return done.returncode == 0


def killers(sources: Mapping[str, str]) -> list[str]:
    """Return the suites that notice that this is not the core."""
    with package(sources) as folder:
        return [suite for suite in SUITES if not passes(folder, suite)]


def main(chosen: tuple[str, ...]) -> int:
    """Try the mutants; the exit code is 1 if one survived.

    Args:
        chosen: How the names of their rules begin; none: all.
    """
    sources = {file: (ROOT / "hotrun" / file).read_text(encoding="utf-8") for file in CORE}
    mutated = [mutant.apply(sources) for mutant in MUTANTS]
    tried = [
        (mutant, its)
        for mutant, its in zip(MUTANTS, mutated, strict=True)
        if not chosen or mutant.rule.startswith(chosen)
    ]
    if broken := killers(sources):
        raise SystemExit(f"error: the core as it is fails {', '.join(broken)}")
    survivors = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(killers, [its for _, its in tried])
        for (mutant, _), killed_by in zip(tried, results, strict=True):
            survivors += not killed_by
            verdict = "killed  " if killed_by else "SURVIVED"
            sys.stdout.write(f"{verdict}  {mutant.rule:<48}  {', '.join(killed_by)}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{len(tried)} mutants, {survivors} survived\n")
    return int(survivors > 0)


if __name__ == "__main__":
    sys.exit(main(tuple(sys.argv[1:])))
