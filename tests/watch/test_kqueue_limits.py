"""The limits and permissions that the kqueue backend meets, in a process of their own."""

from __future__ import annotations

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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Run = Callable[..., dict[str, object]]

DEADLINE = 60  # seconds

PRELUDE = """
import json, os, resource, shutil, sys, tempfile, time
from hotrun.watch.event import *
from kqueue_ear import KqueueEar

top = tempfile.mkdtemp()
root = top + "/root"
os.mkdir(root)

def write(path, content="x"):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(content)
    return path

def hears(ear, path, op):
    return ear.until(
        lambda heard: any(isinstance(i, Event) and i.path == path and i.op & op for i in heard),
        f"{op} of {path}",
    )

def answer(**found):
    ear.backend.release()
    shutil.rmtree(top)
    print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def sources() -> Iterator[str]:
    """The package, and the fake, where everybody may read them."""
    with tempfile.TemporaryDirectory() as top:
        os.chmod(top, 0o755)  # noqa: S103 - there is nothing to hide in it
        package = Path(hotrun.__file__).parent
        os.mkdir(f"{top}/hotrun")
        for name in ("__init__.py", "errors.py", "lean.py"):
            shutil.copy(package / name, f"{top}/hotrun")
        shutil.copytree(package / "watch", f"{top}/hotrun/watch")
        for name in ("fake_kqueue.py", "kqueue_ear.py"):
            shutil.copy(Path(__file__).parent.parent / name, top)
        yield top


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
        pytest.skip("root may read everything, and there is no setpriv")
    return ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]


def run(sources: str, script: str, *command: str) -> dict[str, object]:
    done = subprocess.run(
        [*command, "-c", PRELUDE + script],
        check=False,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        env={**os.environ, "PYTHONPATH": sources, "PYTHONDONTWRITEBYTECODE": "1"},
        cwd="/",
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.fixture
def limited(sources: str) -> Run:
    """Run a script that may have only 60 descriptors."""
    lower = "resource.setrlimit(resource.RLIMIT_NOFILE, (60, 60))\n"
    return lambda script: run(sources, lower + script, sys.executable)


@pytest.fixture
def unprivileged(sources: str) -> Run:
    """Run a script as somebody who is not root."""
    return lambda script: run(sources, script, *lesser(), python())


FILES = """
paths = [write(f"{root}/{number % 3}/{number:03}.go") for number in range(100)]
ear = KqueueEar(root)
said = [item for item in ear.all() if isinstance(item, Polled)]
"""


def test_near_the_limit_files_are_polled_and_it_is_said_once(limited: Run) -> None:
    found = limited(
        FILES
        + """
ear.backend.refresh()
said += [item for item in ear.all() if isinstance(item, Polled)]
held = ear.held()
answer(
    said=[(item.path == root, item.directories, item.reason, item.hint) for item in said],
    directories=sum(os.path.isdir(path) for path in held),
    files=sum(os.path.isfile(path) for path in held),
    highest=max(node.fd for node in ear.backend._tree.by_number.values()),
    due=ear.backend.due() is not None,
)
"""
    )
    ((is_root, directories, reason, hint),) = found["said"]  # type: ignore[misc]
    assert (is_root, directories) == (True, 2)
    files = int(str(found["files"]))
    # One more at first: while a root is armed it is on its own way.
    assert f"writes to {101 - files} files are looked for" in reason
    assert "this process may have 60" in reason
    assert "ulimit -n 10240" in hint
    assert found["directories"] == 4
    assert found["highest"] == 47  # below 80 % of 60
    assert found["due"]


def test_near_the_limit_every_change_is_still_told(limited: Run) -> None:
    found = limited(
        FILES
        + """
polled = [path for path in paths if path not in ear.held()]
at_once = []
for number, path in enumerate(polled[:3]):
    os.rename(write(f"{root}/0/saved"), path)
    at_once.append(path in ear.ops())
os.rename(polled[3], f"{root}/new.go")
pair = [item.renamed_from == polled[3] for item in ear.events() if item.op == Op.CREATE]
os.remove(polled[4])
removed = [item.op.name for item in ear.events() if item.path == polled[4]]
write(polled[5], "in place")
hears(ear, polled[5], Op.WRITE)
os.chmod(polled[6], 0o700)
hears(ear, polled[6], Op.CHMOD)
write(f"{root}/0/sub/new.go")
created = f"{root}/0/sub/new.go" in ear.ops()
answer(at_once=at_once, pair=pair, removed=removed, created=created)
"""
    )
    assert found == {"at_once": [True] * 3, "pair": [True], "removed": ["REMOVE"], "created": True}


def test_when_there_is_room_again_files_get_descriptors(limited: Run) -> None:
    found = limited(
        FILES
        + """
for path in paths[:90]:
    os.remove(path)
ear.all()
ear.until(lambda _: set(paths[90:]) <= set(ear.held()), "descriptors for the rest")
write(paths[95], "in place")
answer(told=paths[95] in ear.ops(), due=ear.backend.due())
"""
    )
    assert found == {"told": True, "due": None}


def test_beyond_the_limit_directories_are_polled_too(limited: Run) -> None:
    found = limited(
        """
for number in range(100):
    write(f"{root}/{number:03}/f.go")
