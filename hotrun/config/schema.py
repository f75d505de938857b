"""The one table of keys, and the typed config it leads to.

The checker, `hotrun.toml.example` and docs/configuration.md are made from KEYS and nothing
else: a key that is not here does not exist, a default that is not here is not a default.
"""

from __future__ import annotations

import os.path
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import signal
    from collections.abc import Mapping

Command = str | tuple[str, ...]
"""A command: text (a shell only where it needs one), or a list of arguments."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What is watched, and when a change counts. Durations are seconds.

    `include` empty: every file that is not ignored. `debounce` None: chosen by hotrun ("auto").
    `backend` is "auto", "native" or "poll"; `unchanged` is "skip" or "build".
    """

    paths: tuple[str, ...]
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    gitignore: bool
    backend: str
    poll_interval: float
    debounce: float | None
    max_wait: float
    follow_symlinks: bool
    unchanged: str


@dataclass(frozen=True, slots=True)
class Build:
    """The finite command. `on_error`: "keep" or "stop"; `on_busy`: "cancel" or "finish"."""

    command: Command
    env: Mapping[str, str]
    outputs: tuple[str, ...]
    on_error: str
    on_busy: str
    timeout: float


@dataclass(frozen=True, slots=True)
class Ready:
    """How the app is known to serve: one of `http` (a URL), `tcp` (an address), `log` (a regex).

    `timeout` is seconds.
    """

    http: str = ""
    tcp: str = ""
    log: str = ""
    timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class Run:
    """The app. `stdin`: "null" or "terminal"; `on_exit`: "wait", "restart" or "exit".

    `stop_timeout` is seconds; `on_hang` is "kill" or "dump". In `listen` and `ready` variables
    (`${PORT:-8080}`) stand as written. `ready` None: alive for a moment is ready.
    """

    command: Command
    args: tuple[str, ...]
    env: Mapping[str, str]
    env_files: tuple[str, ...]
    working_directory: str
    stop_signal: signal.Signals
    stop_timeout: float
    on_hang: str
    stdin: str
    listen: tuple[str, ...]
    ready: Ready | None
    on_exit: str
    before: tuple[Command, ...]
    after: tuple[Command, ...]

    @property
    def reads_output(self) -> bool:
        """Whether a key has hotrun read what the app prints: then that is no terminal to it."""
        return self.on_hang == "dump" or (self.ready is not None and bool(self.ready.log))


@dataclass(frozen=True, slots=True)
class Config:
    """A whole config, checked. Paths are as written, relative to `directory`.

    Args:
        file: The file it was read from, absolute; None when it came from no file.
        directory: Where relative paths begin: the directory of the file, absolute.
        watch: The [watch] table.
        build: The [build] table; None: nothing to build.
        run: The [run] table; None: build only.
        origins: For every key of the tables above ("build.command") where its value is from:
            "hotrun.toml:7", "default" or "--set".
    """

    file: str | None
    directory: str
    watch: Watch
    build: Build | None
    run: Run | None
    origins: Mapping[str, str]

    def resolve(self, path: str) -> str:
        """Make a path of the config absolute; `..` is taken off by its letters, not on disk."""
        return os.path.normpath(os.path.join(self.directory, path))


Kind = Literal[
    "addresses",
    "arguments",
    "boolean",
    "choice",
    "command",
    "commands",
    "duration",
    "environment",
    "ready",
    "signal",
    "string",
    "strings",
]
"""What a value is."""

