"""Shell lines: does one need a shell, and where may ``exec`` stand in it?

A shell between us and the app takes the signal in its place, and "the child has exited" is then
not "the app is gone". So a line runs without a shell where it means the same, and is given an
``exec`` where that changes nothing: dash keeps itself as the parent in every form of ``sh -c``
(measured). The law of this file: when in doubt, the line is left as it is.

Facts: POSIX.1-2024, XCU 2 "Shell Command Language".
"""

from __future__ import annotations

import re
import shlex

from hotrun.lean import NamedTuple

# Blanks are ASCII here, whatever Python's \s and str.split think.
_TOKEN = re.compile(
    r"""(?P<blank> (?: [ \t] | \\\n )+ )
    | (?P<comment> \#[^\n]* )
    | (?P<operator> \n | && | \|\| | ;;&? | ;& | <<[-<]? | >> | [<>]& | &>>? | <> | >\|
        | [|&;<>()] )
    | (?P<word> (?: [^ \t\n|&;<>()'"\\]+ | \\. | '[^']*' | "(?: [^"\\]+ | \\. )*" )+ )""",
    re.VERBOSE | re.DOTALL,
)
_QUOTED = re.compile(r"""(?P<single>'[^']*')|\\.|"(?:[^"\\]|\\.)*\"""", re.DOTALL)
# Where quotes nest, so that tokens cannot be told apart without a whole parser.
_NESTED = re.compile(r"""\$[('"]|`|<<|\$\{[^}]*[\s'"\\;&|<>(){]""")
# What a shell expands in a word, outside quotes; braces and `!` mean something in some shells.
_EXPANDED = re.compile(r"[*?\[~{}!\r]")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
# Words that some /bin/sh reads itself: POSIX, dash, bash (where %1 is a job), ksh. `echo` is
# among them because the one on disk prints "a\nb" differently.
_BUILTIN = re.compile(
    r"[.:!{}\[]|\[\[|\]\]|%.*|alias|bg|bind|break|builtin|caller|case|cd|chdir|command|compgen"
    r"|complete|compopt|continue|coproc|declare|dirs|disown|do|done|echo|elif|else|enable|esac"
    r"|eval|exec|exit|export|false|fc|fg|fi|for|function|getopts|hash|help|history|if|in|integer"
    r"|jobs|kill|let|local|logout|mapfile|nameref|newgrp|popd|print|printf|pushd|pwd|read"
    r"|readarray|readonly|return|select|set|shift|shopt|source|suspend|test|then|time|times|trap"
    r"|true|type|typeset|ulimit|umask|unalias|unset|until|wait|whence|while"
)
# Of these, what may stand before an `exec`: it sets no trap and defines no function or alias.
_HARMLESS = re.compile(r"[:\[]|cd|chdir|echo|export|false|printf|pwd|test|true|umask|unset")
_JOINTS = ("&&", "||", ";")
_REDIRECTIONS = ("<", ">", ">>", "<&", ">&", ">|")


class Token(NamedTuple):
    """A word, an operator or a comment, and where it begins."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """Where it ends in the line."""
        return self.start + len(self.text)


def needs_shell(line: str) -> bool:
    """Tell whether a line means something else when ``shlex.split`` cuts it into arguments.

    Raises:
        ValueError: a quote is not closed.
    """
    tokens = _tokens(line)
    if not _literal(line, tokens):
        return True
    return bool(tokens) and (_is_assignment(tokens[0]) or is_builtin(tokens[0].text))


def with_exec(line: str) -> str:
    """Put ``exec`` before the last simple command of a line, where that changes nothing.

    ``cd web && ./app >log`` becomes ``cd web && exec ./app >log``. Pipes, background jobs,
    here-documents and compound commands are left as they are, and so is a line that may set a
    trap, which an ``exec`` would lose.
    """
    if _NESTED.search(line):
        return line
    commands: list[list[Token]] = [[]]
    for token in _tokens(line):
        if token.text == "\n" or (token.text in _JOINTS and commands[-1]):
            commands.append([])
        elif token.kind == "operator" and token.text not in _REDIRECTIONS:
            return line
        elif token.kind != "comment":
            commands[-1].append(token)
    programs = [_program(command) for command in commands if command]
    last = programs.pop() if programs else None
    if last is None or is_builtin(last.text) or not all(map(_spares_exec, programs)):
        return line
    return f"{line[: last.start]}exec {line[last.start :]}"


def append(line: str, arguments: str) -> str:
    """Put more arguments behind the last word of a line: a comment or ``;`` may follow it."""
    ends = [token.end for token in _tokens(line) if token.kind == "word"]
    end = ends[-1] if ends else len(line)
    return f"{line[:end]} {arguments}{line[end:]}"


def simple(line: str) -> list[str]:
    """Return the arguments of a line that is one command, the variables before it left out.

    Empty when it is more than that, or when only a shell knows what its words become.
    """
    tokens = _tokens(line)
    if not _literal(line, tokens):
        return []
    program = next((token for token in tokens if not _is_assignment(token)), None)
    return shlex.split(line[program.start :]) if program is not None else []


def is_builtin(word: str) -> bool:
    """Tell whether a shell reads a word itself, quoted (``"cd"``) or not."""
    return _BUILTIN.fullmatch(shlex.split(word)[0]) is not None


def _is_assignment(token: Token) -> bool:
    return _ASSIGNMENT.match(token.text) is not None


def _literal(line: str, tokens: list[Token]) -> bool:
    """Tell whether all is words that stay as they are; shlex keeps an escaped line end."""
    return "\\\n" not in line and not any(t.kind != "word" or _expands(t.text) for t in tokens)


def _expands(word: str) -> bool:
    """Tell whether a shell would put something else in a word's place."""
    outside = _QUOTED.sub("", word)
    double = _QUOTED.sub(lambda found: "" if found["single"] else found[0], word)
    return _EXPANDED.search(outside) is not None or "$" in double or "`" in double


def _program(command: list[Token]) -> Token | None:
    """Return the word that names the program; None when it cannot be told."""
    first = next((token for token in command if not _is_assignment(token)), None)
    if first is None or first.kind != "word" or _expands(first.text) or "\\\n" in first.text:
        return None
    # Digits may be the descriptor of a redirection, a dash an option of `exec`.
    return None if re.match(r"[0-9]+$|-", first.text) else first


def _spares_exec(program: Token | None) -> bool:
    """Tell whether a command may stand before an ``exec``."""
    if program is None:
        return False
    spares = _HARMLESS.fullmatch(shlex.split(program.text)[0]) is not None
    return spares or not is_builtin(program.text)


def _tokens(line: str) -> list[Token]:
    """Cut a line into words, operators and comments."""
    tokens: list[Token] = []
    at = 0
    while at < len(line):
        match = _TOKEN.match(line, at)
        if match is None:
            if _NESTED.search(line):  # the shell has to judge
                return [*tokens, Token("operator", line[at:], at)]
            raise ValueError("a quote is not closed")
        if match.lastgroup != "blank":
            tokens.append(Token(str(match.lastgroup), match[0], at))
        at = match.end()
    return tokens
