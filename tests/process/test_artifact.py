"""The same bytes or not: never by time, never in doubt."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hotrun.process import artifact
from hotrun.process.artifact import Artifact


@pytest.fixture
def app(tmp_path: Path) -> Path:
    path = tmp_path / "app"
    path.write_bytes(b"x" * 200_000)
    return path


def started(*outputs: Path | str) -> Artifact:
    """What a service does when it starts the app."""
    result = Artifact([str(output) for output in outputs])
    result.forget()
    result.remember()
    return result


def test_the_same_bytes_are_the_same_whatever_was_touched(app: Path) -> None:
    known = started(app)
    assert known.same()
    os.utime(app, (1, 1))
    assert known.same()
    app.with_name("new").write_bytes(app.read_bytes())
    app.with_name("new").rename(app)
    assert known.same()


@pytest.mark.parametrize("at", [0, 100_000, 199_999])
def test_one_other_byte_of_the_same_size_is_another(app: Path, at: int) -> None:
    known = started(app)
    data = bytearray(app.read_bytes())
    data[at] ^= 1
    app.write_bytes(data)
    assert not known.same()


@pytest.mark.parametrize("data", [b"", b"x" * 199_999, b"x" * 200_001])
def test_another_size_is_another(app: Path, data: bytes) -> None:
    known = started(app)
    app.write_bytes(data)
    assert not known.same()


def test_nothing_is_the_same_as_nothing(tmp_path: Path, app: Path) -> None:
    assert not Artifact([]).known
    assert not started().same()
    assert not started(tmp_path / "missing").same()
    known = Artifact([str(app)])
    assert known.known
    assert not known.same()
    known = started(app)
    known.forget()
    assert not known.same()
    known = started(app)
    app.unlink()
    assert not known.same()


def test_a_directory_means_all_below_it(tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    (dist / "a/.hidden").mkdir(parents=True)
    (dist / "a/.hidden/file").write_text("1")
    (dist / "b.js").write_text("2")
    known = started(dist)
    assert known.same()
    (dist / "a/.hidden/file").write_text("3")
    assert not known.same()
    known = started(dist)
    (dist / "c.js").write_text("")
    assert not known.same()
    known = started(dist)
    (dist / "b.js").unlink()
    assert not known.same()


@pytest.mark.parametrize("pattern", ["dist/**", "dist/*", "dist/**/*.js", "d?st"])
def test_globs_see_hidden_files_too(tmp_path: Path, pattern: str) -> None:
    for name in ("dist/.vite.js/x.js", "dist/sub/y.js", "dist/.z.js"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    for name in ("dist/.vite.js/x.js", "dist/sub/y.js", "dist/.z.js"):
        known = started(tmp_path / pattern)
        assert known.same()
        (tmp_path / name).write_text(name.upper())
        assert not known.same()


def test_brackets_in_a_directory_that_exists_are_no_glob(tmp_path: Path) -> None:
    project = tmp_path / "app[1]" / "*"
    (project / "bin").mkdir(parents=True)
    (project / "bin/app[2]").write_text("1")
    for output in ("bin/app[2]", "bin/*", "bin", "**"):
        known = started(project / output)
        assert known.same(), output
        (project / "bin/app[2]").write_text(output)
        assert not known.same(), output


def test_a_link_to_a_directory_is_what_it_points_to(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("same")
    dist = tmp_path / "dist"
    dist.mkdir()
    (dist / "current").symlink_to(tmp_path / "one")
    known = started(dist)
    assert known.same()
    (dist / "current").unlink()
    (dist / "current").symlink_to(tmp_path / "two")
    assert not known.same()


def test_what_has_no_content_of_its_own_is_not_compared(tmp_path: Path) -> None:
    """Reading a fifo would wait for ever; /dev/null is always the same."""
    os.mkfifo(tmp_path / "fifo")
    assert not started(tmp_path / "fifo").same()
    assert not started("/dev/null").same()
    assert not started("/dev/zero").same()


def test_a_link_that_leads_nowhere_is_not_there(tmp_path: Path, app: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert started(app, tmp_path / "link").same()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_cannot_be_read_is_another(app: Path) -> None:
    app.chmod(0)
    assert not started(app).same()


def test_more_files_than_are_worth_it_are_another(tmp_path: Path) -> None:
    for number in range(artifact.MOST + 1):
        (tmp_path / str(number)).touch()
    assert not started(tmp_path).same()
    (tmp_path / "0").unlink()
    assert started(tmp_path).same()


def test_more_bytes_than_are_worth_it_are_another(tmp_path: Path) -> None:
    with open(tmp_path / "huge", "wb") as file:
        file.truncate(artifact.LARGEST + 1)
    assert not started(tmp_path / "huge").same()


def test_what_the_next_build_wrote_is_not_taken_for_the_app(app: Path) -> None:
    """It may be faster than we are: it begins right after the start of the app."""
    known = Artifact([str(app)])
    known.forget()
    app.write_bytes(b"y" * 200_000)
    known.remember()
    assert not known.same()
