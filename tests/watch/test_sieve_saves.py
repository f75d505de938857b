"""One save, one change, and quick to be believed: what editors do to a directory, replayed.

The sequences were recorded from the editors themselves (inotifywait; JetBrains replayed).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from ear import Ear, write

from hotrun.watch.rules.filter import Filter
from hotrun.watch.sieve.sieve import Sieve

if TYPE_CHECKING:
    from collections.abc import Callable

    Listen = Callable[..., Ear]
    Save = Callable[[str, str], object]

NEW = "package main // new\n"


def swap_files(root: str) -> None:
    for name in (".a.go.swp", ".a.go.swx"):
        write(f"{root}/{name}", b"b0VIM")
    os.remove(f"{root}/.a.go.swx")


def probe(root: str) -> None:
    path = write(f"{root}/4913", b"")
    os.chmod(path, 0o644)
    os.remove(path)


def vim(root: str, path: str) -> None:
    swap_files(root)
    probe(root)
    os.rename(path, f"{path}~")
    write(path, NEW)
    os.chmod(path, 0o644)
    os.remove(f"{path}~")
    os.remove(f"{root}/.a.go.swp")


def vim_backupcopy_yes(root: str, path: str) -> None:
    swap_files(root)
    shutil.copyfile(path, f"{path}~")
    write(path, NEW)
    os.chmod(path, 0o644)
    os.remove(f"{path}~")
    os.remove(f"{root}/.a.go.swp")


def vim_backup(_: str, path: str) -> None:
    os.rename(path, f"{path}~")
    write(path, NEW)


def emacs(root: str, path: str) -> None:
    os.symlink("me@host.1:2", f"{root}/.#a.go")
    write(f"{root}/#a.go#", NEW)
    write(path, NEW)
    os.remove(f"{root}/#a.go#")
    os.remove(f"{root}/.#a.go")


def emacs_precious(root: str, path: str) -> None:
    os.rename(write(f"{root}/a.goXyZ", NEW), path)
    os.chmod(path, 0o644)


def sed(root: str, path: str) -> None:
    with open(f"{root}/sedAbCdEf", "x", encoding="ascii") as file:
        os.chmod(file.name, 0o644)
        file.write(NEW)
    os.rename(f"{root}/sedAbCdEf", path)


def real_sed(_: str, path: str) -> None:
    subprocess.run(["sed", "-i", "s/old/new/", path], check=True)


def gedit(root: str, path: str) -> None:
    os.rename(write(f"{root}/.goutputstream-ABCDEF", NEW), path)


def vs_code(_: str, path: str) -> None:
    with open(path, "wb", 0) as file:
        file.write(NEW.encode())


def jetbrains(_: str, path: str) -> None:
    write(f"{path}___jb_tmp___", NEW)
    os.rename(path, f"{path}___jb_old___")
    os.rename(f"{path}___jb_tmp___", path)
    os.remove(f"{path}___jb_old___")


def plain(_: str, path: str) -> None:
    write(path, NEW)


def appended(_: str, path: str) -> None:
    with open(path, "ab") as file:
        file.write(b"// more\n")


def removed_first(_: str, path: str) -> None:
    os.remove(path)
    write(path, NEW)


def gofmt(_: str, path: str) -> None:
    """The editor saves, the formatter saves again."""
    write(path, "package  main // new\n")
    write(path, NEW)


SAVES: list[Save] = [
    vim, vim_backupcopy_yes, vim_backup, emacs, emacs_precious, sed, real_sed, gedit, vs_code,
    jetbrains, plain, appended, removed_first, gofmt,
]  # fmt: skip


def known(root: str) -> tuple[str, Sieve]:
    """A project with a few files, and a sieve that listed it."""
    path = write(f"{root}/a.go", "package main // old\n")
    write(f"{root}/b.go", "package main\n")
    sieve = Sieve([root], Filter(roots=[root], base=root))
    sieve.list()
    return path, sieve


def changed(sieve: Sieve) -> list[str]:
    *_, found = sieve.sift()
    assert found is not None
    return found.changed


@pytest.mark.parametrize("save", SAVES, ids=lambda save: save.__name__)
def test_one_save_is_one_change_of_one_file_and_finished(
    root: str, listen: Listen, save: Save
) -> None:
    ear = listen(root)
    path, sieve = known(root)
    sieve.note(ear.all())
    changed(sieve)
    save(root, path)
    assert sieve.note(ear.all())
    assert not sieve.unfinished
    assert sieve.lone_save
    assert changed(sieve) == [path]


@pytest.mark.parametrize("save", SAVES, ids=lambda save: save.__name__)
def test_a_save_of_a_second_file_makes_it_a_burst(root: str, listen: Listen, save: Save) -> None:
    ear = listen(root)
    path, sieve = known(root)
    sieve.note(ear.all())
    changed(sieve)
    write(f"{root}/b.go", "package main // other\n")
    save(root, path)
    sieve.note(ear.all())
    assert not sieve.lone_save
    assert changed(sieve) == [path, f"{root}/b.go"]


def test_opening_a_file_and_leaving_it_is_nothing(root: str, listen: Listen) -> None:
    ear = listen(root)
    path, sieve = known(root)
    sieve.note(ear.all())
    changed(sieve)
    swap_files(root)
    with open(path, "rb") as file:
        file.read()
    os.remove(f"{root}/.a.go.swp")
    assert not sieve.note(ear.all())
    assert changed(sieve) == []


def test_between_truncating_and_writing_the_save_is_unfinished(root: str, listen: Listen) -> None:
    ear = listen(root)
    path, sieve = known(root)
    sieve.note(ear.all())
    changed(sieve)
    write(path, b"")  # closed: only its size tells that more is to come
    sieve.note(ear.all())
    assert sieve.unfinished
    write(path, NEW)
    sieve.note(ear.all())
    assert not sieve.unfinished
    assert sieve.lone_save
    assert changed(sieve) == [path]


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
def test_a_checkout_is_a_burst_of_what_differs(root: str, listen: Listen) -> None:
    def git(*words: str) -> None:
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        subprocess.run(["git", *identity, "-C", root, *words], check=True, capture_output=True)

    def commit(content: str) -> None:
        for number in range(30):
            write(f"{root}/{number % 5}/{number}.go", content if number % 2 else "same")
        git("add", "-A")
        git("commit", "-m", content)

    git("init", "-b", "one")
    commit("one")
    git("checkout", "-b", "two")
    commit("two")
    ear = listen(root)
    sieve = Sieve([root], Filter(roots=[root], base=root))
    sieve.list()
    for _ in sieve.prime():
        pass
    for branch in ("one", "two", "one"):
        git("checkout", branch)
        sieve.note(ear.all())
        assert not sieve.lone_save
        assert changed(sieve) == sorted(f"{root}/{n % 5}/{n}.go" for n in range(30) if n % 2)
        assert not sieve.locked()
