"""Dependency files, written by hand and by real compilers."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from inputs.rig import write

from hotrun.inputs.depfile import parse

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ("", set()),
        ("a.o: a.c a.h\n", {"a.c", "a.h"}),
        ("a.o: a.c \\\n  a.h \\\r\n b.h", {"a.c", "a.h", "b.h"}),
        ("a.o a.d: a.c\n\na.h:\n", {"a.c", "a.h"}),
        (
            r"a.o: with\ blank.c tab\	x.c a\#b.c $$x.c",
            {"with blank.c", "tab\tx.c", "a#b.c", "$x.c"},
        ),
        ("a.o: \\\n", {"a.o"}),
        (r"a.o: C:\x\y.h C:/z.h", {r"C:\x\y.h", "C:/z.h"}),
        (r"C:\o\a.o: a.c", {"a.c"}),
        (r"a.o: back\\\ blank.c plain\\ next.c", {"back\\ blank.c", "plain\\\\", "next.c"}),
        (r"a.o: b\:c.h", {"b:c.h"}),
        ("# a comment: with a colon\na.o: a.c # more: x\n", {"a.c"}),
        ("a.o: a.c | order-only\n", {"a.c", "order-only"}),
        ("a.o:: a.c\n", {"a.c"}),
        ("a.o b.o &: a.c\n", {"a.c"}),
        ("# env-dep:CARGO_PKG_NAME=x\n", set()),
        ("no rule at all\n", set()),
        ("a.o: \udcff.c\n", {"\udcff.c"}),
    ],
)
def test_inputs_stand_behind_a_colon(text: str, files: set[str]) -> None:
    assert parse(text) == files


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc")
def test_gcc_writes_what_is_read(tmp_path: Path) -> None:
    headers = ("a b.h", "c#d.h", "e$f.h", "back\\slash.h", "ü.h", "sub/x.h", "colon:.h")
    write(tmp_path, dict.fromkeys(headers, ""))
    write(tmp_path, {"main.c": "".join(f'#include "{name}"\n' for name in headers)})
    subprocess.run(["gcc", "-MMD", "-MP", "-c", "main.c"], cwd=tmp_path, check=True)
    text = (tmp_path / "main.d").read_text()
    assert parse(text) == {"main.c", *headers}


@pytest.mark.skipif(shutil.which("rustc") is None, reason="no rustc")
def test_rustc_writes_what_is_read(tmp_path: Path) -> None:
    write(tmp_path, {"a b/lib.rs": 'mod m; const X: &str = include_str!("x y");', "a b/m.rs": ""})
    write(tmp_path, {"a b/x y": ""})
    words = ["rustc", "--crate-type=lib", "--emit=dep-info", "-o", "lib.d", "a b/lib.rs"]
    subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)
    assert {"a b/lib.rs", "a b/m.rs", "a b/x y"} <= parse((tmp_path / "lib.d").read_text())
