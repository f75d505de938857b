"""Tools that `go install` puts on PATH; none was there when RESULTS.md was written.

Their adapters are written from their documentation (air_example.toml of air, the README of wgo,
daemon.go of CompileDaemon, cmd/commands/run of bee) and have not been run since.
"""

from __future__ import annotations

import json
import os
import shlex

from harness import write

from peers.peer import Peer, Work


def _air(work: Work) -> list[str]:
    # It runs both commands by a shell, and full_bin even where there is nothing to run.
    lines = [
        'root = "."',
        'tmp_dir = "tmp"',
        "[build]",
        f"cmd = {json.dumps(shlex.join(work.build))}",
        f"full_bin = {json.dumps(shlex.join(work.app) or 'true')}",
        f"include_ext = {json.dumps([work.ext])}",
        f"exclude_dir = {json.dumps(['tmp', *work.ignored])}",
        f"delay = {1 if work.fast else 1000}",
        "",
    ]
    write(os.path.join(work.root, ".air.toml"), "\n".join(lines))
    return ["air", "-c", ".air.toml"]


def _wgo(work: Work) -> list[str]:
    delay = ["-debounce", "1ms"] if work.fast else []
    ignored = [word for name in work.ignored for word in ("-xdir", name)]
    app = ["::", *work.app] if work.app else []
    return ["wgo", "-file", f".{work.ext}", *delay, *ignored, *work.build, *app]


def _compile_daemon(work: Work) -> list[str]:
    # It waits for 900 ms of quiet, always, and splits its commands at blanks.
    app = [f"-command={' '.join(work.app)}"] if work.app else []
    ignored = [f"-exclude-dir={name}" for name in work.ignored]
    pattern = rf"-pattern=\.{work.ext}$"
    return ["CompileDaemon", pattern, f"-build={' '.join(work.build)}", *app, *ignored]


def _bee(work: Work) -> list[str]:
    """Call ``bee run``: it runs ``go build -o NAME``, NAME being that of the directory."""
    return ["bee", "run", *(f"-e={name}" for name in work.ignored)]


GO = (
    Peer("air", "air", ("-v",), _air, help=("-h",)),
    Peer("wgo", "wgo", (), _wgo, help=("-h",)),
    Peer("CompileDaemon", "CompileDaemon", (), _compile_daemon, is_fast=False, help=("-h",)),
)

# bee watches the directories that hold Go files, and no others; its build is `go build`, and no
# other. So it can do the work of one scenario, and be measured in that alone.
GO_ONLY = (Peer("bee", "bee", ("version",), _bee, is_fast=False, help=("help",)),)
