"""What air watches, as patterns: extensions, directories, files and regular expressions.

air rebuilds and restarts for every one of its files. Here a build that makes the same program
keeps the app, so what a program reads when it starts gets a rule of its own: restart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotrun.errors import TextError
from hotrun.project.detect import go, shells
from hotrun.project.detect.go_tree import read_at_run_time, scan
from hotrun.units import parse_duration

if TYPE_CHECKING:
    from hotrun.project.detect import toml
    from hotrun.project.detect.air_file import Air
    from hotrun.project.detect.place import Place

_EXTENSIONS = ["go", "tpl", "tmpl", "html"]
_EXCLUDED = ["assets", "tmp", "vendor", "testdata"]
_MODULE = ["go.mod", "go.sum"]
_DELAY = 1000  # ms
_SLOWEST = 500  # ms; air polls no faster
_DAY = 86_400_000  # ms


@dataclass(frozen=True, slots=True)
class Watched:
    """Patterns: for watch.include and watch.exclude, and of what only restarts the app."""

    paths: list[str]
    include: list[str]
    exclude: list[str]
    loose: list[str]


def watched(place: Place, air: Air, build: str) -> Watched:
    """Work out what is watched.

    Args:
        place: The project.
        air: Its .air.toml.
        build: The build command; what a plain `go build` reads, hotrun finds out by itself.
    """
    extensions = [each.lstrip(".") for each in air.texts("include_ext")] or _EXTENSIONS
    files = [_clean(file) for file in air.texts("include_file")]
    root = air.tree.get("root")
    root = _clean(root) if isinstance(root, str) else "."
    directories = [_below(root, each) for each in map(_clean, air.texts("include_dir"))]
    knows = shells.words(build)[:2] == ["go", "build"]
    include = [] if knows else [f"*.{each}" for each in extensions] + [f"/{each}" for each in files]
    if include and "go" in extensions:
        include += _MODULE
    if directories and files and include:  # the files need not lie in the directories
        include = [
            f"{each}/**/{kind}" for each in directories for kind in include if kind[0] == "*"
        ]
        include, directories = [*include, *(f"/{file}" for file in files)], []
    loose = _loose(place, extensions, files)
    exclude = _excluded(place, air, root, knows)
    if "templ generate" in build and not knows:
        exclude.append("*_templ.go")  # written by the build itself
    return Watched(directories or [root], include, list(dict.fromkeys(exclude)), loose)


def _loose(place: Place, extensions: list[str], files: list[str]) -> list[str]:
    """Return patterns of what is no source of Go, and in no Go program."""
    others = [each for each in extensions if each not in ("go", "templ")]
    module = go.module_of(place)
    tree = scan(place, module.members if module else ["."], tuple(f".{each}" for each in others))
    if not tree.files:
        return []  # not Go: only its build can tell
    found = read_at_run_time(place, tree)
    there = {page.rpartition(".")[2] for page in tree.pages}
    wished = [f"*.{each}" for each in others if each not in {*there, *_EXTENSIONS}]
    return [*found, *wished, *(f"/{file}" for file in files if not file.endswith(".go"))]


def _excluded(place: Place, air: Air, root: str, knows: bool) -> list[str]:
    directories = air.texts("exclude_dir") if "exclude_dir" in air.build else _EXCLUDED
    # Below .git nothing is watched in any case. What is not there yet may be made at any time.
    never = [*directories, air.top("tmp_dir", "tmp"), air.top("testdata_dir", "testdata")]
    kept = [each for each in map(_clean, never) if each not in (".git", ".", *place.ignored)]
    found = [f"/{_below(root, each)}/" for each in kept if not each.startswith(("/", "../"))]
    found += [f"/{_below(root, _clean(each))}" for each in air.texts("exclude_file")]
    for expression in air.texts("exclude_regex"):
        pattern = glob(expression)
        if not pattern:
            air.leave("build.exclude_regex", f"{expression!r} is no pattern of names")
        elif not (knows and pattern == "*_test.go"):  # no part of any program
            found.append(pattern)
    return found


def glob(expression: str) -> str:
    """Turn a regular expression that means the end of a file name into a glob; else ""."""
    text = re.sub(r"^\^?\.\*|\$$", "", expression)
    text = text.replace(r"\.", ".").replace(r"\_", "_").replace(r"\-", "-")
    # An unescaped dot was meant as one: `_test.go`, as air's own default has it.
    return f"*{text}" if re.fullmatch(r"[\w.-]*\.\w+", text) else ""


def entries(air: Air, seen: Watched) -> list[toml.Entry]:
    """Return the lines of [watch]."""
    delay, polls = _milliseconds(air, "delay"), air.is_set("poll")
    pause = _milliseconds(air, "poll_interval") if polls else 0
    return [
        ("paths", seen.paths if seen.paths != ["."] else [], ""),
        ("include", seen.include, ""),
        ("exclude", seen.exclude, ""),
        ("debounce", duration(delay if delay != _DELAY else 0), ""),
        ("backend", "poll" if polls else "", ""),
        ("poll_interval", duration(max(_SLOWEST, pause) if pause else 0), ""),
        ("follow_symlinks", True if air.is_set("follow_symlink") else None, ""),
    ]


def _milliseconds(air: Air, key: str) -> int:
    value = air.build.get(key)
    return value if type(value) is int and 0 < value < _DAY else 0


def milliseconds(value: object) -> int:
    """Return a duration of air, "500ms" or "1.5s"; 0 when it is none, or none to wait for."""
    try:
        seconds = parse_duration(value) if isinstance(value, str) else 0.0
    except TextError:
        return 0
    return round(seconds * 1000) if seconds * 1000 < _DAY else 0


def duration(length: int) -> str:
    """Write milliseconds as a duration of hotrun.toml; "" for none."""
    if not length:
        return ""
    return f"{length}ms" if length % 1000 else f"{length // 1000}s"


def _clean(path: str) -> str:
    return re.sub(r"/+", "/", path.replace("\\", "/")).removeprefix("./").rstrip("/") or "."


def _below(root: str, path: str) -> str:
    return path if root == "." or path.startswith("/") else f"{root}/{path}"
