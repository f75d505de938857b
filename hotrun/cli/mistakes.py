"""A command line that is wrong, in our two lines: options, values and arguments.

What click says of it is turned into what is wrong and what was probably meant. Only a command
line that is wrong pays for this module.
"""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING

import click

from hotrun.cli import COMMANDS, UsageError, load, meant
from hotrun.config.wording import listed, nearest, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# What other tools call it, and what it is here.
ALIASES = {
    "--debug": "--verbose",
    "--trace": "--verbose",
    "--silent": "--quiet",
    "--no-color": "--color never",
    "--no-colour": "--color never",
    "--colour": "--color",
    "--cwd": "--directory",
    "--chdir": "--directory",
    "--dir": "--directory",
    "--workdir": "--directory",
    "--file": "--config",
    "--configuration": "--config",
    "--poll": "--watch poll",
    "--polling": "--watch poll",
    "--delay": "--debounce",
    "--no-watch": "--once",
    "--env": "--set 'run.env.NAME=VALUE'",
    "--exec": "--set run.command=COMMAND",
    "--command": "--set run.command=COMMAND",
    "--build": "--set build.command=COMMAND",
    "--exclude": "--set 'watch.exclude=[\"GLOB\"]'",
    "--ignore": "--set 'watch.exclude=[\"GLOB\"]'",
    "--include": "--set 'watch.include=[\"GLOB\"]'",
    "--ext": "--set 'watch.include=[\"GLOB\"]'",
    "--signal": "--set run.stop_signal=SIGNAL",
    "-f": "-c",
    "-d": "-C",
    "-w": "--watch",
    "-e": "--set 'watch.include=[\"GLOB\"]'",
    "-i": "--set 'watch.exclude=[\"GLOB\"]'",
    "-V": "--version",
}


# The same for values: what the kernels call it.
VALUES = {"inotify": "native", "fsevents": "native", "kqueue": "native", "polling": "poll"}


def told(error: click.ClickException, words: Sequence[str]) -> UsageError:
    """Word one of click's errors.

    Args:
        error: What click found.
        words: The command line, without the name of the program.
    """
    name = _command_of(error, words)
    match error:
        case click.NoSuchOption():
            option = _typed(error.option_name, words)
            hint = _option_hint(name, option, words) if name else _in_group(option, words)
            return UsageError(f"unknown option {option}", hint or _help(name))
        case click.BadOptionUsage():
            return _misused(name, error)
        case click.MissingParameter(param=click.Parameter() as param):
            return UsageError(f"{_label(param)} is missing", _example(name))
        case click.BadParameter(param=click.Parameter() as param):
            return _bad_value(name, param, error.message)
        case _:
            return _rest(name, error, words)


def stray(arguments: Sequence[str], words: Sequence[str]) -> UsageError:
    """Word an argument of `run` that does not stand behind `--`.

    Args:
        arguments: The first one is it; the others may be its own.
        words: All that stands behind `run`.
    """
    word = arguments[0]
    hint = f"what the app gets stands behind --: hotrun run -- {shlex.quote(word)}"
    if word == "help":
        hint = meant.did_you_mean("run", "--help")
    elif whole := _set_whole(words, word):
        hint = whole
    elif word in COMMANDS:
        hint = meant.did_you_mean(word)
    elif program := meant.of_program(arguments):
        hint = program
    elif meant.is_path(word) or os.path.isdir(word):
        hint = meant.of_path(word)
    return UsageError(f"unexpected argument {quoted(word)}", hint)


def _command_of(error: click.ClickException, words: Sequence[str]) -> str:
    """Return the name of the command that was called; "" is none."""
    context = getattr(error, "ctx", None)
    if context is not None:
        return str(context.info_name) if context.parent is not None else ""
    return words[0] if words and words[0] in COMMANDS else ""


def _help(name: str) -> str:
    return f"`{f'hotrun {name}'.rstrip()} --help` shows what is possible"


