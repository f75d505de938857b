"""What Go files ask for, with Go itself as the judge."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from inputs.rig import go, write

from hotrun.inputs.embed import embeds
from hotrun.inputs.source import Head, head

if TYPE_CHECKING:
    from pathlib import Path

HEADS = {
    "plain": 'package p\n\nimport "fmt"\n\nfunc f() { fmt.Print("import") }\n',
    "several": 'package p\nimport (\n\t_ "os"\n\t. "fmt"\n\tx "io" // y\n\n)\nvar _ = Print\n',
    "raw": "package p\nimport `io`\nvar _ io.Reader\n",
    "one_line": 'package p; import ("io"; "os"); import "fmt"; var _ = fmt.Sprint(io.EOF)\n',
    "comments": '// import "no"\n/* package q */ package /* x */ p // y\nimport /* z */ _ "os"\n',
    "none": 'package p\n\n// import "no"\nvar s = `\nimport "no"\n`\n',
    "umlaut": 'package p\nimport größe "math"\nvar _ = größe.Pi\n',
    "crlf": 'package p\r\n\r\nimport (\r\n\t_ "os"\r\n)\r\n',
    "marked": '\ufeffpackage p\nimport _ "os"\n',
    "embeds": (
        'package p\nimport "embed"\n\n//go:embed x.txt static/*.css\n'
        'var a embed.FS\n//go:embed "with blank.txt" `all:static`\nvar b embed.FS\n'
    ),
    "no_embeds": "package p\n\n//go:embed no.txt\nvar s string\n",
}


def test_go_says_the_same_of_each_file(tmp_path: Path) -> None:
    for name, text in HEADS.items():
        write(tmp_path, {f"{name}/{name}.go": text})
    write(tmp_path / "embeds", {"x.txt": "", "with blank.txt": "", "static/a.css": ""})
    write(tmp_path, {"go.mod": "module example.com/m\n\ngo 1.24\n"})
    listed = go(tmp_path, "list", "-e", "-f", "{{.Dir}}|{{.Imports}}|{{.EmbedPatterns}}", "./...")
    assert listed.count("\n") == len(HEADS)
    for line in listed.splitlines():
        directory, imports, patterns = line.split("|")
        found = head(HEADS[directory.rpartition("/")[2]].encode())
        assert found is not None
        assert f"[{' '.join(sorted(found.imports))}]" == imports, directory
        assert f"[{' '.join(sorted(found.patterns))}]" == patterns, directory


@pytest.mark.parametrize(
    "text",
    [
        "",
        "import x",
        "package",
        "package p\nimport (",
        'package p\nimport "a',
        "package p\nimport x y",
    ],
)
def test_what_cannot_be_read_is_no_answer(text: str) -> None:
    assert head(text.encode()) is None


def test_a_pattern_that_cannot_be_read_is_no_answer() -> None:
    text = 'package p\nimport _ "embed"\n//go:embed "a\\tb"\nvar s string\n'
    assert head(text.encode()) is None


def test_an_embed_line_may_end_the_file() -> None:
    text = b'package p\nimport _ "embed"\n//go:embed a b'
    assert head(text) == Head(frozenset({"embed"}), frozenset({"a", "b"}))


FILES = (
    "a.txt",
    "b.txt",
    ".hidden",
    "_low",
    "s/a.txt",
    "s/.h",
    "s/_l/x",
    "s/d/a.css",
    "s/d/.h/x",
    "[x]/a",
    "ä.txt",
)
PATTERNS = (
    "a.txt",
    "*.txt",
    "?.txt",
    "s",
    "all:s",
    "s/*",
    "s/d",
    "*",
    "[ab].txt",
    "[^a].txt",
    "s/.h",
    "*/a.txt",
    ".hidden",
    r"\a.txt",
)


def test_go_embeds_the_files_that_a_pattern_is_said_to(tmp_path: Path) -> None:
    for number, pattern in enumerate(PATTERNS):
        write(tmp_path / f"p{number}", dict.fromkeys(FILES, ""))
        text = f'package p\nimport "embed"\n\n//go:embed "{pattern}"\nvar F embed.FS\n'
        write(tmp_path, {f"p{number}/p.go": text.replace("\\", "\\\\")})
    write(tmp_path, {"go.mod": "module example.com/m\n\ngo 1.24\n"})
    listed = go(tmp_path, "list", "-e", "-f", "{{.Dir}}|{{join .EmbedFiles `|`}}", "./...")
    for line in listed.splitlines():
        directory, *files = line.split("|")
        pattern = PATTERNS[int(directory.rpartition("/p")[2])]
        ours = {name for name in (*FILES, "p.go") if embeds(pattern, name)}
        missing = set(filter(None, files)) - ours
        assert not missing, pattern
        if "[" not in pattern:  # of a class we only say that it is one character
            assert ours == set(filter(None, files)), pattern


@pytest.mark.parametrize(
    ("pattern", "path", "embedded"),
    [
        ("static", "static/new/deep.css", True),
        ("static", "static/.new", False),
        ("all:static", "static/.new", True),
        ("static/*", "static/.new", True),
        ("static/*.css", "static/deep/new.css", False),
        ("static", "statics/new.css", False),
        ("[[]x]", "[x]", True),
    ],
)
def test_a_file_that_is_not_there_yet_would_be_embedded(
    pattern: str, path: str, embedded: bool
) -> None:
    assert embeds(pattern, path) is embedded


def test_go_prints_what_the_rig_reads(tmp_path: Path) -> None:
    write(tmp_path, {"go.mod": "module example.com/m\n", "p.go": "package p\n"})
    assert json.loads(go(tmp_path, "list", "-json=Name"))["Name"] == "p"
