"""``python -m hotrun`` and the ``hotrun`` command.

``--version`` is answered before anything is imported: scripts and editors ask for it often.
"""

import sys


def main() -> None:
    """Run the command line and exit."""
    if sys.argv[1:] == ["--version"]:
        from hotrun import __version__

        sys.stdout.write(f"hotrun {__version__}\n")
        return
    try:
        sys.exit(_run())
    except _Ended as end:
        _say(f"hotrun ended: {end.reason}\n")
        raise


class _Ended(SystemExit):
    """A signal ends us before the session hears signals itself."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code)
        self.reason = reason


def _run() -> int:
    try:
        if sys.argv[1:2] == ["run"]:
            _end_in_order()
        import gc

        _mend_streams()
        # Little of a start is garbage, and looking for it takes 5 ms of 100; a session turns the
        # collector on when its first build runs.
        gc.disable()
        from hotrun.cli import main as cli

        return cli()
    except KeyboardInterrupt:  # while modules are still being imported
        return 130


def _end_in_order() -> None:
    """Let SIGINT, SIGTERM and SIGHUP end us as an error does, so that what was begun is undone.

    Until the session hears them itself. The first process of a container would not even end: the
    kernel drops what it has no handler for. Who ignores SIGHUP for us (nohup) means that we stay.
    """
    import signal

    from hotrun.signals import ENDINGS

    def end(number: int, _: object) -> None:
        for each in heard:  # a second Ctrl-C, or a closed window, must not cut the undoing short
            signal.signal(each, signal.SIG_IGN)
        raise _Ended(*ENDINGS[signal.Signals(number)])

    plain = (signal.SIG_DFL, signal.default_int_handler)
    heard = [number for number in ENDINGS if signal.getsignal(number) in plain]
    for number in heard:
        signal.signal(number, end)


def _say(text: str) -> None:
    """Write a line for people, as the console of a session would."""
    if sys.stderr is not None and not {"-q", "--quiet"}.intersection(sys.argv):
        try:
            sys.stderr.write(text)
        except OSError:  # the terminal went away
            return


def _mend_streams() -> None:
    """Make the standard streams such that nothing that has to be said can end us.

    One that was closed (``>&-``) is None in Python; one that is not UTF-8 cannot show a path.
    """
    import os

    for name in ("stdin", "stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            number = ("stdin", "stdout", "stderr").index(name)
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:  # a program that we start must find something there, too
                os.dup2(null, number)
                os.close(null)
            mode = "r" if name == "stdin" else "w"
            stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 - it stays
            setattr(sys, name, stream)
        elif name != "stdin":
            utf8 = (stream.encoding or "").lower().replace("-", "") == "utf8"
            stream.reconfigure(errors="surrogateescape" if utf8 else "backslashreplace")


if __name__ == "__main__":
    main()
