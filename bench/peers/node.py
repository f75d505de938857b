"""Tools from npm: `make bench` puts them into bench/.peers."""

from __future__ import annotations

import shlex

from peers.peer import Peer, Work


def _nodemon(work: Work) -> list[str]:
    # By default it waits for nothing, which no --delay is shorter than.
    ignored = [word for name in work.ignored for word in ("--ignore", f"{name}/")]
    # Its SIGUSR2 does nothing to a Go program: the runtime of Go drops it, and the old app stays.
    stop = ["--signal", "SIGTERM"] if work.ext == "go" else []
    plain = ["nodemon", "-q", "-I", "--watch", ".", "--ext", work.ext]
    return [*plain, *stop, *ignored, "--exec", shlex.join(work.one)]


def _chokidar(work: Work) -> list[str]:
    delay = ["-d", "1"] if work.fast else []
    ignored = [word for name in work.ignored for word in ("-i", f"**/{name}/**")]
    return ["chokidar", ".", "--initial", *delay, *ignored, "-c", shlex.join(work.one)]


NODE = (
    Peer("nodemon", "nodemon", ("--version",), _nodemon),
    Peer("chokidar-cli", "chokidar", ("--version",), _chokidar, restarts=False),
)
