"""The feed: from the watcher and its sieve to facts in the inbox.

The watcher has the only thread, and it hands over all that it reads; whatever compares, hashes
or speaks happens in the loop, a little at a time.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Protocol

from hotrun import facts, notices
from hotrun.config.source import PYPROJECT_TOML
from hotrun.errors import HotrunError, WatchError
from hotrun.host import Clock, Host, relative
from hotrun.project.watched import NO_FILE, config_files, missing, watches_nothing
from hotrun.triage import NO_INPUT, Triage
from hotrun.watch.event import SAVES, Polled, Refreshed, Unwatched
from hotrun.watch.sieve.changes import Newborn

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from hotrun.triage import Outcome
    from hotrun.watch import Item, Watcher
    from hotrun.watch.sieve.sieve import Sieve, Sifted

RETURNED_HINT = "if the build itself writes it, name it in build.outputs; it triggers nothing now"
WAITS = 0.02  # seconds, for the end of a comparison with the disk
SLICE = 0.002  # seconds of listing or hashing between two looks at the inbox
PATIENCE = 0.010  # seconds of listing before the first build: 1,000 files
FEW = 200  # directories, of which a listing may be done in that time
# Seconds after the last event from the time of the listing was read: the kernel tells of one half
# of a move first, and the watcher waits for the other.
TRUST = 0.5


class FeedHost(Host, Protocol):
    """What the feed needs of its session."""

    def is_made(self, path: str) -> bool:
        """Whether a changed file is what the build makes, although nobody named it."""

    @property
    def building(self) -> bool:
        """Whether a build is running."""

    @property
    def hurries(self) -> bool:
        """Whether the first build is still to come, and need not wait for the listing's end."""

    def listed(self, feed: Feed) -> None:
        """All is watched, and listed or being listed: from now on no change is missed."""

    def reload(self) -> None:
        """Read the config again: its file changed."""

    def quit(self, code: int, reason: str) -> None:
        """End the session."""


