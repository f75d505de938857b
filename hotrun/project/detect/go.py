"""Go: go.mod or go.work, the main packages, and how one of them is built and started."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotrun.project.detect import shells, toml
from hotrun.project.detect.found import Found
from hotrun.project.detect.go_tree import PAGES, is_program, read_at_run_time, scan
from hotrun.project.detect.place import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hotrun.project.detect.go_tree import GoTree
    from hotrun.project.detect.place import Place

NO_STAMP = (
    "No version stamp from git: a commit alone must not change the binary and restart the app."
)
NO_COLLECTION = "The compiler lives too briefly to collect garbage; take it out if memory is short."
RESTARTED = "They are not part of the binary: read at the start, and needing no build."
BUILD = "go build -buildvcs=false"
# Where a project keeps programs that are not the product.
_ASIDE = frozenset(
    [
        "build",
        "dev",
        "example",
        "examples",
        "hack",
        "internal",
        "script",
        "scripts",
        "test",
        "tests",
        "tools",
    ]
)
_DIRECTORIES = ("bin", "tmp", "build", "out", "dist")  # where programs are put, if git ignores it
_VERSION = re.compile(r"v[0-9]+")


@dataclass(frozen=True, slots=True)
class Module:
    """What go.mod, or go.work, says.

    Args:
        file: "go.mod" or "go.work".
        path: The module's path; "" of a workspace.
        members: The directories whose packages belong to the project.
        outside: The directories above or beside the project that are compiled in.
        text: The whole file.
    """

    file: str
    path: str
    members: tuple[str, ...]
    outside: tuple[str, ...]
    text: str

    @property
    def name(self) -> str:
        """The last element of the path that is no version."""
        parts = [part for part in self.path.split("/") if part and not _VERSION.fullmatch(part)]
        return parts[-1] if parts else ""


def find(place: Place, main: str = "") -> Found | None:
    """Find a Go project.

    Args:
        place: Where.
        main: The main package to take, as `./cmd/x`; "": decide.
    """
    module = module_of(place)
    if module is None:
        return _loose(place)
    tree = scan(place, module.members, PAGES)
    if not tree.files:
        return None
    if not tree.mains:
        return _library(module)
    mains = [_package(directory) for directory in tree.mains]
    chosen, why = _choose(place, module, mains)
    chosen, why = (main, "it was named") if main in mains else (chosen, why)
    found = [_what_is_here(place, module, tree, mains)]
    found += [f"{chosen} is taken: {why}"] if len(mains) > 1 and why else []
    return _found(place, module, tree, chosen or mains[0], tuple(found), not chosen)


def module_of(place: Place) -> Module | None:
    """Read go.work, or else go.mod; None when there is neither."""
    file = place.first("go.work", "go.mod")
    if not file:
        return None
    text = place.text(file)
    if file == "go.mod":
        path = re.search(r"^module[ \t]+\"?([^\s\"]+)", text, re.MULTILINE)
        outside = _directories(re.findall(r"=>[ \t]+\"?(\.\.?/[^\s\"]*)", text))
        return Module(file, path[1] if path else "", (".",), _above(place, outside), text)
    block = re.findall(r"^use[ \t]*\((.*?)^\)", text, re.MULTILINE | re.DOTALL)
    lines = [line.partition("//")[0].strip() for part in block for line in part.split("\n")]
    lines += re.findall(r"^use[ \t]+([^\s(]+)", text, re.MULTILINE)
    used = _directories(line.strip('"') for line in lines if line)
    return Module(file, "", (".", *used), _above(place, used), text)


def _directories(names: Iterable[str]) -> list[str]:
    """Take `./` and a last slash away: "svc/api"; what is no plain path is none."""
    plainly = [name for name in names if re.fullmatch(r"[\w./@+-]+", name)]
    return [name.removeprefix("./").rstrip("/") or "." for name in plainly]


def _above(place: Place, names: list[str]) -> tuple[str, ...]:
    """Return the directories that lie outside of the project, and are there."""
    out = [name for name in names if name.startswith("..")]
    return tuple(dict.fromkeys(name for name in out if place.has_directory(name)))


def _package(directory: str) -> str:
    return "." if directory == "." else f"./{directory}"


def _choose(place: Place, module: Module, mains: list[str]) -> tuple[str, str]:
    """Choose one of the main packages, and say why; ("", "") when nothing speaks for one."""
    if len(mains) == 1:
        return mains[0], ""
    if "." in mains:
        return ".", "it is the one right here"
    product = [main for main in mains if not {*main.split("/")[1:-1]} & _ASIDE]
    named = [main for main in product if main.rpartition("/")[2] in (module.name, place.name)]
    if named:
        return named[0], "it is named like the project"
    commands = [main for main in product if "cmd" in main.split("/")]
    for some, where in ((commands, "below a cmd directory"), (product, "that is no tool")):
        if len(some) == 1:
            return some[0], f"it is the only one {where}"
    return "", ""


def _what_is_here(place: Place, module: Module, tree: GoTree, mains: list[str]) -> str:
    if len(mains) > 1:
        return f"{module.file} is here, with {len(mains)} main packages"
    if mains != ["."]:
        return f"{module.file} is here, and {mains[0]} is the only main package"
    file = next(name for name in tree.files["."] if is_program(place, ".", [name]))
    return f"{module.file} is here, and {file} is package main"


def _found(
    place: Place,
    module: Module,
    tree: GoTree,
    main: str,
    because: tuple[str, ...],
    ambiguous: bool,
) -> Found:
    made, why = program(place, module, main)
    loose = read_at_run_time(place, tree)
    files = _env_files(place, module)
    text = toml.document(
        toml.table("watch", _roots(module)),
        build(f"{BUILD} -o {made} {shells.quoted(main)}", NO_STAMP),
        toml.table("run", ("command", f"./{made}", ""), files),
        templates(module.text, tree.templ),
        toml.rule(loose, "restart", RESTARTED),
    )
    others = tuple(_package(each) for each in tree.mains if _package(each) != main)
    return Found("go", text, (*because, *why), (), others, module.file, main, ambiguous)


def build(command: str, why: str = "", *more: toml.Entry) -> str:
    """Return [build] for a command that runs the Go compiler."""
    env = {"GOGC": "off"} if "go build" in command and "GOGC" not in command else {}
    return toml.table("build", ("command", command, why), ("env", env, NO_COLLECTION), *more)


def templates(go_mod: str, used: bool) -> str:
    """Return the rule for templ, which makes Go of `*.templ`."""
    if not used or "github.com/a-h/templ" not in go_mod:
        return ""
    tool = re.search(r"^tool\b[^)]*github.com/a-h/templ/cmd/templ", go_mod, re.MULTILINE)
    command = f"{'go tool templ' if tool else 'templ'} generate"
    return toml.rule(["*.templ"], "command", "The Go files that it writes are built next.", command)


def _roots(module: Module) -> toml.Entry:
    why = f"{module.file} takes in directories from outside of this one."
    return ("paths", [".", *module.outside] if module.outside else [], why)


def _env_files(place: Place, module: Module) -> toml.Entry:
    wanted = place.has(".env") and "github.com/joho/godotenv" in module.text
    why = "A change of it restarts the app, without a build."
    return ("env_files", [".env"] if wanted else [], why)


def program(place: Place, module: Module | None, main: str) -> tuple[str, tuple[str, ...]]:
    """Choose the file that is built: never a directory, never a file that somebody wrote.

    Returns:
        Its name, and sentences about it.
    """
    here = (module.name if module else "") or place.name
    name = plain(main.rpartition("/")[2] if main != "." else here)
    for directory in _DIRECTORIES:
        made = f"{directory}/{name}"
        if place.is_ignored(directory) and place.is_free(made):
            return made, (f"git ignores {directory}/, so the program is built there",)
    free = [each for each in ("app", f"bin/{name}", "bin/app") if place.is_free(each)]
    if not free or _is_known_to_git(place, free[0]):
        return (free or ["app.bin"])[0], ()
    return free[0], (f"git does not ignore the program: a line /{free[0]} in .gitignore does it",)


def _is_known_to_git(place: Place, program: str) -> bool:
    """Whether nothing has to be said: git ignores the program, or there is no git."""
    return program in place.ignored or not (place.has_directory(".git") or place.has(".gitignore"))


def _library(module: Module) -> Found:
    why = f'No main package is here, so nothing is run. For tests: "go test {_all(module)}".'
    text = toml.document(toml.table("build", ("command", f"go build {_all(module)}", why)))
    what = f"{module.file} is here, and no main package"
    return Found(
        "go", text, (what, "so every save builds, and nothing is run"), (), (), module.file
    )


def _all(module: Module) -> str:
    """Return the pattern of all packages: in a workspace `./...` is not enough."""
    inside = [name for name in module.members if not name.startswith("..") and name != "."]
    if module.file == "go.mod" or not inside:
        return "./..."
    return " ".join(f"./{name}/..." for name in inside)


def _loose(place: Place) -> Found | None:
    """Take a program without a go.mod in its directory: of a module above, or of none at all."""
    files, _ = place.names()
    sources = [name for name in files if name.endswith(".go") and not name.endswith("_test.go")]
    if not sources or not is_program(place, ".", sources):
        return None
    mains = [name for name in sources if is_program(place, ".", [name])]
    chosen = "main.go" if "main.go" in mains else mains[0]
    made, why = program(place, None, ".")
    above = _module_above(place)
    # A first program has no module, and is named file by file. Two func main are two programs.
    package = (
        "." if above else " ".join(map(shells.quoted, sources if len(mains) == 1 else [chosen]))
    )
    command = f"{BUILD} -o {made} ." if above else f"go build -o {made} {package}"
    inside = "The rest of the module is compiled in."
    text = toml.document(
        toml.table("watch", ("paths", [above] if above else [], inside)),
        build(command, NO_STAMP if above else ""),
        toml.table("run", ("command", f"./{made}", "")),
    )
    rest = f"go.mod is in {above}" if above else "there is no go.mod (`go mod init` makes one)"
    return Found("go", text, (f"{chosen} is package main, and {rest}", *why), source=chosen)


def _module_above(place: Place) -> str:
    """Return the way up to the module that the directory is in; "" when there is none."""
    way, directory = "..", place.path("..")
    while not place.has(f"{way}/go.mod"):
        if place.path(f"{way}/..") == directory:
            return ""
        way, directory = f"{way}/..", place.path(f"{way}/..")
    return way
