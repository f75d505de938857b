"""New projects: where they may be made, and where not (what is in them: test_template_files.py)."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from hotrun.errors import ConfigError
from hotrun.project import scaffold

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def everything(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in directory.rglob("*")}


# Where a project may be made


def test_files_and_folders_get_the_modes_of_the_umask(here: Path) -> None:
    old = os.umask(0o027)
    try:
        scaffold.create("shop", "go")
    finally:
        os.umask(old)
    modes = [path.stat().st_mode & 0o777 for path in (here / "shop", here / "shop/main.go")]
    assert modes == [0o750, 0o640]


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("My App", "my-app"),
        ("Café", "cafe"),
        ("日本", "app"),
        ("v2.api_x", "v2.api_x"),
        ("-rf", "rf"),
        ("fmt", "fmt-app"),
        ("time.old", "time.old-app"),
    ],
)
def test_a_name_gives_the_folder_and_the_module(here: Path, name: str, module: str) -> None:
    project = scaffold.create(name, "go")
    assert (project.name, project.module) == (name, module)
    assert (here / name / "go.mod").read_text() == f"module {module}\n\ngo 1.22\n"
    assert f"# {name}\n" in (here / name / "README.md").read_text()


def test_a_name_that_looks_like_a_placeholder_is_taken_as_it_is(here: Path) -> None:
    scaffold.create("__hotrun_module__", "go")
    assert "# __hotrun_module__\n" in (here / "__hotrun_module__/README.md").read_text()


def test_missing_parents_are_made(here: Path) -> None:
    scaffold.create("a/b/c/", "go")
    assert (here / "a/b/c/main.go").exists()
    assert os.listdir(here / "a/b") == ["c"]


@pytest.mark.parametrize("name", [".", "./", "../shop"])
def test_an_empty_directory_is_filled_and_stays_the_same_directory(
    here: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (here / "shop").mkdir()
    before = (here / "shop").stat().st_ino
    monkeypatch.chdir(here / "shop")
    project = scaffold.create(name, "go")
    assert project.name == "shop"
    assert (here / "shop").stat().st_ino == before
    made = {name.split("/")[0] for name in project.files}
    assert set(os.listdir()) == made | {".git", ".hotrun"}


def test_a_link_to_an_empty_directory_is_filled_and_stays_a_link(here: Path) -> None:
    (here / "real").mkdir()
    (here / "link").symlink_to("real")
    scaffold.create("link", "go")
    assert (here / "link").is_symlink()
    assert (here / "real/main.go").exists()


# Where it may not


def refusal(target: str, template: str = "go") -> str:
    with pytest.raises(ConfigError) as caught:
        scaffold.create(target, template)
    assert caught.value.exit_code == 2
    lines = str(caught.value).split("\n")
    assert [line.split()[0] for line in lines] == ["error:", "hint:"]
    return str(caught.value)


@pytest.mark.parametrize("name", ["", " ", "/", "//", "a\\b", "a\0b", "a\nb", "\udcff"])
def test_an_absurd_name_is_refused(here: Path, name: str) -> None:
    assert "is no name for a project" in refusal(name)
    assert os.listdir(here) == []


def test_an_absurd_name_is_refused_where_it_is_not_typed_but_stood_in(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "a\udcff").mkdir()
    monkeypatch.chdir(here / "a\udcff")
    assert "error: 'a\\udcff' is no name for a project" in refusal(".")
    assert os.listdir() == []


def test_a_directory_with_something_in_it_is_refused_and_not_touched(here: Path) -> None:
    (here / "shop").mkdir()
    (here / "shop/.hidden").write_text("mine")
    assert refusal("shop") == (
        "error: shop exists and is not empty\n"
        "hint: `hotrun init -C shop` is for a project that is there already; or choose another name"
    )
    assert refusal(".") == (
        "error: this directory is not empty\n"
        "hint: `hotrun init` is for a project that is there already; or choose another name"
    )
    assert everything(here) == {"shop", "shop/.hidden"}


def test_a_file_and_a_dangling_link_are_refused_and_not_touched(here: Path) -> None:
    (here / "file").write_text("mine")
    (here / "link").symlink_to("nowhere")
    assert "error: file exists and is not a directory" in refusal("file")
    assert "error: link exists and is not a directory" in refusal("link")
    assert "error: cannot create file/shop: Not a directory" in refusal("file/shop")
    assert sorted(os.listdir(here)) == ["file", "link"]


@contextmanager
def powerless() -> Iterator[None]:
    """Be somebody without rights: root may write everywhere."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(was)


