"""The kernel's limits and permissions, met for real in a process of their own.

``fs.inotify.*`` is not namespaced: a write there changes the whole machine. The settings below
``user.`` are, so a user namespace is lowered instead, and by somebody who is not root, for whom
alone they count.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import hotrun
from hotrun.watch.limits import LimitError, biggest, explain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Run = Callable[..., dict[str, object]]

NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
DEADLINE = 60  # seconds

PRELUDE = """
import json, os, sys, tempfile
from hotrun.watch import *
from hotrun.watch.limits import LimitError

top = tempfile.mkdtemp()
root = top + "/root"
os.mkdir(root)

def make(number, below=""):
    for each in range(number):
        os.makedirs(f"{root}{below}/{each}")

def write(path, content="x"):
    with open(path, "w") as file:
        file.write(content)

def until(watcher, wanted, heard=()):
    heard = list(heard)
    while not wanted(heard):
        items = watcher.read(60)
        assert items, f"waited 60 s; heard {heard}"
        heard += items
    return heard

def hears(watcher, path):
    write(path)
    until(watcher, lambda heard: any(isinstance(i, Event) and i.path == path for i in heard))

def answer(**found):
    print(json.dumps(found))
"""


@cache
def python() -> str:
    """An interpreter that somebody who is not root may run."""
    check = 'exec "$0" -c "import sys; sys.exit(sys.version_info < (3, 11))"'
    for path in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        asked = [*lesser(), "sh", "-c", check, path]
        if subprocess.run(asked, check=False, capture_output=True).returncode == 0:
            return path
    pytest.skip("there is no Python that somebody who is not root may run")


def lesser() -> list[str]:
    """What a command begins with, so that it is not root who runs it."""
    if os.geteuid():
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root is above these limits, and there is no setpriv")
    return NOBODY


@pytest.fixture(scope="module")
def sources() -> Iterator[str]:
    """The package where everybody may read it."""
    with tempfile.TemporaryDirectory() as top:
        os.chmod(top, 0o755)  # noqa: S103 - there is nothing to hide in it
        package = Path(hotrun.__file__).parent
        os.mkdir(f"{top}/hotrun")
        for name in ("__init__.py", "errors.py", "lean.py"):
            shutil.copy(package / name, f"{top}/hotrun")
        shutil.copytree(package / "watch", f"{top}/hotrun/watch")
        yield top


@pytest.fixture
def run(sources: str) -> Run:
    """Run a script as somebody who is not root, with settings lowered for it alone."""

    def run(script: str, **lowered: int) -> dict[str, object]:
        lowering = "".join(
            f"echo {value} >/proc/sys/user/{name} || exit 77; " for name, value in lowered.items()
        )
        apart = ["unshare", "-Ur"] if lowered else []
        inner = ["sh", "-c", f'{lowering}exec "$@"', "sh", python(), "-c", PRELUDE + script]
        done = subprocess.run(
            [*lesser(), *apart, *inner],
            check=False,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            env={**os.environ, "PYTHONPATH": sources, "PYTHONDONTWRITEBYTECODE": "1"},
            cwd="/",
        )
        if done.returncode == 77 or "unshare:" in done.stderr:
            pytest.skip(f"no user namespace here: {done.stderr.strip()}")
        assert done.returncode == 0, done.stderr
        found: dict[str, object] = json.loads(done.stdout)
        return found

    return run


def test_without_watches_the_rest_is_polled_and_that_is_said_once(run: Run) -> None:
    found = run(
        """
make(20)
make(30, "/3/node_modules")
with Watcher(interval=0.01) as watcher:
    watcher.add(root)
    said = [item for item in until(watcher, bool) if isinstance(item, Polled)]
    native = [place for place in os.listdir(root) if watcher.is_native(f"{root}/{place}/f.go")]
    polled = [place for place in os.listdir(root) if place not in native]
    hears(watcher, f"{root}/{native[0]}/f.go")
    hears(watcher, f"{root}/{polled[0]}/f.go")
    watcher.add(top)
    said += [item for item in watcher.read(0.1) if isinstance(item, Polled)]
    (item,) = said
    answer(backend=watcher.backend, native=len(native), directories=watcher.directories,
           polled=item.directories, reason=item.reason, hint=item.hint, path=item.path == root)
