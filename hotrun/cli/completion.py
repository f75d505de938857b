"""``hotrun completion``: a script that completes commands, options and values in a shell.

The script is made of the commands as they are, and holds all it needs: at the press of TAB
nothing is started. What a value can be follows from its choices and its metavar (FILE, DIR, PATH).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hotrun.cli import COMMANDS, load
from hotrun.lean import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

SHELLS = ("bash", "zsh", "fish")
INSTALL = {
    "bash": "hotrun completion bash > ~/.local/share/bash-completion/completions/hotrun",
    "zsh": 'hotrun completion zsh > "${fpath[1]}/_hotrun"',
    "fish": "hotrun completion fish > ~/.config/fish/completions/hotrun.fish",
}
KINDS = {"FILE": "file", "PATH": "file", "DIR": "directory", "KEY=VALUE": "setting"}
FLAG, VALUES = "flag", "values"


@click.command(epilog=f"Example: {INSTALL['zsh']}")
@click.argument("shell", type=click.Choice(SHELLS), metavar="SHELL")
def completion(shell: str) -> None:
    """Print a completion script for SHELL: bash, zsh or fish.

    It completes without starting hotrun. To have it in every new shell:

    \b
    hotrun completion bash > ~/.local/share/bash-completion/completions/hotrun
    hotrun completion zsh > "${fpath[1]}/_hotrun"
    hotrun completion fish > ~/.config/fish/completions/hotrun.fish

    Without the package bash-completion, let ~/.bashrc read the file.
    """  # noqa: D301 - \b is click's mark of lines that stay as they are
    click.echo(script(shell), nl=False)


class Parameter(NamedTuple):
    """An option, or (without names) the arguments of a command.

    Args:
        names: Short and long.
        kind: "flag", "values", "setting" (KEY=VALUE), "file", "directory", "app" (what stands
            behind `--`), or "" for free text.
        values: What can be chosen.
        help: One phrase.
        label: What the value is called.
        repeats: It can be given several times.
    """

    names: tuple[str, ...]
    kind: str
    values: tuple[str, ...]
    help: str
    label: str
    repeats: bool


def script(shell: str) -> str:
    """Return the script of a shell."""
    head = (
        f"# hotrun: completion for {shell}. To have it in every new shell:\n#   {INSTALL[shell]}\n"
    )
    body = {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell]
    lines = [*body({name: parameters(load(name)) for name in COMMANDS})]
    first = "#compdef hotrun\n" if shell == "zsh" else ""  # compinit reads the first line only
    return "\n".join([first + head, *lines, ""])


def parameters(command: click.Command) -> list[Parameter]:
    """Return the options of a command, `--help` too, and its arguments."""
    found = [_parameter(param) for param in command.params]
    return [*found, Parameter(("-h", "--help"), FLAG, (), "show the help", "", False)]


def _parameter(param: click.Parameter) -> Parameter:
    names = (*param.opts, *param.secondary_opts) if isinstance(param, click.Option) else ()
    kind, values = _value(param)
    text = (getattr(param, "help", None) or "").split(". ")[0].removesuffix(".")
    label = (param.metavar or str(param.name)).strip("[].")
    return Parameter(names, kind, values, text, label, param.multiple or param.nargs == -1)


def _value(param: click.Parameter) -> tuple[str, tuple[str, ...]]:
    """Return the kind of a parameter's value, and what can be chosen."""
    if isinstance(param, click.Option) and (param.is_flag or param.count):
        return FLAG, ()
    if isinstance(param.type, click.Choice):
        return VALUES, tuple(map(str, param.type.choices))
    if param.name == "template":
        from hotrun.project.catalogue import TEMPLATES

        return VALUES, tuple(TEMPLATES)
    if param.name == "app_args":
        return "app", ()
    return KINDS.get((param.metavar or "").strip("[]."), ""), ()


def _keys() -> str:
    """Return what `--set` can be followed by."""
    from hotrun.config.keys import KEYS, LISTS

    return " ".join(f"{key.dotted}=" for key in KEYS if key.table not in LISTS)


Tree = dict[str, list[Parameter]]


# bash


def _bash(commands: Tree) -> Iterator[str]:
    yield _BASH_BEGIN.replace("COMMANDS", " ".join(commands)).replace("KEYS", _keys())
    for name, params in commands.items():
        yield f"        {name})"
        yield from _bash_values(params)
        words = " ".join(word for param in params for word in param.names)
        yield f"            options={_quoted(words)}"
        yield f"            arguments={_bash_argument(params)} ;;"
    yield _BASH_END


def _bash_values(params: list[Parameter]) -> Iterator[str]:
    """The branch of the options that take a value."""
    does = {"file": "_hotrun_files", "directory": "_hotrun_directories", "setting": "_hotrun_keys"}
    yield "            case $before in"
    for param in params:
        if param.names and param.kind != FLAG:
            words = f"_hotrun_words {_quoted(' '.join(param.values))}" if param.values else ":"
            names = " | ".join(param.names)
            yield f"                {names}) {does.get(param.kind, words)}; return ;;"
    yield "            esac"


def _bash_argument(params: list[Parameter]) -> str:
    for param in params:
        if not param.names:
            words = _quoted(" ".join(param.values))
            return {VALUES: words, "file": "FILES"}.get(param.kind, "NONE")
    return "NONE"


