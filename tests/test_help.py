"""What is said of a command line that asks for help, or that is wrong: verbatim."""

# ruff: noqa: E501 - a table is read by line

from __future__ import annotations

import contextlib
import shlex
import socket
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from hotrun.cli import COMMANDS, load, main, meant, mistakes

ROWS, COLUMNS = 24 - 1, 80  # the last row is the prompt's


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """Where the commands are typed: a Go project with two programs, and some scripts."""
    for name in ("main.go", "go.mod", "cmd/x/main.go", "api/hotrun.toml", "app.py", "server.js"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "app").touch(mode=0o755)
    with contextlib.chdir(tmp_path):
        yield tmp_path


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(words)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


# --- help ---


def test_hotrun_alone_shows_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys)
    assert (code, err) == (0, "")
    assert said(capsys, "--help") == (0, out, "")
    assert said(capsys, "-h") == (0, out, "")
    listed = out.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in listed[: len(COMMANDS)]] == [*COMMANDS]


@pytest.mark.parametrize("words", [(), *((name,) for name in COMMANDS)], ids=" ".join)
def test_every_help_fits_a_screen_and_has_an_example(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(COLUMNS))
    code, out, err = said(capsys, *words, "--help")
    assert (code, err) == (0, "")
    assert out == said(capsys, *words, "-h")[1]
    lines = out.splitlines()
    assert len(lines) <= ROWS
    assert max(map(len, lines)) <= COLUMNS
    assert f"  Example: hotrun {' '.join(words)}".rstrip() in lines[-1]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_does(name: str) -> None:
    for param in load(name).params:
        if isinstance(param, click.Option):
            text = (param.help or "").partition("  [")[0]
            assert text.endswith("."), param.name


def test_the_example_of_a_command_is_one_that_it_takes() -> None:
    for name in COMMANDS:
        example = (load(name).epilog or "").replace("\b", "").strip().removeprefix("Example: ")
        words = shlex.split(example.partition(" > ")[0])
        assert words[:2] == ["hotrun", name]
        load(name).make_context(name, words[2:])


def test_help_is_a_word_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "help") == said(capsys, "--help")
    for name in COMMANDS:
        assert said(capsys, "help", name) == said(capsys, name, "--help")


# --- what is wrong ---

