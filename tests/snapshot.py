"""What is in a tree: names and contents. A build command of the tests, and their yardstick."""

from __future__ import annotations

import hashlib
import json
import os
import sys

Tree = dict[str, list[str]]


def take(root: str) -> Tree:
    """Return what there is by its path: a link's target, or a file's digest and its x bit."""
    tree: Tree = {}
    for directory, below, names in os.walk(root):
        below[:] = [name for name in below if name not in {".git", ".hotrun"}]
        links = [name for name in below if os.path.islink(os.path.join(directory, name))]
        for name in (*names, *links):
            path = os.path.join(directory, name)
            try:
                tree[os.path.relpath(path, root)] = _entry(path)
            except OSError:  # it went away meanwhile: a later build will tell
                continue
    return tree


def _entry(path: str) -> list[str]:
    if os.path.islink(path):
        return ["link", os.readlink(path)]
    with open(path, "rb") as file:
        digest = hashlib.blake2b(file.read(), digest_size=16).hexdigest()
        return ["file", digest, "x" if os.fstat(file.fileno()).st_mode & 0o111 else "-"]


def save(tree: Tree, path: str) -> None:
    """Write a snapshot, whole or not at all."""
    draft = f"{path}.{os.getpid()}"
    with open(draft, "w", encoding="ascii") as file:
        json.dump(tree, file)
    os.replace(draft, path)


def load(path: str) -> Tree:
    """Read a snapshot."""
    with open(path, encoding="ascii") as file:
        tree: Tree = json.load(file)
    return tree


if __name__ == "__main__":
    save(take(sys.argv[1]), sys.argv[2])
