"""A whole ``Watcher`` on the Windows backend, on a fake kernel."""

from __future__ import annotations

import os
import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest
from fake_kernel32 import FakeKernel32
from windows_rig import short

from hotrun.watch.watcher import Watcher
from hotrun.watch.windows.backend import Windows

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotrun.watch.event import Item
    from hotrun.watch.scope import Scope

pytestmark = pytest.mark.skipif(os.sep != "/", reason="the fake has no drive of this process")


def make(
    kernel: FakeKernel32, scope: Scope, say: Callable[[Item], None], _: object = None
) -> Windows:
    return Windows(scope, say, kernel)


@pytest.fixture
def kernel() -> FakeKernel32:
    kernel = FakeKernel32("/volume")
    kernel.makedirs("/volume/work/sub")
    return kernel


@pytest.fixture
def watcher(kernel: FakeKernel32) -> Watcher:
    watcher = Watcher(partial(make, kernel))
    watcher.add("/volume/work", missing_ok=True)
    return watcher


def test_what_happens_is_read(kernel: FakeKernel32, watcher: Watcher) -> None:
    kernel.write("/volume/work/sub/f")
    told = [short(item) for item in watcher.read(60)]
    assert told == ["create /volume/work/sub/f", "write /volume/work/sub/f"]
    assert (watcher.backend, watcher.directories) == ("windows", 1)
    watcher.close()
    kernel.check_clean()


def test_a_read_in_another_thread_hears_and_ends_with_the_watcher(
    kernel: FakeKernel32, watcher: Watcher
) -> None:
    told: list[str] = []
    heard = threading.Event()

    def read() -> None:
        for item in watcher:
            told.append(short(item))
            heard.set()

    reader = threading.Thread(target=read)
    reader.start()
    kernel.write("/volume/work/f")
    assert heard.wait(60), "waited 60 s for a read to hear of a write"
    watcher.close()
    reader.join(60)
    assert not reader.is_alive(), "waited 60 s for a read to end with its watcher"
    assert told[0] == "create /volume/work/f"
    kernel.check_clean()


def test_what_an_add_finds_out_about_others_is_read_too(
    kernel: FakeKernel32, watcher: Watcher
) -> None:
    watcher.add("/volume/work/sub", recursive=False, missing_ok=True)
    kernel.write("/volume/work/sub/f")
    watcher.remove("/volume/work")
    assert "create /volume/work/sub/f" in [short(item) for item in watcher.read(60)]
    watcher.close()
    kernel.check_clean()


def test_150_watchers_leave_nothing_open() -> None:
    kernel = FakeKernel32("/volume")
    kernel.makedirs("/volume/work")
    before = threading.active_count()
    for _ in range(150):
        watcher = Watcher(partial(make, kernel))
        watcher.add("/volume/work", missing_ok=True)
        kernel.write("/volume/work/f")
        for _ in range(3):
            watcher.close()
    kernel.check_clean()
    assert threading.active_count() == before
