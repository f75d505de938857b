"""Sources that the build reads and no root covers: found by the real go command, and told."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from inputs.rig import Rig, write

from hotrun.config import load_text
from hotrun.inputs import Inputs
from hotrun.inputs.now import look
from hotrun.project.explain import Explainer
from hotrun.project.modules import above
from hotrun.project.plan import plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from hotrun.host import Host
    from hotrun.inputs.outside import Outside

BUILD = "[build]\ncommand = 'go build -o app .'\nenv = { GOFLAGS = '', GOWORK = '' }\n"
MAIN = 'package main\n\nimport _ "ex.com/{}"\n\nfunc main() {{}}\n'
REPLACED = {
    "go.mod": "module ex.com/a\n\nrequire ex.com/rep v0.0.0\n\nreplace ex.com/rep => ../rep\n",
    "main.go": MAIN.format("rep/deep"),
    "../rep/go.mod": "module ex.com/rep\n",
    "../rep/deep/d.go": "package deep\n",
}
WORKSPACE = {
    "go.mod": "module ex.com/a\n",
    "main.go": MAIN.format("b"),
    "../b/go.mod": "module ex.com/b\n",
    "../b/b.go": 'package b\n\nimport _ "ex.com/c"\n',
    "../c/go.mod": "module ex.com/c\n",
    "../c/c.go": "package c\n",
    "../go.work": "go 1.21\n\nuse (\n\t./a\n\t./b\n\t./c\n)\n",
}
# The project is one directory of a bigger module.
PART = {
    "../go.mod": "module ex.com/all\n",
    "main.go": MAIN.format("all/lib/deep").replace(
        "\n\nfunc", '\nimport _ "ex.com/all/lib"\n\nfunc'
    ),
    "../lib/lib.go": "package lib\n",
    "../lib/deep/d.go": "package deep\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return tmp_path / "a"


def found(project: Path, files: Mapping[str, str], watch: str = "") -> Outside | None:
    """What is outside of a project with these files."""
    write(project, files)
    answer = look(load_text(f"{watch}\n{BUILD}", str(project)))
    assert answer.problem is None
    return answer.outside


@pytest.mark.parametrize(
    ("files", "shown"),
    [
        pytest.param(REPLACED, ("../rep",), id="replaced"),
        pytest.param(WORKSPACE, ("../b", "../c"), id="workspace"),
        pytest.param(PART, ("../lib",), id="part"),
    ],
)
def test_what_no_root_covers_is_named_by_its_module(
    project: Path, files: Mapping[str, str], shown: tuple[str, ...]
) -> None:
    outside = found(project, files)
    assert outside is not None
    assert outside.shown == shown
    again = found(project, files, f"[watch]\n{outside.line}")
    assert again is None, "the line that is told mends it"


@pytest.mark.parametrize(
    "watch",
    [
        'paths = [".", "../link"]',
        'paths = [".."]',
        "follow_symlinks = true",  # what a link leads to is known to the watcher alone
    ],
)
def test_nothing_is_said_of_what_is_watched_by_another_name(project: Path, watch: str) -> None:
    project.mkdir()
    (project.parent / "link").symlink_to("rep")
    assert found(project, REPLACED, f"[watch]\n{watch}") is None


def test_what_is_excluded_below_a_root_was_meant(project: Path) -> None:
    files = {"go.mod": "module ex.com/a\n", "main.go": MAIN.format("a/x"), "x/x.go": "package x\n"}
    assert found(project, files, '[watch]\nexclude = ["x/"]') is None


@pytest.fixture
def rig(project: Path) -> Iterator[Rig]:
    write(project, WORKSPACE)
    with Rig(project, BUILD) as rig:
        yield rig


def test_nothing_is_asked_where_nothing_is_watched(rig: Rig) -> None:
    host = cast("Host", rig.host)
    rig.inputs = Inputs(host, host.config.build, watches=False)
    rig.build()
    assert rig.problems == []


def test_a_session_says_it_once_and_anew_when_it_is_more(rig: Rig) -> None:
    rig.build()
    first = (
        "the build reads ../b, ../c, which are not watched: an edit there does nothing",
        'say so in [watch]: paths = [".", "../b", "../c"]',
    )
    assert rig.problems == [first]
    write(rig.project, {"x.go": "package main\n"})
    rig.changed("x.go")
    rig.build()
    assert rig.problems == [first]
    write(rig.project, {"../b/b.go": "package b\n"})
    rig.build()
    assert rig.problems[1:] == [
        (
            "the build reads ../b, which is not watched: an edit there does nothing",
            'say so in [watch]: paths = [".", "../b"]',
        )
    ]


@pytest.mark.parametrize(
    ("files", "env", "watch", "names"),
    [
        pytest.param(PART, "", "", ["go.mod", "go.sum"], id="part"),
        pytest.param(WORKSPACE, "", "", ["go.work", "go.work.sum"], id="workspace"),
        pytest.param(WORKSPACE, "", 'paths = [".."]', [], id="covered"),
        pytest.param(WORKSPACE, "off", "", [], id="off"),
        pytest.param(REPLACED, "", "", [], id="alone"),
    ],
)
def test_what_decides_from_above_is_watched_for_itself(
    project: Path, files: Mapping[str, str], env: str, watch: str, names: list[str]
) -> None:
    write(project, files)
    build = f"[build]\ncommand = 'go build -o app .'\nenv = {{ GOWORK = '{env}' }}\n"
    config = load_text(f"[watch]\n{watch}\n{build}", str(project))
    expected = [str(project.parent / name) for name in names]
    assert above(config) == expected
    explainer = Explainer(config, plan(config))
    for file in expected:
        found = explainer.explain(file)
        assert (found.watched, found.action) == (True, "build")
        assert found.why == "It decides which packages are meant, from above the project"
    # Of another build nobody knows what it reads.
    assert above(load_text(build.replace("go build", "make"), str(project))) == []
