"""New projects, made from the folders under templates/.

The law: all or nothing. A project is made in a temporary folder beside its place and moved there
at once; what goes wrong leaves nothing behind, and nothing that was there is touched. Making one
needs no network and no tool but Python.

In a template `__hotrun_module__` and its like stand for what the project's name gives: they are
words in every language here, and none of these means anything by them. A file's suffix
`.tmpl` is dropped (a real go.mod would make this folder a Go module), and `gitignore` gets its dot
(a real one would keep files out of the wheel).
"""

from __future__ import annotations

import errno
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import unicodedata
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from hotrun.errors import ConfigError
from hotrun.process import command as commands
from hotrun.project import schema_file
from hotrun.project.catalogue import AS_IT_IS, TEMPLATES

if TYPE_CHECKING:
    from collections.abc import Iterator

_HOME = os.path.join(os.path.dirname(os.path.abspath(__file__)), "templates")
_PLACEHOLDER = re.compile(rb"__hotrun_(module|name|title|js_title)__")

# Set by git for its hooks and aliases; `git init` would take them for the new project's own.
_GIT_PLACES = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
)
_GIT_LIMIT = 10.0  # seconds; a hook or a network folder may hang, `git init` itself takes 5 ms

# Not usable as a Go module path, found by trying: packages of the standard library ("ambiguous
# import"), words the go command keeps to itself, and names Windows has taken.
_TAKEN_WORDS = """
arena bufio builtin bytes cmp context crypto embed encoding errors expvar flag fmt hash html image
io iter log maps math mime net os path plugin reflect regexp runtime simd slices sort strconv
strings structs sync syscall testing time unicode unique unsafe uuid weak
all cmd go internal main std tool vendor work
aux con nul prn com1 com2 com3 com4 com5 com6 com7 com8 com9
lpt1 lpt2 lpt3 lpt4 lpt5 lpt6 lpt7 lpt8 lpt9
"""
_TAKEN = frozenset(_TAKEN_WORDS.split())


@dataclass(frozen=True, slots=True)
class Project:
    """What was made.

    Args:
        path: The project's folder, absolute.
        name: The folder's name, which is the project's.
        module: The Go module path derived from the name.
        files: The files written, relative to path, sorted.
        warning: What did not work and does not matter much; empty when all did.
    """

    path: str
    name: str
    module: str
    files: tuple[str, ...]
    warning: str = ""


def create(target: str, template: str) -> Project:
    """Make a new project, or leave everything as it was.

    Args:
        target: The folder: a new one (with its parents), or an empty one.
        template: A key of TEMPLATES.

    Raises:
        ConfigError: Nothing was made, and this is why.
    """
    _check_template(template)
    try:
        path = os.path.abspath(target)
        _check_name(target, target)
        _check_name(os.path.basename(path), target)
        _check_free(path, target)
        with _parents(os.path.dirname(path)):
            return _make(path, template)
    except OSError as exc:
        reason = exc.strerror or str(exc)
        raise ConfigError(f"cannot create {target}: {reason}", _hint_for(exc)) from exc


def module_path(name: str) -> str:
    """Derive a valid Go module path from a project's name: `My App` gives `my-app`."""
    letters = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    path = re.sub(r"[^a-z0-9._]+", "-", letters).strip("-._") or "app"
    return f"{path}-app" if path.partition(".")[0] in _TAKEN else path


def find_tool(tool: str) -> str | None:
    """Find a command on PATH or beside this Python, where pip puts it."""
    return commands.find(tool, os.environ, os.getcwd())


def _check_template(template: str) -> None:
    if template in TEMPLATES:
        return
    raise ConfigError(f"no template is called {_quoted(template)}", _suggestion(template))


def _suggestion(word: str) -> str:
    names = {alias: name for name, known in TEMPLATES.items() for alias in (name, *known.aliases)}
    # Before what is spelled like it: "rust" is near to "rest".
    if (known := word.casefold()) in AS_IT_IS:
        return f"`hotrun run` works in such a project as it is; {_listed()}"
    near = get_close_matches(known, names, n=1, cutoff=0.7)
    return f'did you mean "{names[near[0]]}"?' if near else _listed()


def _listed() -> str:
    return f"there is: {', '.join(TEMPLATES)}"


def _check_name(name: str, target: str) -> None:
    """Refuse what cannot be, or cannot be meant as, the name of a project."""
    # A backslash is a path from Windows; and Go takes it for the start of a glob when it embeds.
    unfit = {"Cc", "Cs"} & {unicodedata.category(char) for char in name}
    if unfit or "\\" in name or not name.strip():
        wrong = _quoted(name or target)
        raise ConfigError(f"{wrong} is no name for a project", "for example: hotrun new my-app")


def _quoted(text: str) -> str:
    return f'"{text}"' if text.isprintable() else ascii(text)


def _check_free(path: str, target: str) -> None:
    """Refuse a place where there is something: a new project never overwrites."""
    if not os.path.lexists(path):
        return
    if not os.path.isdir(path):
        raise ConfigError(f"{target} exists and is not a directory", "choose another name")
    if os.listdir(path):
        here = os.path.samefile(path, ".")
        init = "hotrun init" if here else shlex.join(("hotrun", "init", "-C", target))
        raise ConfigError(
            f"{'this directory' if here else f'{target} exists and'} is not empty",
            f"`{init}` is for a project that is there already; or choose another name",
        )


