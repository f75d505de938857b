"""What a compiler says of a build that is good, too, is in the notice of its end."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from live import ended

if TYPE_CHECKING:
    from live import Project

SAYS = """
print("cc -c a.c")
print("a.c:3:5: warning: unused variable 'x' [-Wunused-variable]")
"""


def test_the_warnings_of_a_good_build_are_told(project: Project) -> None:
    project.write("say.py", SAYS)
    project.write("a.c", "")
    project.write("hotrun.toml", f'[build]\ncommand = "{sys.executable} -ISE say.py"\n')
    done = ended(project.path, "run", "--once", "--json")
    assert done.code == 0, done.err
    (end,) = [
        each for each in map(json.loads, done.out.splitlines()) if each["event"] == "build_finished"
    ]
    assert end["ok"]
    assert end["diagnostics"] == [
        {
            "file": "a.c",
            "line": 3,
            "column": 5,
            "severity": "warning",
            "message": "unused variable 'x' [-Wunused-variable]",
        }
    ]
