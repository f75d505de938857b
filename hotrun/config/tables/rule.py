"""The keys of a [[rule]]: which files it is about, and what a change of them does.

They stand in the order of the example file and of the guide. Those that go with one action only
say so: nobody has to read elsewhere which keys go together.
"""

from __future__ import annotations

from hotrun.config.key import Key

KEYS = (
    Key(
        table="rule",
        name="match",
        kind="strings",
        default=None,
        needed=True,
        filled=True,
        doc="""Patterns, written as in .gitignore, of the files that the rule is about; the last
        match wins and `!` takes back. They are watched too where `watch.include` leaves them
        out, unless the action is `ignore`.""",
        example='["*.templ"]',
        aliases=("files", "file", "glob", "globs", "pattern", "patterns", "path", "paths", "on"),
    ),
    Key(
        table="rule",
        name="action",
        kind="choice",
        default=None,
        needed=True,
        words=("build", "restart", "reload", "signal", "command", "ignore"),
        doc="""What a change does: `build` builds and restarts, as without a rule; `restart`
        restarts the app without a build; `signal` sends the app a signal; `command` runs a
        command; `ignore` does nothing. `reload` is for the browser: it is accepted, and does
        nothing in this version.""",
        example='"command"',
        aliases=("do", "then", "type", "kind"),
    ),
    Key(
        table="rule",
        name="command",
        kind="command",
        default=None,
        only_with="command",
        placeholders=("files", "dirs"),
        doc="""The command that runs with the action `command`. `{files}` stands for the changed
        files and `{dirs}` for their directories, relative to the project, each a word of its
        own; a command that names files does not run when all of them are gone. HOTRUN_CHANGES
        names a JSON file with `files`, `dirs` and `removed`. The command has the `env` and the
        `timeout` of [build]; what it writes are ordinary changes, and when it fails, the build
        has failed.""",
        example='"templ generate {files}"',
        aliases=("cmd", "exec", "run"),
    ),
    Key(
        table="rule",
        name="signal",
        kind="signal",
        default=None,
        only_with="signal",
        doc="""The signal that the app gets with the action `signal`, with or without `SIG` in
        front.""",
        example='"SIGHUP"',
        aliases=("stop_signal",),
    ),
)
