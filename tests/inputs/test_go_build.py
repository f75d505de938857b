"""What a plain go build is, and what is not one for certain."""

from __future__ import annotations

import pytest

from hotrun.process.command import parse
from hotrun.process.go import GoBuild, go_build


def plain(
    *packages: str,
    program: str = "go",
    directory: str = "",
    env: tuple[tuple[str, str], ...] = (),
    flags: tuple[str, ...] = (),
) -> GoBuild:
    return GoBuild(program, directory, env, flags, packages)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("go build", plain()),
        ("go build -o app .", plain(".")),
        ("go install ./cmd/x", plain("./cmd/x")),
        ("/usr/local/go/bin/go build", plain(program="/usr/local/go/bin/go")),
        ("go1.22.1 build", plain(program="go1.22.1")),
        (
            "go build -o=app -v -race -tags=a,b ./...",
            plain("./...", flags=("-race=true", "-tags=a,b")),
        ),
        (
            "go build --tags 'a b' main.go util.go",
            plain("main.go", "util.go", flags=("-tags=a b",)),
        ),
        ("go build -race=false", plain(flags=("-race=false",))),
        ("go build -mod vendor -modfile alt.mod", plain(flags=("-mod=vendor", "-modfile=alt.mod"))),
        ("go build -tags a -tags b", plain(flags=("-tags=b",))),
        ("go -C server build .", plain(".", directory="server")),
        ("go build -C server -o ../app", plain(directory="server")),
        ("go build -ldflags '-s -w -X main.v=1' -gcflags 'all=-N -l' -trimpath", plain()),
        ("GOOS=js GOARCH=wasm go build", plain(env=(("GOOS", "js"), ("GOARCH", "wasm")))),
        ("env CGO_ENABLED=0 go build", plain(env=(("CGO_ENABLED", "0"),))),
        ("GOFLAGS='-tags x' go build", plain(env=(("GOFLAGS", "-tags x"),))),
        (["go", "build", "my dir"], plain("my dir")),
    ],
)
def test_a_plain_go_build_is_understood(command: str | list[str], expected: GoBuild) -> None:
    assert go_build(parse(command)) == expected


@pytest.mark.parametrize(
    "command",
    [
        "go",
        "go run .",
        "go test ./...",
        "go vet && go build",
        "templ generate; go build",
        "go build | tee log",
        "go build $PKG",
        "make",
        "gopher build",
        "tinygo build",
        "go build -overlay o.json",
        "go build -toolexec x",
        "go build -unknown x",
        "go build . -o app",
        "env -i go build",
        "env A=1",
        "A+=b go build",
        "A=1",
        "sh -c 'go build'",
    ],
)
def test_what_is_more_than_that_is_not(command: str) -> None:
    assert go_build(parse(command)) is None
