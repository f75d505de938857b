"""run.listen and run.ready: what is taken, and every message about them, word for word."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotrun.address import AddressError, parse_address
from hotrun.config import Ready, Run, load_text
from hotrun.errors import ConfigErrors, Problem
from hotrun.variables import ExpandError, expand

EXAMPLE = 'ready = { http = "http://127.0.0.1:8080/healthz", timeout = "30s" }'
HTTP = 'ready = { http = "http://127.0.0.1:8080/healthz" }'
TCP = 'ready = { tcp = "127.0.0.1:8080" }'
LOG = "ready = { log = 'listening on' }"
TWO_PORTS = 'write "127.0.0.1:8080" (this machine only) or ":8080" (all interfaces)'
NO_REGEX = "is no regular expression"
ESCAPES = "a plain text is one too, with a \\ before each of . ^ $ * + ? { } [ ] \\ | ( )"


def run_of(line: str, *sets: str) -> Run:
    run = load_text(f"run.command = 'x'\n{line}", "/", sets).run
    assert run is not None
    return run


def problems_of(line: str, *sets: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigErrors) as caught:
        load_text(f"run.command = 'x'\n{line}", "/", sets)
    return caught.value.problems


# What is taken


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1:8080",
        "localhost:0",
        ":8080",
        "[::1]:8080",
        "unix:app.sock",
        "./app.sock",
        "127.0.0.1:${PORT:-8080}",
        "${HOST:-}:${PORT:-8080}",
        "127.0.0.1:${PORT}",
        "${ADDRESS}",
        "unix:${XDG_RUNTIME_DIR}/app.sock",
    ],
)
def test_an_address_stays_as_it_is_written(address: str) -> None:
    assert run_of(f"run.listen = ['{address}']").listen == (address,)
    assert run_of("", f"run.listen=['{address}']").listen == (address,)


def test_addresses_keep_their_order() -> None:
    several = ("127.0.0.1:80", "127.0.0.1:81", "[::1]:80", "a.sock:80", "unix:a.sock", ":${A}")
    assert run_of(f"run.listen = {list(several)}").listen == several


@pytest.mark.parametrize(
    ("written", "ready"),
    [
        ("http = 'http://127.0.0.1:8080/healthz'", Ready(http="http://127.0.0.1:8080/healthz")),
        ("http = 'https://localhost'", Ready(http="https://localhost")),
        ("http = 'http://h:${PORT:-80}/x$y'", Ready(http="http://h:${PORT:-80}/x$y")),
        ("http = 'http://h:${PORT}/'", Ready(http="http://h:${PORT}/")),
        ("tcp = ':8080', timeout = '2m'", Ready(tcp=":8080", timeout=120.0)),
        ("tcp = '[::1]:${PORT:-80}'", Ready(tcp="[::1]:${PORT:-80}")),
        (r"log = 'listening on \S+:\d{2,5}$'", Ready(log=r"listening on \S+:\d{2,5}$")),
        (r"log = 'costs \${PRICE}'", Ready(log=r"costs \${PRICE}")),
        # A later Python may read this otherwise, and warns of it: no matter for our users.
        ("log = '[[a]b'", Ready(log="[[a]b")),
    ],
)
def test_ready_takes_one_form_and_a_timeout(written: str, ready: Ready) -> None:
    assert run_of(f"run.ready = {{ {written} }}").ready == ready
    assert run_of("", f"run.ready={{ {written} }}").ready == ready


def test_ready_may_be_a_table_of_its_own() -> None:
    assert run_of("[run.ready]\ntcp = ':80'\ntimeout = '5s'").ready == Ready(tcp=":80", timeout=5)


def test_an_option_sets_ready_as_a_whole() -> None:
    line = "run.ready = { http = 'http://h/', timeout = '2m' }"
    assert run_of(line, "run.ready.tcp=127.0.0.1:80").ready == Ready(tcp="127.0.0.1:80")
    assert run_of(line, "run.ready.http=http://g/").ready == Ready(http="http://g/")
    assert run_of(line, "run.ready.log=serving").ready == Ready(log="serving")


# What is not. A line of [run] to message, hint, and what is underlined.
LINES = [
    # listen: not a list
    ("listen = '127.0.0.1:8080'", "run.listen must be a list of addresses, not a string",
     'write listen = ["127.0.0.1:8080"]', "'127.0.0.1:8080'"),
    ("listen = 8080", "run.listen must be a list of addresses, not a number",
     'write listen = ["127.0.0.1:8080"]', "8080"),
    ("listen = '8080'", "run.listen must be a list of addresses, not a string",
     'write listen = ["127.0.0.1:8080"]', "'8080'"),
    ("listen = 65536", "run.listen must be a list of addresses, not a number",
     'for example listen = ["127.0.0.1:8080"]', "65536"),
    ("listen = '65536'", "run.listen must be a list of addresses, not a string",
     'write listen = ["65536"]', "'65536'"),
    (f"listen = '{'8' * 5000}'", "run.listen must be a list of addresses, not a string",
     f'write listen = ["{"8" * 100}..."]', f"'{'8' * 5000}'"),
    ("listen = -1", "run.listen must be a list of addresses, not a number",
     'for example listen = ["127.0.0.1:8080"]', "-1"),
    ("listen = ' '", "run.listen must be a list of addresses, not a string",
     'for example listen = ["127.0.0.1:8080"]', "' '"),
    ("listen = { port = 80 }", "run.listen must be a list of addresses, not a table",
     'for example listen = ["127.0.0.1:8080"]', "{ port = 80 }"),
    # listen: what is in the list
    ("listen = [8080]", "run.listen must hold strings, not a number", 'write "127.0.0.1:8080"',
     "8080"),
    ("listen = [[]]", "run.listen must hold strings, not a list",
     'for example listen = ["127.0.0.1:8080"]', "[]"),
    ("listen = ['']", "run.listen holds an empty string", "remove it", "''"),
    (r'listen = ["a\u0000:80"]', "run.listen holds a NUL character",
     "no path, argument or variable can hold one: remove it", r'"a\u0000:80"'),
    ("listen = ['8080']", 'run.listen: "8080" is a port without an address', TWO_PORTS, "'8080'"),
    ("listen = [':80', 'http://localhost:8080/x']",
     'run.listen: "http://localhost:8080/x" is a URL',
     'write the host and the port alone: "localhost:8080"', "'http://localhost:8080/x'"),
    ("listen = ['::1:8080']", 'run.listen: "::1:8080" is IPv6 without brackets',
     'write "[::1]:8080"', "'::1:8080'"),
    ("listen = ['h:65536']", 'run.listen: "h:65536" has a port that is out of range',
     "a port is a number up to 65535; 0 takes any that is free", "'h:65536'"),
    ("listen = ['~/x.sock']", 'run.listen: "~/x.sock" has a ~, which only a shell knows',
     'write "${HOME}/x.sock"', "'~/x.sock'"),
    (r'listen = ["unix://\u001b"]', r'run.listen: "unix://\x1b" is a URL',
     r'leave out the slashes: "unix:\x1b"', r'"unix://\u001b"'),
    # listen: the same twice
    ("listen = [':80', '127.0.0.1:80', ':80']", 'run.listen: ":80" is there twice', "remove it",
     "':80'"),
    ("listen = ['./a.sock', 'unix:a.sock']", 'run.listen: "unix:a.sock" is there twice',
     'it is the same as "./a.sock": remove one', "'unix:a.sock'"),
    ("listen = ['Localhost:80', 'localhost:080']", 'run.listen: "localhost:080" is there twice',
     'it is the same as "Localhost:80": remove one', "'localhost:080'"),
    ("listen = [':80', ':${PORT:-80}']", 'run.listen: ":${PORT:-80}" is there twice',
     'it is the same as ":80": remove one', "':${PORT:-80}'"),
    ("listen = [':0', ':${A}', ':${A}']", 'run.listen: ":${A}" is there twice', "remove it",
     "':${A}'"),
    # variables
    ("listen = ['127.0.0.1:${PORT:-x}']",
     'run.listen: "127.0.0.1:${PORT:-x}", by default "127.0.0.1:x", has no number as its port',
     'write "127.0.0.1:8080"', "'127.0.0.1:${PORT:-x}'"),
    ("listen = ['${PORT:-80}']",
     'run.listen: "${PORT:-80}", by default "80", is a port without an address',
     'write "127.0.0.1:${PORT:-80}" (this machine only) or ":${PORT:-80}" (all interfaces)',
     "'${PORT:-80}'"),
    ("listen = ['127.0.0.1:$PORT']", 'run.listen: "127.0.0.1:$PORT" has no number as its port',
     "a variable is written ${PORT}, or ${PORT:-default}", "'127.0.0.1:$PORT'"),
    ("listen = [':${PORT-80}']", 'run.listen: ":${PORT-80}" holds a ${ that begins no variable',
     "a variable is written ${NAME}, or ${NAME:-default}", "':${PORT-80}'"),
    ("listen = [':${1:-80}']", 'run.listen: ":${1:-80}" holds a ${ that begins no variable',
     "a variable is written ${NAME}, or ${NAME:-default}", "':${1:-80}'"),
    # ready: not a table
    ("ready = 'HTTP://localhost/x'", "run.ready must be a table, not a string",
     'write ready = { http = "HTTP://localhost/x" }', "'HTTP://localhost/x'"),
    ("ready = '/healthz'", "run.ready must be a table, not a string",
     f"write {HTTP}", "'/healthz'"),
    ("ready = ':8080'", "run.ready must be a table, not a string",
     'write ready = { tcp = ":8080" }', "':8080'"),
    ("ready = ':${PORT}'", "run.ready must be a table, not a string",
     'write ready = { tcp = ":${PORT}" }', "':${PORT}'"),
    ("ready = 8080", "run.ready must be a table, not a number", f"write {TCP}", "8080"),
    ("ready = 'listening on'", "run.ready must be a table, not a string",
     'write ready = { log = "listening on" }', "'listening on'"),
    ("ready = 'http'", "run.ready must be a table, not a string", f"for example {EXAMPLE}",
     "'http'"),
    ("ready = 'x'", "run.ready must be a table, not a string", f"for example {EXAMPLE}", "'x'"),
    ("ready = true", "run.ready must be a table, not true", f"for example {EXAMPLE}", "true"),
    ("ready = []", "run.ready must be a table, not a list", f"for example {EXAMPLE}", "[]"),
    # ready: none, or two
    ("ready = {}", "run.ready takes one of http, tcp and log, not none", f"for example {EXAMPLE}",
     "{}"),
    ("ready = { timeout = '5s' }", "run.ready takes one of http, tcp and log, not none",
     f"for example {EXAMPLE}", "{ timeout = '5s' }"),
    ("ready = { tcp = ':80', http = 'http://h' }",
     "run.ready takes one of http, tcp and log, not http and tcp", "keep one of them",
     "{ tcp = ':80', http = 'http://h' }"),
    ("ready = { http = 'http://h', log = 'x', tcp = ':80' }",
     "run.ready takes one of http, tcp and log, not http, tcp and log", "keep one of them",
     "{ http = 'http://h', log = 'x', tcp = ':80' }"),
    # ready: unknown keys
    ("ready.htpp = 'http://h'", 'unknown key "htpp" in [run.ready]', 'did you mean "http"?',
     "htpp"),
    ("ready = { tcp = ':80', timeuot = '5s' }", 'unknown key "timeuot" in [run.ready]',
     'did you mean "timeout"?', "timeuot"),
    ("ready.url = 'http://h'", 'unknown key "url" in [run.ready]',
     f'did you mean "http"? for example {HTTP}', "url"),
    ("ready.path = '/healthz'", 'unknown key "path" in [run.ready]',
     f'did you mean "http"? for example {HTTP}', "path"),
    ("ready.port = 8080", 'unknown key "port" in [run.ready]',
     f'did you mean "tcp"? for example {TCP}', "port"),
    ("ready.regex = 'x'", 'unknown key "regex" in [run.ready]',
     f'did you mean "log"? for example {LOG}', "regex"),
    ("ready = { tcp = ':80', within = '5s' }", 'unknown key "within" in [run.ready]',
     'did you mean "timeout"?', "within"),
    ("ready = { tcp = ':80', interval = '5s' }", 'unknown key "interval" in [run.ready]',
     "the keys of [run.ready] are http, tcp, log and timeout", "interval"),
    # ready.timeout
    ("ready = { tcp = ':80', timeout = 5 }", "run.ready.timeout = 5 needs a unit",
     'write "5s" or "5ms"', "5"),
    ("ready = { tcp = ':80', timeout = '-5s' }", 'run.ready.timeout = "-5s" is negative',
     'write "5s"', "'-5s'"),
    ("ready = { tcp = ':80', timeout = '0s' }",
     'run.ready.timeout = "0s" is too short, it must be at least 10 ms', f"for example {EXAMPLE}",
     "'0s'"),
    ("ready = { tcp = ':80', timeout = true }", "run.ready.timeout must be a duration, not true",
     f"for example {EXAMPLE}", "true"),
    (f"ready = {{ tcp = ':80', timeout = [0x{'f' * 4000}] }}",
     "run.ready.timeout must be a duration, not a list", f"for example {EXAMPLE}",
     f"[0x{'f' * 4000}]"),
    # ready.http
    ("ready.http = 80", "run.ready.http must be a string, not a number", f"for example {HTTP}",
     "80"),
    ("ready.http = ' '", "run.ready.http is empty", f"for example {HTTP}", "' '"),
    ("ready.http = 'localhost:80/x'", 'run.ready.http: "localhost:80/x" has no scheme',
     'write "http://localhost:80/x"', "'localhost:80/x'"),
    ("ready.http = 'http://h:$PORT/'", 'run.ready.http: "http://h:$PORT/" has the port "$PORT"',
     "a variable is written ${PORT}, or ${PORT:-default}", "'http://h:$PORT/'"),
    ("ready.http = 'http://h:${P:-x}/'",
     'run.ready.http: "http://h:${P:-x}/", by default "http://h:x/", has the port "x"',
     "a port is a number from 1 to 65535", "'http://h:${P:-x}/'"),
    # ready.tcp
    ("ready.tcp = 8080", "run.ready.tcp must be a string, not a number",
     'write tcp = "127.0.0.1:8080"', "8080"),
    ("ready.tcp = '8080'", 'run.ready.tcp: "8080" is a port without an address', TWO_PORTS,
     "'8080'"),
    ("ready.tcp = 'unix:app.sock'",
     'run.ready.tcp: "unix:app.sock" is a path, and tcp asks a port', f"for example {TCP}",
     "'unix:app.sock'"),
    ("ready.tcp = ':0'", 'run.ready.tcp: ":0" has the port 0, where nothing answers',
     f"for example {TCP}", "':0'"),
    (r'ready.tcp = "\u0000"', "run.ready holds a NUL character",
     "no path, argument or variable can hold one: remove it", r'"\u0000"'),
    # ready.log
    ("ready.log = true", "run.ready.log must be a string, not true", f"for example {LOG}", "true"),
    ("ready.log = ''", "run.ready.log is empty", f"for example {LOG}", "''"),
    ("ready.log = 'on (port'",
     f'run.ready.log: "on (port" {NO_REGEX}: missing ), unterminated subpattern at position 3',
     ESCAPES, "'on (port'"),
    ("ready.log = 'a{99999999999999999999}'",
     f'run.ready.log: "a{{99999999999999999999}}" {NO_REGEX}: the repetition number is too large',
     ESCAPES, "'a{99999999999999999999}'"),
    ("ready.log = '(?a)(?u)'",
     f'run.ready.log: "(?a)(?u)" {NO_REGEX}: ASCII and UNICODE flags are incompatible', ESCAPES,
     "'(?a)(?u)'"),
    (f"ready.log = '{'(' * 5000}'",
     f'run.ready.log: "{"(" * 40}..." {NO_REGEX}: it is nested too deeply', ESCAPES,
     f"'{'(' * 5000}'"),
    (r'ready.log = "(?\u001bx)"',
     rf'run.ready.log: "(?\x1bx)" {NO_REGEX}: unknown extension ?\x1b at position 1',
     ESCAPES, r'"(?\u001bx)"'),
    ("ready.log = 'on ${PORT:-80}'",
     'run.ready.log: "on ${PORT:-80}" holds a variable, and log takes none',
     r"write what stands in the place of ${PORT:-80}, such as \d+", "'on ${PORT:-80}'"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "message", "hint", "meant"), LINES)
def test_a_bad_line_is_told(line: str, message: str, hint: str, meant: str) -> None:
    (problem,) = problems_of(f"run.{line}")
    assert (problem.message, problem.hint) == (message, hint)
    begin = problem.column - 1
    assert problem.source[begin : begin + problem.span] == meant


OPTIONS = [
    ("run.listen=127.0.0.1:8080", "run.listen must be a list of addresses, not a string",
     """write --set 'run.listen=["127.0.0.1:8080"]'"""),
    ("run.listen=8080", "run.listen must be a list of addresses, not a number",
     """write --set 'run.listen=["127.0.0.1:8080"]'"""),
    ('run.listen=["8080"]', 'run.listen: "8080" is a port without an address', TWO_PORTS),
    ("run.ready=http://h/", "run.ready must be a table, not a string",
     """write --set 'run.ready={ http = "http://h/" }'"""),
    ("run.ready.timeout=5s", "run.ready takes one of http, tcp and log, not none",
     f"an option sets it as a whole: --set 'run.{EXAMPLE.replace(' = ', '=', 1)}'"),
    ("run.ready.log=(",
     f'run.ready.log: "(" {NO_REGEX}: missing ), unterminated subpattern at position 0', ESCAPES),
    ("run.port=8080", 'unknown key "port" in [run]', 'did you mean "env" or "listen"?'),
    ("port=8080", 'unknown key "port" outside of a table', "did you mean run.env or run.listen?"),
]  # fmt: skip


@pytest.mark.parametrize(("option", "message", "hint"), OPTIONS)
def test_a_bad_option_is_told(option: str, message: str, hint: str) -> None:
    (problem,) = problems_of("", option)
    assert (problem.message, problem.hint, problem.file) == (message, hint, f"--set {option}")


def test_everything_that_is_wrong_in_one_value_is_told() -> None:
    line = "run.ready = { url = 'x', http = '/x', tcp = 5, timeout = 5 }"
    assert [problem.message for problem in problems_of(line)] == [
        "run.ready takes one of http, tcp and log, not http and tcp",
        'unknown key "url" in [run.ready]',
        'run.ready.http: "/x" has no scheme',
        "run.ready.tcp must be a string, not a number",
        "run.ready.timeout = 5 needs a unit",
    ]


def test_a_bad_address_is_not_there_twice_too() -> None:
    messages = [problem.message for problem in problems_of("run.listen = ['80', '80']")]
    assert messages == ['run.listen: "80" is a port without an address'] * 2


# The start of the app reads it again: all it may find wrong is a variable that is not set.

PIECES = ["127.0.0.1", "[::1]", ":", "80", "${P:-80}", "${P:-}", "${P}", "${1}", "${", "}", "$P"]


def refused_at_the_start(text: str) -> str:
    try:
        parse_address(expand(text, {}))
    except (AddressError, ExpandError) as error:
        return str(error)
    return ""


@settings(max_examples=250, deadline=None)
@given(st.lists(st.sampled_from([*PIECES, "unix:", "a.sock"]), min_size=1, max_size=4))
def test_the_check_and_the_start_agree_on_an_address(pieces: list[str]) -> None:
    text = "".join(pieces)
    refused = refused_at_the_start(text)
    try:
        load_text(f"[run]\ncommand = 'x'\nlisten = ['{text}']", "/")
    except ConfigErrors:
        assert refused
    else:
        assert not refused or "P is not set" in refused