ear = KqueueEar(root)
said = [item for item in ear.all() if isinstance(item, Polled)]
held = ear.held()
polled = [path for path in ear.backend.places() if path not in held]
path = write(f"{polled[0]}/new/deep/g.go")
hears(ear, path, Op.CREATE)
write(path, "in place")
hears(ear, path, Op.WRITE)
os.remove(f"{polled[1]}/f.go")
hears(ear, f"{polled[1]}/f.go", Op.REMOVE)
shutil.rmtree(polled[2])
hears(ear, polled[2], Op.REMOVE)
os.rename(polled[3], f"{root}/moved")
hears(ear, f"{root}/moved", Op.CREATE)
write(f"{root}/moved/h.go")
hears(ear, f"{root}/moved/h.go", Op.CREATE)
answer(
    said=len(said),
    count=len(list(ear.backend.places())),
    highest=max(node.fd for node in ear.backend._tree.by_number.values()),
)
"""
    )
    assert found == {"said": 1, "count": 102, "highest": 56}  # below 95 % of 60


def test_a_process_without_any_descriptor_left_polls(limited: Run) -> None:
    found = limited(
        """
write(f"{root}/d/f.go")
ear = KqueueEar()
taken = []
try:
    while True:
        taken.append(os.open("/", os.O_RDONLY))
except OSError:
    pass
ear.add(root)
os.close(taken.pop())
os.close(taken.pop())
hears(ear, f"{root}/d/f.go", Op.CREATE)  # nothing could be listed: all is new
for fd in taken:
    os.close(fd)
ear.until(lambda _: f"{root}/d/f.go" in ear.held(), "descriptors")
write(f"{root}/d/f.go", "more")
answer(told=f"{root}/d/f.go" in ear.ops())
"""
    )
    assert found == {"told": True}


def test_the_limit_is_raised_as_far_as_may_be(sources: str) -> None:
    found = run(
        sources,
        """
resource.setrlimit(resource.RLIMIT_NOFILE, (60, 400))
paths = [write(f"{root}/{number}.go") for number in range(200)]
ear = KqueueEar(root)
held = len(ear.held())
during = resource.getrlimit(resource.RLIMIT_NOFILE)
ear.backend.release()
after = resource.getrlimit(resource.RLIMIT_NOFILE)
ear = KqueueEar()
answer(held=held, during=during, after=after)
""",
        sys.executable,
    )
    assert found == {"held": 201, "during": [400, 400], "after": [60, 400]}


def test_an_unreadable_directory_is_said_once_and_watched_once_it_can_be(
    unprivileged: Run,
) -> None:
    found = unprivileged(
        """
for number in range(3):
    os.mkdir(f"{root}/{number}")
os.chmod(root + "/1", 0)
ear = KqueueEar(root)
heard = ear.all()
assert write(root + "/2/f.go") in ear.ops()
ear.backend.refresh()
heard += ear.all()
os.chmod(root + "/1", 0o700)
path = write(root + "/1/new.go")
heard += hears(ear, path, Op.CREATE)
write(path, "more")
told = path in ear.ops()
said = [item.path.removeprefix(root) for item in heard if isinstance(item, Unwatched)]
answer(said=said, told=told, due=ear.backend.due())
"""
    )
    assert found == {"said": ["/1"], "told": True, "due": None}


def test_an_unreadable_root_is_watched_once_it_can_be(unprivileged: Run) -> None:
    found = unprivileged(
        """
os.chmod(root, 0o300)
ear = KqueueEar(root)
heard = ear.all()
path = write(root + "/f.go")
os.chmod(root, 0o700)
heard += hears(ear, path, Op.CREATE)
told = write(root + "/g.go") in ear.ops()
answer(said=[item.path == root for item in heard if isinstance(item, Unwatched)], told=told)
"""
    )
    assert found == {"said": [True], "told": True}


def test_a_directory_that_is_closed_to_us_later_is_still_heard(unprivileged: Run) -> None:
    found = unprivileged(
        """
path = write(f"{root}/d/f.go")
ear = KqueueEar(root)
os.chmod(f"{root}/d", 0o300)
chmod = ear.ops()
write(path, "more")
write(f"{root}/d/new.go")
heard = ear.all()
os.chmod(f"{root}/d", 0o700)
heard += hears(ear, f"{root}/d/new.go", Op.CREATE)
said = [item.path == f"{root}/d" for item in heard if isinstance(item, Unwatched)]
written = [item.op.name for item in heard if isinstance(item, Event) and item.path == path]
answer(chmod=[op.name for op in chmod.values()], said=said, written=written)
"""
    )
    assert found == {"chmod": ["CHMOD"], "said": [True], "written": ["WRITE"]}


def test_an_unreadable_file_is_a_name_that_is_looked_at(unprivileged: Run) -> None:
    found = unprivileged(
        """
path = write(f"{root}/f.go")
os.chmod(path, 0o200)
ear = KqueueEar(root)
said = len(ear.all())
write(path, "more")
hears(ear, path, Op.WRITE)
os.chmod(path, 0o600)
hears(ear, path, Op.CHMOD)
answer(said=said, held=path in ear.held())
"""
    )
    assert found == {"said": 0, "held": True}
