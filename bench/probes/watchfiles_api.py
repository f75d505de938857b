"""watchfiles by its API, with the shortest delays: ``watchfiles_api.py IGNORED COMMAND``."""

import sys

from watchfiles import DefaultFilter, run_process

if __name__ == "__main__":
    _, ignored, command = sys.argv
    paths = [name for name in ignored.split(",") if name]
    run_process(
        ".",
        target=command,
        target_type="command",
        watch_filter=DefaultFilter(ignore_dirs=[*DefaultFilter.ignore_dirs, *paths]),
        debounce=1,
        step=1,
    )
