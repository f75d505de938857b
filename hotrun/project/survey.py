"""What a config comes to on this machine: files, backend, limits, tools, addresses.

Nothing is watched and nothing started: the tree is listed through the same filter as `run` does,
and the kernel's limits are held against the count.
"""

from __future__ import annotations

import errno
import os
from dataclasses import field
from typing import TYPE_CHECKING

from hotrun.host import relative
from hotrun.inputs.now import look
from hotrun.lean import NamedTuple, dataclass
from hotrun.process import environment
from hotrun.project import addresses, watched
from hotrun.project.tools import Tool, tools
from hotrun.watch import limits
from hotrun.watch.outlook import Outlook
from hotrun.watch.sieve.sieve import Sieve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotrun.config import Config
    from hotrun.project.addresses import Address
    from hotrun.project.plan import Plan


class Trouble(NamedTuple):
    """What is odd, or would not work: two lines, and "error" or "warning"."""

    message: str
    hint: str
    severity: str = "warning"


class Limit(NamedTuple):
    """A limit of the kernel: its name for sysctl, how much of it is in use, and is needed."""

    name: str
    most: int
    used: int
    needed: int

    @property
    def short(self) -> bool:
        """Whether there is too little left."""
        return self.used + self.needed > self.most


@dataclass(frozen=True, slots=True)
class Survey:
    """What a config comes to.

    Attributes:
        roots: The roots as people see them, and whether each is there.
        directories: How many directories would be watched.
        files: How many files count.
        backend: "inotify", "polling", or both: "inotify+polling".
        reason: Why anything is polled; empty where nothing is.
        limits: Of the kernel, where it has such.
        tools: What the commands need.
        addresses: What hotrun or the app will listen on, as far as the config says.
        troubles: Everything that is to be said.
    """

    roots: list[tuple[str, bool]]
    directories: int
    files: int
    backend: str
    reason: str
    limits: list[Limit]
    tools: list[Tool]
    addresses: list[Address]
    troubles: list[Trouble] = field(default_factory=list)

    @property
    def works(self) -> bool:
        """Whether nothing is an error."""
        return all(trouble.severity != "error" for trouble in self.troubles)


def survey(config: Config, planned: Plan) -> Survey:
    """Look at everything.

    Args:
        config: The config.
        planned: What it comes to on this disk.
    """
    listed = Sieve(
        planned.roots,
        watched.accepts(config, planned),
        also=watched.single_files(config),
        follow_symlinks=config.watch.follow_symlinks,
    )
    listed.list()
    outlook = Outlook(config.watch.backend)
    found = Survey(
        [(relative(root, config.directory), os.path.isdir(root)) for root in planned.roots],
        listed.directories,
        listed.files,
        *_backend(outlook, planned),
        _limits(listed.directories) if outlook.native == "inotify" else [],
        tools(config),
        addresses.wanted(config),
    )
    found.troubles.extend(Trouble(*warning) for warning in planned.warnings)
    found.troubles.extend(_troubles(config, found))
    if watched.watches_nothing(config, listed):
        found.troubles.append(Trouble(*watched.NO_FILE))
    if found.works:  # else the compiler may be what is missing
        found.troubles.extend(_unwatched(config))
    return found


def _unwatched(config: Config) -> Iterator[Trouble]:
    """Say what of a Go program no root covers; it takes as long as `go list` does."""
    if config.build is None or config.build.inputs.kind not in ("auto", "go"):
        return
    if (unwatched := look(config).outside) is not None:
        yield Trouble(*unwatched.problem)


def _backend(outlook: Outlook, planned: Plan) -> tuple[str, str]:
    why = [outlook.polls(root, root) for root in planned.roots]
    polled = [reason for reason in why if reason]
    if not outlook.native or len(polled) == len(why):
        return "polling", polled[0] if polled else outlook.reason
    return (f"{outlook.native}+polling", polled[0]) if polled else (outlook.native, "")


def _limits(directories: int) -> list[Limit]:
    found = []
    for host, namespace, used, needed in (
        ("max_user_watches", "max_inotify_watches", limits.watches_in_use(), directories),
        ("max_user_instances", "max_inotify_instances", limits.instances_in_use(), 1),
    ):
        most, name = limits.setting(host, namespace)
        if most.isdigit():
            found.append(Limit(name, int(most), used, needed))
    return found


def _troubles(config: Config, found: Survey) -> Iterator[Trouble]:
    for root, there in found.roots:
        if not there:
            yield Trouble(*watched.missing(root))
    polls = config.watch.backend == "auto"
    yield from (shortage(limit, polls=polls) for limit in found.limits if limit.short)
    yield from _missing(config, found.tools)
    yield from _env_files(config)
    listened = {each.port for each in found.addresses if each.key == "run.listen"}
    for address in found.addresses:
        if address.trouble is not None:
            severity = "error" if address.prevents(listened) else "warning"
            yield Trouble(*address.trouble, severity)


def shortage(limit: Limit, *, polls: bool) -> Trouble:
    """Say that a limit is too low.

    Args:
        limit: Which.
        polls: What the kernel does not tell is polled; otherwise nothing starts.
    """
    number = errno.EMFILE if "instances" in limit.name else errno.ENOSPC
    _, hint = limits.explain(OSError(number, ""))
    counts = f"{limit.used:,} of {limit.most:,} are in use, and {limit.needed:,} needed here"
    if polls:
        return Trouble(f"{limit.name}: {counts}; the rest is polled", hint)
    return Trouble(f"{limit.name}: {counts}", hint, "error")


def _missing(config: Config, needed: list[Tool]) -> Iterator[Trouble]:
    run = config.run
    if run is not None and not os.path.isdir(directory := config.resolve(run.working_directory)):
        what = f"run.working_directory: {directory} does not exist"
        yield Trouble(what, "create it, or name another one", "error")
        return
    for tool in needed:
        if tool.fault is not None:
            what, hint = tool.fault
            yield Trouble(f"{tool.key}: {what}", hint, "warning" if tool.to_come else "error")
        if tool.path is not None or tool.to_come:
            continue
        what, hint = (
            f"{tool.key}: {tool.program}: command not found",
            (f"install {tool.program}, or put its directory on PATH"),
        )
        if os.sep in tool.program:
            what, hint = (
                f"{tool.key}: {tool.program} does not exist",
                ("name another file, or say how it is made: build.command"),
            )
        yield Trouble(what, hint, "error")


def _env_files(config: Config) -> Iterator[Trouble]:
    for file in watched.env_files(config):
        for bad in environment.read_file(file)[1]:
            where = f"{relative(file, config.directory)}:{bad.line or 1}"
            hint = "the rest of the file counts" if bad.line else "it is left out"
            yield Trouble(f"{where}: {bad.message}", hint)
