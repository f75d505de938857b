"""[profile.NAME] and [platform.NAME]: what is laid over what, and every message about them."""

from __future__ import annotations

import sys
from itertools import combinations
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from hotrun.config import Config, Inputs, load, load_text
from hotrun.config.system import PLATFORMS, platform_named
from hotrun.config.wording import platform_meant
from hotrun.errors import ConfigErrors, Problem

if TYPE_CHECKING:
    from pathlib import Path

HERE = platform_named()
ELSEWHERE = "windows" if HERE != "windows" else "linux"
assert HERE, f"no platform is named for {sys.platform}"

LAYERED = f"""\
[build]
command = "make"
timeout = "1m"
env = {{ A = "file", B = "file" }}

[platform.{HERE}]
build.command = "gmake"
build.timeout = "2m"
build.env = {{ B = "platform", C = "platform" }}

[platform.{ELSEWHERE}.build]
command = "nmake"

[profile.debug]
build.command = "make debug"
build.env = {{ C = "profile" }}
watch.debounce = "5s"

[profile.release.build]
inputs = "globs"
"""


def config_of(text: str, *sets: str, profile: str = "") -> Config:
    return load_text(dedent(text), "/", sets, profile=profile)


def problems_of(text: str, *sets: str, profile: str = "") -> tuple[Problem, ...]:
    with pytest.raises(ConfigErrors) as caught:
        load_text(dedent(text), "/", sets, profile=profile)
    return caught.value.problems


# What is laid over what


def test_the_platform_of_this_system_is_laid_over_the_file_and_no_other() -> None:
    config = config_of(LAYERED)
    assert config.build is not None
    assert (config.build.command, config.build.timeout) == ("gmake", 120.0)
    assert config.watch.debounce is None
    assert config.origins["build.command"] == f"hotrun.toml:7 (platform {HERE})"


def test_a_profile_is_laid_over_the_platform() -> None:
    config = config_of(LAYERED, profile="debug")
    assert config.build is not None
    assert (config.build.command, config.build.timeout) == ("make debug", 120.0)
    assert config.watch.debounce == 5.0
    assert config.origins["build.command"] == "hotrun.toml:15 (profile debug)"
    assert config.origins["build.timeout"] == f"hotrun.toml:8 (platform {HERE})"
    assert config.origins["build.outputs"] == "default"


def test_an_option_is_laid_over_the_profile() -> None:
    config = config_of(LAYERED, "build.command=mine", profile="debug")
    assert config.build is not None
    assert config.build.command == "mine"
    assert config.origins["build.command"] == "--set"


LATER_WINS = {
    "file": "build.timeout = '1s'\n",
    "platform": f"[platform.{HERE}]\nbuild.timeout = '2s'\n",
    "profile": "[profile.x]\nbuild.timeout = '3s'\n",
    "option": "4s",
}


@pytest.mark.parametrize(
    "given",
    [given for count in range(5) for given in combinations(LATER_WINS, count)],
    ids="+".join,
)
def test_of_whatever_is_given_the_last_wins(given: tuple[str, ...]) -> None:
    text = "".join(LATER_WINS[name] for name in given if name != "option")
    sets = [f"build.timeout={LATER_WINS[name]}" for name in given if name == "option"]
    profile = "x" if "profile" in given else ""
    build = config_of(f"build.command = 'x'\n{text}", *sets, profile=profile).build
    assert build is not None
    assert build.timeout == (1.0 + [*LATER_WINS].index(given[-1]) if given else 600.0)


def test_variables_are_added_one_by_one() -> None:
    config = config_of(LAYERED, "build.env.D=option", profile="debug")
    assert config.build is not None
    assert config.build.env == {"A": "file", "B": "platform", "C": "profile", "D": "option"}
    assert config.origins["build.env"] == (
        f"hotrun.toml:4, hotrun.toml:9 (platform {HERE}), hotrun.toml:16 (profile debug), --set"
    )


def test_the_config_names_its_profile_and_all_there_are() -> None:
    assert (config_of(LAYERED).profile, config_of("").profiles) == ("", ())
    config = config_of(LAYERED, profile="release")
    assert (config.profile, config.profiles) == ("release", ("debug", "release"))
    assert config.build is not None
    assert config.build.inputs == Inputs("globs")


