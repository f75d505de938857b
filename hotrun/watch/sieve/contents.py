"""What files hold: of the small ones a hash, of all how far their signatures can vouch for it.

Law: a signature is trusted when it is older than a step of the clock that stamped it: two writes
within one step leave the same time. Until then only the bytes themselves tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotrun.watch.event import Op
from hotrun.watch.sieve.digest import HASHED, digest_of
from hotrun.watch.sieve.snapshot import signature

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotrun.watch.sieve.snapshot import Directory, Listing, Signature

PRIMED_FILES = 20_000  # of which hashes are taken ahead; beyond, the first save counts
PRIMED_BYTES = 64 * 1024 * 1024
SECOND = 1_000_000_000  # ns
COARSE = 2 * SECOND  # the step of a clock that stamps whole seconds (FAT: 2 s; ext3: 1 s)
FINE = SECOND // 50  # of any other one (Linux: a tick of at most 10 ms, twice for safety)
TOUCHED = Op.CHMOD | Op.CLOSE_WRITE  # touch(1): times set and closed, and not a byte written


class Contents:
    """What is known of the bytes of files.

    Attributes:
        hashes: Of small files, by path.
        vague: Files whose signature was taken too soon to vouch.
        follow_symlinks: What a link leads to is part of it.
    """

    def __init__(self, *, follow_symlinks: bool) -> None:
        self.hashes: dict[str, bytes] = {}
        self.vague: set[str] = set()
        self.follow_symlinks = follow_symlinks

    # --- taking files as they are ---

    def clear(self) -> None:
        """Forget all."""
        self.hashes.clear()
        self.vague.clear()

    def forget(self, path: str) -> None:
        """Forget a file."""
        self.hashes.pop(path, None)
        self.vague.discard(path)

    def doubt(self, path: str, directory: Directory, now: int) -> None:
        """Note the files of a listed directory whose signatures are too young to vouch."""
        since = now - COARSE
        for name, found in directory.files.items():
            if found.ctime_ns > since and _is_vague(found, now):
                self.vague.add(f"{path}/{name}")

    def date(self, path: str, found: Signature, now: int) -> None:
        """Note whether the signature of a file, taken at a time in ns, can vouch."""
        if _is_vague(found, now):
            self.vague.add(path)
        else:
            self.vague.discard(path)

    def hash(self, path: str, found: Signature) -> bytes | None:
        """Take the bytes of a file as they are; None when they are too many, or not to be had."""
        digest = self._digest(path) if found.size <= HASHED else None
        if digest is None:
            self.hashes.pop(path, None)
        else:
            self.hashes[path] = digest
        return digest

    def prime(self, listing: Listing) -> Iterator[None]:
        """Hash listed files ahead, a little between two yields."""
        files, budget = PRIMED_FILES, PRIMED_BYTES
        for directory in list(listing):
            files_in = listing[directory].files if directory in listing else {}
            for name, known in list(files_in.items()):
                path = f"{directory}/{name}"
                if known.size > HASHED or path in self.hashes or path in self.vague:
                    continue
                files, budget = files - 1, budget - known.size
                if files < 0 or budget < 0:
                    return
                digest = self._digest(path)
                if digest is not None and self.signature(path) == known:
                    self.hashes[path] = digest
                yield

    # --- comparing ---

    def suspects(
        self, directory: str, old: dict[str, Signature], new: dict[str, Signature]
    ) -> list[str]:
        """Return the files of a directory that may differ, by two lists of their signatures."""
        if old == new and not self.vague:
            return []
        paths = [(f"{directory}/{name}", name) for name in {**old, **new}]
        return [
            path for path, name in paths if old.get(name) != new.get(name) or path in self.vague
        ]

    def strays(self, path: str, known: Signature | None) -> bool:
        """Whether a file certainly holds other bytes now; what is known stays as it is."""
        found = self.signature(path)
        if known is None or found is None:
            return (known is None) != (found is None)
        if known.size != found.size:
            return True
        before = self.hashes.get(path)
        return before is not None and self._digest(path) not in (before, None)

    def rewritten(
        self, path: str, known: Signature, found: Signature, op: Op | None, *, vague: bool
    ) -> bool:
        """Whether the bytes differ, as far as anybody can tell; they are known from now on.

        Args:
            path: Where the file is.
            known: Its signature as it was.
            found: As it is.
            op: What was heard of it; None when it may be anything.
            vague: Its signature, as it was, could not vouch.
        """
        if op == Op.CHMOD and known[:3] == found[:3]:
            return False
        before = self.hashes.get(path)
        digest = self.hash(path, found)
        if digest is not None and before is not None:
            return digest != before
        if op == TOUCHED and known.size == found.size:
            # Unless it was written since, and the event of that is still to come.
            self.hashes.pop(path, None)
            self.vague.add(path)
            return False
        return vague or found != known

    # --- the disk ---

    def signature(self, path: str) -> Signature | None:
        """Return the signature of a file as it is now; None: there is none."""
        return signature(path, follow_symlinks=self.follow_symlinks)

    def _digest(self, path: str) -> bytes | None:
        return digest_of(path, follow_symlinks=self.follow_symlinks)


def _is_vague(found: Signature, now: int) -> bool:
    step = FINE if found.ctime_ns % SECOND else COARSE
    return found.ctime_ns > now - step
