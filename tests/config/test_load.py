from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from hotrun.config import Build, Inputs, Ready, Run, Watch, load, load_text
from hotrun.errors import ConfigError, ConfigErrors, NoConfigError

FULL = """\
[watch]
paths = [".", "../shared"]
include = ["*.go"]
exclude = ["*_test.go"]
gitignore = false
backend = "poll"
poll_interval = "2s"
debounce = "50ms"
max_wait = "3s"
follow_symlinks = false
unchanged = "build"

[build]
command = ["go", "build"]
env = { GOGC = "off" }
outputs = ["app"]
inputs = { depfile = ["build/*.d", "app.d"] }
on_error = "stop"
on_busy = "finish"
timeout = "2m"

[run]
command = "./app"
args = ["--verbose", ""]
env.PORT = "8080"
env_files = [".env"]
working_directory = "web"
stop_signal = "int"
stop_timeout = "1.5s"
on_hang = "dump"
stdin = "terminal"
listen = ["127.0.0.1:${PORT:-8080}", "[::1]:8080", "unix:app.sock"]
ready = { http = "http://127.0.0.1:${PORT:-8080}/healthz", timeout = "1m" }
on_exit = "restart"
before = ["./migrate up", ["./seed", "--all"]]
after = ["rm -f app.sock"]
"""


def write(directory: Path, text: str, name: str = "hotrun.toml") -> str:
    (directory / name).write_text(text, encoding="utf-8")
    return str(directory)


def refused(file: str | None, directory: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(file, directory)
    return str(caught.value)


def test_an_empty_file_is_a_valid_config_of_defaults(tmp_path: Path) -> None:
    config = load(None, write(tmp_path, ""))
    assert config.watch == Watch(
        paths=(".",),
        include=(),
        exclude=(),
        gitignore=True,
        backend="auto",
        poll_interval=0.5,
        debounce=None,
        max_wait=1.0,
        follow_symlinks=False,
        unchanged="skip",
    )
    assert config.build is None
    assert config.run is None
    assert set(config.origins.values()) == {"default"}


def test_a_table_with_only_a_command_is_filled_with_defaults(tmp_path: Path) -> None:
    text = '[build]\ncommand = "make"\n[run]\ncommand = "./app"\n'
    config = load(None, write(tmp_path, text))
    assert config.build == Build(
        command="make",
        env={},
        outputs=(),
        inputs=Inputs("auto"),
        on_error="keep",
        on_busy="cancel",
        timeout=600.0,
    )
    assert config.run == Run(
        command="./app",
        args=(),
        env={},
        env_files=(),
        working_directory=".",
        stop_signal=signal.SIGTERM,
        stop_timeout=5.0,
        on_hang="kill",
        stdin="null",
        listen=(),
        ready=None,
        on_exit="wait",
        before=(),
        after=(),
    )


def test_every_key_reaches_its_field(tmp_path: Path) -> None:
    config = load(None, write(tmp_path, FULL))
    assert config.watch == Watch(
        paths=(".", "../shared"),
        include=("*.go",),
        exclude=("*_test.go",),
        gitignore=False,
        backend="poll",
        poll_interval=2.0,
        debounce=0.05,
        max_wait=3.0,
        follow_symlinks=False,
        unchanged="build",
    )
    assert config.build == Build(
        command=("go", "build"),
        env={"GOGC": "off"},
        outputs=("app",),
        inputs=Inputs("depfile", depfile=("build/*.d", "app.d")),
        on_error="stop",
        on_busy="finish",
        timeout=120.0,
    )
    assert config.run == Run(
        command="./app",
        args=("--verbose", ""),
        env={"PORT": "8080"},
        env_files=(".env",),
        working_directory="web",
        stop_signal=signal.SIGINT,
        stop_timeout=1.5,
        on_hang="dump",
        stdin="terminal",
        listen=("127.0.0.1:${PORT:-8080}", "[::1]:8080", "unix:app.sock"),
        ready=Ready(http="http://127.0.0.1:${PORT:-8080}/healthz", tcp="", log="", timeout=60.0),
        on_exit="restart",
        before=("./migrate up", ("./seed", "--all")),
        after=("rm -f app.sock",),
    )


@pytest.mark.parametrize(
    ("value", "inputs"),
    [
        ("'auto'", Inputs("auto")),
        ("'go'", Inputs("go")),
        ("'globs'", Inputs("globs")),
        ("{ command = 'git ls-files' }", Inputs("command", command="git ls-files")),
        ("{ command = ['a', 'b c'] }", Inputs("command", command=("a", "b c"))),
        ("{ depfile = 'app.d' }", Inputs("depfile", depfile=("app.d",))),
    ],
)
def test_inputs_are_a_word_or_a_table(value: str, inputs: Inputs) -> None:
    build = load_text(f"build.command = 'make'\nbuild.inputs = {value}", "/").build
    assert build is not None
    assert build.inputs == inputs


def test_inputs_can_be_set_by_an_option() -> None:
    build = load_text("build.command = 'make'", "/", ["build.inputs.depfile=app.d"]).build
    assert build is not None
    assert build.inputs == Inputs("depfile", depfile=("app.d",))


@pytest.mark.parametrize("name", ["SIGTERM", "TERM", "sigterm", "term"])
def test_a_signal_is_named_with_or_without_sig(name: str) -> None:
    run = load_text(f'[run]\ncommand = "x"\nstop_signal = "{name}"', "/").run
    assert run is not None
    assert run.stop_signal is signal.SIGTERM


def test_the_file_and_its_directory_are_absolute_and_paths_stay_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "conf").mkdir()
    write(tmp_path / "conf", '[watch]\npaths = ["../src"]\n', "dev.toml")
    monkeypatch.chdir(tmp_path)
    config = load("conf/dev.toml", ".")
    assert config.file == str(tmp_path / "conf" / "dev.toml")
    assert config.directory == str(tmp_path / "conf")
    assert config.watch.paths == ("../src",)
    assert config.resolve(config.watch.paths[0]) == str(tmp_path / "src")
    assert config.resolve("/etc") == "/etc"
    assert config.origins["watch.paths"] == "conf/dev.toml:2"