def test_a_profile_may_be_empty_and_its_name_anything() -> None:
    config = config_of("[profile.'a b']\n[profile.\"\"]\n", profile="a b")
    assert config.profiles == ("a b", "")


def test_the_name_of_a_profile_is_quoted_where_toml_quotes_it() -> None:
    text = "[profile.'a b'.run]\ncommand = 'x'\nargs = ['y']\n"
    assert config_of(text, profile="a b").origins["run.args"] == 'hotrun.toml:3 (profile "a b")'
    (problem,) = problems_of("[profile.'a b'.run]\ncommand = 'x'\nargz = []\n")
    assert problem.message == 'unknown key "argz" in [profile."a b".run]'


def test_a_table_that_only_a_profile_has_is_there_only_with_it() -> None:
    text = "[build]\ncommand = 'make'\n[profile.serve.run]\ncommand = './app'\n"
    assert config_of(text).run is None
    assert not any(key.startswith("run.") for key in config_of(text).origins)
    run = config_of(text, profile="serve").run
    assert run is not None
    assert run.command == "./app"


def test_an_option_can_set_a_key_of_a_profile_and_make_one() -> None:
    config = config_of("", "profile.debug.run.command=x", profile="debug")
    assert config.run is not None
    assert config.profiles == ("debug",)
    assert config.origins["run.command"] == "--set"


def test_a_pyproject_has_profiles_platforms_and_rules(tmp_path: Path) -> None:
    text = """\
        [tool.hotrun.run]
        command = "./app"
        [[tool.hotrun.rule]]
        match = ["*.md"]
        action = "ignore"
        [tool.hotrun.profile.debug]
        run.args = ["-v"]
        [[tool.hotrun.profile.debug.rule]]
        match = ["*.txt"]
        action = "restart"
    """
    (tmp_path / "pyproject.toml").write_text(dedent(text), encoding="utf-8")
    config = load(None, str(tmp_path), profile="debug")
    assert config.origins["run.args"] == "pyproject.toml:7 (profile debug)"
    assert [rule.origin for rule in config.rules] == [
        "pyproject.toml:3",
        "pyproject.toml:8 (profile debug)",
    ]


# Which system this is


@pytest.mark.parametrize(
    ("system", "name"),
    [("linux", "linux"), ("darwin", "macos"), ("win32", "windows"), ("freebsd14", "freebsd"),
     ("openbsd7", ""), ("cygwin", ""), ("aix", "")],
)  # fmt: skip
def test_a_system_has_the_name_that_people_give_it(system: str, name: str) -> None:
    assert platform_named(system) == name


@pytest.mark.parametrize(
    ("word", "meant"),
    [("darwin", "macos"), ("OSX", "macos"), ("mac", "macos"), ("win32", "windows"),
     ("Linux", "linux"), ("linus", "linux"), ("freebds", "freebsd"), ("darvin", "macos"),
     ("solaris", "")],
)  # fmt: skip
def test_what_others_call_a_system_is_understood(word: str, meant: str) -> None:
    assert platform_meant(word) == meant


# A command that is missing

MISSING = 'add command = "./app", or remove the table'


def test_a_command_that_only_a_platform_has_is_enough_there() -> None:
    assert config_of(f"[run]\nargs = []\n[platform.{HERE}.run]\ncommand = 'x'").run is not None


def test_a_command_that_only_a_profile_has_is_missing_without_it() -> None:
    text = "[run]\nargs = []\n[profile.fast.run]\ncommand = 'x'\n"
    assert config_of(text, profile="fast").run is not None
    (problem,) = problems_of(text)
    assert (problem.message, problem.place) == ("[run] has no command", "hotrun.toml:1:2")
    assert problem.hint == (
        'add command = "./app", or choose a profile that has one: --profile fast'
    )


def test_a_command_that_only_another_platform_has_is_missing_here() -> None:
    text = f"[run]\nargs = []\n[platform.{ELSEWHERE}.run]\ncommand = 'x'\n"
    (problem,) = problems_of(text)
    assert (problem.message, problem.hint) == ("[run] has no command", MISSING)


def test_a_command_that_is_missing_everywhere_is_told_once() -> None:
    (problem,) = problems_of("[run]\nargs = []\n[profile.fast.run]\nargs = ['x']\n")
    assert (problem.message, problem.line) == ("[run] has no command", 1)


