"""An .air.toml as it was read: its values, whatever their types, and what is left of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_CMD = "go build -o ./tmp/main ."
DEFAULT_BIN = "./tmp/main"
DEFAULT_LOG = "build-errors.log"
COLOURS = {"app": "", "build": "yellow", "main": "magenta", "runner": "green", "watcher": "cyan"}

# Every key that is carried over, or that says nothing outside of air.
_KNOWN = {
    "": "root tmp_dir testdata_dir env_files build color log misc proxy screen",
    "build": "cmd bin full_bin entrypoint args_bin include_ext include_dir include_file "
    "exclude_dir exclude_file exclude_regex exclude_unchanged follow_symlink poll poll_interval "
    "delay kill_delay send_interrupt stop_on_error pre_cmd post_cmd rerun rerun_delay log "
    "ignore_dangerous_root_dir windows linux darwin",
}


@dataclass(slots=True)
class Air:
    """The file.

    Args:
        tree: What tomllib read.
        left: What could not be carried over, "KEY: why", in the order in which it came up.
    """

    tree: Mapping[str, Any]
    left: list[str] = field(default_factory=list)

    @property
    def build(self) -> Mapping[str, Any]:
        """The [build] table."""
        return self.table("build")

    def table(self, name: str) -> Mapping[str, Any]:
        """Return a table; an empty one when it is none."""
        value = self.tree.get(name)
        return value if isinstance(value, dict) else {}

    def top(self, key: str, default: str) -> str:
        """Return a string outside of all tables."""
        return next(iter(texts(self.tree.get(key))), default)

    def text(self, key: str, default: str = "") -> str:
        """Return a string of [build]."""
        value = self.build.get(key)
        return value.strip() if isinstance(value, str) and value.strip() else default

    def texts(self, key: str) -> list[str]:
        """Return a list of strings of [build]."""
        return texts(self.build.get(key))

    def is_set(self, key: str) -> bool:
        """Whether a flag of [build] is on."""
        return self.build.get(key) is True

    def leave(self, key: str, why: str) -> None:
        """Note what cannot be carried over."""
        self.left.append(f"{key}: {why}")

    def leave_the_rest(self) -> None:
        """Note what has no counterpart, and what nobody knows."""
        if self.texts("post_cmd"):
            why = "air runs it at its own end, run.after at each stop of the app"
            self.leave("build.post_cmd", why)
        if self.text("log", DEFAULT_LOG) != DEFAULT_LOG:
            self.leave("build.log", "errors are shown, and written to no file")
        if self.is_set("rerun") and "rerun_delay" in self.build:
            self.leave("build.rerun_delay", "how long hotrun waits grows with each early end")
        if self.is_set("ignore_dangerous_root_dir"):
            why = "hotrun never watches a home directory"
            self.leave("build.ignore_dangerous_root_dir", why)
        self._leave_tables()
        for name, keys in _KNOWN.items():
            unknown = (self.table(name) if name else self.tree).keys() - {*keys.split()}
            for key in sorted(unknown):
                self.leave(f"{name}.{key}".lstrip("."), "hotrun does not know this key")

    def _leave_tables(self) -> None:
        if self.table("proxy").get("enabled") is True:
            self.leave("proxy", "there is no proxy, and browsers are not reloaded")
        if self.table("screen").get("clear_on_rebuild") is True:
            self.leave("screen.clear_on_rebuild", "`hotrun run --clear` does it")
        if self.table("misc").get("clean_on_exit") is True:
            self.leave("misc.clean_on_exit", "what the build made stays")
        if any(COLOURS.get(part) != colour for part, colour in self.table("color").items()):
            self.leave("color", "hotrun has colours of its own, or none (`--color never`)")
        if self.table("log").get("time") is True:
            self.leave("log.time", "the lines of hotrun show no time")
        if self.table("log").get("silent") is True:
            self.leave("log.silent", "`hotrun run -q` shows problems only")


def texts(value: object) -> list[str]:
    """Return the strings in a list that say something; of a string alone, that one."""
    several = [value] if isinstance(value, str) else value
    if not isinstance(several, list):
        return []
    return [each.strip() for each in several if isinstance(each, str) and each.strip()]
