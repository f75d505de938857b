"""Go: main packages, the choice among them, where the program goes, and what it reads."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from trees import MAIN, plant

from hotrun.config import load_text
from hotrun.project.detect import detect

if TYPE_CHECKING:
    from pathlib import Path

    from hotrun.project.detect import Found

MOD = "module example.com/shop\n\ngo 1.22\n"


def found(directory: Path, files: dict[str, str], **more: str) -> Found:
    """Make a project with a go.mod, and return what is found in it, which must load."""
    plant(directory, {"go.mod": MOD, **files, **more})
    answer = detect(str(directory))
    assert answer is not None
    assert answer.kind == "go"
    load_text(answer.text, str(directory))
    return answer


def test_a_program_right_here(tmp_path: Path) -> None:
    answer = found(tmp_path / "shop", {"main.go": MAIN})
    assert answer.text == (
        "#:schema .hotrun/schema.json\n"
        "\n"
        "[build]\n"
        "# No version stamp from git: a commit alone must not change the binary and restart the "
        "app.\n"
        'command = "go build -buildvcs=false -o app ."\n'
        "# The compiler lives too briefly to collect garbage; take it out if memory is short.\n"
        'env = { GOGC = "off" }\n'
        "\n"
        "[run]\n"
        'command = "./app"\n'
    )
    assert answer.because == ("go.mod is here, and main.go is package main",)
    assert (answer.source, answer.chosen, answer.choices) == ("go.mod", ".", ())


def test_a_program_below(tmp_path: Path) -> None:
    answer = found(tmp_path, {"lib.go": "package shop\n", "cmd/shop/main.go": MAIN})
    assert 'command = "go build -buildvcs=false -o app ./cmd/shop"' in answer.text
    assert answer.because == ("go.mod is here, and ./cmd/shop is the only main package",)


@pytest.mark.parametrize(
    ("mains", "chosen", "why"),
    [
        ((".", "cmd/a"), ".", "it is the one right here"),
        (("cmd/a", "cmd/shop"), "./cmd/shop", "it is named like the project"),
        (("cmd/a", "cmd/work"), "./cmd/work", "it is named like the project"),
        (("cmd/a", "other/b"), "./cmd/a", "it is the only one below a cmd directory"),
        (("tools/gen", "server"), "./server", "it is the only one that is no tool"),
        (("cmd/a", "tools/cmd/b"), "./cmd/a", "it is the only one below a cmd directory"),
    ],
)
def test_one_of_several_is_taken_for_a_reason(
    tmp_path: Path, mains: tuple[str, ...], chosen: str, why: str
) -> None:
    answer = found(tmp_path / "work", {f"{main}/main.go": MAIN for main in mains})
    assert answer.because == ("go.mod is here, with 2 main packages", f"{chosen} is taken: {why}")
    assert answer.chosen == chosen
    assert len(answer.choices) == 1
    assert not answer.ambiguous


def test_nothing_speaks_for_one_of_two_commands(tmp_path: Path) -> None:
    answer = found(tmp_path, {"cmd/a/main.go": MAIN, "cmd/b/main.go": MAIN})
    assert answer.ambiguous
    assert (answer.chosen, answer.choices) == ("./cmd/a", ("./cmd/b",))


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("x_test.go", MAIN),
        ("vendor/a/main.go", MAIN),
        ("testdata/main.go", MAIN),
        ("node_modules/a/main.go", MAIN),
        ("_old/main.go", MAIN),
        (".cache/main.go", MAIN),
        ("gen/gen.go", "//go:build ignore\n\n" + MAIN),
        ("win/main_windows.go", MAIN),
        ("win/main.go", "//go:build windows || plan9\n\n" + MAIN),
        ("tags/main.go", "//go:build tools && linux\n\n" + MAIN),
        ("plug/main.go", "package main\n\nfunc Main() {}\n"),
        ("lib/main.go", "/*\npackage main\n*/\npackage lib\n\nfunc main() {}\n"),
        ("txt/main.go", "func main() {}\n"),
    ],
)
def test_what_looks_like_a_program_and_is_none(tmp_path: Path, file: str, text: str) -> None:
    answer = found(tmp_path, {"cmd/shop/main.go": MAIN, file: text})
    assert answer.because[0] == "go.mod is here, and ./cmd/shop is the only main package"


@pytest.mark.parametrize(
    "text",
    [
        "//go:build linux || darwin || freebsd || windows\n\n" + MAIN,
        "//go:build !plan9 && go1.18\n\n" + MAIN,
        "//go:build (linux && cgo) || !foo\n\n" + MAIN,
        "// Copyright\n\n/* package lib */\n\npackage main // x\n\nfunc main() {\n}\n",
        "\ufeff" + MAIN.replace("\n", "\r\n"),
    ],
)
def test_programs_however_they_are_written(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, {"cmd/shop/x.go": text}).chosen == "./cmd/shop"


def test_a_module_below_is_no_part_of_the_project(tmp_path: Path) -> None:
    files = {"main.go": MAIN, "tool/go.mod": "module tool\n", "tool/main.go": MAIN}
    assert found(tmp_path, files).choices == ()


def test_a_workspace_takes_its_modules_in(tmp_path: Path) -> None:
    files = {
        "go.work": "go 1.22\n\nuse (\n\t./api\n\t./lib // shared\n\t../common\n)\n",
        "api/go.mod": "module api\n",
        "api/main.go": MAIN,
        "lib/go.mod": "module lib\n",
        "lib/lib.go": "package lib\n",
        "old/go.mod": "module old\n",
        "old/main.go": MAIN,
    }
    plant(tmp_path / "common", {"go.mod": "module common\n"})
    answer = found(tmp_path / "work", files)
    assert answer.because == ("go.work is here, and ./api is the only main package",)
    assert 'paths = [".", "../common"]' in answer.text


def test_a_replaced_module_outside_is_watched(tmp_path: Path) -> None:
    plant(tmp_path / "lib", {"go.mod": "module lib\n"})
    mod = MOD + "replace (\n\ta/b => ../lib\n\ta/c => ../gone\n\ta/d => ./own\n)\n"
    answer = found(tmp_path / "work", {"main.go": MAIN, "go.mod": mod})
    assert 'paths = [".", "../lib"]' in answer.text


def test_a_library_is_only_built(tmp_path: Path) -> None:
    answer = found(tmp_path, {"lib.go": "package lib\n"})
    assert 'command = "go build ./..."' in answer.text
    assert "[run]" not in answer.text
    assert answer.because == (
        "go.mod is here, and no main package",
        "so every save builds, and nothing is run",
    )


def test_a_file_without_a_module_is_built_by_its_name(tmp_path: Path) -> None:
    plant(tmp_path / "a", {"main.go": MAIN, "more.go": "package main\n", "more_test.go": MAIN})
    answer = detect(str(tmp_path / "a"))
    assert answer is not None
    assert 'command = "go build -o app main.go more.go"' in answer.text
    assert answer.because == (
        "main.go is package main, and there is no go.mod (`go mod init` makes one)",
    )


def test_a_package_inside_of_a_module_has_the_module_watched(tmp_path: Path) -> None:
    plant(tmp_path, {"go.mod": MOD, "cmd/x/main.go": MAIN})
    answer = detect(str(tmp_path / "cmd/x"))
    assert answer is not None
    assert 'paths = ["../.."]' in answer.text
    assert 'command = "go build -buildvcs=false -o app ."' in answer.text
    assert answer.because == ("main.go is package main, and go.mod is in ../..",)


# The program


@pytest.mark.parametrize(
    ("there", "program"),
    [
        ({}, "app"),
        ({"app/app.go": "package app\n"}, "bin/shop"),
        ({"app": "#!/bin/sh\n"}, "bin/shop"),
        ({"app": "\x7fELF..."}, "app"),
        ({"app/app.go": "package app\n", "bin/shop": "#!/bin/sh\n"}, "bin/app"),
        ({"app": "", "bin": ""}, "app.bin"),
        ({".gitignore": "/bin/\n"}, "bin/shop"),
        ({".gitignore": "tmp\n*.log\n"}, "tmp/shop"),
        ({".gitignore": "bin/\n", "bin/shop": "#!/bin/sh\n"}, "app"),
    ],
)
def test_the_program_replaces_nothing(tmp_path: Path, there: dict[str, str], program: str) -> None:
    answer = found(tmp_path, {"main.go": MAIN, **there})
    assert f'-o {program} ."' in answer.text
    assert f'command = "./{program}"' in answer.text


def test_where_git_would_see_the_program_that_is_said(tmp_path: Path) -> None:
    answer = found(tmp_path, {"main.go": MAIN, ".gitignore": "*.log\n"})
    assert answer.because[1:] == (
        "git does not ignore the program: a line /app in .gitignore does it",
    )


def test_where_git_ignores_a_directory_for_programs_that_is_taken(tmp_path: Path) -> None:
    answer = found(tmp_path, {"main.go": MAIN, ".gitignore": "bin/\n"})
    assert answer.because[1:] == ("git ignores bin/, so the program is built there",)
    assert found(tmp_path, {".gitignore": "/app\n"}).because[1:] == ()


def test_the_name_of_a_module_is_no_source_file(tmp_path: Path) -> None:
    mod = {"go.mod": "module github.com/x/chart.js/v3\n", ".gitignore": "bin\n"}
    assert "-o bin/chart ." in found(tmp_path, {"main.go": MAIN, **mod}).text


# What it reads


def test_templates_that_are_not_embedded_restart_the_app(tmp_path: Path) -> None:
    answer = found(tmp_path, {"main.go": MAIN, "pages/a.html": "", "pages/b.tmpl": ""})
    assert answer.text.endswith(
        "[[rule]]\n"
        "# They are not part of the binary: read at the start, and needing no build.\n"
        'match = ["*.html", "*.tmpl"]\n'
        'action = "restart"\n'
    )


@pytest.mark.parametrize(
    ("embed", "match"),
    [
        ("//go:embed pages", ""),
        ("//go:embed all:pages static", ""),
        ("//go:embed pages/*.html", ""),
        ('//go:embed "pages/a.html"', ""),
        ("//go:embed static", 'match = ["*.html"]'),
        ("//go:embed pages/b.html", 'match = ["*.html"]'),
    ],
)
def test_what_is_embedded_is_left_to_the_build(tmp_path: Path, embed: str, match: str) -> None:
    source = f"package main\n\n{embed}\nvar pages embed.FS\n\nfunc main() {{}}\n"
    answer = found(tmp_path, {"main.go": source, "pages/a.html": ""})
    assert ("[[rule]]" in answer.text) == bool(match)
    assert match in answer.text


def test_of_pages_that_are_embedded_in_part_the_directory_tells(tmp_path: Path) -> None:
    source = "package main\n\n//go:embed pages\nvar pages embed.FS\n\nfunc main() {}\n"
    files = {"main.go": source, "pages/a.html": "", "mails/x/a.html": "", "b.html": ""}
    assert 'match = ["/b.html", "mails/x/**"]' in found(tmp_path, files).text


@pytest.mark.parametrize(
    ("mod", "command"),
    [
        ("require github.com/a-h/templ v0.3.0\n", "templ generate"),
        (
            "require github.com/a-h/templ v0.3.0\ntool github.com/a-h/templ/cmd/templ\n",
            "go tool templ generate",
        ),
    ],
)
def test_templ_writes_go_first(tmp_path: Path, mod: str, command: str) -> None:
    answer = found(tmp_path, {"main.go": MAIN, "ui/a.templ": "", "go.mod": MOD + mod})
    assert f'match = ["*.templ"]\naction = "command"\ncommand = "{command}"' in answer.text


def test_an_env_file_that_the_program_reads_is_passed(tmp_path: Path) -> None:
    files = {"main.go": MAIN, ".env": "A=1\n"}
    assert "env_files" not in found(tmp_path, files).text
    mod = {"go.mod": MOD + "require github.com/joho/godotenv v1.5.1\n"}
    assert 'env_files = [".env"]' in found(tmp_path, files | mod).text


# The compiler


@pytest.mark.parametrize(
    "files",
    [
        {"go.mod": MOD, "cmd/shop/main.go": MAIN, "app/app.go": "package app\n"},
        {"main.go": MAIN, "more.go": "package main\n"},
        {
            "go.work": "go 1.22\n\nuse ./api\n\nuse ./lib\n",
            "api/go.mod": "module api\n\ngo 1.22\n",
            "api/main.go": MAIN,
            "lib/go.mod": "module lib\n\ngo 1.22\n",
            "lib/lib.go": "package lib\n",
        },
    ],
    ids=["module", "files", "workspace"],
)
def test_the_compiler_takes_the_command(tmp_path: Path, files: dict[str, str], go: str) -> None:
    plant(tmp_path / "work", files)
    answer = detect(str(tmp_path / "work"))
    assert answer is not None
    config = load_text(answer.text, str(tmp_path / "work"))
    assert config.build is not None
    assert isinstance(config.build.command, str)
    assert config.run is not None
    words = config.build.command.replace("go ", f"{go} ", 1)
    script = f"{words} && {config.run.command}"
    subprocess.run(["/bin/sh", "-c", script], cwd=tmp_path / "work", check=True, timeout=60)


@pytest.fixture
def go() -> str:
    """The Go of this environment."""
    from hotrun.project.scaffold import find_tool

    tool = find_tool("go")
    if tool is None:
        pytest.skip("there is no go")
    return tool
