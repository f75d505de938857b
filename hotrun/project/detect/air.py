"""`.air.toml`: what air is told, carried over key by key, with a list of what could not be.

The keys are those of air's runner/config.go. What only says again what air does anyway (`air
init` writes all of its defaults down) is not taken for a wish.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from hotrun.process import command as commands
from hotrun.project.detect import air_watch, go, shells, toml
from hotrun.project.detect.air_file import DEFAULT_BIN, DEFAULT_CMD, Air, texts
from hotrun.project.detect.found import KEPT, Found

if TYPE_CHECKING:
    from hotrun.project.detect.place import Place

_SYSTEMS = {"linux": "linux", "darwin": "macos", "windows": "windows"}


def find(place: Place, main: str = "") -> Found | None:
    """Carry an `.air.toml` (or the older `.air.conf`) over, if there is one that can be read."""
    del main
    file = place.first(".air.toml", ".air.conf")
    if not file:
        return None
    try:
        air = Air(tomllib.loads(place.text(file)))
    except (ValueError, RecursionError):
        return None
    text = _document(place, air)
    air.leave_the_rest()
    return Found("air", text, (f"{file} is here, and carried over",), tuple(air.left), source=file)


def _document(place: Place, air: Air) -> str:
    build = shells.joined([*air.texts("pre_cmd"), air.text("cmd", DEFAULT_CMD)])
    seen = air_watch.watched(place, air, build)
    return toml.document(
        toml.table("watch", *air_watch.entries(air, seen)),
        go.build(build, "", *_results(air, build)),
        toml.table("run", *_run(air), *_end(air)),
        toml.rule(seen.loose, "restart", go.RESTARTED),
        *(_platform(air, system) for system in _SYSTEMS),
    )


def _results(air: Air, build: str) -> list[toml.Entry]:
    """Return what the build makes, where the command does not tell, and what its failure does."""
    made = [] if _target(build) else [_program(air).removeprefix("./")]
    made = [each for each in made if each[:1] not in ("/", ".", "")]
    stop = "stop" if air.is_set("stop_on_error") else ""
    return [
        ("outputs", made, KEPT),
        ("on_error", stop, ""),
    ]


def _target(build: str) -> str | None:
    try:
        return commands.target(commands.parse(build))
    except ValueError:
        return None


def _bin(air: Air) -> str:
    return air.text("bin", DEFAULT_BIN)


def _entrypoint(air: Air) -> str:
    entrypoint = air.build.get("entrypoint")
    line = " ".join(map(shells.quoted, texts(entrypoint))) if isinstance(entrypoint, list) else ""
    return line or air.text("entrypoint")


def _program(air: Air) -> str:
    """Return the file that is started; "" for a program of PATH, which no build makes."""
    given = _entrypoint(air) or ("" if "bin" in air.build else air.text("full_bin"))
    if not given:
        return _bin(air).split(" ")[0]
    first = next(iter(shells.words(shells.variables(given)[1])), "")
    return first if "/" in first else ""


def _run(air: Air) -> list[toml.Entry]:
    # A full_bin is a line for a shell, which has `dlv` from PATH; bin is a file.
    given = _entrypoint(air) or air.text("full_bin")
    variables, command = shells.variables(given or shells.program(_bin(air)))
    args = air.texts("args_bin")
    # air joins them with the command to one line for a shell.
    split = [shells.words(each) for each in args]
    if not all(split):
        command, split = " ".join([command, *args]), []
    files = texts(air.tree.get("env_files"))
    return [
        ("command", command, ""),
        ("args", [word for each in split for word in each], ""),
        ("env", variables, ""),
        ("env_files", files, ""),
    ]


def _end(air: Air) -> list[toml.Entry]:
    """Return how the app is stopped, and what its own end does."""
    asks, delay = air.is_set("send_interrupt"), air.build.get("kill_delay")
    grace = air_watch.milliseconds(delay) if asks else 0
    if asks and isinstance(delay, int) and delay:
        air.leave("build.kill_delay", f"the number {delay} means nanoseconds; the grace stays 5s")
    return [
        ("stop_signal", "SIGINT" if asks else "", ""),
        ("stop_timeout", air_watch.duration(grace), ""),
        ("on_exit", "restart" if air.is_set("rerun") else "", ""),
    ]


def _platform(air: Air, system: str) -> str:
    own = air.build.get(system)
    if not isinstance(own, dict):
        return ""
    there = Air({"build": own})
    for key in sorted(own.keys() - {"cmd", "bin", "full_bin", "args_bin"}):
        air.leave(f"build.{system}.{key}", "write it into the table of the platform")
    named = there.text("bin") or there.text("full_bin")
    run = _run(there) if named else []
    return toml.table(
        f"platform.{_SYSTEMS[system]}",
        ("build.command", there.text("cmd"), ""),
        *((f"run.{key}", value, why) for key, value, why in run),
    )
