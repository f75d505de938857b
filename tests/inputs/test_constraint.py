"""Build constraints, with Go itself as the judge of what belongs to a build."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pytest
from inputs.rig import go, write

from hotrun.inputs.constraint import (
    TEMPLATE,
    Context,
    left_out_by_header,
    left_out_by_name,
    parse_context,
)

if TYPE_CHECKING:
    from pathlib import Path

LINUX = Context("linux", "amd64", frozenset({"gc", "cgo", "go1.24", "amd64.v1", "mine"}))
WORDS = ("linux", "windows", "amd64", "unix", "cgo", "mine", "ignore", "go1.20", "go1.99", "gc")
NAMES = ("linux", "windows", "amd64", "arm64", "test", "x", "linux_amd64", "windows_amd64", "unix")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("a.go", ""),
        ("linux.go", ""),
        ("a_linux.go", ""),
        ("a_windows.go", "its name says windows"),
        ("a_windows_amd64.go", "its name says windows"),
        ("a_linux_arm64.go", "its name says arm64"),
        ("a_linux_windows_amd64.go", "its name says windows"),
        ("a_windows_linux.go", ""),
        ("a_windows.x.go", "its name says windows"),
        ("a_windows_test.c", "its name says windows"),
        ("a_test.go", "a test is no part of the program"),
        ("_a.go", "Go ignores names that begin with _ or a dot"),
        (".a.go", "Go ignores names that begin with _ or a dot"),
        ("a_unix.go", ""),
    ],
)
def test_a_name_can_keep_a_file_out(name: str, why: str) -> None:
    assert left_out_by_name(name, LINUX) == why


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("package a", ""),
        ("//go:build linux\n\npackage a", ""),
        ("//go:build windows\n\npackage a", "its line //go:build windows leaves it out"),
        ("\ufeff//go:build ignore\npackage a", "its line //go:build ignore leaves it out"),
        ("//go:build !(linux && mine)\n", "its line //go:build !(linux && mine) leaves it out"),
        ("//go:build windows || unix && mine\n", ""),
        ("/* c */ //go:build ignore\npackage a", ""),
        ("/* c */\n//go:build ignore\npackage a", "its line //go:build ignore leaves it out"),
        ("/*\n//go:build ignore\n*/\npackage a", ""),
        ("package a\n//go:build ignore\n", ""),
        ("//go:builder ignore\npackage a", ""),
        ("// go:build ignore\npackage a", ""),
        ("//go:build ignore\n//go:build linux\npackage a", ""),  # an error: the build fails
        ("//go:build ignore &&\npackage a", ""),
        ("//go:build !!linux\npackage a", ""),
        ("//go:build\npackage a", ""),
        ("//go:build a-b\npackage a", ""),
        ("// +build ignore\n\npackage a", ""),  # the old way: in doubt it is in
    ],
)
def test_a_line_can_keep_a_file_out(text: str, why: str) -> None:
    assert left_out_by_header(text.encode(), LINUX) == why


@pytest.mark.parametrize(
    ("system", "tag"),
    [
        ("android", "linux"),
        ("ios", "darwin"),
        ("illumos", "solaris"),
        ("darwin", "unix"),
    ],
)
def test_some_systems_are_others_too(system: str, tag: str) -> None:
    context = Context(system, "arm64", frozenset())
    assert context.holds(tag)
    assert context.holds(system)
    assert not context.holds("windows")


def test_what_is_no_context_is_refused() -> None:
    with pytest.raises(ValueError, match="context"):
        parse_context("linux\n\ngc\ntrue\n\nx")
    with pytest.raises(ValueError, match="unpack"):
        parse_context("")


def expression(dice: random.Random, depth: int = 0) -> str:
    """Return a constraint as somebody might write it, or nearly."""
    kind = dice.randrange(6 if depth < 3 else 1)
    if kind <= 1:
        return dice.choice(WORDS)
    if kind == 2:
        return "!" + expression(dice, depth + 1)  # sometimes !!x, which is an error
    if kind == 3:
        return f"({expression(dice, depth + 1)})"
    operator = dice.choice((" && ", "||", " ||\t"))
    return expression(dice, depth + 1) + operator + expression(dice, depth + 1)


@pytest.mark.parametrize("system", ["linux", "windows", "android"])
def test_go_says_the_same_of_random_files(tmp_path: Path, system: str) -> None:
    dice = random.Random(system)
    files = {"go.mod": "module example.com/m\n\ngo 1.24\n", "doc.go": "package m\n"}
    for number in range(150):
        words = [f"f{number}", *(dice.choice(NAMES) for _ in range(dice.randrange(3)))]
        head = dice.choice(("", "// c\n\n", "/* c */\n", "/* c\n*/ "))
        line = f"//go:build {expression(dice)}\n\n" if dice.random() < 0.7 else ""
        files["_".join(words) + ".go"] = f"{head}{line}package m\n"
    write(tmp_path, files)
    env = {"GOOS": system, "GOARCH": "amd64"}
    flags = ("-tags", "mine", "-e")
    listed = go(tmp_path, "list", "-json=GoFiles,IgnoredGoFiles", *flags, **env)
    context = parse_context(go(tmp_path, "list", "-find", "-f", TEMPLATE, *flags, **env))
    found = json.loads(listed)
    ours = {
        name
        for name in files
        if name.endswith(".go")
        and (left_out_by_name(name, context) or left_out_by_header(files[name].encode(), context))
    }
    tests = {name for name in files if name.endswith("_test.go")}
    # Of what Go cannot read it says nothing; such a file is in, for us: the build fails.
    assert set(found["IgnoredGoFiles"]) - tests == ours - tests
    assert not ours & set(found["GoFiles"])
    assert context.system == system