def _example(name: str) -> str:
    """Return the example of a command's help."""
    text = (load(name).epilog or "") if name else ""
    example = text.replace("\b", "").strip().removeprefix("Example: ").split("\n")[0].strip()
    return f"for example: {example}" if example.startswith("hotrun ") else _help(name)


# Options


def _options(name: str) -> dict[str, click.Option]:
    """Return the options of a command by each of their names; "" is `hotrun` itself."""
    params = load(name).params if name else []
    options = [param for param in params if isinstance(param, click.Option)]
    known = {word: each for each in options for word in (*each.opts, *each.secondary_opts)}
    return known | {word: click.Option(["--help"]) for word in ("-h", "--help")}


def _typed(option: str, words: Sequence[str]) -> str:
    """Return the option as it was typed: click reads -verbose as -v and -e."""
    known = {word for name in COMMANDS for word in _options(name)}
    long = [word for word in words if word[:2] != "--" and option[1:] in word]
    return next((word for word in long if f"-{word}" in known), option)


def _option_hint(name: str, option: str, words: Sequence[str]) -> str:
    behind = words[words.index(name) + 1 :] if name in words else []
    if name == "run" and (line := _set_whole(behind, option) or meant.of_program(behind)):
        return line
    if others := [other for other in COMMANDS if option in _options(other)]:
        return f"{option} is an option of {listed(others, 'and')}"
    if near := _near(option, _options(name)):
        return _suggested(near)
    if name != "run":
        return ""
    return f"what the app gets stands behind --: hotrun run -- {_with_value(option, behind)}"


def _with_value(option: str, words: Sequence[str]) -> str:
    """Return an option of the app with what it was given, and what stood behind `--` anyway."""
    typed = next((n for n, word in enumerate(words) if word.split("=")[0] == option), None)
    if typed is None:  # -x, typed as -vx
        return option
    end = typed + 1
    while end < len(words) and not words[end].startswith("-"):
        end += 1
    rest = words[words.index("--") + 1 :] if "--" in words else []
    return shlex.join([*words[typed:end], *rest])


def _set_whole(words: Sequence[str], culprit: str) -> str:
    """Return the line with the quotes that a `--set` lacks, if that is where a word came from.

    The shell parts `--set run.command=node app.js -v` at its blanks.
    """
    own, line, found, at = _options("run"), ["run"], False, 0
    while at < len(words):
        end = at + 1
        if line[-1] == "--set" and "=" in words[at]:
            end = _end_of_value(words, at, own)
        found |= any(culprit in (word, word.split("=")[0]) for word in words[at + 1 : end])
        line.append(" ".join([words[at], *map(shlex.quote, words[at + 1 : end])]))
        at = end
    return meant.did_you_mean(*line) if found else ""


def _end_of_value(words: Sequence[str], at: int, own: Iterable[str]) -> int:
    """Find where the value of a `--set` ends that was not quoted."""
    is_command = "command" in words[at].partition("=")[0]
    end = at + 1
    while end < len(words) and words[end] != "--":
        option = words[end].split("=")[0]
        # `go build -v -o app` has options that are ours as well; but not in the first place.
        if option in own and (option.startswith("--") or end == at + 1):
            break
        if option.startswith("-") and not is_command:
            break
        end += 1
    return end


def _suggested(option: str, before: str = "") -> str:
    """Word what is to be typed: an option, or an option with its value."""
    line = before + option
    return f"write {line}" if " " in option else f'did you mean "{line}"?'