FORMS: Mapping[Kind, str] = {
    "addresses": "a list of addresses",
    "arguments": "a list of strings",
    "boolean": "true or false",
    "choice": "a string",
    "command": "a string or a list of strings",
    "commands": "a list of commands",
    "duration": "a duration",
    "environment": "a table of strings",
    "ready": "a table",
    "signal": "the name of a signal",
    "string": "a string",
    "strings": "a list of strings",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of hotrun.toml.

    Args:
        table: The table it belongs in.
        name: Its name in that table, and the name of the field.
        kind: What its value is.
        default: The value when it is left out, as written in the file; None: there is none.
        doc: One paragraph.
        example: A useful value, as written in the file.
        words: Every value of a choice; of a duration the words that may stand in its place.
        least: The shortest duration that makes sense, in seconds; in `ready` of its timeout.
        filled: An empty list makes no sense.
        aliases: What other tools call it, for suggestions only.
    """

    table: str
    name: str
    kind: Kind
    default: object
    doc: str
    example: str
    words: tuple[str, ...] = ()
    least: float = 0.0
    filled: bool = False
    aliases: tuple[str, ...] = ()

    @property
    def dotted(self) -> str:
        """`build.command`, as in --set and in messages."""
        return f"{self.table}.{self.name}"


TABLES: Mapping[str, str] = {
    "watch": "What is watched, and when a change counts. Every key can be left out.",
    "build": "The finite command. Leave the table out when there is nothing to build.",
    "run": "The app. Leave the table out to build only.",
}

LATER_TABLES: Mapping[str, str] = {
    "rule": "every change builds and restarts",
    "profile": "there are no profiles yet",
    "platform": "the same keys count on every system",
}
"""Tables that do not work in this version, and what hotrun does for now."""

KEYS: tuple[Key, ...] = (
    Key(
        table="watch",
        name="paths",
        kind="strings",
        default=["."],
        doc="""The roots: directories that are watched with all that is below them.
        They may lie outside the project. A root that does not exist yet is waited for. A root
        named here is watched even when .gitignore ignores it.""",
        example='[".", "../shared"]',
        filled=True,
        aliases=("root", "roots", "dirs", "directories", "watch_dir"),
    ),
    Key(
        table="watch",
        name="include",
        kind="strings",
        default=[],
        doc="""Patterns, written as in .gitignore, of the files that count; the last match wins
        and `!` takes back. Empty: every file that is not ignored or excluded. A pattern that
        begins with a literal path (`.env`, `gen/**`) opens that path even when .gitignore
        ignores it; a bare one (`*.go`) never opens an ignored directory.""",
        example='["*.go", "go.mod", "go.sum", "*.tmpl"]',
        aliases=("include_ext", "include_file", "include_dir", "extensions", "patterns", "ext"),
    ),
    Key(
        table="watch",
        name="exclude",
        kind="strings",
        default=[],
        doc="""Patterns, written as in .gitignore, of files and directories that never count;
        the last match wins and `!` takes back.""",
        example='["*_test.go"]',
        aliases=("ignore", "ignored", "exclude_dir", "exclude_file", "exclude_regex"),
    ),
    Key(
        table="watch",
        name="gitignore",
        kind="boolean",
        default=True,
        doc="""Whether what git ignores is ignored here too: every .gitignore from the top of
        the repository down, .git/info/exclude, and the file that core.excludesFile names.""",
        example="false",
    ),
    Key(
        table="watch",
        name="backend",
        kind="choice",
        default="auto",
        words=("auto", "native", "poll"),
        doc="""How changes are noticed: `native` asks the kernel, `poll` lists the tree again
        and again. `auto` is native where there is a native watcher and its limits allow it, and
        polling otherwise. For a filesystem that tells of no changes (network mounts, shared
        folders of containers and virtual machines) write `poll`.""",
        example='"poll"',
        aliases=("poll",),
    ),
    Key(
        table="watch",
        name="poll_interval",
        kind="duration",
        default="500ms",
        least=0.01,
        doc="""The time between two listings of a tree that is polled. A tree that takes long to
        list is listed less often.""",
        example='"2s"',
    ),
    Key(
        table="watch",
        name="debounce",
        kind="duration",
        default="auto",
        words=("auto",),
        doc="""How long the tree must be quiet before a build. `auto` is short for one finished
        save and longer for a burst, such as a git checkout.""",
        example='"50ms"',
        aliases=("delay", "settle", "lull"),
    ),
    Key(
        table="watch",
        name="max_wait",
        kind="duration",
        default="1s",
        doc="""The longest time that a tree which never becomes quiet can put a build off.""",
        example='"3s"',
    ),
    Key(
        table="watch",
        name="follow_symlinks",
        kind="boolean",
        default=False,
        doc="""Whether directories behind symbolic links below a root are watched too: each
        once, under its own name where that is watched, else under the name of the link. A root
        may be a link in any case.""",
        example="true",
        aliases=("follow_symlink",),
    ),
    Key(
        table="watch",
        name="unchanged",
        kind="choice",
        default="skip",
        words=("skip", "build"),
        doc="""What a save (or touch) does that changed no byte.""",
        example='"build"',
    ),
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
        aliases=("output", "bin", "artifact", "artifacts"),
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
        `finish` lets it end first. After two cancelled builds in a row one is let finish.""",
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
    Key(
        table="run",
        name="command",
        kind="command",
        default=None,
        doc="""The command that starts the app: a string, run without a shell unless it needs
        one, or a list of arguments.""",
        example='"./app"',
        aliases=("cmd", "exec", "full_bin"),
    ),
    Key(
        table="run",
        name="args",
        kind="arguments",
        default=[],
        doc="""Arguments added to the command, each as it is; what stands after `--` on the
        command line comes after them.""",
        example='["--verbose"]',
        aliases=("arguments", "args_bin"),
    ),
    Key(
        table="run",
        name="env",
        kind="environment",
        default={},
        doc="""Variables that the app gets in addition to the environment of hotrun.""",
        example='{ PORT = "8080" }',
        # Of `port` nobody can tell whether the app is to be told of it, or handed a socket.
        aliases=("environment", "port"),
    ),
    Key(
        table="run",
        name="env_files",
        kind="strings",
        default=[],
        doc="""Files of `KEY=value` lines, read at each start of the app; later files win, and
        what is set in the environment of hotrun wins over them. A change of one restarts the app
        without a build.""",
        example='[".env"]',
        aliases=("env_file", "dotenv"),
    ),
    Key(
        table="run",
        name="working_directory",
        kind="string",
        default=".",
        doc="""Where the app starts.""",
        example='"web"',
        aliases=("cwd", "dir", "directory", "workdir"),
    ),
    Key(
        table="run",
        name="stop_signal",
        kind="signal",
        default="SIGTERM",
        doc="""The signal that asks the app to end, with or without `SIG` in front.""",
        example='"SIGINT"',
        aliases=("signal", "kill_signal"),
    ),
    Key(
        table="run",
        name="stop_timeout",
        kind="duration",
        default="5s",
        doc="""The grace: how long the app and all that it started may take to end before they
        are killed.""",
        example='"10s"',
        aliases=("kill_delay", "kill_timeout", "grace"),
    ),
    Key(
        table="run",
        name="on_hang",
        kind="choice",
        default="kill",
        words=("kill", "dump"),
        doc="""What comes before the kill of an app that did not stop in its time: with `dump` it
        is sent SIGQUIT, on which Go and the JVM print the stacks of all that hangs; they are kept
        in `.hotrun/`. What the app prints is then read by hotrun, and is no terminal to it.""",
        example='"dump"',
    ),
    Key(
        table="run",
        name="stdin",
        kind="choice",
        default="null",
        words=("null", "terminal"),
        doc="""What the app reads: `null` is an empty input, and the keys are hotrun's; with
        `terminal` the app owns the terminal, Ctrl-C and Ctrl-Z included.""",
        example='"terminal"',
    ),
    Key(
        table="run",
        name="listen",
        kind="addresses",
        default=[],
        doc="""Addresses whose sockets hotrun holds open across restarts, so that no connection is
        refused: `127.0.0.1:8080`, `[::1]:8080`, `:8080` (all interfaces), `unix:app.sock`. The
        app gets them as descriptors 3, 4, ... with LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES
        (systemd's protocol), and `{fd}`, `{fd2}`, ... in the command stand for their numbers:
        `uvicorn --fd {fd}`. `${PORT:-8080}` takes a variable of the app's environment, with what
        to use without it.""",
        example='["127.0.0.1:8080"]',
        aliases=("socket", "sockets", "bind", "address", "addresses", "port"),
    ),
    Key(
        table="run",
        name="ready",
        kind="ready",
        default=None,
        doc="""How hotrun learns that the app serves: `http` is a URL that answers with a status
        of 2xx or 3xx, `tcp` an address that takes a connection, `log` a regular expression that a
        line of the output matches; `timeout` is how long that may take, 30 s unless it is given.
        Without `ready` an app is ready when it is alive for a moment. With `log` the output is
        read by hotrun, and is no terminal to the app. Variables are taken in `http` and `tcp`,
        as in `listen`. An option sets it as a whole: `--set run.ready.tcp=:8080`.""",
        example='{ http = "http://127.0.0.1:8080/healthz", timeout = "30s" }',
        least=0.01,
        aliases=("health", "healthcheck", "health_check", "readiness", "probe", "wait_for"),
    ),
    Key(
        table="run",
        name="on_exit",
        kind="choice",
        default="wait",
        words=("wait", "restart", "exit"),
        doc="""What happens when the app ends by itself: `wait` for the next change, `restart`
        it with growing pauses (0.5 s, doubled up to 30 s), or `exit` with its code.""",
        example='"restart"',
    ),
    Key(
        table="run",
        name="before",
        kind="commands",
        default=[],
        doc="""Commands run one after the other before each start of the app; each is a string
        or a list of arguments.""",
        example='["./migrate up"]',
        aliases=("pre_cmd",),
    ),
    Key(
        table="run",
        name="after",
        kind="commands",
        default=[],
        doc="""Commands run one after the other after each stop of the app; each is a string or
        a list of arguments.""",
        example='["rm -f app.sock"]',
        aliases=("post_cmd",),
    ),
)


def keys_of(table: str) -> dict[str, Key]:
    """The keys of one table by name, in the order of the file."""
    return {key.name: key for key in KEYS if key.table == table}
