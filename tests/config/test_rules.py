"""[[rule]]: what is taken, and every message about it, word for word."""

from __future__ import annotations

import signal
from textwrap import dedent

import pytest

from hotrun.config import Config, Rule, load_text
from hotrun.errors import ConfigErrors, Problem

RULES = """\
[[rule]]
match = ["static/**", "!static/*.map"]
action = "restart"

[[rule]]
match = ["*.templ"]
action = "command"
command = "templ generate {files}"

[[rule]]
match = ["conf/*.json"]
action = "signal"
signal = "hup"
"""


def config_of(text: str, *sets: str, profile: str = "") -> Config:
    return load_text(dedent(text), "/", sets, profile=profile)


def problems_of(text: str, *sets: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigErrors) as caught:
        load_text(text, "/", sets)
    return caught.value.problems


# What is taken


def test_rules_are_typed_and_in_order_and_tell_where_they_stand() -> None:
    assert config_of(RULES).rules == (
        Rule(("static/**", "!static/*.map"), "restart", None, None, "hotrun.toml:1"),
        Rule(("*.templ",), "command", "templ generate {files}", None, "hotrun.toml:5"),
        Rule(("conf/*.json",), "signal", None, signal.SIGHUP, "hotrun.toml:10"),
    )


def test_without_rules_there_are_none() -> None:
    assert config_of("").rules == ()
    assert config_of("rule = []").rules == ()


@pytest.mark.parametrize("action", ["build", "restart", "ignore"])
def test_an_action_that_takes_nothing_else(action: str) -> None:
    (rule,) = config_of(f"[[rule]]\nmatch = ['x']\naction = '{action}'").rules
    assert (rule.action, rule.command, rule.signal) == (action, None, None)


def test_rules_may_stand_in_one_line() -> None:
    (rule,) = config_of('rule = [{ match = ["x"], action = "ignore" }]').rules
    assert rule == Rule(("x",), "ignore", None, None, "hotrun.toml:1")


def test_an_option_adds_a_rule_after_those_of_the_file() -> None:
    option = 'rule=[{ match = ["x"], action = "ignore" }]'
    assert config_of(RULES, option).rules[3:] == (Rule(("x",), "ignore", None, None, "--set"),)


def test_the_rules_of_a_profile_come_after_those_of_the_file_and_only_with_it() -> None:
    text = """\
        [[profile.fast.rule]]
        match = ["*.md"]
        action = "ignore"

        [[rule]]
        match = ["*"]
        action = "build"
    """
    assert [rule.origin for rule in config_of(text).rules] == ["hotrun.toml:5"]
    assert [rule.origin for rule in config_of(text, profile="fast").rules] == [
        "hotrun.toml:5",
        "hotrun.toml:1 (profile fast)",
    ]


def test_a_command_may_be_a_list_of_arguments() -> None:
    text = "[[rule]]\nmatch = ['x']\naction = 'command'\ncommand = ['a', '{files}', '{dirs}']"
    assert config_of(text).rules[0].command == ("a", "{files}", "{dirs}")


@pytest.mark.parametrize(
    "command",
    [
        "echo {files} {dirs}",
        "awk '{ print $1 }' {files}",
        "echo ${HOME} ${files}",
        "cp x.{c,h} y",
        "find . -exec echo {} +",
        "docker inspect --format '{{json}}' x",
        "echo {1..3} { }",
    ],
)
def test_a_brace_that_is_no_placeholder_stays_as_it_is(command: str) -> None:
    text = f'[[rule]]\nmatch = ["x"]\naction = "command"\ncommand = "{command}"'
    assert config_of(text).rules[0].command == command


def test_reload_is_taken_with_a_warning() -> None:
    config = config_of("[[rule]]\nmatch = ['static/**']\naction = 'reload'\n")
    assert config.rules[0].action == "reload"
    ((message, hint),) = config.warnings
    assert message == (
        'hotrun.toml:1: action = "reload" needs the browser side, which this version does not have'
    )
    assert hint == (
        'nothing happens on a change of these files; with action = "restart" the app restarts'
    )


