"""What apps say about ports: in what they print when one is taken, and in how they are started.

Every runtime has words of its own for EADDRINUSE, and half of them leave out the port. Pure; a
port that is found here is a guess until the kernel is asked (ports.py).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hotrun.process.diagnostics import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

LONGEST = 2_000  # characters of a line that are looked at: a minified file may be quoted
MOST = 4  # ports of one message; who reads it wants the one that matters

# Patterns are compiled when they are used: most apps never say it, and every start would wait.
# Words as bind(2) has them, as Node, Rust and Windows name it, and as frameworks say it.
_SAYS = (
    r"address (?:is )?already in use|eaddrinuse|addrinuse|one usage of each socket"
    r"|\bconnection in use: |\bport\b(?:(?!\bnot\b)[^.!?]){0,40}\bin use\b"
)
# A host only in a form that no file (main.go:42) and no time (14:02:33) has.
_HOST = (
    r"(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9A-Fa-f:.]*\]|\*|\blocalhost"
    r"|(?<![\w:.])[0-9A-Fa-f]*::[0-9A-Fa-f:]*?)"
)
_PORT = (
    rf"(?i:(?:{_HOST}|//[^\s/:]+):(?P<host>\d{{1,5}})\b"
    r"|\btcp[46]?\s+[^\s:]*:(?P<network>\d{1,5})\b"  # Go: listen tcp :8080
    r"|\bport[\s:=#]+[\"']?(?P<named>\d{1,5})\b"
    r"|\('[^']*', (?P<pair>\d{1,5})\b"  # Python: ('127.0.0.1', 8080)
    r"|(?:^|(?<=\s)):(?P<bare>\d{1,5})(?=[\s:,.]|$))"
)
# Lines near the message that name the port when it does not: what was about to be bound.
_NEAR = r"(?i:\b(?:bind|listen|starting|running on|port))"

# A word of a command that is an address of this machine; a database's is elsewhere.
_ADDRESS = rf"(?:--?[\w.-]+=|[A-Z_]+=)?(?:[a-z+]+:(?://)?)?(?:{_HOST})?:(\d{{1,5}})(?:/\S*)?"
_OPTION = r"(?i:-p|--?(?:[\w.-]+[.-])?port)"
_ASSIGNED = r"(?i:(?:-p=?|--?(?:[\w.-]+[.-])?port=|(?:[A-Z]+_)?PORT=)(\d{1,5})(?::\d+)?)"
_NAKED = r"[1-9]\d{3,4}"
_NUMBER = r"(\d{1,5})(?::\d+)?"  # docker run -p 8080:80: the first is this machine's


def may_say_so(text: str) -> bool:
    """Whether any line of a text may say that an address is taken; cheap, for all that is read."""
    low = text.lower()
    return "in use" in low or "inuse" in low or "one usage of" in low


def says_in_use(line: str) -> bool:
    """Whether a line of output says that an address is taken."""
    low = line[:LONGEST].lower()
    if not may_say_so(low):
        return False
    return re.search(_SAYS, plain(low)) is not None


def ports_in(text: str) -> list[int]:
    """Return the ports that an app names when it says that an address is taken.

    Args:
        text: The last lines of its output.

    Returns:
        At most `MOST`, as they come; first choice are the lines that say it, else those that
        say what was to be bound. Empty when nothing says so, or nothing names a port.
    """
    lines = [plain(line[:LONGEST]) for line in text.splitlines()]
    saying = [line for line in lines if says_in_use(line)]
    if not saying:
        return []
    return _named(saying) or _named(line for line in lines if re.search(_NEAR, line))


def guesses(env: Mapping[str, str], argv: Sequence[str]) -> list[int]:
    """Return the ports that an app will probably want.

    Args:
        env: Its environment; `PORT` is what hosts and most frameworks go by.
        argv: Its command; a line for a shell is read word by word.
    """
    found = [env.get("PORT", "")]
    numbers = []  # `python3 -m http.server 8080`: it may be one
    before = ""
    for word in " ".join(argv).split():
        bare = word.strip("\"'")
        match = re.fullmatch(_ADDRESS, bare) or re.fullmatch(_ASSIGNED, bare)
        if match is None and re.fullmatch(_OPTION, before):
            match = re.fullmatch(_NUMBER, bare)
        found += [match[1]] if match else []
        numbers += [bare] if re.fullmatch(_NAKED, bare) else []
        before = bare
    return _ports([*found, *numbers])


def _named(lines: Iterable[str]) -> list[int]:
    matches = (match for line in lines for match in re.finditer(_PORT, line))
    return _ports(match[match.lastgroup or 0] for match in matches)[:MOST]


def _ports(texts: Iterable[str]) -> list[int]:
    """Return what may be a port, each once."""
    numbers = (int(text) for text in texts if text.isascii() and text.isdigit())
    return list(dict.fromkeys(number for number in numbers if 0 < number < 65_536))  # noqa: PLR2004
