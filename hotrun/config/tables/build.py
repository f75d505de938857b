"""The keys of [build]: the finite command, and what it reads and writes.

They stand in the order of the example file and of the guide.
"""

from __future__ import annotations

from hotrun.config.key import Key

_INPUTS = (
    Key(
        table="build.inputs",
        name="command",
        kind="command",
        default=None,
        doc="""A command that prints the files, one a line.""",
        example='"git ls-files src"',
        aliases=("cmd", "exec", "list", "run"),
    ),
    Key(
        table="build.inputs",
        name="depfile",
        kind="files",
        default=None,
        filled=True,
        doc="""Files that the build writes, in the syntax of make, as paths or patterns: `gcc
        -MMD` and cargo write such.""",
        example='"build/*.d"',
        aliases=("depfiles", "deps", "dep", "file", "files", "makefile"),
    ),
)

KEYS = (
    Key(
        table="build",
        name="command",
        kind="command",
        default=None,
        doc="""The command that builds: a string, run without a shell unless it needs one, or a
        list of arguments. It must end; what it prints is shown.""",
        example='"go build -o app ."',
        aliases=("cmd", "exec"),
    ),
    Key(
        table="build",
        name="env",
        kind="environment",
        default={},
        doc="""Variables that the build command gets in addition to the environment of
        hotrun.""",
        example='{ GOGC = "off" }',
        aliases=("environment",),
    ),
    Key(
        table="build",
        name="outputs",
        kind="strings",
        default=[],
        doc="""What the build writes: paths, or patterns (`*.o`, `bin/`, `gen/**`). An output
        never triggers a build, and when a build wrote the same bytes again the running app is
        kept. The `-o` of a plain `go build` is known without being named here.""",
        example='["app"]',
        aliases=("output", "artifact", "artifacts"),
    ),
    Key(
        table="build",
        name="inputs",
        kind="inputs",
        default="auto",
        words=("auto", "go", "globs"),
        parts=_INPUTS,
        doc="""Which of the watched files the build reads: a change of any other triggers
        nothing. `go` asks the go command for the packages of the build, with go.mod, go.sum,
        go.work and embedded files; `globs` takes every file that is watched; `auto` is `go` for a
        plain `go build` and `globs` for all else. A table names them in another way. When the
        files cannot be learnt, every watched file counts.""",
        example='{ depfile = "build/*.d" }',
        aliases=("input", "depfile", "depfiles", "deps", "dependencies", "sources"),
    ),
    Key(
        table="build",
        name="on_error",
        kind="choice",
        default="keep",
        words=("keep", "stop"),
        doc="""What a failed build does to the running app: `keep` leaves it alone, `stop` stops
        it.""",
        example='"stop"',
        aliases=("stop_on_error",),
    ),
    Key(
        table="build",
        name="on_busy",
        kind="choice",
        default="cancel",
        words=("cancel", "finish"),
        doc="""What a change during a build does: `cancel` stops the build and starts it again,
        `finish` lets it end first. After two cancelled builds in a row one is let finish. What has
        overtaken a build has to rest for 60 ms, or `watch.debounce`, before the next one.""",
        example='"finish"',
    ),
    Key(
        table="build",
        name="timeout",
        kind="duration",
        default="10m",
        least=0.01,
        doc="""A build that takes longer is stopped and counts as failed.""",
        example='"2m"',
    ),
)
