r"""Dependency files in the syntax of make, as compilers write them.

gcc and clang (-MMD -MP), rustc and cargo: rules without recipes. The law: what stands behind a
colon is an input, and what stands before one is not, unless it has no inputs of its own (the
phony targets of -MP, which are headers).
Facts: GNU make manual, "Rule Syntax" and "What Makefiles Look Like"; gcc's mkdeps.cc (munge);
cargo's fingerprint (a blank is written as `\ `).
"""

from __future__ import annotations

import re

# A drive letter is no target: C:\\x.h and C:/x.h.
_COLON = re.compile(r"(?<!\\)(?::{1,2}|&:)(?=\s|$)")
# An odd number of backslashes makes a blank a part of the name.
_WORD = re.compile(r"(?:(?<!\\)(?:\\\\)*\\[ \t#]|[^\s\\]|\\+)+")
_ESCAPED = re.compile(r"(?P<slashes>\\+)(?P<blank>[ \t#])|\$\$|\\(?P<other>[:%|])")


def parse(text: str) -> set[str]:
    """Return the inputs that a dependency file names, as they are written there."""
    found: set[str] = set()
    for whole in re.sub(r"\\\r?\n", " ", text).split("\n"):
        line = re.split(r"(?:^|(?<=\s))#", whole, maxsplit=1)[0]  # `\#` is a name's own
        colon = _COLON.search(line)
        if colon is not None:
            inputs = _words(line[colon.end() :])
            found.update(inputs or _words(line[: colon.start()]))
    return found


def _words(text: str) -> list[str]:
    return [_ESCAPED.sub(_plain, word) for word in _WORD.findall(text) if word != "|"]


def _plain(match: re.Match[str]) -> str:
    """Take make's quoting from a word: of backslashes before a blank half are its own."""
    if match["blank"]:
        return "\\" * (len(match["slashes"]) // 2) + match["blank"]
    return match["other"] or "$"
