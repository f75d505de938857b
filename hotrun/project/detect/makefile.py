"""A Makefile: its targets, and the program that it makes, as far as one can read it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hotrun.project.detect import toml
from hotrun.project.detect.found import KEPT, Found
from hotrun.project.detect.place import plain, writable

if TYPE_CHECKING:
    from hotrun.project.detect.place import Place

FILES = ("GNUmakefile", "makefile", "Makefile")
_RULE = re.compile(r"^([^\s#:=][^:=#\n]*)::?(?!=)([^=\n]*)$", re.MULTILINE)
_VARIABLE = re.compile(r"^[ ]*(\w+)[ \t]*(?:\?|:{1,3})?=[ \t]*([^\n]*)$", re.MULTILINE)
_REFERENCE = re.compile(r"\$[({](\w+)[)}]")
_C = (".c", ".cc", ".cpp", ".cxx")
# What one means by building; the first target of a file may as well print a help text.
_BUILDS = ("all", "build", "compile")
_RUNS = ("run", "serve", "start", "dev")
_NO_BUILD = frozenset({*_RUNS, "help", "clean", "test", "check", "lint", "install", "fmt", "watch"})


def find(place: Place, main: str = "") -> Found | None:
    """Find a project that make builds."""
    del main
    file = place.first(*FILES)
    if not file:
        return None
    text = place.text(file).replace("\\\n", " ")
    rules = _rules(text)
    targets = [name for name in rules if re.fullmatch(r"\w[\w.-]*", name)]
    build = next((name for name in _BUILDS if name in targets), "")
    first = targets[0] if targets else ""
    if not build and first not in _NO_BUILD:
        build = first
    run = next((name for name in _RUNS if name in targets), "")
    program = _program(place, text, rules)
    if not build and not run:
        return None
    return _found(place, file, build if build != first else "", bool(build), run, program)


def _found(place: Place, file: str, target: str, builds: bool, run: str, program: str) -> Found:
    make = f"make {target}".strip()
    kind = "c" if any(name.endswith(_C) for name in _sources(place)) else "make"
    command = f"./{program}" if program and builds else f"make {run}" if run else ""
    because = [f"{file} is here" + (f", and `{make}` builds" if builds else ", and builds nothing")]
    if program and builds:
        because.append(f"its rules make {program}, which is run")
    elif run:
        because.append(f"its target {run} is what runs")
    else:
        because.append("what it makes is not to be seen: write [run] if there is an app")
    objects = ["*.o", "*.d", "*.a"] if kind == "c" and builds else []
    text = toml.document(
        toml.table("watch", ("exclude", objects, "What the build writes triggers nothing.")),
        toml.table(
            "build",
            ("command", make if builds else "", ""),
            ("outputs", [program] if program and builds else [], KEPT),
        ),
        toml.table("run", ("command", command, "")),
    )
    return Found(kind, text, tuple(because), source=file)


def _sources(place: Place) -> list[str]:
    return [*place.names()[0], *place.names("src")[0]]


def _rules(text: str) -> dict[str, tuple[str, str]]:
    """Return the targets in their order, each with its prerequisites and its recipe."""
    variables = _variables(text)
    found: dict[str, tuple[str, str]] = {}
    for match in _RULE.finditer(text):
        recipe = re.match(r"(?:\n\t[^\n]*|\n(?=\n*\t))*", text[match.end() :])
        for name in _expanded(match[1], variables).split():
            if not name.startswith(".") and "%" not in name and name not in found:
                found[name] = (_expanded(match[2], variables), recipe[0] if recipe else "")
    return found


def _variables(text: str) -> dict[str, str]:
    return {name: value.partition("#")[0].strip() for name, value in _VARIABLE.findall(text)}


def _expanded(text: str, variables: dict[str, str]) -> str:
    for _ in range(5):  # a name that stands for another one
        new = _REFERENCE.sub(lambda match: variables.get(match[1], "")[:200], text)
        if new == text or len(new) > 10_000:  # noqa: PLR2004
            break
        text = new
    return text


def _program(place: Place, text: str, rules: dict[str, tuple[str, str]]) -> str:
    """Return the program that a recipe links: `-o` behind a compiler, and no object."""
    variables = _variables(text)
    for target, (_, recipe) in rules.items():
        for line in recipe.split("\n"):
            made = re.search(r"-o[ ]*([^\s;&|]+)", line)
            if not made or re.search(r"(^|\s)-c(\s|$)", line):
                continue
            # Linked beside its place and then put there, so that nobody sees half of it.
            put = rf"\b(?:mv|cp|install)\b[^\n;&|]*\s{re.escape(made[1])}\s+([^\s;&|]+)"
            moved = re.search(put, recipe)
            name = (moved or made)[1].replace("$@", target)
            name = _expanded(name, variables).removeprefix("./")
            if _is_program(place, name):
                return name
    return ""


def _is_program(place: Place, name: str) -> bool:
    known = re.fullmatch(r"[\w-][\w./-]*", name) and ".." not in name and writable(name)
    library = name.endswith((".o", ".so", ".a", ".dylib", ".js", ".wasm"))
    return bool(known) and not library and not place.has_directory(name) and bool(plain(name))
