"""An ignored directory costs nothing: nobody opens it, lists it, or watches it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest
from ear import directories, write

if TYPE_CHECKING:
    from collections.abc import Iterator

FEW = 100  # directories; the count that must be found is none, whatever their number
MANY = 30_000  # as many as a real node_modules

# Python tells a hook of every directory it lists and of every file it opens; what the kernel
# watches for a process it says itself. (`skips` and `wants` are hotrun's own, as in a session.)
CHILD = """
import json, os, sys

looked = []

def hook(event, args):
    if event in ("os.scandir", "os.listdir", "open") and isinstance(args[0], str):
        looked.append(args[0])

from hotrun.watch import Overflow, Watcher
from hotrun.watch.rules.filter import Filter
from hotrun.watch.sieve.sieve import Sieve
from hotrun.watch.sieve.snapshot import list_tree

kind, root, config = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
sys.addaudithook(hook)
accepts = Filter(roots=[root], base=root, **config)
if kind == "listing":
    list_tree([root], accepts.skips, accepts.wants)
elif kind == "sieve":
    sieve = Sieve([root], accepts)
    sieve.list()
    list(sieve.prime())
    sieve.note([Overflow(root)])
    list(sieve.sift())
else:
    watcher = Watcher(kind, skips=accepts.skips, wants=accepts.wants)
    watcher.add(root)
    watcher.refresh()
    watcher.read(0.01)
inodes = []
for fd in os.listdir("/proc/self/fdinfo"):
    try:
        with open(f"/proc/self/fdinfo/{fd}") as file:
            lines = [line for line in file if line.startswith("inotify")]
    except OSError:
        continue
    inodes += [int(word[4:], 16) for line in lines for word in line.split() if word[:4] == "ino:"]
print(json.dumps([looked, inodes]))
"""


class Cost(NamedTuple):
    """What was looked at, and the inodes that are watched."""

    looked: list[str]
    inodes: set[int]

    def within(self, top: str) -> list[str]:
        """What of it lies in a directory, or is that directory."""
        inside = {os.stat(path).st_ino: path for path in directories(top)}
        found = [path for path in self.looked if f"{path}/".startswith(f"{top}/")]
        return found + [inside[inode] for inode in self.inodes & inside.keys()]


def cost(kind: str, root: str, config: dict[str, list[str]]) -> Cost:
    command = [sys.executable, "-c", CHILD, kind, root, json.dumps(config)]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    looked, inodes = json.loads(done.stdout)
    return Cost(looked, set(inodes))


def fill(top: str, count: int) -> None:
    """Make directories: ten in each, and the last ones with a file."""
    os.makedirs(top)
    places, made = [top], 0
    for place in places:
        for name in range(10):
            if made == count:
                return
            made += 1
            places.append(f"{place}/{name}")
            os.mkdir(places[-1])
            with open(f"{places[-1]}/index.js", "wb"):
                pass


@pytest.fixture
def project(root: str) -> Iterator[str]:
    """A project with some sources; taken away at once, for it may be large."""
    write(f"{root}/.git/HEAD", "ref: refs/heads/main\n")
    write(f"{root}/src/deep/main.go")
    yield root
    shutil.rmtree(root)


IGNORED = {
    "by its name": ("node_modules", "", {}),
    "by git": ("web/deps", "deps/\n", {}),
    "by git in depth": ("deps", "/deps/**\n/deps/\n!/deps/keep\n", {}),
    "by exclude": ("deps", "", {"exclude": ["deps"]}),
    "by include": ("deps", "", {"include": ["src/**"]}),
    "as an output": ("web/deps", "", {"outputs": ["web/deps/"]}),
}
KINDS = ("listing", "sieve", "native", "poll")
pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self/fdinfo"), reason="asks /proc")
by_rule = pytest.mark.parametrize("rule", IGNORED)
by_kind = pytest.mark.parametrize("kind", KINDS)


@by_kind
@by_rule
def test_an_ignored_directory_is_neither_opened_nor_listed_nor_watched(
    project: str, rule: str, kind: str
) -> None:
    name, lines, config = IGNORED[rule]
    fill(f"{project}/{name}", FEW)
    write(f"{project}/.gitignore", lines)
    found = cost(kind, project, config)
    assert found.within(f"{project}/{name}") == []
    assert found.within(f"{project}/src")


@pytest.mark.stress
def test_of_thirty_thousand_directories_in_node_modules_none_costs_anything(project: str) -> None:
    fill(f"{project}/web/node_modules", MANY)
    for kind in KINDS:
        assert cost(kind, project, {}).within(f"{project}/web/node_modules") == []


@by_kind
def test_a_directory_that_counts_is_seen_to_cost(project: str, kind: str) -> None:
    fill(f"{project}/deps", FEW)
    assert len(cost(kind, project, {}).within(f"{project}/deps")) > FEW


def test_a_native_watcher_watches_exactly_what_counts(project: str) -> None:
    fill(f"{project}/node_modules", FEW)
    found = cost("native", project, {})
    watched = {path for path in directories(project) if os.stat(path).st_ino in found.inodes}
    assert watched == {project, f"{project}/src", f"{project}/src/deep"}
