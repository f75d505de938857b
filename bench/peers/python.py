"""Tools from PyPI: `make bench` puts them beside hotrun, by the extra `bench`."""

from __future__ import annotations

import os
import shlex
import sys

from harness import HERE

from peers.peer import Peer, Work


def _watchfiles(work: Work) -> list[str]:
    ignored = ["--ignore-paths", ",".join(work.ignored)] if work.ignored else []
    return ["watchfiles", "--target-type", "command", *ignored, shlex.join(work.one), "."]


def _watchfiles_api(work: Work) -> list[str]:
    script = os.path.join(HERE, "probes", "watchfiles_api.py")
    return [sys.executable, script, ",".join(work.ignored), shlex.join(work.one)]


def _watchmedo(work: Work) -> list[str]:
    # By default it does not wait at all, which no --debounce-interval is shorter than.
    ignored = [word for name in work.ignored for word in ("-i", f"**/{name}/**")]
    options = ["-d", ".", "-R", "-p", f"**/*.{work.ext}", "--no-restart-on-command-exit"]
    return ["watchmedo", "auto-restart", *options, *ignored, "--", *work.one]


PYTHON = (
    Peer("watchfiles", "watchfiles", ("--version",), _watchfiles, is_fast=False),
    Peer(
        "watchfiles API",
        "watchfiles",
        ("--version",),
        _watchfiles_api,
        is_default=False,
        module="watchfiles",
    ),
    Peer("watchmedo", "watchmedo", ("--version",), _watchmedo),
)
