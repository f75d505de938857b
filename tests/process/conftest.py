"""The yard in which children are started."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from process.yard import Yard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    with Yard(tmp_path) as yard:
        yield yard
