"""Random repositories: trees with ignore rules in all places where rules may be."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from oracle import put, work_tree

if TYPE_CHECKING:
    import random

NAMES = ["a", "b", "ab", "foo", "foo.o", "x.tar.gz", ".e", "A", "aXb", "7", "-", "build", "src"]
NAMES += ["build.go", "node_modules", "Foo.O", "BUILD", "c++", "a.b.c", "..a", "^", "a,b", "{a}"]
ODD = ["#h", "!n", "s ", "t\t", "b\\", "[a", "]", "n\nl", "ü", "Ü", "\udce9", "\udcc9", "a*b", "?"]
ODD += ["\\", " ", "\\ ", "**", "*", "r\r", "\udcff\udcfe", "e\u0301", "a ", "[ab]", "日本", "\x01"]
ATOMS = ["a", "b", "foo", ".o", "x", "gz", "A", "*", "*", "*", "**", "?", "[ab]", "[!a]", "[^b-z]"]
ATOMS += ["[[:alpha:]]", "[[:upper:]]", "[[:punct:]]", "[a-", "[]]", "[A-Z]", "\\a", "\\A", "\\*"]
ATOMS += ["[\\]-a]", "[--0]", "[[:x:]]", "[[:]", "[a[:digit:]-]", "ü", "\\", " ", "\\ ", "\t", "Z"]
ATOMS += ["[[:lower:]]", "[[:space:]]", "[z-a]", "[^]]", "[!-]", "[a\\-z]", "[\udce9]", "\udce9"]
RAW = b"aabb**??[]!!\\//  \t\r\0#^-:.\xe9\xc3\xbc"

# --- patterns ---


def random_line(chance: random.Random, paths: list[str]) -> bytes:
    """Make a line of an ignore file, most often one that speaks of some of the paths."""
    kind = chance.random()
    if kind < 0.05:
        return bytes(chance.choices(RAW, k=chance.randint(0, 9)))
    if kind < 0.08:
        return chance.choice(
            (b"", b"# comment", b" ", b"\t", b"!", b"/", b"**", b"*", b"!*", b"!*/")
        )
    segments = near(chance, chance.choice(paths)) if kind < 0.55 else invented(chance)
    start = chance.choice(("", "", "", "/", "!", "!", "!/", "**/", "\\", "#", "./", "!**/", " "))
    end = chance.choice(("", "", "", "", "/", "/", "/*", "/**", " ", "\t", "\\ ", "  ", "\\", "//"))
    return os.fsencode(start + "/".join(segments) + end)


def invented(chance: random.Random) -> list[str]:
    """Make the elements of a pattern out of nothing."""
    segments = []
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 4))):
        kind = chance.random()
        if kind < 0.4:
            segments.append(chance.choice(NAMES))
        elif kind < 0.55:
            segments.append(escaped(chance, chance.choice(ODD)))
        elif kind < 0.7:
            segments.append(chance.choice(("*", "**", "**", "*.o", "*.gz", "***", "", "*.*", "?*")))
        else:
            segments.append("".join(chance.choices(ATOMS, k=chance.randint(1, 4))))
    return segments


def near(chance: random.Random, path: str) -> list[str]:
    """Make the elements of a pattern that matches a path, or nearly does."""
    segments = path.split("/")
    segments = segments[chance.choice((0, 0, -1, -1, -2)) :]
    segments = [blurred(chance, name) for name in segments]
    if chance.random() < 0.2:
        segments.insert(chance.randint(0, len(segments)), chance.choice(("**", "*", "***")))
    if len(segments) > 1 and chance.random() < 0.15:
        segments[chance.randrange(len(segments))] = chance.choice(("**", "*", "?"))
    if len(segments) > 1 and chance.random() < 0.1:
        del segments[chance.randrange(len(segments))]
    return segments


def blurred(chance: random.Random, name: str) -> str:
    """Make a glob for a name, or for one that resembles it."""
    kind, at = chance.random(), chance.randrange(len(name))
    before, char, after = name[:at], name[at], name[at + 1 :]
    if kind < 0.45:
        return escaped(chance, name)
    if kind < 0.55:
        return chance.choice((f"*{after}", f"{before}*", f"{before}*{after}", f"{before}**{after}"))
    if kind < 0.8:
        mark = chance.choice(("?", f"[{char}]", f"[!{char}]", f"\\{char}", "[a-z]", "[^a-m]", "*?"))
        return before + mark + after
    if kind < 0.9:
        return name.swapcase()
    return name + chance.choice(("x", "*", "?", "[", "\\"))


def escaped(chance: random.Random, name: str) -> str:
    """Write a name as it has to be written in a pattern, or sometimes as it is."""
    if chance.random() < 0.3:
        return name
    return "".join(f"\\{char}" if char in "*?[\\!# " else char for char in name)


def random_file(chance: random.Random, paths: list[str]) -> bytes:
    """Make an ignore file."""
    lines = [random_line(chance, paths) for _ in range(chance.choice((1, 2, 3, 5, 8, 20)))]
    if chance.random() < 0.1:
        lines.insert(0, b"\xef\xbb\xbf*.bom")
    return chance.choice((b"\n", b"\n", b"\n", b"\r\n")).join(lines) + chance.choice((b"", b"\n"))


# --- trees ---


def random_tree(chance: random.Random, top: str) -> tuple[list[str], list[str]]:
    """Fill a directory with directories, files and links; return the directories, and all."""
    directories, paths = [""], []
    for _ in range(chance.randint(30, 90)):
        path = chance.choice(directories) + any_name(chance)
        full = os.path.join(top, path)
        if os.path.lexists(full):
            continue
        kind = chance.random()
        if kind < 0.4 and path.count("/") < 5:
            os.mkdir(full)
            directories.append(path + "/")
        elif kind < 0.9:
            put(top, path)
        else:
            os.symlink(chance.choice((".", "nowhere", "/", "a")), full)
        paths.append(path)
    return directories, paths


def any_name(chance: random.Random) -> str:
    """Choose a name; a third of them are odd."""
    return chance.choice(ODD if chance.random() < 0.3 else NAMES)


def absent(chance: random.Random, top: str, directories: list[str], paths: list[str]) -> list[str]:
    """Make paths of what is not there, and of what would be in what is not there, or is a file."""
    names = [chance.choice(directories) + any_name(chance) for _ in range(150)]
    names += [path.swapcase() for path in chance.choices(paths, k=30)]
    names = [path for path in names if not os.path.lexists(os.path.join(top, path))]
    files = [path for path in paths if is_file(os.path.join(top, path))]
    above = chance.choices([*names, *files], k=40)
    return names + [f"{path}/{any_name(chance)}" for path in above]


def is_file(path: str) -> bool:
    """Whether there is a file, and no link to one."""
    return os.path.isfile(path) and not os.path.islink(path)


def random_repository(chance: random.Random, top: str, home: str) -> list[str]:
    """Make a work tree with rules in all places where rules may be; return paths to ask about."""
    work_tree(top)
    directories, paths = random_tree(chance, top)
    paths = paths or [put(top, "a").removeprefix(f"{top}/")]
    for directory in directories:
        if chance.random() < (0.3 if directory else 0.9):
            below = [path[len(directory) :] for path in paths if path.startswith(directory)]
            random_ignore_file(chance, top, directory, below or paths)
    if chance.random() < 0.3:
        put(top, ".git/info/exclude", random_file(chance, paths))
    random_settings(chance, top, home, paths)
    asked = paths + absent(chance, top, directories, paths)
    return [path for path in dict.fromkeys(asked) if not is_behind_link(top, path)]


def is_behind_link(top: str, path: str) -> bool:
    """Whether git refuses a path, and all others with it."""
    while path := path.rpartition("/")[0]:
        if os.path.islink(os.path.join(top, path)):
            return True
    return False


def random_ignore_file(chance: random.Random, top: str, directory: str, paths: list[str]) -> None:
    """Put a .gitignore, or something else by that name, into a directory."""
    name, kind = f"{directory}.gitignore", chance.random()
    if kind < 0.92:
        put(top, name, random_file(chance, paths))
    elif kind < 0.96:
        put(top, "rules", random_file(chance, paths))
        os.symlink(os.path.join(top, "rules"), os.path.join(top, name))
    else:
        os.mkdir(os.path.join(top, name))


def random_settings(chance: random.Random, top: str, home: str, paths: list[str]) -> None:
    """Write settings of git: an exclude file or two, and whether case counts."""
    excludes = chance.choice(("", "", "xdg", "~/mine", "inside", f"{home}/mine"))
    file = {"xdg": f"{home}/xdg/git/ignore", "inside": f"{top}/inside"}.get(
        excludes, f"{home}/mine"
    )
    if excludes:
        put(home, file, random_file(chance, paths))
    lines = [] if excludes in {"", "xdg"} else [f"excludesFile = {excludes}"]
    case = chance.choice(("", "", "", "", "ignorecase", "ignoreCase = true", "ignorecase = off"))
    lines += [case] if case else []
    own = excludes == "inside" or chance.random() < 0.5
    put(*((top, ".git/config") if own else (home, ".gitconfig")), "\n\t".join(["[core]", *lines]))
