"""Node (and Bun): package.json, its scripts, and who watches already.

A script that watches by itself leaves hotrun nothing to do, and two watchers restart twice; so
the plain program behind it is run. A development server that swaps modules in the browser (vite,
next) is left to it, and restarted only when its own configuration changes.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hotrun.project.detect import shells, toml
from hotrun.project.detect.found import KEPT, Found

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hotrun.project.detect.place import Place

FILE = "package.json"
_LOCKS = {
    "pnpm-lock.yaml": "pnpm",
    "yarn.lock": "yarn",
    "bun.lock": "bun",
    "bun.lockb": "bun",
    "package-lock.json": "npm",
}
_SCRIPTS = ("start", "dev", "serve")
# Watchers around a plain program, and how the program is started without them.
_RESTARTERS = {"nodemon": "node", "node-dev": "node", "ts-node-dev": "ts-node", "tsnd": "ts-node"}
# Servers that watch, rebuild and swap modules themselves.
_SERVERS = re.compile(
    r"\b(vite|next dev|nuxt dev|nuxi dev|astro dev|remix dev|react-router dev|webpack serve"
    r"|webpack-dev-server|ng serve|react-scripts start|vue-cli-service serve|parcel|gatsby develop"
    r"|svelte-kit dev|rsbuild dev|rspack serve|storybook dev|turbo (?:run )?dev|nest start)\b"
)
_PREVIEWS = re.compile(r"\b(next start|vite preview|nuxt start|astro preview)\b")
_WATCHING = re.compile(r"(^|\s)--(watch|hot)\b|\b(tsx|bun) watch\b|\b(nodemon|node-dev|tsnd)\b")
_MAINS = (
    "server.js",
    "app.js",
    "index.js",
    "main.js",
    "src/server.js",
    "src/index.js",
    "src/main.js",
    "server.mjs",
    "index.mjs",
    "src/index.mjs",
    "server.ts",
    "index.ts",
    "main.ts",
    "src/server.ts",
    "src/index.ts",
    "src/main.ts",
)
_BUILT = re.compile(r"^(?:\./)?(dist|build|out|lib|\.output)/")
_ONCE = "The server reloads the sources by itself; what it reads only once starts it again."
_CONFIGURATION = ["package.json", "*.config.js", "*.config.mjs", "*.config.ts", "tsconfig*.json"]


@dataclass(frozen=True, slots=True)
class Package:
    """A package.json, and what is beside it.

    Args:
        place: The project.
        manifest: The file, as far as it could be read.
        scripts: Those of its scripts that one line can show.
        manager: "npm", "pnpm", "yarn" or "bun".
        why: A sentence about the manager, or nothing.
        broken: What is wrong with the file, and where; "": it is JSON.
    """

    place: Place
    manifest: Mapping[str, Any]
    scripts: Mapping[str, str]
    manager: str
    why: tuple[str, ...]
    broken: str = ""

    @property
    def choices(self) -> list[str]:
        """The scripts that may start the app, the plainest first."""
        return [name for name in _SCRIPTS if name in self.scripts]

    def reloads(self, name: str) -> bool:
        """Whether a script is a server that reloads the sources by itself."""
        line = self.scripts[name]
        return bool(_SERVERS.search(line) or _PREVIEWS.search(line))

    def watches(self, name: str) -> bool:
        """Whether a script watches the sources, and restarts or reloads."""
        return self.reloads(name) or bool(_WATCHING.search(self.scripts[name]))

    def run(self, name: str) -> str:
        """Return the command that runs a script."""
        words = shells.words(self.scripts[name])
        hooks = {f"pre{name}", f"post{name}"} & {*self.scripts}
        # A package manager in front takes 0.3 s, and does not always pass a signal on.
        if words[:1] in (["node"], ["bun"]) and not hooks:
            return self.scripts[name]
        if self.manager == "bun" or name != "start":
            return f"{self.manager} run {name}"
        return f"{self.manager} start"


def find(place: Place, main: str = "") -> Found | None:
    """Find a project of Node.

    Args:
        place: Where.
        main: The script to run; "": decide.
    """
    if not place.has(FILE):
        return None
    package = _read(place)
    order = [main] if main in package.choices else package.choices
    for name in order:
        if not package.watches(name):
            what = f"{FILE} is here, with a script {name}"
            others = [each for each in package.choices if each != name and package.watches(each)]
            noted = [f"its script {other} watches by itself" for other in others]
            return _found(package, package.run(name), (what, *noted), name)
    return _watcher(package, order) or _server(package, order) or _program(package)


def _read(place: Place) -> Package:
    tree, broken = _parsed(place.text(FILE))
    manifest = tree if isinstance(tree, dict) else {}
    lines = _table(manifest, "scripts").items()
    scripts = {
        name: line.strip()
        for name, line in lines
        if isinstance(line, str) and line.strip() and line.isprintable()
    }
    return Package(place, manifest, scripts, *_manager(place, manifest), broken)


def _parsed(text: str) -> tuple[object, str]:
    """Return what the file says, and what is wrong with it."""
    try:
        return json.loads(text), ""
    except json.JSONDecodeError as error:
        return {}, f"line {error.lineno}, column {error.colno}: {error.msg}"
    except (ValueError, RecursionError):
        return {}, "it nests too deeply"


def _table(manifest: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = manifest.get(name)
    return value if isinstance(value, dict) else {}


def _manager(place: Place, manifest: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Tell npm, pnpm, yarn and bun apart, and by what."""
    named = manifest.get("packageManager")
    found = re.match(r"(npm|pnpm|yarn|bun)@", named) if isinstance(named, str) else None
    if found:
        return found[1], ()
    lock = place.first(*_LOCKS)
    manager = _LOCKS.get(lock, "npm")
    why = f"{lock} is here, so scripts are run by {manager}"
    return manager, () if manager == "npm" else (why,)