_BASH_BEGIN = """\
_hotrun_words() { COMPREPLY=($(compgen -W "$1" -- "$word")); }

# readline completes names best; bash 3.2 cannot be told to.
_hotrun_files() { compopt -o default 2> /dev/null || COMPREPLY=($(compgen -f -- "$word")); }

_hotrun_directories() {
    compopt -o dirnames 2> /dev/null || COMPREPLY=($(compgen -d -- "$word"))
}

# The value follows the =.
_hotrun_keys() {
    compopt -o nospace 2> /dev/null
    _hotrun_words "KEYS"
}

_hotrun() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]} options= arguments= i IFS=$' \\t\\n'
    COMPREPLY=()
    # --color=al is three words to bash.
    if [[ $word == "=" ]]; then
        word=
    elif [[ $before == "=" ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    if ((COMP_CWORD == 1)); then
        case $word in
            -*) _hotrun_words "--version -h --help" ;;
            *) _hotrun_words "COMMANDS" ;;
        esac
        return
    fi
    for ((i = 2; i < COMP_CWORD; i++)); do
        if [[ ${COMP_WORDS[i]} == "--" ]]; then
            _hotrun_files
            return
        fi
    done
    case $command in"""
_BASH_END = """\
    esac
    if [[ $word == -* || $arguments == NONE ]]; then
        _hotrun_words "$options"
    elif [[ $arguments == FILES ]]; then
        _hotrun_files
    else
        _hotrun_words "$arguments"
    fi
}

complete -F _hotrun hotrun"""


# zsh


def _zsh(commands: Tree) -> Iterator[str]:
    yield _ZSH_BEGIN
    yield f"    local -a keys=({_keys()})"
    yield "    local curcontext=$curcontext state line"
    yield "    typeset -A opt_args"
    yield "    local -a commands=("
    for name, text in COMMANDS.items():
        yield f"        {_quoted(f'{name}:{text}')}"
    yield _ZSH_MIDDLE
    for name, params in commands.items():
        yield f"        {name})"
        yield "            _arguments -s -S \\"
        specs = [spec for param in params for spec in _zsh_specs(param)]
        yield from (f"                {spec} \\" for spec in specs[:-1])
        yield f"                {specs[-1]} ;;"
    yield _ZSH_END


def _zsh_specs(param: Parameter) -> Iterator[str]:
    """The specs of a parameter; its names exclude one another."""
    action = _ZSH_ACTIONS.get(param.kind, f"({' '.join(param.values)})" if param.values else "")
    value = "" if param.kind == FLAG else f":{_zsh_text(param.label)}:{action}"
    if not param.names:
        yield _quoted(f"{'*' if param.repeats else '1'}{value}")
    for name in param.names:
        before = "*" if param.repeats else f"({' '.join(param.names)})"
        yield _quoted(f"{before}{name}[{_zsh_text(param.help)}]{value}")


def _zsh_text(text: str) -> str:
    for char in "\\[]:":
        text = text.replace(char, f"\\{char}")
    return text


_ZSH_ACTIONS = {
    "file": "_files",
    "directory": "_files -/",
    "app": "_hotrun_app",
    "setting": "compadd -S '' -a keys",
}
_ZSH_BEGIN = """\
_hotrun_app() { ((${words[(I)--]})) && _files }

_hotrun() {"""
_ZSH_MIDDLE = """\
    )
    _arguments -C \\
        '(- *)--version[show the version]' \\
        '(- *)'{-h,--help}'[show the help]' \\
        '1:command:->command' \\
        '*::argument:->argument' && return
    case $state in
        command) _describe -t commands command commands; return ;;
    esac
    case $words[1] in"""
_ZSH_END = """\
    esac
}

# Read as a file of completions, this is the function itself; sourced, it has to be told.
if [[ $funcstack[1] == _hotrun ]]; then
    _hotrun "$@"
else
    compdef _hotrun hotrun
fi"""


# fish


def _fish(commands: Tree) -> Iterator[str]:
    yield f"function __hotrun_keys; string split ' ' '{_keys()}'; end"
    yield "complete -c hotrun -f"
    none = "complete -c hotrun -n __fish_use_subcommand"
    yield f"{none} -l version -d 'show the version'"
    yield f"{none} -s h -l help -d 'show the help'"
    for name, text in COMMANDS.items():
        yield f"{none} -a {name} -d {_fish_quoted(text)}"
    for name, params in commands.items():
        for param in params:
            yield from _fish_line(name, param)


def _fish_line(name: str, param: Parameter) -> Iterator[str]:
    called = f"__fish_seen_subcommand_from {name}"
    if param.kind == "app":
        called += "; and contains -- -- (commandline -opc)"
    names = [f"{'-l' if each[:2] == '--' else '-s'} {each.lstrip('-')}" for each in param.names]
    value = _FISH_VALUES.get(param.kind, "")
    if param.values:
        value = f"-a {_fish_quoted(' '.join(param.values))}"
    # -r: a value has to follow; -x: and it is no file.
    needs = {FLAG: "", "file": "-r"}.get(param.kind, "-x") if names else ""
    text = [f"-d {_fish_quoted(param.help)}"] if names and param.help else []
    if names or value:
        words = [*names, needs, value, *text]
        yield f"complete -c hotrun -n '{called}' {' '.join(filter(None, words))}"


_FISH_VALUES = {
    "file": "-F",
    "app": "-F",
    "directory": "-a '(__fish_complete_directories)'",
    "setting": "-a '(__hotrun_keys)'",
}


def _fish_quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _quoted(text: str) -> str:
    """Quote for bash and zsh."""
    escaped = text.replace("'", "'\\''")
    return f"'{escaped}'"
