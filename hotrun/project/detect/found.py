"""What was found of a project: the hotrun.toml for it, and why it is this one."""

from __future__ import annotations

from dataclasses import dataclass

KEPT = "A build that gives the same bytes again leaves the app running."


@dataclass(frozen=True, slots=True)
class Found:
    """A project that was recognised.

    Args:
        kind: "go", "rust", "node", "python", "c", "make", "air" or "bee".
        text: A short, commented hotrun.toml; it loads without an error.
        because: Sentences without their full stop: what was found, and why the text follows.
        left_out: What could not be carried over from .air.toml, .air.conf, bee.json or a Beefile:
            "KEY: why", one each.
        choices: What else could have been meant, as `hotrun init --main` takes it; of an
            ambiguous project all there is.
        source: The file that told: "go.mod".
        chosen: What the text starts or builds, as `--main` takes it; "" where there is no choice.
        ambiguous: Nothing speaks for `chosen` against `choices`: a person has to say.
    """

    kind: str
    text: str
    because: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    source: str = ""
    chosen: str = ""
    ambiguous: bool = False
