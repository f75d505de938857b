"""The mount table: which mount a path is on, and what is to be expected of it."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from hotrun.watch import mounts
from hotrun.watch.mounts import Mount

TABLES = Path(__file__).parent / "mounts"

SPACED = "/mnt/two words\nnew\ttab\\back"
LINES = "/mnt/next\x85line\x0bvertical\r"

# Table, path -> where it is mounted, the type, whether it is silent, whether links are counted.
EXPECTED = [
    ("debian", "/", "/", "ext4", False, True),
    ("debian", "/home/me/src", "/home", "xfs", False, True),
    ("debian", "/homes/me", "/", "ext4", False, True),
    ("debian", "/run/lock/x", "/run", "tmpfs", False, True),
    ("debian", "/boot/efi/x", "/boot/efi", "vfat", False, False),
    ("debian", "/media/usb/x", "/media/usb", "fuseblk", False, False),
    ("debian", "/run/user/1000/gvfs/x", "/run/user/1000/gvfs", "fuse.gvfsd-fuse", True, False),
    ("debian", "/run/user/1000/doc", "/run/user/1000/doc", "fuse.portal", True, False),
    ("wsl2", "/home/me/src", "/", "ext4", False, True),
    ("wsl2", "/mnt/c/Users/me", "/mnt/c", "9p", True, False),
    ("wsl2", "/mnt/c", "/mnt/c", "9p", True, False),
    ("wsl2", "/mnt/cx", "/", "ext4", False, True),
    ("wsl2", "/mnt/c/work/cache/x", "/mnt/c/work/cache", "ext4", False, True),
    ("wsl2", "/mnt/d/src", "/mnt/d", "virtiofs", True, False),
    ("wsl2", "/Docker/host/cli", "/Docker/host", "9p", True, False),
    ("docker-desktop", "/usr/src", "/", "overlay", False, False),
    ("docker-desktop", "/app/main.go", "/app", "fakeowner", True, False),
    ("docker-desktop", "/app/node_modules/x", "/app/node_modules", "ext4", False, True),
    ("docker-desktop", "/apps", "/", "overlay", False, False),
    ("docker-desktop", "/old/x", "/old", "fuse.grpcfuse", True, False),
    ("docker-desktop", "/older/x", "/older", "fuse.osxfs", True, False),
    ("vagrant", "/vagrant/src", "/vagrant", "vboxsf", True, False),
    ("vagrant", "/vagrant2", "/", "ext4", False, True),
    ("vagrant", "/mnt/hgfs/share", "/mnt/hgfs", "fuse.vmhgfs-fuse", True, False),
    ("nfs-home", "/home/me/src", "/home", "nfs4", True, False),
    ("nfs-home", "/home/me/fast/src", "/home/me/fast", "ext4", False, True),
    ("nfs-home", "/home/me/faster", "/home", "nfs4", True, False),
    ("nfs-home", "/srv/share", "/srv/share", "cifs", True, False),
    ("nfs-home", "/srv", "/", "xfs", False, True),
    ("nfs-home", "/net/filer", "/net", "autofs", False, False),
    ("podman-machine", "/src/a.go", "/src", "virtiofs", True, False),
    ("podman-machine", "/usr", "/", "overlay", False, False),
    ("rootless", "/usr", "/", "fuse.fuse-overlayfs", False, False),
    ("rootless", "/src/a.go", "/src", "ext4", False, True),
    ("btrfs", "/usr", "/", "btrfs", False, False),
    ("btrfs", "/home/me", "/home", "btrfs", False, False),
    ("btrfs", "/mnt/code/x", "/mnt/code", "btrfs", False, False),
    ("btrfs", "/home/me/disk/x", "/home/me/disk", "ext4", False, True),
    ("binds", "/", "/", "ext4", False, True),
    ("binds", "/work/lib/x", "/work/lib", "ext4", False, True),
    ("binds", "/work/library", "/work", "ext4", False, True),
    ("binds", "/mnt/x/y/z", "/mnt/x", "nfs4", True, False),
    ("binds", "/mnt/x/z", "/mnt/x/z", "tmpfs", False, True),
    ("binds", "/a", "/a", "9p", True, False),
    ("binds", "/ab", "/", "ext4", False, True),
    ("programs", "/home/me/server/x", "/home/me/server", "fuse.sshfs", True, False),
    ("programs", "/home/me/mirror/x", "/home/me/mirror", "fuse", True, False),
    ("programs", "/home/me/pool/x", "/home/me/pool", "fuse.mergerfs", True, False),
    ("names", f"{SPACED}/x", SPACED, "tmpfs", False, True),
    ("names", "/mnt/caf\udce9/x", "/mnt/caf\udce9", "nfs4", True, False),
    ("names", f"{LINES}/x", LINES, "9p", True, False),
    ("names", "/mnt/literal\\040/x", "/mnt/literal\\040", "xfs", False, True),
]


def table(name: str) -> list[Mount]:
    return mounts.parse((TABLES / f"{name}.txt").read_bytes().decode("utf-8", "surrogateescape"))


@pytest.mark.parametrize(
    ("name", "path", "point", "kind", "silent", "counted"),
    EXPECTED,
    ids=[f"{row[0]}:{row[1]!a}" for row in EXPECTED],
)
def test_a_path_is_on_the_mount_that_the_kernel_finds(
    name: str, path: str, point: str, kind: str, silent: bool, counted: bool
) -> None:
    mount = mounts.deepest(table(name), path)
    assert mount is not None
    assert (mount.point, mount.kind) == (point, kind)
    assert mounts.silent(mount) == (f"{kind} mount" if silent else "")
    assert mounts.leaf_links(mount) == counted


@pytest.mark.parametrize("name", sorted(path.stem for path in TABLES.glob("*.txt")))
def test_every_line_of_every_table_is_understood(name: str) -> None:
    lines = (TABLES / f"{name}.txt").read_bytes().strip(b"\n").split(b"\n")
    assert len(table(name)) == len(lines)
    assert name in {row[0] for row in EXPECTED}


def test_of_two_mounts_on_one_point_the_upper_one_counts() -> None:
    mount = mounts.deepest(table("vagrant"), "/vagrant/src")
    assert mount is not None
    assert mount.ident == 244


def test_of_two_mounts_on_one_point_with_parents_out_of_sight_the_last_one_counts() -> None:
    orphans = mounts.parse(
        "200 900 0:1 / /a rw - ext4 /dev/a rw\n201 901 0:2 / /a rw - nfs4 filer:/a rw\n"
    )
    mount = mounts.deepest(orphans, "/a/b")
    assert mount is not None
    assert mount.kind == "nfs4"


def test_a_path_on_no_mount_in_sight_is_on_none() -> None:
    in_a_chroot = mounts.parse("40 22 0:21 / /proc rw - proc proc rw\n")
    assert mounts.deepest(in_a_chroot, "/home/me") is None
    assert mounts.deepest([], "/") is None


@pytest.mark.parametrize(
    ("name", "path", "points"),
    [
        ("wsl2", "/mnt", ["/mnt/c", "/mnt/d", "/mnt/c/work/cache"]),
        ("wsl2", "/mnt/c", ["/mnt/c/work/cache"]),
        ("wsl2", "/mnt/c/", ["/mnt/c/work/cache"]),
        ("wsl2", "/mnt/c/work/cache", []),
        ("wsl2", "/mn", []),
        ("docker-desktop", "/app", ["/app/node_modules"]),
        ("binds", "/", ["/work", "/work/lib", "/mnt/x", "/mnt/x/z", "/a"]),
        ("binds", "/mnt", ["/mnt/x", "/mnt/x/z"]),
        ("vagrant", "/", ["/sys", "/proc", "/vagrant", "/mnt/hgfs"]),
        ("nfs-home", "/home", ["/home/me/fast"]),
    ],
)
def test_a_walk_down_meets_the_mounts_that_are_not_hidden(
    name: str, path: str, points: list[str]
) -> None:
    assert [mount.point for mount in mounts.below(table(name), path)] == points


@pytest.mark.parametrize(
    "line",
    [
        "",
        "this is no mount",
        "1 2 3 - ext4 /dev/sda1 rw",
        "1 2 8:1 / /a rw shared:1",
        "one 2 8:1 / /a rw - ext4 /dev/sda1 rw",
        "1 2 8 / /a rw - ext4 /dev/sda1 rw",
        "1 2 8:x / /a rw - ext4 /dev/sda1 rw",
    ],
)
def test_a_line_of_another_form_says_nothing(line: str) -> None:
    good = "28 1 8:2 / / rw - ext4 /dev/sda2 rw"
    assert [mount.ident for mount in mounts.parse(f"{line}\n{good}\n{line}\n")] == [28]


def test_a_table_that_no_kernel_writes_is_no_endless_walk() -> None:
    ring = mounts.parse(
        "5 0 0:1 / / rw - ext4 a rw\n6 5 0:2 / / rw - ext4 b rw\n5 6 0:3 / / rw - ext4 c rw\n"
    )
    assert mounts.deepest(ring, "/a") is None


def same_device(mount: Mount | None, path: str) -> bool:
    """Whether a path is where it was taken to be, as far as its device number can tell."""
    if mount is None:
        return False
    if mount.kind in ("btrfs", "overlay", "zfs", "nfs", "nfs4", "fuse.fuse-overlayfs"):
        return True  # these have device numbers of their own for some files
    found = os.stat(path).st_dev
    return (os.major(found), os.minor(found)) == mount.device


@pytest.mark.skipif(sys.platform != "linux", reason="there is no mount table")
def test_the_mounts_of_this_machine_are_where_its_devices_are(tmp_path: Path) -> None:
    here = mounts.read()
    tops = [mount.point for mount in mounts.below(here, "/") if os.access(mount.point, os.R_OK)]
    paths = ["/", str(tmp_path.resolve()), os.path.realpath(sys.prefix), os.getcwd(), *tops]
    paths += [f"/{name}" for name in os.listdir("/") if not os.path.islink(f"/{name}")]
    assert here
    for path in paths:
        mount = mounts.deepest(here, path)
        assert same_device(mount, path), (path, mount)


def names_in(directory: str) -> int:
    return sum(entry.is_dir(follow_symlinks=False) for entry in os.scandir(directory))


def upset(rng: random.Random, directories: list[str], number: int) -> None:
    """Make, move or remove something in a tree."""
    here, there = rng.choice(directories), rng.choice(directories)
    match rng.choice(["make", "make", "file", "link", "move", "remove"]):
        case "make":
            directories.append(f"{here}/d{number}")
            os.mkdir(directories[-1])
        case "file":
            Path(f"{here}/f{number}").touch()
        case "link":
            os.symlink(here, f"{here}/l{number}")
        case "move" if here != directories[0] and not f"{there}/".startswith(f"{here}/"):
            os.rename(here, f"{there}/m{number}")
            moved = [f"{there}/m{number}{path[len(here) :]}" for path in directories
                     if f"{path}/".startswith(f"{here}/")]  # fmt: skip
            directories[:] = [p for p in directories if not f"{p}/".startswith(f"{here}/")] + moved
        case "remove" if here != directories[0] and not os.listdir(here):
            os.rmdir(here)
            directories.remove(here)


@pytest.mark.skipif(sys.platform != "linux", reason="there is no mount table")
@pytest.mark.parametrize("place", [None, "/dev/shm"], ids=["tmp_path", "shm"])  # noqa: S108
def test_a_link_count_of_two_is_true_where_it_is_trusted(tmp_path: Path, place: str | None) -> None:
    with tempfile.TemporaryDirectory(dir=place or tmp_path) as top:
        mount = mounts.deepest(mounts.read(), os.path.realpath(top))
        if mount is None or not mounts.leaf_links(mount):
            pytest.skip("link counts are not trusted on this filesystem")
        rng, directories = random.Random(1), [top]
        for number in range(400):
            upset(rng, directories, number)
        assert len(directories) > 50
        for path in directories:
            assert os.lstat(path).st_nlink == 2 + names_in(path), path


NAMES = "two words\nnew\ttab\\back", "caf\udce9", "next\x85line", "literal\\040", "#"
MOUNTS = """
import json, os, subprocess, sys
sys.path.insert(0, sys.argv[1])
from hotrun.watch import mounts

