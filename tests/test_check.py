"""`hotrun check`: what a config comes to on this machine, and what would not work there."""

from __future__ import annotations

import json
import os
import socket
import stat
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from oracle import empty_home, put

from hotrun.cli import main
from hotrun.config import load_text
from hotrun.process.session_file import SessionFile
from hotrun.project import schema_file
from hotrun.project.survey import Limit, shortage
from hotrun.project.tools import tools
from hotrun.watch.limits import watches_in_use

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Check = Callable[..., tuple[str, str]]

CONFIG = """\
[watch]
paths = [".", "later"]
exclude = ["*.md"]

[build]
command = "make -j"

[run]
command = "./app"
env_files = [".env"]

[[rule]]
match = ["static/**"]
action = "command"
command = "templ generate {files}"

[profile.debug]
build.command = "make debug"
"""


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A project with a `make` of its own, and we are in it."""
    empty_home(tmp_path, monkeypatch)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    program(str(tmp_path), "bin/make")
    program(str(tmp_path), "bin/templ")
    place = str(tmp_path / "project")
    put(place, "hotrun.toml", CONFIG)
    put(place, "main.c")
    put(place, "README.md")
    put(place, "src/a.c")
    monkeypatch.chdir(place)
    return place


def program(top: str, name: str) -> str:
    path = put(top, name, "#!/bin/sh\n")
    os.chmod(path, stat.S_IRWXU)
    return path


@pytest.fixture
def check(top: str, capsys: pytest.CaptureFixture[str]) -> Check:
    """Run the command; return stdout and stderr."""
    del top

    def run(*words: str, code: int = 0) -> tuple[str, str]:
        assert main(["check", *words]) == code, capsys.readouterr()
        return capsys.readouterr()

    return run


def facts(shown: str) -> dict[str, str]:
    """The lines below the table, by their first word."""
    below = shown.split("\n\n")[1]
    return {line[:10].strip(): line[10:] for line in below.split("\n")}


def answer(check: Check, *words: str, code: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(check("--json", *words, code=code)[0])
    return found


def test_the_table_tells_of_each_value_where_it_is_from(check: Check) -> None:
    lines = check("--profile", "debug", "--set", "run.stop_timeout=1s")[0].split("\n")
    assert lines[:4] == [
        "key                    value                      from",
        'watch.paths            [".", "later"]             hotrun.toml:2',
        "watch.include          []                         default",
        'watch.exclude          ["*.md"]                   hotrun.toml:3',
    ]
    assert (
        'build.command          "make debug"               hotrun.toml:18 (profile debug)' in lines
    )
    assert 'run.stop_timeout       "1s"                       --set' in lines
    assert lines[lines.index("") - 4 : lines.index("")] == [
        'rule[1]                { match = ["static/**"],   hotrun.toml:12',
        '                       action = "command",',
        '                       command = "templ generate',
        '                       {files}" }',
    ]


def test_the_facts_below_it_say_what_it_comes_to(check: Check, top: str) -> None:
    out, err = check()
    shown = facts(out)
    assert {key: shown[key] for key in ("profiles", "roots", "watched", "backend", "tools")} == {
        "profiles": "debug",
        "roots": ".",
        "watched": "3 files in 2 directories",
        "backend": "inotify: the kernel tells of changes",
        "tools": f"make  {os.path.dirname(top)}/bin/make (build.command)",
    }
    assert "          later (not there yet)\n" in out
    assert f"          templ {os.path.dirname(top)}/bin/templ (rule[1].command)\n" in out
    assert "          ./app the build makes it (run.command)\n" in out
    assert out.endswith(f"\n\n{top}/hotrun.toml works, with 1 warning\n")
    assert err == (
        "warning: watch.paths: later does not exist\nhint: it is watched as soon as it is there\n"
    )


def test_no_line_is_wider_than_the_terminal(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    for columns in (80, 120):
        monkeypatch.setenv("COLUMNS", str(columns))
        table = check("--set", f'run.args=["{"long " * 60}", "{"x" * 200}"]')[0].split("\n\n")[0]
        assert max(map(len, table.split("\n"))) <= columns


def test_json_is_one_object_with_everything(check: Check, top: str) -> None:
    found = answer(check)
    assert found["ok"] is True
    assert (found["config"], found["directory"]) == (f"{top}/hotrun.toml", top)
    assert (found["profile"], found["profiles"]) == ("", ["debug"])
    assert found["values"]["build.command"] == {"value": "make -j", "origin": "hotrun.toml:6"}
    assert found["values"]["watch.max_wait"] == {"value": "1s", "origin": "default"}
    assert found["values"]["run.ready"] == {"value": None, "origin": "default"}
    assert found["values"]["rule[1]"]["value"]["match"] == ["static/**"]
    assert found["roots"] == [{"path": ".", "exists": True}, {"path": "later", "exists": False}]
    assert (found["files"], found["directories"]) == (3, 2)
    assert (found["backend"], found["reason"]) == ("inotify", "")
    assert [tool["program"] for tool in found["tools"]] == ["make", "templ", "./app"]
    assert [problem["severity"] for problem in found["problems"]] == ["warning"]


def test_the_limits_are_those_of_the_kernel(check: Check) -> None:
    watches, instances = answer(check)["limits"]
    with open("/proc/sys/fs/inotify/max_user_watches", encoding="ascii") as file:
        assert watches["most"] <= int(file.read())
    assert watches["needed"] == 2
    assert watches["used"] <= watches["most"]
    assert (instances["needed"], watches_in_use() >= 0) == (1, True)


def test_a_limit_that_is_too_low_says_what_helps() -> None:
    limit = Limit("fs.inotify.max_user_watches", 8192, 8000, 400)
    assert limit.short
    counts = "fs.inotify.max_user_watches: 8,000 of 8,192 are in use, and 400 needed here"
    told = shortage(limit, polls=True)
    assert (told.message, told.severity) == (f"{counts}; the rest is polled", "warning")
    assert told.hint.startswith("sudo sysctl ")
    told = shortage(limit, polls=False)
    assert (told.message, told.severity) == (counts, "error")
    assert not limit._replace(needed=192).short


def test_polling_has_its_reason_and_no_limits(check: Check) -> None:
    out, _ = check("--set", "watch.backend=poll")
    assert facts(out)["backend"] == 'polling: watch.backend = "poll"'
    assert "limits" not in facts(out)


def test_a_command_that_is_not_found_fails_with_what_to_do(check: Check) -> None:
    out, err = check("--set", "build.command=no-such-tool x", code=2)
    assert facts(out)["tools"] == "no-such-tool not found (build.command)"
    assert "is fine" not in out
    assert err.endswith(
        "error: build.command: no-such-tool: command not found\n"
        "hint: install no-such-tool, or put its directory on PATH\n"
    )
    found = answer(check, "--set", "build.command=no-such-tool x", code=2)
    assert found["ok"] is False
    assert found["problems"][-1] == {
        "message": "build.command: no-such-tool: command not found",
        "hint": "install no-such-tool, or put its directory on PATH",
        "severity": "error",
    }


def test_every_command_is_looked_at_also_those_beside_the_app(check: Check) -> None:
    sets = ("--set", 'run.before=["no-before"]', "--set", 'run.after=["no-after"]')
    _, err = check(*sets, code=2)
    assert "error: run.before: no-before: command not found\n" in err
    assert "error: run.after: no-after: command not found\n" in err


def test_a_program_that_nobody_builds_has_to_be_there(check: Check, top: str) -> None:
    put(top, "hotrun.toml", '[run]\ncommand = "./app"\n')
    _, err = check(code=2)
    assert err == (
        "error: run.command: ./app does not exist\n"
        "hint: name another file, or say how it is made: build.command\n"
    )
    program(top, "app")
    assert facts(check()[0])["tools"] == f"./app {top}/app (run.command)"


@pytest.mark.parametrize(
    ("command", "what", "hint"),
    [
        ("./nox", "./nox is not executable", "chmod +x ./nox"),
        ("./nox && true", "./nox is not executable", "chmod +x ./nox"),
        ("./src", "./src is a directory", "name a program in it"),
    ],
)
def test_what_cannot_be_executed_is_an_error(
    check: Check, top: str, command: str, what: str, hint: str
) -> None:
    put(top, "hotrun.toml", f'[run]\ncommand = "{command}"\n')
    put(top, "nox", "#!/bin/sh\n")
    out, err = check(code=2)
    assert err == f"error: run.command: {what}\nhint: {hint}\n"
    assert "is fine" not in out


def test_a_build_may_make_executable_what_is_not(check: Check, top: str) -> None:
    put(top, "app", "#!/bin/sh\n")
    put(top, "later/x.c")
    assert check()[1] == "warning: run.command: ./app is not executable\nhint: chmod +x ./app\n"
    os.remove(f"{top}/app")
    os.mkdir(f"{top}/app")
    assert check(code=2)[1].startswith("error: run.command: ./app is a directory\n")


def test_a_working_directory_that_is_not_there_is_an_error(check: Check, top: str) -> None:
    _, err = check("--set", "run.working_directory=web", code=2)
    assert err.endswith(
        f"error: run.working_directory: {top}/web does not exist\n"
        "hint: create it, or name another one\n"
    )


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody (we) listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_that_somebody_holds_is_a_warning_with_who_it_is(check: Check, taken: int) -> None:
    out, err = check("--set", f"run.ready.http=http://127.0.0.1:{taken}/health")
    assert facts(out)["addresses"] == f"127.0.0.1:{taken} is taken (run.ready)"
    assert f"warning: 127.0.0.1:{taken} is held by pid {os.getpid()} (" in err


def test_a_port_that_hotrun_or_the_app_needs_is_an_error_when_a_stranger_holds_it(
    check: Check, taken: int
) -> None:
    """A stranger: no session file of this project tells of the process."""
    listen = ("--set", f'run.listen=["127.0.0.1:{taken}"]')
    out, err = check(*listen, code=2)
    assert "is fine" not in out
    assert f"error: 127.0.0.1:{taken} is held by pid {os.getpid()} (" in err
    ready = ("--set", f"run.ready.http=http://localhost:{taken}/health")
    severities = [each["severity"] for each in answer(check, *listen, *ready, code=2)["problems"]]
    assert severities.count("error") == 2


def test_a_port_that_a_hotrun_of_this_project_holds_is_a_warning(
    check: Check, top: str, taken: int
) -> None:
    pid = os.getpid()
    file = SessionFile(top, f"HOTRUN_SESSION={pid}-{time.time_ns()}")
    try:
        _, err = check("--set", f'run.listen=["127.0.0.1:{taken}"]')
    finally:
        file.close()
    assert f"warning: 127.0.0.1:{taken} is held by pid {pid} (" in err
    assert (
        f"hint: this project runs already (hotrun, pid {pid}): end that before it is run again\n"
    ) in err


def test_a_port_is_read_with_its_variables(check: Check, top: str, taken: int) -> None:
    put(top, ".env", f"PORT={taken}\n")
    found = answer(check, "--set", 'run.listen=["127.0.0.1:${PORT}", "unix:x.sock"]', code=2)
    address = {"address": f"127.0.0.1:{taken}", "key": "run.listen", "taken": True}
    assert found["addresses"] == [address]
    _, err = check("--set", 'run.listen=["127.0.0.1:${NO_SUCH}"]', code=2)
    assert "error: run.listen: 127.0.0.1:${NO_SUCH}: NO_SUCH is not set\n" in err


def test_a_line_of_an_env_file_that_says_nothing_is_a_warning(check: Check, top: str) -> None:
    put(top, ".env", "A=1\nnonsense\n")
    _, err = check()
    assert err.endswith(
        "warning: .env:2: not of the form KEY=value\nhint: the rest of the file counts\n"
    )


NOTHING = "warning: no file is watched\nhint: look at watch.paths, include, exclude and outputs\n"


@pytest.mark.parametrize("choice", ['include=["*.none"]', 'exclude=["**"]', 'paths=["src/b"]'])
def test_nothing_to_watch_is_a_warning(check: Check, top: str, choice: str) -> None:
    os.mkdir(f"{top}/src/b")
    assert check("--set", 'watch.paths=["."]', "--set", f"watch.{choice}")[1] == NOTHING


def test_a_project_that_is_still_empty_has_nothing_to_be_warned_of(
    check: Check, tmp_path: Path
) -> None:
    empty = put(str(tmp_path / "empty"), "hotrun.toml", '[run]\ncommand = "make"\n')
    out, err = check("-C", os.path.dirname(empty))
    assert (out.endswith("/hotrun.toml is fine\n"), err) == (True, "")


def test_sources_of_a_go_program_that_no_root_covers_are_a_warning(check: Check, top: str) -> None:
    put(top, "hotrun.toml", "[build]\ncommand = 'go build -o app .'\nenv = { GOFLAGS = '' }\n")
    put(top, "go.mod", "module m\n\nrequire rep v0.0.0\n\nreplace rep => ../rep\n")
    put(top, "main.go", 'package main\n\nimport _ "rep"\n\nfunc main() {}\n')
    put(top, "../rep/go.mod", "module rep\n")
    put(top, "../rep/r.go", "package r\n")
    assert check()[1] == (
        "warning: the build reads ../rep, which is not watched: an edit there does nothing\n"
        'hint: say so in [watch]: paths = [".", "../rep"]\n'
    )
    assert check("--set", 'watch.paths=[".", "../rep"]')[1] == ""


def test_a_bad_config_is_one_object_too(check: Check, top: str) -> None:
    put(top, "hotrun.toml", "[watch]\nincldue = []\n[build]\ncommand = 7\n")
    found = answer(check, code=2)
    assert found["ok"] is False
    assert [(p["file"], p["line"], p["column"]) for p in found["problems"]] == [
        ("hotrun.toml", 2, 1),
        ("hotrun.toml", 4, 11),
    ]
    out, err = check(code=2)
    assert (out, err.count("error: ")) == ("", 2)


def test_what_the_project_forbids_is_one_object_too(check: Check) -> None:
    found = answer(check, "--set", "build.command='unclosed", code=2)
    assert found["problems"] == [
        {
            "message": "build.command: a quote is not closed",
            "hint": "close the quote, or write a list",
            "file": "--set",
            "line": 0,
            "column": 0,
            "severity": "error",
        }
    ]


def test_an_open_quote_is_pointed_at_in_the_file(check: Check, top: str) -> None:
    put(top, "hotrun.toml", '[run]\ncommand = "x"\nbefore = ["a", "b \'"]\n')
    _, err = check(code=2)
    assert err == (
        "error: hotrun.toml:3:10: run.before: a quote is not closed\n"
        '    before = ["a", "b \'"]\n'
        "             ^^^^^^^^^^^^\n"
        "hint: close the quote, or write a list\n"
    )


def test_the_command_of_a_rule_is_read_before_it_is_needed(check: Check) -> None:
    rule = 'rule=[{match=["*.x"], action="command", command="x {files} \'y"}]'
    _, err = check("--set", rule, code=2)
    assert err == (
        "error: --set: rule[2].command: a quote is not closed\n"
        "hint: close the quote, or write a list\n"
    )


def test_the_command_that_lists_inputs_is_read_too(check: Check) -> None:
    _, err = check("--set", "build.inputs.command=ls 'x", code=2)
    assert err.startswith("error: --set: build.inputs.command: a quote is not closed\n")


def test_colours_are_for_those_who_ask(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    out, err = check("--color", "always")
    assert "\x1b[2mbackend   \x1b[0minotify" in out
    assert err.startswith("\x1b[1;33mwarning:\x1b[0m ")
    assert "\x1b" not in "".join(check())


# Of a command the programs that are looked for.
LINES = [
    ("go build -o app .", ["go"]),
    ("GOGC=off go build -o app .", ["go"]),
    ("templ generate && go build -o app . 2>&1 | tee log", ["templ", "go", "tee"]),
    ("cd web && npm run build", ["npm"]),
    ("cd web && ./node_modules/.bin/vite build", []),
    ("(cd a; make) && exec ./x --y", ["make"]),
    ("A=1 B=2 make >log && strip app", ["make", "strip"]),
    ("echo hi", []),
    ("for x in *; do gcc $x; done", []),
    ("$CC -o app x.c", []),
    ("`which go` build", []),
    ("templ generate {files} && gofmt -l {dirs}", ["templ", "gofmt"]),
    ("'my tool' x", ["my tool"]),
    ("make; # then go", []),
]


@pytest.mark.parametrize(("line", "programs"), LINES)
def test_the_programs_of_a_line_are_read_off_it(
    tmp_path: Path, line: str, programs: list[str]
) -> None:
    text = f"[build]\ncommand = {json.dumps(line)}\n"
    assert [tool.program for tool in tools(load_text(text, str(tmp_path)))] == programs


def test_a_list_is_one_program(tmp_path: Path) -> None:
    text = f'[run]\ncommand = [{json.dumps(sys.executable)}, "a && b"]\n'
    (tool,) = tools(load_text(text, str(tmp_path)))
    assert tool == (sys.executable, "run.command", sys.executable, False, None)


def test_the_path_of_a_command_is_its_own(tmp_path: Path) -> None:
    made = program(str(tmp_path), "bin/mine")
    text = f'[build]\ncommand = "mine"\nenv = {{ PATH = "{tmp_path}/bin" }}\n'
    (tool,) = tools(load_text(text, str(tmp_path)))
    assert tool.path == made


def test_an_empty_file_is_a_valid_config_that_does_nothing(check: Check, top: str) -> None:
    put(top, "hotrun.toml", "")
    out, err = check()
    assert out.endswith("/hotrun.toml works, with 1 warning\n")
    assert err == (
        "warning: hotrun.toml has neither build.command nor run.command\n"
        'hint: say what to do, for example: [run] and below it command = "./app"\n'
    )


@pytest.mark.parametrize("old", [None, "{}"])
def test_the_schema_that_the_first_line_names_is_renewed(
    old: str | None, check: Check, top: str
) -> None:
    put(top, "hotrun.toml", f"{schema_file.FIRST}\n{CONFIG}")
    schema = Path(top, ".hotrun/schema.json")
    if old is not None:
        put(top, ".hotrun/schema.json", old)
    check()
    assert json.loads(schema.read_text(encoding="utf-8"))["properties"]
    assert Path(top, ".hotrun/.gitignore").read_text(encoding="utf-8") == "*\n"
    before = schema.stat()
    check()
    assert schema.stat().st_ino == before.st_ino


def test_a_config_that_names_no_schema_gets_none(check: Check, top: str) -> None:
    put(top, "hotrun.toml", f"{CONFIG}{schema_file.FIRST}\n")
    check()
    assert not Path(top, ".hotrun").exists()


# Options and a variable that stand for one key each


def test_an_option_of_its_own_stands_for_a_key(check: Check) -> None:
    sets = ("--set", "watch.backend=native", "--set", "watch.debounce=1s")
    values = answer(check, *sets, "--debounce", "50ms", "--watch", "poll")["values"]
    assert values["watch.debounce"] == {"value": "50ms", "origin": "--debounce"}
    assert values["watch.backend"] == {"value": "poll", "origin": "--watch"}


def test_a_bad_value_is_told_of_the_option_that_was_typed(check: Check) -> None:
    assert check("--debounce", "50", code=2)[1] == (
        'error: --debounce: "50" needs a unit\nhint: write "50s" or "50ms"\n'
    )


def test_a_variable_stands_for_the_backend(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTRUN_WATCH", "poll")
    profile = ("--profile", "debug")
    assert answer(check, *profile)["values"]["watch.backend"] == {
        "value": "poll",
        "origin": "environment (HOTRUN_WATCH)",
    }
    backend = answer(check, "--set", "watch.backend=native")["values"]["watch.backend"]
    assert backend == {"value": "native", "origin": "--set"}
    monkeypatch.setenv("HOTRUN_WATCH", "")
    assert answer(check)["values"]["watch.backend"]["origin"] == "default"


def test_a_bad_variable_is_named(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTRUN_WATCH", "pol")
    assert check(code=2)[1] == (
        'error: HOTRUN_WATCH: watch.backend must be "auto", "native" or "poll", not "pol"\n'
        'hint: did you mean "poll"?\n'
    )
