"""What is heard in each situation of ``scripts/``, from each backend this system has."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import BACKENDS, Run, scripts

SCRIPTS = scripts(Path(__file__).parent / "scripts")


PAIRS = [
    (name, backend, eager)
    for name, script in SCRIPTS.items()
    for backend in BACKENDS
    for eager in (False, True)
    # Races on the fake kqueue are the matter of test_kqueue_walk.py.
    if script.only in ("", backend) and not (eager and backend == "kqueue")
]


@pytest.mark.parametrize(("name", "backend", "eager"), PAIRS)
def test_what_is_heard(name: str, backend: str, tmp_path: Path, *, eager: bool) -> None:
    with Run(SCRIPTS[name], str(tmp_path), backend, eager=eager) as run:
        run.go()