""",
        max_inotify_watches=14,
    )
    assert found["backend"] == "inotify+polling"
    assert found["path"]
    assert found["directories"] == 53
    assert 0 < int(str(found["native"])) < 14
    reason, hint = str(found["reason"]), str(found["hint"])
    assert reason.startswith(f"{found['polled']} of 52 directories are polled every 0.01 s: ")
    assert "the kernel allows 14 inotify watches a user, and they are used up (14 by " in reason
    assert "sudo sysctl user.max_inotify_watches=524288" in hint
    assert "/etc/sysctl.d/" in hint
    assert "the biggest: 3/node_modules/ (31)" in hint
    assert "No space left" not in reason + hint


def test_when_the_watches_run_out_later_what_is_new_is_told_and_polled(run: Run) -> None:
    found = run(
        """
with Watcher(interval=0.01) as watcher:
    watcher.add(root)
    before = watcher.backend
    for number in range(40):
        os.makedirs(f"{root}/new/{number}/deep")
        write(f"{root}/new/{number}/deep/first.go")
    wanted = {f"{root}/new/{number}/deep/first.go" for number in range(40)}
    heard = until(watcher, lambda heard: wanted <= {i.path for i in heard if isinstance(i, Event)})
    for number in (0, 20, 39):
        hears(watcher, f"{root}/new/{number}/deep/second.go")
    said = [item for item in heard if isinstance(item, Polled)]
    answer(before=before, backend=watcher.backend, said=len(said))
""",
        max_inotify_watches=30,
    )
    assert found == {"before": "inotify", "backend": "inotify+polling", "said": 1}


def test_once_there_are_watches_again_they_are_used(run: Run) -> None:
    found = run(
        """
make(20)
with Watcher() as other, Watcher(interval=0.01) as watcher:
    other.add(root)
    watcher.add(root)
    before = watcher.backend, sum(watcher.is_native(f"{root}/{n}/f") for n in range(20))
    other.close()
    watcher.refresh()
    until(watcher, lambda heard: Refreshed(root) in heard)
    hears(watcher, root + "/19/f.go")
    answer(before=before[0], native=before[1],
           after=sum(watcher.is_native(f"{root}/{n}/f") for n in range(20)))
""",
        max_inotify_watches=35,
    )
    assert found["before"] == "inotify+polling"
    assert int(str(found["native"])) < 20
    assert found["after"] == 20


def test_without_instances_it_polls_and_says_so(run: Run) -> None:
    found = run(
        """
make(3)
with Watcher(interval=0.01) as watcher:
    watcher.add(root)
    (item,) = until(watcher, bool)
    hears(watcher, root + "/f.go")
    answer(backend=watcher.backend, reason=item.reason, hint=item.hint, same=watcher.reason)
""",
        max_inotify_instances=1,
    )
    assert found["backend"] == "polling"
    reason = str(found["reason"])
    assert reason.startswith("4 of 4 directories are polled every 0.01 s: ")
    assert "allows 1 inotify instances a user" in reason
    assert str(found["same"]) in reason
    assert "sudo sysctl user.max_inotify_instances=1024" in str(found["hint"])
    assert "Too many open files" not in reason


def test_when_only_native_will_do_the_limit_is_an_error(run: Run) -> None:
    found = run(
        """
make(20)
try:
    with Watcher("native") as watcher:
        watcher.add(root)
except LimitError as error:
    answer(message=error.message, hint=error.hint, code=error.exit_code)
""",
        max_inotify_watches=10,
    )
    assert found["code"] == 3
    assert "10 inotify watches" in str(found["message"])
    assert "exclude big directories" in str(found["hint"])


@pytest.mark.parametrize("backend", ["native", "poll"])
def test_an_unreadable_directory_is_said_once_and_watched_once_it_can_be(
    run: Run, backend: str
) -> None:
    found = run(
        f"""
