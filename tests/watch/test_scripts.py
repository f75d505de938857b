"""What is heard in each situation of ``scripts/``, from each backend this system has."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import BACKENDS, Run, scripts

SCRIPTS = scripts(Path(__file__).parent / "scripts")


PAIRS = [
    (name, backend)
    for name, script in SCRIPTS.items()
    for backend in BACKENDS
    if script.only in ("", backend)
]


@pytest.mark.parametrize("eager", [False, True], ids=["late", "eager"])
@pytest.mark.parametrize(("name", "backend"), PAIRS)
def test_what_is_heard(name: str, backend: str, tmp_path: Path, *, eager: bool) -> None:
    with Run(SCRIPTS[name], str(tmp_path), backend, eager=eager) as run:
        run.go()