def _hint_for(exc: OSError) -> str:
    match exc.errno:
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return "choose a directory that you may write to"
        case errno.ENAMETOOLONG:
            return "choose a shorter name"
        case errno.ENOSPC | errno.EDQUOT:
            return "make room on that disk, or choose another"
        case _:
            return "nothing was left behind; mend that and try again, or choose another place"


@contextmanager
def _parents(path: str) -> Iterator[None]:
    """Make the missing directories up to path, and take them away again if the body fails."""
    made: list[str] = []
    try:
        for directory in _missing(path):
            os.mkdir(directory)
            made.append(directory)
        yield
    except BaseException:
        for directory in reversed(made):
            with suppress(OSError):  # somebody else put something there: theirs now
                os.rmdir(directory)
        raise


def _missing(path: str) -> list[str]:
    missing: list[str] = []
    while not os.path.lexists(path):
        missing.insert(0, path)
        path = os.path.dirname(path)
    return missing


def _make(path: str, template: str) -> Project:
    """Make the project in a temporary folder on the same file system, then move it."""
    # An existing directory is filled, not replaced: it may be a mount point or a link, and a
    # shell standing in it would be left in a directory that is gone.
    fill = os.path.isdir(path)
    home = path if fill else os.path.dirname(path)
    name = os.path.basename(path)
    with tempfile.TemporaryDirectory(
        prefix=".hotrun-new-", dir=home, ignore_cleanup_errors=True
    ) as stage:
        # mkdtemp gives mode 0700; a folder of our own in it gets what the umask says.
        draft = os.path.join(stage, "project")
        os.mkdir(draft)
        files = _write(draft, template, name)
        schema_file.write(draft)
        warning = "" if _in_git(home) else _git_init(draft)
        if fill:
            _fill(path, draft)
        else:
            os.rename(draft, path)
    return Project(path, name, module_path(name), files, warning)


def _write(draft: str, template: str, name: str) -> tuple[str, ...]:
    words = {
        b"module": module_path(name),
        b"name": name,
        b"title": _literal(name, "\\U{:08x}"),
        b"js_title": _literal(name, "\\u{{{:x}}}"),
    }
    encoded = {word: text.encode() for word, text in words.items()}

    def replaced(text: bytes) -> bytes:
        return _PLACEHOLDER.sub(lambda match: encoded[match[1]], text)

    written = []
    for source, relative in _sources(template):
        out = _real_name(os.fsdecode(replaced(os.fsencode(relative))))
        os.makedirs(os.path.dirname(os.path.join(draft, out)), exist_ok=True)
        with open(source, "rb") as read, open(os.path.join(draft, out), "xb") as write:
            write.write(replaced(read.read()))
        written.append(out)
    return tuple(sorted(written))


def _sources(template: str) -> Iterator[tuple[str, str]]:
    for folder in TEMPLATES[template].folders:
        yield from _files(os.path.join(_HOME, folder))


def _files(root: str) -> Iterator[tuple[str, str]]:
    for directory, folders, names in os.walk(root):
        # Whoever installs hotrun compiles what ends in .py, and that lands here.
        folders[:] = [folder for folder in folders if folder != "__pycache__"]
        for name in names:
            source = os.path.join(directory, name)
            yield source, os.path.relpath(source, root)


def _real_name(relative: str) -> str:
    directory, name = os.path.split(relative)
    name = ".gitignore" if name == "gitignore" else name.removesuffix(".tmpl")
    return os.path.join(directory, name)


def _literal(text: str, escape: str) -> str:
    """Write a text as a string of Go, Python and C, or of JavaScript.

    Args:
        text: Without a backslash.
        escape: How the language writes a character, by its number, that cannot be seen.
    """
    seen = "".join(char if char.isprintable() else escape.format(ord(char)) for char in text)
    return '"' + seen.replace('"', '\\"') + '"'


def _fill(path: str, draft: str) -> None:
    """Move what is in draft into an empty directory; all of it, or nothing."""
    moved: list[str] = []
    try:
        for entry in os.listdir(draft):
            _move_new(os.path.join(draft, entry), os.path.join(path, entry))
            moved.append(entry)
    except BaseException:
        for entry in moved:
            os.rename(os.path.join(path, entry), os.path.join(draft, entry))
        raise


def _move_new(source: str, target: str) -> None:
    """Move, where rename alone would overwrite a file that has appeared meanwhile."""
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, f"{os.path.basename(target)} has appeared there")
    os.rename(source, target)


def _in_git(directory: str) -> bool:
    """Tell whether a directory is inside a git work tree, whoever owns it and with no git."""
    directory = os.path.realpath(directory)
    while not os.path.lexists(os.path.join(directory, ".git")):
        parent = os.path.dirname(directory)
        if parent == directory:
            return False
        directory = parent
    return True


def _git_init(draft: str) -> str:
    """Make draft a git repository if git is there; what went wrong is returned, not raised."""
    git = shutil.which("git")
    if git is None:
        return ""
    env = {key: value for key, value in os.environ.items() if key not in _GIT_PLACES}
    try:
        done = subprocess.run(
            [git, "init", "-q"],
            cwd=draft,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_GIT_LIMIT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        problem = str(exc)
    else:
        if done.returncode == 0:
            return ""
        problem = done.stderr.decode(errors="replace").strip() or f"exit {done.returncode}"
    shutil.rmtree(os.path.join(draft, ".git"), ignore_errors=True)
    return f"not a git repository: git init failed: {problem.splitlines()[0]}"
