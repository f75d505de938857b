"""Builds by make, which believes what the times of files say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from live import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from live import Live, Project

    Start = Callable[..., Live]


def configure(project: Project, makefile: str, on_busy: str = "cancel") -> None:
    """Let make build ``result``, and a build wait where ``gate`` says so."""
    gate = f"while test -e {project.out}/gate; do sleep 0.01; done"
    project.write("Makefile", makefile.replace("GATE", gate).replace("    ", "\t"))
    project.config(command="make -s", outputs=["*.part", "result"], on_busy=on_busy)


def result(project: Project) -> str:
    return (project.path / "result").read_text()


def test_a_target_that_was_half_made_when_its_build_was_cancelled_is_made_anew(
    project: Project, start: Start
) -> None:
    """On SIGTERM make deletes it; torn as it is, it is newer than its source."""
    configure(
        project,
        "result: a.part b.part\n    cat a.part b.part >result\n"
        f"a.part: a.txt\n    echo half >a.part; touch {project.out}/half; GATE; cat a.txt >a.part\n"
        "b.part: b.txt\n    cat b.txt >b.part\n",
    )
    project.write("a.txt", "a1\n")
    project.write("b.txt", "b1\n")
    session = start()
    session.wait_for("build_finished", ok=True)
    (project.out / "half").unlink()
    (project.out / "gate").touch()
    project.write("a.txt", "a2\n")
    until((project.out / "half").exists, "the half of a target")
    project.write("b.txt", "b2\n")
    session.wait_for("build_cancelled")
    (project.out / "gate").unlink()
    session.wait_for("build_finished", ok=True)
    assert result(project) == "a2\nb2\n"


def test_what_is_saved_while_make_makes_from_the_bytes_before_is_made_too(
    project: Project, start: Start
) -> None:
    """The target becomes newer than the save, and make would say that it is up to date."""
    configure(
        project,
        "result: a.txt\n"
        f"    text=`cat a.txt`; touch {project.out}/read; GATE; echo $$text >result\n",
        "finish",
    )
    project.write("a.txt", "one\n")
    session = start()
    session.wait_for("build_finished", ok=True)
    (project.out / "read").unlink()
    (project.out / "gate").touch()
    project.write("a.txt", "two\n")
    session.wait_for("changed", paths=["a.txt"])
    until((project.out / "read").exists, "a build that has read its source")
    project.write("a.txt", "three\n")
    session.wait_for("changed", paths=["a.txt"])
    (project.out / "gate").unlink()
    session.wait_for("build_finished", ok=True)
    session.wait_for("build_finished", ok=True)
    assert result(project) == "three\n"
