"""The inputs of a build while files change: when what is known counts, and when it does not."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import pytest
from inputs.rig import Rig, write

from hotrun.inputs.question import NO_GO_BUILD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

OLD = 60_000_000  # nanoseconds: more than a tick of the file system's clock
FILES = {
    "go.mod": "module example.com/m\n\ngo 1.24\n",
    "main.go": 'package main\n\nimport _ "example.com/m/a"\n\nfunc main() {}\n',
    "a/a.go": "package a\n",
    "a/ignored.go": "//go:build ignore\n\npackage a\n",
    "b/b.go": "package b\n",
    "a/e.go": 'package a\n\nimport _ "embed"\n\n//go:embed a.go\nvar e string\n',
    "README.md": "",
}


def toml(command: str = "go build -o app .", inputs: str = '"auto"', more: str = "") -> str:
    env = "env = { GOFLAGS = '', GOWORK = '' }"
    return f"[build]\ncommand = {command!r}\ninputs = {inputs}\n{env}\n{more}"


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., Rig]]:
    rigs = []

    def begin(*args: str, **kwargs: str) -> Rig:
        rigs.append(Rig(tmp_path, toml(*args, **kwargs)))
        return rigs[-1]

    yield begin
    for rig in rigs:
        rig.__exit__()


@pytest.fixture
def rig(tmp_path: Path, begin: Callable[..., Rig]) -> Rig:
    """A Go module of which all is known."""
    write(tmp_path, FILES)
    rig = begin()
    rig.build()
    assert rig.changed("README.md", "b/b.go") == []
    return rig


def test_everything_matters_before_the_first_answer(begin: Callable[..., Rig]) -> None:
    rig = begin()
    assert rig.changed("README.md") == ["README.md"]
    rig.inputs.building()
    assert rig.changed("README.md") == ["README.md"]


def test_only_inputs_matter_after_it(rig: Rig) -> None:
    assert rig.changed("main.go", "README.md", "a/a_test.go", "go.mod") == ["go.mod", "main.go"]


def test_an_edit_that_imports_what_was_imported_is_no_reason_to_ask(rig: Rig) -> None:
    write(rig.project, {"a/a.go": "package a\n\nvar x = 1\n"})
    assert rig.changed("a/a.go") == ["a/a.go"]
    assert rig.changed("README.md") == []
    rig.inputs.building()
    rig.inputs.built()
    assert rig.inputs._ask is None
    assert rig.changed("README.md") == []


def test_an_edit_that_imports_more_makes_everything_matter_until_the_next_build(rig: Rig) -> None:
    write(rig.project, {"a/a.go": 'package a\n\nimport _ "example.com/m/b"\n'})
    assert rig.changed("a/a.go") == ["a/a.go"]
    assert rig.changed("b/b.go", "README.md") == ["README.md", "b/b.go"]
    rig.build()
    assert rig.changed("b/b.go", "README.md") == ["b/b.go"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a/new.go", "package a\n"),
        ("go.mod", "module example.com/m\n\ngo 1.23\n"),
        ("a/ignored.go", "package a\n"),
        ("a/a.go", 'package a\n\nimport _ "os"\n'),
        ("a/e.go", 'package a\n\nimport _ "embed"\n\n//go:embed e.go\nvar e string\n'),
        ("a/a.go", "//go:build linux || !linux\n\npackage b\n\nimport (\n"),
        ("a/a.go", "//go:build ignore\n\npackage a\n"),
        ("main.go", "package main\n\nfunc main() {}\n"),
    ],
)
def test_what_may_change_the_graph_makes_everything_matter(rig: Rig, name: str, text: str) -> None:
    write(rig.project, {name: text})
    assert rig.changed(name) == [name]
    assert rig.changed("README.md") == ["README.md"]


def test_a_file_that_went_is_an_input_until_the_next_build(rig: Rig) -> None:
    (rig.project / "a/a.go").unlink()
    assert rig.changed("a/a.go") == ["a/a.go"]


def test_a_line_counts_only_if_the_build_has_seen_it(
    tmp_path: Path, begin: Callable[..., Rig]
) -> None:
    write(tmp_path, FILES | {"a/more.go": "package a\n"})
    rig = begin()
    rig.inputs.building()
    # The compiler has read it, and nobody has told us of the change yet.
    write(tmp_path, {"a/more.go": "//go:build ignore\n\npackage a\n"})
    rig.inputs.built()
    rig.settle()
    assert rig.changed("a/more.go", "README.md") == ["a/more.go"]


def test_what_changes_while_we_ask_is_judged_by_the_answer(rig: Rig) -> None:
    rig.changed("go.mod")
    rig.inputs.building()
    rig.inputs.built()
    assert rig.changed("README.md") == ["README.md"]
    rig.settle()
    assert rig.changed("README.md") == []


def test_an_input_that_changes_while_we_ask_spoils_the_answer(rig: Rig) -> None:
    rig.changed("go.mod")
    rig.inputs.building()
    rig.inputs.built()
    assert rig.changed("a/a.go") == ["a/a.go"]
    rig.settle()
    assert rig.changed("README.md") == ["README.md"]
    rig.build()
    assert rig.changed("README.md") == []


def test_a_build_that_ends_while_we_ask_makes_us_ask_again(rig: Rig) -> None:
    rig.changed("go.mod")
    rig.inputs.building()
    rig.inputs.built()
    first = rig.inputs._ask
    write(rig.project, {"a/a.go": 'package a\n\nimport _ "example.com/m/b"\n'})
    rig.changed("a/a.go")
    rig.inputs.building()
    rig.inputs.built()
    assert rig.inputs._ask is first
    rig.settle()
    assert rig.changed("b/b.go", "README.md") == ["b/b.go"]


def test_saves_that_come_faster_than_the_answer_do_not_spoil_it(rig: Rig) -> None:
    rig.changed("go.mod")
    rig.inputs.building()
    newest = max(path.stat().st_ctime_ns for path in rig.project.rglob("*.go"))
    rig.wait(lambda: time.time_ns() > newest + OLD, "sources that are older than the question")
    rig.inputs.built()
    rig.inputs.building()
    rig.settle()
    assert rig.changed("README.md") == []


@pytest.mark.parametrize("removed", [True, False])
def test_a_source_that_a_build_changes_while_we_ask_spoils_the_answer(
    rig: Rig, *, removed: bool
) -> None:
    rig.changed("go.mod")
    rig.inputs.building()
    newest = max(path.stat().st_ctime_ns for path in rig.project.rglob("*.go"))
    rig.wait(lambda: time.time_ns() > newest + OLD, "sources that are older than the question")
    rig.inputs.built()

    def has_listed() -> bool:
        """Whether go list has answered, and go env, which is asked next, has not."""
        ask = rig.inputs._ask
        if ask is None:  # on a busy machine that was missed
            rig.changed("go.mod")
            rig.inputs.built()
        return ask is not None and len(ask._outputs) == 1

    rig.wait(has_listed, "the answer of go list")
    rig.inputs.building()
    if removed:  # by a command of build.before, say, where nobody watches
        (rig.project / "a/a.go").unlink()
    else:
        write(rig.project, {"a/a.go": "package a\n"})
    rig.settle()
    assert rig.changed("README.md") == ["README.md"]


def test_what_nobody_watches_is_found_after_a_build(rig: Rig) -> None:
    write(rig.project, {"a/generated.go": 'package a\n\nimport _ "example.com/m/b"\n'})
    assert rig.changed("main.go", "b/b.go") == ["main.go"]
    rig.build()
    assert rig.changed("b/b.go", "README.md") == ["b/b.go"]


def test_what_cannot_be_asked_is_told_once_and_the_globs_decide(
    tmp_path: Path, begin: Callable[..., Rig]
) -> None:
    write(tmp_path, {"go.mod": "this is no module\n", "main.go": "package main\n"})
    rig = begin()
    for _ in range(2):
        rig.build()
        assert rig.changed("README.md") == ["README.md"]
    ((message, hint),) = rig.problems
    assert message.startswith("build.inputs: go list failed: go: errors parsing go.mod:")
    assert hint == "until it is told, watch.include alone decides"
    write(tmp_path, FILES)
    rig.build()
    assert rig.changed("README.md") == []


def test_a_go_command_that_is_missing_is_told(tmp_path: Path, begin: Callable[..., Rig]) -> None:
    write(tmp_path, FILES)
    rig = begin("/nowhere/go build")
    rig.build()
    ((message, _),) = rig.problems
    assert message == "build.inputs: /nowhere/go does not exist"


def test_what_is_asked_can_be_ended(begin: Callable[..., Rig]) -> None:
    script = f"{sys.executable} -c 'import time; print(1, flush=True); time.sleep(600)'"
    rig = begin("make", inputs=f"{{ command = {script!r} }}")
    rig.inputs.building()
    rig.inputs.built()
    rig.wait(lambda: rig.host.reaper._children, "the command")
    (pid,) = [child.pid for child in rig.host.reaper._children]
    assert os.getpriority(os.PRIO_PROCESS, pid) == 10
    rig.inputs.close()
    rig.wait(lambda: not rig.host.reaper._children, "its end")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert rig.inputs._ask is None
    assert rig.problems == []


@pytest.mark.parametrize(("command", "inputs"), [("make", '"auto"'), ("go build", '"globs"')])
def test_nothing_is_asked_where_the_globs_decide(
    begin: Callable[..., Rig], command: str, inputs: str
) -> None:
    rig = begin(command, inputs=inputs)
    rig.build()
    assert rig.changed("README.md") == ["README.md"]
    assert rig.why("README.md") == ""
    assert rig.problems == []


def test_go_can_be_asked_although_something_else_builds(
    tmp_path: Path, begin: Callable[..., Rig]
) -> None:
    write(tmp_path, FILES)
    rig = begin("make", inputs='"go"')
    rig.build()
    rig.build()
    assert rig.changed("README.md", "b/b.go", "b/new.go", "c/c.go") == [
        "b/b.go",
        "b/new.go",
        "c/c.go",
    ]
    (problem,) = rig.problems
    assert problem == NO_GO_BUILD


def test_a_command_names_the_inputs(tmp_path: Path, begin: Callable[..., Rig]) -> None:
    write(tmp_path, {"src/a.x": "", "src/b.y": "", "docs/a.x": "", "list": "src/a.x\nsub\n"})
    write(tmp_path, {"sub/deep/c": ""})
    rig = begin("tool src", inputs='{ command = "cat list" }')
    rig.build()
    changed = ("src/a.x", "src/b.y", "docs/a.x", "src/new.x", "src/new.y", "sub/deep/d", "tool")
    assert rig.changed(*changed) == ["src/a.x", "src/new.x", "sub/deep/d", "tool"]
    # An input has changed, and with it perhaps the list.
    assert rig.changed("docs/a.x") == ["docs/a.x"]
    rig.build()
    assert rig.changed("docs/a.x") == []
    assert rig.why("docs/a.x") == (
        "It is no input of the build: the list of cat list does not name it."
    )


def test_a_list_that_names_nothing_is_no_list(begin: Callable[..., Rig]) -> None:
    rig = begin("make", inputs='{ command = "true" }')
    rig.build()
    assert rig.changed("x") == ["x"]
    assert rig.problems == [
        ("build.inputs: true names no file", "until it does, watch.include alone decides")
    ]


def test_a_command_that_fails_is_told_with_its_own_words(begin: Callable[..., Rig]) -> None:
    rig = begin("make", inputs="{ command = \"sh -c 'echo; echo no such list >&2; exit 3'\" }")
    rig.build()
    ((message, hint),) = rig.problems
    assert message == "build.inputs: sh failed: no such list"
    assert hint == "until it is told, watch.include alone decides"


def test_dependency_files_name_the_inputs(tmp_path: Path, begin: Callable[..., Rig]) -> None:
    write(
        tmp_path,
        {
            "build/a.d": "build/a.o: a.c \\\n  include/a.h\n\ninclude/a.h:\n",
            "lib/l.d": "l.o: l.c\n",
            "lib/l.c": "",
            "a.c": "",
            "b.c": "",
            "include/a.h": "",
        },
    )
    os.mkfifo(tmp_path / "build/fifo.d")
    rig = begin("make", inputs='{ depfile = ["build/*.d", "**/l.d"] }')
    rig.build()
    names = ("a.c", "b.c", "new.c", "new.h", "include/a.h", "lib/l.c", "Makefile", "sub/Makefile")
    expected = ["Makefile", "a.c", "include/a.h", "lib/l.c", "new.c", "sub/Makefile"]
    assert rig.changed(*names) == expected
    write(tmp_path, {"build/a.d": "build/a.o: a.c b.c\n"})
    rig.build()
    assert rig.changed("b.c", "include/a.h") == ["b.c"]


def test_dependency_files_that_are_missing_are_told(begin: Callable[..., Rig]) -> None:
    rig = begin("make", inputs='{ depfile = "build/*.d" }')
    rig.build()
    assert rig.changed("b.c") == ["b.c"]
    assert rig.problems == [
        ("build.inputs: build/*.d names no file", "until it does, watch.include alone decides")
    ]


def test_many_dependency_files_are_read_between_other_things(
    tmp_path: Path, begin: Callable[..., Rig]
) -> None:
    names = [f"{number}.c" for number in range(2_000)]
    write(tmp_path / "build", {f"{name}.d": f"x.o: {name} common.h" * 20 for name in names})
    rig = begin("make", inputs='{ depfile = "build/*.d" }')
    rig.inputs.building()
    rig.inputs.built()
    looks = 0

    def known() -> bool:
        nonlocal looks
        looks += 1
        return rig.inputs._ask is None

    rig.wait(known, "the answer")
    assert looks > 2
    assert rig.changed("1999.c", "2000.x", "common.h") == ["1999.c", "common.h"]


def test_an_answer_that_nobody_wants_any_more_is_not_read(
    tmp_path: Path, begin: Callable[..., Rig]
) -> None:
    write(tmp_path, {"a.d": "a.o: a.c\n"})
    rig = begin("make", inputs='{ depfile = "a.d" }')
    rig.inputs.building()
    rig.inputs.built()
    rig.inputs.close()
    rig.settle()
    question = rig.inputs._question
    assert question is not None
    reading = question.answer([], 0)
    next(reading)
    rig.inputs._read(reading)  # the last slice, which was already on its way
    assert rig.changed("README.md") == ["README.md"]
    assert rig.problems == []


def test_a_build_that_begins_while_we_read_spoils_the_answer(
    tmp_path: Path, begin: Callable[..., Rig]
) -> None:
    write(tmp_path, {"a.d": "a.o: a.c\n"})
    rig = begin("make", inputs='{ depfile = "a.d" }')
    rig.inputs.building()
    rig.inputs.built()
    rig.inputs.building()  # somebody asked for it, and no file has changed
    rig.settle()
    assert rig.changed("README.md") == ["README.md"]
    rig.inputs.built()
    rig.settle()
    assert rig.changed("README.md") == []