@pytest.mark.parametrize("line", ["action = 'restart'", "action = 'signal'\nsignal = 'hup'"])
def test_a_rule_for_an_app_that_there_is_not_is_taken_with_a_warning(line: str) -> None:
    rule = f"[[rule]]\nmatch = ['x']\n{line}\n"
    action = line.split("'")[1]
    assert config_of(rule, "build.command=make").warnings == (
        (
            f'hotrun.toml:1: action = "{action}", and there is no app',
            'add [run], and below it command = "./app"',
        ),
    )
    assert config_of(rule, "run.command=./app").warnings == ()


def test_a_profile_that_is_not_in_use_warns_of_nothing() -> None:
    text = "[[profile.web.rule]]\nmatch = ['x']\naction = 'reload'\n"
    assert config_of(text).warnings == ()
    assert len(config_of(text, profile="web").warnings) == 1


# Messages

ACTIONS = 'rule.action must be "build", "restart", "reload", "signal", "command" or "ignore"'
UNQUOTED = "leave the quotes out: each file is a word of its own, whatever is in its name"
NO_PLACEHOLDER = "there are {files} and {dirs}; a plain brace takes a space: "

# The lines of a rule to the line, the message and the hint.
RULE = [
    ("action = 'ignore'", 1, "[[rule]] has no match", 'add match = ["*.templ"]'),
    ("action = 'command'\ncommand = 'x'", 1, "[[rule]] has no match", 'add match = ["*.templ"]'),
    ("match = ['x']", 1, "[[rule]] has no action", 'add action = "command"'),
    ("match = ['x']\nsignal = 'hup'", 1, "[[rule]] has no action", 'add action = "signal"'),
    ("match = ['x']\ncommand = 'x'", 1, "[[rule]] has no action", 'add action = "command"'),
    ("match = []\naction = 'ignore'", 2, "rule.match is empty", 'for example match = ["*.templ"]'),
    ("match = ['']\naction = 'ignore'", 2, "rule.match holds an empty string", "remove it"),
    ("match = 'x'\naction = 'ignore'", 2, "rule.match must be a list of strings, not a string",
     'write match = ["x"]'),
    ("match = ['x']\naction = 'ingore'", 3,
     f'{ACTIONS}, not "ingore"', 'did you mean "ignore"?'),
    ("match = ['x']\naction = 'xyzzy'\ncommand = 'x'", 3,
     f'{ACTIONS}, not "xyzzy"', 'for example action = "command"'),
    ("match = ['x']\naction = 'command'", 1, '[[rule]] with action = "command" has no command',
     'add command = "templ generate {files}"'),
    ("match = ['x']\naction = 'signal'", 1, '[[rule]] with action = "signal" has no signal',
     'add signal = "SIGHUP"'),
    ("match = ['x']\naction = 'build'\ncommand = 'x'", 4,
     'rule.command does nothing with action = "build"',
     'write action = "command", or remove it'),
    ("match = ['x']\naction = 'restart'\nsignal = 'hup'", 4,
     'rule.signal does nothing with action = "restart"', 'write action = "signal", or remove it'),
    ("match = ['x']\naction = 'signal'\nsignal = 'hpu'", 4,
     'rule.signal = "hpu" is not a signal of this system', 'did you mean "SIGHUP"?'),
    ("match = ['x']\naction = 'command'\ncommand = ''", 4, "rule.command is empty",
     'for example command = "templ generate {files}"'),
    ("match = ['x']\naction = 'command'\ncommand = 'a {file}'", 4,
     'rule.command: nothing stands for "{file}"', 'did you mean "{files}"?'),
    ("match = ['x']\naction = 'command'\ncommand = 'a {files} {dri}'", 4,
     'rule.command: nothing stands for "{dri}"', 'did you mean "{dirs}"?'),
    ("match = ['x']\naction = 'command'\ncommand = ['a', '{paths}']", 4,
     'rule.command: nothing stands for "{paths}"', NO_PLACEHOLDER + "{ paths }"),
    ("match = ['x']\naction = 'command'\ncommand = 'awk {print}'", 4,
     'rule.command: nothing stands for "{print}"', NO_PLACEHOLDER + "{ print }"),
    ("match = ['x']\naction = 'command'\ncommand = 'echo \"{files}\"'", 4,
     'rule.command: "{files}" stands in quotes', UNQUOTED),
    ("match = ['x']\naction = 'command'\ncommand = ['sh', '-c', 'a \"{dirs}\"']", 4,
     'rule.command: "{dirs}" stands in quotes', UNQUOTED),
    ("match = ['x']\naction = 'build'\ncomand = 'x'", 4, 'unknown key "comand" in [[rule]]',
     'did you mean "command"?'),
    ("mathc = ['x']\naction = 'ignore'", 2, 'unknown key "mathc" in [[rule]]',
     'did you mean "match"?'),
    ("paths = ['x']\naction = 'ignore'", 2, 'unknown key "paths" in [[rule]]',
     'did you mean "match"?'),
    ("match = ['x']\naction = 'command'\ncmd = 'x'", 4, 'unknown key "cmd" in [[rule]]',
     'did you mean "command"?'),
    ("match = ['x']\naction = 'ignore'\noutputs = []", 4, 'unknown key "outputs" in [[rule]]',
     "it belongs in [build]"),
    ("match = ['x']\naction = 'ignore'\nxyzzy = 1", 4, 'unknown key "xyzzy" in [[rule]]',
     "the keys of [[rule]] are match, action, command and signal"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "line", "message", "hint"), RULE)
