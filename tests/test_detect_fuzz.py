"""Detection never raises, and what it answers always loads: whatever bytes are in the project."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest
from trees import PROJECTS, plant

from hotrun.config import load_text
from hotrun.project.detect import detect

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS = 12
PIECES = [bytes([byte]) for byte in b"\x00\"'\\\n[{(=:\x7f#"]
PIECES += [b"\xff\xfe", b"\xed\xa0\x80", "ü→".encode(), b'"\\u0000"', b'"\\ud800"']


def spoilt(rng: random.Random, data: bytes) -> bytes:
    """Return data with something wrong in it, or nothing of it at all."""
    match rng.randrange(5):
        case 0:
            return rng.randbytes(rng.randrange(300))
        case 1:
            return data[: rng.randrange(len(data) + 1)]
        case 2:
            at = rng.randrange(len(data) + 1)
            return data[:at] + rng.choice(PIECES) * rng.randrange(1, 4) + data[at:]
        case 3:
            lines = data.split(b"\n")
            rng.shuffle(lines)
            return b"\n".join(lines)
        case _:
            return bytes(byte ^ (rng.random() < 0.05) * rng.randrange(256) for byte in data)


@pytest.mark.parametrize("name", PROJECTS)
def test_spoilt_files_never_raise_and_what_is_found_loads(tmp_path: Path, name: str) -> None:
    rng = random.Random(name)
    plant(tmp_path, PROJECTS[name])
    for _ in range(ROUNDS):
        for file, text in PROJECTS[name].items():
            data = text.encode()
            (tmp_path / file).write_bytes(spoilt(rng, data) if rng.random() < 0.7 else data)
        found = detect(str(tmp_path))
        if found is not None:
            load_text(found.text, str(tmp_path))
            found.text.encode()
            "\n".join((*found.because, *found.left_out, *found.choices)).encode()


def test_names_that_are_no_text_are_passed_over(tmp_path: Path) -> None:
    plant(tmp_path, PROJECTS["go-commands"])
    strange = os.fsencode(tmp_path / "cmd") + b"/a\xff\nb"
    os.mkdir(strange)
    with open(strange + b"/main.go", "wb") as file:
        file.write(b"package main\n\nfunc main() {}\n")
    found = detect(str(tmp_path))
    assert found is not None
    assert {found.chosen, *found.choices} == {"./cmd/shop", "./cmd/admin"}


@pytest.mark.parametrize("name", PROJECTS)
def test_directories_pipes_and_unreadable_files_are_not_there(tmp_path: Path, name: str) -> None:
    for number, file in enumerate(PROJECTS[name]):
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        if number % 3 == 0:
            path.mkdir()
        elif number % 3 == 1:
            os.mkfifo(path)
        else:
            path.symlink_to(path)
    found = detect(str(tmp_path))
    if found is not None:
        load_text(found.text, str(tmp_path))


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("package.json", "[" * 100_000),
        ("bee.json", '{"a":' * 100_000),
        (".air.toml", "a = " + "[" * 100_000),
        (".air.toml", "[build]\ndelay = " + "9" * 5_000),
        (".air.toml", '[build]\nsend_interrupt = true\nkill_delay = "' + "9" * 500 + 's"'),
        ("Beefile", "a:\n" + "".join(" " * n + "b:\n" for n in range(1, 500))),
        ("Beefile", "x" * 1_000_000 + ":"),
        ("Makefile", "a" + " " * 100_000 + "\n"),
        ("Makefile", "A = $(A) $(A) $(A)\nall: $(A)\n\tcc -o $(A)\n"),
        ("CMakeLists.txt", "a(" * 50_000),
        ("Cargo.toml", "[workspace]\nmembers = ['" + "*/" * 1_000 + "']"),
        ("main.go", "/*" * 100_000),
        ("go.work", "use (" * 10_000),
        ("main.py", "app = " * 100_000),
    ],
)
def test_hostile_files_are_read_in_no_time(tmp_path: Path, file: str, text: str) -> None:
    plant(tmp_path, {file: text})
    found = detect(str(tmp_path))
    if found is not None:
        load_text(found.text, str(tmp_path))
