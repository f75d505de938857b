"""`.air.toml`, `bee.json` and `Beefile`: what is carried over, and what is said of the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from trees import AIR, BEE, BEEFILE, MAIN, plant

from hotrun.config import load_text
from hotrun.project.detect import detect, yamlish
from hotrun.project.detect.air_watch import glob

if TYPE_CHECKING:
    from pathlib import Path

    from hotrun.config import Config
    from hotrun.project.detect import Found

MODULE = {"go.mod": "module x\n", "main.go": MAIN}


def found(directory: Path, **files: str) -> Found:
    plant(directory, {**MODULE, **files})
    answer = detect(str(directory))
    assert answer is not None
    return answer


def air(directory: Path, build: str, **files: str) -> tuple[Config, Found]:
    """Carry an .air.toml with this [build] over."""
    answer = found(directory, **{".air.toml": f"[build]\n{build}\n", **files})
    assert answer.kind == "air"
    return load_text(answer.text, str(directory)), answer


def run_of(config: Config) -> tuple[object, dict[str, str], tuple[str, ...]]:
    assert config.run is not None
    return config.run.command, dict(config.run.env), config.run.args


# air


def test_a_whole_air_toml_is_carried_over(tmp_path: Path) -> None:
    answer = found(tmp_path, **{".air.toml": AIR, "pages/a.html": "", "assets/a.js": ""})
    assert answer.text == (
        "#:schema .hotrun/schema.json\n"
        "\n"
        "[watch]\n"
        'include = ["*.go", "*.tpl", "*.tmpl", "*.html", "*.yaml", "/conf/app.ini", "go.mod", '
        '"go.sum"]\n'
        "exclude = [\n"
        '    "/assets/",\n'
        '    "/tmp/",\n'
        '    "/vendor/",\n'
        '    "/testdata/",\n'
        '    "/web/node_modules/",\n'
        '    "/gen/api.go",\n'
        '    "*_test.go",\n'
        '    "*_templ.go",\n'
        "]\n"
        'debounce = "200ms"\n'
        'backend = "poll"\n'
        "follow_symlinks = true\n"
        "\n"
        "[build]\n"
        'command = "templ generate && go build -o ./tmp/main ."\n'
        "# The compiler lives too briefly to collect garbage; take it out if memory is short.\n"
        'env = { GOGC = "off" }\n'
        "# A build that gives the same bytes again leaves the app running.\n"
        'outputs = ["tmp/main"]\n'
        'on_error = "stop"\n'
        "\n"
        "[run]\n"
        'command = "./tmp/main"\n'
        'args = ["serve", "--port", "8080"]\n'
        'env = { APP_ENV = "dev" }\n'
        'stop_signal = "SIGINT"\n'
        'stop_timeout = "500ms"\n'
        'on_exit = "restart"\n'
        "\n"
        "[[rule]]\n"
        "# They are not part of the binary: read at the start, and needing no build.\n"
        'match = ["*.html", "*.yaml", "/conf/app.ini"]\n'
        'action = "restart"\n'
    )
    assert answer.because == (".air.toml is here, and carried over",)
    assert answer.left_out == (
        "build.exclude_regex: 'a(b|c)' is no pattern of names",
        "build.post_cmd: air runs it at its own end, run.after at each stop of the app",
        "proxy: there is no proxy, and browsers are not reloaded",
    )


def test_the_defaults_that_air_init_writes_down_are_no_wishes(tmp_path: Path) -> None:
    config, answer = air(
        tmp_path,
        'args_bin = []\nbin = "./tmp/main"\ncmd = "go build -o ./tmp/main ."\ndelay = 1000\n'
        'exclude_dir = ["assets", "tmp", "vendor", "testdata"]\nexclude_regex = ["_test.go"]\n'
        'include_ext = ["go", "tpl", "tmpl", "html"]\nkill_delay = "0s"\nlog = "build-errors.log"\n'
        "poll = false\npoll_interval = 0\npost_cmd = []\npre_cmd = []\nrerun = false\n"
        "rerun_delay = 500\nsend_interrupt = false\nstop_on_error = false\n"
        '[color]\nmain = "magenta"\n[log]\nmain_only = false\n[misc]\nclean_on_exit = false\n'
        "[proxy]\napp_port = 0\nenabled = false\n[screen]\nclear_on_rebuild = false\n",
    )
    assert answer.left_out == ()
    assert len(answer.text.splitlines()) == 12
    assert config.build is not None
    assert config.build.command == "go build -o ./tmp/main ."
    assert run_of(config) == ("./tmp/main", {}, ())


def test_an_empty_air_toml_means_the_defaults_of_air(tmp_path: Path) -> None:
    config, _ = air(tmp_path, "")
    assert config.build is not None
    assert config.build.command == "go build -o ./tmp/main ."
    assert run_of(config) == ("./tmp/main", {}, ())


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        ('bin = "shop"', ("./shop", {}, ())),
        ('bin = "tmp/shop --port 1"', ("tmp/shop --port 1", {}, ())),
        ('full_bin = "A=1 B= ./tmp/main serve"', ("./tmp/main serve", {"A": "1", "B": ""}, ())),
        ('full_bin = "A=$HOME ./tmp/main"', ("A=$HOME ./tmp/main", {}, ())),
        ('full_bin = "dlv exec ./tmp/main"', ("dlv exec ./tmp/main", {}, ())),
        ('entrypoint = ["./tmp/main", "a b"]', ("./tmp/main 'a b'", {}, ())),
        ('args_bin = ["-a", "b c"]', ("./tmp/main", {}, ("-a", "b", "c"))),
        ('args_bin = ["-a", "$B"]', ("./tmp/main -a $B", {}, ())),
    ],
)
def test_how_air_starts_the_app(
    tmp_path: Path, build: str, expected: tuple[str, dict[str, str], tuple[str, ...]]
) -> None:
    config, _ = air(tmp_path, build)
    command, *rest = run_of(config)
    # dlv is a program of PATH, and `./dlv` would be none.
    assert (str(command).removeprefix("./"), *rest) == (
        expected[0].removeprefix("./"),
        *expected[1:],
    )


def test_a_debugger_is_found_on_the_path(tmp_path: Path) -> None:
    config, _ = air(tmp_path, 'full_bin = "dlv exec ./tmp/main"')
    assert run_of(config)[0] == "dlv exec ./tmp/main"


def test_commands_before_the_build_belong_to_it(tmp_path: Path) -> None:
    config, answer = air(tmp_path, 'pre_cmd = ["", "a || b", "c"]\ncmd = "make build"\nbin = "x"')
    assert config.build is not None
    assert config.build.command == "(a || b) && c && make build"
    assert config.build.outputs == ("x",)
    assert "GOGC" not in answer.text


def test_directories_to_watch_are_roots(tmp_path: Path) -> None:
    config, _ = air(tmp_path, 'include_dir = ["./cmd", "internal/"]')
    assert config.watch.paths == ("cmd", "internal")


def test_files_beside_the_directories_to_watch_are_kept(tmp_path: Path) -> None:
    build = 'cmd = "make"\ninclude_dir = ["src"]\ninclude_file = ["conf.ini"]\ninclude_ext = ["c"]'
    config, _ = air(tmp_path, build)
    assert config.watch.paths == (".",)
    assert config.watch.include == ("src/**/*.c", "/conf.ini")


def test_the_root_of_air_is_a_root(tmp_path: Path) -> None:
    text = 'root = "srv"\n[build]\nexclude_dir = ["web"]\n'
    answer = found(tmp_path, **{".air.toml": text})
    assert (
        'paths = ["srv"]\nexclude = ["/srv/web/", "/srv/tmp/", "/srv/testdata/"]\n' in answer.text
    )


@pytest.mark.parametrize(
    ("text", "excluded"),
    [
        ("", "/assets/ /tmp/ /vendor/ /testdata/"),
        ('[build]\nexclude_dir = ["vendor"]', "/vendor/ /tmp/ /testdata/"),
        ('tmp_dir = "bin"\ntestdata_dir = "data"\n[build]\nexclude_dir = []', "/bin/ /data/"),
        ('tmp_dir = "/var/tmp/x"\n[build]\nexclude_dir = ["../y"]', "/testdata/"),
    ],
)
def test_what_air_never_watches_is_excluded_before_it_is_there(
    tmp_path: Path, text: str, excluded: str
) -> None:
    answer = found(tmp_path, **{".air.toml": text})
    assert load_text(answer.text, str(tmp_path)).watch.exclude == tuple(excluded.split())


def test_what_git_ignores_is_not_excluded_once_more(tmp_path: Path) -> None:
    answer = found(tmp_path, **{".air.toml": "", ".gitignore": "vendor/\n/tmp\n"})
    assert load_text(answer.text, str(tmp_path)).watch.exclude == ("/assets/", "/testdata/")


@pytest.mark.parametrize(
    ("build", "outputs"),
    [
        ('entrypoint = ["./bin/app", "serve"]', ("bin/app",)),
        ('entrypoint = "./bin/app"', ("bin/app",)),
        ('entrypoint = ["app"]', ()),  # of PATH
        ('full_bin = "A=1 ./bin/app serve"', ("bin/app",)),
        ('full_bin = "dlv exec ./bin/app"', ()),
        ('bin = "bin/app"\nfull_bin = "dlv exec ./bin/app"', ("bin/app",)),
        ("", ("tmp/main",)),
    ],
)
def test_what_the_build_makes_is_what_is_started(
    tmp_path: Path, build: str, outputs: tuple[str, ...]
) -> None:
    config, _ = air(tmp_path, f'cmd = "make"\n{build}')
    assert config.build is not None
    assert config.build.outputs == outputs


def test_what_another_system_does_is_its_platform(tmp_path: Path) -> None:
    build = '[build.windows]\ncmd = "go build -o x.exe ."\nbin = "x.exe"\npre_cmd = ["y"]\n'
    _, answer = air(tmp_path, build)
    assert answer.text.endswith(
        '[platform.windows]\nbuild.command = "go build -o x.exe ."\nrun.command = "./x.exe"\n'
    )
    assert answer.left_out == ("build.windows.pre_cmd: write it into the table of the platform",)


def test_env_files_are_env_files(tmp_path: Path) -> None:
    answer = found(tmp_path, **{".air.toml": 'env_files = [".env", "b.env"]\n'})
    assert 'env_files = [".env", "b.env"]' in answer.text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("[build]\nfoo = 1", "build.foo: hotrun does not know this key"),
        ("foo = 1", "foo: hotrun does not know this key"),
        ("[misc]\nclean_on_exit = true", "misc.clean_on_exit: what the build made stays"),
        (
            "[screen]\nclear_on_rebuild = true",
            "screen.clear_on_rebuild: `hotrun run --clear` does it",
        ),
        (
            '[color]\napp = ""\nbuild = "red"',
            "color: hotrun has colours of its own, or none (`--color never`)",
        ),
        ("[color]\nmain = []", "color: hotrun has colours of its own, or none (`--color never`)"),
        ("[log]\ntime = true", "log.time: the lines of hotrun show no time"),
        (
            "[build]\nignore_dangerous_root_dir = true",
            "build.ignore_dangerous_root_dir: hotrun never watches a home directory",
        ),
        ("[log]\nsilent = true", "log.silent: `hotrun run -q` shows problems only"),
        ('[build]\nlog = "x.log"', "build.log: errors are shown, and written to no file"),
        (
            "[build]\nsend_interrupt = true\nkill_delay = 500",
            "build.kill_delay: the number 500 means nanoseconds; the grace stays 5s",
        ),
    ],
)
def test_what_could_not_be_carried_over_is_named(tmp_path: Path, text: str, left: str) -> None:
    assert found(tmp_path, **{".air.toml": text}).left_out == (left,)


@pytest.mark.parametrize(
    ("expression", "pattern"),
    [
        ("_test.go", "*_test.go"),
        ("_test\\.go", "*_test.go"),
        (".*_templ\\.go$", "*_templ.go"),
        ("^.*\\.pb\\.go$", "*.pb.go"),
        ("_gen.go$", "*_gen.go"),
        ("a(b|c)", ""),
        ("internal/.*", ""),
        ("^main\\.go", ""),
        ("[a-z]+.go", ""),
        ("", ""),
    ],
)
def test_a_regular_expression_that_means_an_ending_is_a_glob(expression: str, pattern: str) -> None:
    assert glob(expression) == pattern


@pytest.mark.parametrize("text", ["[build", "a = 1\na = 2", "\x00", 'root = "\\u0000"'])
def test_an_air_toml_that_cannot_be_read_leaves_the_project_to_be_detected(
    tmp_path: Path, text: str
) -> None:
    answer = found(tmp_path, **{".air.toml": text})
    assert answer.kind == "go"
    assert answer.left_out == (".air.toml: it cannot be read",)


@pytest.mark.parametrize("build", ['cmd = 1\nbin = ["x"]', "include_ext = 1\nexclude_dir = true"])
def test_values_of_another_type_are_left_alone(tmp_path: Path, build: str) -> None:
    _, answer = air(tmp_path, build)
    assert 'command = "go build -o ./tmp/main ."' in answer.text


def test_the_pause_before_air_starts_the_app_again_is_not_carried_over(tmp_path: Path) -> None:
    config, answer = air(tmp_path, "rerun = true\nrerun_delay = 500")
    assert config.run is not None
    assert config.run.on_exit == "restart"
    assert answer.left_out == (
        "build.rerun_delay: how long hotrun waits grows with each early end",
    )


# bee


def test_a_whole_bee_json_is_carried_over(tmp_path: Path) -> None:
    plant(tmp_path / "common", {})
    answer = found(tmp_path / "shop", **{"bee.json": BEE, "views/a.html": ""})
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    assert "\n".join(lines).strip() == (
        '[watch]\npaths = [".", "../common"]\n\n'
        '[build]\ncommand = "go build -buildvcs=false -o app ."\nenv = { GOGC = "off" }\n\n'
        '[run]\ncommand = "./app"\nargs = ["-p", "1"]\nenv = { MODE = "a=b" }\n\n'
        '[[rule]]\nmatch = ["*.html", "*.tpl"]\naction = "restart"'
    )
    assert answer.because == ("bee.json is here, and carried over",)
    assert answer.left_out == (
        'dir_structure.others: "$GOPATH/src/lib" names a directory by a variable',
        'envs: "bad" is no NAME=value',
        "go_install: the build cache of Go makes it needless",
        "enable_reload: browsers are not reloaded",
        "database: it is of `bee migrate` and `bee generate`",
    )


def test_what_bee_reloads_in_a_browser_is_not_carried_over(tmp_path: Path) -> None:
    text = '{"watch_ext_static": [".html", ".js"], "vendor_watch": true, "watch_ext": []}'
    answer = found(tmp_path, **{"bee.json": text})
    assert answer.left_out == ("watch_ext_static: .html, .js reload no browser",)


@pytest.mark.parametrize("text", [BEEFILE, '{"cmd_args": ["-a", "b c"], "envs": ["MODE=test"]}'])
def test_a_beefile_is_yaml_or_json(tmp_path: Path, text: str) -> None:
    answer = found(tmp_path, Beefile=text)
    assert answer.source == "Beefile"
    assert run_of(load_text(answer.text, str(tmp_path))) == (
        "./app",
        {"MODE": "test"},
        ("-a", "b c"),
    )


def test_a_bee_json_that_is_none_leaves_the_project_to_be_detected(tmp_path: Path) -> None:
    answer = found(tmp_path, **{"bee.json": "[1, 2"})
    assert answer.kind == "go"
    assert answer.left_out == ("bee.json: it cannot be read",)


def test_a_beefile_is_read_as_far_as_it_is_plain() -> None:
    assert yamlish.parse(BEEFILE) == {
        "version": "0",
        "go_install": False,
        "dir_structure": {"watch_all": True, "others": ["../common", "../my lib"]},
        "cmd_args": ["-a", "b c"],
        "envs": ["MODE=test"],
        "bale": {"dirs": []},
    }


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", {}),
        ("- a\n- b\n", {}),
        (
            "a:\n    b:\n        c: d\n    e: f\ng: h\n",
            {"a": {"b": {"c": "d"}, "e": "f"}, "g": "h"},
        ),
        ("a:\nb: c\n", {"b": "c"}),
        ("a: 'x # y' # z\n", {"a": "x # y"}),
        ("a: b: c\n", {"a": "b: c"}),
        ("a:\n  - x\n  - 'y'\nb: 1\n", {"a": ["x", "y"], "b": "1"}),
        ("---\n? x\n&a b\na: *b\n", {"a": "*b"}),
        ("'a b': yes\n\"c\": {}\n", {"a b": True, "c": {}}),
    ],
)
def test_the_plain_part_of_yaml(text: str, tree: dict[str, object]) -> None:
    assert yamlish.parse(text) == tree
