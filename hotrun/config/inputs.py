"""The value of `build.inputs`: a word, or a table that names the files in another way.

What the words mean and how the files are learnt is no matter of the config.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotrun.config.parts import forms_in
from hotrun.config.schema import Inputs
from hotrun.config.wording import did_you_mean, form, quoted, setting, shown

if TYPE_CHECKING:
    from hotrun.config.check import Check
    from hotrun.config.key import Key


def inputs(check: Check, key: Key, value: str | dict[str, object]) -> Inputs:
    """How it is known which files a build reads."""
    if isinstance(value, dict):
        return _table(check, key, value)
    if value not in key.words:
        message = f"{key.dotted} must be {form(key)}, not {quoted(value)}"
        hint = did_you_mean(value, key.words) or f"the default is {shown(key.default)}"
        if meant := inputs_meant(value):
            hint = f"write {setting(check.source, key, meant)}"
        check.report(key.path, message, hint)
    return Inputs(value)


def _table(check: Check, key: Key, value: dict[str, object]) -> Inputs:
    there = forms_in(check, key, value)
    fields = {part.name: check.value(part, value[part.name]) for part in there}
    return Inputs(there[0].name if there else "auto", **fields)  # type: ignore[arg-type]


def inputs_meant(value: object) -> str:
    """Write something else as the table that was meant, or nothing."""
    if isinstance(value, str) and value.endswith(".d"):
        return f"{{ depfile = {quoted(value, 100)} }}"
    if isinstance(value, str) and " " in value.strip():
        return f"{{ command = {quoted(value, 100)} }}"
    return ""
