"""No change is lost: what is said not to matter leaves the binary as it is, byte for byte.

A random walk over a Go module: files come, go, move, and change their imports, constraints and
what they embed, also while the package graph is being asked for. The real compiler is the judge.
"""

from __future__ import annotations

import random
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from inputs.rig import Rig, built, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONFIG = """
[build]
command = "go build -trimpath -buildvcs=false -o ../out/app ."
env = { GOFLAGS = "", GOWORK = "", GO111MODULE = "" }
"""
PACKAGES = ("", "a", "a/b", "c", "d", "d/windows")
SUFFIXES = ("", "_windows", "_linux", "_test", "_amd64", "_plan9_arm", "_linux_test", "_other")
CONSTRAINTS = (
    "",
    "//go:build linux\n\n",
    "//go:build windows || (linux && !amd64 && !arm64)\n\n",
    "// Words.\n\n//go:build ignore\n\n",
    "/* A comment. */ // and\n//go:build !windows && unix && go1.20\n\n",
    "/*\n//go:build ignore\n*/\n\n",
)
DATA = ("x.txt", "static/y.css", "static/.hidden", "static/deep/z.js", "README.md", "static/e.go")
PATTERNS = ("", "//go:embed x.txt\n", "//go:embed static\n", '//go:embed "all:static" x.t*\n')


@dataclass
class File:
    """A Go file that compiles, alone and beside others, and shows in the binary when it is in."""

    package: str
    constraint: str = ""
    imports: set[str] = field(default_factory=set)
    embeds: str = ""
    word: int = 0

    def text(self, name: str) -> str:
        own = "".join(filter(str.isalnum, name))
        lines = [f"package {self.package.rpartition('/')[2] or 'main'}\n"]
        lines += [f'import _ "example.com/m/{each}"' for each in sorted(self.imports)]
        if self.embeds:
            lines += [f'import e{own} "embed"', f"{self.embeds}var v{own} e{own}.FS"]
            lines += [f'func init() {{ f, _ := v{own}.ReadDir("."); println(len(f)) }}']
        lines += [f'func init() {{ println("{own} {self.word}") }}']
        if name == "main.go":
            lines += ["func main() {}"]
        return self.constraint + "\n".join(lines) + "\n"


