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


def test_a_module_beside_the_project_is_told_and_the_go_work_above_it_builds(
    start: Callable[..., Live], project: Project
) -> None:
    work = "go 1.24\n\nuse (\n\t./project\n\t./beside\n)\n"
    files = {
        "../go.work": work,
        "../beside/go.mod": "module example.com/beside\n\ngo 1.24\n",
        "../beside/b.go": "package beside\n",
        "main.go": FILES["main.go"].replace("m/a", "beside"),
    }
    write(project.path, FILES | files | {"hotrun.toml": CONFIG})
    session = start(GOWORK="")
    session.wait_for("app_started")
    told = session.wait_for("problem", severity="warning")
    assert told["message"] == (
        "the build reads ../beside, which is not watched: an edit there does nothing"
    )
    (project.path / "../go.work").write_text(f"{work}// edited\n")
    built = session.wait_for("build_started", count=1)
    assert built["paths"] == [str(project.path.parent / "go.work")]
    paths = '[watch]\npaths = [".", "../beside"]\n'
    project.write("hotrun.toml", CONFIG.replace("[watch]\n", paths))
    session.wait_for("watching", roots=[".", str(project.path.parent / "beside")])
    (project.path / "../beside/b.go").write_text('package beside\n\nfunc init() { println("b") }\n')
    session.wait_for("build_started", lambda event: "beside/b.go" in "".join(event["paths"]))
    session.wait_for("output", text="b")
    assert len(session.all("problem")) == 1
