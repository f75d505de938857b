"""A real Go web app, as `hotrun new -t go` makes it: edits of it, and what it answers."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness import MS, BenchError, until, write
from tool import environment, hotrun

from scenarios.apps import free_port

if TYPE_CHECKING:
    from harness import Bench


@dataclass(frozen=True, slots=True)
class GoApp:
    """A Go project and where its app answers.

    Attributes:
        path: The project.
        port: Of the loopback.
        go: The go command itself: the one of PyPI is a script that starts it.
    """

    path: str
    port: int
    go: str

    @property
    def env(self) -> dict[str, str]:
        """The environment of whatever builds or runs it."""
        own = environment(PORT=str(self.port), GOGC="off")
        return {**own, "PATH": os.pathsep.join([os.path.dirname(self.go), own["PATH"]])}

    @property
    def program(self) -> str:
        """What is built, beside the project: most tools would take it for a change."""
        return f"{self.path}.app"

    @property
    def build(self) -> list[str]:
        """The build command, with the flags of the project's hotrun.toml."""
        return [self.go, "build", "-buildvcs=false", "-o", self.program, "."]

    def edit(self, text: str) -> int:
        """Change the title by a rename from outside of the tree; return when."""
        file, beside = os.path.join(self.path, "handlers.go"), f"{self.path}.saved"
        with open(file, encoding="utf-8") as source:
            old = source.read()
        write(beside, re.sub(r"const title = .*", f'const title = "{text}"', old))
        began = time.monotonic_ns()
        os.rename(beside, file)
        return began

    def answer(self) -> str | None:
        """Return the title the app shows; None while nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/", headers={"Connection": "close"})
            page = connection.getresponse().read().decode()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
        found = re.search(r"<title>(.*?)</title>", page)
        return found[1] if found else None

    def wait(self, text: str, deadline: float = 60) -> int:
        """Wait for an answer; return when it came."""
        until(f'the answer "{text}"', lambda: self.answer() == text, deadline)
        return time.monotonic_ns()

    def build_by_hand(self) -> float:
        """Build it; return the milliseconds."""
        began = time.monotonic_ns()
        done = subprocess.run(self.build, cwd=self.path, env=self.env, check=False)
        if done.returncode:
            raise BenchError("go build failed")
        return (time.monotonic_ns() - began) / MS


def go_app(bench: Bench, name: str, go: str) -> GoApp:
    """Make the project anew."""
    path = bench.at(name)
    subprocess.run(
        hotrun("new", path, "-t", "go"), check=True, capture_output=True, env=environment()
    )
    return GoApp(path, free_port(), go)


def find_go() -> str | None:
    """Return the path of the go command itself; None if there is none."""
    env = environment()
    program = shutil.which("go", path=env["PATH"])
    if program is None:
        return None
    done = subprocess.run([program, "env", "GOROOT"], env=env, capture_output=True, check=False)
    return os.path.join(done.stdout.decode().strip(), "bin", "go") if done.stdout.strip() else None
