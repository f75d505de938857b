"""Fixtures for tests that listen to a real tree (what they are made of: ear.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import pytest
from ear import Ear, Options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> str:
    """An empty directory to watch, with nothing of ours beside it."""
    root = tmp_path / "above" / "root"
    root.mkdir(parents=True)
    return str(root)


@pytest.fixture
def listen(tmp_path: Path) -> Iterator[Callable[..., Ear]]:
    """Make ears; they are closed at the end."""
    ears: list[Ear] = []

    def listen(*roots: str, **options: Unpack[Options]) -> Ear:
        ears.append(Ear(str(tmp_path / "cookies"), *roots, **options))
        return ears[-1]

    yield listen
    for ear in ears:
        ear.watcher.close()
