"""What nobody should give a watcher: no hang, no crash, and a word where one must know."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time

import pytest
from ear import DEADLINE, write

from hotrun.errors import WatchError
from hotrun.watch import Event, Item, Op, Unwatched, Watcher
from hotrun.watch.inotify.backend import Inotify
from hotrun.watch.scope import Root, Scope

BACKENDS = pytest.mark.parametrize("backend", ["native", "poll"])


def hears(watcher: Watcher, path: str, wanted: Op | None = None) -> list[Item]:
    """Read until a path was told of."""
    heard: list[Item] = []
    end = time.monotonic() + DEADLINE
    while not any(
        isinstance(item, Event) and item.path == path and (wanted is None or item.op & wanted)
        for item in heard
    ):
        assert time.monotonic() < end, f"waited {DEADLINE} s for {path}; heard {heard}"
        heard += watcher.read(0.05)
    return heard


@BACKENDS
@pytest.mark.parametrize("path", ["", "a\0b", "no/such", "x" * 5000], ids=repr)
def test_no_path_at_all(
    root: str, backend: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    with Watcher(backend) as watcher:
        if not path:  # as everywhere: here
            watcher.add(path)
            assert watcher.watch_list() == [root]
            return
        with pytest.raises((OSError, ValueError)):
            watcher.add(path)
        assert watcher.watch_list() == []
        watcher.add(root)


@BACKENDS
def test_a_current_directory_that_was_deleted(
    root: str, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkdir(f"{root}/gone")
    monkeypatch.chdir(f"{root}/gone")
    os.rmdir(f"{root}/gone")
    with Watcher(backend) as watcher, pytest.raises(FileNotFoundError):
        watcher.add(".")
    monkeypatch.chdir(root)


@BACKENDS
def test_a_device_a_fifo_and_a_socket_as_roots(root: str, backend: str) -> None:
    os.mkfifo(f"{root}/fifo")
    listener = socket.socket(socket.AF_UNIX)
    directory = os.open(root, os.O_RDONLY)
    try:
        listener.bind(f"/proc/self/fd/{directory}/socket")
        with Watcher(backend, interval=0.01) as watcher:
            for path in ("/dev/null", f"{root}/fifo", f"{root}/socket"):
                watcher.add(path)
            os.remove(f"{root}/fifo")
            hears(watcher, f"{root}/fifo", Op.REMOVE)
            os.remove(f"{root}/socket")
            hears(watcher, f"{root}/socket", Op.REMOVE)
    finally:
        listener.close()
        os.close(directory)


@BACKENDS
def test_links_that_lead_nowhere_and_in_circles(root: str, backend: str) -> None:
    os.symlink("nowhere", f"{root}/dangling")
    os.symlink("b", f"{root}/a")
    os.symlink("a", f"{root}/b")
    os.symlink(".", f"{root}/itself")
    with Watcher(backend, interval=0.01, follow_symlinks=True) as watcher:
        for path in ("dangling", "a", "b"):
            with pytest.raises(OSError, match=r"No such file|Too many levels"):
                watcher.add(f"{root}/{path}")
        watcher.add(root)
        hears(watcher, write(f"{root}/f.go"))
        assert watcher.directories == 1


@BACKENDS
def test_followed_links_are_walked_once_each(root: str, backend: str) -> None:
    outside = f"{os.path.dirname(root)}/outside"
    write(f"{outside}/deep/f.go")
    write(f"{root}/sub/g.go")
    os.symlink(outside, f"{root}/one")
    os.symlink(outside, f"{root}/two")
    os.symlink(root, f"{outside}/deep/back")
    os.symlink("sub", f"{root}/alias")
    with Watcher(backend, interval=0.01, follow_symlinks=True) as watcher:
        watcher.add(root)
        assert watcher.directories == 4  # root, sub, and outside with deep by one of its names
        write(f"{outside}/deep/f.go", "more")
        heard: list[Item] = []
        end = time.monotonic() + DEADLINE
        while not heard:
            assert time.monotonic() < end, f"waited {DEADLINE} s for the write behind the link"
            heard = [i for i in watcher.read(0.05) if isinstance(i, Event) and "/deep/" in i.path]
        assert heard[0].path in {f"{root}/one/deep/f.go", f"{root}/two/deep/f.go"}


@BACKENDS
def test_a_directory_and_a_file_take_turns_as_a_root(root: str, backend: str) -> None:
    path = write(f"{root}/turns")
    with Watcher(backend, interval=0.01) as watcher:
        watcher.add(path)
        for number in range(3):
            os.remove(path)
            inner = write(f"{path}/{number}.go")
            hears(watcher, inner)
            os.remove(inner)
            os.rmdir(path)
            hears(watcher, path, Op.REMOVE)
            write(path, "a file again" + "!" * number)
            hears(watcher, path, Op.CREATE)


@BACKENDS
def test_a_path_that_vanishes_while_it_is_added(root: str, backend: str) -> None:
    path, done = f"{root}/flicker", threading.Event()

    def flicker() -> None:
        while not done.is_set():
            write(f"{path}/a/b/f.go")
            os.rename(path, f"{root}/away")
            for top, below, files in os.walk(f"{root}/away", topdown=False):
                for name in files:
                    os.remove(f"{top}/{name}")
                for name in below:
                    os.rmdir(f"{top}/{name}")
            os.rmdir(f"{root}/away")

    other = threading.Thread(target=flicker)
    other.start()
    try:
        for _ in range(100):
            with Watcher(backend, interval=0.01) as watcher:
                with contextlib.suppress(FileNotFoundError):
                    watcher.add(path)
                watcher.read(0)
    finally:
        done.set()
        other.join(DEADLINE)
    with Watcher(backend, interval=0.01) as watcher:
        watcher.add(path, missing_ok=True)
        hears(watcher, write(f"{path}/last.go"))


@BACKENDS
@pytest.mark.parametrize(
    "name", ["new\nline", "tab\t", "\x1b[31m", "-rf", " ", "\udce9"], ids=ascii
)
def test_odd_names(root: str, backend: str, name: str) -> None:
    with Watcher(backend, interval=0.01) as watcher:
        watcher.add(root)
        hears(watcher, write(f"{root}/{name}/{name}.go"), Op.CREATE)
        watcher.add(f"{root}/{name}")
        hears(watcher, write(f"{root}/{name}/again"), Op.CREATE)


def test_the_top_of_everything_can_be_watched_by_itself() -> None:
    skipped: list[str] = []

    def skips(directory: str) -> bool:
        skipped.append(directory)
        return False

    with Watcher("native", skips=skips) as watcher:
        watcher.add("/", recursive=False)
        assert watcher.watch_list() == ["/"]
        assert watcher.directories == 1
        assert watcher.read(0) == []


def test_a_descriptor_that_somebody_else_closed_is_an_error(root: str) -> None:
    """A daemon that closes all it finds, say. It is said, and it is no busy loop."""
    with Watcher("native") as watcher:
        watcher.add(root)
        assert isinstance(watcher._native, Inotify)
        fd = watcher._native._fd
        os.close(fd)
        for _ in range(2):
            with pytest.raises(WatchError, match="come to an end: Bad file descriptor"):
                watcher.read(DEADLINE)
        with pytest.raises(WatchError, match="come to an end"):
            next(iter(watcher))
        null = os.open(os.devnull, os.O_RDONLY)  # it is to be closed once more
        if null != fd:
            os.dup2(null, fd)
            os.close(null)


@BACKENDS
def test_a_root_that_is_replaced_by_what_cannot_be_listed(root: str, backend: str) -> None:
    path = f"{root}/root"
    os.mkdir(path)
    with Watcher(backend, interval=0.01) as watcher:
        watcher.add(path)
        os.rmdir(path)
        hears(watcher, path, Op.REMOVE)
        os.mkfifo(path)
        hears(watcher, path, Op.CREATE)
        os.remove(path)
        hears(watcher, path, Op.REMOVE)
        hears(watcher, write(f"{path}/f"), Op.CREATE)


@BACKENDS
def test_a_parent_that_is_a_file(root: str, backend: str) -> None:
    path = write(f"{root}/file")
    with Watcher(backend, interval=0.01) as watcher:
        with pytest.raises(NotADirectoryError):
            watcher.add(f"{path}/below")
        watcher.add(f"{path}/below", missing_ok=True)
        os.remove(path)
        hears(watcher, write(f"{path}/below/f"), Op.CREATE)


@BACKENDS
def test_an_unlistable_directory_is_said_once_and_the_rest_is_heard(
    root: str, backend: str
) -> None:
    """Whoever is root may list everything: here the path below is too long for the kernel."""
    here = os.open(root, os.O_RDONLY)
    for _ in range(4096 // 201 + 1):
        os.mkdir("d" * 200, dir_fd=here)
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    with Watcher(backend, interval=0.01) as watcher:
        watcher.add(root)
        heard = hears(watcher, write(f"{root}/f"), Op.CREATE)
        heard += hears(watcher, write(f"{root}/g"), Op.CREATE)
        assert len([item for item in heard if isinstance(item, Unwatched)]) == 1


@BACKENDS
def test_a_rule_that_fails_is_the_callers_error(root: str, backend: str) -> None:
    def skips(directory: str) -> bool:
        if directory.endswith("/bad"):
            raise ZeroDivisionError
        return False

    os.mkdir(f"{root}/bad")
    with Watcher(backend, skips=skips) as watcher, pytest.raises(ZeroDivisionError):
        watcher.add(root)


@pytest.mark.parametrize("first", ["/", "below"])
@BACKENDS
def test_the_top_of_everything_is_a_root_like_any_other(
    root: str, backend: str, first: str
) -> None:
    """With a rule that leads to one place only; by its own name, in either order."""

    def skips(directory: str) -> bool:
        on_the_way = f"{root}/".startswith(f"{directory}/".replace("//", "/"))
        return not on_the_way and not directory.startswith(f"{root}/")

    os.mkdir(f"{root}/below")
    with Watcher(backend, skips=skips, interval=0.01) as watcher:
        roots = ["/", f"{root}/below"]
        for path in roots if first == "/" else roots[::-1]:
            watcher.add(path)
        hears(watcher, write(f"{root}/new/f"), Op.CREATE)
        hears(watcher, write(f"{root}/below/f"), Op.CREATE)
        watcher.remove("/")
        write(f"{root}/new/g")
        heard = hears(watcher, write(f"{root}/below/g"), Op.CREATE)
        assert {item.path for item in heard if isinstance(item, Event)} == {f"{root}/below/g"}


def test_what_is_at_the_top_of_everything_is_covered() -> None:
    scope = Scope()
    scope.put("/", Root(recursive=False, ops=Op.CREATE))
    assert scope.covers("/name")
    assert not scope.covers("/name/below")
    assert scope.admit([Event("/name", Op.CREATE)])
    scope.drop("/")
    scope.put("/name", Root(recursive=False, ops=Op.CREATE))
    assert scope.ops_in("/") == Op.CREATE
