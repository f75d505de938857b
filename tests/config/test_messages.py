"""Every message of the checker, word for word."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

import hotrun
from hotrun.config import load, load_text
from hotrun.errors import ConfigErrors, Problem

if TYPE_CHECKING:
    from pathlib import Path


def said(text: str, *sets: str) -> str:
    with pytest.raises(ConfigErrors) as caught:
        load_text(text, "/", sets)
    assert caught.value.exit_code == 2
    return str(caught.value)


def lines(text: str) -> str:
    return dedent(text).strip("\n").replace("VERSION", hotrun.__version__)


def test_all_problems_are_reported_at_once_in_the_order_of_the_file() -> None:
    text = lines("""
        [watch]
        debounce = 50

        [build]
          comand = "go build"
        on_error = "kep"

        [run]
        command = "./app"
        stop_timeout = 5
    """)
    assert said(text, "run.on_exit=again") == lines("""
        error: hotrun.toml:2:12: watch.debounce = 50 needs a unit
            debounce = 50
                       ^^
        hint: write "50s" or "50ms"
        error: hotrun.toml:5:3: unknown key "comand" in [build]
              comand = "go build"
              ^^^^^^
        hint: did you mean "command"?
        error: hotrun.toml:6:12: build.on_error must be "keep" or "stop", not "kep"
            on_error = "kep"
                       ^^^^^
        hint: did you mean "keep"?
        error: hotrun.toml:10:16: run.stop_timeout = 5 needs a unit
            stop_timeout = 5
                           ^
        hint: write "5s" or "5ms"
        error: --set run.on_exit=again: run.on_exit must be "wait", "restart" or "exit", not "again"
        hint: the default is "wait"
    """)


# One line of [build] or [run] (which have a command) to message and hint.
VALUES = [
    # wrong types
    ("build", "command = 5", "build.command must be a string or a list of strings, not a number",
     'for example command = "go build -o app ."'),
    ("build", "command.x = 5", "build.command must be a string or a list of strings, not a table",
     'for example command = "go build -o app ."'),
    ("build", "outputs = 'app'", "build.outputs must be a list of strings, not a string",
     'write outputs = ["app"]'),
    ("build", "outputs = 2024-01-01",
     "build.outputs must be a list of strings, not a date or a time",
     'for example outputs = ["app"]'),
    ("build", "on_error = true", 'build.on_error must be "keep" or "stop", not true',
     'for example on_error = "stop"'),
    ("build", "timeout = []", "build.timeout must be a duration, not a list",
     'for example timeout = "2m"'),
    ("build", "timeout = false", "build.timeout must be a duration, not false",
     'for example timeout = "2m"'),
    ("build", "env = ['A=1']", "build.env must be a table of strings, not a list",
     'for example env = { GOGC = "off" }'),
    ("run", "stop_signal = 15", "run.stop_signal must be the name of a signal, not a number",
     'for example stop_signal = "SIGINT"'),
    ("run", "working_directory = 1.5", "run.working_directory must be a string, not a number",
     'for example working_directory = "web"'),
    ("run", "before = './migrate'", "run.before must be a list of commands, not a string",
     'write before = ["./migrate"]'),
    ("watch", "gitignore = 'true'", "watch.gitignore must be true or false, not a string",
     "write gitignore = true, without the quotes"),
    ("watch", "gitignore = 1", "watch.gitignore must be true or false, not a number",
     "for example gitignore = false"),
    ("watch", "follow_symlinks = 1", "watch.follow_symlinks must be true or false, not a number",
     "for example follow_symlinks = true"),
    ("watch", "debounce = []", 'watch.debounce must be a duration or "auto", not a list',
     'for example debounce = "50ms"'),
    # words
    ("build", "on_busy = 'queue'", 'build.on_busy must be "cancel" or "finish", not "queue"',
     'the default is "cancel"'),
    ("watch", "backend = 'pol'", 'watch.backend must be "auto", "native" or "poll", not "pol"',
     'did you mean "poll"?'),
    ("run", "on_hang = 'dmup'", 'run.on_hang must be "kill" or "dump", not "dmup"',
     'did you mean "dump"?'),
    ("run", "on_hang = 'sigquit'", 'run.on_hang must be "kill" or "dump", not "sigquit"',
     'the default is "kill"'),
    ("run", "on_hang = true", 'run.on_hang must be "kill" or "dump", not true',
     'for example on_hang = "dump"'),
    ("run", "stdin = 'tty'", 'run.stdin must be "null" or "terminal", not "tty"',
     'the default is "null"'),
    # durations
    ("build", "timeout = '-5s'", 'build.timeout = "-5s" is negative', 'write "5s"'),
    ("build", "timeout = '5'", 'build.timeout = "5" needs a unit', 'write "5s" or "5ms"'),
    ("build", "timeout = 1.5", "build.timeout = 1.5 needs a unit", 'write "1.5s" or "1.5ms"'),
    ("build", "timeout = nan", "build.timeout = nan is not a duration",
     'write one number and one unit: "500ms", "5s", "2m" or "1h"'),
    ("build", "timeout = '0s'", 'build.timeout = "0s" is too short, it must be at least 10 ms',
     'for example timeout = "2m"'),
    ("build", "timeout = '9999h'", 'build.timeout = "9999h" is longer than a year',
     'for example timeout = "2m"'),
    ("build", f"timeout = 0x{'f' * 4000}", "build.timeout = a huge number is not a duration",
     'write one number and one unit: "500ms", "5s", "2m" or "1h"'),
    ("watch", "debounce = 'atuo'", 'watch.debounce = "atuo" is not a duration',
     'did you mean "auto"?'),
    # signals
    ("run", "stop_signal = 'SIGTREM'", 'run.stop_signal = "SIGTREM" is not a signal of this system',
     'did you mean "SIGTERM"?'),
    ("run", "stop_signal = 'trem'", 'run.stop_signal = "trem" is not a signal of this system',
     'did you mean "SIGTERM"?'),
    ("run", "stop_signal = '9'", 'run.stop_signal = "9" is not a signal of this system',
     'for example stop_signal = "SIGINT"'),
    ("run", "stop_signal = 'stop'",
     'run.stop_signal = "stop" does not ask a process to end, it pauses one or lets it go on',
     'for example stop_signal = "SIGINT"'),
    ("run", "stop_signal = 'SIGCONT'",
     'run.stop_signal = "SIGCONT" does not ask a process to end, it pauses one or lets it go on',
     'for example stop_signal = "SIGINT"'),
    # commands
    ("build", "command = ' '", "build.command is empty",
     'for example command = "go build -o app ."'),
    ("build", "command = []", "build.command is empty",
     'for example command = "go build -o app ."'),
    ("build", "command = ['', 'x']", "build.command is empty",
     'for example command = "go build -o app ."'),
    ("build", "command = ['x', 5]", "build.command must hold strings, not a number",
     'put it in quotes: "5"'),
    ("run", "before = ['']", "run.before holds an empty command",
     'for example before = ["./migrate up"]'),
    ("run", "after = [['x', true]]", "run.after must hold strings, not true",
     'put it in quotes: "true"'),
    # lists
    ("run", "args = [[]]", "run.args must hold strings, not a list",
     'for example args = ["--verbose"]'),
    ("run", "env_files = ['']", "run.env_files holds an empty string", "remove it"),
    ("watch", "paths = []", "watch.paths is empty", 'for example paths = [".", "../shared"]'),
    ("run", "working_directory = ''", "run.working_directory is empty",
     'write working_directory = ".", or leave it out'),
    # inputs
    ("build", "inputs = 'goo'", 'build.inputs must be a table, "auto", "go" or "globs", not "goo"',
     'did you mean "go"?'),
    ("build", "inputs = 'make'",
     'build.inputs must be a table, "auto", "go" or "globs", not "make"',
     'the default is "auto"'),
    ("build", "inputs = 'build/app.d'",
     'build.inputs must be a table, "auto", "go" or "globs", not "build/app.d"',
     'write inputs = { depfile = "build/app.d" }'),
    ("build", "inputs = 'git ls-files'",
     'build.inputs must be a table, "auto", "go" or "globs", not "git ls-files"',
     'write inputs = { command = "git ls-files" }'),
    ("build", "inputs = ['a.d']",
     'build.inputs must be a table, "auto", "go" or "globs", not a list',
     'for example inputs = { depfile = "build/*.d" }'),
    ("build", "inputs = {}", "build.inputs takes one of command and depfile, not none",
     'for example inputs = { depfile = "build/*.d" }'),
    ("build", "inputs = { command = 'x', depfile = 'y' }",
     "build.inputs takes one of command and depfile, not command and depfile",
     "keep one of them"),
    ("build", "inputs.depfle = 'y'", 'unknown key "depfle" in [build.inputs]',
     'did you mean "depfile"?'),
    ("build", "inputs.deps = 'y'", 'unknown key "deps" in [build.inputs]',
     'did you mean "depfile"? for example inputs = { depfile = "build/*.d" }'),
    ("build", "inputs.xyzzy = 'y'", 'unknown key "xyzzy" in [build.inputs]',
     "the keys of [build.inputs] are command and depfile"),
    ("build", "inputs.depfile = 5",
     "build.inputs.depfile must be a string or a list of strings, not a number",
     'for example depfile = "build/*.d"'),
    ("build", "inputs.depfile = []", "build.inputs.depfile is empty",
     'for example depfile = "build/*.d"'),
    ("build", "inputs.depfile = ' '", "build.inputs.depfile is empty",
     'for example depfile = "build/*.d"'),
    ("build", "inputs.depfile = ['x', 5]", "build.inputs.depfile must hold strings, not a number",
     'put it in quotes: "5"'),
    ("build", "inputs.command = ''", "build.inputs.command is empty",
     'for example command = "git ls-files src"'),
    # variables
    ("run", "env.PORT = 8080", "run.env.PORT must be a string, not a number",
     'put it in quotes: PORT = "8080"'),
    ("run", "env.'a b' = true", 'run.env."a b" must be a string, not true',
     'put it in quotes: "a b" = "true"'),
    ("run", "env.A.B = '1'", "run.env.A must be a string, not a table",
     'for example env = { PORT = "8080" }'),
    ("run", "env = { 'A=B' = '1' }", '"A=B" in run.env cannot be the name of a variable',
     'a name is not empty, and holds no "=" and no NUL'),
    ("run", "env = { '' = '1' }", '"" in run.env cannot be the name of a variable',
     'a name is not empty, and holds no "=" and no NUL'),
    # NUL
    ("run", r'args = ["a\u0000"]', "run.args holds a NUL character",
     "no path, argument or variable can hold one: remove it"),
    ("build", r'command = "a\u0000"', "build.command holds a NUL character",
     "no path, argument or variable can hold one: remove it"),
    ("run", r'working_directory = "a\u0000"', "run.working_directory holds a NUL character",
     "no path, argument or variable can hold one: remove it"),
    ("run", r'env.A = "a\u0000"', "run.env holds a NUL character",
     "no path, argument or variable can hold one: remove it"),
    # unknown keys
    ("build", "cmd = 'x'", 'unknown key "cmd" in [build]', 'did you mean "command"?'),
    ("watch", "exclude_dir = []", 'unknown key "exclude_dir" in [watch]',
     'did you mean "exclude"?'),
    ("watch", "args = []", 'unknown key "args" in [watch]', "it belongs in [run]"),
    ("watch", "env = {}", 'unknown key "env" in [watch]', "it belongs in [build] or [run]"),
    ("watch", "cwd = 'x'", 'unknown key "cwd" in [watch]',
     'did you mean "working_directory" in [run]?'),
    ("watch", "CWD = 'x'", 'unknown key "CWD" in [watch]',
     'did you mean "working_directory" in [run]?'),
    ("run", "Stop-Timeout = '5s'", 'unknown key "Stop-Timeout" in [run]',
     'did you mean "stop_timeout"?'),
    ("run", "port = 8080", 'unknown key "port" in [run]', 'did you mean "env" or "listen"?'),
    ("build", "port = 8080", 'unknown key "port" in [build]',
     'did you mean "env" or "listen" in [run]?'),
    ("build", "listen = []", 'unknown key "listen" in [build]', "it belongs in [run]"),
    # What air calls the program is what runs, and no name for what the build makes.
    ("build", "bin = './tmp/main'", 'unknown key "bin" in [build]',
     'did you mean "command" in [run]?'),
    ("run", "entrypoint = './x'", 'unknown key "entrypoint" in [run]', 'did you mean "command"?'),
    ("run", "health = 'x'", 'unknown key "health" in [run]', 'did you mean "ready"?'),
    ("run", "on_hnag = 'dump'", 'unknown key "on_hnag" in [run]', 'did you mean "on_hang"?'),
    ("build", "CMD = 'x'", 'unknown key "CMD" in [build]', 'did you mean "command"?'),
    ("run", "enviroment = {}", 'unknown key "enviroment" in [run]', 'did you mean "env"?'),
    ("build", "stop_timout = '5s'", 'unknown key "stop_timout" in [build]',
     'did you mean "stop_timeout" in [run]?'),
    ("run", "match = ['x']", 'unknown key "match" in [run]', "it belongs in [[rule]]"),
    ("build", "depfile = 'x.d'", 'unknown key "depfile" in [build]', 'did you mean "inputs"?'),
    ("build", "xyzzy = 1", 'unknown key "xyzzy" in [build]',
     "the keys of [build] are command, env, outputs, inputs, on_error, on_busy and timeout"),
    ("build", r'"\u001b[31m\"" = 1', r'unknown key "\x1b[31m\"" in [build]',
     "the keys of [build] are command, env, outputs, inputs, on_error, on_busy and timeout"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "line", "message", "hint"), VALUES)
def test_a_bad_line_is_told(table: str, line: str, message: str, hint: str) -> None:
    needed = "" if table == "watch" or line.startswith("command") else "command = 'x'\n"
    with pytest.raises(ConfigErrors) as caught:
        load_text(f"[{table}]\n{needed}{line}\n", "/")
    assert caught.value.problems[0].message == message
    assert caught.value.problems[0].hint == hint.replace("VERSION", hotrun.__version__)
    assert caught.value.problems[0].line == (3 if needed else 2)


# A whole file to message and hint.
FILES = [
    ("debounce = '1s'", 'unknown key "debounce" outside of a table', "it belongs in [watch]"),
    ("command = 'x'", 'unknown key "command" outside of a table', "it belongs in [build] or [run]"),
    ("cmd = 'x'", 'unknown key "cmd" outside of a table',
     'did you mean "command" in [build] or [run]?'),
    ("debonce = '1s'", 'unknown key "debonce" outside of a table',
     'did you mean "debounce" in [watch]?'),
    ("port = 80", 'unknown key "port" outside of a table',
     'did you mean "env" or "listen" in [run]?'),
    ("[ready]", 'unknown key "ready" outside of a table', "it belongs in [run]"),
    ("xyzzy = 1", 'unknown key "xyzzy" outside of a table',
     "the keys stand in the tables [watch], [build], [run] and [[rule]]"),
    ("[env]", 'unknown key "env" outside of a table', "it belongs in [build] or [run]"),
    ("[biuld]", "unknown table [biuld]", "did you mean [build]?"),
    ("[[rules]]", "unknown table [rules]", "did you mean [[rule]]?"),
    ("[profil.debug]", "unknown table [profil]", "did you mean [profile.NAME]?"),
    ("[xyzzy]", "unknown table [xyzzy]",
     "the tables are [watch], [build], [run], [[rule]], [profile.NAME] and [platform.NAME]"),
    ("build = 'make'", "build must be a table, not a string",
     "write [build], and its keys on the lines below"),
    ("[[build]]", "[[build]] is a list of tables", "write [build], once"),
    ("[build]", "[build] has no command",
     'add command = "go build -o app .", or remove the table'),
    ("run.args = []", "[run] has no command", 'add command = "./app", or remove the table'),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message", "hint"), FILES)
def test_a_bad_file_is_told(text: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        load_text(text, "/")
    (problem,) = caught.value.problems
    assert problem.message == message
    assert problem.hint == hint.replace("VERSION", hotrun.__version__)
    assert problem.line == 1


OPTIONS = [
    ("build.comand=make", 'unknown key "comand" in [build]', 'did you mean "command"?'),
    ("run.stop_timeout=5", "run.stop_timeout = 5 needs a unit", 'write "5s" or "5ms"'),
    ("debounce=5ms", 'unknown key "debounce" outside of a table', "did you mean watch.debounce?"),
    ("cmd=x", 'unknown key "cmd" outside of a table', "did you mean build.command or run.command?"),
    ("run.env.PORT=8080", "run.env.PORT must be a string, not a number",
     "put it in quotes: --set 'run.env.PORT=\"8080\"'"),
    ("build.outputs=app", "build.outputs must be a list of strings, not a string",
     """write --set 'build.outputs=["app"]'"""),
    ("watch.include=[*.js]", "watch.include must be a list of strings, not a string",
     """write --set 'watch.include=["*.js"]'"""),
    ("watch.include=[*.js, '*.{ts,tsx}']", "watch.include must be a list of strings, not a string",
     """write --set 'watch.include=["*.js", "*.{ts,tsx}"]'"""),
    ("run.listen=[:8080]", "run.listen must be a list of addresses, not a string",
     """write --set 'run.listen=[":8080"]'"""),
    ("build=make", "build must be a table, not a string",
     "set its keys one by one: command, env, outputs, inputs, on_error, on_busy and timeout"),
    ("profile=x", "profile must hold tables, not a string",
     "write [profile.NAME], and below it what is different"),
    ("build.inputs=x.d", 'build.inputs must be a table, "auto", "go" or "globs", not "x.d"',
     """write --set 'build.inputs={ depfile = "x.d" }'"""),
    ("build.command=", "build.command is empty", 'for example command = "go build -o app ."'),
    ("nonsense", "this sets nothing", "write KEY=VALUE, for example --set run.stop_timeout=10s"),
    ("=x", "this sets nothing", "write KEY=VALUE, for example --set run.stop_timeout=10s"),
    ("", "this sets nothing", "write KEY=VALUE, for example --set run.stop_timeout=10s"),
    ("a b=x", "this sets nothing", "write KEY=VALUE, for example --set run.stop_timeout=10s"),
    ("[build]\ntimeout=5s", "this sets nothing",
     "write KEY=VALUE, for example --set run.stop_timeout=10s"),
    ("x\ny=2", "this sets nothing", "write KEY=VALUE, for example --set run.stop_timeout=10s"),
]  # fmt: skip


@pytest.mark.parametrize(("option", "message", "hint"), OPTIONS)
def test_a_bad_option_is_told(option: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        load_text("[build]\ncommand='x'\n[run]\ncommand='x'", "/", [option])
    (problem,) = caught.value.problems
    assert problem.message == message
    assert problem.hint == hint.replace("VERSION", hotrun.__version__)
    assert problem.file == f"--set {option}"


def test_a_table_that_only_an_option_names_needs_a_command_too() -> None:
    assert said("", "run.args=['x']") == lines("""
        error: --set run.args=['x']: [run] has no command
        hint: add command = "./app", or remove the table
    """)


def test_a_misspelt_command_is_not_missing_too() -> None:
    assert said("[build]\ncomand = 'x'").count("error:") == 1


def test_a_bad_command_is_not_missing_too() -> None:
    assert said("[build]\ncommand = 5").count("error:") == 1


def test_a_missing_command_is_reported_beside_other_problems() -> None:
    text = said("[build]\ntimeout = 5")
    assert "[build] has no command" in text
    assert "build.timeout = 5 needs a unit" in text


def test_every_bad_element_of_a_list_is_pointed_at() -> None:
    assert said('[run]\ncommand = "x"\nargs = ["a", 5,\n  6]') == lines("""
        error: hotrun.toml:3:14: run.args must hold strings, not a number
            args = ["a", 5,
                         ^
        hint: put it in quotes: "5"
        error: hotrun.toml:4:3: run.args must hold strings, not a number
              6]
              ^
        hint: put it in quotes: "6"
    """)


def test_a_pyproject_is_spoken_of_with_its_tables(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[tool.hotrun]\ndebounce = 1\n[tool.hotrun.build]\ncomand = 'x'\n"
        "[tool.hotrun.biuld]\n[tool.hotrun.run]\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigErrors) as caught:
        load(None, str(tmp_path))
    assert str(caught.value) == lines("""
        error: pyproject.toml:2:1: unknown key "debounce" outside of a table
            debounce = 1
            ^^^^^^^^
        hint: it belongs in [tool.hotrun.watch]
        error: pyproject.toml:4:1: unknown key "comand" in [tool.hotrun.build]
            comand = 'x'
            ^^^^^^
        hint: did you mean "command"?
        error: pyproject.toml:5:14: unknown table [tool.hotrun.biuld]
            [tool.hotrun.biuld]
                         ^^^^^
        hint: did you mean [tool.hotrun.build]?
        error: pyproject.toml:6:14: [tool.hotrun.run] has no command
            [tool.hotrun.run]
                         ^^^
        hint: add command = "./app", or remove the table
    """)


# Not TOML

SYNTAX = [
    ("[build]\ncommand = make\n", 2, 11, "this is not TOML: invalid value",
     'text needs quotes: command = "make"'),
    ("command 'x'\n", 1, 9, "this is not TOML: expected '=' after a key in a key/value pair",
     'a line reads: key = "value"'),
    ("[build\n", 1, 7, "this is not TOML: the ] is missing",
     "write [build] on a line of its own"),
    ("[my table]\n", 1, 4, "this is not TOML: the name of a table ends before its ]",
     "a name is of letters, digits, _ and -; others stand in quotes"),
    ("[run", 1, 5, "this is not TOML: the ] is missing",
     "write [run] on a line of its own"),
    ("\n  [[rule # x\n", 2, 9, "this is not TOML: the ]] is missing",
     "write [[rule]] on a line of its own"),
    ('a = "x\nb = 1\n', 1, 7, r"this is not TOML: illegal character '\n'",
     "close the quotes on the same line"),
    ("a = 1\nb = 'x\nc = 1\n", 2, 5, "this is not TOML: nothing closes these quotes",
     "close the quotes"),
    ('a = 1\nb = """x\nc = 1\n', 2, 5, "this is not TOML: nothing closes these quotes",
     "close the quotes"),
    ("a = ['x',\n", 1, 10, "this is not TOML: invalid value",
     "a value, a quote or a bracket is missing at the end of the file"),
    ("a = 5 b = 6", 1, 7, "this is not TOML: expected newline or end of document after a statement",
     "write each key = value on a line of its own"),
    ('a = "C:\\app"', 1, 10, "this is not TOML: unescaped '\\' in a string",
     "in single quotes a backslash is a plain character: 'C:\\app'"),
    ("run.stop_timeout = 5s", 1, 21,
     "this is not TOML: expected newline or end of document after a statement",
     'text needs quotes: "5s"'),
    ("run.listen = [':1', 127.0.0.1:80]", 1, 26, "this is not TOML: unclosed array",
     'text needs quotes: "127.0.0.1:80"'),
    ("run.ready = {timeout = 30s}", 1, 26, "this is not TOML: unclosed inline table",
     'text needs quotes: "30s"'),
    ("a = [1 2]", 1, 8, "this is not TOML: unclosed array",
     "values are parted by commas, and ] ends the list"),
    ("a = {b=1 c=2}", 1, 10, "this is not TOML: unclosed inline table",
     "keys are parted by commas, and } ends the table on the same line"),
    ("=1", 1, 1, "this is not TOML: invalid statement", "the rules of TOML are at https://toml.io"),
    (f"a = {'9' * 5000}", 0, 0, "a number is too long", "no key of hotrun holds a number"),
    (f"a = {'[' * 5000}", 0, 0, "nested too deeply",
     "no key of hotrun needs more than a list in a list"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "column", "message", "hint"), SYNTAX)