def _near(option: str, own: Iterable[str]) -> str:
    """Return what is to be typed for an option that is not there, or nothing."""
    own = {*own}
    aliases = {alias: there for alias, there in ALIASES.items() if there.split()[0] in own}
    if option in aliases:
        return aliases[option]
    if f"-{option}" in own:  # -verbose
        return f"-{option}"
    if not option.startswith("--"):
        return option.swapcase() if option.swapcase() in own else ""
    # Without the dashes, which make any two options alike.
    real, other = ([word[2:] for word in words if word[:2] == "--"] for words in (own, aliases))
    begun = [word for word in (*real, *other) if word.startswith(option[2:])]
    near = begun[0] if len(begun) == 1 else nearest(option[2:], real) or nearest(option[2:], other)
    return aliases.get(f"--{near}", f"--{near}") if near else ""


def _in_group(option: str, words: Sequence[str]) -> str:
    """Return the line with the option behind the command that has it."""
    named = [word for word in words if word in COMMANDS]
    for name in (*named, *COMMANDS):
        if option in _options(name):
            others = [word for word in words if word != name or name not in named]
            return meant.did_you_mean(name, *others)
    near = _near(option, [*_options("run"), "--version"])
    return _suggested(near, "" if near == "--version" else "hotrun run ") if near else ""


def _misused(name: str, error: click.BadOptionUsage) -> UsageError:
    """Word an option without its value, or with one too many."""
    option = _options(name).get(error.option_name)
    if option is None:
        return UsageError(_sentence(error), _help(name))
    if option.is_flag or option.count:
        return UsageError(f"{error.option_name} takes no value", "leave out what follows the =")
    form = f"{error.option_name} {_form(option)}"
    return UsageError(f"{error.option_name} needs a value", f"{form}: {option.help or ''}".strip())


def _form(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return "|".join(map(str, option.type.choices))
    return option.metavar or option.type.name.upper()


# Values and arguments


def _label(param: click.Parameter) -> str:
    if isinstance(param, click.Option):
        return max(param.opts, key=len)
    return (param.metavar or str(param.name).upper()).strip("[].")


def _bad_value(name: str, param: click.Parameter, message: str) -> UsageError:
    """Word a value that is none of those that are possible, or not of the type."""
    found = re.match(r"'(.*)' is not one of", message, re.DOTALL)
    if found is None or not isinstance(param.type, click.Choice):
        return UsageError(f"{_label(param)}: {message.rstrip('.')}", _help(name))
    choices = [str(choice) for choice in param.type.choices]
    words = listed(map(quoted, choices), "or")
    aliases = {word: there for word, there in VALUES.items() if there in choices}
    near = nearest(found[1], choices) or aliases.get(nearest(found[1], aliases), "")
    hint = f'did you mean "{near}"?' if near else _default(name, param)
    return UsageError(f"{_label(param)} must be {words}, not {quoted(found[1])}", hint)


def _default(name: str, param: click.Parameter) -> str:
    if isinstance(param, click.Option) and isinstance(param.default, str):
        return f"the default is {quoted(param.default)}"
    if isinstance(param, click.Option):
        return f"{_label(param)} {_form(param)}: {param.help or ''}".strip()
    return _example(name)


def _rest(name: str, error: click.ClickException, words: Sequence[str]) -> UsageError:
    """Word an argument too many, and what else click may say."""
    found = re.fullmatch(r"Got unexpected extra arguments? \((.*)\)", error.message, re.DOTALL)
    if found is None:
        return UsageError(_sentence(error), _help(name))
    extra = next((word for word in words[1:] if word and found[1].startswith(word)), found[1])
    return UsageError(f"unexpected argument {quoted(extra)}", _extra_hint(name, extra))


def _extra_hint(name: str, extra: str) -> str:
    own = _options(name)
    if extra == "help":
        return meant.did_you_mean(name, "--help")
    if "-c" in own and extra.endswith(".toml"):
        return meant.did_you_mean(name, "-c", extra)
    if "-C" in own and os.path.isdir(extra):
        return meant.did_you_mean(name, "-C", extra)
    return _example(name)


def _sentence(error: click.ClickException) -> str:
    message = error.format_message().rstrip(".")
    return message[:1].lower() + message[1:]
