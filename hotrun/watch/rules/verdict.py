"""What can be decided about a path, and the words for it: what `hotrun explain` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotrun.lean import NamedTuple

if TYPE_CHECKING:
    from hotrun.watch.rules.pattern import Rule


class Verdict(NamedTuple):
    """A decision before it is put into words; `why` is filled in from the rule."""

    watched: bool
    why: str
    rule: Rule | None = None
    subject: str = ""


OUTSIDE = Verdict(False, "It is below none of the watched roots.")
WATCHED = Verdict(True, "It is below a watched root, and no rule leaves it out.")
ROOT = Verdict(True, "It is a watched root.")
PRIVATE_OUT = Verdict(False, "Version control and hotrun's own files are never watched.")
INSTALLED_OUT = Verdict(False, "Installed and generated files are not watched.")
MARKED_OUT = Verdict(False, "A file in the directory says that it is generated.")
JUNK_OUT = Verdict(False, "It is an editor's temporary file.")
NOT_INCLUDED = Verdict(False, "No include pattern matches it.")
CANNOT_INCLUDE = Verdict(False, "No include pattern can match anything in it.")
OUTPUT = "`{0.pattern}` is an output of the build."
EXCLUDED = "`{0.pattern}` in {0.file} leaves it out."
INCLUDED = "`{0.pattern}` in {0.file} names it."
TAKEN_BACK = "`{0.pattern}` in {0.file} takes it back."
OPENED = "`{0.pattern}` in {0.file} names it, which is stronger than what ignores it."
IGNORED = "Git ignores it: `{0.pattern}` in {0.file}, line {0.line}."
KEPT = "`{0.pattern}` in {0.file}, line {0.line}, keeps it."
