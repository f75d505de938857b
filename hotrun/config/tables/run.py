"""The keys of [run]: the app, from its start to its end.

They stand in the order of the example file and of the guide.
"""

from __future__ import annotations

from hotrun.config.key import Key

_READY = (
    Key(
        table="run.ready",
        name="http",
        kind="string",
        default=None,
        doc="""A URL that answers with a status of 2xx or 3xx.""",
        example='"http://127.0.0.1:8080/healthz"',
        aliases=("url", "uri", "https", "path", "get", "http_get", "health", "healthcheck"),
    ),
    Key(
        table="run.ready",
        name="tcp",
        kind="string",
        default=None,
        doc="""An address that takes a connection.""",
        example='"127.0.0.1:8080"',
        aliases=("port", "address", "host", "socket", "tcp_socket", "listen"),
    ),
    Key(
        table="run.ready",
        name="log",
        kind="string",
        default=None,
        doc="""A regular expression that a line of the output matches.""",
        example="'listening on'",
        aliases=("regex", "regexp", "pattern", "match", "line", "output", "stdout", "text"),
    ),
    Key(
        table="run.ready",
        name="timeout",
        kind="duration",
        default="30s",
        least=0.01,
        doc="""How long that may take.""",
        example='"1m"',
        aliases=("within", "deadline", "wait", "timeout_seconds"),
    ),
)

KEYS = (
    Key(
        table="run",
        name="command",
        kind="command",
        default=None,
        doc="""The command that starts the app: a string, run without a shell unless it needs
        one, or a list of arguments.""",
        example='"./app"',
        aliases=("cmd", "exec", "bin", "full_bin", "entrypoint"),
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
        parts=_READY,
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