class Feed:
    """Watches the trees of one service.

    Args:
        host: The session.
        service: Whose files these are.
        watcher: Not yet armed.
        sieve: What tells a change from an event.
    """

    def __init__(self, host: FeedHost, service: str, watcher: Watcher, sieve: Sieve) -> None:
        self._host = host
        self._service = service
        self._watcher = watcher
        self._sieve = sieve
        self.adopt()
        self._backend = ""  # that was last told of
        self._closing = False
        self._sifting = False
        self._newborn = Newborn()
        self._first: Clock | None = None  # since the first event that no sift has looked at
        self._asked = False  # whether all that came before has been read
        self._thread = threading.Thread(target=self._watch, name="watcher", daemon=True)

    def adopt(self) -> None:
        """Go by the host's config, which is another one, but watches the same."""
        config = self._host.config
        self._triage = Triage(config, self._sieve.roots)
        self._config_files = frozenset(config_files(config))

    def start(self) -> None:
        """Watch, then list, then say so."""
        try:
            self._thread.start()
        except RuntimeError as error:  # can't start new thread
            hint = "end some processes, or raise the limit: ulimit -u"
            raise WatchError(
                "the watcher cannot start: there are too many threads", hint
            ) from error

    def close(self) -> None:
        """End the thread and give the descriptors back."""
        self._closing = True
        self._watcher.close()
        self._thread.join(timeout=1)  # it may be listing a slow disk; it is a daemon

    # --- in the watcher's thread ---

    def _watch(self) -> None:
        clock = Clock.start()
        try:
            self._arm()
            if self._hurries():
                self._call(self._armed, clock)
            else:
                self._sieve.list()
                self._call(self._listed, clock)
            self._read()
        except HotrunError as error:
            if not self._closing:
                self._call(self._lost, error)
        except BaseException as bug:  # noqa: BLE001 - a thread that dies silently loses changes
            self._call(self._raise, bug)

    def _arm(self) -> None:
        for root in self._sieve.roots:
            self._watcher.add(root, ops=SAVES, missing_ok=True)
        for file in self._sieve.apart:
            self._watcher.add(file, ops=SAVES, missing_ok=True)

    def _hurries(self) -> bool:
        """Whether the first build may begin while a big tree is still being listed.

        inotify queues an event before the call that caused it returns (inotify(7)), so whatever
        happened before a moment has been read when the queue is empty after it. A poll knows no
        such moment; and what links lead to is known by names only when all is listed.
        """
        native = self._watcher.backend == "inotify"
        return native and self._host.hurries and not self._sieve.follow_symlinks

    def _read(self) -> None:
        while not self._closing:
            asked = self._asked  # before the read: it is about what came until now
            items = self._watcher.read(0.0 if asked else None)
            if items:
                self._call(self._heard, items)
            if asked:
                self._asked = False
                self._call(self._all_read)

    def _call(self, callback: Callable[..., None], *args: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the session is over
            self._host.loop.call_soon_threadsafe(callback, *args)

    # --- in the loop ---

    def _armed(self, clock: Clock) -> None:
        """List the tree; the first build need not wait for more than a moment of that."""
        listing = self._sieve.listing()
        if _is_done(listing, PATIENCE if self._watcher.directories <= FEW else 0):
            self._listed(clock)
        elif not self._closing:
            self._sieve.doubt()
            self._host.listed(self)
            self._list_on(listing, clock)

    def _list_on(self, listing: Iterator[None], clock: Clock) -> None:
        if self._closing:
            return
        if not _is_done(listing, SLICE):
            self._host.loop.call_soon(self._list_on, listing, clock)
            return
        self._asked = True
        self._watcher.wake()
        self._tell_listed(clock)

    def _all_read(self) -> None:
        self._host.loop.call_later(TRUST, self._sieve.trust)

    def _listed(self, clock: Clock) -> None:
        if not self._closing:
            self._tell_listed(clock)
            self._host.listed(self)

    def _tell_listed(self, clock: Clock) -> None:
        for root in self._sieve.roots:
            if not os.path.isdir(root):
                what, hint = missing(self._relative(root))
                self._host.tell(notices.Problem(what, hint, severity="warning"))
        self._say_watching(clock.ms)
        if watches_nothing(self._host.config, self._sieve):
            what, hint = NO_FILE
            self._host.tell(notices.Problem(what, hint, severity="warning"))
        self._prime(self._sieve.prime())

    def _say_watching(self, ms: int) -> None:
        watcher = self._watcher
        self._backend = watcher.backend
        roots = [self._relative(root) for root in self._sieve.roots]
        self._host.tell(
            notices.Watching(
                watcher.backend, roots, watcher.directories, self._sieve.files, ms, watcher.reason
            )
        )

    def _lost(self, error: HotrunError) -> None:
        self._host.tell(notices.Problem(error.message, error.hint))
        self._host.quit(error.exit_code, "the watcher failed")

    def _raise(self, bug: BaseException) -> None:
        raise bug

    def _prime(self, hashing: Iterator[None]) -> None:
        if not _is_done(hashing, SLICE):
            self._host.loop.call_soon(self._prime, hashing)

    def _heard(self, items: list[Item]) -> None:
        for item in items:
            if isinstance(item, Unwatched):
                self._cannot_watch(item)
            elif isinstance(item, Polled):
                self._polls(item)
        if self._watcher.backend != self._backend != "":  # else the listing's end says it
            self._say_watching(0)
        if self._sieve.note(items, building=self._host.building):
            self._first = self._first or Clock.start()
            self._host.post(self._service, facts.FilesTouched(self._quiet()))

    def _quiet(self) -> facts.Quiet:
        if self._sieve.unfinished:
            return facts.Quiet.HOLD
        return facts.Quiet.SAVE if self._sieve.lone_save else facts.Quiet.BURST

    def _cannot_watch(self, item: Unwatched) -> None:
        path = self._relative(item.path)
        message = f"{path} cannot be watched: {item.error.strerror}"
        hint = f'let it be read, or add "{path}/" to watch.exclude'
        self._host.tell(notices.Problem(message, hint, item.path, severity="warning"))

    def _polls(self, item: Polled) -> None:
        hint = item.hint or 'watch.backend = "native" relies on the kernel all the same'
        what = f"polling {self._relative(item.path)}: {item.reason}"
        self._host.tell(notices.Problem(what, hint, severity="warning"))

    def relist(self) -> None:
        """List all again, as somebody asked who does not trust us."""
        self._sieve.note([Refreshed(root) for root in self._sieve.roots])
        self._host.post(self._service, facts.FilesTouched(facts.Quiet.SAVE))

    def sift(self, *, last: bool) -> None:
        """Compare what was touched with the disk; the answer is posted.

        Args:
            last: Do not put it off because git is still at work.
        """
        if not last and self._sieve.locked():
            self._host.post(self._service, facts.FilesHeld())
            return
        if self._sieve.stale:
            self._sieve.refresh_rules()
            self._watcher.refresh()
        self._sifting = True
        first, self._first = self._first or Clock.start(), None
        self._sift_on(self._sieve.sift(), first, Clock.start())

    def _sift_on(self, sifting: Iterator[Sifted | None], first: Clock, clock: Clock) -> None:
        found = next(sifting)
        if found is None:
            self._host.loop.call_soon(self._sift_on, sifting, first, clock)
            return
        if found.recovered:
            self._host.tell(notices.Overflow(found.listed, clock.ms))
        self._sifted(found, first)

    def _sifted(self, found: Sifted, first: Clock) -> None:
        left_out = self._newborn.sort(found, waits=self._sieve.unfinished)
        paths = [path for path in found.changed if not self._host.is_made(path)]
        for path in found.returned:
            what = f"{self._relative(path)} changes during each build and comes back"
            self._host.tell(notices.Problem(what, RETURNED_HINT, path, severity="warning"))
        # First: what was saved together with its rule is for that rule.
        paths = self._read_config(paths)
        fact = self._decide(paths, found, first)
        # The kernel tells of a root's end only when nobody is in it any more (IN_DELETE_SELF): the
        # app may be, and our session file is. What went with it was told.
        if found.changed and not self._closing and not all(map(os.path.isdir, self._sieve.roots)):
            self._watcher.refresh()
        self._sifting = False
        self._host.post(self._service, fact)
        if left_out:  # of them nothing more may be heard
            self._first = self._first or first
            self._host.post(self._service, facts.FilesTouched(self._quiet()))

    def _read_config(self, paths: list[str]) -> list[str]:
        """Have the config read again if it is among these; return the others."""
        config, files = self._host.config, self._config_files
        if files.isdisjoint(paths):
            return paths
        self._config_files = frozenset(config_files(config))  # it may be a link to elsewhere now
        self._host.reload()
        # A pyproject.toml is a source of the project too.
        source = os.path.basename(config.file or "") == PYPROJECT_TOML
        sources = {path for path in files if source and os.path.basename(path) == PYPROJECT_TOML}
        return [
            path
            for path in paths
            if path not in files or (path in sources and self._sieve.accepts.wants(path))
        ]

    def _decide(self, paths: Collection[str], found: Sifted, first: Clock) -> facts.FilesChanged:
        """Say what follows from a change, return what does now, and put off what may be a loop."""
        inputs = self._host.inputs.changed(paths)
        outcome = self._triage.sort(paths, inputs)
        weighed = self._host.loops.weigh(outcome.counted)
        if weighed.own:
            rest = [path for path in paths if path not in weighed.own]
            outcome = self._triage.sort(rest, inputs)
            outcome.own = [self._relative(path) for path in paths if path in weighed.own]
        self._tell(outcome, found, first, weighed.why)
        if not weighed.held:
            return outcome.fact
        held = [path for path in paths if path in weighed.held]
        later = partial(self._post_held, self._triage.sort(held, inputs).fact)
        self._host.loops.hold(weighed.pause, later)
        now = (path for path in paths if path not in weighed.own | weighed.held)
        return self._triage.sort(now, inputs).fact

    def _post_held(self, fact: facts.FilesChanged) -> None:
        if self._sifting:  # it would be taken for the answer
            self._host.loops.hold(WAITS, partial(self._post_held, fact))
        else:
            self._host.post(self._service, fact)

    def _tell(self, outcome: Outcome, found: Sifted, first: Clock, why: str) -> None:
        most, service = notices.MOST_PATHS, self._service
        if counted := outcome.counted:
            told = notices.Changed(service, counted[:most], len(counted), found.recovered, first.ms)
            self._host.tell(told)
        elif ignored := outcome.ignored:
            self._host.tell(notices.Ignored(service, ignored[:most], len(ignored), NO_INPUT))
        elif own := outcome.own:
            self._host.tell(notices.Ignored(service, own[:most], len(own), why))
        elif found.saved and not found.changed:
            saved = [self._relative(path) for path in found.saved]
            self._host.tell(notices.Unchanged(service, saved[:most], len(saved)))

    def _relative(self, path: str) -> str:
        return relative(path, self._host.config.directory)


def _is_done(work: Iterator[None], seconds: float) -> bool:
    """Work for so long, and say whether nothing is left."""
    until = time.monotonic() + seconds
    return all(time.monotonic() < until for _ in work)
