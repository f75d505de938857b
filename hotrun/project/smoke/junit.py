"""The checks as a JUnit file, the form that every CI system reads.

Facts: https://github.com/testmoapp/junitxml (the common ground of its readers), and of what XML
may hold: https://www.w3.org/TR/xml/#charsets (no ESC, which colours a compiler's output).
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from hotrun.errors import ConfigError
from hotrun.process.diagnostics import plain

if TYPE_CHECKING:
    from hotrun.project.smoke.check import Check, Result

SUITE = "hotrun smoke"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def prepare(path: str) -> None:
    """Make sure that the file can be written, before anything is started.

    Raises:
        ConfigError: it cannot.
    """
    directory = os.path.dirname(os.path.abspath(path))
    try:
        os.makedirs(directory, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        what = f"--junit: {directory} is not a directory"
        raise ConfigError(what, "name another file") from error
    except OSError as error:
        what = f"--junit: {directory} cannot be made: {error.strerror}"
        raise ConfigError(what, "name another file") from error
    if os.path.isdir(path):
        raise ConfigError(f"--junit: {path} is a directory", "name a file in it")
    if not os.access(path if os.path.exists(path) else directory, os.W_OK):
        raise ConfigError(f"--junit: {path} cannot be written", "name another file")


def write(path: str, result: Result) -> None:
    """Write the file, all of it or nothing: a reader may look at any time."""
    beside = f"{path}.{os.getpid()}"
    try:
        with open(beside, "x", encoding="utf-8") as file:
            file.write(document(result, time.time()))
        os.replace(beside, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise


def document(result: Result, now: float) -> str:
    """Return the whole document.

    Args:
        result: Of the smoke test.
        now: When it ended, in Unix time.
    """
    counts = {
        "tests": len(result.checks),
        "failures": len(result.failed),
        "errors": 0,
        "skipped": sum(check.ok is None for check in result.checks),
        "time": _seconds(result.ms),
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now - result.ms / 1000)),
    }
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            "<testsuites>",
            f"  <testsuite {_attributes(name=SUITE, **counts)}>",
            *map(_case, result.checks),
            "  </testsuite>",
            "</testsuites>",
            "",
        ]
    )


def _case(check: Check) -> str:
    head = _attributes(classname="hotrun.smoke", name=check.name, time=_seconds(check.ms))
    if check.ok:
        return f"    <testcase {head}/>"
    message = _attributes(message=check.message)
    if check.ok is None:
        inner = f"<skipped {message}/>"
    else:
        lines = [*([f"hint: {check.hint}"] if check.hint else []), *map(plain, check.output)]
        inner = f'<failure {message} type="smoke">{escape(_legal(chr(10).join(lines)))}</failure>'
    return f"    <testcase {head}>\n      {inner}\n    </testcase>"


def _attributes(**values: object) -> str:
    return " ".join(f"{name}={quoteattr(_legal(str(value)))}" for name, value in values.items())


def _legal(text: str) -> str:
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _seconds(ms: int) -> str:
    return f"{ms / 1000:.3f}"