def test_a_bad_rule_is_told(lines: str, line: int, message: str, hint: str) -> None:
    (problem,) = problems_of(f"[[rule]]\n{lines}\n")
    assert (problem.message, problem.hint, problem.line) == (message, hint, line)


def test_an_empty_rule_lacks_both() -> None:
    said = [problem.message for problem in problems_of("[[rule]]")]
    assert said == ["[[rule]] has no match", "[[rule]] has no action"]


def test_a_fault_of_the_second_rule_is_in_the_second_rule() -> None:
    first = "[[rule]]\nmatch = ['a']\naction = 'ignore'\n"
    (problem,) = problems_of(f"{first}[[rule]]\nmatch = ['b', 5]\naction = 'ignore'")
    assert str(problem) == (
        "error: hotrun.toml:5:15: rule.match must hold strings, not a number\n"
        "    match = ['b', 5]\n"
        "                  ^\n"
        'hint: put it in quotes: "5"'
    )


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[rule]\nmatch = ['x']", "rule must be a list of tables, not a table",
         "write [[rule]], with two brackets on each side"),
        ("rule = 'x'", "rule must be a list of tables, not a string",
         "write [[rule]], and its keys on the lines below"),
        ("rule = ['x']", "rule must be a list of tables, not a string",
         "write [[rule]], and its keys on the lines below"),
        ("action = 'ignore'", 'unknown key "action" outside of a table',
         "it belongs in [[rule]]"),
    ],
)  # fmt: skip
def test_what_is_no_list_of_rules_is_told(text: str, message: str, hint: str) -> None:
    (problem,) = problems_of(text)
    assert (problem.message, problem.hint, problem.line) == (message, hint, 1)


def test_a_fault_of_a_rule_in_an_option_is_told_in_the_words_of_the_rule() -> None:
    (problem,) = problems_of("", "rule=[{ match = 'x', action = 'ignore' }]")
    assert problem.message == "rule.match must be a list of strings, not a string"
    assert problem.hint == 'write match = ["x"]'


def test_a_fault_of_a_rule_in_one_line_is_pointed_at() -> None:
    (problem,) = problems_of("rule = [{ match = ['x'], action = 'ingore' }]")
    assert (problem.line, problem.column, problem.span) == (1, 35, 8)


def test_an_option_that_is_no_list_of_rules_is_told_how_to_write_one() -> None:
    (problem,) = problems_of("", "rule.match=x")
    assert problem.message == "rule must be a list of tables, not a table"
    example = 'match = ["*.templ"], action = "command", command = "templ generate {files}"'
    assert problem.hint == f"write --set 'rule=[{{ {example} }}]'"
    assert config_of("", f"rule=[{{ {example} }}]").rules[0].match == ("*.templ",)