def test_a_table_of_the_profile_in_use_without_a_command_is_pointed_at() -> None:
    (problem,) = problems_of("[profile.fast.run]\nargs = []\n", profile="fast")
    assert str(problem) == (
        "error: hotrun.toml:1:15: [profile.fast.run] has no command\n"
        "    [profile.fast.run]\n"
        "                  ^^^\n"
        f"hint: {MISSING}"
    )


def test_a_table_of_a_profile_that_can_never_have_a_command_is_told_at_once() -> None:
    text = "[profile.fast.run]\nargs = []\n[profile.slow.run]\ncommand = 'x'\n"
    (problem,) = problems_of(text)
    assert (problem.message, problem.hint) == ("[profile.fast.run] has no command", MISSING)


@pytest.mark.parametrize(
    ("text", "sets"),
    [
        ("[run]\ncommand = 'x'\n[profile.fast.run]\nargs = []\n", ()),
        (f"[platform.{ELSEWHERE}.run]\ncommand = 'x'\n[profile.fast.run]\nargs = []\n", ()),
        (f"[profile.fast.run]\ncommand = 'x'\n[platform.{ELSEWHERE}.run]\nargs = []\n", ()),
        ("[profile.fast.run]\nargs = []\n", ("run.command=x",)),
        ("[profile.fast.run]\nargs = []\n", ("profile.fast.run.command=x",)),
    ],
)
def test_a_part_at_rest_may_get_its_command_from_what_goes_with_it(
    text: str, sets: tuple[str, ...]
) -> None:
    assert config_of(text, *sets).profiles == ("fast",)


def test_a_misspelt_command_of_a_profile_is_not_missing_too() -> None:
    (problem,) = problems_of("[profile.fast.run]\ncomand = 'x'\n", profile="fast")
    assert problem.message == 'unknown key "comand" in [profile.fast.run]'


# A profile that is not there


@pytest.mark.parametrize(
    ("text", "profile", "hint"),
    [
        (LAYERED, "debgu", 'did you mean "debug"? the profiles are "debug" and "release"'),
        (LAYERED, "xyzzy", 'the profiles are "debug" and "release"'),
        ("[profile.debug]", "debgu", 'did you mean "debug"?'),
        ("[profile.debug]", "xyzzy", 'the only profile is "debug"'),
        ("", "debug", "add [profile.debug], or leave --profile out"),
        ("", "a b", 'add [profile."a b"], or leave --profile out'),
    ],
)
def test_a_profile_that_is_not_there_is_told(text: str, profile: str, hint: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        load_text(text, "/", profile=profile)
    assert caught.value.exit_code == 2
    (problem,) = caught.value.problems
    assert problem.message == f'there is no profile "{profile}"'
    assert (problem.hint, problem.file) == (hint, f"--profile {profile}")


def test_a_missing_profile_is_told_beside_what_else_is_wrong() -> None:
    said = [problem.message for problem in problems_of("debounce = 1", profile="x")]
    assert said == [
        'unknown key "debounce" outside of a table',
        'there is no profile "x"',
    ]


# What is wrong in a profile or a platform, in use or not

TABLES = "[profile.x.watch], [profile.x.build], [profile.x.run] and [[profile.x.rule]]"
SYSTEMS = "[platform.linux], [platform.macos], [platform.windows] and [platform.freebsd]"

BAD = [
    ("[profile.x.build]\ncomand = 'x'", 2, 'unknown key "comand" in [profile.x.build]',
     'did you mean "command"?'),
    ("[profile.x]\nwatch.debounce = 5", 2, "watch.debounce = 5 needs a unit",
     'write "5s" or "5ms"'),
    ("[profile.x]\ndebounce = '5s'", 2, 'unknown key "debounce" outside of a table',
     "it belongs in [profile.x.watch]"),
    ("[profile.x.biuld]", 1, "unknown table [profile.x.biuld]",
     "did you mean [profile.x.build]?"),
    ("[profile.x.profile.y]", 1, "unknown table [profile.x.profile]", f"the tables are {TABLES}"),
    ("[profile.x.run]\nlisten = ['8080']\ncommand = 'x'", 2,
     'run.listen: "8080" is a port without an address',
     'write "127.0.0.1:8080" (this machine only) or ":8080" (all interfaces)'),
    ("[profile.x.run]\ncommand = 'x'\ntimeout = '5s'", 3,
     'unknown key "timeout" in [profile.x.run]', "it belongs in [profile.x.build]"),
    ("[[profile.x.rule]]\nmatch = ['x']", 1, "[[profile.x.rule]] has no action",
     'add action = "command"'),
    ("[profile.x.rule]", 1, "rule must be a list of tables, not a table",
     "write [[profile.x.rule]], with two brackets on each side"),
    ("[[profile.x.build]]", 1, "[[profile.x.build]] is a list of tables",
     "write [profile.x.build], once"),
    ("profile.x.build = 'make'", 1, "build must be a table, not a string",
     "write [profile.x.build], and its keys on the lines below"),
    ("profile.x = 'make'", 1, "profile.x must be a table, not a string",
     "write [profile.x.build], and its keys on the lines below"),
    ("profile = 'debug'", 1, "profile must hold tables, not a string",
     "write [profile.NAME], and below it what is different"),
    ("[[profile]]", 1, "[[profile]] is a list of tables", "write [profile.NAME], once"),
    ("[platform.darwin]", 1, "unknown platform [platform.darwin]",
     "did you mean [platform.macos]?"),
    ("[windows.build]\ncommand = 'x'", 1, "unknown table [windows]",
     "did you mean [platform.windows]?"),
    ("[darwin]", 1, "unknown table [darwin]", "did you mean [platform.macos]?"),
    ("[profile.x.linux]", 1, "unknown table [profile.x.linux]", f"the tables are {TABLES}"),
    ("[platform.solaris]", 1, "unknown platform [platform.solaris]",
     f"the platforms are {SYSTEMS}"),
    ("[platform.windows.run]\ncommand = 'x'\nargs = 'y'", 3,
     "run.args must be a list of strings, not a string", 'write args = ["y"]'),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "message", "hint"), BAD)
