"""Rust: Cargo.toml, its workspace and its binaries."""

from __future__ import annotations

import fnmatch
import tomllib
from typing import TYPE_CHECKING, Any

from hotrun.project.detect import toml
from hotrun.project.detect.found import KEPT, Found
from hotrun.project.detect.place import writable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hotrun.project.detect.place import Place

FILE = "Cargo.toml"
MOST = 200  # members of a workspace that are read
LOCK = "Cargo.lock"
# Of a library or of what is not versioned it is made by the first build: that would be a change.
_FIRST_LOCK = (
    "The first build writes Cargo.lock: no reason to build again. Once it is there, take it out "
    "of here, and `cargo update` builds."
)
_INCREMENTAL = "Compiling again is quick: cargo keeps what has not changed."


def find(place: Place, main: str = "") -> Found | None:
    """Find a cargo project.

    Args:
        place: Where.
        main: The name of the binary to take; "": decide.
    """
    if not place.has(FILE):
        return None
    manifest = _read(place, ".")
    members = list(_members(place, manifest))
    binaries = {name: package for below in members for name, package in _binaries(place, below)}
    if not binaries:
        what = f"{FILE} is here, and no binary: every save builds, and nothing is run"
        why = 'No binary is here, so nothing is run. For tests: "cargo test".'
        return Found("rust", _text(place, "cargo build", "", why), (what,), source=FILE)
    chosen, why = _choose(manifest, place.name, list(binaries))
    chosen, why = (main, "it was named") if main in binaries else (chosen, why)
    name = chosen or next(iter(binaries))
    command = "cargo build" if len(binaries) == 1 else f"cargo build --bin {name}"
    because = [f"{FILE} is here, with {_count(binaries)}"]
    because += [f"{name} is taken: {why}"] if why and len(binaries) > 1 else []
    others = tuple(other for other in binaries if other != name)
    text = _text(place, command, name, _INCREMENTAL)
    return Found("rust", text, tuple(because), (), others, FILE, name, not chosen)


def _count(binaries: Mapping[str, str]) -> str:
    names = list(binaries)
    return f"the binary {names[0]}" if len(names) == 1 else f"{len(names)} binaries"


def _text(place: Place, command: str, name: str, why: str) -> str:
    target = _target(place)
    made = f"{target}/debug/{name}" if name else ""
    fresh = not place.has(LOCK)
    outputs = [*filter(None, [made]), *([LOCK] if fresh else [])]
    kept = " ".join([*([KEPT] if made else []), *([_FIRST_LOCK] if fresh else [])])
    exclude = [] if place.is_ignored("target") or target != "target" else ["/target/"]
    return toml.document(
        toml.table("watch", ("exclude", exclude, "")),
        toml.table("build", ("command", command, why), ("outputs", outputs, kept)),
        toml.table("run", ("command", f"./{made}" if made else "", "")),
    )


def _read(place: Place, directory: str) -> Mapping[str, Any]:
    return _toml(place.text(f"{directory}/{FILE}"))


def _toml(text: str) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return {}


def _table(tree: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = tree.get(name)
    return value if isinstance(value, dict) else {}


def _target(place: Place) -> str:
    """Where cargo builds: `.cargo/config.toml` may say otherwise, or name another system."""
    file = place.first(".cargo/config.toml", ".cargo/config")
    build = _table(_toml(place.text(file)) if file else {}, "build")
    parts = [build.get("target-dir", "target"), build.get("target", "")]
    if not all(isinstance(part, str) and writable(part) for part in parts):
        return "target"
    directory, system = parts
    ours = not directory.startswith(("/", ".."))
    return "/".join(filter(None, (directory.removeprefix("./") if ours else "target", system)))


def _members(place: Place, manifest: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The packages: their directories and manifests."""
    if "package" in manifest:
        yield ".", manifest
    workspace = _table(manifest, "workspace")
    patterns = workspace.get("members")
    for pattern in patterns if isinstance(patterns, list) else ():
        for directory in _matching(place, pattern if isinstance(pattern, str) else ""):
            if "package" in (member := _read(place, directory)):
                yield directory, member


def _matching(place: Place, pattern: str) -> list[str]:
    """Return the directories that a member stands for: `crates/*`, mostly."""
    found = ["."]
    for part in pattern.strip("/").split("/")[:8]:
        if part in ("..", ""):
            return []
        below = [(above, name) for above in found for name in place.names(above)[1]]
        found = [
            f"{above}/{name}".removeprefix("./")
            for above, name in below
            if fnmatch.fnmatchcase(name, part)
        ][:MOST]
    return found


def _binaries(place: Place, package: tuple[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """The binaries of a package, as cargo finds them: named, src/main.rs, src/bin."""
    directory, manifest = package
    table = _table(manifest, "package")
    name = table.get("name")
    if not isinstance(name, str) or not _is_name(name):
        return
    named = manifest.get("bin")
    for binary in named if isinstance(named, list) else ():
        own = binary.get("name") if isinstance(binary, dict) else None
        if isinstance(own, str) and _is_name(own):
            yield own, name
    if table.get("autobins") is False:
        return
    if place.has(f"{directory}/src/main.rs") and not _names_main(named):
        yield name, name
    files, directories = place.names(f"{directory}/src/bin")
    found = [file[:-3] for file in files if file.endswith(".rs")]
    found += [each for each in directories if place.has(f"{directory}/src/bin/{each}/main.rs")]
    yield from ((each, name) for each in found if _is_name(each))


def _names_main(named: object) -> bool:
    """Whether a [[bin]] gives src/main.rs another name."""
    several = named if isinstance(named, list) else []
    return any(isinstance(each, dict) and each.get("path") == "src/main.rs" for each in several)


def _is_name(name: str) -> bool:
    return name.replace("-", "_").isidentifier() and name.isascii()


def _choose(manifest: Mapping[str, Any], here: str, names: list[str]) -> tuple[str, str]:
    package = _table(manifest, "package")
    default = package.get("default-run")
    if len(names) == 1:
        return names[0], ""
    if default in names:
        return str(default), "default-run names it"
    for name, whose in ((package.get("name"), "package"), (here, "directory")):
        if name in names:
            return str(name), f"it is named like the {whose}"
    return "", ""