class Module:
    """A Go module on the disk, and how it changes."""

    def __init__(self, path: Path, dice: random.Random) -> None:
        self.path = path
        self._dice = dice
        self._files: dict[str, File] = {"main.go": File("", imports={"a"}), "a/a.go": File("a")}
        self._words = 0
        write(path, {"go.mod": "module example.com/m\n\ngo 1.24\n"})
        for name in self._files:
            self._save(name)
        for name in ("a/b/b.go", "c/c.go", "d/d.go"):
            self._files[name] = File(name.rpartition("/")[0])
            self._save(name)
        for directory in ("", "a/"):
            write(
                path,
                {f"{directory}{name}": name for name in DATA if name.endswith((".txt", "css"))},
            )

    def change(self) -> None:
        """Do one thing to it."""
        changes: tuple[Callable[[], None], ...] = (
            self._edit,
            self._edit,
            self._import,
            self._import,
            self._constrain,
            self._constrain,
            self._embed,
            self._add,
            self._remove,
            self._move,
            self._data,
            self._data,
            self._module,
        )
        self._dice.choice(changes)()

    def keep(self) -> None:
        """Remember how it is: this can be built."""
        self._good = (deepcopy(self._files), self.tree())

    def mend(self) -> None:
        """Put it back to how it was, file by file, as git would."""
        files, tree = self._good
        self._files = deepcopy(files)
        now = self.tree()
        for name in now.keys() | tree.keys():
            if name not in tree:
                (self.path / name).unlink()
            elif now.get(name) != tree[name]:
                write(self.path, {name: tree[name].decode()})

    def tree(self) -> dict[str, bytes]:
        """What is on the disk."""
        files = (path for path in self.path.rglob("*") if path.is_file())
        return {str(path.relative_to(self.path)): path.read_bytes() for path in files}

    def _save(self, name: str) -> None:
        write(self.path, {name: self._files[name].text(name)})

    def _word(self) -> int:
        self._words += 1
        return self._words

    def _any(self) -> str:
        return self._dice.choice(sorted(self._files))

    def _edit(self) -> None:
        name = self._any()
        self._files[name].word = self._word()
        self._save(name)

    def _import(self) -> None:
        name = self._any()
        own = PACKAGES.index(self._files[name].package)
        if others := PACKAGES[own + 1 :]:  # never in a circle
            self._files[name].imports ^= {self._dice.choice(others)}
            self._save(name)

    def _constrain(self) -> None:
        name = self._any()
        self._files[name].constraint = self._dice.choice(CONSTRAINTS)
        self._save(name)

    def _embed(self) -> None:
        name = self._any()
        self._files[name].embeds = self._dice.choice(PATTERNS)
        self._save(name)

    def _add(self) -> None:
        package = self._dice.choice(PACKAGES)
        stem = self._dice.choice(("new", "x", "_x", ".x"))
        name = f"{package}/{stem}{self._dice.choice(SUFFIXES)}.go".lstrip("/")
        constraint = self._dice.choice(CONSTRAINTS)
        self._files[name] = File(package, constraint, word=self._word())
        self._save(name)

    def _remove(self) -> None:
        name = self._any()
        if name != "main.go":
            del self._files[name]
            (self.path / name).unlink()

    def _move(self) -> None:
        name = self._any()
        to = name.removesuffix(".go") + self._dice.choice(SUFFIXES) + ".go"
        if name != "main.go" and to not in self._files:
            self._files[to] = self._files.pop(name)
            (self.path / name).rename(self.path / to)

    def _data(self) -> None:
        directory = self._dice.choice(("", "a/", "c/"))
        name = directory + self._dice.choice(DATA)
        if (self.path / name).exists() and self._dice.random() < 0.3:
            (self.path / name).unlink()
        else:
            write(self.path, {name: f"package static // {self._word()}"})

    def _module(self) -> None:
        version = self._dice.choice(("1.23", "1.24"))
        write(self.path, {"go.mod": f"module example.com/m\n\ngo {version}\n"})


def walk(path: Path, seed: int, steps: int) -> tuple[int, int]:
    """Walk, and return how often a change mattered and how often it did not."""
    dice = random.Random(seed)
    module = Module(path / "module", dice)
    output = path / "out" / "app"
    output.parent.mkdir()
    seen, counts = module.tree(), [0, 0]
    with Rig(module.path, CONFIG) as rig:
        rig.inputs.building()
        binary = built(module.path, output)
        assert binary
        rig.inputs.built()
        module.keep()
        for step in range(steps):
            if dice.random() < 0.8:  # else it changes while the graph is being asked for
                rig.settle()
            if binary or dice.random() < 0.3:
                for _ in range(dice.choice((1, 1, 1, 2, 3))):
                    module.change()
            else:
                module.mend()
            now = module.tree()
            changed = {name for name in now.keys() | seen.keys() if now.get(name) != seen.get(name)}
            seen = now
            matter = rig.changed(*changed)
            counts[bool(matter)] += bool(changed)
            if matter:
                rig.inputs.building()
            before, binary = binary, built(module.path, output)
            assert matter or binary == before, f"step {step} of seed {seed}: {changed} mattered"
            if binary:
                module.keep()
            if binary and dice.random() < 0.3:  # nobody hears of it before we have asked
                module.change()
            if matter and binary:
                rig.inputs.built()
    return counts[True], counts[False]


def test_a_change_that_is_said_not_to_matter_leaves_the_binary_as_it_is(tmp_path: Path) -> None:
    walk(tmp_path, 1, 12)


@pytest.mark.stress
@pytest.mark.parametrize("seed", range(12))
def test_a_long_walk_loses_no_change(tmp_path: Path, seed: int) -> None:
    mattered, did_not = walk(tmp_path, seed + 100, 150)
    assert mattered
    assert did_not > 15
