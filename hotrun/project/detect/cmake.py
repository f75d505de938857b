"""CMake: CMakeLists.txt, and the executables that it adds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hotrun.project.detect import toml
from hotrun.project.detect.found import KEPT, Found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotrun.project.detect.place import Place

FILE = "CMakeLists.txt"
MOST = 100  # directories of a project that are read
_BUILD = "test -f build/CMakeCache.txt || cmake -S . -B build && cmake --build build"
_ONCE = "Configured once: after that cmake does it again by itself when a CMakeLists.txt changes."
_COMMAND = re.compile(r"^[ \t]*(\w+)[ \t]*\(([^)]{0,9999})\)", re.MULTILINE)


def find(place: Place, main: str = "") -> Found | None:
    """Find a CMake project.

    Args:
        place: Where.
        main: The executable to take; "": decide.
    """
    if not place.has(FILE):
        return None
    programs = dict(_programs(place))
    if not programs:
        what = f"{FILE} is here, and adds no executable: every save builds, and nothing is run"
        return Found("c", _text(""), (what,), source=FILE)
    product = [name for name in programs if "test" not in name.lower()]
    chosen = main if main in programs else ""
    chosen = chosen or (product[0] if len(product) == 1 else "")
    chosen = chosen or next((name for name in programs if name == place.name), "")
    name = chosen or (product or list(programs))[0]
    others = tuple(other for other in programs if other != name)
    what = f"{FILE} is here, and adds the executable {name}"
    if others:
        what = f"{FILE} is here, with {len(programs)} executables"
    taken = (f"{name} is taken",) if others and chosen else ()
    return Found("c", _text(programs[name]), (what, *taken), (), others, FILE, name, not chosen)


def _text(program: str) -> str:
    made = f"build/{program}" if program else ""
    return toml.document(
        toml.table("watch", ("exclude", ["/build/"], "What the build writes triggers nothing.")),
        toml.table("build", ("command", _BUILD, _ONCE), ("outputs", [made] if made else [], KEPT)),
        toml.table("run", ("command", f"./{made}" if made else "", "")),
    )


def _programs(place: Place) -> Iterator[tuple[str, str]]:
    """The executables, each with its path below build/."""
    left, project, output, read = ["."], "", "", 0
    while left and read < MOST:
        directory, read = left.pop(0), read + 1
        text = re.sub(r"#[^\n]*", "", place.text(f"{directory}/{FILE}", 200_000))
        for command, inside in _COMMAND.findall(text):
            words = inside.replace('"', " ").split()
            if not words:
                continue
            match command.lower():
                case "project":
                    project = words[0]
                case "set" if words[0] == "CMAKE_RUNTIME_OUTPUT_DIRECTORY" and words[1:]:
                    output = _below_build(words[1])
                case "add_subdirectory" if re.fullmatch(r"[\w][\w./-]*", words[0]):
                    left.append(words[0] if directory == "." else f"{directory}/{words[0]}")
                case "add_executable" if not {"IMPORTED", "ALIAS"} & {*words}:
                    name = re.sub(r"\$\{(?:CMAKE_)?PROJECT_NAME\}", project, words[0])
                    if re.fullmatch(r"[\w][\w.+-]*", name):
                        where = output or ("" if directory == "." else directory)
                        yield name, f"{where}/{name}".lstrip("/")


def _below_build(path: str) -> str:
    """Return a directory relative to build/; "" when it is not below it."""
    match = re.fullmatch(r"\$\{(?:CMAKE|PROJECT)_BINARY_DIR\}/([\w./-]+)", path)
    return match[1].strip("/") if match else ""
