"""Which file the smoke test edits, by what the commands say and what lies there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hotrun.config import load_text
from hotrun.errors import ConfigError
from hotrun.project.smoke.subject import prepare

if TYPE_CHECKING:
    from pathlib import Path

GO = "package main\n\nfunc main() {}\n"


def chosen(directory: Path, config: str, *files: str, content: str = GO) -> str:
    """The name of the file that is chosen among some."""
    for name in files:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    subject = prepare(load_text(config, str(directory)), (), None)
    return subject.name


@pytest.mark.parametrize(
    ("command", "files", "expected"),
    [
        ("go build -o app .", ("a.go", "main.go", "main_test.go"), "main.go"),
        ("go build -o app .", ("a_test.go", "b_windows.go", "c.go", "web/main.go"), "c.go"),
        (
            "go build -o app ./cmd/two",
            ("cmd/one/main.go", "cmd/two/x.go", "main.go"),
            "cmd/two/x.go",
        ),
        ("cargo build", ("README.md", "src/lib.rs", "src/main.rs", "tests/main.rs"), "src/main.rs"),
        ("cc -o app tool.c", ("main.c", "tool.c"), "tool.c"),
        ("make", ("notes.txt", "src/zz.c", "index.html"), "src/zz.c"),
        ("python3 -m tool", ("app.py", "tool.py"), "tool.py"),
        ("uvicorn shop.web:app", ("main.py", "shop/web.py"), "main.py"),
        (
            "npm run build",
            ("vendor/a.js", "a.min.js", "src/index.ts", "src/index.test.ts"),
            "src/index.ts",
        ),
        ("make", ("a.pb.c", "only_docs.md"), "only_docs.md"),
    ],
    ids=[
        "go",
        "go names",
        "go package",
        "rust",
        "named",
        "c",
        "module",
        "asgi",
        "node",
        "generated",
    ],
)
def test_the_likeliest_source_is_chosen(
    tmp_path: Path, command: str, files: tuple[str, ...], expected: str
) -> None:
    assert chosen(tmp_path, f'[build]\ncommand = "{command}"\n', *files) == expected


def test_build_tags_binaries_empty_files_and_links_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.go").write_text("//go:build ignore\n\npackage main\n")
    (tmp_path / "b.go").write_bytes(b"package\0main\n")
    (tmp_path / "c.go").write_text("")
    (tmp_path / "d.go").symlink_to("e.go")
    assert chosen(tmp_path, '[build]\ncommand = "go build ."\n', "e.go") == "e.go"


def test_what_a_rule_leaves_out_is_not_chosen(tmp_path: Path) -> None:
    config = '[run]\ncommand = "./serve"\n[[rule]]\nmatch = ["main.py"]\naction = "ignore"\n'
    assert chosen(tmp_path, config, "main.py", "util.py", content="pass\n") == "util.py"


def test_where_nothing_can_be_edited_a_file_has_to_be_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        chosen(tmp_path, '[build]\ncommand = "make"\n', "Makefile")
    assert str(refused.value) == (
        "error: no source is watched that could be edited\nhint: name another file with --edit FILE"
    )


def test_a_file_is_named_from_where_one_is_or_from_the_project_on(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("all:\n")
    config = load_text('[build]\ncommand = "make"\n', str(tmp_path))
    for named in ("Makefile", str(tmp_path / "Makefile")):
        subject = prepare(config, ("-C", "x"), named)
        assert (subject.name, subject.action, subject.words) == ("Makefile", "build", ("-C", "x"))


def test_of_a_link_the_file_behind_it_is_edited(tmp_path: Path) -> None:
    real, project = tmp_path / "real", tmp_path / "project"
    real.joinpath("src").mkdir(parents=True)
    real.joinpath("src", "main.c").write_text("int x;")
    real.joinpath("link.txt").symlink_to("other.txt")
    real.joinpath("other.txt").symlink_to("src/main.c")
    project.symlink_to(real)  # hotrun names what is below it by the name that it was given
    config = load_text('[build]\ncommand = "make"\n', str(project))
    for named in ("link.txt", str(project / "link.txt")):
        subject = prepare(config, (), named)
        assert (subject.file, subject.name) == (str(project / "src/main.c"), "src/main.c")


def test_a_link_to_what_is_not_watched_is_refused_at_once(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    tmp_path.joinpath("x.c").write_text("int x;")
    project.joinpath("link.c").symlink_to("../x.c")
    config = load_text('[build]\ncommand = "make"\n', str(project))
    with pytest.raises(ConfigError) as raised:
        prepare(config, (), "link.c")
    assert raised.value.message == (
        f"--edit: a change of link.c, which is a link to {tmp_path}/x.c, does nothing"
    )
    assert raised.value.hint.endswith("; name another file with --edit FILE")
