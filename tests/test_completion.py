"""The completion scripts: what they offer is what the commands are, in the shells themselves."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from pty_rig import Rig

from hotrun.cli import COMMANDS, load
from hotrun.cli.completion import SHELLS, parameters, script
from hotrun.config.keys import KEYS, LISTS
from hotrun.process.diagnostics import plain
from hotrun.project.catalogue import TEMPLATES

BASH = """
while IFS= read -r line; do
    eval "COMP_WORDS=($line)"
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _hotrun
    printf '%s\\n' "${COMPREPLY[*]}"
done
"""
FISH = "while read -l line; echo (complete -C $line | string split -f1 \\t); end; true"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with files and directories to be offered."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "some.toml").touch()
    return tmp_path


def bash(place: Path, *lines: str) -> list[set[str]]:
    """What bash offers for the last word of each line."""
    if shutil.which("bash") is None:
        pytest.skip("no bash here")
    script_of = script("bash") + BASH
    # The last word may be empty: bash has to see it as a word.
    quoted = [f"{line}''" if line.endswith(" ") else line for line in lines]
    return asked(["bash", "--norc", "-c", script_of], place, quoted)


def fish(place: Path, *lines: str) -> list[set[str]]:
    """What fish offers for the end of each line."""
    if shutil.which("fish") is None:
        pytest.skip("no fish here")
    return asked(["fish", "--no-config", "-c", f"{script('fish')}\n{FISH}"], place, [*lines])


def asked(argv: list[str], place: Path, lines: list[str]) -> list[set[str]]:
    done = subprocess.run(
        argv,
        cwd=place,
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    return [set(line.split()) for line in done.stdout.splitlines()]


# What every shell offers: the line, and what follows.
OFFERS = [
    ("hotrun che", {"check"}),
    ("hotrun ", {*COMMANDS}),
    ("hotrun run --watch ", {"auto", "native", "poll"}),
    ("hotrun run --once --color a", {"auto", "always"}),
    ("hotrun new -t g", {"go", "go-api"}),
    ("hotrun new --template ", {*TEMPLATES}),
    ("hotrun events --backend in", {"inotify"}),
    ("hotrun completion ", {*SHELLS}),
    ("hotrun run --set watch.max", {"watch.max_wait="}),
    ("hotrun check --set ", {f"{key.dotted}=" for key in KEYS if key.table not in LISTS}),
    ("hotrun run -c so", {"some.toml"}),
    ("hotrun check --config so", {"some.toml"}),
    ("hotrun run -- so", {"some.toml"}),
    ("hotrun explain so", {"some.toml"}),
    ("hotrun run so", set()),
    ("hotrun run --debounce ", set()),
    ("hotrun new so", set()),
]


def test_bash_offers_what_is_possible(place: Path) -> None:
    more = ("hotrun run --color=n", "hotrun run --watch=", "hotrun -")
    lines = [*(line for line, _ in OFFERS), *more]
    split = [line.replace("=", " = ") for line in lines]  # as bash does it
    *found, never, ways, own = bash(place, *split)
    assert found == [offered for _, offered in OFFERS]
    assert (never, ways) == ({"never"}, {"auto", "native", "poll"})
    assert own == {"--version", "-h", "--help"}


def test_fish_offers_what_is_possible(place: Path) -> None:
    assert fish(place, *(line for line, _ in OFFERS)) == [offered for _, offered in OFFERS]


def options(name: str) -> list[str]:
    return [word for param in parameters(load(name)) for word in param.names]


@pytest.mark.parametrize("shell", [bash, fish])
def test_directories_are_offered_where_one_is_expected(
    shell: Callable[..., list[set[str]]], place: Path
) -> None:
    [found] = shell(place, "hotrun leftovers -C s")
    assert {name.rstrip("/") for name in found} == {"sub"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_every_command_is_offered(name: str, place: Path) -> None:
    [found] = bash(place, f"hotrun {name} -")
    assert found == {*options(name)}
    for each in load(name).params:
        names = {*each.opts, *each.secondary_opts}
        assert each.param_type_name == "argument" or names <= found


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_needs_no_hotrun_and_says_how_it_is_installed(shell: str) -> None:
    lines = script(shell).splitlines()
    assert any(line.startswith(f"#   hotrun completion {shell} > ") for line in lines)
    code = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    assert not re.search(r"[$`(]\s*hotrun\b", code)
    for name in COMMANDS:
        assert all(option.lstrip("-") in code for option in options(name))


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_bash_completes_at_a_terminal(place: Path) -> None:
    (place / "script").write_text(script("bash"))
    with Rig("bash", "--norc", "-i", cwd=place, env={"PS1": "> "}) as rig:
        rig.type(". ./script\nhotrun check -c some.t\t")
        rig.wait_for("some.toml ")
        rig.type("\x15hotrun comp\tz\t")
        rig.wait_for("hotrun completion zsh ")
        rig.type("\x15hotrun run -C s\t")
        rig.wait_for("hotrun run -C sub/")
        rig.type("\x15exit\n")


@pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh here")
def test_zsh_completes_at_a_terminal(place: Path) -> None:
    (place / "script").write_text(script("zsh"))
    with Rig("zsh", "-f", "-i", cwd=place, env={"PS1": "> "}) as rig:
        rig.type("autoload -U compinit; compinit -D -u; source ./script; echo re'ady'\n")
        rig.wait_for("ready")
        for typed, seen in ZSH:
            completes(rig, typed, seen)
        rig.type("\x15exit\n")


def on_line(text: str) -> str:
    """What stands there: zsh writes a blank in another style first, and goes back over it."""
    return re.sub(r".\x08", "", plain(text).replace("\a", ""))


def completes(rig: Rig, typed: str, seen: str) -> None:
    rig.type(f"\x15{typed}")
    rig.until(lambda: seen in on_line(rig.text), seen)


ZSH = [
    ("hotrun comp\tz\t", "hotrun completion zsh "),
    ("hotrun run --watch na\t", "--watch native "),
    ("hotrun explain some\t", "some.toml "),
    ("hotrun leftovers -C s\t", "-C sub/"),
    ("hotrun run --set build.timeo\t", "build.timeout="),
    ("hotrun events --js\t", "--json "),
    ("hotrun run -- so\t", "hotrun run -- some.toml "),
    ("hotrun run so\t;", "hotrun run so;"),
]
