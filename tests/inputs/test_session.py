"""A live session of a Go program: what is no input triggers nothing, and nothing is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inputs.rig import write
from live import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from live import Live, Project

CONFIG = """
[watch]
debounce = "20ms"
[build]
command = "go build -buildvcs=false -o app ."
[run]
command = "./app"
"""
FILES = {
    "go.mod": "module example.com/m\n\ngo 1.24\n",
    "main.go": 'package main\n\nimport _ "example.com/m/a"\n\nfunc main() { select {} }\n',
    "a/a.go": "package a\n",
    "b/b.go": 'package b\n\nfunc init() { println("b") }\n',
}


def ignores(session: Live, project: Project, name: str, text: str) -> bool:
    """Save a file, and tell whether it was ignored or built."""
    mark = session.now
    project.write(name, text)
    until(
        lambda: session.all("ignored", mark) or session.all("build_finished", mark),
        f"what {name} comes to",
    )
    return bool(session.all("ignored", mark))


def test_only_inputs_trigger_a_build(start: Callable[..., Live], project: Project) -> None:
    write(project.path, FILES | {"hotrun.toml": CONFIG})
    session = start()
    session.wait_for("app_started")
    number = 0
    while not ignores(session, project, "README.md", f"{number}"):  # everything counts at first
        number += 1
        assert number < 200, "the package graph never came to be known"
    assert ignores(session, project, "a/a_test.go", "package a\n")
    assert ignores(session, project, "b/b.go", 'package b\n\nfunc init() { println("c") }\n')
    assert ignores(session, project, "a/a_windows.go", "package a\n")
    assert session.all("ignored")[-1]["paths"] == ["a/a_windows.go"]
    assert not ignores(session, project, "main.go", FILES["main.go"].replace("m/a", "m/b"))
    assert session.all("build_started")[-1]["paths"] == ["main.go"]
    assert not ignores(session, project, "b/b.go", FILES["b/b.go"])
    assert session.all("build_finished")[-1]["artifact"] == "changed"
    assert not session.all("problem")