RUN_SET = "hotrun run --set"
WRONG = [
    # commands
    ("rnu", 'unknown command "rnu"', 'did you mean "run"?'),
    ("rn", 'unknown command "rn"', 'did you mean "run"?'),
    ("RUN", 'unknown command "RUN"', 'did you mean "run"?'),
    ("chekc", 'unknown command "chekc"', 'did you mean "check"?'),
    ("sm", 'unknown command "sm"', 'did you mean "smoke"?'),
    ("e", 'unknown command "e"', 'did you mean "explain" or "events"?'),
    ("zzz", 'unknown command "zzz"', "`hotrun --help` lists the commands"),
    ("''", 'unknown command ""', "`hotrun --help` lists the commands"),
    ("'a\x1b[2J'", 'unknown command "a\\x1b[2J"', "`hotrun --help` lists the commands"),
    ("help rnu", 'unknown command "help"', 'did you mean "hotrun --help"?'),
    ("list", 'unknown command "list"', 'did you mean "hotrun new --list"?'),
    ("version", 'unknown command "version"', 'did you mean "hotrun --version"?'),
    # other tools' words
    ("start", 'unknown command "start"', 'did you mean "run"?'),
    ("dev", 'unknown command "dev"', 'did you mean "run"?'),
    ("watch", 'unknown command "watch"', 'did you mean "run"?'),
    ("serve", 'unknown command "serve"', 'did you mean "run"?'),
    ("create app", 'unknown command "create"', 'did you mean "new"?'),
    ("scaffold", 'unknown command "scaffold"', 'did you mean "new"?'),
    ("validate", 'unknown command "validate"', 'did you mean "check"?'),
    ("config", 'unknown command "config"', 'did you mean "check"?'),
    ("doctor", 'unknown command "doctor"', 'did you mean "check"?'),
    ("why main.go", 'unknown command "why"', 'did you mean "explain"?'),
    ("ps", 'unknown command "ps"', 'did you mean "leftovers"?'),
    ("kill-stale", 'unknown command "kill-stale"', 'did you mean "leftovers"?'),
    ("test", 'unknown command "test"', 'did you mean "smoke"?'),
    ("wacth", 'unknown command "wacth"', 'did you mean "run"?'),
    # paths and programs
    ("main.go", 'unknown command "main.go"', "`hotrun run` builds and runs the project here"),
    (".", 'unknown command "."', "`hotrun run` builds and runs the project here"),
    ("./cmd/x", 'unknown command "./cmd/x"', f"did you mean \"{RUN_SET} 'build.command=go build -o app ./cmd/x' --set run.command=./app\"?"),
    ("cmd/x/main.go", 'unknown command "cmd/x/main.go"', f"did you mean \"{RUN_SET} 'build.command=go build -o app ./cmd/x' --set run.command=./app\"?"),
    ("api", 'unknown command "api"', 'did you mean "hotrun run -C api"?'),
    ("api/hotrun.toml", 'unknown command "api/hotrun.toml"', 'did you mean "hotrun run -c api/hotrun.toml"?'),
    ("app.py", 'unknown command "app.py"', f"did you mean \"{RUN_SET} 'run.command=python3 app.py'\"?"),
    ("server.js", 'unknown command "server.js"', f"did you mean \"{RUN_SET} 'run.command=node server.js'\"?"),
    ("app", 'unknown command "app"', f'did you mean "{RUN_SET} run.command=./app"?'),
    ("./gone", 'unknown command "./gone"', "`hotrun run -C DIR` runs the project of a directory"),
    ("make all", 'unknown command "make"', f"did you mean \"{RUN_SET} 'build.command=make all'\"?"),
    ("go build -o x .", 'unknown command "go"', f"did you mean \"{RUN_SET} 'build.command=go build -o x .'\"?"),
    ("go run .", 'unknown command "go"', "`hotrun run` builds and runs the project here"),
    ("go run ./cmd/x", 'unknown command "go"', f"did you mean \"{RUN_SET} 'build.command=go build -o app ./cmd/x' --set run.command=./app\"?"),
    ("python app.py", 'unknown command "python"', f"did you mean \"{RUN_SET} 'run.command=python app.py'\"?"),
    # options of no command
    ("--once", "unknown option --once", 'did you mean "hotrun run --once"?'),
    ("-v", "unknown option -v", 'did you mean "hotrun run -v"?'),
    ("-c x.toml", "unknown option -c", 'did you mean "hotrun run -c x.toml"?'),
    ("--json run", "unknown option --json", 'did you mean "hotrun run --json"?'),
    ("--json check", "unknown option --json", 'did you mean "hotrun check --json"?'),
    ("--stop", "unknown option --stop", 'did you mean "hotrun leftovers --stop"?'),
    ("--degug", "unknown option --degug", 'did you mean "hotrun run --verbose"?'),
    ("--debug", "unknown option --debug", 'did you mean "hotrun run --verbose"?'),
    ("--verbos", "unknown option --verbos", 'did you mean "hotrun run --verbose"?'),
    ("--versoin", "unknown option --versoin", 'did you mean "--version"?'),
    ("-V", "unknown option -V", 'did you mean "--version"?'),
    ("-x", "unknown option -x", "`hotrun --help` shows what is possible"),
    ("--zzz", "unknown option --zzz", "`hotrun --help` shows what is possible"),
    # options of a command
    ("run --verbos", "unknown option --verbos", 'did you mean "--verbose"?'),
    ("run -verbose", "unknown option -verbose", 'did you mean "--verbose"?'),
    ("run --no-key", "unknown option --no-key", 'did you mean "--no-keys"?'),
    ("run --prof x", "unknown option --prof", 'did you mean "--profile"?'),
    ("run --dir x", "unknown option --dir", 'did you mean "--directory"?'),
    ("run -Q", "unknown option -Q", 'did you mean "-q"?'),
    ("run -f x.toml", "unknown option -f", 'did you mean "-c"?'),
    ("run --poll", "unknown option --poll", "write --watch poll"),
    ("run --exclude x", "unknown option --exclude", "write --set 'watch.exclude=[\"GLOB\"]'"),
    ("run --port 80", "unknown option --port", "what the app gets stands behind --: hotrun run -- --port 80"),
    ("run --port=80 -v", "unknown option --port", "what the app gets stands behind --: hotrun run -- --port=80"),
    ("run --port 80 -- x", "unknown option --port", "what the app gets stands behind --: hotrun run -- --port 80 x"),
    ("run --set build.command=go build -o app . --set run.command=./app", "unknown option -o", f"did you mean \"{RUN_SET} 'build.command=go build -o app .' --set run.command=./app\"?"),
    ("run --set run.command=./app -p 80 --once", "unknown option -p", f"did you mean \"{RUN_SET} 'run.command=./app -p 80' --once\"?"),
    ("run --set watch.debounce=1s --port 80", "unknown option --port", "what the app gets stands behind --: hotrun run -- --port 80"),
    ("run node --trace-warnings app.js", "unknown option --trace-warnings", f"did you mean \"{RUN_SET} 'run.command=node --trace-warnings app.js'\"?"),
    ("run -vx", "unknown option -x", "what the app gets stands behind --: hotrun run -- -x"),
    ("check --once", "unknown option --once", "--once is an option of run"),
    ("check --zzz", "unknown option --zzz", "`hotrun check --help` shows what is possible"),
    ("new --lits", "unknown option --lits", 'did you mean "--list"?'),
    # values
    ("run --watch pol", '--watch must be "auto", "native" or "poll", not "pol"', 'did you mean "poll"?'),
    ("run --color=sometimes", '--color must be "auto", "always" or "never", not "sometimes"', 'the default is "auto"'),
    ("run --watch inotfy", '--watch must be "auto", "native" or "poll", not "inotfy"', 'did you mean "native"?'),
    ("run --watch zzz", '--watch must be "auto", "native" or "poll", not "zzz"', "--watch auto|native|poll: How changes are noticed."),
    ("completion tcsh", 'SHELL must be "bash", "zsh" or "fish", not "tcsh"', 'for example: hotrun completion zsh > "${fpath[1]}/_hotrun"'),
    ("completion zhs", 'SHELL must be "bash", "zsh" or "fish", not "zhs"', 'did you mean "zsh"?'),
    ("run --debounce", "--debounce needs a value", "--debounce TIME: Quiet before a build: 50ms, 0ms, or auto."),
    ("run --watch", "--watch needs a value", "--watch auto|native|poll: How changes are noticed."),
    ("run -c", "-c needs a value", "-c FILE: Instead of hotrun.toml."),
    ("run --once=1", "--once takes no value", "leave out what follows the ="),
    # arguments
    ("completion", "SHELL is missing", 'for example: hotrun completion zsh > "${fpath[1]}/_hotrun"'),
    ("explain", "PATH is missing", "for example: hotrun explain main.go dist/ .env"),
    ("new", "NAME is missing", "for example: hotrun new my-app -t python"),
    ("new a b", 'unexpected argument "b"', "for example: hotrun new my-app -t python"),
    ("check api", 'unexpected argument "api"', 'did you mean "hotrun check -C api"?'),
    ("check x.toml", 'unexpected argument "x.toml"', 'did you mean "hotrun check -c x.toml"?'),
    ("check help", 'unexpected argument "help"', 'did you mean "hotrun check --help"?'),
    ("leftovers 'a b'", 'unexpected argument "a b"', "for example: hotrun leftovers --stop"),
    # arguments of the app
    ("run x", 'unexpected argument "x"', "what the app gets stands behind --: hotrun run -- x"),
    ("run -v 'a b'", 'unexpected argument "a b"', "what the app gets stands behind --: hotrun run -- 'a b'"),
    ("run --watch poll x -- y", 'unexpected argument "x"', "what the app gets stands behind --: hotrun run -- x"),
    ("run main.go", 'unexpected argument "main.go"', "`hotrun run` builds and runs the project here"),
    ("run ./cmd/x", 'unexpected argument "./cmd/x"', f"did you mean \"{RUN_SET} 'build.command=go build -o app ./cmd/x' --set run.command=./app\"?"),
    ("run api", 'unexpected argument "api"', 'did you mean "hotrun run -C api"?'),
    ("run api/hotrun.toml", 'unexpected argument "api/hotrun.toml"', 'did you mean "hotrun run -c api/hotrun.toml"?'),
    ("run node app.js", 'unexpected argument "node"', f"did you mean \"{RUN_SET} 'run.command=node app.js'\"?"),
    ("run npm start", 'unexpected argument "npm"', f"did you mean \"{RUN_SET} 'run.command=npm start'\"?"),
    ("run npm start -- -x", 'unexpected argument "npm"', f"did you mean \"{RUN_SET} 'run.command=npm start -- -x'\"?"),
    ("run env A=1 ./x", 'unexpected argument "env"', f"did you mean \"{RUN_SET} 'run.command=env A=1 ./x'\"?"),
    ("run make", 'unexpected argument "make"', f'did you mean "{RUN_SET} build.command=make"?'),
    ("run test", 'unexpected argument "test"', "what the app gets stands behind --: hotrun run -- test"),
    ("run --set run.command=node app.js", 'unexpected argument "app.js"', f"did you mean \"{RUN_SET} 'run.command=node app.js'\"?"),
    ("run --set run.command=node app.js -- -x", 'unexpected argument "app.js"', f"did you mean \"{RUN_SET} 'run.command=node app.js' -- -x\"?"),
    ("run check", 'unexpected argument "check"', 'did you mean "hotrun check"?'),
    ("run help", 'unexpected argument "help"', 'did you mean "hotrun run --help"?'),
]  # fmt: skip


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(("line", "message", "hint"), WRONG, ids=[row[0] for row in WRONG])
def test_what_is_wrong_is_named_and_what_was_meant(
    line: str, message: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = said(capsys, *shlex.split(line))
    assert err == f"error: {message}\nhint: {hint}\n"
    assert (code, out) == (2, "")


def typos(word: str, start: int = 0) -> set[str]:
    """A word with two letters swapped, one left out, one doubled, one of another kind."""
    found = {word[:n] + word[n + 1] + word[n] + word[n + 2 :] for n in range(start, len(word) - 1)}
    for n in range(start, len(word)):
        before, char, after = word[:n], word[n], word[n + 1 :]
        found |= {before + after, before + char + char + after, f"{before}x{after}"}
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_a_slip_of_the_finger_is_understood(name: str) -> None:
    for typo in typos(name) - {*COMMANDS}:
        assert f'"{name}"' in meant.hint([typo])
    own = {*mistakes._options(name)}
    for option in (word for word in own if word.startswith("--")):
        for typo in typos(option, 2) - own:
            assert mistakes._near(typo, own) == option


def test_a_position_in_a_message_is_a_link(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "api/hotrun.toml").write_text("[bild]\n")
    monkeypatch.setenv("FORCE_HYPERLINK", "0")
    plain = said(capsys, "check", "-c", "api/hotrun.toml")
    monkeypatch.setenv("FORCE_HYPERLINK", "1")
    code, out, err = said(capsys, "check", "-c", "api/hotrun.toml")
    url = f"file://{socket.gethostname()}{place}/api/hotrun.toml"
    link = f"\x1b]8;;{url}\x1b\\api/hotrun.toml:1:2\x1b]8;;\x1b\\"
    assert err.startswith(f"error: {link}: ")
    assert (code, out, err.replace(link, "api/hotrun.toml:1:2")) == plain


def test_an_alias_stands_for_a_command_that_is_there() -> None:
    assert {*meant.ALIASES} == {*COMMANDS}
    for name, aliases in meant.ALIASES.items():
        assert not {*aliases.split()} & {*COMMANDS}, name


def test_an_alias_of_an_option_stands_for_one_that_is_there() -> None:
    options = {word for name in COMMANDS for param in load(name).params for word in param.opts}
    for alias, there in mistakes.ALIASES.items():
        assert there.split()[0] in {*options, "--version"}, alias
        assert alias not in options