def test_what_is_not_toml_is_told(
    text: str, line: int, column: int, message: str, hint: str
) -> None:
    with pytest.raises(ConfigErrors) as caught:
        load_text(text, "/")
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (line, column)
    assert (problem.message, problem.hint) == (message, hint)


def test_what_is_written_twice_is_underlined() -> None:
    assert said("[run]\ncommand = 'a'\r\n  command = 'b'  # again\r\n") == lines("""
        error: hotrun.toml:3:3: this key or table is there already
              command = 'b'  # again
              ^^^^^^^^^^^^^
        hint: write each key and each [table] once
    """)


# Carets


def carets(source: str, column: int, span: int) -> list[str]:
    return str(Problem("m", "", "f", 1, column, source, span)).split("\n")[1:]


def test_tabs_and_wide_characters_keep_the_carets_below_what_they_mean() -> None:
    assert carets("\ta = 1", 2, 1) == ["    \ta = 1", "    \t^"]
    assert carets("'表' = 'é\u0301表'", 7, 3) == ["    '表' = 'é\u0301表'", "           ^^"]


def test_a_long_line_is_cut_around_the_carets() -> None:
    shown, below = carets("x" * 1000 + "HERE" + "y" * 1000, 1001, 4)
    assert shown == "    " + "x" * 60 + "HERE" + "y" * 60
    assert below == "    " + " " * 60 + "^^^^"


def test_a_long_value_is_not_underlined_for_ever() -> None:
    shown, below = carets("a = " + "z" * 1000, 5, 1000)
    assert len(shown) == len(below) == 4 + 180


def test_what_would_steer_the_terminal_is_not_shown() -> None:
    assert said("a\x1b[31m = 1").split("\n")[1] == "    a\ufffd[31m = 1"
    assert "\x1b" not in said("", "a\x1b[31m=1")


def test_a_long_value_is_cut_in_messages() -> None:
    assert f'= "{"x" * 40}..." is not a duration' in said(f"[watch]\nmax_wait = '{'x' * 999}'")


def test_the_first_problem_is_the_message_of_the_error() -> None:
    with pytest.raises(ConfigErrors) as caught:
        load_text("a = 1\nb = 1", "/")
    assert caught.value.message == 'hotrun.toml:1:1: unknown key "a" outside of a table'
    assert len(caught.value.problems) == 2
