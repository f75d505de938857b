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
    import gc

    _answer_as_first_process()
    _mend_streams()
    # Little of a start is garbage, and looking for it takes 5 ms of 100; a session turns the
    # collector on when its first build runs.
    gc.disable()
    try:
        from hotrun.cli import main as cli

        code = cli()
    except KeyboardInterrupt:  # while modules are still being imported
        code = 130
    sys.exit(code)


def _answer_as_first_process() -> None:
    """Let SIGTERM end us: the kernel drops what the first process has no handler for."""
    import os

    if os.getpid() == 1:
        import signal

        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


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