def test_a_bad_profile_or_platform_is_told(text: str, line: int, message: str, hint: str) -> None:
    (problem,) = problems_of(text)
    assert (problem.message, problem.hint, problem.line) == (message, hint, line)


OPTIONS = [
    ("profile.x.build.comand=make", 'unknown key "comand" in [profile.x.build]',
     'did you mean "command"?'),
    ("profile.x.build.outputs=app", "build.outputs must be a list of strings, not a string",
     """write --set 'profile.x.build.outputs=["app"]'"""),
    ("profile.x.run.env.PORT=80", "run.env.PORT must be a string, not a number",
     "put it in quotes: --set 'profile.x.run.env.PORT=\"80\"'"),
    ("profile.x.debounce=5ms", 'unknown key "debounce" outside of a table',
     "did you mean profile.x.watch.debounce?"),
    ("platform.win.run.command=x", "unknown platform [platform.win]",
     "did you mean [platform.windows]?"),
]  # fmt: skip


@pytest.mark.parametrize(("option", "message", "hint"), OPTIONS)
def test_a_bad_option_for_a_profile_is_told(option: str, message: str, hint: str) -> None:
    (problem,) = problems_of("build.command = 'x'\nrun.command = 'x'", option)
    assert (problem.message, problem.hint, problem.file) == (message, hint, f"--set {option}")


def test_the_faults_of_a_file_and_its_profiles_are_told_in_the_order_of_the_file() -> None:
    text = "[profile.a]\nx = 1\n[build]\nx = 1\ncommand = 'x'\n[platform.linux]\nx = 1\n"
    assert [problem.line for problem in problems_of(text)] == [2, 4, 7]


def test_every_platform_is_taken() -> None:
    assert config_of("".join(f"[platform.{name}]\n" for name in PLATFORMS)).profiles == ()


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("[profile.build]\ncommand = 'x'\n", "name the profile: [profile.NAME.build]"),
        ("[profile.watch]\npaths = ['x']\n", "name the profile: [profile.NAME.watch]"),
        ("[profile.x]\ncommand = 'x'\n", "it belongs in [profile.x.build] or [profile.x.run]"),
    ],
)  # fmt: skip
def test_a_profile_without_a_name_is_asked_for_one(text: str, hint: str) -> None:
    (problem,) = problems_of(text)
    assert (problem.line, problem.hint) == (2, hint)