def test_no_permission_is_said_in_two_lines(here: Path) -> None:
    os.chmod(here, 0o555)  # noqa: S103 - readable, as a foreign directory would be
    try:
        with powerless():
            message = refusal("shop")
            nested = refusal("a/b")
    finally:
        os.chmod(here, 0o700)
    assert message.startswith("error: cannot create shop: Permission denied\n")
    assert nested.endswith("hint: choose a directory that you may write to")
    assert os.listdir(here) == []


# Nothing is left behind


def test_a_name_that_is_too_long_leaves_no_parents_behind(here: Path) -> None:
    assert "hint: choose a shorter name" in refusal("a/b/" + "x" * 300)
    assert os.listdir(here) == []


@contextmanager
def small_files_only(size: int) -> Iterator[None]:
    """Let a write fail half-way, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("target", ["a/b/shop", "empty"])
def test_a_failing_write_leaves_nothing_behind(here: Path, target: str) -> None:
    (here / "empty").mkdir()
    with small_files_only(200):
        assert f"error: cannot create {target}: File too large" in refusal(target)
    assert everything(here) == {"empty"}


def test_filling_a_directory_takes_everything_back_when_a_name_has_appeared(here: Path) -> None:
    for path in ("draft/a", "draft/b", "draft/c", "target"):
        (here / path).mkdir(parents=True)
    last = os.listdir(here / "draft")[-1]  # the others have been moved by then
    (here / "target" / last).write_text("theirs")
    with pytest.raises(FileExistsError, match=f"{last} has appeared there"):
        scaffold._fill(str(here / "target"), str(here / "draft"))
    assert (here / "target" / last).read_text() == "theirs"
    assert everything(here / "draft") == {"a", "b", "c"}
    assert everything(here / "target") == {last}


# git


def test_a_project_outside_of_git_becomes_a_repository(here: Path) -> None:
    assert scaffold.create("shop", "go").warning == ""
    done = subprocess.run(
        ["git", "status", "--porcelain"], cwd=here / "shop", check=True, capture_output=True
    )
    assert b"?? main.go" in done.stdout
    assert b".hotrun" not in done.stdout


def test_a_project_inside_a_repository_does_not_become_one(here: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=here, check=True)
    scaffold.create("apps/shop", "go")
    assert not (here / "apps/shop/.git").exists()


def test_the_repository_of_a_hook_that_runs_us_is_left_alone(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "init", "-q", "other"], cwd=here, check=True)
    monkeypatch.setenv("GIT_DIR", str(here / "other/.git"))
    scaffold.create("shop", "go")
    assert (here / "shop/.git/HEAD").exists()


def test_a_failing_git_is_a_warning_and_leaves_no_repository(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # git notices this one only when half of the repository is there.
    (here / "gitconfig").write_text("[init]\ndefaultBranch = a b\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(here / "gitconfig"))
    project = scaffold.create("shop", "go")
    assert project.warning.startswith("not a git repository: git init failed: fatal: invalid")
    assert not (here / "shop/.git").exists()
    assert (here / "shop/main.go").exists()


def test_a_machine_without_git_is_fine(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(here))
    assert scaffold.create("shop", "go").warning == ""
    assert not (here / "shop/.git").exists()


# Tools


def test_a_tool_is_found_on_the_path_or_beside_python(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(here))
    assert scaffold.find_tool("go-that-is-not-there") is None
    python = os.path.basename(sys.executable)
    assert scaffold.find_tool(python) == sys.executable
    (here / python).symlink_to(sys.executable)
    assert scaffold.find_tool(python) == str(here / python)