top, *names = (os.fsencode(name) for name in sys.argv[2:])
def tmpfs(path):
    os.makedirs(path, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", path], check=True)
def bind(path, onto):
    os.makedirs(path, exist_ok=True)
    os.makedirs(onto, exist_ok=True)
    subprocess.run(["mount", "--bind", path, onto], check=True)

tmpfs(top)
for name in names:
    tmpfs(top + b"/" + name)
tmpfs(top + b"/hidden/below")
tmpfs(top + b"/hidden")
os.makedirs(top + b"/hidden/below")
tmpfs(top + b"/twice")
tmpfs(top + b"/twice")
bind(top + b"/from/here", top + b"/twice/onto")
tmpfs(top + b"/from/here/late")
os.makedirs(top + b"/plain/plain")
here = mounts.read()
answers = []
for path, directories, _ in os.walk(top):
    mount = mounts.deepest(here, os.fsdecode(path))
    device = os.lstat(path).st_dev
    answers.append((os.fsdecode(path), mount, (os.major(device), os.minor(device))))
print(json.dumps([answers, mounts.below(here, os.fsdecode(top))]))
"""


def in_own_mounts(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python where it may mount what it likes, and nobody else sees it."""
    apart = ["unshare", "--user", "--map-root-user", "--mount", "--propagation", "private"]
    return subprocess.run(
        [*apart, sys.executable, "-c", script, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.skipif(shutil.which("unshare") is None, reason="there is no unshare")
def test_stacked_hidden_and_oddly_named_mounts_are_where_their_devices_are(
    tmp_path: Path,
) -> None:
    if in_own_mounts("").returncode:
        pytest.skip("this kernel does not let us have mounts of our own")
    package = str(Path(mounts.__file__).parents[2])
    done = in_own_mounts(MOUNTS, package, str(tmp_path.resolve()), *NAMES)
    assert done.returncode == 0, done.stderr
    answers, below = json.loads(done.stdout)
    assert len(answers) >= len(NAMES) + 6
    for path, mount, device in answers:
        assert mount is not None, path
        assert mount[2] == device, (path, mount)
    ends = sorted(mount[3].removeprefix(f"{tmp_path.resolve()}/") for mount in below)
    assert ends == sorted([*NAMES, "hidden", "twice", "twice/onto", "from/here/late"])
