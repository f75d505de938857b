"""The edit: one newline more at the end of a file, and the way back.

Law: the file becomes what it was, to the byte, the nanosecond and the mode, whoever dies
meanwhile; and what somebody else wrote into it is never overwritten. So its bytes lie in
``.hotrun/smoke-PID-TIME/`` before it is touched, with a note of what is about to be done, and
`undo` needs nothing else. It is written in place: a new file would lose owner, links and inode.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import re
import stat as modes
import time
from typing import Any

from hotrun.process.session_file import DIRECTORY, IGNORE, locked

BACKUP, NOTE = "original", "edit.json"
_NAME = re.compile(r"smoke-[0-9]{1,20}-[0-9]{1,20}")


class Place:
    """The directory ``.hotrun/smoke-PID-TIME`` of a project, for what has to outlive us.

    It is locked as long as we live (flock(2)): in a container our pid says nothing.

    Args:
        directory: The project's.

    Attributes:
        path: The directory.
        made: We made ``.hotrun`` itself, and take it away again when it holds nothing else.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, directory: str) -> None:
        above = os.path.join(directory, DIRECTORY)
        self.path = os.path.join(above, f"smoke-{os.getpid()}-{time.time_ns()}")
        self.made = False
        with contextlib.suppress(FileExistsError):
            os.mkdir(above)
            self.made = True
        if not modes.S_ISDIR(os.lstat(above).st_mode):  # a link would lead elsewhere
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), above)
        if self.made:
            with open(os.path.join(above, ".gitignore"), "xb") as file:
                file.write(IGNORE)
        os.mkdir(self.path, 0o700)
        self._lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def remove(self) -> None:
        """Take it away: nothing in it is needed any more."""
        remove(self.path, made=self.made)

    def close(self) -> None:
        """Let go of the lock."""
        os.close(self._lock)


def remove(path: str, *, made: bool) -> None:
    """Take a place away, with what `make` put there.

    Args:
        path: Of the place.
        made: ``.hotrun`` is ours too; it goes when only its .gitignore is left.
    """
    for name in (BACKUP, NOTE):
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(path, name))
    with contextlib.suppress(OSError):
        os.rmdir(path)
        above = os.path.dirname(path)
        if made and os.listdir(above) == [".gitignore"]:
            os.unlink(os.path.join(above, ".gitignore"))
            os.rmdir(above)


def make(path: str, place: str) -> None:
    """Append a newline to a file.

    Args:
        path: The file, absolute; behind a link the file that it leads to.
        place: The directory for its bytes.

    Raises:
        OSError: it cannot be read or written, or its bytes cannot be kept; it is as it was.
    """
    path = os.path.realpath(path)
    with open(path, "r+b") as file:
        stat = os.fstat(file.fileno())
        content = file.read()
        added = b"\r\n" if content.endswith(b"\r\n") else b"\n"
        _write(os.path.join(place, BACKUP), content)
        note = {
            "path": os.fsencode(path).hex(),
            "added": added.decode(),
            "times": [stat.st_atime_ns, stat.st_mtime_ns],
            "mode": modes.S_IMODE(stat.st_mode),
        }
        _write(os.path.join(place, NOTE), json.dumps(note).encode())
        file.write(added)


class NotUndoneError(Exception):
    """The file is not what it was; the text says why, and where its bytes are kept."""


class TheirsError(NotUndoneError):
    """Somebody else has changed the file meanwhile: that is no fault of the project."""


def undo(place: str) -> None:
    """Bring the file back to what it was, if nobody else has changed it meanwhile.

    Raises:
        NotUndoneError: somebody has, or it cannot be written.
    """
    try:
        with open(os.path.join(place, NOTE), "rb") as file:
            note = json.load(file)
    except (OSError, ValueError):  # nothing was edited yet
        return
    path = os.fsdecode(bytes.fromhex(note["path"]))
    backup = os.path.join(place, BACKUP)
    try:
        with open(backup, "rb") as file:
            content = file.read()
        done = _put_back(path, content, content + note["added"].encode(), note)
    except OSError as error:
        what = f"{path} could not be restored ({error.strerror}): as it was, it is in {backup}"
        raise NotUndoneError(what) from error
    if not done:
        raise TheirsError(
            f"{path} was changed by somebody else meanwhile and is left alone: "
            f"as it was before, it is in {backup}"
        )
    os.unlink(os.path.join(place, NOTE))


def undo_earlier(directory: str) -> list[str]:
    """Bring back what an earlier smoke test left edited; return a sentence for each."""
    above = os.path.join(directory, DIRECTORY)
    try:
        names = sorted(filter(_NAME.fullmatch, os.listdir(above)))
    except OSError:
        return []
    said = (_undo_of_dead(os.path.join(above, name)) for name in names)
    return [sentence for sentence in said if sentence]


def _undo_of_dead(place: str) -> str:
    """Undo the edit of a smoke test, unless that is alive; return what is to be said of it."""
    try:
        fd = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return ""
    try:
        if locked(fd):
            return ""
        edited = os.path.exists(os.path.join(place, NOTE))
        undo(place)
    except NotUndoneError as error:
        return str(error)
    finally:
        os.close(fd)
    remove(place, made=False)
    return "an earlier smoke test was killed: its edit is undone" if edited else ""


def _put_back(path: str, before: bytes, ours: bytes, note: dict[str, Any]) -> bool:
    with open(path, "r+b") as file:
        now = file.read()
        if now not in (before, ours):  # a formatter that takes our newline away again is fine
            return False
        file.truncate(len(before))
    os.chmod(path, note["mode"])
    accessed, modified = note["times"]
    os.utime(path, ns=(accessed, modified))
    return True


def _write(path: str, content: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(fd, "wb") as file:
        file.write(content)
