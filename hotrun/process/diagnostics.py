"""What a compiler complains about, read from its output.

Four shapes serve most of them:

- ``file:line:column: message`` (go, gcc, clang, cargo --message-format short, javac, mypy, ruff;
  tsc on a terminal puts a dash before the message);
- ``file(line,column): error TS1005: message`` (tsc, C#, MSVC);
- a headline, and below it ``--> file:line:column`` (rustc, cargo) or an indented position
  (esbuild, vite);
- a place, and below it ``SomeError: message`` (Python, Node).
"""

from __future__ import annotations

import re

from hotrun.lean import NamedTuple
from hotrun.process.places import Places, is_source

MOST = 100  # of one build
LONGEST = 2_000  # characters of a line that are looked at: a minified file may be quoted

_ESCAPES = re.compile(
    r"\x1b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9]|[=>78cM])"
)
# Blanks only in a path that begins like one: prose is full of words before a colon.
_FILE = r"(?P<file>(?:[A-Za-z]:[\\/]|\.{0,2}/)[^:\"<>|]+|[^\s:\"<>|]+)"
_COLON = re.compile(
    rf"\s*(?:vet: |\S*\bld(?:\.\w+)?: )?{_FILE}"
    r":(?P<line>\d+)(?::(?P<column>\d+))?(?:: +| - )(?P<text>\S.*)"
)
# Without -g a linker knows the file alone.
_LINKER = re.compile(
    rf"\s*(?:\S*\bld(?:\.\w+)?: )?{_FILE}:\(\.[^()]+\): "
    r"(?P<text>(?:undefined reference|multiple definition)\b.*)"
)
_PAREN = re.compile(
    r"\s*(?P<file>(?:[A-Za-z]:)?[^\s:\"<>|][^:\"<>|]*)\((?P<line>\d+)(?:,(?P<column>\d+))?\)"
    r": (?P<text>(?:fatal )?(?:error|warning|info|message)\b.*)"
)
_MORE = re.compile(r"\t+(?P<text>(?P<types>(?:have|want) )?\S.*)")
_HEADLINE = re.compile(
    r"(?:\S \[(?P<shouted>ERROR|WARNING)\] |(?P<severity>error|warning|note)(?:\[[\w:]+\])?: )"
    r"(?P<text>.*)"
)
_BELOW = re.compile(rf"\s+(?:--> )?{_FILE}:(?P<line>\d+):(?P<column>\d+):?")
_FRAME = re.compile(r"\s*File \"(?P<file>[^\"]+)\", line (?P<line>\d+)(?:, in .*)?")
_NODE = re.compile(r"(?P<file>(?:[A-Za-z]:[\\/]|/)[^:]+):(?P<line>\d+)")
_RAISED = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Warning|Exit|Interrupt)\b(?::.*)?")
_SEVERITY = re.compile(
    r"(?P<severity>fatal error|error|warning|note|info)(?:\[\w+\])?(?::\s*|\s+(?=[A-Z]+\d+:))",
    re.IGNORECASE,
)


class Diagnostic(NamedTuple):
    """One complaint; ``line`` and ``column`` count from 1, and 0 is unknown."""

    file: str
    line: int
    column: int
    severity: str
    message: str


def parse(lines: list[str], directory: str = "", command: str = "") -> list[Diagnostic]:
    """Find the complaints in the lines of a failed build, at most ``MOST``.

    Args:
        lines: What it printed.
        directory: Where it ran, absolute: files are named from there; "" leaves them as printed.
        command: The command, which may have gone to another directory by itself.
    """
    places = Places(directory, command) if directory else None
    reader = _Reader()
    found: dict[Diagnostic, None] = {}
    last: Diagnostic | None = None
    for line in map(_shown, lines):
        if last is not None and (longer := _continued(last, line)) is not None:
            del found[last]
            last = longer
        elif (last := reader.read(line)) is not None and places is not None:
            last = last._replace(file=places.shown(last.file))
        elif places is not None:
            places.note(line)
        if last is not None:
            found[last] = None
            if len(found) == MOST:
                break
    return list(found)


def clipped(text: str) -> str:
    """Return lines without what is not looked at: a line may be as long as all output."""
    return "\n".join(map(_end_of, text.split("\n")))


def plain(line: str) -> str:
    """Return a line without its escape sequences (colours, links)."""
    return _ESCAPES.sub("", line) if "\x1b" in line else line


def _shown(line: str) -> str:
    """Return what a terminal would show: a carriage return writes over what was there."""
    line = _end_of(line)
    if "\r" in line:
        line = line.rstrip("\r").rpartition("\r")[2]
    return plain(line[:LONGEST])


def _end_of(line: str) -> str:
    """Return the part of a line that is shown: its beginning, or the end of a bar that moves."""
    if len(line) <= 2 * LONGEST:
        return line
    return line[-2 * LONGEST :] if "\r" in line else line[:LONGEST]


def _continued(last: Diagnostic, line: str) -> Diagnostic | None:
    """Return a complaint of go with the line that belongs to it: what it has, wants, or advises."""
    match = _MORE.fullmatch(line)
    if match is None:
        return None
    if last.message.endswith(":"):
        return last._replace(message=f"{last.message} {match['text']}")
    return last._replace(message=f"{last.message}; {match['text']}") if match["types"] else None


class _Reader:
    """Reads line by line; what has two lines is remembered until its second one."""

    def __init__(self) -> None:
        self._headline: tuple[str, str] | None = None
        self._frame: re.Match[str] | None = None

    def read(self, line: str) -> Diagnostic | None:
        match = _COLON.fullmatch(line) or _PAREN.fullmatch(line)
        if match is not None:
            counts = is_source(match["file"]) and match["text"] != "too many errors"
            return _of(match, *_graded(match["text"])) if counts else None
        if (match := _LINKER.fullmatch(line)) is not None and not match["file"].endswith(".o"):
            return _of(match, "error", match["text"])
        if (match := _HEADLINE.fullmatch(line)) is not None:
            self._headline = (match["severity"] or match["shouted"].lower(), match["text"])
        elif self._headline is not None and (match := _BELOW.fullmatch(line)) is not None:
            (severity, text), self._headline = self._headline, None
            return _of(match, severity, text)
        elif (match := _FRAME.fullmatch(line) or _NODE.fullmatch(line)) is not None:
            self._frame = match
        elif self._frame is not None and _RAISED.fullmatch(line):
            match, self._frame = self._frame, None
            return _of(match, "error", line)
        return None


def _of(match: re.Match[str], severity: str, text: str) -> Diagnostic:
    known = match.groupdict()
    line, column = int(known.get("line") or 0), int(known.get("column") or 0)
    return Diagnostic(match["file"].removeprefix("./"), line, column, severity, text.strip())


def _graded(text: str) -> tuple[str, str]:
    """Split ``error: message``; what says nothing about itself is an error."""
    match = _SEVERITY.match(text)
    if match is None:
        return "error", text
    return match["severity"].lower().removeprefix("fatal "), text[match.end() :]
