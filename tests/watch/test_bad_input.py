"""What nobody should give a watcher: no hang, no crash, and a word where one must know."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time

import pytest
from ear import DEADLINE, write

from hotrun.watch import Event, Item, Op, Watcher

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
