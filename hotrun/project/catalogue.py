"""The templates of `hotrun new`: what is to be known of each without opening its folder.

The law: nobody edits one file in two places. What several templates hold in common lies once, in
a folder under templates/shared, and each names the folders that it is put together from; no file
may be in two folders of one template.
"""

from __future__ import annotations

from hotrun.lean import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One template.

    Args:
        summary: One line for `hotrun new --list`.
        folders: What it is put together from, relative to templates/.
        tools: The commands that building and running it need.
        tool_hint: How to come by those commands.
        port: Where the app listens when PORT is not set; None: it listens nowhere.
        aliases: What else people call it, for suggestions only.
    """

    summary: str
    folders: tuple[str, ...]
    tools: tuple[str, ...]
    tool_hint: str
    port: int | None
    aliases: tuple[str, ...]


TEMPLATES = {
    "go": Template(
        summary="a web app: html templates, static files, tests; standard library only",
        folders=("go", "shared/go-server", "shared/style"),
        tools=("go",),
        tool_hint="pip install 'hotrun[go]'",
        port=8080,
        aliases=("golang", "go-web", "web"),
    ),
    "go-api": Template(
        summary="a JSON API: routes, a resource in memory, tests; standard library only",
        folders=("go-api", "shared/go-server"),
        tools=("go",),
        tool_hint="pip install 'hotrun[go]'",
        port=8080,
        aliases=("api", "json", "rest", "golang-api"),
    ),
    "python": Template(
        summary="a web app: html templates, static files, tests; standard library only",
        folders=("python", "shared/style"),
        tools=("python3",),
        tool_hint="install Python 3.9 or newer",
        port=8000,
        aliases=("py", "python3", "wsgi"),
    ),
    "node": Template(
        summary="a web app: html templates, static files, tests; nothing from npm",
        folders=("node", "shared/style"),
        tools=("node",),
        tool_hint="install Node.js 18 or newer, from https://nodejs.org",
        port=3000,
        aliases=("js", "javascript", "nodejs", "npm", "express", "ts", "typescript"),
    ),
    "c": Template(
        summary="a small HTTP server: handlers, threads, tests, a Makefile",
        folders=("c",),
        tools=("make", "cc"),
        tool_hint="apt install build-essential; on macOS: xcode-select --install",
        port=8080,
        aliases=("gcc", "clang", "make", "c99", "c11", "cpp", "c++"),
    ),
    "command": Template(
        summary="any command: hotrun.toml and two shell scripts, yours to replace",
        folders=("command",),
        tools=("sh",),
        tool_hint="install a shell",
        port=None,
        aliases=("cmd", "sh", "shell", "bash", "script", "any", "empty", "generic", "other"),
    ),
}

# What there is no template for, because its own tool makes the project, and detection knows it.
_AS_IT_IS = """
rust cargo axum actix django flask fastapi starlette next nextjs next.js nuxt vite astro remix react
svelte gin echo fiber chi air bee beego cmake
"""
AS_IT_IS = frozenset(_AS_IT_IS.split())
