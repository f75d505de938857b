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

    # Little of a start is garbage, and looking for it takes 5 ms of 100; a session turns the
    # collector on when its first build runs.
    gc.disable()
    try:
        from hotrun.cli import main as cli

        code = cli()
    except KeyboardInterrupt:  # while modules are still being imported
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
