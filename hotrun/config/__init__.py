"""The config wing: hotrun.toml, checked against one table of keys.

`load` reads a file (or `[tool.hotrun]` of a pyproject.toml) and lays `--set` options over it;
`load_text` does the same with a text. Either gives a whole Config or raises every problem at once.
"""

from __future__ import annotations

from hotrun.config.load import load, load_text
from hotrun.config.schema import Build, Command, Config, Inputs, Ready, Rule, Run, Watch
from hotrun.config.source import Given, Override

__all__ = [
    "Build",
    "Command",
    "Config",
    "Given",
    "Inputs",
    "Override",
    "Ready",
    "Rule",
    "Run",
    "Watch",
    "load",
    "load_text",
]
