"""What is said of files that a step writes itself: which, by whom, and the line that ends it.

Law: a line that is meant to be put into the config means these files and no other.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hotrun.patterns import escaped

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from hotrun.breaker import Caught
    from hotrun.streak import Writer

MANY = 3  # caught files above which their directory is named


def advice(
    caught: Collection[Caught], outputs: Sequence[str] | None, exclude: Sequence[str]
) -> list[tuple[str, str]]:
    """Return message and hint for each step that was caught.

    Args:
        caught: Of one verdict.
        outputs: What ``build.outputs`` holds already; None without a build.
        exclude: What ``watch.exclude`` holds already.
    """
    said = []
    for writer, stops, waits in sorted({(each.writer, each.stops, each.waits) for each in caught}):
        found = [each for each in caught if each[1:3] == (writer, stops) and each.waits == waits]
        message = _message(found, writer, stops=stops, waits=waits)
        said.append((message, _hint(found, writer, outputs, exclude)))
    return said


def _message(found: list[Caught], writer: Writer, *, stops: bool, waits: bool) -> str:
    again, when = {
        "build": ("trigger", "the build runs"),
        "app": ("restart", "the app stops" if stops else "the app starts"),
        "signal": ("signal", f"the app hears {writer.name}"),
    }.get(writer.kind, ("trigger", "that command runs"))
    more = len({each.shown for each in found}) - 1
    names = f"{found[0].shown}{f' +{more} more' if more else ''}"
    be, it, s = ("are", "they", "") if more else ("is", "it", "s")
    if waits:
        return f"{names} change{s} each time {when}: {it} {again}{s} it only after a pause now"
    what = f"{names} {be} written by {writer.shown}, which {it} {again}{s} again"
    return f"{what}: {it} {'trigger' + s} nothing now while {when}"


def _hint(
    found: list[Caught], writer: Writer, outputs: Sequence[str] | None, exclude: Sequence[str]
) -> str:
    key, table, known, rooted = "exclude", "watch", exclude, True
    if outputs is not None and writer.kind in ("build", "rule"):
        key, table, known, rooted = "outputs", "build", outputs, False
    items = ", ".join(map(_quoted, (*known, *_globs(found, rooted=rooted))))
    line = f"put this into [{table}] of hotrun.toml: {key} = [{items}]"
    return f"if {writer.shown} writes it, {line}" if found[0].waits else line


def _globs(found: list[Caught], *, rooted: bool) -> list[str]:
    """Return globs for what was caught; a directory's when it holds many.

    Args:
        found: Of one writer.
        rooted: A slash has to begin what would mean such a name in every directory, or a comment.
    """
    paths = list(dict.fromkeys(each.glob for each in found))
    top = os.path.commonpath([os.path.dirname(each.path) for each in found])
    if len(paths) > MANY and top:
        paths = [f"{escaped(top)}/**"]
    loose = (path for path in paths if "/" not in path or path.startswith(("!", "#")))
    marked = set(loose) if rooted else set()
    return [f"/{path}" if path in marked else path for path in paths]


def _quoted(text: str) -> str:
    """Return a string as TOML has it."""
    import json

    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
