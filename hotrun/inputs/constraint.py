"""Build constraints of Go: does a file of a package belong to this build, by name and by header?

The law: in doubt it does. Only what Go itself would leave out for certain is left out.
Facts: `go help buildconstraint`; go/build (goodOSArchFile, parseFileHeader, matchTag) and
go/build/constraint (the grammar of an expression) of Go 1.27; internal/syslist for the names.
"""

from __future__ import annotations

import re

from hotrun.lean import NamedTuple

SYSTEMS = frozenset(
    {"aix", "android", "darwin", "dragonfly", "freebsd", "hurd", "illumos", "ios", "js", "linux"}
    | {"nacl", "netbsd", "openbsd", "plan9", "solaris", "wasip1", "windows", "zos"}
)
ARCHITECTURES = frozenset(
    {"386", "amd64", "amd64p32", "arm", "arm64", "arm64be", "armbe", "loong64", "mips", "mips64"}
    | {"mips64le", "mips64p32", "mips64p32le", "mipsle", "ppc", "ppc64", "ppc64le", "riscv"}
    | {"riscv64", "s390", "s390x", "sparc", "sparc64", "wasm"}
)
_UNIX = SYSTEMS - {"js", "nacl", "plan9", "wasip1", "windows", "zos"}
_ALSO = {"android": "linux", "illumos": "solaris", "ios": "darwin"}
_TOKEN = re.compile(r"[ \t]*(?:(?P<operator>&&|\|\||[!()])|(?P<tag>[\w.]+))")
HEADER = 64 * 1024  # bytes of a file that are looked through for its constraint


class Context(NamedTuple):
    """For what is built: the tags that hold.

    ``cgo`` and the compiler are among them, and so is every ``go1.N``.
    """

    system: str
    architecture: str
    tags: frozenset[str]

    def holds(self, tag: str) -> bool:
        """Whether a tag holds in this build."""
        if tag == "unix":
            return self.system in _UNIX
        if tag == "boringcrypto":
            tag = "goexperiment.boringcrypto"
        implied = _ALSO.get(self.system, "")
        return tag in (self.system, self.architecture, implied) or tag in self.tags


# What `go list` prints of its context: one line each, in the order of `parse_context`.
TEMPLATE = (
    "{{with context}}{{.GOOS}}\n{{.GOARCH}}\n{{.Compiler}}\n{{.CgoEnabled}}\n"
    '{{join .BuildTags " "}}\n{{join .ToolTags " "}}\n{{join .ReleaseTags " "}}{{end}}'
)


def parse_context(text: str) -> Context:
    """Read what `go list -f TEMPLATE` prints.

    Raises:
        ValueError: it is something else.
    """
    system, architecture, compiler, cgo, *tags = text.rstrip("\n").split("\n")
    if not (system and architecture and tags):
        raise ValueError("no context")
    held = {compiler, *(["cgo"] if cgo == "true" else []), *" ".join(tags).split()}
    return Context(system, architecture, frozenset(held))


def left_out_by_name(name: str, context: Context) -> str:
    """Say why a file of a package is no part of the build whatever it holds; empty: it may be."""
    if name.startswith(("_", ".")):
        return "Go ignores names that begin with _ or a dot"
    if name.endswith("_test.go"):
        return "a test is no part of the program"
    words = name.partition(".")[0].split("_")[1:]
    if words and words[-1] == "test":
        words.pop()
    named = [word for word in words[-1:] if word in SYSTEMS | ARCHITECTURES]
    if words[-2:-1] and words[-2] in SYSTEMS and words[-1] in ARCHITECTURES:
        named = words[-2:]
    others = [tag for tag in named if not context.holds(tag)]
    return f"its name says {others[0]}" if others else ""


def left_out_by_header(data: bytes, context: Context) -> str:
    """Say why a file's own //go:build line keeps it out of the build; empty: it does not."""
    lines = _constraints(data.removeprefix(b"\xef\xbb\xbf"))
    if len(lines) != 1:  # none; or several, which Go calls an error
        return ""
    try:
        included = _Expression(lines[0], context).value()
    except ValueError:  # Go calls this an error too, so that the build fails
        return ""
    return "" if included else f"its line //go:build {lines[0]} leaves it out"


def _constraints(data: bytes) -> list[str]:
    """Return the //go:build expressions in the comments at the top of a file.

    Like Go we look at whole lines, and not into a comment in /* */.
    """
    found = []
    inside = False
    for raw in data[:HEADER].split(b"\n"):
        line = raw.strip()
        rest = line.removeprefix(b"//go:build")
        if not inside and rest != line and (not rest or rest[:1].isspace()):
            found.append(rest.strip().decode("utf-8", "replace"))
        inside, text = _after_comments(line, inside=inside)
        if text:
            break
    return found


def _after_comments(line: bytes, *, inside: bool) -> tuple[bool, bytes]:
    """Return whether a line ends in a /* */ comment, and what stands in it outside of any."""
    while line:
        if inside:
            _, end, line = line.partition(b"*/")
            inside, line = not end, line.strip()
        elif line.startswith(b"//"):
            return False, b""
        elif line.startswith(b"/*"):
            inside, line = True, line[2:]
        else:
            return False, line
    return inside, b""


class _Expression:
    """Evaluates ``a && (b || !c)``."""

    def __init__(self, text: str, context: Context) -> None:
        self._context = context
        self._tokens = list(_tokens(text))
        self._tokens.reverse()

    def value(self) -> bool:
        """Evaluate it.

        Raises:
            ValueError: it is none.
        """
        value = self._or()
        if self._tokens:
            raise ValueError(self._tokens[-1])
        return value

    def _or(self) -> bool:
        value = self._and()
        while self._takes("||"):
            value = self._and() or value  # both sides have to be read
        return value

    def _and(self) -> bool:
        value = self._not()
        while self._takes("&&"):
            value = self._not() and value
        return value

    def _not(self) -> bool:
        return not self._atom() if self._takes("!") else self._atom()

    def _atom(self) -> bool:
        if self._takes("("):
            value = self._or()
            if not self._takes(")"):
                raise ValueError("(")
            return value
        if not self._tokens or self._tokens[-1] in ("&&", "||", "!", ")"):
            raise ValueError("no tag")
        return self._context.holds(self._tokens.pop())

    def _takes(self, token: str) -> bool:
        if self._tokens and self._tokens[-1] == token:
            self._tokens.pop()
            return True
        return False


def _tokens(text: str) -> list[str]:
    tokens = []
    at = 0
    text = text.rstrip(" \t")
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(text[at:])
        tokens.append(match["operator"] or match["tag"])
        at = match.end()
    return tokens