make(3)
os.chmod(root + "/1", 0)
with Watcher({backend!r}, interval=0.01) as watcher:
    watcher.add(root)
    heard = until(watcher, lambda heard: any(isinstance(i, Unwatched) for i in heard))
    hears(watcher, root + "/2/f.go")
    watcher.refresh()
    heard = until(watcher, lambda heard: Refreshed(root) in heard, heard)
    os.chmod(root + "/1", 0o700)
    write(root + "/1/new.go")
    path = root + "/1/new.go"
    until(watcher, lambda heard: any(isinstance(i, Event) and i.path == path for i in heard))
    said = [i.path for i in heard if isinstance(i, Unwatched)]
    answer(said=[path.removeprefix(root) for path in said])
"""
    )
    assert found == {"said": ["/1"]}


def test_an_unreadable_root_is_watched_once_it_can_be(run: Run) -> None:
    found = run(
        """
os.chmod(root, 0o300)
with Watcher("native") as watcher:
    watcher.add(root)
    heard = until(watcher, lambda heard: any(isinstance(i, Unwatched) for i in heard))
    write(root + "/f.go")
    os.chmod(root, 0o700)
    path = root + "/f.go"
    until(watcher, lambda heard: any(isinstance(i, Event) and i.path == path for i in heard))
    hears(watcher, root + "/g.go")
    answer(said=[i.path == root for i in heard if isinstance(i, Unwatched)])
"""
    )
    assert found == {"said": [True]}


def test_a_watch_outlives_the_permission_to_set_it(run: Run) -> None:
    found = run(
        """
make(1)
with Watcher("native") as watcher:
    watcher.add(root)
    os.mkdir(root + "/0/below")
    hears(watcher, root + "/0/below/f.go")
    os.chmod(root + "/0", 0o300)
    os.rename(root + "/0", root + "/1")
    hears(watcher, root + "/end")
    hears(watcher, root + "/1/g.go")
    answer()
"""
    )
    assert found == {}


def tree_of(sizes: dict[str, int]) -> list[str]:
    """Directories: each named one holds as many flat ones, those above it included."""
    found = {"/p"}
    for name, size in sizes.items():
        parts = name.split("/")
        found |= {"/".join(["/p", *parts[: depth + 1]]) for depth in range(len(parts))}
        found |= {f"/p/{name}/{number}" for number in range(size - 1)}
    return sorted(found)


@pytest.mark.parametrize(
    ("sizes", "named"),
    [
        ({"big": 41, "src": 1}, ["/p/big", "/p/src"]),
        ({"a": 10, "b": 20, "c": 30, "d": 5}, ["/p/c", "/p/b", "/p/a"]),
        ({"web/node_modules": 900, "web/src": 10, "api": 300}, ["/p/web/node_modules", "/p/api"]),
        ({"src/a": 500, "src/b": 400, "docs": 5}, ["/p/src/a", "/p/src/b"]),
        ({"only": 1}, ["/p/only"]),
        ({}, []),
    ],
    ids=["one flat", "three of four", "the inner one", "parts of all", "one", "none"],
)
def test_the_biggest_subtrees_are_named(sizes: dict[str, int], named: list[str]) -> None:
    assert [path for path, _ in biggest("/p", tree_of(sizes))] == named


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "inotify watches a user"),
        (errno.EMFILE, "inotify instances a user"),
        (errno.ENFILE, "the system has no file descriptor left"),
        (errno.ENOMEM, "no memory"),
        (errno.ENOSYS, "does not offer inotify"),
    ],
    ids=errno.errorcode.get,
)
def test_each_errno_is_put_into_words(code: int, words: str) -> None:
    message, hint = explain(OSError(code, os.strerror(code)))
    assert words in message
    assert hint
    assert os.strerror(code) not in message


def test_the_error_is_shown_in_two_lines() -> None:
    lines = str(LimitError(OSError(errno.ENOSPC, ""))).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["error", "hint"]
