"""The Windows backend on Windows itself: skipped everywhere else, and not run anywhere so far."""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING

import pytest
from windows_rig import short

from hotrun.watch.event import BASE, Item
from hotrun.watch.scope import Root, Scope
from hotrun.watch.windows.backend import Windows
from hotrun.watch.windows.kernel32 import load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name != "nt", reason="there is no kernel32 here")


class Real:
    """A backend on a directory of the disk."""

    def __init__(self, root: Path) -> None:
        self.root = root.as_posix()
        self.items: list[Item] = []
        self.scope = Scope()
        self.backend = Windows(self.scope, self.items.append, load())
        self.add(self.root)

    def add(self, path: str) -> None:
        self.scope.put(path, Root(True, BASE))
        self.backend.arm(path)

    def write(self, name: str) -> None:
        with open(f"{self.root}/{name}", "w", encoding="ascii") as file:
            file.write("x")

    def hears(self, *expected: str) -> list[str]:
        """Wait until all of this was told (paths from the root on)."""
        told: list[str] = []
        end = time.monotonic() + 60
        while not set(expected) <= set(told):
            assert time.monotonic() < end, f"waited 60 s for {expected}, heard {told}"
            self.backend.wait(0.1)
            self.backend.take()
            told += [short(item).replace(f"{self.root}/", "") for item in self.items]
            self.items.clear()
        return told


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Real]:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "outside" / "deep").mkdir(parents=True)
    (tmp_path / "outside" / "deep" / "f").write_text("x")
    real = Real(root)
    yield real
    real.backend.release()


def test_a_file_is_made_written_renamed_and_removed(real: Real) -> None:
    real.write("a")
    real.hears("create a", "write a")
    os.rename(f"{real.root}/a", f"{real.root}/b")
    real.hears("rename a", "create b < a")
    os.unlink(f"{real.root}/b")
    real.hears("remove b")


def test_what_is_deep_is_heard_and_what_comes_from_elsewhere_is_listed(real: Real) -> None:
    os.makedirs(f"{real.root}/a/b/c")
    real.write("a/b/c/f")
    real.hears("create a/", "write a/b/c/f")
    os.rename(f"{os.path.dirname(real.root)}/outside", f"{real.root}/in")
    real.hears("create in/", "create in/deep/", "create in/deep/f")


def test_a_root_that_is_removed_is_heard_again_when_it_is_back(real: Real) -> None:
    shutil.rmtree(real.root)
    real.hears(f"remove {real.root}/")
    os.mkdir(real.root)
    real.write("f")
    real.hears(f"create {real.root}/", "create f")


def test_a_single_file_survives_an_atomic_save(real: Real) -> None:
    os.mkdir(f"{real.root}/a")
    real.write("a/f")
    real.scope.drop(real.root)
    real.backend.disarm(real.root)
    real.add(f"{real.root}/a/f")
    for _ in range(2):
        real.write("a/f.tmp")
        os.replace(f"{real.root}/a/f.tmp", f"{real.root}/a/f")
        told = real.hears("create a/f")
        assert not [line for line in told if ".tmp" in line]


def test_more_than_fits_is_an_overflow(real: Real) -> None:
    for count in range(5000):
        real.write(f"a-name-that-takes-some-room-in-the-buffer-{count}")
    real.hears(f"overflow {real.root}")
    real.write("f")
    real.hears("create f")


def test_a_path_of_any_length_is_watched(real: Real) -> None:
    deep = "\\\\?\\" + os.path.abspath(real.root) + "\\d\\" + "\\".join(["e" * 100] * 6)
    os.makedirs(deep)
    with open(f"{deep}\\f", "w", encoding="ascii"):
        pass
    real.hears("create d/" + "/".join(["e" * 100] * 6) + "/f")
