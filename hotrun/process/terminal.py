"""The terminal: borrowed for keys, lent to an app, and left as it was found.

Law: whatever a child did to the terminal is undone when it ends; nothing is changed while we
are in the background, where the terminal is somebody else's; nothing here blocks (Ctrl-S), and
a terminal that went away is no error. Settings are level: ``restore`` and ``resume`` compare
what is with what should be (the user's own, or cbreak while keys are on).
Facts: termios(3), tcsetpgrp(3), credentials(7), XTerm Control Sequences.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import termios
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Settings = list[Any]  # of tcgetattr(3), as `termios` has it: five flags, two speeds, the keys

PATIENCE = 0.1  # seconds for a terminal that takes no output: Ctrl-S, a stalled window
LFLAG, CC = 3, 6  # where they stand in the settings
_GONE = (OSError, termios.error)  # what a terminal answers that was closed: EIO, ENOTTY

# Leaves the alternate screen. Alacritty and Windows Terminal know ?1049 alone (not ?47, ?1047),
# which also puts the cursor where it was saved, or home, even on the main screen (xterm, tmux).
# So the cursor is saved first: on the main screen it stays where it is. Most terminals save one
# position a screen, so that from the alternate screen it goes back to where the app began; tmux
# has one for both, and leaves it where the app had it. The scroll region is unset in between,
# because that sends the cursor home.
LEAVE = "\x1b7\x1b[?1049l\x1b[r\x1b8"
# Application cursor keys; mouse reports in all their spellings; focus reports; bracketed paste;
# a frame that was never finished.
QUIET = "\x1b[?1;9;1000;1002;1003;1004;1005;1006;1015;2004;2026l"
# Wrap at the margin, the cursor, a plain keypad, ASCII, no colours.
PLAIN = "\x1b[?7;25h\x1b>\x1b(B\x0f\x1b[0m"
# Keys as kitty and xterm report them to editors: Ctrl-C would send bytes and no signal.
KEYBOARD = "\x1b[=0u\x1b[>4m"


def screen_reset(term: str) -> bytes:
    """Return what makes a screen usable again after an app that was killed.

    Args:
        term: The TERM of the environment. Nothing is known of "dumb" and of none; the console
            of an old Linux prints sequences with a mark of their own.
    """
    if term in ("", "dumb"):
        return b""
    return (LEAVE + QUIET + ("" if term.startswith("linux") else KEYBOARD) + PLAIN).encode()


def cbreak(settings: Settings) -> Settings:
    """Return settings for single keys: no lines and no echo, but Ctrl-C and Ctrl-Z signal."""
    keys = list(settings[CC])
    keys[termios.VMIN], keys[termios.VTIME] = 1, 0
    changed = [*settings]
    changed[LFLAG] &= ~(termios.ICANON | termios.ECHO)
    changed[CC] = keys
    return changed


@contextmanager
def kept() -> Iterator[Terminal | None]:
    """Yield our terminal, if there is one, and leave it as it was found, whatever happens."""
    terminal = Terminal.found()
    if terminal is None:
        yield None
        return
    try:
        yield terminal
    finally:
        terminal.take()
        terminal.keys_off()
        terminal.restore(screen=os.isatty(1) or os.isatty(2))
        terminal.close()


class Terminal:
    """Our controlling terminal. For the main thread alone.

    Attributes:
        fd: Our own way to it: O_NONBLOCK stays between us and the kernel, and a process that is
            forked from us can still restore the terminal through it after setsid(2).
        path: Its name, such as /dev/pts/3; /dev/tty when none of our streams leads to it.
        saved: The user's settings.
        cbreak: The settings while keys are on.
        reset: What ``restore`` writes for the screen.
    """

    def __init__(self, fd: int, term: str) -> None:
        self.fd = fd
        self.path = _name(fd)
        self.reset = screen_reset(term)
        self._keys = False  # keys should be on, whenever we are in the foreground
        self._app = 0  # the group that should have the terminal
        self._ours = self.foreground  # the terminal is our job's, as far as we know
        self._learn()

    @classmethod
    def found(cls) -> Self | None:
        """Open the terminal and save its settings; None: there is none."""
        try:
            fd = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:
            return None
        try:
            return cls(fd, os.environ.get("TERM", ""))
        except _GONE:
            os.close(fd)
            return None

    @property
    def foreground(self) -> bool:
        """Whether we are in the foreground: what is typed comes to us, and we may change it."""
        return self._owner() == os.getpgrp()

    @property
    def closed(self) -> bool:
        """Whether the terminal is gone."""
        return self._owner() == 0

    # --- keys ---

    def keys_on(self) -> bool:
        """Have single keys, without echo; False: not now, but ``resume`` will see to it."""
        self._keys = True
        return self.resume() and not self._app

    def keys_off(self) -> None:
        """Have lines again."""
        self._keys = False
        self.restore()

    # --- lending ---

    def give(self, group: int) -> None:
        """Lend the terminal to the group of an app; in the background, when we leave it.

        The app may have read before and be stopped for it (SIGTTIN), so it is told to go on.
        """
        self._app = group
        self.resume()

    def take(self) -> None:
        """Take the terminal back, if the app or nobody has it: it may be the shell's by now."""
        lent, self._app = self._app, 0
        if lent and self._owner() == lent:
            self._set_owner(os.getpgrp())
        self._reclaim()

    def restore(self, *, screen: bool = False) -> None:
        """Undo what a child did. After every child's end, and at our own.

        Args:
            screen: An app had the terminal as its output, and none has it now: show the cursor,
                leave the alternate screen, end mouse reports and colours.
        """
        if not self._reclaim():
            return
        self._set(self._wanted())
        if screen:
            self._write(self.reset)

    # --- Ctrl-Z ---

    def suspend(
        self, stop: Callable[[], None], go_on: Callable[[], None], *, group: bool = False
    ) -> None:
        """Stop ourselves, as Ctrl-Z asks, and return when somebody lets us go on.

        After ``bg`` we go on without keys, until ``resume`` finds us in the foreground: call it
        at SIGCONT, and now and then too: ``fg`` of a job that runs is told by no signal (bash).

        Args:
            stop: Stops the groups of the children, which the terminal's Ctrl-Z does not reach.
            go_on: Lets them go on.
            group: Our whole group is to stop: the app had the terminal, so that Ctrl-Z reached
                neither us nor the make(1) or script that started us, which the shell waits for.
        """
        if self._lent():
            self._set_owner(os.getpgrp())
        if self._reclaim():
            self._set(self.saved)
        self._ours = self._known = False  # the shell's now; the user may say `stty` there
        stop()
        # SIGTSTP and not SIGSTOP: the kernel drops it where no shell would ever wake us (an
        # orphaned group: `xterm -e`, a container's first process), and we just go on.
        handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        if group:
            os.kill(0, signal.SIGTSTP)  # killpg(1) in a container would mean everybody
        else:
            signal.raise_signal(signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, handler)
        self.resume()
        go_on()

    def resume(self) -> bool:
        """Do what waits for the foreground: lend the terminal, or have keys. After SIGCONT.

        Returns:
            Whether we are in the foreground, or the app is in our place.
        """
        if not self._reclaim():
            return self._lent()
        self._set(self._wanted())
        if self._app:
            self._set_owner(self._app)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._app, signal.SIGCONT)
        return True

    def close(self) -> None:
        """Let it go, unchanged; may be called again."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    # --- how ---

    def _learn(self) -> None:
        """Save the user's settings; in the background they are those of another program."""
        self.saved: Settings = termios.tcgetattr(self.fd)
        self.cbreak = cbreak(self.saved)
        self._known = self.foreground

    def _wanted(self) -> Settings:
        return self.cbreak if self._keys and not self._app else self.saved

    def _owner(self) -> int:
        """Return the group in the foreground; 0 when the terminal is gone."""
        try:
            return os.tcgetpgrp(self.fd)
        except OSError:
            return 0

    def _lent(self) -> bool:
        return bool(self._app) and self._owner() == self._app

    def _reclaim(self) -> bool:
        """Return whether we are in the foreground; back to it, if who had it of us is gone.

        An app can put itself there without being asked (a shell, a debugger), and be killed.
        """
        owner = self._owner()
        if owner and self._ours and not _lives(owner):
            return self._set_owner(os.getpgrp())
        if owner != os.getpgrp():
            return False
        self._ours = True
        if not self._known:
            with contextlib.suppress(*_GONE):
                self._learn()
        return True

    def _set_owner(self, group: int) -> bool:
        with _unstopped(), contextlib.suppress(*_GONE):
            os.tcsetpgrp(self.fd, group)
            return True
        return False

    def _set(self, settings: Settings) -> None:
        with _unstopped(), contextlib.suppress(*_GONE):
            # Not TCSADRAIN: where output is kept (a serial line, BSD) it would wait for ever
            # after Ctrl-S. Nothing needs it: keys do not change how output is handled.
            if termios.tcgetattr(self.fd) != settings:
                termios.tcsetattr(self.fd, termios.TCSANOW, settings)

    def _write(self, data: bytes) -> None:
        room = select.poll()
        room.register(self.fd, select.POLLOUT)
        with _unstopped(), contextlib.suppress(*_GONE):
            while data and room.poll(PATIENCE * 1000):
                data = data[os.write(self.fd, data) :]


def _name(fd: int) -> str:
    """Return the name of our terminal: /dev/tty is nobody's once we have gone (ttyname(3))."""
    for each in (0, 1, 2, fd):
        with contextlib.suppress(OSError):
            os.tcgetpgrp(each)  # answered for our controlling terminal alone
            return os.ttyname(each)
    return "/dev/tty"


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def _unstopped() -> Iterator[None]:
    """Touch the terminal without being stopped for it, should we be in the background by now."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
