"""The keys of [watch]: what is watched, and when a change counts.

They stand in the order of the example file and of the guide.
"""

from __future__ import annotations

from hotrun.config.key import Key

KEYS = (
    Key(
        table="watch",
        name="paths",
        kind="strings",
        default=["."],
        doc="""The roots: directories that are watched with all that is below them.
        They may lie outside the project. A root that does not exist yet is waited for. A root
        named here is watched even when .gitignore ignores it.""",
        example='[".", "../shared"]',
        filled=True,
        aliases=("root", "roots", "dirs", "directories", "watch_dir"),
    ),
    Key(
        table="watch",
        name="include",
        kind="strings",
        default=[],
        doc="""Patterns, written as in .gitignore, of the files that count; the last match wins
        and `!` takes back. Empty: every file that is not ignored or excluded. A pattern that
        begins with a literal path (`.env`, `gen/**`) opens that path even when .gitignore
        ignores it; a bare one (`*.go`) never opens an ignored directory.""",
        example='["*.go", "go.mod", "go.sum", "*.tmpl"]',
        aliases=(
            "include_ext",
            "include_file",
            "include_dir",
            "extensions",
            "patterns",
            "pattern",
            "ext",
            "files",
            "glob",
            "globs",
        ),
    ),
    Key(
        table="watch",
        name="exclude",
        kind="strings",
        default=[],
        doc="""Patterns, written as in .gitignore, of files and directories that never count;
        the last match wins and `!` takes back.""",
        example='["*_test.go"]',
        aliases=("ignore", "ignored", "exclude_dir", "exclude_file", "exclude_regex"),
    ),
    Key(
        table="watch",
        name="gitignore",
        kind="boolean",
        default=True,
        doc="""Whether what git ignores is ignored here too: every .gitignore from the top of
        the repository down, .git/info/exclude, and the file that core.excludesFile names.""",
        example="false",
    ),
    Key(
        table="watch",
        name="backend",
        kind="choice",
        default="auto",
        words=("auto", "native", "poll"),
        doc="""How changes are noticed: `native` asks the kernel, `poll` lists the tree again
        and again. `auto` is native where there is a native watcher and its limits allow it, and
        polling otherwise. For a filesystem that tells of no changes (network mounts, shared
        folders of containers and virtual machines) write `poll`.""",
        example='"poll"',
        aliases=("poll",),
    ),
    Key(
        table="watch",
        name="poll_interval",
        kind="duration",
        default="500ms",
        least=0.01,
        doc="""The time between two listings of a tree that is polled. A tree that takes long to
        list is listed less often.""",
        example='"2s"',
    ),
    Key(
        table="watch",
        name="debounce",
        kind="duration",
        default="auto",
        words=("auto",),
        doc="""How long the tree must be quiet before a build. `auto` is short for one finished
        save and longer for a burst, such as a git checkout.""",
        example='"50ms"',
        aliases=("delay", "settle", "lull"),
    ),
    Key(
        table="watch",
        name="max_wait",
        kind="duration",
        default="1s",
        doc="""The longest time from the first change to its build, in a tree that does not become
        quiet. While one and the same burst goes on (a checkout, a generator) each further build
        may be put off twice as long as the one before it, up to eight times `max_wait`.""",
        example='"3s"',
    ),
    Key(
        table="watch",
        name="follow_symlinks",
        kind="boolean",
        default=False,
        doc="""Whether directories behind symbolic links below a root are watched too: each
        once, under its own name where that is watched, else under the name of the link. A root
        may be a link in any case.""",
        example="true",
        aliases=("follow_symlink",),
    ),
    Key(
        table="watch",
        name="unchanged",
        kind="choice",
        default="skip",
        words=("skip", "build"),
        doc="""What a save (or touch) does that changed no byte.""",
        example='"build"',
    ),
)
