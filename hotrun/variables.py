"""Variables in the config: ``${NAME}`` and ``${NAME:-default}``, in `run.listen` and `run.ready`.

The config is checked before their values are known, and the app's start knows them; both read
them by the one pattern that stands here. Pure. Law: no value is ever shown.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hotrun.errors import HotrunError

if TYPE_CHECKING:
    from collections.abc import Mapping

# A shell's names (POSIX, XCU 2.6.2), and any other `${`, which has no name then.
REFERENCE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}|\$\{")


class ExpandError(HotrunError):
    """A ``${NAME}`` that cannot be replaced."""


def expand(text: str, env: Mapping[str, str]) -> str:
    """Replace ``${NAME}`` and ``${NAME:-default}``; a ``$`` without a brace is only a ``$``.

    As a shell does (POSIX, XCU 2.6.2): the default also stands in for an empty value.

    Raises:
        ExpandError: NAME is not set and there is no default, or the braces hold something else.
    """

    def value(match: re.Match[str]) -> str:
        name, default = match["name"], match["default"]
        if name is None:
            raise ExpandError(f"{text}: a ${{ without its name", 'write "${NAME}"')
        if default is not None:
            return env.get(name) or default
        if name not in env:
            hint = f'set it, or give a default: "${{{name}:-...}}"'
            raise ExpandError(f"{text}: {name} is not set", hint)
        return env[name]

    return REFERENCE.sub(value, text)


def look_at(text: str) -> str:
    """Return the hint for a text that is wrong with what its variables hold."""
    names = [match["name"] for match in REFERENCE.finditer(text) if match["name"]]
    return f"look at what {' and '.join(dict.fromkeys(names))} is set to, and start again"
