"""Detection: small projects, the hotrun.toml that each gets, and the sentences that say why."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest
from trees import MAIN, PROJECTS, plant

from hotrun.config import load_text
from hotrun.project.detect import detect

if TYPE_CHECKING:
    from pathlib import Path

    from hotrun.project.detect import Found

FIRST = "#:schema .hotrun/schema.json\n"


def found(directory: Path, files: dict[str, str]) -> Found:
    """Make a project, and return what is found in it, which must load."""
    plant(directory, files)
    answer = detect(str(directory))
    assert answer is not None
    load_text(answer.text, str(directory))
    return answer


def body(answer: Found) -> str:
    """Return the text without its first line and without comments."""
    assert answer.text.startswith(FIRST)
    lines = answer.text.removeprefix(FIRST).splitlines()
    return "\n".join(line for line in lines if not line.startswith("#")).strip() + "\n"


def same(text: str) -> str:
    return dedent(text).lstrip()


@pytest.mark.parametrize("name", PROJECTS)
def test_every_text_loads_and_is_short_and_commented(tmp_path: Path, name: str) -> None:
    answer = found(tmp_path, PROJECTS[name])
    config = load_text(answer.text, str(tmp_path))
    assert config.build is not None or config.run is not None
    assert len(answer.text.splitlines()) <= 40
    assert max(map(len, answer.text.splitlines())) <= 100
    assert answer.because
    assert answer.source
    assert not any(sentence.endswith(".") for sentence in (*answer.because, *answer.left_out))


@pytest.mark.parametrize("name", PROJECTS)
def test_what_is_named_is_taken(tmp_path: Path, name: str) -> None:
    first = found(tmp_path, PROJECTS[name])
    for choice in first.choices:
        other = detect(str(tmp_path), choice)
        assert other is not None
        assert other.chosen == choice
        assert {other.chosen, *other.choices} == {first.chosen, *first.choices}
        assert not other.ambiguous
        load_text(other.text, str(tmp_path))


def test_nothing_is_found_in_an_empty_directory(tmp_path: Path) -> None:
    assert detect(str(tmp_path)) is None


def test_nothing_is_found_where_there_is_no_directory(tmp_path: Path) -> None:
    assert detect(str(tmp_path / "gone")) is None


def test_a_tool_config_wins_over_the_language(tmp_path: Path) -> None:
    files = {".air.toml": "", "go.mod": "module x", "main.go": MAIN, "Makefile": "all:\n\ttrue\n"}
    assert found(tmp_path, files).kind == "air"


def test_the_language_wins_over_the_makefile(tmp_path: Path) -> None:
    files = {"go.mod": "module x", "main.go": MAIN, "Makefile": "all:\n\ttrue\n"}
    assert found(tmp_path, files).kind == "go"


# Rust


def test_a_binary_of_cargo_is_built_and_run(tmp_path: Path) -> None:
    files = {
        "Cargo.toml": '[package]\nname = "shop"\n',
        "Cargo.lock": "",
        "src/main.rs": "",
        ".gitignore": "/target\n",
    }
    answer = found(tmp_path, files)
    assert body(answer) == same("""
        [build]
        command = "cargo build"
        outputs = ["target/debug/shop"]

        [run]
        command = "./target/debug/shop"
        """)
    assert answer.because == ("Cargo.toml is here, with the binary shop",)


def test_the_lock_that_the_first_build_of_cargo_writes_is_no_change(tmp_path: Path) -> None:
    answer = found(tmp_path, {"Cargo.toml": '[package]\nname = "shop"\n', "src/main.rs": ""})
    assert 'outputs = ["target/debug/shop", "Cargo.lock"]\n' in answer.text
    assert (
        "# A build that gives the same bytes again leaves the app running. The first build writes\n"
        "# Cargo.lock: no reason to build again. Once it is there, take it out of here, and `cargo "
        "update`\n# builds.\n"
    ) in answer.text


def test_of_several_binaries_the_one_named_like_the_package_is_built(tmp_path: Path) -> None:
    manifest = '[package]\nname = "shop"\n[[bin]]\nname = "admin"\npath = "src/admin.rs"\n'
    answer = found(tmp_path, {"Cargo.toml": manifest, "src/main.rs": "", "src/bin/load.rs": ""})
    assert 'command = "cargo build --bin shop"' in answer.text
    assert answer.because == (
        "Cargo.toml is here, with 3 binaries",
        "shop is taken: it is named like the package",
    )
    assert answer.choices == ("admin", "load")


def test_default_run_decides(tmp_path: Path) -> None:
    manifest = '[package]\nname = "shop"\ndefault-run = "load"\n'
    answer = found(tmp_path, {"Cargo.toml": manifest, "src/main.rs": "", "src/bin/load.rs": ""})
    assert answer.chosen == "load"
    assert answer.because[1] == "load is taken: default-run names it"


def test_the_members_of_a_workspace_are_read(tmp_path: Path) -> None:
    files = {
        "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\n',
        "crates/api/Cargo.toml": '[package]\nname = "api"\n',
        "crates/api/src/main.rs": "",
        "crates/web/Cargo.toml": '[package]\nname = "web"\n',
        "crates/web/src/main.rs": "",
        "crates/lib/Cargo.toml": '[package]\nname = "lib"\n',
        "crates/lib/src/lib.rs": "",
    }
    answer = found(tmp_path / "shop", files)
    assert answer.ambiguous
    assert {answer.chosen, *answer.choices} == {"api", "web"}


def test_where_cargo_builds_is_read(tmp_path: Path) -> None:
    files = {
        "Cargo.toml": '[package]\nname = "shop"\n',
        "src/main.rs": "",
        ".cargo/config.toml": '[build]\ntarget = "x86_64-unknown-linux-musl"\n',
    }
    assert "./target/x86_64-unknown-linux-musl/debug/shop" in found(tmp_path, files).text


def test_a_rust_library_is_only_built(tmp_path: Path) -> None:
    answer = found(tmp_path, {"Cargo.toml": '[package]\nname = "shop"\n', "src/lib.rs": ""})
    assert "[run]" not in answer.text
    assert answer.because == (
        "Cargo.toml is here, and no binary: every save builds, and nothing is run",
    )


# Node


@pytest.mark.parametrize(
    ("scripts", "command"),
    [
        ('"start": "node server.js"', "node server.js"),
        ('"start": "node server.js", "dev": "nodemon server.js"', "node server.js"),
        ('"start": "node server.js", "prestart": "x"', "npm start"),
        ('"start": "NODE_ENV=dev node server.js"', "npm start"),
        ('"dev": "node serve.js"', "node serve.js"),
        ('"dev": "fastify start app.js"', "npm run dev"),
        ('"dev": "nodemon server.js"', "node server.js"),
        ('"dev": "npx nodemon server.js"', "node server.js"),
        ('"dev": "node --watch server.js"', "node server.js"),
        ('"dev": "node --watch-path=src server.js --port 1"', "node server.js --port 1"),
        ('"dev": "tsx watch src/index.ts"', "npx tsx src/index.ts"),
        ('"dev": "ts-node-dev src/index.ts"', "npx ts-node src/index.ts"),
        ('"dev": "vite"', "npm run dev"),
        ('"dev": "next dev", "start": "next start"', "npm run dev"),
        ('"start": "vite"', "npm run start"),
    ],
)
def test_a_script_is_run_without_its_own_watcher(
    tmp_path: Path, scripts: str, command: str
) -> None:
    answer = found(tmp_path, {"package.json": f'{{"scripts": {{{scripts}}}}}'})
    config = load_text(answer.text, str(tmp_path))
    assert config.run is not None
    assert config.run.command == command


def test_a_script_that_watches_is_named(tmp_path: Path) -> None:
    scripts = '{"scripts": {"start": "node server.js", "dev": "nodemon server.js"}}'
    answer = found(tmp_path, {"package.json": scripts})
    assert answer.because == (
        "package.json is here, with a script start",
        "its script dev watches by itself",
    )
    assert answer.choices == ("dev",)


def test_a_watcher_is_taken_off_its_program(tmp_path: Path) -> None:
    answer = found(tmp_path, {"package.json": '{"scripts": {"dev": "nodemon server.js"}}'})
    assert answer.because == (
        "package.json is here, and its script dev watches by itself: `nodemon server.js`",
        "so the program is run without it: two watchers would restart it twice",
    )


def test_a_server_that_reloads_is_restarted_for_its_configuration_only(tmp_path: Path) -> None:
    files = {"package.json": '{"scripts": {"dev": "vite"}}', "pnpm-lock.yaml": ""}
    answer = found(tmp_path, files | {".gitignore": "node_modules\n"})
    assert body(answer) == same("""
        [watch]
        include = [
            "package.json",
            "*.config.js",
            "*.config.mjs",
            "*.config.ts",
            "tsconfig*.json",
            "pnpm-lock.yaml",
        ]

        [run]
        command = "pnpm run dev"
        """)
    assert answer.because == (
        "package.json is here, and its script dev is `vite`, which reloads by itself",
        "so hotrun restarts it for its configuration only",
        "pnpm-lock.yaml is here, so scripts are run by pnpm",
    )


def test_what_a_build_script_makes_is_built_first(tmp_path: Path) -> None:
    scripts = '{"scripts": {"build": "tsc", "start": "node dist/index.js"}}'
    answer = found(tmp_path, {"package.json": scripts})
    assert body(answer) == same("""
        [watch]
        exclude = ["node_modules/"]

        [build]
        command = "npm run build"
        outputs = ["dist/"]

        [run]
        command = "node dist/index.js"
        """)
    assert answer.because[-1] == "dist/ is made by the script build"


@pytest.mark.parametrize(
    ("lock", "command"),
    [
        ("yarn.lock", "yarn start"),
        ("bun.lockb", "bun run start"),
        ("package-lock.json", "npm start"),
    ],
)
def test_the_lock_file_tells_the_package_manager(tmp_path: Path, lock: str, command: str) -> None:
    answer = found(tmp_path, {"package.json": '{"scripts": {"start": "astro x"}}', lock: ""})
    assert f'command = "{command}"' in answer.text


def test_a_main_file_is_run_when_there_is_no_script(tmp_path: Path) -> None:
    answer = found(
        tmp_path, {"package.json": '{"main": "./lib/x.js"}', "lib/x.js": "", "app.js": ""}
    )
    assert 'command = "node ./lib/x.js"' in answer.text
    assert answer.because == (
        "package.json is here without a start script, and ./lib/x.js is its main",
    )


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('{"name":"x",', "line 1, column 13: Expecting property name enclosed in double quotes"),
        ('{\n  "a": 1 // b\n}', "line 2, column 10: Expecting ',' delimiter"),
        ("", "line 1, column 1: Expecting value"),
        ("[" * 100_000, "it nests too deeply"),
    ],
)
def test_a_package_json_that_is_broken_is_said_to_be(tmp_path: Path, text: str, wrong: str) -> None:
    answer = found(tmp_path, {"package.json": text, "index.js": ""})
    assert answer.because == (
        f"package.json is no JSON ({wrong}): node starts nothing until it is mended",
        "index.js is there, and is run",
    )


def test_a_package_without_anything_to_run_is_nothing(tmp_path: Path) -> None:
    plant(tmp_path, {"package.json": '{"scripts": {"test": "x"}}'})
    assert detect(str(tmp_path)) is None


# Python


def test_an_asgi_app_is_served_from_a_held_socket(tmp_path: Path) -> None:
    files = {"app/main.py": "app = FastAPI()\n", "requirements.txt": "fastapi[standard]\n"}
    answer = found(tmp_path, files)
    assert body(answer) == same("""
        [watch]
        include = ["*.py"]
        exclude = ["test_*.py", "*_test.py"]

        [build]
        command = 'python3 -B -c "import app.main"'

        [run]
        command = "python3 -m uvicorn --fd {fd} app.main:app"
        env = { PYTHONUNBUFFERED = "1" }
        listen = ["127.0.0.1:${PORT:-8000}"]
        """)
    assert answer.because == (
        "app/main.py makes a FastAPI application, app",
        "uvicorn serves it, without its own reloader",
    )


def test_a_source_directory_is_on_the_path(tmp_path: Path) -> None:
    files = {"src/shop/asgi.py": "api: Starlette = Starlette()\n", "pyproject.toml": "uvicorn"}
    text = found(tmp_path, files).text
    assert "--fd {fd} shop.asgi:api" in text
    assert 'env = { PYTHONUNBUFFERED = "1", PYTHONPATH = "src" }' in text


@pytest.mark.parametrize(
    ("app", "requirements", "command"),
    [
        ("app = Flask(__name__)", "flask", "python3 -m flask --app main:app run --no-reload"),
        ("app = flask.Flask('x')", "gunicorn", "python3 -m gunicorn main:app"),
        (
            "from flask import Flask\ndef create_app():\n    return Flask('x')",
            "flask",
            "python3 -m flask --app main:create_app run --no-reload",
        ),
        (
            "def create_app():\n    return FastAPI()",
            "uvicorn",
            "python3 -m uvicorn --fd {fd} --factory main:create_app",
        ),
        ("app = Quart('x')", "hypercorn", "python3 -m hypercorn --bind fd://{fd} main:app"),
        ("app = Bottle()\nif __name__ == '__main__':\n    run(app)", "", "python3 -B main.py"),
        ("import uvicorn\napp = FastAPI()", "", "python3 -m uvicorn --fd {fd} main:app"),
    ],
)
def test_the_server_of_an_app_is_chosen(
    tmp_path: Path, app: str, requirements: str, command: str
) -> None:
    answer = found(tmp_path, {"main.py": app, "requirements.txt": requirements})
    assert f'command = "{command}"' in answer.text


def test_several_apps_are_choices(tmp_path: Path) -> None:
    files = {"main.py": "app = FastAPI()", "admin/app.py": "app = FastAPI()", "Pipfile": "uvicorn"}
    answer = found(tmp_path, files)
    assert (answer.chosen, answer.choices) == ("main:app", ("admin.app:app",))


def test_django_runs_without_its_reloader(tmp_path: Path) -> None:
    files = {
        "manage.py": "import django",
        ".venv/bin/python": "",
        ".venv/.gitignore": "*\n",
        "shop/templates/shop/a.html": "",
        ".env": "",
        "requirements.txt": "django-environ==1",
    }
    answer = found(tmp_path, files)
    assert body(answer) == same("""
        [watch]
        include = ["*.py", "*.html"]
        exclude = ["test_*.py", "*_test.py"]

        [build]
        command = ".venv/bin/python -B manage.py check"

        [run]
        command = ".venv/bin/python -B manage.py runserver --noreload"
        env = { PYTHONUNBUFFERED = "1" }
        env_files = [".env"]
        """)
    assert answer.because == (
        "manage.py is here, and is Django's",
        "its own reloader is off: hotrun restarts it",
        ".venv is here, so its Python is taken",
    )


def test_a_lock_file_tells_who_starts_python(tmp_path: Path) -> None:
    answer = found(tmp_path, {"main.py": "print()", "uv.lock": ""})
    assert 'command = "uv run python -B main.py"' in answer.text
    assert answer.because == (
        "main.py is here, and run as a script",
        "uv.lock is here, so `uv run` starts it",
    )


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"tool/__main__.py": ""}, "python3 -B -m tool"),
        ({"a b.py": "if __name__ == '__main__':\n    pass\n"}, "python3 -B 'a b.py'"),
    ],
)
def test_a_script_is_found(tmp_path: Path, files: dict[str, str], command: str) -> None:
    assert f'command = "{command}"' in found(tmp_path, files).text


# C, and make


def test_a_makefile_builds_and_the_program_that_it_links_runs(tmp_path: Path) -> None:
    makefile = "BIN := shop\nall: $(BIN)\n$(BIN): main.o\n\t$(CC) -o $@ $^\n"
    makefile += "%.o: %.c\n\t$(CC) -c -o $@ $<\n"
    answer = found(tmp_path, {"Makefile": makefile, "main.c": ""})
    assert answer.kind == "c"
    assert body(answer) == same("""
        [watch]
        exclude = ["*.o", "*.d", "*.a"]

        [build]
        command = "make"
        outputs = ["shop"]

        [run]
        command = "./shop"
        """)
    assert answer.because == (
        "Makefile is here, and `make` builds",
        "its rules make shop, which is run",
    )


@pytest.mark.parametrize(
    ("makefile", "build", "run"),
    [
        ("help:\n\t@echo\nbuild:\n\tx\nrun:\n\t./x\n", "make build", "make run"),
        ("run:\n\t./x\n", None, "make run"),
        ("pages: a b\n\tcat a b\n", "make", None),
        (".PHONY: all\nall: a\n\techo\nserve:\n\tx\n", "make", "make serve"),
        ("X = a:b\nall:\n\tgo build -o bin/x .\n", "make", "./bin/x"),
        ("B = x\n$(B): a.o\n\tcc a.o -o $(B).tmp\n\tmv -f $(B).tmp $(B)\n", "make", "./x"),
        ("x: a.o\n\tcc a.o -o $@.tmp && cp -p $@.tmp $@\n", "make", "./x"),
    ],
)
def test_the_targets_of_a_makefile(
    tmp_path: Path, makefile: str, build: str | None, run: str | None
) -> None:
    answer = found(tmp_path, {"Makefile": makefile})
    config = load_text(answer.text, str(tmp_path))
    assert answer.kind == "make"
    assert (config.build and config.build.command) == build
    assert (config.run and config.run.command) == run


@pytest.mark.parametrize("name", ["GNUmakefile", "makefile", "Makefile"])
def test_make_has_three_names_for_its_file(tmp_path: Path, name: str) -> None:
    assert (
        found(tmp_path, {name: "all:\n\ttrue\n"}).because[0] == f"{name} is here, and `make` builds"
    )


def test_a_makefile_that_only_cleans_is_nothing(tmp_path: Path) -> None:
    plant(tmp_path, {"Makefile": "clean:\n\trm -f x\n"})
    assert detect(str(tmp_path)) is None


def test_cmake_is_configured_once_and_its_executable_runs(tmp_path: Path) -> None:
    files = {
        "CMakeLists.txt": "project(shop C) # x\nadd_subdirectory(src)\nadd_subdirectory(tests)\n",
        "src/CMakeLists.txt": "add_executable(${PROJECT_NAME}\n  main.c)\n",
        "tests/CMakeLists.txt": "add_executable(test_shop t.c)\n",
    }
    answer = found(tmp_path, files)
    assert body(answer) == same("""
        [watch]
        exclude = ["/build/"]

        [build]
        command = "test -f build/CMakeCache.txt || cmake -S . -B build && cmake --build build"
        outputs = ["build/src/shop"]

        [run]
        command = "./build/src/shop"
        """)
    assert answer.because == ("CMakeLists.txt is here, with 2 executables", "shop is taken")
    assert answer.choices == ("test_shop",)