def _found(package: Package, command: str, because: tuple[str, ...], name: str = "") -> Found:
    build, output = _build(package, command)
    if build:
        because = (*because, f"{output}/ is made by the script build")
    made = [f"{output}/"] if build else []
    text = toml.document(
        toml.table("watch", ("exclude", _excluded(package.place), "")),
        toml.table("build", ("command", build, ""), ("outputs", made, KEPT)),
        toml.table("run", ("command", command, ""), _env_files(package)),
    )
    return _told(package, text, because, name)


def _told(package: Package, text: str, because: tuple[str, ...], name: str) -> Found:
    uses = f'"{package.manager} ' in text
    others = tuple(other for other in package.choices if other != name)
    because = (*because, *(package.why if uses else ()))
    return Found("node", text, because, (), others, FILE, name)


def _excluded(place: Place) -> list[str]:
    return [] if place.is_ignored("node_modules") else ["node_modules/"]


def _build(package: Package, command: str) -> tuple[str, str]:
    """Return the build command, and the directory that it makes, where the app runs from there."""
    files = [word for word in shells.words(command)[1:] if _BUILT.match(word)]
    started = [line.partition("node ")[2] for line in package.scripts.values()]
    built = next(filter(None, map(_BUILT.match, (*files, *started))), None)
    if "build" not in package.scripts or built is None:
        return "", ""
    return f"{package.manager} run build", built[1]


def _env_files(package: Package) -> toml.Entry:
    manifest = package.manifest
    names = {*_table(manifest, "dependencies"), *_table(manifest, "devDependencies")}
    wanted = package.place.has(".env") and "dotenv" in names
    return ("env_files", [".env"] if wanted else [], "A change of it restarts the app.")


# Scripts that watch


def _watcher(package: Package, order: Sequence[str]) -> Found | None:
    """Take the program out of a script that watches."""
    for name in order:
        line = package.scripts[name]
        program = "" if package.reloads(name) else _without_watcher(line)
        if program:
            because = f"{FILE} is here, and its script {name} watches by itself: `{line}`"
            plainly = "so the program is run without it: two watchers would restart it twice"
            return _found(package, program, (because, plainly), name)
    return None


def _without_watcher(line: str) -> str:
    """Return `node server.js` for `nodemon server.js`; "" when it is not that simple."""
    words = shells.words(line)
    if words[:1] == ["npx"]:
        words = words[1:]
    first, *rest = words or [""]
    rest = [word for word in rest if not re.fullmatch(r"--(watch|hot)(=.*|-path=.*)?", word)]
    if first in ("tsx", "bun") and rest[:1] == ["watch"]:
        rest = rest[1:]
    program = _RESTARTERS.get(first, first)
    # nodemon's own options are no options of node; --exec names another program.
    foreign = first in _RESTARTERS and any(word.startswith("-") for word in rest)
    if not rest or foreign or program not in ("node", "bun", "tsx", "ts-node"):
        return ""
    local = "npx " if program in ("tsx", "ts-node") else ""
    return f"{local}{program} {' '.join(map(shells.quoted, rest))}"


def _server(package: Package, order: Sequence[str]) -> Found | None:
    """Leave a development server to itself, but for its configuration."""
    servers = [name for name in ("dev", *order) if name in order and package.reloads(name)]
    if not servers:
        return None
    name, place = servers[0], package.place
    files = [*_CONFIGURATION, *(lock for lock in _LOCKS if place.has(lock))]
    command = f"{package.manager} run {name}"
    text = toml.document(
        toml.table("watch", ("include", files, _ONCE), ("exclude", _excluded(place), "")),
        toml.table("run", ("command", command, ""), _env_files(package)),
    )
    line = package.scripts[name]
    because = (
        f"{FILE} is here, and its script {name} is `{line}`, which reloads by itself",
        "so hotrun restarts it for its configuration only",
    )
    return _told(package, text, because, name)


# No script


def _program(package: Package) -> Found | None:
    """Take the main file of a package that has no script to run it."""
    named = package.manifest.get("main")
    files = [named] if isinstance(named, str) and _is_plain(named) else []
    file = package.place.first(*files, *_MAINS)
    if not file:
        return None
    command = f"node {file}"
    if file.endswith("ts"):
        command = f"bun {file}" if package.manager == "bun" else f"npx tsx {file}"
    whose = "its main" if file == named else "there"
    what = f"{FILE} is here without a start script, and {file} is {whose}"
    if package.broken:
        what = f"{FILE} is no JSON ({package.broken}): node starts nothing until it is mended"
        return _found(package, command, (what, f"{file} is there, and is run"))
    return _found(package, command, (what,))


def _is_plain(path: str) -> bool:
    return bool(re.fullmatch(r"(?:\./)?[\w@][\w./@-]*\.[cm]?[jt]s", path)) and ".." not in path
