"""The projects of the Go templates: their tools are content with them, the build is exact."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from apps import ask, build, config, copied, made

from hotrun.project import scaffold

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made("go", tmp_path_factory.mktemp("projects"))


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made("go-api", tmp_path_factory.mktemp("projects"))


@pytest.fixture(scope="module", params=["shop", "api"])
def either(request: pytest.FixtureRequest) -> Path:
    project: Path = request.getfixturevalue(request.param)
    return project


def built(project: Path) -> bytes:
    build(project)
    outputs: list[str] = config(project)["build"]["outputs"]
    return b"".join((project / output).read_bytes() for output in outputs)


def test_a_project_watches_every_file_that_is_part_of_the_program(either: Path) -> None:
    watch = config(either)["watch"]
    suffixes = tuple(pattern.removeprefix("*") for pattern in watch["include"])
    listed = ask(either, "go", "list", "-buildvcs=false", "-f", "{{.GoFiles}} {{.EmbedFiles}}")
    parts = listed.translate(str.maketrans("[]", "  ")).split()
    assert "main.go" in parts
    assert ("static/style.css" in parts) == (either / "static").exists()
    assert [name for name in [*parts, "go.mod"] if not name.endswith(suffixes)] == []
    assert watch["exclude"] == ["*_test.go"]


def test_a_project_is_formatted_vetted_and_tested(either: Path) -> None:
    gofmt = os.path.join(ask(either, "go", "env", "GOROOT").strip(), "bin", "gofmt")
    assert ask(either, gofmt, "-l", ".") == ""
    ask(either, "go", "vet", "./...")
    assert ask(either, "go", "test", "./...").startswith("ok")


@pytest.mark.parametrize("system", ["darwin", "windows"])
def test_the_project_is_fit_for_other_systems(shop: Path, system: str) -> None:
    ask(shop, "go", "vet", ".", GOOS=system, CGO_ENABLED="0")


def test_no_package_of_the_standard_library_is_taken_as_a_module(shop: Path) -> None:
    listed = ask(shop, "go", "list", "std", "cmd").split()
    names = {line for line in listed if "/" not in line}
    assert "fmt" in names
    assert [name for name in names if scaffold.module_path(name) == name] == []


def test_the_same_sources_build_the_same_bytes_and_a_changed_page_other_ones(
    shop: Path, tmp_path: Path
) -> None:
    copy = copied(shop, tmp_path)
    first = built(copy)
    assert built(copy) == first
    page = copy / "templates/index.html"
    page.write_text(page.read_text().replace("It runs.", "It runs well."))
    assert built(copy) != first
