"""The feed that watches, and the one that takes its place when the config asks for another.

The new one lists its trees while the old one still watches; what changed in between is why the
session builds once more when they change places. So no change is lost to a new config.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotrun.feed import Feed

if TYPE_CHECKING:
    from hotrun.feed import FeedHost
    from hotrun.watch import Watcher
    from hotrun.watch.sieve.sieve import Sieve


class Feeds:
    """One feed, or for a while two.

    Args:
        host: The session.
        service: Whose files these are.
        watch: A watcher that is not yet armed, and its sieve.
    """

    def __init__(self, host: FeedHost, service: str, watch: tuple[Watcher, Sieve]) -> None:
        self._host = host
        self._service = service
        self._feed = Feed(host, service, *watch)
        self._next: Feed | None = None

    def start(self) -> None:
        """Watch, then list, then tell the host."""
        self._feed.start()

    def replace(self, watch: tuple[Watcher, Sieve]) -> None:
        """Watch other files, as soon as they are listed."""
        if self._next is not None:
            self._next.close()
        self._next = Feed(self._host, self._service, *watch)
        self._next.start()

    def settle(self, feed: Feed) -> bool:
        """Let a feed that has listed its trees be the one; False: it is not the next one."""
        if feed is not self._next:
            return False
        self._feed.close()
        self._feed, self._next = feed, None
        return True

    def adopt(self) -> None:
        """Go by the host's config, which is another one, but watches the same."""
        for feed in self._all():
            feed.adopt()

    def relist(self) -> None:
        """List all again, as somebody asked who does not trust us."""
        self._feed.relist()

    def sift(self, *, last: bool) -> None:
        """Compare what was touched with the disk, as ``Feed.sift``."""
        self._feed.sift(last=last)

    def close(self) -> None:
        """End the threads and give the descriptors back."""
        for feed in self._all():
            feed.close()

    def _all(self) -> list[Feed]:
        return [self._feed, *([self._next] if self._next is not None else [])]
