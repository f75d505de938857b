"""Which mount a path is on, and whether the kernel tells of what changes there.

Pure but for ``read``. The events of Linux come from its own calls: what another machine, a host
or a server does to the files behind a mount is visible and never told (inotify(7), "network
filesystems"). A file written as a probe would be told, so only the type can decide. Law: a type
that is not known is local.

Formats and facts: proc_pid_mountinfo(5). [M] was measured on Linux 6.18, [R] was read in the
source named, [U] is unverified.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from hotrun.lean import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# What others write there is silent; what is written from here is mostly told.
_SILENT = frozenset(
    {
        # Folders of a host, shown in a virtual machine or a container.
        "9p",  # [R] microsoft/WSL#4739 (drvfs under this name), kata-containers/runtime#1505
        "drvfs",  # [R] microsoft/WSL#2507: WSL 1; told in part, no CLOSE_WRITE
        "fakeowner",  # [R] docker/for-mac#7246: told by Docker Desktop, but no DELETE
        "grpcfuse",  # [U] Docker Desktop before virtiofs; the type is mostly fuse.grpcfuse
        "osxfs",  # [U] Docker Desktop before grpcfuse; the type is mostly fuse.osxfs
        "prl_fs",  # [R] microsoft/vscode#29607: Parallels; its newer type is fuse.prl_fsd
        "vboxsf",  # [R] boot2docker/boot2docker#688
        "virtiofs",  # [R] containers/podman#22343, crc-org/vfkit#126
        "vmhgfs",  # [U] VMware; its newer type is fuse.vmhgfs-fuse
        # Files of a server: other clients write them, and the server itself.
        "afs",  # [U] this and all below without a mark: by the sentence of inotify(7) alone
        "beegfs",
        "ceph",
        "cifs",  # [R] samuelcolvin/watchfiles#125, notify-rs/notify#172
        "coda",
        "lustre",
        "ncpfs",
        "nfs",  # [R] fsnotify/fsnotify#306
        "nfs4",  # [R] the same
        "orangefs",
        "smb3",  # the name of cifs for `mount -t smb3`
        "smbfs",
        # Disks that several machines mount at once.
        "gfs2",
        "gpfs",
        "ocfs2",
        # A program that names no subtype.
        "fuse",  # [M] bindfs: a change behind the mount gives no event
    }
)

# A program stands behind these, and mostly a server, a host or another directory behind that:
# [M] bindfs, [R] libfuse/sshfs#155, trapexit/mergerfs#974. A disk that a program reads is of
# type fuseblk: [M] ntfs-3g tells all of it.
_PROGRAM = "fuse."
# A container's own root, which nobody else writes to: as with overlay, [M] what goes through the
# mount is told. Polling it would list a whole system.
_TOLD = frozenset({"fuse.fuse-overlayfs", "fuse.lxcfs"})

# [M] mkdir, rmdir, rename, exchange and whiteout, at random: st_nlink is 2 and one for each
# directory within; ext4 says 1 for ever once there were more than 64,998. Left out because
# a wrong name loses events: btrfs and ntfs-3g ([M] always 1), overlay ([M] 1 or what the
# filesystem beneath says, which may be any), f2fs, zfs and all that could not be tried.
_COUNTED = frozenset({"ext2", "ext3", "ext4", "ramfs", "tmpfs", "xfs"})

_TOP = -1  # no mount has this number
_ESCAPE = re.compile(r"\\([0-7]{3})")


class Mount(NamedTuple):
    """One line of the mount table.

    Attributes:
        ident: Its number, which is unique.
        parent: The number of the mount that it is mounted on; it may be out of sight.
        device: Major and minor number; ``st_dev`` of most files on it.
        point: Where it is mounted, absolute; bytes that are no UTF-8 as surrogates.
        kind: The type of the filesystem, with its subtype: "ext4", "fuse.sshfs".
    """

    ident: int
    parent: int
    device: tuple[int, int]
    point: str
    kind: str


def read() -> list[Mount]:
    """Return the mounts that this process sees; none where the kernel has no such table."""
    try:
        with open("/proc/self/mountinfo", "rb") as file:
            return parse(os.fsdecode(file.read()))
    except OSError:
        return []


def parse(text: str) -> list[Mount]:
    """Return the mounts of a mountinfo file, in its order; other lines say nothing."""
    # Not splitlines: a name may hold any of the characters that it takes for a line's end.
    return [mount for line in text.split("\n") if (mount := _mount(line)) is not None]


def _mount(line: str) -> Mount | None:
    # Any number of optional fields may come before the lone dash, and WSL writes blanks into
    # the last field of all.
    before, dash, after = line.partition(" - ")
    try:
        ident, parent, device, _root, point, *_ = before.split(" ")
        major, minor = device.split(":")
        numbers = int(ident), int(parent), (int(major), int(minor))
    except ValueError:
        return None
    return Mount(*numbers, _unescape(point), _unescape(after.partition(" ")[0])) if dash else None


def _unescape(field: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 8)), field)


def deepest(mounts: Iterable[Mount], path: str) -> Mount | None:
    """Return the mount that a path is on.

    Args:
        mounts: What ``read`` or ``parse`` returned.
        path: Absolute and without links (``os.path.realpath``); it need not exist.
    """
    return _find(_tree(mounts), path)


def below(mounts: Iterable[Mount], path: str) -> list[Mount]:
    """Return the mounts that a walk down from a directory meets, itself left out."""
    mounts = list(mounts)
    tree = _tree(mounts)
    inside = path.rstrip("/") + "/"
    return [
        mount
        for mount in mounts
        if mount.point.startswith(inside)
        and mount.point != inside
        and _find(tree, mount.point) is mount
    ]


def _tree(mounts: Iterable[Mount]) -> dict[tuple[int, str], Mount]:
    """Return each mount by the one that it is mounted on, and where."""
    known = {mount.ident: mount for mount in mounts}
    tree = {}
    for mount in known.values():
        # The first mount is its own parent; in a chroot the parents may be out of sight.
        hidden = mount.parent == mount.ident or mount.parent not in known
        tree[_TOP if hidden else mount.parent, mount.point] = mount
    return tree


def _find(tree: dict[tuple[int, str], Mount], path: str) -> Mount | None:
    """Walk down as the kernel does, so that a mount hides all that was mounted below its point."""
    found, at = None, _TOP
    for point in _from_the_top(path):
        while (mount := tree.get((at, point))) is not None:
            found, at = mount, mount.ident
    return found


def _from_the_top(path: str) -> Iterator[str]:
    yield "/"
    end = 0
    while 0 < (end := path.find("/", end + 1)) < len(path) - 1:
        yield path[:end]
    if path != "/":
        yield path.rstrip("/")


def silent(mount: Mount) -> str:
    """Return why changes on a mount are not all told; empty where they are."""
    program = mount.kind.startswith(_PROGRAM) and mount.kind not in _TOLD
    return f"{mount.kind} mount" if program or mount.kind in _SILENT else ""


def leaf_links(mount: Mount) -> bool:
    """Tell whether a link count of 2 proves that a directory has no directory in it.

    Other counts prove nothing. A directory may be made at any time: look again once the watch
    is set.
    """
    return mount.kind in _COUNTED
