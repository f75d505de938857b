"""Commands without a hotrun.toml: the project that is detected stands in for it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from live import ended
from trees import AIR, MAIN, plant

from hotrun.cli import assumed
from hotrun.cli.options import load_config, load_project
from hotrun.errors import ConfigErrors, NoConfigError

if TYPE_CHECKING:
    from pathlib import Path

SHOP = {"go.mod": "module example.com/shop\n", "main.go": MAIN}
TWO = {"go.mod": "module x\n", "cmd/a/main.go": MAIN, "cmd/b/main.go": MAIN}


def test_a_detected_project_is_a_config(tmp_path: Path) -> None:
    plant(tmp_path, SHOP)
    loaded = load_project(None, str(tmp_path), ())
    config = loaded.config
    assert loaded.found is not None
    assert (config.file, config.directory) == (None, str(tmp_path))
    assert config.build is not None
    assert config.build.command == "go build -buildvcs=false -o app ."
    assert config.origins["build.command"] == "detected: go.mod"
    assert config.origins["run.args"] == "default"
    assert load_config(None, str(tmp_path), ()) == config


def test_a_rule_that_was_detected_says_so(tmp_path: Path) -> None:
    plant(tmp_path, {**SHOP, "pages/a.html": ""})
    assert [rule.origin for rule in load_config(None, str(tmp_path), ()).rules] == [
        "detected: go.mod"
    ]


def test_a_config_file_is_not_mixed_with_what_is_detected(tmp_path: Path) -> None:
    plant(tmp_path, {**SHOP, "hotrun.toml": '[run]\ncommand = "x"\n'})
    loaded = load_project(None, str(tmp_path), ())
    assert loaded.found is None
    assert loaded.config.build is None


def test_a_named_file_that_is_missing_is_no_reason_to_detect(tmp_path: Path) -> None:
    plant(tmp_path, SHOP)
    done = ended(tmp_path, "check", "-c", "x.toml")
    assert (done.code, done.problem) == (
        2,
        ["error: no such file: x.toml", "hint: name one that exists: -c FILE"],
    )


def test_options_are_laid_over_what_is_detected(tmp_path: Path) -> None:
    plant(tmp_path, SHOP)
    sets = ("run.args=['-v']", 'build.env.GOOS="linux"')
    config = load_config(None, str(tmp_path), sets)
    assert config.run is not None
    assert config.run.args == ("-v",)
    assert config.origins["run.args"] == "--set"
    assert config.origins["build.env"] == "detected: go.mod, --set"


def test_commands_as_options_need_no_project(tmp_path: Path) -> None:
    loaded = load_project(None, str(tmp_path), ("run.command=./app -v",))
    assert loaded.found is None
    assert loaded.config.run is not None
    assert loaded.config.run.command == "./app -v"
    assert loaded.config.build is None


def test_commands_as_options_settle_what_is_ambiguous(tmp_path: Path) -> None:
    plant(tmp_path, TWO)
    sets = ("build.command=go build -o b ./cmd/b", "run.command=./b")
    config = load_config(None, str(tmp_path), sets)
    assert config.build is not None
    assert config.build.command == "go build -o b ./cmd/b"


def test_a_wrong_option_is_told_as_ever(tmp_path: Path) -> None:
    plant(tmp_path, SHOP)
    with pytest.raises(ConfigErrors) as caught:
        load_config(None, str(tmp_path), ("run.arg=1",))
    assert str(caught.value) == (
        'error: --set run.arg=1: unknown key "arg" in [run]\nhint: did you mean "args"?'
    )


def test_a_profile_needs_a_file(tmp_path: Path) -> None:
    plant(tmp_path, SHOP)
    with pytest.raises(ConfigErrors) as caught:
        load_config(None, str(tmp_path), (), "debug")
    assert str(caught.value) == (
        'error: --profile debug: there is no hotrun.toml, so no profile "debug"\n'
        "hint: `hotrun init` writes one; add [profile.debug] there, or leave --profile out"
    )


# What is said


def test_what_was_assumed_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plant(tmp_path, {**SHOP, "cmd/tool/main.go": MAIN})
    loaded = load_project(None, str(tmp_path), ())
    assert loaded.found is not None
    assumed.say(loaded.found, loaded.config)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "no hotrun.toml; go.mod is here, with 2 main packages: "
        "go build -buildvcs=false -o app ., then ./app\n"
        "also here: ./cmd/tool (hotrun init --main ./cmd/tool)\n"
        "hint: `hotrun init` writes it down, with the reasons\n"
    )


def test_a_command_that_an_option_replaced_was_not_assumed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plant(tmp_path, SHOP)
    sets = ["run.command=./app -v", "build.command=make"]
    assumption, heads = "no hotrun.toml; go.mod is here, and main.go is package main", []
    for number in (1, 2):
        loaded = load_project(None, str(tmp_path), sets[:number])
        assert loaded.found is not None
        assumed.say(loaded.found, loaded.config)
        heads.append(capsys.readouterr().err.splitlines()[0])
    assert heads == [
        f"{assumption}: go build -buildvcs=false -o app .",
        assumption,
    ]


def test_what_was_not_carried_over_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plant(tmp_path, {".air.toml": AIR})
    loaded = load_project(None, str(tmp_path), ())
    assert loaded.found is not None
    assumed.say(loaded.found, loaded.config)
    assert (
        "not carried over: build.exclude_regex, build.post_cmd, proxy\n" in capsys.readouterr().err
    )


# What is refused


def test_several_programs_are_listed_as_init_lists_them(tmp_path: Path) -> None:
    plant(tmp_path, TWO)
    done = ended(tmp_path, "run")
    assert (done.code, done.out, done.problem) == (
        2,
        "",
        [
            "error: go.mod is here, with 2 main packages: ./cmd/a, ./cmd/b",
            "hint: choose one: hotrun init --main ./cmd/a",
        ],
    )


def nothing(directory: Path) -> list[str]:
    with pytest.raises(NoConfigError) as caught:
        load_config(None, str(directory), ())
    assert caught.value.exit_code == 2
    return str(caught.value).splitlines()


def test_nothing_to_detect_names_what_makes_a_project(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert nothing(tmp_path) == [
        f"error: no hotrun.toml in {tmp_path}, and no project that is known",
        (
            "hint: is this the project's folder? `hotrun new NAME` makes one, `hotrun init` tells "
            "what is known"
        ),
    ]


def test_a_project_in_a_folder_below_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(tmp_path, {".x/go.mod": "", "docs/a.md": "", "my api/go.mod": "", "web/package.json": ""})
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    assert nothing(tmp_path)[1] == (
        "hint: is this the project's folder? `hotrun run -C 'my api'` runs the project there; "
        "also here: web"
    )


@pytest.mark.parametrize("name", ["go.mod", "hotrun.toml", "package.json"])
def test_a_directory_inside_of_a_project_leads_to_its_top(tmp_path: Path, name: str) -> None:
    (tmp_path / "work/a/b").mkdir(parents=True)
    (tmp_path / "work" / name).write_text("")
    directory = tmp_path / "work/a/b"
    assert nothing(directory) == [
        f"error: no hotrun.toml in {directory}, but {name} is in {os.path.join('..', '..')}",
        "hint: `hotrun run -C ../..` runs the project from there",
    ]


def test_a_program_inside_of_a_project_is_one_of_its_own(tmp_path: Path) -> None:
    plant(tmp_path, {"go.mod": "module x\n", "cmd/a/main.go": MAIN})
    assert load_config(None, str(tmp_path / "cmd/a"), ()).watch.paths == ("../..",)


# The whole command


def test_a_program_runs_without_a_config(tmp_path: Path) -> None:
    plant(tmp_path, {"Makefile": "all:\n\t@true\nrun:\n\t@echo served\n"})
    done = ended(tmp_path, "run", "--once", "--json")
    assert done.code == 0
    assert '"served' in done.out
    assert '"config":null' in done.out.replace(" ", "")
    assert done.err.splitlines()[:2] == [
        "no hotrun.toml; Makefile is here, and `make` builds: make, then make run",
        "hint: `hotrun init` writes it down, with the reasons",
    ]


def test_check_tells_what_was_detected(tmp_path: Path) -> None:
    plant(tmp_path, {"Makefile": "run:\n\t@echo\n"})
    done = ended(tmp_path, "check")
    assert done.code == 0
    assert "detected: Makefile" in done.out
