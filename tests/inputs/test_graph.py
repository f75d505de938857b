"""The package graph of a Go program: which files it names, and what else can alter the binary."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import TYPE_CHECKING

import pytest
from inputs.rig import ENV, write

from hotrun.config import load_text
from hotrun.inputs import package
from hotrun.inputs.now import Answer, look
from hotrun.inputs.question import _check_paths

if TYPE_CHECKING:
    from pathlib import Path

MAIN = """package main

import (
    _ "embed"
    "example.com/m/used"
    "example.com/lib/l"
)

//go:embed page.html
var page string

func main() { println(page, used.X, l.X) }
"""
FILES = {
    "go.mod": (
        "module example.com/m\n\ngo 1.24\n\nrequire example.com/lib v0.0.0\n"
        "replace example.com/lib => ../lib\n"
    ),
    "main.go": MAIN,
    "page.html": "",
    "README.md": "",
    "used/used.go": 'package used\n\nimport _ "embed"\n\n//go:embed data\nvar X string\n',
    "used/data": "",
    "used/other.go": "//go:build windows\n\npackage used\n",
    "used/used_test.go": "package used\n",
    "used/notes.txt": "",
    "unused/unused.go": "package unused\n",
    "unused/go.sum": "",
    "cmd/tool/main.go": "package main\n\nfunc main() {}\n",
    "../lib/go.mod": "module example.com/lib\n",
    "../lib/l/l.go": "package l\n\nconst X = 1\n",
    "../lib/other/o.go": "package other\n",
}


def asked(project: Path, command: str = "go build -o app .") -> Answer:
    """Ask for the inputs of a command."""
    build = f"[build]\ncommand = {command!r}\nenv = {{ GOFLAGS = '', GOWORK = '' }}\n"
    return look(load_text(build, str(project)))


def judge(answer: Answer, project: Path, name: str) -> tuple[bool, str]:
    verdict = answer.verdict(os.path.normpath(project / name))
    assert verdict is not None, answer.problem
    return verdict.matters, verdict.why


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("go") / "m", FILES)


@pytest.fixture(scope="module")
def answer(project: Path) -> Answer:
    return asked(project)


YES = "It is an input of the build: "
NO = "It is no input of the build: "
NAMED = f"{YES}the package graph of the program names it."
NOT_NAMED = f"{NO}the package graph of the program does not name it."


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("main.go", NAMED),
        ("page.html", NAMED),
        ("used/used.go", NAMED),
        ("used/data", NAMED),
        ("../lib/l/l.go", NAMED),
        ("go.mod", f"{YES}it decides which packages are meant."),
        ("go.sum", f"{YES}it decides which packages are meant."),
        ("go.work", f"{YES}it decides which packages are meant."),
        ("../lib/go.mod", f"{YES}it decides which packages are meant."),
        ("vendor/modules.txt", f"{YES}it decides which packages are meant."),
        ("default.pgo", f"{YES}it is the profile of the program."),
        ("used/default.pgo", NOT_NAMED),
        ("used/new.go", f"{YES}it is in a package of the program."),
        ("used/new_linux.go", f"{YES}it is in a package of the program."),
        ("used/new.s", f"{YES}it is in a package of the program."),
        ("../lib/l/new.go", f"{YES}it is in a package of the program."),
        ("app", f"{YES}the command names it."),
        ("README.md", NOT_NAMED),
        ("modules.txt", NOT_NAMED),
        ("used/notes.txt", NOT_NAMED),
        ("unused/unused.go", NOT_NAMED),
        ("unused/new.go", NOT_NAMED),
        ("brandnew/x.go", NOT_NAMED),
        ("used/below/x.go", NOT_NAMED),
        ("cmd/tool/main.go", NOT_NAMED),
        ("../lib/other/o.go", NOT_NAMED),
        ("lib.h", f"{YES}it is in a package of the program."),
        ("include/lib.h", NOT_NAMED),
        ("used/used_test.go", f"{NO}a test is no part of the program."),
        ("new_test.go", f"{NO}a test is no part of the program."),
        ("used/x_windows.go", f"{NO}its name says windows."),
        ("used/.#x.go", f"{NO}Go ignores names that begin with _ or a dot."),
        ("used/other.go", f"{NO}its line //go:build windows leaves it out."),
    ],
)
def test_a_file_is_judged(answer: Answer, project: Path, name: str, why: str) -> None:
    assert judge(answer, project, name) == (why.startswith(YES), why)


def test_a_new_file_is_judged_by_its_own_line(answer: Answer, project: Path) -> None:
    write(project, {"used/fresh.go": "//go:build ignore\n\npackage used\n"})
    why = f"{NO}its line //go:build ignore leaves it out."
    assert judge(answer, project, "used/fresh.go") == (False, why)
    write(project, {"used/fresh.go": "//go:build !ignore\n\npackage used\n"})
    assert judge(answer, project, "used/fresh.go")[0]
    (project / "used/fresh.go").unlink()
    assert judge(answer, project, "used/fresh.go")[0]  # in doubt


def test_a_file_that_a_line_left_out_may_come_in_or_go(project: Path) -> None:
    name = "used/other.go"
    answer = asked(project)
    write(project, {name: "//go:build linux || darwin || freebsd\n\npackage used\n"})
    assert judge(answer, project, name) == (True, f"{YES}it is in a package of the program.")
    (project / name).unlink()
    assert judge(answer, project, name) == (False, f"{NO}it was left out, and is gone.")
    write(project, {name: FILES[name]})


def test_nobody_waits_for_the_writer_of_a_fifo(project: Path) -> None:
    knows = asked(project).knowledge
    assert knows is not None
    path = os.path.realpath(project / "used/used.go")
    assert not knows.outdated_by(path)
    fifo = project / "used/pipe.go"
    os.mkfifo(fifo)
    try:
        assert knows.verdict(os.path.realpath(fifo)).matters
        assert knows.outdated_by(path)  # nobody can tell what is in it
    finally:
        fifo.unlink()  # go would wait


def test_a_file_is_known_by_the_path_behind_a_link(project: Path, answer: Answer) -> None:
    link = project.parent / "link"
    link.symlink_to(project)
    assert judge(answer, link, "used/used.go") == (True, NAMED)
    # Go believes PWD, so that its own paths go through the link.
    through = asked(link, f"PWD={link} go build")
    assert judge(through, project, "used/used.go") == (True, NAMED)
    assert judge(through, link, "used/used.go") == (True, NAMED)
    link.unlink()


def test_what_a_linked_source_points_to_is_an_input(tmp_path: Path) -> None:
    write(tmp_path, {"m/go.mod": "module example.com/m\n", "gen/x.go": "package main\n"})
    write(tmp_path, {"m/main.go": "package main\n\nfunc main() {}\n"})
    (tmp_path / "m" / "x.go").symlink_to("../gen/x.go")
    answer = asked(tmp_path / "m")
    assert judge(answer, tmp_path, "gen/x.go") == (True, NAMED)
    assert judge(answer, tmp_path, "gen/y.go") == (False, NOT_NAMED)


def test_a_pattern_means_packages_that_are_not_there_yet(project: Path) -> None:
    answer = asked(project, "go build ./...")
    assert judge(answer, project, "unused/unused.go")[0]
    assert judge(answer, project, "brandnew/x.go")[0]
    for name in ("testdata/x.go", "_x/x.go", ".x/x.go", "vendor/x/x.go", "brandnew/x_test.go"):
        assert not judge(answer, project, name)[0], name
    answer = asked(project, "go build ./cmd/...")
    assert judge(answer, project, "cmd/new/x.go")[0]
    assert judge(answer, project, "unused/unused.go")[1] == (
        f"{NO}the package graph of ./cmd/... does not name it."
    )
    assert judge(asked(project, "go build example.com/m/cmd/..."), project, "brandnew/x.go")[0]


def test_the_package_of_a_command_s_files_is_just_these(project: Path) -> None:
    answer = asked(project, "go build cmd/tool/main.go")
    assert judge(answer, project, "cmd/tool/main.go")[0]
    assert not judge(answer, project, "cmd/tool/new.go")[0]
    assert not judge(answer, project, "used/used.go")[0]


def test_what_decides_about_files_is_asked_too(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "m/go.mod": "module example.com/m\n",
            "m/main.go": "package main\n\nfunc main() {}\n",
            "m/x.go": '//go:build mine\n\npackage main\n\nimport _ "example.com/m/p"\n',
            "m/x_js.go": "package main\n",
            "m/p/p.go": "package p\n",
        },
    )
    with_tag = asked(tmp_path, "go build -C m -tags mine -o app")
    assert judge(with_tag, tmp_path, "m/p/p.go")[0]
    assert not judge(with_tag, tmp_path, "m/x_js.go")[0]
    assert not judge(asked(tmp_path, "go build -C m"), tmp_path, "m/p/p.go")[0]
    assert judge(asked(tmp_path, "GOOS=js GOARCH=wasm go build -C m"), tmp_path, "m/x_js.go")[0]


def test_a_new_directory_that_takes_an_import_over_is_an_input(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "m/go.mod": (
                "module example.com\n\nrequire example.com/lib v0.0.0\n"
                "replace example.com/lib => ../lib\n"
            ),
            "m/main.go": 'package main\n\nimport _ "example.com/lib/l"\n\nfunc main() {}\n',
            "lib/go.mod": "module example.com/lib\n",
            "lib/l/l.go": "package l\n",
        },
    )
    answer = asked(tmp_path / "m")
    # "ambiguous import", says Go, whatever the file is.
    for name in ("l.go", "l_test.go", "_l.go"):
        assert judge(answer, tmp_path, f"m/lib/l/{name}") == (
            True,
            f"{YES}an import could mean its directory.",
        )
    assert not judge(answer, tmp_path, "m/lib/k/l.go")[0]


def test_all_of_a_module_counts_that_cannot_be_loaded(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "go.mod": "module example.com/m\n",
            "main.go": 'package main\n\nimport _ "example.com/m/p"\n\nfunc main() {}\n',
            "p/p.go": 'package p\n\nimport _ "example.com/m/nowhere"\n',
        },
    )
    answer = asked(tmp_path)
    why = f"{YES}Go cannot load its package, so it may be one."
    assert judge(answer, tmp_path, "README.md") == (True, why)


def test_a_program_with_c_reads_headers_from_anywhere(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "go.mod": "module example.com/m\n",
            "main.go": 'package main\n\n// int one(void);\nimport "C"\n\nfunc main() { C.one() }\n',
            "one.c": '#include "include/one.h"\nint one(void) { return 1; }\n',
            "include/one.h": "",
        },
    )
    answer = asked(tmp_path, "CGO_ENABLED=1 go build")
    assert judge(answer, tmp_path, "one.c")[0]
    assert judge(answer, tmp_path, "include/one.h") == (
        True,
        f"{YES}the program holds C code, which may read it.",
    )
    assert not judge(answer, tmp_path, "README.md")[0]


@pytest.mark.parametrize(
    ("where", "words"),
    [("/P/x", "/p/x is called /P/x by Go"), ("/p/\ufffd", "the name of /p/\ufffd/ is no UTF-8")],
)
def test_a_path_that_would_not_be_recognized_is_refused(where: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        _check_paths(package.parse(json.dumps({"ImportPath": "m", "Dir": where})), "/p/x")


@pytest.mark.parametrize("flag", ["-overlay=o.json", "-toolexec=x"])
def test_flags_that_read_anything_leave_it_to_the_globs(tmp_path: Path, flag: str) -> None:
    build = f"[build]\ncommand = 'go build'\nenv = {{ GOFLAGS = '{flag}' }}\n"
    assert look(load_text(build, str(tmp_path))) == Answer(None)


def test_what_a_variable_of_go_names_is_an_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"go.mod": "module x\n", "alt.mod": "module x\n"})
    write(tmp_path, {"main.go": "package main\n\nfunc main() {}\n"})
    monkeypatch.setenv("GOFLAGS", "-modfile=alt.mod")
    answer = look(load_text("[build]\ncommand = 'go build'\n", str(tmp_path)))
    assert judge(answer, tmp_path, "alt.mod") == (True, f"{YES}the command names it.")
    assert not judge(answer, tmp_path, "other.mod")[0]


def test_a_package_without_a_file_for_us_is_judged_with_care(tmp_path: Path) -> None:
    write(tmp_path, {"go.mod": "module x\n", "p/p.go": "//go:build ignore\n\npackage p\n"})
    write(tmp_path, {"main.go": "package main\n\nfunc main() {}\n"})
    assert judge(asked(tmp_path, "go build ./..."), tmp_path, "p/p.go")[0]
    assert not judge(asked(tmp_path), tmp_path, "p/p.go")[0]


def test_a_tree_without_modules_is_not_judged(tmp_path: Path) -> None:
    write(tmp_path, {"src/x/main.go": 'package main\n\nimport _ "y"\n\nfunc main() {}\n'})
    write(tmp_path, {"src/y/y.go": "package y\n"})
    answer = asked(tmp_path, f"GO111MODULE=off GOPATH={tmp_path} go build -C src/x")
    assert judge(answer, tmp_path, "README.md")[0]


def test_the_globs_decide_where_no_graph_is(tmp_path: Path) -> None:
    assert asked(tmp_path, "make") == Answer(None)
    no_module = asked(tmp_path)
    assert no_module.knowledge is not None or no_module.problem is not None


@pytest.mark.parametrize("text", ["", "[]", "{", '{"Dir": "/x"}', '{"Standard": true}', "null"])
def test_what_is_no_list_of_packages_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"go list|JSON|delimiter|property"):
        package.parse(text)


def test_a_missing_go_command_is_told(tmp_path: Path) -> None:
    answer = asked(tmp_path, "/nowhere/go build")
    assert answer.problem == ("/nowhere/go: command not found", "install go, or put it on PATH")
    assert answer.verdict(str(tmp_path / "x")) is None


def test_the_go_command_of_the_tests_is_found() -> None:
    assert os.path.dirname(sys.executable) in ENV["PATH"]
