"""Small projects of every kind, as files: for detection, `hotrun init` and the fuzz."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MAIN = "package main\n\nfunc main() {\n}\n"

AIR = """\
root = "."
tmp_dir = "tmp"

[build]
  args_bin = ["serve", "--port 8080"]
  bin = "./tmp/main"
  cmd = "go build -o ./tmp/main ."
  delay = 200
  exclude_dir = ["assets", "tmp", "vendor", "testdata", "web/node_modules"]
  exclude_file = ["gen/api.go"]
  exclude_regex = ["_test.go", ".*_templ\\\\.go$", "a(b|c)"]
  exclude_unchanged = false
  follow_symlink = true
  full_bin = "APP_ENV=dev ./tmp/main"
  include_dir = []
  include_ext = ["go", "tpl", "tmpl", "html", "yaml"]
  include_file = ["conf/app.ini"]
  kill_delay = "500ms"
  log = "build-errors.log"
  poll = true
  poll_interval = 0
  post_cmd = ["echo bye"]
  pre_cmd = ["templ generate"]
  rerun = true
  send_interrupt = true
  stop_on_error = true

[proxy]
  enabled = true
"""

BEE = """\
{
  "version": 0,
  "go_install": true,
  "watch_ext": [".go", ".tpl"],
  "dir_structure": {"watch_all": false, "controllers": "", "models": "",
                    "others": ["$GOPATH/src/lib", "../common"]},
  "cmd_args": ["-p", "1"],
  "envs": ["MODE=a=b", "bad"],
  "database": {"driver": "mysql"},
  "enable_reload": true
}
"""

BEEFILE = """\
# how bee runs
version: 0
go_install: false  # as ever
dir_structure:
  watch_all: true
  others:
  - ../common
  - "../my lib"
cmd_args: [-a, 'b c']
envs:
  - MODE=test # here
bale:
  dirs: []
"""

PROJECTS: dict[str, dict[str, str]] = {
    "go": {"go.mod": "module example.com/shop\n", "main.go": MAIN},
    "go-commands": {
        "go.mod": "module example.com/shop/v2\n",
        "cmd/shop/main.go": MAIN,
        "cmd/admin/main.go": MAIN,
        "templates/index.html": "<p>",
    },
    "go-library": {"go.mod": "module example.com/lib\n", "lib.go": "package lib\n"},
    "go-workspace": {
        "go.work": "use (\n\t./api\n\t./lib // x\n)\n",
        "api/go.mod": "module api\n",
        "api/main.go": MAIN,
        "lib/go.mod": "module lib\n",
        "lib/lib.go": "package lib\n",
    },
    "go-file": {"main.go": MAIN},
    "rust": {"Cargo.toml": '[package]\nname = "shop"\n', "src/main.rs": "", "src/bin/x.rs": ""},
    "rust-workspace": {
        "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\n',
        "crates/api/Cargo.toml": '[package]\nname = "api"\n',
        "crates/api/src/main.rs": "",
    },
    "node": {
        "package.json": '{"scripts": {"start": "node server.js", "dev": "nodemon server.js"}}',
        "server.js": "",
    },
    "node-built": {
        "package.json": '{"scripts": {"build": "tsc", "start": "node dist/x.js"}}',
    },
    "node-server": {"package.json": '{"scripts": {"dev": "vite"}}', "yarn.lock": ""},
    "node-main": {"package.json": '{"main": "index.js"}', "index.js": ""},
    "django": {"manage.py": "import django\n", "shop/templates/a.html": ""},
    "fastapi": {"app/main.py": "app = FastAPI()\n", "pyproject.toml": "uvicorn\n"},
    "flask": {"app.py": "app = Flask(__name__)\n", "requirements.txt": "flask\n"},
    "script": {"main.py": "print(1)\n", "uv.lock": ""},
    "make": {"Makefile": "BIN = x\nall: $(BIN)\n$(BIN): a.c\n\tcc -o $@ a.c\n", "a.c": ""},
    "make-other": {"Makefile": "build:\n\tjekyll b\nserve:\n\tjekyll s\n"},
    "cmake": {
        "CMakeLists.txt": "project(x)\nadd_executable(${PROJECT_NAME} a.c)\nadd_executable(b b.c)"
    },
    "air": {".air.toml": AIR, "go.mod": "module x\n", "main.go": MAIN, "pages/a.html": ""},
    "air-empty": {".air.toml": ""},
    "bee": {"bee.json": BEE, "main.go": MAIN, "go.mod": "module x\n"},
    "beefile": {"Beefile": BEEFILE, "main.go": MAIN, "views/a.tpl": ""},
}


def plant(directory: Path, files: dict[str, str]) -> None:
    """Write the files of a project."""
    directory.mkdir(exist_ok=True)
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