def test_each_value_tells_its_origin(tmp_path: Path) -> None:
    text = '[build]\n\ncommand = "make"\nenv.A = "1"\n'
    config = load(None, write(tmp_path, text), ["build.timeout=5s", "build.env.B='2'"])
    assert config.origins["build.command"] == "hotrun.toml:3"
    assert config.origins["build.on_error"] == "default"
    assert config.origins["build.timeout"] == "--set"
    assert config.origins["build.env"] == "hotrun.toml:4, --set"
    assert not any(key.startswith("run.") for key in config.origins)


def test_text_that_is_in_no_file_has_no_file(tmp_path: Path) -> None:
    config = load_text('run.command = "x"', str(tmp_path), label="detected")
    assert (config.file, config.directory) == (None, str(tmp_path))
    assert config.origins["run.command"] == "detected:1"


# --set


def test_an_option_wins_over_the_file_and_the_last_option_wins() -> None:
    sets = ["build.command=one", "build.command=two"]
    config = load_text('[build]\ncommand = "make"\ntimeout = "1m"', "/", sets)
    assert config.build is not None
    assert (config.build.command, config.build.timeout) == ("two", 60.0)


@pytest.mark.parametrize(
    ("value", "command"),
    [
        ("make all", "make all"),
        ('"make all"', "make all"),
        ('["make", "all"]', ("make", "all")),
        ("make # all", "make # all"),
        ("make A=1", "make A=1"),
        ('"x"\ny = 1', '"x"\ny = 1'),
        ("[" * 5000, "[" * 5000),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_an_option_is_toml_or_else_a_plain_string(value: str, command: object) -> None:
    config = load_text("", "/", [f"build.command={value}"])
    assert config.build is not None
    assert config.build.command == command


def test_variables_are_added_one_by_one() -> None:
    text = '[run]\ncommand = "x"\nenv = { A = "1", B = "2" }'
    config = load_text(text, "/", ['run.env.B="3"', "run.env.MODE=test", 'run.env."a b"=c'])
    assert config.run is not None
    assert config.run.env == {"A": "1", "B": "3", "MODE": "test", "a b": "c"}


def test_an_option_alone_can_make_a_table() -> None:
    assert load_text("", "/", ["run.command=./app"]).run is not None


# Which file


def test_without_a_file_it_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(NoConfigError) as caught:
        load(None, str(tmp_path))
    assert caught.value.exit_code == 2
    assert str(caught.value) == (
        f"error: no hotrun.toml in {tmp_path}\n"
        "hint: `hotrun new NAME` makes a project with one; here, write one of two lines, "
        '[run] and command = "./app", or name a file with -c FILE'
    )


def test_tool_hotrun_in_a_pyproject_is_a_config(tmp_path: Path) -> None:
    write(tmp_path, '[project]\nname = "x"\n[tool.hotrun.run]\ncommand = "x"\n', "pyproject.toml")
    config = load(None, str(tmp_path))
    assert config.file == str(tmp_path / "pyproject.toml")
    assert config.origins["run.command"] == "pyproject.toml:4"


def test_an_empty_tool_hotrun_counts_too(tmp_path: Path) -> None:
    assert load(None, write(tmp_path, "[tool.hotrun]\n", "pyproject.toml")).run is None


def test_hotrun_toml_wins_over_a_pyproject(tmp_path: Path) -> None:
    write(tmp_path, '[tool.hotrun.run]\ncommand = "x"\n', "pyproject.toml")
    assert load(None, write(tmp_path, "")).run is None


@pytest.mark.parametrize(
    "text", ["[tool.ruff]\n", 'tool = "hotrun"\n', "[tool]\nhotrun = 5\n", "= broken\n", ""]
)
def test_a_pyproject_without_our_table_is_no_config(tmp_path: Path, text: str) -> None:
    with pytest.raises(NoConfigError):
        load(None, write(tmp_path, text, "pyproject.toml"))


def test_a_pyproject_that_is_named_must_have_our_table(tmp_path: Path) -> None:
    write(tmp_path, "[tool.ruff]\n", "pyproject.toml")
    assert refused("pyproject.toml", str(tmp_path)) == (
        "error: no [tool.hotrun] in pyproject.toml\nhint: add it, or name another file with -c FILE"
    )


# Files that cannot be read


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    assert refused("dev.toml", str(tmp_path)) == (
        "error: no such file: dev.toml\nhint: name one that exists: -c FILE"
    )


def test_a_file_with_nearly_that_name_is_named(tmp_path: Path) -> None:
    (tmp_path / "hotrun.toml").touch()
    assert refused("hotrn.toml", str(tmp_path)) == (
        'error: no such file: hotrn.toml\nhint: did you mean "-c hotrun.toml"?'
    )


def test_a_directory_is_not_a_file(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    assert refused("conf", str(tmp_path)) == (
        "error: conf is a directory\nhint: name the file in it: -c conf/hotrun.toml"
    )


@pytest.mark.parametrize("name", [None, "hotrun.toml"])
def test_a_fifo_is_not_a_file_and_nobody_waits_for_its_writer(
    tmp_path: Path, name: str | None
) -> None:
    os.mkfifo(tmp_path / "hotrun.toml")
    assert refused(name, str(tmp_path)) == (
        "error: hotrun.toml is not a regular file\n"
        "hint: put a file in its place, or name another one: -c FILE"
    )


def test_a_dangling_link_is_not_a_missing_config(tmp_path: Path) -> None:
    (tmp_path / "hotrun.toml").symlink_to("nowhere")
    assert refused(None, str(tmp_path)).startswith("error: no such file: hotrun.toml\n")


def test_a_link_to_itself_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "hotrun.toml").symlink_to("hotrun.toml")
    assert refused(None, str(tmp_path)).startswith("error: cannot read hotrun.toml: ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission_says_so(tmp_path: Path) -> None:
    write(tmp_path, "")
    (tmp_path / "hotrun.toml").chmod(0)
    assert refused(None, str(tmp_path)) == (
        "error: cannot read hotrun.toml: permission denied\n"
        "hint: make it readable for the user who runs hotrun"
    )


def test_bytes_that_are_not_utf8_are_pointed_at(tmp_path: Path) -> None:
    content = b'[run]\r\n# caf\xc3\xa9 caf\xe9\r\ncommand = "x"\r\n'
    (tmp_path / "hotrun.toml").write_bytes(content)
    assert refused(None, str(tmp_path)) == (
        "error: hotrun.toml:2:11: this is not UTF-8\n"
        "    # café caf��\n"
        "              ^\n"
        "hint: save the file with the encoding UTF-8"
    )


def test_utf16_is_refused(tmp_path: Path) -> None:
    (tmp_path / "hotrun.toml").write_bytes("[run]\n".encode("utf-16"))
    assert refused(None, str(tmp_path)).startswith("error: hotrun.toml:1:1: this is not UTF-8\n")


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "hotrun.toml").write_bytes(b'\xef\xbb\xbf[run]\r\ncommand = "x"\r\n')
    assert load(None, str(tmp_path)).origins["run.command"] == "hotrun.toml:2"


def test_an_error_after_a_byte_order_mark_is_in_the_right_column(tmp_path: Path) -> None:
    (tmp_path / "hotrun.toml").write_bytes(b"\xef\xbb\xbfrum = 1\r\n")
    with pytest.raises(ConfigErrors) as caught:
        load(None, str(tmp_path))
    assert caught.value.problems[0].place == "hotrun.toml:1:1"
